"""One-class support vector machine against a general solver, and the published error rates."""

import math

import numpy as np
import pytest
from naive_learned import svm_shares

from hawkeys.evaluation import evaluate
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import OneClassSVM

TRAIN = np.random.default_rng(4).lognormal(-2.0, 0.4, size=(25, 3))
TEST = np.random.default_rng(5).lognormal(-2.0, 0.8, size=(12, 3))


@pytest.mark.parametrize(
    ("options", "gamma", "nu"),
    [({}, 1 / 3, 0.5), ({"gamma": 2.0}, 2.0, 0.5), ({"nu": 0.2}, 1 / 3, 0.2)],
)
def test_scores_are_those_of_a_general_solver(options, gamma, nu):
    center, scale = TRAIN.mean(axis=0), TRAIN.std(axis=0, ddof=1)
    standard, test = (TRAIN - center) / scale, (TEST - center) / scale
    shares = svm_shares(standard, nu, gamma, np.ones(len(TRAIN)))
    gaps = test[:, None, :] - standard[None, :, :]
    expected = np.exp(-gamma * np.square(gaps).sum(axis=2)) @ shares
    # the general solver stops at some 1e-7 of the objective's minimum
    np.testing.assert_allclose(
        OneClassSVM(**options).fit(TRAIN).score_samples(TEST), expected, atol=1e-6
    )


def test_four_corners_by_hand():
    verifier = OneClassSVM().fit([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    # by symmetry each corner has the share 1/4; the variance is 1/3 and gamma 1/2
    centre = math.exp(-0.5 * 2 * 0.25 * 3)
    corner = (1 + 2 * math.exp(-0.5 * 3) + math.exp(-0.5 * 6)) / 4
    # the solver stops at 1e-8
    np.testing.assert_allclose(verifier.dual_coef_, 0.25, rtol=1e-7)
    np.testing.assert_allclose(
        verifier.score_samples([[0.5, 0.5], [1.0, 1.0]]), [centre, corner], rtol=1e-7
    )
    assert verifier.gamma_ == 0.5
    assert verifier.predict([[0.5, 0.5], [3.0, 3.0]]).tolist() == [1, -1]


@pytest.mark.parametrize("nu", [0.1, 0.5, 0.9])
def test_the_solution_satisfies_its_constraints(nu):
    verifier = OneClassSVM(nu=nu).fit(TRAIN)
    most = 1.0 / (nu * len(TRAIN))
    assert verifier.dual_coef_.sum() == pytest.approx(1.0, abs=1e-12)
    assert verifier.dual_coef_.min() > 0.0
    assert verifier.dual_coef_.max() <= most * (1.0 + 1e-9)
    # nu is a lower bound of the share of support vectors
    assert len(verifier.dual_coef_) >= nu * len(TRAIN)


def test_the_order_of_training_rows_does_not_matter():
    order = np.random.default_rng(6).permutation(len(TRAIN))
    one, other = OneClassSVM().fit(TRAIN), OneClassSVM().fit(TRAIN[order])
    np.testing.assert_array_equal(one.score_samples(TEST), other.score_samples(TEST))
    assert one.offset_ == other.offset_


def test_units_and_origins_of_the_features_do_not_matter():
    unit, origin = np.array([1e-3, 1.0, 1e3]), np.array([1.0, -2.0, 300.0])
    one, other = OneClassSVM().fit(TRAIN), OneClassSVM().fit(TRAIN * unit + origin)
    # adding the origins costs three digits, and the solver stops at 1e-8
    np.testing.assert_allclose(
        one.score_samples(TEST), other.score_samples(TEST * unit + origin), atol=1e-6
    )


def test_weights_are_repetitions():
    counts = np.random.default_rng(7).integers(0, 4, size=len(TRAIN))
    weighted = OneClassSVM().fit(TRAIN, sample_weight=counts)
    repeated = OneClassSVM().fit(np.repeat(TRAIN, counts, axis=0))
    np.testing.assert_array_equal(weighted.score_samples(TEST), repeated.score_samples(TEST))
    assert weighted.offset_ == repeated.offset_


def test_weights_that_are_no_whole_numbers_bound_the_shares():
    weights = np.random.default_rng(8).uniform(0.2, 3.0, size=len(TRAIN))
    verifier = OneClassSVM().fit(TRAIN, sample_weight=weights)
    standard = (TRAIN - verifier.center_) / verifier.scale_
    shares = svm_shares(standard, 0.5, 1 / 3, weights)
    test = (TEST - verifier.center_) / verifier.scale_
    gaps = test[:, None, :] - standard[None, :, :]
    expected = np.exp(-np.square(gaps).sum(axis=2) / 3) @ shares
    np.testing.assert_allclose(verifier.score_samples(TEST), expected, atol=1e-6)


def test_moving_away_from_all_training_samples_lowers_the_score():
    verifier = OneClassSVM().fit(TRAIN)
    far = TRAIN.max(axis=0) + np.linspace(0.0, 0.3, 20)[:, None]
    assert (np.diff(verifier.score_samples(far)) < 0).all()
    assert verifier.score_samples([[1e3, 1e3, 1e3]]) == [0.0]


def test_a_feature_that_never_varied_makes_any_other_value_a_certain_reject():
    train = np.column_stack([TRAIN, np.full(len(TRAIN), 0.1)])
    verifier = OneClassSVM().fit(train)
    assert verifier.scale_[-1] == 1e-10
    same, other = train.mean(axis=0), train.mean(axis=0)
    same[-1], other[-1] = 0.1, 0.1001
    assert verifier.predict([same, other]).tolist() == [1, -1]
    assert verifier.score_samples([other]) == [0.0]


def test_training_samples_that_are_all_alike():
    verifier = OneClassSVM().fit(np.full((5, 3), 0.1))
    assert verifier.score_samples([[0.1, 0.1, 0.1]]) == [1.0]
    assert verifier.predict([[0.1, 0.1, 0.1], [0.1, 0.1, 0.2]]).tolist() == [1, -1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nu": 0.0}, r"nu must be one number strictly between 0 and 1 .* got 0.0"),
        ({"nu": 1.0}, r"nu must be one number strictly between 0 and 1 .* got 1.0"),
        ({"gamma": 0.0}, r"gamma must be one positive number; got 0.0"),
        ({"gamma": "scale"}, r"gamma"),
        ({"false_alarm": 0.0}, r"false_alarm must be one number strictly between"),
    ],
)
def test_parameters_out_of_range_are_refused(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        OneClassSVM(**options).fit(TRAIN)


def test_bad_samples_are_refused():
    with pytest.raises(InvalidParameterError, match=r"row 1, column 0 is NaN; OneClassSVM needs"):
        OneClassSVM().fit([[0.1], [np.nan]])
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        OneClassSVM().fit(TRAIN[:1])
    with pytest.raises(ValueError, match="X has 2 features, but OneClassSVM is expecting 3"):
        OneClassSVM().fit(TRAIN).score_samples(TEST[:, :2])


def test_published_rates_of_51_typists(cmu):
    """Killourhy and Maxion (2009), table 2: EER .1025 (.0650), zero-miss .504."""
    rates = evaluate({"svm": OneClassSVM()}, cmu, n_bootstrap=10).to_frame()
    assert len(rates) == 51
    assert rates["eer"].mean() == pytest.approx(0.1025, abs=0.003)
    assert rates["eer"].std() == pytest.approx(0.0650, abs=0.001)
    assert rates["zero_miss"].mean() == pytest.approx(0.504, abs=0.005)
    assert rates["eer"].mean() == pytest.approx(0.1021, abs=5e-5)
