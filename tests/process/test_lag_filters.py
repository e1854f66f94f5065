"""Steps and exponentials of all lags inside a link: values, likelihood, simulation, refusals."""

import itertools

import naive_lag_filters as naive
import numpy as np
import pytest
from scipy.stats import kstest

import hawkeys
from hawkeys.baselines import Constant, Periodic, PiecewiseConstant
from hawkeys.diagnostics.time_rescaling import rescale
from hawkeys.exceptions import InvalidParameterError, UnstableProcessError
from hawkeys.process import LagFilters, LogTimeFilters, NonlinearHawkes, RectifiedHawkes

FILTERS = {
    "steps": LagFilters(edges=[0.0, 0.2, 0.5, 1.5]),
    "decays": LagFilters(decays=[0.7, 4.0]),
    "both": LagFilters(edges=[0.0, 0.2, 0.5], decays=[0.7]),
    "by target": LagFilters(edges=[0.1, 0.5], decays=[[0.7, 3.0], [1.5, 9.0]]),
}
PIECES = PiecewiseConstant([0.0, 1.3, 2.0, 8.0])
EDGES = [
    hawkeys.Events.from_lists([[[], []]], end_times=3.0),
    hawkeys.Events.from_lists([[[0.0, 1.0, 1.0, 3.0], [1.0, 3.0]]], end_times=3.0),
    hawkeys.Events.from_lists([[[1.0, 2.0], [1.55]], [[], []], [[0.5], [0.43]]], end_times=4.0),
    hawkeys.Events.from_lists([[[1.1, 1.3, 1.35, 2.41], [1.3, 1.9]]], end_times=7.5),
]


def random_process(name, link, seed=0, pieces=None):
    rng = np.random.default_rng(seed)
    filters = FILTERS[name]
    weights = rng.normal(0.0, 1.0, (1, 2, 2, filters.n_filters))
    inside = rng.normal(0.0, 0.5, 2 if pieces is None else (2, pieces.n_pieces))
    return NonlinearHawkes(inside, weights, filters, link=link, pieces=pieces)


@pytest.mark.parametrize("link", ["exponential", "softplus"])
@pytest.mark.parametrize("name", FILTERS)
def test_log_likelihood_equals_adaptive_quadrature(name, link):
    process = random_process(name, link)
    for events in EDGES:
        wanted = naive.log_likelihood(process, events)
        assert process.log_likelihood(events) == pytest.approx(wanted, rel=1e-9, abs=1e-8)


@pytest.mark.parametrize("pieces", [PIECES, Periodic([0.2, 0.9], 1.5)], ids=repr)
def test_a_baseline_that_changes(pieces):
    """With steps and exponentials, and with tents, whose compiled loops know no change."""
    changes = [
        t for t in np.r_[PIECES.knots, np.arange(9) * 1.5 + 0.2, np.arange(9) * 1.5 + 0.9] if t < 8
    ]
    process = random_process("both", "softplus", pieces=pieces)

    def piece(when):
        return int(np.argmax(pieces.basis(np.array([when]))[0]))

    for events in EDGES[1:]:
        wanted = naive.log_likelihood(process, events, piece, changes)
        assert process.log_likelihood(events) == pytest.approx(wanted, rel=1e-9, abs=1e-8)
    tents = LogTimeFilters([0.1, 0.2, 0.5])
    weights = np.random.default_rng(1).normal(size=(2, 2, 2, 2))
    plain = NonlinearHawkes([0.3, -0.2], weights, tents, memory=2)
    alike = np.repeat([[0.3], [-0.2]], pieces.n_pieces, axis=1)
    changing = NonlinearHawkes(alike, weights, tents, memory=2, pieces=pieces)
    for events in EDGES:
        assert changing.log_likelihood(events) == pytest.approx(plain.log_likelihood(events))


def test_given_events_act_but_do_not_count():
    process = random_process("both", "exponential")
    for events, n_given in itertools.product(EDGES, (1, 2, 9)):
        wanted = naive.log_likelihood(process, events, n_given=n_given)
        got = process.realization_log_likelihoods(events, n_given=n_given).sum()
        assert got == pytest.approx(wanted, rel=1e-9, abs=1e-8)


