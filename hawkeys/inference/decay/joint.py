"""Maximum likelihood over parameters of a kernel, a productivity and a baseline, with all else.

c and p of a power law, a decay beside a productivity, the productivity's coefficients and those of
a log-linear baseline are the coordinates over which the profile is climbed (`climb`), from the best
point of a grid; of long data a part of them has been climbed first.
"""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import scipy

from hawkeys._loops.choice import compiled_only
from hawkeys._typing import BoolArray, FloatArray
from hawkeys.exceptions import IdentifiabilityWarning, InvalidParameterError
from hawkeys.inference.decay.climb import GAIN, Search, Top, climb
from hawkeys.inference.decay.coordinates import Joint
from hawkeys.inference.decay.errors import information_beside
from hawkeys.inference.decay.mixture import idle_decays, starts_of_decays
from hawkeys.inference.decay.peak import first_part
from hawkeys.inference.kernel.errors import regular_inverse
from hawkeys.inference.methods import choose_method
from hawkeys.inference.outcome import result_of
from hawkeys.inference.smoothed import refuse_smoothing
from hawkeys.inference.task import Task
from hawkeys.results import LikelihoodResult

__all__ = ["fit_joint"]

# events from which loops are compiled, since the sums are made a hundred times
_MANY = 500
_LEVEL = 0.95
# degrees of freedom of what a power law gains without excitation, beside one for each pair, as for
# log-normal kernels; each coefficient of a productivity has one
_SEARCH = 3.0
# standard error of the log baseline between the ends of a covariate, beyond which there is none
_LOST = 20.0
# events for each weight of a sum of exponentials from which a part has the tops of all data
_PER_WEIGHT = 150
_WORDS = {"coefficient": "coefficients"}
_FAINT = "excitation gains {gain:.3g} nats over none, less than {hurdle:.3g}, as by chance"


def fit_joint(
    task: Task, joint: Joint, how: tuple[str, dict[str, Any]]
) -> tuple[LikelihoodResult, BoolArray, BoolArray]:
    """Fit baseline, adjacency and the coordinates.

    Parameters
    ----------
    task : Task
        Data and model.
    joint : Joint
        The kernel and its coordinates.
    how : tuple (method, options)
        Name of the method, and its options by name.

    Returns
    -------
    LikelihoodResult
        With ``kernel`` the estimated one, and standard errors that allow for it.
    ndarray of bool, shape (n_marks,)
        Targets that converged.
    ndarray of bool, shape (n_marks, n_marks)
        Pairs whose adjacency is not identified, of which a warning has told.

    Raises
    ------
    InvalidParameterError
        The method is not "mle", or an option is wrong.

    Warns
    -----
    IdentifiabilityWarning
        The likelihood rises to the edge of what the data can tell, or gains no more than chance.
    """
    names = list(dict.fromkeys(one.name for one in joint.coordinates))
    if how[0] != "mle":
        what = _listed(names)
        raise InvalidParameterError(
            f"{what} of {_whose(names)} are left out, and only the method 'mle' estimates them; "
            f"got method {how[0]!r}. Use it, or give {what}, for example those of a fit by 'mle'."
        )
    refuse_smoothing(task.baseline, f"a fit of {_listed(names)} of {_whose(names)}")
    method, settings = choose_method(*how)
    search = Search(task, settings, joint)
    with compiled_only() if task.events.n_events >= _MANY else nullcontext():
        top = climb(search, _start(search))
        if joint.of_name("decays"):
            top = climb(search, joint.ordered(top.phi))
        faint = _faint(search, top)
    reasons, lost, estimated = _limits(search, top, faint)
    final, model = joint.final(top.phi), joint.final_model(task, top.phi)
    design = model.design(final)
    solution = method.solve(design, settings, np.empty(0, np.int64), keep=True)
    found = result_of(model, final, design, solution, (method, settings))
    if not isinstance(found, LikelihoodResult):
        raise TypeError(f"method {method.name!r} returned no information")
    found = _with_kernel(found, search, top, estimated)
    size = task.events.n_marks
    identified = found.identified.copy()
    identified[:, -size:] &= not lost
    _warn(reasons, names)
    converged = design.by_target(solution.converged) & (top.gap <= GAIN)
    return replace(found, identified=identified), converged, np.full((size, size), lost)


def _start(search: Search) -> FloatArray:
    """Return where the climb begins: the best of a grid, of long data the tops of a part of them.

    A part with few events for each weight of each pair has tops that all data have not; of those it
    has the one that is highest for all data is taken.
    """
    events, joint = search.task.events, search.joint
    least = _PER_WEIGHT * len(joint.of_name("decays")) * events.n_marks**2
    part = first_part(events, least=least)
    if part is None or events.n_realizations > 1:
        return _best(search, _points(search))
    task = replace(search.task, events=part, history=None, weights=None)
    some = replace(search, task=task)
    points = _points(some)
    if not least:
        return np.clip(climb(some, _best(some, points)).phi, *joint.box)
    tops = {tuple(phi.round(2)): np.clip(phi, *joint.box) for phi in points}
    return _best(search, list(tops.values()))


def _points(search: Search) -> list[FloatArray]:
    """Return the points of a grid over the kernel; of several decays, the maxima nearby."""
    joint, nothing = search.joint, np.empty(0)
    if joint.baseline is not None:
        nothing = np.zeros(len(joint.of_name("coefficient")))
        if joint.baseline.is_positive:  # else some events need excitation
            nothing = climb(_without_excitation(search), nothing).phi
    grid = joint.starts(nothing)
    return starts_of_decays(search, grid[0]) if joint.of_name("decays") else grid


