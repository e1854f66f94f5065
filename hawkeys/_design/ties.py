"""`Ties`: parameters that share one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, IntArray
from hawkeys._validation import as_float_array, brief_names, check_shape, refuse_labels
from hawkeys.exceptions import InvalidParameterError

__all__ = ["Ties"]

_PARTS = ("baseline", "adjacency")


@dataclass(frozen=True, eq=False, slots=True)
class Ties:
    """Labels of parameters; those with the same label >= 0 are equal, a negative one is free.

    Attributes
    ----------
    baseline : ndarray of int64, shape (n_marks,)
        Label of each mark's baseline: all of its pieces are shared, one by one.
    adjacency : ndarray of int64, shape (n_marks, n_marks)
        Label of each pair: its adjacency is shared, and the weights of its kernel if they are
        estimated. These labels have nothing to do with those of baselines.
    """

    baseline: IntArray
    adjacency: IntArray

    @classmethod
    def check(cls, tied: Any, n_marks: int) -> Ties:
        """Read labels given as one array or by name.

        Parameters
        ----------
        tied : array_like of int, shape (n_marks, n_marks + 1), or mapping
            Baseline first, then the adjacency row, of each target; or "baseline" (n_marks,) and
            "adjacency" (n_marks, n_marks), of which one may be left out.
        n_marks : int
            Number of marks.

        Returns
        -------
        Ties
            The labels.

        Raises
        ------
        InvalidParameterError
            Another shape or name, labels that are no whole numbers, or in one array a label that
            baselines and adjacencies share.
        """
        if isinstance(tied, Mapping):
            unknown = [key for key in tied if key not in _PARTS]
            if unknown or not tied:
                raise InvalidParameterError(
                    "tied must hold labels under 'baseline', 'adjacency' or both; got the keys "
                    f"{brief_names(tied)}."
                )
            return cls(
                _labels(tied.get("baseline"), "tied['baseline']", (n_marks,)),
                _labels(tied.get("adjacency"), "tied['adjacency']", (n_marks, n_marks)),
            )
        both = _labels(tied, "tied", (n_marks, n_marks + 1))
        shared = np.intersect1d(both[:, 0], both[:, 1:])
        if (shared >= 0).any():
            raise InvalidParameterError(
                f"tied: label {shared.max()} stands for a baseline (first column) and for an "
                "adjacency, which have different units and cannot be equal. Use other labels."
            )
        return cls(both[:, 0], both[:, 1:])

    def to_dict(self) -> dict[str, Any]:
        """Return the labels by name, as `check` reads them."""
        return {"baseline": self.baseline.tolist(), "adjacency": self.adjacency.tolist()}

    def identities(self, n_pieces: int, n_components: int) -> tuple[IntArray, IntArray]:
        """Return a number for each parameter, the same exactly if they are one.

        Returns
        -------
        baseline : ndarray of int64, shape (n_marks, n_pieces)
            Numbers of the pieces.
        adjacency : ndarray of int64, shape (n_marks, n_components * n_marks)
            Numbers of the pairs, the sources of the first component first; all different from
            those of the pieces.
        """
        baseline = _copies(self.baseline[:, None], n_pieces)
        return baseline, _copies(self.adjacency, n_components) + baseline.max() + 1


def _copies(labels: IntArray, n: int) -> IntArray:
    """Return numbers of `n` parameters per label, side by side."""
    first = _identify(labels)
    return np.concatenate([first + k * (first.max() + 1) for k in range(n)], axis=1)


def _identify(labels: IntArray) -> IntArray:
    """Return consecutive numbers: shared labels first, then one for each free entry."""
    free = labels < 0
    out = np.empty(labels.shape, dtype=np.int64)
    out[~free] = np.unique(labels[~free], return_inverse=True)[1]
    out[free] = np.unique(labels[~free]).size + np.arange(free.sum())
    return out


def _labels(value: ArrayLike | None, name: str, shape: tuple[int, ...]) -> IntArray:
    if value is None:
        return np.full(shape, -1)
    refuse_labels(value, name)
    array = as_float_array(value, name)
    if (array != np.round(array)).any():
        raise InvalidParameterError(
            f"{name} must hold whole numbers, equal for parameters that are one and negative for "
            f"free ones; got {array[array != np.round(array)][0]}."
        )
    check_shape(array, name, shape, "one label per parameter")
    return array.astype(np.int64)
