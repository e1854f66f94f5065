"""Priors of the columns of row problems, as the compiled ascent takes them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hawkeys._design.bound_rows import AnyRows, BoundRows
from hawkeys._typing import BoolArray, FloatArray
from hawkeys.results.gamma_posterior import GammaPosterior

__all__ = ["RowPriors", "expected_log_gamma", "expected_log_half_normal", "weak_prior"]


@dataclass(frozen=True, eq=False)
class RowPriors:
    """Half-normal, Gamma or optimal half-normal priors of every column.

    Attributes
    ----------
    terms : ndarray of float64, shape (n_blocks, 3, P)
        C, m and t of `hawkeys._jit.variational`.
    rate : ndarray of float64, shape (n_blocks, P)
        Rates of the Gamma priors, which add to the cost; 0 of the others.
    """

    terms: FloatArray
    rate: FloatArray

    @classmethod
    def half_normal(cls, coefficient: FloatArray) -> RowPriors:
        """Return half-normal priors with these C (n_blocks, P); 0 is the optimal C, whatever it is.

        Parameters
        ----------
        coefficient : ndarray, shape (n_blocks, P)
            C of the log prior -theta^2 / C.

        Returns
        -------
        RowPriors
            Those.
        """
        nothing = np.zeros_like(coefficient)
        return cls(np.stack((coefficient, nothing, nothing), axis=1), nothing)

    def with_gamma(self, shape: FloatArray, rate: FloatArray, where: BoolArray) -> RowPriors:
        """Return the priors with Gamma priors in some places.

        Parameters
        ----------
        shape, rate : ndarray, shape (n_blocks, P)
            Of the Gamma priors.
        where : ndarray of bool, shape (n_blocks, P)
            Which columns have them.

        Returns
        -------
        RowPriors
            A copy.
        """
        gamma = np.stack((np.zeros_like(shape), shape, -np.ones_like(shape)), axis=1)
        terms = np.where(where[:, None], gamma, self.terms)
        return RowPriors(terms, np.where(where, rate, self.rate))

    def charged(self, design: AnyRows) -> AnyRows:
        """Return the row problems with the rates added to the costs.

        Parameters
        ----------
        design : Design or other BoundRows
            Row problems.

        Returns
        -------
        Design or other BoundRows
            The same if no rate is above 0.
        """
        if not self.rate.any():
            return design
        return design.with_cost(np.where(design.cost > 0, design.cost + self.rate, 0.0))

    def expected_log(self, params: FloatArray) -> FloatArray:
        """Return the expected log densities under log-normal posteriors, (n_blocks, P).

        Parameters
        ----------
        params : ndarray, shape (n_blocks, 2, P)
            Locations and log scales of the posteriors.

        Returns
        -------
        ndarray of float64
            Constants included; a C of 0 is taken at its optimum.
        """
        is_gamma = self.terms[:, 2] < 0.0
        half_normal = expected_log_half_normal(self.terms[:, 0], params)
        if not is_gamma.any():
            return half_normal
        shape = np.where(is_gamma, self.terms[:, 1], 1.0)
        gamma = expected_log_gamma(shape, np.where(is_gamma, self.rate, 1.0), params)
        return np.where(is_gamma, gamma, half_normal)

    def gamma(self, used: BoolArray) -> GammaPosterior | None:
        """Return the Gamma priors, NaN for columns that are not used; None if there are none.

        Parameters
        ----------
        used : ndarray of bool, shape (n_blocks, P)
            Which columns are estimated.

        Returns
        -------
        GammaPosterior or None
            Shapes and rates.
        """
        is_gamma = self.terms[:, 2] < 0.0
        if not is_gamma.any():
            return None
        known = used & is_gamma
        shape = np.where(known, self.terms[:, 1], np.nan)
        return GammaPosterior(shape, np.where(known, self.rate, np.nan))


def weak_prior(design: BoundRows, likelihood_weight: float = 1.0) -> tuple[FloatArray, FloatArray]:
    r"""Return shape and rate of the Gamma priors that VI has by default, each (n_blocks, P).

    A baseline is exponential, with the mean rate of the row's events as its mean, whatever the unit
    of time. An adjacency entry has shape :math:`2 / (J + 1)` and rate 1, with J the number of
    columns that may excite the row: the prior of a row weighs less than two events, however many
    sources it has. With a shape of 1 each, many sources that do not excite would share the
    baseline's events between them.

    Parameters
    ----------
    design : Design or other BoundRows
        The row problems.
    likelihood_weight : float, default 1.0
        Factor on the log-likelihood in `design`.

    Returns
    -------
    shape, rate : ndarray, shape (n_blocks, P)
        Of all columns, also those that cost nothing.

    References
    ----------
    Berger, J. O., Bernardo, J. M. and Sun, D. (2015). Overall objective priors. Bayesian Analysis
    10(1), 189-221: shapes of the order of 1 / m for m cells. doi:10.1214/14-BA915
    """
    n_baselines = design.n_baselines
    shape, rate = np.ones(design.cost.shape), np.ones(design.cost.shape)
    n_sources = (design.cost[:, n_baselines:] > 0).sum(axis=1)
    shape[:, n_baselines:] = (2.0 / (n_sources + 1.0))[:, None]
    amount = design.amounts
    time = design.cost[:, :n_baselines].sum(axis=1)
    # without an event the mean rate is at most of the order of one
    rate[:, :n_baselines] = (time / np.where(amount > 0, amount, likelihood_weight))[:, None]
    return shape, rate


def expected_log_half_normal(coefficient: FloatArray, params: FloatArray) -> FloatArray:
    """Return the expected log density of half-normal priors under log-normal posteriors.

    Parameters
    ----------
    coefficient : ndarray, shape (n_blocks, P)
        C; 0 stands for its optimum, 2 E theta^2.
    params : ndarray, shape (n_blocks, 2, P)
        Locations and log scales of the posteriors.

    Returns
    -------
    ndarray of float64, shape (n_blocks, P)
        In nats.
    """
    square = np.exp(2.0 * params[:, 0] + 2.0 * np.exp(2.0 * params[:, 1]))
    scale = np.where(coefficient > 0, coefficient, 2.0 * square)
    return np.asarray(-square / scale + math.log(2.0) - 0.5 * np.log(math.pi * scale))


def expected_log_gamma(shape: FloatArray, rate: FloatArray, params: FloatArray) -> FloatArray:
    """Return the expected log density of Gamma priors under log-normal posteriors.

    Parameters
    ----------
    shape, rate : ndarray, shape (n_blocks, P)
        Of the priors.
    params : ndarray, shape (n_blocks, 2, P)
        Locations and log scales of the posteriors.

    Returns
    -------
    ndarray of float64, shape (n_blocks, P)
        In nats.
    """
    # scipy.special costs a sixth of a second to import, and other fits do not need it
    from scipy.special import gammaln

    mean = np.exp(params[:, 0] + 0.5 * np.exp(2.0 * params[:, 1]))
    normalizer = shape * np.log(rate) - gammaln(shape)
    return np.asarray(normalizer + (shape - 1.0) * params[:, 0] - rate * mean)
