"""`fit`: one process for all realisations."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, NamedTuple, overload

import numpy as np

from hawkeys._design import Design
from hawkeys._loops.choice import has_many_marks
from hawkeys._typing import ArrayLike, BoolArray, Bounds, FloatArray, RandomState
from hawkeys.baselines import LogLinear
from hawkeys.events.container import as_events
from hawkeys.events.counts import EventCounts
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.coarse.fit import fit_coarse
from hawkeys.inference.decay.chosen import with_chosen
from hawkeys.inference.decay.coordinates import Joint
from hawkeys.inference.decay.errors import beside_decays, moves_of
from hawkeys.inference.decay.joint import fit_joint
from hawkeys.inference.decay.options import SEARCHING, DecaySearch, split_search
from hawkeys.inference.decay.searched import joint_of
from hawkeys.inference.examine import examine, log_fit
from hawkeys.inference.identify import warn_about_fit
from hawkeys.inference.kernel.unknown import fit_unknown
from hawkeys.inference.methods import Method, choose_method, name_of_method, row_seeds
from hawkeys.inference.on_disk.pooled import PartitionedFit
from hawkeys.inference.options import MLEOptions
from hawkeys.inference.outcome import partitioned_result, result_of
from hawkeys.inference.rows.least_squares import fit_contrast
from hawkeys.inference.rows.many_marks import ManyMarks, many_marks
from hawkeys.inference.rows.selected import solve_selected
from hawkeys.inference.task import (
    Task,
    about_all,
    by_labels,
    refuse_given,
    refuse_models,
    split_model,
)
from hawkeys.kernels import (
    DelayedKernel,
    Kernel,
    PowerLaw,
    Productive,
    SumExponential,
)
from hawkeys.partitions import PartitionedEvents
from hawkeys.process.hawkes import choose_kernel, with_productivity
from hawkeys.productivity import as_productivity
from hawkeys.results import LikelihoodResult, VariationalResult
from hawkeys.results.contrast import ContrastResult
from hawkeys.results.decay_profile import DecayProfile
from hawkeys.results.fit_result import FitResult

__all__ = ["fit"]


@overload
def fit(
    data: Any,
    *,
    decay: ArrayLike | str | None = ...,
    kernel: Kernel | None = ...,
    end_time: Bounds | None = ...,
    method: Literal["mle", "MLE", "map", "MAP"] = ...,
    rng: RandomState = ...,
    support: ArrayLike | None = ...,
    weights: ArrayLike | None = ...,
    **options: Any,
) -> LikelihoodResult: ...


@overload
def fit(
    data: Any,
    *,
    decay: ArrayLike | str | None = ...,
    kernel: Kernel | None = ...,
    end_time: Bounds | None = ...,
    method: Literal["vi", "VI", "vi_stochastic", "vi_branching"],
    rng: RandomState = ...,
    support: ArrayLike | None = ...,
    weights: ArrayLike | None = ...,
    **options: Any,
) -> VariationalResult: ...


@overload
def fit(
    data: Any,
    *,
    decay: ArrayLike | str | None = ...,
    kernel: Kernel | None = ...,
    end_time: Bounds | None = ...,
    method: Literal["least_squares"],
    rng: RandomState = ...,
    support: ArrayLike | None = ...,
    weights: ArrayLike | None = ...,
    **options: Any,
) -> ContrastResult: ...


@overload
def fit(
    data: Any,
    *,
    decay: ArrayLike | str | None = ...,
    kernel: Kernel | None = ...,
    end_time: Bounds | None = ...,
    method: str,
    rng: RandomState = ...,
    support: ArrayLike | None = ...,
    weights: ArrayLike | None = ...,
    **options: Any,
) -> FitResult: ...


def fit(
    data: Any,
    *,
    decay: ArrayLike | str | None = None,
    kernel: Kernel | None = None,
    end_time: Bounds | None = None,
    method: str = "mle",
    rng: RandomState = 0,
    support: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    **options: Any,
) -> FitResult:
    r"""Fit one multivariate Hawkes process to all realisations together.

    Parameters
    ----------
    data : Events, frame, mapping, sequence, PartitionedEvents or EventCounts
        Anything that `hawkeys.Events.from_data` reads: a frame of pandas, polars or pyarrow, a
        mapping from mark to times, one flat sequence of times, a list of D arrays of times, or a
        list of such lists. All but Events need `end_time`. Or events on disk, of
        `hawkeys.open_events`: by "mle", or "map" under a GammaPrior or Lasso, the kernel given or
        one decay or several estimated, or by "vi"; ``memory`` ("1GB") is then among the options,
        what may be kept between passes. Or counts by bins, of `hawkeys.Events.from_counts`, fitted
        as times with a ``resolution`` are.
    decay : float, array_like of shape (n_marks,) or (n_marks, n_marks), or "estimate", optional
        Decay of the exponential kernel, per unit of time: one for all, one per source mark or one
        per (target, source) pair. A given one is held fixed; "estimate" maximises over it, too
        (see Notes).
    kernel : Kernel, optional
        Excitation kernel. Give either this or `decay`. With its parameters left out, as in
        ``LogNormal()``, they are estimated too (by "mle" and "vi_branching" alone, those of
        ``PowerLaw()`` and ``SumExponential(n_decays=2)`` by "mle"); the weights of
        ``SumExponential(decays)`` by every method.
    end_time : float or array_like, shape (n_realizations,), optional
        End of observation, for lists. It is data, and never guessed from the last event.
    method : {"mle", "map", "least_squares", "vi", "vi_stochastic", "vi_branching"}, default "mle"
        Maximum likelihood; posterior mode under Gamma priors, or maximum with a penalty (ridge, L1,
        elastic net, groups); least squares; variational inference, deterministic, stochastic or
        with the branching hidden.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None, default 0
        Randomness of the variational methods; the same seed gives the same answer.
    support : array_like of bool, shape (n_marks, n_marks), optional
        Which pairs (target, source) may be child and parent; elsewhere the adjacency is 0. Default:
        all.
    weights : array_like, shape (n_realizations,), optional
        Weight >= 0 of the log-likelihood of each realisation. Default: 1. Those of weight 0 are
        left out of the fit as if they were not there. The `log_likelihood` of the result, like its
        counts, is unweighted and of all of them.
    start_time : float or array_like, shape (n_realizations,), optional
        Start of observation, for lists. Default: 0.0. Times since 1970 need it; integers too large
        for doubles (nanoseconds) are subtracted exactly, see `hawkeys.Events`.
    **options
        ``time``, ``mark``, ``realization`` (names of columns of a frame; or labels beside flat
        times), ``unit`` (of dates, durations or numbers: "s", "day", ...), ``sort`` and
        ``mark_names``: how the data are read, see `hawkeys.Events.from_data`.
        ``baseline``: a baseline that changes over time, with its rates left out, such as
        ``hawkeys.baselines.PiecewiseConstant([0, 10, 20])``; or one whose rates are given ("mle",
        and "map" with a Gamma prior), which is held: it is no parameter, and has no standard
        errors. The coefficients of a ``hawkeys.baselines.LogLinear`` that are left out are
        estimated by "mle". ``tied``: labels of parameters,
        integer array_like of shape (n_marks, n_marks + 1), baseline first, or a mapping with
        "baseline" (n_marks,) and "adjacency" (n_marks, n_marks); parameters with the same label
        >= 0 share one value. ``history``: Events before the windows, one realisation that all
        share or one for each, observed up to where its window starts (the first part of
        ``events.split(...)``); they excite, but only the windows count: the likelihood is that
        given the history. Or what ``events.within(...)`` returns beside windows with gaps between
        them. All three need a kernel whose parameters are given, one decay, or a
        power law.
        ``productivity``: how many children an event has by its value (`Events.values`), one of
        `hawkeys.productivity`, or "exponential" or "power"; by "mle" its coefficient is estimated
        if it is left out, jointly with the decay or the power law if these are, too.
        ``resolution``: the tick of the clock that times were recorded with, in their unit, or
        "detect"; ``rounding``: "floor" (default: a time t stands for [t, t + tick)) or "nearest"
        (t - tick / 2 to t + tick / 2). By "mle", with an exponential kernel of one decay (given or
        estimated) or one for each source given; see Notes, and
        `hawkeys.inference.CoarseOptions`.
        Options of the method: see `hawkeys.inference.MLEOptions`, `MAPOptions` (``prior``),
        `LeastSquaresOptions`, `VIOptions`, `StochasticVIOptions`, `BranchingVIOptions`; while a
        delayed kernel is estimated, `EMOptions` ("mle") and `BranchingKernelOptions`
        ("vi_branching"); and `DecaySearch` for ``decay_grid`` (candidate decays), ``decay_sharing``
        ("shared", "source" or "pair", with ``decay="estimate"``), ``decay_selection`` and
        ``n_folds``.

    Returns
    -------
    LikelihoodResult, VariationalResult or ContrastResult
        Frozen: parameters, uncertainty, trace, certificate of convergence.

    Raises
    ------
    InvalidEventsError
        The data break the contract of `Events`.
    InvalidParameterError
        Decay, kernel, method, support, weights or an option is wrong.
    MemoryError
        There are too many marks (thousands) to keep the covariances of the estimates.

    Warns
    -----
    EventsWarning
        The window, the unit of the decay or the clock of the events is probably not what was meant;
        see `hawkeys.inference.examine.examine` for the rules.
    IdentifiabilityWarning
        The data do not determine some parameters (a mark without events, say).
    ConvergenceWarning
        The tolerance was not met.

    Notes
    -----
    For fixed kernels the log-likelihood separates by target mark and is concave in each row of
    parameters. Maximum likelihood and MAP take Newton steps with an active set for the bound 0 and
    stop at a proven distance from the optimum (`optimality_gap`). Cost: O(n_events n_marks) once
    for the excitations, then O(n_events n_marks^2) per step, about five steps.

    Of 64 marks and more, with more than 25 million events times marks, the excitations are not all
    written out: by "mle", and "map" without groups and with Gamma priors of shape 1, of a plain
    model whose exponential kernel is given, each row is solved over a few columns, and one pass
    over the events sums the gradients of all others, until none is above its cost. The gap is that
    of all pairs. Time and memory then follow the pairs above 0, or those of the `support`.

    A decay that is estimated is found by maximising the profile, that is the objective maximised
    over all else: one decay by parabolas (where they fail, Brent's method) from the best of a grid
    over all decays that the data can tell apart, of long data from where a part of them has it;
    several by a quasi-Newton method with the exact gradient from there. The profile
    is not concave; `decay_profile` of the result shows it, with the interval of one decay. Standard
    errors then come from the information of rates and decays together; a decay at a bound, or that
    the data do not determine, is held, and so is one chosen from ``decay_grid``. A warning says so
    where one decay for all gains no more over no excitation than chance would: half the 95 %
    quantile of chi-square with a degree of freedom for each pair (1.92 nats for one, 4.74 for
    four). Of simulated Poisson data 1 to 4 % pass (benchmarks/kernel_null.py).

    With parameters of delayed kernels expectation-maximisation climbs to a maximum, and Newton
    steps over all parameters together end the climb, at O(n_events m) per step, m the number of
    events within the kernel's horizon. The likelihood is not concave in the kernel:
    `optimality_gap`, by gradient and curvature, tells of the maximum nearby (`start` of
    `hawkeys.inference.EMOptions` chooses another). Where each pair has a histogram of its own
    (``groups="edge"``) it is concave in the products of adjacency and masses; they are the columns
    of row problems, and the gap is a bound. Children beyond the end of a window count as unseen, so
    that short windows do not shorten the lags. Standard errors come from the information of all
    parameters together, the kernel's included (but for a histogram, which they hold at its
    estimate); those of the kernel are `kernel_std_err` of the result. "vi_branching" climbs
    likewise, to Gamma posteriors of baseline and adjacency; see
    `hawkeys.inference.BranchingKernelOptions`.

    Where the likelihood rises to the edge of what the data can tell of a kernel, there is no
    estimate: its lags run off beyond the windows (a trend in the baseline), its spread falls to
    `min_spread` (a burst at one lag) or grows beyond that of all lags, fewer than 5 lags show it,
    or the excitation gains no more over none than chance would. A warning and `message` say which
    limit it is, and the kernel parameters and adjacency concerned have no intervals and are flagged
    in `identified`. Excitation that is a trend, or gains no more than chance, is left out; else the
    kernel returned is the best within the bounds.

    What chance gains grows with what is searched for: the hurdle is half the 95 % quantile of
    chi-square with E + 3 degrees of freedom for log-normal and gamma kernels, E the number of pairs
    that share one (4.74 nats for one pair, 7.03 for four), and with 3/4 E + 1/2 k for a histogram
    with k free masses. Of simulated Poisson data 2 to 7 % pass it, and 0 to 6 % with a histogram
    (benchmarks/kernel_null.py); 20 to 90 % of the former gain more than 1.92 nats, the hurdle of
    one kernel that is given.

    Times with a ``resolution``, and counts, are fitted by the likelihood of what is known: that the
    times lie within their ticks or bins. (Times spread evenly within them do as well at ticks of a
    tenth of 1/decay; at 1/decay their decay is a tenth too slow, and the interval of Rubin's rule
    covered it in 84 % of 100 samples: benchmarks/coarse_clocks.py.) The likelihood is
    an integral over all possible times. Its derivatives are the means of those of exact times,
    drawn given the data and the current parameters by Metropolis' rule (as in Monte Carlo EM:
    Shlomovich et al. 2022; not evenly), its information that of exact times less the variance of
    their derivatives (Louis 1982). Newton steps climb with as many draws as make the Monte Carlo
    error small beside the standard errors (``precision``); both are in the covariance. The decay's
    interval is that of its profile likelihood, integrated from the slope. `log_likelihood` is that
    of the counts, or for times the log of the mean density over their ticks, and is known to the
    error that `message` tells, as is all of the result: another `rng` gives slightly other numbers.

    References
    ----------
    Louis, T. A. (1982). Finding the observed information matrix when using the EM algorithm.
    Journal of the Royal Statistical Society B 44(2), 226-233, eq. 3.2.
    doi:10.1111/j.2517-6161.1982.tb01203.x

    Shlomovich, L., Cohen, E. A. K. and Adams, N. (2022). A parameter estimation method for
    multivariate binned Hawkes processes. Statistics and Computing 32, 98.
    doi:10.1007/s11222-022-10121-2

    Ozaki, T. (1979). Maximum likelihood estimation of Hawkes' self-exciting point processes.
    Annals of the Institute of Statistical Mathematics 31, 145-155, eq. 3.
    doi:10.1007/BF02480272

    Examples
    --------
    >>> import hawkeys
    >>> truth = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    >>> sample = hawkeys.simulate(truth, end_time=2_000.0, rng=0)
    >>> result = hawkeys.fit(sample, decay=2.0)
    >>> result.adjacency.round(1)
    array([[0.3, 0.1],
           [0. , 0.5]])
    >>> result.converged
    True
    >>> steps = hawkeys.baselines.PiecewiseConstant([0, 1_000, 2_000])
    >>> changing = hawkeys.fit(sample, decay=2.0, baseline=steps)
    >>> changing.estimates[:, :2].round(1)  # two pieces per mark
    array([[0.4, 0.4],
           [0.2, 0.2]])
    """
    if isinstance(data, PartitionedEvents):
        options |= {"end_time": end_time, "weights": weights, "support": support}
        examine(*(asked := PartitionedFit.check(data, decay, kernel, method, options)).examined)
        warn_about_fit(*(on_disk := asked.run(rng)))
        return on_disk.result
    method = name_of_method(method)
    if isinstance(data, EventCounts) or options.get("resolution") is not None:
        return fit_coarse(data, (decay, kernel), (method, support, weights, end_time), options, rng)
    events = as_events(data, options, end_time=end_time)
    decay, support, weights = by_labels(events, decay, support, weights)
    productivity = options.pop("productivity", None)
    search: DecaySearch | None = None
    if isinstance(decay, str) or not SEARCHING.isdisjoint(options):
        search, options = split_search(decay, kernel, options)
    excitation = search or choose_kernel(decay, kernel)
    model, others = split_model(options)
    task = Task.check(events, support, weights, model).after(others.pop("history", None))
    counting = task.observed
    given = None if isinstance(excitation, DecaySearch) else excitation
    log_fit(f"fit by {method}", events)
    examine(counting.events, given, model.get("baseline"))
    chosen = _with_productivity(counting, excitation, productivity)
    fitted = _fit_chosen(counting, chosen, (method, others), options, rng)
    found = fitted.result
    if counting is not task:
        found = about_all(found, events, weights, task.history)
    warn_about_fit(found, fitted.converged, counting.events, fitted.seen, fitted.told)
    return found if events.unit is None else found.in_unit_of(events)


def _without_history(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a fit that looks at the windows alone; refuse a history."""
    if options.get("history") is not None:
        raise InvalidParameterError(
            "history: a kernel whose parameters are estimated, and least squares, are fitted to "
            "the windows alone. Give the kernel's parameters (a decay may be estimated), and use "
            "'mle', 'map' or 'vi'; or leave history out."
        )
    return {name: value for name, value in options.items() if name != "history"}


