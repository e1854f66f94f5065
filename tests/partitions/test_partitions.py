"""Events on disk: what is read is what was written, and damage is named."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import hawkeys
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError, OutputError

PROCESS = hawkeys.Hawkes(
    [0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0, mark_names=["buy", "sell"]
)
FIELDS = ("times", "marks", "offsets", "start_times", "end_times")


def sample(n=20, end=40.0, rng=0):
    return hawkeys.simulate(PROCESS, end_time=end, n_realizations=n, rng=rng)


def assert_same(found, expected):
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    assert found.mark_names == expected.mark_names
    assert found.origins == expected.origins
    assert found.clock == expected.clock


@pytest.fixture
def folder(tmp_path):
    return hawkeys.write_events(sample(), tmp_path / "events", events_per_partition=100)


@pytest.mark.parametrize("most", [1, 7, 100, 10**6])
def test_what_is_read_is_what_was_written(tmp_path, most):
    events = sample()
    data = hawkeys.open_events(
        hawkeys.write_events(events, tmp_path / "events", events_per_partition=most)
    )
    assert_same(data.read(), events)
    assert data.n_events == events.n_events
    assert data.n_realizations == 20
    assert data.mark_names == ("buy", "sell")
    np.testing.assert_array_equal(data.sizes, np.diff(events.offsets))
    np.testing.assert_array_equal(data.durations, events.durations)
    sizes = [part.n_events for part in data]
    assert len(sizes) == len(data) == data.n_partitions
    whole = np.diff(events.offsets).max()
    assert max(sizes) <= max(most, whole)
    assert data.n_partitions == 1 or most < events.n_events


def test_more_row_groups_than_a_file_holds(tmp_path):
    events = sample(n=150, end=20.0)
    path = hawkeys.write_events(events, tmp_path / "events", events_per_partition=1)
    assert len(list(path.glob("events-*.parquet"))) == 3
    assert_same(hawkeys.open_events(path).read(), events)


def test_parts_one_after_the_other(tmp_path):
    parts = [sample(n=3, rng=k) for k in range(4)]
    path = hawkeys.write_events(iter(parts), tmp_path / "events")
    data = hawkeys.open_events(path)
    assert data.n_partitions == 4
    for found, expected in zip(data, parts, strict=True):
        assert_same(found, expected)
    assert_same(data.partition(-1), parts[-1])


@pytest.mark.parametrize(
    "lists",
    [[[[], []], [[], []]], [[[], []], [[1.0], []], [[], []]], [[[1.0, 1.0], [1.0]], [[], [2.0]]]],
    ids=["no event", "one event", "ties"],
)
def test_empty_realisations_keep_their_windows(tmp_path, lists):
    events = hawkeys.Events.from_lists(lists, start_times=-1.0, end_times=3.0)
    for most in (1, 100):
        path = hawkeys.write_events(events, tmp_path / str(most), events_per_partition=most)
        assert_same(hawkeys.open_events(path).read(), events)


def test_exact_origins_and_clocks(tmp_path):
    start = 1_700_000_000_000_000_000
    events = hawkeys.Events.from_lists(
        [[[start + 5, start + 7]], [[start + 9]]], start_times=start, end_times=start + 60
    )
    read = hawkeys.open_events(
        hawkeys.write_events(events, tmp_path / "ns", events_per_partition=1)
    )
    assert_same(read.read(), events)
    assert read.partition(1).origins == (start,)
    dates = hawkeys.Events.from_data(
        np.array(["2024-01-01T06", "2024-01-02"], "datetime64[ns]"),
        unit="h",
        start_time="2024-01-01",
        end_time="2024-01-03",
    )
    assert_same(hawkeys.open_events(hawkeys.write_events(dates, tmp_path / "dates")).read(), dates)


def test_nothing_is_read_before_it_is_asked_for(folder):
    for file in folder.glob("events-*.parquet"):
        file.write_bytes(b"no parquet")
    data = hawkeys.open_events(folder)
    assert data.n_events == sample().n_events
    with pytest.raises(InvalidEventsError, match="row group 0: cannot be read"):
        data.partition(0)


def test_nothing_is_written_over_and_nothing_is_left(folder, tmp_path):
    with pytest.raises(OutputError, match="is there already"):
        hawkeys.write_events(sample(), folder)

    def parts():
        yield sample()
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        hawkeys.write_events(parts(), tmp_path / "half")
    assert [file.name for file in tmp_path.iterdir()] == ["events"]
    with pytest.raises(OutputError, match="cannot write"):
        hawkeys.write_events(sample(), folder / "windows.parquet" / "below")


def test_what_is_no_events(tmp_path):
    other = hawkeys.Events.from_lists([[[1.0], []]], end_times=2.0)
    with pytest.raises(InvalidEventsError, match="expected Events or an iterable"):
        hawkeys.write_events(3, tmp_path / "a")
    with pytest.raises(InvalidEventsError, match="part 1: expected Events"):
        hawkeys.write_events([sample(), [1.0]], tmp_path / "a")
    with pytest.raises(InvalidEventsError, match="part 1 has mark_names"):
        hawkeys.write_events([sample(), other], tmp_path / "a")
    with pytest.raises(InvalidEventsError, match="no realisation"):
        hawkeys.write_events([], tmp_path / "a")
    with pytest.raises(InvalidParameterError, match="events_per_partition"):
        hawkeys.write_events(sample(), tmp_path / "a", events_per_partition=0)
    assert not list(tmp_path.iterdir())


def test_what_is_no_folder_of_events(tmp_path, folder):
    with pytest.raises(InvalidEventsError, match=r"holds no windows\.parquet"):
        hawkeys.open_events(tmp_path)
    with pytest.raises(InvalidParameterError, match=r"partition must lie in 0\.\."):
        hawkeys.open_events(folder).partition(99)
    next(iter(sorted(folder.glob("events-*")))).unlink()
    with pytest.raises(InvalidEventsError, match=r"lacks 1 of 1 files of events, events-00000"):
        hawkeys.open_events(folder)


def changed(folder, name, change):
    """Write a table of the folder anew, changed."""
    table = parquet.read_table(folder / name)
    parquet.write_table(change(table), folder / name)


def with_column(name, values, kind=None):
    def change(table):
        place = table.schema.get_field_index(name)
        old = table.column(name)
        new = pa.array(values(old.to_pylist()), kind or old.type)
        return table.set_column(place, name, new)

    return change


WINDOW_FAULTS = {
    "another type": (with_column("start", lambda x: [str(v) for v in x], pa.string()),
                     "column 'start' must be of type double; got string"),
    "null": (with_column("end", lambda x: [None, *x[1:]]), "column 'end' has 1 nulls"),
    "numbers": (with_column("realization", lambda x: [x[0], *x[:-1]]), "row 1 has 0"),
    "window": (with_column("end", lambda x: [-1.0, *x[1:]]), "realization 0: the window must end"),
    "infinite": (with_column("end", lambda x: [np.inf, *x[1:]]), "realization 0: the window must"),
    "negative": (with_column("n_events", lambda x: [-1, *x[1:]]), "and -1 events"),
    "file": (with_column("file", lambda x: [9, *x[1:]]), "got file 9, row group 0"),
    "order": (with_column("row_group", lambda x: [*x[:-1], 0]), "realization 19: files"),
    "column": (lambda table: table.drop_columns(["n_events"]), "no column 'n_events'"),
    "no rows": (lambda table: table.slice(0, 0), "there is no realisation"),
    "metadata": (lambda table: table.replace_schema_metadata({}), "its metadata lack the marks"),
    "names": (lambda table: table.replace_schema_metadata(
        {"hawkeys": json.dumps({"format": "hawkeys-events/1", "mark_names": ["a", "a"],
                                "n_files": 1, "clock": None})}), "mark names or number of files"),
    "version": (lambda table: table.replace_schema_metadata(
        {"hawkeys": json.dumps({"format": "hawkeys-events/9", "mark_names": ["a"],
                                "n_files": 1, "clock": None})}),
        "its layout is 'hawkeys-events/9'"),
    "unit": (lambda table: table.replace_schema_metadata(
        {"hawkeys": json.dumps({"format": "hawkeys-events/1", "mark_names": ["a"], "n_files": 1,
                                "clock": {"unit": "ells", "origin": None, "zone": None}})}),
        "unit must be one of"),
}  # fmt: skip


@pytest.mark.parametrize("fault", WINDOW_FAULTS)
def test_a_damaged_table_of_windows(folder, fault):
    change, message = WINDOW_FAULTS[fault]
    changed(folder, "windows.parquet", change)
    with pytest.raises(InvalidEventsError, match=message) as told:
        hawkeys.open_events(folder)
    assert "windows.parquet" in str(told.value)


def shuffled(name, order):
    return with_column(name, lambda x: [x[k] for k in order(len(x))])


EVENT_FAULTS = {
    "another type": (with_column("time", lambda x: [int(v) for v in x], pa.int64()),
                     "column 'time' must be of type double; got int64"),
    "null": (with_column("mark", lambda x: [None, *x[1:]]), "column 'mark' has 1 nulls"),
    "NaN": (with_column("time", lambda x: [np.nan, *x[1:]]), "realization 0: times must be finite"),
    "unsorted": (shuffled("time", lambda n: [1, 0, *range(2, n)]), "times must not decrease"),
    "outside": (with_column("time", lambda x: [-5.0, *x[1:]]), "lies outside the window"),
    "mark": (with_column("mark", lambda x: [7, *x[1:]]), r"marks must lie in 0\.\.1; marks\[0\]=7"),
    "other realisation": (with_column("realization", lambda x: [3, *x[1:]]),
                          "event 0 should be of realization 0; got 3"),
    "fewer": (lambda table: table.slice(1), "tells of .* events; got"),
}  # fmt: skip


@pytest.mark.parametrize("fault", EVENT_FAULTS)
def test_damaged_events(tmp_path, fault):
    folder = hawkeys.write_events(sample(), tmp_path / "events")
    change, message = EVENT_FAULTS[fault]
    changed(folder, "events-00000.parquet", change)
    with pytest.raises(InvalidEventsError, match=message) as told:
        hawkeys.open_events(folder).partition(0)
    assert "events-00000.parquet, row group 0" in str(told.value)


@pytest.mark.parametrize("name", ["windows.parquet", "events-00000.parquet"])
@pytest.mark.parametrize("keep", [0, 3, 0.5, 0.99])
def test_truncated_files(folder, name, keep):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(keep if keep > 1 else keep * len(content))])
    with pytest.raises(InvalidEventsError, match=f"{name}.*(damaged|cannot be read)"):
        hawkeys.open_events(folder).read()


@pytest.mark.parametrize("name", ["windows.parquet", "events-00000.parquet"])
def test_damaged_footers_are_told_or_do_no_harm(folder, name):
    """Never another kind of error, and never other events."""
    content, rng, told = (folder / name).read_bytes(), np.random.default_rng(0), []
    whole = hawkeys.open_events(folder).read()
    begin = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    for _ in range(100):
        damaged = bytearray(content)
        for _ in range(3):
            damaged[rng.integers(begin, len(content) - 8)] = rng.integers(256)
        (folder / name).write_bytes(bytes(damaged))
        try:
            found = hawkeys.open_events(folder).read()
        except InvalidEventsError as error:
            told.append(str(error))
            continue
        np.testing.assert_array_equal(found.times, whole.times)
        np.testing.assert_array_equal(found.marks, whole.marks)
    assert len(told) > 20
    assert all(".parquet" in message for message in told)


def test_files_of_two_folders(folder, tmp_path):
    other = hawkeys.write_events(sample(rng=5), tmp_path / "other", events_per_partition=100)
    shutil.copy(other / "events-00000.parquet", folder)
    with pytest.raises(InvalidEventsError, match=r"events; got|should be of realization"):
        hawkeys.open_events(folder).read()
    short = hawkeys.write_events(sample(n=1), tmp_path / "short")
    shutil.copy(short / "events-00000.parquet", folder)
    with pytest.raises(InvalidEventsError, match="the file has 1 row groups"):
        hawkeys.open_events(folder).partition(3)


def test_without_pyarrow(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(hawkeys.exceptions.MissingExtraError, match=r"hawkeys\[parquet\]"):
        hawkeys.open_events("anywhere")


def windows_of(counts, places, names=("buy", "sell")):
    """A table of windows of realisations of so many events, at these files and row groups."""
    size = len(counts)
    columns = {
        "realization": pa.array(range(size), pa.int64()),
        "start": pa.array([0.0] * size, pa.float64()),
        "end": pa.array([40.0] * size, pa.float64()),
        "n_events": pa.array(counts, pa.int64()),
        "file": pa.array([file for file, _ in places], pa.int32()),
        "row_group": pa.array([group for _, group in places], pa.int32()),
    }
    n_files = max(file for file, _ in places) + 1
    record = {"format": "hawkeys-events/1", "mark_names": names, "n_files": n_files, "clock": None}
    return pa.table(columns).replace_schema_metadata({"hawkeys": json.dumps(record)})


def write_groups(path, groups):
    """Write a file of events by another program: a row group for each list of realisations."""
    kinds = {"realization": pa.int64(), "time": pa.float64(), "mark": pa.int32()}
    with parquet.ParquetWriter(path, pa.schema(kinds)) as writer:
        for numbers in groups:
            values = numbers, np.linspace(1.0, 9.0, len(numbers)), [0] * len(numbers)
            arrays = [pa.array(v, k) for v, k in zip(values, kinds.values(), strict=True)]
            writer.write_table(pa.table(arrays, list(kinds)), row_group_size=max(len(numbers), 1))


# realisations of the events of each row group of each file, windows' counts and places, and the
# message: of another program, which cuts where it likes
OVERLAPS = {
    "in two files": (
        [[[0, 0, 1, 1]], [[1, 1, 2]]], [2, 4, 1], [(0, 0), (0, 0), (1, 0)],
        r"events-00000\.parquet, row group 0: windows\.parquet tells of 6 events; got 4",
    ),
    "in two files, counted in the second": (
        [[[0, 0, 1, 1]], [[1, 1, 2]]], [2, 2, 3], [(0, 0), (0, 0), (1, 0)],
        r"events-00001\.parquet, row group 0: event 0 should be of realization 2; got 1",
    ),
    "in two row groups apart": (
        [[[0, 0], [1, 1], [0]]], [2, 2, 1], [(0, 0), (0, 1), (0, 2)],
        r"events-00000\.parquet, row group 2: event 0 should be of realization 2; got 0",
    ),
    "again later in its row group": (
        [[[0, 1, 0]]], [2, 1], [(0, 0), (0, 0)],
        r"events-00000\.parquet, row group 0: event 1 should be of realization 0; got 1",
    ),
    "files in another order": (
        [[[1, 1]], [[0, 0]]], [2, 2], [(0, 0), (1, 0)],
        r"events-00000\.parquet, row group 0: event 0 should be of realization 0; got 1",
    ),
    "one window too few": (
        [[[0, 0, 1, 1]]], [2], [(0, 0)],
        r"events-00000\.parquet, row group 0: windows\.parquet tells of 2 events; got 4",
    ),
    "one window too many": (
        [[[0, 0, 1, 1]]], [2, 2, 1], [(0, 0)] * 3,
        r"events-00000\.parquet, row group 0: windows\.parquet tells of 5 events; got 4",
    ),
    "a row group that no window names": (
        [[[0, 0], [1, 1]]], [2], [(0, 0)],
        r"events-00000\.parquet, row group 1: windows\.parquet does not name it, .* 2 events",
    ),
    "a row group between": (
        [[[0, 0], [5], [1, 1]]], [2, 2], [(0, 0), (0, 2)],
        r"events-00000\.parquet, row group 1: windows\.parquet does not name it, .* 1 events",
    ),
    "a file that no window names": (
        [[[0, 0]], [[1, 1]]], [2], [(0, 0)],
        r"1 files of events that windows\.parquet does not name, events-00001\.parquet",
    ),
}  # fmt: skip


def _named(place):
    return f"events-{place[0]:05d}\\.parquet, row group {place[1]}:"


@pytest.mark.parametrize("fault", OVERLAPS)
def test_realisations_that_overlap(tmp_path, fault):
    files, counts, places, message = OVERLAPS[fault]
    folder, output = tmp_path / "events", tmp_path / "fits"
    folder.mkdir()
    for k, groups in enumerate(files):
        write_groups(folder / f"events-{k:05d}.parquet", groups)
    parquet.write_table(windows_of(counts, places), folder / "windows.parquet")
    before = sorted(file.name for file in folder.iterdir())
    with pytest.raises(InvalidEventsError, match=message):
        hawkeys.fit(hawkeys.open_events(folder), decay=2.0)
    with pytest.raises(InvalidEventsError, match=message):
        hawkeys.inference.fit_each_on_disk(hawkeys.open_events(folder), output, decay=2.0)
    assert sorted(file.name for file in folder.iterdir()) == before
    place = next((k for k, place in enumerate(sorted(set(places))) if _named(place) in message), 0)
    assert len(list(output.glob("part-*"))) == place  # those before it, which are whole
    assert not list(output.glob(".*"))


def test_empty_row_groups_do_no_harm(tmp_path):
    """As other programs write them, which no window needs to name."""
    write_groups(tmp_path / "events-00000.parquet", [[0, 0], [], [1, 1]])
    parquet.write_table(windows_of([2, 2], [(0, 0), (0, 2)]), tmp_path / "windows.parquet")
    assert hawkeys.open_events(tmp_path).read().n_events == 4
