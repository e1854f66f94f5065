"""Sums over the events of row problems, and their solution; see `hawkeys._jit.rows`."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias

import numpy as np

from hawkeys._plain.exponential import states_of
from hawkeys._plain.likelihood import log_total
from hawkeys._typing import BoolArray, FloatArray, IntArray

__all__ = [
    "Climb",
    "Row",
    "Sums",
    "certify",
    "climb",
    "gap_bound",
    "newton_step",
    "row_of",
    "row_sums",
    "solve_held_rows",
    "solve_rows",
    "sums_shared",
]

_RIDGE = 1e-9
_ARMIJO = 1e-4
_SHORTEST = 1e-6
_SILENT = 1e-60


def row_of(
    data: tuple[FloatArray, FloatArray, IntArray], n_sources: int, b: int
) -> tuple[FloatArray, FloatArray]:
    """Return v (1 + n_sources, n_events) of one row problem, whose first row is 1, and weights."""
    excitation, weights, offsets = data
    begin, end = offsets[b], offsets[b + 1]
    v = np.ones((n_sources + 1, end - begin))
    v[1:] = excitation[n_sources * begin : n_sources * end].reshape(n_sources, -1)
    return v, weights[begin:end] if weights.size else np.ones(end - begin)


def row_sums(
    data: tuple[FloatArray, FloatArray, IntArray],
    x: FloatArray,
    wanted: BoolArray,
    value: FloatArray,
    gram: FloatArray,
) -> None:
    """Add sum w log(lambda) to value[b] and sum q q' to gram[b], of the rows wanted.

    Here q = sqrt(w) (v, lambda) / lambda. An impossible event makes the value -inf and adds nothing
    to `gram`.
    """
    for b in np.flatnonzero(wanted):
        v, weights = row_of(data, x.shape[1] - 1, int(b))
        found = _products(v, weights, x[b])
        value[b] += found[0]
        gram[b] += found[1]


def sums_shared(
    events: tuple[FloatArray, IntArray, IntArray],
    fades: FloatArray,
    decay: float,
    x: FloatArray,
    wanted: BoolArray,
    value: FloatArray,
    gram: FloatArray,
) -> None:
    """Add the same over events excited by one decay for all marks; fades as `fades` writes them."""
    times, marks, offsets = events
    states = states_of(times, marks, offsets, fades, np.full(value.size, decay))
    for b in np.flatnonzero(wanted):
        c = states[marks == b]
        found = _products(np.column_stack((np.ones(len(c)), c)).T, np.ones(len(c)), x[b])
        value[b] += found[0]
        gram[b] += found[1]


def _products(v: FloatArray, weights: FloatArray, x: FloatArray) -> tuple[float, FloatArray]:
    """Return sum w log(lambda), and sum q q' of the events that are possible, (P + 1, P + 1)."""
    lam = x @ v
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        q = np.vstack((v, lam)) * np.where(lam > 0, np.sqrt(weights) / lam, 0.0)
        return log_total(lam, weights), q @ q.T


# value, gradient and minus the Hessian of one row; and an ascent that asks for them
Sums: TypeAlias = tuple[float, FloatArray, FloatArray]
End: TypeAlias = tuple[FloatArray, FloatArray, tuple[float, float, float, int]]
Climb: TypeAlias = Generator[FloatArray, Sums, End]