class _Fitted(NamedTuple):
    """A result, with what is to be said of it.

    `converged` (n_marks,) tells which targets did; `told` (n_marks, n_marks) holds the pairs that a
    warning has told of; `seen` (n_marks, n_marks) the kernel integrals, if row problems hold them.
    """

    result: FitResult
    converged: BoolArray
    told: BoolArray | bool = False
    seen: FloatArray | None = None


def _fit_chosen(
    task: Task,
    chosen: tuple[Kernel | DecaySearch, Joint | None],
    how: tuple[str, dict[str, Any]],
    options: dict[str, Any],
    rng: RandomState,
) -> _Fitted:
    """Fit in the way that the kernel, and what is estimated of it, asks for.

    `how` are the method and its options; `options` are these with those that the task holds.
    """
    excitation, joint = chosen
    if joint is not None:
        return _Fitted(*fit_joint(task, joint, how))
    if isinstance(excitation, DelayedKernel) and not excitation.known:
        return _fit_kernel(task, excitation, (how[0], _without_history(options)))
    if how[0] == "least_squares":
        return _fit_contrast(task, excitation, _without_history(options))
    return _fit_rows(task, excitation, how, rng)


def _with_productivity(
    task: Task, excitation: Kernel | DecaySearch, productivity: Any
) -> tuple[Kernel | DecaySearch, Joint | None]:
    """Return the kernel with its productivity, and what of both is estimated together, if any."""
    together = isinstance(excitation, Productive | PowerLaw | SumExponential)
    together = together or isinstance(task.baseline, LogLinear)
    if productivity is None and not together:
        return excitation, None
    if isinstance(excitation, Productive):
        if productivity is not None:
            with_productivity(excitation, productivity)  # refuses two
        productivity, excitation = excitation.productivity, excitation.kernel
    heard = task.heard
    if productivity is not None:
        productivity = as_productivity(productivity).filled(heard)
    joint = joint_of(excitation, productivity, task)
    if productivity is None:
        return excitation, joint
    if joint is not None:
        with_productivity(joint.kernel, productivity)  # refuses kernels that take none
    elif not isinstance(excitation, DecaySearch):
        return with_productivity(excitation, productivity), None
    return excitation, joint


