"""Excitations and integrals of exponential kernels."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from hawkeys._loops.choice import Compiled, is_small, is_small_sum, usual_form
from hawkeys._plain import exponential as plain
from hawkeys._threads import in_threads
from hawkeys._typing import FloatArray, IntArray

__all__ = [
    "excitation_at",
    "excitation_per_pair",
    "excitation_per_source",
    "excitation_shared",
    "fades",
    "integrals_per_pair",
    "integrals_per_source",
    "own_mass",
    "pulls",
    "selected_excitation",
    "source_sums_at",
]

jit, jit_over_time = Compiled("exponential"), Compiled("over_time")
# nanoseconds per event and mark
_SHARED, _PER_SOURCE, _PER_PAIR = 3, 8, 15


def excitation_shared(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    decay: float,
    layout: tuple[Any, ...],
    out: FloatArray,
) -> None:
    """Write c_j at every event, for one decay; see `hawkeys._jit.exponential`."""
    loops = plain if is_small_sum(out.size) else jit
    if layout[0].shape[1] == 1:
        run = partial(loops.excitation_alone, times, offsets, decay, layout[0], out)
    else:
        run = partial(loops.excitation_shared, times, marks, offsets, decay, layout, out)
    in_threads(run, offsets.size - 1, _SHARED * out.size)


def excitation_per_source(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    decay: FloatArray,
    layout: tuple[Any, ...],
    out: FloatArray,
) -> None:
    """Write c_j at every event, for a decay per source; see `hawkeys._jit.exponential`."""
    arrays = times, marks, offsets, decay, layout, out
    loops = plain if is_small_sum(out.size) else jit
    in_threads(lambda part: loops.excitation_per_source(*arrays, part), offsets.size - 1,
               _PER_SOURCE * out.size)  # fmt: skip


def excitation_per_pair(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    decay: FloatArray,
    layout: tuple[Any, ...],
    out: FloatArray,
) -> None:
    """Write c_ij at every event, for a decay per pair; see `hawkeys._jit.exponential`."""
    arrays = times, marks, offsets, decay, layout, out
    loops = plain if is_small_sum(out.size * decay.shape[0] // 4) else jit
    in_threads(lambda part: loops.excitation_per_pair(*arrays, part), offsets.size - 1,
               _PER_PAIR * out.size)  # fmt: skip


def integrals_per_source(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    ends: FloatArray,
    decay: FloatArray,
    out: FloatArray,
) -> None:
    """Add sum_l (1 - exp(-decay_j (T - t_l))) to ``out[r, j]`` for every realisation."""
    loops = plain if is_small_sum(times.size * decay.size) else jit
    loops.integrals_per_source(times, marks, offsets, ends, decay, out)


def integrals_per_pair(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    ends: FloatArray,
    decay: FloatArray,
    out: FloatArray,
) -> None:
    """Add sum_l (1 - exp(-decay_ij (T - t_l))) to ``out[r, i, j]`` for every realisation."""
    loops = plain if is_small_sum(times.size * decay.size // 4) else jit
    loops.integrals_per_pair(times, marks, offsets, ends, decay, out)


def excitation_at(
    times: FloatArray,
    marks: IntArray,
    decay: FloatArray,
    queries: FloatArray,
    excitation: FloatArray,
    integrals: FloatArray,
) -> None:
    """Write c_ij and its integral since the start at sorted query times of one realisation."""
    loops = plain if is_small(times.size * decay.size + excitation.size) else jit
    loops.excitation_at(times, marks, decay, queries, excitation, integrals)


def source_sums_at(
    times: FloatArray, marks: IntArray, decay: FloatArray, queries: FloatArray, *, mass: bool
) -> FloatArray:
    """Return c_j, or its integral since the start, at sorted query times of one realisation.

    `decay` (n_sources,); shape (n_queries, n_sources).
    """
    out = np.empty((queries.size, decay.size))
    if not is_small((times.size + queries.size) * decay.size):
        jit_over_time.source_sums_at(times, marks, usual_form(decay), queries, mass, out)
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
    in_threads(lambda part: jit_over_time.own_mass(*arrays, part), offsets.size - 1,
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
    jit_over_time.selected_excitation(*by_mark, target, sources, usual_form(decay), out)
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
    jit_over_time.pulls(*events, fades, lanes, residuals, out)
    return np.ascontiguousarray(out.T)


def fades(times: FloatArray, decay: float) -> FloatArray:
    """Return exp(-decay (t_k - t_(k-1))) of every event; for many events."""
    out = np.empty(times.size)
    jit.fades(times, decay, out)
    return out
