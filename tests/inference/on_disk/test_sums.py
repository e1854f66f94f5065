"""The sums that a Newton step needs, against double loops; plain and compiled loops alike."""

import naive_hawkes
import numpy as np
import pytest
from test_plain_loops import CASES, both, close  # noqa: F401

import hawkeys
from hawkeys._design import Design
from hawkeys._loops.rows import row_sums, shared_sums
from hawkeys.kernels import Exponential, LogNormal

DECAY = 1.3


def parameters(n_marks):
    return np.random.default_rng(n_marks).uniform(0.1, 0.9, (n_marks, n_marks + 1))


def naive_sums(events, x):
    """Value, gradient and minus Hessian of sum log lambda by row, event by event."""
    size = events.n_marks
    value, first = np.zeros(size), np.zeros((size, size + 1))
    second = np.zeros((size, size + 1, size + 1))
    for times, marks, _, _ in naive_hawkes.realizations(events):
        for when, i in zip(times, marks, strict=True):
            decays = np.full((size, size), DECAY)
            v = np.append(1.0, naive_hawkes.excitation(times, marks, decays, i, when, size))
            rate = x[i] @ v
            value[i] += np.log(rate)
            first[i] += v / rate
            second[i] += np.outer(v, v) / rate**2
    return value, first, second


@pytest.mark.parametrize("name", CASES)
def test_one_decay_for_all(both, name):  # noqa: F811
    events, everyone = CASES[name], np.ones(CASES[name].n_marks, dtype=bool)
    x, arrays = parameters(events.n_marks), (events.times, events.marks, events.offsets)
    plain, compiled = both(lambda: shared_sums(arrays, DECAY, x, everyone))
    expected = naive_sums(events, x)
    close(plain, expected)
    close(compiled, expected)


@pytest.mark.parametrize("name", CASES)
def test_rows_of_a_design(both, name):  # noqa: F811
    events = CASES[name]
    x, everyone = parameters(events.n_marks), np.ones(events.n_marks, dtype=bool)
    design = Design.build(events, Exponential(DECAY))
    data = design.excitation, design.weights, design.offsets
    expected = naive_sums(events, x)
    for found in both(lambda: row_sums(data, x, everyone)):
        close(found, expected)


@pytest.mark.parametrize("n_marks", [1, 4, 20])
def test_more_events_than_are_held_at_once(n_marks):
    truth = hawkeys.Hawkes(np.full(n_marks, 0.3), 0.5 * np.eye(n_marks), decay=DECAY)
    events = hawkeys.simulate(truth, end_time=9_000.0 / n_marks, n_realizations=3, rng=1)
    x, wanted = parameters(n_marks), np.arange(n_marks) % 3 != 1
    design = Design.build(events, Exponential(DECAY))
    with hawkeys._loops.choice.compiled_only():
        arrays = events.times, events.marks, events.offsets
        found = shared_sums(arrays, DECAY, x, wanted)
        of_rows = row_sums((design.excitation, design.weights, design.offsets), x, wanted)
    for b in range(n_marks):
        lam = x[b] @ design.rows(b)
        expected = (
            np.log(lam).sum(),
            (design.rows(b) / lam).sum(axis=1),
            design.information(b, x[b]),
        )
        for ours in (found, of_rows):
            for part, wanted_part in zip(ours, expected, strict=True):
                np.testing.assert_allclose(part[b], wanted_part if wanted[b] else 0.0, rtol=1e-12)


def test_weights_and_impossible_events(both):  # noqa: F811
    events = CASES["usual"]
    weights = np.array([0.0, 1.0, 2.5, 0.5])
    design = Design.build(events, LogNormal(0.0, 0.5), realization_weights=weights)
    data = design.excitation, design.weights, design.offsets
    x, everyone = parameters(3), np.ones(3, dtype=bool)
    for value, first, second in both(lambda: row_sums(data, x, everyone)):
        gained, gradient = design.value_and_gradient(x)
        np.testing.assert_allclose(value, gained + (design.cost * x).sum(axis=1), rtol=1e-12)
        np.testing.assert_allclose(first, gradient + design.cost, rtol=1e-11)
        for b in range(3):
            np.testing.assert_allclose(second[b], design.information(b, x[b]), rtol=1e-11)
    x[0, 0] = 0.0  # the first event of mark 0 has no cause
    for value, _, _ in both(lambda: row_sums(data, x, everyone)):
        assert value[0] == -np.inf
        assert np.isfinite(value[1:]).all()


def test_no_row_is_asked_for(both):  # noqa: F811
    events = CASES["usual"]
    arrays = events.times, events.marks, events.offsets
    for found in both(lambda: shared_sums(arrays, DECAY, parameters(3), np.zeros(3, dtype=bool))):
        assert not any(part.any() for part in found)
