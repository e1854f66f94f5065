"""Catalogues in the columns of ZMAP, and what is odd in those that are about."""

import datetime as dt

import numpy as np
import pytest

from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.interop import events_from_zmap

YEARS = {"start_time": "2007-01-01", "end_time": "2009-01-01"}
DAY = 86_400.0


def line(year, month, day, time, mag="2.5", *, between="\t"):
    hour, minute, second = time
    fields = ("-116.5", "33.5", year, month, day, mag, "9.8", hour, minute, second)
    return between.join(str(field) for field in fields)


def written(tmp_path, *lines):
    path = tmp_path / "catalogue.dat"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def seconds(*moment):
    since = dt.datetime(*moment) - dt.datetime(2007, 1, 1)
    return since.days * DAY + since.seconds + since.microseconds / 1e6


@pytest.mark.parametrize("between", ["\t", "  ", ", "])
def test_exact_columns_in_order_of_time(tmp_path, between):
    path = written(
        tmp_path,
        "% lon lat year",
        line(2008, 7, 2, (3, 4, 5.678901), "3.1", between=between) + between + "0.2",
        line(2007, 2, 3, (23, 59, 60.0), "1.2", between=between),  # rounded up to midnight
        "",
        line(2008, 2, 29, (0, 0, 0), "2.0", between=between),
    )
    events = events_from_zmap(path, **YEARS, unit="s")
    np.testing.assert_allclose(
        events.times,
        [seconds(2007, 2, 4), seconds(2008, 2, 29), seconds(2008, 7, 2, 3, 4, 5, 678901)],
        rtol=1e-15,
    )
    np.testing.assert_array_equal(events.values, [1.2, 2.0, 3.1])
    assert events_from_zmap(path, **YEARS, min_magnitude=2.0).n_events == 2


def test_decimal_years_do_not_hide_the_time(tmp_path):
    """Read as a date, 2008.5 with four decimals would be up to 26 minutes from the columns."""
    moment = dt.datetime(2008, 7, 2, 12, 34, 56)
    year = 2008 + (moment - dt.datetime(2008, 1, 1)) / dt.timedelta(days=366)
    for decimals in (2, 4, 6, 12):
        path = written(tmp_path, line(f"{year:.{decimals}f}", 7, 2, (12, 34, 56)))
        events = events_from_zmap(path, **YEARS, unit="s")
        assert events.times[0] == seconds(2008, 7, 2, 12, 34, 56)


def test_decimal_years_that_were_rounded_to_the_next(tmp_path):
    """2007-12-31 23:50 is 2008.0000; whole years written with decimals are the year."""
    path = written(
        tmp_path,
        line("2007.5000", 7, 2, (0, 0, 0)),
        line("2008.0000", 12, 31, (23, 50, 0)),
        line("2008.0000", 1, 1, (0, 10, 0)),
    )
    moments = (2007, 7, 2), (2007, 12, 31, 23, 50), (2008, 1, 1, 0, 10)
    events = events_from_zmap(path, **YEARS, unit="s")
    np.testing.assert_array_equal(events.times, [seconds(*moment) for moment in moments])
    path = written(tmp_path, line("2.0080000e+03", "1.2e+01", "3.1e+01", (23, 50, 0)))
    assert events_from_zmap(path, **YEARS, unit="s").times[0] == seconds(2008, 12, 31, 23, 50)


