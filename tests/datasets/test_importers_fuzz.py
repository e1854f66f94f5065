"""Hostile input: the documented error or a valid result whose tally adds up, and nothing else."""

import gzip
import json
import warnings

import numpy as np
import pandas as pd
import pytest
from damage import fresh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hawkeys.datasets import list_attempts, pair_events, read_key_events, to_keystrokes
from hawkeys.exceptions import DatasetError, HawkeysWarning, InvalidParameterError

FUZZ = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
HEADERS = ["user,session,key,press,release", "user,session,key,type,time",
           "user,session,rep,key,event,timestamp"]  # fmt: skip
NASTY = st.one_of(
    st.sampled_from(["", " ", "nan", "inf", "-1", "1e999", "1_0", "٣", "0x1", "1", "2.5", "up",
                     "down", "keypress", "a", "Shift", "Backspace", '"', '""', "a,b", "\0",
                     "x" * 200, "\r", "\n", "\u2028", "9" * 400, "\ufeff", "ß"]),
    st.text(max_size=8),
)  # fmt: skip
NUMBERS = st.sampled_from(["0", "0.5", "1e3", " 2", "7"])
# sound rows among the broken, so that both kinds of outcome are met
CSV_ROWS = st.one_of(
    st.tuples(*[st.sampled_from("xy12")] * 3, NUMBERS, NUMBERS),
    st.tuples(*[st.sampled_from("xy12")] * 3, st.sampled_from(["up", "Down"]), NUMBERS),
    st.lists(NASTY | NUMBERS, min_size=5, max_size=7),
)
SOUND = {"user": "ann", "session": 1, "key": "a", "press": 0, "release": 1.5, "rep": 2}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | NASTY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "log"


def import_all(source, **options):
    """Read and pair; return None after the documented error."""
    try:
        events = read_key_events(source, **options)
    except DatasetError as error:
        message = str(error)
        events = None
    if events is None:
        assert "\n" not in message
        assert len(message) < 2000
        return None
    assert events.tally["read"] == len(events) // (2 if events.paired else 1)
    assert np.isfinite(events.time).all()
    strokes = None
    for shift in ("keep", "fold"):
        for order in ("auto", "file", "time"):
            try:
                strokes = pair_events(events, shift=shift, order=order)
            except DatasetError as error:
                assert order == "auto"
                assert "time goes back" in str(error)  # noqa: PT017
                continue
            check(strokes, events)
    return strokes


def check(strokes, events):
    assert strokes.tally.total == len(events)
    if strokes.press_only:
        assert strokes.tally["press only"] == len(strokes)
    else:
        assert strokes.tally.get("paired", 0) == 2 * len(strokes)
        assert (strokes.release >= strokes.press).all()
    group = strokes.groups()
    assert (np.diff(strokes.press)[np.diff(group) == 0] >= 0).all()
    assert (np.diff(group) >= 0).all()
    assert len(repr(strokes).splitlines()) <= 10


@FUZZ
@given(content=st.binary(max_size=300), head=st.sampled_from(["", *HEADERS]), packed=st.booleans())
def test_bytes(file, content, head, packed):
    content = (head + "\n").encode() * bool(head) + content
    fresh(file).write_bytes(gzip.compress(content) if packed else content)
    import_all(file)


@FUZZ
@given(content=st.binary(min_size=1, max_size=60), cut=st.integers(0, 200), at=st.integers(0, 200))
def test_damaged_gzip(file, content, cut, at):
    whole = bytearray(gzip.compress((HEADERS[0] + "\nann,1,a,0,1\n").encode(), mtime=0))
    whole[at : at + len(content)] = content
    fresh(file).write_bytes(bytes(whole[: cut or None]))
    import_all(file)


@FUZZ
@given(head=st.sampled_from(HEADERS), rows=st.lists(CSV_ROWS, max_size=4),
       end=st.sampled_from(["\n", "\r\n", "\r"]),
       unit=st.sampled_from(["s", "ms", "us"]))  # fmt: skip
def test_csv_of_nasty_cells(file, head, rows, end, unit):
    rows = [row[: head.count(",") + 1] if len(row) == 7 else row for row in rows]
    text = end.join([head, *(",".join(row) for row in rows)])
    fresh(file).write_bytes(text.encode("utf-8", "surrogatepass"))
    import_all(file, time_unit=unit)


