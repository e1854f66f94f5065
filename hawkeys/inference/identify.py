"""Which parameters the data determine."""

from __future__ import annotations

import math
import warnings

import numpy as np

from hawkeys._linalg import FLAT, exchanged
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.baselines import Baseline
from hawkeys.events import Events
from hawkeys.exceptions import ConvergenceWarning, IdentifiabilityWarning
from hawkeys.partitions import PartitionedEvents
from hawkeys.results.estimates import LikelihoodResult
from hawkeys.results.fit_result import FitResult
from hawkeys.results.rectified import RectifiedResult
from hawkeys.results.row_matrices import RowMatrices

__all__ = [
    "flat_directions",
    "warn_about",
    "warn_about_fit",
    "warn_about_radii",
    "warn_if_unseen",
]

_NAMED = 5
# a process with ten children an event explodes; an estimate beyond that says why it is so
_LARGEST_RADIUS = 10.0
# share of a kernel's mass within the windows
_HARDLY_SEEN = 0.05


def flat_directions(
    information: FloatArray | RowMatrices, x: FloatArray, identified: BoolArray
) -> BoolArray:
    """Return `identified`, less the parameters along which the objective is flat.

    Among the parameters of a row above 0, those with a share in a null direction of the scaled
    information can be exchanged for one another without changing the fit.
    """
    out = identified.copy()
    if isinstance(information, RowMatrices):
        for row, kept in zip(out, map(information.kept, range(len(x))), strict=True):
            index, matrix = kept
            own = np.flatnonzero(row[index] & (np.diagonal(matrix) > 0))
            if own.size > 1:
                row[index[own[exchanged(matrix, own)]]] = False
        return out
    # scaled to a diagonal of 1, n eigenvalues sum to n: the n - 1 largest have a product of at most
    # (n / (n - 1))^(n - 1) < e, so that the smallest is above det / e; the largest is at most n
    enough = math.e * FLAT * x.shape[1]
    for b, matrix in enumerate(information):
        index = (identified[b] & (x[b] > 0) & (matrix.diagonal() > 0)).nonzero()[0]
        if index.size > 1 and not _is_certain(matrix, index, enough):
            out[b, index[exchanged(matrix, index)]] = False
    return out


def _is_certain(matrix: FloatArray, index: IntArray, least: float) -> bool:
    """Tell whether the determinant of a part, scaled to a diagonal of 1, is above `least`."""
    if index.size < len(matrix):
        matrix = matrix[index[:, None], index]
    scale = 1.0 / np.sqrt(matrix.diagonal())
    try:
        factor = np.linalg.cholesky(matrix * scale[:, None] * scale)
    except np.linalg.LinAlgError:  # it is not above 0
        return False
    return bool(factor.diagonal().prod() ** 2 > least)


def warn_about(
    identified: BoolArray,
    converged: BoolArray,
    names: tuple[str, ...],
    baseline: Baseline | None = None,
    *,
    priors: bool = True,
    remedy: str = "raise max_iter",
    stacklevel: int = 3,
) -> None:
    """Warn, in the caller's name, of parameters not identified and of rows not converged.

    The pieces of `baseline` are the columns before those of the adjacency; `priors` says whether
    the caller takes any; `remedy` what helps a fit that did not converge.
    """
    missing = np.argwhere(~identified)
    if missing.size:
        pieces = ("constant",) if baseline is None else baseline.labels
        named = [_name(i, j, names, pieces) for i, j in missing[:_NAMED]]
        more = ", ..." if len(missing) > _NAMED else ""
        prior = ", or use a prior (method='map' or 'vi')" if priors else ""
        warnings.warn(
            f"{len(missing)} parameters are not identified by the data: {', '.join(named)}{more}. "
            "They are flagged in result.identified; their estimates mean nothing. Drop the marks "
            f"without events, or observe longer{prior}.",
            IdentifiabilityWarning,
            stacklevel=stacklevel,
        )
    if not converged.all():
        rows = ", ".join(names[i] for i in np.flatnonzero(~converged)[:_NAMED])
        warnings.warn(
            f"the fit did not converge for the target marks {rows}; {remedy}.",
            ConvergenceWarning,
            stacklevel=stacklevel,
        )


def warn_about_fit(
    found: FitResult,
    converged: BoolArray,
    events: Events | PartitionedEvents,
    seen: FloatArray | None = None,
    told: BoolArray | bool = False,
) -> None:
    """Warn, in the name of who called `hawkeys.fit`, of all that its result does not say.

    `seen` (n_marks, n_marks) holds the kernel integrals summed over the windows, if they are known;
    `told` the pairs that a warning has told of.
    """
    size, expected = events.n_marks, found.identified
    if not expected.all():
        expected = expected | found.held
        expected[:, -size:] |= told
    profile = found.decay_profile if isinstance(found, LikelihoodResult) else None
    if profile is not None and profile.limit is not None:
        expected = expected.copy()
        expected[:, -size:] |= profile.held(size)
        warnings.warn(
            f"{profile.limit_message()}. decay_profile shows it; give a decay, or a decay_grid.",
            IdentifiabilityWarning,
            stacklevel=3,
        )
    warn_if_unseen(found, events, "Use a prior (method='map'), a kernel", stacklevel=4, seen=seen)
    if not (expected.all() and converged.all()):
        function, remedy = found.process.baseline_function, _remedy(found)
        warn_about(expected, converged, events.mark_names, function, remedy=remedy, stacklevel=4)


