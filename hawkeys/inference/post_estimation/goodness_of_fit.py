"""`goodness_of_fit`: time rescaling with p-values by Monte Carlo that re-fits."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from hawkeys._progress import Verbose, told
from hawkeys._typing import FloatArray, RandomState
from hawkeys._validation import brief, check_count, seeded
from hawkeys._version import __version__
from hawkeys.baselines import Constant
from hawkeys.diagnostics.gof_result import GoodnessOfFit
from hawkeys.diagnostics.residual_tests import TESTS, measure
from hawkeys.diagnostics.time_rescaling import check_process, rescale
from hawkeys.events import Events
from hawkeys.events.windows import Past, history_before, without_values
from hawkeys.exceptions import (
    ConvergenceWarning,
    HawkeysError,
    IdentifiabilityWarning,
    InvalidParameterError,
)
from hawkeys.inference.examine import quietly
from hawkeys.inference.fit_pooled import fit
from hawkeys.inference.nonlinear import fit_nonlinear
from hawkeys.inference.post_estimation.refits import (
    check_same_events,
    fit_again,
    history_of,
    simulate_like,
)
from hawkeys.process import Hawkes, NonlinearHawkes
from hawkeys.process.base import read_for
from hawkeys.results.base import Result

__all__ = ["goodness_of_fit"]

Refit = Callable[[Events], Any]
Fitted: TypeAlias = "Result | Hawkes | NonlinearHawkes"

# nats; far below what matters to a test, far above the tolerance of a fit
_NOT_THE_FIT = 0.01
_OTHERWISE = (
    "Pass the events of the fit, or refit=False if its parameters are to be taken as known."
)
_SMALLER = "Use n_mc_samples=0 for the residuals alone, or fit with a faster decay."


def goodness_of_fit(
    fitted: Fitted,
    events: Any,
    *,
    refit: bool | Refit = True,
    n_mc_samples: int = 999,
    rng: RandomState = 0,
    verbose: Verbose = False,
    history: Past | None = None,
    **windows: Any,
) -> GoodnessOfFit:
    r"""Test a Hawkes process against the events it was fitted to, by time rescaling.

    Residuals are the steps of each mark's compensator from event to event, Exp(1) if the process is
    right (`hawkeys.diagnostics.rescale`). Their law changes when parameters are fitted to the same
    events, so every p-value is :math:`(1 + \#\{T_b \ge T\}) / (1 + B)` with statistics T_b of
    B samples that are simulated from the process on the same windows and fitted again.

    Parameters
    ----------
    fitted : FitResult, RectifiedResult, NonlinearResult or a process
        A result of `hawkeys.fit`, `hawkeys.fit_rectified` or `hawkeys.fit_nonlinear`, or a
        process.
    events : Events, frame, mapping or sequence
        The events of the fit; all but Events need ``end_time``.
    refit : bool or callable, default True
        How the parameters are estimated in each sample. True: as `fitted` was, or if it is a
        process by maximum likelihood with its kernel (a process with inhibition: with its decays;
        which must be how it was found; this is
        checked). False: the parameters are known, or were fitted to other, more numerous events;
        only then are there asymptotic p-values. A callable: ``refit(events)`` returns the process
        or the result, in the very way `fitted` was found.
    n_mc_samples : int, default 999
        Number B of samples; 99 are enough for a test at 5 %. With 0 the p-values are NaN, and
        residuals and statistics remain.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None, default 0
        Source of randomness; the same seed gives the same p-values.
    verbose : bool or callable, default False
        True shows how far it is on stderr; a function is called as ``verbose(what, done, total)``.
    history : Events or History, optional
        What happened before the windows, or outside (`Events.within`), as for
        `Hawkes.log_likelihood`; the samples continue it, too. Default: what `fitted` was given;
        ``refit=False`` must be told. With the first part of ``events.split(...)``, to which
        `fitted` was fitted, and ``refit=False`` the second is tested given the first.
    **windows
        ``end_time``, ``start_time`` and all else that says how data are read, as for `hawkeys.fit`;
        marks are found by name.

    Returns
    -------
    GoodnessOfFit
        Frozen: residuals, statistics and p-values, pooled and per mark; plots.

    Raises
    ------
    InvalidParameterError
        `fitted` is neither, or was not fitted to these events in the way `refit` says; `refit`
        returns something else than a process with the same marks, or more than half of the
        re-fits fail; a history that is missing, does not end where the windows start, or is of a
        process other than `Hawkes`.
    InvalidEventsError
        `events` cannot be read, or have other marks.
    UnstableProcessError
        Simulated samples grow without limit. On short windows a spectral radius of 1 or more is
        no obstacle.

    Warns
    -----
    ConvergenceWarning
        Re-fits of samples failed; they are counted in `GoodnessOfFit.failures` and left out.

    Notes
    -----
    Tests: Kolmogorov-Smirnov (``ks``; its pooled p-value is `GoodnessOfFit.pvalue`) and
    Anderson-Darling of the residuals against Exp(1); correlation of successive residuals
    (``lag_1``, and ``ljung_box`` over lags 1 to 10); ``dispersion``, two-sided, of the counts per
    window (of one window: per stretch of rescaled time); ``residual_process``, the largest
    deviation of the number of rescaled events from rescaled time. They are many: choose one before
    looking, or correct for their number.

    The kernel's parameters are held in the re-fits if they were given to `hawkeys.fit`, as a decay
    is, and estimated again if it estimated them. The windows are held too, so they must not end at
    an event because of it. Simultaneous events of one mark give residuals 0, to which
    Anderson-Darling assigns an infinite statistic. Cost: n_mc_samples simulations and fits.

    References
    ----------
    Brown, E. N., Barbieri, R., Ventura, V., Kass, R. E. and Frank, L. M. (2002). The time-rescaling
    theorem and its application to neural spike train data analysis. Neural Computation 14(2),
    325-346. doi:10.1162/08997660252741149

    Stute, W., Gonzales Manteiga, W. and Presedo Quindimil, M. (1993). Bootstrap based
    goodness-of-fit tests. Metrika 40, 243-256. doi:10.1007/BF02613687

    Examples
    --------
    >>> import hawkeys
    >>> truth = hawkeys.Hawkes(baseline=[0.5], adjacency=[[0.5]], decay=2.0)
    >>> sample = hawkeys.simulate(truth, end_time=200.0, rng=0)
    >>> right = hawkeys.goodness_of_fit(hawkeys.fit(sample, decay=2.0), sample, n_mc_samples=99)
    >>> wrong = hawkeys.goodness_of_fit(hawkeys.fit(sample, decay=0.01), sample, n_mc_samples=99)
    >>> right.pvalue > 0.05 > wrong.pvalue
    True
    """
    count = check_count(n_mc_samples, "n_mc_samples", minimum=0)
    process = check_process(fitted.process if isinstance(fitted, Result) else fitted)
    events = read_for(fitted, process, events, windows)
    past = _history(fitted, events, history, refit)
    rescaled = rescale(process, events, history=past)
    estimate, parameters = _choose_refit(fitted, events, refit, past)
    generator, seed = seeded(rng)
    with told(verbose, "Simulating and fitting again" if estimate else "Simulating", count) as done:
        null, failures = _null_statistics(
            process, (events, past), estimate, generator.spawn(count), done
        )
    _report(failures, count)
    return GoodnessOfFit(
        process=process,
        parameters=parameters,
        rescaled=rescaled,
        observed=measure(rescaled),
        null=null,
        seed=seed,
        version=__version__,
        failures=failures,
    )


def _history(
    fitted: Fitted, events: Events, history: Past | None, refit: bool | Refit
) -> Past | None:
    """Return what happened before each window: as given, else as the fit was given it."""
    if history is not None:
        return history_before(events, history)
    if not isinstance(fitted, Result) or "history" not in fitted.options:
        return None
    if refit is False:
        raise InvalidParameterError(
            "the fit was given a history, and with refit=False the events may be others: say what "
            "happened before them, history=, or pass the process of the fit if nothing did."
        )
    return history_of(fitted, events)


def _report(failures: tuple[str, ...], count: int) -> None:
    """Warn of re-fits that failed; refuse a test of which too little is left."""
    if not failures:
        return
    told = f"{len(failures)} of {count} re-fits failed; the first reason: {failures[0]}"
    if 2 * len(failures) > count:
        raise InvalidParameterError(
            f"{told} Too few are left for p-values: use n_mc_samples=0 for the residuals alone, or "
            "a model with fewer parameters."
        )
    warnings.warn(f"{told} They are left out.", ConvergenceWarning, stacklevel=3)


def _quiet(refit: Refit) -> Refit:
    """Return the function such that its fits give no warnings about the samples."""

    def again(sample: Events) -> Any:
        with quietly():
            return refit(sample)

    return again


def _choose_refit(
    fitted: Fitted, events: Events, refit: bool | Refit, history: Past | None
) -> tuple[Refit | None, str]:
    """Return how to estimate the parameters of a sample, and that in words."""
    if callable(refit):
        return _quiet(refit), "re-fitted by the function given"
    if not isinstance(refit, bool):
        raise InvalidParameterError(
            f"refit must be True, False or a function of Events; got {brief(refit)}."
        )
    if not refit:
        return None, "known"
    if isinstance(fitted, Result):
        check_same_events(fitted, events, _OTHERWISE, history)
        return fit_again(fitted), f"re-fitted by {fitted.method}"
    again = _maximum_likelihood(fitted, history)
    _check_maximum(fitted, events, again, history)
    return again, "re-fitted by mle"


def _maximum_likelihood(process: Hawkes | NonlinearHawkes, history: Past | None) -> Refit:
    """Return the fit of baseline and adjacency, the kernel (with inhibition: the decays) held.

    A history continues a `Hawkes` process alone.
    """
    if isinstance(process, NonlinearHawkes):
        return partial(
            fit_nonlinear,
            filters=process.filters,
            memory=process.memory,
            by_order=process.n_orders > 1,
            link=process.link,
            baseline=process.pieces,
            penalty=0.0,
        )
    function = process.baseline_function
    unknown = None if isinstance(function, Constant) else function.with_rates(None)

    def again(sample: Events) -> Any:
        past = without_values(history, sample)
        return fit(sample, kernel=process.kernel, baseline=unknown, history=past)

    return again


def _check_maximum(
    process: Hawkes | NonlinearHawkes, events: Events, again: Refit, history: Past | None
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        best = again(events).log_likelihood
    gain = best - process.log_likelihood(events, history=history)
    if not gain < _NOT_THE_FIT:
        raise InvalidParameterError(
            f"the process is not the maximum-likelihood fit to these events, which is {gain:.4g} "
            "nats better. Pass the result of hawkeys.fit instead of its process, or "
            "refit=False if the parameters are known, or a function as refit if they were "
            "estimated in another way."
        )


def _null_statistics(
    process: Hawkes | NonlinearHawkes,
    observed: tuple[Events, Past | None],
    estimate: Refit | None,
    generators: list[np.random.Generator],
    done: Callable[[int], None],
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the statistics of samples simulated on the same windows and fitted again.

    And why re-fits failed; their statistics are NaN.
    """
    failures = []
    events, history = observed
    out = np.full((len(generators), process.n_marks + 1, len(TESTS)), np.nan)
    with warnings.catch_warnings():
        # a sample may lack a mark; what it does not determine is 0 and has no residual
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        for b, generator in enumerate(generators):
            done(b)
            sample = simulate_like(process, events, generator, _SMALLER, history)
            try:
                own = process if estimate is None else estimate(sample)
            except HawkeysError as error:
                failures.append(str(error))
                continue
            past = without_values(history, sample)
            out[b] = measure(rescale(_estimated(own), sample, history=past))
    return out, tuple(failures)


def _estimated(value: Any) -> Hawkes | NonlinearHawkes:
    process = value.process if isinstance(value, Result) else value
    if not isinstance(process, Hawkes | NonlinearHawkes):
        raise InvalidParameterError(
            "refit must return a Hawkes process or a result of hawkeys.fit; it returned "
            f"{brief(value)}."
        )
    return process
