"""Sets of event sequences as EasyTPP and HoTPP keep them, and what is odd in them."""

import json

import numpy as np
import pytest

import hawkeys
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.interop import events_from_easytpp, events_from_hotpp

RECORDS = [
    {
        "dim_process": 3, "seq_len": 3, "seq_idx": 0,
        "time_since_start": [0.0, 0.5, 2.0], "time_since_last_event": [0.0, 0.5, 1.5],
        "type_event": [2, 0, 0],
    },
    {
        "dim_process": 3, "seq_len": 2, "seq_idx": 1,
        "time_since_start": [1, 1], "time_since_last_event": [1, 0], "type_event": [0, 1],
    },
]  # fmt: skip


def written(path, records=RECORDS, *, lines=False):
    text = "\n".join(json.dumps(r) for r in records) if lines else json.dumps(records)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("lines", [False, True])
def test_easytpp(tmp_path, lines):
    events = events_from_easytpp(written(tmp_path / "dev.json", lines=lines), end_time=3.0)
    assert events.to_lists()[0][0].tolist() == [0.5, 2.0]
    assert [len(marks) for marks in events.to_lists()[0]] == [2, 0, 1]
    assert events.to_lists()[1][1].tolist() == [1.0]
    np.testing.assert_array_equal(events.end_times, [3.0, 3.0])
    assert (events.n_marks, events.n_realizations) == (3, 2)  # type 2 of 3 may have no event


def test_windows_that_end_with_the_last_event_must_be_asked_for(tmp_path):
    path = written(tmp_path / "train.json")
    with pytest.raises(TypeError, match="end_time"):
        events_from_easytpp(path)
    events = events_from_easytpp(path, end_time="last")
    np.testing.assert_array_equal(events.end_times, [2.0, 1.0])
    both = events_from_easytpp(written(tmp_path / "one.json", RECORDS[:1]), start_time="first",
                               end_time=[4.0])  # fmt: skip
    np.testing.assert_array_equal([both.start_times, both.end_times], [[0.0], [4.0]])
    with pytest.raises(InvalidParameterError, match="end_time must be a number, one each, or"):
        events_from_easytpp(path, end_time="end")
    with pytest.raises(InvalidEventsError, match="window"):  # both events are at one time
        events_from_easytpp(path, start_time="first", end_time="last")


def changed(**fields):
    return [RECORDS[0], {**RECORDS[1], **fields}]


