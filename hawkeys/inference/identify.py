"""Which parameters the data determine."""

from __future__ import annotations

import warnings

import numpy as np

from hawkeys._typing import BoolArray, FloatArray
from hawkeys.events import Events
from hawkeys.exceptions import ConvergenceWarning, IdentifiabilityWarning
from hawkeys.results.estimates import LikelihoodResult
from hawkeys.results.fit_result import FitResult

__all__ = ["flat_directions", "warn_about", "warn_about_fit"]

_FLAT = 1e-9
_SHARE = 1e-3
_NAMED = 5
# a process with ten children an event explodes; an estimate beyond that says why it is so
_LARGEST_RADIUS = 10.0


def flat_directions(information: FloatArray, x: FloatArray, identified: BoolArray) -> BoolArray:
    """Return `identified`, less the parameters along which the objective is flat.

    Among the parameters of a row above 0, those with a share in a null direction of the scaled
    information can be exchanged for one another without changing the fit.
    """
    out = identified.copy()
    for b, matrix in enumerate(information):
        index = np.flatnonzero(identified[b] & (x[b] > 0) & (np.diagonal(matrix) > 0))
        if index.size < 2:
            continue
        scale = 1.0 / np.sqrt(matrix[index, index])
        values, vectors = np.linalg.eigh(matrix[np.ix_(index, index)] * np.outer(scale, scale))
        flat = np.abs(vectors[:, values < _FLAT * values[-1]]).max(axis=1, initial=0.0)
        out[b, index[flat > _SHARE]] = False
    return out


def warn_about(
    identified: BoolArray,
    converged: BoolArray,
    names: tuple[str, ...],
    pieces: tuple[str, ...] = ("constant",),
    *,
    stacklevel: int = 3,
) -> None:
    """Warn, in the caller's name, of parameters not identified and of rows not converged.

    `pieces` names the columns before those of the adjacency.
    """
    missing = np.argwhere(~identified)
    if missing.size:
        named = [_name(i, j, names, pieces) for i, j in missing[:_NAMED]]
        more = ", ..." if len(missing) > _NAMED else ""
        warnings.warn(
            f"{len(missing)} parameters are not identified by the data: {', '.join(named)}{more}. "
            "They are flagged in result.identified; their estimates mean nothing. Drop the marks "
            "without events, observe longer, or use a prior (method='map' or 'vi').",
            IdentifiabilityWarning,
            stacklevel=stacklevel,
        )
    if not converged.all():
        rows = ", ".join(names[i] for i in np.flatnonzero(~converged)[:_NAMED])
        warnings.warn(
            f"the fit did not converge for the target marks {rows}; raise max_iter.",
            ConvergenceWarning,
            stacklevel=stacklevel,
        )


def warn_about_fit(
    found: FitResult, converged: BoolArray, events: Events, support: BoolArray
) -> None:
    """Warn, in the name of who called `hawkeys.fit`, of all that its result does not say."""
    size = events.n_marks
    expected = found.identified.copy()
    expected[:, -size:] |= ~support
    profile = found.decay_profile if isinstance(found, LikelihoodResult) else None
    if profile is not None and profile.limit is not None:
        expected[:, -size:] |= profile.held(size)
        warnings.warn(
            f"{profile.limit_message()}. decay_profile shows it; give a decay, or a decay_grid.",
            IdentifiabilityWarning,
            stacklevel=4,
        )
    if found.process.spectral_radius > _LARGEST_RADIUS:
        warnings.warn(_why_so_large(found, events), IdentifiabilityWarning, stacklevel=4)
    labels = found.process.baseline_function.labels
    warn_about(expected, converged, events.mark_names, labels, stacklevel=4)


def _why_so_large(found: FitResult, events: Events) -> str:
    """Return in words which entry is far beyond what a process can have, and why."""
    size, names = events.n_marks, events.mark_names
    target, source = np.unravel_index(int(np.argmax(found.adjacency)), (size, size))
    seen = found.kernel.integrals(events)[:, target, source].sum()
    share = seen / max(int((events.marks == source).sum()), 1)
    return (
        f"the spectral radius of the estimate is {found.process.spectral_radius:.3g}: adjacency["
        f"{names[target]}, {names[source]}] is {found.adjacency[target, source]:.3g}, and of the "
        f"kernel after events of {names[source]} the windows show a share of {share:.2g} on "
        "average. So few or so late events say little; use a prior (method='map'), a kernel that "
        "is shorter than the windows, or observe longer."
    )


def _name(i: int, j: int, names: tuple[str, ...], pieces: tuple[str, ...]) -> str:
    """Return the name of parameter j of target i."""
    if j >= len(pieces):
        return f"adjacency[{names[i]}, {names[j - len(pieces)]}]"
    return f"baseline[{names[i]}]" if len(pieces) == 1 else f"baseline[{names[i]}, {pieces[j]}]"