@pytest.mark.parametrize("name", FILTERS)
def test_compensator_is_the_integral_of_the_intensity(name):
    process, events = random_process(name, "exponential", 2), EDGES[3]
    times = np.array([0.0, 1.1, 1.2, 1.35, 3.0, 7.5])
    path = events.times, events.marks
    wanted = [
        [naive.integral(process, *path, i, (0.0, t), lambda when: 0) for i in range(2)]
        for t in times
    ]
    np.testing.assert_allclose(process.compensator(events, times), wanted, rtol=1e-9, atol=1e-10)


def test_quadrature_says_how_precise_it_is():
    events = EDGES[3]
    small = random_process("decays", "exponential")
    assert small.quadrature_error(events) < 1e-9
    steep = NonlinearHawkes([0.0, 0.0], 60.0 * small.weights, small.filters)
    error = steep.quadrature_error(events)
    assert error > 1e-6
    assert abs(steep.log_likelihood(events) - naive.log_likelihood(steep, events)) < 2.0 * error
    assert random_process("steps", "exponential").quadrature_error(events) == 0.0


def test_likelihood_keeps_its_value_in_another_unit():
    """Times in microseconds: the intensity of the exponential link is a million times smaller."""
    process, c = random_process("both", "exponential"), 1e6
    filters = LagFilters(edges=c * FILTERS["both"].edges, decays=FILTERS["both"].decays / c)
    scaled = NonlinearHawkes(process.baseline - np.log(c), process.weights, filters)
    for events in EDGES:
        other = hawkeys.Events.from_arrays(
            c * events.times,
            events.marks,
            offsets=events.offsets,
            end_times=c * events.end_times,
            mark_names=events.mark_names,
        )
        wanted = process.log_likelihood(events) - events.n_events * np.log(c)
        assert scaled.log_likelihood(other) == pytest.approx(wanted, rel=1e-9, abs=1e-7)


def test_the_rectified_link_is_the_rectified_process():
    adjacency, decay = np.array([[0.3, -0.4], [-0.2, 0.5]]), np.array([2.0, 3.0])
    known = RectifiedHawkes([1.0, 1.2], adjacency, decay=decay)
    weights = (adjacency * decay[:, None])[None, :, :, None]
    filters = LagFilters(decays=decay[:, None])
    process = NonlinearHawkes([1.0, 1.2], weights, filters, link="rectified")
    assert isinstance(known, NonlinearHawkes)
    times = np.linspace(0.0, 4.0, 9)
    for events in EDGES[2:]:
        assert process.log_likelihood(events) == pytest.approx(known.log_likelihood(events))
        for what in ("intensity", "compensator"):
            np.testing.assert_allclose(
                getattr(process, what)(events, times),
                getattr(known, what)(events, times),
                atol=1e-13,
            )
    np.testing.assert_allclose(known.kernel_integrals, adjacency)
    same = [hawkeys.simulate(one, end_time=50.0, rng=1).times for one in (process, known)]
    np.testing.assert_allclose(*same, rtol=1e-12)


def test_kernels_and_their_integrals():
    process = random_process("by target", "softplus")
    lags = np.array([0.05, 0.1, 0.3, 2.0])
    wanted = [
        [[process.weights[0, i, j] @ naive.filter_values(process, i, u) for j in range(2)]
         for i in range(2)] for u in lags
    ]  # fmt: skip
    np.testing.assert_allclose(process.kernel_at(lags)[:, 0], wanted, atol=1e-14)
    fine = np.linspace(0.0, 40.0, 400_001)
    area = process.kernel_at(fine + 5e-5)[:, 0].sum(axis=0) * 1e-4
    np.testing.assert_allclose(process.kernel_integrals, area, atol=2e-4)
    tents = LogTimeFilters([0.1, 0.2, 0.4])
    np.testing.assert_allclose(
        tents.integrals(), tents.values(fine[:4001] + 5e-5).sum(axis=0) * 1e-4, atol=1e-6
    )


