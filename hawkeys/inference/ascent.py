"""Monotone ascent in hyper-parameters: expectation-maximisation with safeguarded extrapolation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._design import Design
from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import check_choice

__all__ = ["SHARING", "Ascent", "Groups", "ascend"]

SHARING = ("parameter", "row", "all")

Step = Callable[[FloatArray, Any], tuple[Any, float, FloatArray]]


@dataclass(frozen=True)
class Ascent:
    """Where an ascent arrived: hyper-parameters, state, objective after every step, converged."""

    point: FloatArray
    state: Any
    trace: FloatArray
    converged: bool


def ascend(step: Step, point: FloatArray, state: Any, *, tolerance: float, max_iter: int) -> Ascent:
    """Raise an objective until a round of two or three steps gains no more than `tolerance`.

    ``step(point, state)`` returns the state improved at `point`, the objective there, and the next
    point, at which the objective is no lower. Every second step is followed by an extrapolation,
    kept only if it is higher: the objective never decreases.

    References
    ----------
    Varadhan, R. and Roland, C. (2008). Simple and globally convergent methods for accelerating the
    convergence of any EM algorithm. Scandinavian Journal of Statistics 35(2), 335-353, section 3.
    doi:10.1111/j.1467-9469.2007.00585.x
    """
    state, value, following = step(point, state)
    trace = [value]
    while len(trace) < max_iter:
        before, first = value, point
        point = following
        state, value, following = step(point, state)
        trace.append(value)
        further = _extrapolate(first, point, following)
        ahead, higher, beyond = step(further, state)
        if higher > value:
            point, state, value, following = further, ahead, higher, beyond
            trace.append(value)
        if value - before <= tolerance:
            return Ascent(point, state, np.array(trace), True)
    return Ascent(point, state, np.array(trace), False)


def _extrapolate(first: FloatArray, second: FloatArray, third: FloatArray) -> FloatArray:
    """Return the squared extrapolation of three successive points."""
    change = second - first
    bend = third - second - change
    length = np.sqrt(change @ change / max(float(bend @ bend), 1e-300))
    reach = min(max(float(length), 1.0), 20.0)
    return np.asarray(first + 2.0 * reach * change + reach**2 * bend)


@dataclass(frozen=True)
class Groups:
    """Which parameters share a hyper-parameter: labels (n_blocks, P) from 0 to n - 1."""

    labels: IntArray
    n: int

    @classmethod
    def build(cls, sharing: str, design: Design, *, common: bool) -> Groups:
        """Label the parameters of a design.

        `sharing` is "parameter" (none shared), "row" (the adjacency of a target) or "all" (all
        baselines, and all adjacency entries: the two differ in unit). Realisations that are
        separate in the design have groups in `common` or of their own.
        """
        check_choice(sharing, "sharing", SHARING)
        n_blocks, size = design.cost.shape
        n_targets = min(design.n_marks, n_blocks)
        excites = (np.arange(size) >= design.n_baselines).astype(np.int64)
        target = np.arange(n_targets)[:, None]
        one = {
            "parameter": target * size + np.arange(size),
            "row": 2 * target + excites,
            "all": np.broadcast_to(excites, (n_targets, size)),
        }[sharing]
        n = int(one.max()) + 1
        repeat = np.arange(n_blocks // n_targets)[:, None, None] * (0 if common else n)
        labels = (one + repeat).reshape(n_blocks, size)
        return cls(labels, int(labels.max(initial=0)) + 1)

    def mean(self, values: FloatArray, used: np.ndarray) -> FloatArray:
        """Return the mean of the used entries of each group, NaN for groups without any."""
        where = self.labels[used]
        total = np.bincount(where, weights=values[used], minlength=self.n)
        count = np.bincount(where, minlength=self.n)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)
