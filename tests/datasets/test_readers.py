"""Tables of events and of timings: read as they stand, or refused with the place and the remedy."""

import gzip
import warnings

import numpy as np
import pandas as pd
import pytest
from damage import fresh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hawkeys.datasets import load_demo, read_events, read_key_events, read_timings
from hawkeys.datasets._tables.files import numbers_of, read_table
from hawkeys.exceptions import DatasetError, HawkeysWarning

DEMO = load_demo(n_subjects=2)[:60]


@pytest.fixture
def place(tmp_path):
    """Write a text and return the path."""

    def write(text, name="table.csv"):
        path = fresh(tmp_path / name)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def events_of(path, **changes):
    return read_events(path, **{"end_times": 10.0, "mark": "mark", **changes})


# What may stand in a file without changing its meaning.
SAME = {
    "plain": "time,mark\n1,a\n2.5,b\n3e0,a\n",
    "blank after commas": "time, mark\n1, a\n2.5, b\n3e0, a\n",
    "blanks around": " time ,\tmark\n 1 ,a \n2.5\t,b\n3e0,a\n",
    "quotes": '"time","mark"\n"1","a"\n2.5,"b"\n3e0,a\n',
    "quotes after blanks": 'time, "mark"\n1, "a"\n2.5, "b"\n3e0, "a"\n',
    "windows": "time,mark\r\n1,a\r\n2.5,b\r\n3e0,a\r\n",
    "old mac": "time,mark\r1,a\r2.5,b\r3e0,a\r",
    "byte order mark": "\ufefftime,mark\n1,a\n2.5,b\n3e0,a\n",
    "blank lines": "\n\ntime,mark\n\n1,a\n   \n2.5,b\n3e0,a\n\n\n",
    "no last line end": "time,mark\n1,a\n2.5,b\n3e0,a",
    "row numbers of a saved frame": ",time,mark\n0,1,a\n1,2.5,b\n2,3e0,a\n",
    "row numbers from 1": ",time,mark\n1,1,a\n2,2.5,b\n3,3e0,a\n",
    "a column that never varies": "time,mark,who\n1,a,x\n2.5,b,x\n3e0,a,x\n",
    "other order": "mark,time\na,1\nb,2.5\na,3e0\n",
}


@pytest.mark.parametrize("case", SAME)
@pytest.mark.parametrize("packed", [False, True])
def test_what_does_not_change_the_meaning(place, case, packed):
    content = SAME[case].encode()
    events = events_of(place(gzip.compress(content) if packed else content))
    np.testing.assert_array_equal(events.times, [1.0, 2.5, 3.0])
    np.testing.assert_array_equal(events.marks, [0, 1, 0])
    assert events.mark_names == ("a", "b")


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["007", "7", "07"], ("007", "07", "7")),
        (["1e3", "1000", "1000.0"], ("1000", "1000.0", "1e3")),
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["1.0", "2.0", "1.0"], ("1.0", "2.0")),
        (["NA", "nan", "None"], ("NA", "None", "nan")),
        (["True", "true", "1"], ("1", "True", "true")),
        (["0x1", "1", "01"], ("01", "0x1", "1")),
        (["2024-01-01", "a b", '"q"'], ('"q"', "2024-01-01", "a b")),
        (["9007199254740993", "9007199254740992", "1"], ("1", "9007199254740992",
                                                         "9007199254740993")),
    ],
)  # fmt: skip
def test_labels_are_text_as_it_stands(place, labels, names):
    rows = [f'{k},"{label.replace(chr(34), 2 * chr(34))}"' for k, label in enumerate(labels)]
    events = events_of(place("time,mark\n" + "\n".join(rows) + "\n"))
    assert events.mark_names == names
    assert [events.mark_names[mark] for mark in events.marks] == labels