SPIKES = NonlinearHawkes(
    [1.0], [[[[-6.0, -1.0, 1.5, 0.4, -0.6]]]], LagFilters([0.0, 0.05, 0.1, 0.3], [1.0, 0.2]),
    link="softplus",
)  # fmt: skip


def test_residuals_of_simulations_are_exponential_and_wrong_ones_are_not():
    pieces = Periodic([0.0, 7.0], 10.0)
    process = NonlinearHawkes(
        [[0.5, -0.5]], SPIKES.weights, SPIKES.filters, link="softplus", pieces=pieces
    )
    sample = hawkeys.simulate(process, end_time=[900.0, 300.0], start_time=[0.0, 30.0], rng=1)
    assert kstest(rescale(process, sample).residuals, "expon").pvalue > 0.01
    wrong = NonlinearHawkes(
        [[-0.5, 0.5]], SPIKES.weights, SPIKES.filters, link="softplus", pieces=pieces
    )
    assert kstest(rescale(wrong, sample).residuals, "expon").pvalue < 1e-3


def test_simulation_agrees_with_small_steps():
    rng = np.random.default_rng(3)
    slow = [naive.simulate_steps(SPIKES, rng, 20.0, 0.004) for _ in range(4)]
    fast = hawkeys.simulate(SPIKES, end_time=np.full(60, 20.0), rng=0)
    n_slow, wanted = sum(times.size for times in slow), fast.n_events * 4.0 / 60.0
    assert abs(n_slow - wanted) < 4.0 * np.sqrt(wanted)
    lags = np.concatenate([np.diff(times) for times in slow])
    gaps = np.diff(fast.times)[np.diff(fast.realization) == 0]
    assert min(gaps.min(), lags.min()) > 0.0
    assert abs((gaps < 0.3).mean() - (lags < 0.3).mean()) < 4.0 * 0.5 / np.sqrt(lags.size)


@pytest.mark.parametrize("kind", ["rectified", "tents", "lags"])
def test_a_history_acts_on_what_follows(kind):
    """The first event after a history has the law of the compensator, and not without it."""
    process = {
        "rectified": RectifiedHawkes([0.6], [[-1.5]], decay=0.8),
        "tents": NonlinearHawkes([0.3], [[[[-3.0, 2.0]]]], LogTimeFilters([0.4, 1.0, 2.5])),
        "lags": NonlinearHawkes(
            [0.0], [[[[-4.0, 1.5, -0.5]]]], LagFilters([0.0, 0.6, 1.4], [0.5]), link="softplus"
        ),
    }[kind]
    past = hawkeys.Events.from_lists([[[1.0, 2.0, 2.7]]], end_times=3.0)
    future = hawkeys.simulate(process, end_time=43.0, n_realizations=600, history=past, rng=4)
    assert (future.start_times == 3.0).all()
    seen = np.flatnonzero(np.diff(future.offsets) > 0)
    firsts = future.times[future.offsets[seen]]
    longer = hawkeys.Events.from_lists([[past.times]], end_times=43.0)
    mass = process.compensator(longer, np.append(3.0, firsts))[:, 0]
    assert kstest(-np.expm1(-(mass[1:] - mass[0])), "uniform").pvalue > 0.01
    alone = hawkeys.Events.from_lists([[[]]], start_times=3.0, end_times=43.0)
    mass = process.compensator(alone, firsts)[:, 0]
    assert kstest(-np.expm1(-mass), "uniform").pvalue < 1e-3


