"""`ColumnMap`: which column of which row problem each parameter of a process is.

In the plain model, one constant baseline per mark and one kernel, the columns of row problem i are
the baseline and the adjacency row of mark i. In richer ones a baseline has several pieces, an
adjacency entry is the sum of the columns of a mixture, and parameters share columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._linalg import FLAT, SHARE, scaled_directions
from hawkeys._typing import BoolArray, FloatArray, IntArray

__all__ = ["ColumnMap", "FittedColumns"]


@dataclass(frozen=True, eq=False, slots=True)
class ColumnMap:
    """Where parameters are in arrays of shape (n_blocks, n_columns).

    If every realisation has row problems of its own, n_marks targets of each follow one another,
    and n_targets is n_realizations * n_marks.

    Attributes
    ----------
    baseline : ndarray of int64, shape (n_targets, n_pieces)
        Index of each baseline piece in the flattened array.
    adjacency : ndarray of int64, shape (n_targets, n_marks, n_components)
        The same of each pair (target, source) and component of the kernel; -1 if held at 0.
    n_columns : int
        Number of columns of each row problem.
    """

    baseline: IntArray
    adjacency: IntArray
    n_columns: int

    @classmethod
    def plain(cls, n_marks: int, n_targets: int | None = None) -> ColumnMap:
        """Return the map of the plain model: a target's baseline and adjacency row side by side."""
        columns = np.arange((n_targets or n_marks) * (n_marks + 1)).reshape(-1, n_marks + 1)
        return cls(columns[:, :1], columns[:, 1:, None], n_marks + 1)

    @property
    def is_plain(self) -> bool:
        """Whether the columns are the parameters of the targets, side by side."""
        n_targets, n_marks, n_components = self.adjacency.shape
        if self.n_pieces > 1 or n_components > 1 or self.n_columns != n_marks + 1:
            return False
        return bool((self.identities.ravel() == np.arange(n_targets * self.n_columns)).all())

    @property
    def blocks(self) -> IntArray:
        """Row problem of each target, shape (n_targets,)."""
        return self.baseline[:, 0] // self.n_columns

    @property
    def n_pieces(self) -> int:
        """Number of pieces of each baseline."""
        return self.baseline.shape[1]

    @property
    def n_components(self) -> int:
        """Number of components of the kernel that have a column each."""
        return self.adjacency.shape[2]

    @property
    def identities(self) -> IntArray:
        """A number for each parameter, (n_targets, P), the same if they are one; -1: held at 0."""
        return np.column_stack((self.baseline, self.adjacency[:, :, 0]))

    def scatter(
        self, out: FloatArray, names: IntArray, values: FloatArray, wanted: BoolArray
    ) -> None:
        """Write the values of some parameters, named in increasing order, wherever wanted."""
        if names.size == 0:
            return
        place = np.minimum(np.searchsorted(names, self.identities), names.size - 1)
        hit = wanted & (names[place] == self.identities)
        out[hit] = values[place[hit]]

    def rates(self, values: FloatArray) -> FloatArray:
        """Return the baseline pieces, shape (n_marks, n_pieces), among values of columns."""
        return values.ravel()[self.baseline]

    def mixture(self, values: FloatArray) -> FloatArray:
        """Return the adjacency by component, shape (n_marks, n_marks, n_components)."""
        return np.append(values.ravel(), 0.0)[self.adjacency]

    def parameters(self, values: FloatArray) -> FloatArray:
        """Return baseline pieces and adjacency, (n_marks, n_pieces + n_marks), given values."""
        return np.column_stack((self.rates(values), self.mixture(values).sum(axis=2)))

    def any_of(self, flags: BoolArray) -> BoolArray:
        """Return for which parameters some column is flagged, (n_marks, n_pieces + n_marks)."""
        return self.parameters(flags.astype(np.float64)) > 0

    def shares(self, values: FloatArray) -> FloatArray:
        """Return each component's share of its pair, equal shares where the adjacency is 0."""
        parts = self.mixture(values)
        total = parts.sum(axis=2, keepdims=True)
        return np.where(total > 0, parts, 1.0) / np.where(total > 0, total, self.n_components)

    def matrix(self, target: int) -> FloatArray:
        """Return the map from columns to a target's parameters, (n_pieces + D, n_columns)."""
        n_pieces, n_marks = self.n_pieces, self.adjacency.shape[1]
        out = np.zeros((n_pieces + n_marks, self.n_columns + 1))
        out[np.arange(n_pieces), self.baseline[target] % self.n_columns] = 1.0
        where = self.adjacency[target]
        columns = np.where(where >= 0, where % self.n_columns, self.n_columns)
        np.add.at(out, (n_pieces + np.arange(n_marks)[:, None], columns), 1.0)
        return out[:, :-1]

    def n_distinct_pairs(self, kept: BoolArray) -> int:
        """Return how many different pairs there are among those kept, (n_marks, n_marks)."""
        return int(np.unique(self.adjacency[kept][:, 0]).size)


