"""Recency-weighted nearest neighbours against loops; what a sample's own copy must not do."""

import itertools

import naive_verifiers as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from hawkeys._jit import neighbors as jit
from hawkeys._loops import choice
from hawkeys._loops import neighbors as loops
from hawkeys._plain import neighbors as plain
from hawkeys.datasets import join_timings
from hawkeys.exceptions import InvalidParameterError, InvalidTimingsError
from hawkeys.verifiers import RecencyNearestNeighbors, recency_weights

VERIFIER = RecencyNearestNeighbors()


def typing(seed, n_samples, n_keys=4, spread=0.3):
    rng = np.random.default_rng(seed)
    interval = rng.lognormal(-1.8, spread, size=(n_samples, n_keys))
    press = np.cumsum(interval, axis=1)
    return join_timings(press, press + rng.lognormal(-2.4, spread, size=(n_samples, n_keys)))


TRAIN, TEST = typing(1, 30), typing(2, 12, spread=0.6)


def distances(samples, templates, weights, share, clip, own=None):
    samples, templates = np.asarray(samples, float), np.asarray(templates, float)
    own = np.full(len(samples), -1) if own is None else np.asarray(own)
    weights = np.asarray(weights, float)
    found = np.empty((2, len(samples)))
    for module, out in zip((plain, jit), found, strict=True):
        features = np.ascontiguousarray(templates.T)
        module.neighbor_distances(samples, own, features, weights, share, clip, out)
    np.testing.assert_array_equal(*found)  # the same to the bit
    return found[0]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 5))
def test_distances_are_those_of_the_loop(seed, n_templates, n_features):
    rng = np.random.default_rng(seed)
    samples = rng.integers(-3, 4, size=(5, n_features)) / 2.0  # ties are frequent
    templates = rng.integers(-3, 4, size=(n_templates, n_features)) / 2.0
    weights = rng.choice([0.0, 0.3, 1.0, 2.0], size=n_templates)
    own = rng.integers(-1, n_templates, size=5)
    share, clip = rng.uniform(0.01, 0.99), rng.choice([0.7, 2.5, 100.0])
    expected = []
    for sample, mine in zip(samples.tolist(), own, strict=True):
        others = [t for t in range(n_templates) if t != mine]
        rows, masses = templates[others].tolist(), weights[others].tolist()
        expected.append(naive.neighbor_distance(sample, rows, masses, share, clip))
    # sums of a few numbers in another order
    found = distances(samples, templates, weights, share, clip, own)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("mass", "expected"),
    # nearest first: distance 1 with weight 2, distance 3 with weight 1, distance 4 with weight 5
    [(1.0, 1.0), (2.0, 1.0), (3.0, 5 / 3), (4.0, 9 / 4), (8.0, 25 / 8), (9.0, 25 / 8)],
)
def test_the_last_neighbour_counts_in_part(mass, expected):
    there, weights = np.array([4.0, 1.0, 3.0]), np.array([5.0, 2.0, 1.0])
    found = distances([[0.0]], there[:, None], weights, mass / 8.0, 100.0)
    assert found == pytest.approx([expected], rel=1e-15)


def test_without_any_weight_the_nearest_counts_and_without_neighbours_nothing():
    assert distances([[5.0]], [[1.0], [3.0]], [0.0, 0.0], 0.5, 10.0) == [2.0]
    assert distances([[5.0]], [[1.0]], [1.0], 0.5, 10.0, own=[0]) == [0.0]
    assert distances([[5.0], [6.0]], [[1.0], [3.0]], [1.0, 1.0], 0.5, 10.0, [1, 0]).tolist() == [
        4.0,
        3.0,
    ]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"half_life": 3.0, "neighbor_mass": 0.4},
        {"clip": 0.8, "min_interval": 0.1},
        {"clock": 0.05},
    ],
)
def test_scores_are_those_of_the_definition(options):
    verifier = RecencyNearestNeighbors(**options).fit(TRAIN)
    parameters = verifier.get_params()
    del parameters["false_alarm"]
    parameters["clock"] = options.get("clock", 0.001)
    train = TRAIN.tolist()
    expected = [-naive.recency_distance(train, row, **parameters) for row in TEST.tolist()]
    # logarithms of two libraries and sums in another order
    np.testing.assert_allclose(verifier.score_samples(TEST), expected, rtol=1e-11)


def test_forty_two_features_for_eleven_keys():
    assert RecencyNearestNeighbors().fit(typing(3, 20, n_keys=11)).scale_.shape == (42,)


def test_no_scale_is_below_one_tick():
    train = np.tile(TRAIN[0], (5, 1))
    verifier = RecencyNearestNeighbors(clock=0.01, min_interval=0.005).fit(train)
    intervals = np.concatenate([train[0, 0::3], train[0, 1::3]])
    np.testing.assert_array_equal(verifier.scale_[:7], 0.01)
    np.testing.assert_allclose(verifier.scale_[7:], 0.01 / intervals, rtol=1e-14)
    later = train[:1].copy()
    later[0, -1] += 0.01  # the last hold one tick longer: H, and its logarithm by almost a tick
    longer = np.log1p(0.01 / train[0, -1]) / (0.01 / train[0, -1])
    assert verifier.score_samples(later)[0] == pytest.approx(-(1 + longer) / 14, rel=1e-9)
    assert verifier.score_samples(train[:1])[0] == 0.0
    assert verifier.offset_ == 0.0


