"""What the data choose before the row problems are solved: decays, and how smooth a baseline is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from hawkeys._typing import RandomState
from hawkeys.baselines import Spline
from hawkeys.inference.decay.choice import choose_decay
from hawkeys.inference.decay.options import DecaySearch
from hawkeys.inference.decay.problem import DecayProblem
from hawkeys.inference.methods import Method
from hawkeys.inference.rows.smoothing import choose_smoothing
from hawkeys.inference.task import Task
from hawkeys.kernels import Exponential, Kernel
from hawkeys.results.decay_profile import DecayProfile

__all__ = ["with_chosen"]

# rounds of decays and smoothing in turn, and the change of log smoothing that ends them
_ROUNDS, _SETTLED = 8, 0.02


def with_chosen(
    task: Task, excitation: Kernel | DecaySearch, how: tuple[Method, Any], rng: RandomState
) -> tuple[Task, Kernel, DecayProfile | None]:
    """Return the task, the kernel and the search with what was to be chosen by the data.

    Parameters
    ----------
    task : Task
        Data and model.
    excitation : Kernel or DecaySearch
        A kernel that is given, or decays that are to be chosen.
    how : tuple of Method and its options
        What will solve the row problems.
    rng : None, int or numpy.random.Generator
        Source of randomness.

    Returns
    -------
    task : Task
        The smoothing of its baseline, if any, is a number for each mark.
    kernel : Kernel
        Given, or exponential with the decays chosen.
    profile : DecayProfile or None
        How the decays were chosen; None if they were given.

    Raises
    ------
    InvalidParameterError
        As for `choose_decay` and `Task.design`.
    """
    to_smooth = task.baseline.rates is None and isinstance(task.baseline.smoothing, str)
    if not isinstance(excitation, DecaySearch):
        return (_smoothed(task, excitation) if to_smooth else task), excitation, None
    if to_smooth:
        size = task.events.n_marks
        alone = replace(task, support=np.zeros((size, size), dtype=bool))
        task = replace(_smoothed(alone, Exponential(1.0)), support=task.support)
    for _ in range(_ROUNDS):
        profile = choose_decay(DecayProblem(task, *how, rng), excitation)
        kernel = Exponential(profile.chosen)
        if not to_smooth:
            break
        other = _smoothed(task, kernel)
        change = np.abs(np.log(other.baseline.smoothing / task.baseline.smoothing))
        if change.max() < _SETTLED:
            break  # the decays are those of the smoothing before, which stays
        task = other
    return task, kernel, profile


def _smoothed(task: Task, kernel: Kernel) -> Task:
    """Return the task with the smoothing that the data ask for under a kernel."""
    baseline = task.baseline
    if not isinstance(baseline, Spline):
        raise TypeError(f"{type(baseline).__name__} has a smoothing that nothing can choose")
    plain = replace(task, baseline=baseline.with_smoothing(None))
    smoothing = choose_smoothing(plain.design(kernel), np.asarray(baseline.roughness))
    return replace(task, baseline=baseline.with_smoothing(smoothing))
