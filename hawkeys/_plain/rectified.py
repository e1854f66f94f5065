"""Rectified exponential intensities; see `hawkeys._jit.rectified`.

Between two instants x moves monotonically, so that each piece has a closed form: here all pieces of
all realisations at once. Simulation goes from event to event, which are few.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from hawkeys._plain.exponential import Instants, run
from hawkeys._plain.layout import owners
from hawkeys._typing import FloatArray, IntArray

__all__ = ["compensator_at", "row_log_likelihood", "simulate_events"]


class _States(NamedTuple):
    """S and V = sum_l b u_l exp(-b u_l) of every source at some times, each (n, D)."""

    s: FloatArray
    v: FloatArray

    def at(self, index: IntArray) -> _States:
        """Return the states at some of the times."""
        return _States(self.s[index], self.v[index])

    def excess(self, theta: FloatArray) -> FloatArray:
        """Return x - mu."""
        return np.asarray(self.s @ theta[1:-1])

    def slope_by_decay(self, theta: FloatArray) -> FloatArray:
        """Return the derivative of x by the decay: of each state it is S / b - V."""
        return np.asarray((self.s / theta[-1] - self.v) @ theta[1:-1])


def _states(
    instants: Instants, marks: IntArray, size: int, decay: float
) -> tuple[_States, _States]:
    """Return the states just before and just after every instant."""
    fades = instants.fades(np.array([decay]))
    jumps = np.zeros((instants.at.size, size))
    np.add.at(jumps, (instants.group, marks), decay)
    after, before = run(fades, jumps), np.zeros_like(jumps)
    before[1:] = after[:-1] * fades[1:]
    aged = run(fades, instants.lags[:, None] * before)
    return _States(before, aged), _States(after, aged)


class _Pieces(NamedTuple):
    """Pieces without events: when they open, how long they are open, and what x does there.

    open_time, left = exp(-b wait), mass (the integral of exp(-b u) over the open part) and late (of
    u exp(-b u)); wait is the time until x is no longer negative. Where a piece never opens all are
    0. Each (n,).
    """

    wait: FloatArray
    open_time: FloatArray
    left: FloatArray
    mass: FloatArray
    late: FloatArray

    @classmethod
    def of(cls, theta: FloatArray, excess: FloatArray, elapsed: FloatArray) -> _Pieces:
        """Return the pieces that begin with an excess and last so long."""
        mu, decay = theta[0], theta[-1]
        wait = np.zeros_like(excess)
        shut = mu + excess < 0.0
        wait[shut] = np.log(-excess[shut] / mu) / decay if mu > 0.0 else np.inf
        opens = wait < elapsed
        wait = np.where(opens, wait, 0.0)
        open_time = np.where(opens, elapsed - wait, 0.0)
        left = np.where(opens, np.exp(-decay * wait), 0.0)
        late = left * (wait + 1.0 / decay) - np.exp(-decay * elapsed) * (elapsed + 1.0 / decay)
        mass = -left * np.expm1(-decay * open_time) / decay
        return cls(wait, open_time, left, mass, np.where(opens, late, 0.0))

    def integrals(self, theta: FloatArray, excess: FloatArray) -> FloatArray:
        """Return the integral of max(0, x) over each piece."""
        return np.asarray(theta[0] * self.open_time + excess * self.mass)


def _outer(states: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the weighted sum of v v', v = (1, states)."""
    v = np.column_stack((np.ones(len(states)), states))
    return np.asarray((v * weights[:, None]).T @ v)


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
    """Return the weighted log-likelihood of one target mark, minus infinity if impossible.

    See the compiled twin.
    """
    size = theta.size - 2
    instants, owner = Instants.of(times, offsets), owners(offsets)
    before, after = _states(instants, marks, size, float(theta[-1]))
    own = np.flatnonzero((marks == target) & (weights[owner] > 0.0))
    value = _add_events(theta, before.at(instants.group[own]), weights[owner[own]], out)
    if value == -np.inf:
        return value
    # from the start of each window to its first event, then from instant to instant
    of = owner[instants.at]
    ends = windows[of, 1]
    ends[:-1] = np.where(of[1:] == of[:-1], times[instants.at[1:]], ends[:-1])
    first = windows[:, 1].copy()
    begun = np.flatnonzero(np.diff(offsets))
    first[begun] = times[offsets[begun]]
    nothing = np.zeros((len(first), size))
    states = _States(*(np.concatenate((nothing, array)) for array in after))
    elapsed = np.concatenate((first - windows[:, 0], ends - times[instants.at]))
    return value - _add_pieces(theta, states, elapsed, np.concatenate((weights, weights[of])), out)


