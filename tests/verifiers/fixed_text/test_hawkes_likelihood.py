"""The likelihood of a typist's Hawkes process against loops, quadrature and hawkeys.Hawkes."""

import itertools

import naive_hawkes_likelihood as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from hawkeys.datasets import join_timings, timings_to_events
from hawkeys.evaluation import evaluate
from hawkeys.exceptions import InvalidParameterError, InvalidTimingsError
from hawkeys.verifiers import HawkesLikelihood
from hawkeys.verifiers.fixed_text import _hawkes_em as em
from hawkeys.verifiers.fixed_text import _hawkes_sums as loops

OPTIONS = em.Options(min_baseline=0.01, prior_strength=1.0, prior_scale=0.2, n_iter=5)
FIVE = ["s002", "s032", "s036", "s047", "s052"]


def typing(seed, n_samples, n_keys=4, spread=0.3):
    """Samples in which keys overlap now and then."""
    rng = np.random.default_rng(seed)
    press = np.cumsum(rng.lognormal(-1.8, spread, size=(n_samples, n_keys)), axis=1)
    return join_timings(press, press + rng.lognormal(-2.0, spread, size=(n_samples, n_keys)))


TRAIN, TEST = typing(1, 40), typing(2, 12, spread=0.6)


def tied():
    """Two presses at once, a key of no length, and a release at the end of the window."""
    press, release = np.array([[0.0, 0.0, 0.2, 0.2]]), np.array([[0.2, 0.1, 0.2, 0.5]])
    return join_timings(press, release)


def parameters(rng, n_marks, n_edges):
    edges = np.column_stack(
        [rng.uniform(0.1, 2.0, n_edges), rng.normal(-2, 0.7, n_edges), rng.uniform(0.1, 1, n_edges)]
    )
    return em.Parameters(rng.uniform(0.01, 2.0, n_marks), edges)


@pytest.mark.parametrize("structure", em.STRUCTURES)
@pytest.mark.parametrize("lags", [1, 2, 3, 9])
@pytest.mark.parametrize("n_keys", [1, 2, 3, 5])
def test_edges_are_those_of_the_rule(n_keys, lags, structure):
    assert em.make_edges(n_keys, lags, structure).tolist() == [
        list(edge) for edge in naive.edges(n_keys, lags, structure)
    ]


def test_sixty_nine_edges_for_eleven_keys():
    assert len(em.make_edges(11, 2, "rollover")) == 69
    assert len(em.make_edges(11, 2, "key")) == 59


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(em.STRUCTURES), st.integers(1, 3))
def test_contributions_and_residuals_are_those_of_the_loop(seed, structure, lags):
    rng = np.random.default_rng(seed)
    samples = np.vstack([typing(seed, 2, spread=0.8), tied()])
    edges = em.make_edges(4, lags, structure)
    given_ = parameters(rng, 8, len(edges))
    data = em.Lags.of(samples, edges)
    logs, masses = data.logs_and_masses(given_)
    until = data.residuals(given_)
    for i, row in enumerate(samples.tolist()):
        expected = naive.event_terms(naive.times_of(row), edges.tolist(), *given_.arrays)
        found = np.column_stack([logs[:, i], masses[:, i], until[:, i]])
        # tails beyond 8 standard deviations (1e-15) count as nothing
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


def test_compensator_is_the_integral_of_the_intensity():
    verifier = HawkesLikelihood().fit(TRAIN)
    events = timings_to_events(TEST[:1], marks="actions")
    process, end = verifier.process_, events.end_times[0]
    bends = np.unique(events.times)
    total = np.zeros(8)
    for begin, stop in itertools.pairwise(bends):
        total += integrate.quad_vec(
            lambda t: process.intensity(events, [t])[0], begin, stop, epsabs=1e-10
        )[0]
    data = em.Lags.of(TEST[:1], verifier.edges_)
    _, masses = data.logs_and_masses(verifier._parameters)
    assert end == bends[-1]
    np.testing.assert_allclose(masses[:, 0], total, rtol=1e-7)  # quadrature


