"""Spikes of pynapple: `Recorded` has what its objects had; with pynapple the tests run on them.

Where pynapple is not installed its half skips; all of it passed with pynapple 0.11.4.
"""

import warnings
from collections import UserDict

import numpy as np
import pytest

from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.interop import events_from_pynapple


class Recorded:
    """The attributes of pynapple that are read, made by the same calls."""

    @staticmethod
    def IntervalSet(start, end):
        out = np.column_stack([np.ravel(start), np.ravel(end)]).astype(float)
        touching = np.flatnonzero(out[1:, 0] == out[:-1, 1])
        out[touching, 1] -= 1e-6
        return out

    class Ts:
        def __init__(self, t, time_support=None):
            self.t = np.sort(np.asarray(t, dtype=float))
            if time_support is None:
                time_support = np.array([[self.t[0], self.t[-1]]] if self.t.size else [])
            else:
                inside = (self.t[:, None] >= time_support[:, 0]) & (
                    self.t[:, None] <= time_support[:, 1]
                )
                self.t = self.t[inside.any(axis=1)]
            self.time_support = time_support

    class Tsd(Ts):
        def __init__(self, t, d):
            super().__init__(t)
            self.d = np.asarray(d)

    class TsGroup(UserDict):
        def __init__(self, units, time_support=None):
            spans = [ts.time_support for ts in units.values()]
            if time_support is None:  # of units that overlap
                time_support = np.array(
                    [[min(s.min() for s in spans), max(s.max() for s in spans)]]
                )
            super().__init__({k: Recorded.Ts(ts.t, time_support) for k, ts in units.items()})
            self.time_support = time_support


@pytest.fixture(params=["recorded", "pynapple"])
def nap(request):
    if request.param == "recorded":
        return Recorded
    return pytest.importorskip("pynapple", reason="pynapple is not installed")


