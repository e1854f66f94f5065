"""Exact simulation of processes with a link."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._loops.choice import Compiled
from hawkeys._typing import ArrayLike, FloatArray, IntArray, RandomState
from hawkeys._validation import as_generator, check_count
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError, UnstableProcessError
from hawkeys.process._checks import as_process
from hawkeys.process.nonlinear import NonlinearHawkes
from hawkeys.simulation._windows import check_windows

__all__ = ["simulate_nonlinear"]

jit = Compiled("nonlinear")

_BUFFER = 4096


def simulate_nonlinear(
    process: NonlinearHawkes | Any,
    *,
    end_time: ArrayLike,
    start_time: ArrayLike = 0.0,
    n_realizations: int | None = None,
    rng: RandomState = None,
    max_events: int = 10_000_000,
) -> Events:
    """Simulate a process with a link exactly, by thinning.

    Between the moments when the age of an event passes a knot, what the event adds inside the link
    is monotone, so that the larger of its two ends bounds it until then. Nothing happens before
    the window starts.

    Parameters
    ----------
    process : NonlinearHawkes
        The process.
    end_time, start_time : float or array_like, shape (n_realizations,)
        Observation windows, in the unit of time of the process; `start_time` is 0.0 unless given.
    n_realizations : int, optional
        Number of independent realisations. Default: the length of `end_time`, or 1.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness; the same seed gives the same events.
    max_events : int, default 10_000_000
        Most events of one realisation.

    Returns
    -------
    Events
        The simulated realisations, with the process's mark names.

    Raises
    ------
    UnstableProcessError
        A realisation has more than `max_events`: the process cannot explode, but its rate may be
        as large as its weights say.
    InvalidParameterError
        `process` is no `NonlinearHawkes`, or a window does not end after it starts.

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
    process = as_process(process)
    if not isinstance(process, NonlinearHawkes):
        raise InvalidParameterError(
            f"expected a hawkeys.NonlinearHawkes process, got {type(process).__name__}. Of a fit, "
            "pass the result."
        )
    check_count(max_events, "max_events")
    starts, ends = check_windows(start_time, end_time, n_realizations, None)
    draws = as_generator(rng)
    parts = [_simulate_window(process, width, draws, max_events) for width in ends - starts]
    sizes = [times.size for times, _ in parts]
    times = np.concatenate([part + start for (part, _), start in zip(parts, starts, strict=True)])
    return Events.from_arrays(
        np.minimum(times, np.repeat(ends, sizes)),
        np.concatenate([marks for _, marks in parts]),
        offsets=np.concatenate(([0], np.cumsum(sizes))),
        start_times=starts,
        end_times=ends,
        mark_names=process.mark_names,
    )


def _simulate_window(
    process: NonlinearHawkes, width: float, rng: np.random.Generator, limit: int
) -> tuple[FloatArray, IntArray]:
    """Simulate one window that starts at 0, buffer after buffer."""
    clock, size = np.array([0.0, width]), process.memory
    history = (np.zeros(size), np.zeros(size, np.int64), np.full(size, -1, np.int64))
    times: list[FloatArray] = []
    marks: list[IntArray] = []
    total = 0
    while clock[0] < clock[1]:
        when, which = np.empty(_BUFFER), np.empty(_BUFFER, dtype=np.int64)
        n = jit.simulate_events(rng, clock, process.parameters, history, process.shape, when, which)
        times.append(when[:n])
        marks.append(which[:n])
        total += n
        if total > limit:
            raise UnstableProcessError(
                f"the simulated process grows beyond {limit:.3g} events. Lower its baseline or "
                "weights, or raise max_events."
            )
    return np.concatenate(times), np.concatenate(marks)
