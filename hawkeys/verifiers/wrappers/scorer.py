"""`OneClassScorer`: verifiers of one typist as systems of the comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from hawkeys._typing import FloatArray
from hawkeys.verifiers.free_text.base import FreeTextVerifier
from hawkeys.verifiers.protocol import Needs

__all__ = ["OneClassScorer"]


class OneClassScorer(BaseEstimator):
    """A verifier that learns from one typist alone, under the protocol of the comparison.

    A background may be given, as to every system, and is not used.

    Parameters
    ----------
    verifier : OneClassVerifier, pipeline that ends in one, or FreeTextVerifier
        What scores: of timing matrices, or of keystrokes in recordings.

    Attributes
    ----------
    verifier_ : object
        The fitted copy.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.verifiers import OneClassScorer, ScaledManhattan
    >>> demo = load_demo(n_subjects=1)
    >>> scorer = OneClassScorer(ScaledManhattan()).fit(demo.timings())
    >>> scorer.needs.background, scorer.score_samples(demo.timings()).shape
    (False, (400,))
    """

    def __init__(self, verifier: Any) -> None:
        self.verifier = verifier

    @property
    def needs(self) -> Needs:
        """What the verifier must be given."""
        free = isinstance(self.verifier, FreeTextVerifier)
        return Needs("free text" if free else "fixed text", holds=True, keys=free, background=False)

    def fit(self, genuine: Any, background: Any = None) -> OneClassScorer:
        """Enrol a typist.

        Parameters
        ----------
        genuine : samples
            Of the typist.
        background : samples, optional
            Not used.

        Returns
        -------
        OneClassScorer
            The system itself.

        Raises
        ------
        InvalidTimingsError, InvalidParameterError
            As the verifier.
        """
        self.verifier_ = clone(self.verifier).fit(genuine)
        return self

    def score_samples(self, samples: Any) -> FloatArray:
        """Return how genuine samples are, as the verifier says.

        Parameters
        ----------
        samples : samples
            Of anybody.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            Higher for more genuine.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        InvalidTimingsError, InvalidParameterError
            As the verifier.
        """
        check_is_fitted(self)
        if isinstance(self.verifier_, FreeTextVerifier):
            return self.verifier_.score_recordings(samples)
        return np.asarray(self.verifier_.score_samples(samples), dtype=np.float64)