@pytest.mark.parametrize(("one", "other"), [("01", "1"), ("1.0", "1"), ("a", "A"), ("1e1", "10")])
def test_realisations_that_look_alike_are_two(place, one, other):
    path = place(f"time,run\n1,{one}\n3,{one}\n2,{other}\n")
    events = events_of(path, mark=None, realization="run")
    assert events.n_realizations == 2
    assert sorted(np.diff(events.offsets)) == [1, 2]


def test_a_window_for_each_realisation(place):
    path = place("time,run\n1,2\n3,2\n2,10\n")
    events = events_of(path, mark=None, realization="run", end_times={"2": 4, 10: 5, "11": 6})
    np.testing.assert_array_equal(events.end_times, [4, 5, 6])
    np.testing.assert_array_equal(events.offsets, [0, 2, 3, 3])
    events = events_of(path, mark=None, realization="run", end_times={"2": 4, 10: 5, "x": 6})
    np.testing.assert_array_equal(events.end_times, [5, 4, 6])  # text: "10" before "2"
    np.testing.assert_array_equal(events.offsets, [0, 1, 3, 3])
    with pytest.raises(DatasetError, match="end_times has no entry for realisation 10"):
        events_of(path, mark=None, realization="run", end_times={2: 4})


# Content of a file of events and what is wrong with it.
BROKEN = {
    "nothing": ("", "the file is empty"),
    "blank": (" \n\r\n\t\n", "the file is empty"),
    "quotes only": ('""\n', "the file is empty"),
    "header only": ("time,mark\n", "there is a header but no row with an event"),
    "no header": ("1,a\n2,b\n", "no column 'time' among '1', 'a'"),
    "other case": ("Time,mark\n1,a\n", "no column 'time' among 'Time', 'mark'; did you mean 'Ti"),
    "column twice": ("time,mark,mark\n1,a,b\n", "two columns are called 'mark'"),
    "twice but for blanks": ("time,mark, mark\n1,a,b\n", "two columns are called 'mark'"),
    "nameless column": ("time,mark,\n1,a,x\n", "column 3 has no name; name it"),
    "nameless first column": (",time,mark\n5,1,a\n", "column 1 has no name"),
    "semicolons": ("time;mark\n1,5;a\n", "got '1,5'; write 1234.5 with a point"),
    "comment above": ("# by me, today\ntime,mark\n1,a\n", "line 1 is a comment"),
    "comment below": ("time,mark\n1,a\n# end\n", "line 3: expected 2 cells.* got 1"),
    "long row": ("time,mark\n1,a\n2,b,c\n", "line 3: expected 2 cells, as in the header, got 3"),
    "all rows long": ("time,mark\n1,a,x\n2,b,y\n", "line 2: expected 2 cells.* got 3"),
    "comma at the ends": ("time,mark\n1,a,\n2,b,\n", "line 2: expected 2 cells.* got 3"),
    "short row": ("time,mark\n1,a\n2\n", "line 3: expected 2 cells.* got 1"),
    "decimal comma": ("time,mark\n1,5,a\n", "line 2: expected 2 cells.* written with a point"),
    "decimal comma in quotes": ('time,mark\n"1,5",a\n', "got '1,5'; write 1234.5 with a point"),
    "thousands": ('time,mark\n1,a\n"2,000.5",a\n', "got '2,000.5'; write 1234.5 with a point"),
    "thousands, blank": ("time,mark\n1 000,a\n", "got '1 000'; write 1234.5 with a point"),
    "thousands, low line": ("time,mark\n1_000,a\n", "got '1_000'; write 1234.5 with a point"),
    "lone quote": ('time,mark\n1,a\n2,"b\n3,a\n', r"line 3: no valid csv \(unexpected end of da"),
    "two lone quotes": ('time,mark\n1,"a\n2,b\n3,c"\n', "line 2: a quotation mark opens a cell"),
    "quote at both ends": ('time,mark\n1,"\n2,b\n3,"\n', "line 2: a quotation mark opens a cell"),
    "text behind a quote": ('time,mark\n1,"a"b\n', "line 2: no valid csv"),
    "empty row": ("time,mark\n1,a\n,\n2,b\n", "data row 2, column time: .* got an empty cell"),
    "empty time": ("time,mark\n1,a\n,b\n", "data row 2, column time: .* got an empty cell"),
    "empty mark": ("time,mark\n1,a\n2,\n", "data row 2, column mark: expected a label, got an em"),
    "not a number": ("time,mark\nnan,a\n", "expected a finite number, got 'nan'"),
    "infinite": ("time,mark\n1,a\n1e999,b\n", "data row 2, .* got '1e999'"),
    "true": ("time,mark\nTrue,a\nFalse,b\n", "data row 1, column time: .* got 'True'"),
    "complex": ("time,mark\n1j,a\n", "got '1j'"),
    "hexadecimal": ("time,mark\n0x10,a\n", "got '0x10'"),
    "date": ("time,mark\n2024-01-31,a\n", "column time: the times are dates, as '2024-01-31'"),
    "clock": ("time,mark\n12:30:01,a\n", "got '12:30:01'; convert dates and clock times"),
    "other digits": ("time,mark\n٣,a\n", "got '٣'"),
    "other minus": ("time,mark\n\u22121,a\n", "expected a finite number, got"),
    "unit": ("time,mark\n5 s,a\n", "got '5 s'"),
    "digits": ("time,mark\n1.5,a\n1700000000000000001,a\n", "has more digits than a"),
    "NUL": (b"time,mark\n1,\0\n", "expected csv, got no text"),
    "UTF-16": ("time,mark\n1,a\n".encode("utf-16"), "expected csv, got no text"),
    "Latin 1": ("time,mark\n1,\xe9\n".encode("latin-1"), r"expected csv, got no text \(byte 12\)"),
    "web page": ("<html>", "expected csv, got a web page"),
    "archive": (b"PK\x03\x04abc", "got a zip archive or .xlsx"),
    "unsorted": ("time,mark\n2,a\n1,b\n", "times must not decrease"),
    "outside": ("time,mark\n11,a\n", "outside the window"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_broken_tables_of_events(place, case):
    content, message = BROKEN[case]
    path = place(content)
    with pytest.raises(DatasetError, match=message) as caught:
        events_of(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


RUNS = "run,mark,time,size\n1,a,1,0.5\n1,b,2,0.25\n2,a,1,0.5\n2,b,2.5,1.5\n"


@pytest.mark.parametrize(
    ("how", "unread", "ways"),
    [
        ({"mark": None}, "columns 'run', 'mark', 'size'",
         "mark='run' if it holds the marks, or realization='run' if it tells realisations"),
        ({"mark": "mark"}, "columns 'run', 'size'", "realization='run' if it tells"),
        ({"mark": None, "realization": "run"}, "columns 'mark', 'size'", "mark='mark' if it holds"),
        ({"mark": "mark", "realization": "run"}, "column 'size'", r"Say what it is: ignore=\['si"),
    ],
)  # fmt: skip
def test_a_column_that_could_be_labels_is_not_passed_over(place, how, unread, ways):
    with pytest.raises(DatasetError, match=rf"the {unread} would not be read, .*{ways}"):
        events_of(place(RUNS), **how)


def test_what_is_named_is_left_out(place):
    path = place(RUNS)
    events = events_of(path, realization="run", ignore=["size"])
    assert (events.n_realizations, events.n_marks, events.n_events) == (2, 2, 4)
    only = events_of(place("run,time\n1,1\n1,2\n2,3\n"), mark=None, ignore=["run"])
    assert (only.n_realizations, only.n_marks, only.mark_names) == (1, 1, ("events",))
    with pytest.raises(DatasetError, match="no column 'seize' among 'run'"):
        events_of(place(RUNS), realization="run", ignore=["seize"])


def test_a_measurement_is_reported_and_a_run_of_one_event_refused(place):
    with pytest.warns(HawkeysWarning, match="the column 'size' of the table is not read"):
        events = events_of(place("time,mark,size\n1,a,.5\n2,b,.7\n3,a,.9\n"))
    assert events.n_events == 3
    with pytest.raises(DatasetError, match="the column 'Run' would not be read"):
        events_of(place("time,mark,Run\n1,a,1\n2,b,2\n3,a,3\n"))
    with pytest.raises(DatasetError, match="the column 'who' would not be read"):
        events_of(place("time,mark,who\n1,a,x\n2,b,y\n3,a,z\n"))


@pytest.mark.parametrize("how", [{"mark": "run", "realization": "run"}, {"mark": "time"}])
def test_one_column_has_one_meaning(place, how):
    with pytest.raises(DatasetError, match=r"must be columns of their own; got \['time', '"):
        events_of(place(RUNS), **how)


def test_no_column_is_named_that_the_file_does_not_have(place):
    with pytest.raises(DatasetError, match=r"no column 't' among 'a', 'b'; name the") as caught:
        events_of(place("a,b\n1,2\n"), mark=None, time="t")
    assert "mark" not in str(caught.value)


# ------------------------------------------------------------------------------------ timings

FRAME = DEMO.timings()


def text_of(frame):
    return frame.to_csv(index=False)


def test_a_blank_after_each_comma_changes_nothing(place):
    table = FRAME.assign(subject="007", rep=DEMO.repetition)
    plain, _ = read_timings(place(text_of(table)))
    spaced, labels = read_timings(place(text_of(table).replace(",", ", ")))
    pd.testing.assert_frame_equal(spaced, plain)
    assert plain.to_numpy().tobytes() == FRAME.to_numpy().tobytes()
    assert labels["subject"].tolist() == ["007"] * 60
    assert labels["rep"].tolist() == DEMO.repetition.tolist()


def test_columns_may_stand_in_any_order(place):
    shuffled = FRAME[[name for name in FRAME if name.startswith("H.")]
                     + [name for name in FRAME if not name.startswith("H.")]]  # fmt: skip
    timings, _ = read_timings(place(text_of(shuffled)))
    pd.testing.assert_frame_equal(timings, FRAME)


def test_labels_as_they_stand(place):
    table = FRAME[:4].assign(User=["1", "01", "", "NA"], session=[1, 2, 3, 4])
    table = table.assign(device=["7.0", "7", "", "x"], n=[1, 2, 3, -4])
    _, labels = read_timings(place(text_of(table)))
    assert labels["User"].tolist()[:2] == ["1", "01"]
    assert labels["User"].isna().tolist() == [False, False, True, False]
    assert labels["device"].tolist()[:2] == ["7.0", "7"]
    assert labels["session"].dtype == np.int64
    assert labels["n"].tolist() == [1, 2, 3, -4]


BAD_TIMINGS = {
    "hold missing": (FRAME.drop(columns="H.t"), "the timing column 'H.t' is missing; expected 31"),
    "first hold missing": (FRAME.drop(columns="H.period"), "column 'H.period' is missing"),
    "last hold missing": (FRAME.drop(columns="H.Return"), "column 'H.Return' is missing"),
    "two missing": (
        FRAME.drop(columns=["DD.i.e", "UD.n.l"]),
        "the timing columns 'DD.i.e', 'UD.n.l' are missing",
    ),
    "dotted key": (FRAME.drop(columns="H.Shift.r"), "column 'H.Shift.r' is missing"),
    "other case": (
        FRAME.rename(columns={"H.t": "h.T"}),
        r"'H.t' is missing \('h.T' must be spelt as here\)",
    ),
    "unknown": (FRAME.assign(**{"DD.x.y": 1.0}), "'DD.x.y' does not belong to the keys period t i"),
    "no hold at all": (FRAME[["DD.i.e", "UD.i.e"]], "'H.i', 'H.e' are missing"),
    "milliseconds": (FRAME * 1000, "row 0 .and 59 more.: the median hold is .* Convert milliseco"),
    "one in milliseconds": (
        FRAME.mul([1] * 7 + [1000] + [1] * 52, axis=0),
        "row 7: the median hold is",
    ),
    "true": (FRAME.assign(**{"H.t": True}), "column H.t: expected a finite number, got 'True'"),
    "no timings": (pd.DataFrame({"a": [1]}), "expected timing columns"),
}


@pytest.mark.parametrize("case", BAD_TIMINGS)
def test_broken_tables_of_timings(place, case):
    frame, message = BAD_TIMINGS[case]
    path = place(text_of(frame))
    with pytest.raises(DatasetError, match=message) as caught:
        read_timings(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_lone_quote_swallows_no_sample(place):
    table = FRAME.assign(note="ok")
    lines = text_of(table).splitlines()
    lines[10] = lines[10].replace("ok", '"ok')
    lines[16] = lines[16].replace("ok", 'ok"')
    with pytest.raises(DatasetError, match="line 11: a quotation mark opens a cell that ends on l"):
        read_timings(place("\n".join(lines)))


# --------------------------------------------------------------------------------- key events


def test_unescaped_quote_keys_swallow_no_stroke(place):
    rows = ['ann,1,",0.1,0.2', "ann,1,a,0.3,0.4", 'ann,1,",0.5,0.6']
    path = place("user,session,key,press,release\n" + "\n".join(rows) + "\n")
    with pytest.raises(
        DatasetError, match="line 2: a quotation mark opens a cell that ends on line"
    ):
        read_key_events(path)


def test_a_key_may_be_a_blank_a_quote_or_a_line_break(place):
    rows = ["ann, 1, ,0.1,0.2", 'ann, 1,"""",0.3,0.4', 'ann, 1,"\n",0.5,0.6']
    path = place("user, session, key, press, release\n" + "\n".join(rows) + "\n")
    events = read_key_events(path)
    assert events.key[::2].tolist() == [" ", '"', "\n"]
    assert events.session.tolist() == [1] * 6


# -------------------------------------------------------------------------------- the table

CELLS = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=6)


@settings(derandomize=True, deadline=None, max_examples=200,
          suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_what_a_csv_writer_writes_is_read_back(rows):
    """As pandas writes it, up to blanks around a cell."""
    frame = pd.DataFrame([("k", *row) for row in rows], columns=["first", "second", "third"])
    found = read_table(frame.to_csv(index=False).encode())
    assert list(found) == ["first", "second", "third"]
    expected = [[cell.strip() for cell in row] for row in frame.to_numpy().tolist()]
    assert found.to_numpy().tolist() == expected


@settings(derandomize=True, deadline=None, max_examples=200)
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_numbers_come_back_to_the_last_bit(values):
    text = "x\n" + "\n".join(map(repr, values)) + "\n"
    found = numbers_of(read_table(text.encode()), ["x"])[:, 0]
    np.testing.assert_array_equal(found, values)


@settings(derandomize=True, deadline=None, max_examples=300,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(data=st.data())
def test_one_damaged_character_gives_the_same_events_or_an_error_or_a_visible_change(place, data):
    """Never fewer events: a row is read or the file is refused."""
    text = "time,mark,run\n" + "".join(f"{k}.5,m{k % 3},r{k // 6}\n" for k in range(12))
    at = data.draw(st.integers(0, len(text) - 1))
    new = data.draw(st.sampled_from([*'",;\t\n\r #a1.-\0_', ""]))
    path = place(text[:at] + new + text[at + 1 :])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            events = events_of(path, end_times=100.0, realization="run")
    except DatasetError:
        return
    assert events.n_events == 12
