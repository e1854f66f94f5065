"""`fit_nonlinear`: signed delayed influence through a link, concave likelihood, Newton's method."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from hawkeys._typing import Bounds, FloatArray
from hawkeys._validation import (
    as_float_array,
    check_choice,
    check_count,
    check_nonnegative,
    check_nonnegative_number,
    check_positive_number,
    check_shape,
)
from hawkeys._version import __version__
from hawkeys.events import Events
from hawkeys.events.lists import as_events
from hawkeys.exceptions import (
    ConvergenceWarning,
    IdentifiabilityWarning,
    InvalidEventsError,
    InvalidParameterError,
)
from hawkeys.inference.examine import log_fit
from hawkeys.inference.nonlinear.climb import Climb, climb, roughness, undetermined
from hawkeys.process.filters import LogTimeFilters
from hawkeys.process.nonlinear import LINKS, NonlinearHawkes, filter_shape, nonlinear_terms
from hawkeys.results.nonlinear import NonlinearResult

__all__ = ["fit_nonlinear"]


def fit_nonlinear(
    data: Any,
    *,
    filters: LogTimeFilters,
    end_time: Bounds | None = None,
    start_time: Bounds | None = None,
    memory: int = 3,
    by_order: bool = True,
    link: str = "exponential",
    **options: Any,
) -> NonlinearResult:
    r"""Fit a process with signed delayed influence to all realisations together.

    Maximises the log-likelihood of `hawkeys.NonlinearHawkes` less a roughness penalty,

    .. math:: \sum_i \Big[ \sum_k \log \lambda_i(t_{ik}) - \int \lambda_i(t)\, dt
        - \frac{\kappa}{2} \sum_{o j b} (w_{oijb} - w_{oij,b+1})^2 \Big],

    where w at the last knot is 0. It is concave for both links.

    Parameters
    ----------
    data : Events, frame, mapping, or sequence
        Anything that `hawkeys.Events.from_data` reads: a frame of pandas, polars or pyarrow, a
        mapping from mark to times, one flat sequence of times, a list of D arrays of times, or a
        list of such lists. All but Events need `end_time`.
    filters : LogTimeFilters
        Functions of the time since an event, whose weights are estimated.
    end_time : float or array_like, shape (n_realizations,), optional
        End of observation, for lists. It is data, and never guessed from the last event.
    start_time : float or array_like, shape (n_realizations,), optional
        Start of observation, for lists. Default: 0.0.
    memory : int, default 3
        How many events before the present have an influence.
    by_order : bool, default True
        Whether the last event, the one before it and so on have kernels of their own, or all the
        same.
    link : {"exponential", "softplus"}, default "exponential"
        The link function.
    **options
        penalty (float >= 0, default 1.0): kappa; 0 is maximum likelihood. weights (array_like,
        shape (n_realizations,), default 1): weight >= 0 of the log-likelihood of each realisation;
        that of the result is unweighted. n_given (int, default 0): how many first events of each
        realisation are given, so that they act on what follows but do not count, nor does the time
        up to the last of them. tolerance (float, default 1e-8): stop when the next step promises
        less, in nats per target mark. max_iter (int, default 100): most steps. time, mark,
        realization, unit, sort and mark_names: how data other than Events are read; see
        `hawkeys.Events.from_data`.

    Returns
    -------
    NonlinearResult
        Frozen: the process, standard errors, why it stopped.

    Raises
    ------
    InvalidEventsError
        The data break the contract of `Events`, or a mark has no event that counts.
    InvalidParameterError
        An option is unknown or not valid.

    Warns
    -----
    IdentifiabilityWarning
        The data do not determine some weights, as no event follows another one after such a time;
        without penalty alone.
    ConvergenceWarning
        The tolerance was not met.

    Notes
    -----
    Target marks separate. Gradient and second derivatives are exact up to the quadrature of
    `LogTimeFilters.rule`. Standard errors invert the second derivatives, penalty included: they
    describe the spread given the penalty, not its bias. Cost: one pass over the events per step
    and target, about ten steps.

    References
    ----------
    Paninski, L. (2004). Maximum likelihood estimation of cascade point-process neural encoding
    models. Network: Computation in Neural Systems 15(4), 243-262.
    doi:10.1088/0954-898X_15_4_002

    Examples
    --------
    >>> import hawkeys
    >>> from hawkeys.process import LogTimeFilters
    >>> filters = LogTimeFilters([0.1, 0.2, 0.4])
    >>> truth = hawkeys.NonlinearHawkes([0.0], [[[[-2.0, 1.0]]]], filters, memory=1)
    >>> sample = hawkeys.simulate_nonlinear(truth, end_time=2000.0, rng=0)
    >>> fitted = hawkeys.fit_nonlinear(sample, filters=filters, memory=1, penalty=0.0)
    >>> bool((abs(fitted.process.weights - truth.weights) < 4 * fitted.std_err[:, 1:]).all())
    True
    """
    events = as_events(data, options, end_time=end_time, start_time=start_time)
    log_fit("fit_nonlinear", events)
    given = _check_options(options, events.n_realizations)
    check_count(memory, "memory")
    check_choice(link, "link", LINKS)
    if not isinstance(filters, LogTimeFilters):
        raise InvalidParameterError(
            f"filters must be hawkeys.process.LogTimeFilters; got {type(filters).__name__}."
        )
    n_orders = memory if by_order else 1
    shape = filter_shape(filters, memory, n_orders, link)
    penalty = roughness(n_orders * events.n_marks, filters.n_filters, given["penalty"])
    climbs = [_fit_target(events, i, shape, penalty, given) for i in range(events.n_marks)]
    process = _process_of(climbs, events, filters, memory, link)
    _warn(climbs, events, given["max_iter"])
    return _result(process, climbs, events, {**given, "by_order": bool(by_order)})


_DEFAULTS: dict[str, Any] = {
    "penalty": 1.0,
    "weights": None,
    "n_given": 0,
    "tolerance": 1e-8,
    "max_iter": 100,
}


def _check_options(options: dict[str, Any], n_realizations: int) -> dict[str, Any]:
    unknown = sorted(set(options) - set(_DEFAULTS))
    if unknown:
        raise InvalidParameterError(
            f"fit_nonlinear has no option {unknown[0]!r}; the options are {', '.join(_DEFAULTS)}."
        )
    given = {**_DEFAULTS, **options}
    check_nonnegative_number(given["penalty"], "penalty")
    check_count(given["n_given"], "n_given", minimum=0)
    check_positive_number(given["tolerance"], "tolerance")
    check_count(given["max_iter"], "max_iter")
    if given["weights"] is not None:
        weights = check_nonnegative(given["weights"], "weights")
        given["weights"] = check_shape(weights, "weights", (n_realizations,), "one per realisation")
    return given


def _fit_target(
    events: Events, target: int, shape: Any, penalty: FloatArray, given: dict[str, Any]
) -> Climb:
    weights = given["weights"]
    every = np.ones(events.n_realizations) if weights is None else weights

    def terms(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        values, gradient, curvature = nonlinear_terms(
            events, target, theta, shape, every, given["n_given"], derivatives=True
        )
        return float(every @ values), gradient, curvature

    start = np.zeros(penalty.shape[0])
    start[0] = _start(events, target, shape[5], given["n_given"])
    return climb(terms, start, penalty, given["tolerance"], given["max_iter"])


def _start(events: Events, target: int, link: int, n_given: int) -> float:
    """Return the baseline whose constant rate is that of the target's events that count."""
    total = float((events.end_times - events.start_times).sum())
    place = np.arange(events.n_events) - events.offsets[events.realization]
    count = int(((events.marks == target) & (place >= n_given)).sum())
    if count == 0:
        raise InvalidEventsError(
            f"mark {events.mark_names[target]!r} has no event that counts, so that its rate has no "
            "logarithm. Leave the mark out, observe it longer, or give fewer events (n_given)."
        )
    rate = count / total
    return math.log(rate) if link == 0 else rate + math.log(-math.expm1(-rate))


