"""`fit`: one process for all realisations."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from hawkeys._design import Design
from hawkeys._typing import ArrayLike, FloatArray, RandomState
from hawkeys._version import __version__
from hawkeys.event_lists import as_events
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.fit_result import FitResult
from hawkeys.inference.em import admissible, em_options, fit_kernel
from hawkeys.inference.identify import flat_directions, warn_about
from hawkeys.inference.methods import Method, choose_method
from hawkeys.inference.options import MLEOptions
from hawkeys.inference.seeds import row_seeds
from hawkeys.inference.solution import Solution
from hawkeys.kernels import DelayedKernel, Kernel
from hawkeys.process import Hawkes, choose_kernel
from hawkeys.results import LikelihoodResult, VariationalResult

__all__ = ["fit"]


def fit(
    data: Any,
    *,
    decay: ArrayLike | None = None,
    kernel: Kernel | None = None,
    end_time: ArrayLike | None = None,
    method: str = "mle",
    rng: RandomState = 0,
    support: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    **options: Any,
) -> FitResult:
    r"""Fit one multivariate Hawkes process to all realisations together.

    Parameters
    ----------
    data : Events, or a list of D arrays of times, or a list of such lists
        Lists need `end_time`.
    decay : float or array_like, shape (), (n_marks,) or (n_marks, n_marks), optional
        Decay of the exponential kernel, per unit of time: one for all, one per source mark or one
        per (target, source) pair. It is held fixed.
    kernel : Kernel, optional
        Excitation kernel. Give either this or `decay`. With its parameters left out, as in
        ``LogNormal()``, they are estimated too (by ``method="mle"`` alone).
    end_time : float or array_like, shape (n_realizations,), optional
        End of observation, for lists. It is data, and never guessed from the last event.
    method : {"mle", "map", "vi", "vi_stochastic"}, default "mle"
        Maximum likelihood; posterior mode under Gamma priors; deterministic or stochastic
        variational inference.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None, default 0
        Randomness of the variational methods; the same seed gives the same answer.
    support : array_like of bool, shape (n_marks, n_marks), optional
        Which pairs (target, source) may be child and parent; elsewhere the adjacency is 0. Default:
        all. Only while the kernel is estimated.
    weights : array_like, shape (n_realizations,), optional
        Weight >= 0 of the log-likelihood of each realisation. Default: 1. Only while the kernel is
        estimated.
    **options
        Options of the method: see `hawkeys.inference.MLEOptions`, `MAPOptions` (``prior``),
        `VIOptions`, `StochasticVIOptions`, and `EMOptions` while the kernel is estimated.

    Returns
    -------
    LikelihoodResult or VariationalResult
        Frozen: parameters, uncertainty, trace, certificate of convergence.

    Raises
    ------
    InvalidEventsError
        The data break the contract of `Events`.
    InvalidParameterError
        Decay, kernel, method, support, weights or an option is wrong.

    Warns
    -----
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

    With kernel parameters the problem is not concave: expectation-maximisation climbs to the
    maximum nearest to its start, at O(n_events m) per step, m the number of events within the
    kernel's horizon. Children beyond the end of a window count as unseen, so that short windows do
    not shorten the lags. Standard errors hold the kernel at its estimate.

    References
    ----------
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
    """
    events = as_events(data, end_time=end_time)
    excitation = choose_kernel(decay, kernel)
    if isinstance(excitation, DelayedKernel) and not excitation.known:
        own = em_options(method, options)
        found = fit_kernel(events, excitation, own, support=support, weights=weights)
        expected = found.identified | ~admissible(support, events.n_marks)
        warn_about(expected, np.full(events.n_marks, found.converged), events.mark_names)
        return found
    _refuse_selection(method, support=support, weights=weights)
    chosen, settings = choose_method(method, options)
    excitation.check_marks(events.n_marks)
    weight = getattr(settings, "likelihood_weight", 1.0)
    design = Design.build(events, excitation, weight=weight)
    solution = chosen.solve(design, settings, row_seeds(rng, design.n_blocks), keep=True)
    result = _result(events, excitation, design, solution, (chosen, settings))
    warn_about(result.identified, solution.converged, events.mark_names)
    return result


def _refuse_selection(method: str, **given: ArrayLike | None) -> None:
    for name, value in given.items():
        if value is not None:
            raise InvalidParameterError(
                f"{name} works only while the kernel is estimated, as with kernel=LogNormal(); "
                f"method {method!r} with a known kernel does not support it yet. Leave it out."
            )


def _result(
    events: Events,
    kernel: Kernel,
    design: Design,
    solution: Solution,
    how: tuple[Method, Any],
) -> FitResult:
    common = _common(events, kernel, design, solution, how)
    if solution.posterior is not None and solution.prior_coefficient is not None:
        return VariationalResult(
            **common, posterior=solution.posterior, prior_coefficient=solution.prior_coefficient
        )
    if solution.violation is None or solution.information is None:
        raise TypeError(f"method {how[0].name!r} returned neither a posterior nor a certificate")
    return LikelihoodResult(
        **common,
        kkt_residual=float(solution.violation.max(initial=0.0)),
        information=solution.information,
    )


def _common(
    events: Events,
    kernel: Kernel,
    design: Design,
    solution: Solution,
    how: tuple[Method, Any],
) -> dict[str, Any]:
    """Return the fields that every result has."""
    method, settings = how
    identified = solution.identified
    if solution.information is not None:
        identified = flat_directions(solution.information, solution.x, identified)
    return {
        "process": Hawkes(
            solution.x[:, 0], solution.x[:, 1:], kernel=kernel, mark_names=events.mark_names
        ),
        "method": method.name,
        "log_likelihood": _log_likelihood(design, solution, settings),
        "objective": float(solution.objective.sum()),
        "optimality_gap": float(solution.gap.sum()),
        "converged": bool(solution.converged.all()),
        "message": _message(solution),
        "n_iterations": int(solution.n_iterations.max(initial=0)),
        "trace": _total_trace(solution.traces),
        "identified": identified,
        "event_counts": design.counts,
        "n_realizations": events.n_realizations,
        "total_time": float(events.durations.sum()),
        "options": {f.name: getattr(settings, f.name) for f in dataclasses.fields(settings)},
        "version": __version__,
    }


def _log_likelihood(design: Design, solution: Solution, settings: Any) -> float:
    """Return the unweighted log-likelihood at the estimate."""
    if type(settings) is MLEOptions:  # it is what was maximised
        return float(solution.objective.sum())
    weighted = design.log_likelihood(solution.x).sum()
    return float(weighted) / getattr(settings, "likelihood_weight", 1.0)


def _message(solution: Solution) -> str:
    if not solution.converged.all():
        return f"{(~solution.converged).sum()} target marks stopped before the tolerance was met"
    if np.isnan(solution.gap).any():
        return f"ran the {solution.n_iterations.max(initial=0)} steps asked for"
    return f"at most {solution.gap.sum():.1e} nats to gain"


def _total_trace(traces: FloatArray) -> FloatArray:
    """Add the traces of the rows, each held at its last value once it has stopped."""
    if traces.size == 0:
        return np.empty(0)
    steps = int((~np.isnan(traces)).sum(axis=1).max())
    part = traces[:, :steps].copy()
    for row in part:
        stopped = np.isnan(row)
        row[stopped] = row[~stopped][-1] if (~stopped).any() else 0.0
    return part.sum(axis=0)
