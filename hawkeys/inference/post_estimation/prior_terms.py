"""What a prior or a penalty adds to the row problems of a fit by ``method="map"``."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hawkeys._design import Design
from hawkeys._typing import FloatArray, IntArray
from hawkeys.inference.post_estimation.refits import options_again
from hawkeys.inference.priors.conjugate import GammaPrior
from hawkeys.results import LikelihoodResult

__all__ = ["PriorTerms"]


class PriorTerms(NamedTuple):
    """A log prior, or minus a penalty, by column of row problems.

    It is the sum of power log x - slope x - ridge x^2 / 2 over the columns, less strength |x_g|
    over the groups g of columns.

    Attributes
    ----------
    power, slope, ridge : ndarray of float64, shape (n_blocks, n_columns)
        Factors at least 0; 0 for what is held at 0.
    group : ndarray of int64, shape (n_blocks, n_columns)
        Group of each column, -1 for none.
    strength : ndarray of float64, shape (n_groups,)
        Weight of the norm of each group.
    """

    power: FloatArray
    slope: FloatArray
    ridge: FloatArray
    group: IntArray
    strength: FloatArray

    @classmethod
    def of(cls, result: LikelihoodResult, design: Design) -> PriorTerms:
        """Return the prior of a fit; of one by maximum likelihood it is 0 everywhere."""
        none = np.zeros(design.cost.shape)
        flat = cls(none, none, none, np.full(none.shape, -1), np.empty(0))
        if result.method != "map":
            return flat
        prior = options_again(result.options)["prior"]
        if not isinstance(prior, GammaPrior):
            slope, ridge, group, strength = prior.terms(design)
            return cls(none, slope, ridge, group, strength)
        width = design.n_baselines, design.n_columns + 1 - design.n_baselines
        out = np.zeros((2, *none.shape))
        out[0] = np.repeat(prior.exponents(1), width)
        out[1] = np.repeat(prior.rates(1), width)
        if design.excluded is not None:
            out[:, design.excluded] = 0.0
        if design.held is not None:
            out[:, ~np.isnan(design.held)] = 0.0
        return flat._replace(power=out[0], slope=out[1])

    def information(self, x: FloatArray, rows: slice) -> FloatArray:
        """Return minus the second derivatives at x (n_blocks, P), of some rows together.

        Shape (n * P, n * P) with n rows: the norm of a group may join columns of several of them.
        """
        flat = x[rows].ravel()
        power = np.where(flat > 0.0, self.power[rows].ravel(), 0.0)
        out = np.diag(self.ridge[rows].ravel() + power / np.where(flat > 0.0, flat, 1.0) ** 2)
        group = np.where(flat > 0.0, self.group[rows].ravel(), -1)
        for g in np.unique(group[group >= 0]).tolist():
            index = np.flatnonzero(group == g)
            norm = float(np.linalg.norm(flat[index]))
            share = flat[index] / norm
            curve = np.eye(index.size) - np.outer(share, share)
            out[np.ix_(index, index)] += self.strength[g] / norm * curve
        return out

    @property
    def joins_rows(self) -> bool:
        """Whether some group has columns of several row problems."""
        rows = np.broadcast_to(np.arange(len(self.group))[:, None], self.group.shape)
        inside = self.group >= 0
        pairs = np.unique(np.column_stack((self.group[inside], rows[inside])), axis=0)
        return bool(np.unique(pairs[:, 0]).size < len(pairs))
