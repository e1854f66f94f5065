"""Every verifier states and checks the number of samples from which it means something."""

import warnings

import numpy as np
import pytest

from hawkeys.datasets import load_demo
from hawkeys.evaluation import VERIFIERS, make_verifiers
from hawkeys.exceptions import EnrolmentWarning, HawkeysWarning
from hawkeys.features import HawkesFeatures
from hawkeys.verifiers import (
    POHMM,
    HeldOutThreshold,
    KMeans,
    Mahalanobis,
    Manhattan,
    NearestNeighborMahalanobis,
    OneClassVerifier,
    PracticeCorrected,
    RecencyWeighted,
    ScaledManhattan,
    ScoreSum,
    StandardNet,
    enrol,
)

DEMO = load_demo(n_subjects=3)
X = DEMO.timings().to_numpy()
TYPIST, OTHERS = X[:400], np.vstack((X[400:420], X[800:820]))


def detector_of(verifier):
    return verifier.steps[-1][1] if hasattr(verifier, "steps") else verifier


def fit_quietly(verifier, samples):
    """Return the warnings of a fit."""
    if "n_epochs" in verifier.get_params(deep=False):
        verifier.set_params(n_epochs=3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HawkeysWarning)
        verifier.fit(samples)
    return [str(one.message) for one in caught if issubclass(one.category, EnrolmentWarning)]


def test_two_samples_that_would_accept_everybody_are_warned_of():
    """The covariance of two samples knows one direction; nothing else counts."""
    verifier = NearestNeighborMahalanobis()
    words = "2 training samples are few for NearestNeighborMahalanobis of 31 features, which means "
    with pytest.warns(EnrolmentWarning, match=f"{words}something from about 62 on"):
        verifier.fit(TYPIST[:2])
    assert (verifier.predict(OTHERS) == 1).mean() > 0.5
    assert fit_quietly(NearestNeighborMahalanobis(), TYPIST[:62]) == []
    accepted = NearestNeighborMahalanobis().fit(TYPIST[:62]).predict(OTHERS) == 1
    assert accepted.mean() < 0.1


@pytest.mark.parametrize("name", list(VERIFIERS))
def test_each_warns_below_its_number_and_not_at_it(name):
    verifier = detector_of(make_verifiers([name])[name])
    samples = TYPIST
    if name.startswith("hawkes-") and name != "hawkes-likelihood":
        samples = HawkesFeatures().fit_transform(TYPIST[:60])
    needed = verifier.samples_needed(samples.shape[1])
    if needed is None:
        assert name == "standard-net"
        assert fit_quietly(verifier, samples[:3]) == []
        return
    assert 2 < needed <= 93
    assert fit_quietly(verifier, samples[:needed]) == []
    below = fit_quietly(verifier, samples[: needed - 1])
    assert below
    assert all(f"{needed - 1} training samples are few for" in message for message in below)
    assert any(f"from about {needed} on" in message for message in below)


def test_numbers_that_depend_on_parameters_and_parts():
    assert [POHMM(n_states=m).samples_needed(31) for m in (1, 2, 3)] == [9, 36, 81]
    assert KMeans(n_clusters=8).samples_needed(31) == 40
    assert [Mahalanobis().samples_needed(p) for p in (1, 4, 31)] == [2, 8, 62]
    assert RecencyWeighted(Mahalanobis()).samples_needed(31) == 62
    assert HeldOutThreshold(Mahalanobis()).samples_needed(31) == 62
    assert PracticeCorrected(Manhattan()).samples_needed(31) == 15
    assert PracticeCorrected(Mahalanobis()).samples_needed(31) == 62
    assert ScoreSum([Manhattan(), POHMM()]).samples_needed(31) == 36
    for wrapper in (RecencyWeighted, HeldOutThreshold, PracticeCorrected):
        assert wrapper(StandardNet()).samples_needed(31) is None


def test_a_verifier_of_ones_own_states_a_number_of_its_own():
    class Largest(OneClassVerifier):
        enough_samples = 7
        enough_samples_per_feature = 3

        def _learn(self, samples):
            self.center_ = samples.mean(axis=0)

        def _score(self, samples):
            return -np.abs(samples - self.center_).max(axis=1)

    assert [Largest().samples_needed(p) for p in (1, 2, 3)] == [7, 7, 9]
    assert fit_quietly(Largest(), np.eye(9)[:, :3]) == []
    assert fit_quietly(Largest(), np.eye(8)[:, :3])[0].startswith("8 training samples are few for")


def test_samples_of_weight_0_do_not_count():
    weights = np.r_[np.ones(14), np.zeros(6)]
    with pytest.warns(EnrolmentWarning, match="14 training samples are few for Manhattan of 31"):
        Manhattan().fit(TYPIST[:20], sample_weight=weights)


def test_enrolment_passes_the_warning_on():
    with pytest.warns(EnrolmentWarning) as caught:
        enrol(TYPIST[:9], verifier=ScaledManhattan())
    messages = [str(one.message) for one in caught]
    assert any(message.startswith("too-few-samples: 9 samples") for message in messages)
    assert any("9 training samples are few for ScaledManhattan" in message for message in messages)


def test_a_verifier_that_tells_nobody_apart_is_not_enrolled_without_a_word():
    with pytest.warns(
        EnrolmentWarning, match="StandardNet accepts impostors as readily as the typ"
    ):
        enrol(TYPIST[:60], verifier=StandardNet(n_epochs=3), policy="resubstitution")
