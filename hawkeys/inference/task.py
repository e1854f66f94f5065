"""`Task`: the data of a fit, what of them counts, and which model is fitted to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from hawkeys._design import Design
from hawkeys._design.ties import Ties
from hawkeys._typing import ArrayLike, BoolArray, FloatArray, IntArray
from hawkeys._validation import (
    as_mapping,
    brief,
    brief_names,
    check_mask,
    check_nonnegative,
    check_shape,
    in_order,
    refuse_labels,
)
from hawkeys.baselines import Baseline, Constant, baseline_from_dict
from hawkeys.baselines.checks import check_pieces
from hawkeys.events import Events
from hawkeys.events.observed import History
from hawkeys.events.windows import (
    Past,
    continued,
    history_before,
    history_from_record,
    history_to_record,
    pick_history,
)
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.smoothed import refuse_smoothing, smoothed
from hawkeys.kernels import Kernel, Productive
from hawkeys.kernels.after_history import AfterHistory
from hawkeys.results.fit_result import FitResult
from hawkeys.results.rectified import RectifiedResult

__all__ = [
    "Task",
    "about_all",
    "admissible",
    "by_labels",
    "check_support",
    "check_weights",
    "leave_out",
    "refuse_given",
    "refuse_models",
    "split_model",
]

AnyResult = TypeVar("AnyResult", FitResult, RectifiedResult)

_OPTIONS = ("baseline", "tied")
_CONSTANT = Constant()
# methods whose row problems may have parameters that are given
_HOLD = ("mle", "map")


@dataclass(frozen=True, eq=False)
class Task:
    """Events with what is fitted to them; None stands for the plain choice.

    Attributes
    ----------
    events : Events
        The data.
    support : ndarray of bool, shape (n_marks, n_marks), or None
        Pairs that may excite; None: all.
    weights : ndarray, shape (n_realizations,), or None
        Weight of each realisation; None: 1.
    baseline : Baseline
        Its rates are unknown, or given and held.
    ties : Ties or None
        Parameters that are one.
    history : Events, History or None
        What happened before each window, or outside the windows, on which the likelihood is
        conditional; None: nothing.
    memo : dict
        What `AfterHistory` keeps from one kernel to the next.
    """

    events: Events
    support: BoolArray | None
    weights: FloatArray | None
    baseline: Baseline
    ties: Ties | None
    history: Past | None = None
    memo: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def check(
        cls,
        events: Events,
        support: ArrayLike | None,
        weights: ArrayLike | None,
        model: Mapping[str, Any],
    ) -> Task:
        """Check what `hawkeys.fit` was given; `model` holds its options baseline and tied."""
        baseline, tied = model.get("baseline"), model.get("tied")
        task = cls(
            events,
            None if support is None else check_support(support, events.n_marks),
            None if weights is None else check_weights(weights, events.n_realizations),
            _CONSTANT if baseline is None else _check_baseline(baseline, events.mark_names),
            None if tied is None else Ties.check(tied, events.n_marks),
        )
        if baseline is not None:
            task.baseline.check_windows(events.start_times, events.end_times)
        return task

    @property
    def is_plain(self) -> bool:
        """Whether there is one constant baseline per mark, nothing given, tied or before."""
        return self._is_constant and self.ties is None and self.history is None

    @property
    def _is_constant(self) -> bool:
        return isinstance(self.baseline, Constant) and self.baseline.rates is None

    def after(self, history: Any) -> Task:
        """Return the task given a history: Events, or a record of them; None is none."""
        if history is None:
            return self
        if isinstance(history, Mapping):  # as a result has it
            return replace(self, history=history_from_record(history, self.events))
        return replace(self, history=history_before(self.events, history))

    @property
    def heard(self) -> Events:
        """All events that may excite: those of a history, too."""
        return self.events if self.history is None else continued(self.history, self.events)[0]

    @property
    def observed(self) -> Task:
        """The task without the realisations of weight 0, which do not count at all."""
        if self.weights is None or (self.weights > 0).all():
            return self
        return self.pick(self.weights > 0)

    def design(self, kernel: Kernel, weight: float = 1.0, *, separate: bool = False) -> Design:
        """Return the row problems under a kernel, of each realisation alone if `separate`."""
        if not separate and self.observed is not self:  # its history must lose the same windows
            return self.observed.design(kernel, weight)
        rates = self.baseline.rates
        positive = self._is_constant or self.baseline.is_positive
        out = self._free_design(kernel, weight, separate=separate)
        if rates is None and self.baseline.smoothing is not None:
            out = smoothed(out, self.baseline, self.ties)
        if rates is not None:
            out = out.hold_baselines(rates)
            positive &= bool((rates > 0.0).all())
        if not positive:
            self._refuse_impossible(out)
        return out

    def _free_design(self, kernel: Kernel, weight: float, *, separate: bool) -> Design:
        history = self.history
        design = Design.build(
            self.events,
            kernel if history is None else AfterHistory(kernel, history, self.memo),
            separate=separate,
            weight=weight,
            realization_weights=self.weights,
            support=self.support,
            baseline=self.baseline,
            ties=self.ties,
        )
        largest = 1.0 if self.weights is None else float(self.weights.max())
        most = float(self.events.n_events + (0 if history is None else history.n_events))
        counts = None
        if isinstance(kernel, Productive):
            counts = self._counts(kernel)
            most = float(counts.sum())
        if not design.may_have_unseen(weight * largest * most):
            return design
        counts = self._counts(kernel) if counts is None else counts
        counts = (
            weight * counts if self.weights is None else weight * self.weights[:, None] * counts
        )
        return design.without_unseen(counts if separate else counts.sum(axis=0, keepdims=True))

    def _refuse_impossible(self, design: Design) -> None:
        """Refuse row problems under which some events cannot be."""
        impossible = design.n_impossible()
        if not impossible.any():
            return
        block = int(np.argmax(impossible > 0))
        target = int(np.argmax(design.columns.blocks == block)) % self.events.n_marks
        remedy = "Mend the baseline, or leave these events out."
        if self.baseline.known:
            remedy = "Give a rate above 0 there, or let hawkeys.fit estimate the baseline."
        raise InvalidParameterError(
            f"{impossible.sum()} events cannot be, those of mark "
            f"{self.events.mark_names[target]!r} among them: the baseline given is 0 at their "
            f"times, and no earlier event can excite them. {remedy}"
        )

    def _counts(self, kernel: Kernel) -> FloatArray:
        """Return what the sources' events count for, (n_realizations, n_marks).

        An event outside windows counts in the first that ends after it.
        """
        parts = [(self.events, self.events.realization)]
        if isinstance(self.history, History):
            parts.append((self.history.outside, _next_window(self.events, self.history)))
        elif self.history is not None:
            parts.append((self.history, self.history.realization))
        out = np.zeros((self.events.n_realizations, self.events.n_marks))
        for one, window in parts:
            amount = np.ones(one.n_events)
            if isinstance(kernel, Productive):
                amount = kernel.productivity.strengths(one)
            counted = window >= 0
            cells = window[counted] * out.shape[1] + one.marks[counted]
            out.ravel()[:] += np.bincount(cells, amount[counted], minlength=out.size)
        return out

    def pick(self, rows: BoolArray | slice) -> Task:
        """Return the task of some of the realisations."""
        weights = None if self.weights is None else self.weights[rows]
        history = self.history
        history = None if history is None else pick_history(history, self.events, rows)
        return replace(self, events=self.events[rows], weights=weights, history=history)

    def as_options(self) -> dict[str, Any]:
        """Return what `hawkeys.fit` must be given to count in the same way."""
        out: dict[str, Any] = {}
        out |= {"support": self.support} if self.support is not None else {}
        out |= {"weights": self.weights} if self.weights is not None else {}
        out |= {} if self._is_constant else {"baseline": self.baseline}
        out |= {} if self.history is None else {"history": history_to_record(self.history)}
        return out | ({} if self.ties is None else {"tied": self.ties.to_dict()})


def _next_window(events: Events, history: History) -> IntArray:
    """Return the first window that ends after each event outside, -1 if there is none."""
    outside, owners = history.outside, history.owners
    out = np.full(outside.n_events, -1, dtype=np.int64)
    bounds = np.searchsorted(owners, np.arange(outside.n_realizations + 1))
    for r, (first, last) in enumerate(pairwise(bounds)):
        rows = slice(outside.offsets[r], outside.offsets[r + 1])
        k = np.searchsorted(events.end_times[first:last], outside.times[rows])
        out[rows] = np.where(k < last - first, first + k, -1)
    return out


def by_labels(
    events: Events, decay: Any = None, support: Any = None, weights: Any = None
) -> tuple[Any, Any, Any]:
    """Return decay, support and weights in the order of the marks and realisations of the events.

    What has no labels is returned as it is. Raises `InvalidParameterError` for labels that are not
    those of the events.
    """
    names = events.mark_names
    given = as_mapping(weights, "weights")
    if isinstance(given, Mapping):
        labels = events._labels
        known = tuple(range(len(events))) if labels is None else labels
        if set(given) != set(known):
            told = "are numbered from 0" if labels is None else f"are {brief_names(known)}"
            raise InvalidParameterError(
                f"weights has the labels {brief_names(given)}, and the realisations {told}. Give "
                "one for each, or pass x.to_numpy() in their order."
            )
        weights = [given[label] for label in known]
    return in_order(decay, names, "decay"), in_order(support, names, "support"), weights


def split_model(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options that say which model is fitted, and the others."""
    model = {key: options[key] for key in _OPTIONS if options.get(key) is not None}
    return model, {key: value for key, value in options.items() if key not in _OPTIONS}


