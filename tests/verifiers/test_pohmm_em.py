"""Compiled loops, marginals, smoothing and updates of POHMM against slow twins."""

import naive_pohmm as naive
import numpy as np
import pytest

from hawkeys._jit import pohmm as jit
from hawkeys._loops import choice
from hawkeys._loops import pohmm as choose
from hawkeys._plain import pohmm as plain
from hawkeys.verifiers import _pohmm_em as em

FLOOR = np.log(1e-5)


@pytest.fixture(params=[plain, jit], ids=["plain", "compiled"])
def loops(request):
    return request.param


def random_model(rng, n_events, n_states, n_features=2):
    """Parameters of every position of a text, and samples that suit them."""
    start = rng.dirichlet(np.ones(n_states))
    transition = rng.dirichlet(np.ones(n_states), size=(n_events - 1, n_states))
    location = rng.normal(5.0, 0.5, size=(n_events, n_features, n_states))
    scale = rng.uniform(0.1, 0.6, size=location.shape)
    values = rng.normal(5.0, 0.6, size=(4, n_events, n_features))
    return start, transition, location, scale, values


def emission_of(loops, values, location, scale, jacobian=1.0):
    out = np.empty((*values.shape[:2], location.shape[2]))
    loops.log_emission(values, location, scale, jacobian, FLOOR, out)
    return out


@pytest.mark.parametrize("distribution", ["lognormal", "normal"])
def test_log_emission(loops, distribution):
    rng = np.random.default_rng(0)
    _, _, location, scale, values = random_model(rng, 5, 3)
    values[0, 2, 1] = 30.0  # far out: the floor
    events = np.exp(values) if distribution == "lognormal" else values
    out = emission_of(loops, values, location, scale, float(distribution == "lognormal"))
    for n, t, j in np.ndindex(out.shape):
        expected = naive.log_emission(events[n, t], location[t, :, j], scale[t, :, j], distribution)
        # exp and log of the value are rounded on the way
        assert out[n, t, j] == pytest.approx(expected, abs=1e-11)
    assert (out[0, 2] >= 2 * FLOOR).all()


def test_an_interval_of_zero_has_the_smallest_density(loops):
    values = np.array([[[-np.inf, 5.0]]])
    location, scale = np.full((1, 2, 1), 5.0), np.full((1, 2, 1), 0.5)
    hold = -5.0 - np.log(0.5) - 0.5 * np.log(2 * np.pi)
    assert emission_of(loops, values, location, scale)[0, 0, 0] == pytest.approx(
        FLOOR + hold, rel=1e-14
    )