class Row:
    """One row problem: v (P, n_events), weights, cost and exponents of the prior (P,).

    Parameters that `held` (P,) has a value for, and is not NaN, stay at it: they add `base` to x
    and have no z. Their share of the events, sum(w base . v / lambda), is `explained`.
    """

    def __init__(
        self,
        v: FloatArray,
        weights: FloatArray,
        cost: FloatArray,
        shape: FloatArray,
        held: FloatArray | None = None,
    ) -> None:
        self.v, self.weights, self.cost, self.shape = v, weights, cost, shape
        self.costs = cost > 0 if held is None else (cost > 0) & np.isnan(held)
        self.base, self.explained = None if held is None else np.nan_to_num(held), 0.0
        self.unit = np.where(self.costs, cost, 1.0)
        self.prior = self.costs & (shape > 0)
        self.has_prior, self.all_cost = bool(self.prior.any()), bool(self.costs.all())
        self.weighted = bool((weights != 1.0).any())
        # sum of z at the optimum, if nothing is held; what costs nothing has no z
        self.total = float(weights.sum() + shape[self.costs].sum())
        # of many events the last step may be taken unseen, as in compiled code
        self.takes_last_step = False

    def start(self) -> FloatArray:
        """Spread the expected total evenly over the coordinates that can gain from it."""
        acts = np.asarray((self.v > 0).any(axis=1))
        acts[0] = True
        usable = self.costs & (self.prior | acts)
        share = self.total / max(usable.sum(), 1)
        return np.where(usable, np.maximum(share, self.shape), 0.0)

    def point(self, z: FloatArray) -> FloatArray:
        """Return x at z; what costs nothing stays 0, and what is held where it is."""
        x = z / self.unit if self.all_cost else np.where(self.costs, z / self.unit, 0.0)
        return x if self.base is None else x + self.base

    def sums(self, x: FloatArray) -> Sums:
        """Return sum(w log lambda), its gradient and minus its Hessian, in x."""
        lam = x @ self.v
        # at a trial point next to an impossible event all of this may leave the range of doubles
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            if self.weighted or not lam.min(initial=1.0) > 0.0:
                value = log_total(lam, self.weights)
                q = self.v * np.where(lam > 0, 1.0 / lam, 0.0)
                weighted = q * self.weights
            else:
                value = float(np.log(lam).sum())
                weighted = q = self.v / lam
            return value, weighted.sum(axis=1), weighted @ q.T

    def in_z(self, z: FloatArray, sums: Sums) -> Sums:
        """Return L, D and the negative Hessian, both in z, given the sums over the events."""
        value, first, second = sums
        x = self.point(z)
        if self.base is not None:
            self.explained = float(self.base @ first)
        with np.errstate(over="ignore", invalid="ignore"):
            acts = self.costs & (first > _SILENT * self.cost)
            slope = np.where(acts, first / self.unit, 0.0)
            scale = np.where(slope > 0, 1.0 / self.unit, 0.0)
            hessian = second * scale[:, None] * scale
        value -= float(z.sum() if self.all_cost else z[self.costs].sum())
        if self.has_prior:
            prior = self.prior
            value += float(self.shape[prior] @ np.log(x[prior]))
            slope[prior] += self.shape[prior] / z[prior]
            hessian[prior, prior] += self.shape[prior] / z[prior] ** 2
        return value, slope, hessian


def _solve_free(hessian: FloatArray, free: IntArray, right: FloatArray, ridge: float) -> FloatArray:
    """Solve hessian[free, free] y = right[free] with a small ridge."""
    if free.size < right.size:
        hessian, right = hessian[free[:, None], free], right[free]
    scale = 1.0 / np.sqrt(np.maximum(hessian.diagonal(), 1e-300))
    matrix = hessian * scale[:, None] * scale
    matrix.flat[:: free.size + 1] = 1.0 + ridge
    return np.linalg.solve(matrix, right * scale) * scale


def newton_step(
    hessian: FloatArray, slope: FloatArray, lower: FloatArray, free: BoolArray, damp: float = _RIDGE
) -> FloatArray:
    """Minimise 1/2 d'Hd - (slope - 1)'d over d >= lower by a primal active-set method."""
    step, pull = np.zeros(slope.size), slope - 1.0
    for _ in range(6 * slope.size):
        index = free.nonzero()[0]
        change = np.zeros(slope.size)
        if index.size:
            change[index] = _solve_free(hessian, index, pull, damp)
        blocked = (free & (step + change < lower)).nonzero()[0]
        if blocked.size:
            ratios = (lower[blocked] - step[blocked]) / change[blocked]
            first = int(np.argmin(ratios))
            step += ratios[first] * change
            free[blocked[first]] = False
            step[blocked[first]] = lower[blocked[first]]
            pull = slope - 1.0 - hessian @ step
            continue
        step += change
        if index.size == slope.size:
            break
        pull = slope - 1.0 - hessian @ step
        entering = int(np.argmax(np.where(~free & (lower <= 0), pull, 0.0)))
        if free[entering] or not (lower[entering] <= 0 and pull[entering] > 1e-12):
            break
        free[entering] = True
    return step


