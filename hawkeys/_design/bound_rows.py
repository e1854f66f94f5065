"""`BoundRows`: what variational inference asks of row problems, wherever their events are."""

from __future__ import annotations

from typing import Protocol, TypeVar

from hawkeys._typing import FloatArray, IntArray

__all__ = ["AnyRows", "BoundRows"]

AnyRows = TypeVar("AnyRows", bound="BoundRows")


class BoundRows(Protocol):
    """Row problems of which evidence bounds are raised: `Design`, or events on disk.

    Parameters of posteriors are (n_blocks, 2, P), locations and log scales; priors (n_blocks, 3, P)
    as in `hawkeys._jit.variational`; draws (n_draws, P).
    """

    @property
    def n_baselines(self) -> int:
        """How many of the first columns are baselines."""

    @property
    def cost(self) -> FloatArray:
        """Cost of each column, (n_blocks, P)."""

    @property
    def counts(self) -> IntArray:
        """Number of events of each block, (n_blocks,)."""

    @property
    def amounts(self) -> FloatArray:
        """Total weight of the events of each block, (n_blocks,)."""

    @property
    def n_blocks(self) -> int:
        """Number of row problems."""

    @property
    def n_blocks_each(self) -> int:
        """Number of row problems of one realisation if each is alone, else of all together."""

    def with_cost(self: AnyRows, cost: FloatArray) -> AnyRows:
        """Return the same row problems with other costs."""

    def raise_bound(
        self, prior: FloatArray, draws: FloatArray, start: FloatArray, limits: tuple[float, int]
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Raise every bound until a step promises no more than limits = (tolerance, max_iter).

        Returns parameters, report (n_blocks, 3) and traces as `hawkeys._loops.variational` has
        them.
        """

    def expected_log(self, draws: FloatArray, params: FloatArray) -> FloatArray:
        """Return the expected log intensities of the events of each block, summed, (n_blocks,)."""

    def bound_curvature(
        self, prior: FloatArray, draws: FloatArray, params: FloatArray
    ) -> FloatArray:
        """Return minus the second derivatives of every bound, (n_blocks, 2 P, 2 P)."""
