"""When the next event comes, and of which mark: from the compensator, without simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import as_float_array, brief
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.process.base import Process

__all__ = ["NextEvent", "next_event", "shown_time"]

_N_CELLS = 64
_MAX_DROP = 0.002
_MAX_HALVINGS = 20


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class NextEvent:
    r"""Law of the next event after the end of a history, up to a horizon.

    Given the history, no event happens up to t with probability
    :math:`S(t) = \exp\big(-\sum_i \int_{t_0}^t \lambda_i(s)\,ds\big)`, and the next event has mark
    i with probability :math:`\int \lambda_i(s) S(s)\,ds`.

    Attributes
    ----------
    times : ndarray of float64, shape (n_times,)
        Times from the end of the history to the horizon, on the clock of the events; as dense as
        keeps every step of `survival` below 0.002.
    survival : ndarray of float64, shape (n_times,)
        Probability that nothing happens up to each time; exact for one process, the mean over the
        draws if the parameters are uncertain.
    mark_probabilities : ndarray of float64, shape (n_marks,)
        Probability that the next event comes within the horizon and has each mark.

    References
    ----------
    Daley, D. J. and Vere-Jones, D. (2003). An Introduction to the Theory of Point Processes I,
    2nd ed., section 7.2. doi:10.1007/b97277

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.Hawkes(baseline=[0.5], adjacency=[[0.5]], decay=1.0)
    >>> past = hawkeys.Events.from_lists([[[1.0, 3.0]]], end_times=3.5)
    >>> coming = hawkeys.forecast(process, past, horizon=4.0, n_paths=10).next_event
    >>> coming
    NextEvent(probability=0.9035, median=4.461, mark_probabilities=[0.9035])
    """

    times: FloatArray
    survival: FloatArray
    mark_probabilities: FloatArray

    @property
    def probability(self) -> float:
        """Probability of an event within the horizon."""
        return float(1.0 - self.survival[-1])

    @property
    def median(self) -> float:
        """Median time of the next event; infinite if it is beyond the horizon."""
        return float(self.quantile(0.5))

    def quantile(self, probability: ArrayLike) -> FloatArray:
        """Return times up to which the next event has come with given probabilities.

        Parameters
        ----------
        probability : float or array_like
            Strictly between 0 and 1.

        Returns
        -------
        ndarray of float64, same shape
            Times on the clock of the events; infinite beyond the horizon.

        Raises
        ------
        InvalidParameterError
            A probability is not strictly between 0 and 1.
        """
        level = as_float_array(probability, "probability")
        if not ((level > 0) & (level < 1)).all():
            raise InvalidParameterError(
                f"probability must lie strictly between 0 and 1; got {brief(probability)}."
            )
        hazard = -np.log(np.maximum(self.survival, np.finfo(np.float64).tiny))
        wanted = -np.log1p(-level)
        return np.where(wanted <= hazard[-1], np.interp(wanted, hazard, self.times), np.inf)

    def __repr__(self) -> str:
        shares = [float(f"{value:.4g}") for value in self.mark_probabilities[:9]]
        shown = f"{shares}" if self.mark_probabilities.size <= 9 else f"<{shares[0]}, ...>"
        median = shown_time(self.median, float(self.times[-1] - self.times[0]))
        return (
            f"NextEvent(probability={self.probability:.4g}, median={median}, "
            f"mark_probabilities={shown})"
        )


def shown_time(time: float, horizon: float) -> str:
    """Return a time with one decimal, or as many as give the wait to a thousandth of the horizon.

    Parameters
    ----------
    time, horizon : float
        In the same unit; the clock of the time may start anywhere.

    Returns
    -------
    str
        Without an exponent and without zeros at the end.

    Examples
    --------
    >>> from hawkeys.forecasting.next_event import shown_time
    >>> shown_time(7800.1, 3600.0), shown_time(1_700_000_000.1234, 60.0), shown_time(0.00125, 0.01)
    ('7800.1', '1700000000.12', '0.00125')
    """
    if not np.isfinite(time):
        return f"{time}"
    decimals = max(1, 3 - int(np.floor(np.log10(horizon))))
    return np.format_float_positional(round(time, decimals), trim="-")


def next_event(processes: Sequence[Process], history: Events, horizon: float) -> NextEvent:
    """Return the law of the next event of one process, or of the mixture of several.

    Parameters
    ----------
    processes : sequence of Hawkes or NonlinearHawkes
        One process, or draws of it; the times are laid out for the first.
    history : Events
        One realisation, observed up to the start of the forecast.
    horizon : float
        How far to look, in the unit of time.

    Returns
    -------
    NextEvent
        Up to the horizon.
    """
    start = float(history.end_times[0])
    end = start + horizon
    extended = Events.from_arrays(
        history.times,
        history.marks,
        start_times=history.start_times,
        end_times=end,
        mark_names=history.mark_names,
        values=history.values,
    )
    times = _lay_out(processes[0], extended, start, end)
    survival, marks = np.zeros(times.size), np.zeros(extended.n_marks)
    for process in processes:
        alive, hazard = _survival(process, extended, times)
        survival += alive / len(processes)
        marks += _deal_out(alive, hazard) / len(processes)
    return NextEvent(times, survival, marks)


def _lay_out(process: Process, extended: Events, start: float, end: float) -> FloatArray:
    """Return times so dense that the survival falls by less than 0.002 from one to the next."""
    times = np.linspace(start, end, _N_CELLS + 1)
    times[-1] = end
    for _ in range(_MAX_HALVINGS):
        steep = np.flatnonzero(-np.diff(_survival(process, extended, times)[0]) > _MAX_DROP)
        if steep.size == 0:
            break
        middle = times[steep] + 0.5 * (times[steep + 1] - times[steep])
        times = np.unique(np.concatenate((times, middle)))
    return times


def _survival(
    process: Process, extended: Events, times: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return S at times from the start of the forecast on, and the hazard of each mark."""
    mass = process.compensator(extended, times)
    hazard = mass - mass[0]
    return np.exp(-hazard.sum(axis=1)), hazard


def _deal_out(survival: FloatArray, hazard: FloatArray) -> FloatArray:
    """Return the probability of each mark: every fall of S shared as the hazards grow."""
    steps = np.diff(hazard, axis=0)
    total = steps.sum(axis=1)
    shares = steps / np.where(total > 0, total, 1.0)[:, None]
    return -np.diff(survival) @ shares
