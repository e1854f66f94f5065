"""Least squares: the quadratic contrast of point processes, solved exactly."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._design import Design
from hawkeys._loops import contrast as loops
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import brief
from hawkeys._version import __version__
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.identify import flat_directions
from hawkeys.inference.options import LeastSquaresOptions
from hawkeys.inference.rows.solution import Solution
from hawkeys.inference.task import check_support, check_weights
from hawkeys.kernels import Exponential, Kernel
from hawkeys.process import Hawkes
from hawkeys.results.contrast import ContrastResult

__all__ = ["exponential_gram", "fit_contrast", "solve_least_squares"]

_RANK = 1e-13


def fit_contrast(
    events: Events,
    kernel: Kernel | None,
    settings: LeastSquaresOptions,
    *,
    support: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> ContrastResult:
    r"""Minimise the least-squares contrast over parameters >= 0.

    .. math:: R_i(x) = \int \lambda_i(t)^2\, dt - 2 \sum_k \lambda_i(t_{ik}) = x^T G_i x - 2 b_i^T x

    summed over realisations with their weights.

    Parameters
    ----------
    events : Events
        The data.
    kernel : Exponential
        Excitation kernel, with its decays.
    settings : LeastSquaresOptions
        Options of the method.
    support : array_like of bool, shape (n_marks, n_marks), optional
        Pairs that may excite. Default: all.
    weights : array_like, shape (n_realizations,), optional
        Weight of each realisation. Default: 1.

    Returns
    -------
    ContrastResult
        Estimates, sandwich standard errors, residual of the optimality conditions.

    Raises
    ------
    InvalidParameterError
        The kernel is not exponential, or an argument is wrong.

    Notes
    -----
    G and b are sums over events and exact: O(n_events n_marks) for decays that are shared or belong
    to sources, O(n_events n_marks^2) for decays of pairs. Each target is then a non-negative
    least-squares problem in n_marks + 1 parameters.

    References
    ----------
    Reynaud-Bouret, P. and Schbath, S. (2010). Adaptive estimation for Hawkes processes; application
    to genome analysis. Annals of Statistics 38, 2781-2822, eq. 2.1. doi:10.1214/10-AOS806

    Bacry, E., Bompaire, M., Gaiffas, S. and Muzy, J.-F. (2020). Sparse and low-rank multivariate
    Hawkes processes. JMLR 21(50), 1-32. arXiv:1501.00725
    """
    if not isinstance(kernel, Exponential):
        raise InvalidParameterError(
            "method='least_squares' needs exponential kernels with given decays; got "
            f"{brief(kernel)}. "
            "Give decay=..., or use method='mle'."
        )
    kernel.check_marks(events.n_marks)
    scale = check_weights(weights, events.n_realizations)
    mask = check_support(support, events.n_marks)
    design = Design.build(events, kernel, realization_weights=scale, support=mask)
    gram = exponential_gram(events, kernel, scale, design.cost)
    options: dict[str, Any] = {"tolerance": settings.tolerance}
    options |= {"support": mask} if support is not None else {}
    options |= {"weights": scale} if weights is not None else {}
    return _solve(events, kernel, (gram, *_moments(design)), options)


def _solve(
    events: Events,
    kernel: Exponential,
    moments: tuple[FloatArray, FloatArray, FloatArray],
    options: dict[str, Any],
) -> ContrastResult:
    """Return the result, given G, b and the covariance of b."""
    gram, linear, noise = moments
    x = np.array([_nonnegative(g, b) for g, b in zip(gram, linear, strict=True)])
    process = Hawkes(x[:, 0], x[:, 1:], kernel=kernel, mark_names=events.mark_names)
    residual = _violation(gram, linear, x)
    value = float(np.einsum("ip,ipq,iq->", x, gram, x) - 2.0 * (linear * x).sum())
    identified = np.diagonal(gram, axis1=1, axis2=2) > 0.0
    return ContrastResult(
        process=process,
        method="least_squares",
        log_likelihood=process.log_likelihood(events),
        objective=-value,
        optimality_gap=np.nan,
        converged=bool(residual <= options["tolerance"]),
        message=f"relative violation of the optimality conditions {residual:.1e}",
        n_iterations=1,
        trace=np.array([-value]),
        identified=flat_directions(2.0 * gram, x, identified),
        event_counts=np.bincount(events.marks, minlength=events.n_marks),
        n_realizations=events.n_realizations,
        total_time=float(events.durations.sum()),
        options=options,
        version=__version__,
        kkt_residual=residual,
        information=2.0 * gram,
        noise=noise,
    )


def exponential_gram(
    events: Events, kernel: Exponential, scale: FloatArray, cost: FloatArray
) -> FloatArray:
    """Return G of each target: integrals of products of (1, c_1, ..., c_D).

    Parameters
    ----------
    events : Events
        The data.
    kernel : Exponential
        With its decays.
    scale : ndarray, shape (n_realizations,)
        Weight of each realisation.
    cost : ndarray, shape (n_marks, n_marks + 1)
        Of the row problems of the same data: time observed and integrals of the excitations; 0 for
        what is held at 0.

    Returns
    -------
    ndarray of float64, shape (n_marks, n_marks + 1, n_marks + 1)
        Rows and columns of parameters that are held at 0 are 0.
    """
    size = events.n_marks
    decay = kernel.decay_matrix(size)
    data = events.times, events.marks, events.offsets
    out = np.zeros((size, size + 1, size + 1))
    shared = kernel.decay.ndim < 2
    for i in range(1 if shared else size):
        products = np.zeros((size, size))
        loops.add_products(data, events.end_times, scale, decay[i].copy(), products)
        out[slice(None) if shared else i, 1:, 1:] = products
    out[:, 0, :] = cost
    out[:, :, 0] = cost
    held = cost <= 0.0
    out[held[:, :, None] | held[:, None, :]] = 0.0
    return out


def solve_least_squares(
    design: Design, options: LeastSquaresOptions, seeds: IntArray, *, keep: bool
) -> Solution:
    """Refuse: the contrast needs more than the row problems of a likelihood.

    Raises
    ------
    InvalidParameterError
        Always; `hawkeys.fit` calls `fit_contrast` instead.
    """
    raise InvalidParameterError(
        "method='least_squares' fits one process to all realisations; use hawkeys.fit, on one "
        "realisation at a time if each is to be fitted alone."
    )


def _moments(design: Design) -> tuple[FloatArray, FloatArray]:
    """Return b, the weighted sum of (1, c) over each target's events, and of products of them."""
    shape = design.cost.shape
    linear, noise = np.zeros(shape), np.zeros((*shape, shape[1]))
    for i in range(design.n_blocks):
        weight, matrix = design.event_weights(i), design.rows(i)
        linear[i] = matrix @ weight
        noise[i] = (matrix * weight) @ matrix.T  # weights count repetitions
    return linear, noise


