"""Exact simulation of processes with inhibition."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._loops import rectified as loops
from hawkeys._typing import ArrayLike, FloatArray, IntArray, RandomState
from hawkeys._validation import as_generator, check_count
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError, UnstableProcessError
from hawkeys.process._checks import as_process
from hawkeys.process.rectified import RectifiedHawkes
from hawkeys.simulation._windows import check_windows

__all__ = ["simulate_rectified"]

_BUFFER = 512


def simulate_rectified(
    process: RectifiedHawkes | Any,
    *,
    end_time: ArrayLike,
    start_time: ArrayLike = 0.0,
    n_realizations: int | None = None,
    rng: RandomState = None,
    max_events: int = 10_000_000,
) -> Events:
    r"""Simulate a process with inhibition exactly, by thinning.

    Between events the sum inside the maximum stays between its present value and mu, so that
    :math:`\sum_i \mu_i + \max(0, x_i - \mu_i)` bounds the rate until the next candidate. Nothing
    happens before the window starts.

    Parameters
    ----------
    process : RectifiedHawkes
        The process.
    end_time, start_time : float or array_like, shape (n_realizations,)
        Observation windows, in the unit of time of the process; `start_time` is 0.0 unless given.
    n_realizations : int, optional
        Number of independent realisations. Default: the length of `end_time`, or 1.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness; the same seed gives the same events.
    max_events : int, default 10_000_000
        Most events of one realisation; more are taken for an explosion.

    Returns
    -------
    Events
        The simulated realisations, with the process's mark names.

    Raises
    ------
    UnstableProcessError
        A realisation grows beyond `max_events`; the message gives the spectral radius.
    InvalidParameterError
        `process` is no `RectifiedHawkes`, or a window does not end after it starts.

    References
    ----------
    Ogata, Y. (1981). On Lewis' simulation method for point processes. IEEE Transactions on
    Information Theory 27(1), 23-31. doi:10.1109/TIT.1981.1056305

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.RectifiedHawkes([1.0, 1.0], [[0.2, -0.9], [0.0, 0.3]], decay=2.0)
    >>> hawkeys.simulate_rectified(process, end_time=100.0, rng=0).counts
    array([[ 35, 114]])
    """
    process = as_process(process)
    _check_process(process)
    check_count(max_events, "max_events")
    starts, ends = check_windows(start_time, end_time, n_realizations, None)
    draws = as_generator(rng)
    parts: list[tuple[FloatArray, IntArray]] = []
    n_before = 0
    for width in ends - starts:
        parts.append(_simulate_window(process, width, draws, (n_before, max_events)))
        n_before += parts[-1][0].size
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


def _check_process(process: RectifiedHawkes) -> None:
    if not isinstance(process, RectifiedHawkes):
        raise InvalidParameterError(
            f"expected a hawkeys.RectifiedHawkes process, got {type(process).__name__}. Of a fit, "
            "pass the result; a process without inhibition goes to hawkeys.simulate."
        )


def _simulate_window(
    process: RectifiedHawkes, width: float, rng: np.random.Generator, many: tuple[int, int]
) -> tuple[FloatArray, IntArray]:
    """Simulate one window that starts at 0, buffer after buffer.

    many = (events of windows simulated before, most events of this one).
    """
    n_before, limit = many
    clock, excess = np.array([0.0, width]), np.zeros(process.n_marks)
    parameters = (process.baseline, process.adjacency, process.decay)
    times: list[FloatArray] = []
    marks: list[IntArray] = []
    total = 0
    while clock[0] < clock[1]:
        when, which = np.empty(_BUFFER), np.empty(_BUFFER, dtype=np.int64)
        out = when, which
        n = loops.simulate_events(rng, (clock, excess), parameters, out, n_before + total)
        times.append(when[:n])
        marks.append(which[:n])
        total += n
        if total > limit:
            raise UnstableProcessError(
                f"the simulated process grows beyond {limit:.3g} events; the spectral radius of "
                f"its positive part is {process.spectral_radius:.6g}. Scale the excitation down, "
                "or raise max_events."
            )
    return np.concatenate(times), np.concatenate(marks)