def _remedy(found: FitResult) -> str:
    """Return what helps a fit that did not converge: more steps, if it has taken all it had."""
    most, tolerance = found.options.get("max_iter"), found.options.get("tolerance")
    if tolerance is None:  # a number of stochastic steps, which misses none
        return ""
    if most is not None and found.n_iterations >= most:
        return "raise max_iter"
    left = getattr(found, "kkt_residual", found.optimality_gap)
    if most is not None:
        left = found.optimality_gap
    return (
        f"no further step gains anything, and {left:.1e} is above tolerance="
        f"{tolerance:.1e}: see result.message, and raise tolerance if so much does not matter"
    )


def warn_about_radii(adjacency: FloatArray) -> None:
    """Warn, in the caller's name, of realisations with an adjacency beyond any process.

    `adjacency` has shape (n_realizations, n_marks, n_marks).
    """
    doubtful = np.flatnonzero(_largest_possible(adjacency) > _LARGEST_RADIUS)
    radii = np.abs(np.linalg.eigvals(adjacency[doubtful])).max(axis=1, initial=0.0)
    over = doubtful[radii > _LARGEST_RADIUS]
    if over.size:
        warnings.warn(
            f"the spectral radii of {over.size} of {len(adjacency)} realisations' estimates are "
            f"over {_LARGEST_RADIUS:g} (realization {over[0]}: {radii.max():.3g} at most): so few "
            "events, or so late in the window, say little of the adjacency. Use a prior "
            "(method='map'), pooling, or a kernel that is shorter than the windows.",
            IdentifiabilityWarning,
            stacklevel=3,
        )


def _largest_possible(adjacency: FloatArray) -> FloatArray:
    """Return bounds on spectral radii: the largest row sum, or the largest column sum if less."""
    sums = (adjacency.sum(axis=axis).max(axis=1, initial=0.0) for axis in (1, 2))
    return np.asarray(np.minimum(*sums))


def warn_if_unseen(
    found: FitResult | RectifiedResult,
    events: Events | PartitionedEvents,
    remedy: str,
    *,
    stacklevel: int,
    seen: FloatArray | None = None,
) -> None:
    """Warn, in the name of a caller, of what is far beyond any process, and why.

    `remedy` is what to do, up to the word "kernel"; `seen` as for `warn_about_fit`.
    """
    adjacency = found.process.adjacency
    if np.abs(adjacency).sum() <= _LARGEST_RADIUS:
        return  # nor is the radius or an entry larger
    if _largest_possible(np.maximum(adjacency, 0.0)[None])[0] <= _LARGEST_RADIUS:
        return
    size, names, radius = events.n_marks, events.mark_names, found.process.spectral_radius
    if not (radius > _LARGEST_RADIUS or (found.adjacency > _LARGEST_RADIUS).any()):
        return
    if seen is None:
        parts = (events,) if isinstance(events, Events) else events
        seen = np.sum([found.kernel.integrals(part).sum(axis=0) for part in parts], axis=0)
    share = seen / np.maximum(found.event_counts, 1)
    hidden = (found.adjacency > _LARGEST_RADIUS) & (share < _HARDLY_SEEN)
    if not (radius > _LARGEST_RADIUS or hidden.any()):
        return
    largest = np.where(hidden, found.adjacency, 0.0) if hidden.any() else found.adjacency
    target, source = np.unravel_index(int(np.argmax(largest)), (size, size))
    warnings.warn(
        f"the estimate is beyond any process that lasts: adjacency[{names[target]}, "
        f"{names[source]}] is {found.adjacency[target, source]:.3g}, the spectral radius "
        f"{radius:.3g}. Of the kernel after events of {names[source]} the windows show a share of "
        f"{share[target, source]:.2g} on average: so few or so late events say little. "
        f"{remedy} that is shorter than the windows, or observe longer.",
        IdentifiabilityWarning,
        stacklevel=stacklevel,
    )


def _name(i: int, j: int, names: tuple[str, ...], pieces: tuple[str, ...]) -> str:
    """Return the name of parameter j of target i."""
    if j >= len(pieces):
        return f"adjacency[{names[i]}, {names[j - len(pieces)]}]"
    return f"baseline[{names[i]}]" if len(pieces) == 1 else f"baseline[{names[i]}, {pieces[j]}]"
