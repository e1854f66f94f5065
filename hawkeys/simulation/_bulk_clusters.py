"""The cluster construction for many events of a process with exponential kernels.

All children that events of mark j have of mark i in one generation are a Poisson number with mean
(number of those events) W_ij, and each has any of them as its parent with equal probability. So a
generation costs two random numbers per child, and nothing that depends on the number of marks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hawkeys._loops.choice import Compiled, usual_form
from hawkeys._typing import FloatArray, IntArray
from hawkeys.baselines import Constant
from hawkeys.events import Events
from hawkeys.events._checks import freeze
from hawkeys.exceptions import UnstableProcessError
from hawkeys.kernels import Exponential
from hawkeys.process import Hawkes

__all__ = ["is_bulk", "simulate_bulk"]

jit = Compiled("clusters")

# expected events; below, fixed costs and loading compiled code outweigh what is saved
_WORTH_COMPILING = 20_000.0


class _Generation(NamedTuple):
    """Elapsed times and realisations of events, those of mark i at ``bounds[i]:bounds[i + 1]``."""

    times: FloatArray
    owners: IntArray
    bounds: IntArray


def is_bulk(process: Hawkes, durations: FloatArray) -> bool:
    """Tell whether so many events are expected, of a plain process, that `simulate_bulk` pays.

    Parameters
    ----------
    process : Hawkes
        The process.
    durations : ndarray of float64, shape (n_realizations,)
        Lengths of the windows.

    Returns
    -------
    bool
        Whether kernels are exponential, baselines constant, the process stable and windows long.
    """
    plain = type(process.kernel) is Exponential and type(process.baseline_function) is Constant
    if not plain or process.spectral_radius >= 1:
        return False
    return float(process.stationary_rate.sum() * durations.sum()) >= _WORTH_COMPILING


def simulate_bulk(
    process: Hawkes,
    starts: FloatArray,
    ends: FloatArray,
    rng: np.random.Generator,
    *,
    limit: float,
) -> Events:
    """Simulate from nothing; see `hawkeys.simulate`.

    Parameters
    ----------
    process : Hawkes
        A process with exponential kernels and constant baselines.
    starts, ends : ndarray of float64, shape (n_realizations,)
        Observation windows.
    rng : numpy.random.Generator
        Source of randomness.
    limit : float
        Most events to draw.

    Returns
    -------
    Events
        As `hawkeys.simulate`.

    Raises
    ------
    UnstableProcessError
        The clusters grow beyond `limit` events.
    """
    durations = ends - starts
    decay = usual_form(process.kernel.decay_matrix(process.n_marks))  # type: ignore[attr-defined]
    generations = [_immigrants(process, durations, rng)]
    drawn = float(generations[0].times.size)
    while generations[-1].times.size:
        parents = generations[-1]
        counts = rng.poisson(process.adjacency * np.diff(parents.bounds))
        drawn += float(counts.sum())
        if drawn > limit:
            raise UnstableProcessError(
                f"the simulated clusters grow beyond {limit:.3g} events; the spectral radius is "
                f"{process.spectral_radius:.6g}. Shorten the windows or scale the adjacency down."
            )
        generations.append(_children(parents, counts, decay, durations, rng))
    return _collect(process, starts, ends, generations)


def _immigrants(process: Hawkes, durations: FloatArray, rng: np.random.Generator) -> _Generation:
    counts = rng.poisson(np.outer(process.baseline, durations))
    owners = np.repeat(np.tile(np.arange(durations.size), process.n_marks), counts.ravel())
    bounds = np.concatenate(([0], np.cumsum(counts.sum(axis=1))))
    return _Generation(rng.random(owners.size) * durations[owners], owners, bounds)


def _children(
    parents: _Generation,
    counts: IntArray,
    decay: FloatArray,
    durations: FloatArray,
    rng: np.random.Generator,
) -> _Generation:
    n = int(counts.sum())
    # one more place than children: the compiled loop writes before it knows what stays
    times, owners = np.empty(n + 1), np.empty(n + 1, dtype=np.int64)
    bounds = np.empty(decay.shape[0] + 1, dtype=np.int64)
    picks, lags = rng.random(n), rng.standard_exponential(n)
    jit.attach_children(
        tuple(parents), counts, picks, lags, decay, durations, (times, owners, bounds)
    )
    return _Generation(times[: bounds[-1]], owners[: bounds[-1]], bounds)


def _collect(
    process: Hawkes, starts: FloatArray, ends: FloatArray, generations: list[_Generation]
) -> Events:
    elapsed = np.concatenate([part.times for part in generations])
    offsets = np.zeros(ends.size + 1, dtype=np.int64)
    if process.n_marks == ends.size == 1:
        offsets[1] = elapsed.size
        times = np.minimum(np.sort(elapsed) + starts[0], ends[0])
        return _events(process, times, np.zeros(times.size, np.int64), offsets, (starts, ends))
    owners = np.concatenate([part.owners for part in generations])
    sizes = np.concatenate([np.diff(part.bounds) for part in generations])
    marks = np.repeat(np.tile(np.arange(process.n_marks), len(generations)), sizes)
    times, ordered = np.empty(elapsed.size), np.empty(elapsed.size, dtype=np.int64)
    if not jit.order_points((elapsed, marks, owners), starts, ends, offsets, times, ordered):
        order = np.lexsort((elapsed, owners))
        on_clock = elapsed + starts[owners]
        times, ordered = np.minimum(on_clock, ends[owners])[order], marks[order]
    return _events(process, times, ordered, offsets, (starts, ends))


def _events(
    process: Hawkes,
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    windows: tuple[FloatArray, FloatArray],
) -> Events:
    starts, ends = windows[0].copy(), windows[1].copy()
    freeze(times, marks, offsets, starts, ends)
    return Events(times, marks, offsets, starts, ends, process.mark_names)
