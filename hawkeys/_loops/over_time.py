"""Sums and integrals of exponential kernels at any times, and of chosen pairs of marks."""

from __future__ import annotations

import numpy as np

from hawkeys._loops.choice import Compiled, is_small, usual_form
from hawkeys._plain import exponential as plain
from hawkeys._threads import in_threads
from hawkeys._typing import FloatArray, IntArray

__all__ = ["fades", "own_mass", "pulls", "selected_excitation", "source_sums_at"]

jit, jit_exponential = Compiled("over_time"), Compiled("exponential")
# nanoseconds per event and mark
_SHARED = 3


def source_sums_at(
    times: FloatArray, marks: IntArray, decay: FloatArray, queries: FloatArray, *, mass: bool
) -> FloatArray:
    """Return c_j, or its integral since the start, at sorted query times of one realisation.

    `decay` (n_sources,); shape (n_queries, n_sources).
    """
    out = np.empty((queries.size, decay.size))
    if not is_small((times.size + queries.size) * decay.size):
        jit.source_sums_at(times, marks, usual_form(decay), queries, mass, out)
        return out
    both = np.empty((2, queries.size, 1, decay.size))
    plain.excitation_at(times, marks, decay[None], queries, *both)
    return both[int(mass), :, 0]


def own_mass(
    times: FloatArray, marks: IntArray, offsets: IntArray, decay: float, adjacency: FloatArray
) -> FloatArray:
    """Return each event's sum_j W_ij times the integral of c_j up to it; for many events."""
    out = np.empty(times.size)
    arrays = times, marks, offsets, decay, adjacency, out
    in_threads(lambda part: jit.own_mass(*arrays, part), offsets.size - 1,
               _SHARED * times.size * adjacency.shape[0])  # fmt: skip
    return out


def selected_excitation(
    by_mark: tuple[FloatArray, IntArray, IntArray],
    target: int,
    sources: IntArray,
    decay: FloatArray,
) -> FloatArray:
    """Return c_j of chosen sources at every event of a target, (n_sources, n); for many events.

    `by_mark` are times, realisations and bounds of the events ordered by mark, `decay` has one
    entry per chosen source; see `hawkeys._jit.over_time`.
    """
    bounds = by_mark[2]
    out = np.empty((sources.size, int(bounds[target + 1] - bounds[target])))
    jit.selected_excitation(*by_mark, target, sources, usual_form(decay), out)
    return out


def pulls(
    events: tuple[FloatArray, IntArray, IntArray],
    fades: FloatArray,
    targets: IntArray,
    residuals: FloatArray,
    n_marks: int,
) -> FloatArray:
    """Return sum_k residuals[k] sum_l exp(-decay (t_k - t_l)) of each target by source.

    Shape (n_targets, n_marks); for many `events` (times, marks, offsets); see
    `hawkeys._jit.over_time`.
    """
    lanes = np.full(n_marks, -1)
    lanes[targets] = np.arange(targets.size)
    out = np.zeros((n_marks, targets.size))
    jit.pulls(*events, fades, lanes, residuals, out)
    return np.ascontiguousarray(out.T)


def fades(times: FloatArray, decay: float) -> FloatArray:
    """Return exp(-decay (t_k - t_(k-1))) of every event; for many events."""
    out = np.empty(times.size)
    jit_exponential.fades(times, decay, out)
    return out
