"""Row problems with a quadratic penalty on their baseline columns: smooth baselines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from hawkeys._design import Design
from hawkeys._plain.likelihood import log_total
from hawkeys._plain.rows import newton_step
from hawkeys._threads import in_threads
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.inference.rows.solution import Solution

__all__ = ["SmoothRow", "climb", "solve_smooth"]

_ARMIJO, _SHORTEST = 1e-4, 1e-12
# a strong penalty makes the other directions look flat
_RIDGE = 1e-15
# events times pieces from which events are summed by the pieces that act
_MANY = 50_000
# nats below which the decrement of a Newton step bounds what is to gain
_NEAR = 0.01
# nanoseconds per event and column, of one step; and steps that a solution takes
_COLUMN, _STEPS = 1, 8


def solve_smooth(
    design: Design, limits: tuple[float, int], start: FloatArray, *, keep: bool
) -> Solution:
    """Maximise the log-likelihood less the penalty of `design.roughness`, row by row.

    Parameters
    ----------
    design : Design
        Row problems with a roughness, nothing held, nothing tied.
    limits : tuple of float and int
        Proven distance from the optimum in nats per row problem, and most Newton steps.
    start : ndarray, shape (n_blocks, n_columns + 1) or (0, 0)
        Where to start, if it is a point at which every event is possible.
    keep : bool
        Whether information and traces are wanted.

    Returns
    -------
    Solution
        Its information includes the penalty's.
    """
    n_blocks, size = design.cost.shape
    kept = n_blocks if keep else 0
    out = _Out(
        np.zeros((n_blocks, size)),
        np.zeros((n_blocks, 4)),
        np.zeros((kept, size, size)),
        np.full((kept, limits[1]), np.nan),
    )
    work = _STEPS * _COLUMN * design.offsets[-1] * size**2
    in_threads(partial(_solve_rows, design, limits, start, out), n_blocks, int(work))
    return Solution(
        x=out.x,
        identified=_free_columns(design),
        objective=out.report[:, 0],
        gap=out.report[:, 1],
        violation=out.report[:, 2],
        converged=out.report[:, 1] <= limits[0],
        n_iterations=out.report[:, 3].astype(np.int64),
        traces=out.traces,
        information=out.information if keep else None,
    )


def _free_columns(design: Design) -> BoolArray:
    """Return the columns that are estimated, (n_blocks, n_columns + 1).

    A piece of the baseline that no window covers is determined by its neighbours, if there is a
    penalty (or one is to be chosen).
    """
    free = design.cost > 0.0
    bent = True if design.roughness is None else (design.roughness != 0.0).any(axis=1)
    free[:, 1 : design.n_baselines] |= bent
    return free


class _Out(NamedTuple):
    """What is written row by row: x, (value, gap, violation, steps), information and traces."""

    x: FloatArray
    report: FloatArray
    information: FloatArray
    traces: FloatArray


class SmoothRow:
    """One row problem in z = unit * x, over its free columns; its penalty may change.

    Events between the same knots share the few pieces that are above 0 there: they are summed
    together, over these columns alone.
    """

    def __init__(self, design: Design, b: int) -> None:
        free = _free_columns(design)[b]
        self.index, self.cost = np.flatnonzero(free), design.cost[b, free]
        self.pieces = self.index[self.index < design.n_baselines] - 1
        n_pieces = self.pieces.size
        spent = self.cost[:n_pieces]
        usual = spent.sum() / max(np.count_nonzero(spent), 1) or 1.0
        self.unit = np.where(self.cost > 0.0, self.cost, usual)
        weights = design.event_weights(b)
        self.total = float(weights.sum())
        self.factor = np.zeros((0, self.cost.size))
        self.parts = list(_parts(design.block(b)[self.index - 1], weights, n_pieces))

    def penalise(self, roughness: FloatArray) -> None:
        """Set the factor F of the penalty on all pieces, (rank, n_pieces)."""
        self.factor = np.zeros((len(roughness), self.cost.size))
        self.factor[:, : self.pieces.size] = roughness[:, self.pieces]

    def start(self, given: FloatArray | None) -> FloatArray:
        """Return `given`, if every event is possible there; else a level baseline and much else."""
        if given is not None:
            x = given[self.index]
            lowest = min((x[c] @ v[:, w > 0.0]).min(initial=1.0) for c, v, w in self.parts)
            if lowest > 0.0:
                return np.asarray(x * self.unit)
        x, n = np.empty(self.index.size), self.pieces.size
        others = x.size - n
        share = self.total / (2.0 if others else 1.0)
        x[:n] = share / self.cost[:n].sum()
        if others:
            x[n:] = share / others / self.unit[n:]
        return x * self.unit

    def sums(self, z: FloatArray) -> tuple[float, FloatArray, FloatArray, FloatArray]:
        """Return value, gradient and minus the Hessian in z, and the events' part in x."""
        x = z / self.unit
        bent = self.factor @ x
        value = -float(self.cost @ x) - 0.5 * float(bent @ bent)
        first, second = np.zeros(x.size), self.factor.T @ self.factor
        for columns, v, weights in self.parts:
            lam = x[columns] @ v
            value += log_total(lam, weights)
            with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                q = v * np.where(lam > 0, 1.0 / lam, 0.0)
                weighted = q * weights
                first[columns] += weighted.sum(axis=1)
                second[columns[:, None], columns] += weighted @ q.T
        slope = (first - self.cost - self.factor.T @ bent) / self.unit
        return value, slope, second / np.outer(self.unit, self.unit), first

    def gap(self, z: FloatArray, first: FloatArray, rise: float) -> float:
        """Return an upper bound, in nats, on what is still to gain.

        The penalty is above its tangent, whose slope is a cost; of the problem with that cost the
        dual point w_k / (s lambda_k) gives total (log s - 1) + cost . x.
        """
        x = z / self.unit
        cost = self.cost + self.factor.T @ (self.factor @ x)
        bound = np.inf
        if (cost > 0.0).all():
            largest = float((first / cost).max(initial=0.0))
            bound = self.total * (np.log(largest) - 1.0) + float(cost @ x)
        return max(0.0, min(bound, rise) if rise < _NEAR else bound)


