"""`examine`: valid events whose window, unit or clock is probably not what was meant."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import numpy as np

from hawkeys._progress import stages
from hawkeys._typing import FloatArray, IntArray
from hawkeys.baselines import Baseline, Constant, Periodic
from hawkeys.events import Events
from hawkeys.exceptions import EventsWarning
from hawkeys.inference.coarse.clock import clock_step
from hawkeys.kernels import (
    DelayedKernel,
    Exponential,
    Kernel,
    PowerLaw,
    Productive,
    SumExponential,
)

__all__ = ["examine", "log_fit", "quietly", "warn_about_ties"]

# a late start or an early end: fewest events, share of the windows, probability
_FEWEST = 5
_SHARE = 0.25
_IMPROBABLE = 1e-9
_SCALES = (2, 4, 8, 16, 32)
# independent clusters that events stand for: at least, and per event and index of dispersion
_CLUSTERS = 3.0
_EVENTS_PER_CLUSTER = 7.0
_CERTAIN = 0.95
# a kernel in units of 1 / decay: exp(-5) is little, exp(-40) less than rounding
_FADED, _GONE = 5.0, 40.0
_FELT = 0.01
_MANY = 100
_SEEN = 1e-3
# ties per square root of the number of events, if the kernel is given or estimated; at least
_TIES = {True: 0.5, False: 0.2}
_FEWEST_TIES = 3
# of the distances that matter
_ROUNDING = 0.01

_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


@contextmanager
def quietly() -> Iterator[None]:
    """Say nothing of the events for a while: they, or those they imitate, were examined before."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


def log_fit(what: str, events: Events) -> Events:
    """Log that a fit begins, but for the re-fits of a bootstrap or test; return the events."""
    if not _quiet.get():
        stages.info(
            "%s: %d events of %d marks in %d realisations",
            *(what, events.n_events, events.n_marks, events.n_realizations),
        )
    return events


def examine(
    events: Events,
    kernel: Kernel | None,
    baseline: Baseline | None = None,
    *,
    separate: bool = False,
) -> None:
    """Warn if the events look as if their window, unit or clock were not what was meant.

    Parameters
    ----------
    events : Events
        What is to be fitted.
    kernel : Kernel or None
        The kernel if its time scale is given.
    baseline : Baseline, optional
        Which is fitted. Default: constant.
    separate : bool, default False
        Whether each realisation is fitted alone.

    Warns
    -----
    EventsWarning
        For each of the rules below that the events break.

    Notes
    -----
    *A window that starts too early.* Under any Hawkes process with a constant baseline the first
    event is the first of its m immigrants: let s be the share of the window from it on, then P(s <
    x) <= x, and x^n for a Poisson process given its n events. So S = -sum_r m_r log s_r, over the R
    realisations with events, is compared with the sum of R exponential variables, whose
    distribution is Gamma(R); m_r is the number of independent clusters that the n_r events stand
    for. That is taken to be n_r / (7 F), but at least 1 and 3 / R, where F >= 1 is the index of
    dispersion of the counts after the first event in 2, 4, ... 32 parts of the windows: the largest
    of its lower 95 % bounds. A warning is issued from 5 events and an empty share of 1/4 on, if
    P(S) < 1e-9. So Unix seconds with a window from 0 are found from 5 events within a week on, from
    60 within a year and 400 within 30 years. False alarms: none for Poisson processes (probability
    below 1e-9); none in 600,000 simulations of Hawkes processes with 10 to 40 expected immigrants
    and branching ratios to .95; up to 3 in 100,000 with 1 to 3 expected immigrants and a branching
    ratio of .8 or more, where a late cluster may be all there is.

    *A window that ends too late* is found likewise, for the last event is not earlier than the last
    immigrant. A piecewise constant baseline describes the window, which is then not questioned; a
    periodic one may be silent for a period.

    *A unit that is not that of the decay.* A warning is issued if the median distance of events is
    above 40 / decay and fewer than 1 % of the events follow another within 5 / decay, when less
    than exp(-5) of the kernel is left (with fewer than 100 distances: none within 40 / decay), or
    if less than 1/1000 of the kernel's mass falls into the longest window.

    *A coarse clock.* Events that rounding makes simultaneous do not excite each other. In
    simulations (adjacency .1 to .7, decay 1.6 to 16 times the rate of events, 400 to 40,000 events)
    k ties among n events moved the estimated adjacency by up to .65 k / sqrt(n) standard errors
    under the true decay, and an estimated decay by up to 2.7 k / sqrt(n), both downwards. A warning
    is issued from 3 ties on, if k is at least sqrt(n) / 2 or, where the kernel is estimated,
    sqrt(n) / 5: when the bias reaches about half a standard error. For fits of each realisation
    that is asked of their average.

    *Doubles too far from 0.* A warning is issued if doubles of the size of the times lie further
    apart than 1/100 of the median distance of the events or of the time scale of the kernel.
    """
    if _quiet.get():
        return
    scale = _scale_of(kernel)
    messages = [_about_window(events, baseline), _about_unit(events, scale)]
    messages.append(_about_doubles(events, scale))
    if messages[-1] is None:  # which tells of ties, too
        messages.append(_about_ties(events, scale, separate=separate))
    for message in messages:
        if message:
            warnings.warn(message, EventsWarning, stacklevel=3)