@dataclass(frozen=True, eq=False)
class FittedColumns:
    """Estimates by column, from which a result derives what its parameters share.

    Attributes
    ----------
    map : ColumnMap
        Where the parameters are.
    estimates : ndarray of float64, shape (n_blocks, n_columns)
        Values of the columns.
    used : ndarray of bool, shape (n_blocks, n_columns)
        Columns that are estimated.
    flat : float
        Curvature, relative to the largest, below which a direction counts as flat.
    """

    map: ColumnMap
    estimates: FloatArray
    used: BoolArray
    flat: float = FLAT

    def covariance(self, information: FloatArray, meat: FloatArray | None = None) -> FloatArray:
        """Return the covariance of each target's parameters, columns at 0 held there.

        Shape (n_marks, P, P) with P = n_pieces + n_marks. What flat directions exchange has no
        covariance; sums that they leave unchanged have one. With `meat`, the covariance of the
        scores of each row problem, it stands between two inverses of the information.
        """
        inverses = [self._inverse(information, b)[0] for b in range(len(self.used))]
        if meat is not None:
            inverses = [bread @ part @ bread for bread, part in zip(inverses, meat, strict=True)]
        out = []
        for i, b in enumerate(self.map.blocks):
            matrix = self.map.matrix(i)
            out.append(matrix @ inverses[b] @ matrix.T)
        return np.array(out)

    def identified(self, information: FloatArray) -> BoolArray:
        """Return which parameters, (n_marks, P), the data determine."""
        flat = [self._inverse(information, b)[1] for b in range(len(self.used))]
        out = self.map.any_of(self.used)
        for i, b in enumerate(self.map.blocks):
            moved = np.abs(self.map.matrix(i) @ flat[b]).max(axis=1, initial=0.0)
            out[i] &= moved <= SHARE
        return out

    def counted(self, *, chosen: bool) -> BoolArray:
        """Return the columns estimated, less those of pairs at 0 if pairs were `chosen`."""
        if not chosen:
            return self.used
        pairs = np.zeros(self.estimates.size, dtype=bool)
        pairs[self.map.adjacency[self.map.adjacency >= 0]] = True
        at_zero: BoolArray = self.estimates == 0.0
        return self.used & ~(at_zero & pairs.reshape(at_zero.shape))

    def n_determined(self, information: FloatArray, *, chosen: bool = False) -> int:
        """Return the number of columns counted, less the flat directions among them."""
        flat = sum(self._inverse(information, b)[1].shape[1] for b in range(len(self.used)))
        return int(self.counted(chosen=chosen).sum()) - flat

    def _inverse(self, information: FloatArray, block: int) -> tuple[FloatArray, FloatArray]:
        """Return the inverse information over columns above 0 and its null space."""
        matrix = information[block]
        size = matrix.shape[0]
        free = self.used[block] & (self.estimates[block] > 0) & (np.diagonal(matrix) > 0)
        index = np.flatnonzero(free)
        inverse = np.zeros((size, size))
        if index.size == 0:
            return inverse, np.empty((size, 0))
        scale, values, vectors = scaled_directions(matrix, index)
        kept = values >= self.flat * values[-1]
        half = scale[:, None] * vectors[:, kept] / np.sqrt(values[kept])
        inverse[np.ix_(index, index)] = half @ half.T
        flat = np.zeros((size, int((~kept).sum())))
        flat[index] = scale[:, None] * vectors[:, ~kept]
        return inverse, flat / np.maximum(np.linalg.norm(flat, axis=0), 1e-300)
