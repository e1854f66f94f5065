"""The exponential kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hawkeys._loops import over_time as loops
from hawkeys._loops.choice import Compiled, is_small, perform
from hawkeys._plain import exponential as plain
from hawkeys._typing import ArrayLike, BoolArray, FloatArray, IntArray
from hawkeys._validation import check_positive, refuse_labels
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels.base import TAIL, BlockLayout, Kernel

__all__ = ["Exponential"]

# share of the events' mass within the windows from which a difference gives it to 1e-13 or so
_EXACT = 0.003
# events per window and mark from which that is quicker
_LONG = 4
# nanoseconds per event and mark, of one decay for all, by source and by pair
_SHARED, _PER_SOURCE, _PER_PAIR = 3, 8, 15

jit = Compiled("exponential")


class Exponential(Kernel):
    r"""Exponential kernel, :math:`g_{ij}(u) = \beta_{ij} e^{-\beta_{ij} u}`.

    Parameters
    ----------
    decay : float or array_like, shape (), (n_marks,) or (n_marks, n_marks)
        Decay rate beta > 0, per unit of time: one for all, one per source mark, or one per
        (target, source) pair. The mean lag is 1 / decay.

    Attributes
    ----------
    decay : ndarray of float64
        The decay as given, read-only.

    Raises
    ------
    InvalidParameterError
        A decay is not positive and finite, or the shape is none of the three.

    Notes
    -----
    One decay for all or per source costs O(n_events * n_marks) for all targets together; a full
    matrix costs about three times as much.

    References
    ----------
    Hawkes, A. G. (1971). Spectra of some self-exciting and mutually exciting point processes.
    Biometrika 58(1), 83-90, eq. 3. doi:10.1093/biomet/58.1.83

    Examples
    --------
    >>> from hawkeys.kernels import Exponential
    >>> Exponential(2.0).density(0.5)
    array([[0.73575888]])
    """

    name = "exponential"

    def __init__(self, decay: ArrayLike) -> None:
        refuse_labels(decay, "decay")
        value = check_positive(decay, "decay")
        if value.ndim > 2 or (value.ndim == 2 and value.shape[0] != value.shape[1]):
            raise InvalidParameterError(
                "decay must be one number, one per source mark (n_marks,), or one per (target, "
                f"source) pair (n_marks, n_marks); got shape {value.shape}."
            )
        value.flags.writeable = False
        self.decay = value

    def __repr__(self) -> str:
        shown = self.decay.tolist() if self.decay.size <= 9 else f"<shape {self.decay.shape}>"
        return f"Exponential(decay={shown})"

    def check_marks(self, n_marks: int) -> None:
        """Refuse a number of marks that the decay does not fit.

        Parameters
        ----------
        n_marks : int
            Number of marks of the process.

        Raises
        ------
        InvalidParameterError
            The decay is an array for another number of marks.
        """
        if self.decay.ndim > 0 and self.decay.shape[0] != n_marks:
            raise InvalidParameterError(
                f"decay has shape {self.decay.shape} but there are {n_marks} marks; pass one "
                f"number, shape ({n_marks},) or shape ({n_marks}, {n_marks})."
            )

    def decay_matrix(self, n_marks: int) -> FloatArray:
        """Return the decay of every (target, source) pair.

        Parameters
        ----------
        n_marks : int
            Number of marks D.

        Returns
        -------
        ndarray of float64, shape (n_marks, n_marks)
            Entry [i, j] is the decay of the influence of mark j on mark i.
        """
        self.check_marks(n_marks)
        return np.array(np.broadcast_to(self.decay, (n_marks, n_marks)))

    def density(self, lags: ArrayLike) -> FloatArray:
        """Evaluate g at one lag for every pair the decay distinguishes.

        Parameters
        ----------
        lags : float or array_like, shape (n,)
            Lags in the unit of time of the decay; the density is 0 at lags <= 0.

        Returns
        -------
        ndarray of float64, shape (n, number of distinct decays)
            Density per unit of time.
        """
        lag = np.atleast_1d(np.asarray(lags, dtype=np.float64))[:, None]
        decay = self.decay.reshape(1, -1)
        return np.where(lag > 0, decay * np.exp(-decay * np.maximum(lag, 0)), 0.0)

    def excitation(self, events: Events, layout: BlockLayout) -> FloatArray:
        """Return c_ij at each event; see `Kernel.excitation`."""
        size, decay = events.n_marks, self.decay
        self.check_marks(size)
        out = (np.zeros if decay.ndim else np.empty)(events.n_events * size)
        path, n_numbers = (events.times, events.marks, events.offsets), out.size
        loop: Callable[..., None]
        given: tuple[Any, ...]
        if decay.ndim == 0 and size == 1:
            loop, work = plain.excitation_alone, _SHARED
            given = path[0], path[2], float(decay), layout.first, out
        elif decay.ndim == 0:
            loop, work = plain.excitation_shared, _SHARED
            given = *path, float(decay), (layout.first, layout.offsets, layout.stride), out
        else:
            loop, work = plain.excitation_per_source, _PER_SOURCE
            given = *path, decay, (layout.slots, layout.offsets, layout.stride), out
        if decay.ndim == 2:
            loop, work, n_numbers = plain.excitation_per_pair, _PER_PAIR, out.size * size // 4
        n = events.n_realizations
        perform(loop, jit, given, n_numbers, n_parts=n, work=work * out.size)
        return out

    def integrals(self, events: Events) -> FloatArray:
        """Return K_ij over each window; see `Kernel.integrals`."""
        size = events.n_marks
        decay = self._per_source_or_pair(size)
        out = np.zeros((events.n_realizations, *decay.shape))
        given = events.times, events.marks, events.offsets, events.end_times, decay, out
        if decay.ndim == 2:
            perform(plain.integrals_per_pair, jit, given, events.n_events * decay.size // 4)
            return out
        perform(plain.integrals_per_source, jit, given, events.n_events * decay.size)
        return np.broadcast_to(out[:, None, :], (events.n_realizations, size, size))

    def integrals_beside(
        self, events: Events, layout: BlockLayout, excitation: FloatArray
    ) -> FloatArray:
        """Return K_ij over each window: the number of events less what is left of them at the end.

        What is left follows from the excitation at the last event. Of sources of which nearly all
        is left, the difference would be inexact, and so with simultaneous last events: there the
        integrals are summed event by event, and so in short windows.
        """
        found = None
        many = events.n_events > _LONG * events.n_realizations * events.n_marks
        # of one window the last events alone matter, and are quick
        many = many and events.n_realizations > 1
        if self.decay.ndim < 2 and many and not is_small(excitation.size):
            found = _spent(np.full(events.n_marks, self.decay), events, layout, excitation)
        if found is None:
            return self.integrals(events)
        return np.broadcast_to(found[:, None, :], (found.shape[0], *[found.shape[1]] * 2))

    def excitation_at(
        self, events: Events, realization: int, times: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return c_ij and its integral at sorted times; see `Kernel.excitation_at`."""
        size = events.n_marks
        rows = slice(events.offsets[realization], events.offsets[realization + 1])
        excitation = np.zeros((times.size, size, size))
        integrals = np.zeros((times.size, size, size))
        decay = self.decay_matrix(size)
        given = events.times[rows], events.marks[rows], decay, times, excitation, integrals
        n_numbers = given[0].size * decay.size + excitation.size
        perform(plain.excitation_at, loops.jit, given, n_numbers, is_sum=False)
        return excitation, integrals

    def sums_at(
        self,
        events: Events,
        realization: int,
        times: FloatArray,
        adjacency: FloatArray,
        *,
        mass: bool = False,
    ) -> FloatArray:
        """Return sum_j W_ij c_ij at sorted times; see `Kernel.sums_at`."""
        rows = slice(events.offsets[realization], events.offsets[realization + 1])
        given = events.times[rows], events.marks[rows]
        decay = self._per_source_or_pair(events.n_marks)
        if decay.ndim == 1:
            return loops.source_sums_at(*given, decay, times, mass=mass) @ adjacency.T
        out = np.empty((times.size, events.n_marks))
        for i, own in enumerate(np.ascontiguousarray(decay)):
            out[:, i] = loops.source_sums_at(*given, own, times, mass=mass) @ adjacency[i]
        return out

    def sample_lags(
        self, rng: np.random.Generator, targets: IntArray, sources: IntArray
    ) -> FloatArray:
        """Draw exponential lags; see `Kernel.sample_lags`."""
        if self.decay.ndim == 2:
            rate = self.decay[targets, sources]
        else:
            rate = self.decay[sources] if self.decay.ndim == 1 else self.decay
        return rng.standard_exponential(sources.size) / rate

    def remaining_mass(self, elapsed: FloatArray, sources: IntArray, n_marks: int) -> FloatArray:
        """Return exp(-decay elapsed) for every target; see `Kernel.remaining_mass`."""
        decay = self._per_source_or_pair(n_marks)
        if decay.ndim == 1:  # the same for every target
            left = np.exp(-decay[sources] * elapsed)
            one = np.where(left > TAIL, left, 0.0)
            return np.broadcast_to(one[:, None], (elapsed.size, n_marks))
        left = np.exp(-decay[:, sources].T * elapsed[:, None])
        return np.where(left > TAIL, left, 0.0)

    def sample_residual_lags(
        self,
        rng: np.random.Generator,
        targets: IntArray,
        sources: IntArray,
        elapsed: FloatArray,
    ) -> FloatArray:
        """Draw remaining lags, which do not depend on `elapsed`: the kernel has no memory."""
        return self.sample_lags(rng, targets, sources)

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"name": "exponential", "decay": ...}``."""
        return {"name": self.name, "decay": self.decay.tolist()}

    def _per_source_or_pair(self, n_marks: int) -> FloatArray:
        self.check_marks(n_marks)
        return self.decay if self.decay.ndim == 2 else np.full(n_marks, self.decay)


def _spent(
    decay: FloatArray, events: Events, layout: BlockLayout, excitation: FloatArray
) -> FloatArray | None:
    """Return the mass of the events of each source within each window, or None if some are tied."""
    size, offsets, separate = events.n_marks, layout.offsets, layout.stride > 0
    end = offsets[1:].reshape(-1, size) if separate else np.vstack((layout.first[1:], offsets[1:]))
    counts = (end - layout.first).astype(np.float64)
    filled = np.flatnonzero(events.offsets[1:] > events.offsets[:-1])
    last = events.offsets[1:][filled] - 1
    several = last > events.offsets[filled]
    if (several & (events.times[last - 1] == events.times[last])).any():
        return None
    mark = events.marks[last]
    block = filled * layout.stride + mark
    begin, width = offsets[block], offsets[block + 1] - offsets[block]
    at = size * begin + end[filled, mark] - 1 - begin
    left = excitation[at[:, None] + width[:, None] * np.arange(size)] / decay
    left[np.arange(last.size), mark] += 1.0
    left *= np.exp(-decay * (events.end_times[filled] - events.times[last])[:, None])
    counts[filled] -= left
    whole = end - layout.first
    inexact = counts < _EXACT * whole if separate else counts.sum(0) < _EXACT * whole.sum(0)
    if inexact.any():
        _sum_again(decay, events, np.broadcast_to(inexact, counts.shape), counts)
    return counts


def _sum_again(decay: FloatArray, events: Events, which: BoolArray, counts: FloatArray) -> None:
    """Replace the masses of some realisations and sources (n_realizations, n_marks) by sums."""
    owner, mark = events.realization, events.marks
    rows = np.flatnonzero(which.ravel()[owner * which.shape[1] + mark])
    owner, mark = owner[rows], mark[rows]
    mass = -np.expm1(-decay[mark] * (events.end_times[owner] - events.times[rows]))
    summed = np.bincount(owner * counts.shape[1] + mark, mass, counts.size).reshape(counts.shape)
    counts[which] = summed[which]