def _bounds_of_step(row: Row, z: FloatArray, slope: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return the lower bounds of the step and the coordinates that start free."""
    lower = np.where(row.shape == 0, -z, -0.95 * z) if row.has_prior else -z
    if not row.all_cost:
        lower = np.where(row.costs, lower, 1.0)  # 1: never enters
    return lower, row.costs & ((z > 0) | (slope > 1))


def gap_bound(
    total: float,
    slope: FloatArray,
    z: FloatArray,
    step: FloatArray,
    hessian: FloatArray,
    highest: float = 0.0,
    explained: float = 0.0,
) -> float:
    """Return an upper bound, in nats, on what is still to gain.

    `highest` is the largest D of coordinates that are 0, and stay 0 in the step, if they are not
    among those given. `explained` is the events' share of what is held: the points w_k / (s
    lambda_k) of the dual, s at least every D, give total (log s - 1) + explained / s.
    """
    decrement = float(2.0 * (slope - 1.0) @ step - step @ hessian @ step)
    largest = max(highest, slope.max(initial=0.0), explained / total)
    simplex = float(total * (largest - 2.0) + z.sum())
    if explained > 0.0:
        simplex += explained / largest
    return max(0.0, min(simplex, decrement) if decrement < 0.01 else simplex)


def climb(row: Row, z: FloatArray, tolerance: float, trace: FloatArray) -> Climb:
    """Newton ascent from z: yields points, is sent the sums over the events at each.

    Returns z, the negative Hessian and (value, gap, violation, steps).
    """
    value, gap, promised, length = -np.inf, np.inf, 0.0, 1.0
    total, before, step = row.total, z, np.zeros(z.size)
    slope, hessian = np.zeros(z.size), np.zeros((z.size, z.size))
    iteration = 0
    while iteration < trace.size:
        new, slope, hessian = row.in_z(z, (yield z))
        if length > 0.0 and not new >= value + _ARMIJO * length * promised:
            length = 0.5 * length if length > _SHORTEST else 0.0
            z = np.maximum(before + length * step, 0.0)
            continue
        value = new
        trace[iteration] = value
        iteration += 1
        lower, free = _bounds_of_step(row, z, slope)
        stuck = length == 0.0  # no length of the Newton step helped: expectation-maximisation
        step = newton_step(hessian, slope, lower, free)
        gap = gap_bound(total, slope, z, step, hessian, explained=row.explained)
        if gap <= tolerance:
            rise = float((slope - 1.0) @ step - 0.5 * step @ hessian @ step)
            if row.takes_last_step and 0.0 <= 2.0 * rise <= tolerance:
                z, value = np.maximum(z + step, 0.0), value + rise
                trace[iteration - 1] = value
            break
        length = -1.0 if stuck else 1.0
        before, promised = z, float((slope - 1.0) @ step)
        z = z * slope if stuck else np.maximum(z + step, 0.0)
    return z, hessian, (value, gap, _violation(total, z, slope), iteration)


def certify(
    row: Row, z: FloatArray, sums: Sums
) -> tuple[FloatArray, tuple[float, float, float], FloatArray]:
    """Return minus the Hessian in z, (value, gap, violation) and the Newton step of a point."""
    value, slope, hessian = row.in_z(z, sums)
    step = newton_step(hessian, slope, *_bounds_of_step(row, z, slope))
    gap = gap_bound(row.total, slope, z, step, hessian, explained=row.explained)
    return hessian, (value, gap, _violation(row.total, z, slope)), step


def _violation(total: float, z: FloatArray, slope: FloatArray) -> float:
    """Return the violation of the optimality conditions; see `hawkeys._jit.rows`."""
    excess = slope - 1.0
    return float(max(0.0, excess.max(), (z / total * np.abs(excess)).max()))


def _climb(row: Row, z: FloatArray, tolerance: float, trace: FloatArray) -> End:
    """Climb with all events at hand."""
    steps = climb(row, z, tolerance, trace)
    z = next(steps)
    while True:
        try:
            z = steps.send(row.sums(row.point(z)))
        except StopIteration as done:
            end: End = done.value
            return end


def _solve_row(
    row: Row,
    b: int,
    z: FloatArray,
    tolerance: float,
    out: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
) -> None:
    """Climb from z, and write what is found of row problem b to `out`."""
    x, report, hessians, traces = out
    trace, hessian = np.full(traces.shape[1], np.nan), np.zeros((z.size, z.size))
    report[b] = 0.0
    if row.total > 0.0:
        z, hessian, report[b] = _climb(row, z, tolerance, trace)
    x[b] = row.point(z)
    spent = 0.0 if row.base is None else float(row.cost @ row.base)
    report[b, 0] -= spent
    if hessians.shape[0]:
        hessians[b] = hessian * np.outer(row.cost, row.cost)
        traces[b] = trace - spent


def solve_held_rows(
    data: tuple[FloatArray, FloatArray, IntArray],
    cost: FloatArray,
    shape: FloatArray,
    limits: tuple[float, int, int],
    held: FloatArray,
    out: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    part: tuple[int, int],
) -> None:
    """Solve the row problems ``range(*part)``, parameters where `held` is not NaN held at it."""
    for b in range(*part):
        row = Row(*row_of(data, cost.shape[1] - 1, b), cost[b], shape, held[b])
        _solve_row(row, b, row.start(), limits[0], out)


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
    for b in range(*part):
        row = Row(*row_of(data, cost.shape[1] - 1, b), cost[b], shape)
        z = row.start()
        if start.size and (given := start[b] * cost[b]).max() > 0.0:
            # at 0 an event may be impossible, or a prior
            least = np.where(row.prior | (given[0] == 0.0), 1e-6 * row.total, 0.0)
            z = np.where(z > 0, np.maximum(given, least), 0.0)
        _solve_row(row, b, z, limits[0], out)
