"""Classifiers of event times: by likelihood, by statistics, and by both together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_choice, check_positive_number
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers.event_times.hawkes import ExponentialHawkes, LogLinearHawkes
from hawkeys.verifiers.event_times.model import EventTimeModel, check_intervals
from hawkeys.verifiers.event_times.renewal import MarkovRenewal, MixtureRenewal
from hawkeys.verifiers.event_times.single_samples import single_sample_fits
from hawkeys.verifiers.event_times.statistics import interval_statistics
from hawkeys.verifiers.protocol import Needs

__all__ = [
    "EventTimeClassifier",
    "LikelihoodClassifier",
    "StackClassifier",
    "StatisticsClassifier",
]

Classifier = TypeVar("Classifier", bound="EventTimeClassifier")


class EventTimeClassifier(ClassifierMixin, BaseEstimator, ABC):
    """Base of the classifiers: a subclass gives `_learn` and `_log_proba`.

    All people are equally likely beforehand, however many samples each has.
    """

    needs = Needs("event times", holds=False, keys=False, background=True)
    _positive = True

    @abstractmethod
    def _learn(self, intervals: FloatArray, index: np.ndarray) -> None:
        """Set fitted attributes from checked intervals and the place of each in `classes_`."""

    @abstractmethod
    def _log_proba(self, intervals: FloatArray) -> FloatArray:
        """Return log probabilities of checked intervals, (n_samples, n_people)."""

    def fit(self: Classifier, X: Any, y: ArrayLike) -> Classifier:
        """Learn the people.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_intervals)
            Seconds, > 0.
        y : array_like, shape (n_samples,)
            The person of each sample.

        Returns
        -------
        object
            The classifier itself.

        Raises
        ------
        InvalidTimingsError
            If an interval is not positive, or there are too few.
        InvalidParameterError
            If there are fewer than two people, or labels and samples differ in number.
        """
        intervals, labels = check_intervals(X, "X", positive=self._positive), np.asarray(y)
        if labels.shape != (len(intervals),):
            raise InvalidParameterError(
                f"y must hold one person per sample, shape ({len(intervals)},); got shape "
                f"{labels.shape}."
            )
        self.classes_, index = np.unique(labels, return_inverse=True)
        if self.classes_.size < 2:
            raise InvalidParameterError(
                f"y names one person, {str(self.classes_[0])!r}; two or more are needed."
            )
        self._learn(intervals, index)
        return self

    def predict_log_proba(self, X: Any) -> FloatArray:
        """Return how likely each person is.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_intervals)
            Seconds, > 0.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_people)
            Log of the probability, in the order of `classes_`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        InvalidTimingsError
            If an interval is not positive, or there are too few.
        InvalidParameterError
            If they are no regular array of finite numbers.
        """
        check_is_fitted(self)
        return self._log_proba(check_intervals(X, "X", positive=self._positive))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most likely person of each sample.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_intervals)
            Seconds, > 0.

        Returns
        -------
        ndarray, shape (n_samples,)
            Of `classes_`.

        Raises
        ------
        InvalidTimingsError, InvalidParameterError
            As `predict_log_proba`.
        """
        return np.asarray(self.classes_[self.predict_log_proba(X).argmax(axis=1)])


class LikelihoodClassifier(EventTimeClassifier):
    """Bayes' rule with one law of intervals per person.

    Parameters
    ----------
    model : EventTimeModel, optional
        The law; a copy is fitted to each person. Default: `MarkovRenewal`.

    Attributes
    ----------
    models_ : list of EventTimeModel
        Fitted, in the order of `classes_`.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.verifiers.event_times import LikelihoodClassifier, LogNormalRenewal
    >>> rng = np.random.default_rng(0)
    >>> samples = np.exp(rng.normal(np.repeat([-2.0, -1.0], 20)[:, None], 0.5, (40, 30)))
    >>> people = np.repeat(["ann", "bob"], 20)
    >>> LikelihoodClassifier(LogNormalRenewal()).fit(samples, people).score(samples, people)
    1.0
    """

    def __init__(self, model: EventTimeModel | None = None) -> None:
        self.model = model

    def _learn(self, intervals: FloatArray, index: np.ndarray) -> None:
        model = MarkovRenewal() if self.model is None else self.model
        self.models_ = fit_each_person(model, intervals, index)

    def _log_proba(self, intervals: FloatArray) -> FloatArray:
        values = [model.log_likelihood(intervals) for model in self.models_]
        return np.asarray(log_softmax(np.stack(values, axis=1), axis=1))