BROKEN = {
    "no dim_process": ([{k: v for k, v in r.items() if k != "dim_process"} for r in RECORDS],
                       r"dim_process must be the number of types in every record; got None"),
    "another dim_process": (changed(dim_process=4), "record 1: dim_process is 4, but 3"),
    "a type too large": (changed(type_event=[0, 3]), r"types .* from 0 to 2; .*\[1\] is 3"),
    "a negative type": (changed(type_event=[-1, 0]), r"record 1: types"),
    "half a type": (changed(type_event=[0.5, 0]), r"record 1: types"),
    "a word": (changed(type_event=["a", "b"]), "record 1: types must be a list of numbers"),
    "lengths": (changed(type_event=[0]), "record 1: 2 times and 1 types"),
    "padding": (changed(seq_len=1), "record 1: seq_len is 1, but there are 2 times"),
    "no list": (changed(time_since_start=3.0), "record 1: time_since_start must be a list"),
    "nested": (changed(time_since_start=[[1.0], [2.0]]), "times must be a list of numbers"),
    "no number": (changed(time_since_start=[1.0, float("nan")]), r"record 1: times\[1\] is nan"),
    "unsorted": (changed(time_since_start=[2.0, 1.0]), "realization 1"),
    "before the window": (changed(time_since_start=[-2.0, 1.0]), "realization 1"),
    "after it": (changed(time_since_start=[2.0, 9.0]), "realization 1"),
    "no times": ([{"dim_process": 3}], "record 0: a sequence has the lists"),
    "a number": ([3], "record 0: a sequence has the lists"),
    "nothing": ([], "holds no sequence"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_easytpp(tmp_path, fault):
    records, message = BROKEN[fault]
    with pytest.raises(InvalidEventsError, match=message):
        events_from_easytpp(written(tmp_path / "train.json", records), end_time=3.0)


def test_files_that_are_none(tmp_path):
    with pytest.raises(InvalidEventsError, match="cannot be read"):
        events_from_easytpp(tmp_path / "train.json", end_time=3.0)
    path = written(tmp_path / "train.json")
    path.write_text(path.read_text()[:-20])
    with pytest.raises(InvalidEventsError, match="no JSON array of records"):
        events_from_easytpp(path, end_time=3.0)
    path.write_text(json.dumps({"dim_process": 3, "event_seqs": [{"0": {}}]}))
    with pytest.raises(InvalidEventsError, match=r"line 1: a sequence has the lists .*event_seqs"):
        events_from_easytpp(path, end_time=3.0)
    path.write_bytes(b"\x80\x04\x95\xff")  # a pickle
    with pytest.raises(InvalidEventsError, match="cannot be read"):
        events_from_easytpp(path, end_time=3.0)


def test_a_number_of_marks_that_is_given(tmp_path):
    path = written(tmp_path / "train.json", BROKEN["no dim_process"][0])
    assert events_from_easytpp(path, end_time=3.0, n_marks=5).n_marks == 5
    with pytest.raises(InvalidParameterError, match="n_marks"):
        events_from_easytpp(path, end_time=3.0, n_marks=0)


pa = pytest.importorskip("pyarrow", reason="Parquet files take pyarrow (extra [parquet])")
parquet = pytest.importorskip("pyarrow.parquet")
ROWS = {"id": ["u1", "u2"], "timestamps": [[0.0, 0.5, 2.0], [1.0, 1.0]],
        "labels": [[2, 0, 0], [0, 1]], "amount": [[1.0, 2.0, 3.0], [0.0, 0.0]]}  # fmt: skip


def table(path, rows=ROWS, **types):
    path.parent.mkdir(exist_ok=True)
    arrays = {name: pa.array(values, types.get(name)) for name, values in rows.items()}
    parquet.write_table(pa.table(arrays), path)
    return path


def assert_same(events, expected):
    for name in ("times", "marks", "offsets", "start_times", "end_times"):
        np.testing.assert_array_equal(getattr(events, name), getattr(expected, name))
    assert events.mark_names == expected.mark_names


@pytest.mark.parametrize("kind", [None, pa.list_(pa.float32()), pa.large_list(pa.float64())])
def test_hotpp_holds_the_same(tmp_path, kind):
    path = table(tmp_path / "test.parquet", timestamps=kind, labels=pa.list_(pa.int16()))
    expected = events_from_easytpp(written(tmp_path / "t.json"), end_time=3.0)
    assert_same(events_from_hotpp(path, end_time=3.0), expected)
    last = events_from_hotpp(path, end_time="last")
    np.testing.assert_array_equal(last.end_times, [2.0, 1.0])


def test_folders_of_spark(tmp_path):
    folder = tmp_path / "train.parquet"
    for k in range(2):
        rows = {name: values[k : k + 1] for name, values in ROWS.items()}
        table(folder / f"part-{k:05d}-x.snappy.parquet", rows)
    (folder / "_SUCCESS").touch()
    (folder / "._part.parquet").write_bytes(b"not Parquet")
    assert_same(events_from_hotpp(folder, end_time=3.0),
                events_from_hotpp(table(tmp_path / "one.parquet"), end_time=3.0))  # fmt: skip
    parts = (
        events_from_hotpp(file, end_time=3.0, n_marks=3) for file in sorted(folder.glob("part*"))
    )
    data = hawkeys.open_events(hawkeys.write_events(parts, tmp_path / "events"))
    assert (data.n_realizations, data.n_partitions, data.n_events) == (2, 2, 5)


def test_other_columns(tmp_path):
    rows = {"user": [1], "t": [[1.0, 2.0]], "kind": [[0, 1]]}
    path = table(tmp_path / "a.parquet", rows)
    assert events_from_hotpp(path, end_time=3.0, names=("user", "t", "kind")).n_events == 2
    with pytest.raises(InvalidEventsError, match=r"a\.parquet: there is no column 'id'.*names="):
        events_from_hotpp(path, end_time=3.0)


WRONG_ROWS = {
    "flat times": ({"id": [1], "timestamps": [1.0], "labels": [[0]]}, "must hold lists; got doub"),
    "a null": ({"id": [1, 2], "timestamps": [[1.0], None], "labels": [[0], [0]]}, "row 1: 'timest"),
    "a null inside": ({"id": [1], "timestamps": [[1.0]], "labels": [[None]]}, "row 0: 'labels' is"),
    "lengths": ({"id": [1], "timestamps": [[1.0]], "labels": [[0, 1]]}, "row 0: 1 times and 2"),
    "words": ({"id": [1], "timestamps": [[1.0]], "labels": [["a"]]}, "row 0: types must be a list"),
    "no number": ({"id": [1], "timestamps": [[np.inf]], "labels": [[0]]}, r"times\[0\] is inf"),
    "unsorted": ({"id": [1], "timestamps": [[2.0, 1.0]], "labels": [[0, 0]]}, "realization 0"),
    "twice": ({"id": [1, 1], "timestamps": [[1.0], [2.0]], "labels": [[0], [0]]},
              r"row 1: id 1 stands in .*row 0 already"),
}  # fmt: skip


@pytest.mark.parametrize("fault", WRONG_ROWS)
def test_broken_hotpp(tmp_path, fault):
    rows, message = WRONG_ROWS[fault]
    with pytest.raises(InvalidEventsError, match=message):
        events_from_hotpp(table(tmp_path / "a.parquet", rows), end_time=3.0)


def test_no_hotpp_at_all(tmp_path):
    with pytest.raises(InvalidEventsError, match="no Parquet file, nor a folder"):
        events_from_hotpp(tmp_path, end_time=3.0)
    path = table(tmp_path / "a.parquet")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InvalidEventsError, match=r"a\.parquet cannot be read"):
        events_from_hotpp(path, end_time=3.0)
    empty = {name: values[:0] for name, values in ROWS.items()}
    lists = {"timestamps": pa.list_(pa.float64()), "labels": pa.list_(pa.int64())}
    with pytest.raises(InvalidEventsError, match="holds no sequence"):
        events_from_hotpp(table(tmp_path / "b.parquet", empty, **lists), end_time=3.0)


def test_sequences_without_events(tmp_path):
    rows = {"id": [1, 2], "timestamps": [[1.0], []], "labels": [[0], []]}
    path = table(tmp_path / "a.parquet", rows)
    assert events_from_hotpp(path, end_time=3.0).counts.tolist() == [[1], [0]]
    with pytest.raises(InvalidEventsError, match="row 1: there is no event, and so no last one"):
        events_from_hotpp(path, end_time="last")


def test_without_pyarrow(tmp_path, monkeypatch):
    path = table(tmp_path / "a.parquet")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(hawkeys.exceptions.MissingExtraError, match=r"hawkeys\[parquet\]"):
        events_from_hotpp(path, end_time=3.0)
