"""`ClockResidualClassifier`: a probe that sees the machine's clock and nothing of the typing."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import check_count, check_positive_number
from hawkeys.datasets.named.event_times import CLOCK_TICK, clock_residuals
from hawkeys.verifiers.event_times.classifiers import EventTimeClassifier

__all__ = ["ClockResidualClassifier"]


class ClockResidualClassifier(EventTimeClassifier):
    """Tell people apart by how their intervals scatter about the ticks of the clock.

    Bayes' rule with a histogram of the residuals of each person. Where this succeeds, intervals
    that were not snapped (`hawkeys.datasets.snap_intervals`) show which machine was used, and
    results on them say little about people.

    Parameters
    ----------
    tick : float, default 0.004
        Seconds between two ticks.
    n_bins : int, default 100
        Bins of the histogram between half a tick below and half a tick above.

    Attributes
    ----------
    log_density_ : ndarray of float64, shape (n_people, n_bins)
        Log share of each bin, one count added to each.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.verifiers.event_times import ClockResidualClassifier
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.normal(0.0, np.repeat([1e-4, 5e-4], 20)[:, None], (40, 30))
    >>> samples, machines = 0.1 + noise, np.repeat(["one", "other"], 20)
    >>> ClockResidualClassifier().fit(samples, machines).score(samples, machines)
    1.0
    """

    _positive = False  # no logarithm is taken

    def __init__(self, tick: float = CLOCK_TICK, n_bins: int = 100) -> None:
        self.tick = tick
        self.n_bins = n_bins

    def _learn(self, intervals: FloatArray, index: np.ndarray) -> None:
        check_positive_number(self.tick, "tick")
        check_count(self.n_bins, "n_bins", minimum=2)
        bins = self._bins(intervals)
        people = range(self.classes_.size)
        counts = [np.bincount(bins[index == k].ravel(), minlength=self.n_bins) for k in people]
        smoothed = np.array(counts) + 1.0
        self.log_density_ = np.log(smoothed / smoothed.sum(axis=1, keepdims=True))

    def _log_proba(self, intervals: FloatArray) -> FloatArray:
        values = self.log_density_[:, self._bins(intervals)].sum(axis=2).T
        return np.asarray(log_softmax(values, axis=1))

    def _bins(self, intervals: FloatArray) -> IntArray:
        share = clock_residuals(intervals, tick=self.tick) / self.tick + 0.5
        return np.clip((share * self.n_bins).astype(np.int64), 0, self.n_bins - 1)
