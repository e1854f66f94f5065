"""Problems of the sweep, and their kernels and baselines in plain numpy and scipy.

Nothing here uses hawkeys but `Problem.events` and the kernel objects that are handed to it: the
densities are written down again from their definitions, so that the sweep compares two programs.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import stats

import hawkeys

__all__ = [
    "TAIL",
    "Bins",
    "Exponentials",
    "GammaLags",
    "LogNormalLags",
    "Mixture",
    "Problem",
    "Shape",
    "Steps",
    "Window",
]

Array = NDArray[np.float64]
# mass of a delayed kernel beyond its horizon, where hawkeys says that it leaves events out
TAIL = 1e-12


@dataclass(frozen=True)
class Window:
    """One realisation: events with marks, observed from `start` to `end`."""

    times: Array
    marks: NDArray[np.int64]
    start: float
    end: float


class Shape(Protocol):
    """A density of lags for every pair (target, source)."""

    def density(self, target: int, source: int, lags: Array) -> Array:
        """Return g at lags; 0 at lags <= 0."""

    def mass(self, target: int, source: int, lags: Array) -> Array:
        """Return the integral of g from 0 to lags."""


@dataclass(frozen=True)
class Exponentials:
    """Exponential densities, `rates` (D, D)."""

    rates: Array

    def density(self, target: int, source: int, lags: Array) -> Array:
        """Return b exp(-b u)."""
        rate = self.rates[target, source]
        return np.where(lags > 0, rate * np.exp(-rate * np.maximum(lags, 0.0)), 0.0)

    def mass(self, target: int, source: int, lags: Array) -> Array:
        """Return 1 - exp(-b u)."""
        return -np.expm1(-self.rates[target, source] * np.maximum(lags, 0.0))


@dataclass(frozen=True)
class Mixture:
    """Sums of exponential densities: `rates` (C,), `shares` (D, D, C)."""

    rates: Array
    shares: Array

    def density(self, target: int, source: int, lags: Array) -> Array:
        """Return sum p b exp(-b u)."""
        u = np.maximum(lags, 0.0)
        parts = zip(self.shares[target, source], self.rates, strict=True)
        total = sum(p * b * np.exp(-b * u) for p, b in parts)
        return np.where(lags > 0, total, 0.0)

    def mass(self, target: int, source: int, lags: Array) -> Array:
        """Return sum p (1 - exp(-b u))."""
        u = np.maximum(lags, 0.0)
        parts = zip(self.shares[target, source], self.rates, strict=True)
        return np.asarray(sum(-p * np.expm1(-b * u) for p, b in parts))


class _Delayed:
    """What the two delayed densities of scipy share; the horizon is part of the definition."""

    def law(self, target: int, source: int) -> Any:
        """Return the frozen distribution of scipy."""
        raise NotImplementedError

    def density(self, target: int, source: int, lags: Array) -> Array:
        """Return the density of scipy, 0 beyond the horizon."""
        law = self.law(target, source)
        inside = (lags > 0) & (lags <= law.isf(TAIL))
        out = np.zeros(np.shape(lags))
        out[inside] = law.pdf(lags[inside])
        return out

    def mass(self, target: int, source: int, lags: Array) -> Array:
        """Return the distribution function of scipy."""
        return np.asarray(self.law(target, source).cdf(lags))


@dataclass(frozen=True)
class LogNormalLags(_Delayed):
    """Log-normal densities, `location` and `scale` (D, D)."""

    location: Array
    scale: Array

    def law(self, target: int, source: int) -> Any:
        """Return the log-normal law of a pair."""
        location, scale = self.location[target, source], self.scale[target, source]
        return stats.lognorm(scale, scale=np.exp(location))


@dataclass(frozen=True)
class GammaLags(_Delayed):
    """Gamma densities, `shape` and `rate` (D, D)."""

    shape: Array
    rate: Array

    def law(self, target: int, source: int) -> Any:
        """Return the gamma law of a pair."""
        return stats.gamma(self.shape[target, source], scale=1.0 / self.rate[target, source])


@dataclass(frozen=True)
class Bins:
    """Piecewise-constant densities: `edges` (B + 1,), `masses` (D, D, B)."""

    edges: Array
    masses: Array

    def density(self, target: int, source: int, lags: Array) -> Array:
        """Return mass / width of the bin (low, high] that holds each lag."""
        out = np.zeros(np.shape(lags))
        bounds = zip(self.edges[:-1], self.edges[1:], self.masses[target, source], strict=True)
        for low, high, mass in bounds:
            out[(lags > low) & (lags <= high)] = mass / (high - low)
        return out

    def mass(self, target: int, source: int, lags: Array) -> Array:
        """Return the mass up to each lag."""
        out = np.zeros(np.shape(lags))
        bounds = zip(self.edges[:-1], self.edges[1:], self.masses[target, source], strict=True)
        for low, high, mass in bounds:
            out += mass * np.clip((lags - low) / (high - low), 0.0, 1.0)
        return out


@dataclass(frozen=True)
class Steps:
    """A baseline in pieces: between `knots`, or repeating every `period`; one piece without knots.

    An event belongs to the piece that begins at it; at the closed end of its window, where that
    piece has no time at all, to the piece that ends there.
    """

    knots: Array | None = None
    period: float | None = None

    @property
    def n_pieces(self) -> int:
        """Number of pieces."""
        if self.knots is None:
            return 1
        return self.knots.size - (0 if self.period else 1)

    def basis(self, window: Window) -> Array:
        """Return which piece each event is in, (n_events, n_pieces)."""
        out = np.zeros((window.times.size, self.n_pieces))
        cuts = self.cuts(window.start, window.end)
        for k, t in enumerate(window.times):
            inside = [piece for low, high, piece in cuts if low <= t < high]
            out[k, inside[0] if inside else cuts[-1][2]] = 1.0
        return out

    def integrals(self, start: float, end: float) -> Array:
        """Return the time spent in each piece, (n_pieces,)."""
        out = np.zeros(self.n_pieces)
        for low, high, piece in self.cuts(start, end):
            out[piece] += high - low
        return out

    def cuts(self, start: float, end: float) -> list[tuple[float, float, int]]:
        """Return the stretches (low, high, piece) of a window, in order."""
        if self.knots is None:
            return [(start, end, 0)]
        marks = self._marks(start, end)
        out = []
        for (low, piece), (high, _) in itertools.pairwise(marks):
            low, high = max(low, start), min(high, end)
            if high > low:
                out.append((low, high, piece))
        return out

    def _marks(self, start: float, end: float) -> list[tuple[float, int]]:
        """Return the knots (time, piece that begins there) that cover a window."""
        knots = np.asarray(self.knots)
        if self.period is None:
            return [(float(k), q) for q, k in enumerate(knots)]
        first = int(np.floor((start - knots[0]) / self.period)) - 1
        last = int(np.ceil((end - knots[0]) / self.period)) + 1
        return [
            (float(k) + n * self.period, q)
            for n in range(first, last + 1)
            for q, k in enumerate(knots)
        ]

    def function(self, rates: Array | None = None) -> hawkeys.baselines.Baseline | None:
        """Return the baseline of hawkeys; None for a constant one without rates."""
        if self.knots is None:
            return None if rates is None else hawkeys.baselines.Constant(rates)
        if self.period is None:
            return hawkeys.baselines.PiecewiseConstant(self.knots, rates)
        return hawkeys.baselines.Periodic(self.knots, self.period, rates)


@dataclass(frozen=True)
class Problem:
    """Data, and the model that is to be fitted to them.

    `shapes` has one entry for a kernel that is given, and one per component of a kernel whose
    weights are to be estimated.
    """

    n_marks: int
    windows: tuple[Window, ...]
    kernel: Any
    shapes: tuple[Shape, ...]
    steps: Steps = field(default_factory=Steps)
    support: NDArray[np.bool_] | None = None
    weights: Array | None = None
    tied: NDArray[np.int64] | None = None

    @property
    def n_events(self) -> int:
        """Number of events."""
        return sum(window.times.size for window in self.windows)

    @property
    def events(self) -> hawkeys.Events:
        """The data as hawkeys takes them."""
        sizes = [window.times.size for window in self.windows]
        return hawkeys.Events.from_arrays(
            np.concatenate([window.times for window in self.windows]),
            np.concatenate([window.marks for window in self.windows]),
            offsets=np.concatenate(([0], np.cumsum(sizes))),
            start_times=[window.start for window in self.windows],
            end_times=[window.end for window in self.windows],
            n_marks=self.n_marks,
        )

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of `hawkeys.fit` besides the data and the method."""
        given = {
            "kernel": self.kernel,
            "support": self.support,
            "weights": self.weights,
            "baseline": self.steps.function(),
            "tied": self.tied,
        }
        return {name: value for name, value in given.items() if value is not None}
