"""Exponential excitation at events and at arbitrary times; see `hawkeys._jit.exponential`.

A state fades between two instants and jumps at each: y_k = f_k y_{k-1} + u_k. Such a recursion is
a chain of affine maps, composed here in pairs, fours, eights, ... of all instants at once.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from hawkeys._plain.layout import owners, place_events
from hawkeys._typing import FloatArray, IntArray

__all__ = [
    "Instants",
    "excitation_alone",
    "excitation_at",
    "excitation_per_pair",
    "excitation_per_source",
    "excitation_shared",
    "fades",
    "integrals_per_pair",
    "integrals_per_source",
    "run",
    "states_of",
]

# a factor below is 0: slow arithmetic on the smallest numbers is spared
_FAINTEST = 1e-290
# columns of fades up to which one after the other is quicker than all in ever longer steps
_BANDS = 16
# marks whose numbers are sorted by their digits
_FEW = 2**16


class Instants(NamedTuple):
    """Distinct times of each realisation: their first events, lags and events' own instants."""

    at: IntArray
    lags: FloatArray
    group: IntArray
    opens: IntArray

    @classmethod
    def of(cls, times: FloatArray, offsets: IntArray) -> Instants:
        begins = offsets[:-1][offsets[:-1] < offsets[1:]]
        new = np.ones(times.size, dtype=bool)
        new[1:] = times[1:] > times[:-1]
        new[begins] = True
        group = np.cumsum(new) - 1
        at = np.flatnonzero(new)
        return cls(at, np.diff(times[at], prepend=0.0), group, group[begins])

    def fades(self, decay: FloatArray) -> FloatArray:
        """Return exp(-decay lag) since the instant before; 0 at a realisation's first."""
        lags = self.lags.reshape(-1, *(1,) * decay.ndim)
        lags[self.opens] = 0.0  # from one realisation to the next time may run backwards
        out = np.exp(-decay * lags)
        out[self.opens] = 0.0
        out[out < _FAINTEST] = 0.0
        return out


def run(fades: FloatArray, jumps: FloatArray) -> FloatArray:
    """Return y >= 0 with y_k = fades_k y_{k-1} + jumps_k, along the first axis.

    The fades of few columns make a triangular band each, which LAPACK solves.
    """
    n_columns = fades[:1].size  # 0 without instants
    if 0 < n_columns <= _BANDS:
        return _solve_bands(fades.reshape(len(fades), n_columns), jumps)
    out, carry, step = jumps.copy(), fades.copy(), 1
    while step < len(out) and carry.any():
        out[step:] += carry[step:] * out[:-step]
        carry[step:] = carry[step:] * carry[:-step]
        carry[carry < _FAINTEST] = 0.0
        step *= 2
    return out


def _solve_bands(fades: FloatArray, jumps: FloatArray) -> FloatArray:
    """Solve the recursion of `run` by forward substitution.

    Each column of `fades` serves as many columns of `jumps` as the next.
    """
    from scipy.linalg.lapack import dtbtrs

    band = np.ones((2, len(fades)))
    out = np.array(jumps.reshape(len(fades), -1), order="F")
    width = out.shape[1] // fades.shape[1]
    for k in range(fades.shape[1]):
        band[1, :-1] = -fades[1:, k]
        own = slice(k * width, (k + 1) * width)
        out[:, own] = dtbtrs(band, out[:, own], uplo="L", diag="U", overwrite_b=True)[0]
    out[out < _FAINTEST] = 0.0
    return np.ascontiguousarray(out).reshape(jumps.shape)


def fades(times: FloatArray, decay: float, out: FloatArray) -> None:
    """Write exp(-decay (t_k - t_(k-1))) of every event; the first of a realisation is of no use."""
    out[1:] = np.exp(-decay * np.maximum(np.diff(times), 0.0))


def _before(y: FloatArray, fades: FloatArray) -> FloatArray:
    """Return the states just before each instant."""
    out = np.zeros_like(y)
    out[1:] = y[:-1] * fades[1:]
    return out


def states_of(
    times: FloatArray, marks: IntArray, offsets: IntArray, fades: FloatArray, jumps: FloatArray
) -> FloatArray:
    """Return the excitation by each source at every event, (n_events, n_marks).

    `fades` (n_events,) as `fades` writes them; `jumps` (n_marks,), the decay for one.
    """
    instants = Instants.of(times, offsets)
    size, n_instants = jumps.size, instants.at.size
    where = instants.group * size + marks
    given = np.bincount(where, jumps[marks], n_instants * size).reshape(n_instants, size)
    own = fades[instants.at][:, None]
    own[instants.opens] = 0.0
    own[own < _FAINTEST] = 0.0
    return _before(run(own, given.astype(np.float64, copy=False)), own)[instants.group]


def _states(times: FloatArray, marks: IntArray, offsets: IntArray, decay: FloatArray) -> FloatArray:
    """Return the excitation by each source at every event, (n_events, n_marks); decay (n_marks,)"""
    instants = Instants.of(times, offsets)
    size, n_instants = decay.size, instants.at.size
    where = instants.group * size + marks
    jumps = np.bincount(where, decay[marks], n_instants * size).astype(np.float64, copy=False)
    jumps = jumps.reshape(n_instants, size)
    one = decay[:1] if (decay == decay[0]).all() else decay
    fades = instants.fades(one)
    return _before(run(fades, jumps), fades)[instants.group]


