"""`events_from_zmap`: catalogues in the columns of ZMAP."""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

from hawkeys._validation import brief
from hawkeys.events import Events
from hawkeys.exceptions import InvalidEventsError
from hawkeys.interop.catalogues._quakes import Quake, events_of_quakes

__all__ = ["events_from_zmap"]

_COLUMNS = ("longitude", "latitude", "year", "month", "day", "magnitude", "depth", "hour", "minute",
            "second")  # fmt: skip
_SECOND = 10**9
# days by which decimal years may differ from the date: years of 365.25 days, days counted from 0
_SLACK = Decimal(3)


class _Row(NamedTuple):
    """The place of a line and its numbers by column."""

    place: str
    numbers: dict[str, Decimal]


def events_from_zmap(
    path: str | os.PathLike[str],
    *,
    start_time: Any,
    end_time: Any,
    min_magnitude: float | None = None,
    unit: str = "day",
) -> Events:
    """Read an earthquake catalogue in the format of ZMAP; values are magnitudes.

    Parameters
    ----------
    path : path-like
        Text with a line per event and the columns longitude, latitude, year, month, day,
        magnitude, depth, hour, minute and second, and others after them that are not read. Blanks,
        tabs or commas are between; lines that begin with "#" or "%" are none.
    start_time, end_time : date or text
        Window that the catalogue is complete on; without a zone in Universal Time.
    min_magnitude : float, optional
        Leave out events below it. Default: all are kept.
    unit : {"ns", "us", "ms", "s", "min", "h", "day", "week"}, default "day"
        Unit that times are counted in, from `start_time`.

    Returns
    -------
    Events
        One realisation with one mark, in order of time.

    Raises
    ------
    InvalidEventsError
        The file is missing or of another layout, a date does not exist or contradicts its decimal
        year, a magnitude is missing, or an event lies outside of the window; the message names the
        line.
    InvalidParameterError
        The window, `min_magnitude` or `unit` is wrong.

    Notes
    -----
    Many files have decimal years, 2008.4973, which four decimals tell to 53 minutes. Date and time
    are taken from the other columns, which are exact; the decimal year must agree with them. (obspy
    goes by a decimal year alone.)

    References
    ----------
    S. Wiemer (2001). A software package to analyze seismicity: ZMAP. Seismological Research Letters
    72, 373-382, doi:10.1785/gssrl.72.3.373.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from hawkeys.interop import events_from_zmap
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "catalogue.dat"
    >>> line = "-116.66 33.61 2008.0006 1 1 1.23 9.8 6 0 0.0"
    >>> _ = path.write_text(line)
    >>> events_from_zmap(path, start_time="2008-01-01", end_time="2009-01-01").times
    array([0.25])
    """
    rows = _rows(Path(path))
    decimals = _decimals([row.numbers["year"] for row in rows])
    quakes = [_quake(row, decimals) for row in rows]
    return events_of_quakes(quakes, (start_time, end_time), min_magnitude, unit)


def _rows(path: Path) -> list[_Row]:
    """Return the numbers of each line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidEventsError(f"{path} cannot be read: {error}.") from error
    out = []
    for k, line in enumerate(text.splitlines(), 1):
        fields = line.replace(",", " ").split()
        if not fields or fields[0][0] in "#%":
            continue
        place = f"{path}, line {k}: "
        if len(fields) < len(_COLUMNS):
            raise InvalidEventsError(
                f"{place}ZMAP has the {len(_COLUMNS)} columns {', '.join(_COLUMNS)}; got "
                f"{len(fields)}, {brief(line.strip())}."
            )
        out.append(_Row(place, {name: _number(one, name, place)
                                for name, one in zip(_COLUMNS, fields, strict=False)}))  # fmt: skip
    if not out:
        raise InvalidEventsError(f"{path} holds no event.")
    return out


def _number(text: str, name: str, place: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise InvalidEventsError(f"{place}the {name} {text!r} is no number.") from error


def _decimals(years: list[Decimal]) -> int:
    """Return the number of decimals of the years; 0 if all are whole, however written."""
    finite = [year for year in years if year.is_finite()]
    if not any(year % 1 for year in finite):
        return 0
    return max(-int(year.as_tuple().exponent) for year in finite)


def _quake(row: _Row, decimals: int) -> Quake:
    """Return what is read of a line."""
    place, numbers = row
    for name in ("year", "month", "day", "hour", "minute", "second"):
        value = numbers[name]
        if not value.is_finite() or (value % 1 and name not in ("year", "second")):
            raise InvalidEventsError(
                f"{place}the {name} is {value}. The date is read from whole numbers of month, day, "
                "hour and minute and from the second; a decimal year alone is too coarse. Write "
                "these columns out."
            )
    day = _day(row, decimals)
    hour, minute, second = (numbers[name] for name in ("hour", "minute", "second"))
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second < 61):
        raise InvalidEventsError(f"{place}there is no time of day {hour}:{minute}:{second}.")
    seconds = (day - dt.date(1970, 1, 1)).days * 86_400 + int(hour) * 3_600 + int(minute) * 60
    magnitude = numbers["magnitude"]
    return Quake(
        place,
        seconds * _SECOND + round(second * _SECOND),
        None if magnitude.is_nan() else float(magnitude),
    )


def _day(row: _Row, decimals: int) -> dt.date:
    """Return the day; late in December the decimal year may be rounded up to the next."""
    place, numbers = row
    year, month, day = numbers["year"], int(numbers["month"]), int(numbers["day"])
    if year < 1_000:
        raise InvalidEventsError(f"{place}the year is {year}; write all four digits.")
    misses: list[tuple[Decimal, dt.date]] = []
    for candidate in (int(year) - 1, int(year)) if decimals else (int(year),):
        try:
            found, first = dt.date(candidate, month, day), dt.date(candidate, 1, 1)
            length = (dt.date(candidate + 1, 1, 1) - first).days
        except ValueError:
            continue
        misses.append((abs((candidate - year) * length + (found - first).days), found))
    if not misses:
        raise InvalidEventsError(f"{place}there is no day {int(year)}-{month:02d}-{day:02d}.")
    miss, found = min(misses)
    if decimals and miss > _SLACK + Decimal(366).scaleb(-decimals):
        raise InvalidEventsError(
            f"{place}the decimal year {year} is {miss:.0f} days from the month and day, "
            f"{month:02d}-{day:02d}. Check the order of the columns."
        )
    return found