@pytest.mark.parametrize(("n_events", "n_states"), [(2, 1), (2, 2), (5, 2), (6, 3), (1, 2)])
def test_forward_likelihood_and_posterior_against_all_paths(loops, n_events, n_states):
    start, transition, location, scale, values = random_model(
        np.random.default_rng(n_events * 10 + n_states), n_events, n_states
    )
    emission = emission_of(loops, values, location, scale)
    scores = np.empty(len(values))
    loops.log_likelihood(emission, start, transition, scores)
    states, pairs = np.empty_like(emission), np.empty_like(transition)
    total = loops.posterior(emission, start, transition, states, pairs)
    paths = [naive.enumerate_paths(one, start, transition) for one in emission]
    # sums of products against sums of products: rounding only
    np.testing.assert_allclose(scores, [path[0] for path in paths], rtol=1e-13)
    assert total == pytest.approx(sum(path[0] for path in paths), rel=1e-13)
    np.testing.assert_allclose(states, [path[1] for path in paths], rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(pairs, sum(path[2] for path in paths), rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(states.sum(axis=2), 1.0, rtol=1e-12)


def test_long_texts_and_narrow_densities_do_not_underflow(loops):
    n_events = 2000
    start, transition = np.array([0.5, 0.5]), np.full((n_events - 1, 2, 2), 0.5)
    location = np.tile(np.array([4.0, 7.0]), (n_events, 1, 1))
    scale = np.full_like(location, 1e-5)
    values = np.full((1, n_events, 1), 5.0)
    values[0, ::2] = 4.0
    score = np.empty(1)
    loops.log_likelihood(emission_of(loops, values, location, scale), start, transition, score)
    sharp = -np.log(1e-5) - 0.5 * np.log(2 * np.pi) - 4.0
    at_four = np.log(0.5 * np.exp(sharp) + 0.5e-5)
    assert score[0] == pytest.approx(n_events / 2 * (at_four + FLOOR), rel=1e-12)


def test_weighted_moments(loops):
    rng = np.random.default_rng(3)
    values = rng.normal(5.0, 1.0, size=(6, 5, 2))
    states = rng.dirichlet(np.ones(2), size=(6, 5))
    types = np.array([1, 2, 1, 3, 3])
    location, scale = np.full((4, 2, 2), 9.0), np.zeros((4, 2, 2))
    loops.weighted_moments(values, states, types, 1e-5, location, scale)
    for w in (1, 2, 3):
        mean, deviation = naive.weighted_moments(values, states, types, w, 1e-5)
        np.testing.assert_allclose(location[w], mean, rtol=1e-13)
        np.testing.assert_allclose(scale[w], deviation, rtol=1e-12)
    # type 0 has no event: its mean stays, its deviation is the floor
    np.testing.assert_array_equal(location[0], 9.0)
    np.testing.assert_array_equal(scale[0], 1e-5)


def test_weighted_moments_of_a_state_that_never_occurs_and_of_equal_events(loops):
    values = np.full((3, 2, 1), 5.0)
    states = np.zeros((3, 2, 2))
    states[:, :, 0] = 1.0
    location, scale = np.full((1, 1, 2), 7.0), np.ones((1, 1, 2))
    loops.weighted_moments(values, states, np.zeros(2, dtype=np.int64), 1e-5, location, scale)
    np.testing.assert_array_equal(location, [[[5.0, 7.0]]])
    np.testing.assert_array_equal(scale, 1e-5)


TEXTS = ["abcd", "abab", "aab", "aaa", "abcb", "ab"]


def numbered(text):
    known = list(dict.fromkeys(text))
    return np.array([known.index(one) + 1 for one in text]), known


def as_arrays(parameters, known):
    """Dictionaries of the slow twin in the order of the arrays, the marginal first."""
    start, transition, location, scale = parameters
    order = [naive.ANY, *known]
    pairs = np.array([[transition[v, w] for w in order] for v in order])
    return [
        np.array([start[w] for w in order]),
        pairs,
        np.array([location[w] for w in order]),
        np.array([scale[w] for w in order]),
    ]


@pytest.mark.parametrize(
    ("text", "smoothing", "n_states", "distribution"),
    [
        *((text, "freq", 2, "lognormal") for text in TEXTS),
        *(("abac", smoothing, 2, "lognormal") for smoothing in ("exp", "fixed", "none")),
        ("abca", "freq", 1, "lognormal"),
        ("abca", "freq", 3, "normal"),
    ],
)
def test_estimate_is_that_of_the_slow_twin(text, smoothing, n_states, distribution):
    rng = np.random.default_rng(len(text))
    events = rng.lognormal(5.0, 0.4, size=(5, len(text), 2))
    events[:2] *= 2.0
    values = np.log(events) if distribution == "lognormal" else events
    types, known = numbered(text)
    for n_updates in (1, 3):
        expected, trace = naive.fit(
            events,
            text,
            n_states=n_states,
            smoothing=smoothing,
            distribution=distribution,
            n_updates=n_updates,
        )
        options = em.Options(n_states, smoothing, tol=-np.inf, max_iter=n_updates)
        jacobian = float(distribution == "lognormal")
        found = em.estimate(values, jacobian, types, options)
        # three updates amplify rounding
        np.testing.assert_allclose(found.trace, trace, rtol=1e-10)
        for array, reference in zip(found.parameters, as_arrays(expected, known), strict=True):
            np.testing.assert_allclose(array, reference, rtol=1e-8, atol=1e-12)
        assert not found.converged


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("smoothing", em.SMOOTHINGS)
def test_parameters_are_chances_also_for_keys_and_pairs_never_seen(text, smoothing):
    values = np.random.default_rng(1).normal(5.0, 0.4, size=(4, len(text), 2))
    options = em.Options(2, smoothing, tol=-np.inf, max_iter=4)
    start, transition, location, scale = em.estimate(
        values, 1.0, numbered(text)[0], options
    ).parameters
    for chances in (start, transition):
        assert (chances >= 0).all()
        np.testing.assert_allclose(chances.sum(axis=-1), 1.0, rtol=1e-12)
    assert np.isfinite(location).all()
    assert (scale >= 1e-5).all()


def test_without_smoothing_and_floor_the_log_likelihood_never_falls(monkeypatch):
    monkeypatch.setattr(em, "_LOG_DENSITY_FLOOR", -1e300)
    rng = np.random.default_rng(8)
    slow = rng.random((300, 6, 1)) < 0.4
    values = rng.normal(0.0, 1.0, size=(300, 6, 2)) + 2.0 * slow
    options = em.Options(2, "none", tol=-np.inf, max_iter=200)
    trace = em.estimate(values, 0.0, np.arange(1, 7), options).trace
    # 3,600 terms of the order of 1, rounded
    assert np.diff(trace).min() > -1e-9
    assert trace[-1] - trace[0] > 10


def simulate(rng, parameters, n_samples):
    start, transition, location, scale = parameters
    n_events = len(location)
    values = np.empty((n_samples, n_events, 2))
    for n in range(n_samples):
        state = rng.choice(2, p=start)
        for t in range(n_events):
            if t > 0:
                state = rng.choice(2, p=transition[t - 1, state])
            values[n, t] = rng.normal(location[t, :, state], scale[t, :, state])
    return values


def test_recovers_the_parameters_of_simulated_typing():
    rng = np.random.default_rng(11)
    start = np.array([0.7, 0.3])
    transition = np.array([[[0.9, 0.1], [0.4, 0.6]], [[0.8, 0.2], [0.1, 0.9]]])
    location = np.array(
        [[[4.5, 5.5], [4.4, 4.5]], [[4.8, 6.0], [4.2, 4.4]], [[5.0, 6.2], [4.6, 4.3]]]
    )
    scale = np.full_like(location, 0.2)
    values = simulate(rng, (start, transition, location, scale), 3000)
    options = em.Options(2, "none", tol=1e-6, max_iter=500)
    found = em.estimate(values, 1.0, np.array([1, 2, 3]), options)
    assert found.converged
    parameters = found.parameters
    # about 900 to 2,100 samples per state: four standard errors
    np.testing.assert_allclose(parameters.start[1], start, atol=0.04)
    steps = parameters.transition[[1, 2], [2, 3]]
    np.testing.assert_allclose(steps, transition, atol=0.06)
    np.testing.assert_allclose(parameters.location[1:], location, atol=0.03)
    np.testing.assert_allclose(parameters.scale[1:], scale, atol=0.02)
    # states are told apart by position and direction: the transposed chain must not fit
    assert np.abs(steps - transition.swapaxes(1, 2)).max() > 0.2


class TestChoice:
    def test_of_scores_depends_on_the_text_alone(self, monkeypatch):
        for n in (0, 1, 1_000_000):
            assert choose.for_scores(np.broadcast_to(1.0, (n, 64, 2))) is plain
            assert choose.for_scores(np.broadcast_to(1.0, (n, 65, 2))) is choose.jit
        monkeypatch.setattr(choice, "MOST", -1)
        assert choose.for_scores(np.empty((1, 2, 2))) is choose.jit

    def test_of_estimation_depends_on_the_size(self):
        def chosen(*shapes):
            return choose.for_estimation([np.broadcast_to(1.0, shape) for shape in shapes], 2)

        assert chosen((980, 10, 2)) is plain  # (980 + 20) x 10 x 2 = 20,000
        assert chosen((981, 10, 2)) is choose.jit
        assert chosen((480, 10, 2), (480, 10, 2)) is plain
        assert chosen((480, 10, 2), (481, 10, 2)) is choose.jit
        assert chosen((1, 65, 2), (1, 2, 2)) is choose.jit

    @pytest.mark.parametrize("n_samples", [979, 982])
    def test_both_sides_agree(self, monkeypatch, n_samples):
        """Across the switch the estimate and its scores differ by rounding alone."""
        values = np.log(np.random.default_rng(0).lognormal(5.0, 0.4, size=(n_samples, 10, 2)))
        types = np.arange(1, 11)
        found = []
        for most in (choice.MOST, 10**9, -1):
            monkeypatch.setattr(choice, "MOST", most)
            fit = em.estimate(values, 1.0, types, em.Options(2, "freq", tol=1.0, max_iter=9))
            scores = em.score(values[:50], 1.0, types, fit.parameters)
            found.append((*fit.parameters, fit.trace, scores))
        for one in zip(*found, strict=True):
            np.testing.assert_allclose(one[0], one[2], rtol=1e-10)
            np.testing.assert_allclose(one[1], one[2], rtol=1e-10)


@pytest.mark.parametrize("n_states", [1, 2, 3, 9])
def test_a_score_does_not_depend_on_the_samples_beside_it(n_states):
    rng = np.random.default_rng(n_states)
    values = np.log(rng.lognormal(5.0, 0.6, size=(37, 11, 2)))
    values[3, 2, 0] = -np.inf
    types = np.arange(1, 12)
    fit = em.estimate(values[4:], 1.0, types, em.Options(n_states, "freq", tol=1.0, max_iter=5))
    together = em.score(values, 1.0, types, fit.parameters)
    alone = [em.score(one[None], 1.0, types, fit.parameters)[0] for one in values]
    np.testing.assert_array_equal(together, alone)
