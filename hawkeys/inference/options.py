"""Options of the inference methods: one frozen record per method, checked when built."""

from __future__ import annotations

from dataclasses import dataclass, field

from hawkeys._typing import ArrayLike
from hawkeys._validation import (
    brief,
    check_choice,
    check_count,
    check_fraction,
    check_nonnegative_number,
    check_positive_number,
)
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.priors.conjugate import GammaPrior, KernelPrior
from hawkeys.inference.priors.penalties import Penalty
from hawkeys.kernels import DelayedKernel

__all__ = [
    "EMOptions",
    "LeastSquaresOptions",
    "MAPOptions",
    "MLEOptions",
    "StochasticVIOptions",
    "VIOptions",
]


@dataclass(frozen=True)
class MLEOptions:
    """Options of ``method="mle"``: maximum likelihood by Newton steps per target mark.

    Parameters
    ----------
    tolerance : float, default 1e-7
        Stop when what is still to gain is provably below this, in nats per target mark.
    max_iter : int, default 200
        Most Newton steps per target mark.

    Raises
    ------
    InvalidParameterError
        A value out of range.
    """

    tolerance: float = 1e-7
    max_iter: int = 200

    def __post_init__(self) -> None:
        check_positive_number(self.tolerance, "tolerance")
        check_count(self.max_iter, "max_iter")


@dataclass(frozen=True)
class MAPOptions(MLEOptions):
    """Options of ``method="map"``: posterior mode, or penalised maximum likelihood.

    Parameters
    ----------
    tolerance : float, default 1e-7
        As for maximum likelihood.
    max_iter : int, default 200
        As for maximum likelihood.
    prior : GammaPrior, Ridge, Lasso, ElasticNet or GroupLasso, default GammaPrior()
        Priors of the parameters, or a penalty on them (minus a log prior density).

    Raises
    ------
    InvalidParameterError
        A value out of range, or `prior` is something else.
    """

    prior: GammaPrior | Penalty = field(default_factory=GammaPrior)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.prior, GammaPrior | Penalty):
            raise InvalidParameterError(
                "prior must be a hawkeys.GammaPrior or a penalty of hawkeys.inference (Ridge, "
                f"Lasso, ElasticNet, GroupLasso); got {brief(self.prior)}. Write for example "
                "GammaPrior(shape=..., rate=...)."
            )


@dataclass(frozen=True, eq=False)
class EMOptions:
    """Options of ``method="mle"`` when the parameters of the kernel are estimated too.

    Parameters
    ----------
    tolerance : float, default 1e-4
        Stop when what is still to gain is below this, in nats, by gradient and curvature of the
        log-likelihood over all parameters together: twice what a Newton step within the bounds
        promises, at a place whose curvature is that of a maximum. It tells of the maximum nearby,
        and nothing of other kernels of pairs whose adjacency is 0.
        Of histograms without prior, penalty or least baseline, one for each pair
        (``groups="edge"``), it is a bound that holds everywhere: these are concave. Of histograms
        of more than 2,000 masses, or too large for memory, it is extrapolated, a hundredfold for
        what slow directions hide, and `message` says so.
    max_iter : int, default 2000
        Most steps.
    groups : "shared", "edge" or array_like of int, shape (n_marks, n_marks), default "shared"
        Which pairs (target, source) share kernel parameters: all, none, or those with the same
        number.
    prior : KernelPrior, optional
        Prior of the kernel parameters; it steadies kernels with few lags. Default: none.
    smoothing : float, default 0.0
        Weight s of the penalty s / 2 sum (second difference of log height)^2 of a histogram;
        it should grow with the number of lags if the shape is to stay equally smooth.
    min_spread : float, default 0.01
        Smallest standard deviation of the log-lag of a log-normal kernel, and smallest coefficient
        of variation of a gamma kernel. Without it a kernel on a single lag is infinitely likely;
        at this bound a kernel is not identified, which a warning says.
    baseline_floor : float, default 0.0
        Smallest baseline, per unit of time.
    start : LogNormal, Gamma or Histogram, optional
        Kernel to start from. Default: from the lags after the latest event of each source, or, if
        that is more than 10 nats better after a few steps, from the lags that more pairs of events
        have than independent ones would. The likelihood can have several maxima; the one found
        depends on the start.

    Raises
    ------
    InvalidParameterError
        A value out of range, `prior` is not a KernelPrior or `start` not such a kernel.
    """

    tolerance: float = 1e-4
    max_iter: int = 2000
    groups: ArrayLike | str = "shared"
    prior: KernelPrior | None = None
    smoothing: float = 0.0
    min_spread: float = 0.01
    baseline_floor: float = 0.0
    start: DelayedKernel | None = None

    def __post_init__(self) -> None:
        for name in ("tolerance", "min_spread"):
            check_positive_number(getattr(self, name), name)
        for name in ("smoothing", "baseline_floor"):
            check_nonnegative_number(getattr(self, name), name)
        check_count(self.max_iter, "max_iter")
        if self.prior is not None and not isinstance(self.prior, KernelPrior):
            raise InvalidParameterError(
                f"prior must be a hawkeys.inference.KernelPrior; got {brief(self.prior)}. "
                "Write KernelPrior(LogNormal(location, scale), weight=...)."
            )
        if self.start is not None and not (
            isinstance(self.start, DelayedKernel) and self.start.known
        ):
            raise InvalidParameterError(
                f"start must be a kernel with all parameters given; got {brief(self.start)}."
            )