@settings(max_examples=2, deadline=None)
@given(st.integers(0, 10**6))
def test_expected_children_are_those_of_the_loop(seed):
    rng = np.random.default_rng(seed)
    samples = np.vstack([typing(seed, 2, n_keys=3, spread=0.8), tied()[:, :7]])
    edges = em.make_edges(3, 2, "rollover")
    given_, weights = parameters(rng, 6, len(edges)), rng.uniform(0.1, 2.0, 3)
    data = em.Lags.of(samples, edges)
    moments, arrivals = np.zeros((len(edges), 3)), np.zeros(6)
    total = loops.expected_children(
        data.lags, data.rests, weights, data.first, *given_.arrays, moments, arrivals
    )
    times = [naive.times_of(row) for row in samples.tolist()]
    expected = naive.expected_children(times, weights, edges.tolist(), *given_.arrays)
    np.testing.assert_allclose(moments, expected[0], rtol=1e-7, atol=1e-9)  # quadrature
    np.testing.assert_allclose(arrivals, expected[1], rtol=1e-12)
    assert total == pytest.approx(expected[2], rel=1e-11)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from(em.STRUCTURES),
    st.floats(1e-3, 20.0),
    st.floats(1e-4, 1.0),
    st.sampled_from([None, 3.0, 20.0]),
)
def test_the_objective_never_falls(seed, structure, prior_strength, min_baseline, half_life):
    verifier = HawkesLikelihood(
        structure=structure,
        prior_strength=prior_strength,
        min_baseline=min_baseline,
        half_life=half_life,
        n_iter=30,
    ).fit(np.vstack([typing(seed, 15, spread=0.7), tied()]))
    trace = verifier.objective_trace_
    assert trace.size == 31
    # rounding of sums of some hundred terms
    assert np.diff(trace).min() > -1e-9 * np.abs(trace).max()


def test_a_step_in_a_wrong_direction_would_be_seen():
    """The negative control: parameters pushed away from the estimate have a lower objective."""
    data = em.Lags.of(TRAIN, em.make_edges(4, 2, "rollover"))
    weights = np.ones(len(TRAIN))
    found = em.estimate(data, weights, OPTIONS)
    worse = em.Parameters(found.parameters.baseline, found.parameters.edges * [1.3, 1.0, 1.0])
    again = em.estimate(data, weights, em.Options(0.01, 1.0, 0.2, 1))
    assert em._objective(data, weights, worse, OPTIONS) < found.trace[-1]
    assert again.trace[-1] == pytest.approx(found.trace[1], rel=1e-12)


def test_the_end_is_a_maximum():
    """After many updates no parameter improves the objective by a small change."""
    data = em.Lags.of(TRAIN, em.make_edges(4, 1, "key"))
    weights, options = np.ones(len(TRAIN)), em.Options(0.01, 1.0, 0.2, 5000)
    found = em.estimate(data, weights, options)
    best = found.trace[-1]
    for index in np.ndindex(found.parameters.edges.shape):
        for step in (-1e-3, 1e-3):
            edges = found.parameters.edges.copy()
            edges[index] += step
            moved = em.Parameters(found.parameters.baseline, edges)
            # what is left to gain after 5,000 updates on a flat ridge
            assert em._objective(data, weights, moved, options) < best + 1e-4


def test_scores_are_the_log_likelihood_of_the_process():
    verifier = HawkesLikelihood().fit(TRAIN)
    samples = np.vstack([TEST, tied()])
    for row, score in zip(samples, verifier.score_samples(samples), strict=True):
        events = timings_to_events(row[None], marks="actions")
        assert score == pytest.approx(verifier.process_.log_likelihood(events), rel=1e-9)


def test_the_likelihood_of_cmu_typists(cmu):
    for name in FIVE:
        own = cmu[cmu.subject == name]
        X = own.timings().to_numpy()
        verifier = HawkesLikelihood().fit(X[:200])
        events = own[200:].to_events(marks="actions")
        expected = verifier.process_.log_likelihood(events)
        assert verifier.score_samples(X[200:]).sum() == pytest.approx(expected, rel=1e-9)
        assert np.diff(verifier.objective_trace_).min() > -1e-8


def test_surprise_sums_to_minus_the_score_and_finds_the_key():
    verifier = HawkesLikelihood().fit(TRAIN)
    surprise = verifier.surprise(TEST)
    assert surprise.shape == (12, 8)
    np.testing.assert_allclose(surprise.sum(axis=1), -verifier.score_samples(TEST), rtol=1e-12)
    late = TRAIN[-1:].copy()
    late[0, 7:9] += 0.6  # the pause before the last key
    more = (verifier.surprise(late) - verifier.surprise(TRAIN[-1:]))[0]
    assert verifier.mark_names_[np.argmax(more)] == "press key4"
    assert verifier.mark_names_[:3] == ("press key1", "release key1", "press key2")


def test_residuals_are_compensators_up_to_the_event():
    verifier = HawkesLikelihood().fit(TRAIN)
    residuals = verifier.residuals(TEST)
    assert residuals.shape == (12, 8)
    assert (residuals[:, 0] == 0).all()
    events = timings_to_events(TEST[:1], marks="actions")
    expected = verifier.process_.compensator(events, np.sort(events.times))
    order = np.argsort(events.times)
    found = [expected[k, mark] for k, mark in enumerate(events.marks[order])]
    np.testing.assert_allclose(residuals[0][events.marks[order]], found, rtol=1e-9, atol=1e-12)


