"""pair_events on what real logs show: clocks that go back, Shift let go first, lost events."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hawkeys.datasets import list_attempts, pair_events, read_key_events, to_keystrokes
from hawkeys.exceptions import DatasetError, InvalidParameterError


def log(rows, **labels):
    """Return events of rows (key, "+" or "-", seconds)."""
    frame = pd.DataFrame(rows, columns=["key", "type", "time"])
    frame["type"] = frame["type"].map({"+": "down", "-": "up"})
    return read_key_events(frame.assign(**{"user": "ann", "session": 1, **labels}))


def typed(text, start=0.0, step=0.25, hold=0.1):
    """Return the rows of a text typed without rollover."""
    rows = []
    for k, key in enumerate(text):
        rows += [(key, "+", start + k * step), (key, "-", start + k * step + hold)]
    return rows


def told(strokes):
    return [
        (key, round(press, 6), round(release, 6))
        for key, press, release in zip(strokes.key, strokes.press, strokes.release, strict=True)
    ]


# clocks that start again or go back


def test_a_clock_that_starts_again_begins_a_segment():
    """Two attempts on the clock of a page that was loaded again overlap in time."""
    events = log(typed("abc") + typed("abd", 0.05))
    strokes = pair_events(events)
    assert strokes.segment.tolist() == [1, 1, 1, 2, 2, 2]
    assert strokes.key.tolist() == list("abcabd")
    assert strokes.press.tolist() == [0, 0.25, 0.5, 0.05, 0.3, 0.55]
    assert strokes.tally == {"paired": 12}
    assert strokes.notes["clock went back"] == 1
    assert strokes.groups().tolist() == [0, 0, 0, 1, 1, 1]
    attempts = list_attempts(strokes, text="abc")
    assert attempts["outcome"].tolist() == ["sample", "other text"]
    samples = to_keystrokes(strokes, text="abc")
    assert samples.press.tolist() == [[0, 0.25, 0.5]]
    with pytest.raises(InvalidParameterError, match="its segments may have clocks of their own"):
        strokes.events("ann", 1)
    assert strokes[3:].segment.tolist() == [2, 2, 2]


def test_a_clock_that_starts_again_in_the_middle_of_a_stroke():
    """What was down when the page went is released on the new clock."""
    rows = [*typed("abcd", 5.0), ("r", "+", 6.0), ("r", "-", 0.01), *typed("abcd", 0.5)]
    strokes = pair_events(log(rows))
    assert strokes.tally == {"paired": 16, "missing release": 1, "release without press": 1}
    assert strokes.segment.tolist() == [1] * 4 + [2] * 4


def test_a_clock_set_back_by_an_hour():
    rows = typed("abcdefgh", 7200) + typed("abcdefgh", 3602)
    strokes = pair_events(log(rows))
    assert strokes.press[8] == 3602
    assert strokes.notes["clock went back"] == 1


def test_rows_in_disorder_are_sorted_and_counted():
    rows = [("a", "+", 0), ("b", "+", 0.101), ("a", "-", 0.1), ("b", "-", 0.2)]
    strokes = pair_events(log(rows))
    assert told(strokes) == [("a", 0, 0.1), ("b", 0.101, 0.2)]
    assert strokes.notes == {"rows out of order": 1}
    cut = pair_events(log(rows), order="file")
    assert cut.tally == {"missing release": 2, "release without press": 2}


@pytest.mark.parametrize("how", ["shuffled", "by key", "reversed", "presses first"])
def test_files_that_are_out_of_order_are_refused(how):
    rows = typed("the quick brown fox jumps over the dog")
    if how == "shuffled":
        rows = [rows[k] for k in np.random.default_rng(0).permutation(len(rows))]
    elif how == "by key":
        rows = sorted(rows, key=lambda row: row[0])
    elif how == "reversed":
        rows = rows[::-1]
    else:
        rows = sorted(rows, key=lambda row: row[1])
    with pytest.raises(DatasetError, match=r"frame: user ann, session 1: time goes back .*order="):
        pair_events(log(rows))
    strokes = pair_events(log(rows), order="time")
    assert "".join(strokes.key) == "the quick brown fox jumps over the dog"


def table(rows):
    names = ["key", "press", "release"]
    return read_key_events(pd.DataFrame(rows, columns=names).assign(user="ann", session=1))


def test_tables_of_strokes():
    attempt = [("a", 0, 0.1), ("b", 0.2, 0.3), ("c", 0.4, 0.5)]
    strokes = pair_events(table(attempt + attempt))
    assert strokes.segment.tolist() == [1, 1, 1, 2, 2, 2]
    assert strokes.notes["clock went back"] == 1
    held = [("a", 0.2, 0.3), ("Shift", 0, 0.4), ("b", 0.5, 0.6)]
    strokes = pair_events(table(held))  # written when keys are let go
    assert strokes.key.tolist() == ["Shift", "a", "b"]
    assert strokes.segment is None
    shuffled = [(f"k{k}", float(k), k + 0.1) for k in np.random.default_rng(0).permutation(40)]
    with pytest.raises(DatasetError, match="cannot be told whether the clock started again"):
        pair_events(table(shuffled))


def test_the_order_is_checked():
    with pytest.raises(InvalidParameterError, match="order must be one of 'auto', 'file', 'time'"):
        pair_events(log(typed("a")), order="key")


# Shift let go first


@pytest.mark.parametrize(
    ("layout", "pairs"),
    [
        ("us", ["!1", "@2", "\"'", "?/", ":;", "_-", "+=", "|\\", "Aa"]),
        ("uk", ['"2', "@'", "£3", "~#", "¬`"]),
        ("de", ['"2', "/7", "?ß", "=0", "ÖÖ", "Öö", ";,", ":.", "_-", "*+", "'#"]),
        ("fr", ["1&", "2é", '3"', ".;", "/:", "?,", "+="]),
    ],
)
def test_a_symbol_is_let_go_under_another_name(layout, pairs):
    rows = []
    for k, (down, up) in enumerate(pairs):
        rows += [("Shift", "+", k), (down, "+", k + 0.1), ("Shift", "-", k + 0.2),
                 (up, "-", k + 0.3)]  # fmt: skip
    strokes = pair_events(log(rows), layout=layout)
    assert strokes.tally == {"paired": 4 * len(pairs)}
    assert strokes.key[strokes.key != "Shift"].tolist() == [down for down, _ in pairs]
    assert np.allclose((strokes.release - strokes.press)[strokes.key != "Shift"], 0.2)
    assert pair_events(log(rows)).tally == strokes.tally  # found out


def test_layouts_of_the_user_and_none():
    rows = [("x", "+", 0), ("§", "-", 0.1)]
    assert pair_events(log(rows)).tally == {"missing release": 1, "release without press": 1}
    assert pair_events(log(rows), layout={"§": "x"}).tally == {"paired": 2}
    digits = [("1", "+", 0), ("!", "-", 0.1)]
    assert pair_events(log(digits), layout=None).tally["missing release"] == 1
    with pytest.raises(InvalidParameterError, match=r"layout must be auto, us, uk, de, fr, None"):
        pair_events(log(rows), layout="dvorak")


def test_the_physical_key_of_the_source_comes_first():
    """Two keys of one name, and one key of two names."""
    rows = [("!", "+", 0), ("1", "+", 0.05), ("1", "-", 0.1), ("1", "-", 0.2)]
    strokes = pair_events(log(rows, code=["Digit1", "Numpad1", "Digit1", "Numpad1"]))
    assert told(strokes) == [("!", 0, 0.1), ("1", 0.05, 0.2)]
    part = pair_events(log(rows[:1] + rows[2:3], code=["", ""]))
    assert part.tally == {"paired": 2}


def test_folding_of_symbols_and_of_codes():
    rows = [("KEY_LEFTSHIFT", "+", 0), ("1", "+", 0.1), ("1", "-", 0.2), ("a", "+", 0.3),
            ("a", "-", 0.4), ("KEY_LEFTSHIFT", "-", 0.5), ("1", "+", 0.6),
            ("1", "-", 0.7)]  # fmt: skip
    assert pair_events(log(rows), shift="fold").key.tolist() == ["1", "A", "1"]
    folded = pair_events(log(rows), shift="fold", layout="us")
    assert folded.key.tolist() == ["!", "A", "1"]
    assert folded.tally == {"paired": 6, "shift folded": 2}
    assert pair_events(log(rows), shift="fold", layout="de").key.tolist() == ["!", "A", "1"]


# lost events, auto-repeat, chatter


def test_a_lost_release_is_no_auto_repeat():
    rows = [("a", "+", 0), ("a", "+", 29.9), ("a", "-", 30.0)]
    strokes = pair_events(log(rows))
    assert told(strokes) == [("a", 29.9, 30.0)]
    assert strokes.tally == {"paired": 2, "missing release": 1}
    longer = pair_events(log(rows), longest_repeat=60)
    assert longer.tally == {"paired": 2, "auto-repeat": 1}


def test_a_release_and_a_press_lost():
    rows = [("a", "+", 0), *typed("bcdefg", 1.0), ("a", "-", 29.9), *typed("a", 31)]
    strokes = pair_events(log(rows))
    assert strokes.tally == {"paired": 14, "hold too long": 2}
    assert pair_events(log(rows), longest_hold=60).tally == {"paired": 16}
    held = [("Shift", "+", 0), *typed("abc", 1.0), ("Shift", "-", 29.9)]
    assert pair_events(log(held)).tally == {"paired": 8}
    repeating = [("a", "+", 0), *[("a", "+", 0.5 + k / 30) for k in range(900)], ("a", "-", 30.5)]
    strokes = pair_events(log(repeating))
    assert told(strokes) == [("a", 0, 30.5)]
    assert strokes.tally == {"paired": 2, "auto-repeat": 900}


def test_repeats_that_the_source_names():
    rows = [("a", "+", 0.5), ("a", "+", 0.53), ("a", "-", 0.55), *typed("b", 1)]
    strokes = pair_events(log(rows, repeat=[True, True, False, False, False]))
    assert strokes.tally == {"auto-repeat": 2, "release without press": 1, "paired": 2}


def test_auto_repeat_as_pairs():
    """As X sends it: let go and pressed at once, every 33 ms after half a second."""
    rows = [("a", "+", 0.0)]
    for k in range(5):
        rows += [("a", "-", 0.5 + 0.033 * k), ("a", "+", 0.5 + 0.033 * k)]
    rows += [("a", "-", 0.66), *typed("b", 1.0)]
    strokes = pair_events(log(rows))
    assert told(strokes) == [("a", 0, 0.66), ("b", 1.0, 1.1)]
    assert strokes.tally == {"paired": 4, "auto-repeat pair": 10}
    apart = pair_events(log(rows), chatter=0)
    assert apart.tally == {"paired": 14}


def test_auto_repeat_as_strokes_of_5_ms():
    times = [0, *(0.5 + 0.033 * np.arange(6))]
    rows = [row for time in times for row in (("a", "+", time), ("a", "-", time + 0.005))]
    strokes = pair_events(log([*rows, *typed("bb", 2.0)]))
    assert told(strokes)[0] == ("a", 0, round(0.5 + 0.033 * 5 + 0.005, 6))
    assert strokes.tally == {"paired": 6, "auto-repeat pair": 12}


def test_a_bouncing_switch():
    rows = [("a", "+", 0), ("a", "-", 0.003), ("a", "+", 0.008), ("a", "-", 0.1),
            ("b", "+", 0.2), ("b", "-", 0.29), ("b", "+", 0.298), ("b", "-", 0.3),
            ("c", "+", 0.4), ("c", "-", 0.41), ("c", "+", 0.43), ("c", "-", 0.5)]  # fmt: skip
    strokes = pair_events(log(rows))
    assert told(strokes) == [("a", 0, 0.1), ("b", 0.2, 0.3), ("c", 0.4, 0.5)]
    assert strokes.tally == {"paired": 6, "chatter": 6}
    assert pair_events(log(rows), chatter=0).tally == {"paired": 12}


def test_a_letter_typed_twice_stays_two():
    for step in (0.06, 0.1, 0.3):
        strokes = pair_events(log(typed("ll", step=step, hold=step - 0.03)))
        assert len(strokes) == 2


def test_a_press_only_log():
    frame = pd.DataFrame({"user": "ann", "session": 1, "key": list("aab"), "press": [0, 0.2, 0.4]})
    events = read_key_events(frame)
    assert events.press_only
    strokes = pair_events(events)
    assert strokes.press_only
    assert np.isnan(strokes.release).all()
    assert strokes.tally == {"press only": 3}
    assert strokes[:1].tally == {"press only": 1, "not picked": 2}
    assert strokes.events("ann", 1).times.tolist() == [0, 0.2, 0.4]
    with pytest.raises(DatasetError, match=r"no release.*press_intervals"):
        to_keystrokes(strokes, text="aab")


# against a slow twin

KEYS = ["a", "A", "b", "Shift"]
STEPS = st.sampled_from([0.0, 0.004, 0.01, 0.03, 0.05, 0.2, 1.0, 3.0, 12.0])


def pair_one_by_one(rows):
    """Return strokes (key, press, release) and counts, with a list of what is open."""
    counts = dict.fromkeys(
        ["paired", "auto-repeat", "missing release", "release without press", "hold too long"], 0
    )
    strokes, held, last = [], {}, None
    for key, kind, time in rows:
        name = key.lower() if len(key) == 1 else key
        if kind == "-":
            if name not in held:
                counts["release without press"] += 1
                continue
            first, press, seen = held.pop(name)
            if time - seen > 10 and name != "Shift":
                counts["hold too long"] += 2
            else:
                counts["paired"] += 2
                strokes.append((first, press, time))
            continue
        if name in held and last == name and time - held[name][2] <= 2:
            counts["auto-repeat"] += 1
            held[name] = (*held[name][:2], time)
        else:
            counts["missing release"] += name in held
            held[name] = (key, time, time)
        last = name
    counts["missing release"] += len(held)
    return strokes, counts


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from("+-"), STEPS), min_size=1,
                max_size=40))  # fmt: skip
def test_rules_against_a_slow_twin(steps):
    times = np.round(np.cumsum([step for _, _, step in steps]), 6).tolist()
    rows = [(key, kind, time) for (key, kind, _), time in zip(steps, times, strict=True)]
    rows += [(key, kind, times[-1] + 1 + 0.1 * k) for k, (key, kind, _) in enumerate(typed("x"))]
    strokes = pair_events(log(rows), chatter=0)
    expected, counts = pair_one_by_one(rows)
    expected = [(key, round(press, 6), round(release, 6)) for key, press, release in expected]
    assert sorted(told(strokes)) == sorted(expected)
    assert strokes.tally == {rule: count for rule, count in counts.items() if count}
    joined = pair_events(log(rows))
    assert joined.tally.total == len(rows)
    assert len(joined) <= len(strokes)
