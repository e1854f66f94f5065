"""`AfterHistory`: a kernel that knows what happened before the windows."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.events.windows import continued
from hawkeys.kernels.base import BlockLayout, Kernel

__all__ = ["AfterHistory"]


class AfterHistory(Kernel):
    r"""Another kernel, with the events of a history among the sources.

    Its sums are :math:`c_{ijk} = \sum_l g_{ij}(t_{ik} - t_{jl})` over all earlier events, those of
    the history included; its integrals are over the window alone,
    :math:`K_{ij} = \sum_l [G_{ij}(T - t_{jl}) - G_{ij}(t_0 - t_{jl})]` with the start :math:`t_0`
    of the window, before which G is 0. With it the likelihood of the window is conditional on the
    history, whatever baseline, method or further kernel there is (Daley and Vere-Jones 2003,
    section 7.2). No kernel of its own: a process has it only while events are looked at.

    Parameters
    ----------
    kernel : Kernel
        The kernel.
    history : Events
        One realisation before each window, of `hawkeys.events.windows.history_before`.
    """

    _kind: ClassVar[str] = "kernel"  # said again, so that no file finds it by its name

    def __init__(self, kernel: Kernel, history: Events) -> None:
        self.kernel = kernel
        self.history = history

    @property
    def components(self) -> tuple[Kernel, ...]:
        """Kernels whose mixture is to be found, each with the history."""
        return tuple(AfterHistory(part, self.history) for part in self.kernel.components)

    def check_marks(self, n_marks: int) -> None:
        """Ask the kernel."""
        self.kernel.check_marks(n_marks)

    def excitation(self, events: Events, layout: BlockLayout) -> FloatArray:
        """Return c_ij at each event of the windows; see `Kernel.excitation`."""
        whole, later = continued(self.history, events)
        wide = BlockLayout.build(whole, separate=layout.stride > 0)
        found = self.kernel.excitation(whole, wide)
        kept = np.empty(later.size, dtype=bool)
        kept[wide.slots] = later
        size, out = events.n_marks, np.empty(events.n_marks * events.n_events)
        for b, (begin, end) in enumerate(zip(wide.offsets[:-1], wide.offsets[1:], strict=True)):
            block = found[size * begin : size * end].reshape(size, -1)
            first, last = size * layout.offsets[b : b + 2]
            out[first:last] = block[:, kept[begin:end]].ravel()
        return out

    def integrals(self, events: Events) -> FloatArray:
        """Return K_ij over each window; see `Kernel.integrals`."""
        whole = continued(self.history, events)[0]
        found = self.kernel.integrals(whole) - self.kernel.integrals(self.history)
        return np.maximum(found, 0.0)  # below 0 by rounding only

    def excitation_at(
        self, events: Events, realization: int, times: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return c_ij and its integral from the start of the window; see `Kernel.excitation_at`."""
        whole = continued(self.history, events)[0]
        from_start = np.append(events.start_times[realization], times)
        density, mass = self.kernel.excitation_at(whole, realization, from_start)
        return density[1:], np.maximum(mass[1:] - mass[0], 0.0)

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
        whole = continued(self.history, events)[0]
        if not mass:
            return self.kernel.sums_at(whole, realization, times, adjacency)
        from_start = np.append(events.start_times[realization], times)
        found = self.kernel.sums_at(whole, realization, from_start, adjacency, mass=True)
        return np.asarray(found[1:] - found[0])

    def own_mass(self, events: Events, realization: int, adjacency: FloatArray) -> FloatArray:
        """Return each event's own excited compensator; see `Kernel.own_mass`."""
        rows = slice(events.offsets[realization], events.offsets[realization + 1])
        marks = events.marks[rows]
        out = np.empty(marks.size)
        for i in np.unique(marks):
            own = np.zeros_like(adjacency)
            own[i] = adjacency[i]
            times = events.times[rows][marks == i]
            out[marks == i] = self.sums_at(events, realization, times, own, mass=True)[:, i]
        return out

    def sample_lags(
        self, rng: np.random.Generator, targets: IntArray, sources: IntArray
    ) -> FloatArray:
        """Ask the kernel."""
        return self.kernel.sample_lags(rng, targets, sources)

    def density(self, lags: ArrayLike) -> FloatArray:
        """Ask the kernel."""
        return self.kernel.density(lags)