def _fit_kernel(task: Task, kernel: DelayedKernel, how: tuple[str, dict[str, Any]]) -> _Fitted:
    """Fit the parameters of a kernel with all others."""
    given = how[0], refuse_models(how[1], "a fit of kernel parameters")
    found: FitResult
    found, told = fit_unknown(
        task.events, kernel, given, support=task.support, weights=task.weights
    )
    return _Fitted(found, np.full(task.events.n_marks, found.converged), told)


def _fit_contrast(task: Task, excitation: Kernel | DecaySearch, options: dict[str, Any]) -> _Fitted:
    """Fit by least squares, for which decays are given."""
    settings = choose_method("least_squares", refuse_models(options, "least squares"))[1]
    kernel = None if isinstance(excitation, DecaySearch) else excitation
    found = fit_contrast(task.events, kernel, settings, support=task.support, weights=task.weights)
    return _Fitted(found, np.full(task.events.n_marks, found.converged))


def _fit_rows(
    task: Task,
    excitation: Kernel | DecaySearch,
    given: tuple[str, dict[str, Any]],
    rng: RandomState,
) -> _Fitted:
    """Fit row problems, of a kernel that is given or exponential with decays searched first."""
    method, settings = how = choose_method(*given)
    refuse_given(task, method.name)
    asked = task.as_options()
    search = excitation if isinstance(excitation, DecaySearch) else None
    if isinstance(excitation, DecaySearch) or task.baseline.smoothing is not None:
        task, kernel, profile = with_chosen(task, excitation, how, rng)
    else:
        kernel, profile = excitation, None
    many_numbers = has_many_marks(task.events.n_events, task.events.n_marks)
    if many_numbers and profile is None and isinstance(settings, MLEOptions):
        many = many_marks(task, kernel, getattr(settings, "prior", None))
        if many is not None:
            return _fit_many_marks(task, kernel, many, how)
    weight = getattr(settings, "likelihood_weight", 1.0)
    design = task.design(kernel, weight)
    try:
        solution = method.solve(design, settings, row_seeds(rng, design.n_blocks), keep=True)
    except MemoryError as error:
        raise MemoryError(_too_large(design)) from error
    found = result_of(task, kernel, design, solution, how)
    found = _with_search(found, asked, search, profile)
    optimised = profile is not None and profile.bounds is not None
    if profile is not None and optimised and isinstance(found, LikelihoodResult):
        x = solution.x
        information = beside_decays(
            x,
            np.asarray(found.information),
            profile,
            lambda decay: moves_of(task, weight, decay, x),
        )
        found = dataclasses.replace(found, information=information)
    exact = design.mapping is None and task.weights is None and weight > 0.0
    seen = design.cost[:, 1:] / weight if exact else None
    return _Fitted(found, design.by_target(solution.converged), seen=seen)


