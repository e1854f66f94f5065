"""Hawkes processes of event times: log-linear with signed kernels, and the classical one."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.optimize import minimize

from hawkeys._typing import FloatArray
from hawkeys._validation import check_positive
from hawkeys.events import Events
from hawkeys.exceptions import EventsWarning
from hawkeys.inference.nonlinear import fit_nonlinear
from hawkeys.process import Hawkes, LogTimeFilters
from hawkeys.verifiers.event_times.model import EventTimeModel

__all__ = ["ExponentialHawkes", "LogLinearHawkes", "slices_as_events"]

# nats of all samples together, of which a decision about one sees nothing
_TOLERANCE = 1e-4


class LogLinearHawkes(EventTimeModel):
    """Log-linear Hawkes process: signed kernels of the last events on a log-time basis.

    It is `hawkeys.NonlinearHawkes` with the exponential link and one mark, whose kernels may say
    "not right after a key, but 150 ms later".

    Parameters
    ----------
    memory : int, default 3
        How many events before have an influence, each by a kernel of its own.
    n_filters : int, default 14
        Filters of each kernel, between 20 ms and 4 s.
    penalty : float, default 1.0
        Roughness penalty; see `hawkeys.fit_nonlinear`.

    Attributes
    ----------
    result_ : NonlinearResult
        The fit.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.verifiers.event_times import LogLinearHawkes
    >>> samples = np.exp(np.random.default_rng(0).normal(-2.0, 0.5, (20, 30)))
    >>> LogLinearHawkes(memory=1).fit(samples).result_.converged
    True
    """

    def __init__(self, memory: int = 3, n_filters: int = 14, penalty: float = 1.0) -> None:
        self.memory = memory
        self.n_filters = n_filters
        self.penalty = penalty

    def _learn(self, intervals: FloatArray) -> None:
        self.result_ = fit_nonlinear(
            slices_as_events(intervals),
            filters=LogTimeFilters.spaced(0.02, 4.0, self.n_filters),
            memory=self.memory,
            penalty=self.penalty,
            n_given=1,
            tolerance=_TOLERANCE,
        )

    def _log_likelihood(self, intervals: FloatArray) -> FloatArray:
        events = slices_as_events(intervals)
        return self.result_.process.realization_log_likelihoods(events, n_given=1)


class ExponentialHawkes(EventTimeModel):
    r"""The classical Hawkes process with one exponential kernel, by maximum likelihood.

    .. math:: \lambda(t) = \mu + W \sum_{t_k < t} \beta e^{-\beta (t - t_k)}

    It is kept as the honest poor one: a positive kernel with its mode at 0 cannot say "not right
    after a key".

    Attributes
    ----------
    process_ : Hawkes
        The fit.

    References
    ----------
    Ogata, Y. (1988). Statistical models for earthquake occurrences and residual analysis for point
    processes. Journal of the American Statistical Association 83(401), 9-27.
    doi:10.1080/01621459.1988.10478560

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.verifiers.event_times import ExponentialHawkes
    >>> samples = np.random.default_rng(0).exponential(0.5, (50, 30))
    >>> ExponentialHawkes().fit(samples).process_.n_marks
    1
    """

    def _learn(self, intervals: FloatArray) -> None:
        rate = 1.0 / intervals.mean()

        def loss(log: FloatArray) -> float:
            return -float(_exponential_terms(intervals, *np.exp(log)).sum()) / intervals.size

        starts = [(0.5 * rate, 0.5, rate * factor) for factor in (0.3, 3.0, 30.0)]
        bounds = [(np.log(rate) - 14.0, np.log(rate) + 7.0), (-14.0, 3.0)]
        bounds.append((np.log(rate) - 7.0, np.log(rate) + 9.0))
        found = [
            minimize(loss, np.log(start), method="L-BFGS-B", bounds=bounds) for start in starts
        ]
        mu, weight, decay = np.exp(min(found, key=lambda one: float(one.fun)).x)
        self.process_ = Hawkes([mu], [[weight]], decay=decay)

    def _log_likelihood(self, intervals: FloatArray) -> FloatArray:
        process = self.process_
        decay = float(process.kernel.to_dict()["decay"])
        return _exponential_terms(intervals, process.baseline[0], process.adjacency[0, 0], decay)


def slices_as_events(intervals: FloatArray) -> Events:
    """Return samples as realisations of one mark, each from its first event to its last.

    Parameters
    ----------
    intervals : ndarray of float64, shape (n_samples, n_intervals)
        Seconds, > 0.

    Returns
    -------
    Events
        n_intervals + 1 events per realisation, the first at 0.

    Raises
    ------
    InvalidParameterError
        An interval is not positive.
    """
    steps = check_positive(intervals, "intervals")
    times = np.concatenate([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1)], axis=1)
    with warnings.catch_warnings():
        # windows that end at an event are what slices are
        warnings.simplefilter("ignore", EventsWarning)
        return Events.from_arrays(
            times.ravel(),
            np.zeros(times.size, dtype=np.int64),
            offsets=np.arange(len(steps) + 1) * times.shape[1],
            start_times=np.zeros(len(steps)),
            end_times=times[:, -1],
        )


def _exponential_terms(intervals: FloatArray, mu: float, weight: float, decay: float) -> FloatArray:
    """Return the log-likelihood of each sample given its first event, (n_samples,)."""
    total, state = np.zeros(len(intervals)), np.ones(len(intervals))
    for step in intervals.T:
        left = state * np.exp(-decay * step)
        total += np.log(mu + weight * decay * left) - mu * step - weight * (state - left)
        state = left + 1.0
    return total