def _process_of(
    climbs: list[Climb], events: Events, filters: LogTimeFilters, memory: int, link: str
) -> NonlinearHawkes:
    theta = np.array([one.theta for one in climbs])
    layers = theta[:, 1:].reshape(events.n_marks, -1, events.n_marks, filters.n_filters)
    return NonlinearHawkes(
        theta[:, 0],
        layers.transpose(1, 0, 2, 3),
        filters,
        memory=memory,
        link=link,
        mark_names=events.mark_names,
    )


def _warn(climbs: list[Climb], events: Events, most: int) -> None:
    for name, one in zip(events.mark_names, climbs, strict=True):
        n_open = int(undetermined(one).sum())
        if n_open:
            warnings.warn(
                f"mark {name!r}: the data do not determine {n_open} weights, which may be minus "
                "infinity: no event follows another one after such a time. Use a penalty above 0, "
                "or fewer filters.",
                IdentifiabilityWarning,
                stacklevel=3,
            )
        if one.n_iterations >= most:
            warnings.warn(
                f"mark {name!r}: no convergence in max_iter={most} steps; the next promises "
                f"{one.to_gain:.2g} nats. Raise max_iter, or use a penalty above 0.",
                ConvergenceWarning,
                stacklevel=3,
            )


def _result(
    process: NonlinearHawkes, climbs: list[Climb], events: Events, given: dict[str, Any]
) -> NonlinearResult:
    values = process.realization_log_likelihoods(events, n_given=given["n_given"])
    weights = given["weights"]
    options = {**given, "weights": None if weights is None else as_float_array(weights, "weights")}
    done = all(one.n_iterations < given["max_iter"] for one in climbs)
    return NonlinearResult(
        process=process,
        log_likelihood=float(values.sum()),
        objective=float(sum(one.value for one in climbs)),
        to_gain=max(one.to_gain for one in climbs),
        converged=done,
        message="the next step gains less than the tolerance" if done else "max_iter was reached",
        n_iterations=max(one.n_iterations for one in climbs),
        traces=tuple(np.array(one.trace) for one in climbs),
        at_bound=np.array([undetermined(one) for one in climbs]),
        information=np.array([one.curvature for one in climbs]),
        event_counts=events.counts.sum(axis=0),
        n_realizations=events.n_realizations,
        total_time=float((events.end_times - events.start_times).sum()),
        options=options,
        version=__version__,
        unit=events.unit,
    )
