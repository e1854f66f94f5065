"""`fit_each`: every realisation alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any, NamedTuple

import numpy as np

from hawkeys._design.columns import FittedColumns
from hawkeys._progress import told
from hawkeys._threads import VARIABLES, limit_threads, most_threads
from hawkeys._typing import ArrayLike, Bounds, FloatArray, IntArray, RandomState
from hawkeys._validation import brief, check_count
from hawkeys.baselines import Constant
from hawkeys.events.container import as_events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.each.result import EachResult
from hawkeys.inference.examine import examine
from hawkeys.inference.identify import warn_about_radii
from hawkeys.inference.methods import Method, choose_method, each_seeds, name_of_method
from hawkeys.inference.rows.in_parameters import in_parameters
from hawkeys.inference.rows.pooling import (
    GammaPool,
    LogNormalPool,
    check_pooling,
    pool_map,
    pool_vi,
)
from hawkeys.inference.rows.solution import Solution
from hawkeys.inference.task import Task, by_labels, refuse_given, refuse_models, split_model
from hawkeys.kernels import Kernel, Productive
from hawkeys.process.hawkes import choose_kernel
from hawkeys.results.gamma_posterior import GammaPosterior
from hawkeys.results.posterior import LogNormalPosterior

__all__ = ["fit_each"]

# Realisations per call of the compiled code: enough to occupy the threads, few enough that
# progress moves and Ctrl-C is heard.
_CHUNK = {"vi_stochastic": 8, "vi": 256}
_CHUNK_OTHERWISE = 4096


def fit_each(
    data: Any,
    *,
    decay: ArrayLike | None = None,
    kernel: Kernel | None = None,
    end_time: Bounds | None = None,
    method: str = "mle",
    rng: RandomState | IntArray = 0,
    n_jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> EachResult:
    r"""Fit every realisation, alone or with a common prior, in parallel over rows.

    Parameters
    ----------
    data : Events, frame, mapping, or sequence
        As for `hawkeys.fit`.
    decay : float or array_like, shape (), (n_marks,) or (n_marks, n_marks), optional
        Decay of the exponential kernel, per unit of time; held fixed.
    kernel : Kernel, optional
        Instead of `decay`; weights of ``SumExponential(decays)`` are estimated for each one.
    end_time : float or array_like, shape (n_realizations,), optional
        End of observation.
    method : {"mle", "map", "vi", "vi_stochastic", "vi_branching"}, default "mle"
        As for `hawkeys.fit`.
    rng : int, Generator, SeedSequence, None, or ndarray of int, default 0
        Randomness of the variational methods; the answer does not depend on `n_jobs`. For
        "vi_stochastic" it may be an array of shape (n_realizations,): the seed of each realisation,
        which is then fitted as if it were alone.
    n_jobs : int, optional
        Number of threads. Default: what the environment variable ``HAWKEYS_NUM_THREADS``, or
        ``NUMBA_NUM_THREADS``, says; one per core if neither is set.
    progress : callable, optional
        Called with the number of realisations done and in all, now and then.
    verbose : bool or callable, default False
        True shows how far it is on stderr; a function is called as ``verbose(what, done, total)``.
    start_time : float or array_like, shape (n_realizations,), optional
        Start of observation, as for `hawkeys.fit`.
    pooling : {"parameter", "row", "all"}, optional
        Whether the prior is common to all realisations and estimated from all of them (empirical
        Bayes; see Notes), and which parameters share its hyper-parameters: each (target, column)
        has its own; the adjacency entries of a target share; or all baselines, and all adjacency
        entries. For methods "vi" and "map". Default: every realisation alone.
    **options
        Options of the method, ``baseline``, ``tied``, and how data are read, as for `hawkeys.fit`.

    Returns
    -------
    EachResult
        Arrays with one entry per realisation.

    Raises
    ------
    InvalidEventsError
        The data break the contract of `Events`.
    InvalidParameterError
        Decay, kernel, method, `n_jobs` or an option is wrong, or `pooling` of a model with
        ``baseline``, ``tied`` or estimated weights of a kernel.

    Warns
    -----
    EventsWarning
        As `hawkeys.fit`, once for all realisations.
    IdentifiabilityWarning
        Estimates of some realisations have spectral radii over 10.

    Notes
    -----
    No warning is issued for parameters that single realisations do not identify, which is common
    for short ones: look at `identified` and `converged`. The pieces of a baseline that the window
    of a realisation does not meet are not identified in it.

    With `pooling` the realisations' parameters are draws from a prior whose hyper-parameters
    maximise a lower bound on the marginal likelihood of all realisations; `pool` of the result has
    them, and every higher bound on the way. For "vi" the prior is log-normal,
    :math:`\log \theta_{rp} \sim N(m_p, v_p)`, v_p >= 1e-4, and the bound is the sum of the evidence
    bounds (`relevance_determination`, `prior_coefficient` and `prior_sharing` are not used). For
    "map" it is Gamma(g_p, r_p), 1 <= g_p <= 1e4, and the bound again that of log-normal posteriors,
    because the density at the modes has no maximum in the hyper-parameters; the estimates are the
    modes under the prior so found. What a realisation does not identify takes the common prior's
    mean ("vi") or mode ("map").

    References
    ----------
    Casella, G. (1985). An introduction to empirical Bayes data analysis. The American Statistician
    39(2), 83-87. doi:10.1080/00031305.1985.10479400

    Examples
    --------
    >>> import hawkeys
    >>> truth = hawkeys.Hawkes([0.5], [[0.4]], decay=2.0)
    >>> sample = hawkeys.simulate(truth, end_time=50.0, n_realizations=100, rng=0)
    >>> each = hawkeys.fit_each(sample, decay=2.0)
    >>> each
    EachResult(method='mle', n_realizations=100, n_marks=1, converged=100 of 100)
    """
    method, pooling = name_of_method(method), options.pop("pooling", None)
    verbose = options.pop("verbose", False)
    events = as_events(data, options, end_time=end_time)
    model, others = split_model(options)
    if method == "least_squares":
        refuse_models(options, "least squares")
    how = choose_method(method, others)
    task = Task.check(events, None, None, model)
    size, n = task.events.n_marks, task.events.n_realizations
    excitation = _choose_kernel(by_labels(events, decay)[0], kernel, size)
    examine(task.events, excitation, task.baseline, separate=True)
    seeds = each_seeds(rng, n, size, method)
    parts: list[_Part] = []
    pool = None
    with _threads(n_jobs), told(verbose, "Fitting realisations", n) as done:
        if pooling is not None:
            check_pooling(pooling, method, others)
            part, pool = _solve_pooled(task, excitation, how, seeds, pooling)
            parts.append(part)
        for rows in _chunks(n if pool is None else 0, method):
            some, own = task.pick(rows), seeds[rows.start * size : rows.stop * size]
            parts.append(_solve(some, excitation, how, own, seeds[0]))
            done(rows.stop)
            if progress is not None:
                progress(rows.stop, n)
    result = replace(_gather(parts, task, excitation, method), pool=pool, unit=events.unit)
    warn_about_radii(result.adjacency)
    return result


class _Part(NamedTuple):
    """Some realisations: their solution by parameter, unweighted log-likelihoods, and weights.

    Shapes of `log_likelihood` and of the solution's objective: (n_blocks,); `kernel_weights`
    (n_targets, n_marks, n_components), or None if the kernel was given.
    """

    solution: Solution
    log_likelihood: FloatArray
    kernel_weights: FloatArray | None


def _choose_kernel(decay: ArrayLike | str | None, kernel: Kernel | None, n_marks: int) -> Kernel:
    """Return the kernel, whose parameters must be given, but for weights of components."""
    if isinstance(decay, str):
        raise InvalidParameterError(
            f"fit_each holds the decay, which must be a number or array; got {brief(decay)}. "
            "Estimate "
            "it for all realisations with hawkeys.fit, and give the kernel of the result."
        )
    excitation = choose_kernel(decay, kernel)
    if isinstance(excitation, Productive):
        raise InvalidParameterError(
            "fit_each knows no productivity; got a kernel that has one. Fit all realisations "
            "together with hawkeys.fit, or leave it out."
        )
    for component in excitation.components:
        component.check_marks(n_marks)
    return excitation


def _check_plain(task: Task, kernel: Kernel) -> None:
    if not task.is_plain or len(kernel.components) > 1:
        raise InvalidParameterError(
            "pooling has a common prior for one constant baseline per mark and the adjacency under "
            f"a kernel that is given, nothing tied; got the kernel {brief(kernel)} and the options "
            f"{sorted(set(task.as_options()))}. Leave pooling out, or the others."
        )


def _solve_pooled(
    task: Task, kernel: Kernel, how: tuple[Method, Any], seeds: IntArray, pooling: str
) -> tuple[_Part, LogNormalPool | GammaPool]:
    """Return the solution of all realisations and the common prior."""
    _check_plain(task, kernel)
    method, settings = how
    weight = getattr(settings, "likelihood_weight", 1.0)
    design = task.design(kernel, weight, separate=True)
    pooled = pool_vi if method.name == "vi" else pool_map
    solution, pool = pooled(design, settings, seeds, pooling)
    return _Part(solution, design.log_likelihood(solution.x) / weight, None), pool


def _solve(
    task: Task,
    kernel: Kernel,
    how: tuple[Method, Any],
    seeds: IntArray,
    common_seed: int,
) -> _Part:
    """Return the solution of some realisations."""
    method, settings = how
    refuse_given(task, method.name)
    weight = getattr(settings, "likelihood_weight", 1.0)
    design = task.design(kernel, weight, separate=True)
    # targets that share parameters are one row problem, with the seed of the first
    seeds = seeds.reshape(-1, design.n_marks)[:, : design.n_blocks_each].ravel()
    if method.name == "vi":  # its base draws are common to all, whatever the chunk
        seeds = np.full_like(seeds, common_seed)
    solution = method.solve(design, settings, seeds, keep=False)
    likelihood, weights = design.log_likelihood(solution.x) / weight, None
    if not design.is_plain:
        if design.columns.n_components > 1:
            weights = design.columns.shares(solution.x)
        columns = FittedColumns(design.columns, solution.x, solution.identified)
        solution = in_parameters(replace(solution, information=None), columns)
    return _Part(solution, likelihood, weights)


def _gather(parts: list[_Part], task: Task, kernel: Kernel, method: str) -> EachResult:
    events, function = task.events, task.baseline
    shape = events.n_realizations, events.n_marks

    def by_target(name: str) -> np.ndarray:
        stacked = np.concatenate([getattr(part.solution, name) for part in parts])
        return stacked.reshape(*shape, *stacked.shape[1:])

    def total(values: list[FloatArray]) -> FloatArray:
        return np.concatenate(values).reshape(shape[0], -1).sum(axis=1)

    x, q = by_target("x"), function.n_pieces
    weights = [part.kernel_weights for part in parts if part.kernel_weights is not None]
    constant = isinstance(function, Constant)
    return EachResult(
        baseline=x[:, :, 0] if constant else x[:, :, :q] @ function.shares,
        adjacency=x[:, :, q:],
        log_likelihood=total([part.log_likelihood for part in parts]),
        objective=total([part.solution.objective for part in parts]),
        optimality_gap=total([part.solution.gap for part in parts]),
        converged=np.all(by_target("converged"), axis=1),
        identified=by_target("identified"),
        posterior=_gather_posterior(parts, shape),
        kernel=kernel,
        mark_names=events.mark_names,
        method=method,
        baseline_function=function,
        rates=None if constant else x[:, :, :q],
        kernel_weights=np.concatenate(weights).reshape(*shape, shape[1], -1) if weights else None,
    )


def _gather_posterior(
    parts: list[_Part], shape: tuple[int, int]
) -> LogNormalPosterior | GammaPosterior | None:
    marginals = [part.solution.posterior for part in parts if part.solution.posterior is not None]
    if not marginals:
        return None
    kind = type(marginals[0])
    joined = {}
    for part in fields(kind):
        values = [getattr(one, part.name) for one in marginals]
        if values[0] is not None:
            joined[part.name] = np.concatenate(values).reshape(*shape, -1)
    return kind(**joined)


def _chunks(n: int, method: str) -> Iterator[slice]:
    size = _CHUNK.get(method, _CHUNK_OTHERWISE)
    for begin in range(0, n, size):
        yield slice(begin, min(begin + size, n))


@contextmanager
def _threads(n_jobs: int | None) -> Iterator[None]:
    """Use `n_jobs` threads for a while."""
    if n_jobs is None:
        yield
        return
    most = most_threads()
    if check_count(n_jobs, "n_jobs") > most:
        raise InvalidParameterError(
            f"n_jobs must be at most {most}, the number of threads that this process may use; got "
            f"{n_jobs}. Set the environment variable {VARIABLES[0]} for more."
        )
    with limit_threads(n_jobs):
        yield
