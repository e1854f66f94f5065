"""POHMM as an estimator: reference numbers, invariances, texts, refusals."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from hawkeys.datasets import join_timings
from hawkeys.exceptions import ConvergenceWarning, InvalidParameterError, InvalidTimingsError
from hawkeys.verifiers import POHMM

REFERENCE = json.loads((Path(__file__).parents[2] / "reference" / "pohmm.json").read_text())


def typing(n_samples, n_keys=5, seed=0, pace=1.0):
    """Timings of a typist who sometimes hesitates."""
    rng = np.random.default_rng(seed)
    slow = 1.0 + (rng.random((n_samples, n_keys)) < 0.3)
    interval = pace * 0.15 * slow * rng.lognormal(0.0, 0.2, size=(n_samples, n_keys))
    hold = 0.09 * rng.lognormal(0.0, 0.15, size=(n_samples, n_keys))
    press = np.cumsum(interval, axis=1)
    return join_timings(press, press + hold)


X = typing(60)
ONE_KEY = np.full((3, 1), 0.1)


@pytest.mark.parametrize("subject", list(REFERENCE["subjects"]))
def test_reference_numbers(cmu, subject):
    expected = REFERENCE["subjects"][subject]
    rows = cmu.timings().to_numpy()[np.asarray(cmu.subject) == subject]
    verifier = POHMM().fit(rows[:200])
    assert verifier.converged_
    assert verifier.n_iter_ == expected["iterations"]
    # the reference is printed to six (log-likelihood) and seven (scores) decimals
    assert verifier.log_likelihood_ == pytest.approx(expected["log_likelihood"], abs=1e-6)
    scores = verifier.score_samples(rows)
    for row, score in expected.get("scores", {}).items():
        assert scores[int(row) - 1] == pytest.approx(score, abs=1e-6)


def test_the_log_likelihood_is_the_sum_of_the_training_scores():
    verifier = POHMM().fit(X)
    assert verifier.score_samples(X).sum() == pytest.approx(verifier.log_likelihood_, rel=1e-13)
    assert verifier.log_likelihood_trace_[-1] == verifier.log_likelihood_
    assert verifier.log_likelihood_trace_.shape == (verifier.n_iter_ + 1,)


def test_it_stops_at_the_first_gain_below_tol():
    verifier = POHMM(tol=0.5).fit(X)
    gains = np.diff(verifier.log_likelihood_trace_)
    assert verifier.converged_
    assert gains[-1] < 0.5
    assert (gains[:-1] >= 0.5).all()


def test_shapes_of_the_fitted_parameters():
    verifier = POHMM(n_states=3).fit(X)
    assert verifier.keys_ == ("key1", "key2", "key3", "key4", "key5")
    assert verifier.start_.shape == (6, 3)
    assert verifier.transition_.shape == (6, 6, 3, 3)
    assert verifier.location_.shape == verifier.scale_.shape == (6, 2, 3)


def test_fit_and_scores_are_deterministic_and_scoring_changes_nothing():
    one, other = POHMM().fit(X), POHMM().fit(X)
    before = [one.start_.copy(), one.transition_.copy(), one.location_.copy(), one.scale_.copy()]
    np.testing.assert_array_equal(one.score_samples(X), other.score_samples(X))
    one.score_samples(typing(20, seed=9, pace=3.0))
    after = [one.start_, one.transition_, one.location_, one.scale_]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("smoothing", ["freq", "exp", "fixed", "none"])
def test_the_order_of_training_rows_does_not_matter(smoothing):
    order = np.random.default_rng(1).permutation(len(X))
    one, other = POHMM(smoothing=smoothing).fit(X), POHMM(smoothing=smoothing).fit(X[order])
    assert one.n_iter_ == other.n_iter_
    # sums over samples are taken in another order, in each update
    np.testing.assert_allclose(one.score_samples(X), other.score_samples(X), rtol=1e-9)


def test_a_row_scores_alike_in_any_company():
    verifier = POHMM().fit(X)
    alone = [verifier.score_samples(row[None])[0] for row in X]
    np.testing.assert_array_equal(verifier.score_samples(X), alone)


def test_another_typist_scores_lower():
    verifier = POHMM().fit(X)
    genuine, impostor = typing(200, seed=1), typing(200, seed=2, pace=2.0)
    assert (verifier.predict(genuine) == 1).mean() > 0.85
    assert (verifier.predict(impostor) == -1).mean() > 0.85


@pytest.mark.parametrize("distribution", ["lognormal", "normal"])
def test_one_state_is_a_plain_density_of_every_interval(distribution):
    """With one state and no smoothing the score is a sum of log densities, key by key."""
    verifier = POHMM(n_states=1, smoothing="none", distribution=distribution).fit(X)
    hold, down = 1000 * X[:, 0::3], 1000 * X[:, 1::3]
    tau = np.column_stack([np.median(down, axis=1), down])
    events = np.stack([tau, hold], axis=2)
    values = np.log(events) if distribution == "lognormal" else events
    mean, deviation = values.mean(axis=0), values.std(axis=0)
    density = np.exp(-0.5 * ((values - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))
    if distribution == "lognormal":
        density /= events
    expected = np.log(np.maximum(density, 1e-5)).sum(axis=(1, 2))
    np.testing.assert_allclose(verifier.score_samples(X), expected, rtol=1e-11)


def test_keys_that_come_twice_share_their_parameters():
    verifier = POHMM(keys=["a", "b", "a", "c", "b"]).fit(X)
    assert verifier.keys_ == ("a", "b", "c")
    assert verifier.location_.shape == (4, 2, 2)
    assert verifier.score_samples(X).sum() == pytest.approx(verifier.log_likelihood_, rel=1e-13)
    assert POHMM(keys="abacb").fit(X).log_likelihood_ == verifier.log_likelihood_


def test_naming_all_positions_differently_is_the_default():
    default, named = POHMM().fit(X), POHMM(keys="vwxyz").fit(X)
    np.testing.assert_array_equal(default.score_samples(X), named.score_samples(X))
    np.testing.assert_array_equal(
        default.score_samples(X), named.score_samples(X, keys=list("vwxyz"))
    )


def test_keys_never_seen_have_the_marginal_parameters():
    verifier = POHMM(keys="abcde").fit(X)
    text = typing(4, n_keys=3, seed=5)
    unseen = verifier.score_samples(text, keys="a?c")
    index = [1, 0, 3]
    slow = clone(verifier).fit(X)
    # put the marginals where the unseen key would be, and score as if it were known
    for name in ("start_", "location_", "scale_"):
        array = getattr(slow, name)
        array[[1, 2, 3]] = array[index]
    slow.transition_[1, 2], slow.transition_[2, 3] = (
        verifier.transition_[1, 0],
        verifier.transition_[0, 3],
    )
    np.testing.assert_allclose(unseen, slow.score_samples(text, keys="abc"), rtol=1e-14)
    assert np.isfinite(verifier.score_samples(text, keys="???")).all()
    assert not np.allclose(unseen, verifier.score_samples(text, keys="abc"))


def test_fixed_smoothing_is_blind_to_the_keys():
    verifier = POHMM(smoothing="fixed", keys="abcde").fit(X)
    text = typing(4, n_keys=3, seed=5)
    np.testing.assert_array_equal(
        verifier.score_samples(text, keys="abc"), verifier.score_samples(text, keys="?eb")
    )


def test_an_interval_of_zero_is_floored_at_scoring_and_refused_in_training():
    verifier = POHMM().fit(X)
    rollover = X[:2].copy()
    rollover[1, 1], rollover[1, 2] = 0.0, -rollover[1, 0]
    scores = verifier.score_samples(rollover)
    assert np.isfinite(scores).all()
    assert scores[1] < scores[0]
    with pytest.raises(InvalidTimingsError, match=r"row 1: the press interval of key 1 .* 0 s"):
        POHMM(clock=0.0).fit(rollover)
    released = X[:3].copy()
    released[2, 1] -= released[2, 0]
    released[2, 2], released[2, 0] = released[2, 1], 0.0
    with pytest.raises(InvalidTimingsError, match=r"row 2: the hold of key 0 .*='normal'"):
        POHMM(clock=0.0).fit(released)
    assert POHMM(distribution="normal").fit(rollover).converged_


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_states": 0}, r"n_states must be at least 1; got 0"),
        ({"n_states": 2.0}, r"n_states must be a whole number"),
        ({"smoothing": "proba"}, r"smoothing must be one of .*got 'proba'"),
        ({"distribution": "gamma"}, r"distribution must be one of .*got 'gamma'"),
        ({"tol": -1.0}, r"tol must be one number of at least 0"),
        ({"tol": [1.0]}, r"tol must be one number of at least 0"),
        ({"max_iter": 0}, r"max_iter must be at least 1; got 0"),
        ({"keys": "abc"}, r"all 5 keys of the text \(.* 13 columns\); got 3: \('a', 'b', 'c'\)"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        POHMM(**options).fit(X)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (X[:, :-1], r"shape \(n_samples, 3 K - 2\)"),
        (ONE_KEY, r"at least two keys .*got 1 column"),
        (X[:, ::-1], r"timing matrix, row 1: DD.key2.key3 is -0.0163919"),
        (-X, r"must not be negative"),
    ],
)
def test_what_is_no_timing_matrix_is_refused(data, message):
    with pytest.raises(InvalidTimingsError, match=message):
        POHMM().fit(data)


def test_a_wrong_number_of_keys_at_scoring_is_refused():
    verifier = POHMM().fit(X)
    with pytest.raises(InvalidParameterError, match=r"all 5 keys of the text"):
        verifier.score_samples(X, keys="abc")
    with pytest.raises(ValueError, match=r"X has 7 features, but POHMM is expecting 13"):
        verifier.score_samples(X[:, :7])


def test_too_few_updates_warn():
    with pytest.warns(ConvergenceWarning, match=r"stopped after max_iter=1 updates.*tol=1"):
        verifier = POHMM(max_iter=1).fit(X)
    assert verifier.n_iter_ == 1
    assert not verifier.converged_


def test_two_equal_training_samples():
    verifier = POHMM().fit(np.repeat(X[:1], 2, axis=0))
    assert np.isfinite(verifier.score_samples(X)).all()
    assert verifier.predict(X[:2]).tolist() == [1, -1]


def test_intervals_are_modelled_in_milliseconds():
    verifier = POHMM(n_states=1, smoothing="none", distribution="normal").fit(X)
    # tau of the first key is the median, holds follow press intervals
    down = 1000 * X[:, 1::3]
    assert verifier.location_[1, 0, 0] == pytest.approx(np.median(down, axis=1).mean(), rel=1e-13)
    np.testing.assert_allclose(verifier.location_[2:, 0, 0], down.mean(axis=0), rtol=1e-13)
    hold = 1000 * X[:, 0::3].mean(axis=0)
    np.testing.assert_allclose(verifier.location_[1:, 1, 0], hold, rtol=1e-13)
