"""What of a model is searched: the coordinates, their bounds and their units, from the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._typing import BoolArray, FloatArray
from hawkeys._validation import brief_names
from hawkeys.baselines import Baseline, LogLinear
from hawkeys.events import Events
from hawkeys.events.observed import History
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.decay.coordinates import P_LESS_1, STEP, Coordinate, Joint
from hawkeys.inference.decay.options import DecaySearch
from hawkeys.inference.decay.problem import decay_bounds
from hawkeys.inference.task import Task
from hawkeys.kernels import DelayedKernel, Exponential, Kernel, PowerLaw, SumExponential
from hawkeys.productivity import Productivity

__all__ = ["joint_of"]

# between the bounds of log decays of a sum
_APART = 0.01
# of a coefficient times the spread of the scores; and the largest exponent of an event
_STEEPEST, _LARGEST = 8.0, 300.0
# of a covariate's size, a spread that is none
_EVEN = 1e-9


def joint_of(
    excitation: Kernel | DecaySearch, productivity: Productivity | None, task: Task
) -> Joint | None:
    """Return what is to be estimated together; None if nothing is, or in another way.

    Parameters
    ----------
    excitation : Kernel or DecaySearch
        The kernel without the productivity, or the search of a decay.
    productivity : Productivity or None
        Its v0 and law are known.
    task : Task
        Data and baseline.

    Returns
    -------
    Joint or None
        With its coordinates.

    Raises
    ------
    InvalidParameterError
        A decay beside a productivity or coefficients that is searched in another way than one for
        all; values that are all equal, or covariates that depend on each other, of which no
        coefficients can be estimated.
    """
    kernel: Kernel
    heard, baseline = task.heard, _unknown(task.baseline)
    coordinates: list[Coordinate] = []
    if isinstance(excitation, DecaySearch):
        if productivity is None and baseline is None:
            return None
        if excitation.grid is not None or excitation.sharing != "shared":
            beside = "a productivity" if baseline is None else "coefficients of a baseline"
            raise InvalidParameterError(
                f"beside {beside} a decay is one number, given or decay='estimate'; got "
                f"{'decay_grid' if excitation.grid is not None else 'decay_sharing'}. Leave it out."
            )
        low, high = decay_bounds(heard)
        kernel, coordinates = Exponential(1.0), [Coordinate("decay", low, high)]
    else:
        kernel = excitation
        if isinstance(kernel, DelayedKernel) and not kernel.known:
            return None
        coordinates = _of_kernel(kernel, heard)
    if productivity is not None and productivity.a is None:
        coordinates += _coefficients(productivity, heard)
    middle = None
    if baseline is not None:
        baseline, middle, of_covariates = _of_covariates(baseline, task)
        coordinates += of_covariates
    if not coordinates:
        return None
    return Joint(kernel, productivity, tuple(coordinates), baseline, middle)


def _of_kernel(kernel: Kernel, heard: Events) -> list[Coordinate]:
    """Return the coordinates of what a power law or a sum of exponentials leaves to the fit."""
    if isinstance(kernel, PowerLaw) and not kernel.known:
        low, high = decay_bounds(heard)
        return [Coordinate("c", -high, -low), Coordinate("p", *np.log(P_LESS_1).tolist())]
    if isinstance(kernel, SumExponential) and not kernel.decays.size:
        low, high = decay_bounds(heard)
        # bounds of their own, so that no two are the same
        last = _APART * (kernel.n_decays - 1)
        edges = _APART * np.arange(kernel.n_decays)
        return [Coordinate("decays", low + edge, high - last + edge) for edge in edges]
    return []


def _unknown(baseline: Baseline) -> LogLinear | None:
    """Return a baseline if its coefficients are to be estimated."""
    if isinstance(baseline, LogLinear) and baseline.coefficients is None:
        return baseline
    return None


def _of_covariates(
    baseline: LogLinear, task: Task
) -> tuple[LogLinear, FloatArray, list[Coordinate]]:
    """Return a baseline of covariates less their means, the means, and its coefficients.

    Means and spreads are those over the time observed, times the exposure; spreads are about the
    means of each mark, which its rate says already.
    """
    times = _times_of_marks(baseline, task)
    seen = times.sum(axis=0) > 0.0
    covariates, shares = baseline.covariates[seen], times[:, seen] / times.sum()
    middle = shares.sum(axis=0) @ covariates
    means = shares @ covariates / shares.sum(axis=1, keepdims=True)
    about = (covariates - means[:, None, :]).reshape(-1, covariates.shape[1])
    share = shares.ravel()
    spreads = np.sqrt(share @ about**2)
    dependent = spreads <= _EVEN * abs(covariates).max(axis=0)
    if not dependent.any():
        scaled = about / spreads * np.sqrt(share)[:, None]
        dependent = _dependent(scaled)
    if dependent.any():
        names = [name for name, bad in zip(baseline.names, dependent, strict=True) if bad]
        raise InvalidParameterError(
            f"the coefficients of {brief_names(names)} cannot be told apart: over the time "
            "observed they are constant, which the rates say already, or follow from the other "
            "covariates. Leave one of them out."
        )
    centred = LogLinear(
        baseline.knots,
        baseline.covariates - middle,
        exposure=baseline.exposure,
        names=baseline.names,
    )
    out = []
    for k, name in enumerate(baseline.names):
        unit, largest = float(spreads[k]), float(abs(centred.covariates[:, k]).max())
        bound = min(_STEEPEST, _LARGEST * unit / largest / len(baseline.names))
        reach = float(np.ptp(covariates[:, k])) / unit
        out.append(Coordinate("coefficient", -bound, bound, STEP, unit, name, reach))
    return centred, middle, out


def _times_of_marks(baseline: LogLinear, task: Task) -> FloatArray:
    """Return the time in each stretch times the exposure, (n_marks or 1, n_stretches).

    There is a row for each mark that is observed at all if marks have windows, and rates, of their
    own.
    """
    events, history = task.events, task.history
    observed = history.observed if isinstance(history, History) else None
    if observed is None or task.ties is not None:
        observed = np.ones((events.n_realizations, 1), dtype=bool)
    weights = np.ones(events.n_realizations) if task.weights is None else task.weights
    windows = events.start_times, events.end_times
    rows = [baseline.time_in_stretches(*windows, weights * seen) for seen in observed.T]
    return np.array([row for row in rows if row.any()])


def _dependent(scaled: FloatArray) -> BoolArray:
    """Tell which columns are sums of others, (n,)."""
    _, sizes, directions = np.linalg.svd(np.linalg.qr(scaled, mode="r"), full_matrices=True)
    sizes = np.append(sizes, np.zeros(scaled.shape[1] - sizes.size))
    flat = directions[sizes <= _EVEN * sizes.max()]
    return np.asarray((abs(flat) > np.sqrt(_EVEN)).any(axis=0))


def _coefficients(productivity: Productivity, heard: Events) -> list[Coordinate]:
    """Return the coordinates of the coefficients, one for all or one per source."""
    scores = productivity.scores(values_of(heard))
    parts = [scores]
    if productivity.sharing == "source":
        parts = [scores[heard.marks == j] for j in range(heard.n_marks)]
    spreads = [float(part.std()) if part.size else 0.0 for part in parts]
    if not all(spreads):
        where = ""
        if productivity.sharing == "source":
            lacking = [n for n, s in zip(heard.mark_names, spreads, strict=True) if not s]
            where = f" of the mark{'s' * (len(lacking) > 1)} {brief_names(lacking)}"
        raise InvalidParameterError(
            f"the values{where} are all equal, so that a of the productivity cannot be estimated. "
            "Give a, or leave productivity out."
        )
    out = []
    for part, spread in zip(parts, spreads, strict=True):
        bound = min(_STEEPEST, _LARGEST * spread / float(np.abs(part).max()))
        step = STEP * spread / float(np.sqrt(np.mean(part**2)))
        out.append(Coordinate("a", -bound, bound, step, spread))
    return out


def values_of(events: Events) -> Any:
    """Return the values of events, of which a productivity has seen that there are any."""
    return np.empty(0) if events.values is None else events.values
