"""The contract of excitation kernels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hawkeys._loops.layout import place_events
from hawkeys._registry import Named
from hawkeys._typing import ArrayLike, BoolArray, FloatArray, IntArray
from hawkeys.events import Events

__all__ = ["TAIL", "BlockLayout", "Kernel"]

# mass of a density that counts as none
TAIL = 1e-12
_MAX_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class BlockLayout:
    """Where the excitation of each event goes: events grouped by block, a block per row problem.

    Attributes
    ----------
    events : Events
        The data.
    stride : int
        Event k of realisation r and mark m belongs to block ``r * stride + m``: 0 pools the
        realisations, n_marks keeps each apart.
    offsets : ndarray of int64, shape (n_blocks + 1,)
        Block b owns the positions ``offsets[b]:offsets[b + 1]`` in the order of the blocks.
    first : ndarray of int64, shape (n_realizations, n_marks)
        Position of the first event of each mark of each realisation; the others follow.
    """

    events: Events
    stride: int
    offsets: IntArray
    first: IntArray

    @classmethod
    def build(cls, events: Events, *, separate: bool) -> BlockLayout:
        """Lay the events out in one block per mark, or per realisation and mark if `separate`."""
        by_block = events.counts if separate else events.counts.T
        ends = np.cumsum(by_block, axis=None)
        first = ends.reshape(by_block.shape) - by_block
        if separate:
            return cls(events, events.n_marks, np.concatenate(([0], ends)), first)
        offsets = np.concatenate(([0], ends[events.n_realizations - 1 :: events.n_realizations]))
        return cls(events, 0, offsets, np.ascontiguousarray(first.T))

    @property
    def slots(self) -> IntArray:
        """Position of each event in the order of the blocks, shape (n_events,)."""
        return place_events(self.events.marks, self.events.offsets, self.first)


class Kernel(Named, ABC):
    """Contract of an excitation kernel; g_ij is a density on u > 0 (Hawkes 1971).

    `DensityKernel` implements it for a kernel that is the same for all pairs. The `name` of a class
    (its own unless it says another) is what a file calls the kernel; `to_dict` writes the arguments
    of the constructor from the attributes of the same names, unless a subclass writes others.
    """

    _kind: ClassVar[str] = "kernel"
    # which targets count in each window, (n_realizations, n_marks); None: all
    observed: BoolArray | None = None

    @property
    def known(self) -> bool:
        """Whether the parameters are given; if not, `hawkeys.fit` estimates them."""
        return True

    @property
    def components(self) -> tuple[Kernel, ...]:
        """Kernels whose mixture `hawkeys.fit` is to find; the kernel itself if there is none."""
        return (self,)

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

    def integrals_beside(
        self, events: Events, layout: BlockLayout, excitation: FloatArray
    ) -> FloatArray:
        """Return `integrals`; a kernel may read them off the `excitation` at the last events.

        Parameters
        ----------
        events : Events
            The data.
        layout : BlockLayout
            Where the excitations are.
        excitation : ndarray of float64, shape (n_events * n_marks,)
            What `excitation` returned.

        Returns
        -------
        ndarray of float64, shape (n_realizations, n_marks, n_marks)
            K_ij over each window.
        """
        return self.integrals(events)

    @abstractmethod
    def excitation_at(
        self, events: Events, realization: int, times: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return c_ij and its integral from the start at sorted `times`, each (n_times, D, D)."""

    def sums_at(
        self,
        events: Events,
        realization: int,
        times: FloatArray,
        adjacency: FloatArray,
        *,
        mass: bool = False,
    ) -> FloatArray:
        """Return sum_j W_ij c_ij of every target i at sorted times, or of the integrals.

        Parameters
        ----------
        events : Events
            Realisations with n_marks marks.
        realization : int
            Which one.
        times : ndarray of float64, shape (n_times,)
            Increasing; an event at such a time is not yet counted.
        adjacency : ndarray of float64, shape (n_marks, n_marks)
            W, of any sign.
        mass : bool, default False
            Whether c_ij is integrated from the start of the window.

        Returns
        -------
        ndarray of float64, shape (n_times, n_marks)
            Events per unit of time, or events.
        """
        out = np.empty((times.size, events.n_marks))
        for part in _blocks(times.size, events.n_marks):
            found = self.excitation_at(events, realization, times[part])[int(mass)]
            out[part] = (found * adjacency).sum(axis=2)
        return out

    def own_mass(self, events: Events, realization: int, adjacency: FloatArray) -> FloatArray:
        """Return sum_j W_ij times the integral of c_ij up to each event, i its own mark.

        Parameters
        ----------
        events : Events
            Realisations with n_marks marks.
        realization : int
            Which one.
        adjacency : ndarray of float64, shape (n_marks, n_marks)
            W.

        Returns
        -------
        ndarray of float64, shape (number of events of the realisation,)
            Excited part of the compensator.
        """
        rows = slice(events.offsets[realization], events.offsets[realization + 1])
        times, marks = events.times[rows], events.marks[rows]
        out = np.empty(times.size)
        for part in _blocks(times.size, events.n_marks):
            _, found = self.excitation_at(events, realization, times[part])
            own = found[np.arange(len(found)), marks[part]]
            out[part] = (own * adjacency[marks[part]]).sum(axis=1)
        return out

    def own_masses(self, events: Events, adjacency: FloatArray) -> FloatArray:
        """Return what `own_mass` does, of all realisations.

        Parameters
        ----------
        events : Events
            Realisations with n_marks marks.
        adjacency : ndarray of float64, shape (n_marks, n_marks)
            W.

        Returns
        -------
        ndarray of float64, shape (n_events,)
            Excited part of the compensator since the start of each event's window.
        """
        out = np.empty(events.n_events)
        for r in range(events.n_realizations):
            rows = slice(events.offsets[r], events.offsets[r + 1])
            out[rows] = self.own_mass(events, r, adjacency)
        return out

    @abstractmethod
    def sample_lags(
        self, rng: np.random.Generator, targets: IntArray, sources: IntArray
    ) -> FloatArray:
        """Draw one lag from g_ij for each pair (targets[k], sources[k])."""

    def remaining_mass(self, elapsed: FloatArray, sources: IntArray, n_marks: int) -> FloatArray:
        """Return 1 - G_ij(elapsed[k]) for each target i, j = sources[k]: what is still to come.

        Parameters
        ----------
        elapsed : ndarray of float64, shape (n,)
            Time since each event, >= 0.
        sources : ndarray of int64, shape (n,)
            Mark of each event.
        n_marks : int
            Number of marks D.

        Returns
        -------
        ndarray of float64, shape (n, n_marks)
            Between 0 and 1; less than 1e-12 counts as none.
        """
        out = np.empty((sources.size, n_marks))
        step = max(1, _MAX_CELLS // n_marks**2)
        for first in range(0, sources.size, step):
            part = slice(first, first + step)
            past, marks = elapsed[part], sources[part]
            # every event in a realisation of its own: the integral to its end is G
            alone = Events.from_arrays(
                -past,
                marks,
                offsets=np.arange(marks.size + 1),
                start_times=-1.0 - past,
                end_times=0.0,
                n_marks=n_marks,
            )
            out[part] = 1.0 - self.integrals(alone)[np.arange(marks.size), :, marks]
        return np.where(out > TAIL, out, 0.0)

    def sample_residual_lags(
        self,
        rng: np.random.Generator,
        targets: IntArray,
        sources: IntArray,
        elapsed: FloatArray,
    ) -> FloatArray:
        """Draw lag - elapsed from g_ij given that the lag exceeds `elapsed`, by rejection.

        The expected number of draws is 1 / `remaining_mass`; a kernel that can invert its
        distribution function overrides this.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.
        targets, sources : ndarray of int64, shape (n,)
            Marks of each pair.
        elapsed : ndarray of float64, shape (n,)
            Time since each source event, >= 0.

        Returns
        -------
        ndarray of float64, shape (n,)
            Remaining lags.
        """
        out = np.empty(sources.size)
        rest = np.arange(sources.size)
        while rest.size:
            lags = self.sample_lags(rng, targets[rest], sources[rest]) - elapsed[rest]
            later = lags > 0
            out[rest[later]] = lags[later]
            rest = rest[~later]
        return out

    def sample_lags_until(
        self,
        rng: np.random.Generator,
        targets: IntArray,
        sources: IntArray,
        elapsed: FloatArray,
        horizon: float,
    ) -> FloatArray:
        """Draw lag - elapsed from g_ij given that it is in (0, `horizon`], by rejection.

        A kernel of which little comes so soon, and that can invert its distribution function,
        overrides this.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.
        targets, sources : ndarray of int64, shape (n,)
            Marks of each pair.
        elapsed : ndarray of float64, shape (n,)
            Time since each source event, >= 0.
        horizon : float
            Above 0; some of the mass comes until then.

        Returns
        -------
        ndarray of float64, shape (n,)
            Remaining lags.
        """
        out = np.empty(sources.size)
        rest = np.arange(sources.size)
        while rest.size:
            pairs = targets[rest], sources[rest]
            lags = self.sample_residual_lags(rng, *pairs, elapsed[rest])
            soon = lags <= horizon
            out[rest[soon]] = lags[soon]
            rest = rest[~soon]
        return out

    @abstractmethod
    def density(self, lags: ArrayLike) -> FloatArray:
        """Evaluate g for every pair the parameters distinguish, for plots and who triggered whom.

        Parameters
        ----------
        lags : float or array_like, shape (n,)
            Lags; the density is 0 at lags <= 0.

        Returns
        -------
        ndarray of float64, shape (n,), (n, 1), (n, n_marks) or (n, n_marks * n_marks)
            Density per unit of time: one for all, by source, or by pair with sources fastest.
        """


def _blocks(n_times: int, n_marks: int) -> list[slice]:
    """Return parts of the times of which all pairs of marks take little memory."""
    step = max(1, _MAX_CELLS // n_marks**2)
    return [slice(first, first + step) for first in range(0, n_times, step)]
