"""Deterministic variational inference with log-normal posteriors.

See `hawkeys._jit.variational` for the bound and the method.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from hawkeys._plain.rows import row_of
from hawkeys._typing import BoolArray, FloatArray, IntArray

__all__ = ["SILENT", "curvature_rows", "expected_log_rows", "raise_rows"]

_LOC_LIMIT = 3.0
_SCALE_LIMIT = 1.0
SILENT = 1e-10
_SMALL = 0.01
_WANING = 0.9999
_RETURNS = 3
_LEAST, _MOST = 1e-290, 1e290


class _Problem(NamedTuple):
    """A row problem in the coordinates idx: v (P, n), weights, terms = (cost, C, m, t), draws.

    A point holds the locations of these coordinates, then their log scales.
    """

    v: FloatArray
    weights: FloatArray
    idx: IntArray
    terms: FloatArray
    draws: FloatArray

    def at(self, point: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return theta and s e, (d, n_draws); draws come in pairs e, -e."""
        d, half = self.idx.size, self.draws.shape[0] // 2
        shock = np.exp(point[d:])[:, None] * self.draws[:half, self.idx].T
        centre, ratio = np.exp(point[:d])[:, None], np.exp(shock)
        return (
            np.concatenate((centre * ratio, centre / ratio), axis=1),
            np.concatenate((shock, -shock), axis=1),
        )

    def bound(self, point: FloatArray) -> float:
        """Return F."""
        return self.expected_log(self.at(point)[0]) + self.closed_form(point)

    def expected_log(self, theta: FloatArray) -> float:
        """Return sum_k w_k of the mean over draws of log lambda_k."""
        lam = theta.T @ self.v[self.idx]
        half = len(lam) // 2
        pairs = lam[:half] * lam[half:]
        with np.errstate(divide="ignore"):
            # one logarithm for two, unless a product leaves the range of doubles
            usual = pairs.size and pairs.min() > _LEAST and pairs.max() < _MOST
            each = 0.5 * np.log(pairs).mean(axis=0) if usual else np.log(lam).mean(axis=0)
        counts = self.weights > 0
        return float(self.weights[counts] @ each[counts])

    def closed_form(self, point: FloatArray) -> float:
        """Return the part of F that needs no draws."""
        cost, prior, centre, precision = self.terms[:, self.idx]
        location, log_scale = point.reshape(2, -1)
        square = np.exp(2.0 * log_scale)
        kinds = [precision > 0, precision < 0, prior > 0]
        ridge = np.exp(2.0 * location + 2.0 * square) / np.where(prior > 0, prior, 1.0)
        about = np.select(
            kinds,
            [
                -0.5 * precision * ((location - centre) ** 2 + square),
                centre * location,
                location - ridge,
            ],
            -square,
        )
        return float((log_scale - cost * np.exp(location + 0.5 * square) + about).sum())

    def derivatives(self, point: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the likelihood's part of the gradient, the gradient, and minus the curvature.

        The sums over events need the draws' intensities alone: sum_k w_k v_ka / lambda_km and
        sum_k w_k v_ka v_kc / lambda_km^2 are products of matrices.
        """
        theta, shock = self.at(point)
        d, n_draws = shock.shape
        lam = theta.T @ self.v[self.idx]
        # scales of each coordinate and of each event, which cancel, keep squares within range
        centre, level = np.exp(point[:d])[:, None], lam.mean(axis=0)
        v, inverse, ratio = centre * self.v[self.idx] / level, level / lam, np.exp(shock)
        weighted = v * (self.weights / n_draws)
        first = ratio * (weighted @ inverse.T)
        a, c = np.tril_indices(d)
        second = (weighted[a] * v[c]) @ (inverse * inverse).T * (ratio[a] * ratio[c])
        slope = np.concatenate((first.sum(axis=1), (first * shock).sum(axis=1)))
        curvature = np.zeros((2 * d, 2 * d))
        curvature[a, c] = curvature[c, a] = second.sum(axis=1)
        curvature[d + a, c] = curvature[c, d + a] = (second * shock[a]).sum(axis=1)
        curvature[d + c, a] = curvature[a, d + c] = (second * shock[c]).sum(axis=1)
        both = (second * shock[a] * shock[c]).sum(axis=1)
        curvature[d + a, d + c] = curvature[d + c, d + a] = both
        here, there = np.arange(d), d + np.arange(d)
        closed = self._closed_derivatives(point)
        curvature[here, here] += closed[2] - slope[:d]
        curvature[there, here] += closed[3] - slope[d:]
        curvature[there, there] += closed[4] - slope[d:] - (first * shock**2).sum(axis=1)
        curvature[here, there] = curvature[there, here]
        return slope, slope + np.concatenate(closed[:2]), curvature

    def _closed_derivatives(self, point: FloatArray) -> list[FloatArray]:
        """Return the closed form's gradient by a and b, and minus its aa, ba and bb derivatives."""
        cost, prior, centre, precision = self.terms[:, self.idx]
        location, log_scale = point.reshape(2, -1)
        square = np.exp(2.0 * log_scale)
        mean = cost * np.exp(location + 0.5 * square)
        kinds = [precision > 0, precision < 0, prior > 0]
        ridge = 2.0 * np.exp(2.0 * location + 2.0 * square) / np.where(prior > 0, prior, 1.0)
        none = np.zeros_like(mean)
        return [
            np.select(kinds, [-precision * (location - centre), centre, 1.0 - ridge], 0.0) - mean,
            1.0
            - mean * square
            - np.select(kinds, [precision * square, none, 2.0 * ridge * square], 2.0 * square),
            mean + np.select(kinds, [precision, none, 2.0 * ridge], 0.0),
            mean * square + np.select(kinds, [none, none, 4.0 * ridge * square], 0.0),
            mean * square * (2.0 + square)
            + np.select(
                kinds,
                [2.0 * precision * square, none, ridge * square * (4.0 + 8.0 * square)],
                4.0 * square,
            ),
        ]

    def on(self, idx: IntArray) -> _Problem:
        """Return the problem in other coordinates."""
        return self._replace(idx=idx)

    def quiet(self, level: float) -> FloatArray:
        """Return the point where each coordinate has E theta = level / cost and its best scale."""
        location = np.log(level / self.terms[0, self.idx]) - 0.25
        return np.concatenate((location, np.full(self.idx.size, -0.5 * np.log(2.0))))

    def free(self) -> BoolArray:
        """Tell which coordinates have their prior variance at its optimum."""
        return (self.terms[1, self.idx] == 0.0) & (self.terms[3, self.idx] == 0.0)

    def dying(self, point: FloatArray, share: FloatArray) -> BoolArray:
        """Tell which coordinates have an optimum at theta = 0 and are on the way there."""
        location, log_scale = point.reshape(2, -1)
        mean = self.terms[0, self.idx] * np.exp(location + 0.5 * np.exp(2.0 * log_scale))
        return self.free() & (mean < _SMALL) & (share[: self.idx.size] < _WANING * mean)


def _step(curvature: FloatArray, damping: float, gradient: FloatArray) -> FloatArray | None:
    """Solve (curvature + damping * |diagonal|) step = gradient; None if not positive definite."""
    diagonal = np.abs(np.diag(curvature))
    damped = curvature + np.diag(damping * (diagonal + 1e-3) + 1e-14)
    try:
        factor = np.linalg.cholesky(damped)
    except np.linalg.LinAlgError:
        return None
    if not (np.diag(factor) ** 2 > 1e-12 * diagonal).all():
        return None
    return np.linalg.solve(factor.T, np.linalg.solve(factor, gradient))


def _shorten(step: FloatArray) -> FloatArray:
    """Scale the step so that no location or log scale moves too far."""
    location, scale = np.abs(step.reshape(2, -1)).max(axis=1)
    return (
        step
        * min(1.0, _LOC_LIMIT / max(location, _LOC_LIMIT))
        * min(1.0, _SCALE_LIMIT / max(scale, _SCALE_LIMIT))
    )


def _improve(
    problem: _Problem,
    point: FloatArray,
    value: float,
    damping: float,
    derivatives: tuple[FloatArray, FloatArray],
    tolerance: float,
) -> tuple[FloatArray, float, float, float]:
    """Move to a higher F, damping the Newton step as needed; return point, F, gain, damping."""
    gain = 0.0
    while damping < 1e8:
        step = _step(derivatives[1], damping, derivatives[0])
        if step is not None:
            gain = float(0.5 * derivatives[0] @ step)
            if gain <= tolerance:
                break
            trial = point + _shorten(step)
            new = problem.bound(trial)
            if new >= value:
                return trial, new, gain, 0.1 * damping if damping > 1e-4 else 0.0
        damping = max(4.0 * damping, 1e-2)
    return point, value, gain if damping < 1e8 else 0.0, damping


def _raise(
    problem: _Problem, point: FloatArray, tolerance: float, trace: FloatArray, leave: bool
) -> tuple[FloatArray, float, float, int, BoolArray]:
    """Damped Newton ascent of F; return point, F, promised gain, iterations, and who is dying."""
    value, gain, damping = problem.bound(point), np.inf, 0.0
    for iteration in range(trace.size):
        trace[iteration] = value
        share, gradient, curvature = problem.derivatives(point)
        if leave:
            dying = problem.dying(point, share)
            if dying.any():
                return point, value, gain, iteration, dying
        point, value, gain, damping = _improve(
            problem, point, value, damping, (gradient, curvature), tolerance
        )
        if gain <= tolerance:
            return point, value, gain, iteration + 1, np.empty(0, dtype=bool)
    return point, value, gain, trace.size, np.empty(0, dtype=bool)


def _wanted(problem: _Problem, point: FloatArray, gone: IntArray) -> BoolArray:
    """Tell which coordinates of `gone` (whose theta is 0) would raise F if theta grew."""
    lam = problem.at(point)[0].T @ problem.v[problem.idx]
    others = problem.on(gone)
    growth, _ = others.at(others.quiet(1.0))
    share = problem.weights / problem.draws.shape[0] * problem.v[gone]
    return np.einsum("am,mk,ak->a", growth, 1.0 / lam, share, optimize=True) > 1.0


def _leave_out(problem: _Problem, point: FloatArray, value: float, gone: IntArray) -> float:
    """Return the part of F of the coordinates in `gone` once they are 0, if that raises F."""
    if problem.idx.size == 0:
        return np.nan
    silent = problem.on(gone)
    own = silent.closed_form(silent.quiet(SILENT))
    return own if problem.bound(_read(point, problem.idx)) + own >= value else np.nan


def _read(point: FloatArray, idx: IntArray) -> FloatArray:
    return np.concatenate((point[0, idx], point[1, idx]))


def _write(point: FloatArray, idx: IntArray, own: FloatArray) -> None:
    point[:, idx] = own.reshape(2, -1)


def _raise_acting(
    problem: _Problem, point: FloatArray, tolerance: float, trace: FloatArray
) -> tuple[float, float, int]:
    """Raise F in the coordinates that act, from `point` (2, P) in place; return (F, gain, steps).

    A coordinate that is dying is set to 0 at once and left out, if that raises F; at the end those
    left out that would raise F after all come back.
    """
    live, gone = problem.idx, problem.idx[:0]
    steps, returns, leave, silence = 0, 0, True, 0.0
    while True:
        here = problem.on(live)
        own, value, gain, n, dying = _raise(
            here, _read(point, live), tolerance, trace[steps:], leave
        )
        _write(point, live, own)
        trace[steps : steps + n] += silence
        steps += n
        if dying.size:
            out, stay = live[dying], live[~dying]
            lost = _leave_out(problem.on(stay), point, value, out)
            leave = not np.isnan(lost)
            if leave:
                silence += lost
                _write(point, out, problem.on(out).quiet(SILENT))
                live, gone = stay, np.concatenate((gone, out))
            continue
        wanted = _wanted(here, own, gone)
        back, gone = problem.on(gone[wanted]), gone[~wanted]
        if back.idx.size == 0 or steps == trace.size:
            return value + silence, gain, steps
        silence -= back.closed_form(_read(point, back.idx))
        _write(point, back.idx, back.quiet(0.01 * _SMALL))
        live = np.concatenate((live, back.idx))
        returns += 1
        leave = returns < _RETURNS


def _raise_row(
    problem: _Problem, point: FloatArray, tolerance: float, trace: FloatArray
) -> tuple[float, float, int]:
    """Solve one row problem from point (2, P) in place: the coordinates that act together, then
    the silent ones one by one; return (F, promised gain, iterations)."""
    value, gain, steps = 0.0, 0.0, 0
    acts = ((problem.v > 0) & (problem.weights > 0)).any(axis=1)
    costs = problem.terms[0] > 0
    acting, silent = np.flatnonzero(costs & acts), np.flatnonzero(costs & ~acts)
    if acting.size:
        value, gain, steps = _raise_acting(problem.on(acting), point, tolerance, trace)
    for p in silent:
        alone = problem.on(np.array([p]))._replace(v=problem.v[:, :0], weights=np.empty(0))
        if alone.free()[0]:
            # no event speaks for it: the optimum is theta = 0, with s^2 = 1/2
            own = alone.quiet(SILENT)
            value += alone.closed_form(own)
        else:
            reached: Any = _raise(
                alone, _read(point, alone.idx), tolerance, np.empty(trace.size), False
            )
            own, value, gain = reached[0], value + reached[1], gain + reached[2]
            steps = max(steps, reached[3])
        _write(point, alone.idx, own)
    return value, gain, steps


def raise_rows(
    data: tuple[FloatArray, FloatArray, IntArray],
    cost: FloatArray,
    prior: FloatArray,
    draws: FloatArray,
    start: FloatArray,
    tolerance: float,
    out: tuple[FloatArray, FloatArray, FloatArray],
    part: tuple[int, int],
) -> None:
    """Raise the bound of the row problems ``range(*part)`` from ``start`` (n_blocks, 2, P)."""
    params, report, traces = out
    for b in range(*part):
        terms = np.concatenate((cost[b : b + 1], prior[b]))
        problem = _Problem(*row_of(data, cost.shape[1] - 1, b), np.empty(0, int), terms, draws)
        params[b], traces[b] = start[b], np.nan
        report[b] = _raise_row(problem, params[b], tolerance, traces[b])


def expected_log_rows(
    data: tuple[FloatArray, FloatArray, IntArray],
    draws: FloatArray,
    params: FloatArray,
    out: FloatArray,
    part: tuple[int, int],
) -> None:
    """Write sum_k w_k E log(v_k . theta) of the row problems ``range(*part)`` to `out`."""
    size = params.shape[2]
    for b in range(*part):
        row = row_of(data, size - 1, b)
        problem = _Problem(*row, np.arange(size), np.empty((4, size)), draws)
        out[b] = problem.expected_log(problem.at(params[b].ravel())[0])


def curvature_rows(
    data: tuple[FloatArray, FloatArray, IntArray],
    cost: FloatArray,
    prior: FloatArray,
    draws: FloatArray,
    params: FloatArray,
    out: FloatArray,
    part: tuple[int, int],
) -> None:
    """Write minus the second derivatives of F of the row problems ``range(*part)`` to `out`."""
    size = cost.shape[1]
    for b in range(*part):
        idx = np.flatnonzero(cost[b] > 0)
        terms = np.concatenate((cost[b : b + 1], prior[b]))
        problem = _Problem(*row_of(data, size - 1, b), idx, terms, draws)
        both = np.concatenate((idx, idx + size))
        curvature = problem.derivatives(_read(params[b], idx))[2]
        out[b][np.ix_(both, both)] = 0.5 * (curvature + curvature.T)
