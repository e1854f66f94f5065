"""`AfterHistory`: a kernel that knows what happened before the windows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from hawkeys._typing import ArrayLike, BoolArray, FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.events.observed import History
from hawkeys.events.windows import Past, continued, owners_of
from hawkeys.kernels.base import BlockLayout, Kernel

__all__ = ["AfterHistory"]

# numbers in one block of integrals
_MAX_CELLS = 4_000_000


class AfterHistory(Kernel):
    r"""Another kernel, with the events of a history among the sources.

    Its sums are :math:`c_{ijk} = \sum_l g_{ij}(t_{ik} - t_{jl})` over all earlier events, those of
    the history included; its integrals are over the window alone,
    :math:`K_{ij} = \sum_l [G_{ij}(T - t_{jl}) - G_{ij}(t_0 - t_{jl})]` with the start :math:`t_0`
    of the window, before which G is 0. With it the likelihood of the window is conditional on the
    history, whatever baseline, method or further kernel there is (Daley and Vere-Jones 2003,
    section 7.2). No kernel of its own: a process has it only while events are looked at.

    Of windows with gaps between them (`hawkeys.events.observed.History`) the sums are over all
    events of the recording, and the integrals over each window; where a mark is not observed they
    are 0.

    Parameters
    ----------
    kernel : Kernel
        The kernel.
    history : Events or History
        One realisation before each window, or what happened outside the windows, of
        `hawkeys.events.windows.history_before`.
    memo : dict, optional
        Where the last events with their history are kept, for others that ask for the same.
    """

    _kind: ClassVar[str] = "kernel"  # said again, so that no file finds it by its name

    def __init__(self, kernel: Kernel, history: Past, memo: dict[str, Any] | None = None) -> None:
        self.kernel = kernel
        self.history = history
        self.observed = history.observed if isinstance(history, History) else None
        self._memo = {} if memo is None else memo

    @property
    def components(self) -> tuple[Kernel, ...]:
        """Kernels whose mixture is to be found, each with the history."""
        return tuple(
            AfterHistory(part, self.history, self._memo) for part in self.kernel.components
        )

    def check_marks(self, n_marks: int) -> None:
        """Ask the kernel."""
        self.kernel.check_marks(n_marks)

    def excitation(self, events: Events, layout: BlockLayout) -> FloatArray:
        """Return c_ij at each event of the windows; see `Kernel.excitation`."""
        whole, later = self._whole(events)
        wide = BlockLayout.build(whole, separate=False)
        found = self.kernel.excitation(whole, wide)
        kept = np.empty(later.size, dtype=bool)
        kept[wide.slots] = later
        size, out = events.n_marks, np.empty(events.n_marks * events.n_events)
        done = np.zeros(size, dtype=np.int64)
        columns = [
            found[size * begin : size * end].reshape(size, -1)[:, kept[begin:end]]
            for begin, end in zip(wide.offsets[:-1], wide.offsets[1:], strict=True)
        ]
        for b, (begin, end) in enumerate(zip(layout.offsets[:-1], layout.offsets[1:], strict=True)):
            i, n = b % size, end - begin
            out[size * begin : size * end] = columns[i][:, done[i] : done[i] + n].ravel()
            done[i] += n
        return out

    def integrals(self, events: Events) -> FloatArray:
        """Return K_ij over each window; see `Kernel.integrals`."""
        whole = self._whole(events)[0]
        if not isinstance(self.history, History):
            found = self.kernel.integrals(whole) - self.kernel.integrals(self.history)
            return np.maximum(found, 0.0)  # below 0 by rounding only
        out = np.empty((events.n_realizations, events.n_marks, events.n_marks))
        bounds = np.column_stack((events.start_times, events.end_times))
        step = max(1, _MAX_CELLS // (2 * events.n_marks**2))
        for owner, rows in self._windows():
            for first in range(rows.start, rows.stop, step):
                part = slice(first, min(first + step, rows.stop))
                mass = self.kernel.excitation_at(whole, owner, bounds[part].ravel())[1]
                out[part] = mass[1::2] - mass[::2]
        return self._where_observed(np.maximum(out, 0.0))

    def excitation_at(
        self, events: Events, realization: int, times: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return c_ij and its integral from the start of the window; see `Kernel.excitation_at`."""
        whole, owner = self._whole(events)[0], int(owners_of(self.history, events)[realization])
        from_start = np.append(events.start_times[realization], times)
        density, mass = self.kernel.excitation_at(whole, owner, from_start)
        out = density[1:], np.maximum(mass[1:] - mass[0], 0.0)
        if self.observed is not None:
            for part in out:
                part[:, ~self.observed[realization]] = 0.0
        return out

    def sums_at(
        self,
        events: Events,
        realization: int,
        times: FloatArray,
        adjacency: FloatArray,
        *,
        mass: bool = False,
    ) -> FloatArray:
        """Return the sums over the sources, or of their integrals; see `Kernel.sums_at`."""
        whole, owner = self._whole(events)[0], int(owners_of(self.history, events)[realization])
        if self.observed is not None:
            adjacency = adjacency * self.observed[realization][:, None]
        if not mass:
            return self.kernel.sums_at(whole, owner, times, adjacency)
        from_start = np.append(events.start_times[realization], times)
        found = self.kernel.sums_at(whole, owner, from_start, adjacency, mass=True)
        return np.asarray(found[1:] - found[0])

    def own_mass(self, events: Events, realization: int, adjacency: FloatArray) -> FloatArray:
        """Return each event's own excited compensator; see `Kernel.own_mass`."""
        rows = slice(events.offsets[realization], events.offsets[realization + 1])
        return self.own_masses(events, adjacency)[rows]

    def own_masses(self, events: Events, adjacency: FloatArray) -> FloatArray:
        """Return what `own_mass` does of all windows, from one pass over each recording."""
        whole, later = self._whole(events)
        until = self.kernel.own_masses(whole, adjacency)[later]
        before = np.empty((events.n_realizations, events.n_marks))
        for owner, rows in self._windows():
            starts = events.start_times[rows]
            before[rows] = self.kernel.sums_at(whole, owner, starts, adjacency, mass=True)
        return np.maximum(until - before[events.realization, events.marks], 0.0)

    def _whole(self, events: Events) -> tuple[Events, BoolArray]:
        """Return what `continued` does, once for the same events."""
        kept = self._memo.get("last")
        if kept is None or kept[0] is not events or kept[1] is not self.history:
            kept = events, self.history, *continued(self.history, events)
            self._memo["last"] = kept
        return kept[2:]

    def _windows(self) -> Iterator[tuple[int, slice]]:
        """Yield the realisations that windows are part of, each with the numbers of its windows."""
        if not isinstance(self.history, History):
            for r in range(self.history.n_realizations):
                yield r, slice(r, r + 1)
            return
        owners = self.history.owners
        firsts = np.flatnonzero(np.diff(owners, prepend=-1))
        for first, last in zip(firsts, np.append(firsts[1:], owners.size), strict=True):
            yield int(owners[first]), slice(int(first), int(last))

    def _where_observed(self, values: FloatArray) -> FloatArray:
        """Return values (n_windows, n_marks, ...) that are 0 where the mark is not observed."""
        return values if self.observed is None else values * self.observed[:, :, None]

    def sample_lags(
        self, rng: np.random.Generator, targets: IntArray, sources: IntArray
    ) -> FloatArray:
        """Ask the kernel."""
        return self.kernel.sample_lags(rng, targets, sources)

    def density(self, lags: ArrayLike) -> FloatArray:
        """Ask the kernel."""
        return self.kernel.density(lags)
