"""How the log-likelihood changes with the logarithm of each decay; see `hawkeys._jit.decay_slope`.

The sum of exp(-b u) fades and jumps; that of u exp(-b u) fades too, and gains the lag times the
former: a second recursion of the same kind; and that of u^2 exp(-b u) makes a third.
"""

from __future__ import annotations

import numpy as np

from hawkeys._plain.exponential import Instants, run
from hawkeys._plain.layout import owners
from hawkeys._typing import FloatArray, IntArray

__all__ = ["decay_curvatures", "log_decay_slopes"]


def log_decay_slopes(
    events: tuple[FloatArray, IntArray, IntArray],
    ends: FloatArray,
    weights: FloatArray,
    decay: FloatArray,
    x: FloatArray,
    out: FloatArray,
    part: tuple[int, int],
) -> None:
    """Fill out[i, j] with dL / dlog decay[i, j] at the parameters x (n_marks, n_marks + 1).

    See the compiled twin.
    """
    times, marks, offsets = events
    owner, size = owners(offsets), decay.shape[0]
    instants = Instants.of(times, offsets)
    jumps = np.zeros((instants.at.size, size))
    np.add.at(jumps, (instants.group, marks), 1.0)
    for i in range(*part):
        own = np.flatnonzero(marks == i)
        sums, moments = (y[instants.group[own]] for y in _sums(instants, jumps, decay[i]))
        mass = decay[i] * sums
        rate = x[i, 0] + mass @ x[i, 1:]
        share = np.divide(weights[owner[own]], rate, out=np.zeros_like(rate), where=rate > 0.0)
        out[i] = x[i, 1:] * (share @ (mass - decay[i] ** 2 * moments))
        lags = decay[i, marks] * (ends[owner] - times)
        unseen = weights[owner] * lags * np.exp(-lags)
        out[i] -= x[i, 1:] * np.bincount(marks, unseen, size)


def decay_curvatures(
    events: tuple[FloatArray, IntArray, IntArray],
    ends: FloatArray,
    weights: FloatArray,
    decay: FloatArray,
    x: FloatArray,
    out: tuple[FloatArray, FloatArray, FloatArray],
    part: tuple[int, int],
) -> None:
    """Fill first and second derivatives of L by log decays, and by x and log decays.

    See the compiled twin.
    """
    times, marks, offsets = events
    owner, size = owners(offsets), x.shape[0]
    instants = Instants.of(times, offsets)
    jumps = np.zeros((instants.at.size, size))
    np.add.at(jumps, (instants.group, marks), 1.0)
    for i in range(*part):
        b = decay[i if len(decay) > 1 else 0]
        if i == part[0] or len(decay) > 1:
            sums, moments = _sums(instants, jumps, b)
            squares = _squares(instants, b, sums, moments)
            lags = b[marks] * (ends[owner] - times)
            cost = weights[owner] * lags * np.exp(-lags)
            unseen = _by_mark(marks, cost, size), _by_mark(marks, cost * (1.0 - lags), size)
        at = instants.group[marks == i]
        mass, lost = b * sums[at], b**2 * moments[at]
        seen = mass, mass - lost, mass - 3.0 * lost + b**3 * squares[at]
        found = _add_up(seen, unseen, weights[owner[marks == i]], x[i], out[1].shape[2] == 1)
        for whole, own in zip(out, found, strict=True):
            whole[i] = own


def _by_mark(marks: IntArray, values: FloatArray, size: int) -> FloatArray:
    """Return the sums of the values of each mark's events, (size,)."""
    return np.bincount(marks, values, size).astype(np.float64, copy=False)


def _add_up(
    seen: tuple[FloatArray, ...],
    unseen: tuple[FloatArray, FloatArray],
    weights: FloatArray,
    x: FloatArray,
    shared: bool,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the derivatives of a row from those of c at its events and of what is paid.

    `seen` = (c, dc/dlog b, d2c/dlog b2), (n, D) each; `unseen` = (dK/dlog b, d2K/dlog b2).
    """
    mass, first, second = seen
    rate = x[0] + mass @ x[1:]
    pull = np.divide(weights, rate, out=np.zeros_like(rate), where=rate > 0.0)
    share = np.divide(pull, rate, out=np.zeros_like(rate), where=rate > 0.0)
    slope = pull @ first - unseen[0]
    bent = x[1:] * (unseen[1] - pull @ second)
    moved, curvature = x[1:] * first, np.diag(bent)
    mixed = np.vstack((np.zeros(slope.size), -np.diag(np.where(x[1:] > 0.0, slope, 0.0))))
    if shared:
        moved, mixed = moved.sum(axis=1, keepdims=True), mixed.sum(axis=1, keepdims=True)
        curvature = bent.sum().reshape(1, 1)
    pushed = share[:, None] * moved
    terms = np.column_stack((np.ones(rate.size), mass))
    return x[1:] * slope, mixed + terms.T @ pushed, curvature + moved.T @ pushed


def _sums(
    instants: Instants, jumps: FloatArray, decay: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the sums of exp(-b u) and u exp(-b u) just before each instant, (n_instants, D)."""
    fades = instants.fades(decay)
    sums, moments = np.zeros_like(jumps), np.zeros_like(jumps)
    sums[1:] = run(fades, jumps)[:-1] * fades[1:]
    moments[:] = run(fades, instants.lags[:, None] * sums)
    return sums, moments


def _squares(
    instants: Instants, decay: FloatArray, sums: FloatArray, moments: FloatArray
) -> FloatArray:
    """Return the sums of u^2 exp(-b u) just before each instant, given the other two."""
    lags = instants.lags[:, None]
    return run(instants.fades(decay), lags * (2.0 * moments - lags * sums))
