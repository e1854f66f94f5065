"""`Shifted`: a kernel that begins after a latency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hawkeys._registry import rebuild
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import brief, check_positive_number
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels.base import BlockLayout, Kernel
from hawkeys.kernels.productive import Productive

__all__ = ["Shifted", "rounding_of", "shift_of"]

# numbers in one block of excitations
_MAX_CELLS = 4_000_000
# spacings of doubles by which a lag may differ from the same lag elsewhere, or in another unit
_ROUNDING = 4.0


class Shifted(Kernel):
    r"""Another kernel that begins after a latency: no event excites before it has passed.

    .. math:: h_{ij}(u) = g_{ij}(u - s) \text{ for } u > s, \text{ else } 0

    with the latency s, as of a nerve that conducts, an order that travels, an incubation. Every
    kernel goes with it whose parameters are given; `Hawkes` and `hawkeys.fit` take it as any other.

    Parameters
    ----------
    kernel : Kernel
        How the influence is spread over the time after the latency.
    shift : float
        The latency s > 0, the same for all pairs, in the unit of time of the events.

    Attributes
    ----------
    kernel, shift
        As given.

    Raises
    ------
    InvalidParameterError
        A shift that is no number above 0, no kernel, or one whose parameters are left out, that
        begins after a latency already, or has a productivity.

    Notes
    -----
    An event exactly a latency ago does not excite yet, also where rounding makes the lag a little
    longer, as between times on a grid.

    Sums cost what `Kernel.excitation_at` does: O(n_events n_marks^2) for exponentials and their
    sums. The likelihood is not smooth in the latency where the kernel begins with a jump, as the
    exponential does: it jumps at each lag between two events. `hawkeys.inference.fit_latency`
    estimates it.

    References
    ----------
    Hawkes, A. G. (1971). Spectra of some self-exciting and mutually exciting point processes.
    Biometrika 58(1), 83-90 (any density). doi:10.1093/biomet/58.1.83

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.kernels import Exponential, Shifted
    >>> kernel = Shifted(Exponential(2.0), shift=0.5)
    >>> kernel.density(np.array([0.4, 0.5, 1.0])).ravel().round(4)
    array([0.    , 0.    , 0.7358])
    """

    name = "shifted"

    def __init__(self, kernel: Kernel, shift: float) -> None:
        if not isinstance(kernel, Kernel):
            raise InvalidParameterError(
                f"kernel must be one of hawkeys.kernels; got {brief(kernel)}. Write "
                "Shifted(Exponential(2.0), shift=0.5)."
            )
        if isinstance(kernel, Shifted | Productive):
            has = "a latency" if isinstance(kernel, Shifted) else "a productivity"
            raise InvalidParameterError(
                f"the kernel {brief(kernel)} has {has}, which cannot begin after another latency. "
                "Give the kernel without it."
            )
        if not kernel.known:
            raise InvalidParameterError(
                f"the parameters of {brief(kernel)} are left out, and are not estimated beside a "
                "latency. Give them all, and compare fits."
            )
        self.kernel = kernel
        self.shift = check_positive_number(shift, "shift")

    def __repr__(self) -> str:
        return f"Shifted({self.kernel!r}, shift={self.shift:.10g})"

    def check_marks(self, n_marks: int) -> None:
        """Ask the kernel."""
        self.kernel.check_marks(n_marks)

    def excitation(self, events: Events, layout: BlockLayout) -> FloatArray:
        """Return c_ij at each event; see `Kernel.excitation`."""
        size = events.n_marks
        self.check_marks(size)
        own = np.empty((events.n_events, size))
        step = max(1, _MAX_CELLS // size**2)
        for r in range(events.n_realizations):
            begin, end = events.offsets[r : r + 2]
            for first in range(begin, end, step):
                rows = slice(first, min(first + step, end))
                density, _ = self.excitation_at(events, r, events.times[rows])
                own[rows] = density[np.arange(len(density)), events.marks[rows]]
        ordered = np.empty_like(own)
        ordered[layout.slots] = own
        out = np.empty(own.size)
        for begin, end in zip(layout.offsets[:-1], layout.offsets[1:], strict=True):
            out[size * begin : size * end] = ordered[begin:end].T.ravel()
        return out

    def integrals(self, events: Events) -> FloatArray:
        """Return K_ij over each window; see `Kernel.integrals`."""
        return self.kernel.integrals(_until(events, events.end_times - self.shift))

    def excitation_at(
        self, events: Events, realization: int, times: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return c_ij and its integral at sorted times; see `Kernel.excitation_at`."""
        return self.kernel.excitation_at(
            events, realization, self._before(events, realization, times)
        )

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
        earlier = self._before(events, realization, times)
        return self.kernel.sums_at(events, realization, earlier, adjacency, mass=mass)

    def own_mass(self, events: Events, realization: int, adjacency: FloatArray) -> FloatArray:
        """Return what each event's own mark has been excited by; see `Kernel.own_mass`."""
        rows = slice(events.offsets[realization], events.offsets[realization + 1])
        marks = events.marks[rows]
        sums = self.sums_at(events, realization, events.times[rows], adjacency, mass=True)
        return np.asarray(sums[np.arange(marks.size), marks])

    def sample_lags(
        self, rng: np.random.Generator, targets: IntArray, sources: IntArray
    ) -> FloatArray:
        """Draw lags of the kernel, and add the latency."""
        return self.kernel.sample_lags(rng, targets, sources) + self.shift

    def remaining_mass(self, elapsed: FloatArray, sources: IntArray, n_marks: int) -> FloatArray:
        """Return what is still to come; see `Kernel.remaining_mass`."""
        since = np.maximum(elapsed - self.shift, 0.0)
        return self.kernel.remaining_mass(since, sources, n_marks)

    def sample_residual_lags(
        self,
        rng: np.random.Generator,
        targets: IntArray,
        sources: IntArray,
        elapsed: FloatArray,
    ) -> FloatArray:
        """Draw lag - elapsed given that the lag exceeds it; see `Kernel.sample_residual_lags`."""
        since = np.maximum(elapsed - self.shift, 0.0)
        lags = self.kernel.sample_residual_lags(rng, targets, sources, since)
        return lags + np.maximum(self.shift - elapsed, 0.0)

    def density(self, lags: ArrayLike) -> FloatArray:
        """Evaluate the density; see `Kernel.density`."""
        return self.kernel.density(np.asarray(lags, dtype=np.float64) - self.shift)

    def to_dict(self) -> dict[str, Any]:
        """Return the class, the kernel and the latency."""
        return {"name": self.name, "kernel": self.kernel.to_dict(), "shift": self.shift}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Any:
        """Return the kernel of which `to_dict` wrote these values, without the name."""
        return cls(rebuild("kernel", values.get("kernel", {})), values.get("shift", 0.0))

    def _before(self, events: Events, realization: int, times: FloatArray) -> FloatArray:
        """Return the moments a latency before others, none before the window.

        What is an event's moment but for rounding is that moment, so that the event does not count.
        """
        earlier = np.maximum(times - self.shift, events.start_times[realization])
        own = events.times[events.offsets[realization] : events.offsets[realization + 1]]
        if not own.size:
            return earlier
        same = np.searchsorted(own, earlier - rounding_of(times, earlier))
        return np.minimum(earlier, np.append(own, np.inf)[same])


def _until(events: Events, ends: FloatArray) -> Events:
    """Return events in windows that end earlier, (n_realizations,); empty ones last a moment."""
    starts = events.start_times
    kept = events.times <= ends[events.realization]
    sizes = np.bincount(events.realization[kept], minlength=ends.size)
    moment = np.nextafter(starts, np.inf)
    return Events.from_arrays(
        events.times[kept],
        events.marks[kept],
        offsets=np.concatenate(([0], np.cumsum(sizes))),
        start_times=starts,
        end_times=np.maximum(ends, moment),
        mark_names=events.mark_names,
    )


def rounding_of(times: FloatArray, earlier: FloatArray) -> FloatArray:
    """Return by how much lags between moments may be wrong by rounding, shape (n_times,)."""
    return _ROUNDING * np.spacing(np.maximum(np.abs(times), np.abs(earlier)))


def shift_of(kernel: Kernel) -> tuple[Kernel, float]:
    """Return a kernel without its latency, and the latency, 0.0 if there is none."""
    return (kernel.kernel, kernel.shift) if isinstance(kernel, Shifted) else (kernel, 0.0)
