"""Classifiers, verifiers and the probe of event times; the protocol."""

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from hawkeys.datasets import snap_intervals
from hawkeys.evaluation import event_time_systems
from hawkeys.exceptions import InvalidParameterError, InvalidTimingsError
from hawkeys.verifiers import Identifier, MarkedRenewal, MarkedRenewalVerifier, Needs, Scorer
from hawkeys.verifiers.event_times import (
    ClockResidualClassifier,
    EventTimeVerifier,
    LikelihoodClassifier,
    LogNormalRenewal,
    MarkovRenewal,
    MixtureRenewal,
    StackClassifier,
    StatisticsClassifier,
)

PEOPLE = ("ann", "bob", "eve")


@pytest.fixture(scope="module")
def typed():
    """Intervals of three people, 40 samples each, and their names."""
    rng = np.random.default_rng(1)
    level = np.repeat([-2.0, -1.6, -1.2], 40)[:, None]
    return np.exp(rng.normal(level, 0.6, (120, 25))), np.repeat(PEOPLE, 40)


@pytest.mark.parametrize("name", list(event_time_systems()))
def test_every_system_follows_the_protocol(name, typed):
    X, y = typed
    system = clone(event_time_systems()[name])
    assert system.needs == Needs("event times", holds=False, keys=False, background=True)
    with pytest.raises(NotFittedError):
        system.predict_log_proba(X)
    system.fit(X[::2], y[::2])
    assert isinstance(system, Identifier)
    assert system.classes_.tolist() == list(PEOPLE)
    log = system.predict_log_proba(X[1::2])
    np.testing.assert_allclose(logsumexp(log, axis=1), 0.0, atol=1e-9)
    right = (system.predict(X[1::2]) == y[1::2]).mean()
    assert right > (0.4 if name == "exponential-hawkes" else 0.7)
    again = clone(system).fit(X[::2], y[::2]).predict_log_proba(X[1::2])
    np.testing.assert_array_equal(log, again)


def test_likelihood_classifier_is_bayes_rule(typed):
    X, y = typed
    system = LikelihoodClassifier(LogNormalRenewal()).fit(X, y)
    values = np.stack(
        [LogNormalRenewal().fit(X[y == one]).log_likelihood(X) for one in PEOPLE], axis=1
    )
    wanted = values - logsumexp(values, axis=1, keepdims=True)
    np.testing.assert_allclose(system.predict_log_proba(X), wanted)


def test_numbers_of_samples_do_not_count_as_evidence(typed):
    """All people are equally likely beforehand: repeating one person's samples changes nothing.

    Up to the optimiser's tolerance; log 10 nats of prior would move probabilities by up to .52.
    """
    X, y = typed
    more = np.concatenate([X, *[X[y == "ann"]] * 9])
    labels = np.concatenate([y, *[y[y == "ann"]] * 9])
    for system in (LikelihoodClassifier(LogNormalRenewal()), StatisticsClassifier("two", C=1e6)):
        one = clone(system).fit(X, y).predict_log_proba(X)
        other = clone(system).fit(more, labels).predict_log_proba(X)
        assert np.abs(np.exp(one) - np.exp(other)).max() < 0.02


def test_a_verifier_is_the_likelihood_ratio_to_the_background(typed):
    X, y = typed
    own, other = X[y == "ann"], X[y != "ann"]
    verifier = EventTimeVerifier(LikelihoodClassifier(MixtureRenewal(2))).fit(own, other)
    assert isinstance(verifier, Scorer)
    assert verifier.needs.background
    models = [MixtureRenewal(2).fit(part) for part in (own, other)]
    wanted = models[0].log_likelihood(X) - models[1].log_likelihood(X)
    np.testing.assert_allclose(verifier.score_samples(X), wanted, rtol=1e-8, atol=1e-8)
    raw = models[0].log_likelihood(X)
    assert not np.allclose(raw, wanted)


def test_stack_uses_each_of_its_parts(typed):
    X, y = typed
    system = StackClassifier([LogNormalRenewal(), MarkovRenewal(2)]).fit(X, y)
    columns = system._features(X)
    assert columns.shape == (120, 23 + 4 + 2 * 3)
    ratio = columns[:, 27:30]
    np.testing.assert_allclose(ratio.sum(axis=1), 0.0, atol=1e-8)
    fits = [LogNormalRenewal().fit(X[y == one]).log_likelihood(X) for one in PEOPLE]
    np.testing.assert_allclose(ratio[:, 1] - ratio[:, 0], fits[1] - fits[0], atol=1e-8)


