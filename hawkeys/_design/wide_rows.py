"""Row problems with further columns: baseline pieces, kernel components, shared parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hawkeys._design.columns import ColumnMap
from hawkeys._design.ties import Ties
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.baselines import Baseline
from hawkeys.baselines.checks import checked_integrals
from hawkeys.events import Events
from hawkeys.kernels import BlockLayout, Kernel

__all__ = ["WideRows", "merge_rows", "weights_in_blocks", "wide_rows"]


class WideRows(NamedTuple):
    """Arrays of a `Design` whose column 0, the constant, is not used.

    Behind it come `n_baselines` columns of baselines, then those of adjacencies. There are
    `n_marks` row problems, or as many for each realisation, unless targets were merged.
    """

    excitation: FloatArray
    weights: FloatArray
    offsets: IntArray
    cost: FloatArray
    excluded: BoolArray
    n_baselines: int
    n_marks: int

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
    *,
    separate: bool = False,
) -> WideRows:
    """Return one row problem per mark: baseline pieces, then the sources of each component.

    `scale` (n_realizations,) weighs the realisations; pairs outside `support` are held at 0. With
    `separate`, there is one row problem per realisation and mark.
    """
    size, n_pieces = events.n_marks, baseline.n_pieces
    layout = BlockLayout.build(events, separate=separate)
    cost = _costs(events, components, baseline, scale, separate=separate)
    excluded = np.zeros(cost.shape, dtype=bool)
    excluded[:, 0] = True
    if support is not None:
        n_repeats = len(cost) // size
        excluded[:, 1 + n_pieces :] = np.tile(~support, (n_repeats, len(components)))
        cost[excluded] = 0.0
    weights = weights_in_blocks(layout, scale) if (scale != 1.0).any() else np.empty(0)
    excitation = np.empty((cost.shape[1] - 1) * events.n_events)
    rows = WideRows(excitation, weights, layout.offsets, cost, excluded, n_pieces, size)
    _fill(rows, events, components, baseline, layout)
    for b in range(len(cost) if support is not None else 0):
        rows.block(b)[excluded[b, 1:]] = 0.0
    return rows


def weights_in_blocks(layout: BlockLayout, scale: FloatArray) -> FloatArray:
    """Return the weight of each event in the order of the blocks, given those of realisations."""
    out = np.empty(layout.events.n_events)
    out[layout.slots] = scale[layout.events.realization]
    return out


def _costs(
    events: Events,
    components: Sequence[Kernel],
    baseline: Baseline,
    scale: FloatArray,
    *,
    separate: bool,
) -> FloatArray:
    """Return what the columns of each row problem cost, the unused constant nothing."""
    size = events.n_marks
    spans = checked_integrals(baseline, events.start_times, events.end_times)
    exposure = scale[:, None] * spans
    integrals = [scale[:, None, None] * kernel.integrals(events) for kernel in components]
    observed = components[0].observed
    if not separate:
        integrals = [part.sum(axis=0) for part in integrals]
        exposure = (
            exposure.sum(axis=0, keepdims=True)
            if observed is None
            else observed.T.astype(np.float64) @ exposure
        )
    elif observed is not None:
        exposure = (observed[:, :, None] * exposure[:, None, :]).reshape(-1, spans.shape[1])
    rows = exposure if observed is not None else np.repeat(exposure, size, axis=0)
    return np.column_stack((np.zeros(len(rows)), rows, *(p.reshape(-1, size) for p in integrals)))


def _fill(
    rows: WideRows,
    events: Events,
    components: Sequence[Kernel],
    baseline: Baseline,
    layout: BlockLayout,
) -> None:
    """Write the columns at the events: baseline pieces, then the excitations by component."""
    size, n_pieces, offsets = rows.n_marks, rows.n_baselines, rows.offsets
    pieces = np.empty((n_pieces, events.n_events))
    ends = events.end_times[events.realization]
    pieces[:, layout.slots] = baseline.basis_within(events.times, ends).T
    parts = [kernel.excitation(events, layout) for kernel in components]
    for b in range(offsets.size - 1):
        begin, end = offsets[b : b + 2]
        block = rows.block(b)
        block[:n_pieces] = pieces[:, begin:end]
        for u, part in enumerate(parts):
            first = n_pieces + u * size
            block[first : first + size] = part[size * begin : size * end].reshape(size, -1)


def merge_rows(rows: WideRows, ties: Ties | None, n_components: int) -> tuple[WideRows, ColumnMap]:
    """Return the row problems in which tied parameters are one column, and where they are.

    Targets that share a parameter become one row problem, in each realisation if they are
    separate. Columns are padded with zeros to the same number of baselines and of adjacencies in
    each.
    """
    n_rows, width = rows.cost.shape
    if ties is None:
        columns = np.arange(n_rows)[:, None] * width + np.arange(1, width)
        return rows, _map(rows, columns, width)
    names = ties.identities(rows.n_baselines, n_components)
    once = _connected(np.concatenate(names, axis=1))
    each, widths = _local_columns(names, once)
    repeat = np.arange(n_rows // rows.n_marks)
    group = ((once.max() + 1) * repeat[:, None] + once).ravel()
    local = np.tile(each, (repeat.size, 1))
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
    """Return where parameters are, given the flat index of each column, (n_rows, F)."""
    size, n_pieces = rows.n_marks, rows.n_baselines
    pairs = np.where(rows.excluded[:, 1 + n_pieces :], -1, columns[:, n_pieces:])
    by_component = pairs.reshape(len(pairs), -1, size).transpose(0, 2, 1)
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
        n_marks=rows.n_marks,
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
