r"""The maximum of a profile over coordinates of the kernel, by Newton steps.

The profile, the log-likelihood maximised over baseline and adjacency, is climbed with its own
curvature :math:`S = C - \sum_i B_i^\top A_i^{-1} B_i`: A_i is the exact information of row i; B_i
(row by coordinates) and C (coordinates) follow exactly from how excitations and integrals change
with the coordinates, of which central differences tell. S is also the information of the
coordinates that is left beside everything else, and gives the standard errors.

References
----------
Ogata, Y. (1983). Estimation of the parameters in the modified Omori formula for aftershock
frequencies by the maximum likelihood procedure. Journal of Physics of the Earth 31, 115-124.
doi:10.4294/jpe1952.31.115
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from hawkeys._design import Design
from hawkeys._typing import BoolArray, FloatArray
from hawkeys.baselines import Constant
from hawkeys.inference.decay.coordinates import Joint
from hawkeys.inference.kernel.errors import regular_inverse
from hawkeys.inference.rows.newton import solve_mle
from hawkeys.inference.task import Task
from hawkeys.kernels import Exponential

__all__ = ["GAIN", "Near", "Search", "Top", "climb"]

_STEPS, _HALVINGS = 40, 30
# nats that a step must promise
GAIN = 1e-6
# of a coordinate, within which a maximum lies at the bound
_AT_EDGE = 1e-3


class Near(NamedTuple):
    """The log-likelihood near a point: its slope by phi (k,), and the blocks of the information."""

    slope: FloatArray
    rows: list[FloatArray]
    moves: list[tuple[FloatArray, FloatArray]]

    def curvature(self, x: FloatArray) -> FloatArray:
        """Return S (k, k), the rows estimated beside phi."""
        out = np.sum([own for _, own in self.moves], axis=0)
        for a, (b, _), x_i in zip(self.rows, self.moves, x, strict=True):
            inverse = np.nan_to_num(regular_inverse(a, x_i > 0))
            out = out - b.T @ inverse @ b
        return np.asarray(out)

    def with_factor(
        self, x: FloatArray, rates: Iterable[int], factor: float, shifts: FloatArray
    ) -> tuple[list[FloatArray], list[tuple[FloatArray, FloatArray]], FloatArray]:
        """Return blocks and columns (n_blocks, P) with other rates: these ones over a factor.

        Columns `rates` are divided by `factor`, whose logarithm changes with phi by `shifts` (k,).
        """
        which = np.zeros(x.shape[1], dtype=bool)
        which[list(rates)] = True
        scale = np.where(which, factor, 1.0)
        rows, moves = [], []
        for a, (b, own), x_i in zip(self.rows, self.moves, x, strict=True):
            moved = np.outer(np.where(which, x_i, 0.0), shifts)  # of the rates with phi
            rows.append(a * np.outer(scale, scale))
            mixed = b + a @ moved
            moves.append((scale[:, None] * mixed, own + moved.T @ b + b.T @ moved
                          + moved.T @ a @ moved))  # fmt: skip
        return rows, moves, x / scale


class _Sums(NamedTuple):
    """What a row problem at a point is to the rates elsewhere.

    Excited rates at the events (n,), sums over events of weight / rate times each column (P - 1,),
    and costs (P - 1,).
    """

    excited: FloatArray
    pulled: FloatArray
    cost: FloatArray

    @classmethod
    def of(cls, design: Design, index: int, x: FloatArray, pull: FloatArray) -> _Sums:
        """Return the sums of a row at its columns x, `pull` being weight / rate of each event."""
        block = design.block(index)
        return cls(x[1:] @ block, block @ pull, design.cost[index, 1:])

    def times(self, factor: float) -> _Sums:
        """Return a multiple."""
        return _Sums(*(factor * one for one in self))

    def plus(self, other: _Sums) -> _Sums:
        """Return a sum."""
        return _Sums(*(one + more for one, more in zip(self, other, strict=True)))


@dataclass(frozen=True, eq=False)
class Search:
    """Data, options of the row problems, and what is searched."""

    task: Task
    settings: Any
    joint: Joint

    def design(self, phi: FloatArray) -> Design:
        """Return the row problems at phi."""
        return self.joint.model_at(self.task, phi).design(self.joint.at(phi))

    def solve(self, phi: FloatArray, start: FloatArray | None = None) -> tuple[float, FloatArray]:
        """Return the profile at phi and the columns there, (n_blocks, P)."""
        return self._solve(self.design(phi), start)

    def _solve(self, design: Design, start: FloatArray | None) -> tuple[float, FloatArray]:
        seeds = np.empty(0, np.int64)
        near = np.empty((0, 0)) if start is None else start
        found = solve_mle(design, self.settings, seeds, keep=False, start=near)
        return float(found.objective.sum()), found.x

    def near(self, phi: FloatArray, x: FloatArray) -> Near:
        """Return slope and information at phi, the columns x being those of its maximum."""
        middle, size = self.design(phi), len(self.joint.coordinates)
        rates = [own @ middle.rows(b) for b, own in enumerate(x)]
        pulls = [middle.event_weights(b) / rate for b, rate in enumerate(rates)]

        def sums(*moves: tuple[int, int]) -> list[_Sums]:
            there = phi.copy()
            for k, sign in moves:
                there[k] += sign * self.joint.steps[k]
            design = self.design(there) if moves else middle
            return [_Sums.of(design, b, x[b], pulls[b]) for b in range(len(x))]

        here = sums()
        alone = self.joint.of_name("decays") if self._parts_alone else []
        sides = [
            self._sides_of_part(middle, (phi[k], k - alone[0]), x, pulls, self.joint.steps[k])
            if k in alone
            else (sums((k, 1)), here, sums((k, -1)))
            for k in range(size)
        ]
        # no column depends on two decays
        both = {
            (k, m): (sums((k, 1), (m, 1)), sums((k, -1), (m, -1)))
            for k in range(size)
            for m in range(k)
            if not (k in alone and m in alone)
        }
        parts = [
            self._row(here[b], [(up[b], own[b], down[b]) for up, own, down in sides],
                      {key: (up[b], down[b]) for key, (up, down) in both.items()})
            for b in range(len(x))
        ]  # fmt: skip
        found = [
            _derivatives(middle, b, x[b], (pulls[b], rates[b]), *part)
            for b, part in enumerate(parts)
        ]
        moves = [(mixed, own) for _, mixed, own in found]
        rows = [_information(middle, b, x[b]) for b in range(len(x))]
        return Near(np.sum([slope for slope, *_ in found], axis=0), rows, moves)

    @property
    def _parts_alone(self) -> bool:
        """Whether each of several decays has columns of its own."""
        return self.joint.productivity is None and self.task.ties is None

    def _sides_of_part(
        self,
        middle: Design,
        part: tuple[float, int],
        x: FloatArray,
        pulls: list[FloatArray],
        step: float,
    ) -> tuple[list[_Sums], list[_Sums], list[_Sums]]:
        """Return the sums of the columns of one decay, above it, at it and below it.

        `part` are its logarithm and its number. All other columns are as they are.
        """
        log, number = part
        where = middle.columns.adjacency[:, :, number]
        plain = replace(self.task, baseline=Constant())
        designs = [plain.design(Exponential(np.exp(log + s * step))) for s in (1.0, -1.0)]
        out: tuple[list[_Sums], ...] = ([], [], [])
        for b, columns in enumerate(where):
            sources = np.flatnonzero(columns >= 0)
            place = columns[sources] % (middle.n_columns + 1) - 1
            own = x[b, place + 1]
            blocks = [(design.block(b)[sources], design.cost[b, 1 + sources]) for design in designs]
            blocks.insert(1, (middle.block(b)[place], middle.cost[b, 1 + place]))
            for sums, (block, cost) in zip(out, blocks, strict=True):
                spread = np.zeros((2, middle.n_columns))
                spread[:, place] = block @ pulls[b], cost
                sums.append(_Sums(own @ block, *spread))
        return out[0], out[1], out[2]

    def _row(
        self,
        here: _Sums,
        sides: list[tuple[_Sums, _Sums, _Sums]],
        both: dict[tuple[int, int], tuple[_Sums, _Sums]],
    ) -> tuple[list[_Sums], dict[tuple[int, int], _Sums]]:
        """Return first and second derivatives of the sums of a row by the coordinates."""
        steps = self.joint.steps
        first = [
            up.plus(down.times(-1.0)).times(0.5 / step)
            for (up, _, down), step in zip(sides, steps, strict=True)
        ]
        bent = [up.plus(down).plus(own.times(-2.0)) for up, own, down in sides]
        nothing = here.times(0.0)
        second = {(k, m): nothing for k in range(steps.size) for m in range(steps.size)}
        second |= {(k, k): one.times(1.0 / steps[k] ** 2) for k, one in enumerate(bent)}
        for (k, m), (up, down) in both.items():
            across = up.plus(down).plus(here.times(-2.0))
            rest = across.plus(bent[k].times(-1.0)).plus(bent[m].times(-1.0))
            second[k, m] = second[m, k] = rest.times(0.5 / (steps[k] * steps[m]))
        return first, second

    def held(self, phi: FloatArray, slope: FloatArray) -> BoolArray:
        """Return which coordinates lie at a bound that the slope points beyond, (k,)."""
        low, high = self.joint.box
        return ((phi <= low + _AT_EDGE) & (slope < 0)) | ((phi >= high - _AT_EDGE) & (slope > 0))


def _information(design: Design, index: int, x: FloatArray) -> FloatArray:
    """Return the information of a row, 0 of what is held at a given value."""
    out = design.information(index, x)
    if design.held is not None:
        held = ~np.isnan(design.held[index])
        out[held], out[:, held] = 0.0, 0.0
    return out


def _derivatives(
    design: Design,
    index: int,
    x: FloatArray,
    at: tuple[FloatArray, FloatArray],
    first: list[_Sums],
    second: dict[tuple[int, int], _Sums],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the slope (k,) of a row's log-likelihood by phi, B (P, k) and C (k, k)."""
    pull, rate = at
    rows, weighted = design.rows(index), [one.excited * pull / rate for one in first]
    slope = np.array([one.excited @ pull - x[1:] @ one.cost for one in first])
    mixed = np.column_stack([rows @ one for one in weighted])
    for k, one in enumerate(first):
        mixed[1:, k] -= one.pulled - one.cost
    size = len(first)
    own = np.empty((size, size))
    for k in range(size):
        for m in range(size):
            bend = second[k, m]
            own[k, m] = first[k].excited @ weighted[m] - bend.excited @ pull + x[1:] @ bend.cost
    return slope, mixed, own


