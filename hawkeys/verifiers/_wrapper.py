"""What verifiers made of other verifiers share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hawkeys._estimators import clone
from hawkeys._typing import FloatArray
from hawkeys.verifiers._few import within_another
from hawkeys.verifiers.base import OneClassVerifier, most_needed

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = ["Wrapper"]


class Wrapper(OneClassVerifier):
    """Base of the verifiers that are made of other ones, whose thresholds nobody asks for."""

    @abstractmethod
    def _parts(self) -> Sequence[BaseEstimator]:
        """Return the verifiers inside, as they were given."""

    @property
    def slow_to_fit(self) -> bool:
        """Whether one of the verifiers inside is slow to fit."""
        return any(getattr(part, "slow_to_fit", False) for part in self._parts())

    def samples_needed(self, n_features: int) -> int | None:
        """Return the largest need, that of this verifier or of those inside.

        Parameters
        ----------
        n_features : int
            Columns of the samples.

        Returns
        -------
        int or None
            See `OneClassVerifier`.
        """
        inner, own = most_needed(n_features, *self._parts()), self._own_need(n_features)
        return None if inner is None or own is None else max(inner, own)

    def _trained(
        self, part: BaseEstimator, samples: FloatArray, weights: FloatArray | None = None
    ) -> BaseEstimator:
        """Return a trained copy of a verifier inside."""
        how = {} if weights is None else {"sample_weight": weights}
        with within_another():
            return clone(part).fit(samples, **how)

    def _score(self, samples: FloatArray) -> FloatArray:
        return np.array(self.verifier_.score_samples(samples), dtype=np.float64)