@dataclass(frozen=True)
class LeastSquaresOptions:
    """Options of ``method="least_squares"``.

    Parameters
    ----------
    tolerance : float, default 1e-8
        Largest relative violation of the optimality conditions that counts as converged.

    Raises
    ------
    InvalidParameterError
        The tolerance is not positive.
    """

    tolerance: float = 1e-8

    def __post_init__(self) -> None:
        check_positive_number(self.tolerance, "tolerance")


@dataclass(frozen=True)
class VIOptions:
    r"""Options of ``method="vi"``: deterministic variational inference.

    By default a baseline has an exponential prior whose mean is the mean rate of the target's
    events, and an adjacency entry of a target with J possible sources the prior
    Gamma(2 / (J + 1), 1): nothing depends on the unit of time, nothing is switched off, and the
    prior of a row weighs less than two events, however many sources it has.

    Parameters
    ----------
    likelihood_weight : float, default 1.0
        Factor on the log-likelihood (the keystroke paper's is 10: each sample replicated).
    relevance_determination : bool, default False
        Whether the log priors are :math:`-\theta_p^2 / C_p` (a zero-mean Gaussian of variance
        C_p / 2 restricted to positive values) with every C_p at its optimum 2 E theta_p^2, which
        prunes what the data do not need: the estimate of such a parameter is exactly 0. It is a
        choice for features and predictions: what is switched off has no interval, but the
        probability that it is on (`VariationalResult.inclusion_probability`).
    prior_coefficient : float, optional
        C of every such prior, held as it is. For the baseline it carries the unit of time.
        Default: the priors above.
    prior_sharing : {"parameter", "row", "all"}, default "parameter"
        Which parameters share the C that relevance determination sets, then to the mean of
        2 E theta^2: none; the adjacency entries of a target; or all baselines, and all adjacency
        entries. Sharing shrinks without pruning single parameters.
    n_draws : int, optional
        Number of fixed base draws behind the expectations. Default: 4 per parameter of a row, at
        least 32.
    tolerance : float, default 1e-6
        Stop when the next step promises less than this, in nats per target mark.
    max_iter : int, default 200
        Most Newton steps per target mark.

    Raises
    ------
    InvalidParameterError
        A value out of range.

    References
    ----------
    Giordano, R., Ingram, M. and Broderick, T. (2024). Black box variational inference with a
    deterministic objective. JMLR 25(18), 1-39. arXiv:2304.05527
    """

    likelihood_weight: float = 1.0
    relevance_determination: bool = False
    prior_coefficient: float | None = None
    prior_sharing: str = "parameter"
    n_draws: int | None = None
    tolerance: float = 1e-6
    max_iter: int = 200

    def __post_init__(self) -> None:
        for name in ("likelihood_weight", "tolerance"):
            check_positive_number(getattr(self, name), name)
        if self.prior_coefficient is not None:
            check_positive_number(self.prior_coefficient, "prior_coefficient")
        check_choice(self.prior_sharing, "prior_sharing", ("parameter", "row", "all"))
        self._check_determination()
        check_count(self.max_iter, "max_iter")
        if self.n_draws is not None:
            check_count(self.n_draws, "n_draws", minimum=2)

    def _check_determination(self) -> None:
        if self.relevance_determination and self.prior_coefficient is not None:
            raise InvalidParameterError(
                "relevance_determination sets the coefficient of every prior; got also "
                f"prior_coefficient={brief(self.prior_coefficient)}. Leave one of them out."
            )
        if self.prior_sharing != "parameter" and not self.relevance_determination:
            raise InvalidParameterError(
                f"prior_sharing={self.prior_sharing!r} shares what relevance determination sets, "
                "which is off. Add relevance_determination=True."
            )