def warn_about_ties(events: Events, kernel: Kernel, what: str) -> None:
    """Warn that simultaneous events make what is asked for invalid.

    Parameters
    ----------
    events : Events
        The events of a fit.
    kernel : Kernel
        The kernel of the fit.
    what : str
        What is asked for.

    Warns
    -----
    EventsWarning
        There are as many ties as `examine` warns of.
    """
    message = None if _quiet.get() else _about_ties(events, _scale_of(kernel))
    if message:
        warnings.warn(f"{what}: {message}", EventsWarning, stacklevel=3)


class _Scale(NamedTuple):
    """Time scale of a kernel: its name, when it has faded and is gone, the mass up to a lag."""

    name: str
    length: float
    faded: float
    gone: float
    mass: Callable[[float], float]


def _scale_of(kernel: Kernel | None) -> _Scale | None:
    """Return the time scale of a kernel that has one given."""
    kernel = kernel.kernel if isinstance(kernel, Productive) else kernel
    if isinstance(kernel, DelayedKernel):
        if not kernel.known:
            return None
        horizon = float(np.max(kernel.horizon))
        return _Scale(
            "horizon", horizon, horizon, horizon, lambda lag: float(kernel.cdf(lag).max())
        )
    if isinstance(kernel, Exponential):
        decays = kernel.decay
    elif isinstance(kernel, SumExponential) and kernel.decays.size:
        decays = kernel.decays
    elif isinstance(kernel, PowerLaw):
        return _scale_of_power_law(kernel) if kernel.known else None
    else:
        return None
    slow = fast = float(decays) if decays.ndim == 0 else 0.0
    if decays.ndim:
        slow, fast = float(decays.min()), float(decays.max())
    return _Scale(
        "time scale 1/decay",
        1.0 / slow,
        _FADED / slow,
        _GONE / slow,
        lambda lag: -math.expm1(-fast * lag),
    )


def _scale_of_power_law(kernel: PowerLaw) -> _Scale:
    """Return the time scale c; the kernel is gone when as little is left as of an exponential."""
    c, p = kernel.law()
    with np.errstate(over="ignore"):
        faded, gone = c * np.expm1(np.array([_FADED, _GONE]) / (p - 1.0))
    return _Scale(
        "time scale c", c, float(faded), float(gone), lambda lag: float(kernel.cdf(lag)[0])
    )


def _apart(events: Events) -> FloatArray:
    """Return the times since the event before of the same realisation, where they are not 0."""
    gaps = np.diff(events.times)
    gaps[_edges(events) - 1] = 0.0
    return gaps[gaps > 0]


def _edges(events: Events) -> IntArray:
    """Return the first event of each realisation that follows one with events."""
    if events.n_realizations == 1:
        return events.offsets[:0]
    edges = events.offsets[1:-1]
    return edges[(edges > events.offsets[:-2]) & (edges > 0) & (edges < events.n_events)]


