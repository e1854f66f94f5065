"""Monotone ascent in hyper-parameters that groups of parameters share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._design.bound_rows import BoundRows
from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import check_choice

__all__ = ["INNER", "SHARING", "Ascent", "Groups", "Step", "ascend"]

SHARING = ("parameter", "row", "all")
# share of the tolerance to which the problem inside is to be solved at every point: the noise of a
# looser optimum stops the quasi-Newton method early
INNER = 1e-3
_MAX_ROUNDS = 20
_MAX_STEPS = 100


@dataclass(frozen=True)
class Step:
    """One point of an ascent: the state improved there, the objective, its slope by the point, and
    the next point of expectation-maximisation, where the objective is no lower."""

    state: Any
    value: float
    slope: FloatArray
    following: FloatArray


@dataclass(frozen=True)
class Ascent:
    """Where an ascent arrived: hyper-parameters, state, every higher objective, converged."""

    point: FloatArray
    state: Any
    trace: FloatArray
    converged: bool


def ascend(
    step: Callable[[FloatArray, Any], Step],
    point: FloatArray,
    state: Any,
    *,
    lower: FloatArray | float = -np.inf,
    upper: FloatArray | float = np.inf,
    tolerance: float,
) -> Ascent:
    """Raise an objective of hyper-parameters until a step gains no more than `tolerance`.

    ``step(point, state)`` starts from `state`, that of the best point so far. Rounds of a quasi-
    Newton method within the bounds are followed by one step of expectation-maximisation, which
    cannot lower the objective; only points that raise it are kept.
    """
    # scipy.optimize takes a while to import, and most fits do not need it
    from scipy.optimize import Bounds, minimize

    best, at = step(point, state), point
    trace = [best.value]

    def loss(x: FloatArray) -> tuple[float, FloatArray]:
        nonlocal best, at
        found = step(x, best.state)
        if found.value > best.value:
            best, at = found, x.copy()
            trace.append(found.value)
        return -found.value, -found.slope

    for _ in range(_MAX_ROUNDS):
        loss(best.following)
        before = best.value
        limits = Bounds(np.broadcast_to(lower, at.shape), np.broadcast_to(upper, at.shape))
        options = {"ftol": tolerance / max(abs(before), 1.0), "gtol": 0.0, "maxiter": _MAX_STEPS}
        minimize(loss, at, jac=True, method="L-BFGS-B", bounds=limits, options=options)
        before = best.value
        loss(best.following)
        if best.value - before <= tolerance:
            return Ascent(at, best.state, np.array(trace), True)
    return Ascent(at, best.state, np.array(trace), False)


@dataclass(frozen=True)
class Groups:
    """Which parameters share a hyper-parameter: labels (n_blocks, P) from 0 to n - 1."""

    labels: IntArray
    n: int

    @classmethod
    def build(cls, sharing: str, design: BoundRows, *, common: bool) -> Groups:
        """Label the parameters of a design.

        `sharing` is "parameter" (none shared), "row" (the adjacency of a target) or "all" (all
        baselines, and all adjacency entries: the two differ in unit). Realisations that are
        separate in the design have groups in `common` or of their own.
        """
        check_choice(sharing, "sharing", SHARING)
        n_blocks, size = design.cost.shape
        n_targets = design.n_blocks_each
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

    def total(self, values: FloatArray, used: np.ndarray) -> FloatArray:
        """Return the sum of the used entries of each group."""
        total = np.bincount(self.labels[used], weights=values[used], minlength=self.n)
        return total.astype(np.float64)

    def mean(self, values: FloatArray, used: np.ndarray) -> FloatArray:
        """Return the mean of the used entries of each group, NaN for groups without any."""
        count = np.bincount(self.labels[used], minlength=self.n)
        mean = self.total(values, used) / np.maximum(count, 1)
        return np.where(count > 0, mean, np.nan)
