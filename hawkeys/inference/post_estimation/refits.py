"""Repeats a fit with the same options, and checks that data and result belong together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from hawkeys.baselines import LogLinear
from hawkeys.events import Events
from hawkeys.events.observed import History
from hawkeys.events.windows import Past, history_from_record
from hawkeys.exceptions import InvalidParameterError, UnstableProcessError
from hawkeys.inference.examine import quietly
from hawkeys.inference.fit_pooled import fit
from hawkeys.inference.nonlinear import fit_nonlinear
from hawkeys.inference.priors.conjugate import GammaPrior, KernelPrior
from hawkeys.inference.priors.penalties import penalty_from_dict
from hawkeys.inference.rectified.fit import fit_rectified
from hawkeys.inference.task import Task, split_model
from hawkeys.kernels import (
    DelayedKernel,
    Kernel,
    PowerLaw,
    Productive,
    SumExponential,
    kernel_from_dict,
)
from hawkeys.process import Hawkes, NonlinearHawkes
from hawkeys.process.base import as_process, read_for
from hawkeys.results.base import Result
from hawkeys.results.fit_result import FitResult
from hawkeys.results.nonlinear import NonlinearResult
from hawkeys.results.rectified import RectifiedResult
from hawkeys.simulation._gaps import simulate_windows
from hawkeys.simulation.nonlinear import simulate_nonlinear
from hawkeys.simulation.sampling import simulate_clusters

__all__ = [
    "check_fit",
    "check_likelihood",
    "check_same_events",
    "events_of_fit",
    "fit_again",
    "history_of",
    "options_again",
    "simulate_like",
    "task_again",
    "to_estimate",
]

# of a sample, besides 1000 times as many as there are
_MOST_EVENTS = 1e6
_SAME = "Pass the events of the fit."


def events_of_fit(result: Any, data: Any, windows: Mapping[str, Any]) -> Events:
    """Return what should be the events of a fit, read in its unit and with its marks.

    Parameters
    ----------
    result : FitResult, RectifiedResult or NonlinearResult
        A fit.
    data : Events, frame, mapping or sequence
        Its data.
    windows : mapping
        ``end_time`` and all else that says how data are read.

    Returns
    -------
    Events
        Events as they are.

    Raises
    ------
    InvalidParameterError, InvalidEventsError
        As `hawkeys.fit`.
    """
    return read_for(result, as_process(result), data, windows)


def task_again(result: FitResult, events: Events) -> Task:
    """Return the data and the model of a fit, for other row problems.

    Parameters
    ----------
    result : FitResult
        A fit.
    events : Events
        Its events.

    Returns
    -------
    Task
        With the support, weights, baseline, ties and history of the fit. Coefficients of the
        baseline that were estimated are held, as the kernel is.
    """
    given = result.options
    model = split_model(given)[0]
    task = Task.check(events, given.get("support"), given.get("weights"), model)
    fitted = result.process.baseline_function
    if isinstance(fitted, LogLinear) and isinstance(task.baseline, LogLinear):
        task = replace(task, baseline=task.baseline.with_coefficients(fitted.coefficients))
    return task.after(given.get("history"))


def check_fit(result: Any, what: str) -> FitResult:
    """Return `result` if it is one of `hawkeys.fit` and converged.

    Parameters
    ----------
    result : FitResult
        As `hawkeys.fit` returns it.
    what : str
        Who asks, for the message.

    Returns
    -------
    FitResult
        The same.

    Raises
    ------
    InvalidParameterError
        It is something else, or did not converge.
    """
    if not isinstance(result, FitResult):
        raise InvalidParameterError(
            f"{what} needs the result of hawkeys.fit; got {type(result).__name__!r}. Fit the "
            "events, by method='mle' for example."
        )
    if not result.converged:
        advice = "Raise max_iter" if "max_iter" in result.options else "Fit by another method"
        raise InvalidParameterError(
            f"{what} needs a fit that converged; this one stopped with: {result.message}. {advice}."
        )
    return result


def check_same_events(
    result: Result, events: Events, advice: str = _SAME, history: Past | None = None
) -> None:
    """Refuse events that the result was not fitted to.

    Parameters
    ----------
    result : FitResult, RectifiedResult or NonlinearResult
        A fit.
    events : Events
        What should be its events.
    advice : str, optional
        What to do, for the message.
    history : Events, History or None, optional
        What should have happened before them. Default: what the fit was given.

    Raises
    ------
    InvalidParameterError
        Their log-likelihood is another one.
    InvalidEventsError
        `events` are no Events, or have another number of marks.
    """
    past = history_of(result, events) if history is None else history
    if isinstance(result, NonlinearResult) and result.options["n_given"]:
        n_given = result.options["n_given"]
        here = float(result.process.realization_log_likelihoods(events, n_given=n_given).sum())
    else:
        here = result.process.log_likelihood(events, history=past)
    check_likelihood(result, here, advice)


def history_of(result: Result, events: Events) -> Past | None:
    """Return what happened before the events of a fit, if it was told.

    Parameters
    ----------
    result : Result
        A fit.
    events : Events
        Its events.

    Returns
    -------
    Events, History or None
        One realisation before each window, or what happened outside.

    Raises
    ------
    InvalidParameterError
        The events are others, before whose windows the history does not end.
    """
    record = result.options.get("history")
    return None if record is None else history_from_record(record, events)


def check_likelihood(result: Result, here: float, advice: str = _SAME) -> None:
    """Refuse events under which the fitted process has another log-likelihood, `here`, in nats.

    Parameters
    ----------
    result : FitResult, RectifiedResult or NonlinearResult
        A fit.
    here : float
        Log-likelihood of the events under its process.
    advice : str, optional
        What to do, for the message.

    Raises
    ------
    InvalidParameterError
        The log-likelihood of the fit is another one.
    """
    if not np.isclose(here, result.log_likelihood, rtol=1e-9, atol=1e-6):
        raise InvalidParameterError(
            f"the result was fitted to other events: its log-likelihood is "
            f"{result.log_likelihood:.6f}, that of these events {here:.6f}. {advice}"
        )


def fit_again(result: Result) -> Callable[..., Any]:
    """Return a function that fits other events in the way the result was found.

    Parameters
    ----------
    result : FitResult, RectifiedResult or NonlinearResult
        A fit; what it estimated of the kernel is estimated again, what it was given is held.

    Returns
    -------
    callable
        ``again(events, **changed)`` returns the fit; `changed` replaces options.
    """
    if isinstance(result, NonlinearResult):
        return partial(_quiet_nonlinear, result)
    if isinstance(result, RectifiedResult):
        decay: Any = "estimate" if result.decay_estimated else result.decay
        return partial(_quiet_rectified, **{"decay": decay, **result.options})
    return _fit_again(result)  # type: ignore[arg-type]


def _quiet_rectified(events: Events, **options: Any) -> RectifiedResult:
    with quietly():
        return fit_rectified(events, **options)


def _quiet_nonlinear(result: NonlinearResult, events: Events, **changed: Any) -> Any:
    process = result.process
    with quietly():
        return fit_nonlinear(
            events,
            filters=process.filters,
            memory=process.memory,
            link=process.link,
            baseline=process.pieces,
            **{**result.options, **changed},
        )


def _fit_again(result: FitResult) -> Callable[..., FitResult]:
    kernel, options = result.kernel, options_again(result.options)
    given: dict[str, Any] = {"kernel": kernel}
    errors = dict(getattr(result, "kernel_std_err", None) or {})
    if isinstance(kernel, Productive):
        given = _productive_again(result, kernel)
    elif "decay" in errors:  # beside coefficients of the baseline
        given = {"decay": "estimate"}
    elif "decays" in errors:
        given = {"kernel": SumExponential(n_decays=errors["decays"].size)}
    elif result.n_kernel_parameters or "groups" in options:  # none is identified without events
        given = {"kernel": to_estimate(kernel)}
    if "decay_sharing" in options:
        given = {"decay": "estimate"}
    elif "decay_grid" in options:
        given = {}

    def again(events: Events, **changed: Any) -> FitResult:
        with quietly():
            return fit(events, method=result.method, **given, **{**options, **changed})

    return again


def _productive_again(result: FitResult, kernel: Productive) -> dict[str, Any]:
    """Return kernel, or decay, and productivity for `hawkeys.fit` to estimate what it estimated."""
    names = dict(getattr(result, "kernel_std_err", None) or {})
    spread: Kernel = kernel.kernel
    productivity = kernel.productivity
    mixture = isinstance(spread, SumExponential) and result.n_kernel_parameters > len(names)
    if "c" in names or mixture:
        spread = to_estimate(spread)
    if "decays" in names:
        spread = SumExponential(n_decays=names["decays"].size)
    if "a" in names:
        productivity = productivity.replaced(a=None)
    how = {"decay": "estimate"} if "decay" in names else {"kernel": spread}
    return {**how, "productivity": productivity}


def simulate_like(
    process: Hawkes | NonlinearHawkes,
    events: Events,
    rng: np.random.Generator,
    advice: str,
    history: Past | None = None,
) -> Events:
    """Simulate on the windows of the events, on short ones whatever the spectral radius.

    Parameters
    ----------
    process : Hawkes, RectifiedHawkes or NonlinearHawkes
        The process.
    events : Events
        Whose windows.
    rng : numpy.random.Generator
        Source of randomness.
    advice : str
        What to do if it cannot be done, for the message.
    history : Events, History or None, optional
        What happened before each window, or outside, which the sample continues; for `Hawkes`
        alone.

    Returns
    -------
    Events
        A sample.

    Raises
    ------
    UnstableProcessError
        The sample grows beyond a thousand times the events.
    """
    limit = _MOST_EVENTS + 1000.0 * events.n_events
    starts, ends = events.start_times, events.end_times
    try:
        if isinstance(process, NonlinearHawkes):
            return simulate_nonlinear(
                process, start_time=starts, end_time=ends, rng=rng, max_events=int(limit)
            )
        if isinstance(history, History):
            return simulate_windows(process, events, history, rng, limit=limit)
        return simulate_clusters(process, starts, ends, rng, limit=limit, history=history)
    except UnstableProcessError as error:
        raise UnstableProcessError(
            f"the process cannot be simulated on the windows of the events: {error} {advice}"
        ) from error


def options_again(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a result; one read from a file holds records as mappings.

    Parameters
    ----------
    options : mapping
        As `FitResult.options` has them.

    Returns
    -------
    dict
        As `hawkeys.fit` takes them.
    """
    out = dict(options)
    prior, start = out.get("prior"), out.get("start")
    if isinstance(prior, Mapping) and "kernel" in prior:
        out["prior"] = KernelPrior(**{**prior, "kernel": kernel_from_dict(prior["kernel"])})
    elif isinstance(prior, Mapping):
        out["prior"] = penalty_from_dict(prior) if "name" in prior else GammaPrior(**prior)
    kernel_prior = out.get("kernel_prior")
    if isinstance(kernel_prior, Mapping):
        kernel = kernel_from_dict(kernel_prior["kernel"])
        out["kernel_prior"] = KernelPrior(**{**kernel_prior, "kernel": kernel})
    if isinstance(start, Mapping):
        out["start"] = kernel_from_dict(dict(start))
    return out


def to_estimate(kernel: Kernel) -> Kernel:
    """Return the kernel without what can be estimated of it: the parameters, or the weights.

    Parameters
    ----------
    kernel : Kernel
        Of a fit.

    Returns
    -------
    Kernel
        The same if nothing can be.
    """
    kinds = DelayedKernel | SumExponential | PowerLaw
    return kernel.unknown() if isinstance(kernel, kinds) else kernel
