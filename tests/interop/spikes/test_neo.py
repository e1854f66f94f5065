"""Spike trains of neo: `Recorded` has what its objects had; with neo the tests run on them.

Where neo is not installed its half skips; all of it passed with neo 0.14.6, quantities 0.16.4.
"""

import numpy as np
import pytest

from hawkeys.exceptions import InvalidEventsError
from hawkeys.interop import events_from_neo

IN_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


class Quantity:
    """An amount with a unit, as of quantities."""

    def __init__(self, magnitude, units):
        self.magnitude, self.units = np.asarray(magnitude, dtype=float), units

    def rescale(self, units):
        factor = IN_SECONDS[self.units] / IN_SECONDS[units]
        return self if units == self.units else Quantity(self.magnitude * factor, units)


class RecordedTrain(Quantity):
    def __init__(self, times, units, t_start, t_stop, name=None, **annotations):
        super().__init__(times, units)
        self.t_start, self.t_stop = Quantity(t_start, units), Quantity(t_stop, units)
        self.name, self.annotations = name, annotations


class RecordedSegment:
    def __init__(self, trains):
        self.spiketrains = trains


class RecordedBlock:
    def __init__(self, segments):
        self.segments = segments


class Recorded:
    train, segment, block = RecordedTrain, RecordedSegment, RecordedBlock


class Real:
    """The same calls, of neo."""

    def __init__(self, neo):
        self.neo = neo

    def train(self, times, units, t_start, t_stop, name=None, **annotations):
        return self.neo.SpikeTrain(times, units=units, t_start=t_start, t_stop=t_stop, name=name,
                                   **annotations)  # fmt: skip

    def segment(self, trains):
        out = self.neo.Segment()
        out.spiketrains.extend(trains)
        return out

    def block(self, segments):
        out = self.neo.Block()
        out.segments.extend(segments)
        return out


@pytest.fixture(params=["recorded", "neo"])
def neo(request):
    if request.param == "recorded":
        return Recorded()
    return Real(pytest.importorskip("neo", reason="neo is not installed"))


def test_units_are_converted_and_spikes_sorted(neo):
    a = neo.train([300.0, 100.0, 200.0], "ms", 0.0, 500.0, "a")
    b = neo.train([0.4, 0.4], "s", 0.0, 0.5, "b")
    events = events_from_neo([b, a])
    assert (events.mark_names, events.unit) == (("b", "a"), "s")
    (lists,) = events.to_lists()
    np.testing.assert_array_equal(lists[0], [0.4, 0.4])
    np.testing.assert_allclose(lists[1], [0.1, 0.2, 0.3], rtol=1e-15)
    assert (events.start_times[0], events.end_times[0]) == (0.0, 0.5)


def test_a_spike_at_either_end_stays_within_its_window(neo):
    """Whatever the unit: end and spike are converted by the same factor."""
    for unit in IN_SECONDS:
        for stop in (0.3, 7.0, 1001.0, 12345.678):
            train = neo.train([stop / 7, stop], unit, stop / 7, stop)
            events = events_from_neo(train)
            assert events.n_events == 2
            assert (events.times[0], events.times[1]) == (
                events.start_times[0], events.end_times[0]
            )  # fmt: skip


def test_a_segment_is_a_realisation_and_a_unit_the_same_in_all(neo):
    trials = [
        neo.segment([neo.train([0.1], "s", 0.0, 1.0, "u"), neo.train([0.2], "s", 0.0, 1.0, "v")]),
        neo.segment([neo.train([], "s", 0.0, 2.0, "v"), neo.train([0.3, 1.5], "s", 0.0, 2.0, "u")]),
    ]
    for source in (neo.block(trials), trials):
        events = events_from_neo(source)
        assert events.mark_names == ("u", "v")
        np.testing.assert_array_equal(events.counts, [[1, 1], [2, 0]])
        np.testing.assert_array_equal(events.end_times, [1.0, 2.0])
    assert events_from_neo(trials[1]).n_realizations == 1


