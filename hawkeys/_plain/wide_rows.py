"""Solutions of row problems with many columns, most of which end at 0; method: `hawkeys._jit.rows`.

The same ascent with the same certificate, but second derivatives are taken of the few columns that
may move alone: those above 0 and those whose gradient would let them rise. With a hundred columns
and more all work is products of matrices, which need no compiled loops.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._plain.likelihood import log_total
from hawkeys._plain.rows import gap_bound, newton_step, row_of
from hawkeys._typing import FloatArray, IntArray

__all__ = ["solve_rows"]

_RIDGE = 1e-9
_ARMIJO = 1e-4
_SHORTEST = 1e-6
_SILENT = 1e-60
_ENTERS = 1e-12
# steps of expectation-maximisation that tell which columns matter, and what is left out then
_FIRST_STEPS = 12
_LEFT_OUT = 0.2
# exchanges of whole sets without fewer violations, and all exchanges, before one by one
_VAIN, _MOST_EXCHANGES = 3, 40


class _WideRow:
    """One row problem: v (P, n_events), weights, cost and exponents of the prior (P,)."""

    def __init__(
        self, v: FloatArray, weights: FloatArray, cost: FloatArray, shape: FloatArray
    ) -> None:
        self.v, self.weights, self.cost, self.shape = v, weights, cost, shape
        self.costs = cost > 0
        self.unit = np.where(self.costs, cost, 1.0)
        self.prior = self.costs & (shape > 0)
        self.total = float(weights.sum() + shape[self.costs].sum())
        self.slope = np.zeros(cost.size)
        self.root = np.zeros(weights.size)

    def start(self, given: FloatArray) -> FloatArray:
        """Return where to begin: at what is given, or where a few cheap steps lead."""
        acts = np.asarray((self.v > 0).any(axis=1))
        acts[0] = True
        usable = self.costs & (self.prior | acts)
        if given.max(initial=0.0) > 0.0:
            z = np.where(usable, given, 0.0)
            certain = not self.prior.any() and (self._rates(z)[self.weights > 0] > 0).all()
            return z if certain else np.where(usable, np.maximum(given, 1e-6 * self.total), 0.0)
        share = self.total / max(usable.sum(), 1)
        z = np.where(usable, np.maximum(share, self.shape), 0.0)
        for _ in range(0 if self.prior.any() else _FIRST_STEPS):
            if not self.value(z) > -np.inf:
                return z
            z = z * self.slope
        kept = z * ((self.slope >= 1.0) | (z >= _LEFT_OUT * share) | self.prior)
        return kept if (self._rates(kept)[self.weights > 0] > 0).all() else z

    def _rates(self, z: FloatArray) -> FloatArray:
        return np.where(self.costs, z / self.unit, 0.0) @ self.v

    def value(self, z: FloatArray) -> float:
        """Return L; keep D of every coordinate and sqrt(w) / lambda of every event."""
        lam = self._rates(z)
        value = log_total(lam, self.weights) - z[self.costs].sum()
        # at a trial point next to an impossible event all of this may leave the range of doubles
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            inverse = np.where(lam > 0, 1.0 / lam, 0.0)
            first = self.v @ (inverse * self.weights)
            self.root = inverse * np.sqrt(self.weights)
        acts = self.costs & (first > _SILENT * self.cost)
        self.slope = np.where(acts, first / self.unit, 0.0)
        if self.prior.any():
            own = self.prior
            value += float(self.shape[own] @ np.log(z[own] / self.cost[own]))
            self.slope[own] += self.shape[own] / z[own]
        return value

    def hessian(self, index: IntArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the negative Hessian in z of some coordinates, and their scaled columns."""
        q = self.v[index]
        q *= self.root
        q *= ((self.slope[index] > 0.0) / self.unit[index])[:, None]
        matrix = q @ q.T
        own = self.prior[index]
        where = np.flatnonzero(own)
        matrix[where, where] += self.shape[index][own] / z[index][own] ** 2
        return matrix, q

    def step(self, z: FloatArray) -> tuple[FloatArray, float]:
        """Return the Newton step within z >= 0 and an upper bound on what is still to gain."""
        lower = np.where(self.costs, np.where(self.shape == 0, -z, -0.95 * z), 1.0)
        moving = self.costs & ((z > 0) | (self.slope > 1))
        while True:
            index = np.flatnonzero(moving)
            matrix, q = self.hessian(index, z)
            own = _bounded_step(matrix, self.slope[index], lower[index])
            pull = self.slope - 1.0 - (self.v @ (self.root * (own @ q))) / self.unit
            others = self.costs & ~moving & (self.slope > 0) & (pull > _ENTERS)
            if not others.any():
                break
            moving |= others
        step = np.zeros(z.size)
        step[index] = own
        rest = self.slope.copy()
        rest[index] = 0.0  # of those not moving only the largest counts
        gap = gap_bound(self.total, self.slope[index], z[index], own, matrix, rest.max(initial=0.0))
        return step, gap

    def information(self) -> FloatArray:
        """Return the negative Hessian in x of all coordinates, without the prior's."""
        q = self.v * self.root
        q[self.slope <= 0.0] = 0.0
        return q @ q.T


