"""Folds: realisations, or blocks of time of a single one."""

import itertools

import naive_hawkes
import numpy as np
import pytest

import hawkeys
from hawkeys.baselines import PiecewiseConstant
from hawkeys.inference.decay.folds import fold_names, make_folds
from hawkeys.inference.task import Task
from hawkeys.kernels import Exponential

TRUTH = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
MANY = hawkeys.simulate(TRUTH, end_time=40.0, n_realizations=5, rng=4)
ONE = hawkeys.simulate(TRUTH, end_time=100.0, rng=5)
TIED = hawkeys.Events.from_lists(
    [[[10.0, 25.0, 25.0, 50.0], [25.0, 60.0, 75.0]]], start_times=5.0, end_times=105.0
)
DECAY = np.array([[2.0, 1.0], [0.5, 3.0]])
X = np.array([[0.3, 0.2, 0.1], [0.2, 0.4, 0.3]])


def task(events, **model):
    return Task.check(events, None, model.pop("weights", None), model)


def block_log_likelihood(events, start, end):
    """Sum of log intensities over (start, end] less the compensator's increase, by definition."""
    total = 0.0
    for t, i in zip(events.times, events.marks, strict=True):
        if start < t <= end:
            total += np.log(naive_hawkes.intensity(events, 0, X[:, 0], X[:, 1:], DECAY, t)[i])
    sides = [
        naive_hawkes.compensator(events, 0, X[:, 0], X[:, 1:], DECAY, when) for when in (end, start)
    ]
    return total - (sides[0] - sides[1]).sum()


@pytest.mark.parametrize("events", [ONE, TIED], ids=["plain", "ties on cuts"])
def test_a_block_of_time_counts_given_the_history_before_it(events):
    folds = make_folds(task(events), Exponential(DECAY), 4)
    start, end = events.start_times[0], events.end_times[0]
    edges = np.linspace(start, end, 5)
    expected = [block_log_likelihood(events, a, b) for a, b in itertools.pairwise(edges)]
    for fold, value in zip(folds, expected, strict=True):
        assert fold.test.log_likelihood(X).sum() == pytest.approx(value, rel=1e-10)
        assert fold.train.log_likelihood(X).sum() == pytest.approx(sum(expected) - value, rel=1e-10)
        assert fold.share == 0.75


def test_realisations_are_dealt_out_in_turn():
    weights = [1.0, 2.0, 0.5, 1.0, 0.0]
    folds = make_folds(task(MANY, weights=weights), Exponential(DECAY), 2)
    process = hawkeys.Hawkes(X[:, 0], X[:, 1:], decay=DECAY)
    each = [w * process.log_likelihood(MANY[r]) for r, w in enumerate(weights)]
    for k, fold in enumerate(folds):
        assert fold.test.log_likelihood(X).sum() == pytest.approx(sum(each[k::2]), rel=1e-12)
        assert fold.train.log_likelihood(X).sum() == pytest.approx(sum(each[1 - k :: 2]), rel=1e-12)
    assert folds[0].share == pytest.approx(3.0 / 4.5)
    assert len(make_folds(task(MANY), Exponential(DECAY), 20)) == 5
    assert (fold_names(MANY), fold_names(ONE)) == ("realisations", "blocks of time")


def test_the_weight_multiplies_what_is_trained_on():
    plain = make_folds(task(ONE), Exponential(DECAY), 3)
    heavy = make_folds(task(ONE), Exponential(DECAY), 3, weight=10.0)
    for a, b in zip(plain, heavy, strict=True):
        assert b.train.log_likelihood(X) == pytest.approx(10.0 * a.train.log_likelihood(X))
        assert (b.test.log_likelihood(X) == a.test.log_likelihood(X)).all()


@pytest.mark.parametrize("tied", [None, {"adjacency": [[0, 1], [1, 0]]}], ids=["free", "tied"])
def test_other_baselines_and_tied_parameters_add_up(tied):
    model = {"baseline": PiecewiseConstant([0.0, 50.0, 100.0]), "tied": tied}
    whole = task(ONE, **model)
    design = whole.design(Exponential(2.0))
    x = np.random.default_rng(0).uniform(0.1, 0.3, design.cost.shape)
    x[design.cost <= 0.0] = 0.0
    folds = make_folds(whole, Exponential(2.0), 5)
    pieces = [fold.test.log_likelihood(x).sum() for fold in folds]
    assert sum(pieces) == pytest.approx(design.log_likelihood(x).sum(), rel=1e-12)
    # each event must be held out with its own block: events of target 1 task with target 0's
    # times would leave some fold without the number it has
    counts = np.histogram(ONE.times, np.linspace(0.0, 100.0, 6))[0]
    assert [fold.test.offsets[-1] for fold in folds] == counts.tolist()


def test_a_decay_is_chosen_by_blocks_of_time():
    how = {"decay_selection": "cross-validation", "n_folds": 4}
    sample = hawkeys.simulate(TRUTH, end_time=600.0, rng=8)
    grid = [0.02, 2.0, 200.0]
    result = hawkeys.fit(sample, decay_grid=grid, **how)
    assert float(result.kernel.decay) == 2.0
    score = result.decay_profile.score
    assert (score < result.decay_profile.objective).all()  # held-out data are predicted less well
