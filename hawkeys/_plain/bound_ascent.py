"""The variational bound of one row problem but for its sums over events, and its ascent.

The ascent is a generator, which yields where it wants sums over the events and is sent them: they
may be at hand, or in parts on disk. See `hawkeys._jit.variational` for the bound and the method.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray

__all__ = [
    "SILENT",
    "Ascent",
    "Ask",
    "EventSums",
    "Problem",
    "answered",
    "climb_row",
    "draws_at",
]

_LOC_LIMIT = 3.0
_SCALE_LIMIT = 1.0
SILENT = 1e-10
_SMALL = 0.01
_WANING = 0.9999
_RETURNS = 3


class Ask(NamedTuple):
    """Where sums over events are wanted: a point (2 d,) of d coordinates idx.

    A point holds the locations of these coordinates, then their log scales. `growth` (n_gone,
    n_draws) holds directions in which the coordinates `gone`, which are 0, might grow.
    """

    idx: IntArray
    point: FloatArray
    gone: IntArray
    growth: FloatArray


class EventSums(NamedTuple):
    """Sums over events at a point: of w E log lambda, its gradient and minus its curvature.

    `value` (), `slope` (2 d,), `curvature` (2 d, 2 d); `share` (n_gone,) is what E log lambda gains
    with each direction of growth.
    """

    value: float
    slope: FloatArray
    curvature: FloatArray
    share: FloatArray

    @classmethod
    def nothing(cls, ask: Ask) -> EventSums:
        """Return the sums over no event."""
        size = ask.point.size
        return cls(0.0, np.zeros(size), np.zeros((size, size)), np.zeros(ask.gone.size))

    def __add__(self, other: Any) -> EventSums:
        return EventSums(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


Ascent: TypeAlias = Generator[Ask, EventSums, Any]


def draws_at(idx: IntArray, draws: FloatArray, point: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return theta and s e, (d, n_draws); draws come in pairs e, -e."""
    d, half = idx.size, draws.shape[0] // 2
    shock = np.exp(point[d:])[:, None] * draws[:half, idx].T
    centre, ratio = np.exp(point[:d])[:, None], np.exp(shock)
    return (
        np.concatenate((centre * ratio, centre / ratio), axis=1),
        np.concatenate((shock, -shock), axis=1),
    )


class Problem(NamedTuple):
    """A row problem without its events, in the coordinates idx: terms = (cost, C, m, t), draws."""

    idx: IntArray
    terms: FloatArray
    draws: FloatArray

    def ask(self, point: FloatArray, gone: IntArray | None = None) -> Ask:
        """Return what is asked at a point, and of coordinates `gone` whose theta is 0."""
        if gone is None:
            return Ask(self.idx, point, self.idx[:0], np.empty((0, len(self.draws))))
        growth, _ = draws_at(gone, self.draws, self.on(gone).quiet(1.0))
        return Ask(self.idx, point, gone, growth)

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

    def derivatives(self, point: FloatArray, sums: EventSums) -> tuple[FloatArray, FloatArray]:
        """Return the gradient and minus the curvature of F, given the sums over events there."""
        closed, here = self._closed_derivatives(point), np.arange(self.idx.size)
        there = here + here.size
        curvature = sums.curvature.copy()
        curvature[here, here] += closed[2]
        curvature[there, here] += closed[3]
        curvature[there, there] += closed[4]
        curvature[here, there] = curvature[there, here]
        return sums.slope + np.concatenate(closed[:2]), curvature

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

    def on(self, idx: IntArray) -> Problem:
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
    lengths = _LOC_LIMIT / max(location, _LOC_LIMIT), _SCALE_LIMIT / max(scale, _SCALE_LIMIT)
    return step * min(lengths)


def _read(point: FloatArray, idx: IntArray) -> FloatArray:
    return np.concatenate((point[0, idx], point[1, idx]))


def _write(point: FloatArray, idx: IntArray, own: FloatArray) -> None:
    point[:, idx] = own.reshape(2, -1)


def _improve(
    problem: Problem,
    here: tuple[FloatArray, float, EventSums],
    damping: float,
    derivatives: tuple[FloatArray, FloatArray],
    tolerance: float,
) -> Generator[Ask, EventSums, tuple[tuple[FloatArray, float, EventSums], float, float]]:
    """Move to a higher F, damping the Newton step as needed.

    `here` is a point with F and the sums over events at it. Returns the same, gain and damping.
    """
    point, value, _ = here
    gain = 0.0
    while damping < 1e8:
        step = _step(derivatives[1], damping, derivatives[0])
        if step is not None:
            gain = float(0.5 * derivatives[0] @ step)
            if gain <= tolerance:
                break
            trial = point + _shorten(step)
            sums = yield problem.ask(trial)
            new = sums.value + problem.closed_form(trial)
            if new >= value:
                return (trial, new, sums), gain, 0.1 * damping if damping > 1e-4 else 0.0
        damping = max(4.0 * damping, 1e-2)
    return here, gain if damping < 1e8 else 0.0, damping


