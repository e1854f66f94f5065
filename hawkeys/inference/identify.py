"""Which parameters the data determine."""

from __future__ import annotations

import warnings

import numpy as np

from hawkeys._typing import BoolArray, FloatArray
from hawkeys.exceptions import ConvergenceWarning, IdentifiabilityWarning

__all__ = ["flat_directions", "warn_about"]

_FLAT = 1e-9
_SHARE = 1e-3
_NAMED = 5


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
            stacklevel=3,
        )
    if not converged.all():
        rows = ", ".join(names[i] for i in np.flatnonzero(~converged)[:_NAMED])
        warnings.warn(
            f"the fit did not converge for the target marks {rows}; raise max_iter.",
            ConvergenceWarning,
            stacklevel=3,
        )


def _name(i: int, j: int, names: tuple[str, ...], pieces: tuple[str, ...]) -> str:
    """Return the name of parameter j of target i."""
    if j >= len(pieces):
        return f"adjacency[{names[i]}, {names[j - len(pieces)]}]"
    return f"baseline[{names[i]}]" if len(pieces) == 1 else f"baseline[{names[i]}, {pieces[j]}]"
