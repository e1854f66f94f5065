"""Exact simulation of processes with a link, by thinning."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from hawkeys._loops import rectified as rectified_loops
from hawkeys._loops.choice import Compiled
from hawkeys._typing import ArrayLike, FloatArray, IntArray, RandomState
from hawkeys._validation import as_generator, check_count
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError, UnstableProcessError
from hawkeys.process.base import as_process
from hawkeys.process.lag_filters import LagFilters
from hawkeys.process.nonlinear import LINKS, NonlinearHawkes
from hawkeys.process.predictor import changes
from hawkeys.process.rectified import RectifiedHawkes
from hawkeys.simulation._windows import as_history, check_windows, on_clock_of

__all__ = ["simulate_nonlinear"]

jit = Compiled("nonlinear")
jit_lags = Compiled("lag_filters")

_BUFFER = 4096
# of rectified processes, whose small samples are simulated without a compiler
_RECTIFIED_BUFFER = 512

# the sum inside an exponential link beyond which the intensity is no number
_MOST_INSIDE = 700.0
_BEYOND = (
    "the intensity of the simulated process grows beyond all numbers. Lower its baseline or "
    "weights, or take the softplus link."
)

# fills buffers up to the end of the clock, with so many events in this call before
Fill = Callable[[FloatArray, FloatArray, IntArray, int], int]
Path = tuple[FloatArray, IntArray]


def simulate_nonlinear(
    process: NonlinearHawkes | Any,
    *,
    end_time: ArrayLike,
    start_time: ArrayLike | None = None,
    n_realizations: int | None = None,
    history: Any = None,
    rng: RandomState = None,
    max_events: int = 10_000_000,
) -> Events:
    r"""Simulate a process with a link exactly, by thinning.

    Between the moments when the age of an event passes a knot or an edge, what each event adds
    inside the link is monotone, so that the larger of its two ends bounds it until then. With the
    rectified link :math:`\sum_i \mu_i + \max(0, x_i - \mu_i)` is the bound until the next
    candidate.

    Parameters
    ----------
    process : NonlinearHawkes
        The process.
    end_time, start_time : float or array_like, shape (n_realizations,)
        Observation windows, in the unit of time of the process; `start_time` is the end of the
        history, or 0.0 without one.
    n_realizations : int, optional
        Number of independent realisations. Default: the length of `end_time`, or 1.
    history : Events, frame, mapping or sequence, optional
        What happened up to the start: one realisation that all share, or one for each. Default:
        nothing happened.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness; the same seed gives the same events.
    max_events : int, default 10_000_000
        Most events of one realisation; more are taken for an explosion.

    Returns
    -------
    Events
        The events after the start, with the process's mark names.

    Raises
    ------
    UnstableProcessError
        A realisation has more than `max_events`: with `LagFilters` a process may explode, with
        others its rate may be as large as its weights say.
    InvalidParameterError
        `process` is no `NonlinearHawkes`, a window does not end after it starts or is outside the
        pieces of the baseline, or a history does not end where it starts.
    InvalidEventsError
        A history with other marks.

    References
    ----------
    Ogata, Y. (1981). On Lewis' simulation method for point processes. IEEE Transactions on
    Information Theory 27(1), 23-31. doi:10.1109/TIT.1981.1056305

    Examples
    --------
    >>> import hawkeys
    >>> from hawkeys.process import LogTimeFilters
    >>> filters = LogTimeFilters([0.1, 0.2, 0.4])
    >>> process = hawkeys.NonlinearHawkes([0.0], [[[[-3.0, 1.0]]]], filters, memory=1)
    >>> events = hawkeys.simulate_nonlinear(process, end_time=1000.0, rng=0)
    >>> bool(800 < events.n_events < 1200)
    True
    """
    model, process = process, as_process(process)
    if not isinstance(process, NonlinearHawkes):
        raise InvalidParameterError(
            f"expected a hawkeys.NonlinearHawkes process, got {type(process).__name__}. Of a fit, "
            "pass the result."
        )
    check_count(max_events, "max_events")
    history = as_history(model, process, history, start_time, {})
    starts, ends = check_windows(start_time, end_time, n_realizations, history)
    if process.pieces is not None:
        process.pieces.check_windows(starts, ends)
    draws = as_generator(rng)
    parts: list[Path] = []
    n_before = 0
    for r, window in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        past = _past(history, r, window[0])
        parts.append(_simulate_window(process, window, past, draws, (n_before, max_events)))
        n_before += parts[-1][0].size
    sizes = [times.size for times, _ in parts]
    times = np.concatenate([part + start for (part, _), start in zip(parts, starts, strict=True)])
    found = Events.from_arrays(
        np.minimum(times, np.repeat(ends, sizes)),
        np.concatenate([marks for _, marks in parts]),
        offsets=np.concatenate(([0], np.cumsum(sizes))),
        start_times=starts,
        end_times=ends,
        mark_names=process.mark_names,
    )
    return on_clock_of(history, found)


def _past(history: Events | None, realization: int, start: float) -> Path:
    """Return what happened before a window, counted from its start: times at most 0."""
    if history is None:
        return np.empty(0), np.empty(0, dtype=np.int64)
    r = realization if history.n_realizations > 1 else 0
    here = slice(history.offsets[r], history.offsets[r + 1])
    return history.times[here] - start, history.marks[here]


def _simulate_window(
    process: NonlinearHawkes,
    window: tuple[float, float],
    past: Path,
    rng: np.random.Generator,
    many: tuple[int, int],
) -> Path:
    """Simulate one window, counted from its start, buffer after buffer.

    many = (events of windows simulated before, most events of this one).
    """
    times: list[FloatArray] = []
    marks: list[IntArray] = []
    total, (n_before, limit) = 0, many
    fill, size = _filler(process, past, rng)
    for begin, end, inside in _stretches(process, *window):
        clock = np.array([begin, end])
        while clock[0] < clock[1]:
            when, which = np.empty(size), np.empty(size, dtype=np.int64)
            n = fill(inside, clock, (when, which), n_before + total)
            times.append(when[:n])
            marks.append(which[:n])
            total += n
            if total > limit:
                raise UnstableProcessError(_too_many(process, limit))
    return np.concatenate(times), np.concatenate(marks)


def _stretches(
    process: NonlinearHawkes, start: float, end: float
) -> list[tuple[float, float, FloatArray]]:
    """Return the stretches of a window with a constant baseline: ends from its start, and it."""
    if process.pieces is None:
        return [(0.0, end - start, process.inside[:, 0])]
    cuts = np.concatenate(([start], changes(process.pieces, start, end), [end]))
    middle = cuts[:-1] + 0.5 * np.diff(cuts)
    inside = process.pieces.basis(middle) @ process.inside.T
    return [(a - start, b - start, one) for (a, b), one in zip(pairwise(cuts), inside, strict=True)]


def _too_many(process: NonlinearHawkes, limit: int) -> str:
    told = f"the simulated process grows beyond {limit:.3g} events"
    if isinstance(process, RectifiedHawkes):
        return (
            f"{told}; the spectral radius of its positive part is {process.spectral_radius:.6g}. "
            "Scale the excitation down, or raise max_events."
        )
    return f"{told}. Lower its baseline or weights, or raise max_events."


def _filler(process: NonlinearHawkes, past: Path, rng: np.random.Generator) -> tuple[Any, int]:
    """Return what fills buffers with events after the past, and the size of the buffers."""
    if process.link == "rectified":
        return _rectified(process, past, rng), _RECTIFIED_BUFFER
    if isinstance(process.filters, LagFilters):
        return _of_lags(process, past, rng), _BUFFER
    return _of_last(process, past, rng), _BUFFER


def _rectified(process: NonlinearHawkes, past: Path, rng: np.random.Generator) -> Any:
    rows = process.rectified_rows
    adjacency, decay = rows[:, 1:-1], rows[:, -1]
    fades = np.exp(decay[:, None] * past[0])
    excess = decay * (fades * adjacency[:, past[1]]).sum(axis=1)

    def fill(inside: FloatArray, clock: FloatArray, path: Path, n_before: int) -> int:
        parameters = inside, adjacency, decay
        return rectified_loops.simulate_events(rng, (clock, excess), parameters, path, n_before)

    return fill


def _of_last(process: NonlinearHawkes, past: Path, rng: np.random.Generator) -> Any:
    memory, knots = process.memory or 0, process.shape[0]
    last = np.arange(past[0].size)[::-1][:memory]
    ages, sources = np.zeros(memory), np.zeros(memory, np.int64)
    passed = np.full(memory, -1, np.int64)
    ages[: last.size], sources[: last.size] = -past[0][last], past[1][last]
    passed[: last.size] = np.searchsorted(knots, ages[: last.size], side="right")
    history = ages, sources, passed
    theta = process.parameters[:, process.predictor.n_pieces - 1 :].copy()
    most = process.inside.max() + memory * max(process.weights.max(), 0.0)
    if process.link == "exponential" and most > _MOST_INSIDE:
        raise UnstableProcessError(_BEYOND)

    def fill(inside: FloatArray, clock: FloatArray, path: Path, n_before: int) -> int:
        theta[:, 0] = inside
        shape = process.shape
        return int(jit.simulate_events(rng, clock, theta, history, shape, *path))

    return fill


def _of_lags(process: NonlinearHawkes, past: Path, rng: np.random.Generator) -> Any:
    filters: Any = process.filters
    size, n_steps = process.n_marks, filters.n_steps
    each = [filters.decays_of(i) for i in range(size)]
    decays = np.array(each).reshape(size, -1)
    sums = np.zeros((size, size, decays.shape[1]))
    np.add.at(sums.transpose(1, 0, 2), past[1], np.exp(past[0][:, None, None] * decays))
    state = np.zeros(filters.edges.size, np.int64), np.zeros((size, n_steps)), sums
    edges = np.array(filters.edges)
    theta = process.parameters[:, process.predictor.n_pieces - 1 :].copy()
    given = edges, decays, LINKS.index(process.link)
    # events whose lag may still pass an edge, those of the past first
    known = _reaching(*past, edges)

    def fill(inside: FloatArray, clock: FloatArray, path: Path, n_before: int) -> int:
        """Raises `UnstableProcessError` if the intensity is beyond all numbers."""
        nonlocal known
        theta[:, 0] = inside
        n = known[0].size
        times = np.concatenate((known[0], path[0]))
        marks = np.concatenate((known[1], path[1]))
        end = jit_lags.simulate_events(rng, clock, theta, state, given, (times, marks), n)
        if end < 0:
            raise UnstableProcessError(_BEYOND)
        path[0][: end - n], path[1][: end - n] = times[n:end], marks[n:end]
        gone = int(state[0].min()) if edges.size else int(end)
        state[0][:] -= gone
        known = times[gone:end], marks[gone:end]
        return int(end - n)

    return fill


def _reaching(times: FloatArray, marks: IntArray, edges: FloatArray) -> Path:
    """Return the events of the past whose lag at 0 is not beyond the last edge."""
    late = times + edges[-1] > 0.0 if edges.size else np.zeros(times.size, dtype=bool)
    return times[late], marks[late]