def _best(search: Search, points: list[FloatArray]) -> FloatArray:
    """Return the best of some points, then of those that have other coefficients."""
    values = [search.solve(phi)[0] for phi in points] if len(points) > 1 else [0.0]
    phi = points[int(np.argmax(values))]
    others = [phi, *search.joint.aside(phi)]
    values = [search.solve(other)[0] for other in others] if len(others) > 1 else [0.0]
    return others[int(np.argmax(values))]


def _limits(search: Search, top: Top, faint: str | None) -> tuple[list[str], bool, BoolArray]:
    """Return what the data do not tell in words, if the adjacency is lost, what has an estimate."""
    if faint is not None:
        estimated = np.zeros(top.phi.size, dtype=bool)
        estimated[search.joint.of_name("coefficient")] = True
        return [faint], True, estimated
    held = search.held(top.phi, top.near.slope)
    ways = np.where(held, top.near.slope, top.phi) > 0.0
    held |= _run_off(search, top, held)
    idle = idle_decays(search, top)
    told = [
        search.joint.coordinates[k].text(float(top.phi[k]), high=bool(ways[k]))
        for k in np.flatnonzero(held)
    ]
    told += [(text, False) for text in idle.texts]
    held[search.joint.of_name("decays")] |= idle.flags
    return [text for text, _ in told], any(lost for _, lost in told), ~held


def _run_off(search: Search, top: Top, held: BoolArray) -> BoolArray:
    """Tell which coefficients of a baseline run off until steps gain nothing, as without events."""
    reach = np.array([one.reach for one in search.joint.coordinates])
    if not reach.any():
        return np.zeros_like(held)
    inverse = np.diagonal(regular_inverse(top.near.curvature(top.x), ~held))
    known = np.isfinite(inverse) & (inverse >= 0.0)
    errors = np.sqrt(np.where(known, inverse, np.inf))
    with np.errstate(invalid="ignore"):  # what has no reach may have no error
        return np.asarray(~held & (reach > 0.0) & (errors * reach > _LOST))


def _warn(reasons: list[str], names: list[str]) -> None:
    if not reasons:
        return
    told = _listed(names)
    what = {("c", "p"): "the power law is", ("coefficient",): "the baseline is"}.get(
        tuple(names), f"the model ({told} estimated) is"
    )
    warnings.warn(
        f"{what} not identified by the data: {'; '.join(reasons)}. What is at a "
        f"bound has no interval. Give {told}, or observe more.",
        IdentifiabilityWarning,
        stacklevel=5,
    )


def _listed(names: list[str]) -> str:
    """Return names of parameters in words."""
    *most, last = [_WORDS.get(name, name) for name in names]
    return f"{', '.join(most)} and {last}" if most else last


def _whose(names: list[str]) -> str:
    """Return whose parameters are estimated, in words."""
    own = [name for name in names if name != "coefficient"]
    kernel = "the kernel and its productivity" if "a" in own else "the kernel"
    kernel = {("c", "p"): "PowerLaw", ("decays",): "SumExponential"}.get(tuple(own), kernel)
    return " and ".join([kernel] * bool(own) + ["LogLinear"] * ("coefficient" in names))


def _with_kernel(
    found: LikelihoodResult, search: Search, top: Top, estimated: BoolArray
) -> LikelihoodResult:
    """Return the result with what the estimation of the coordinates adds to it."""
    x, near, joint = top.x, top.near, search.joint
    information = found.information
    errors = np.full(estimated.size, np.nan)
    if estimated.any():
        errors = np.sqrt(np.diagonal(regular_inverse(near.curvature(x), estimated)))
        rates = range(1, search.design(top.phi).n_baselines)
        rows, moves, x = near.with_factor(x, rates, joint.factor(top.phi), joint.shifts)
        information = np.array(information_beside(rows, x, moves, estimated))
    by_name = joint.errors(top.phi, errors)
    coefficients = by_name.pop("coefficient", None)
    own = estimated.size - np.size(coefficients if coefficients is not None else ())
    return replace(
        found,
        information=information,
        kernel_std_err=by_name or None,
        coefficient_std_err=coefficients,
        n_kernel_parameters=found.n_kernel_parameters + own,
        optimality_gap=found.optimality_gap + top.gap,
        converged=found.converged and top.gap <= GAIN,
        options=dict(found.options) | search.task.as_options(),
    )


def _faint(search: Search, top: Top) -> str | None:
    """Return in words that the excitation gains no more than chance, None if it does."""
    task, joint = search.task, search.joint
    if {one.name for one in joint.coordinates} == {"coefficient"}:
        return None  # nothing of the excitation was searched for
    zero = task.baseline.known and bool((task.baseline.known_rates == 0.0).any())
    if zero or not task.baseline.is_positive:
        return None  # without excitation some events may be impossible
    size = task.events.n_marks
    pairs = size**2 if task.support is None else int(task.support.sum())
    pairs *= max(len(joint.of_name("decays")), 1)
    more = len(joint.of_name("a")) + (_SEARCH if joint.of_name("c") else 0.0)
    hurdle = 0.5 * float(scipy.special.chdtri(pairs + more, 1.0 - _LEVEL))
    nothing = _without_excitation(search)
    if joint.baseline is None:
        least = nothing.solve(np.empty(0))[0]
    else:
        least = climb(nothing, top.phi[joint.of_name("coefficient")]).value
    gain = top.value - least
    return _FAINT.format(gain=max(gain, 0.0), hurdle=hurdle) if gain < hurdle else None


def _without_excitation(search: Search) -> Search:
    """Return the search of the coefficients of a baseline, if any, without excitation."""
    size = search.task.events.n_marks
    task = replace(search.task, support=np.zeros((size, size), bool))
    return replace(search, task=task, joint=search.joint.of_baseline)