@dataclass(frozen=True)
class StochasticVIOptions:
    r"""Options of ``method="vi_stochastic"``: the published algorithm, constant by constant.

    Parameters
    ----------
    likelihood_weight : float, default 1.0
        Factor on the log-likelihood.
    n_steps : int, default 20000
        Steps of Adam, one posterior draw each.
    learning_rate : float, default 0.01
        Rate of the first step, at most 1: it moves the logarithm of each parameter by about so
        much. Steps that leave the range of numbers all the same are an error.
    learning_rate_factor : float, default 0.9999
        Factor on the rate after every step.
    first_moment, second_moment : float, default 0.9 and 0.999
        Adam's fading factors.
    epsilon : float, default 1e-8
        Adam's guard against division by zero.
    prior_coefficient : float, default 0.1
        C_p at the start.
    relevance_determination : bool, default True
        Whether C_p is updated, every `update_every` steps from one fresh draw, to
        ``(1 - damping) C_p + damping 2 theta_p^2``.
    damping : float, default 0.5
        Share of the new value in that update.
    update_every : int, default 100
        Steps between the updates.
    start_location, start_scale, start_jitter : float, default 0.1, 0.2 and 0.1
        The start is a ~ N(start_location, start_jitter^2) and s ~ N(start_scale, start_jitter^2),
        s clipped to [0.1, 2].

    Raises
    ------
    InvalidParameterError
        A value out of range.

    References
    ----------
    Salehi, F., Trouleau, W., Grossglauser, M. and Thiran, P. (2019). Learning Hawkes processes from
    a handful of events. NeurIPS 32, algorithm 1. arXiv:1911.00292
    """

    likelihood_weight: float = 1.0
    n_steps: int = 20_000
    learning_rate: float = 0.01
    learning_rate_factor: float = 0.9999
    first_moment: float = 0.9
    second_moment: float = 0.999
    epsilon: float = 1e-8
    prior_coefficient: float = 0.1
    relevance_determination: bool = True
    damping: float = 0.5
    update_every: int = 100
    start_location: float = 0.1
    start_scale: float = 0.2
    start_jitter: float = 0.1

    def __post_init__(self) -> None:
        for name in ("likelihood_weight", "learning_rate", "epsilon", "prior_coefficient"):
            check_positive_number(getattr(self, name), name)
        for name in ("learning_rate_factor", "start_scale", "start_jitter"):
            check_nonnegative_number(getattr(self, name), name)
        for name in ("first_moment", "second_moment", "damping"):
            check_fraction(getattr(self, name), name)
        if self.learning_rate > 1.0:
            raise InvalidParameterError(
                f"learning_rate must be at most 1, a step of the parameters' logarithms; got "
                f"{brief(self.learning_rate)}. The default is 0.01."
            )
        check_count(self.n_steps, "n_steps")
        check_count(self.update_every, "update_every")
