"""`Design`: the data of a Hawkes likelihood with a fixed kernel, as a batch of row problems.

The log-likelihood separates by target mark (and by realisation, if each is fitted alone). Block b
holds the events of one target: their excitations c_kj, which do not depend on the parameters, and
what the parameters cost: the time observed and the kernel integrals. Every method of inference and
the process itself work on this, whatever the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hawkeys._design.columns import ColumnMap
from hawkeys._design.ties import Ties
from hawkeys._design.wide_rows import merge_rows, weights_in_blocks, wide_rows
from hawkeys._linalg import factor
from hawkeys._loops import variational
from hawkeys._loops.choice import Compiled, perform
from hawkeys._plain import likelihood as plain
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys._validation import brief
from hawkeys.baselines import Baseline, Constant
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels import BlockLayout, Kernel
from hawkeys.kernels.base import TAIL

__all__ = ["Design", "row_values"]

# the row solver starts blocks of so many events on one in so many of them
_LONG, _STRIDE = 20_000, 64
# nanoseconds per event: of its logarithm, and of each column
_LOG, _COLUMN = 5, 1

jit = Compiled("likelihood")


@dataclass(frozen=True, eq=False, slots=True)
class Design:
    """Row problems: maximise ``sum_k w_k log(x0 + sum_j x_j c_kj) - cost . x``, one per block.

    In the plain model, one constant baseline per mark and one kernel, x0 is the baseline and the
    columns c are the sources. Baselines with several pieces, components of a kernel and shared
    parameters make other columns of the same problem; then x0 is held at 0, the baselines come
    first among the columns. `columns` says where each parameter is.

    Attributes
    ----------
    excitation : ndarray of float64, shape (n_events * n_columns,)
        Block after block, each an (n_columns, block size) matrix, in the plain model of densities
        per unit of time.
    weights : ndarray of float64, shape (n_events,) or (0,)
        Likelihood weight of each event in block order; empty if all are 1.
    offsets : ndarray of int64, shape (n_blocks + 1,)
        Block b owns the events ``offsets[b]:offsets[b + 1]``.
    cost : ndarray of float64, shape (n_blocks, n_columns + 1)
        Weighted time observed, then the weighted kernel integral of each source.
    n_marks : int
        Number of marks D; n_blocks is D, or D times the number of realisations, unless targets
        share parameters.
    excluded : ndarray of bool, shape (n_blocks, n_columns + 1), or None
        Parameters that are held at 0, whatever a prior says; None if there are none.
    n_baselines : int
        Number of columns of baselines, x0 included.
    held : ndarray of float64, shape (n_blocks, n_columns + 1), or None
        Values of the parameters that are given, NaN of those that are free; None if all are free.
    roughness : ndarray of float64, shape (n_blocks, rank, n_pieces), or None
        F of a penalty x' F' F x / 2 on the baseline columns behind x0; None if there is none.
    mapping : ColumnMap or None
        Where the parameters are, of each target or of each realisation and target; None in the
        plain model. `columns` is the map of any model.
    """

    excitation: FloatArray
    weights: FloatArray
    offsets: IntArray
    cost: FloatArray
    n_marks: int
    excluded: BoolArray | None = None
    n_baselines: int = 1
    held: FloatArray | None = None
    roughness: FloatArray | None = None
    mapping: ColumnMap | None = None

    @classmethod
    def build(
        cls,
        events: Events,
        kernel: Kernel,
        *,
        separate: bool = False,
        weight: float = 1.0,
        realization_weights: FloatArray | None = None,
        support: BoolArray | None = None,
        baseline: Baseline | None = None,
        ties: Ties | None = None,
    ) -> Design:
        """Compute the excitations and costs of `events` under `kernel`.

        Realisations are pooled unless `separate`. `weight` multiplies the whole log-likelihood,
        `realization_weights` (n_realizations,) that of each realisation; pooled ones of weight 0
        are left out. Pairs (target, source)
        outside `support` (n_marks, n_marks) neither excite nor cost, which leaves their parameters
        at 0. The `baseline` is constant unless given; `ties` make parameters one.
        """
        if realization_weights is not None and not separate:
            counts = realization_weights > 0  # a weight of 0 means not there
            if not counts.all():
                events, realization_weights = events[counts], realization_weights[counts]
        scale = np.full(events.n_realizations, float(weight))
        if realization_weights is not None:
            scale = scale * realization_weights
        constant = baseline is None or isinstance(baseline, Constant)
        if not constant or ties is not None or len(kernel.components) > 1:
            model = baseline or Constant(), ties
            return cls._wide(events, kernel, scale, support, model, separate=separate)
        layout = BlockLayout.build(events, separate=separate)
        kernel.check_marks(events.n_marks)
        excitation = kernel.excitation(events, layout)
        integrals = kernel.integrals_beside(events, layout, excitation)
        cost = _cost(events, integrals, scale, kernel, separate=separate)
        weights = weights_in_blocks(layout, scale) if (scale != 1.0).any() else np.empty(0)
        design = cls(excitation, weights, layout.offsets, cost, events.n_marks)
        return design if support is None else design._within(support)

    def _within(self, support: BoolArray) -> Design:
        """Return the plain row problems without pairs outside `support`; arrays are overwritten."""
        size, n_repeats = self.n_marks, self.n_blocks // self.n_marks
        one = np.column_stack((np.zeros(size, bool), ~support))
        excluded = np.tile(one, (n_repeats, 1))
        self.cost[excluded] = 0.0
        for b in range(self.n_blocks):
            self.block(b)[excluded[b, 1:]] = 0.0
        return replace(self, excluded=excluded)

    @classmethod
    def _wide(
        cls,
        events: Events,
        kernel: Kernel,
        scale: FloatArray,
        support: BoolArray | None,
        model: tuple[Baseline, Ties | None],
        *,
        separate: bool,
    ) -> Design:
        """Return the row problems of a model that is not the plain one."""
        baseline, ties = model
        parts = kernel.components
        for part in parts:
            part.check_marks(events.n_marks)
        one_by_one = wide_rows(events, parts, baseline, scale, support, separate=separate)
        merged, columns = merge_rows(one_by_one, ties, len(parts))
        return cls(
            merged.excitation,
            merged.weights,
            merged.offsets,
            merged.cost,
            events.n_marks,
            merged.excluded,
            merged.n_baselines + 1,
            mapping=columns,
        )

    def hold_baselines(self, rates: FloatArray) -> Design:
        """Return these row problems with the baselines held at `rates`, (n_marks, n_pieces).

        Raises
        ------
        InvalidParameterError
            Baselines that are tied have different rates.
        """
        where = self.columns.baseline
        given = np.tile(rates, (len(where) // len(rates), 1))
        held = np.full(self.cost.shape, np.nan)
        held.ravel()[where] = given
        if not (held.ravel()[where] == given).all():
            raise InvalidParameterError(
                f"tied baselines have one value, but the rates given are {brief(rates)}. Give the "
                "same rates, or leave the baselines out of tied."
            )
        return replace(self, held=held)

    def smoothed(self, matrix: FloatArray, smoothing: FloatArray) -> Design:
        """Return these row problems with a penalty on the baseline columns of each target.

        `matrix` (n_pieces, n_pieces) is that of `Baseline.roughness`, `smoothing` (n_marks,) its
        weights. No parameters are tied.
        """
        weights = np.tile(smoothing, self.n_blocks // smoothing.size)
        return replace(self, roughness=np.sqrt(weights)[:, None, None] * factor(matrix))

    def n_impossible(self) -> IntArray:
        """Return how many events of each block no parameter can make possible, (n_blocks,)."""
        free = self.cost > 0.0 if self.held is None else (self.cost > 0.0) & np.isnan(self.held)
        able = free if self.held is None else free | (self.held > 0.0)
        seen = [(self.rows(b)[able[b]] > 0.0).any(axis=0) for b in range(self.n_blocks)]
        return np.array([
            np.count_nonzero(~seen[b] & (self.event_weights(b) > 0.0)) for b in range(self.n_blocks)
        ])  # fmt: skip

    def may_have_unseen(self, most: float) -> bool:
        """Tell whether `without_unseen` can find any; no source's events weigh more than `most`."""
        return bool(((self.cost > 0.0) & (self.cost < TAIL * most)).any())

    def without_unseen(self, weighted_counts: FloatArray) -> Design:
        """Return these row problems without pairs of whose kernel the windows show next to nothing.

        A lag longer than every window leaves a mass within the windows of 1e-100, say, and an
        estimate of 1e100 events. Where the mass is below 1e-12 of the kernel's, what is cut at its
        end elsewhere, the pair neither excites nor costs. `weighted_counts` are those of the
        sources' events, (1, n_marks), or (n_realizations, n_marks) if each has its own blocks.
        """
        full, where = np.zeros_like(self.cost), self.columns.adjacency
        counts = np.repeat(weighted_counts, len(where) // len(weighted_counts), axis=0)
        each = np.broadcast_to(counts[:, :, None], where.shape)
        np.add.at(full.ravel(), where[where >= 0], each[where >= 0])
        unseen = (self.cost > 0.0) & (self.cost < TAIL * full)
        if not unseen.any():
            return self
        out = replace(
            self,
            excitation=self.excitation.copy(),
            cost=np.where(unseen, 0.0, self.cost),
        )
        for b in np.flatnonzero(unseen.any(axis=1)):
            out.block(int(b))[unseen[b, 1:]] = 0.0
        return out

    @property
    def columns(self) -> ColumnMap:
        """Where the parameters are, of each target or of each realisation and target."""
        if self.mapping is None:
            return ColumnMap.plain(self.n_marks, len(self.cost))
        return self.mapping

    @property
    def is_plain(self) -> bool:
        """Whether the columns are the parameters of the targets, side by side."""
        return self.mapping is None or self.mapping.is_plain

    def by_target(self, values: BoolArray) -> BoolArray:
        """Return what is told of row problems (n_blocks,) for the targets that they are of."""
        return values if self.mapping is None else values[self.mapping.blocks]

    @property
    def n_columns(self) -> int:
        """Number of columns besides x0; the number of marks in the plain model."""
        return self.cost.shape[1] - 1

    @property
    def n_blocks(self) -> int:
        """Number of row problems."""
        return self.offsets.size - 1

    @property
    def n_blocks_each(self) -> int:
        """Number of row problems of one realisation if each is alone, else of all together."""
        if self.mapping is None:
            return self.n_marks
        return self.n_blocks * self.n_marks // len(self.mapping.blocks)

    @property
    def counts(self) -> IntArray:
        """Number of events of each block, shape (n_blocks,)."""
        return np.diff(self.offsets)

    @property
    def amounts(self) -> FloatArray:
        """Total weight of the events of each block, shape (n_blocks,)."""
        if not self.weights.size:
            return self.counts.astype(np.float64)
        return np.diff(np.concatenate(([0.0], np.cumsum(self.weights)))[self.offsets])

    def with_cost(self, cost: FloatArray) -> Design:
        """Return the same row problems with other costs."""
        return replace(self, cost=cost)

    def raise_bound(
        self, prior: FloatArray, draws: FloatArray, start: FloatArray, limits: tuple[float, int]
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Raise every evidence bound; see `BoundRows`."""
        return variational.raise_rows(
            self.excitation,
            self.weights,
            self.offsets,
            self.cost,
            prior,
            draws,
            start,
            np.array(limits, dtype=np.float64),
        )

    def expected_log(self, draws: FloatArray, params: FloatArray) -> FloatArray:
        """Return the expected log intensities of each block's events, summed, (n_blocks,)."""
        return variational.expected_log_rows(
            self.excitation, self.weights, self.offsets, draws, params
        )

    def bound_curvature(
        self, prior: FloatArray, draws: FloatArray, params: FloatArray
    ) -> FloatArray:
        """Return minus the second derivatives of every bound, (n_blocks, 2 P, 2 P)."""
        return variational.curvature_rows(
            self.excitation, self.weights, self.offsets, self.cost, prior, draws, params
        )

    def log_likelihood(self, x: FloatArray) -> FloatArray:
        """Return the log-likelihood of each block at ``x`` (n_blocks, n_columns + 1)."""
        data = self.excitation, self.weights, self.offsets
        return row_values(data, self.cost, x, np.empty((x.shape[0], 0)))

    def value_and_gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the log-likelihood of each block and its gradient, (n_blocks, n_columns + 1)."""
        gradient = np.zeros(self.cost.shape)
        data = self.excitation, self.weights, self.offsets
        return row_values(data, self.cost, x, gradient), gradient

    def spread(self) -> Design:
        """Return these row problems, the events of long blocks in another order: every 64th first.

        The row solver starts on the first part of a long block. In the order of time, or
        target after target, these would all be of one baseline piece, or of one target.
        """
        if self.counts.max(initial=0) < _LONG or self.is_plain:
            return self
        order = np.concatenate([
            begin + np.argsort(np.arange(n) % _STRIDE if n >= _LONG else np.zeros(n), kind="stable")
            for begin, n in zip(self.offsets[:-1], self.counts, strict=True)
        ])  # fmt: skip
        out = replace(
            self,
            excitation=np.empty_like(self.excitation),
            weights=self.weights[order] if self.weights.size else self.weights,
        )
        for b in range(self.n_blocks):
            begin, end = self.offsets[b : b + 2]
            np.take(self.block(b), order[begin:end] - begin, axis=1, out=out.block(b))
        return out

    def block(self, index: int) -> FloatArray:
        """Return the (n_columns, block size) excitation matrix of one block."""
        begin, end = self.n_columns * self.offsets[index : index + 2]
        return self.excitation[begin:end].reshape(self.n_columns, -1)

    def rows(self, index: int) -> FloatArray:
        """Return all columns of one block, the constant first, (n_columns + 1, block size)."""
        block = self.block(index)
        return np.vstack((np.ones(block.shape[1]), block))

    def event_weights(self, index: int) -> FloatArray:
        """Return the likelihood weight of each event of one block, (block size,)."""
        begin, end = self.offsets[index : index + 2]
        return self.weights[begin:end] if self.weights.size else np.ones(end - begin)

    def information(self, index: int, x: FloatArray) -> FloatArray:
        """Return minus the second derivatives of one block's log-likelihood at x, (P, P)."""
        rows = self.rows(index)
        return (rows * (self.event_weights(index) / (x @ rows) ** 2)) @ rows.T


def row_values(
    data: tuple[FloatArray, FloatArray, IntArray],
    cost: FloatArray,
    x: FloatArray,
    gradient: FloatArray,
) -> FloatArray:
    """Return sum_k w_k log(v_k . x) - cost . x of every row problem, shape (n_blocks,).

    `data` are excitation, weights and offsets. `gradient` (n_blocks, P) comes filled with zeros and
    leaves with the gradients; (n_blocks, 0) asks for none.
    """
    out = np.empty(cost.shape[0])
    work = _LOG * data[2][-1] + _COLUMN * data[0].size
    given = data, cost, x, out, gradient
    size = data[0].size
    perform(plain.row_values, jit, given, size, n_rows=out.size, n_parts=out.size, work=work)
    return out


def _cost(
    events: Events, integrals: FloatArray, scale: FloatArray, kernel: Kernel, *, separate: bool
) -> FloatArray:
    """Return the weighted exposure and kernel integrals of each block."""
    size, time, observed = events.n_marks, scale * events.durations, kernel.observed
    if separate:
        exposure = np.repeat(time, size) * (1.0 if observed is None else observed.ravel())
        return np.column_stack((exposure, (scale[:, None, None] * integrals).reshape(-1, size)))
    one = scale.size == 1  # a sum of one term, without the detour of tensordot
    weighted = scale[0] * integrals[0] if one else np.tensordot(scale, integrals, axes=1)
    exposure = np.full(size, scale @ events.durations) if observed is None else time @ observed
    return np.column_stack((exposure, weighted))