def _fit_many_marks(
    task: Task, kernel: Kernel, problems: ManyMarks, how: tuple[Method, Any]
) -> _Fitted:
    """Fit row problems whose columns are written out as they are found to matter."""
    rows = problems.rows
    solution, values = solve_selected(rows, problems.terms, how[1])
    seen = rows.counts, problems.log_likelihood(task, solution.x, values)
    found = partitioned_result(task.events, task, kernel, rows.outline(), solution, how, seen)
    found = dataclasses.replace(found, options=dict(found.options) | task.as_options())
    integrals = rows.cost[:, 1:] if task.weights is None else None
    return _Fitted(found, solution.converged, seen=integrals)


def _too_large(design: Design) -> str:
    size = design.cost.shape[1]
    return (
        f"the covariances of {design.n_blocks} targets with {size} parameters each take "
        f"{8e-9 * design.n_blocks * size**2:.2g} GB, more than there is. Leave out rare marks, or "
        "use hawkeys.fit_each, which keeps no covariances."
    )


def _with_search(
    found: FitResult,
    asked: dict[str, Any],
    search: DecaySearch | None,
    profile: DecayProfile | None,
) -> FitResult:
    """Return the result with all that says how it was made, for re-fits."""
    options = dict(found.options) | asked
    if search is None or profile is None:
        return dataclasses.replace(found, options=options)
    if not isinstance(found, LikelihoodResult):
        raise InvalidParameterError(
            f"a decay can be estimated or chosen with the methods 'mle' and 'map'; got "
            f"{found.method!r}. Choose the decay by maximum likelihood first and give it."
        )
    identified = found.identified.copy()
    size = found.event_counts.size
    identified[:, -size:] &= ~profile.held(size)
    return dataclasses.replace(
        found,
        options=options | search.as_options(),
        decay_profile=profile,
        n_kernel_parameters=int(np.size(profile.chosen)),
        identified=identified,
    )
