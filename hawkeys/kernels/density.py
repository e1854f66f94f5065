"""A kernel made of a density, a distribution function and a sampler: one's own in ten lines."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels.base import TAIL, BlockLayout, Kernel
from hawkeys.kernels.pairs import earliest_within, in_ranges, parts_of

__all__ = ["DensityKernel"]

# a distribution function may miss 0 and 1 by so much
_ROUNDING = 1e-9
# the lag beyond which nothing is left is known this well; a lag that is drawn, to the last bit
_REACH, _HALVINGS = 0.01, 200
_LONGEST = 1e300


class DensityKernel(Kernel):
    r"""A kernel given by three functions, the same for all pairs of marks.

    A subclass writes `density`, `cdf` and `sample`; simulation, every method of inference, files,
    goodness of fit, branching probabilities, plots and forecasts follow. Its constructor keeps each
    argument under its own name, so that a saved fit can be read where the class is defined.

    Raises
    ------
    InvalidParameterError
        Later: what a function returned has another shape, or is no density, distribution function
        or lag; a parameter cannot be written to a file.

    Notes
    -----
    The cost is O(n_events m), m the number of events of the last while during which more than 1e-12
    of the mass is still to come; events further back do not excite. A kernel that is evaluated in
    less, or that differs by pair, implements the methods of `Kernel`.

    The three functions must belong together, which nobody can check but you: the derivative of
    `cdf` is `density`, and `sample` draws from it.

    Examples
    --------
    A power law (Omori's), each event of which lasts long:

    >>> import numpy as np
    >>> import hawkeys
    >>> from hawkeys.kernels import DensityKernel
    >>> class Lomax(DensityKernel):
    ...     def __init__(self, shape, scale):
    ...         self.shape, self.scale = shape, scale
    ...     def density(self, lags):
    ...         return self.shape / self.scale * (1 + lags / self.scale) ** (-self.shape - 1)
    ...     def cdf(self, lags):
    ...         return 1 - (1 + lags / self.scale) ** -self.shape
    ...     def sample(self, rng, size):
    ...         return self.scale * rng.pareto(self.shape, size)
    >>> truth = hawkeys.Hawkes([0.5], [[0.4]], kernel=Lomax(2.0, 0.5))
    >>> events = hawkeys.simulate(truth, end_time=2_000.0, rng=0)
    >>> hawkeys.fit(events, kernel=Lomax(2.0, 0.5)).adjacency.round(1)
    array([[0.4]])
    """

    @abstractmethod
    def density(self, lags: ArrayLike) -> FloatArray:
        """Return g at lags > 0, per unit of time, of the same shape (n,)."""

    @abstractmethod
    def cdf(self, lags: FloatArray) -> FloatArray:
        """Return G, the mass of g up to lags >= 0, of the same shape (n,)."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, size: int) -> FloatArray:
        """Draw `size` lags from g, shape (size,)."""

    def check_marks(self, n_marks: int) -> None:
        """Accept any number of marks: the kernel is the same for all pairs."""

    def reach(self, longest: float) -> float:
        """Return the lag, `longest` at most, beyond which less than 1e-12 of the mass is left.

        Parameters
        ----------
        longest : float
            Longest lag of interest, > 0.

        Returns
        -------
        float
            Within 1 per cent, never too short.
        """
        low, high = 0.0, longest
        if self._left(high) > TAIL:
            return longest
        while high - low > _REACH * high:
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self._left(middle) > TAIL else (low, middle)
        return high

    def excitation(self, events: Events, layout: BlockLayout) -> FloatArray:
        """Return c_ij at each event; see `Kernel.excitation`."""
        each = np.arange(events.n_events)
        owners = events.realization
        first = self._first(events, events.times, owners)
        found = self._sums(events, events.times, (first, each), mass=False)
        block = owners * layout.stride + events.marks
        begin, width = layout.offsets[block], np.diff(layout.offsets)[block]
        place = events.n_marks * begin + layout.slots - begin
        out = np.empty(found.size)
        out[place[:, None] + width[:, None] * np.arange(events.n_marks)] = found
        return out

    def integrals(self, events: Events) -> FloatArray:
        """Return K_ij over each window; see `Kernel.integrals`."""
        owners = np.arange(events.n_realizations)
        first = self._first(events, events.end_times, owners)
        found = self._sums(events, events.end_times, (first, events.offsets[1:]), mass=True)
        return _for_all_targets(found + _counts(events, events.offsets[:-1], first))

    def excitation_at(
        self, events: Events, realization: int, times: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return c_ij and its integral at sorted times; see `Kernel.excitation_at`."""
        density, mass = (
            self._by_source(events, realization, times, mass=mass) for mass in (False, True)
        )
        return _for_all_targets(density), _for_all_targets(mass)

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
        return self._by_source(events, realization, times, mass=mass) @ adjacency.T

    def own_mass(self, events: Events, realization: int, adjacency: FloatArray) -> FloatArray:
        """Return what each event's own mark has been excited by; see `Kernel.own_mass`."""
        rows = slice(events.offsets[realization], events.offsets[realization + 1])
        mass = self._by_source(events, realization, events.times[rows], mass=True)
        return (mass * adjacency[events.marks[rows]]).sum(axis=1)

    def sample_lags(
        self, rng: np.random.Generator, targets: IntArray, sources: IntArray
    ) -> FloatArray:
        """Draw one lag per pair; see `Kernel.sample_lags`."""
        lags = np.asarray(self.sample(rng, sources.size), dtype=np.float64)
        self._refuse(lags.shape != (sources.size,), "sample", f"shape ({sources.size},)", lags)
        self._refuse(not (np.isfinite(lags) & (lags >= 0)).all(), "sample", "lags >= 0", lags)
        return lags

    def remaining_mass(self, elapsed: FloatArray, sources: IntArray, n_marks: int) -> FloatArray:
        """Return 1 - G(elapsed) for every target; see `Kernel.remaining_mass`."""
        left = 1.0 - self._masses(elapsed)
        return np.broadcast_to(np.where(left > TAIL, left, 0.0)[:, None], (elapsed.size, n_marks))

    def sample_residual_lags(
        self,
        rng: np.random.Generator,
        targets: IntArray,
        sources: IntArray,
        elapsed: FloatArray,
    ) -> FloatArray:
        """Draw remaining lags by inversion of `cdf`; see `Kernel.sample_residual_lags`."""
        past = self._masses(elapsed)
        wanted = past + (1.0 - past) * rng.random(sources.size)
        low, step = elapsed.astype(np.float64), np.maximum(elapsed, 1.0)
        short = np.flatnonzero(self._masses(low + step) < wanted)
        while short.size:  # until the lag is bracketed
            step[short] *= 2.0
            short = short[step[short] < _LONGEST]
            short = short[self._masses(low[short] + step[short]) < wanted[short]]
        for _ in range(_HALVINGS):
            step *= 0.5
            middle = low + step
            low = np.where(self._masses(middle) < wanted, middle, low)
            if (step <= np.spacing(low)).all():
                break
        return np.maximum(low + step - elapsed, 0.0)

    def __repr__(self) -> str:
        names = inspect.signature(type(self)).parameters
        parts = [f"{name}={getattr(self, name)!r}" for name in names if hasattr(self, name)]
        return f"{type(self).__name__}({', '.join(parts)})"

    def _by_source(
        self, events: Events, realization: int, times: FloatArray, *, mass: bool
    ) -> FloatArray:
        """Return c_j or its integral at sorted times of one realisation, (n_times, n_marks)."""
        begin, end = events.offsets[realization : realization + 2]
        first = self._first(events, times, np.full(times.size, realization))
        last = begin + np.searchsorted(events.times[begin:end], times, side="left")
        out = self._sums(events, times, (np.minimum(first, last), last), mass=mass)
        return out + _counts(events, np.full_like(first, begin), first) if mass else out

    def _first(self, events: Events, times: FloatArray, owners: IntArray) -> IntArray:
        """Return the earliest event that still excites at each moment; see `earliest_within`."""
        longest = float(events.durations.max(initial=0.0))
        memory = self.reach(longest) if longest > 0 else 0.0
        return earliest_within(events, times, owners, memory)

    def _sums(
        self, events: Events, times: FloatArray, ranges: tuple[IntArray, IntArray], *, mass: bool
    ) -> FloatArray:
        """Return the sum of g (or of G) over each moment's range of events, by source."""
        out = np.zeros((times.size, events.n_marks))
        for rows in parts_of(ranges[1] - ranges[0]):
            moments, parents = in_ranges(*ranges, rows)
            lags = times[moments] - events.times[parents]
            values = self._masses(lags) if mass else self.heights(lags)
            np.add.at(out, (moments, events.marks[parents]), values)
        return out

    def heights(self, lags: FloatArray) -> FloatArray:
        """Return `density` at any lags, checked.

        Parameters
        ----------
        lags : ndarray of float64, shape (n,)
            Lags, of any sign.

        Returns
        -------
        ndarray of float64, shape (n,)
            Per unit of time; 0 at lags that are not above 0.

        Raises
        ------
        InvalidParameterError
            `density` returned something else.
        """
        out = np.zeros(lags.shape)
        later = lags > 0
        out[later] = self._answer("density", lags[later])
        return out

    def _masses(self, lags: FloatArray) -> FloatArray:
        """Return the distribution function at lags >= 0, checked."""
        values = self._answer("cdf", lags)
        self._refuse((values > 1.0 + _ROUNDING).any(), "cdf", "at most 1", values)
        return np.minimum(values, 1.0)

    def _left(self, lag: float) -> float:
        return 1.0 - float(self._masses(np.array([lag]))[0])

    def _answer(self, what: str, lags: FloatArray) -> FloatArray:
        with np.errstate(over="ignore", under="ignore"):
            values = np.asarray(getattr(self, what)(lags), dtype=np.float64)
        self._refuse(
            values.shape != lags.shape, what, f"the shape of the lags {lags.shape}", values
        )
        wrong = ~(np.isfinite(values) & (values >= -_ROUNDING))
        self._refuse(wrong.any(), what, "finite numbers >= 0", values)
        return np.maximum(values, 0.0)

    def _refuse(self, wrong: Any, what: str, expected: str, got: FloatArray) -> None:
        if not wrong:
            return
        shown = np.array2string(got, threshold=6, edgeitems=2, precision=6)
        raise InvalidParameterError(
            f"{type(self).__name__}.{what} must return {expected}; it returned an array of shape "
            f"{got.shape}, {shown}. Mend the method."
        )


def _for_all_targets(by_source: FloatArray) -> FloatArray:
    """Return values (n, n_marks) by source as (n, n_marks, n_marks), target by source."""
    n, size = by_source.shape
    return np.broadcast_to(by_source[:, None, :], (n, size, size))


def _counts(events: Events, begin: IntArray, end: IntArray) -> FloatArray:
    """Return the number of events of each mark between two positions, (n, n_marks)."""
    out = np.empty((begin.size, events.n_marks))
    for j in range(events.n_marks):
        place = np.flatnonzero(events.marks == j)
        out[:, j] = np.searchsorted(place, end) - np.searchsorted(place, begin)
    return out
