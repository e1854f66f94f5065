"""Recency weights around any verifier that takes weights."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import (
    POHMM,
    Mahalanobis,
    Manhattan,
    RecencyWeighted,
    ScaledManhattan,
    recency_weights,
    resubstitution_threshold,
)

RNG = np.random.default_rng(6)
TRAIN = RNG.normal(size=(80, 4)) + np.linspace(0.0, 2.0, 80)[:, None]
TEST = RNG.normal(size=(10, 4))


@pytest.mark.parametrize("verifier", [Manhattan(), ScaledManhattan(), Mahalanobis()], ids=repr)
def test_it_is_the_verifier_fitted_with_those_weights(verifier):
    weights = recency_weights(80, 20.0)
    inner = type(verifier)().fit(TRAIN, sample_weight=weights)
    outer = RecencyWeighted(verifier, half_life=20.0, false_alarm=0.1).fit(TRAIN)
    np.testing.assert_array_equal(outer.score_samples(TEST), inner.score_samples(TEST))
    distances = -inner.score_samples(TRAIN)
    assert outer.offset_ == -resubstitution_threshold(distances, 0.1, weights)
    assert not hasattr(verifier, "offset_")


def test_order_matters_and_the_latest_samples_count_most():
    recent = RecencyWeighted(Manhattan(), half_life=10.0).fit(TRAIN)
    reversed_ = RecencyWeighted(Manhattan(), half_life=10.0).fit(TRAIN[::-1])
    assert (recent.verifier_.center_ > reversed_.verifier_.center_ + 1.0).all()


def test_a_very_long_half_life_is_no_weighting():
    plain = Manhattan().fit(TRAIN)
    recent = RecencyWeighted(Manhattan(), half_life=1e9).fit(TRAIN)
    np.testing.assert_allclose(recent.verifier_.center_, plain.center_, rtol=1e-6)


@pytest.mark.parametrize("verifier", [POHMM(), make_pipeline(StandardScaler(), Manhattan())])
def test_a_verifier_without_weights_is_refused(verifier):
    with pytest.raises(InvalidParameterError, match="verifier must take sample_weight in fit"):
        RecencyWeighted(verifier).fit(TRAIN)


def test_the_half_life_is_checked():
    with pytest.raises(InvalidParameterError, match=r"half_life must be .*positive"):
        RecencyWeighted(Manhattan(), half_life=0.0).fit(TRAIN)
