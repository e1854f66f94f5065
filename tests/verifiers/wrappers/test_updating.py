"""Updating: what is learned, what is forgotten, and what an impostor cannot do."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import Manhattan, ScaledManhattan, UpdatingVerifier

RNG = np.random.default_rng(12)
ENROLMENT = RNG.normal(size=(120, 6))
DRIFTED = 1.0 + RNG.normal(size=(100, 6))


def test_without_updates_nothing_changes():
    verifier = UpdatingVerifier(ScaledManhattan(), policy="none").fit(ENROLMENT)
    before = verifier.score_samples(DRIFTED), verifier.offset_
    verifier.partial_fit(DRIFTED)
    np.testing.assert_array_equal(verifier.score_samples(DRIFTED), before[0])
    assert verifier.offset_ == before[1]
    assert verifier.n_learned_ == 0


def test_a_template_is_the_inner_verifier_trained_on_the_samples_kept():
    verifier = UpdatingVerifier(ScaledManhattan(), policy="confirmed", memory=150, anchor=0.4)
    verifier.fit(ENROLMENT).partial_fit(DRIFTED)
    expected = np.concatenate((ENROLMENT[-60:], DRIFTED[-90:]))
    np.testing.assert_array_equal(verifier.template_, expected)
    inner = ScaledManhattan().fit(expected)
    np.testing.assert_array_equal(verifier.score_samples(DRIFTED), inner.score_samples(DRIFTED))
    assert verifier.offset_ == inner.offset_
    np.testing.assert_array_equal(verifier.predict(DRIFTED), inner.predict(DRIFTED))


def test_room_in_the_memory_is_filled_before_anything_is_forgotten():
    verifier = UpdatingVerifier(Manhattan(), policy="confirmed", memory=200, anchor=0.5)
    verifier.fit(ENROLMENT).partial_fit(DRIFTED[:30])
    np.testing.assert_array_equal(verifier.template_, np.concatenate((ENROLMENT, DRIFTED[:30])))


@pytest.mark.parametrize("calls", [1, 5])
def test_one_of_every_so_many_confirmed_samples_is_learned(calls):
    verifier = UpdatingVerifier(Manhattan(), policy="confirmed", every=3).fit(ENROLMENT)
    confirmed = np.tile([1, -1], 50)
    for part in np.split(np.arange(100), calls):
        verifier.partial_fit(DRIFTED[part], confirmed[part])
    known = DRIFTED[confirmed > 0]
    np.testing.assert_array_equal(verifier.template_[120:], known[2::3])
    assert verifier.n_learned_ == 16


def test_by_itself_it_learns_what_both_the_template_and_the_enrolment_accept():
    verifier = UpdatingVerifier(Manhattan(), policy="self", confidence=0.6).fit(ENROLMENT)
    inner = Manhattan().fit(ENROLMENT)
    scores = inner.score_samples(DRIFTED)
    bar = max(np.quantile(inner.score_samples(ENROLMENT), 0.6), inner.offset_)
    verifier.partial_fit(DRIFTED)
    np.testing.assert_array_equal(verifier.template_[120:], DRIFTED[scores > bar])
    assert 0 < verifier.n_learned_ < 100


def test_updating_follows_a_typist_who_changes():
    frozen = UpdatingVerifier(ScaledManhattan(), policy="none").fit(ENROLMENT)
    follows = UpdatingVerifier(ScaledManhattan(), policy="self").fit(ENROLMENT)
    rng = np.random.default_rng(0)
    for step in range(1, 21):
        follows.partial_fit(0.04 * step + rng.normal(size=(20, 6)))
    latest = 0.8 + rng.normal(size=(400, 6))
    assert follows.n_learned_ > 200
    # the typist is nearer to the template, whatever the threshold says
    nearer = follows.score_samples(latest) / follows.offset_
    assert nearer.mean() < 0.97 * (frozen.score_samples(latest) / frozen.offset_).mean()
    assert (follows.predict(latest) < 0).mean() < (frozen.predict(latest) < 0).mean()


class Naive(UpdatingVerifier):
    """What many published systems do: learn whatever is accepted, and forget the enrolment."""

    def _admitted(self, samples, y):
        return self.verifier_.predict(samples) > 0


def poison(verifier, target, n_steps=400):
    """Present samples ever nearer to the impostor's own, each as far as it is accepted now."""
    rng = np.random.default_rng(5)
    for _ in range(n_steps):
        noise = 0.3 * rng.normal(size=target.size)
        tries = target * np.linspace(0.0, 1.0, 41)[:, None] + noise
        accepted = tries[verifier.predict(tries) > 0]
        if len(accepted):
            verifier.partial_fit(accepted[-1:])
    return verifier