def _nonnegative(gram: FloatArray, linear: FloatArray) -> FloatArray:
    """Return the x >= 0 that minimises x'Gx - 2 b'x; 0 where G is 0."""
    from scipy.optimize import nnls

    out = np.zeros(linear.size)
    index = np.flatnonzero(np.diagonal(gram) > 0.0)
    if index.size == 0:
        return out
    scale = 1.0 / np.sqrt(gram[index, index])
    scaled, target = gram[np.ix_(index, index)] * np.outer(scale, scale), linear[index] * scale
    values, vectors = np.linalg.eigh(scaled)
    kept = values > _RANK * values[-1]
    root = np.sqrt(values[kept])
    found = nnls(root[:, None] * vectors[:, kept].T, vectors[:, kept].T @ target / root)[0]
    above = np.flatnonzero(found > 0.0)
    exact = np.linalg.lstsq(scaled[np.ix_(above, above)], target[above], rcond=_RANK)[0]
    if (exact >= 0.0).all():  # the same point, but for rounding in the root
        found[above] = exact
    out[index] = scale * found
    return out


def _violation(gram: FloatArray, linear: FloatArray, x: FloatArray) -> float:
    """Return the largest violation of the optimality conditions, relative to the linear terms."""
    worst = 0.0
    for g, b, row in zip(gram, linear, x, strict=True):
        index = np.flatnonzero(np.diagonal(g) > 0.0)
        scale = 1.0 / np.sqrt(g[index, index])
        slope = scale * (b - g @ row)[index]
        size = np.abs(scale * b[index]).max(initial=0.0)
        if size > 0.0:
            wrong = np.where(row[index] > 0.0, np.abs(slope), np.maximum(slope, 0.0))
            worst = max(worst, float(wrong.max()) / size)
    return worst
