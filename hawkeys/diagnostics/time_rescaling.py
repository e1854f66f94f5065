"""Time rescaling: under the true process, the events of each mark become unit-rate Poisson."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hawkeys._loops import over_time as loops
from hawkeys._loops.choice import is_small
from hawkeys._typing import FloatArray, IntArray
from hawkeys.baselines.checks import checked_integrals
from hawkeys.events import Events
from hawkeys.events.windows import Past
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels import BlockLayout, Exponential, SumExponential
from hawkeys.process import Hawkes, NonlinearHawkes
from hawkeys.process.base import Process, as_process, check_events, read_for

__all__ = ["RescaledEvents", "check_process", "rescale", "steps"]


@dataclass(frozen=True, eq=False)
class RescaledEvents:
    """Events on the time axis of their compensators, realisation after realisation.

    Attributes
    ----------
    times : ndarray of float64, shape (n_events,)
        Rescaled time of each event, without unit, in the order of the events given. Each mark has
        its own axis, on which a realisation starts where the one before it ended.
    marks : ndarray of int64, shape (n_events,)
        Mark of each event.
    counts : ndarray of int64, shape (n_realizations, n_marks)
        Number of events per window and mark.
    expected : ndarray of float64, shape (n_realizations, n_marks)
        Compensator of each window and mark: its length in rescaled time.
    mark_names : tuple of str, length n_marks
        Label of each mark.
    """

    times: FloatArray
    marks: IntArray
    counts: IntArray
    expected: FloatArray
    mark_names: tuple[str, ...]

    @property
    def totals(self) -> FloatArray:
        """Length of each mark's rescaled time axis, shape (n_marks,)."""
        return self.expected.sum(axis=0)

    @cached_property
    def residuals(self) -> FloatArray:
        """Steps from event to event with the marks' axes laid end to end, shape (n_events,).

        That of a mark's first event so contains what was left of the axis before.
        """
        starts = np.cumsum(self.totals) - self.totals
        order = self._by_mark[0]
        axis = starts[self.marks[order]] + self.times[order]
        out = np.empty_like(self.times)
        out[order] = steps(axis)
        return out

    @cached_property
    def _by_mark(self) -> tuple[IntArray, IntArray]:
        """The events mark by mark, and where those of each mark begin, (n_marks + 1,)."""
        sizes = self.counts.sum(axis=0)
        # small whole numbers are sorted by their digits
        few = self.marks.astype(np.uint16) if sizes.size < 2**16 else self.marks
        return np.argsort(few, kind="stable"), np.concatenate(([0], np.cumsum(sizes)))

    def of_mark(self, index: int) -> FloatArray:
        """Return the rescaled times of one mark, increasing.

        Parameters
        ----------
        index : int
            The mark, 0 to n_marks - 1.

        Returns
        -------
        ndarray of float64, shape (number of its events,)
            On the axis from 0 to ``totals[index]``.
        """
        order, bounds = self._by_mark
        return self.times[order[bounds[index] : bounds[index + 1]]]


def steps(times: FloatArray) -> FloatArray:
    """Return the steps between increasing rescaled times, the first from 0.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        Rescaled times on one axis.

    Returns
    -------
    ndarray of float64, shape (n,)
        Residuals, never below 0.
    """
    return np.maximum(np.diff(times, prepend=0.0), 0.0)  # below 0 by rounding only


def rescale(
    process: Any, events: Any, *, history: Past | None = None, **windows: Any
) -> RescaledEvents:
    r"""Map each event to its mark's compensator at that moment.

    If the events come from `process`, the times

    .. math:: s_{ik} = \sum_{q < r} \Lambda_i^{(q)}(T_q) + \Lambda_i^{(r)}(t_{ik}), \qquad
        \Lambda_i(t) = \int_0^t \lambda_i(u)\, du,

    of mark i (event k in realisation r, window lengths T) form a Poisson process of rate 1, so that
    the residuals, the steps between them, are independent Exp(1); and so do those of the other
    marks, independently.

    Parameters
    ----------
    process : Hawkes, RectifiedHawkes or NonlinearHawkes, or the result of a fit
        The process to test.
    events : Events, frame, mapping or sequence
        Realisations with n_marks marks; all but Events need ``end_time``.
    history : Events or History, optional
        What happened before the windows, or outside (`Events.within`), as for
        `Hawkes.log_likelihood`.
    **windows
        ``end_time``, ``start_time`` and all else that says how data are read, as for `hawkeys.fit`;
        marks are found by name.

    Returns
    -------
    RescaledEvents
        Rescaled times and residuals, one per event.

    Raises
    ------
    InvalidParameterError
        `process` is no such process; ``end_time`` is missing, or given beside Events; a history
        that does not end where the windows start, or of a process other than `Hawkes`.
    InvalidEventsError
        `events` cannot be read, or have another number of marks; nor is the history as it must be.

    Notes
    -----
    A window that ends cuts an interval short. To drop the cut intervals would keep the short ones
    and lose the long ones: in windows of rescaled length a, the intervals kept have mean
    1 - (1 - exp(-a)) / a instead of 1, which is 0.37 at one event per window. Here a cut interval
    goes on in the next window. This is exact, because the rescaled end of a window is a stopping
    time, at which a Poisson process starts afresh; one interval stays incomplete, at the very end,
    and is left out. For the residuals of all marks together the marks' axes are laid end to end
    too; this joint is exact only as the number of events grows.

    Events of one mark at the same time have the residual 0 (but for the first). A process with an
    intensity gives this probability 0.

    Exponential kernels cost O(n_events n_marks), with inhibition too. Others go through
    `Kernel.own_mass`: delayed ones cost O(n_events m), m the number of events within the horizon.

    References
    ----------
    Brown, E. N., Barbieri, R., Ventura, V., Kass, R. E. and Frank, L. M. (2002). The time-rescaling
    theorem and its application to neural spike train data analysis. Neural Computation 14(2),
    325-346. doi:10.1162/08997660252741149

    Meyer, P. A. (1971). Demonstration simplifiee d'un theoreme de Knight. Seminaire de
    probabilites V, 191-195 (several marks). doi:10.1007/BFb0058858

    Examples
    --------
    >>> import hawkeys
    >>> from hawkeys.diagnostics.time_rescaling import rescale
    >>> process = hawkeys.Hawkes([0.5], [[0.0]], decay=1.0)
    >>> events = hawkeys.Events.from_lists([[[1.0, 3.0]], [[2.0]]], end_times=4.0)
    >>> rescale(process, events).residuals  # the last: (4 - 3) / 2 and 2 / 2
    array([0.5, 1. , 1.5])
    """
    model, process = process, check_process(as_process(process))
    events = read_for(model, process, events, windows)
    check_events(events, process.n_marks)
    if history is not None:
        process = check_process(process._after(history, events))
    if isinstance(process, Hawkes):
        own, expected = _linear(process, events)
    else:
        own, expected = _by_path(process, events)
    before = np.cumsum(expected, axis=0) - expected
    return RescaledEvents(
        times=before[events.realization, events.marks] + own,
        marks=events.marks,
        counts=events.counts,
        expected=expected,
        mark_names=process.mark_names,
    )


