"""`Clock`: the unit of time of events, and the moment that their time 0 stands for.

Dates are counted as whole ticks of their own resolution, in Universal Time, until the origin has
been subtracted: nothing is rounded before that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import brief
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Clock", "Instants", "check_unit", "instants_of", "plural", "show_instant"]

_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "min": 60 * 10**9,
    "h": 3_600 * 10**9,
    "day": 86_400 * 10**9,
    "week": 604_800 * 10**9,
}
_WORDS = {
    "ns": ("nanosecond", "nanos"),
    "us": ("microsecond", "micros", "µs", "μs"),
    "ms": ("millisecond", "millis"),
    "s": ("second", "sec", "S"),
    "min": ("minute", "mins"),
    "h": ("hour", "hr", "H"),
    "day": ("d", "D"),
    "week": ("W", "w"),
}
_NAMES = {
    word: unit
    for unit, words in _WORDS.items()
    for name in (unit, *words)
    for word in ((name, f"{name}s") if len(name) > 2 else (name,))
}
_TICKS = {"D": "day", "h": "h", "m": "min", "s": "s", "ms": "ms", "us": "us", "ns": "ns"}
# up to here whole numbers stay apart as doubles whatever they are divided by
_APART = 2**51
_INT64 = 2**63 - 1
_BLOCK = 1 << 16


def check_unit(unit: Any) -> str:
    """Return the name of a unit of time; raises `InvalidParameterError` for any other."""
    name = unit if isinstance(unit, str) else ""
    found = _NAMES.get(name) or _NAMES.get(name.lower() if len(name) > 1 else "")
    if found is None:
        raise InvalidParameterError(
            f"unit must be one of {', '.join(map(repr, _NANOSECONDS))} (months and years differ in "
            f"length); got {brief(unit)}."
        )
    return found


def plural(unit: str) -> str:
    """Return the name of several units: "days" of "day", but "min" and "s" as they are."""
    return f"{unit}s" if unit in ("day", "week") else unit


@dataclass(frozen=True)
class Clock:
    """What the numbers of `Events` are counted in, and from when.

    Attributes
    ----------
    unit : {"ns", "us", "ms", "s", "min", "h", "day", "week"}
        Unit of times, windows, and one over it of baselines and decays.
    origin : int or None
        Nanoseconds from the start of 1970 (Universal Time, without leap seconds; the local clock if
        the dates had no zone) to time 0; None if the times were no dates.
    zone : str or None
        Name of the time zone that dates are shown in; None if they had none.

    Examples
    --------
    >>> from hawkeys.events.clock import Clock
    >>> Clock("day", 1_704_067_200_000_000_000).show(0.5)
    '2024-01-01T12:00:00'
    """

    unit: str
    origin: int | None = None
    zone: str | None = None

    @property
    def length(self) -> int:
        """Length of the unit in nanoseconds."""
        return _NANOSECONDS[self.unit]

    def show(self, time: float) -> str:
        """Return a time as a date, or as a number with its unit if times were no dates."""
        if self.origin is None:
            return f"{time:.12g} {self.unit}"
        ticks = self.origin + round(float(time) * self.length)
        return show_instant(ticks, self.zone)

    def dates(self, times: FloatArray) -> np.ndarray:
        """Return times as dates, ``datetime64[ns]`` in Universal Time, to the nearest nanosecond.

        Raises `InvalidEventsError` if they were no dates, or lie outside 1677 to 2262.
        """
        if self.origin is None:
            raise InvalidEventsError(
                "these events have no dates: their times came as numbers or durations. Use times."
            )
        whole = np.floor(times)
        rest = np.rint((times - whole) * self.length).astype(np.int64)
        if times.size and max(abs(float(times.max())), abs(float(times.min()))) * self.length > (
            _INT64 - abs(self.origin)
        ):
            raise InvalidEventsError(
                "datetime64[ns] holds the years 1677 to 2262 only; show() writes single dates."
            )
        return (whole.astype(np.int64) * self.length + rest + self.origin).astype("datetime64[ns]")

    def stamps(self, times: FloatArray) -> pd.DatetimeIndex:
        """Return times as dates of pandas, to the nearest nanosecond, in the zone that they had.

        Raises `InvalidEventsError` as `dates`. NaN is no date (NaT).
        """
        import pandas as pd

        known = ~np.isnan(times)
        out = np.full(times.shape, np.datetime64("NaT", "ns"), dtype="datetime64[ns]")
        out[known] = self.dates(times[known])
        index = pd.DatetimeIndex(out)
        return index if self.zone is None else index.tz_localize("UTC").tz_convert(self.zone)


class Instants(NamedTuple):
    """Dates since 1970, or durations: whole numbers of ticks."""

    ticks: IntArray
    tick: int  # nanoseconds
    is_date: bool
    zone: str | None  # None: no zone was given

    def since(self, origin: int, length: int) -> FloatArray:
        """Return the time from `origin` (nanoseconds) in units of `length` nanoseconds.

        Subtracted exactly; raises `InvalidEventsError` if different moments become one double.
        """
        whole, rest = divmod(origin, self.tick)
        common = math.gcd(self.tick, rest, length)
        scale = self.tick // common, rest // common, length // common
        low, high = int(self.ticks.min(initial=0)) - whole, int(self.ticks.max(initial=0)) - whole
        largest = max(abs(low), abs(high), abs(whole)) * scale[0] + scale[1]
        out = np.empty(self.ticks.size)
        # by blocks: temporary arrays of all events would take more than the result
        for first in range(0, out.size, _BLOCK):
            block = slice(first, first + _BLOCK)
            out[block] = _divided(self.ticks[block], whole, scale, largest)
        if largest > _APART:
            self._refuse_merged(out, origin)
        return out

    def _refuse_merged(self, out: FloatArray, origin: int) -> None:
        """Refuse moments that differ and whose doubles do not."""
        merged = out[1:] == out[:-1]
        merged &= self.ticks[1:] != self.ticks[:-1]
        if merged.any():
            k = int(np.argmax(merged)) + 1
            raise InvalidEventsError(
                f"{np.count_nonzero(merged)} of {out.size} times become equal to the one before as "
                f"doubles counted from {show_instant(origin, self.zone)}; the first is times"
                f"[{k}]={self.shown(int(self.ticks[k]))}. Pass them as integers (nanoseconds), the "
                "starts, too: each realisation is then counted from its own start, exactly."
            )

    def nanoseconds(self) -> list[int]:
        """Return the exact numbers of nanoseconds, shape (n,)."""
        return [tick * self.tick for tick in self.ticks.tolist()]

    def shown(self, tick: int) -> str:
        """Return one of the ticks as a date, or as a duration in seconds."""
        if not self.is_date:
            return f"{tick * self.tick / 10**9:.12g} s"
        return show_instant(tick * self.tick, self.zone)


def _divided(
    ticks: IntArray, whole: int, scale: tuple[int, int, int], largest: int
) -> FloatArray | list[float]:
    """Return ((ticks - whole) * scale[0] - scale[1]) / scale[2], rounded at the end alone."""
    times, less, per = scale
    if largest > _INT64:
        return [((t - whole) * times - less) / per for t in ticks.tolist()]
    exact = (ticks - whole) * times - less
    if largest <= _APART:
        return exact / per
    units, left = np.divmod(exact, per)
    return units + left / per


def show_instant(nanoseconds: int, zone: str | None) -> str:
    """Return nanoseconds since 1970 as a date, in its zone."""
    seconds, rest = divmod(nanoseconds, 10**9)
    if not -62_135_596_800 <= seconds < 253_402_300_800:
        return f"{nanoseconds} ns since 1970"
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    if zone is None:
        return f"{np.datetime64(seconds, 's')}{fraction}"
    import pandas as pd

    local = pd.Timestamp(np.datetime64(seconds, "s"), tz="UTC").tz_convert(zone).isoformat()
    return f"{local[:19]}{fraction}{local[19:]}"


def instants_of(array: np.ndarray, where: str, zone: str | None = None) -> Instants:
    """Return datetime64 or timedelta64 values, shape (n,), as ticks. Refuses what is missing."""
    missing = np.flatnonzero(np.isnat(array))
    if missing.size:
        raise InvalidEventsError(
            f"{where}[{missing[0]}] is missing (NaT), the first of {missing.size}. Fill it or drop "
            "the row."
        )
    unit, count = np.datetime_data(array.dtype)
    is_date = array.dtype.kind == "M"
    if unit in ("Y", "M", "W", "generic"):
        array, unit, count = array.astype(f"{array.dtype.kind}8[D]"), "D", 1
    if unit not in _TICKS:
        raise InvalidEventsError(
            f"{where} are counted in {unit}, finer than a nanosecond. Pass them as integers."
        )
    tick = _NANOSECONDS[_TICKS[unit]] * int(count)
    return Instants(array.view(np.int64), tick, is_date, zone)