def _about_window(events: Events, baseline: Baseline | None) -> str | None:
    silence = 0.0
    if isinstance(baseline, Periodic):
        silence = baseline.period
    elif not (baseline is None or isinstance(baseline, Constant)):
        return None
    if events.n_events < _FEWEST:
        return None
    if events.n_realizations == 1 and _is_filled(events):
        return None
    full = np.flatnonzero(np.diff(events.offsets))
    first = events.times[events.offsets[full]] - events.start_times[full]
    last = events.end_times[full] - events.times[events.offsets[full + 1] - 1]
    total = float(events.durations[full].sum())
    for gaps, name, fault in ((first, "start", "first"), (last, "end", "last")):
        if gaps.sum() > _SHARE * total and _is_improbable(events, full, gaps, silence, name):
            return _late(events, full, gaps, name, fault)
    return None


def _is_filled(events: Events) -> bool:
    """Tell whether the events of one realisation come near both ends: the usual case, quickly."""
    start, end = float(events.start_times[0]), float(events.end_times[0])
    margin = _SHARE * (end - start)
    return events.times[0] - start <= margin and end - events.times[-1] <= margin


def _is_improbable(
    events: Events, full: np.ndarray, gaps: FloatArray, silence: float, side: str
) -> bool:
    """Tell whether so long an empty part of the windows is improbable under any constant rate."""
    from scipy.special import gammaincc

    sizes = np.diff(events.offsets)[full]
    left = 1.0 - np.maximum(gaps - silence, 0.0) / events.durations[full]
    wait = -np.log(np.maximum(left, 1e-300))
    least = max(1.0, _CLUSTERS / full.size)

    def tail(dispersion: float) -> float:
        clusters = np.maximum(sizes / (_EVENTS_PER_CLUSTER * dispersion), least)
        return float(gammaincc(full.size, clusters @ wait))

    return tail(1.0) < _IMPROBABLE and tail(_dispersion(events, full, side)) < _IMPROBABLE


def _dispersion(events: Events, full: np.ndarray, side: str) -> float:
    """Return a lower bound on the index of dispersion of the counts in parts of the windows."""
    from scipy.special import chdtri

    sizes = np.diff(events.offsets)[full]
    row = np.repeat(np.arange(full.size), sizes)
    begin = events.times[events.offsets[full]] if side == "start" else events.start_times[full]
    ends = events.end_times[full]
    end = ends if side == "start" else events.times[events.offsets[full + 1] - 1]
    width = np.maximum(end - begin, np.finfo(np.float64).tiny)
    place = (events.times - begin[row]) / width[row]
    largest = 1.0
    for parts in _SCALES:
        cell = row * parts + np.minimum((place * parts).astype(np.int64), parts - 1)
        counts = np.bincount(cell, minlength=full.size * parts).reshape(-1, parts)
        mean = (sizes / parts)[:, None]
        spread = float(((counts - mean) ** 2 / mean).sum())  # chi-square if the rate is constant
        largest = max(largest, spread / float(chdtri(full.size * (parts - 1), 1.0 - _CERTAIN)))
    return largest


def _late(events: Events, full: np.ndarray, gaps: FloatArray, side: str, part: str) -> str:
    share = 100.0 * gaps.sum() / events.durations[full].sum()
    start, end = events.start_times[full[0]], events.end_times[full[0]]
    late = side == "start"
    if full.size == 1:
        edge = f"before {start + gaps[0]:.12g}" if late else f"after {end - gaps[0]:.12g}"
        where = f"the window from {start:.12g} to {end:.12g} has no event {edge}, "
        where += f"{share:.4g} % of it"
    else:
        where = f"the windows of {full.size} realisations have no event in the {part} {share:.4g} %"
    return (
        f"{where}, but {events.n_events} in the rest. Under a constant baseline the chance of that "
        f"is below {_IMPROBABLE:g}. If observation {'began later' if late else 'ended earlier'}, "
        f"give {side}_time= ({side}_times= of Events): rates and adjacency are wrong otherwise. If "
        "not, the baseline changes; see hawkeys.baselines."
    )


