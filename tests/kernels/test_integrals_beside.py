"""Kernel integrals read off the excitation at the last events: those summed event by event."""

import numpy as np
import pytest

import hawkeys
from hawkeys._loops import choice
from hawkeys.kernels import BlockLayout, Exponential, exponential

TRUTH = hawkeys.Hawkes([0.4, 0.2, 0.1], [[0.3, 0.1, 0], [0, 0.5, 0], [0.2, 0, 0.1]], decay=2.0)
USUAL = hawkeys.simulate(TRUTH, end_time=9.0, n_realizations=40, rng=1)
GAPS = hawkeys.Events.from_lists(
    [[[1.0], [], [2.0, 2.5]], [[], [], []], [[], [7.0], []]], start_times=-3.0, end_times=8.0
)
TIED = hawkeys.Events.from_lists([[[1.0, 2.0], [2.0]], [[0.5], [0.7]]], end_times=[2.0, 3.0])


@pytest.fixture(autouse=True)
def compiled(monkeypatch):
    monkeypatch.setattr(choice, "MOST", -1)
    monkeypatch.setattr(exponential, "_LONG", 0)


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


@pytest.mark.parametrize("events", [USUAL, TIED], ids=["usual", "tied"])
def test_only_simultaneous_last_events_need_the_long_way(events, monkeypatch):
    seen = []
    own = Exponential.integrals
    monkeypatch.setattr(Exponential, "integrals", lambda *a: seen.append(1) or own(*a))
    beside(events, Exponential(2.0), separate=False)
    assert len(seen) == (events is TIED)


def test_a_source_only_at_the_end_of_the_window_has_no_mass_at_all():
    events = hawkeys.Events.from_lists([[[0.5, 1.0], [2.0]], [[0.1], [2.0]]], end_times=2.0)
    for separate in (False, True):
        assert not beside(events, Exponential(0.7), separate)[:, :, 1].any()
