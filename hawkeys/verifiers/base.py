"""The contract of every verifier: one class, scikit-learn's habits of an outlier detector."""

import warnings
from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeVar

import numpy as np

from hawkeys._estimators import OutlierDetector, check_fitted, check_matrix, pipeline_end
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import check_fraction
from hawkeys.exceptions import EnrolmentWarning, InvalidParameterError
from hawkeys.verifiers._few import judged_by_others, left_out_scores
from hawkeys.verifiers._named import check_named
from hawkeys.verifiers._weights import check_enough, resubstitution_threshold, weights_of

__all__ = ["OneClassVerifier", "WeightedVerifier", "most_needed", "resubstitution_threshold"]

Verifier = TypeVar("Verifier", bound="OneClassVerifier")
Weighted = TypeVar("Weighted", bound="WeightedVerifier")


class OneClassVerifier(OutlierDetector, ABC):
    """Base of the verifiers: enrol one typist, then accept or reject typing samples.

    A subclass gives `_learn`, which sets fitted attributes from checked training samples, and
    `_score`, which returns one number per checked sample, higher for more genuine. Checks, the
    threshold, scores relative to it and decisions are written here, once.

    Parameters
    ----------
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    offset_ : float
        Score below which a sample is rejected: minus the `resubstitution_threshold` of the
        distances -score of the training samples, of 3 to 29 by verifiers that did not see them.
    n_features_in_ : int
        Columns of the training samples.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, when the training samples were a frame.
    enough_samples : int or None
        Number of training samples from which the verifier means something, a constant of its
        class; None if there is no such number. `fit` warns below it.
    enough_samples_per_feature : int
        The same, for each feature; the larger of both counts.

    Warns
    -----
    EnrolmentWarning
        By `fit`, with fewer training samples than `samples_needed`.

    Notes
    -----
    The threshold is set on the training samples, as published; on fresh ones false alarms are
    usually more than `false_alarm`, and of 3 to 29 samples .2 to 1, so these judge each other.

    Examples
    --------
    A verifier of one's own:

    >>> import numpy as np
    >>> from hawkeys.verifiers import OneClassVerifier
    >>> class Largest(OneClassVerifier):
    ...     def _learn(self, samples):
    ...         self.center_ = np.median(samples, axis=0)
    ...     def _score(self, samples):
    ...         return -np.abs(samples - self.center_).max(axis=1)
    >>> verifier = Largest().fit([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> verifier.predict([[0.2, 0.2], [3.0, 0.0]])
    array([ 1, -1])
    """

    # Measured by benchmarks/enough_samples.py: see `samples_needed`.
    enough_samples: ClassVar[int | None] = 2
    enough_samples_per_feature: ClassVar[int] = 0
    # Whether a `fit` of its own does nothing but `_check_training`, `_learn` and the threshold.
    _fit_checks_and_learns: ClassVar[bool] = False

    def __init__(self, *, false_alarm: float = 0.05) -> None:
        self.false_alarm = false_alarm

    def samples_needed(self, n_features: int) -> int | None:
        """Return the number of training samples from which the verifier means something.

        It was measured on typists of the CMU benchmark: with so many samples the verifier tells
        typists apart half as well as with 200 (by the area under the ROC curve above 1/2, and by
        what is left of 1 after misses and false alarms at its own threshold). With fewer it rejects
        nearly all samples of the typist or accepts nearly all impostors.

        Parameters
        ----------
        n_features : int
            Columns of the samples, 3 K - 2 for the timings of a text of K keys.

        Returns
        -------
        int or None
            None if no number of samples makes it tell typists apart.

        Examples
        --------
        >>> from hawkeys.verifiers import Mahalanobis, Manhattan
        >>> Manhattan().samples_needed(31), Mahalanobis().samples_needed(31)
        (15, 62)
        """
        return self._own_need(n_features)

    def _own_need(self, n_features: int) -> int | None:
        """Return `samples_needed` but for an inner verifier, which warns itself."""
        if self.enough_samples is None:
            return None
        return max(self.enough_samples, self.enough_samples_per_feature * n_features)

    def _check_parameters(self) -> None:
        """Raise `InvalidParameterError` if a parameter is not valid, whatever the samples.

        A subclass with parameters of its own calls this one first.
        """
        check_fraction(self.false_alarm, "false_alarm")

    @property
    def slow_to_fit(self) -> bool:
        """Whether a fit takes so long that one for each training sample is out of the question."""
        return False

    @abstractmethod
    def _learn(self, samples: FloatArray) -> None:
        """Set the fitted attributes from samples of shape (n_samples, n_features), n >= 2."""

    @abstractmethod
    def _score(self, samples: FloatArray) -> FloatArray:
        """Return a score per sample of shape (n_samples, n_features), higher for more genuine."""

    def fit(self: Verifier, X: ArrayLike, y: Any = None) -> Verifier:
        """Enrol the typist of `X` and set the threshold.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Training samples of one typist, at least two.
        y : object, optional
            Ignored; there for scikit-learn's pipelines.

        Returns
        -------
        object
            The verifier itself.

        Raises
        ------
        InvalidParameterError
            If a parameter of the verifier is not valid, or `X` holds NaN or infinity.
        ValueError
            If `X` is no matrix of numbers with two rows or more.
        """
        samples = self._check_training(X)
        self._warn_of_few(samples)
        self._learn(samples)
        self._set_threshold(samples)
        return self

    def score_samples(self, X: ArrayLike) -> FloatArray:
        """Return how genuine each sample is.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Samples with the columns of the training samples.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            Higher for more genuine.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        InvalidParameterError
            If `X` holds NaN or infinity.
        ValueError
            If `X` is no matrix of numbers of the width seen in `fit`.
        """
        check_fitted(self)
        return self._score(self._check_samples(X, reset=False))

    def training_scores(self, X: ArrayLike) -> FloatArray:
        """Return the scores of the training samples, from which `fit` takes the threshold of many.

        They differ from `score_samples` where a sample must not be compared with itself, as in
        nearest-neighbour verifiers.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            The training samples given to `fit`, in the same order, without those of weight 0.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            Higher for more genuine.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            As `score_samples`.
        """
        check_fitted(self)
        return self._training_score(self._check_samples(X, reset=False))

    def decision_function(self, X: ArrayLike) -> FloatArray:
        """Return the scores minus `offset_`: negative for samples to be rejected.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Samples with the columns of the training samples.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            Distance from the threshold, positive or zero where the sample is accepted.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            As `score_samples`.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> IntArray:
        """Return +1 for samples taken as genuine and -1 for samples taken as an impostor's.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Samples with the columns of the training samples.

        Returns
        -------
        ndarray of int64, shape (n_samples,)
            +1 where the score is at least `offset_`, else -1; so a score that is NaN is rejected.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            As `score_samples`.
        """
        # NaN, from a verifier of one's own or numbers beyond floating point, is not accepted.
        return np.where(self.score_samples(X) >= self.offset_, 1, -1).astype(np.int64)

    def _check_training(self, X: ArrayLike) -> FloatArray:
        """Return checked training samples, after the parameters were checked."""
        self._check_parameters()
        return self._check_samples(X, reset=True)

    def _warn_of_few(self, samples: FloatArray) -> None:
        """Warn if there are fewer training samples than the verifier needs."""
        n_samples, n_features = samples.shape
        needed = self._own_need(n_features)
        if needed is not None and n_samples < needed:
            warnings.warn(
                f"{n_samples} training samples are few for {type(self).__name__} of {n_features} "
                f"feature{'s' * (n_features != 1)}, which means something from about {needed} on: "
                "it may reject nearly every sample of the typist, or accept nearly every impostor. "
                "Collect more samples or choose a verifier that needs fewer.",
                EnrolmentWarning,
                stacklevel=3,
            )

    def _set_threshold(self, samples: FloatArray, weights: FloatArray | None = None) -> None:
        """Set `offset_` from the training samples."""
        distances = -self._judged(samples, weights)
        self.offset_ = -resubstitution_threshold(distances, self.false_alarm, weights)
        if not np.isfinite(self.offset_):
            raise InvalidParameterError(
                f"{type(self).__name__} gives the threshold {self.offset_} on these samples: its "
                f"parameters, {self.get_params(deep=False)}, or the samples are beyond floating "
                "point. Choose others."
            )

    def _judged(self, samples: FloatArray, weights: FloatArray | None) -> FloatArray:
        """Return the scores of the training samples from which the threshold is taken."""
        few = judged_by_others(samples)
        return left_out_scores(self, samples, weights) if few else self._training_score(samples)

    def _training_score(self, samples: FloatArray) -> FloatArray:
        """Return the scores of the training samples, none of which is compared with itself."""
        return self._score(samples)

    def _check_samples(self, X: ArrayLike, *, reset: bool) -> FloatArray:
        """Return `X` as a C-ordered matrix, so that a row scores alike in whatever company."""
        samples = check_matrix(self, X, reset=reset, at_least=2 if reset else 1)
        bad = np.argwhere(~np.isfinite(samples))
        if bad.size:
            row, column = (int(k) for k in bad[0])
            names = getattr(self, "feature_names_in_", None)
            label = f"column {column}" if names is None else f"column {names[column]!r}"
            value = "NaN" if np.isnan(samples[row, column]) else f"{samples[row, column]}"
            raise InvalidParameterError(
                f"X, row {row}, {label} is {value}; {type(self).__name__} needs finite numbers. "
                "Remove or impute that sample first."
            )
        check_named(samples, getattr(self, "feature_names_in_", None), train=reset)
        return samples


class WeightedVerifier(OneClassVerifier):
    """Base of the verifiers whose training samples can count more or less.

    A weight is a number of repetitions: a sample of weight 2 counts as if it were there twice,
    one of weight 0 as if it were not there. A subclass's `_learn` takes the weights, or None if
    every sample counts once, and its results do not depend on how it was said.

    Parameters
    ----------
    false_alarm : float, default 0.05
        Share of the (weighted) training samples, strictly between 0 and 1, that the threshold may
        reject.

    Attributes
    ----------
    offset_ : float
        Score below which a sample is rejected.

    Examples
    --------
    >>> from hawkeys.verifiers import Manhattan
    >>> Manhattan().fit([[0.0], [4.0]], sample_weight=[3.0, 1.0]).center_
    array([1.])
    """

    @abstractmethod
    def _learn(self, samples: FloatArray, weights: FloatArray | None = None) -> None:
        """Set the fitted attributes; weights have shape (n_samples,) and are positive."""

    def fit(
        self: Weighted, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> Weighted:
        """Enrol the typist of `X` and set the threshold.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Training samples of one typist, at least two.
        y : object, optional
            Ignored; there for scikit-learn's pipelines.
        sample_weight : array_like, shape (n_samples,), optional
            How often each sample counts; see `recency_weights` for weights that favour the latest
            ones. The threshold counts the samples in the same way. Samples of weight 0 are left
            out, and at least two must remain, with a sum of weights above 1.

        Returns
        -------
        object
            The verifier itself.

        Raises
        ------
        InvalidParameterError
            If a parameter of the verifier or a weight is not valid, or `X` holds NaN or infinity.
        ValueError
            If `X` is no matrix of numbers with two rows or more.
        """
        samples = self._check_training(X)
        weights = None
        if sample_weight is not None:
            weights = weights_of(sample_weight, samples.shape[0])
            used = weights > 0
            samples, weights = samples[used], weights[used]
            check_enough(weights)
        self._warn_of_few(samples)
        self._learn(samples, weights)
        self._set_threshold(samples, weights)
        return self


def most_needed(n_features: int, *verifiers: Any) -> int | None:
    """Return the largest `samples_needed` of verifiers; None if one of them has none."""
    last = [pipeline_end(one) for one in verifiers]
    needs = [one.samples_needed(n_features) for one in last if isinstance(one, OneClassVerifier)]
    known = [need for need in needs if need is not None]
    return max(known, default=2) if len(known) == len(needs) else None
