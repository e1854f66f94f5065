"""`fit_nonlinear`: signed delayed influence through a link, concave likelihood, Newton's method."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from hawkeys._typing import Bounds, FloatArray
from hawkeys._validation import (
    as_float_array,
    brief,
    check_count,
    check_nonnegative,
    check_positive_number,
    check_shape,
)
from hawkeys._version import __version__
from hawkeys.baselines import Baseline
from hawkeys.events import Events
from hawkeys.events.container import as_events
from hawkeys.exceptions import (
    ConvergenceWarning,
    IdentifiabilityWarning,
    InvalidEventsError,
    InvalidParameterError,
)
from hawkeys.inference.examine import log_fit
from hawkeys.inference.nonlinear.climb import (
    LIMIT,
    Box,
    Climb,
    Pull,
    climb,
    optimality_gap,
    undetermined,
)
from hawkeys.inference.nonlinear.pulls import check_penalty, pull_of
from hawkeys.inference.nonlinear.terms import TargetTerms, terms_of_targets
from hawkeys.inference.rectified.fit import fit_rectified
from hawkeys.inference.task import by_labels
from hawkeys.process.filters import LogTimeFilters
from hawkeys.process.lag_filters import LagFilters
from hawkeys.process.nonlinear import NonlinearHawkes, check_model
from hawkeys.process.predictor import N_NODES, Predictor
from hawkeys.results.nonlinear import NonlinearResult
from hawkeys.results.rectified import RectifiedResult

__all__ = ["fit_nonlinear"]

# in nats per event: above it the quadrature takes twice the nodes
_QUADRATURE = 1e-9
# and above it, with those too, the likelihood is not what it is said to be
_COARSE = 1e-6
# realisations from which one in so many is fitted first, to so many nats, if these have so many
# events of the mark, and their share of them, or half of it
_MANY, _STRIDE, _ROUGH, _FEWEST = 256, 8, 1.0, 100


def fit_nonlinear(
    data: Any,
    *,
    filters: LogTimeFilters | LagFilters,
    end_time: Bounds | None = None,
    start_time: Bounds | None = None,
    memory: int | None = None,
    link: str = "exponential",
    baseline: Baseline | None = None,
    **options: Any,
) -> NonlinearResult | RectifiedResult:
    r"""Fit a process with signed delayed influence to all realisations together.

    Maximises the log-likelihood of `hawkeys.NonlinearHawkes` less a penalty, by default for
    `LogTimeFilters` on roughness,

    .. math:: \sum_i \Big[ \sum_k \log \lambda_i(t_{ik}) - \int \lambda_i(t)\, dt
        - \frac{\kappa}{2} \sum_{o j b} (w_{oijb} - w_{oij,b+1})^2 \Big],

    where w at the last knot is 0. It is concave for every link.

    Parameters
    ----------
    data : Events, frame, mapping, or sequence
        Anything that `hawkeys.Events.from_data` reads: a frame of pandas, polars or pyarrow, a
        mapping from mark to times, one flat sequence of times, a list of D arrays of times, or a
        list of such lists. All but Events need `end_time`.
    filters : LogTimeFilters or LagFilters
        Functions of the time since an event, whose weights are estimated.
    end_time : float or array_like, shape (n_realizations,), optional
        End of observation, for lists. It is data, and never guessed from the last event.
    start_time : float or array_like, shape (n_realizations,), optional
        Start of observation, for lists. Default: 0.0.
    memory : int, optional
        How many events before the present have an influence, with `LogTimeFilters`. Default: 3.
    link : {"exponential", "softplus", "rectified"}, default "exponential"
        The link function. The rectified one takes `LagFilters` of one decay, and is fitted by
        `hawkeys.fit_rectified`.
    baseline : PiecewiseConstant or Periodic, optional
        When the baseline changes; what it is then is estimated. Default: it is constant.
    **options
        by_order (bool, default True with `LogTimeFilters`): whether the last event, the one before
        it and so on have kernels of their own, or all the same. penalty (float >= 0,
        `hawkeys.inference.Ridge`, `Lasso` or `ElasticNet`; default 1.0 with `LogTimeFilters`, 0
        with `LagFilters`): a number is kappa, the penalty on the roughness of tents and steps
        (exponentials have none); 0 is maximum likelihood; the others are on the size of weights,
        strengths by target and source. weights (array_like, shape (n_realizations,), default 1):
        weight >= 0 of the log-likelihood of each realisation; that of the result is unweighted.
        n_given (int, default 0): how many first events of each realisation are given, so that they
        act on what follows but do not count, nor does the time up to the last of them. tolerance
        (float, default 1e-8): stop when the next step promises less, in nats per target mark.
        max_iter (int, default 100): most steps. time, mark, realization, unit, sort and
        mark_names: how data other than Events are read; see `hawkeys.Events.from_data`.

    Returns
    -------
    NonlinearResult, or RectifiedResult with the rectified link
        Frozen: the process, standard errors, why it stopped, how far from the optimum.

    Raises
    ------
    InvalidEventsError
        The data break the contract of `Events`, or a mark has no event that counts.
    InvalidParameterError
        An option is unknown or not valid, or options do not go together.

    Warns
    -----
    IdentifiabilityWarning
        The data do not determine some weights, as no event follows another one after such a time;
        without penalty alone.
    ConvergenceWarning
        The tolerance was not met, or the quadrature is not precise enough.

    Notes
    -----
    Target marks separate. `optimality_gap` of the result is a proof, not a promise: as the
    objective is concave, no parameters within 30 of 0 (of the start, for baselines; for the
    softplus link within 30 times the mean rate, if that is above 1) gain more than that, by its
    tangent plane. Gradient and second derivatives are exact up to the quadrature, whose error at
    the estimate `quadrature_error` states: with exponentials among the filters the integral is
    computed again with twice the nodes, and if it differs by more than 1e-9 nats per event the fit
    is made again with those. Standard errors invert the second derivatives, penalty included: they
    describe the spread given the penalty, not its bias, and there are none for weights that an L1
    penalty sets to 0. Cost: one pass over the events per step and target, about ten steps.

    References
    ----------
    Paninski, L. (2004). Maximum likelihood estimation of cascade point-process neural encoding
    models. Network: Computation in Neural Systems 15(4), 243-262.
    doi:10.1088/0954-898X_15_4_002

    Friedman, J., Hastie, T. and Tibshirani, R. (2010). Regularization paths for generalized linear
    models via coordinate descent. Journal of Statistical Software 33(1). doi:10.18637/jss.v033.i01

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
    recalled = check_model(filters, memory, link, baseline)
    options["weights"] = by_labels(events, weights=options.get("weights"))[2]
    given = _check_options(options, events.n_realizations, filters)
    if link == "rectified":
        return _rectified(events, filters, given)
    if isinstance(filters, LagFilters):
        filters.check_marks(events.n_marks)
    if baseline is not None:
        baseline.check_windows(events.start_times, events.end_times)
    n_orders = (recalled or 1) if given["by_order"] else 1
    model = Predictor(filters, recalled, n_orders, baseline)
    starts = [_start(events, i, link, given["n_given"]) for i in range(events.n_marks)]
    climbs, boxes = _climb_all(events, model, link, given, starts)
    process = _process_of(climbs, events, model, link)
    error = process.quadrature_error(events)
    if error > _QUADRATURE * events.n_events:
        climbs, boxes = _climb_all(events, model, link, given, starts, 2 * N_NODES)
        process = _process_of(climbs, events, model, link)
    _warn(climbs, boxes, events, given["max_iter"])
    _warn_of_quadrature(error, events)
    return _result(process, climbs, boxes, events, {**given, "error": error})