def group(nap, support):
    units = {3: nap.Ts(np.array([5.0, 1.0, 2.5])), 7: nap.Ts(np.array([0.5, 7.5])), 9: None}
    units[9] = nap.Ts(np.array([1.5]), time_support=nap.IntervalSet(0.0, 2.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # times of unit 3 are not sorted
        return nap.TsGroup(units, time_support=support)


@pytest.fixture(autouse=True)
def of_pynapple():
    """Let pynapple warn of what these tests do on purpose."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pynapple")
        warnings.filterwarnings("ignore", message="timestamps are not sorted|Some starts and ends")
        yield


def test_support_is_the_window_and_an_epoch_a_realisation(nap):
    events = events_from_pynapple(group(nap, nap.IntervalSet([0.0, 4.0], [3.0, 9.0])))
    assert events.mark_names == ("3", "7", "9")
    np.testing.assert_array_equal(events.start_times, [0.0, 4.0])
    np.testing.assert_array_equal(events.end_times, [3.0, 9.0])
    first, second = events.to_lists()
    assert [part.tolist() for part in first] == [[1.0, 2.5], [0.5], [1.5]]
    assert [part.tolist() for part in second] == [[5.0], [7.5], []]
    assert events.unit == "s"


def test_rates_are_those_of_the_window_not_of_the_spikes(nap):
    support = nap.IntervalSet(0.0, 10.0)
    events = events_from_pynapple(nap.Ts(np.array([2.0, 3.0, 4.0]), time_support=support))
    assert events.counts.sum() / events.durations.sum() == pytest.approx(0.3)
    assert events.mark_names == ("0",)


def test_a_support_of_first_to_last_spike_is_no_window(nap):
    for spikes in (nap.Ts(np.array([1.0, 2.0])), group(nap, None)):
        with pytest.raises(InvalidEventsError, match=r"first spike or .* last.*Give epochs="):
            events_from_pynapple(spikes)
    with pytest.raises(InvalidEventsError, match="window of observation is not known"):
        events_from_pynapple(nap.Ts(np.array([])))
    events = events_from_pynapple(group(nap, None), epochs=[0.0, 9.0])
    assert (events.n_events, events.end_times.tolist()) == (6, [9.0])
    alone = nap.Ts(np.array([1.0, 2.0]))
    assert events_from_pynapple(alone, epochs=alone.time_support).durations.tolist() == [1.0]


def test_spikes_outside_of_epochs_are_named(nap):
    spikes = group(nap, nap.IntervalSet(0.0, 9.0))
    epochs = nap.IntervalSet([0.0, 4.0], [2.0, 6.0])
    with pytest.raises(
        InvalidEventsError, match=r"unit 3: 1 of 3 spikes .* at 2\.5 s.*drop_outside"
    ):
        events_from_pynapple(spikes, epochs=epochs)
    events = events_from_pynapple(spikes, epochs=epochs, drop_outside=True)
    np.testing.assert_array_equal(events.counts, [[1, 1, 1], [1, 0, 0]])


def test_both_ends_belong_to_an_epoch_and_a_common_one_to_the_earlier(nap):
    spikes = nap.Ts(np.array([0.0, 3.0, 3.0, 6.0]), time_support=nap.IntervalSet(-1.0, 9.0))
    events = events_from_pynapple(spikes, epochs=[[0.0, 3.0], [3.0, 6.0]])
    assert [part[0].tolist() for part in events.to_lists()] == [[0.0, 3.0, 3.0], [6.0]]
    # an IntervalSet takes a microsecond away there: 3.0 is in the later, what is within is outside
    epochs = nap.IntervalSet([0.0, 3.0], [3.0, 6.0])
    events = events_from_pynapple(spikes, epochs=epochs)
    assert [part[0].tolist() for part in events.to_lists()] == [[0.0], [3.0, 3.0, 6.0]]
    lost = nap.Ts(np.array([1.0, 3.0 - 5e-7]), time_support=nap.IntervalSet(-1.0, 9.0))
    with pytest.raises(InvalidEventsError, match="unit 0: 1 of 2 spikes"):
        events_from_pynapple(lost, epochs=epochs)


def test_units_by_name_share_a_support(nap):
    support = nap.IntervalSet(0.0, 4.0)
    units = {"a": nap.Ts(np.array([1.0]), time_support=support),
             "b": nap.Ts(np.array([2.0, 3.0]), time_support=support)}  # fmt: skip
    events = events_from_pynapple(units)
    assert (events.mark_names, events.counts.tolist()) == (("a", "b"), [[1, 2]])
    units["c"] = nap.Ts(np.array([1.0]), time_support=nap.IntervalSet(0.0, 5.0))
    with pytest.raises(InvalidEventsError, match="unit c has another time_support"):
        events_from_pynapple(units)
    assert events_from_pynapple(units, epochs=[0.0, 4.0]).n_events == 4


def test_what_is_no_spike_train(nap):
    tsd = nap.Tsd(np.array([1.0, 2.0]), np.array([5.0, 6.0]))
    with pytest.raises(InvalidEventsError, match=r"unit 0: a Tsd holds values at times"):
        events_from_pynapple(tsd, epochs=[0.0, 4.0])
    with pytest.raises(InvalidEventsError, match=r"expected a TsGroup or Ts .*'a'.*from_data"):
        events_from_pynapple({"a": np.array([1.0])}, epochs=[0.0, 4.0])
    with pytest.raises(InvalidEventsError, match="there is no unit"):
        events_from_pynapple({})
    one = nap.Ts(np.array([1.0]), time_support=nap.IntervalSet(0.0, 4.0))
    with pytest.raises(InvalidEventsError, match="two units have the label '1'"):
        events_from_pynapple({1: one, "1": one})
    with pytest.raises(InvalidParameterError, match="drop_outside"):
        events_from_pynapple(one, drop_outside="yes")


@pytest.mark.parametrize(
    ("epochs", "match"),
    [
        ([[0.0, 3.0], [2.0, 4.0]], r"epochs\[1\] starts at 2 s, before epochs\[0\] ends at 3 s"),
        ([[2.0, 4.0], [0.0, 1.0]], r"epochs\[1\] starts at 0 s"),
        ([3.0, 3.0], r"epochs\[0\] must end after it starts; got 3 to 3 s"),
        ([[0.0, 1.0, 2.0]], r"epochs must be pairs .*; got shape \(1, 3\)"),
        ([], "epochs holds no interval"),
        ([0.0, np.nan], r"epochs\[1\] is nan"),
        (["0", "3"], "epochs: expected numbers"),
    ],
)
def test_epochs_that_are_none(epochs, match):
    spikes = Recorded.Ts([1.0], time_support=np.array([[0.0, 4.0]]))
    with pytest.raises(InvalidParameterError, match=match):
        events_from_pynapple(spikes, epochs=epochs)


@pytest.mark.parametrize(
    ("times", "match"),
    [
        ([1.0, np.nan], "unit 0: 1 of 2 spike times are NaN or infinite"),
        ([[1.0], [2.0]], r"unit 0: spike times must be a list of numbers; got shape \(2, 1\)"),
        (["a"], "unit 0: spike times must be a list of numbers"),
    ],
)
def test_times_that_are_none(times, match):
    spikes = Recorded.Ts([1.0], time_support=np.array([[0.0, 4.0]]))
    spikes.t = times
    with pytest.raises(InvalidEventsError, match=match):
        events_from_pynapple(spikes)


def test_broken_support():
    spikes = Recorded.Ts([1.0], time_support=np.array([[0.0, 4.0]]))
    spikes.time_support = np.array([[0.0, 4.0], [3.0, 5.0]])
    with pytest.raises(InvalidEventsError, match=r"time_support\[1\] starts at 3 s, before"):
        events_from_pynapple(spikes)