def _raise(
    problem: Problem, point: FloatArray, tolerance: float, trace: FloatArray, leave: bool
) -> Generator[Ask, EventSums, tuple[FloatArray, float, float, int, BoolArray]]:
    """Damped Newton ascent of F; return point, F, promised gain, iterations, and who is dying."""
    sums = yield problem.ask(point)
    here, gain, damping = (point, sums.value + problem.closed_form(point), sums), np.inf, 0.0
    for iteration in range(trace.size):
        point, trace[iteration], sums = here
        if leave:
            dying = problem.dying(point, sums.slope)
            if dying.any():
                return point, here[1], gain, iteration, dying
        derivatives = problem.derivatives(point, sums)
        here, gain, damping = yield from _improve(problem, here, damping, derivatives, tolerance)
        if gain <= tolerance:
            return here[0], here[1], gain, iteration + 1, np.empty(0, dtype=bool)
    return here[0], here[1], gain, trace.size, np.empty(0, dtype=bool)


def _leave_out(
    problem: Problem, point: FloatArray, value: float, gone: IntArray
) -> Generator[Ask, EventSums, float]:
    """Return the part of F of the coordinates in `gone` once they are 0, if that raises F."""
    if problem.idx.size == 0:
        return np.nan
    silent, rest = problem.on(gone), _read(point, problem.idx)
    own = silent.closed_form(silent.quiet(SILENT))
    sums = yield problem.ask(rest)
    return own if sums.value + problem.closed_form(rest) + own >= value else np.nan


def _raise_acting(
    problem: Problem, point: FloatArray, tolerance: float, trace: FloatArray
) -> Generator[Ask, EventSums, tuple[float, float, int]]:
    """Raise F in the coordinates that act, from `point` (2, P) in place; return (F, gain, steps).

    A coordinate that is dying is set to 0 at once and left out, if that raises F; at the end those
    left out that would raise F after all come back.
    """
    live, gone = problem.idx, problem.idx[:0]
    steps, returns, leave, silence = 0, 0, True, 0.0
    while True:
        here = problem.on(live)
        own, value, gain, n, dying = yield from _raise(
            here, _read(point, live), tolerance, trace[steps:], leave
        )
        _write(point, live, own)
        trace[steps : steps + n] += silence
        steps += n
        if dying.size:
            out, stay = live[dying], live[~dying]
            lost = yield from _leave_out(problem.on(stay), point, value, out)
            leave = not np.isnan(lost)
            if leave:
                silence += lost
                _write(point, out, problem.on(out).quiet(SILENT))
                live, gone = stay, np.concatenate((gone, out))
            continue
        wanted = np.zeros(0, dtype=bool)
        if gone.size:
            wanted = (yield here.ask(own, gone)).share > 1.0
        back, gone = problem.on(gone[wanted]), gone[~wanted]
        if back.idx.size == 0 or steps == trace.size:
            return value + silence, gain, steps
        silence -= back.closed_form(_read(point, back.idx))
        _write(point, back.idx, back.quiet(0.01 * _SMALL))
        live = np.concatenate((live, back.idx))
        returns += 1
        leave = returns < _RETURNS


def climb_row(
    problem: Problem, acts: BoolArray, point: FloatArray, tolerance: float, trace: FloatArray
) -> Ascent:
    """Solve one row problem from point (2, P) in place: the coordinates that act together, then
    the silent ones one by one; return (F, promised gain, iterations).

    `acts` (P,) tells which coordinates excite an event that counts.
    """
    value, gain, steps = 0.0, 0.0, 0
    costs = problem.terms[0] > 0
    acting, silent = np.flatnonzero(costs & acts), np.flatnonzero(costs & ~acts)
    if acting.size:
        value, gain, steps = yield from _raise_acting(problem.on(acting), point, tolerance, trace)
    for p in silent:
        alone = problem.on(np.array([p]))
        if alone.free()[0]:
            # no event speaks for it: the optimum is theta = 0, with s^2 = 1/2
            own = alone.quiet(SILENT)
            value += alone.closed_form(own)
        else:
            start, spare = _read(point, alone.idx), np.empty(trace.size)
            reached = answered(_raise(alone, start, tolerance, spare, False), EventSums.nothing)
            own, value, gain = reached[0], value + reached[1], gain + reached[2]
            steps = max(steps, reached[3])
        _write(point, alone.idx, own)
    return value, gain, steps


def answered(ascent: Ascent, answer: Callable[[Ask], EventSums]) -> Any:
    """Return what an ascent returns once all that it asks was answered."""
    try:
        ask = next(ascent)
        while True:
            ask = ascent.send(answer(ask))
    except StopIteration as done:
        return done.value
