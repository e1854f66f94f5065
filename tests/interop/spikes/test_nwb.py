"""Units of NWB: `Recorded` has what pynwb's table had; with pynwb the tests run on a file.

Where pynwb is not installed its half skips; all of it passed with pynwb 4.2.0.
"""

import datetime as dt
import itertools

import numpy as np
import pytest

import hawkeys
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.interop import events_from_nwb, windows_from_nwb

TWO = [[0.0, 3.0], [4.0, 6.0]]


class Recorded:
    """Columns as the file has them: values of all units in a row, and where those of each end."""

    def __init__(self, units):
        columns = {name: [unit[name] for unit in units if name in unit]
                   for name in ("spike_times", "obs_intervals")}  # fmt: skip
        self.colnames = tuple(name for name, parts in columns.items() if parts)
        self.id = np.array([unit.get("id", k) for k, unit in enumerate(units)], dtype=np.int64)
        self.ends = {name: np.cumsum([len(p) for p in parts]) for name, parts in columns.items()}
        self.flat = {
            name: np.concatenate([np.reshape(p, (-1, 2) if "obs" in name else -1) for p in parts])
            for name, parts in columns.items() if parts
        }  # fmt: skip

    def _row(self, name, row):
        first = 0 if row == 0 else self.ends[name][row - 1]
        return self.flat[name][first : self.ends[name][row]]

    def get_unit_spike_times(self, row):
        return self._row("spike_times", row)

    def get_unit_obs_intervals(self, row):
        return self._row("obs_intervals", row)


def written(pynwb, path, units):
    """Return the table of units as read from a file."""
    start = dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc)
    file = pynwb.NWBFile("a session", "1", start)
    for unit in units:
        file.add_unit(**{name: np.asarray(value) if name != "id" else value
                         for name, value in unit.items()})  # fmt: skip
    with pynwb.NWBHDF5IO(path, "w") as io:
        io.write(file)
    return pynwb.NWBHDF5IO(path, "r").read().units


@pytest.fixture(params=["recorded", "pynwb"])
def table(request, tmp_path):
    if request.param == "recorded":
        return Recorded
    pynwb = pytest.importorskip("pynwb", reason="pynwb is not installed")
    number = itertools.count()  # files stay open
    return lambda units: written(pynwb, tmp_path / f"{next(number)}.nwb", units)


def test_intervals_of_observation_are_realisations(table):
    units = table([
        {"spike_times": [5.0, 1.0, 3.0], "obs_intervals": TWO, "id": 20},
        {"spike_times": [0.5], "obs_intervals": TWO, "id": 11},
    ])  # fmt: skip
    events = events_from_nwb(units)
    assert (events.mark_names, events.unit) == (("20", "11"), "s")
    np.testing.assert_array_equal([events.start_times, events.end_times], np.transpose(TWO))
    assert [[t.tolist() for t in part] for part in events.to_lists()] == [
        [[1.0, 3.0], [0.5]], [[5.0], []]
    ]  # fmt: skip
    # 4 spikes in 5 s of two units, though the first and the last are 4.5 s apart
    assert events.n_events / events.durations.sum() == pytest.approx(0.8)
    picked = events_from_nwb(units, ids=[11])
    assert (picked.mark_names, picked.n_events) == (("11",), 1)


def test_a_window_that_is_not_known_is_asked_for(table):
    units = table([{"spike_times": [1.0, 2.0]}, {"spike_times": [5.0]}])
    with pytest.raises(InvalidEventsError, match=r"no obs_intervals of any unit.*Give intervals="):
        events_from_nwb(units)
    events = events_from_nwb(units, intervals=[[0.0, 6.0]])
    assert (events.n_events, events.end_times.tolist()) == (3, [6.0])


def test_units_that_were_not_observed_together(table):
    units = table([
        {"spike_times": [1.0, 5.0], "obs_intervals": TWO},
        {"spike_times": [2.5], "obs_intervals": [[0.0, 3.0]]},
    ])  # fmt: skip
    with pytest.raises(InvalidEventsError, match=r"of unit 1 are not those of unit 0.*ids="):
        events_from_nwb(units)
    with pytest.raises(InvalidEventsError, match=r"unit 0: 1 of 2 spikes .* first at 5 s"):
        events_from_nwb(units, intervals=[0.0, 3.0])
    events = events_from_nwb(units, intervals=[0.0, 3.0], drop_outside=True)
    np.testing.assert_array_equal(events.counts, [[1, 1]])
    with pytest.raises(InvalidParameterError, match=r"unit 0 was not observed .* from 1 to 5 s"):
        events_from_nwb(units, intervals=[1.0, 5.0], ids=[0])
    with pytest.raises(InvalidParameterError, match=r"unit 1 was not observed .* from 4 to 6 s"):
        events_from_nwb(units, intervals=TWO)


def test_spikes_that_were_stored_outside_are_named(table):
    units = table([{"spike_times": [0.5, 9.0], "obs_intervals": TWO}])
    with pytest.raises(InvalidEventsError, match=r"unit 0: 1 of 2 spikes lie outside .* at 9 s"):
        events_from_nwb(units)
    assert events_from_nwb(units, drop_outside=True).times.tolist() == [0.5]