def _write(
    states: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    layout: tuple[Any, ...],
    out: FloatArray,
    here: slice,
) -> None:
    """Write the states of the events in `here` to their columns."""
    slots, block_offsets, stride = layout
    if slots is None:  # all events, in blocks by mark
        ordered = states[np.argsort(marks.astype(np.uint16), kind="stable")]
        for begin, end in pairwise(block_offsets.tolist()):
            block = out[states.shape[1] * begin : states.shape[1] * end]
            block.reshape(states.shape[1], -1)[:] = ordered[begin:end].T
        return
    block = owners(offsets)[here] * stride + marks[here]
    width = (block_offsets[block + 1] - block_offsets[block])[:, None]
    size = states.shape[1]
    at = size * block_offsets[block] + slots[here] - block_offsets[block]
    out[at[:, None] + width * np.arange(size)] = states[here]


def excitation_alone(
    times: FloatArray,
    offsets: IntArray,
    decay: float,
    first: IntArray,
    out: FloatArray,
    part: tuple[int, int],
) -> None:
    """Write the excitation at every event, if there is a single mark."""
    marks, layout = np.zeros(times.size, dtype=np.int64), (first, np.array([0, times.size]), 0)
    excitation_shared(times, marks, offsets, decay, layout, out, part)


def excitation_shared(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    decay: float,
    layout: tuple[Any, ...],
    out: FloatArray,
    part: tuple[int, int],
) -> None:
    """Write c_j at every event, for one decay that all share."""
    first, block_offsets, stride = layout
    whole = stride == 0 and part == (0, offsets.size - 1) and first.shape[1] <= _FEW
    places = None if whole else place_events(marks, offsets, first), block_offsets, stride
    all_decays = np.full(first.shape[1], decay)
    excitation_per_source(times, marks, offsets, all_decays, places, out, part)


def excitation_per_source(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    decay: FloatArray,
    layout: tuple[Any, ...],
    out: FloatArray,
    part: tuple[int, int],
) -> None:
    """Write c_j at every event, for decays that depend on the source mark only."""
    here = slice(offsets[part[0]], offsets[part[1]])
    _write(_states(times, marks, offsets, decay), marks, offsets, layout, out, here)


def excitation_per_pair(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    decay: FloatArray,
    layout: tuple[Any, ...],
    out: FloatArray,
    part: tuple[int, int],
) -> None:
    """Write c_ij at every event of mark i, for a (target, source) matrix of decays."""
    here = slice(offsets[part[0]], offsets[part[1]])
    states = np.zeros((times.size, decay.shape[0]))
    for i in np.unique(marks):
        states[marks == i] = _states(times, marks, offsets, decay[i])[marks == i]
    _write(states, marks, offsets, layout, out, here)


def integrals_per_source(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    ends: FloatArray,
    decay: FloatArray,
    out: FloatArray,
) -> None:
    """Add sum_l (1 - exp(-decay_j (T - t_l))) to ``out[r, j]`` for every realisation."""
    owner = np.repeat(np.arange(ends.size), np.diff(offsets))
    mass = -np.expm1(-decay[marks] * (ends[owner] - times))
    out += np.bincount(owner * decay.size + marks, mass, out.size).reshape(out.shape)


def integrals_per_pair(
    times: FloatArray,
    marks: IntArray,
    offsets: IntArray,
    ends: FloatArray,
    decay: FloatArray,
    out: FloatArray,
) -> None:
    """Add sum_l (1 - exp(-decay_ij (T - t_l))) to ``out[r, i, j]`` for every realisation."""
    owner = owners(offsets)
    mass = -np.expm1(-decay.T[marks] * (ends[owner] - times)[:, None])
    np.add.at(out.transpose(0, 2, 1), (owner, marks), mass)


def excitation_at(
    times: FloatArray,
    marks: IntArray,
    decay: FloatArray,
    queries: FloatArray,
    excitation: FloatArray,
    integrals: FloatArray,
) -> None:
    """Write c_ij and its integral since the start at sorted query times of one realisation."""
    excitation[:], integrals[:] = 0.0, 0.0
    if times.size == 0:
        return
    instants = Instants.of(times, np.array([0, times.size]))
    jumps = np.zeros((instants.at.size, *decay.shape))
    np.add.at(jumps.transpose(0, 2, 1), (instants.group, marks), decay.T[marks])
    y = run(instants.fades(decay), jumps)
    # what a state loses while it fades, over the decay, joins the integral
    lost = np.zeros_like(y)
    lags = instants.lags[1:, None, None]
    lost[1:] = np.cumsum(-np.expm1(-decay * lags) * y[:-1] / decay, axis=0)
    last = np.searchsorted(times[instants.at], queries) - 1
    some = last >= 0
    elapsed = (queries[some] - times[instants.at][last[some]])[:, None, None]
    excitation[some] = y[last[some]] * np.exp(-decay * elapsed)
    integrals[some] = lost[last[some]] - np.expm1(-decay * elapsed) * y[last[some]] / decay
