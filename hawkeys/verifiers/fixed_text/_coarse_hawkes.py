"""Hawkes processes of one typed text, as a coarse clock has read the lags.

A lag read as u stands for all from u - d / 2 to u + d / 2, cut at 0, with the width d of a tick;
the density of its source is the mass of that interval over d.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.verifiers.fixed_text._censored import bounds, log_mass, moments

__all__ = ["Readings", "contributions", "expected_children"]


class Readings(NamedTuple):
    """Lags of samples: `lags`, `earlier` and `rests` (n_edges, n_samples), edges by target.

    Attributes
    ----------
    lags : ndarray
        Seconds from source to target as read, 0 or more.
    earlier : ndarray of bool
        Whether the source is not after the target.
    rests : ndarray
        Logarithm of the time from source to the end of the window.
    windows : ndarray, shape (n_samples,)
        Time of the last event.
    first : ndarray of int64, shape (n_marks + 1,)
        First edge into each mark.
    width : float
        Ticks in seconds.
    """

    lags: FloatArray
    earlier: BoolArray
    rests: FloatArray
    windows: FloatArray
    first: IntArray
    width: float

    @property
    def target(self) -> IntArray:
        """Mark that each edge leads into."""
        return np.repeat(np.arange(self.first.size - 1), np.diff(self.first))

    @property
    def ends(self) -> tuple[FloatArray, FloatArray]:
        """Logarithms of the ends of the interval of each lag."""
        return bounds(self.lags, self.width)

    def densities(self, edges: FloatArray) -> FloatArray:
        """Return W times the mean density over each reading, (n_edges, n_samples)."""
        adjacency, location, scale = edges.T[:, :, None]
        mass = np.exp(log_mass(*self.ends, location, scale))
        return np.where(self.earlier, adjacency * mass / self.width, 0.0)

    def rates(self, densities: FloatArray, baseline: FloatArray) -> FloatArray:
        """Return the intensity of every mark at its event, (n_marks, n_samples)."""
        rates = np.repeat(baseline[:, None], self.windows.size, axis=1)
        np.add.at(rates, self.target, densities)
        return rates


def contributions(
    data: Readings, baseline: FloatArray, edges: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return ln lambda_m at event m, and the compensators over the window, (n_marks, n_samples)."""
    adjacency, location, scale = edges.T[:, :, None]
    masses = baseline[:, None] * data.windows
    np.add.at(masses, data.target, adjacency * scipy.special.ndtr((data.rests - location) / scale))
    return np.log(data.rates(data.densities(edges), baseline)), masses


def expected_children(
    data: Readings,
    weights: FloatArray,
    baseline: FloatArray,
    edges: FloatArray,
    sums: FloatArray,
    arrivals: FloatArray,
) -> float:
    """Add what an update needs, as the function of this name for exact lags does.

    `sums` (n_edges, 3) gets expected children and the sums of their log-lags and squares about the
    location now, `arrivals` (n_marks,) the events expected from the baseline.
    """
    adjacency, location, scale = edges.T[:, :, None]
    parts = data.densities(edges)
    rates = data.rates(parts, baseline)
    arrivals += (weights * baseline[:, None] / rates).sum(axis=1)
    share = weights * parts / rates[data.target]
    mean, variance = moments(*data.ends, location, scale)
    offset = np.where(share > 0.0, mean - location, 0.0)
    square = np.where(share > 0.0, variance + offset**2, 0.0)
    later = _unseen(data.rests, weights * adjacency, scale, location)
    for k, term in enumerate((share, share * offset, share * square)):
        sums[:, k] += (term + later[k]).sum(axis=1)
    lost = later[0].sum() - (weights * adjacency).sum()
    return float((weights * np.log(rates)).sum() + lost)


def _unseen(
    rests: FloatArray, weights: FloatArray, scale: FloatArray, location: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the children expected after the window, with moments of a truncated normal."""
    z = (rests - location) / scale
    mass = scipy.special.ndtr(-z)
    slope = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
    with np.errstate(invalid="ignore"):
        bent = np.where(np.isfinite(z), z * slope, 0.0)
    return weights * mass, weights * scale * slope, weights * scale**2 * (bent + mass)
