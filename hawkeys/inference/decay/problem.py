"""What is maximised over everything but the decay, and the decays that data can tell apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hawkeys._design import Design
from hawkeys._typing import ArrayLike, FloatArray
from hawkeys.events import Events
from hawkeys.inference.decay.peak import extrapolate
from hawkeys.inference.methods import Method
from hawkeys.inference.rows.newton import solve_mle, solve_nearby
from hawkeys.inference.seeds import row_seeds
from hawkeys.inference.task import Task
from hawkeys.kernels import Exponential

__all__ = ["NO_GAIN", "DecayProblem", "decay_bounds"]

# nats: so little is no gain
NO_GAIN = 1e-6
_FEWEST_LAGS = 20
_LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class DecayProblem:
    """Events and the method whose objective is maximised over everything but the decay."""

    task: Task
    method: Method
    settings: Any
    rng: Any
    found: dict[float, FloatArray] = field(default_factory=dict)

    @property
    def events(self) -> Events:
        """The data."""
        return self.task.events

    @property
    def heard(self) -> Events:
        """All events that may excite: those of a history, too."""
        return self.task.heard

    @property
    def scale(self) -> float:
        """Weight of the log-likelihood in the objective."""
        return float(getattr(self.settings, "likelihood_weight", 1.0))

    def solve(self, decay: ArrayLike) -> tuple[float, FloatArray]:
        """Return the maximised objective and the columns of the row problems."""
        return self.maximise(self.task.design(Exponential(decay), self.scale))

    def maximise(self, design: Design) -> tuple[float, FloatArray]:
        """Return the maximised objective of row problems and their columns."""
        seeded = self.method.solve is not solve_mle
        seeds = row_seeds(self.rng, design.n_blocks) if seeded else np.empty(0, np.int64)
        solution = self.method.solve(design, self.settings, seeds, keep=False)
        return float(solution.objective.sum()), solution.x

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

        size, support = self.events.n_marks, self.task.support
        heard = np.tile(self.heard.counts.sum(axis=0) > 0, (size, 1))
        if support is not None:
            heard &= support
        names = np.arange(size * size).reshape(size, size)
        if self.task.ties is not None:
            names = self.task.ties.identities(1, 1)[1]
        return float(0.5 * chdtri(max(np.unique(names[heard]).size, 1), 1.0 - _LEVEL))

    def may_gain_less(self, objective: FloatArray, hurdle: float) -> bool:
        """Tell whether the best of a profile may gain less than `hurdle`, judged by the others.

        By maximum likelihood no decay does worse than no excitation.
        """
        return self.method.solve is not solve_mle or bool(np.ptp(objective) <= hurdle)

    def without_excitation(self) -> float:
        """Return the maximised objective with the adjacency held at 0."""
        size = self.events.n_marks
        nothing = replace(self.task, support=np.zeros((size, size), dtype=bool))
        return self.maximise(nothing.design(Exponential(1.0), self.scale))[0]

    def log_value(self, log_decay: float, *, precise: bool = False) -> float:
        """Return the maximised objective at the logarithm of a decay, for differences if `precise`.

        By maximum likelihood from where the steps at the nearest decays so far have led.
        """
        if self.method.solve is not solve_mle:
            return self.value(np.exp(log_decay))
        design = self.task.design(Exponential(np.exp(log_decay)), self.scale)
        start = extrapolate(self.found, log_decay)
        solution = solve_nearby(design, self.settings, start, precise=precise)
        self.found[log_decay] = solution.x
        return float(solution.objective.sum())

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


def decay_bounds(events: Events) -> tuple[float, float]:
    """Return the logs of the smallest and largest decay that the data can tell anything about."""
    lags = np.diff(events.times)
    lags = lags[(np.diff(events.realization) == 0) & (lags > 0)]
    longest = float(events.durations.max())
    if lags.size == 0:
        return np.log(1.0 / longest), np.log(1e3 / longest)
    rank = min(_FEWEST_LAGS, lags.size) - 1
    shortest = np.partition(lags, rank)[rank]
    return np.log(1.0 / longest), np.log(max(10.0 / shortest, 100.0 / longest))
