"""`Productive`: a kernel whose events count by their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from hawkeys._loops import strengths as loops
from hawkeys._registry import rebuild
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import brief
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels.base import BlockLayout, Kernel
from hawkeys.kernels.exponential import Exponential
from hawkeys.kernels.power_law import PowerLaw
from hawkeys.kernels.sum_exponential import SumExponential
from hawkeys.productivity import Productivity

__all__ = ["Productive", "spread_again", "spread_of", "value_of"]


class _Terms(NamedTuple):
    """Exponentials of the sources of one target, or of all (-1): rates, heights (D, n_terms)."""

    target: int
    rates: FloatArray
    heights: FloatArray


class Productive(Kernel):
    r"""A kernel in which the influence of each event is multiplied by its productivity.

    Its sums are :math:`c_{ijk} = \sum_l s_l g_{ij}(t_{ik} - t_{jl})` over earlier events l of mark
    j, with :math:`s_l` the productivity of an event of its value. Everything that goes through a
    kernel (likelihood, fits, goodness of fit, branching probabilities, simulation) then knows the
    values of the events. ``Hawkes(..., productivity=...)`` and ``fit(..., productivity=...)`` make
    it.

    Parameters
    ----------
    kernel : Exponential, SumExponential or PowerLaw
        How the influence is spread over time.
    productivity : Productivity
        How large it is.

    Attributes
    ----------
    kernel, productivity
        As given.

    Raises
    ------
    InvalidParameterError
        Another kernel, or no productivity.

    Examples
    --------
    >>> from hawkeys.kernels import Exponential, Productive
    >>> from hawkeys.productivity import Power
    >>> Productive(Exponential(2.0), Power(a=0.5, v0=100.0))
    Productive(Exponential(decay=2.0), Power(a=0.5, v0=100))
    """

    name = "productive"

    def __init__(self, kernel: Kernel, productivity: Productivity) -> None:
        if not isinstance(kernel, Exponential | SumExponential | PowerLaw):
            raise InvalidParameterError(
                "a productivity goes with the kernels Exponential, SumExponential and PowerLaw; "
                f"got {brief(kernel)}. Use one of them, or leave productivity out."
            )
        if not isinstance(productivity, Productivity):
            raise InvalidParameterError(
                f"productivity must be one of hawkeys.productivity; got {brief(productivity)}."
            )
        self.kernel = kernel
        self.productivity = productivity

    def __repr__(self) -> str:
        return f"Productive({self.kernel!r}, {self.productivity!r})"

    @property
    def known(self) -> bool:
        """Whether the parameters of both are given."""
        return self.kernel.known and self.productivity.known

    @property
    def components(self) -> tuple[Kernel, ...]:
        """Kernels whose mixture is to be found, each with the productivity."""
        if len(self.kernel.components) == 1:
            return (self,)
        return tuple(Productive(part, self.productivity) for part in self.kernel.components)

    def check_marks(self, n_marks: int) -> None:
        """Refuse unknown parameters, and a number of marks that they do not fit.

        Parameters
        ----------
        n_marks : int
            Number of marks of the process.

        Raises
        ------
        InvalidParameterError
            As the kernel, or the productivity.
        """
        self.kernel.check_marks(n_marks)
        self.productivity.check_marks(n_marks)

    def excitation(self, events: Events, layout: BlockLayout) -> FloatArray:
        """Return c_ij at each event; see `Kernel.excitation`."""
        self.check_marks(events.n_marks)
        strengths = self.productivity.strengths(events)
        where = (layout.slots, layout.offsets, layout.stride)
        out = np.zeros(events.n_events * events.n_marks)
        longest = float(events.durations.max(initial=0.0))
        path = events.times, events.marks
        for target, *terms in self._terms(longest, events.n_marks):
            given = terms[0], terms[1]
            loops.sums_at_events(path, events.offsets, strengths, given, where, target, out)
        return out

    def integrals(self, events: Events) -> FloatArray:
        """Return K_ij over each window; see `Kernel.integrals`."""
        size, owners = events.n_marks, events.realization
        self.check_marks(size)
        strengths = self.productivity.strengths(events)
        left = events.end_times[owners] - events.times
        cells, many = owners * size + events.marks, events.n_realizations * size
        found = [
            np.bincount(cells, strengths * mass, many).reshape(events.n_realizations, size)
            for mass in self._masses(left, events.marks, size)
        ]
        whole = np.stack(found, axis=1)
        return np.broadcast_to(whole, (events.n_realizations, size, size))

    def excitation_at(
        self, events: Events, realization: int, times: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return c_ij and its integral at sorted times; see `Kernel.excitation_at`."""
        density, mass = (self._at(events, realization, times, mass=mass) for mass in (False, True))
        return density, mass

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
        out = np.empty((times.size, events.n_marks))
        for target, found in self._sums(events, realization, times, mass=mass):
            if target < 0:
                return found @ adjacency.T
            out[:, target] = found @ adjacency[target]
        return out

    def own_mass(self, events: Events, realization: int, adjacency: FloatArray) -> FloatArray:
        """Return what each event's own mark has been excited by; see `Kernel.own_mass`."""
        rows = slice(events.offsets[realization], events.offsets[realization + 1])
        marks = events.marks[rows]
        sums = self.sums_at(events, realization, events.times[rows], adjacency, mass=True)
        return sums[np.arange(marks.size), marks]

    def sample_lags(
        self, rng: np.random.Generator, targets: IntArray, sources: IntArray
    ) -> FloatArray:
        """Ask the kernel."""
        return self.kernel.sample_lags(rng, targets, sources)

    def remaining_mass(self, elapsed: FloatArray, sources: IntArray, n_marks: int) -> FloatArray:
        """Ask the kernel: the share of the influence that is still to come."""
        return self.kernel.remaining_mass(elapsed, sources, n_marks)

    def sample_residual_lags(
        self,
        rng: np.random.Generator,
        targets: IntArray,
        sources: IntArray,
        elapsed: FloatArray,
    ) -> FloatArray:
        """Ask the kernel."""
        return self.kernel.sample_residual_lags(rng, targets, sources, elapsed)

    def sample_lags_until(
        self,
        rng: np.random.Generator,
        targets: IntArray,
        sources: IntArray,
        elapsed: FloatArray,
        horizon: float,
    ) -> FloatArray:
        """Ask the kernel."""
        return self.kernel.sample_lags_until(rng, targets, sources, elapsed, horizon)

    def density(self, lags: ArrayLike) -> FloatArray:
        """Ask the kernel: that of an event of productivity 1."""
        return self.kernel.density(lags)

    def to_dict(self) -> dict[str, Any]:
        """Return the class, the kernel and the productivity."""
        parts = {"kernel": self.kernel.to_dict(), "productivity": self.productivity.to_dict()}
        return {"name": self.name, **parts}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Any:
        """Return the kernel of which `to_dict` wrote these values, without the name."""
        return cls(*(rebuild(kind, values.get(kind, {})) for kind in ("kernel", "productivity")))

    def _at(self, events: Events, realization: int, times: FloatArray, *, mass: bool) -> FloatArray:
        """Return c_ij, or its integral, at sorted times, (n_times, n_marks, n_marks)."""
        size = events.n_marks
        found = [part for _, part in self._sums(events, realization, times, mass=mass)]
        return np.broadcast_to(np.stack(found, axis=1), (times.size, size, size))

    def _sums(
        self, events: Events, realization: int, times: FloatArray, *, mass: bool
    ) -> Iterator[tuple[int, FloatArray]]:
        """Yield each target, or -1 for all, and its c_j or integrals, (n_times, n_marks)."""
        self.check_marks(events.n_marks)
        rows = slice(events.offsets[realization], events.offsets[realization + 1])
        path = events.times[rows], events.marks[rows]
        strengths = self.productivity.strengths(events)[rows]
        ends = np.append(times - events.start_times[realization], events.durations)
        for target, *terms in self._terms(float(ends.max(initial=0.0)), events.n_marks):
            given = terms[0], terms[1]
            yield target, loops.sums_at(path, strengths, given, times, mass=mass)

    def _terms(self, longest: float, size: int) -> list[_Terms]:
        """Return the exponentials that make up g for lags up to `longest`."""
        if isinstance(self.kernel, PowerLaw):
            found = self.kernel.exponentials(longest)
            heights = np.tile(found.heights, (size, 1))
            return [_Terms(-1, found.rates[None], heights)]
        parts = _exponentials(self.kernel, size)
        rates = np.stack([decay for decay, _ in parts], axis=-1)
        heights = np.stack([decay * weight for decay, weight in parts], axis=-1)
        if (rates == rates[:1]).all() and (heights == heights[:1]).all():
            return [_Terms(-1, rates[0], heights[0])]
        return [_Terms(i, rates[i], heights[i]) for i in range(size)]

    def _masses(self, lags: FloatArray, sources: IntArray, size: int) -> Iterator[FloatArray]:
        """Yield G_ij of each event's lag for each target i, or once for all, (n_events,)."""
        if isinstance(self.kernel, PowerLaw):
            yield self.kernel.cdf(lags)
            return
        for _, rates, heights in self._terms(0.0, size):
            yield -np.sum(
                (heights / rates)[sources] * np.expm1(-rates[sources] * lags[:, None]), axis=1
            )


def _exponentials(kernel: Kernel, size: int) -> list[tuple[FloatArray, FloatArray]]:
    """Return decay and weight, each (D, D), of each exponential."""
    if isinstance(kernel, SumExponential):
        return [
            (part.decay_matrix(size), np.broadcast_to(weight, (size, size)))
            for part, weight in kernel.parts()
        ]
    if not isinstance(kernel, Exponential):
        raise InvalidParameterError(f"{brief(kernel)} is no sum of exponentials.")
    return [(kernel.decay_matrix(size), np.ones((size, size)))]


def spread_of(kernel: Kernel) -> Kernel:
    """Return the kernel of an event of productivity 1: how its influence is spread over time."""
    return kernel.kernel if isinstance(kernel, Productive) else kernel


def spread_again(kernel: Kernel, spread: Kernel) -> Kernel:
    """Return another spread over time, with the productivity of a kernel if it has one."""
    return Productive(spread, kernel.productivity) if isinstance(kernel, Productive) else spread


def value_of(kernel: Kernel, name: str) -> Any:
    """Return a parameter of a kernel or of its productivity by its name."""
    own = kernel.productivity if isinstance(kernel, Productive) and name == "a" else None
    return getattr(spread_of(kernel) if own is None else own, name)