def test_the_probe_sees_the_clock_and_nothing_else():
    rng = np.random.default_rng(2)
    ticks = np.maximum(np.round(np.exp(rng.normal(-1.8, 0.5, (200, 30))) / 0.004), 1) * 0.004
    people = np.repeat(["ann", "bob"], 100)
    raw = ticks + rng.normal(0.0, np.repeat([1e-4, 2e-4], 100)[:, None], ticks.shape)
    train, test = np.arange(0, 200, 2), np.arange(1, 200, 2)

    def reached(X):
        return ClockResidualClassifier().fit(X[train], people[train]).score(X[test], people[test])

    assert reached(raw) > 0.9
    assert 0.35 < reached(snap_intervals(raw, rng=0)) < 0.65
    # people who type at other paces on the same clock are one to it
    paced = np.where(np.arange(200)[:, None] < 100, ticks, 2 * ticks)
    assert 0.35 < reached(paced + rng.normal(0.0, 1e-4, ticks.shape)) < 0.65


def test_the_probe_is_bayes_rule_of_histograms():
    rng = np.random.default_rng(3)
    X, y = np.abs(rng.normal(0.1, 0.01, (12, 8))), np.repeat(["a", "b"], 6)
    system = ClockResidualClassifier(tick=0.01, n_bins=4).fit(X, y)
    bins = np.floor(((X / 0.01 - np.round(X / 0.01)) + 0.5) * 4).astype(int)
    values = []
    for one in "ab":
        counts = np.array([(bins[y == one] == k).sum() + 1 for k in range(4)])
        values.append(np.log(counts / counts.sum())[bins].sum(axis=1))
    np.testing.assert_allclose(
        np.diff(system.predict_log_proba(X), axis=1)[:, 0], values[1] - values[0], atol=1e-9
    )


def test_log_probabilities_stay_finite_where_probabilities_do_not(typed):
    """Two people and three, far away from both: as scikit-learn's where those are not 0."""
    X, y = typed
    for people in (PEOPLE[:2], PEOPLE):
        rows = np.isin(y, people)
        system = StatisticsClassifier("two", C=100.0).fit(X[rows], y[rows])
        usual = system.regression_.predict_proba(system._features(X))
        np.testing.assert_allclose(np.exp(system.predict_log_proba(X)), usual, atol=1e-12)
        far = system.predict_log_proba(np.exp(60.0 * np.log(X[:3])))
        assert np.isfinite(far).all()
        assert far.min() < -800.0


def test_wrong_input_of_classifiers(typed):
    X, y = typed
    with pytest.raises(InvalidParameterError, match=r"y must hold one person per sample.*\(120,\)"):
        StatisticsClassifier().fit(X, y[:5])
    with pytest.raises(InvalidParameterError, match="y names one person, 'ann'; two or more"):
        StatisticsClassifier().fit(X, np.repeat("ann", 120))
    with pytest.raises(InvalidParameterError, match="which must be one of 'all', 'two'"):
        StatisticsClassifier("three").fit(X, y)
    with pytest.raises(InvalidParameterError, match="C must be one positive number"):
        StackClassifier([LogNormalRenewal()], C=0.0).fit(X, y)
    with pytest.raises(InvalidTimingsError, match="X: interval 0 of sample 0 is 0 s"):
        StatisticsClassifier().fit(np.zeros((120, 6)), y)
    with pytest.raises(InvalidParameterError, match="tick must be one positive number"):
        ClockResidualClassifier(tick=-1.0).fit(X, y)


def test_a_verifier_needs_a_background(typed):
    X, _ = typed
    with pytest.raises(InvalidParameterError, match="background is needed: samples of other"):
        EventTimeVerifier().fit(X)
    with pytest.raises(InvalidParameterError, match="samples of 25 intervals, background of 9"):
        EventTimeVerifier().fit(X, X[:, :9])
    with pytest.raises(NotFittedError):
        EventTimeVerifier().score_samples(X)


def test_needs_name_a_kind_of_data():
    with pytest.raises(InvalidParameterError, match="data must be one of 'event times'"):
        Needs("speech", holds=False, keys=False, background=False)
    for system in (MarkedRenewal(), MarkedRenewalVerifier()):
        assert system.needs == Needs("free text", holds=True, keys=True, background=True)
    assert isinstance(MarkedRenewalVerifier(), Scorer)
    assert not isinstance(MarkedRenewal(), Scorer)
