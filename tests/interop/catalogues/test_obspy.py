"""Catalogues of obspy: `Recorded` has what its objects had; with obspy the tests run on them.

Where obspy is not installed its half skips; all of it passed with obspy 1.5.1.
"""

import datetime as dt
import io
from types import SimpleNamespace

import numpy as np
import pytest

from hawkeys.exceptions import EventsWarning, InvalidEventsError, InvalidParameterError
from hawkeys.interop import events_from_obspy

SECOND = 10**9
NEW_YEAR = int(dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc).timestamp()) * SECOND
JANUARY = {"start_time": "2020-01-01", "end_time": "2020-02-01"}


class Recorded:
    """The attributes of obspy that are read; origins are given as nanoseconds of 2020."""

    @staticmethod
    def time(ns):
        return SimpleNamespace(ns=NEW_YEAR + ns)

    def event(self, origins, magnitudes=(), *, preferred=(None, None), kind=None, name="q"):
        origins = [SimpleNamespace(time=self.time(ns)) for ns in origins]
        magnitudes = [SimpleNamespace(mag=mag) for mag in magnitudes]
        return SimpleNamespace(
            origins=origins, magnitudes=magnitudes, event_type=kind,
            resource_id=SimpleNamespace(id=f"smi:local/{name}"),
            preferred_origin=lambda: None if preferred[0] is None else origins[preferred[0]],
            preferred_magnitude=lambda: (
                None if preferred[1] is None else magnitudes[preferred[1]]
            ),
        )  # fmt: skip


class Real:
    """The same calls, of obspy."""

    def __init__(self, obspy):
        self.utc = obspy.UTCDateTime
        self.made = pytest.importorskip("obspy.core.event")

    def time(self, ns):
        return self.utc(ns=NEW_YEAR + ns)

    def event(self, origins, magnitudes=(), *, preferred=(None, None), kind=None, name="q"):
        origins = [self.made.Origin(time=self.time(ns)) for ns in origins]
        magnitudes = [self.made.Magnitude(mag=mag) for mag in magnitudes]
        out = self.made.Event(origins=origins, magnitudes=magnitudes, event_type=kind,
                              resource_id=f"smi:local/{name}")  # fmt: skip
        if preferred[0] is not None:
            out.preferred_origin_id = origins[preferred[0]].resource_id
        if preferred[1] is not None:
            out.preferred_magnitude_id = magnitudes[preferred[1]].resource_id
        return out


@pytest.fixture(params=["recorded", "obspy"])
def quakes(request):
    if request.param == "recorded":
        return Recorded()
    return Real(pytest.importorskip("obspy", reason="obspy is not installed"))


def test_order_of_time_and_exact_moments(quakes):
    """A file has its own order; two moments a nanosecond apart stay so, and equal ones are ties."""
    late, early = 20 * 86_400 * SECOND, 3_600 * SECOND
    catalog = [quakes.event([ns], [mag]) for ns, mag in
               ((late + 1, 4.0), (early, 3.0), (late, 5.0), (early, 2.0))]  # fmt: skip
    events = events_from_obspy(catalog, **JANUARY, unit="h")
    np.testing.assert_array_equal(events.values, [3.0, 2.0, 5.0, 4.0])
    np.testing.assert_array_equal(events.times[:3], [1.0, 1.0, 480.0])
    assert events.times[3] > events.times[2]
    assert events.n_ties == 1
    np.testing.assert_array_equal(
        events.dates.astype("int64") - NEW_YEAR, [early, early, late, late + 1]
    )
    assert (events.unit, events.end_times[0], events.clock.zone) == ("h", 31 * 24.0, "UTC")


def test_preferred_origin_and_magnitude(quakes):
    event = quakes.event([SECOND, 3 * SECOND], [2.0, 2.5], preferred=(1, 1))
    events = events_from_obspy([event], **JANUARY, unit="s")
    assert (events.times[0], events.values[0]) == (3.0, 2.5)


def test_the_first_is_taken_where_none_is_preferred_and_that_is_said(quakes):
    one = quakes.event([SECOND], [2.0])  # of one nothing needs to be said
    two = quakes.event([2 * SECOND, 5 * SECOND], [3.0, 4.0])
    assert events_from_obspy([one], **JANUARY, unit="s").times.tolist() == [1.0]
    with (
        pytest.warns(EventsWarning, match=r"1 of 2 events have several origins .* event 1;"),
        pytest.warns(EventsWarning, match=r"1 of 2 events have several magnitudes .*_magnitude_id"),
    ):
        events = events_from_obspy([one, two], **JANUARY, unit="s")
    np.testing.assert_array_equal([events.times, events.values], [[1.0, 2.0], [2.0, 3.0]])


