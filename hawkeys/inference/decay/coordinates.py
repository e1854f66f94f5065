"""Parameters of a kernel, a productivity and a baseline that are estimated together.

As coordinates they are log c and log(p - 1) of a power law, the logarithms of decays, the
coefficients a of a productivity times the standard deviation of the scores that they multiply, and
those of a log-linear baseline times the standard deviation of the covariates over the time
observed: all without unit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys.baselines import LogLinear
from hawkeys.inference.task import Task
from hawkeys.kernels import (
    Exponential,
    Kernel,
    PowerLaw,
    Productive,
    SumExponential,
)
from hawkeys.productivity import Productivity

__all__ = ["P_LESS_1", "STEP", "Coordinate", "Joint"]

# while it is searched, so that differences are exact
FINE = 1e-12
# p - 1 of the power laws that data can tell from mass spread for ever, and from an exponential
P_LESS_1 = (0.002, 50.0)
_GRID_OF_C, _GRID_OF_P = 6, np.log(np.array([0.05, 0.2, 0.6, 2.0, 8.0]))
_GRID_OF_DECAY = 10
_GRID_OF_A = (-1.0, 0.0, 1.0, 2.0)
_USUAL_A = 0.5
# of differences of excitations: second ones are then right to some 1e-6
STEP = 1e-3

_TEXTS = {
    "c": (
        "c falls to the shortest lags of the data, {low:.4g}, as it does without a level part",
        "c rises to the longest window, {high:.4g}, as it does for a trend in the baseline",
    ),
    "p": (
        f"p falls to {1 + P_LESS_1[0]:g}: nearly all its mass lies beyond the windows, and p and "
        "the adjacency cannot be told apart",
        f"p rises to {1 + P_LESS_1[1]:g}: the kernel is an exponential, of decay p / c",
    ),
    "decay": (
        "the decay falls to one over the longest window, {low:.4g}, as it does for a trend in the "
        "baseline",
        "the decay rises to {high:.4g}, beyond what the shortest lags of the data tell",
    ),
    "decays": (
        "a decay falls to one over the longest window, {low:.4g}, as it does for a trend in the "
        "baseline",
        "a decay rises to {high:.4g}, beyond what the shortest lags of the data tell",
    ),
    "a": (
        "a falls to {low:.4g}: the events of the least values alone excite",
        "a rises to {high:.4g}: the events of the largest values alone excite",
    ),
    "coefficient": (
        "the coefficient of {label} falls to {low:.4g}: the baseline has next to no events where "
        "it is large",
        "the coefficient of {label} rises to {high:.4g}: the baseline has next to no events where "
        "it is small",
    ),
}
# where the adjacency is not identified, either: parameter, and whether the upper bound is meant
_WITH_ADJACENCY = {("c", True), ("p", False), ("decay", False), ("a", False), ("a", True)}


class Coordinate(NamedTuple):
    """One of them.

    Attributes
    ----------
    name : str
        Of the parameter.
    low, high : float
        Bounds within which it is searched.
    step : float
        Of differences.
    unit : float
        By which a coefficient is divided: the standard deviation of its scores or covariate.
    label : str
        Name of the covariate.
    reach : float
        Largest change of the log baseline with the coordinate, 0 if there is none.
    """

    name: str
    low: float
    high: float
    step: float = STEP
    unit: float = 1.0
    label: str = ""
    reach: float = 0.0

    @property
    def is_linear(self) -> bool:
        """Whether it is the parameter times a unit; else it is the logarithm."""
        return self.name in ("a", "coefficient")

    def value(self, phi: float) -> float:
        """Return the parameter, of p the part above 1."""
        return phi / self.unit if self.is_linear else float(np.exp(phi))

    def scale(self, phi: float) -> float:
        """Return by how much the parameter changes with the coordinate."""
        return 1.0 / self.unit if self.is_linear else float(np.exp(phi))

    def text(self, phi: float, *, high: bool) -> tuple[str, bool]:
        """Return what a maximum at a bound means, and whether the adjacency is lost with it."""
        value = self.value(phi)
        text = _TEXTS[self.name][int(high)].format(low=value, high=value, label=repr(self.label))
        return text, (self.name, high) in _WITH_ADJACENCY


@dataclass(frozen=True, eq=False)
class Joint:
    """A kernel and a baseline of which some parameters are coordinates.

    Attributes
    ----------
    kernel : Kernel
        Given, or a `PowerLaw`, `Exponential` or `SumExponential` that stands for those of any
        parameters.
    productivity : Productivity or None
        Its v0 and law are known.
    coordinates : tuple of Coordinate
        In the order c, p, decay or decays, a, coefficients.
    baseline : LogLinear or None
        One whose coefficients are coordinates, its covariates less `middle`, so that differences
        keep their digits whatever their origin.
    middle : ndarray, shape (n_covariates,), or None
        Means of the covariates over the time observed.
    """

    kernel: Kernel
    productivity: Productivity | None
    coordinates: tuple[Coordinate, ...]
    baseline: LogLinear | None = None
    middle: FloatArray | None = None

    @property
    def box(self) -> FloatArray:
        """Lowest and highest of each coordinate, (2, n)."""
        return np.array([(one.low, one.high) for one in self.coordinates]).T

    @property
    def steps(self) -> FloatArray:
        """Steps of differences, (n,)."""
        return np.array([one.step for one in self.coordinates])

    def of_name(self, name: str) -> list[int]:
        """Return the places of the coordinates of one parameter."""
        return [k for k, one in enumerate(self.coordinates) if one.name == name]

    def at(self, phi: FloatArray, tolerance: float = FINE) -> Kernel:
        """Return the kernel at a point."""
        values = [one.value(float(x)) for one, x in zip(self.coordinates, phi, strict=True)]
        kernel, found = self.kernel, {one.name for one in self.coordinates}
        if "c" in found:
            kernel = PowerLaw(values[0], 1.0 + values[1], tolerance=tolerance)
        elif "decay" in found:
            kernel = Exponential(values[0])
        elif "decays" in found:
            kernel = SumExponential([values[k] for k in self.of_name("decays")])
        if self.productivity is None:
            return kernel
        if "a" in found:
            own = [values[k] for k in self.of_name("a")]
            a = own if self.productivity.sharing == "source" else own[0]
            return Productive(kernel, self.productivity.replaced(a=a))
        return Productive(kernel, self.productivity)

    def model_at(self, task: Task, phi: FloatArray) -> Task:
        """Return the task with the baseline at a point."""
        if self.baseline is None:
            return task
        return replace(task, baseline=self.baseline.with_coefficients(self._coefficients(phi)))

    def final_model(self, task: Task, phi: FloatArray) -> Task:
        """Return the task with its own baseline, of the covariates as given, at a point."""
        if not isinstance(task.baseline, LogLinear) or self.baseline is None:
            return task
        return replace(task, baseline=task.baseline.with_coefficients(self._coefficients(phi)))

    def factor(self, phi: FloatArray) -> float:
        """Return the baseline without `middle`, at the same rate, over that with it."""
        return 1.0 if self.middle is None else float(np.exp(self._coefficients(phi) @ self.middle))

    @property
    def shifts(self) -> FloatArray:
        """How the logarithm of `factor` changes with each coordinate, (n,)."""
        out = np.zeros(len(self.coordinates))
        for middle, k in zip(
            () if self.middle is None else self.middle, self.of_name("coefficient"), strict=True
        ):
            out[k] = middle / self.coordinates[k].unit
        return out

    def _coefficients(self, phi: FloatArray) -> FloatArray:
        where = self.of_name("coefficient")
        return np.array([self.coordinates[k].value(float(phi[k])) for k in where])

    @property
    def of_baseline(self) -> Joint:
        """The coefficients of the baseline alone, the kernel being that of the middle."""
        where = self.of_name("coefficient")
        kernel = self.at(self.box.mean(axis=0))
        kept = tuple(self.coordinates[k] for k in where)
        return Joint(kernel, None, kept, self.baseline, self.middle)

    def final(self, phi: FloatArray) -> Kernel:
        """Return the kernel at the maximum, with the tolerance that was asked for."""
        return self.at(phi, getattr(self.kernel, "tolerance", FINE))

    def errors(self, phi: FloatArray, errors: FloatArray) -> dict[str, FloatArray]:
        """Return standard errors of the parameters by name, from those of the coordinates."""
        scales = [one.scale(float(x)) for one, x in zip(self.coordinates, phi, strict=True)]
        own = np.array(scales) * errors
        shared = self.productivity is None or self.productivity.sharing == "shared"
        out = {}
        for name in dict.fromkeys(one.name for one in self.coordinates):
            found = own[self.of_name(name)]
            several = name in ("coefficient", "decays") or (name == "a" and not shared)
            out[name] = found if several else found[0]
        return {name: np.asarray(value) for name, value in out.items()}

    def starts(self, coefficients: FloatArray) -> list[FloatArray]:
        """Return the points of a grid over the kernel's own parameters, a as it often is.

        The coefficients of the baseline are those given.
        """
        rest = np.append(np.full(len(self.of_name("a")), _USUAL_A), coefficients)
        low, high = self.box
        if self.of_name("c"):
            margin = 0.05 * (high[0] - low[0])
            along = np.linspace(low[0] + margin, high[0] - margin, _GRID_OF_C)
            return [np.array([c, p, *rest]) for c in along for p in _GRID_OF_P]
        if self.of_name("decay"):
            along = np.linspace(low[0], high[0], _GRID_OF_DECAY)[1:-1]
            return [np.array([x, *rest]) for x in along]
        return [rest]

    def with_decays(self, logs: FloatArray) -> Joint:
        """Return a kernel with these decays in place of those that are coordinates."""
        kept = tuple(one for one in self.coordinates if one.name != "decays")
        return replace(self, kernel=SumExponential(np.exp(logs)), coordinates=kept)

    def ordered(self, phi: FloatArray) -> FloatArray:
        """Return the same point with its decays in increasing order."""
        out, where = phi.copy(), self.of_name("decays")
        out[where] = np.sort(phi[where])
        return out

    def aside(self, phi: FloatArray) -> list[FloatArray]:
        """Return the same point with other coefficients: a of a grid, and those of a baseline 0."""
        out = []
        for name, grid in (("a", _GRID_OF_A), ("coefficient", (0.0,))):
            where = self.of_name(name)
            for value in grid if where else ():
                other = phi.copy()
                other[where] = np.clip(value, self.box[0, where], self.box[1, where])
                out.append(other)
        return out