def _climb_all(
    events: Events,
    model: Predictor,
    link: str,
    given: dict[str, Any],
    starts: list[float],
    n_nodes: int = N_NODES,
) -> tuple[list[Climb], list[tuple[Pull, Box]]]:
    """Fit each target mark; return where it ended, and what it was pulled by and held within."""
    weights = given["weights"]
    every = np.ones(events.n_realizations) if weights is None else weights
    climbs, bounds = [], []
    targets = terms_of_targets(events, model, link, every, given["n_given"], n_nodes)
    parts = _parts_of_targets(events, model, link, given, n_nodes)
    for target, (terms, part, first) in enumerate(zip(targets, parts, starts, strict=True)):
        pull = pull_of(given["penalty"], model, target, events.n_marks)
        start = np.zeros(model.size(events.n_marks))
        start[: model.n_pieces] = first
        limit = LIMIT if link == "exponential" else LIMIT * max(1.0, first)
        box = Box.around(start, model.n_pieces, limit)
        if part is not None:  # its top is near that of all
            start = climb(part.weighted, start, pull, box, (_ROUGH, given["max_iter"])).theta
        climbs.append(_climb_one(terms, start, pull, box, given))
        bounds.append((pull, box))
    return climbs, bounds


def _parts_of_targets(
    events: Events, model: Predictor, link: str, given: dict[str, Any], n_nodes: int
) -> Iterator[TargetTerms | None]:
    """Yield the terms of a part of many realisations for each target mark; None if it has few."""
    if events.n_realizations < _MANY or given["weights"] is not None:
        yield from itertools.repeat(None, events.n_marks)
        return
    part = events[::_STRIDE]
    whole, own = (one.counts.sum(axis=0) for one in (events, part))
    every = np.ones(part.n_realizations)
    targets = terms_of_targets(part, model, link, every, given["n_given"], n_nodes)
    for terms, enough in zip(targets, (own >= _FEWEST) & (2 * _STRIDE * own >= whole), strict=True):
        yield terms if enough else None


def _climb_one(
    terms: TargetTerms, start: FloatArray, pull: Pull, box: Box, given: dict[str, Any]
) -> Climb:
    return climb(terms.weighted, start, pull, box, (given["tolerance"], given["max_iter"]))


