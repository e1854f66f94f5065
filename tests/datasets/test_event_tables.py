"""Tables of events in files: dates, Parquet, and which columns are meant."""

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys.datasets import read_events
from hawkeys.datasets._tables.events import EventColumns, edge_times, load_cells, pick_columns
from hawkeys.datasets._tables.files import BrokenFileError
from hawkeys.exceptions import DatasetError, InvalidEventsError

DATES = ["2024-03-01T06:00:00", "2024-03-02T12:00:00.25", "2024-03-04"]
WINDOW = {"start_times": "2024-03-01", "end_times": "2024-03-05"}


def test_dates_become_numbers_of_their_unit(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text("time,mark\n" + "".join(f"{date},a\n" for date in DATES))
    events = read_events(path, unit="h", **WINDOW)
    np.testing.assert_allclose(events.times, [6.0, 36.0 + 0.25 / 3600.0, 72.0], rtol=1e-15)
    assert events.unit == "h"
    assert events.durations.tolist() == [96.0]


def test_parquet_keeps_nanoseconds_and_labels(tmp_path):
    pytest.importorskip("pyarrow")
    start = 1_700_000_000_123_456_789
    whole = pd.DataFrame({"time": start + np.array([5, 7, 20]), "mark": ["007", "7", "007"]})
    whole.to_parquet(tmp_path / "ns.parquet")
    events = read_events(tmp_path / "ns.parquet", start_times=start, end_times=start + 30)
    assert events.times.tolist() == [5.0, 7.0, 20.0]
    assert events.mark_names == ("007", "7")
    floats = pd.DataFrame({"time": [0.1, 0.2, 1.0 / 3.0], "mark": [1, 2, 1]})
    floats.to_parquet(tmp_path / "f.parquet")
    events = read_events(tmp_path / "f.parquet", end_times=1.0)
    assert events.times.tolist() == [0.1, 0.2, 1.0 / 3.0]
    stamps = pd.DataFrame({"mark": list("aba")}, index=pd.DatetimeIndex(DATES[:1] * 3, name="time"))
    stamps.to_parquet(tmp_path / "i.parquet")
    assert read_events(tmp_path / "i.parquet", unit="h", **WINDOW).times.tolist() == [6.0] * 3
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "f.parquet").read_bytes()[:200])
    with pytest.raises(DatasetError, match=r"cut\.parquet: the Parquet file is damaged"):
        read_events(tmp_path / "cut.parquet", end_times=1.0)


def test_columns_by_their_names(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text("Run,Time_Stamp,EVENT type,x\nr1,1.5,a,1\nr1,2.5,b,2\nr2,0.5,a,3\n")
    frame = load_cells(path).rename(columns={"Time_Stamp": "timestamp"})
    chosen = pick_columns(frame)
    assert chosen == EventColumns("timestamp", "EVENT type", "Run")
    assert edge_times(frame, chosen, "last") == {"r1": 2.5, "r2": 0.5}
    assert edge_times(frame, chosen._replace(realization=None), "first") == 0.5
    assert pick_columns(frame, ignore=("Run",)).realization is None
    with pytest.raises(BrokenFileError, match="no column 'y'"):
        pick_columns(frame, EventColumns("y", None, None))


@pytest.mark.parametrize(
    ("second", "match"),
    [
        ("soon", "data row 2, column time: expected a date as in the first row"),
        ("2024-03-02T00:00:00Z", "data row 2, column time: expected a date as in the first row"),
        ("2024-13-02", "data row 2, column time: expected a date as in the first row"),
        ("5", "data row 2, column time: expected a date as in the first row"),
    ],
)
def test_dates_beside_other_things_are_refused(tmp_path, second, match):
    path = tmp_path / "e.csv"
    path.write_text(f"time,mark\n2024-03-01,a\n{second},a\n")
    with pytest.raises(DatasetError, match=match):
        read_events(path, unit="h", **WINDOW)


def test_zones_are_universal_time(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text("time,mark\n2024-03-01T06:00:00+02:00,a\n2024-03-01T05:00:00+00:00,a\n")
    window = {"start_times": "2024-03-01T00:00Z", "end_times": "2024-03-02T00:00Z"}
    assert read_events(path, unit="h", **window).times.tolist() == [4.0, 5.0]
    assert isinstance(read_events(path, unit="h", **window), hawkeys.Events)


@pytest.mark.parametrize(
    "name", ["realization", "Realisation", "run", "Run ID", "trial", "trial_id"]
)
@pytest.mark.parametrize("mark", ["mark", "Event_Type", "key", "source", "neuron"])
@pytest.mark.parametrize("time", ["time", "Time Stamp", "dates", "t"])
def test_a_file_and_a_frame_are_read_by_the_same_names(tmp_path, time, mark, name):
    path = tmp_path / "e.csv"
    path.write_text(f"{time},{mark},{name}\n0.5,a,x\n1.5,b,x\n0.25,a,y\n")
    chosen = pick_columns(load_cells(path))
    assert chosen == EventColumns(time, mark, name)
    windows = {"end_times": 2.0}
    of_file = read_events(path, time=time, mark=mark, realization=name, **windows)
    of_frame = hawkeys.Events.from_data(pd.read_csv(path), **windows)
    assert of_frame.n_realizations == 2
    for one, other in (
        (of_file.times, of_frame.times),
        (of_file.marks, of_frame.marks),
        (of_file.offsets, of_frame.offsets),
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["session", "subject", "day", "segment"])
def test_what_only_the_caller_can_know_is_asked_of_both(tmp_path, name):
    path = tmp_path / "e.csv"
    path.write_text(f"time,mark,{name}\n0.5,a,1\n1.5,b,1\n1.75,a,2\n")
    with pytest.raises(DatasetError, match=rf"the column '{name}' would not be read"):
        read_events(path, end_times=2.0)
    with pytest.raises(InvalidEventsError, match=f"does the column '{name}' tell realisations"):
        hawkeys.Events.from_data(pd.read_csv(path), end_times=2.0)
