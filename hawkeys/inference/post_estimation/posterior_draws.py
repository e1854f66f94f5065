"""Draws from the exact posterior of a variational fit, by adaptive importance sampling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import scipy

from hawkeys._design import Design
from hawkeys._typing import FloatArray, IntArray, RandomState
from hawkeys._validation import as_generator, check_count
from hawkeys.events import Events
from hawkeys.inference.post_estimation.pareto import smooth_weights
from hawkeys.inference.post_estimation.refits import task_again
from hawkeys.inference.priors.conjugate import GammaPrior
from hawkeys.kernels import SumExponential
from hawkeys.kernels.productive import spread_again, spread_of
from hawkeys.results import VariationalResult
from hawkeys.results.posterior import LogNormalPosterior

__all__ = ["Target", "realization_weights", "targets"]

# Heavier tails than the posterior's keep the importance weights bounded.
_DEGREES = 4.0
_ROUNDS = 3
_TILE = 4096


@dataclass(frozen=True, eq=False)
class Target:
    """Row problems of one target, one per realisation, and how to draw from its posterior.

    Targets that share parameters are one.
    """

    design: Design
    blocks: range
    used: IntArray
    prior: FloatArray
    location: FloatArray
    covariance: FloatArray
    n_draws: int
    generator: np.random.Generator

    def draw(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return log p / q of draws from q (S,) and what realisations make of them (R, S).

        p is the posterior with those weights of the realisations; the log-likelihoods returned are
        unweighted.
        """
        location, covariance = self.location, self.covariance
        for _ in range(_ROUNDS):
            theta, logs, log_student = _student(location, covariance, self.n_draws, self.generator)
            values = np.array(
                [_log_likelihood(self.design, b, theta, self.used) for b in self.blocks]
            )
            power, rate, ridge = self.prior
            log_prior = power * logs - rate * theta - ridge * theta**2
            ratios = weights @ values + log_prior.sum(axis=1) - log_student
            location, covariance = _weighted_moments(logs, ratios)
        return ratios, values


def targets(
    fit: VariationalResult, events: Events, n_draws: int, rng: RandomState
) -> Iterator[Target]:
    """Yield the targets one by one."""
    check_count(n_draws, "n_draws", minimum=100)
    generator = as_generator(rng)
    columns = fit.column_posterior
    kernel, spread = fit.kernel, spread_of(fit.kernel)
    if columns is not None and columns.map.n_components > 1 and isinstance(spread, SumExponential):
        kernel = spread_again(kernel, spread.unknown())
    design = replace(task_again(fit, events), weights=None).design(kernel, separate=True)
    for b in range(design.n_blocks_each):
        location, covariance, used = _start(fit, b)
        yield Target(
            design,
            range(b, design.n_blocks, design.n_blocks_each),
            used,
            _prior(fit, b, design)[:, used],
            location,
            covariance,
            n_draws,
            generator,
        )


def realization_weights(fit: VariationalResult, n_realizations: int) -> FloatArray:
    """Return the weight that the fit gave to each realisation's log-likelihood."""
    given = np.asarray(fit.options.get("weights", 1.0), dtype=np.float64)
    return np.ones(n_realizations) * given * float(fit.options.get("likelihood_weight", 1.0))


def _prior(fit: VariationalResult, block: int, design: Design) -> FloatArray:
    """Return (n, r, c), each (P,): the log prior of x = log theta is n x - r theta - c theta^2."""
    source = fit.column_posterior or fit
    if source.prior is not None:
        shape, rate = source.prior.shape[block], source.prior.rate[block]
        return np.stack((shape, rate, np.zeros_like(rate)))
    coefficient = source.prior_coefficient[block]
    if isinstance(fit.posterior, LogNormalPosterior):
        return np.stack((np.ones_like(coefficient), np.zeros_like(coefficient), 1.0 / coefficient))
    prior = fit.options["prior"]
    prior = GammaPrior(**prior) if isinstance(prior, Mapping) else prior  # from a file
    width = design.n_baselines, coefficient.size - design.n_baselines
    shape, rate = np.repeat(prior.exponents(1) + 1.0, width), np.repeat(prior.rates(1), width)
    return np.stack((shape, rate, np.zeros_like(rate)))


def _start(fit: VariationalResult, target: int) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return location and covariance of the logarithms of a target's columns, and which they are.

    Those of the plain model are its parameters.
    """
    source = fit.column_posterior or fit
    marginals = source.posterior
    if isinstance(marginals, LogNormalPosterior):
        location, variance = marginals.location[target], marginals.scale[target] ** 2
    else:  # the moments of the logarithm of a Gamma variable
        shape = marginals.shape[target]
        location, variance = (
            scipy.special.digamma(shape) - np.log(marginals.rate[target]),
            scipy.special.polygamma(1, shape),
        )
    used = np.flatnonzero(~np.isnan(location))
    if source.log_covariance is not None:
        covariance = source.log_covariance[target][np.ix_(used, used)]
        if np.isfinite(covariance).all():
            return location[used], covariance, used
    return location[used], np.diag(variance[used]), used


def _student(
    location: FloatArray, covariance: FloatArray, n_draws: int, generator: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return exp of draws, the draws, both (S, n), and their log density up to a constant."""
    size = location.size
    noise = generator.standard_normal((n_draws, size))
    noise *= np.sqrt(_DEGREES / generator.chisquare(_DEGREES, n_draws))[:, None]
    logs = location + noise @ np.linalg.cholesky(covariance).T
    log_density = -0.5 * (_DEGREES + size) * np.log1p((noise**2).sum(axis=1) / _DEGREES)
    return np.exp(logs), logs, log_density


def _weighted_moments(logs: FloatArray, log_ratios: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and covariance of draws under smoothed weights."""
    weights = np.exp(smooth_weights(log_ratios)[0])
    location = weights @ logs
    centred = logs - location
    covariance = (weights[:, None] * centred).T @ centred
    return location, covariance + 1e-9 * np.eye(location.size)


def _log_likelihood(design: Design, block: int, theta: FloatArray, used: IntArray) -> FloatArray:
    """Return the log-likelihood of one block for each draw (S, n) of the parameters used."""
    total = -theta @ design.cost[block, used]
    matrix = np.vstack((np.ones(design.counts[block]), design.block(block)))[used]
    for begin in range(0, matrix.shape[1], _TILE):
        total += np.log(theta @ matrix[:, begin : begin + _TILE]).sum(axis=1)
    return np.asarray(total)
