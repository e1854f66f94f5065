"""The likelihood of windows given what happened before them."""

from itertools import pairwise

import naive_hawkes
import numpy as np
import pytest
from scipy.integrate import quad

import hawkeys
from hawkeys.baselines import Periodic, PiecewiseConstant
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.kernels import (
    DensityKernel,
    Exponential,
    Gamma,
    Histogram,
    LogNormal,
    PowerLaw,
    SumExponential,
)

PAIRS = np.array([[1.0, 2.0], [0.5, 3.0]])
ADJACENCY = np.array([[0.3, 0.1], [0.2, 0.4]])


class Lomax(DensityKernel):
    """A kernel of a user's own."""

    name = "Lomax of the history tests"

    def density(self, lags):
        return 2.0 * (1.0 + lags) ** -3.0

    def cdf(self, lags):
        return 1.0 - (1.0 + lags) ** -2.0

    def sample(self, rng, size):
        return rng.pareto(2.0, size)


KERNELS = {
    "exponential": Exponential(1.5),
    "by source": Exponential([1.0, 3.0]),
    "by pair": Exponential(PAIRS),
    "sum": SumExponential([0.3, 4.0], [0.4, 0.6]),
    "log-normal": LogNormal(-0.5, 0.6),
    "log-normal by pair": LogNormal(np.log(PAIRS) - 1.0, np.full((2, 2), 0.5)),
    "gamma": Gamma(2.0, 3.0),
    "histogram": Histogram([0.0, 0.5, 2.0], [0.3, 0.7]),
    "power law": PowerLaw(0.5, 1.5, tolerance=1e-13),
    "own": Lomax(),
}
BASELINES = {
    "constant": [0.5, 0.4],
    "steps": PiecewiseConstant([0.0, 13.0, 60.0], [[0.5, 0.8], [0.3, 0.4]]),
    "periodic": Periodic([0.0, 3.0], 8.0, [[0.5, 0.8], [0.3, 0.4]]),
}


def sample(n_realizations=2, end=60.0):
    truth = hawkeys.Hawkes([0.5, 0.4], ADJACENCY, decay=1.5)
    events = hawkeys.simulate(truth, end_time=end, n_realizations=n_realizations, rng=3)
    lists = [[np.round(times, 1) for times in marks] for marks in events.to_lists()]  # with ties
    return hawkeys.Events.from_lists(lists, end_times=end)


@pytest.mark.parametrize("at", [0.3, 25.0, 40.1, 59.9])
@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("kernel", KERNELS)
def test_training_and_test_add_up_to_all(kernel, baseline, at):
    process = hawkeys.Hawkes(BASELINES[baseline], ADJACENCY, kernel=KERNELS[kernel])
    events = sample()
    train, test = events.split(at=at)
    whole = process.log_likelihood(events)
    given = process.log_likelihood(test, history=train)
    assert process.log_likelihood(train) + given == pytest.approx(whole, abs=1e-10)
    # it is not the likelihood that begins from nothing
    assert at < 1.0 or abs(given - process.log_likelihood(test)) > 1e-3


@pytest.mark.parametrize("kernel", ["exponential", "by source", "by pair"])
def test_it_is_that_of_double_loops(kernel):
    process = hawkeys.Hawkes([0.5, 0.4], ADJACENCY, kernel=KERNELS[kernel])
    train, test = sample().split(at=20.0)
    decay = KERNELS[kernel].decay_matrix(2)
    naive = naive_hawkes.log_likelihood_given(train, test, [0.5, 0.4], ADJACENCY, decay)
    assert process.log_likelihood(test, history=train) == pytest.approx(naive, abs=1e-10)
    # the other orientation of the adjacency is another number
    other = naive_hawkes.log_likelihood_given(train, test, [0.5, 0.4], ADJACENCY.T, decay)
    assert abs(other - naive) > 0.1


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("kernel", KERNELS)
def test_each_event_has_its_density_given_all_before(kernel, baseline):
    process = hawkeys.Hawkes(BASELINES[baseline], ADJACENCY, kernel=KERNELS[kernel])
    events = sample()
    train, test = events.split(at=25.0)
    each = process.log_likelihood(test, per_event=True, history=train)
    end = sum(
        process._after(train, test).compensator(test, [test.times[rows][-1], 60.0], realization=r)
        @ [1.0, 1.0]
        @ [-1.0, 1.0]
        for r, rows in enumerate((slice(0, test.offsets[1]), slice(test.offsets[1], None)))
    )
    total = process.log_likelihood(test, history=train)
    assert each.sum() - end == pytest.approx(total, abs=1e-9)
    # a later event of a realisation has the density that it has in the whole
    whole = process.log_likelihood(events, per_event=True)
    later = events.times > 25.0
    first = np.zeros(test.n_events, bool)
    first[test.offsets[:-1]] = True
    np.testing.assert_allclose(each[~first], whole[later][~first], atol=1e-9)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_compensator_is_the_integral_of_the_intensity(kernel):
    process = hawkeys.Hawkes([0.5, 0.4], ADJACENCY, kernel=KERNELS[kernel])
    train, test = hawkeys.Events.from_lists([[[1.0, 1.9], [1.5]]], end_times=4.0).split(at=2.0)
    after = process._after(train, test)
    jumps = sorted({2.0 + x for x in (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)} | {2.4, 3.4, 3.5, 3.9})
    for i in range(2):
        parts = [
            quad(lambda t, i=i: after.intensity(test, [t])[0, i], low, high, epsabs=1e-10)[0]
            for low, high in pairwise(jumps)
        ]
        found = after.compensator(test, [4.0])[0, i]
        assert found == pytest.approx(sum(parts), abs=1e-7)
    assert after.compensator(test, [2.0]).tolist() == [[0.0, 0.0]]


