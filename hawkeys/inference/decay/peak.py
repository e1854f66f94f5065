"""The maximum of a decay's profile from few evaluations, where data are many.

A part of the data says roughly where the maximum is and how sharp. Near there the profile of all
data is all but a parabola in the logarithm of the decay.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.events.values import pick_values

__all__ = [
    "climb_parabola",
    "extrapolate",
    "first_events",
    "first_part",
    "is_parabola",
    "look_aside",
    "refine",
    "vertex",
    "which_part",
]

# events of the part: enough for all pairs of marks
_PART, _PART_PER_PAIR = 4_000, 50
# how many times as many there must be in all
_MANY = 5
_FEWEST_WINDOWS = 8
_STEPS = 12
# in standard errors of the log decay; the objective is then within 5e-9 nats of its maximum
_CLOSE = 1e-4
# nats by which a profile must fall on both sides of a maximum that is no accident
_FALL = 1.92
# from a parabola, of a fall, up to which a few points tell an interval
_SKEW = 0.2


def first_part(events: Events, share: float = 0.0, *, least: int = 0) -> Events | None:
    """Return a few thousand events that stand for all: a stretch of one window, or some windows.

    Parameters
    ----------
    events : Events
        All data.
    share : float, default 0.0
        Which share of all events, if that is many more.
    least : int, default 0
        How many events at least.

    Returns
    -------
    Events or None
        The first events of the longest realisation, which then ends at the last of them; if none is
        long enough, realisations spread evenly over all; None if data are few.
    """
    found = which_part(np.diff(events.offsets), events.n_marks, share, least=least)
    if found is None:
        return None
    rows, wanted = found
    return events[rows] if wanted is None else first_events(events[rows], wanted)


def which_part(
    sizes: IntArray, n_marks: int, share: float = 0.0, *, least: int = 0
) -> tuple[slice, int | None] | None:
    """Tell which part `first_part` takes, by the number of events of each realisation.

    Parameters
    ----------
    sizes : ndarray of int64, shape (n_realizations,)
        Number of events of each realisation.
    n_marks : int
        Number of marks.
    share, least : float and int
        As for `first_part`.

    Returns
    -------
    tuple of slice and int, or None
        Which realisations, and how many of the first events of the one; None for all. None if data
        are few.
    """
    total, longest = int(sizes.sum()), int(np.argmax(sizes))
    wanted = max(_PART, _PART_PER_PAIR * n_marks**2, least)
    if share > 0.0:
        if share * total < _MANY * wanted:
            return None
        wanted = int(share * total)
    if sizes[longest] >= _MANY * wanted:
        return slice(longest, longest + 1), wanted
    step = total // wanted
    if step < _MANY or sizes.size < _FEWEST_WINDOWS * step:
        return None
    rows = slice(step // 2, None, step)
    return (rows, None) if _MANY * int(sizes[rows].sum()) <= 2 * total else None


def first_events(alone: Events, n_events: int) -> Events:
    """Return the first events of one realisation, which then ends at the last of them.

    Parameters
    ----------
    alone : Events
        One realisation.
    n_events : int
        How many of its events.

    Returns
    -------
    Events
        The realisation cut short.
    """
    return Events.from_arrays(
        alone.times[:n_events],
        alone.marks[:n_events],
        start_times=alone.start_times[0],
        end_times=alone.times[n_events - 1],
        mark_names=alone.mark_names,
        values=pick_values(alone.values, slice(n_events)),
    )


def climb_parabola(
    value: Callable[[float], float],
    tried: dict[float, float],
    start: float,
    width: float,
    *,
    sides: bool = True,
) -> bool:
    """Find a maximum near `start` by parabolas through the best three points.

    Parameters
    ----------
    value : callable
        Profile at a log decay.
    tried : dict
        Values by log decay; filled with what is evaluated here, a few points either side of the
        maximum included, from which its interval can be read.
    start, width : float
        First guess of the maximum, and of the distance over which the profile falls by a few nats.
    sides : bool, default True
        Whether an interval is to be read from the points, so that they must show a fall on either
        side.

    Returns
    -------
    bool
        Whether a maximum was found; if not, the profile is no parabola here.
    """
    for point in (start - width, start, start + width):
        tried[point] = value(point)
    reach = start - 10.0 * width, start + 10.0 * width
    error = refine(value, tried, reach)
    if error is None:
        return False
    best = max(tried, key=lambda point: tried[point])
    if sides:
        look_aside(value, tried, error, (-np.inf, np.inf))
        left, right = tried[min(tried)], tried[max(tried)]
        if not tried[best] - max(left, right) > _FALL:
            return False
    return tried[best] == max(tried.values())


def refine(
    value: Callable[[float], float],
    tried: dict[float, float],
    within: tuple[float, float],
    close: float = _CLOSE,
) -> float | None:
    """Go on from three points or more to the maximum near them by parabolas.

    Parameters
    ----------
    value, tried
        As for `climb_parabola`.
    within : tuple of float
        Log decays that the search must not leave.
    close : float, optional
        Standard errors of the log decay to which the maximum is wanted.

    Returns
    -------
    float or None
        The standard error that the curvature tells; None if the profile is no parabola here.
    """
    for _ in range(_STEPS):
        peak, error = vertex(tried)
        if not (error > 0 and within[0] <= peak <= within[1]):
            return None
        if min(abs(peak - point) for point in tried) < close * error:
            return error
        tried[peak] = value(peak)
    return None


def look_aside(
    value: Callable[[float], float],
    tried: dict[float, float],
    error: float,
    within: tuple[float, float],
) -> None:
    """Add points 2 and 4 standard errors beside the maximum, where there are none near by.

    Parameters
    ----------
    value, tried
        As for `climb_parabola`.
    error : float
        Standard error of the log decay.
    within : tuple of float
        Log decays beyond which nothing is tried.
    """
    best = max(tried, key=lambda point: tried[point])
    far = [(point - best) / error for point in tried]
    for step in (-4.0, -2.0, 2.0, 4.0):
        # a point already tried will do
        if not any(0.75 <= other / step <= 1.75 for other in far):
            point = best + step * error
            if within[0] < point < within[1]:
                tried[point] = value(point)


def extrapolate(found: Mapping[float, FloatArray], point: float) -> FloatArray:
    """Guess parameters at a log decay from those at others.

    Parameters
    ----------
    found : mapping
        Parameters, never negative, by log decay.
    point : float
        Log decay.

    Returns
    -------
    ndarray of float64
        On the parabola through those at the three nearest log decays (or the line through two), or
        0 below it; those at the only one; empty without any.
    """
    nearest = sorted(found, key=lambda other: abs(other - point))[:3]
    if not nearest:
        return np.empty((0, 0))
    out = np.zeros_like(found[nearest[0]])
    for one in nearest:
        others = [other for other in nearest if other != one]
        out += found[one] * math.prod((point - other) / (one - other) for other in others)
    return np.maximum(out, 0.0)


def is_parabola(tried: Mapping[float, float], error: float) -> bool:
    """Tell whether the profile falls some 2 standard errors beside its maximum as it would there.

    Parameters
    ----------
    tried : mapping
        Values by log decay.
    error : float
        Standard error of the log decay.

    Returns
    -------
    bool
        Whether points on either side show a fall within a fifth of a parabola's.
    """
    best = max(tried, key=lambda point: tried[point])
    sides = set()
    for point, value in tried.items():
        far = (point - best) / error
        if 1.5 <= abs(far) <= 3.5:
            sides.add(far > 0)
            if abs(2.0 * (tried[best] - value) / far**2 - 1.0) > _SKEW:
                return False
    return len(sides) == 2


def vertex(tried: dict[float, float]) -> tuple[float, float]:
    """Return the vertex of the parabola through the best three points, and 1 / sqrt(curvature)."""
    points = np.array(sorted(tried, key=lambda point: -tried[point])[:3])
    values = np.array([tried[point] for point in points])
    h1, h2 = points[1] - points[0], points[2] - points[0]
    rise1, rise2 = (values[1:] - values[0]) / (h1, h2)
    curvature = 2.0 * (rise2 - rise1) / (h2 - h1)
    if not curvature < 0:
        return float(points[0]), 0.0
    slope = rise1 - 0.5 * curvature * h1
    return float(points[0] - slope / curvature), float(1.0 / np.sqrt(-curvature))
