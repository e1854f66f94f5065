"""Penalised fits along a range of strengths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, BoolArray, Bounds, FloatArray
from hawkeys._validation import (
    brief,
    check_count,
    check_fraction,
    check_positive,
    check_positive_number,
)
from hawkeys.events.container import as_events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.decay.folds import fold_names, make_folds
from hawkeys.inference.examine import examine, log_fit
from hawkeys.inference.methods import make_options
from hawkeys.inference.options import MLEOptions
from hawkeys.inference.priors.path_result import PenaltyPath
from hawkeys.inference.priors.penalties import Lasso, Penalty
from hawkeys.inference.priors.penalty_terms import PenaltyTerms
from hawkeys.inference.priors.selected_path import PathValues, emptying_strength, selected_path
from hawkeys.inference.rows.many_marks import many_marks
from hawkeys.inference.rows.penalized import PenalizedRows
from hawkeys.inference.rows.solution import Solution
from hawkeys.inference.task import Task, by_labels, check_support, refuse_given, split_model
from hawkeys.kernels import Kernel
from hawkeys.process.hawkes import choose_kernel

__all__ = ["PathOptions", "penalty_path"]

_BEYOND = 1.0 + 1e-6
_EXACT = 1e-10


@dataclass(frozen=True, eq=False)
class PathOptions:
    """Options of `penalty_path`.

    Parameters
    ----------
    n_strengths : int, default 50
        Number of strengths, evenly spaced in their logarithm.
    smallest : float, default 1e-3
        Ratio of the smallest strength to the largest.
    strengths : array_like, shape (n_strengths,), optional
        Strengths to use in place of these.
    n_folds : int, default 5
        Folds of cross-validation, over realisations or blocks of time; 0 leaves it out.
    tolerance : float, default 1e-7
        Proven distance from the optimum, in nats per target mark.
    max_iter : int, default 200
        Most Newton steps at each strength.

    Raises
    ------
    InvalidParameterError
        A value out of range.
    """

    n_strengths: int = 50
    smallest: float = 1e-3
    strengths: ArrayLike | None = None
    n_folds: int = 5
    tolerance: float = 1e-7
    max_iter: int = 200

    def __post_init__(self) -> None:
        check_count(self.n_strengths, "n_strengths", minimum=2)
        check_fraction(self.smallest, "smallest")
        check_count(self.n_folds, "n_folds", minimum=0)
        if self.n_folds == 1:
            raise InvalidParameterError(
                "n_folds must be 0 (no cross-validation) or at least 2; got 1."
            )
        check_positive_number(self.tolerance, "tolerance")
        check_count(self.max_iter, "max_iter")
        if self.strengths is not None:
            given = check_positive(self.strengths, "strengths")
            if given.ndim != 1 or given.size == 0:
                raise InvalidParameterError(
                    f"strengths must be a list of positive numbers; got shape {given.shape}."
                )


def penalty_path(
    data: Any,
    *,
    decay: ArrayLike | None = None,
    kernel: Kernel | None = None,
    end_time: Bounds | None = None,
    start_time: Bounds | None = None,
    penalty: Penalty | None = None,
    support: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    **options: Any,
) -> PenaltyPath:
    r"""Fit with a penalty of decreasing strength, from the smallest that empties the adjacency.

    At strength s the fit maximises :math:`\log L(\mu, W) - s\, \Omega(W)`, with the penalty
    :math:`\Omega` given (its strengths multiply s; a strength on the baseline stays as it is).

    Parameters
    ----------
    data : Events, frame, mapping, or sequence
        Anything that `hawkeys.Events.from_data` reads: a frame of pandas, polars or pyarrow, a
        mapping from mark to times, one flat sequence of times, a list of D arrays of times, or a
        list of such lists. All but Events need `end_time`.
    decay : float or array_like, shape (), (n_marks,) or (n_marks, n_marks), optional
        Decay of the exponential kernel, per unit of time.
    kernel : Kernel, optional
        Excitation kernel, its parameters given. Give either this or `decay`.
    end_time : float or array_like, shape (n_realizations,), optional
        End of observation, for lists.
    start_time : float or array_like, shape (n_realizations,), optional
        Start of observation, for lists. Default: 0.0. Times since 1970 need it; integers too large
        for doubles (nanoseconds) are subtracted exactly, see `hawkeys.Events`.
    penalty : Lasso, ElasticNet or GroupLasso, optional
        Penalty at strength 1. Default: ``Lasso(1.0)``.
    support : array_like of bool, shape (n_marks, n_marks), optional
        Which pairs (target, source) may be child and parent. Default: all.
    weights : array_like, shape (n_realizations,), optional
        Weight >= 0 of the log-likelihood of each realisation. Default: 1.
    **options
        ``time``, ``mark``, ``realization`` (names of columns of a frame; or labels beside flat
        times), ``unit`` (of dates, durations or numbers: "s", "day", ...), ``sort`` and
        ``mark_names``: how the data are read, see `hawkeys.Events.from_data`. See
        `hawkeys.inference.PathOptions`; and ``baseline`` and ``tied`` as for `hawkeys.fit`.

    Returns
    -------
    PenaltyPath
        Coefficients, log-likelihoods, information criteria and held-out log-likelihoods; its
        `choose` returns the fit at the strength chosen.

    Raises
    ------
    InvalidEventsError
        The data break the contract of `Events`.
    InvalidParameterError
        An argument is wrong, or the penalty has no strength that gives exact zeros (as ridge).

    Warns
    -----
    EventsWarning
        As `hawkeys.fit`.

    Notes
    -----
    Each fit starts at the one before. Held-out log-likelihoods are those of realisations dealt out
    in turn, or of blocks of time given the history before them; strengths are multiplied by the
    share of the time that is trained on, as the log-likelihood shrinks by about that share. If
    nothing is gained by any excitation, the largest strength is 1. Of many marks (see
    `hawkeys.fit`) few excitations are written out, and each fit is certified over all pairs.

    References
    ----------
    Friedman, J., Hastie, T. and Tibshirani, R. (2010). Regularization paths for generalized linear
    models via coordinate descent. Journal of Statistical Software 33(1), section 2.5.
    doi:10.18637/jss.v033.i01

    Examples
    --------
    >>> import hawkeys
    >>> truth = hawkeys.Hawkes([0.4, 0.4], [[0.4, 0.0], [0.0, 0.5]], decay=2.0)
    >>> sample = hawkeys.simulate(truth, end_time=500.0, rng=0)
    >>> path = hawkeys.inference.penalty_path(sample, decay=2.0, n_strengths=20)
    >>> int(path.n_nonzero[0])
    0
    >>> path.choose("ebic").adjacency > 0
    array([[ True, False],
           [False,  True]])
    """
    events = as_events(data, options, end_time=end_time, start_time=start_time)
    log_fit("penalty_path", events)
    decay, support, weights = by_labels(events, decay, support, weights)
    model, rest = split_model(options)
    settings = make_options(PathOptions, rest, "penalty_path")
    task = Task.check(events, support, weights, model)
    excitation = _check_kernel(decay, kernel, events.n_marks)
    examine(events, excitation, task.baseline)
    own = _check_penalty(Lasso(1.0) if penalty is None else penalty)
    refuse_given(task, "penalty_path")
    many = many_marks(task, excitation, own)
    if many is not None:
        strengths = _strengths(settings, lambda: emptying_strength(many, settings.max_iter))
        limits = MLEOptions(settings.tolerance, settings.max_iter)
        found = selected_path(task, many, strengths, limits, settings.n_folds)
    else:
        strengths, found = _whole_path(task, excitation, own, settings)
    return PenaltyPath(
        penalty=own,
        strengths=strengths,
        **found._asdict(),
        n_admissible=int(check_support(support, task.events.n_marks).sum()),
        fold_kind=fold_names(task.events),
        events=task.events,
        kernel=excitation,
        options=task.as_options()
        | {"tolerance": settings.tolerance, "max_iter": settings.max_iter},
    )


def _whole_path(
    task: Task, kernel: Kernel, penalty: Penalty, settings: PathOptions
) -> tuple[FloatArray, PathValues]:
    """Return strengths, and what the path holds at each, from row problems written out."""
    rows = PenalizedRows.of(task.design(kernel))
    terms = penalty.terms(rows.design)
    strengths = _strengths(settings, lambda: _emptying_strength(rows, terms, settings))
    solutions = _solve(rows, terms, strengths, settings)
    values = [solution.x for solution in solutions]
    found = PathValues(
        coefficients=np.array([rows.design.columns.parameters(x) for x in values]),
        log_likelihood=np.array([rows.design.log_likelihood(x).sum() for x in values]),
        refit_log_likelihood=_refit(rows, values, settings),
        cv_log_likelihood=_cross_validate(task, kernel, penalty, strengths, settings),
        optimality_gap=np.array([solution.gap.sum() for solution in solutions]),
        converged=np.array([solution.converged.all() for solution in solutions]),
    )
    return strengths, found


def _check_kernel(decay: ArrayLike | None, kernel: Kernel | None, n_marks: int) -> Kernel:
    excitation = choose_kernel(decay, kernel)
    for component in excitation.components:
        component.check_marks(n_marks)
    return excitation


def _check_penalty(penalty: Any) -> Penalty:
    if not isinstance(penalty, Penalty):
        raise InvalidParameterError(
            f"penalty must be a Lasso, ElasticNet or GroupLasso of hawkeys.inference; got "
            f"{brief(penalty)}."
        )
    if penalty.l1_share == 0.0 or not np.any(np.asarray(penalty.strength) > 0.0):
        raise InvalidParameterError(
            f"no strength of {brief(penalty)} empties the adjacency, so that the path has no "
            "start. Use "
            "Lasso, ElasticNet with l1_ratio > 0 or GroupLasso, with a strength above 0."
        )
    return penalty


def _strengths(settings: PathOptions, emptying: Callable[[], float]) -> FloatArray:
    """Return the strengths of a path, largest first; `emptying` finds the first if need be."""
    if settings.strengths is not None:
        return np.unique(check_positive(settings.strengths, "strengths"))[::-1]
    return emptying() * np.geomspace(1.0, settings.smallest, settings.n_strengths)


def _emptying_strength(rows: PenalizedRows, terms: PenaltyTerms, settings: PathOptions) -> float:
    """Return the smallest strength at which all penalised adjacency entries are 0."""
    single, inside = _penalised(rows, terms)
    empty = rows.solve(terms, _EXACT, settings.max_iter, held=single | inside)
    pull = np.maximum(rows.slopes(empty.x), 0.0)
    found = [0.0, *(pull[single] / terms.slope[single])]
    if inside.any():
        squares = np.bincount(terms.group[inside], weights=pull[inside] ** 2)
        bound = terms.strength[: squares.size]
        found.extend(np.sqrt(squares[bound > 0.0]) / bound[bound > 0.0])
    return max(found) * _BEYOND if max(found) > 0.0 else 1.0


def _penalised(rows: PenalizedRows, terms: PenaltyTerms) -> tuple[BoolArray, BoolArray]:
    """Tell which entries of the adjacency have a penalty that can empty them: alone, in groups."""
    inside = terms.group >= 0
    single = (terms.slope > 0.0) & ~inside
    single[:, : rows.design.n_baselines] = False
    return single, inside


def _solve(
    rows: PenalizedRows, terms: PenaltyTerms, strengths: FloatArray, settings: PathOptions
) -> list[Solution]:
    """Solve at each strength, starting at the solution before, and first of all from none."""
    out: list[Solution] = []
    single, inside = _penalised(rows, terms)
    n_first = rows.design.n_baselines
    factor = np.ones(terms.slope.shape)
    for strength in strengths:
        factor[:, n_first:] = strength
        own = PenaltyTerms(
            factor * terms.slope, factor * terms.ridge, terms.group, strength * terms.strength
        )
        if not out:
            # at the strength that empties a row of one event, a mixture may be as good as none
            none = rows.solve(own, settings.tolerance, settings.max_iter, held=single | inside)
        start = out[-1].x if out else none.x
        out.append(rows.solve(own, settings.tolerance, settings.max_iter, start=start))
    return out


def _refit(rows: PenalizedRows, values: list[FloatArray], settings: PathOptions) -> FloatArray:
    """Return the log-likelihood maximised over each support, each support once."""
    shape = values[0].shape
    none = PenaltyTerms(np.zeros(shape), np.zeros(shape), np.full(shape, -1), np.empty(0))
    known: dict[bytes, float] = {}
    out = []
    for x in values:
        held: BoolArray = x <= 0.0
        key = held.tobytes()
        if key not in known:
            best = rows.solve(none, settings.tolerance, settings.max_iter, start=x, held=held)
            known[key] = float(best.objective.sum())
        out.append(known[key])
    return np.array(out)


def _cross_validate(
    task: Task,
    kernel: Kernel,
    penalty: Penalty,
    strengths: FloatArray,
    settings: PathOptions,
) -> FloatArray | None:
    """Return the log-likelihood of each fold under the fits of the others, if asked for."""
    if settings.n_folds == 0:
        return None
    out = []
    for fold in make_folds(task, kernel, settings.n_folds):
        rows = PenalizedRows.of(fold.train)
        terms = penalty.terms(fold.train)
        first = slice(None), slice(0, fold.train.n_baselines)
        terms.slope[first] *= fold.share
        terms.ridge[first] *= fold.share
        solutions = _solve(rows, terms, fold.share * strengths, settings)
        out.append([fold.test.log_likelihood(solution.x).sum() for solution in solutions])
    return np.array(out).T
