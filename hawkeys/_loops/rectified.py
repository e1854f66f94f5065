"""Rectified exponential intensities: likelihood, compensator and simulation."""

from __future__ import annotations

import numpy as np

from hawkeys._loops.choice import Compiled, is_small
from hawkeys._plain import rectified as plain
from hawkeys._typing import FloatArray, IntArray

__all__ = ["compensator_at", "row_log_likelihood", "simulate_events"]

jit = Compiled("rectified")


def row_log_likelihood(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    windows: FloatArray,
    weights: FloatArray,
    target: int,
    theta: FloatArray,
    out: FloatArray,
) -> float:
    """Return the weighted log-likelihood of one target mark; see `hawkeys._jit.rectified`."""
    loops = plain if is_small(times.size * (theta.size - 2)) else jit
    given = times, marks, offsets, windows, weights, target, theta, out
    return float(loops.row_log_likelihood(*given))


def compensator_at(
    times: FloatArray,
    marks: IntArray,
    start: float,
    theta: FloatArray,
    queries: FloatArray,
    out: FloatArray,
) -> None:
    """Write the integral of max(0, x) from the start to sorted query times of one realisation."""
    loops = plain if is_small(times.size * (theta.size - 2) + queries.size) else jit
    loops.compensator_at(times, marks, start, theta, queries, out)


def simulate_events(
    rng: np.random.Generator,
    state: tuple[FloatArray, FloatArray],
    parameters: tuple[FloatArray, FloatArray, FloatArray],
    out: tuple[FloatArray, IntArray],
    n_before: int,
) -> int:
    """Fill times and marks by exact thinning; return how many.

    state = (clock, excess) and parameters = (baseline, adjacency, decay) as for
    `hawkeys._jit.rectified`; `n_before` events of the same call were simulated before.
    """
    clock, excess = state
    loops = plain if is_small(excess.size * (n_before + out[0].size)) else jit
    return int(loops.simulate_events(rng, clock, *parameters, excess, *out))
