"""Penalties by column of row problems, and values of pairs spread over columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hawkeys._design import Design
from hawkeys._typing import FloatArray, IntArray
from hawkeys.exceptions import InvalidParameterError

__all__ = ["PenaltyTerms", "spread", "spread_labels"]


class PenaltyTerms(NamedTuple):
    """A penalty by column of row problems.

    Attributes
    ----------
    slope : ndarray of float64, shape (n_blocks, n_columns)
        What is added to the cost of each column.
    ridge : ndarray of float64, shape (n_blocks, n_columns)
        Weight of half the square.
    group : ndarray of int64, shape (n_blocks, n_columns)
        Group of each column, -1 for none.
    strength : ndarray of float64, shape (n_groups,)
        Weight of the norm of each group.
    """

    slope: FloatArray
    ridge: FloatArray
    group: IntArray
    strength: FloatArray

    @property
    def plain(self) -> bool:
        """Whether the penalty is linear, as it is if it has no ridge and no groups."""
        return not self.ridge.any() and self.strength.size == 0


def _columns(design: Design) -> IntArray:
    """Return the flat column index of each pair and component, -1 if held at 0.

    Shape (n_realisations, n_marks, n_marks, n_components), with one realisation if all are pooled.
    """
    adjacency = design.columns.adjacency
    return adjacency.reshape(-1, design.n_marks, *adjacency.shape[1:])


def spread(values: FloatArray, design: Design) -> FloatArray:
    """Return values of pairs summed over the pairs of each column, (n_blocks, n_columns + 1)."""
    out = np.zeros(design.cost.size + 1)  # the last takes what is held at 0
    index = _columns(design)
    np.add.at(out, index, np.broadcast_to(values[None, :, :, None], index.shape))
    return out[:-1].reshape(design.cost.shape)


def spread_labels(labels: IntArray, design: Design) -> IntArray:
    """Return labels of pairs by column, other ones for each realisation fitted alone.

    Raises
    ------
    InvalidParameterError
        A column that several pairs share has several labels.
    """
    index = _columns(design)
    shift = (labels.max() + 1) * np.arange(len(index))
    wanted = np.where(labels >= 0, labels + shift[:, None, None], -1)[..., None]
    wanted = np.broadcast_to(wanted, index.shape)
    out = np.full(design.cost.size + 1, -1)
    out[index] = wanted
    if (out[index] != wanted)[index >= 0].any():
        raise InvalidParameterError(
            "GroupLasso: a parameter that several pairs share must be in one group; give those "
            "pairs the same number in groups."
        )
    return out[:-1].reshape(design.cost.shape)
