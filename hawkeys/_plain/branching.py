"""Variational inference over the branching structure, row by row; see `hawkeys._jit.branching`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy

from hawkeys._plain.rows import row_of
from hawkeys._typing import BoolArray, FloatArray, IntArray

__all__ = ["digamma", "raise_rows", "share_events", "trigamma"]

# of the log of a shape, in one step
_LONGEST = 1.5


def digamma(x: FloatArray) -> FloatArray:
    """Return the derivative of ln Gamma at x > 0."""
    return np.asarray(scipy.special.digamma(x))


def trigamma(x: FloatArray) -> FloatArray:
    """Return the second derivative of ln Gamma at x > 0."""
    return np.asarray(scipy.special.polygamma(1, x))


def share_events(
    matrix: FloatArray, weights: FloatArray, e: FloatArray, counts: FloatArray, cross: FloatArray
) -> float:
    """Share the events of a row among its parameters in proportion to e_p v_kp.

    `matrix` (P - 1, n) holds v without its first row of ones. Writes the expected counts (P,) and
    the sum of resp resp' (P, P), lower triangle; returns sum_k w_k log sum_p e_p v_kp.
    """
    if weights.size:
        matrix, weights = matrix[:, weights > 0.0], weights[weights > 0.0]
    resp = np.empty((e.size, matrix.shape[1]))
    resp[0] = e[0]
    np.multiply(e[1:, None], matrix, out=resp[1:])
    rate = resp.sum(axis=0)
    if not (rate > 0.0).all():
        return -np.inf
    resp /= rate
    weighted = resp * weights if weights.size else resp
    counts[:] = weighted.sum(axis=1)
    cross[:] = np.tril(weighted @ resp.T)
    logs = np.log(rate)
    return float(weights @ logs if weights.size else logs.sum())


class _Row(NamedTuple):
    """A row: v without its ones (P - 1, n), weights, prior shapes g, rates b (0: unused)."""

    matrix: FloatArray
    weights: FloatArray
    g: FloatArray
    b: FloatArray

    @property
    def used(self) -> BoolArray:
        """Tell which parameters take part."""
        return np.asarray(self.b > 0.0)

    def evaluate(self, a: FloatArray, counts: FloatArray, cross: FloatArray) -> float:
        """Return the bound at shapes `a` without the g ln r of its prior."""
        used = self.used
        own, g, b = a[used], self.g[used], self.b[used]
        psi, e = digamma(own), np.zeros(a.size)
        e[used] = np.exp(psi) / b
        spent = (
            (own - g) * psi - scipy.special.gammaln(own) + scipy.special.gammaln(g) + g * np.log(b)
        )
        return share_events(self.matrix, self.weights, e, counts, cross) - float(spent.sum())

    def newton(
        self, a: FloatArray, counts: FloatArray, cross: FloatArray, trial: FloatArray
    ) -> float:
        """Write shapes after a Newton step to `trial`; return its promise, or -1 if uphill."""
        used = np.flatnonzero(self.used)
        own, curve = a[used], trigamma(a[used])
        matrix = cross[np.ix_(used, used)] + np.diag(1.0 / curve - counts[used])
        gradient = counts[used] - (own - self.g[used])
        try:
            factor = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            return -1.0
        if not (np.diag(factor) ** 2 > 1e-12 * np.abs(np.diag(matrix))).all():
            return -1.0
        half = np.linalg.solve(factor, gradient)
        change = np.linalg.solve(factor.T, half) / (own * curve)
        trial[used] = own * np.exp(np.clip(change, -_LONGEST, _LONGEST))
        return 0.5 * float(half @ half)


def _raise_row(row: _Row, a: FloatArray, tolerance: float, trace: FloatArray) -> tuple[float, int]:
    """Raise the bound of a row by Newton steps, or coordinate ascent where they do not help.

    `a` holds the start and then the shapes found. Returns the promise of the next step (infinity if
    it is not known) and the number of steps.
    """
    counts, cross = np.zeros(a.size), np.zeros((a.size, a.size))
    trial = a.copy()
    value = row.evaluate(a, counts, cross)
    trace[0] = value
    for step in range(1, trace.size):
        best = np.where(row.used, row.g + counts, a)
        promise = row.newton(a, counts, cross, trial)
        if 0.0 <= promise <= tolerance or value == -np.inf:
            return promise, step - 1
        new = row.evaluate(trial, counts, cross) if promise >= 0.0 else -np.inf
        if not new > value:
            trial[:] = best
            new = row.evaluate(trial, counts, cross)
        if not new > value:  # only rounding is left
            return max(promise, 0.0), step - 1
        a[:] = trial
        value = new
        trace[step] = value
    return np.inf, trace.size - 1


def raise_rows(
    data: tuple[FloatArray, FloatArray, IntArray],
    g: FloatArray,
    b: FloatArray,
    shapes: FloatArray,
    tolerance: float,
    out: tuple[FloatArray, FloatArray],
    part: tuple[int, int],
) -> None:
    """Raise the bound of the rows ``range(*part)``; see the compiled twin."""
    report, traces = out
    for r in range(*part):
        v, weights = row_of(data, b.shape[1] - 1, r)
        row = _Row(v[1:], weights if data[1].size else data[1], g, b[r])
        promise, steps = _raise_row(row, shapes[r], tolerance, traces[r])
        report[r] = traces[r, steps], promise, steps