class StatisticsClassifier(EventTimeClassifier):
    """Logistic regression on statistics of the intervals.

    Parameters
    ----------
    which : {"all", "two"}, default "all"
        All of `STATISTICS`, or mean and standard deviation of the log intervals alone.
    C : float, default 1.0
        Inverse strength of the ridge penalty on standardised statistics.

    Attributes
    ----------
    regression_ : sklearn.pipeline.Pipeline
        Scaling and regression.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.verifiers.event_times import StatisticsClassifier
    >>> rng = np.random.default_rng(0)
    >>> samples = np.exp(rng.normal(np.repeat([-2.0, -1.0], 20)[:, None], 0.5, (40, 30)))
    >>> people = np.repeat(["ann", "bob"], 20)
    >>> StatisticsClassifier("two").fit(samples, people).score(samples, people)
    1.0
    """

    def __init__(self, which: str = "all", C: float = 1.0) -> None:
        self.which = which
        self.C = C

    def _learn(self, intervals: FloatArray, index: np.ndarray) -> None:
        check_choice(self.which, "which", ("all", "two"))
        self.regression_ = _regression(self.C).fit(self._features(intervals), index)

    def _log_proba(self, intervals: FloatArray) -> FloatArray:
        return _log_proba_of(self.regression_, self._features(intervals))

    def _features(self, intervals: FloatArray) -> FloatArray:
        statistics = interval_statistics(intervals)
        return statistics[:, :2] if self.which == "two" else statistics


class StackClassifier(EventTimeClassifier):
    """Logistic regression on statistics, likelihood ratios and fits of single samples.

    Columns: all of `STATISTICS`; of each model, the log-likelihood of each person's law less their
    mean; of each sample, the classical Hawkes process fitted to it alone at two decays. The laws
    have some fifty parameters and are fitted to tens of thousands of intervals, so that what they
    say of their own training samples is all but what they say of others.

    Parameters
    ----------
    models : sequence of EventTimeModel, optional
        Laws. Default: `MixtureRenewal`, `MarkovRenewal`, `LogLinearHawkes`, `ExponentialHawkes`.
    C : float, default 0.1
        Inverse strength of the ridge penalty on standardised columns.

    Attributes
    ----------
    models_ : list of list of EventTimeModel
        For each model its fits, in the order of `classes_`.
    regression_ : sklearn.pipeline.Pipeline
        Scaling and regression.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.verifiers.event_times import LogNormalRenewal, StackClassifier
    >>> rng = np.random.default_rng(0)
    >>> samples = np.exp(rng.normal(np.repeat([-2.0, -1.0], 20)[:, None], 0.5, (40, 30)))
    >>> people = np.repeat(["ann", "bob"], 20)
    >>> StackClassifier([LogNormalRenewal()]).fit(samples, people).score(samples, people)
    1.0
    """

    def __init__(self, models: Sequence[EventTimeModel] | None = None, C: float = 0.1) -> None:
        self.models = models
        self.C = C

    def _learn(self, intervals: FloatArray, index: np.ndarray) -> None:
        given = self.models
        if given is None:
            given = (MixtureRenewal(), MarkovRenewal(), LogLinearHawkes(), ExponentialHawkes())
        self.models_ = [fit_each_person(model, intervals, index) for model in given]
        self.regression_ = _regression(self.C).fit(self._features(intervals), index)

    def _log_proba(self, intervals: FloatArray) -> FloatArray:
        return _log_proba_of(self.regression_, self._features(intervals))

    def _features(self, intervals: FloatArray) -> FloatArray:
        parts = [interval_statistics(intervals), single_sample_fits(intervals)]
        for fits in self.models_:
            values = np.stack([model.log_likelihood(intervals) for model in fits], axis=1)
            parts.append(values - values.mean(axis=1, keepdims=True))
        return np.concatenate(parts, axis=1)


def fit_each_person(
    model: EventTimeModel, intervals: FloatArray, index: np.ndarray
) -> list[EventTimeModel]:
    """Return a copy of the model fitted to each person's samples, in order of their numbers."""
    return [clone(model).fit(intervals[index == k]) for k in range(int(index.max()) + 1)]


def _regression(strength: float) -> Pipeline:
    """Return scaling and logistic regression, all people equally likely, with a ridge penalty."""
    check_positive_number(strength, "C")
    regression = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)
    return make_pipeline(StandardScaler(), regression)


def _log_proba_of(regression: Pipeline, features: FloatArray) -> FloatArray:
    """Return log probabilities that stay finite where probabilities round to 0 or 1."""
    odds = np.asarray(regression.decision_function(features), dtype=np.float64)
    if odds.ndim == 1:
        return -np.logaddexp(0.0, np.stack((odds, -odds), axis=1))
    return np.asarray(log_softmax(odds, axis=1))
