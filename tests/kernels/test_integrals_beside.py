"""Kernel integrals read off the excitation at the last events: those summed event by event."""

import numpy as np
import pytest

import hawkeys
from hawkeys._loops import choice
from hawkeys.kernels import BlockLayout, Exponential

TRUTH = hawkeys.Hawkes([0.4, 0.2, 0.1], [[0.3, 0.1, 0], [0, 0.5, 0], [0.2, 0, 0.1]], decay=2.0)
USUAL = hawkeys.simulate(TRUTH, end_time=9.0, n_realizations=40, rng=1)
GAPS = hawkeys.Events.from_lists(
    [[[1.0], [], [2.0, 2.5]], [[], [], []], [[], [7.0], []]], start_times=-3.0, end_times=8.0
)
TIED = hawkeys.Events.from_lists([[[1.0, 2.0], [2.0]], [[0.5], [0.7]]], end_times=[2.0, 3.0])


@pytest.fixture(autouse=True)
def compiled(monkeypatch):
    monkeypatch.setattr(choice, "MOST", -1)


def beside(events, kernel, separate):
    layout = BlockLayout.build(events, separate=separate)
    return kernel.integrals_beside(events, layout, kernel.excitation(events, layout))


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("decay", [1e-9, 1e-3, 0.3, 2.0, 60.0, "source", "pair"], ids=str)
@pytest.mark.parametrize("events", [USUAL, GAPS, TIED], ids=["usual", "gaps", "tied"])
def test_both_ways_agree(events, decay, separate):
    size = events.n_marks
    rng = np.random.default_rng(0)
    shapes = {"source": (size,), "pair": (size, size)}
    value = rng.uniform(0.2, 3.0, shapes[decay]) if decay in shapes else decay
    found = beside(events, Exponential(value), separate)
    expected = np.zeros((events.n_realizations, size, size))
    matrix = np.broadcast_to(value, (size, size))
    for r, time, mark in zip(events.realization, events.times, events.marks, strict=True):
        expected[r, :, mark] -= np.expm1(-matrix[:, mark] * (events.end_times[r] - time))
    if separate:
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(found.sum(axis=0), expected.sum(axis=0), rtol=1e-12)


@pytest.mark.parametrize(("decay", "calls"), [(2.0, 0), (1e-6, 1)])
def test_event_by_event_only_where_the_difference_would_be_inexact(monkeypatch, decay, calls):
    seen = []
    own = Exponential.integrals
    monkeypatch.setattr(Exponential, "integrals", lambda *a: seen.append(1) or own(*a))
    beside(USUAL, Exponential(decay), separate=False)
    assert len(seen) == calls
