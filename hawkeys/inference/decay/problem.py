"""What is maximised over everything but the decay, and the decays that data can tell apart."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from hawkeys._design import Design
from hawkeys._design.ties import Ties
from hawkeys._loops.choice import usual_form
from hawkeys._loops.decay_slope import log_decay_slopes
from hawkeys._typing import ArrayLike, BoolArray, FloatArray
from hawkeys.events import Events
from hawkeys.inference.decay.folds import make_folds
from hawkeys.inference.decay.peak import extrapolate, first_part
from hawkeys.inference.methods import Method, row_seeds
from hawkeys.inference.rows.newton import solve_mle, solve_nearby
from hawkeys.inference.task import Task, check_weights, leave_out
from hawkeys.kernels import Exponential

__all__ = [
    "NO_GAIN",
    "DecayObjective",
    "DecayProblem",
    "Model",
    "bounds_of_lags",
    "decay_bounds",
    "rising",
    "slope_and_bend",
    "smallest_lags",
]

# nats: so little is no gain
NO_GAIN = 1e-6
_FEWEST_LAGS = 20
_LEVEL = 0.95


class Model(NamedTuple):
    """What decides how many parameters share a decay: marks, admissible pairs, what is one.

    `heard` (n_marks,) tells which marks have events; `is_plain` is that of `Task`.
    """

    n_marks: int
    support: BoolArray | None
    ties: Ties | None
    heard: BoolArray
    is_plain: bool


class DecayObjective(ABC):
    """What a search of decays maximises, wherever the events are."""

    @property
    @abstractmethod
    def model(self) -> Model:
        """Marks, support and ties."""

    @property
    @abstractmethod
    def by_likelihood(self) -> bool:
        """Whether it is the log-likelihood alone, whose maximum is found as precisely as asked."""

    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """Return the logs of the smallest and largest decay that the data tell anything about."""

    @abstractmethod
    def part(self, share: float = 0.0) -> DecayObjective | None:
        """Return that of a part of the data as `peak.first_part` has it; None if data are few."""

    @abstractmethod
    def solve(self, decay: ArrayLike) -> tuple[float, FloatArray]:
        """Return the maximised objective and the columns of the row problems."""

    @abstractmethod
    def log_value(self, log_decay: float, *, precise: bool = False) -> float:
        """Return the maximised objective at the logarithm of a decay, for differences if `precise`.

        By maximum likelihood from where the steps at the nearest decays so far have led.
        """

    @abstractmethod
    def without_excitation(self) -> float:
        """Return the maximised objective with the adjacency held at 0."""

    @abstractmethod
    def held_out(self, decay: FloatArray, n_folds: int) -> float:
        """Return the log-likelihood of each fold under the fit of the others, summed."""

    @abstractmethod
    def slopes(self, decay: FloatArray, x: FloatArray) -> FloatArray:
        """Return the derivatives by the log decay of each pair at columns `x`, (D, D)."""

    @abstractmethod
    def gains(self, logs: FloatArray, x: FloatArray, grid: FloatArray) -> FloatArray:
        """Return what each adjacency entry could gain at other decays, to second order.

        Each entry alone, from columns `x` under log decays `logs`: shape (n_grid, D, D).
        """

    def value(self, decay: ArrayLike) -> float:
        """Return the maximised objective."""
        return self.solve(decay)[0]

    @property
    def hurdle(self) -> float:
        """What excitation with one decay for all must gain, in nats, to be more than chance.

        Half the 95 % quantile of chi-square with a degree of freedom for each adjacency entry.
        Entries cannot be below 0, so that with several it is on the safe side: of Poisson data 1 %
        pass, with one entry 4 %, the bounds being asked, too (benchmarks/kernel_null.py).
        """
        from scipy.special import chdtri

        size, support, ties, heard, _ = self.model
        admitted = np.tile(heard, (size, 1))
        if support is not None:
            admitted &= support
        names = np.arange(size * size).reshape(size, size)
        if ties is not None:
            names = ties.identities(1, 1)[1]
        return float(0.5 * chdtri(max(np.unique(names[admitted]).size, 1), 1.0 - _LEVEL))

    def may_gain_less(self, objective: FloatArray, hurdle: float) -> bool:
        """Tell whether the best of a profile may gain less than `hurdle`, judged by the others.

        By maximum likelihood no decay does worse than no excitation.
        """
        return not self.by_likelihood or bool(np.ptp(objective) <= hurdle)

    def log_value_nearby(self, log_decay: float) -> float:
        """Return the maximised objective, precisely enough for differences."""
        return self.log_value(log_decay, precise=True)

    def loss(self, tried: dict[float, float]) -> Callable[[float], float]:
        """Return minus `log_value` as a function that notes what it has tried."""

        def note(log_decay: float) -> float:
            if log_decay not in tried:
                tried[log_decay] = self.log_value(log_decay)
            return -tried[log_decay]

        return note


@dataclass(frozen=True, eq=False)
class DecayProblem(DecayObjective):
    """Events in memory and the method whose objective is maximised over all but the decay."""

    task: Task
    method: Method
    settings: Any
    rng: Any
    found: dict[float, FloatArray] = field(default_factory=dict)

    @property
    def heard(self) -> Events:
        """All events that may excite: those of a history, too."""
        return self.task.heard

    @property
    def model(self) -> Model:
        """As `DecayObjective.model`."""
        task, heard = self.task, self.heard.counts.sum(axis=0) > 0
        return Model(task.events.n_marks, task.support, task.ties, heard, task.is_plain)

    @property
    def by_likelihood(self) -> bool:
        """As `DecayObjective.by_likelihood`."""
        return self.method.solve is solve_mle

    @property
    def scale(self) -> float:
        """Weight of the log-likelihood in the objective."""
        return float(getattr(self.settings, "likelihood_weight", 1.0))

    def bounds(self) -> tuple[float, float]:
        """As `DecayObjective.bounds`."""
        return decay_bounds(self.heard)

    def part(self, share: float = 0.0) -> DecayProblem | None:
        """As `DecayObjective.part`."""
        part = first_part(self.task.events, share)
        if part is None:
            return None
        return replace(self, task=replace(self.task, events=part, weights=None), found={})

    def solve(self, decay: ArrayLike) -> tuple[float, FloatArray]:
        """As `DecayObjective.solve`."""
        return self.maximise(self.task.design(Exponential(decay), self.scale))

    def maximise(self, design: Design) -> tuple[float, FloatArray]:
        """Return the maximised objective of row problems and their columns."""
        seeded = not self.by_likelihood
        seeds = row_seeds(self.rng, design.n_blocks) if seeded else np.empty(0, np.int64)
        solution = self.method.solve(design, self.settings, seeds, keep=False)
        return float(solution.objective.sum()), solution.x

    def without_excitation(self) -> float:
        """As `DecayObjective.without_excitation`."""
        size = self.task.events.n_marks
        nothing = replace(self.task, support=np.zeros((size, size), dtype=bool))
        return self.maximise(nothing.design(Exponential(1.0), self.scale))[0]

    def held_out(self, decay: FloatArray, n_folds: int) -> float:
        """As `DecayObjective.held_out`."""
        folds = make_folds(self.task, Exponential(decay), n_folds, weight=self.scale)
        values = [fold.test.log_likelihood(self.maximise(fold.train)[1]).sum() for fold in folds]
        return float(np.sum(values))

    def log_value(self, log_decay: float, *, precise: bool = False) -> float:
        """As `DecayObjective.log_value`."""
        if not self.by_likelihood:
            return self.value(np.exp(log_decay))
        design = self.task.design(Exponential(np.exp(log_decay)), self.scale)
        start = extrapolate(self.found, log_decay)
        solution = solve_nearby(design, self.settings, start, precise=precise)
        self.found[log_decay] = solution.x
        return float(solution.objective.sum())

    def slopes(self, decay: FloatArray, x: FloatArray) -> FloatArray:
        """As `DecayObjective.slopes`."""
        events, counting = leave_out(self.task.events, self.task.weights)
        weights = self.scale * check_weights(counting, events.n_realizations)
        out = np.empty((len(x), len(x)))
        full = usual_form(np.broadcast_to(decay, out.shape))
        arrays = events.times, events.marks, events.offsets
        log_decay_slopes(arrays, events.end_times, weights, full, x, out)
        return out

    def gains(self, logs: FloatArray, x: FloatArray, grid: FloatArray) -> FloatArray:
        """As `DecayObjective.gains`."""
        now = self.task.design(Exponential(np.exp(logs)), self.scale)
        there = (self.task.design(Exponential(np.exp(point)), self.scale) for point in grid)
        return np.array([rising(*slope_and_bend(now, design, x)) for design in there])


def slope_and_bend(now: Design, there: Design, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return first and minus second derivatives by entries that would have another decay, (D, D).

    `x` are the columns of `now`, the row problems at the present decays.
    """
    out = np.zeros((2, len(x), len(x)))
    for i in range(len(x)):
        share = there.block(i) / (x[i, 0] + x[i, 1:] @ now.block(i))
        own = now.event_weights(i)
        out[0, i] = (share * own).sum(axis=1) - there.cost[i, 1:]
        out[1, i] = (share**2 * own).sum(axis=1)
    return out[0], out[1]