def _about_unit(events: Events, scale: _Scale | None) -> str | None:
    if scale is None or events.n_events == 0:
        return None
    durations = events.durations
    longest = float(durations[0] if durations.size == 1 else durations.max())
    if scale.mass(longest) < _SEEN:
        return (
            f"the {scale.name} of the kernel is {scale.length:.4g}, the longest window "
            f"{longest:.4g}: less than {_SEEN:g} of an event's children would fall into it, so "
            "that it shows next to nothing of them. Are times and kernel in one unit?"
        )
    if longest * events.n_realizations < 0.5 * scale.gone * events.n_events:
        return None  # the median distance is at most twice the mean
    apart = _apart(events)
    reach = scale.faded if apart.size >= _MANY else scale.gone
    felt = int(np.count_nonzero(apart < reach))
    if apart.size < 2 or felt >= max(1.0, _FELT * apart.size):
        return None
    median = float(np.median(apart))
    if median < scale.gone:
        return None
    return (
        f"the {scale.name} of the kernel is {scale.length:.4g}, the median distance between events "
        f"{median:.4g}, {median / scale.length:.3g} times as long: {felt} of {apart.size} events "
        f"have one within {reach:.4g} before them, the others feel no excitation. Are times and "
        "decay in one unit (not ms beside a decay per second)?"
    )


def _about_ties(events: Events, scale: _Scale | None, *, separate: bool = False) -> str | None:
    ties = events.n_ties
    if ties < _FEWEST_TIES:
        return None
    independent = events.n_realizations if separate else 1
    if ties < _TIES[scale is not None] * math.sqrt(events.n_events * independent):
        return None
    clock, remedy = _clock(events, _apart(events), scale)
    return (
        f"{ties} of {events.n_events} events ({100 * ties / events.n_events:.2g} %) are at the "
        f"time of the event before. {clock} Simultaneous events do not excite each other, and lags "
        "shorter than the clock's step are lost: adjacency and decay are biased, their intervals "
        f"too narrow and edge_tests not valid. {remedy}"
    )


def _clock(events: Events, apart: FloatArray, scale: _Scale | None) -> tuple[str, str]:
    """Say what the clock is that makes events simultaneous, and what to do."""
    largest = float(np.abs(events.times).max())
    spacing = float(np.spacing(largest))
    finer = "Record finer times."
    if apart.size and apart.min() < 4.0 * spacing:
        return f"Doubles as large as the times, {largest:.6g}, lie {spacing:.3g} apart.", finer
    step = clock_step(apart, 16.0 * spacing)
    if step is None:
        return "No step of a clock is apparent; were events recorded twice?", finer
    told = f"resolution={step:.6g}"
    remedy = (
        f"hawkeys.fit with an exponential kernel allows for it: {told} if times were rounded down, "
        f"{told} and rounding='nearest' if to the nearest step; of counts by bins make "
        "Events.from_counts. Or record finer times."
    )
    if scale is None:
        where = "compare that with the time scale of the kernel."
        return f"The clock steps by {step:.6g}; {where}", remedy
    return (
        f"The clock steps by {step:.6g}; the {scale.name} of the kernel is {scale.length:.4g}, "
        f"{scale.length / step:.3g} steps."
    ), remedy


def _about_doubles(events: Events, scale: _Scale | None) -> str | None:
    if events.n_events < 2:
        return None
    spacing = math.ulp(max(abs(float(events.times[0])), abs(float(events.times[-1]))))
    durations = events.durations
    total = float(durations[0] if durations.size == 1 else durations.sum())
    mean = total / events.n_events
    near = mean if scale is None else min(mean, scale.length)
    if spacing <= _ROUNDING * near:
        return None
    apart = _apart(events)
    matter = [float(np.median(apart))] if apart.size else [mean]
    matter += [] if scale is None else [scale.length]
    if spacing <= _ROUNDING * min(matter):
        return None
    return (
        f"doubles as large as the times, {events.times[-1]:.6g}, lie {spacing:.3g} apart, "
        f"{spacing / min(matter):.2g} of the distances that matter ({min(matter):.3g}): lags are "
        f"rounded, {events.n_ties} of {events.n_events} events are at the time "
        "of the event before and not excited by it, and adjacency and decay are biased. Subtract "
        "the start of observation before the times become doubles; integers are shifted exactly if "
        "the start is an integer, too (see hawkeys.Events)."
    )
