"""Pairing presses with releases, one documented rule for everything a keyboard log shows."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import IntArray
from hawkeys._validation import check_choice
from hawkeys.datasets._columns import plain
from hawkeys.datasets.key_events import KeyEvents
from hawkeys.datasets.strokes import Strokes
from hawkeys.datasets.tally import Tally
from hawkeys.exceptions import InvalidParameterError

__all__ = ["pair_events"]

_RULES = ("paired", "auto-repeat", "missing release", "release without press")
_PAIRED, _REPEAT, _UNRELEASED, _UNPRESSED = range(4)
_FOLDED, _IDLE = "shift folded", "shift without letter"
_SHIFTS = {"shift", "shiftl", "shiftr", "lshift", "rshift", "shiftleft", "shiftright"} | {
    "leftshift",
    "rightshift",
}


def pair_events(events: KeyEvents, *, shift: str = "keep") -> Strokes:
    """Pair presses with releases into strokes; `tally` tells what became of every event.

    Each recording (a user's session, or one repetition of it) is gone through in the order of time;
    events at one time keep the order of the source. Rules, each with its name in the tally:

    ========================  ====================================================================
    paired                    A release ends the open press of its key, whatever other keys do in
                              between: rollover and releases out of order are normal. Letters are
                              one key in either case (Shift may be let go first).
    auto-repeat               A press of a key that is already down, with no other key pressed
                              since: left out, so that the stroke lasts from the first press to the
                              release.
    missing release           A press never released: left out. So is an open press when its key is
                              pressed again after another key, as a keyboard repeats only the last.
    release without press     Left out.
    shift folded              Both events of a Shift stroke that capitalised a letter.
    shift without letter      Both events of any other Shift stroke. Only with shift="fold".
    ========================  ====================================================================

    Simultaneous times, rollover and releases out of order are kept and counted by `Strokes.notes`.

    Parameters
    ----------
    events : KeyEvents
        As `read_key_events` returns them. Events of a table with one row per keystroke are paired
        as they stand, whatever the keys.
    shift : {"keep", "fold"}, default "keep"
        "keep": Shift is a key like the others. "fold": a letter pressed while Shift is down (from
        its press to just before its release) becomes the capital letter, other keys keep their
        names, and the Shift strokes are left out.

    Returns
    -------
    Strokes
        In the order of recordings, and of presses within them. The counts of `tally` add up to
        ``len(events)``.

    Raises
    ------
    InvalidParameterError
        Another kind of `events` or `shift`.

    Notes
    -----
    O(n log n) time.

    Examples
    --------
    >>> import pandas as pd
    >>> from hawkeys.datasets import pair_events, read_key_events
    >>> rows = [("Shift", "down", 0.0), ("h", "down", 0.1), ("i", "down", 0.3)]
    >>> rows += [("h", "up", 0.2), ("Shift", "up", 0.25), ("i", "up", 0.4), ("j", "up", 0.5)]
    >>> frame = pd.DataFrame(rows, columns=["key", "type", "time"])
    >>> events = read_key_events(frame.assign(user="ann", session=1))
    >>> strokes = pair_events(events, shift="fold")
    >>> strokes.key.tolist(), strokes.tally
    (['H', 'i'], Tally(paired=4, release without press=1, shift folded=2))
    """
    if not isinstance(events, KeyEvents):
        raise InvalidParameterError(
            f"events must be KeyEvents, as read_key_events returns; got {type(events).__name__}."
        )
    check_choice(shift, "shift", ("keep", "fold"))
    group = events.groups()
    if events.paired:
        press, release = np.arange(0, len(events), 2), np.arange(1, len(events), 2)
        order = np.lexsort((events.time[press], group[press]))
        press, release = press[order], release[order]
        counts = {"paired": len(events)}
    else:
        press, release, counts = _pair(events, group)
    keys = events.key[press]
    if shift == "fold":
        keep, keys, folds = _fold_shift(
            keys, events.time[press], events.time[release], group[press]
        )
        press, release, keys = press[keep], release[keep], keys[keep]
        counts = {**counts, "paired": 2 * press.size, **folds}
    return Strokes(
        user=events.user[press],
        session=events.session[press],
        key=keys,
        press=events.time[press],
        release=events.time[release],
        repetition=None if events.repetition is None else events.repetition[press],
        tally=Tally(counts),
    )


def is_shift(key: str) -> bool:
    """Return whether a key is a Shift key, left or right."""
    return plain(key) in _SHIFTS


def _pair(events: KeyEvents, group: IntArray) -> tuple[IntArray, IntArray, dict[str, int]]:
    """Return the events that open and close each stroke, and the number of events per rule."""
    order = np.lexsort((events.time, group))
    names = [key.lower() if len(key) == 1 else key for key in events.key.tolist()]
    down, recording = events.down.tolist(), group.tolist()
    rule = np.full(len(events), _UNRELEASED)
    partner = np.full(len(events), -1)
    open_presses: dict[tuple[int, str], int] = {}
    last: tuple[int, str] | None = None
    for event in order.tolist():
        key = (recording[event], names[event])
        if not down[event]:
            first = open_presses.pop(key, None)
            rule[event] = _UNPRESSED if first is None else _PAIRED
            if first is not None:
                rule[first], partner[first] = _PAIRED, event
        elif key in open_presses and last == key:
            rule[event] = _REPEAT
        else:
            open_presses[key] = event
            last = key
    press = order[partner[order] >= 0]
    sizes = np.bincount(rule, minlength=len(_RULES))
    return press, partner[press], dict(zip(_RULES, sizes.tolist(), strict=True))


def _fold_shift(
    keys: np.ndarray, press: np.ndarray, release: np.ndarray, group: IntArray
) -> tuple[IntArray, np.ndarray, dict[str, int]]:
    """Return the strokes to keep, the keys with capitals, and the number of events per rule."""
    shift = np.array([is_shift(key) for key in keys.tolist()], dtype=bool)
    folded = keys.tolist()
    used: set[int] = set()
    held, holder = -np.inf, -1
    for stroke in range(keys.size):
        if stroke and group[stroke] != group[stroke - 1]:
            held = -np.inf
        if shift[stroke]:
            if release[stroke] > held:
                held, holder = release[stroke], stroke
        elif press[stroke] < held and _has_capital(folded[stroke]):
            folded[stroke] = folded[stroke].upper()
            used.add(holder)
    counts = {_FOLDED: 2 * len(used), _IDLE: 2 * (int(shift.sum()) - len(used))}
    return np.flatnonzero(~shift), np.array(folded, dtype=keys.dtype), counts


def _has_capital(key: str) -> bool:
    return len(key) == 1 and key.isalpha() and len(key.upper()) == 1
