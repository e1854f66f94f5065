"""Systems that tell people apart by when they strike keys, without which keys, and no network.

Samples are intervals (n_samples, n_intervals) in seconds, as `hawkeys.datasets.EventSlices` holds
them. A model (`EventTimeModel`) gives the log-likelihood of a person's samples; a
classifier (`LikelihoodClassifier`, `StatisticsClassifier`, `StackClassifier`) tells several people
apart; `EventTimeVerifier` makes of a classifier the ratio of one person to a background.
"""

from hawkeys.verifiers.event_times.classifiers import (
    EventTimeClassifier,
    LikelihoodClassifier,
    StackClassifier,
    StatisticsClassifier,
)
from hawkeys.verifiers.event_times.clock import ClockResidualClassifier
from hawkeys.verifiers.event_times.hawkes import ExponentialHawkes, LogLinearHawkes
from hawkeys.verifiers.event_times.model import EventTimeModel
from hawkeys.verifiers.event_times.renewal import LogNormalRenewal, MarkovRenewal, MixtureRenewal
from hawkeys.verifiers.event_times.statistics import STATISTICS, interval_statistics
from hawkeys.verifiers.event_times.verifier import EventTimeVerifier

__all__ = [
    "STATISTICS",
    "ClockResidualClassifier",
    "EventTimeClassifier",
    "EventTimeModel",
    "EventTimeVerifier",
    "ExponentialHawkes",
    "LikelihoodClassifier",
    "LogLinearHawkes",
    "LogNormalRenewal",
    "MarkovRenewal",
    "MixtureRenewal",
    "StackClassifier",
    "StatisticsClassifier",
    "interval_statistics",
]