def test_magnitudes(quakes):
    catalog = [quakes.event([k * SECOND], [mag]) for k, mag in ((1, 0.9), (2, 1.0), (3, 3.0))]
    kept = events_from_obspy(catalog, **JANUARY, min_magnitude=1.0)
    np.testing.assert_array_equal(kept.values, [1.0, 3.0])
    none = events_from_obspy(catalog, **JANUARY, min_magnitude=5)
    assert (none.n_events, none.durations[0]) == (0, 31.0)
    bare = quakes.event([SECOND], name="bare")
    assert events_from_obspy([bare], **JANUARY).values is None
    for least in (None, 1.0):
        with pytest.raises(InvalidEventsError, match=r"event 3 \(smi:local/bare\): .* of 1 of 4"):
            events_from_obspy([*catalog, bare], **JANUARY, min_magnitude=least)
    for least, match in (([1.0], "must be one number"), (np.nan, "nan"), ("1", "expected numbers")):
        with pytest.raises(InvalidParameterError, match=f"min_magnitude.*{match}"):
            events_from_obspy(catalog, **JANUARY, min_magnitude=least)


def test_what_is_no_earthquake_is_said(quakes):
    kinds = ("earthquake", None, "not reported", "quarry blast", "quarry blast", "explosion")
    catalog = [quakes.event([k * SECOND], [1.0], kind=kind) for k, kind in enumerate(kinds)]
    with pytest.warns(EventsWarning, match=r"3 of 6 .* no earthquakes: 2 'quarry blast', 1 'expl"):
        assert events_from_obspy(catalog, **JANUARY).n_events == 6
    assert events_from_obspy(catalog[:3], **JANUARY).n_events == 3


@pytest.mark.parametrize(
    "start",
    ["2020-01-01", "2020-01-01T00:00:00Z", "2019-12-31T19:00-05:00", dt.date(2020, 1, 1),
     dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc), np.datetime64("2020-01-01")],
    ids=str,
)  # fmt: skip
def test_windows_are_in_universal_time(quakes, start):
    catalog = [quakes.event([1_800 * SECOND], [1.0])]
    events = events_from_obspy(
        catalog, start_time=start, end_time=quakes.time(7_200 * SECOND), unit="h"
    )
    assert (events.times[0], events.start_times[0], events.end_times[0]) == (0.5, 0.0, 2.0)


def test_windows_that_are_wrong(quakes):
    catalog = [quakes.event([SECOND], [1.0])]
    with pytest.raises(TypeError, match="start_time"):
        events_from_obspy(catalog, end_time="2020-02-01")
    with pytest.raises(InvalidEventsError, match=r"2020-01-01T00:00:01.* outside the window"):
        events_from_obspy(catalog, start_time="2020-01-02", end_time="2020-02-01")
    for wrong in (0.0, None, "01/02/2020", "soon"):
        with pytest.raises(InvalidParameterError, match="start_time"):
            events_from_obspy(catalog, start_time=wrong, end_time="2020-02-01")
    with pytest.raises(InvalidParameterError, match="unit"):
        events_from_obspy(catalog, **JANUARY, unit="year")


def test_what_is_no_event(quakes):
    good = quakes.event([SECOND], [1.0])
    with pytest.raises(InvalidEventsError, match=r"event 1 \(smi:local/lost\): there is no origin"):
        events_from_obspy([good, quakes.event([], [1.0], name="lost")], **JANUARY)
    for wrong in ("catalog.xml", 3.0, [3.0]):
        with pytest.raises(InvalidEventsError, match="event 0: expected an Event of obspy"):
            events_from_obspy(wrong, **JANUARY)
    early = quakes.event([-(700 * 366 * 86_400 * SECOND)], [1.0])
    with pytest.raises(InvalidEventsError, match="outside of 1678 to 2261"):
        events_from_obspy([early], **JANUARY)


def test_quakeml_of_obspy():
    """What a file keeps: preferred origins by identity, any order."""
    obspy = pytest.importorskip("obspy", reason="obspy is not installed")
    real = Real(obspy)
    events = [real.event([5 * SECOND, 9 * SECOND], [1.0], preferred=(1, None), name="a"),
              real.event([2 * SECOND], [3.0], name="b")]  # fmt: skip
    file = io.BytesIO()
    obspy.Catalog(events).write(file, "QUAKEML")
    file.seek(0)
    read = events_from_obspy(obspy.read_events(file), **JANUARY, unit="s")
    np.testing.assert_array_equal([read.times, read.values], [[2.0, 9.0], [3.0, 1.0]])