def test_the_order_of_training_rows_is_their_age():
    old_new = np.vstack([TRAIN[:15], TRAIN[15:] * 1.5])
    new_old = np.vstack([old_new[15:], old_new[:15]])
    slow = typing(5, 20) * 1.5
    one = RecencyNearestNeighbors(half_life=3.0).fit(old_new).score_samples(slow)
    other = RecencyNearestNeighbors(half_life=3.0).fit(new_old).score_samples(slow)
    assert (one > other).all()


def test_without_recency_the_order_of_training_rows_does_not_matter():
    order = np.random.default_rng(6).permutation(len(TRAIN))
    one = RecencyNearestNeighbors(half_life=None).fit(TRAIN)
    other = RecencyNearestNeighbors(half_life=None).fit(TRAIN[order])
    np.testing.assert_array_equal(one.score_samples(TEST), other.score_samples(TEST))
    assert one.offset_ == other.offset_


def test_a_very_long_half_life_is_as_none():
    one = RecencyNearestNeighbors(half_life=1e12).fit(TRAIN).score_samples(TEST)
    other = RecencyNearestNeighbors(half_life=None).fit(TRAIN).score_samples(TEST)
    np.testing.assert_allclose(one, other, rtol=1e-9)  # weights differ by 2e-11


def test_a_very_short_half_life_leaves_the_last_sample_alone():
    verifier = RecencyNearestNeighbors(half_life=1e-3).fit(TRAIN)
    assert verifier.score_samples(TRAIN[-1:])[0] == 0.0
    gap = verifier._features(TEST) - verifier._features(TRAIN[-1:])
    expected = -np.minimum(np.abs(gap) / verifier.scale_, 2.5).mean(axis=1)
    np.testing.assert_allclose(verifier.score_samples(TEST), expected, rtol=1e-12)
    assert np.isfinite(verifier.training_scores(TRAIN)).all()


@pytest.mark.parametrize("half_life", [None, 30.0])
def test_weights_multiply_those_of_recency(half_life):
    times = np.random.default_rng(8).integers(0, 4, size=len(TRAIN))
    verifier = RecencyNearestNeighbors(half_life=half_life).fit(TRAIN, sample_weight=times)
    kept = TRAIN[times > 0]
    absent = RecencyNearestNeighbors(half_life=half_life).fit(kept, sample_weight=times[times > 0])
    np.testing.assert_array_equal(verifier.score_samples(TEST), absent.score_samples(TEST))
    assert verifier.offset_ == absent.offset_
    order = np.argsort(verifier._template_of)
    product = recency_weights(len(kept), half_life) * times[times > 0]
    np.testing.assert_array_equal(verifier.weights_, product[order])


def test_a_training_sample_does_not_meet_itself():
    """Leaving a row out, with the scale kept, gives the same distances."""
    verifier = RecencyNearestNeighbors(neighbor_mass=0.2).fit(TRAIN)
    features = verifier._features(TRAIN) / verifier.scale_
    weights = recency_weights(len(TRAIN), 30.0)
    others = [np.delete(np.arange(len(TRAIN)), i) for i in range(len(TRAIN))]
    expected = [
        -distances(features[i : i + 1], features[rest], weights[rest], 0.2, 2.5)[0]
        for i, rest in enumerate(others)
    ]
    # sums of weights in another order
    np.testing.assert_allclose(verifier.training_scores(TRAIN), expected, rtol=1e-12)
    assert (verifier.training_scores(TRAIN) < verifier.score_samples(TRAIN)).all()


def test_a_training_sample_does_not_meet_its_copies():
    verifier = RecencyNearestNeighbors(half_life=None)
    twice = clone(verifier).fit(np.repeat(TRAIN, 2, axis=0))
    weighted = clone(verifier).fit(TRAIN, sample_weight=np.full(len(TRAIN), 2.0))
    once = clone(verifier).fit(TRAIN)
    np.testing.assert_allclose(twice.score_samples(TEST), once.score_samples(TEST), rtol=1e-12)
    assert twice.offset_ == pytest.approx(once.offset_, rel=1e-12)
    assert weighted.offset_ == pytest.approx(once.offset_, rel=1e-12)
    assert once.offset_ < 0.0


def test_training_scores_want_the_training_samples():
    verifier = clone(VERIFIER).fit(TRAIN)
    for other in (TEST, TRAIN[::-1], TRAIN[:5]):
        with pytest.raises(InvalidParameterError, match=r"takes the 30 training samples .* order"):
            verifier.training_scores(other)


def slower(hold, up_down):
    """A sample whose holds and pauses exceed the longest of training by so many seconds."""
    row = TRAIN.max(axis=0) + hold
    row[2::3] += up_down - hold
    row[1::3] = row[0:-1:3] + row[2::3]
    return row


