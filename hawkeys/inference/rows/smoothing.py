"""How much a baseline is smoothed, chosen by the marginal likelihood of each row problem."""

from __future__ import annotations

import numpy as np

from hawkeys._design import Design
from hawkeys._linalg import NULL, factor
from hawkeys._typing import FloatArray
from hawkeys.inference.rows.smooth import SmoothRow, climb

__all__ = ["choose_smoothing"]

# effective parameters of the stiffest and of the softest curve, less those that no penalty moves,
# at the least and the largest smoothing; the largest ratio of curvatures, for precision
_ALL, _NONE, _STIFFEST = 0.99, 0.01, 1e11
# of the smoothings that are tried first, each to the next
_STEP = 10.0
# nats per row problem to gain at most while smoothing is compared, and most Newton steps
_ROUGH, _MOST = 1e-4, 200
# precision of the logarithm of the smoothing; nats below the best at which the search turns back
_CLOSE, _WORSE = 0.02, 12.0


def choose_smoothing(design: Design, matrix: FloatArray) -> FloatArray:
    """Return the smoothing of each row problem's baseline, shape (n_blocks,).

    Parameters
    ----------
    design : Design
        Row problems without a roughness, nothing held, nothing tied.
    matrix : ndarray of float64, shape (n_pieces, n_pieces)
        That of `Baseline.roughness`.

    Returns
    -------
    ndarray of float64
        Maxima of the Laplace approximation of the marginal likelihood (Wood 2011, eq. 4), on a
        grid of powers of 10 first; a row problem without events gets the largest.
    """
    return np.array([_choose(design, b, matrix) for b in range(design.n_blocks)])


def _choose(design: Design, b: int, matrix: FloatArray) -> float:
    """Return the smoothing of one row problem."""
    row = SmoothRow(design, b)
    lowest, highest = _range(row, matrix)
    if lowest >= highest:
        return highest
    root = factor(matrix)
    found: dict[float, float] = {}
    z, best, log = row.start(None), -np.inf, np.log(highest)
    while log >= np.log(lowest) and (not found or found[min(found)] > best - _WORSE):
        found[log], z = _evidence(row, root, np.exp(log), z)
        best = max(best, found[log])
        log -= np.log(_STEP)
    top = max(found, key=lambda one: (found[one], one))
    if top == max(found):
        return float(np.exp(top))

    from scipy.optimize import minimize_scalar

    def loss(one: float) -> float:
        return -_evidence(row, root, np.exp(one), z)[0]

    around = top - np.log(_STEP), top + np.log(_STEP)
    inner = minimize_scalar(loss, bounds=around, method="bounded", options={"xatol": _CLOSE})
    return float(np.exp(inner.x if -inner.fun >= found[top] else top))


def _range(row: SmoothRow, matrix: FloatArray) -> tuple[float, float]:
    """Return the least and the largest smoothing that matter; the same if the data are none."""
    spent, unit = row.cost[: len(matrix)], row.unit[: len(matrix)]
    if row.total == 0.0 or not spent.any():
        return 1.0, 1.0
    # curvature of the log-likelihood, were the baseline all and level
    own = unit * spent.sum() / row.total
    scale = 1.0 / np.sqrt(own)
    values = np.linalg.eigvalsh(matrix * np.outer(scale, scale))
    bent = values[values > NULL * values.max(initial=0.0)]
    if not bent.size:
        return 1.0, 1.0
    lowest = (1.0 - _ALL) / bent.max()
    return lowest, min((1.0 - _NONE) / _NONE / bent.min(), _STIFFEST / bent.max())


def _evidence(
    row: SmoothRow, root: FloatArray, smoothing: float, z: FloatArray
) -> tuple[float, FloatArray]:
    """Return the log marginal likelihood, but for a constant, and the estimates z from `z`.

    Estimates at 0 count like all others, so that it does not jump where one gets there.
    """
    row.penalise(np.sqrt(smoothing) * root)
    z, hessian, (value, *_) = climb(row, z, _ROUGH, np.empty(_MOST))
    seen = np.flatnonzero(np.diagonal(hessian) > 0.0)
    posterior = np.linalg.slogdet(hessian[np.ix_(seen, seen)])[1]
    prior = len(root) * np.log(smoothing)
    return float(value + 0.5 * (prior - posterior)), z