def test_the_gradient_is_that_of_differences():
    train, test = sample().split(at=25.0)

    def value(x):
        process = hawkeys.Hawkes(x[:, 0], x[:, 1:], decay=PAIRS)
        return process.log_likelihood(test, history=train)

    x = np.column_stack(([0.5, 0.4], ADJACENCY))
    process = hawkeys.Hawkes(x[:, 0], x[:, 1:], decay=PAIRS)
    own = process._after(train, test).log_likelihood_gradient(test)
    found = np.column_stack(own)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += 1e-6
        down[index] -= 1e-6
        assert found[index] == pytest.approx((value(up) - value(down)) / 2e-6, rel=1e-5, abs=1e-5)


def test_it_does_not_depend_on_unit_and_origin():
    process = hawkeys.Hawkes([0.5, 0.4], ADJACENCY, decay=PAIRS)
    other = hawkeys.Hawkes([0.05, 0.04], ADJACENCY, decay=PAIRS / 10.0)
    events = sample()
    lists = [[10.0 * times + 700.0 for times in marks] for marks in events.to_lists()]
    moved = hawkeys.Events.from_lists(lists, start_times=700.0, end_times=1300.0)
    here, there = events.split(at=25.0), moved.split(at=950.0)
    value = process.log_likelihood(here[1], history=here[0])
    scaled = other.log_likelihood(there[1], history=there[0])
    assert scaled + here[1].n_events * np.log(10.0) == pytest.approx(value, abs=1e-8)


def test_without_events_before_it_is_the_likelihood_of_the_window():
    process = hawkeys.Hawkes([0.5, 0.4], ADJACENCY, decay=PAIRS)
    events = sample()
    nothing = hawkeys.Events.from_lists([[[], []]], start_times=-5.0, end_times=0.0)
    given = process.log_likelihood(events, history=nothing)  # which all realisations share
    assert given == pytest.approx(process.log_likelihood(events), abs=1e-12)


def test_a_window_without_events_costs_what_the_history_makes_it_expect():
    process = hawkeys.Hawkes([0.5], [[0.4]], decay=2.0)
    past = hawkeys.Events.from_lists([[[0.5, 1.0]]], end_times=1.0)  # an event at the cut
    window = hawkeys.Events.from_lists([[[]]], start_times=1.0, end_times=3.0)
    expected = -0.5 * 2.0 - 0.4 * (np.exp(-1.0) - np.exp(-5.0) + 1.0 - np.exp(-4.0))
    assert process.log_likelihood(window, history=past) == pytest.approx(expected, abs=1e-12)
    one = hawkeys.Events.from_lists([[[1.0]]], start_times=1.0, end_times=3.0)
    # simultaneous events do not excite each other across the cut, either
    rate = np.log(0.5 + 0.8 * np.exp(-1.0))
    own = 0.4 * (1.0 - np.exp(-4.0))
    found = process.log_likelihood(one, history=past)
    assert found == pytest.approx(expected + rate - own, abs=1e-12)


def test_what_cannot_be_a_history_is_refused():
    process = hawkeys.Hawkes([0.5, 0.4], ADJACENCY, decay=PAIRS)
    train, test = sample().split(at=25.0)
    with pytest.raises(InvalidEventsError, match=r"history must be hawkeys\.Events, got list"):
        process.log_likelihood(test, history=[[1.0], [2.0]])
    with pytest.raises(
        InvalidParameterError, match=r"observed up to 20\.0 but the window starts at"
    ):
        process.log_likelihood(test, history=train.between(end=20.0))
    with pytest.raises(
        InvalidParameterError, match=r"observed up to 60\.0 but the window starts at"
    ):
        process.log_likelihood(train, history=test)
    rectified = hawkeys.RectifiedHawkes([0.5, 0.4], ADJACENCY, decay=1.0)
    with pytest.raises(InvalidParameterError, match=r"history continues a hawkeys\.Hawkes process"):
        rectified.log_likelihood(test, history=train)
