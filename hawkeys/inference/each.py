"""`fit_each`: every realisation alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any

import numba
import numpy as np

from hawkeys._design import Design
from hawkeys._typing import ArrayLike, BoolArray, FloatArray, IntArray, RandomState
from hawkeys._validation import check_count
from hawkeys.events import Events
from hawkeys.events.lists import as_events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.counted import refuse_models
from hawkeys.inference.methods import Method, choose_method
from hawkeys.inference.pooling import (
    GammaPool,
    LogNormalPool,
    check_pooling,
    pool_map,
    pool_vi,
)
from hawkeys.inference.seeds import row_seeds
from hawkeys.inference.solution import Solution
from hawkeys.kernels import Kernel
from hawkeys.process.hawkes import Hawkes, choose_kernel
from hawkeys.results.gamma_posterior import GammaPosterior
from hawkeys.results.posterior import LogNormalPosterior

__all__ = ["EachResult", "fit_each"]

# Realisations per call of the compiled code: enough to occupy the threads, few enough that
# progress moves and Ctrl-C is heard.
_CHUNK = {"vi_stochastic": 8, "vi": 256}
_CHUNK_OTHERWISE = 4096


@dataclass(frozen=True, eq=False, repr=False)
class EachResult:
    """One fit per realisation.

    Attributes
    ----------
    baseline : ndarray, shape (n_realizations, n_marks)
        Estimates (posterior means for variational methods), per unit of time.
    adjacency : ndarray, shape (n_realizations, n_marks, n_marks)
        Estimates, target by source. A parameter that is not identified is 0.
    log_likelihood : ndarray, shape (n_realizations,)
        At the estimates, in nats, nothing dropped.
    objective : ndarray, shape (n_realizations,)
        What was maximised: log-likelihood, log posterior or evidence bound.
    optimality_gap : ndarray, shape (n_realizations,)
        What is still to gain, in nats; see `FitResult`.
    converged : ndarray of bool, shape (n_realizations,)
        Whether every target mark met the tolerance.
    identified : ndarray of bool, shape (n_realizations, n_marks, n_marks + 1)
        Baseline, then adjacency row, of each target: False where the realisation says nothing.
    posterior : LogNormalPosterior, GammaPosterior (of "vi_branching") or None
        Marginals of shape (n_realizations, n_marks, n_marks + 1); None unless variational.
    kernel : Kernel
        Excitation kernel.
    mark_names : tuple of str
        Labels of the marks.
    method : str
        Name of the inference method.
    pool : LogNormalPool, GammaPool or None
        The prior common to all realisations, if it was estimated; see `pooling` of `fit_each`.
    """

    baseline: FloatArray
    adjacency: FloatArray
    log_likelihood: FloatArray
    objective: FloatArray
    optimality_gap: FloatArray
    converged: BoolArray
    identified: BoolArray
    posterior: LogNormalPosterior | GammaPosterior | None
    kernel: Kernel
    mark_names: tuple[str, ...]
    method: str
    pool: LogNormalPool | GammaPool | None = None

    def process(self, realization: int) -> Hawkes:
        """Return the process fitted to one realisation.

        Parameters
        ----------
        realization : int
            Which one.

        Returns
        -------
        Hawkes
            With that realisation's baseline and adjacency.
        """
        return Hawkes(
            self.baseline[realization],
            self.adjacency[realization],
            kernel=self.kernel,
            mark_names=self.mark_names,
        )

    def __len__(self) -> int:
        return self.baseline.shape[0]

    def __repr__(self) -> str:
        n, size = self.baseline.shape
        return (
            f"EachResult(method={self.method!r}, n_realizations={n}, n_marks={size}, "
            f"converged={int(self.converged.sum())} of {n})"
        )


def fit_each(
    data: Any,
    *,
    decay: ArrayLike | None = None,
    kernel: Kernel | None = None,
    end_time: ArrayLike | None = None,
    method: str = "mle",
    rng: RandomState = 0,
    n_jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> EachResult:
    r"""Fit every realisation, alone or with a common prior, in parallel over rows.

    Parameters
    ----------
    data : Events, or a list of D arrays of times, or a list of such lists
        Lists need `end_time`.
    decay : float or array_like, shape (), (n_marks,) or (n_marks, n_marks), optional
        Decay of the exponential kernel, per unit of time; held fixed.
    kernel : Kernel, optional
        Excitation kernel. Give either this or `decay`.
    end_time : float or array_like, shape (n_realizations,), optional
        End of observation, for lists.
    method : {"mle", "map", "vi", "vi_stochastic", "vi_branching"}, default "mle"
        As for `hawkeys.fit`.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None, default 0
        Randomness of the variational methods; the answer does not depend on `n_jobs`.
    n_jobs : int, optional
        Number of threads. Default: numba's, one per core.
    progress : callable, optional
        Called with the number of realisations done and in all, now and then.
    pooling : {"parameter", "row", "all"}, optional
        Whether the prior is common to all realisations and estimated from all of them (empirical
        Bayes; see Notes), and which parameters share its hyper-parameters: each (target, column)
        has its own; the adjacency entries of a target share; or all baselines, and all adjacency
        entries. For methods "vi" and "map". Default: every realisation alone.
    **options
        Options of the method, as for `hawkeys.fit`.

    Returns
    -------
    EachResult
        Arrays with one entry per realisation.

    Raises
    ------
    InvalidEventsError
        The data break the contract of `Events`.
    InvalidParameterError
        Decay, kernel, method, `n_jobs` or an option is wrong.

    Notes
    -----
    No warning is issued for parameters that single realisations do not identify, which is common
    for short ones: look at `identified` and `converged`.

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
    pooling = options.pop("pooling", None)
    chosen, settings = choose_method(method, refuse_models(options, "fit_each"))
    events = as_events(data, end_time=end_time)
    excitation = choose_kernel(decay, kernel)
    excitation.check_marks(events.n_marks)
    seeds = row_seeds(rng, events.n_realizations * events.n_marks)
    parts: list[tuple[Solution, FloatArray]] = []
    pool = None
    with _threads(n_jobs):
        if pooling is not None:
            check_pooling(pooling, method, options)
            part, pool = _solve_pooled(events, excitation, (chosen, settings), seeds, pooling)
            parts.append(part)
        for rows in _chunks(events.n_realizations if pool is None else 0, method):
            own = seeds[rows.start * events.n_marks : rows.stop * events.n_marks]
            parts.append(_solve(events[rows], excitation, (chosen, settings), own, seeds[0]))
            if progress is not None:
                progress(rows.stop, events.n_realizations)
    return replace(_gather(parts, events, excitation, method), pool=pool)