@settings(max_examples=40, deadline=None)
@given(*[st.floats(0.0, 0.5)] * 4)
def test_scores_lie_within_the_bound_and_fall_with_slower_typing(hold, up_down, more, pause):
    verifier = RecencyNearestNeighbors(clip=5.0).fit(TRAIN)
    samples = [slower(hold, up_down), slower(hold + more, up_down + pause)]
    scores = verifier.score_samples(samples)
    assert -5.0 <= scores[1] <= scores[0] + 1e-12  # rounding of equal samples
    assert scores[0] < 0.0


def test_one_hesitation_costs_at_most_the_bound():
    verifier = clone(VERIFIER).fit(TRAIN)
    hesitant = TRAIN[:1].copy()
    hesitant[0, 1:3] += 60.0  # DD and UD of one pair of keys: UD and ln DD among 14 features
    gain = verifier.score_samples(TRAIN[:1]) - verifier.score_samples(hesitant)
    assert 0.0 < gain[0] <= 2 * 2.5 / 14 + 1e-12


def test_the_unit_of_time_does_not_matter():
    one = clone(VERIFIER).fit(TRAIN)
    other = RecencyNearestNeighbors(min_interval=0.05, clock=0.01).fit(TRAIN * 10)
    np.testing.assert_allclose(
        one.score_samples(TEST), other.score_samples(TEST * 10), rtol=1e-9
    )  # the logarithms lose two digits


def test_a_row_scores_alike_in_any_company():
    verifier = clone(VERIFIER).fit(TRAIN)
    alone = [verifier.score_samples(row[None])[0] for row in TEST]
    np.testing.assert_array_equal(verifier.score_samples(TEST), alone)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"half_life": 0.0}, r"half_life must be one positive number; got 0.0"),
        ({"neighbor_mass": 1.0}, r"neighbor_mass must be one number strictly between 0 and 1"),
        ({"clip": -1.0}, r"clip must be one positive number; got -1.0"),
        ({"min_interval": [1.0]}, r"min_interval must be one positive number; got \[1.0\]"),
        ({"clock": np.inf}, r"clock is inf; every value must be finite"),
    ],
)
def test_parameters_out_of_range_are_refused(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        RecencyNearestNeighbors(**options).fit(TRAIN)


def test_what_is_no_timing_matrix_is_refused():
    with pytest.raises(InvalidTimingsError, match=r"shape \(n_samples, 3 K - 2\)"):
        clone(VERIFIER).fit(TRAIN[:, :-1])
    wrong = TRAIN.copy()
    wrong[3, 1] += 0.5
    with pytest.raises(InvalidTimingsError, match=r"row 3: DD.key1.key2 is .* equal H \+ UD"):
        clone(VERIFIER).fit(wrong)


def test_one_key_has_a_hold_and_its_logarithm():
    verifier = RecencyNearestNeighbors().fit([[0.1], [0.11], [0.12]])
    assert verifier.scale_.shape == (2,)
    near, far = verifier.score_samples([[0.11], [0.5]])
    assert far < near <= 0.0


def test_every_option_changes_the_scores():
    base = clone(VERIFIER).fit(TRAIN).score_samples(TEST)
    others = [
        RecencyNearestNeighbors(half_life=2.0),
        RecencyNearestNeighbors(neighbor_mass=0.5),
        RecencyNearestNeighbors(clip=1.0),
        RecencyNearestNeighbors(min_interval=0.2),
        RecencyNearestNeighbors(clock=0.1),
    ]
    scores = [base, *(verifier.fit(TRAIN).score_samples(TEST) for verifier in others)]
    for one, other in itertools.combinations(scores, 2):
        assert not np.allclose(one, other)


def test_the_size_chooses(monkeypatch):
    """Up to 20,000 times 200 differences of features no compiler is needed."""
    asked = []
    stub = type("Loops", (), {"neighbor_distances": lambda *_: asked.append("compiled")})
    monkeypatch.setattr(loops, "jit", stub)
    for n_samples in (400, 401):
        out = np.full(n_samples, np.nan)
        given = np.zeros((n_samples, 50)), np.full(n_samples, -1), np.ones((50, 200)), np.ones(200)
        loops.neighbor_distances(*given, 0.05, 2.5, out)
        assert (out == 1.0).all() == (n_samples == 400)
    assert asked == ["compiled"]
    assert choice.MOST == 20_000


@pytest.mark.parametrize("seed", range(4))
def test_many_templates_to_the_bit(seed):
    rng = np.random.default_rng(seed)
    samples, templates = rng.gamma(2.0, 1.0, (40, 12)), rng.gamma(2.0, 1.0, (300, 12))
    templates[100] = templates[7]
    own = rng.integers(-1, 300, 40)
    for share in (0.05, 0.3, 1.0):
        distances(samples, templates, 0.5 ** (np.arange(300) / 30), share, 2.5, own)
        distances(samples, templates, np.full(300, 0.1), share, 2.5, own)
