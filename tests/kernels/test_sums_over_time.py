"""Intensities and compensators over time without one number per pair of marks and moment."""

import tracemalloc

import naive_delayed
import naive_hawkes
import numpy as np
import pytest

import hawkeys
from hawkeys._loops import choice
from hawkeys.diagnostics.time_rescaling import rescale
from hawkeys.kernels import (
    Exponential,
    Gamma,
    Histogram,
    Kernel,
    LogNormal,
    PowerLaw,
    SumExponential,
)

RNG = np.random.default_rng(3)
PAIRS = RNG.uniform(0.4, 3.0, (3, 3))
SHARES = RNG.uniform(size=(3, 3))
KERNELS = {
    "one decay": Exponential(1.3),
    "decay by source": Exponential(PAIRS[0]),
    "decay by pair": Exponential(PAIRS),
    "two decays": SumExponential([0.5, 3.0], [0.3, 0.7]),
    "two decays by pair": SumExponential([0.5, 3.0], np.dstack((SHARES, 1.0 - SHARES))),
    "log-normal": LogNormal(-0.5, 0.6),
    "log-normal by pair": LogNormal(-PAIRS, 0.2 * PAIRS),
    "gamma": Gamma(2.0, 3.0),
    "power law": PowerLaw(0.3, 1.4),
    "histogram": Histogram([0.0, 0.5, 1.0, 3.0], [0.2, 0.5, 0.3]),
}  # fmt: skip
EVENTS = {
    "usual": hawkeys.simulate(
        hawkeys.Hawkes([0.4, 0.2, 0.3], 0.2 * PAIRS / 3.0, decay=1.0),
        end_time=40.0, n_realizations=2, rng=1,
    ),
    "ties, before 0": hawkeys.Events.from_lists(
        [[[-5.0, -5.0, -2.0], [-5.0, -1.0], []]], start_times=-6.0, end_times=3.0
    ),
    "no event": hawkeys.Events.from_lists([[[], [], []]], end_times=3.0),
}  # fmt: skip
ADJACENCY = np.where(RNG.uniform(size=(3, 3)) < 0.7, RNG.uniform(0.0, 0.9, (3, 3)), 0.0)


def moments(events, r):
    rows = slice(events.offsets[r], events.offsets[r + 1])
    grid = np.linspace(events.start_times[r], events.end_times[r], 50)
    return np.sort(np.concatenate((grid, events.times[rows])))


@pytest.mark.parametrize("most", [-1, 10**9], ids=["compiled", "plain"])
@pytest.mark.parametrize("data", EVENTS)
@pytest.mark.parametrize("name", KERNELS)
def test_sums_are_those_of_all_pairs(name, data, most, monkeypatch):
    monkeypatch.setattr(choice, "MOST", most)
    kernel, events = KERNELS[name], EVENTS[data]
    for r in range(events.n_realizations):
        times = moments(events, r)
        pairs = kernel.excitation_at(events, r, times)
        for mass in (False, True):
            found = kernel.sums_at(events, r, times, ADJACENCY, mass=mass)
            expected = (pairs[mass] * ADJACENCY).sum(axis=2)
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)
            default = Kernel.sums_at(kernel, events, r, times, ADJACENCY, mass=mass)
            np.testing.assert_allclose(default, expected, rtol=1e-12, atol=1e-14)
        rows = slice(events.offsets[r], events.offsets[r + 1])
        at_events = kernel.excitation_at(events, r, events.times[rows])[1]
        marks = events.marks[rows]
        expected = (at_events[np.arange(marks.size), marks] * ADJACENCY[marks]).sum(axis=1)
        for own in (kernel.own_mass, lambda *a: Kernel.own_mass(kernel, *a)):
            np.testing.assert_allclose(own(events, r, ADJACENCY), expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("most", [-1, 10**9], ids=["compiled", "plain"])
def test_intensities_are_those_of_the_definition(most, monkeypatch):
    monkeypatch.setattr(choice, "MOST", most)
    events = EVENTS["usual"]
    process = hawkeys.Hawkes([0.4, 0.2, 0.3], ADJACENCY, decay=PAIRS)
    delayed = hawkeys.Hawkes([0.4, 0.2, 0.3], ADJACENCY, kernel=KERNELS["log-normal by pair"])
    for when in (0.0, 7.7, 23.1, float(events.times[events.offsets[1] + 3])):
        for call, ours in ((naive_hawkes.intensity, process.intensity),
                           (naive_hawkes.compensator, process.compensator)):  # fmt: skip
            given = np.array([0.4, 0.2, 0.3]), ADJACENCY, PAIRS
            expected = call(events, 1, *given, when)
            np.testing.assert_allclose(ours(events, [when], realization=1)[0], expected, rtol=1e-11)
        for call, ours in ((naive_delayed.intensity, delayed.intensity),
                           (naive_delayed.compensator, delayed.compensator)):  # fmt: skip
            expected = call(events, 1, delayed, when)
            np.testing.assert_allclose(ours(events, [when], realization=1)[0], expected, rtol=1e-8)


def peak_of(function):
    function()  # what is compiled or imported is not counted
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kernel", [Exponential(1.0), LogNormal(-1.0, 0.5)], ids=["exp", "delayed"])
def test_memory_is_a_small_multiple_of_the_result(kernel):
    size, n_times = 60, 4_000
    process = hawkeys.Hawkes(np.full(size, 0.2), np.full((size, size), 0.4 / size), kernel=kernel)
    events = hawkeys.simulate(process, end_time=100.0, rng=0)
    times = np.linspace(0.0, 100.0, n_times)
    result = 8 * n_times * size
    for call in (process.intensity, process.compensator):
        assert peak_of(lambda call=call: call(events, times)) < 8 * result
    assert peak_of(lambda: rescale(process, events)) < 8 * 8 * events.n_events * size