class Top(NamedTuple):
    """The maximum: phi, columns, value, derivatives, and what a step still promises."""

    phi: FloatArray
    x: FloatArray
    value: float
    near: Near
    gap: float


def climb(search: Search, phi: FloatArray) -> Top:
    """Go up from a point to the maximum nearby."""
    value, x = search.solve(phi)
    for _ in range(_STEPS):
        near = search.near(phi, x)
        move, gap = _newton(near, x, search.held(phi, near.slope))
        better = _line_search(search, (phi, x, value), move) if gap > GAIN else None
        if better is None:
            break
        phi, x, value = better
    return Top(phi, x, value, near, gap)


def _newton(near: Near, x: FloatArray, held: BoolArray) -> tuple[FloatArray, float]:
    """Return a step uphill of the coordinates that are not held, and the nats it promises."""
    move, free = np.zeros(held.size), np.flatnonzero(~held)
    if free.size == 0:
        return move, 0.0
    bend, vectors = np.linalg.eigh(near.curvature(x)[np.ix_(free, free)])
    # where the profile bends upwards, or hardly at all, a step as if it bent down as much
    bend = np.maximum(np.abs(bend), 1e-4 * max(float(np.abs(bend).max()), 1e-6))
    along = vectors.T @ near.slope[free]
    move[free] = vectors @ (along / bend)
    move /= max(1.0, float(np.abs(move).max()))
    return move, 0.5 * float(along @ (along / bend))


def _line_search(
    search: Search, at: tuple[FloatArray, FloatArray, float], move: FloatArray
) -> tuple[FloatArray, FloatArray, float] | None:
    """Return the first point along the move, halved until it is higher; None if none is."""
    phi, x, value = at
    for halving in range(_HALVINGS):
        there = np.clip(phi + 0.5**halving * move, *search.joint.box)
        found, columns = search.solve(there, x)
        if found > value:
            return there, columns, found
    return None
