"""`RowMatrices`: a symmetric matrix for each of many rows, over the few parameters that matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._records import encode
from hawkeys._typing import FloatArray, IntArray

__all__ = ["RowMatrices"]


@dataclass(frozen=True, eq=False, repr=False)
class RowMatrices:
    """A symmetric matrix of each target's parameters, kept for some of them alone.

    With a thousand marks all matrices together would take 8 GB, nearly all of it for pairs at 0.
    ``matrices[i]`` is the whole matrix of target i, as of an array (n_rows, n_columns, n_columns).

    Parameters
    ----------
    index : ndarray of int64, shape (n_kept,)
        Parameters that are kept, increasing in each row, row after row.
    offsets : ndarray of int64, shape (n_rows + 1,)
        Row i keeps ``index[offsets[i]:offsets[i + 1]]``.
    values : ndarray of float64
        Each matrix row by row up to the diagonal, one after the other.
    n_columns : int
        Number of parameters of each row, kept or not.
    outside : float, default 0.0
        What all other entries are: 0, or NaN.

    Examples
    --------
    >>> import numpy as np
    >>> kept = RowMatrices.of([(np.array([0, 2]), np.array([[4.0, 1.0], [1.0, 2.0]]))], 3)
    >>> kept[0]
    array([[4., 0., 1.],
           [0., 0., 0.],
           [1., 0., 2.]])
    """

    index: IntArray
    offsets: IntArray
    values: FloatArray
    n_columns: int
    outside: float = 0.0

    @classmethod
    def of(
        cls,
        rows: Iterable[tuple[IntArray, FloatArray]],
        n_columns: int,
        outside: float = 0.0,
    ) -> RowMatrices:
        """Return them from the parameters kept (n,) and their matrix (n, n), row after row."""
        index, values, sizes = [np.empty(0, np.int64)], [np.empty(0)], [0]
        for kept, matrix in rows:
            index.append(kept)
            values.append(matrix[np.tril_indices(kept.size)])
            sizes.append(kept.size)
        return cls(
            np.concatenate(index), np.cumsum(sizes), np.concatenate(values), n_columns, outside
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of all matrices written out, (n_rows, n_columns, n_columns)."""
        return len(self), self.n_columns, self.n_columns

    @property
    def nbytes(self) -> int:
        """Bytes of memory taken."""
        return self.index.nbytes + self.offsets.nbytes + self.values.nbytes

    def kept(self, row: int) -> tuple[IntArray, FloatArray]:
        """Return the parameters kept of a row, (n,), and their matrix, (n, n)."""
        index = self.index[self.offsets[row] : self.offsets[row + 1]]
        first, size = int(self._begins[row]), index.size
        out = np.empty((size, size))
        rows, columns = np.tril_indices(size)
        own = self.values[first : first + size * (size + 1) // 2]
        out[rows, columns] = out[columns, rows] = own
        return index, out

    def diagonals(self) -> FloatArray:
        """Return the diagonal of each matrix, shape (n_rows, n_columns)."""
        out = np.full((len(self), self.n_columns), self.outside)
        for row, one in enumerate(out):
            index, matrix = self.kept(row)
            one[index] = np.diagonal(matrix)
        return out

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types; many values are packed, as `hawkeys._records.pack` does."""
        return {
            "index": self.index.tolist(),
            "offsets": self.offsets.tolist(),
            "values": encode(self.values[None, None]),
            "n_columns": self.n_columns,
        }

    def __len__(self) -> int:
        return self.offsets.size - 1

    def __getitem__(self, row: int) -> FloatArray:
        index, matrix = self.kept(range(len(self))[row])
        out = np.full((self.n_columns, self.n_columns), self.outside)
        out[np.ix_(index, index)] = matrix
        return out

    def __iter__(self) -> Iterator[FloatArray]:
        return (self[row] for row in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> FloatArray:
        return np.array([*self], dtype=dtype).reshape(self.shape)

    def __repr__(self) -> str:
        return f"RowMatrices(shape={self.shape}, n_kept={self.index.size})"

    @property
    def _begins(self) -> IntArray:
        """Where the values of each row begin."""
        sizes = np.diff(self.offsets)
        return np.concatenate(([0], np.cumsum(sizes * (sizes + 1) // 2)))
