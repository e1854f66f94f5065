"""Exact simulation of processes with inhibition: the rectified link of `simulate_nonlinear`."""

from __future__ import annotations

from typing import Any

from hawkeys._typing import ArrayLike, RandomState
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.process.base import as_process
from hawkeys.process.rectified import RectifiedHawkes
from hawkeys.simulation.nonlinear import simulate_nonlinear

__all__ = ["simulate_rectified"]


def simulate_rectified(
    process: RectifiedHawkes | Any,
    *,
    end_time: ArrayLike,
    start_time: ArrayLike | None = None,
    n_realizations: int | None = None,
    history: Any = None,
    rng: RandomState = None,
    max_events: int = 10_000_000,
) -> Events:
    r"""Simulate a process with inhibition exactly, by thinning.

    Between events the sum inside the maximum stays between its present value and mu, so that
    :math:`\sum_i \mu_i + \max(0, x_i - \mu_i)` bounds the rate until the next candidate. It is
    `hawkeys.simulate_nonlinear` of the rectified link.

    Parameters
    ----------
    process : RectifiedHawkes
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
        The simulated realisations, with the process's mark names.

    Raises
    ------
    UnstableProcessError
        A realisation grows beyond `max_events`; the message gives the spectral radius.
    InvalidParameterError
        `process` is no `RectifiedHawkes`, a window does not end after it starts, or a history does
        not end where it starts.
    InvalidEventsError
        A history with other marks.

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
    if not isinstance(process, RectifiedHawkes):
        raise InvalidParameterError(
            f"expected a hawkeys.RectifiedHawkes process, got {type(process).__name__}. Of a fit, "
            "pass the result; a process without inhibition goes to hawkeys.simulate."
        )
    return simulate_nonlinear(
        process,
        end_time=end_time,
        start_time=start_time,
        n_realizations=n_realizations,
        history=history,
        rng=rng,
        max_events=max_events,
    )
