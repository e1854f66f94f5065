"""read_key_events: what it reads, and what it refuses and how."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from hawkeys.datasets import read_key_events
from hawkeys.exceptions import DatasetError, DatasetNotFoundError, InvalidParameterError

STROKES = "user,session,key,press,release\nann,1,a,0.5,0.75\nann,1,b,1.0,1.25\n"
EVENTS = "user,session,key,type,time\nann,1,a,down,0.5\nann,1,a,up,0.75\n"


@pytest.fixture
def place(tmp_path):
    """Return a function that writes a file and returns its path."""

    def write(content, name="log.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def test_one_row_per_keystroke(place):
    events = read_key_events(place(STROKES))
    assert events.user.tolist() == ["ann"] * 4
    assert events.session.tolist() == [1] * 4
    assert events.session.dtype == np.int64
    assert events.key.tolist() == ["a", "a", "b", "b"]
    assert events.time.tolist() == [0.5, 0.75, 1.0, 1.25]
    assert events.down.tolist() == [True, False, True, False]
    assert events.paired
    assert events.repetition is None
    assert events.tally == {"read": 2}
    assert repr(events) == "KeyEvents: 4 events (2 presses) of 1 users in 1 recordings"
    with pytest.raises(ValueError, match="read-only"):
        events.time[0] = 1


def test_one_row_per_event(place):
    rows = [f"ann,1,a,{kind},{i}" for i, kind in enumerate(
        ["down", "up", "press", "release", "keydown", "keyup", "KeyDown", "KEY_UP"])]  # fmt: skip
    events = read_key_events(place("user,session,key,type,time\n" + "\n".join(rows)))
    assert events.down.tolist() == [True, False] * 4
    assert not events.paired
    assert events.tally == {"read": 8}


@pytest.mark.parametrize(
    ("header", "given"),
    [
        ("user,session,keyname,timepress,timerelease", None),
        ("Subject, Session Index,Key_Code,PRESS_TIME,release.time", None),
        ("participant_id,sitting,key,DownTime,UpTime", None),
        ("who,when,what,p,r", dict(zip(["user", "session", "key", "press", "release"],
                                       ["who", "when", "what", "p", "r"], strict=True))),
    ],
)  # fmt: skip
def test_names_of_columns(place, header, given):
    text = STROKES.replace("user,session,key,press,release", header)
    assert read_key_events(place(text), columns=given).time.tolist() == [0.5, 0.75, 1.0, 1.25]


@pytest.mark.parametrize(
    ("unit", "cell"),
    [("s", "1.5"), ("ms", "1500"), ("us", "1.5e6"), ("ns", "1500000000"), ("100ns", "15000000"),
     (None, "1.5")],
)  # fmt: skip
def test_units(place, unit, cell):
    text = f"user,session,key,press,release\nann,1,a,0,{cell}\n"
    assert read_key_events(place(text), time_unit=unit).time.tolist() == [0, 1.5]


def test_json_lines(place):
    rows = [{"user": "ann", "session": 1, "key": " ", "type": "down", "time": 0.5, "x": {"y": []}}]
    rows += [{**rows[0], "type": "up", "time": 1, "repetition": None}]
    text = json.dumps(rows[0]) + "\r\n\n" + json.dumps(rows[1])
    events = read_key_events(place(text, "log.jsonl"))
    assert events.key.tolist() == [" ", " "]
    assert events.time.tolist() == [0.5, 1.0]
    assert events.tally == {"read": 2, "blank": 1}


def test_round_trip(place):
    """The same table as csv, gzipped csv, JSON lines and frame."""
    rng = np.random.default_rng(0)
    press = np.round(np.cumsum(rng.exponential(0.2, 50)), 6)
    frame = pd.DataFrame({"user": rng.choice(["ann", "3", "zoë"], 50),
                          "session": rng.integers(1, 3, 50), "key": rng.choice(list('a",é '), 50),
                          "press": press, "release": press + 0.0625,
                          "rep": rng.choice(["x", "y"], 50)})  # fmt: skip
    csv = frame.to_csv(index=False).encode()
    sources = [frame, place(csv), place(gzip.compress(csv), "log.gz"),
               place(b"\xef\xbb\xbf" + csv.replace(b"\n", b"\r\n"), "bom.csv"),
               place("\n".join(map(json.dumps, frame.to_dict("records"))), "j")]  # fmt: skip
    first, *others = [read_key_events(source) for source in sources]
    assert first.time[0::2].tolist() == press.tolist()
    assert first.repetition[0::2].tolist() == frame["rep"].tolist()
    for other in others:
        for name in ("user", "session", "repetition", "key", "time", "down"):
            assert np.array_equal(getattr(first, name), getattr(other, name)), name


def test_labels_are_never_merged(place):
    text = "user,session,key,press,release\n1,01,a,0,1\n01,1,a,0,1\n"
    events = read_key_events(place(text))
    assert events.user.tolist() == ["1", "1", "01", "01"]
    assert events.session.tolist() == ["01", "01", "1", "1"]
    assert events.groups().tolist() == [0, 0, 1, 1]


def test_blank_lines_are_counted(place):
    assert read_key_events(place(STROKES + "\n\n")).tally == {"read": 2, "blank": 2}


BROKEN = [
    ("", "the file is empty"),
    ("\n\n", "the file is empty"),
    ("user,session,key,press,release\n", "header but no row of data"),
    ("user,session,key\nann,1,a\n", "no column for 'press', 'release' among 'user', 'session'"),
    ("user,session,key,type\nann,1,a,up\n", "no column for 'time'"),
    ("a;b\n1;2\n", "no column for 'user', 'session', 'key' and 2 more among 'a', 'b'"),
    (STROKES.replace("user", "key", 1), "duplicate column 'key'; rename or remove one"),
    (STROKES.replace("session", "subject", 1), "'user', 'subject' could each be user; say which"),
    (STROKES.replace("1.0,", "x,"), "line 3, column 'press': expected a finite number, got 'x'"),
    (STROKES.replace("1.0,", "nan,"), "line 3, column 'press': .* got 'nan'"),
    (STROKES.replace("1.25", "-inf"), "line 3, column 'release': .* got '-inf'"),
    (STROKES.replace("1.25", "1e999"), "line 3, column 'release': .* got '1e999'"),
    (STROKES.replace("1.0,", "1_0,"), "line 3, column 'press': .* got '1_0'"),
    (STROKES.replace("1.0,", ","), "line 3, column 'press': .* got an empty cell"),
    (STROKES.replace("1.25", "1.7e12"), "1.7e\\+12 s is not a time .* check time_unit"),
    (STROKES.replace("1.25", "0.9"), "line 3, column 'release': the release at 0.9 s is before"),
    (STROKES.replace("ann,1,b", ",1,b"), "line 3, column 'user': expected text of 1 to 100"),
    (STROKES.replace("ann,1,b", f"ann,1,{'b' * 101}"), "line 3, column 'key': expected text of 1"),
    (STROKES.replace("1.25", "1.25,7"), "line 3: expected 5 cells, as in the header, got 6"),
    (STROKES + 'ann,1,"a,0,1', "line 4: no valid csv"),
    (STROKES + f"ann,1,{'b' * 200_000},0,1", "line 4: no valid csv .*field larger"),
    (EVENTS.replace("up", "keypress"), "line 3, column 'type': expected one of down, .*'keypress'"),
    (b"user,session,key\0", "got no text"),
    ("zoë".encode("latin-1"), "got no text"),
    (STROKES.encode("utf-16"), "got no text"),
    (gzip.compress(STROKES.encode(), mtime=0)[:-9], "gzip file is truncated"),
    (gzip.compress(STROKES.encode(), mtime=0) + b"rest", "gzip file is truncated or damaged"),
    ("[1, 2]", "element 1: expected one JSON object with names, got '1'"),
    ("{", "line 1: no valid JSON"),
    ('{"a": 1, "a": 2}', "line 1: no valid JSON .a name occurs twice"),
    ('{"a": ' + "[" * 100_000, "line 1: no valid JSON"),
    ('{"a": 1' + "0" * 5000 + "}", "line 1: no valid JSON|no column for"),
]


@pytest.mark.parametrize(("content", "message"), BROKEN)
def test_broken_files(place, content, message):
    path = place(content)
    with pytest.raises(DatasetError, match=message) as caught:
        read_key_events(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("in UTF-8, gzipped or not.")
    assert len(str(caught.value)) < 600 + len(str(path))


GOOD = {"user": "ann", "session": 1, "key": "a", "press": 0, "release": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"press": True}, "column 'press': expected a finite number, got True"),
        ({"press": [1]}, "column 'press': .* got a value of type list"),
        ({"press": 10**400}, "column 'press': .* got a value of type int"),
        ({"release": float("nan")}, "column 'release': .* got nan"),
        ({"key": {"code": 1}}, "column 'key': .* got a value of type dict"),
        ({"key": "a\0"}, "column 'key': expected text of 1 to 100 characters"),
        ({"user": "\ud800"}, "column 'user': expected text of 1 to 100 characters"),
        ({"user": None}, "column 'user': .* got None"),
        ({"user": 1.5}, "column 'user': .* got 1.5"),
        ({"session": 10**20}, "column 'session': .* got a value of type int"),
    ],
)
def test_broken_cells(place, change, message):
    """The same in JSON lines and in a frame."""
    with pytest.raises(DatasetError, match=f"log: line 2, {message}"):
        read_key_events(place(json.dumps(GOOD) + "\n" + json.dumps({**GOOD, **change}), "log"))
    frame = pd.DataFrame([GOOD, {**GOOD, **change}], dtype=object)
    with pytest.raises(DatasetError, match=f"frame: row 1, {message}"):
        read_key_events(frame)


def test_json_without_a_name(place):
    short = {name: value for name, value in GOOD.items() if name != "press"}
    with pytest.raises(DatasetError, match="line 2: no 'press', which the first one has"):
        read_key_events(place(json.dumps(GOOD) + "\n" + json.dumps(short)))


def test_broken_frames():
    frame = pd.DataFrame([GOOD])
    with pytest.raises(DatasetError, match="frame: the frame has columns but no row"):
        read_key_events(frame.iloc[:0])
    with pytest.raises(DatasetError, match="frame: duplicate column 'user'"):
        read_key_events(pd.concat([frame, frame[["user"]]], axis=1))
    with pytest.raises(DatasetError, match=r"frame: row 0, column 'press': .* type datetime64"):
        read_key_events(frame.assign(press=pd.Timestamp("2020-01-01")))


def test_places(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"nowhere.csv: no such file. Check the path"):
        read_key_events(tmp_path / "nowhere.csv")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_key_events(tmp_path)
    with pytest.raises(DatasetError, match="is no path"):
        read_key_events("a\0b")


def test_arguments(place):
    path = place(STROKES)
    with pytest.raises(
        InvalidParameterError, match=r"format must be one of 'auto', 'evtest', .*'xls'"
    ):
        read_key_events(path, format="xls")
    with pytest.raises(
        InvalidParameterError, match="time_unit must be one of 's', 'ms', 'us', 'ns'"
    ):
        read_key_events(path, time_unit="min")
    with pytest.raises(InvalidParameterError, match="must be a path or a DataFrame; got int"):
        read_key_events(3)
    with pytest.raises(InvalidParameterError, match="columns must map parts to names"):
        read_key_events(path, columns=["press"])
    with pytest.raises(InvalidParameterError, match="columns: 'pres' to 'x': expected a part"):
        read_key_events(path, columns={"pres": "x"})
    with pytest.raises(DatasetError, match=r"no column 'x' .for press. among 'user'"):
        read_key_events(path, columns={"press": "x"})


def test_a_gzip_bomb_is_refused(place, monkeypatch):
    monkeypatch.setattr("hawkeys.datasets._tables.files._MOST_BYTES", 1000)
    with pytest.raises(DatasetError, match=r"holds more than .* GiB; split it"):
        read_key_events(place(gzip.compress(b" " * 100_000)))
