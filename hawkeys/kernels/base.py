"""The contract of excitation kernels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._jit.layout import group_events
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError

__all__ = ["BlockLayout", "Kernel"]


@dataclass(frozen=True, slots=True)
class BlockLayout:
    """Where the excitation of each event goes: events grouped by block, a block per row problem.

    Attributes
    ----------
    stride : int
        Event k of realisation r and mark m belongs to block ``r * stride + m``: 0 pools the
        realisations, n_marks keeps each apart.
    slots : ndarray of int64, shape (n_events,)
        Position of each event in the order of the blocks.
    offsets : ndarray of int64, shape (n_blocks + 1,)
        Block b owns the positions ``offsets[b]:offsets[b + 1]``.
    """

    stride: int
    slots: IntArray
    offsets: IntArray

    @classmethod
    def build(cls, events: Events, *, separate: bool) -> BlockLayout:
        """Lay the events out in one block per mark, or per realisation and mark if `separate`."""
        stride = events.n_marks if separate else 0
        n_blocks = events.n_marks * (events.n_realizations if separate else 1)
        slots, offsets = group_events(events.marks, events.offsets, stride, n_blocks)
        return cls(stride, slots, offsets)


class Kernel(ABC):
    """Contract of an excitation kernel; g_ij is a density on u > 0 (Hawkes 1971)."""

    @property
    def known(self) -> bool:
        """Whether the parameters are given; if not, `hawkeys.fit` estimates them."""
        return True

    @abstractmethod
    def check_marks(self, n_marks: int) -> None:
        """Refuse unknown parameters, and a number of marks that the parameters do not fit."""

    @abstractmethod
    def excitation(self, events: Events, layout: BlockLayout) -> FloatArray:
        """Return c_ij = sum over earlier events of j of g_ij(lag), at each event of each mark i.

        Shape (n_events * n_marks,): block after block, each an (n_marks, block size) matrix.
        """

    @abstractmethod
    def integrals(self, events: Events) -> FloatArray:
        """Return K_ij = sum over events of j of G_ij(end - t), shape (n_realizations, D, D)."""

    @abstractmethod
    def excitation_at(
        self, events: Events, realization: int, times: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return c_ij and its integral from the start at sorted `times`, each (n_times, D, D)."""

    @abstractmethod
    def sample_lags(
        self, rng: np.random.Generator, targets: IntArray, sources: IntArray
    ) -> FloatArray:
        """Draw one lag from g_ij for each pair (targets[k], sources[k])."""

    def density(self, lags: ArrayLike) -> FloatArray:
        """Evaluate g for every pair the parameters distinguish; needed for plots alone.

        Parameters
        ----------
        lags : float or array_like, shape (n,)
            Lags; the density is 0 at lags <= 0.

        Returns
        -------
        ndarray of float64, shape (n, 1), (n, n_marks) or (n, n_marks * n_marks)
            Density per unit of time: one for all, by source, or by pair with sources fastest.

        Raises
        ------
        InvalidParameterError
            The kernel does not say.
        """
        raise InvalidParameterError(
            f"{type(self).__name__} has no method density, which plots need; write one."
        )

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the kernel as plain JSON types, with its class under "name"."""