def test_silent_units_and_common_ends(table):
    units = table([
        {"spike_times": [3.0, 3.0, 3.5], "obs_intervals": [[0.0, 3.0], [3.0, 6.0]]},
        {"spike_times": [], "obs_intervals": [[0.0, 3.0], [3.0, 6.0]]},
    ])  # fmt: skip
    np.testing.assert_array_equal(events_from_nwb(units).counts, [[2, 0], [1, 0]])


def test_ids(table):
    units = table([{"spike_times": [1.0], "obs_intervals": TWO}])
    for ids, match in (
        ([3], "no unit has the id 3; there are 0"),
        ([0, 0], "ids has 0 twice"),
        ([], "ids is empty"),
        ([0.5], "ids must be whole numbers"),
    ):
        with pytest.raises(InvalidParameterError, match=match):
            events_from_nwb(units, ids=ids)


def test_odd_tables():
    """Which pynwb would not write."""
    twice = Recorded([{"spike_times": [1.0], "obs_intervals": TWO, "id": 4}] * 2)
    with pytest.raises(InvalidParameterError, match="more than one unit has the id 4"):
        events_from_nwb(twice)
    unknown = Recorded([{"spike_times": [1.0], "obs_intervals": TWO},
                        {"spike_times": [1.0], "obs_intervals": []}])  # fmt: skip
    with pytest.raises(InvalidEventsError, match="no obs_intervals of unit 1"):
        events_from_nwb(unknown)
    assert events_from_nwb(unknown, intervals=[0.0, 3.0]).n_events == 2
    crossed = Recorded([{"spike_times": [1.0], "obs_intervals": [[0.0, 3.0], [2.0, 4.0]]}])
    with pytest.raises(InvalidEventsError, match=r"unit 0: obs_intervals\[1\] starts at 2 s"):
        events_from_nwb(crossed)
    bare = Recorded([{"spike_times": [1.0]}])
    bare.colnames = ("electrodes",)
    with pytest.raises(InvalidEventsError, match="no spike_times; their columns are 'electrodes'"):
        events_from_nwb(bare)
    bare.id = np.array([], dtype=np.int64)
    bare.colnames = ("spike_times",)
    with pytest.raises(InvalidEventsError, match="the table of units is empty"):
        events_from_nwb(bare)


def test_what_is_no_table_of_units():
    class File:
        units = None

    with pytest.raises(InvalidEventsError, match=r"expected .*units of pynwb; got a file without"):
        events_from_nwb(File())
    with pytest.raises(InvalidEventsError, match=r"got 'a\.nwb'"):
        events_from_nwb("a.nwb")
    File.units = Recorded([{"spike_times": [1.0], "obs_intervals": TWO}])
    assert events_from_nwb(File()).n_events == 1


HALF = [
    {"spike_times": [0.4, 2.0, 2.3, 5.0, 7.5, 8.0], "obs_intervals": [[0.0, 9.0]], "id": 4},
    {"spike_times": [1.0, 2.1, 6.5], "obs_intervals": [[0.5, 4.0], [6.0, 7.0]], "id": 9},
]


def test_units_with_intervals_of_their_own(table):
    """The likelihood counts each unit where it was observed, and history goes on through gaps."""
    windows, history = windows_from_nwb(table(HALF))
    baseline, adjacency, decay = [0.4, 0.3], np.array([[0.2, 0.3], [0.1, 0.4]]), 1.5
    spikes = [np.array(unit["spike_times"]) for unit in HALF]
    expected = 0.0
    for i, unit in enumerate(HALF):
        for spike in spikes[i]:
            expected += np.log(baseline[i] + sum(
                (adjacency[i, j] * decay * np.exp(-decay * (spike - before[before < spike]))).sum()
                for j, before in enumerate(spikes)
            ))  # fmt: skip
        for start, end in unit["obs_intervals"]:
            expected -= baseline[i] * (end - start)
            for j, before in enumerate(spikes):
                lags = np.clip([[start], [end]] - before, 0.0, None)
                mass = np.exp(-decay * lags[0]) - np.exp(-decay * lags[1])
                expected -= adjacency[i, j] * mass.sum()
    process = hawkeys.Hawkes(baseline, adjacency, decay=decay, mark_names=["4", "9"])
    assert process.log_likelihood(windows, history=history) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_array_equal(windows.start_times, [0.0, 0.5, 4.0, 6.0, 7.0])
    np.testing.assert_array_equal(history.observed[:, 1], [False, True, False, True, False])
    with pytest.raises(InvalidEventsError, match=r"of unit 9 are not those .* windows_from_nwb"):
        events_from_nwb(table(HALF))


def test_windows_of_units_that_are_wrong(table):
    stray = [HALF[0], {**HALF[1], "spike_times": [1.0, 5.0]}]
    with pytest.raises(InvalidEventsError, match=r"unit 9: 1 of 2 spikes lie outside .* at 5 s"):
        windows_from_nwb(table(stray))
    windows, history = windows_from_nwb(table(stray), drop_outside=True)
    assert (windows.counts.sum(axis=0).tolist(), history.n_events) == ([6, 1], 0)
    alone, _ = windows_from_nwb(table(HALF), ids=[9])
    np.testing.assert_array_equal(alone.durations, [3.5, 1.0])
    with pytest.raises(InvalidEventsError, match="no obs_intervals of any unit"):
        windows_from_nwb(table([{"spike_times": [1.0]}]))
    with pytest.raises(InvalidParameterError, match="no unit has the id 5"):
        windows_from_nwb(table(HALF), ids=[5])