def test_every_day_agrees_with_its_own_decimal_year(tmp_path):
    """By years of 365, 366 and 365.25 days, days counted from 0 or 1, rounded or cut."""
    days = [dt.date(2007, 1, 1) + dt.timedelta(days=k) for k in range(731)]
    for length in (None, 365.25):
        for first in (0, 1):
            for decimals in (3, 8):
                rows = []
                for day in days:
                    passed = (day - dt.date(day.year, 1, 1)).days + first
                    year = day.year + passed / (length or (366 if day.year == 2008 else 365))
                    rows.append(line(f"{year:.{decimals}f}", day.month, day.day, (1, 2, 3)))
                events = events_from_zmap(written(tmp_path, *rows), **YEARS)
                np.testing.assert_array_equal(np.floor(events.times), np.arange(731))


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (line(2008, 13, 2, (0, 0, 0)), "line 2: there is no day 2008-13-02"),
        (line(2007, 2, 29, (0, 0, 0)), "line 2: there is no day 2007-02-29"),
        (line(2008, 1, 2, (24, 0, 0)), "line 2: there is no time of day 24:0:0"),
        (line(2008, 1, 2, (0, 60, 0)), "no time of day"),
        (line(2008, 1, 2, (0, 0, -1)), "no time of day"),
        (line(2008, 1, 2, (0, 0, 61.5)), "no time of day"),
        (line(97, 1, 2, (0, 0, 0)), "line 2: the year is 97; write all four digits"),
        (line(2008.5, "NaN", "NaN", ("NaN", "NaN", "NaN")), r"month is NaN\. .*too coarse"),
        (line("NaN", 1, 2, (0, 0, 0)), "the year is NaN"),
        (line(2008, 1.5, 2, (0, 0, 0)), r"the month is 1\.5"),
        (line(2008.5, 1, 2, (0, 0, 0)), r"decimal year 2008\.5 is 182 days from .* 01-02"),
        (line("2008.5000", 1, 2, (0, 0, 0), "1.0"), "Check the order of the columns"),
        (line(2008, 1, 2, (0, 0, 0), "NaN"), "line 2: the event has no magnitude, .* 1 of 2"),
        (line(2008, 1, 2, (0, 0, 0), "Infinity"), "line 2: the event has the magnitude inf"),
        (line(2008, 1, 2, (0, 0, 0), "M2"), "line 2: the magnitude 'M2' is no number"),
        ("1 2 2008 1 2 2.5 9.8 0 0", r"line 2: ZMAP has the 10 columns longitude, .*; got 9"),
        (line(2012, 1, 2, (0, 0, 0)), r"2012-01-02.* lies outside the window"),
    ],
)  # fmt: skip
def test_lines_that_are_wrong(tmp_path, wrong, match):
    year = 2008.5 if ".5" in wrong.split()[2] else 2008
    path = written(tmp_path, line(year, 7, 2, (0, 0, 0)), wrong)
    with pytest.raises(InvalidEventsError, match=match):
        events_from_zmap(path, **YEARS)


def test_files_that_are_wrong(tmp_path):
    with pytest.raises(InvalidEventsError, match="cannot be read"):
        events_from_zmap(tmp_path / "none.dat", **YEARS)
    with pytest.raises(InvalidEventsError, match="holds no event"):
        events_from_zmap(written(tmp_path, "# nothing"), **YEARS)
    path = written(tmp_path, line(2008, 7, 2, (0, 0, 0)))
    with pytest.raises(InvalidParameterError, match="end_time"):
        events_from_zmap(path, start_time="2008-01-01", end_time=2009)


def test_what_obspy_writes(tmp_path):
    """Twelve decimals of a year beside the exact columns (obspy 1.5.1)."""
    core = pytest.importorskip("obspy.core.event", reason="obspy is not installed")
    obspy = pytest.importorskip("obspy", reason="obspy is not installed")
    moments = ["2008-07-02T03:04:05.678901", "2007-12-31T23:59:59.999999", "2008-01-01"]
    catalog = obspy.Catalog([
        core.Event(origins=[core.Origin(time=obspy.UTCDateTime(moment), latitude=1, longitude=2)],
                   magnitudes=[core.Magnitude(mag=2.0)]) for moment in moments
    ])  # fmt: skip
    path = tmp_path / "obspy.dat"
    catalog.write(path, "ZMAP")
    found = events_from_zmap(path, **YEARS).dates
    lag = found - np.sort(np.array(moments, dtype="datetime64[ns]"))
    assert np.abs(lag.astype(int)).max() <= 4  # the last place of a double of a year