def _solve_pooled(
    events: Events, kernel: Kernel, how: tuple[Method, Any], seeds: IntArray, pooling: str
) -> tuple[tuple[Solution, FloatArray], LogNormalPool | GammaPool]:
    """Return the solution of all realisations, their log-likelihoods and the common prior."""
    method, settings = how
    weight = getattr(settings, "likelihood_weight", 1.0)
    design = Design.build(events, kernel, separate=True, weight=weight)
    pooled = pool_vi if method.name == "vi" else pool_map
    solution, pool = pooled(design, settings, seeds, pooling)
    return (solution, design.log_likelihood(solution.x) / weight), pool


def _solve(
    events: Events,
    kernel: Kernel,
    how: tuple[Method, Any],
    seeds: IntArray,
    common_seed: int,
) -> tuple[Solution, FloatArray]:
    """Return the solution of some realisations and their unweighted log-likelihoods."""
    method, settings = how
    weight = getattr(settings, "likelihood_weight", 1.0)
    design = Design.build(events, kernel, separate=True, weight=weight)
    if method.name == "vi":  # its base draws are common to all, whatever the chunk
        seeds = np.full_like(seeds, common_seed)
    solution = method.solve(design, settings, seeds, keep=False)
    return solution, design.log_likelihood(solution.x) / weight


def _gather(
    parts: list[tuple[Solution, FloatArray]], events: Events, kernel: Kernel, method: str
) -> EachResult:
    size = events.n_marks

    def by_row(name: str) -> np.ndarray:
        stacked = np.concatenate([getattr(solution, name) for solution, _ in parts])
        return stacked.reshape(events.n_realizations, size, *stacked.shape[1:])

    x = by_row("x")
    likelihood = np.concatenate([value for _, value in parts])
    return EachResult(
        baseline=x[:, :, 0],
        adjacency=x[:, :, 1:],
        log_likelihood=likelihood.reshape(-1, size).sum(axis=1),
        objective=by_row("objective").sum(axis=1),
        optimality_gap=by_row("gap").sum(axis=1),
        converged=np.all(by_row("converged"), axis=1),
        identified=by_row("identified"),
        posterior=_gather_posterior(parts, size),
        kernel=kernel,
        mark_names=events.mark_names,
        method=method,
    )


def _gather_posterior(
    parts: list[tuple[Solution, FloatArray]], size: int
) -> LogNormalPosterior | GammaPosterior | None:
    marginals = [solution.posterior for solution, _ in parts if solution.posterior is not None]
    if not marginals:
        return None
    shape = (-1, size, size + 1)
    kind = type(marginals[0])
    joined = (
        np.concatenate([getattr(part, field.name) for part in marginals]).reshape(shape)
        for field in fields(kind)
    )
    return kind(*joined)


def _chunks(n: int, method: str) -> Iterator[slice]:
    size = _CHUNK.get(method, _CHUNK_OTHERWISE)
    for begin in range(0, n, size):
        yield slice(begin, min(begin + size, n))


@contextmanager
def _threads(n_jobs: int | None) -> Iterator[None]:
    """Use `n_jobs` numba threads for a while."""
    if n_jobs is None:
        yield
        return
    limit = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    if check_count(n_jobs, "n_jobs") > limit:
        raise InvalidParameterError(
            f"n_jobs must be at most {limit}, the number of threads numba started with; got "
            f"{n_jobs}. Set NUMBA_NUM_THREADS before the import for more."
        )
    before = numba.get_num_threads()
    numba.set_num_threads(n_jobs)
    try:
        yield
    finally:
        numba.set_num_threads(before)
