"""A kernel whose events count by their values, against sums pair by pair."""

import naive_strengths as naive
import numpy as np
import pytest

import hawkeys
from hawkeys import Events, productivity
from hawkeys._loops.choice import compiled_only
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.kernels import (
    BlockLayout,
    Exponential,
    LogNormal,
    PowerLaw,
    Productive,
    SumExponential,
    kernel_from_dict,
)

SIZE = productivity.Exponential(a=[0.8, -0.5], v0=3.5)
KERNELS = {
    "exponential": Exponential(2.0),
    "per source": Exponential([1.0, 3.0]),
    "per pair": Exponential([[1.0, 2.0], [3.0, 4.0]]),
    "sum": SumExponential([1.0, 5.0], [0.4, 0.6]),
    "sum per pair": SumExponential([1.0, 5.0], [[[0.4, 0.6], [1, 0]], [[0.5, 0.5], [0.2, 0.8]]]),
    "power law": PowerLaw(0.2, 1.5),
}


def sample(times, marks, **how):
    values = 3.0 + np.random.default_rng(len(times)).exponential(0.5, len(times))
    return Events.from_arrays(times, marks, n_marks=2, values=values, **how)


EVENTS = {
    "none": sample([], [], end_times=2.0),
    "one": sample([0.5], [1], end_times=2.0),
    "at once": sample([0.5, 0.5, 0.7, 0.7, 0.7], [0, 1, 0, 1, 0], end_times=2.0),
    "a silent mark": sample([0.1, 0.4, 0.5], [1, 1, 1], end_times=2.0),
    "huge gaps": sample([0.1, 0.2, 900.0, 900.1], [0, 1, 1, 0], end_times=1000.0),
    "several": sample(
        [0.1, 0.4, 0.4, 1.0, 2.2, 2.5, 5.5], [0, 1, 0, 1, 1, 0, 0], offsets=[0, 4, 4, 7],
        start_times=[0.0, 0.0, 2.0], end_times=[1.0, 1.0, 6.0],
    ),
}  # fmt: skip


@pytest.fixture(params=["plain", "compiled"])
def loops(request):
    if request.param == "plain":
        yield
        return
    with compiled_only():
        yield


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("which", EVENTS)
@pytest.mark.parametrize("name", KERNELS)
def test_sums_are_those_over_pairs(name, which):
    events, kernel = EVENTS[which], KERNELS[name]
    own, strengths = Productive(kernel, SIZE), SIZE.strengths(events)
    for separate in (False, True):
        layout = BlockLayout.build(events, separate=separate)
        flat = own.excitation(events, layout)
        for r in range(events.n_realizations):
            rows = slice(events.offsets[r], events.offsets[r + 1])
            path = events.times[rows], events.marks[rows], strengths[rows]
            for k in range(rows.start, rows.stop):
                target = events.marks[k]
                block = r * layout.stride + target
                begin, end = layout.offsets[block : block + 2]
                cell = flat[2 * begin : 2 * end].reshape(2, -1)[:, layout.slots[k] - begin]
                expected = naive.excitation(*path, kernel, 2, events.times[k], target=target)
                np.testing.assert_allclose(cell, expected, rtol=1e-8, atol=1e-12)
    integrals = own.integrals(events)
    for r in range(events.n_realizations):
        rows = slice(events.offsets[r], events.offsets[r + 1])
        path = events.times[rows], events.marks[rows], strengths[rows]
        for i in range(2):
            expected = naive.mass(*path, kernel, 2, events.end_times[r], target=i)
            np.testing.assert_allclose(integrals[r, i], expected, rtol=1e-7, atol=1e-12)


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("name", KERNELS)
def test_sums_and_integrals_at_any_time(name):
    events, kernel = EVENTS["several"], KERNELS[name]
    own = Productive(kernel, SIZE)
    rows = slice(4, 7)
    path = events.times[rows], events.marks[rows], SIZE.strengths(events)[rows]
    times = np.array([2.0, 2.2, 2.3, 2.5, 4.0, 6.0])
    density, mass = own.excitation_at(events, 2, times)
    adjacency = np.array([[0.3, 0.1], [0.4, 0.2]])
    sums = own.sums_at(events, 2, times, adjacency)
    spent = own.sums_at(events, 2, times, adjacency, mass=True)
    for q, time in enumerate(times):
        for i in range(2):
            expected = naive.excitation(*path, kernel, 2, time, target=i)
            whole = naive.mass(*path, kernel, 2, time, target=i)
            np.testing.assert_allclose(density[q, i], expected, rtol=1e-8, atol=1e-12)
            np.testing.assert_allclose(mass[q, i], whole, rtol=1e-7, atol=1e-12)
            assert sums[q, i] == pytest.approx(adjacency[i] @ expected, rel=1e-8)
            assert spent[q, i] == pytest.approx(adjacency[i] @ whole, rel=1e-7)
    at_events = own.own_mass(events, 2, adjacency)
    for k, time in enumerate(path[0]):
        whole = naive.mass(*path, kernel, 2, time, target=path[1][k])
        assert at_events[k] == pytest.approx(adjacency[path[1][k]] @ whole, rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("name", KERNELS)
def test_productivity_one_is_the_kernel_itself(name):
    events = EVENTS["several"]
    own = Productive(KERNELS[name], productivity.Exponential(a=0.0, v0=3.0))
    layout = BlockLayout.build(events, separate=False)
    found, expected = own.excitation(events, layout), KERNELS[name].excitation(events, layout)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(
        own.integrals(events), KERNELS[name].integrals(events), rtol=1e-9, atol=1e-14
    )


def test_record_brings_it_back():
    own = Productive(KERNELS["sum"], SIZE)
    again = kernel_from_dict(own.to_dict())
    assert again.to_dict() == own.to_dict()
    assert repr(again) == repr(own)


def test_what_takes_no_productivity_is_refused():
    with pytest.raises(InvalidParameterError, match="goes with the kernels Exponential, SumExp"):
        Productive(LogNormal(0.0, 1.0), SIZE)
    with pytest.raises(InvalidParameterError, match=r"one of hawkeys\.productivity"):
        Productive(Exponential(1.0), 0.5)
    with pytest.raises(InvalidParameterError, match="has a productivity already"):
        hawkeys.Hawkes([0.1], [[0.1]], kernel=Productive(Exponential(1.0), SIZE), productivity=SIZE)
    plain = EVENTS["several"].with_values(None)
    process = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.2, 0.3]], decay=2.0, productivity=SIZE)
    with pytest.raises(InvalidEventsError, match="depends on the values of the events, and these"):
        process.log_likelihood(plain)
