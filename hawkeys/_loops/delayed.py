"""Excitations of kernels within a finite horizon, and what an update of such a kernel needs."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._loops.choice import Compiled, has_few_pairs, is_small
from hawkeys._plain import delayed as plain
from hawkeys._plain.delayed import GAMMA, HISTOGRAM, LOG_NORMAL
from hawkeys._threads import in_threads
from hawkeys._typing import FloatArray, IntArray

__all__ = [
    "GAMMA",
    "HISTOGRAM",
    "LOG_NORMAL",
    "density_and_mass",
    "excitation",
    "excitation_at",
    "integrals",
    "own_mass_at",
    "pair_densities",
    "responsibilities",
    "sums_at",
    "tails",
]

jit = Compiled("delayed")
# nanoseconds per event; how many events lie within the horizon is not looked up
_PER_EVENT = 200


def excitation(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    kernel: tuple[Any, ...],
    layout: tuple[Any, ...],
    out: FloatArray,
) -> None:
    """Add c_ij to `out` at every event of mark i; see `hawkeys._jit.delayed`."""
    arrays = times, marks, offsets, kernel, layout, out
    loops = _loops(times, marks, offsets, kernel)
    in_threads(lambda part: loops.excitation(*arrays, part), offsets.size - 1,
               _PER_EVENT * times.size)  # fmt: skip


def integrals(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    ends: FloatArray,
    kernel: tuple[Any, ...],
    out: FloatArray,
) -> None:
    """Add sum_l G_ij(T - t_l) to ``out[r, i, j]`` for every realisation."""
    loops = plain if has_few_pairs(times.size * out.shape[1], times.size) else jit
    loops.integrals(times, marks, offsets, ends, kernel, out)


def excitation_at(
    times: FloatArray,
    marks: IntArray,
    kernel: tuple[Any, ...],
    queries: FloatArray,
    excitation: FloatArray,
    integrals: FloatArray,
) -> None:
    """Write c_ij and its integral since the start at sorted query times of one realisation."""
    loops = _loops_at(times, kernel, queries, excitation.size)
    loops.excitation_at(times, marks, kernel, queries, excitation, integrals)


def sums_at(
    times: FloatArray,
    marks: IntArray,
    kernel: tuple[Any, ...],
    weights: FloatArray,
    queries: FloatArray,
    mass: bool,
    out: FloatArray,
) -> None:
    """Write sum_j weights_ij c_ij, or if `mass` of its integrals, at sorted query times."""
    loops = _loops_at(times, kernel, queries, out.size)
    loops.sums_at(times, marks, kernel, weights, queries, mass, out)


def own_mass_at(
    times: FloatArray,
    marks: IntArray,
    kernel: tuple[Any, ...],
    weights: FloatArray,
    queries: FloatArray,
    targets: IntArray,
    out: FloatArray,
) -> None:
    """Write the integrals of one target per query, ``targets[q]``, to ``out[q]``."""
    loops = _loops_at(times, kernel, queries, out.size)
    loops.own_mass_at(times, marks, kernel, weights, queries, targets, out)


def _loops_at(
    times: FloatArray, kernel: tuple[Any, ...], queries: FloatArray, n_values: int
) -> Any:
    """Choose by the pairs of a query and an event within reach, and the values wanted."""
    size = times.size + queries.size
    if not has_few_pairs(n_values, size):  # pairs need not be counted
        return jit
    before = np.searchsorted(times, queries)
    longest = np.full(queries.size, kernel[4].max(initial=0.0))
    first = plain.first_within(times, queries, np.zeros_like(before), before, longest)
    n_pairs = int((before - first).sum()) * (1 if len(kernel[1]) == 1 else len(kernel[4]))
    return plain if has_few_pairs(n_pairs + n_values, size) else jit


def density_and_mass(
    family: int, lags: FloatArray, sets: FloatArray, edges: FloatArray, out: FloatArray
) -> None:
    """Write density and mass up to a lag, of every set (columns), to ``out[0]`` and ``out[1]``."""
    loops = plain if has_few_pairs(lags.size * len(sets), 0) else jit
    loops.density_and_mass(family, lags, sets, edges, out)


def pair_densities(
    family: int,
    lags: FloatArray,
    which: IntArray,
    sets: FloatArray,
    edges: FloatArray,
    out: FloatArray,
) -> None:
    """Write the density at each lag > 0 under its own set to `out`, the reach disregarded."""
    loops = plain if has_few_pairs(lags.size, 0) else jit
    loops.pair_densities(family, lags, which, sets, edges, out)


def responsibilities(
    data: tuple[FloatArray, IntArray, IntArray, FloatArray, FloatArray],
    x: FloatArray,
    kernel: tuple[Any, ...],
    counts: FloatArray,
    moments: FloatArray,
) -> float:
    """Share every event among its possible parents; see `hawkeys._jit.delayed`.

    Returns the weighted sum of log intensities.
    """
    return float(_loops(*data[:3], kernel).responsibilities(data, x, kernel, counts, moments))


def tails(
    data: tuple[FloatArray, IntArray, IntArray, FloatArray, FloatArray],
    kernel: tuple[Any, ...],
    cost: FloatArray,
    moments: FloatArray,
) -> None:
    """Add the mass in the window to `cost`, what falls beyond to `moments`.

    See `hawkeys._jit.delayed`.
    """
    n_events, n_lags = data[0].size, data[0].size * len(cost)
    # the fraction of a gamma distribution takes hundreds of steps
    few = is_small(n_lags) if kernel[0] == GAMMA else has_few_pairs(n_lags, n_events)
    (plain if few else jit).tails(data, kernel, cost, moments)


def _loops(times: FloatArray, marks: IntArray, offsets: IntArray, kernel: tuple[Any, ...]) -> Any:
    """Choose by the number of events and of pairs within reach."""
    sizes = np.diff(offsets)
    if has_few_pairs(int(sizes @ (sizes - 1)) // 2, times.size):
        return plain
    if not has_few_pairs(0, times.size):  # pairs need not be counted
        return jit
    own = np.arange(times.size)
    longest = kernel[4].max(axis=1)[marks]
    first = plain.first_within(times, times, np.repeat(offsets[:-1], sizes), own, longest)
    return plain if has_few_pairs(int((own - first).sum()), times.size) else jit
