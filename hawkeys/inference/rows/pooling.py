"""Pooling: hyper-parameters common to all realisations, estimated from all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from hawkeys._design import Design
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys._validation import check_choice
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.options import MAPOptions, VIOptions
from hawkeys.inference.priors.row_priors import expected_log_gamma
from hawkeys.inference.rows.ascent import INNER, SHARING, Ascent, Groups, Step, ascend
from hawkeys.inference.rows.bound import bound_under, draws_for, raise_bound, start_params
from hawkeys.inference.rows.inclusion import switched_off
from hawkeys.inference.rows.newton import solve_rows
from hawkeys.inference.rows.solution import Solution
from hawkeys.inference.rows.variational import variational_solution

__all__ = ["GammaPool", "LogNormalPool", "check_pooling", "pool_map", "pool_vi"]

# Between realisations a log-parameter varies by at least 1 %: without a floor the estimate of a
# variance that is zero never arrives.
_FLOOR = 1e-4
_SHAPE_LIMIT = 1.0 / _FLOOR
_TOLERANCE = 1e-5  # nats per row problem
_LOG_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True, eq=False)
class LogNormalPool:
    r"""Log-normal prior common to all realisations, :math:`\log \theta \sim N(m, v)`.

    Attributes
    ----------
    location, scale : ndarray, shape (n_marks, n_marks + 1)
        m and the square root of v: baseline, then adjacency row, of each target; NaN where no
        realisation says anything.
    trace : ndarray, shape (n_steps,)
        Sum of the evidence bounds after every step, in nats; it never decreases.
    converged : bool
        Whether the last round of steps gained no more than the tolerance.
    """

    location: FloatArray
    scale: FloatArray
    trace: FloatArray = field(repr=False)
    converged: bool

    @property
    def mean(self) -> FloatArray:
        """Prior mean exp(m + v / 2)."""
        return np.exp(self.location + 0.5 * self.scale**2)


@dataclass(frozen=True, eq=False)
class GammaPool:
    r"""Gamma prior common to all realisations, density :math:`\propto \theta^{g-1} e^{-r\theta}`.

    Attributes
    ----------
    shape, rate : ndarray, shape (n_marks, n_marks + 1)
        g >= 1 and r: baseline, then adjacency row, of each target; NaN where no realisation says
        anything.
    trace : ndarray, shape (n_steps,)
        Sum of the evidence bounds of log-normal posteriors after every step, in nats; it never
        decreases.
    converged : bool
        Whether the last round of steps gained no more than the tolerance.
    """

    shape: FloatArray
    rate: FloatArray
    trace: FloatArray = field(repr=False)
    converged: bool

    @property
    def mean(self) -> FloatArray:
        """Prior mean g / r."""
        return self.shape / self.rate


def check_pooling(pooling: str, method: str, options: Mapping[str, Any]) -> str:
    """Refuse an unknown `pooling`, a method without one and a given prior; return `pooling`."""
    check_choice(pooling, "pooling", SHARING)
    if method not in ("map", "vi"):
        raise InvalidParameterError(
            f"pooling needs method 'vi' or 'map', which have priors to estimate; got {method!r}."
        )
    if "prior" in options:
        raise InvalidParameterError(
            f"with pooling the prior is estimated from all realisations; got also "
            f"prior={options['prior']!r}. Leave one of them out."
        )
    return pooling


def pool_vi(
    design: Design, options: VIOptions, seeds: IntArray, pooling: str
) -> tuple[Solution, LogNormalPool]:
    """Maximise the sum of the evidence bounds over posteriors and log-normal priors."""
    found = _Pooled(design, options, Groups.build(pooling, design, common=True), seeds)
    end = found.climb(_LogNormalFamily)
    params, report, bound = end.state
    location, scale = _LogNormalFamily.describe(end.point, found)
    silent = switched_off(design, params, n_realizations=design.n_blocks // design.n_marks)
    # what a realisation says nothing about is known from the others
    unseen = design.cost <= 0
    params[:, 0][unseen], params[:, 1][unseen] = location[unseen], np.log(scale[unseen])
    solution = variational_solution(
        design,
        params,
        known=~np.isnan(location),
        off=silent,
        objective=bound,
        gap=report[:, 1],
        converged=(report[:, 1] <= options.tolerance * (unseen.shape[1] + 1)) & end.converged,
        n_iterations=np.full(design.n_blocks, end.trace.size),
        traces=np.empty((0, 0)),
    )
    one = slice(design.n_marks)
    return solution, LogNormalPool(location[one], scale[one], end.trace, end.converged)


def pool_map(
    design: Design, options: MAPOptions, seeds: IntArray, pooling: str
) -> tuple[Solution, GammaPool]:
    """Maximise the sum of the evidence bounds over Gamma priors, then take posterior modes.

    The modes themselves cannot serve to estimate the priors: their joint density has no maximum.
    """
    groups = Groups.build(pooling, design, common=True)
    found = _Pooled(design, VIOptions(), groups, seeds)
    end = found.climb(_GammaFamily)
    shape, rate = _GammaFamily.describe(end.point, found)
    solution = _modes(design, options, np.nan_to_num(shape, nan=1.0), np.nan_to_num(rate))
    solution.converged[...] &= end.converged
    one = slice(design.n_marks)
    return solution, GammaPool(shape[one], rate[one], end.trace, end.converged)


@dataclass(frozen=True, eq=False)
class _Pooled:
    """Row problems of all realisations, with log-normal posteriors and a prior in common."""

    design: Design
    options: VIOptions
    groups: Groups
    seeds: IntArray

    @property
    def used(self) -> BoolArray:
        return self.design.cost > 0

    def climb(self, family: type[_Family]) -> Ascent:
        """Raise the sum of the bounds; the state is (params, report, bounds)."""
        draws = draws_for(self.design, self.options, int(self.seeds[0]))
        inner = replace(self.options, tolerance=INNER * self.options.tolerance)

        def step(point: FloatArray, state: Any) -> Step:
            prior, rate = family.prior(point, self.groups)
            harder = replace(self.design, cost=np.where(self.used, self.design.cost + rate, 0.0))
            params, report, _ = raise_bound(harder, inner, prior, draws, state[0])
            log_prior = family.expected_log(prior, rate, params)
            bound = bound_under(self.design, params, log_prior, draws)
            slope = family.slope(point, params, self)
            return Step(
                (params, report, bound), float(bound.sum()), slope, family.optimum(params, self)
            )

        start = self._common_start()
        return ascend(
            step,
            family.optimum(start, self),
            (start,),
            lower=np.repeat(family.lower, self.groups.n),
            upper=np.repeat(family.upper, self.groups.n),
            tolerance=_TOLERANCE * self.design.n_blocks,
        )

    def spread(self, *values: FloatArray) -> tuple[FloatArray, ...]:
        """Return values of groups as values of parameters, NaN where no realisation has data."""
        known = np.bincount(self.groups.labels[self.used], minlength=self.groups.n) > 0
        return tuple(np.where(known, value, np.nan)[self.groups.labels] for value in values)

    def _common_start(self) -> FloatArray:
        """Start every realisation where an equal share of all events puts its group."""
        params = start_params(self.design, self.options)
        cost = self.design.cost
        share = self.groups.mean(np.exp(params[:, 0]) * cost, self.used)
        level = np.log(share / self.groups.mean(cost, self.used))
        params[:, 0] = np.nan_to_num(level)[self.groups.labels]
        return params


class _Family(Protocol):
    """A family of priors with two hyper-parameters per group, and their bounds."""

    lower: tuple[float, float]
    upper: tuple[float, float]

    @staticmethod
    def prior(point: FloatArray, groups: Groups) -> tuple[FloatArray, FloatArray]:
        """Return what the compiled code takes (n_blocks, 3, P), and what it adds to the cost."""

    @staticmethod
    def expected_log(prior: FloatArray, rate: FloatArray, params: FloatArray) -> FloatArray:
        """Return the expected log prior density of each parameter, (n_blocks, P)."""

    @staticmethod
    def slope(point: FloatArray, params: FloatArray, pooled: _Pooled) -> FloatArray:
        """Return the derivatives of the sum of the bounds by the hyper-parameters."""

    @staticmethod
    def optimum(params: FloatArray, pooled: _Pooled) -> FloatArray:
        """Return the best hyper-parameters given the posteriors; 0 for groups without data."""


class _LogNormalFamily:
    """Location m and log v of each group."""

    lower = (-np.inf, float(np.log(_FLOOR)))
    upper = (np.inf, np.inf)

    @staticmethod
    def describe(point: FloatArray, pooled: _Pooled) -> tuple[FloatArray, ...]:
        location, log_variance = point.reshape(2, -1)
        return pooled.spread(location, np.exp(0.5 * log_variance))

    @staticmethod
    def prior(point: FloatArray, groups: Groups) -> tuple[FloatArray, FloatArray]:
        location, log_variance = point.reshape(2, -1)
        precision = np.exp(-log_variance)
        zero = np.zeros(groups.labels.shape)
        return np.stack((zero, location[groups.labels], precision[groups.labels]), axis=1), zero

    @staticmethod
    def expected_log(prior: FloatArray, rate: FloatArray, params: FloatArray) -> FloatArray:
        location, precision = prior[:, 1], prior[:, 2]
        square = (params[:, 0] - location) ** 2 + np.exp(2.0 * params[:, 1])
        normal = 0.5 * (np.log(precision) - _LOG_2PI - precision * square)
        return np.asarray(normal - params[:, 0])

    @staticmethod
    def slope(point: FloatArray, params: FloatArray, pooled: _Pooled) -> FloatArray:
        location, log_variance = (part[pooled.groups.labels] for part in point.reshape(2, -1))
        distance, precision = params[:, 0] - location, np.exp(-log_variance)
        square = distance**2 + np.exp(2.0 * params[:, 1])
        by_point = precision * distance, 0.5 * precision * square - 0.5
        return np.concatenate([pooled.groups.total(part, pooled.used) for part in by_point])

    @staticmethod
    def optimum(params: FloatArray, pooled: _Pooled) -> FloatArray:
        groups, used = pooled.groups, pooled.used
        location = groups.mean(params[:, 0], used)
        distance = params[:, 0] - location[groups.labels]
        variance = groups.mean(distance**2 + np.exp(2.0 * params[:, 1]), used)
        return np.nan_to_num(np.concatenate((location, np.log(np.maximum(variance, _FLOOR)))))


class _GammaFamily:
    """Logarithms of shape g and rate r of each group."""

    lower = (0.0, -np.inf)
    upper = (float(np.log(_SHAPE_LIMIT)), np.inf)

    @staticmethod
    def describe(point: FloatArray, pooled: _Pooled) -> tuple[FloatArray, ...]:
        shape, rate = np.exp(point.reshape(2, -1))
        return pooled.spread(shape, rate)

    @staticmethod
    def prior(point: FloatArray, groups: Groups) -> tuple[FloatArray, FloatArray]:
        shape, rate = np.exp(point.reshape(2, -1))
        shape = shape[groups.labels]
        return np.stack((np.zeros_like(shape), shape, -np.ones_like(shape)), 1), rate[groups.labels]

    @staticmethod
    def expected_log(prior: FloatArray, rate: FloatArray, params: FloatArray) -> FloatArray:
        return expected_log_gamma(prior[:, 1], rate, params)

    @staticmethod
    def slope(point: FloatArray, params: FloatArray, pooled: _Pooled) -> FloatArray:
        from scipy.special import digamma

        shape, rate = np.exp(point.reshape(2, -1))[:, pooled.groups.labels]
        mean = np.exp(params[:, 0] + 0.5 * np.exp(2.0 * params[:, 1]))
        by_point = shape * (np.log(rate) - digamma(shape) + params[:, 0]), shape - rate * mean
        return np.concatenate([pooled.groups.total(part, pooled.used) for part in by_point])

    @staticmethod
    def optimum(params: FloatArray, pooled: _Pooled) -> FloatArray:
        groups, used = pooled.groups, pooled.used
        mean = groups.mean(np.exp(params[:, 0] + 0.5 * np.exp(2.0 * params[:, 1])), used)
        shape = _gamma_shape(np.log(mean) - groups.mean(params[:, 0], used))
        return np.nan_to_num(np.concatenate((np.log(shape), np.log(shape / mean))))


def _gamma_shape(excess: FloatArray) -> FloatArray:
    """Return g within its limits such that log g - digamma(g) = excess (Minka 2002, eq. 2)."""
    from scipy.special import digamma, polygamma

    excess = np.maximum(excess, 0.25 / _SHAPE_LIMIT)
    shape = (3.0 - excess + np.sqrt((excess - 3.0) ** 2 + 24.0 * excess)) / (12.0 * excess)
    for _ in range(6):
        slope = 1.0 / shape - polygamma(1, shape)
        excess_here = np.log(shape) - digamma(shape)
        shape = 1.0 / (1.0 / shape + (excess_here - excess) / (shape**2 * slope))
    return np.clip(shape, 1.0, _SHAPE_LIMIT)


def _modes(design: Design, options: MAPOptions, shape: FloatArray, rate: FloatArray) -> Solution:
    """Return the posterior modes under Gamma priors (n_blocks, P), equal for equal targets."""
    x, report = np.empty(design.cost.shape), np.empty((design.n_blocks, 4))
    for i in range(design.n_marks):
        blocks = range(i, design.n_blocks, design.n_marks)
        excitation = [design.block(b).ravel() for b in blocks]
        x[i :: design.n_marks], report[i :: design.n_marks], _, _ = solve_rows(
            (
                np.concatenate(excitation),
                np.empty(0),
                np.concatenate(([0], np.cumsum(design.counts[i :: design.n_marks]))),
            ),
            design.cost[i :: design.n_marks] + rate[i],
            shape[i] - 1.0,
            (float(options.tolerance), int(options.max_iter)),
            np.empty((0, 0)),
            False,
        )
    return Solution(
        x=x,
        identified=design.cost > 0,
        objective=report[:, 0],
        gap=report[:, 1],
        violation=report[:, 2],
        converged=report[:, 1] <= options.tolerance,
        n_iterations=report[:, 3].astype(np.int64),
        traces=np.empty((0, 0)),
    )
