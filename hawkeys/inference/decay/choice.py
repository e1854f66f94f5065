"""Decays chosen by the data: among candidates, or by optimisation."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from hawkeys._loops.choice import compiled_only
from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_positive, refuse_labels
from hawkeys.exceptions import IdentifiabilityWarning, InvalidParameterError
from hawkeys.inference.decay.options import DecaySearch
from hawkeys.inference.decay.peak import (
    climb_parabola,
    is_parabola,
    look_aside,
    refine,
    vertex,
)
from hawkeys.inference.decay.problem import NO_GAIN, DecayObjective
from hawkeys.inference.decay.separate import optimise_apart
from hawkeys.results.decay_profile import AT_EDGE, DecayProfile

__all__ = ["choose_decay"]

_PER_DECADE = 3
# standard errors to which a part of the data is searched
_NEAR = 0.05
# of all events, from which the search in very many sets out
_LARGER = 0.1
_FAINT = 1.92  # half the 95 % quantile of chi-square with one degree of freedom


def choose_decay(problem: DecayObjective, search: DecaySearch) -> DecayProfile:
    """Try decays of exponential kernels and return what each achieves.

    Parameters
    ----------
    problem : DecayObjective
        What is maximised over all other parameters.
    search : DecaySearch
        Candidates, or what is to be optimised.

    Returns
    -------
    DecayProfile
        Its `best` entry is the choice.

    Raises
    ------
    InvalidParameterError
        A candidate does not fit the data, or several decays are to be optimised with a baseline
        that changes, with tied parameters or with a history.

    Warns
    -----
    IdentifiabilityWarning
        The objective is flat in a decay that was optimised.
    """
    if search.grid is not None:
        return _among(problem, search.grid, search)
    shared = _optimise_shared(problem)
    if search.sharing == "shared":
        return shared
    start = float(shared.decays[shared.best])
    return optimise_apart(problem, search.sharing, start)


def _among(problem: DecayObjective, grid: Sequence[ArrayLike], search: DecaySearch) -> DecayProfile:
    candidates = _candidates(grid, problem.model.n_marks)
    objective = np.array([problem.value(decay) for decay in candidates])
    score = objective
    if search.selection == "cross-validation":
        score = np.array([problem.held_out(decay, search.n_folds) for decay in candidates])
    return DecayProfile(candidates, objective, score, search.selection)


def _candidates(grid: Sequence[ArrayLike], n_marks: int) -> FloatArray:
    """Return the candidates as an array, numbers in increasing order."""
    for k, decay in enumerate(grid):
        refuse_labels(decay, f"decay_grid[{k}]")
    checked = [check_positive(decay, f"decay_grid[{k}]") for k, decay in enumerate(grid)]
    shapes = {decay.shape for decay in checked}
    if len(shapes) > 1 or shapes.pop() not in ((), (n_marks,), (n_marks, n_marks)):
        raise InvalidParameterError(
            "decay_grid must hold numbers, or arrays of one shape, (n_marks,) or (n_marks, "
            f"n_marks) with {n_marks} marks; got {[decay.shape for decay in checked]}."
        )
    stacked = np.stack(checked)
    return np.unique(stacked) if stacked.ndim == 1 else stacked


def _optimise_shared(problem: DecayObjective) -> DecayProfile:
    """Maximise over one decay: near where a part of long data has its maximum, or from a grid."""
    tried: dict[float, float] = {}
    edges = problem.bounds()
    part = problem.part() if problem.model.is_plain else None
    if part is not None:
        rough: dict[float, float] = {}
        with compiled_only():  # as all the data need it
            found = _search_grid(part, rough, edges=part.bounds(), rough=True)
        if found:
            start, width = _between(problem, max(rough, key=rough.__getitem__), _width(rough))
            if climb_parabola(problem.log_value_nearby, tried, start, width):
                return _with_limit(problem, _profile(tried), edges)
    _search_grid(problem, tried, edges=edges)
    return _with_limit(problem, _profile(tried), edges)


def _between(problem: DecayObjective, start: float, width: float) -> tuple[float, float]:
    """Return a better start and width from a larger part, where there is one that is cheap."""
    part = problem.part(_LARGER)
    if part is None:
        return start, width
    tried: dict[float, float] = {}
    with compiled_only():
        if climb_parabola(part.log_value_nearby, tried, start, width, sides=False):
            return vertex(tried)
    return start, width


def _profile(tried: dict[float, float]) -> DecayProfile:
    logs = np.array(sorted(tried))
    objective = np.array([tried[point] for point in logs])
    return DecayProfile(np.exp(logs), objective, objective)


def _as_decays(edges: tuple[float, float]) -> tuple[float, float]:
    return float(np.exp(edges[0])), float(np.exp(edges[1]))


def _with_limit(
    problem: DecayObjective, profile: DecayProfile, edges: tuple[float, float]
) -> DecayProfile:
    """Return the profile with the limit to which it rises, if it has no maximum inside `edges`."""
    objective = profile.objective
    best = np.log(profile.decays[profile.best])
    profile = replace(profile, bounds=_as_decays(edges))
    at_edge = best <= edges[0] + AT_EDGE, best >= edges[1] - AT_EDGE
    unclear = objective.max() - max(objective[0], objective[-1]) <= _FAINT
    gain, hurdle = np.inf, problem.hurdle
    if unclear or any(at_edge) or problem.may_gain_less(objective, hurdle):
        gain = objective.max() - problem.without_excitation()
    if gain <= (hurdle if any(at_edge) else NO_GAIN):
        # all but equal: what a fit reports of each says which comes nearest to its maximum
        reported = np.array([problem.value(decay) for decay in profile.decays])
        return replace(profile, objective=reported, score=reported, limit="no excitation")
    if any(at_edge):
        return replace(profile, limit="trend" if at_edge[0] else "burst")
    if unclear:
        warnings.warn(
            "the decay is not identified: no decay fits clearly better than one at the edge of "
            "what the data can tell (decay_profile shows it), and its interval is open. Give a "
            "decay, or a decay_grid.",
            IdentifiabilityWarning,
            stacklevel=6,
        )
    elif gain <= hurdle:
        warnings.warn(
            f"the decay is not identified: with any decay the excitation gains less than "
            f"{hurdle:.3g} nats over none, as chance alone lets it with so many pairs that share a "
            "decay. Give a decay, or fewer pairs (support=).",
            IdentifiabilityWarning,
            stacklevel=6,
        )
    return profile


def _search_grid(
    problem: DecayObjective,
    tried: dict[float, float],
    *,
    edges: tuple[float, float],
    rough: bool = False,
) -> bool:
    """Go through a grid, then on from its best points; tell if the best is inside the edges.

    Unless `rough`, points are added from which the interval can be read.
    """
    from scipy.optimize import minimize_scalar

    loss = problem.loss(tried)
    decades = (edges[1] - edges[0]) / np.log(10.0)
    grid = np.linspace(*edges, max(5, round(decades * (1 if rough else _PER_DECADE)) + 1))
    values = np.array([loss(point) for point in grid])
    k = int(values.argmin())
    inside = 0 < k < grid.size - 1
    flat = inside and values[k] == min(values[k - 1], values[k + 1])  # there is nothing to climb
    if inside and not flat:
        if _climb(problem, tried, grid[k - 1 : k + 2], edges=edges, rough=rough) or rough:
            return True
    elif not (rough or inside):  # the maximum may lie between the edge and its neighbour
        bounds = (grid[0], grid[1]) if k == 0 else (grid[-2], grid[-1])
        minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": AT_EDGE})
    if not rough:
        _fill_in(loss, tried, edges)
    return inside and not flat


def _climb(
    problem: DecayObjective,
    tried: dict[float, float],
    around: FloatArray,
    *,
    edges: tuple[float, float],
    rough: bool,
) -> bool:
    """Find the maximum between the outer two of three log decays by parabolas, else Brent's method.

    Tell whether the interval can be read from the points tried.
    """
    from scipy.optimize import minimize_scalar

    within = float(around[0]), float(around[2])
    if problem.by_likelihood:  # whose values are precise enough for parabolas
        error = refine(problem.log_value_nearby, tried, within, *([_NEAR] if rough else []))
        if error is not None and rough:
            return True
        if error is not None:
            look_aside(problem.log_value_nearby, tried, error, edges)
            return is_parabola(tried, error)
    options = {"xtol": 1e-2 if rough else 1e-6}
    minimize_scalar(problem.loss(tried), bracket=tuple(around), method="brent", options=options)
    return False


def _width(tried: dict[float, float]) -> float:
    """Return how far from the best log decay the profile of a part falls by about half a nat."""
    best = max(tried, key=lambda point: tried[point])
    sharp = [
        (tried[best] - value) / (point - best) ** 2
        for point, value in tried.items()
        if abs(point - best) > 0.1
    ]
    return float(1.0 / np.sqrt(2.0 * max(sharp)))


def _fill_in(
    loss: Callable[[float], float], tried: dict[float, float], edges: tuple[float, float]
) -> None:
    """Add points within `edges` where the profile falls off, so that its interval can be read."""
    best = max(tried, key=lambda point: tried[point])
    for sign, edge in zip((-1.0, 1.0), edges, strict=True):
        step = 0.01
        for _ in range(12):
            point = best + sign * step
            if sign * (point - edge) >= 0.0:
                break
            drop = tried[best] + loss(point)
            if drop > 4.0 * _FAINT:
                break
            step *= 1.6 if drop > 0.25 * _FAINT else 2.5
