"""Pairing presses with releases, one documented rule for everything a keyboard log shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from hawkeys._typing import BoolArray, IntArray
from hawkeys._validation import check_choice, check_nonnegative_number
from hawkeys.datasets._tables.codes import codes_of
from hawkeys.datasets.key_events._layouts import LAYOUTS, check_layout, is_shift, physical_names
from hawkeys.datasets.key_events._merging import Chain, merge_repeats
from hawkeys.datasets.key_events._segments import Arrangement, arrange
from hawkeys.datasets.key_events._shift import fold_shift
from hawkeys.datasets.key_events.events import KeyEvents
from hawkeys.datasets.key_events.strokes import Strokes
from hawkeys.datasets.tally import Tally
from hawkeys.exceptions import InvalidParameterError

__all__ = ["pair_events"]

_RULES = (
    "paired",
    "auto-repeat",
    "missing release",
    "release without press",
    "hold too long",
    "auto-repeat pair",
    "chatter",
    "press only",
)
_PAIRED, _REPEAT, _UNRELEASED, _UNPRESSED, _TOO_LONG, _PAIRS, _CHATTER, _PRESS = range(8)


class _Bounds(NamedTuple):
    """Longest hold, longest wait for a repeat and shortest gap of a key, in seconds."""

    hold: float
    repeat: float
    chatter: float


class _Pairs(NamedTuple):
    """Rule of each event, and the events that open and close each stroke."""

    rule: IntArray
    press: IntArray
    release: IntArray


def pair_events(
    events: KeyEvents,
    *,
    shift: str = "keep",
    layout: str | Mapping[str, str] | None = "auto",
    order: str = "auto",
    longest_hold: float = 10.0,
    longest_repeat: float = 2.0,
    chatter: float = 0.010,
) -> Strokes:
    """Pair presses with releases into strokes; `tally` tells what became of every event.

    Each recording (a user's session, or one repetition of it) is gone through in the order of the
    file. Rules, each with its name in the tally:

    ========================  ====================================================================
    paired                    A release ends the open press of its key, whatever other keys do in
                              between: rollover and releases out of order are normal. The key is
                              the physical one (see `layout`), for Shift may be let go first.
    auto-repeat               A press of a key that is already down, with no other key pressed
                              since and at most `longest_repeat` after its press before; or a press
                              that the source calls a repeat. Left out, so that the stroke lasts
                              from the first press to the release.
    missing release           A press never released: left out. So is an open press when its key is
                              pressed again after another key, as a keyboard repeats only the last,
                              or later than it repeats.
    release without press     Left out.
    hold too long             A press, its release more than `longest_hold` later, and no repeat
                              between: a release and a press were lost. Both are left out, but for
                              Shift.
    auto-repeat pair          A release and a press of one key between which nobody lets go: what
                              some systems send for auto-repeat (each repeat a release and a press
                              at once, or a stroke of a few milliseconds). Left out, one stroke.
    chatter                   A release and a press of one key at most `chatter` apart, or two of
                              its presses within 40 ms: a bouncing switch. Left out, one stroke.
    press only                A press in a log that has no releases at all.
    shift folded              Both events of a Shift stroke that capitalised a letter.
    shift without letter      Both events of any other Shift stroke. Only with shift="fold".
    ========================  ====================================================================

    Simultaneous times, rollover, releases out of order and clocks that went back are kept and
    counted by `Strokes.notes`.

    Parameters
    ----------
    events : KeyEvents
        As `read_key_events` returns them. Events of a table with one row per keystroke are paired
        as they stand, whatever the keys. Presses of a log without any release are kept, with NaN
        for the release (see `Strokes.press_only`).
    shift : {"keep", "fold"}, default "keep"
        "keep": Shift is a key like the others. "fold": a letter pressed while Shift is down (from
        its press to just before its release) becomes the capital letter, other keys keep their
        names unless `layout` names what Shift makes of them, and the Shift strokes are left out.
    layout : {"auto", "us", "uk", "de", "fr"}, mapping or None, default "auto"
        Which characters are on one key, for sources that do not know the physical key
        (`KeyEvents.code`): a symbol is let go under the name of its digit if Shift goes first. A
        mapping tells what a key types with Shift by what it types alone. "auto" takes the layout
        that leaves the fewest events without a partner, and none if none helps; None: letters
        only, in either case.
    order : {"auto", "file", "time"}, default "auto"
        "auto": where time goes back by more than 20 ms the clock started again or was set, and a
        new segment begins (`Strokes.segment`); less is disorder of neighbours, and sorted. "file":
        a new segment wherever time goes back. "time": all of a recording is sorted by time.
    longest_hold, longest_repeat, chatter : float, default 10.0, 2.0 and 0.010
        Seconds. With chatter=0 no two strokes are joined.

    Returns
    -------
    Strokes
        In the order of recordings, and of presses within them. The counts of `tally` add up to
        ``len(events)``.

    Raises
    ------
    InvalidParameterError
        Another kind of argument.
    DatasetError
        Time goes back, and it cannot be told whether the clock started again or the rows are out
        of order. Say which with `order`.

    Notes
    -----
    O(n log n) time.

    Examples
    --------
    >>> import pandas as pd
    >>> from hawkeys.datasets import pair_events, read_key_events
    >>> rows = [("Shift", "down", 0.0), ("h", "down", 0.1), ("h", "up", 0.2)]
    >>> rows += [("Shift", "up", 0.25), ("i", "down", 0.3), ("i", "up", 0.4), ("j", "up", 0.5)]
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
    check_choice(order, "order", ("auto", "file", "time"))
    groups = check_layout(layout)
    bounds = _Bounds(
        check_nonnegative_number(longest_hold, "longest_hold"),
        check_nonnegative_number(longest_repeat, "longest_repeat"),
        check_nonnegative_number(chatter, "chatter"),
    )
    if events.paired:
        found, arrangement = _rows_as_they_stand(events, order)
    else:
        found, arrangement = _pair_by_layout(events, groups, order, bounds)
    return _strokes_of(events, found, arrangement, groups if shift == "fold" else False)


def _strokes_of(
    events: KeyEvents, found: _Pairs, arrangement: Arrangement, fold: list[str] | bool | None
) -> Strokes:
    """Return the strokes of pairs of events; `fold` False keeps Shift."""
    press, release = found.press, found.release
    segments = np.empty(len(events), np.int64)
    segments[arrangement.order] = arrangement.segment
    keys, times = events.key[press], events.time[release]
    if events.press_only and not events.paired:
        times = np.full(press.size, np.nan)
    counts = dict(zip(_RULES, np.bincount(found.rule, minlength=len(_RULES)).tolist(), strict=True))
    if fold is not False:
        table = fold if isinstance(fold, list) else []
        keep, keys, folds = fold_shift(keys, events.time[press], times, segments[press], table)
        press, times, keys = press[keep], times[keep], keys[keep]
        rule = "press only" if events.press_only and not events.paired else "paired"
        counts = {**counts, rule: counts[rule] - sum(folds.values()), **folds}
    one_each = arrangement.n_back == 0
    groups = None if one_each else events.groups()[press]
    return Strokes(
        user=events.user[press],
        session=events.session[press],
        key=keys,
        press=events.time[press],
        release=times,
        repetition=None if events.repetition is None else events.repetition[press],
        tally=Tally(counts),
        segment=None if groups is None else _within(groups, segments[press]),
        n_disorder=arrangement.n_disorder,
    )


def _within(group: IntArray, segment: IntArray) -> IntArray:
    """Return segments counted 1, 2, ... within each recording; both are sorted."""
    new = np.append(True, segment[1:] != segment[:-1])
    number = np.cumsum(new)
    starts = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    lengths = np.diff(np.append(starts, group.size))
    return number - np.repeat(number[starts], lengths) + 1


def _name_of(events: KeyEvents, row: int) -> str:
    rest = "" if events.repetition is None else f", repetition {events.repetition[row]}"
    return f"{events.source}: user {events.user[row]}, session {events.session[row]}{rest}"


def _rows_as_they_stand(events: KeyEvents, order: str) -> tuple[_Pairs, Arrangement]:
    """Return the pairs of a table with one row per keystroke."""
    group, keys = events.groups()[::2], events.key_numbers()[::2]
    press, release = events.time[::2], events.time[1::2]

    def torn(one: Arrangement) -> IntArray:
        """Mark the segments of a cut, and what speaks for cutting: a key pressed while down."""
        count = np.zeros(group.size, np.int64)
        if one.n_back:
            count[one.order[np.append(True, one.segment[1:] != one.segment[:-1])]] = 1
            return count
        rows = one.order[np.lexsort((press[one.order], keys[one.order], one.segment))]
        same = (keys[rows][1:] == keys[rows][:-1]) & (group[rows][1:] == group[rows][:-1])
        count[rows[1:][same & (press[rows][1:] < release[rows][:-1])]] = 1
        return count

    arrangement = arrange(
        group,
        press,
        order,
        also=release,
        keys=keys,
        torn=torn,
        name=lambda row: _name_of(events, 2 * row),
    )
    rows = arrangement.order
    doubled = np.repeat(2 * rows, 2)
    doubled[1::2] += 1
    whole = Arrangement(
        doubled, np.repeat(arrangement.segment, 2), arrangement.n_back, arrangement.n_disorder
    )
    return _Pairs(np.zeros(len(events), np.int64), 2 * rows, 2 * rows + 1), whole


def _pair_by_layout(
    events: KeyEvents, groups: list[str] | None, order: str, bounds: _Bounds
) -> tuple[_Pairs, Arrangement]:
    """Return the pairs under a layout, or under the one that leaves the fewest events alone."""
    group = events.groups()
    names, codes = _names_of(events)
    shift = np.array([is_shift(name) for name in names], dtype=bool)[codes]

    def pair(table: list[str]) -> tuple[_Pairs, Arrangement]:
        keys = _physical_keys(events, names, codes, table)

        def pair_arranged(one: Arrangement) -> _Pairs:
            return _pair(events, one, keys, shift, bounds)

        arrangement = arrange(
            group,
            events.time,
            order,
            keys=keys,
            torn=lambda one: _lonely(pair_arranged(one).rule),
            name=lambda row: _name_of(events, row),
        )
        return pair_arranged(arrangement), arrangement

    best = pair(groups or [])
    if groups is None and not events.press_only:
        alone = np.bincount(codes, _lonely(best[0].rule)) > 0
        waiting = {name for name, one in zip(names, alone.tolist(), strict=True) if one}
        waiting = {name for name in waiting if not (name.isascii() and name.isalpha())}
        for name in LAYOUTS:
            table = LAYOUTS[name].split(" ")
            if not waiting & set(physical_names(table)):
                continue
            other = pair(table)
            if _lonely(other[0].rule).sum() < _lonely(best[0].rule).sum():
                best = other
    return best


def _lonely(rule: IntArray) -> IntArray:
    """Return 1 for each event left without a partner."""
    return np.isin(rule, (_UNRELEASED, _UNPRESSED, _TOO_LONG)).astype(np.int64)


def _names_of(events: KeyEvents) -> tuple[list[str], IntArray]:
    """Return the different names of keys, and the number of each event's."""
    codes = events.key_numbers()
    first = np.full(int(codes.max()) + 1, -1)
    first[codes[::-1]] = np.arange(codes.size)[::-1]
    return events.key[first].tolist(), codes


def _physical_keys(
    events: KeyEvents, names: list[str], codes: IntArray, table: list[str]
) -> IntArray:
    """Return the number of each event's physical key: by code, else by layout, else by name."""
    places = physical_names(table)
    physical = [places.get(name, name.lower() if len(name) == 1 else name) for name in names]
    number = {name: k for k, name in enumerate(dict.fromkeys(physical))}
    keys = np.array([number[name] for name in physical], dtype=np.int64)[codes]
    if events.code is None:
        return keys
    known = events.code != ""
    return np.where(known, codes_of(events.code) + len(number), keys)


def _pair(
    events: KeyEvents, one: Arrangement, keys: IntArray, shift: BoolArray, bounds: _Bounds
) -> _Pairs:
    """Return the rule of each event and the pairs, for rows as they are arranged."""
    order, time = one.order, events.time[one.order]
    down = events.down[order]
    flagged = np.zeros(order.size, dtype=bool) if events.repeat is None else events.repeat[order]
    rule = np.empty(len(events), np.int64)
    if events.press_only:
        rule[order] = np.where(flagged, _REPEAT, _PRESS)
        kept = order[~flagged]
        return _Pairs(rule, kept, kept)
    chain = one.segment * (int(keys.max()) + 1) + keys[order]
    if chain.max() < 2**16:  # which numpy sorts in linear time
        chain = chain.astype(np.uint16)
    rows = np.argsort(chain, kind="stable").astype(np.int32)
    chains = Chain(chain[rows], time[rows], down[rows], flagged[rows], rows)
    before = _press_before(down, one.segment)
    marks, openers, closers = _pair_chains(chains, before, shift[order][rows], bounds)
    if bounds.chatter > 0:
        openers, closers = merge_repeats(
            chains, openers, closers, before, bounds.chatter, marks, (_PAIRS, _CHATTER)
        )
    rule[order[rows]] = marks
    press, release = rows[openers], rows[closers]
    sequence = np.argsort(press)
    return _Pairs(rule, order[press[sequence]], order[release[sequence]])


def _press_before(down: BoolArray, segment: IntArray) -> IntArray:
    """Return the place of the last press before each event of its segment, or -1."""
    places = np.arange(down.size, dtype=np.int32)
    before = np.maximum.accumulate(np.where(down, places, np.int32(-1)))
    before = np.append(np.int32(-1), before[:-1])
    starts = np.flatnonzero(segment[1:] != segment[:-1]) + 1
    first = np.repeat(
        np.append(0, starts).astype(np.int32), np.diff(np.append(np.append(0, starts), down.size))
    )
    before[before < first] = -1
    return before


def _pair_chains(
    chain: Chain, press_before: IntArray, shift: BoolArray, bounds: _Bounds
) -> tuple[IntArray, IntArray, IntArray]:
    """Return the rule of each event, and the places in `chain` of presses and their releases."""
    places = np.arange(chain.key.size, dtype=np.int32)
    none = np.int32(-1)
    same = np.append(False, chain.key[1:] == chain.key[:-1])
    after_down = same & np.append(False, chain.down[:-1])
    step = np.append(0.0, np.diff(chain.time))
    last = np.append(none, chain.row[:-1])
    repeat = chain.down & after_down & (press_before[chain.row] == last) & (step <= bounds.repeat)
    repeat |= chain.flagged
    start = chain.down & ~repeat
    # the press that is open at a release: the last start after the release before it
    opener = np.maximum.accumulate(np.where(start, places, none))
    closed = np.maximum.accumulate(np.where(~chain.down | ~same, places - chain.down, none))
    up = ~chain.down
    before = np.append(none, opener[:-1])
    barrier = np.append(none, closed[:-1])
    matched = up & same & (before > barrier)
    marks = np.where(up, _UNPRESSED, np.where(repeat, _REPEAT, _UNRELEASED))
    long = matched & (step > bounds.hold) & ~shift
    good = matched & ~long
    marks[np.flatnonzero(long)] = _TOO_LONG
    marks[before[long]] = _TOO_LONG
    marks[np.flatnonzero(good)] = _PAIRED
    marks[before[good]] = _PAIRED
    return marks, before[good], np.flatnonzero(good)