def refuse_models(options: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Refuse the options baseline and tied in the name of `what`; return the others."""
    model, rest = split_model(options)
    if model:
        baseline = model.get("baseline")
        held = isinstance(baseline, Baseline) and baseline.known
        methods = (
            "'mle' or 'map', which hold rates that are given,"
            if held
            else ("'mle', 'map' or 'vi',")
        )
        raise InvalidParameterError(
            f"{what} has one constant baseline per mark and free parameters; got the options "
            f"{', '.join(model)}. Use hawkeys.fit by {methods} with a kernel whose parameters are "
            "given, such as Gamma(shape, rate), or decay='estimate'."
        )
    return rest


def _check_baseline(baseline: Any, names: tuple[str, ...]) -> Baseline:
    if isinstance(baseline, Mapping):  # as a saved result has it
        baseline = baseline_from_dict(dict(baseline))
    if not isinstance(baseline, Baseline):
        raise InvalidParameterError(
            f"baseline must be one of hawkeys.baselines, such as PiecewiseConstant(knots); got "
            f"{brief(baseline)}. Its rates are estimated, or held if they are given: write "
            "baseline=hawkeys.baselines.Constant([0.4, 0.15]) to hold one rate for each mark."
        )
    check_pieces(baseline)
    if baseline.known and len(baseline.known_rates) != len(names):
        raise InvalidParameterError(
            f"a baseline that is given has a row of rates for each of the {len(names)} marks "
            f"{brief(names)}; got {len(baseline.known_rates)} rows."
        )
    return baseline


def refuse_given(task: Task, method: str) -> None:
    """Refuse a baseline that is given, unless the method can hold it.

    Parameters
    ----------
    task : Task
        Data and model.
    method : str
        Who asks: name of a method, or another function.

    Raises
    ------
    InvalidParameterError
        The rates of the baseline are given, and the method estimates all parameters.
    """
    if method != "mle":
        refuse_smoothing(task.baseline, f"{method!r}")
    if method not in _HOLD and task.baseline.known:
        raise InvalidParameterError(
            f"the baseline {brief(task.baseline)} has its rates given, which 'mle' and 'map' (by "
            f"a Gamma prior) hold; {method!r} estimates them. Fit by 'mle', or write "
            "baseline.with_rates(None)."
        )


def check_support(support: ArrayLike | None, n_marks: int) -> BoolArray:
    """Return the admissible pairs (target, source).

    Parameters
    ----------
    support : array_like of bool, shape (n_marks, n_marks), or None
        True where a mark may excite another; None admits all.
    n_marks : int
        Number of marks.

    Returns
    -------
    ndarray of bool, shape (n_marks, n_marks)
        A mask.

    Raises
    ------
    InvalidParameterError
        The mask has another shape or is not boolean.
    """
    shape = (n_marks, n_marks)
    refuse_labels(support, "support")
    if support is None:
        return np.ones(shape, dtype=bool)
    return check_mask(support, "support", shape, "target by source, True where admissible")


def check_weights(weights: ArrayLike | None, n_realizations: int) -> FloatArray:
    """Return the weight of each realisation.

    Parameters
    ----------
    weights : array_like, shape (n_realizations,), or None
        Weights >= 0, not all 0; None gives every realisation the weight 1.
    n_realizations : int
        Number of realisations.

    Returns
    -------
    ndarray of float64, shape (n_realizations,)
        The weights.

    Raises
    ------
    InvalidParameterError
        The weights have another shape, or are negative, not finite or all 0.
    """
    if weights is None:
        return np.ones(n_realizations)
    refuse_labels(weights, "weights")
    array = check_nonnegative(weights, "weights")
    meaning = "one per realisation"
    if n_realizations == 1:
        meaning += "; [t1, t2, ...] is one with a mark per sequence, [[t1], [t2], ...] are several"
    check_shape(array, "weights", (n_realizations,), meaning)
    if not (array > 0).any():
        raise InvalidParameterError("weights are all 0; at least one realisation must count.")
    return array


def leave_out(events: Events, weights: ArrayLike | None) -> tuple[Events, FloatArray | None]:
    """Return the realisations whose weight is above 0, and their weights.

    A weight of 0 means that a realisation is not there: neither its events nor its window count.

    Parameters
    ----------
    events : Events
        The data.
    weights : array_like, shape (n_realizations,), or None
        As for `check_weights`.

    Returns
    -------
    events : Events
        Those that count; all of them without `weights`.
    weights : ndarray of float64, shape (n_realizations that count,), or None
        Their weights; None without `weights`.

    Raises
    ------
    InvalidParameterError
        As for `check_weights`.
    """
    if weights is None:
        return events, None
    array = check_weights(weights, events.n_realizations)
    counts = array > 0
    return (events, array) if counts.all() else (events[counts], array[counts])


def about_all(
    found: AnyResult,
    events: Events,
    weights: ArrayLike | None,
    history: Past | None = None,
) -> AnyResult:
    """Return a fit to the realisations that count with the facts about all of them.

    Parameters
    ----------
    found : FitResult or RectifiedResult
        A fit to the realisations that `leave_out` returned.
    events : Events
        All of them.
    weights : array_like, shape (n_realizations,), or None
        Their weights.
    history : Events, History or None, optional
        What happened before all of them, or outside.

    Returns
    -------
    FitResult or RectifiedResult
        With log-likelihood and counts of all, and all weights among the options.

    Raises
    ------
    InvalidParameterError
        As for `check_weights`.
    """
    given = check_weights(weights, events.n_realizations)
    return replace(
        found,
        log_likelihood=found.process.log_likelihood(events, history=history),
        event_counts=events.counts.sum(axis=0),
        n_realizations=events.n_realizations,
        total_time=float(events.durations.sum()),
        options={
            **found.options,
            "weights": given,
            **({} if history is None else {"history": history_to_record(history)}),
        },
    )


def admissible(support: ArrayLike | None, n_marks: int) -> BoolArray:
    """Return which parameters a support admits.

    Parameters
    ----------
    support : array_like of bool, shape (n_marks, n_marks), or None
        As for `check_support`.
    n_marks : int
        Number of marks.

    Returns
    -------
    ndarray of bool, shape (n_marks, n_marks + 1)
        Baseline first, which is always admitted.

    Raises
    ------
    InvalidParameterError
        The mask has another shape or is not boolean.
    """
    return np.column_stack((np.ones(n_marks, dtype=bool), check_support(support, n_marks)))