def _add_events(theta: FloatArray, states: _States, weights: FloatArray, out: FloatArray) -> float:
    """Return the weighted log-intensities at events of the target and add their derivatives."""
    rate = theta[0] + states.excess(theta)
    if not (rate > 0.0).all():
        return -np.inf
    share = weights / rate
    out[0, 0] += share.sum()
    out[0, 1:-1] += share @ states.s
    out[0, -1] += share @ states.slope_by_decay(theta)
    out[1:, :-1] += _outer(states.s, share / rate)
    return float(weights @ np.log(rate))


def _add_pieces(
    theta: FloatArray, states: _States, elapsed: FloatArray, weights: FloatArray, out: FloatArray
) -> float:
    """Return the weighted integral over the pieces; subtract its derivatives from ``out[0]``.

    ``out[1:]`` gains the second derivatives by mu and W, which only a restart within a piece has.
    """
    excess = states.excess(theta)
    pieces = _Pieces.of(theta, excess, elapsed)
    out[0, 0] -= weights @ pieces.open_time
    out[0, 1:-1] -= (weights * pieces.mass) @ states.s
    by_decay = states.slope_by_decay(theta) * pieces.mass - excess * pieces.late / theta[-1]
    out[0, -1] -= weights @ by_decay
    back = pieces.wait > 0.0
    if back.any():
        faded = pieces.left[back, None] * states.s[back]
        out[1:, :-1] += _outer(faded, weights[back] / (theta[-1] * theta[0]))
    return float(weights @ pieces.integrals(theta, excess))


def compensator_at(
    times: FloatArray,
    marks: IntArray,
    start: float,
    theta: FloatArray,
    queries: FloatArray,
    out: FloatArray,
) -> None:
    """Write the integral of max(0, x) from the start to sorted query times of one realisation."""
    instants = Instants.of(times, np.array([0, times.size]))
    after = _states(instants, marks, theta.size - 2, float(theta[-1]))[1]
    begins = np.append(start, times[instants.at])
    excess = np.append(0.0, after.excess(theta))
    whole = _Pieces.of(theta, excess[:-1], np.diff(begins)).integrals(theta, excess[:-1])
    done = np.append(0.0, np.cumsum(whole))
    # an event at a query itself is not counted yet
    last = np.searchsorted(times[instants.at], queries)
    rest = _Pieces.of(theta, excess[last], queries - begins[last])
    out[:] = done[last] + rest.integrals(theta, excess[last])


def simulate_events(
    rng: np.random.Generator,
    clock: FloatArray,
    baseline: FloatArray,
    adjacency: FloatArray,
    decay: FloatArray,
    excess: FloatArray,
    times: FloatArray,
    marks: IntArray,
) -> int:
    """Fill `times` and `marks` by exact thinning; return how many.

    See the compiled twin, whose draws and sums these are, in the same order.
    """
    (now, end), n = clock.tolist(), 0
    rates, decays, over = baseline.tolist(), decay.tolist(), excess.tolist()
    jumps = (adjacency * decay[:, None]).T.tolist()
    while n < times.size:
        bound = 0.0
        for mu, x in zip(rates, over, strict=True):
            bound += mu + max(x, 0.0)
        wait = rng.standard_exponential() / bound if bound > 0.0 else math.inf
        if now + wait > end:
            now = end
            break
        now += wait
        over = [x * math.exp(-b * wait) for x, b in zip(over, decays, strict=True)]
        mark = _pick(rng.random() * bound, rates, over)
        if mark >= 0:
            times[n], marks[n] = now, mark
            n += 1
            over = [x + jump for x, jump in zip(over, jumps[mark], strict=True)]
    clock[0], excess[:] = now, over
    return n


def _pick(draw: float, rates: list[float], over: list[float]) -> int:
    """Return the mark whose share of all the rates the draw falls into, -1 if none."""
    for i, (mu, x) in enumerate(zip(rates, over, strict=True)):
        rate = max(mu + x, 0.0)
        if draw < rate:
            return i
        draw -= rate
    return -1