def _rectified(
    events: Events, filters: LogTimeFilters | LagFilters, given: dict[str, Any]
) -> RectifiedResult:
    """Return the fit with the rectified link, in the parameters of `RectifiedHawkes`."""
    if isinstance(filters, LogTimeFilters) or filters.n_steps or filters.n_decays != 1:
        raise InvalidParameterError(
            f"the rectified link takes LagFilters of one decay, without edges; got {filters!r}. "
            "Use the softplus link for others."
        )
    if given["penalty"] != 0.0 or given["n_given"]:
        raise InvalidParameterError(
            "the rectified link takes neither penalty nor n_given. Use the softplus link."
        )
    decay = filters.decays[..., 0]
    how = {key: given[key] for key in ("weights", "tolerance", "max_iter")}
    return fit_rectified(events, decay=decay, **how)


_DEFAULTS: dict[str, Any] = {
    "penalty": None,
    "weights": None,
    "n_given": 0,
    "tolerance": 1e-8,
    "max_iter": 100,
    "by_order": None,
}


def _check_options(
    options: dict[str, Any], n_realizations: int, filters: LogTimeFilters | LagFilters
) -> dict[str, Any]:
    unknown = sorted(set(options) - set(_DEFAULTS))
    if unknown:
        raise InvalidParameterError(
            f"fit_nonlinear has no option {unknown[0]!r}; the options are {', '.join(_DEFAULTS)}."
        )
    given = {**_DEFAULTS, **options}
    tents = isinstance(filters, LogTimeFilters)
    given["penalty"] = check_penalty(given["penalty"], 1.0 if tents else 0.0)
    check_count(given["n_given"], "n_given", minimum=0)
    check_positive_number(given["tolerance"], "tolerance")
    check_count(given["max_iter"], "max_iter")
    by_order = given["by_order"]
    if by_order not in ((None, True, False) if tents else (None, False)):
        raise InvalidParameterError(
            f"by_order must be True or False with LogTimeFilters, and is False with LagFilters, "
            f"whose kernels are the same for all events; got {brief(by_order)}."
        )
    given["by_order"] = tents if by_order is None else bool(by_order)
    if given["weights"] is not None:
        weights = check_nonnegative(given["weights"], "weights")
        given["weights"] = check_shape(weights, "weights", (n_realizations,), "one per realisation")
    return given


def _start(events: Events, target: int, link: str, n_given: int) -> float:
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
    return math.log(rate) if link == "exponential" else rate + math.log(-math.expm1(-rate))


def _process_of(
    climbs: list[Climb], events: Events, model: Predictor, link: str
) -> NonlinearHawkes:
    theta = np.array([one.theta for one in climbs])
    inside, weights = np.split(theta, [model.n_pieces], axis=1)
    layers = weights.reshape(events.n_marks, model.n_orders, events.n_marks, -1)
    return NonlinearHawkes(
        inside[:, 0] if model.pieces is None else inside,
        layers.transpose(1, 0, 2, 3),
        model.filters,
        memory=model.memory,
        link=link,
        pieces=model.pieces,
        mark_names=events.mark_names,
    )


def _warn(climbs: list[Climb], bounds: list[tuple[Pull, Box]], events: Events, most: int) -> None:
    for name, one, (_, box) in zip(events.mark_names, climbs, bounds, strict=True):
        n_open = int(undetermined(one, box).sum())
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


def _warn_of_quadrature(error: float, events: Events) -> None:
    if error > _COARSE * events.n_events:
        warnings.warn(
            f"the integral of the intensity is not precise: with twice the nodes it differs by "
            f"{error:.2g} nats, as weights of exponentials are so large. Use steps (edges) for "
            "what happens soon after an event, or a penalty.",
            ConvergenceWarning,
            stacklevel=3,
        )


def _result(
    process: NonlinearHawkes,
    climbs: list[Climb],
    bounds: list[tuple[Pull, Box]],
    events: Events,
    given: dict[str, Any],
) -> NonlinearResult:
    error = given.pop("error")
    values = process.realization_log_likelihoods(events, n_given=given["n_given"])
    weights = given["weights"]
    options = {**given, "weights": None if weights is None else as_float_array(weights, "weights")}
    done = all(one.n_iterations < given["max_iter"] for one in climbs)
    pairs = list(zip(climbs, bounds, strict=True))
    return NonlinearResult(
        process=process,
        log_likelihood=float(values.sum()),
        objective=float(sum(one.value for one in climbs)),
        to_gain=max(one.to_gain for one in climbs),
        optimality_gap=sum(optimality_gap(one, *both) for one, both in pairs),
        quadrature_error=error,
        converged=done,
        message="the next step gains less than the tolerance" if done else "max_iter was reached",
        n_iterations=max(one.n_iterations for one in climbs),
        traces=tuple(np.array(one.trace) for one in climbs),
        at_bound=np.array([undetermined(one, box) for one, (_, box) in pairs]),
        information=np.array([one.curvature for one in climbs]),
        event_counts=events.counts.sum(axis=0),
        n_realizations=events.n_realizations,
        total_time=float((events.end_times - events.start_times).sum()),
        options=options,
        version=__version__,
        unit=events.unit,
    )
