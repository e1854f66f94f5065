"""Row problems with further columns: baseline pieces, kernel components, shared parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hawkeys._design.columns import ColumnMap
from hawkeys._design.ties import Ties
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.baselines import Baseline
from hawkeys.events import Events
from hawkeys.kernels import BlockLayout, Kernel

__all__ = ["WideRows", "merge_rows", "wide_rows"]


class WideRows(NamedTuple):
    """Arrays of a `Design` whose column 0, the constant, is not used.

    Behind it come `n_baselines` columns of baselines, then those of adjacencies.
    """

    excitation: FloatArray
    weights: FloatArray
    offsets: IntArray
    cost: FloatArray
    excluded: BoolArray
    n_baselines: int

    def block(self, index: int) -> FloatArray:
        """Return the matrix of one block, without the constant."""
        height = self.cost.shape[1] - 1
        begin, end = height * self.offsets[index : index + 2]
        return self.excitation[begin:end].reshape(height, -1)


def wide_rows(
    events: Events,
    components: Sequence[Kernel],
    baseline: Baseline,
    scale: FloatArray,
    support: BoolArray | None,
) -> WideRows:
    """Return one row problem per mark: baseline pieces, then the sources of each component.

    `scale` (n_realizations,) weighs the realisations; pairs outside `support` are held at 0.
    """
    size, n_pieces = events.n_marks, baseline.n_pieces
    layout = BlockLayout.build(events, separate=False)
    slots = layout.slots
    exposure = scale @ baseline.integrals(events.start_times, events.end_times)
    integrals = [np.tensordot(scale, kernel.integrals(events), axes=1) for kernel in components]
    cost = np.column_stack((np.zeros(size), np.tile(exposure, (size, 1)), *integrals))
    excluded = np.zeros(cost.shape, dtype=bool)
    excluded[:, 0] = True
    if support is not None:
        excluded[:, 1 + n_pieces :] = np.tile(~support, (1, len(components)))
        cost[excluded] = 0.0
    weights = np.empty(0)
    if (scale != 1.0).any():
        weights = np.empty(events.n_events)
        weights[slots] = scale[events.realization]
    excitation = np.empty((cost.shape[1] - 1) * events.n_events)
    rows = WideRows(excitation, weights, layout.offsets, cost, excluded, n_pieces)
    pieces = np.empty((n_pieces, events.n_events))
    pieces[:, slots] = baseline.basis(events.times).T
    for i in range(size):
        rows.block(i)[:n_pieces] = pieces[:, slice(*layout.offsets[i : i + 2])]
    for u, kernel in enumerate(components):
        part = kernel.excitation(events, layout)
        first = n_pieces + u * size
        for i in range(size):
            begin, end = size * layout.offsets[i : i + 2]
            rows.block(i)[first : first + size] = part[begin:end].reshape(size, -1)
    for i in range(size if support is not None else 0):
        rows.block(i)[excluded[i, 1:]] = 0.0
    return rows


def merge_rows(rows: WideRows, ties: Ties | None, n_components: int) -> tuple[WideRows, ColumnMap]:
    """Return the row problems in which tied parameters are one column, and where they are.

    Targets that share a parameter become one row problem. Columns are padded with zeros to the
    same number of baselines and of adjacencies in each.
    """
    size, n_pieces = rows.cost.shape[0], rows.n_baselines
    if ties is None:
        width = rows.cost.shape[1]
        columns = np.arange(size)[:, None] * width + np.arange(1, width)
        return rows, _map(rows, columns, width)
    names = ties.identities(n_pieces, n_components)
    group = _connected(np.concatenate(names, axis=1))
    local, widths = _local_columns(names, group)
    target = _empty_like(rows, group, widths)
    done = np.zeros(target.offsets.size - 1, dtype=np.int64)
    order = np.argsort(group, kind="stable")
    for i in order:
        g = group[i]
        n = rows.offsets[i + 1] - rows.offsets[i]
        np.add.at(target.block(g)[:, done[g] : done[g] + n], local[i] - 1, rows.block(i))
        done[g] += n
        used = ~rows.excluded[i, 1:]
        np.add.at(target.cost[g], local[i][used], rows.cost[i, 1:][used])
        target.excluded[g, local[i][used]] = False
    if rows.weights.size:
        parts = [rows.weights[rows.offsets[i] : rows.offsets[i + 1]] for i in order]
        target = target._replace(weights=np.concatenate(parts))
    width = target.cost.shape[1]
    return target, _map(rows, group[:, None] * width + local, width)


def _map(rows: WideRows, columns: IntArray, width: int) -> ColumnMap:
    """Return where parameters are, given the flat index of each natural column, (D, F)."""
    size, n_pieces = rows.cost.shape[0], rows.n_baselines
    pairs = np.where(rows.excluded[:, 1 + n_pieces :], -1, columns[:, n_pieces:])
    by_component = pairs.reshape(size, -1, size).transpose(0, 2, 1)
    return ColumnMap(columns[:, :n_pieces].copy(), np.ascontiguousarray(by_component), width)


def _empty_like(rows: WideRows, group: IntArray, widths: tuple[int, int]) -> WideRows:
    n_groups, height = int(group.max()) + 1, sum(widths)
    counts = np.bincount(group, weights=np.diff(rows.offsets)).astype(np.int64)
    return WideRows(
        excitation=np.zeros(height * int(rows.offsets[-1])),
        weights=np.empty(0),
        offsets=np.concatenate(([0], np.cumsum(counts))),
        cost=np.zeros((n_groups, height + 1)),
        excluded=np.ones((n_groups, height + 1), dtype=bool),
        n_baselines=widths[0],
    )


def _connected(names: IntArray) -> IntArray:
    """Return the number of each row's group: rows with a name in common are in one group."""
    group = np.arange(len(names))
    while True:
        lowest = np.full(names.max() + 1, len(names))
        np.minimum.at(lowest, names, group[:, None])
        joined = lowest[names].min(axis=1)
        if (joined == group).all():
            return np.unique(group, return_inverse=True)[1]
        group = joined


def _local_columns(
    names: tuple[IntArray, IntArray], group: IntArray
) -> tuple[IntArray, tuple[int, int]]:
    """Return each parameter's column in its group's row problem, and the width of both parts."""
    parts = []
    for part in names:
        local = np.empty_like(part)
        for g in range(int(group.max()) + 1):
            members = np.flatnonzero(group == g)
            found = np.unique(part[members], return_inverse=True)[1]
            local[members] = found.reshape(members.size, -1)
        parts.append(local)
    widths = int(parts[0].max()) + 1, int(parts[1].max()) + 1
    return np.concatenate((parts[0] + 1, parts[1] + 1 + widths[0]), axis=1), widths
