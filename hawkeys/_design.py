"""`Design`: the data of a Hawkes likelihood with a fixed kernel, as a batch of row problems.

The log-likelihood separates by target mark (and by realisation, if each is fitted alone). Block b
holds the events of one target: their excitations c_kj, which do not depend on the parameters, and
what the parameters cost: the time observed and the kernel integrals. Every method of inference and
the process itself work on this, whatever the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._jit import rows
from hawkeys._typing import FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.kernels import BlockLayout, Kernel

__all__ = ["Design"]


@dataclass(frozen=True, eq=False, slots=True)
class Design:
    """Row problems: maximise ``sum_k w_k log(x0 + sum_j x_j c_kj) - cost . x``, one per block.

    Attributes
    ----------
    excitation : ndarray of float64, shape (n_events * n_marks,)
        Block after block, each an (n_marks, block size) matrix of densities per unit of time.
    weights : ndarray of float64, shape (n_events,) or (0,)
        Likelihood weight of each event in block order; empty if all are 1.
    offsets : ndarray of int64, shape (n_blocks + 1,)
        Block b owns the events ``offsets[b]:offsets[b + 1]``.
    cost : ndarray of float64, shape (n_blocks, n_marks + 1)
        Weighted time observed, then the weighted kernel integral of each source.
    n_marks : int
        Number of marks D; n_blocks is D, or D times the number of realisations.
    """

    excitation: FloatArray
    weights: FloatArray
    offsets: IntArray
    cost: FloatArray
    n_marks: int

    @classmethod
    def build(
        cls, events: Events, kernel: Kernel, *, separate: bool = False, weight: float = 1.0
    ) -> Design:
        """Compute the excitations and costs of `events` under `kernel`.

        Realisations are pooled unless `separate`; `weight` multiplies the whole log-likelihood.
        """
        size = events.n_marks
        layout = BlockLayout.build(events, separate=separate)
        excitation = kernel.excitation(events, layout)
        integrals = kernel.integrals(events)
        if separate:
            integrals = integrals.reshape(-1, size)
            exposure = np.repeat(events.durations, size)
        else:
            integrals = integrals.sum(axis=0)
            exposure = np.full(size, events.durations.sum())
        cost = weight * np.column_stack((exposure, integrals))
        weights = np.full(events.n_events if weight != 1.0 else 0, weight)
        return cls(excitation, weights, layout.offsets, cost, size)

    @property
    def n_blocks(self) -> int:
        """Number of row problems."""
        return self.offsets.size - 1

    @property
    def counts(self) -> IntArray:
        """Number of events of each block, shape (n_blocks,)."""
        return np.diff(self.offsets)

    def log_likelihood(self, x: FloatArray) -> FloatArray:
        """Return the log-likelihood of each block at ``x`` (n_blocks, n_marks + 1)."""
        return rows.row_log_likelihood(self.excitation, self.weights, self.offsets, self.cost, x)

    def block(self, index: int) -> FloatArray:
        """Return the (n_marks, block size) excitation matrix of one block."""
        begin, end = self.n_marks * self.offsets[index : index + 2]
        return self.excitation[begin:end].reshape(self.n_marks, -1)