def test_an_explosion_is_said():
    process = NonlinearHawkes([0.0], [[[[3.0]]]], LagFilters(decays=[0.5]))
    with pytest.raises(UnstableProcessError, match="grows beyond 500 events"):
        hawkeys.simulate(
            NonlinearHawkes([4.0], [[[[0.01]]]], LagFilters(decays=[0.5])),
            end_time=1e4,
            max_events=500,
            rng=0,
        )
    with pytest.raises(UnstableProcessError, match="grows beyond all numbers"):
        hawkeys.simulate(process, end_time=1e4, rng=0)
    tents = NonlinearHawkes([0.0], [[[[400.0]]]], LogTimeFilters([0.5, 1.0]), memory=2)
    with pytest.raises(UnstableProcessError, match="grows beyond all numbers"):
        hawkeys.simulate(tents, end_time=9.0, rng=0)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({}, "give edges of stretches of time since an event, decays of exponentials, or both"),
        ({"edges": [0.1]}, "edges must be two or more times >= 0"),
        ({"edges": [-0.1, 0.1]}, "edges must be two or more times >= 0"),
        ({"edges": [0.2, 0.1]}, r"edges must increase; got edges\[0\] = 0.2"),
        ({"decays": [0.0]}, "decays must be positive"),
        ({"decays": [1.0, 1.0]}, "two decays of a target are the same"),
        ({"decays": [[[1.0]]]}, "a row for each target mark"),
    ],
)
def test_wrong_filters(how, message):
    with pytest.raises(InvalidParameterError, match=message):
        LagFilters(**how)


@pytest.mark.parametrize(
    ("filters", "how", "message"),
    [
        (LagFilters(decays=[1.0]), {"memory": 3}, "with LagFilters all events have an influence"),
        (LagFilters([0.0, 1.0]), {"link": "rectified"}, "takes LagFilters of one decay without"),
        (LogTimeFilters([0.1, 0.2]), {"link": "rectified"}, "takes LagFilters of one decay"),
        (
            LagFilters(decays=[1.0]),
            {"link": "rectified", "pieces": PIECES},
            "the rectified link takes a constant baseline",
        ),
        (LagFilters(decays=[1.0]), {"pieces": Constant([[1.0]])}, "PiecewiseConstant or Periodic"),
        (
            LagFilters(decays=[1.0]),
            {"pieces": PiecewiseConstant([0.0, 1.0], [[1.0]])},
            "what stands inside the link is no rate",
        ),
        (LagFilters(decays=[[1.0], [2.0]]), {}, "decays have 2 rows, and there are 1 target marks"),
        (LagFilters(decays=[1.0]), {"pieces": PIECES}, "one column for each of 3 pieces"),
    ],
)
def test_wrong_processes(filters, how, message):
    with pytest.raises(InvalidParameterError, match=message):
        NonlinearHawkes([0.5], [[[[0.1]]]], filters, **how)


def test_a_negative_baseline_and_given_events_with_the_rectified_link():
    filters = LagFilters(decays=[1.0])
    with pytest.raises(InvalidParameterError, match="a baseline must not be negative; got -1"):
        NonlinearHawkes([-1.0], [[[[0.1]]]], filters, link="rectified")
    process = NonlinearHawkes([1.0], [[[[0.1]]]], filters, link="rectified")
    events = hawkeys.Events.from_lists([[[1.0]]], end_times=2.0)
    with pytest.raises(InvalidParameterError, match="n_given must be 0; got 1"):
        process.realization_log_likelihoods(events, n_given=1)
    with pytest.raises(InvalidParameterError, match="the compiled loops are for LogTimeFilters"):
        process.shape  # noqa: B018


def test_the_likelihood_of_many_realisations_is_the_sum_of_theirs(monkeypatch):
    process = NonlinearHawkes(
        [0.2, -0.1],
        [[[[0.5, -0.3], [0.1, 0.2]], [[-0.4, 0.2], [0.3, 0.1]]]],
        filters=LagFilters(edges=[0.0, 0.5], decays=[1.0]),
        link="softplus",
    )
    times = np.random.default_rng(0).uniform(0.0, 20.0, (7, 2, 9))
    events = hawkeys.Events.from_lists([*map(list, np.sort(times, axis=2))], end_times=20.0)
    each = [process.log_likelihood(events[r]) for r in range(7)]
    whole = process.realization_log_likelihoods(events)
    np.testing.assert_allclose(whole, each, rtol=1e-13)
    error = process.quadrature_error(events)
    monkeypatch.setattr("hawkeys.process.nonlinear._AT_A_TIME", 20)
    np.testing.assert_array_equal(process.realization_log_likelihoods(events), whole)
    assert process.quadrature_error(events) == error
    nothing = hawkeys.Events.from_lists([[[], []], [[], []]], end_times=1.0)
    assert process.realization_log_likelihoods(nothing).shape == (2,)
