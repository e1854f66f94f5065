"""Reading is linear in the number of events, and needs little memory beside the result.

benchmarks/reading_speed.py measures 10^7 events against what users wrote before.
"""

import gc
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hawkeys import Events

ROOT = Path(__file__).parents[2]
WINDOW = {"unit": "s", "start_time": "2024-01-01", "end_time": "2025-01-01"}


def frame_of(n, kind="str"):
    rng = np.random.default_rng(0)
    steps = np.sort(rng.integers(0, 366 * 86_400 * 10**9, n)).astype("m8[ns]")
    names = np.array([f"sensor-{k}" for k in range(8)], dtype=object)[rng.integers(0, 8, n)]
    table = {
        "time": np.datetime64("2024-01-01", "ns") + steps,
        "mark": pd.Series(names, dtype=kind),
    }
    return pd.DataFrame(table)


def taken(frame):
    """Processor time of the quickest of three readings."""
    times = []
    for _ in range(3):
        begun = time.process_time()
        Events.from_data(frame, **WINDOW)
        times.append(time.process_time() - begun)
    return min(times)


@pytest.mark.parametrize("kind", ["str", "object", "category"])
def test_time_is_linear(kind):
    """Sixteen times as many events; a quadratic step would take 256 times as long."""
    small, large = taken(frame_of(25_000, kind)), taken(frame_of(400_000, kind))
    assert large < 64 * max(small, 1e-3)


@pytest.mark.parametrize("kind", ["str", "object", "category"])
def test_memory_is_at_most_twice_that_of_the_result(kind):
    frame = frame_of(400_000, kind)
    Events.from_data(frame[:100], **WINDOW)  # imports
    gc.collect()
    tracemalloc.start()
    events = Events.from_data(frame, **WINDOW)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    result = events.times.nbytes + events.marks.nbytes
    assert result == 400_000 * 16
    assert peak <= 2 * result


def test_what_is_read_is_what_was_there():
    frame = frame_of(70_000)
    events = Events.from_data(frame, **WINDOW)
    assert events.mark_names == tuple(sorted(set(frame["mark"])))
    assert (np.array(events.mark_names)[events.marks] == frame["mark"]).all()
    seconds = (frame["time"] - pd.Timestamp("2024-01-01")).dt.total_seconds()
    np.testing.assert_allclose(events.times, seconds, rtol=1e-15)


def test_the_saved_table_says_what_is_claimed():
    """At most 1/5 of the time of what users had to write before, twice the memory of the result."""
    table = pd.read_csv(ROOT / "benchmarks" / "results" / "reading_speed.csv")
    assert set(table["rows"]) == {10_000_000}
    now = table[table["way"] == "Events.from_data"]
    assert set(now["frame"]) == {"pandas, str", "pandas, objects", "polars", "pyarrow"}
    assert (now["peak_over_result"] <= 2.0).all()
    before = table[table["way"] == "seconds, then from_frame"]
    assert len(before) == len(now)
    assert (before["times_as_long"] >= 5.0).all()