def test_the_floor_bounds_what_one_event_costs():
    plain, floored = HawkesLikelihood().fit(TRAIN), HawkesLikelihood(floor=-1.0).fit(TRAIN)
    expected = np.maximum(-plain.surprise(TEST), -1.0).sum(axis=1)
    np.testing.assert_allclose(floored.score_samples(TEST), expected, rtol=1e-12)


@pytest.mark.parametrize("half_life", [None, 10.0])
def test_weights_multiply_those_of_recency(half_life):
    times = np.random.default_rng(8).integers(0, 4, size=len(TRAIN))
    verifier = HawkesLikelihood(half_life=half_life)
    one = clone(verifier).fit(TRAIN, sample_weight=times)
    kept = times > 0
    absent = clone(verifier).fit(TRAIN[kept], sample_weight=times[kept])
    np.testing.assert_array_equal(one.score_samples(TEST), absent.score_samples(TEST))
    if half_life is None:
        repeated = clone(verifier).fit(np.repeat(TRAIN, times, axis=0))
        # sums in another order, through 40 updates
        np.testing.assert_allclose(one.score_samples(TEST), repeated.score_samples(TEST), rtol=1e-7)


def test_the_latest_samples_count_most():
    slow = typing(5, 20) * 1.5
    old_new, new_old = np.vstack([TRAIN[:20], slow]), np.vstack([slow, TRAIN[:20]])
    one = HawkesLikelihood(half_life=3.0).fit(old_new).score_samples(slow)
    other = HawkesLikelihood(half_life=3.0).fit(new_old).score_samples(slow)
    assert one.mean() > other.mean()


def test_a_row_scores_alike_in_any_company():
    verifier = HawkesLikelihood().fit(TRAIN)
    alone = [verifier.score_samples(row[None])[0] for row in TEST]
    np.testing.assert_array_equal(verifier.score_samples(TEST), alone)


def test_every_option_changes_the_scores():
    changes = (
        {},
        {"structure": "key"},
        {"lags": 1},
        {"half_life": None},
        {"floor": 0.0},
        {"min_baseline": 0.5},
        {"prior_strength": 10.0},
        {"n_iter": 2},
    )
    scores = [HawkesLikelihood(**change).fit(TRAIN).score_samples(TEST) for change in changes]
    assert len({values.tobytes() for values in scores}) == len(changes)


def test_one_key_and_keys_typed_alike():
    single = HawkesLikelihood().fit([[0.1], [0.11], [0.12]])
    near, far = single.score_samples([[0.11], [0.5]])
    assert far < near
    constant = HawkesLikelihood().fit(np.tile(TRAIN[0], (5, 1)))
    assert np.isfinite(constant.score_samples(TEST)).all()
    assert (constant.scale_ > 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"structure": "line"}, r"structure must be one of 'key', 'rollover'"),
        ({"lags": 0}, r"lags must be at least 1; got 0"),
        ({"half_life": 0.0}, r"half_life must be one positive number; got 0.0"),
        ({"floor": [1.0]}, r"floor must be None or one number, in nats; got \[1.0\]"),
        ({"min_baseline": 0.0}, r"min_baseline must be one positive number; got 0.0"),
        ({"prior_strength": -1.0}, r"prior_strength must be one positive number; got -1.0"),
        ({"n_iter": 0}, r"n_iter must be at least 1; got 0"),
    ],
)
def test_parameters_out_of_range_are_refused(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        HawkesLikelihood(**options).fit(TRAIN)


def test_what_is_no_timing_matrix_is_refused():
    with pytest.raises(InvalidTimingsError, match=r"shape \(n_samples, 3 K - 2\)"):
        HawkesLikelihood().fit(TRAIN[:, :-1])


@pytest.mark.parametrize("method", ["surprise", "residuals"])
def test_before_fit_nothing_is_explained(method):
    with pytest.raises(NotFittedError):
        getattr(HawkesLikelihood(), method)(TEST)
    with pytest.raises(NotFittedError):
        _ = HawkesLikelihood().process_


def test_error_rate_on_the_cmu_benchmark(cmu):
    """The POHMM has 0.073 there."""
    kinds = {"hawkes": HawkesLikelihood()}
    frame = evaluate(kinds, cmu, protocol="killourhy-maxion", n_bootstrap=10).to_frame()
    assert len(frame) == 51
    assert frame["eer"].mean() == pytest.approx(0.0446, abs=5e-4)
