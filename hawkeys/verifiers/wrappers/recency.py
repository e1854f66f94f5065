"""Any verifier that takes weights, with weights that favour the latest training samples."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hawkeys._estimators import pipeline_end
from hawkeys._typing import FloatArray
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers._samples import recency_weights
from hawkeys.verifiers._wrapper import Wrapper
from hawkeys.verifiers.thresholds import check_detector, seen_scores

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = ["RecencyWeighted"]


class RecencyWeighted(Wrapper):
    """A verifier trained with weights that halve every so many samples back in time.

    People change how they type, so that later samples say more about the next one. The threshold
    counts the training samples with the same weights.

    Parameters
    ----------
    verifier : estimator
        A verifier whose `fit` takes `sample_weight`; cloned, left unchanged.
    half_life : float, default 30.0
        Samples after which a weight is halved. The training samples must come oldest first.
    false_alarm : float, default 0.05
        Share of the weighted training samples, strictly between 0 and 1, that the threshold may
        reject.

    Attributes
    ----------
    verifier_ : estimator
        The inner verifier, trained with the weights.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if the verifier takes no weights or `half_life` is not a positive number.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.verifiers import Manhattan, RecencyWeighted
    >>> train = np.linspace(0.0, 1.0, 101)[:, None]
    >>> RecencyWeighted(Manhattan(), half_life=10.0).fit(train).verifier_.center_.round(2)
    array([0.86])
    """

    def __init__(
        self, verifier: BaseEstimator, *, half_life: float = 30.0, false_alarm: float = 0.05
    ) -> None:
        super().__init__(false_alarm=false_alarm)
        self.verifier = verifier
        self.half_life = half_life

    def _parts(self) -> Sequence[BaseEstimator]:
        return (self.verifier,)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        recency_weights(1, self.half_life)
        check_detector(self.verifier, "verifier")

    def _learn(self, samples: FloatArray) -> None:
        inner = self.verifier
        takes_weights = "sample_weight" in inspect.signature(inner.fit).parameters
        if pipeline_end(inner) is not inner or not takes_weights:
            raise InvalidParameterError(
                f"verifier must take sample_weight in fit; {type(inner).__name__} does not. Use a "
                "WeightedVerifier, such as ScaledManhattan; in a pipeline weight the last step."
            )
        self._weights = recency_weights(samples.shape[0], self.half_life)
        self.verifier_ = self._trained(inner, samples, self._weights)

    def _set_threshold(self, samples: FloatArray, weights: FloatArray | None = None) -> None:
        super()._set_threshold(samples, self._weights)

    def _judged(self, samples: FloatArray, weights: FloatArray | None) -> FloatArray:
        return super()._judged(samples, None)  # which learns with weights of its own

    def _training_score(self, samples: FloatArray) -> FloatArray:
        return seen_scores(self.verifier_, samples)
