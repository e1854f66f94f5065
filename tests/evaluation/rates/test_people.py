"""Bootstrap over people in both roles."""

import numpy as np
import pytest
from trials import normal_outcomes, outcome

from hawkeys.evaluation.rates.bootstrap import Bootstrap
from hawkeys.evaluation.rates.by_subject import subject_rates
from hawkeys.evaluation.rates.people import miss_counts, people_interval, people_intervals
from hawkeys.exceptions import InvalidParameterError


def naive_interval(misses, trials, genuine, made):
    """Every resample by loops, with the same draws of people."""
    n_people = len(trials[0])
    rng = np.random.default_rng(made.seed)
    means = []
    for drawn in rng.multinomial(n_people, [1 / n_people] * n_people, size=made.n_resamples):
        rates = []
        for row, person in enumerate(genuine):
            attackers = [k for k in range(n_people) for _ in range(drawn[k])]
            n_trials = sum(trials[row][k] for k in attackers)
            if n_trials:
                rate = sum(misses[row][k] for k in attackers) / n_trials
                rates += [rate] * drawn[person]
        if rates:
            means.append(np.mean(rates))
    tail = (1 - made.level) / 2
    return tuple(np.quantile(means, [tail, 1 - tail]))


def world(rng, n_people, own, other, n_trials=5):
    """Counts of misses: people differ as genuine subjects (sd `own`) and as impostors (`other`)."""
    effect = own * rng.normal(size=(n_people, 1)) + other * rng.normal(size=n_people)
    trials = n_trials * (1 - np.eye(n_people))
    return rng.binomial(trials.astype(int), 1 / (1 + np.exp(2 - effect))).astype(float), trials


@pytest.mark.parametrize("n_people", [3, 4, 9])
def test_against_loops(n_people):
    misses, trials = world(np.random.default_rng(n_people), n_people, 1.0, 1.0)
    genuine, made = np.arange(n_people), Bootstrap(200, 3)
    expected = naive_interval(misses.tolist(), trials.tolist(), genuine.tolist(), made)
    np.testing.assert_allclose(people_interval(misses, trials, genuine, made), expected, rtol=1e-12)


def test_against_loops_when_impostors_are_others():
    """Two genuine subjects, the columns 1 and 4; unequal numbers of trials; a pair never tried."""
    trials = np.array([[3.0, 0, 0, 7, 0], [1, 0, 2, 5, 0]])
    misses = np.array([[1.0, 0, 0, 6, 0], [1, 0, 0, 2, 0]])
    genuine, made = np.array([1, 4]), Bootstrap(300, 8, level=0.8)
    expected = naive_interval(misses.tolist(), trials.tolist(), genuine.tolist(), made)
    np.testing.assert_allclose(people_interval(misses, trials, genuine, made), expected, rtol=1e-12)


def test_same_seed_same_interval():
    misses, trials = world(np.random.default_rng(1), 12, 1.0, 1.0)
    ends = [people_interval(misses, trials, np.arange(12), Bootstrap(99, s)) for s in (4, 4, 5)]
    assert ends[0] == ends[1] != ends[2]


def test_coverage_when_people_differ_mostly_as_impostors():
    """About 95 % cover the mean; over subjects alone it is less than two thirds."""
    mean = world(np.random.default_rng(0), 2000, 0.3, 1.2)[0].sum() / (5 * 2000 * 1999)
    rng, both, alone = np.random.default_rng(1), 0, 0
    for seed in range(200):
        misses, trials = world(rng, 40, 0.3, 1.2)
        made = Bootstrap(300, seed)
        lower, upper = people_interval(misses, trials, np.arange(40), made)
        both += lower <= mean <= upper
        lower, upper = made.interval(misses.sum(axis=1) / trials.sum(axis=1))
        alone += lower <= mean <= upper
    assert 178 <= both <= 199  # 190 expected, sd 3.1
    assert alone < 133


def test_counts_by_hand():
    outcomes = [
        outcome("b", [1, 2], {"a": [0, 1, 2], "c": [3]}),
        outcome("a", [1, 2], {"c": [1, 1], "b": [0]}),
    ]
    misses, trials, people = miss_counts(outcomes, [[1.0, 1.5], [2.0, 0.0]])
    assert people.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(misses, [[[2, 0, 1], [0, 0, 0]], [[1, 0, 1], [0, 1, 2]]])
    np.testing.assert_array_equal(trials, [[3, 0, 1], [0, 1, 2]])


def test_table_agrees_with_the_rates_of_the_subjects():
    outcomes = normal_outcomes(7) + normal_outcomes(7, verifier="a", shift=3.0)
    made = Bootstrap(150, 2)
    table = people_intervals(outcomes, false_alarms=(0.1, 0.05), bootstrap=made)
    rates = subject_rates(outcomes, (0.1, 0.05))
    names = ["miss_at_10", "miss_at_5", "achieved_miss"]
    assert table["verifier"].tolist() == ["v"] * 3 + ["a"] * 3
    assert table["metric"].tolist() == names * 2
    for row in table.itertuples():
        own = rates.loc[rates["verifier"] == row.verifier, row.metric].to_numpy()
        assert row.mean == pytest.approx(own.mean(), rel=1e-12)
        np.testing.assert_allclose((row.lower, row.upper), made.interval(own), rtol=1e-12)
        assert (row.n_subjects, row.n_impostor_subjects) == (7, 7)
        assert row.people_lower <= row.mean <= row.people_upper


def test_two_people_are_too_few():
    outcomes = normal_outcomes(2)
    with pytest.raises(InvalidParameterError, match="needs at least 3 people; got 2"):
        people_intervals(outcomes)


def test_nobody_was_ever_tried():
    nothing = np.zeros((1, 3))
    assert np.isnan(people_interval(nothing, nothing, np.array([0]), Bootstrap(5, 0))).all()