def test_an_impostor_cannot_walk_a_template_away():
    target = np.full(6, 4.0)
    naive = poison(Naive(ScaledManhattan(), anchor=0.0, memory=120).fit(ENROLMENT), target)
    assert naive.predict([target])[0] == 1
    guarded = UpdatingVerifier(ScaledManhattan(), policy="self", memory=120)
    poison(guarded.fit(ENROLMENT), target)
    assert guarded.n_learned_ > 0
    assert guarded.predict([target])[0] == -1
    # nothing was learned that the enrolment alone rejects
    learned = guarded.template_[-min(guarded.n_learned_, 60) :]
    assert (guarded.frozen_.predict(learned) > 0).all()
    # and the owner is still accepted
    fresh = np.random.default_rng(9).normal(size=(500, 6))
    assert (guarded.predict(fresh) > 0).mean() > 0.9


def test_one_sample_moves_a_full_template_by_a_bounded_step():
    verifier = UpdatingVerifier(Manhattan(), policy="confirmed", memory=120).fit(ENROLMENT)
    far = np.full((1, 6), 50.0)
    before = verifier.verifier_.center_
    verifier.partial_fit(far)
    step = np.abs(verifier.verifier_.center_ - before).max()
    assert step <= np.abs(ENROLMENT[0] - far).max() / 120 + 1e-12
    for _ in range(500):
        verifier.partial_fit(far)
    assert verifier.verifier_.center_.max() <= 0.5 * 50.0 + np.abs(ENROLMENT).max()


def test_enrolling_again_forgets():
    verifier = UpdatingVerifier(Manhattan(), policy="confirmed").fit(ENROLMENT)
    verifier.partial_fit(DRIFTED).fit(ENROLMENT)
    assert verifier.n_learned_ == 0
    np.testing.assert_array_equal(verifier.template_, ENROLMENT)


def test_a_pipeline_can_be_updated():
    verifier = UpdatingVerifier(make_pipeline(StandardScaler(), Manhattan()))
    verifier.fit(ENROLMENT).partial_fit(ENROLMENT + 0.01)
    assert verifier.n_learned_ > 10
    assert verifier.offset_ == verifier.verifier_[-1].offset_


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"policy": "always"}, r"policy must be one of 'none', 'confirmed', 'self'"),
        ({"every": 0}, r"every must be at least 1; got 0"),
        ({"confidence": 1.0}, r"confidence must be one number strictly between 0 and 1"),
        ({"memory": 1}, r"memory must be at least 2; got 1"),
        ({"anchor": 1.5}, r"anchor must be one number from 0 to 1 .*; got 1.5"),
    ],
)
def test_parameters_are_checked(parameters, message):
    with pytest.raises(InvalidParameterError, match=message):
        UpdatingVerifier(Manhattan(), **parameters).fit(ENROLMENT)


def test_confirmations_must_fit_the_samples():
    verifier = UpdatingVerifier(Manhattan(), policy="confirmed").fit(ENROLMENT)
    with pytest.raises(InvalidParameterError, match=r"y must have shape \(2,\).*got shape \(3,\)"):
        verifier.partial_fit(DRIFTED[:2], [1, 1, 1])


def test_a_first_call_enrols_confirmed_samples_only():
    own, other = ENROLMENT[:50], DRIFTED[:50]
    samples, marks = np.vstack([own, other]), np.repeat([1, -1], 50)
    verifier = UpdatingVerifier(ScaledManhattan(), policy="confirmed").partial_fit(samples, marks)
    assert np.array_equal(verifier.template_, own)
    plain = UpdatingVerifier(ScaledManhattan(), policy="confirmed").partial_fit(samples)
    assert plain.template_.shape == samples.shape


def test_a_parameter_changed_after_fit_is_checked_before_learning():
    verifier = UpdatingVerifier(ScaledManhattan(), policy="none").fit(ENROLMENT)
    verifier.set_params(policy="never")
    with pytest.raises(InvalidParameterError, match="policy must be one of 'none'"):
        verifier.partial_fit(ENROLMENT)