@FUZZ
@given(names=st.lists(NASTY | st.sampled_from(["user", "session", "key", "press", "release"]),
                      min_size=1, max_size=8))  # fmt: skip
def test_headers(file, names):
    fresh(file).write_text(",".join(names) + "\n" + ",".join("1" * len(names)), errors="replace")
    import_all(file, format="csv")


@FUZZ
@given(rows=st.lists(st.dictionaries(st.sampled_from(list(SOUND)), JSON, max_size=2),
                     min_size=1, max_size=4),
       junk=st.just("") | NASTY)  # fmt: skip
def test_json_lines_and_frames(file, rows, junk):
    rows = [{**SOUND, **change} for change in rows]
    import_all(pd.DataFrame(rows, dtype=object))
    fresh(file).write_text("\n".join([*map(json.dumps, rows), junk]), errors="replace")
    import_all(file, format="jsonl")


EVENTS = st.lists(
    st.tuples(st.sampled_from("xy"), st.integers(1, 2),
              st.sampled_from(["a", "A", "b", "Shift", "Backspace", "Return"]),
              st.sampled_from(["down", "up"]), st.integers(0, 6)),
    min_size=1, max_size=30)  # fmt: skip


def pair_slowly(rows):
    """Return the strokes of one recording, event by event, and the counts of the rules."""
    counts = dict.fromkeys(["paired", "auto-repeat", "missing release", "release without press"], 0)
    strokes, held, last = [], {}, None
    for _, _, key, kind, time in sorted(rows, key=lambda row: row[4]):
        name = key.lower() if len(key) == 1 else key
        if kind == "up" and name in held:
            counts["paired"] += 2
            strokes.append((*held.pop(name), time))
        elif kind == "up":
            counts["release without press"] += 1
        elif name in held and last == name:
            counts["auto-repeat"] += 1
        else:
            counts["missing release"] += name in held
            held[name] = (key, time)
            last = name
    counts["missing release"] += len(held)
    return strokes, counts


@FUZZ
@given(rows=EVENTS)
def test_pairing_against_its_naive_twin(rows):
    frame = pd.DataFrame(rows, columns=["user", "session", "key", "type", "time"])
    import_all(frame)
    events = read_key_events(frame)
    if events.press_only:
        return
    strokes = pair_events(events, order="time", chatter=0, longest_repeat=99, longest_hold=99)
    total = {}
    for user, session in {row[:2] for row in rows}:
        expected, counts = pair_slowly([row for row in rows if row[:2] == (user, session)])
        here = strokes[(strokes.user == user) & (strokes.session == session)]
        found = list(zip(here.key, here.press, here.release, strict=True))
        assert sorted(found) == sorted(expected)
        total = {rule: total.get(rule, 0) + count for rule, count in counts.items()}
    assert strokes.tally == {rule: count for rule, count in total.items() if count}


@FUZZ
@given(letters=st.lists(st.sampled_from(["a", "b", "Shift", "Backspace", "Return"]), min_size=1),
       text=st.lists(st.sampled_from(["a", "b", "A", "Return"]), max_size=3),
       typos=st.sampled_from(["reject", "strip"]), rest=st.sampled_from(["reject", "ignore"]),
       end_key=st.sampled_from([None, "Return"]),
       shift=st.sampled_from(["keep", "fold"]), per_session=st.integers(1, 9))  # fmt: skip
def test_samples(letters, text, typos, rest, end_key, shift, per_session):
    press = np.arange(len(letters))
    frame = pd.DataFrame({"key": letters, "press": press, "release": press + 1.5})
    frame = frame.assign(user="ann", session=press // per_session)
    strokes = pair_events(read_key_events(frame), shift=shift)
    options = {"text": text, "typos": typos, "rest": rest, "end_key": end_key}
    try:
        attempts = list_attempts(strokes, **options)
        assert attempts["n_strokes"].sum() == len(strokes)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HawkeysWarning)  # few attempts spell the text
            samples = to_keystrokes(strokes, **options)
    except (DatasetError, InvalidParameterError):
        return
    assert samples.tally.total == len(strokes)
    assert samples.tally["sample"] == len(samples) * len(text)
    assert len(samples) == (attempts["outcome"] == "sample").sum()