def rising(slope: FloatArray, bend: FloatArray) -> FloatArray:
    """Return what each entry alone could gain, to second order; 0 where it cannot rise."""
    rises = (slope > 0.0) & (bend > 0.0)
    return np.asarray(np.where(rises, slope**2, 0.0) / np.where(rises, 2.0 * bend, 1.0))


def decay_bounds(events: Events) -> tuple[float, float]:
    """Return the logs of the smallest and largest decay that the data can tell anything about."""
    return bounds_of_lags(smallest_lags(events), float(events.durations.max()))


def smallest_lags(events: Events) -> FloatArray:
    """Return the smallest lags above 0 within realisations, as many as `bounds_of_lags` needs."""
    lags = np.diff(events.times)
    lags = lags[(np.diff(events.realization) == 0) & (lags > 0)]
    if lags.size > _FEWEST_LAGS:
        lags = np.partition(lags, _FEWEST_LAGS - 1)[:_FEWEST_LAGS]
    return np.sort(lags)


def bounds_of_lags(lags: FloatArray, longest: float) -> tuple[float, float]:
    """Return the same of the smallest lags, in increasing order, and the longest window."""
    if lags.size == 0:
        return np.log(1.0 / longest), np.log(1e3 / longest)
    shortest = lags[min(_FEWEST_LAGS, lags.size) - 1]
    return np.log(1.0 / longest), np.log(max(10.0 / shortest, 100.0 / longest))