def test_slices_that_touch_count_a_spike_at_their_common_end_once(neo):
    """Both have it; two spikes at one time are two, and one that the later alone has is its own."""
    first = neo.segment([neo.train([1.0, 2.0, 2.0], "ms", 0.0, 2.0, "u"),
                         neo.train([], "ms", 0.0, 2.0, "v")])  # fmt: skip
    second = neo.segment([neo.train([2.0, 2.0, 3.0], "ms", 2.0, 4.0, "u"),
                          neo.train([2.0], "ms", 2.0, 4.0, "v")])  # fmt: skip
    for order in ([first, second], [second, first]):
        events = events_from_neo(order)
        lists = dict(zip(events.start_times.tolist(), events.to_lists(), strict=True))
        np.testing.assert_allclose(lists[0.0][0], [0.001, 0.002, 0.002])
        np.testing.assert_allclose(lists[0.002][0], [0.003])
        np.testing.assert_allclose(lists[0.002][1], [0.002])
    trials = [neo.segment([neo.train([0.0, 1.0], "s", 0.0, 1.0, "u")]) for _ in range(2)]
    assert events_from_neo(trials).n_events == 4  # their clocks start again: nothing touches


def test_real_slices_of_neo():
    neo = pytest.importorskip("neo", reason="neo is not installed")
    train = neo.SpikeTrain([1.0, 2.0, 3.0], units="ms", t_stop=4.0)
    parts = [
        train.time_slice(train.t_start, 2 * train.units),
        train.time_slice(2 * train.units, None),
    ]
    assert sum(len(part) for part in parts) == 4
    segments = [neo.Segment() for _ in parts]
    for segment, part in zip(segments, parts, strict=True):
        segment.spiketrains.append(part)
    assert events_from_neo(segments).n_events == 3


def test_ends_in_two_units_of_time_are_one_window(neo):
    """1001 * .001 and 1.001 may differ in the last place, and no spike falls out of it."""
    trains = [neo.train([1001.0 * k], "ms", 0.0, 1001.0 * k, "a") for k in (1, 3, 7, 9)]
    for k, train in zip((1, 3, 7, 9), trains, strict=True):
        events = events_from_neo([train, neo.train([1.001 * k], "s", 0.0, 1.001 * k, "b")])
        assert events.n_events == 2


def test_labels(neo):
    a = neo.train([0.1], "s", 0.0, 1.0, id=17)
    b = neo.train([0.2], "s", 0.0, 1.0, id=12)
    assert events_from_neo([a, b]).mark_names == ("0", "1")
    labelled = events_from_neo([a, b], label=lambda train: train.annotations["id"])
    assert labelled.mark_names == ("17", "12")
    a.name = b.name = "unit"
    with pytest.raises(
        InvalidEventsError, match="segment 0: spike train 1 has the label 'unit' of"
    ):
        events_from_neo([a, b])
    b.name = None
    with pytest.raises(InvalidEventsError, match=r"spike train 1 has no label. .*label="):
        events_from_neo([a, b])


def test_what_cannot_be_one_set_of_events(neo):
    u = neo.train([0.1], "s", 0.0, 1.0, "u")
    late = neo.train([0.1], "s", 0.0, 0.5, "v")
    with pytest.raises(
        InvalidEventsError, match=r"segment 0: unit v .* 0 to 0.5 s, unit u .*slice"
    ):
        events_from_neo([u, late])
    with pytest.raises(
        InvalidEventsError, match=r"segment 1 does not have the units .*; 'u', 'v' are in one"
    ):
        events_from_neo([neo.segment([u]), neo.segment([late])])
    with pytest.raises(InvalidEventsError, match="segment 1 has no spike train"):
        events_from_neo(neo.block([neo.segment([u]), neo.segment([])]))
    for nothing in ([], neo.block([])):
        with pytest.raises(InvalidEventsError, match="no segment and no spike train"):
            events_from_neo(nothing)


@pytest.mark.parametrize("value", [[0.1, 0.2], "spikes.nix", 3.0, {"a": [0.1]}])
def test_what_is_not_of_neo(value):
    with pytest.raises(InvalidEventsError, match="expected SpikeTrain, Segment or Block of neo"):
        events_from_neo(value)


def test_a_train_that_is_not_loaded():
    class Proxy:
        t_start, t_stop = Quantity(0.0, "s"), Quantity(1.0, "s")

        def load(self):
            raise AssertionError

    with pytest.raises(InvalidEventsError, match=r"segment 0: a spike train is not loaded.*lazy"):
        events_from_neo(RecordedSegment([Proxy()]))
