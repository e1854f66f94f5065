"""Strokes of one key that are one stroke: auto-repeat sent as pairs, and bouncing switches."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray

__all__ = ["Chain", "merge_repeats"]

# no finger presses a key twice within this time, in seconds
_FASTEST = 0.040
# what repeats: strokes at most this short, at most so far apart, after a wait of at most so long
_TOUCH, _PERIOD, _WAIT = 0.010, 0.120, 1.2
# a system begins to repeat no earlier, and lets go and presses at once
_DELAY, _AT_ONCE = 0.150, 0.002


class Chain(NamedTuple):
    """Events sorted by key, and by place within it; `row` is the place among all events."""

    key: IntArray
    time: FloatArray
    down: BoolArray
    flagged: BoolArray
    row: Any


def merge_repeats(
    chain: Chain,
    press: IntArray,
    release: IntArray,
    press_before: IntArray,
    chatter: float,
    marks: IntArray,
    rules: tuple[int, int],
) -> tuple[IntArray, IntArray]:
    """Return the places of presses and releases in the chain once strokes of one key are joined.

    Writes the rule of what is left out, (auto-repeat pair, chatter), into `marks`.
    """
    if press.size < 2:
        return press, release
    down, up = chain.time[press], chain.time[release]
    follows = (chain.key[press][1:] == chain.key[press][:-1]) & (press[1:] > release[:-1])
    gap, period, hold = down[1:] - up[:-1], np.diff(down), up - down
    near = follows & ((period <= _WAIT) | (gap <= chatter))
    if not near.any():
        return press, release
    # no other key was pressed between
    presses = np.maximum.accumulate(np.where(chain.down, np.arange(chain.key.size), -1))
    alone = follows & (press_before[chain.row[press[1:]]] == chain.row[presses[press[1:] - 1]])
    touches = (hold[1:] <= _TOUCH) & (hold[:-1] <= _TOUCH)
    beat = alone & touches & (period <= _PERIOD)
    steady = beat & (np.append(False, beat[:-1]) | np.append(beat[1:], False))
    # the first touch, and the wait before the second
    waited = alone & touches & (period <= _WAIT) & np.append(steady[1:], False)
    bounce = follows & ((gap <= chatter) | (period < _FASTEST))
    join = steady | waited | bounce
    if not join.any():
        return press, release
    heads = np.append(True, ~join)
    first = np.maximum.accumulate(np.where(heads, np.arange(press.size), 0))
    at_once = alone & (gap <= _AT_ONCE) & (down[1:] - down[first[1:]] >= _DELAY)
    repeats = join & (steady | waited | at_once)
    rule = np.where(repeats, rules[0], rules[1])[join]
    marks[release[:-1][join]] = rule
    marks[press[1:][join]] = rule
    tails = np.append(~join, True)
    return press[heads], release[tails]