def _parts(
    block: FloatArray, weights: FloatArray, n_pieces: int
) -> Iterator[tuple[IntArray, FloatArray, FloatArray]]:
    """Yield columns, their values (n_columns, n) and weights (n,) of events of the same pieces."""
    if weights.size * n_pieces < _MANY:
        yield np.arange(len(block)), block, weights
        return
    acts = block[:n_pieces] > 0.0
    leading = acts.argmax(axis=0)
    order = np.argsort(leading, kind="stable")
    ends = np.cumsum(np.bincount(leading, minlength=n_pieces))
    others = np.arange(n_pieces, len(block))
    for begin, end in itertools.pairwise(np.append(0, ends)):
        if begin < end:
            own = order[begin:end]
            columns = np.append(np.flatnonzero(acts[:, own].any(axis=1)), others)
            yield columns, block[np.ix_(columns, own)], weights[own]


def _solve_rows(
    design: Design,
    limits: tuple[float, int],
    start: FloatArray,
    out: _Out,
    part: tuple[int, int],
) -> None:
    """Solve the row problems ``range(*part)``."""
    for b in range(*part):
        row = SmoothRow(design, b)
        if design.roughness is not None:
            row.penalise(design.roughness[b])
        if row.total <= 0.0:
            continue
        trace = np.full(limits[1], np.nan)
        begin = row.start(start[b] if start.size else None)
        z, hessian, out.report[b] = climb(row, begin, limits[0], trace)
        out.x[b, row.index] = z / row.unit
        if out.traces.size:
            out.traces[b] = trace
            place = np.ix_(row.index, row.index)
            out.information[b][place] = hessian * np.outer(row.unit, row.unit)


def climb(
    row: SmoothRow, z: FloatArray, tolerance: float, trace: FloatArray
) -> tuple[FloatArray, FloatArray, tuple[float, float, float, int]]:
    """Newton ascent from z; returns z, minus the Hessian and (value, gap, violation, steps)."""
    value, slope, hessian, first = row.sums(z)
    gap, iteration = np.inf, 0
    while iteration < trace.size:
        trace[iteration] = value
        iteration += 1
        free = (z > 0.0) | (slope > 0.0)
        step = newton_step(hessian, slope + 1.0, -z, free, _RIDGE)
        promised = float(slope @ step)
        gap = row.gap(z, first, 2.0 * promised - float(step @ hessian @ step))
        if gap <= tolerance:
            break
        length, better = 1.0, False
        while not better and length > _SHORTEST:
            there = np.maximum(z + length * step, 0.0)
            found = row.sums(there)
            better = found[0] >= value + _ARMIJO * length * promised
            length *= 0.5
        if not better or found[0] <= value:  # what is left to gain is lost in rounding
            break
        z, (value, slope, hessian, first) = there, found
    violation = float(max(0.0, slope.max(), (z / row.total * np.abs(slope)).max()))
    return z, hessian, (value, gap, violation, iteration)