def _bounded_step(hessian: FloatArray, slope: FloatArray, lower: FloatArray) -> FloatArray:
    """Minimise 1/2 d'Hd - (slope - 1)'d over d >= lower, exchanging whole sets of coordinates.

    Block principal pivoting (Judice and Pires 1994); a primal active-set method, one coordinate
    after the other, where it goes round in circles.
    """
    scale = 1.0 / np.sqrt(np.maximum(np.diagonal(hessian), 1e-300))
    scaled = hessian * np.outer(scale, scale)
    right = scale * (slope - 1.0 - hessian @ lower)
    free = np.ones(slope.size, dtype=bool)
    fewest, vain = slope.size + 1, 0
    scaled.flat[:: slope.size + 1] *= 1.0 + _RIDGE
    for _ in range(_MOST_EXCHANGES):
        index = np.flatnonzero(free)
        y = np.zeros(slope.size)
        if index.size:
            own = scaled if index.size == slope.size else scaled[np.ix_(index, index)]
            y[index] = np.linalg.solve(own, right[index])
        pull = np.where(free, 0.0, right - scaled @ y)
        wrong = (y < 0.0) | (pull > _ENTERS * scale)
        n_wrong = int(wrong.sum())
        if n_wrong == 0:
            return lower + scale * y
        vain = 0 if n_wrong < fewest else vain + 1
        if vain > _VAIN:
            break
        fewest = min(fewest, n_wrong)
        free ^= wrong
    return newton_step(hessian, slope, lower, np.ones(slope.size, dtype=bool))


def _climb(row: _WideRow, z: FloatArray, tolerance: float, trace: FloatArray) -> tuple[Any, ...]:
    """Newton ascent from z; return z and (value, gap, violation, steps)."""
    value, gap, promised, length = -np.inf, np.inf, 0.0, 1.0
    before, step = z, np.zeros(z.size)
    iteration = 0
    while iteration < trace.size:
        new = row.value(z)
        if length > 0.0 and not new >= value + _ARMIJO * length * promised:
            length = 0.5 * length if length > _SHORTEST else 0.0
            z = np.maximum(before + length * step, 0.0)
            continue
        value = new
        trace[iteration] = value
        iteration += 1
        stuck = length == 0.0  # no length of the Newton step helped: expectation-maximisation
        step, gap = row.step(z)
        if gap <= tolerance:
            break
        length = -1.0 if stuck else 1.0
        before, promised = z, float((row.slope - 1.0) @ step)
        z = z * row.slope if stuck else np.maximum(z + step, 0.0)
    excess = row.slope - 1.0
    violation = max(0.0, excess.max(), (z / row.total * np.abs(excess)).max())
    return z, (value, gap, violation, iteration)


def solve_rows(
    data: tuple[FloatArray, FloatArray, IntArray],
    cost: FloatArray,
    shape: FloatArray,
    limits: tuple[float, int, int],
    start: FloatArray,
    out: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    part: tuple[int, int],
) -> None:
    """Solve the row problems ``range(*part)``."""
    x, report, hessians, traces = out
    for b in range(*part):
        row = _WideRow(*row_of(data, cost.shape[1] - 1, b), cost[b], shape)
        trace = np.full(limits[1], np.nan)
        z = np.zeros(cost.shape[1])
        report[b] = 0.0
        if row.total > 0.0:
            begin = row.start(start[b] * cost[b] if start.size else z)
            z, report[b] = _climb(row, begin, limits[0], trace)
        x[b] = np.where(row.costs, z / row.unit, 0.0)
        if hessians.shape[0]:
            hessians[b] = row.information() if row.total > 0.0 else 0.0
            if row.total > 0.0 and row.prior.any():
                own = np.flatnonzero(row.prior)
                hessians[b, own, own] += shape[own] / x[b, own] ** 2
            traces[b] = trace
