"""Smooth histograms: a penalty on the second differences of the log density."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hawkeys._typing import FloatArray

__all__ = ["penalised_log_heights", "roughness", "roughness_matrix"]

_NEWTON_STEPS = 30
_HALVINGS = 40
_SMALLEST = 1e-300
_RIDGE = 1e-9
# of a step in a log height
_LONGEST = 5.0


def roughness(masses: FloatArray, edges: FloatArray) -> FloatArray:
    r"""Return the sum of squared second differences of the log density over neighbouring bins.

    For bins of equal width :math:`\sum_b (\log h_{b+1} - 2 \log h_b + \log h_{b-1})^2` with h the
    heights; for others divided differences at the centres, times the squared mean spacing. It is 0
    for exponential densities and does not depend on the unit of time.

    Parameters
    ----------
    masses : ndarray, shape (n_sets, n_bins)
        Probability of each bin.
    edges : ndarray, shape (n_bins + 1,)
        Bounds of the bins.

    Returns
    -------
    ndarray, shape (n_sets,)
        Roughness of each set, no unit.
    """
    heights = np.log(np.maximum(masses, _SMALLEST) / np.diff(edges))
    return ((heights @ _second_differences(edges).T) ** 2).sum(axis=1)


def roughness_matrix(edges: FloatArray) -> FloatArray:
    """Return the matrix of `roughness` as a quadratic form in the log heights, (n_bins, n_bins)."""
    differences = _second_differences(edges)
    return differences.T @ differences


def penalised_log_heights(
    counts: FloatArray, masses: FloatArray, edges: FloatArray, smoothing: float
) -> FloatArray:
    r"""Maximise the multinomial log-likelihood of `counts` less half the smoothed roughness.

    In the log heights phi this is :math:`c \cdot \phi - n \log \sum_b w_b e^{\phi_b} -
    \tfrac{s}{2} |D \phi|^2`, concave; Newton steps are halved until they do not lower it.

    Parameters
    ----------
    counts : ndarray, shape (n_sets, n_bins)
        Lags per bin, not all 0.
    masses : ndarray, shape (n_sets, n_bins)
        Where to start.
    edges : ndarray, shape (n_bins + 1,)
        Bounds of the bins.
    smoothing : float
        Weight s > 0 of the roughness.

    Returns
    -------
    ndarray, shape (n_sets, n_bins)
        Log heights of densities with mass 1.

    References
    ----------
    Eilers, P. H. C. and Marx, B. D. (1996). Flexible smoothing with B-splines and penalties.
    Statistical Science 11(2), 89-121, section 7. doi:10.1214/ss/1038425655
    """
    widths = np.diff(edges)
    penalty = smoothing * roughness_matrix(edges)
    phi = np.log(np.maximum(masses, _SMALLEST) / widths)

    def value(phi: FloatArray) -> FloatArray:
        likelihood = (counts * phi).sum(axis=1) - counts.sum(axis=1) * _log_mass(phi, widths)
        return likelihood - 0.5 * ((phi @ penalty) * phi).sum(axis=1)

    best = value(phi)
    for _ in range(_NEWTON_STEPS):
        step = _newton_step(phi, counts, widths, penalty)
        moved, now = _halve_until_no_lower(value, phi, step, best)
        gained = float((now - best).max())
        phi, best = moved, now
        if gained <= 1e-12 * max(1.0, float(np.abs(best).max())):
            break
    return phi - _log_mass(phi, widths)[:, None]


def _halve_until_no_lower(
    value: Callable[[FloatArray], FloatArray],
    phi: FloatArray,
    step: FloatArray,
    best: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the steps, each halved until its own objective is no lower, and the objectives."""
    size = np.ones(best.size)
    for _ in range(_HALVINGS):
        now = value(phi + size[:, None] * step)
        worse = ~(now >= best)
        if not worse.any():
            break
        size[worse] *= 0.5
    size[worse] = 0.0
    return phi + size[:, None] * step, np.where(worse, best, now)


def _newton_step(
    phi: FloatArray, counts: FloatArray, widths: FloatArray, penalty: FloatArray
) -> FloatArray:
    n = counts.sum(axis=1)
    masses = widths * np.exp(phi - _log_mass(phi, widths)[:, None])
    gradient = counts - n[:, None] * masses - phi @ penalty
    curvature = penalty - n[:, None, None] * masses[:, :, None] * masses[:, None, :]
    diagonal = np.arange(widths.size)
    curvature[:, diagonal, diagonal] += n[:, None] * (masses + _RIDGE)
    # a common shift of phi changes nothing: any curvature along it will do
    curvature += (n / widths.size)[:, None, None]
    step = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]
    largest = np.abs(step).max(axis=1, keepdims=True)
    return step * np.minimum(1.0, _LONGEST / np.maximum(largest, _LONGEST))


def _log_mass(phi: FloatArray, widths: FloatArray) -> FloatArray:
    top = phi.max(axis=1)
    return top + np.log((widths * np.exp(phi - top[:, None])).sum(axis=1))


def _second_differences(edges: FloatArray) -> FloatArray:
    """Return the (n_bins - 2, n_bins) matrix of second divided differences at the centres."""
    centres = 0.5 * (edges[1:] + edges[:-1])
    n_bins = centres.size
    if n_bins < 3:
        return np.zeros((0, n_bins))
    spacing = np.diff(centres)
    slopes = np.diff(np.eye(n_bins), axis=0) / spacing[:, None]
    apart = 0.5 * (centres[2:] - centres[:-2])
    return np.diff(slopes, axis=0) / apart[:, None] * spacing.mean() ** 2
