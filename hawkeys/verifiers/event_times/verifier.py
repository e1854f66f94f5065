"""`EventTimeVerifier`: one person against a background, by the ratio of their likelihoods."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from hawkeys._typing import FloatArray
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers.event_times.classifiers import EventTimeClassifier, LikelihoodClassifier
from hawkeys.verifiers.event_times.model import check_intervals
from hawkeys.verifiers.protocol import Needs

__all__ = ["EventTimeVerifier"]


class EventTimeVerifier(BaseEstimator):
    """Verify one person by event times, against a background of other people.

    The score is the log of the probability of the person over that of the background, both equally
    likely beforehand; of a `LikelihoodClassifier` that is the log-likelihood ratio. A background
    is needed: the likelihood of the person alone is highest for whoever types most regularly.

    Parameters
    ----------
    classifier : EventTimeClassifier, optional
        What tells the two apart. Default: `LikelihoodClassifier()`.

    Attributes
    ----------
    classifier_ : EventTimeClassifier
        Fitted; its class 1 is the person.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.verifiers.event_times import EventTimeVerifier, StatisticsClassifier
    >>> rng = np.random.default_rng(0)
    >>> own, other = (np.exp(rng.normal(place, 0.5, (20, 30))) for place in (-2.0, -1.0))
    >>> verifier = EventTimeVerifier(StatisticsClassifier()).fit(own, other)
    >>> bool((verifier.score_samples(own) > 0).all())
    True
    """

    needs = Needs("event times", holds=False, keys=False, background=True)

    def __init__(self, classifier: EventTimeClassifier | None = None) -> None:
        self.classifier = classifier

    def fit(self, genuine: Any, background: Any = None) -> EventTimeVerifier:
        """Enrol a person.

        Parameters
        ----------
        genuine : array_like, shape (n_samples, n_intervals)
            Intervals of the person, seconds, > 0.
        background : array_like, shape (n_others, n_intervals)
            Intervals of other people.

        Returns
        -------
        EventTimeVerifier
            The verifier itself.

        Raises
        ------
        InvalidParameterError
            If there is no background, or it has samples of another length.
        InvalidTimingsError
            If an interval is not positive, or there are too few.
        """
        if background is None:
            raise InvalidParameterError(
                "background is needed: samples of other people, because the likelihood of one "
                "person alone is highest for whoever types most regularly. Give "
                "fit(genuine, background)."
            )
        own = check_intervals(genuine, "genuine")
        other = check_intervals(background, "background")
        if own.shape[1] != other.shape[1]:
            raise InvalidParameterError(
                f"genuine has samples of {own.shape[1]} intervals, background of {other.shape[1]}; "
                "cut both alike."
            )
        chosen = LikelihoodClassifier() if self.classifier is None else self.classifier
        labels = np.repeat([1, 0], [len(own), len(other)])
        self.classifier_ = clone(chosen).fit(np.concatenate([own, other]), labels)
        return self

    def score_samples(self, samples: Any) -> FloatArray:
        """Return how genuine samples are.

        Parameters
        ----------
        samples : array_like, shape (n_samples, n_intervals)
            Seconds, > 0.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            Log of the ratio, in nats; higher for more genuine.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        InvalidTimingsError, InvalidParameterError
            As `fit`.
        """
        check_is_fitted(self)
        log = self.classifier_.predict_log_proba(samples)
        return np.asarray(log[:, 1] - log[:, 0])
