"""scikit-learn's own checks of an estimator, on every verifier."""

import numpy as np
from sklearn.utils.estimator_checks import parametrize_with_checks

from hawkeys.datasets import join_timings
from hawkeys.verifiers import (
    POHMM,
    Euclidean,
    HeldOutThreshold,
    Manhattan,
    RecencyWeighted,
    ScaledManhattan,
    UpdatingVerifier,
)

DISTANCES = [
    Manhattan(),
    Euclidean(),
    Euclidean(definition="l1"),
    ScaledManhattan(),
    ScaledManhattan(scale="std"),
    HeldOutThreshold(Manhattan(), policy="leave-one-out"),
    UpdatingVerifier(Manhattan()),
    RecencyWeighted(Manhattan()),
]


class AnyMatrixPOHMM(POHMM):
    """POHMM of a timing matrix made from any matrix, because scikit-learn's checks draw any.

    Column j becomes the interval before key j and its hold.
    """

    def _learn(self, samples):
        super()._learn(as_timings(samples))

    def _score(self, samples):
        return super()._score(as_timings(samples))


def as_timings(matrix):
    interval = 0.1 * np.exp(np.clip(matrix, -3.0, 3.0))
    interval = np.column_stack([interval, interval[:, -1]])
    press = np.cumsum(interval, axis=1)
    return join_timings(press, press + interval)


@parametrize_with_checks(DISTANCES)
def test_distances_pass_scikit_learn_checks(estimator, check):
    check(estimator)


@parametrize_with_checks([AnyMatrixPOHMM()])
def test_pohmm_passes_scikit_learn_checks(estimator, check):
    check(estimator)
