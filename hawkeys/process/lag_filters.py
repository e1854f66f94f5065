"""`LagFilters`: stretches of the time since an event, and exponentials, for signed kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import as_float_array, brief, check_nonnegative, check_positive
from hawkeys.exceptions import InvalidParameterError

__all__ = ["LagFilters"]


class LagFilters:
    r"""Steps and exponentials of the time since an event, for signed kernels of all events.

    The first filters are 1 on one of the stretches between `edges` and 0 elsewhere,
    :math:`f_b(u) = 1` for :math:`e_b < u \le e_{b+1}`; the others are :math:`e^{-\beta u}`. A
    kernel :math:`h(u) = \sum_b w_b f_b(u)` with weights of any sign can be silent right after an
    event (a refractory part: strongly negative weights of the first stretches), excite after a
    delay, and fade slowly.

    Parameters
    ----------
    edges : array_like, shape (n_steps + 1,), optional
        Increasing times >= 0, in the unit of the events.
    decays : array_like, shape (n_decays,) or (n_marks, n_decays), optional
        Decays > 0 per unit of time, all different: the same for all target marks, or a row for
        each.

    Raises
    ------
    InvalidParameterError
        Neither is given; edges that do not increase or are negative; decays that are not positive,
        or two that are the same.

    Examples
    --------
    >>> from hawkeys.process import LagFilters
    >>> filters = LagFilters(edges=[0.0, 0.01, 0.05], decays=[2.0])
    >>> filters.values([0.0, 0.01, 0.02, 1.0]).round(4)
    array([[0.    , 0.    , 1.    ],
           [1.    , 0.    , 0.9802],
           [0.    , 1.    , 0.9608],
           [0.    , 0.    , 0.1353]])
    """

    def __init__(self, edges: ArrayLike | None = None, decays: ArrayLike | None = None) -> None:
        if edges is None and decays is None:
            raise InvalidParameterError(
                "give edges of stretches of time since an event, decays of exponentials, or both."
            )
        self.edges = _increasing([] if edges is None else edges, given=edges is not None)
        self.decays = _different(np.empty(0) if decays is None else decays)
        for array in (self.edges, self.decays):
            array.flags.writeable = False

    @property
    def n_steps(self) -> int:
        """Number of stretches between edges."""
        return max(self.edges.size - 1, 0)

    @property
    def n_decays(self) -> int:
        """Number of exponentials."""
        return int(self.decays.shape[-1])

    @property
    def n_filters(self) -> int:
        """Number of filters: stretches, then exponentials."""
        return self.n_steps + self.n_decays

    @property
    def labels(self) -> tuple[tuple[str, float], ...]:
        """Name and number of each filter: where a stretch begins, or the decay.

        With decays of each target the number of the exponential from 1 stands for the decay.
        """
        numbers = np.arange(1.0, self.n_decays + 1.0) if self.decays.ndim == 2 else self.decays
        steps = [("weight", begin) for begin in self.edges[:-1].tolist()]
        return (*steps, *(("fading", number) for number in numbers.tolist()))

    def decays_of(self, target: int) -> FloatArray:
        """Return the decays for a target mark, shape (n_decays,)."""
        return self.decays if self.decays.ndim == 1 else self.decays[target]

    def check_marks(self, n_marks: int) -> None:
        """Refuse, with `InvalidParameterError`, decays for another number of target marks."""
        if self.decays.ndim == 2 and self.decays.shape[0] != n_marks:
            raise InvalidParameterError(
                f"decays have {self.decays.shape[0]} rows, and there are {n_marks} target marks. "
                "Give a row for each, or one list for all."
            )

    def values(self, times: ArrayLike, target: int = 0) -> FloatArray:
        """Return the filters at given times since an event.

        Parameters
        ----------
        times : array_like, shape (n_times,)
            Times >= 0.
        target : int, default 0
            The target mark, if each has decays of its own.

        Returns
        -------
        ndarray of float64, shape (n_times, n_filters)
            From 0 to 1.

        Raises
        ------
        InvalidParameterError
            A time is negative or not finite.
        """
        since = check_nonnegative(times, "times")[..., None]
        steps = (since > self.edges[:-1]) & (since <= self.edges[1:])
        fading = np.exp(-self.decays_of(target) * since)
        return np.concatenate((steps.astype(np.float64), fading), axis=-1)

    def integrals(self, target: int = 0) -> FloatArray:
        """Return the integral of each filter over all times, shape (n_filters,)."""
        return np.concatenate((np.diff(self.edges), 1.0 / self.decays_of(target)))

    def to_dict(self) -> dict[str, Any]:
        """Return the filters as plain JSON types.

        Returns
        -------
        dict
            Keys edges and decays; None for what there is not.
        """
        return {
            "edges": self.edges.tolist() if self.edges.size else None,
            "decays": self.decays.tolist() if self.decays.size else None,
        }

    def __repr__(self) -> str:
        parts = []
        if self.edges.size:
            parts.append(f"edges={brief(self.edges.tolist())}")
        if self.decays.size:
            parts.append(f"decays={brief(self.decays.tolist())}")
        return f"LagFilters({', '.join(parts)})"


def _increasing(edges: ArrayLike, *, given: bool) -> FloatArray:
    array = as_float_array(edges, "edges") if given else np.empty(0)
    if given and (array.ndim != 1 or array.size < 2 or array[0] < 0.0):
        raise InvalidParameterError(
            f"edges must be two or more times >= 0 since an event; got {brief(edges)}."
        )
    if (np.diff(array) <= 0.0).any():
        k = int(np.argmax(np.diff(array) <= 0.0))
        raise InvalidParameterError(
            f"edges must increase; got edges[{k}] = {array[k]:g} and edges[{k + 1}] = "
            f"{array[k + 1]:g}."
        )
    return array


def _different(decays: ArrayLike) -> FloatArray:
    array = np.atleast_1d(check_positive(decays, "decays"))
    if array.ndim > 2:
        raise InvalidParameterError(
            f"decays must be a list, or a row for each target mark; got shape {array.shape}."
        )
    if (np.diff(np.sort(array, axis=-1), axis=-1) == 0.0).any():
        raise InvalidParameterError(
            f"two decays of a target are the same, so that their weights cannot be told apart; "
            f"got {brief(decays)}. Give each once."
        )
    return array
