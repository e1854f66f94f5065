r"""Variational inference over the branching structure with kernel parameters as points.

The hidden variables are those of expectation-maximisation (`hawkeys.inference.kernel.problem`), and
besides them baseline and adjacency, with Gamma posteriors q. Events are shared in proportion to
exp(E log theta), unseen children cost E theta. The kernel's step holds q; then q is set to its
optimum for the new kernel and the same sharing. So no step lowers the bound, which with q at the
rates b = prior rate + cost is that of `hawkeys._jit.branching` at the present kernel.

References
----------
Linderman, S. W. and Adams, R. P. (2015). Scalable Bayesian inference for excitatory point process
networks. arXiv:1507.03228, section 3.

Beal, M. J. (2003). Variational algorithms for approximate Bayesian inference, section 2.3. PhD
thesis, University College London.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._version import __version__
from hawkeys.events import Events
from hawkeys.inference.branching_options import BranchingKernelOptions
from hawkeys.inference.kernel.ascent import Path, path_message, to_the_top
from hawkeys.inference.kernel.em import settings
from hawkeys.inference.kernel.families import Parameters
from hawkeys.inference.kernel.limits import LEFT_OUT, NONE, Limits, find_limits
from hawkeys.inference.kernel.problem import EMProblem, EMState, Window
from hawkeys.inference.kernel.setup import build_kernel, set_up
from hawkeys.inference.kernel.starts import first_state
from hawkeys.inference.priors.conjugate import GammaPrior
from hawkeys.inference.rows.branching import prior_constant
from hawkeys.kernels import DelayedKernel
from hawkeys.process import Hawkes
from hawkeys.results import VariationalResult
from hawkeys.results.gamma_posterior import GammaPosterior

__all__ = ["BranchingProblem", "fit_kernel_vi"]

# a kernel with fewer lags than this has not been estimated
_NOTHING = 1e-3
# Newton steps from a start within some per cent, which double the digits
_INVERSIONS = 6


@dataclass(frozen=True, eq=False)
class BranchingProblem(EMProblem):
    """An `EMProblem` whose x are the posterior means and whose objective is the bound.

    Attributes
    ----------
    prior : GammaPrior
        Priors of baseline and adjacency.
    """

    prior: GammaPrior

    @property
    def shapes(self) -> FloatArray:
        """Prior shapes of a row, (n_marks + 1,)."""
        return self.prior.exponents(self.events.n_marks) + 1.0

    def paid(self, window: Window) -> FloatArray:
        """Return the rates b of the posteriors; 0 where nothing is known or nothing admitted."""
        rates = super().paid(window) + self.prior.rates(self.events.n_marks)
        rates[:, 1:][~self.support] = 0.0
        return rates

    def rates(self, x: FloatArray, window: Window) -> FloatArray:
        """Return exp(E log theta)."""
        b = self.paid(window)
        used = b > 0
        a = np.where(used, x * b, 1.0)
        return np.where(used, np.exp(scipy.special.digamma(a)) / np.where(used, b, 1.0), 0.0)

    def spent(self, x: FloatArray, window: Window) -> float:
        """Return the divergence of q from the prior, and the expected cost."""
        b, g = self.paid(window), self.shapes
        used = b > 0
        a = np.where(used, x * b, 1.0)
        each = (
            (a - g) * scipy.special.digamma(a) - scipy.special.gammaln(a) + scipy.special.gammaln(g)
        )
        each += g * np.log(np.where(used, b, 1.0))
        each -= prior_constant(g, self.prior.rates(self.events.n_marks))
        return float(each[used].sum())

    def best(self, counts: FloatArray, window: Window) -> FloatArray:
        """Return the posterior means for the expected counts."""
        b = self.paid(window)
        return np.where(b > 0, self.shapes + counts, 0.0) / np.where(b > 0, b, 1.0)

    def point(self, state: EMState) -> FloatArray:
        """Return E log theta, 0 where nothing is known: the bound has its simplest form in it."""
        b = self.paid(state.window)
        used = b > 0
        a = np.where(used, state.x * b, 1.0)
        return np.where(used, scipy.special.digamma(a) - np.log(np.where(used, b, 1.0)), 0.0)

    def at(self, point: FloatArray, kernel: Parameters) -> EMState:
        """Return the state with posteriors of these E log theta, at the best rates."""
        window = self.window(kernel)
        b = self.paid(window)
        used = b > 0
        each = np.where(used, b, 1.0)
        a = _inverse_digamma(np.where(used, point + np.log(each), 0.0))
        return self.evaluate(np.where(used, a, 0.0) / each, kernel, window)

    def lowest(self, state: EMState) -> FloatArray:
        """Return the lower bounds of the logarithms: none."""
        return np.full_like(state.x, -np.inf)

    def pull(self, state: EMState) -> FloatArray:
        """Return the gradient of the bound by E log theta."""
        b = self.paid(state.window)
        return np.where(b > 0, self.shapes + state.counts - state.x * b, 0.0)

    def by_point(
        self, state: EMState, slope: FloatArray, information: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return gradient and information of the bound by E log theta."""
        e, b = self.rates(state.x, state.window), self.paid(state.window)
        used = b > 0
        a = np.where(used, state.x * b, 1.0)
        counts = e * slope
        own = np.where(used, 1.0 / scipy.special.polygamma(1, a) - counts, 0.0)
        out = information * e[:, :, None] * e[:, None, :] + own[:, :, None] * np.eye(e.shape[1])
        return np.where(used, self.shapes + counts - a, 0.0), out

    def chain(self, state: EMState) -> FloatArray:
        """Return the derivative of exp(E log theta) by E log theta."""
        return self.rates(state.x, state.window)

    def by_mass(self, state: EMState) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return how the bound's price depends on the mass within the windows, by pair.

        It is a log b - log Gamma(a) + (a - g) m, at its least in a, with m = E log theta held.
        """
        b = self.paid(state.window)[:, 1:]
        used = b > 0
        x = np.where(used, state.x[:, 1:], 0.0)
        a, each = np.where(used, x * b, 1.0), np.where(used, b, 1.0)
        by_log = np.where(used, 1.0 / scipy.special.polygamma(1, a), 0.0)
        return x, (by_log / each - x) / each, by_log / each

    def start(self, kernel: Parameters) -> EMState:
        """Return the state at `kernel` with a part of every rate from the baseline."""
        window = self.window(kernel)
        counts = self.start_rates() * super().paid(window)
        return self.evaluate(self.best(counts, window), kernel, window)

    def prune(self, state: EMState, largest: float) -> EMState:
        """Return the state unchanged: no posterior mean is 0."""
        return state


def _inverse_digamma(value: FloatArray) -> FloatArray:
    """Return a > 0 with digamma(a) = value, by Newton steps (Minka 2000, appendix C)."""
    gamma = -scipy.special.digamma(1.0)
    a = np.where(value >= -2.22, np.exp(np.minimum(value, 700.0)) + 0.5,
                 -1.0 / np.minimum(value + gamma, -1e-3))  # fmt: skip
    for _ in range(_INVERSIONS):
        step = (scipy.special.digamma(a) - value) / scipy.special.polygamma(1, a)
        a = np.maximum(a - step, 0.1 * a)
    return a


def fit_kernel_vi(
    events: Events,
    kernel: DelayedKernel,
    options: BranchingKernelOptions,
    *,
    support: ArrayLike | None,
    weights: ArrayLike | None,
) -> tuple[VariationalResult, Limits]:
    """Fit posteriors of baseline and adjacency, and the parameters of `kernel` as points.

    Parameters
    ----------
    events : Events
        The data.
    kernel : DelayedKernel
        Kernel whose parameters are left out.
    options : BranchingKernelOptions
        Options.
    support : array_like of bool, shape (n_marks, n_marks), or None
        Which pairs (target, source) may be child and parent. None: all.
    weights : array_like, shape (n_realizations,), or None
        Weight of the log-likelihood of each realisation. None: 1.

    Returns
    -------
    VariationalResult
        With ``kernel`` the estimated one.
    Limits
        Which pairs have no kernel, and why.

    Raises
    ------
    InvalidParameterError
        `support`, `weights`, or the groups, start or priors in `options` do not fit.
    """
    problem = BranchingProblem(
        **set_up(events, kernel, options, options.kernel_prior, support=support, weights=weights),
        baseline_floor=0.0,
        prior=options.prior,
    )
    final, path, codes = _maximise(problem, options)
    limits = Limits.of(problem, codes)
    given = settings(problem, options, support=support, weights=weights)
    return _result(final, path, limits, given), limits


def _maximise(
    problem: BranchingProblem, options: BranchingKernelOptions
) -> tuple[BranchingProblem, Path, IntArray]:
    """Climb, and leave out excitation that is none; see `hawkeys.inference.kernel.em`."""
    codes = np.zeros(problem.n_groups, dtype=np.int64)
    state = first_state(problem, options.start)
    while True:
        path, near = to_the_top(problem, state, options)
        limits = find_limits(problem, path.state, near.design)
        codes = np.where(np.isin(codes, LEFT_OUT), codes, limits)
        dropped = problem.support & np.isin(codes, LEFT_OUT)[problem.groups]
        if not dropped.any():
            return problem, path, codes
        problem = replace(problem, support=problem.support & ~dropped)
        state = problem.start(path.state.kernel)


def _result(
    problem: BranchingProblem, path: Path, limits: Limits, options: dict[str, object]
) -> VariationalResult:
    events, state = problem.events, path.state
    kernel = build_kernel(problem, state.kernel)
    process = Hawkes(state.x[:, 0], state.x[:, 1:], kernel=kernel, mark_names=events.mark_names)
    b = problem.paid(state.window)
    identified = b > 0
    identified[:, 1:] &= ~limits.pairs
    blank = np.where(identified, 1.0, np.nan)
    seen = (problem.step.amount(state.moments) > _NOTHING) & (limits.codes == NONE)
    return VariationalResult(
        process=process,
        method="vi_branching",
        log_likelihood=process.log_likelihood(events),
        objective=state.objective,
        optimality_gap=float(path.gap),
        converged=path.converged,
        message=path_message(path, limits.text),
        n_iterations=len(path.trace) - 1,
        trace=np.array(path.trace),
        identified=identified,
        event_counts=events.counts.sum(axis=0),
        n_realizations=events.n_realizations,
        total_time=float(events.durations.sum()),
        options=options,
        version=__version__,
        n_kernel_parameters=int(seen.sum()) * problem.step.n_free,
        posterior=GammaPosterior(state.x * b * blank, b * blank),
        prior_coefficient=np.full_like(b, np.nan),
    )