def check_process(process: Any) -> Hawkes | NonlinearHawkes:
    """Return the process. Refuses, with `InvalidParameterError`, what is none."""
    if not isinstance(process, Hawkes | NonlinearHawkes):
        raise InvalidParameterError(
            "expected a hawkeys.Hawkes, hawkeys.RectifiedHawkes or hawkeys.NonlinearHawkes "
            f"process, got {type(process).__name__}. Of a fit, pass result.process."
        )
    return process


def _by_path(process: Process, events: Events) -> tuple[FloatArray, FloatArray]:
    """Return each event's own compensator since its window's start, and those of the windows."""
    own = np.empty(events.n_events)
    expected = np.empty((events.n_realizations, events.n_marks))
    for r in range(events.n_realizations):
        rows = slice(events.offsets[r], events.offsets[r + 1])
        times, marks = events.times[rows], events.marks[rows]
        path = process.compensator(events, np.append(times, events.end_times[r]), realization=r)
        own[rows] = path[np.arange(marks.size), marks]
        expected[r] = path[-1]
    return own, expected


def _linear(process: Hawkes, events: Events) -> tuple[FloatArray, FloatArray]:
    """Return what `_by_path` does of a process whose influences add up, without its path."""
    base = process.baseline_function
    integrals = (process.kernel.integrals(events) * process.adjacency).sum(axis=2)
    since = checked_integrals(base, events.start_times[events.realization], events.times)
    own = (since * base.known_rates[events.marks]).sum(axis=1) + _excited(process, events)
    expected = base.integral(events.start_times, events.end_times)
    if process.kernel.observed is not None:
        expected *= process.kernel.observed
    return own, expected + integrals


def _excited(process: Hawkes, events: Events) -> FloatArray:
    """Return the excited part of each event's own compensator since its window's start."""
    if isinstance(process.kernel, Exponential):
        return _excited_exponentially(process.adjacency, process.kernel, events)
    if isinstance(process.kernel, SumExponential):
        return sum(
            (
                _excited_exponentially(weight * process.adjacency, part, events)
                for part, weight in process.kernel.parts()
            ),
            np.zeros(events.n_events),
        )
    return process.kernel.own_masses(events, process.adjacency)


def _excited_exponentially(
    adjacency: FloatArray, kernel: Exponential, events: Events
) -> FloatArray:
    """Return what `_excited` does, in linear time: an event's spent mass is 1 - density / decay."""
    if kernel.decay.ndim == 0 and not is_small(events.n_events * events.n_marks):
        path = events.times, events.marks, events.offsets
        return loops.own_mass(*path, float(kernel.decay), adjacency)
    layout = BlockLayout.build(events, separate=False)
    density = kernel.excitation(events, layout)
    first, start = _first_at_once(events), events.offsets[events.realization]
    weight = adjacency / kernel.decay_matrix(events.n_marks)
    out = np.zeros(events.n_events)
    spent = np.zeros(events.n_events + 1)
    for i in range(events.n_marks):
        rows = np.flatnonzero(events.marks == i)
        begin, end = events.n_marks * layout.offsets[i : i + 2]
        left = density[begin:end].reshape(events.n_marks, -1)
        np.cumsum(adjacency[i][events.marks], out=spent[1:])
        out[rows] = spent[first[rows]] - spent[start[rows]] - weight[i] @ left
    return out


def _first_at_once(events: Events) -> IntArray:
    """Return the number of the first event of the same moment and window, shape (n_events,)."""
    starts = events.offsets[:-1][np.diff(events.offsets) > 0]
    new = np.diff(events.times, prepend=np.nan) != 0  # NaN differs: the first is new
    new[starts] = True
    return np.maximum.accumulate(np.where(new, np.arange(events.n_events), 0))
