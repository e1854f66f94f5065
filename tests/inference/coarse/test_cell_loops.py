"""The compiled loops over cells against naive twins and integrals."""

import naive_coarse as naive
import numpy as np
import pytest

from hawkeys._jit import coarse_times as jit
from hawkeys.inference.coarse.cells import Cells
from hawkeys.inference.coarse.chain import Chain
from hawkeys.inference.coarse.climb import newton_step
from hawkeys.inference.coarse.path import excitation_gain, without_excitation

ONE = (np.array([0.5]), np.array([[0.6]]), np.array([1.3]))
TWO = (np.array([0.4, 0.2]), np.array([[0.3, 0.2], [0.6, 0.1]]), np.array([0.7, 2.5]))


def cells_of(sizes, lows, highs, marks, firsts, ends):
    return Cells(
        np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        np.array(lows, dtype=float),
        np.array(highs, dtype=float),
        np.array(firsts, dtype=np.int64),
        np.array(marks, dtype=np.int64),
        np.zeros(len(ends)),
        np.array(ends, dtype=float),
        tuple(map(str, range(max(marks) + 1))),
    )


def arrays(cells):
    return cells.offsets, cells.lows, cells.highs, cells.firsts, cells.end_times.copy()


def example(model):
    """Two realisations, the cells of several widths, one with many events, and gaps."""
    size = len(model[0])
    sizes = [2, 1, 6, 1, 3, 2]
    lows, highs = [0, 1, 4, 30, 0, 2], [1, 2, 8, 31, 2, 2.5]
    marks = np.arange(sum(sizes)) % size
    return cells_of(sizes, lows, highs, marks, [0, 4, 6], [40.0, 3.0])


@pytest.mark.parametrize("model", [ONE, TWO])
def test_sweeps_are_those_of_the_naive_twin(model):
    cells = example(model)
    times = cells.spread(np.random.default_rng(1))
    rows = 1 if len(model[0]) == 1 else 2
    state = (times, cells.marks.copy(), np.ones(times.size), np.ones((rows, times.size)))
    slow_times, slow_marks = times.copy(), cells.marks.copy()
    compiled, slow = np.random.default_rng(2), np.random.default_rng(2)
    size = len(model[0])
    scores = np.empty((8, size * (size + 1) + 1))
    accepted = jit.draw(
        compiled, arrays(cells), model, state, 1, scores, np.zeros((size, size + 2, size + 2))
    )
    expected = sum(naive.sweep(slow, arrays(cells), model, slow_times, slow_marks) for _ in scores)
    assert accepted == expected
    assert 0 < accepted < 8 * times.size
    np.testing.assert_allclose(state[0], slow_times, rtol=1e-12)
    np.testing.assert_array_equal(state[1], slow_marks)


@pytest.mark.parametrize("model", [ONE, TWO])
def test_derivatives_are_those_of_the_log_likelihood(model):
    cells = example(model)
    times, marks = cells.spread(np.random.default_rng(3)), cells.marks
    size, decay = len(model[0]), model[2]
    state = (times, marks, np.ones(times.size), np.ones((1, times.size)))
    ends = cells.offsets[cells.firsts]

    def value(theta):
        given = naive.model_of(theta, decay)
        return sum(
            naive.log_likelihood(times[a:b], marks[a:b], given, end)
            for a, b, end in zip(ends, ends[1:], cells.end_times, strict=False)
        )

    theta = naive.parameters(model)
    score = np.empty(theta.size)
    information = np.zeros((size, size + 2, size + 2))
    found = jit.derivatives(arrays(cells), model, state, score, information)
    total = cells.total_time
    score[: -1 : size + 1] -= total
    assert found - model[0].sum() * total == pytest.approx(value(theta), rel=1e-12)
    steps = 1e-4 * np.eye(theta.size)
    slopes = [(value(theta + e) - value(theta - e)) / 2e-4 for e in steps]
    np.testing.assert_allclose(score, slopes, rtol=1e-5, atol=1e-5)
    bends = np.array([
        [(value(theta + a + b) - value(theta + a - b) - value(theta - a + b) + value(theta - a - b))
         / 4e-8 for b in steps] for a in steps
    ])  # fmt: skip
    joint = np.zeros_like(bends)
    for i, matrix in enumerate(information):
        own = [*range(i * (size + 1), (i + 1) * (size + 1)), theta.size - 1]
        joint[np.ix_(own, own)] += matrix
    np.testing.assert_allclose(joint, -bends, rtol=1e-4, atol=1e-3)


SMALL = cells_of([2, 1], [0.0, 1.5], [1.5, 3.0], [0, 0, 0], [0, 2], [4.0])


def integrated(theta, n_nodes=60):
    model = naive.model_of(theta, [1.0])
    return naive.log_mean_density([0.0, 0.0, 1.5], [1.5, 1.5, 3.0], model, 4.0, n_nodes)


def test_scores_and_information_are_those_of_the_integral_over_all_times():
    theta = np.array([0.4, 0.7, np.log(1.8)])
    chain = Chain(SMALL, np.ones(1), np.random.default_rng(5))
    moments = chain.at(theta, 40_000)
    steps = 1e-3 * np.eye(3)
    slopes = np.array([(integrated(theta + e) - integrated(theta - e)) / 2e-3 for e in steps])
    error = np.sqrt(np.diagonal(moments.error))
    assert (error < 0.02).all()
    np.testing.assert_array_less(np.abs(moments.score - slopes), 4.0 * error + 1e-3)
    bends = np.array([
        [(integrated(theta + a + b) - integrated(theta + a - b) - integrated(theta - a + b)
          + integrated(theta - a - b)) / 4e-6 for b in steps] for a in steps
    ])  # fmt: skip
    np.testing.assert_allclose(moments.observed, -bends, atol=0.02)
    # the information of known times is not that of the cells
    assert moments.complete[2, 2] > 3.0 * -bends[2, 2]


def test_what_is_gained_over_no_excitation_is_that_of_the_integral():
    theta = np.array([0.4, 0.7, np.log(1.8)])
    chain = Chain(SMALL, np.ones(1), np.random.default_rng(6))
    found = [excitation_gain(chain, theta) for _ in range(10)]
    gain, error = np.mean([one[0] for one in found]), np.mean([one[1] for one in found])
    expected = integrated(theta) - without_excitation(SMALL)
    assert without_excitation(SMALL) == pytest.approx(3.0 * np.log(0.75) - 3.0)
    assert gain == pytest.approx(expected, abs=2.0 * error)
    assert error < 0.05


def test_a_newton_step_holds_what_would_fall_below_zero():
    theta = np.array([0.75, 0.0, 0.0])
    far = cells_of([1, 1, 1], [0.0, 4.0, 8.0], [0.1, 4.1, 8.1], [0, 0, 0], [0, 3], [12.0])
    moments = Chain(far, np.ones(1), np.random.default_rng(0)).at(theta, 20)
    step = newton_step(moments, theta, np.ones(3, dtype=bool), (-1.0, 1.0))
    assert moments.score[1] < 0
    assert step.moved.tolist() == [0]
