"""A non-parametric kernel: piecewise constant."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._loops.delayed import HISTOGRAM
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import check_nonnegative, refuse_labels
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels.delayed import DelayedKernel

__all__ = ["Histogram"]

_SUM_ERROR = 1e-9


class Histogram(DelayedKernel):
    r"""Piecewise-constant kernel: masses m over bins of lags.

    .. math:: g_{ij}(u) = \frac{m_{ijb}}{e_{b+1} - e_b} \quad \text{for } e_b < u \le e_{b+1}

    Parameters
    ----------
    edges : array_like, shape (n_bins + 1,)
        Bounds of the bins, increasing, from 0 or later, in the unit of time.
    masses : array_like, shape (n_bins,) or (n_marks, n_marks, n_bins), optional
        Probability of each bin, >= 0 with sum 1; shared by all pairs, or target by source by bin.
        Left out, they are to be estimated by `hawkeys.fit`.

    Attributes
    ----------
    edges : ndarray of float64, shape (n_bins + 1,)
        The bounds, read-only.
    masses : ndarray of float64 or None
        The masses as given, read-only.

    Raises
    ------
    InvalidParameterError
        Edges that do not increase or start below 0; masses that are negative, do not sum to 1
        within 1e-9, or have another shape.

    Notes
    -----
    Exactly 0 beyond the last bin that has mass: an event that follows no other within that horizon
    needs a baseline. The cost is O(n_events m log n_bins), m the number of events within it.

    References
    ----------
    Lewis, E. and Mohler, G. (2011). A nonparametric EM algorithm for multiscale Hawkes processes.
    Journal of Nonparametric Statistics 1(1), 1-20.

    Examples
    --------
    >>> from hawkeys.kernels import Histogram
    >>> kernel = Histogram(edges=[0.0, 0.1, 0.3], masses=[0.2, 0.8])
    >>> kernel.density([0.1, 0.2, 0.4]).ravel()
    array([2., 4., 0.])
    """

    name = "histogram"
    family = HISTOGRAM
    parameter_names = ("masses",)

    def __init__(self, edges: ArrayLike, masses: ArrayLike | None = None) -> None:
        self._edges = _check_edges(edges)
        self._edges.flags.writeable = False
        self.masses: FloatArray | None = None
        if masses is not None:
            self.masses = _check_masses(masses, self._edges.size - 1)
            self.masses.flags.writeable = False

    @property
    def edges(self) -> FloatArray:
        """Bounds of the bins, shape (n_bins + 1,), read-only."""
        return self._edges

    @property
    def pair_shape(self) -> tuple[int, ...]:
        """(n_marks, n_marks) if the masses differ by pair, else ()."""
        return () if self.masses is None else self.masses.shape[:-1]

    def parameters(self) -> tuple[FloatArray, ...]:
        """Return the edges and the masses, one row per set."""
        if self.masses is None:
            return ()
        return self._edges, self.masses.reshape(-1, self._edges.size - 1)

    def unknown(self) -> DelayedKernel:
        """Return the kernel with its masses left out, for `hawkeys.fit` to estimate."""
        return Histogram(self._edges)

    @staticmethod
    def tabulate(*parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (height of each bin, mass below each bin) of each set, and its horizon."""
        edges, masses = parameters
        below = np.cumsum(masses, axis=1) - masses
        last = masses.shape[1] - 1 - np.argmax(masses[:, ::-1] > 0, axis=1)
        return np.hstack((masses / np.diff(edges), below)), edges[last + 1]

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"name": "histogram", "masses": ..., "edges": ...}``."""
        return {**super().to_dict(), "edges": self._edges.tolist()}

    def _shown_names(self) -> tuple[str, ...]:
        return ("edges", *super()._shown_names())

    def _draw(self, rng: np.random.Generator, sets: IntArray) -> FloatArray:
        edges, masses = self.parameters()
        # one search in the cumulative masses laid end to end: set s occupies (s, s + 1]
        ends = (np.cumsum(masses, axis=1) + np.arange(masses.shape[0])[:, None]).ravel()
        found = np.searchsorted(ends, sets + rng.random(sets.size), side="right")
        bins = np.minimum(found - sets * masses.shape[1], masses.shape[1] - 1)
        # 1 - random lies in (0, 1]: a lag of 0 would be a tie with the parent
        return edges[bins] + np.diff(edges)[bins] * (1.0 - rng.random(sets.size))

    def _beyond(self, sets: IntArray, elapsed: FloatArray, share: FloatArray) -> FloatArray:
        edges, masses = self.parameters()
        out = np.empty(sets.size)
        for s in np.unique(sets):
            rows = sets == s
            knots = np.concatenate(([0.0], np.cumsum(masses[s])))
            knots /= knots[-1]
            below = np.interp(elapsed[rows], edges, knots)
            out[rows] = np.interp(1.0 - share[rows] * (1.0 - below), knots, edges)
        return out


def _check_edges(value: ArrayLike) -> FloatArray:
    edges = check_nonnegative(value, "edges")
    if edges.ndim != 1 or edges.size < 2:
        raise InvalidParameterError(
            f"edges must be one-dimensional, the bounds of at least one bin; got shape "
            f"{edges.shape}."
        )
    steps = np.diff(edges)
    if not (steps > 0).all():
        b = int(np.argmin(steps > 0))
        raise InvalidParameterError(
            f"edges must increase; edges[{b + 1}]={edges[b + 1]} does not exceed "
            f"edges[{b}]={edges[b]}. Sort them and drop repeated ones."
        )
    return edges


def _check_masses(value: ArrayLike, n_bins: int) -> FloatArray:
    refuse_labels(value, "masses")
    masses = check_nonnegative(value, "masses")
    shared = masses.shape == (n_bins,)
    paired = masses.ndim == 3 and masses.shape == (masses.shape[0], masses.shape[0], n_bins)
    if not (shared or paired) or masses.size == 0:
        raise InvalidParameterError(
            f"masses must have shape ({n_bins},), one per bin, or (n_marks, n_marks, {n_bins}); "
            f"got shape {masses.shape}."
        )
    total = masses.sum(axis=-1, keepdims=True)
    worst = float(total.ravel()[np.abs(total - 1.0).argmax()])
    if abs(worst - 1.0) > _SUM_ERROR:
        raise InvalidParameterError(
            f"masses must sum to 1 over the bins; got a sum of {worst:.12g}. Divide by the sum."
        )
    return masses
