"""Event times across sessions: rates against plain loops, and figures on real data."""

import numpy as np
import pandas as pd
import pytest

from hawkeys.datasets import (
    cut_slices,
    load_press_times,
    random_folds,
    session_folds,
    simulate_event_times,
)
from hawkeys.evaluation import (
    EventTimeFold,
    accuracy_by_events,
    auc,
    equal_error_rate,
    event_time_rates,
    event_time_systems,
    score_event_times,
)
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers.event_times import ClockResidualClassifier

SYSTEMS = {name: event_time_systems()[name] for name in ("two-statistics", "lognormal-renewal")}


@pytest.fixture(scope="module")
def slices():
    return cut_slices(simulate_event_times(3, n_sessions=4, n_events=400)).snapped(rng=0)


@pytest.fixture(scope="module")
def folds(slices):
    return score_event_times(slices, SYSTEMS, n_folds=4, n_repeats=1, rng=1)


def test_folds_are_balanced_and_hold_everything(folds, slices):
    assert [(one.system, one.fold) for one in folds] == [
        (name, fold) for fold in range(4) for name in SYSTEMS
    ]
    for one in folds:
        counts = np.unique(one.subject, return_counts=True)[1]
        assert (counts == counts[0]).all()
        assert one.people == tuple(np.unique(slices.subject).tolist())
        np.testing.assert_allclose(np.exp(one.log_proba).sum(axis=1), 1.0)
        odds = np.exp(one.log_proba) / -np.expm1(one.log_proba)
        np.testing.assert_allclose(one.scores, np.log(odds), rtol=1e-6)
        best = [one.people[k] for k in one.log_proba.argmax(axis=1)]
        assert one.accuracy == np.mean([a == b for a, b in zip(best, one.subject, strict=True)])
    same = score_event_times(slices, SYSTEMS, n_folds=4, n_repeats=1, rng=1)
    assert all((a.log_proba == b.log_proba).all() for a, b in zip(folds, same, strict=True))


def test_rates_one_by_one(folds):
    table = event_time_rates(folds, false_alarm=0.1).set_index("system")
    own = [one for one in folds if one.system == "two-statistics"]
    figures = {name: [] for name in ("auc", "eer", "eer_one_threshold", "alarm", "miss")}
    for one in own:
        sides = [
            (one.scores[one.subject == who, k], one.scores[one.subject != who, k])
            for k, who in enumerate(one.people)
        ]
        figures["auc"].append(np.mean([auc(a, b) for a, b in sides]))
        figures["eer"].append(np.mean([equal_error_rate(a, b) for a, b in sides]))
        figures["eer_one_threshold"].append(
            equal_error_rate(*(np.concatenate(side) for side in zip(*sides, strict=True)))
        )
        kept = [np.sort(scores)[int(0.1 * scores.size)] for scores in one.train_scores]
        pairs = list(zip(sides, kept, strict=True))
        figures["alarm"].append(np.mean([(a < t).mean() for (a, _), t in pairs]))
        figures["miss"].append(np.mean([(b >= t).mean() for (_, b), t in pairs]))
    row = table.loc["two-statistics"]
    assert row["accuracy"] == pytest.approx(np.mean([one.accuracy for one in own]))
    assert row["accuracy_sd"] == pytest.approx(np.std([one.accuracy for one in own], ddof=1))
    for name, column in (("auc", "auc"), ("eer", "eer"), ("eer_one_threshold",) * 2,
                         ("alarm", "false_alarm_kept"), ("miss", "miss_kept")):  # fmt: skip
        assert row[column] == pytest.approx(np.mean(figures[name])), column
    assert row["eer_sd"] == pytest.approx(np.std(figures["eer"], ddof=1))
    assert (row["n_folds"], row["n_subjects"]) == (4, 3)
    assert row["n_test"] == sum(one.subject.size for one in own)


def fold_of(subject, session, first, log_odds):
    """One fold of two people whose log probabilities follow from the log odds of the first."""
    odds = np.asarray(log_odds, dtype=float)
    log = np.stack([-np.logaddexp(0.0, -odds), -np.logaddexp(0.0, odds)], axis=1)
    return EventTimeFold(
        "some", 0, ("a", "b"), np.array(subject), np.array(session), np.array(first), log,
        (np.zeros(1), np.zeros(1)), 1.0, 1.0,
    )  # fmt: skip


def test_joint_decisions_add_log_probabilities_within_sessions():
    """Two of a session in the order of time: a has +1, -3 | 2, 1 (last alone), b has -1, 2."""
    fold = fold_of(
        ["a", "a", "b", "a", "a", "b", "a"],
        [0, 0, 0, 1, 1, 0, 1],
        [0, 31, 0, 90, 59, 31, 121],
        [1.0, -3.0, -1.0, 1.0, 2.0, 2.0, -9.0],
    )
    table = accuracy_by_events([fold], [1, 2, 3]).set_index("n_slices")
    assert table.loc[1, "accuracy"] == pytest.approx(np.mean([3 / 5, 1 / 2]))
    assert table.loc[2, "accuracy"] == pytest.approx(np.mean([1 / 2, 0.0]))
    assert table.loc[2, "n_decisions"] == 3
    assert np.isnan(table.loc[3, "accuracy"])
    assert table["n_folds"].tolist() == [1, 1, 0]


def test_more_events_help(folds):
    table = accuracy_by_events(folds, [1, 3])
    one, three = (table[table["n_slices"] == n].set_index("system")["accuracy"] for n in (1, 3))
    assert (three > one).all()


def test_wrong_input(slices, folds):
    with pytest.raises(
        InvalidParameterError, match=r"slices of 'simulated-0' overlap.*step_back=0"
    ):
        score_event_times(cut_slices(simulate_event_times(), step_back=15))
    with pytest.raises(InvalidParameterError, match="slices hold 1 people; two or more"):
        score_event_times(slices[slices.subject == "simulated-0"])
    with pytest.raises(InvalidParameterError, match="folds is empty"):
        event_time_rates([])
    with pytest.raises(InvalidParameterError, match="n_slices must be at least 1"):
        accuracy_by_events(folds, [0])
    with pytest.raises(InvalidParameterError, match="subject 'simulated-0' has 4 sessions"):
        score_event_times(slices, SYSTEMS, n_folds=5)


def test_progress_and_given_splits(slices):
    seen = []
    splits = random_folds(slices.subject, 2, rng=0)
    found = score_event_times(
        slices, SYSTEMS, splits=splits, report=lambda what, done, total: seen.append((done, total))
    )
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert sum(one.subject.size for one in found[:1]) <= splits[0].test.size


@pytest.fixture(scope="module")
def real(press_times_path):
    """The probe on raw slices, and the quick systems on snapped ones, over five folds.

    Ten folds of all systems are benchmarks/neighbours.py; its saved figures have the same bounds.
    """
    raw = cut_slices(load_press_times(press_times_path))
    names = ("two-statistics", "markov-renewal")
    systems = {name: event_time_systems()[name] for name in names}
    snapped = raw.snapped(rng=0)
    probe = {"clock": ClockResidualClassifier()}
    tables = [
        event_time_rates(score_event_times(raw, probe, n_repeats=1)),
        event_time_rates(score_event_times(snapped, {**systems, **probe}, n_repeats=1)),
    ]
    return pd.concat(tables, keys=["raw", "snapped"]).set_index("system", append=True)["accuracy"]


def test_two_people_across_sessions(real):
    """4 ms snapped, ten folds: two statistics .84, Markov renewal .91; the clock alone .86, .50."""
    accuracy = real.droplevel(1)
    assert accuracy["snapped", "two-statistics"] >= 0.82
    assert accuracy["snapped", "markov-renewal"] >= 0.885
    assert 0.82 <= accuracy["raw", "clock"] <= 0.89
    assert 0.46 <= accuracy["snapped", "clock"] <= 0.54


def test_all_systems_on_a_fold(press_times_path):
    """The slower ones: log-linear Hawkes .90, stack .93, classical Hawkes .63 over ten folds."""
    slices = cut_slices(load_press_times(press_times_path)).snapped(rng=0)
    names = ("exponential-hawkes", "log-linear-hawkes", "stack")
    systems = {name: event_time_systems()[name] for name in names}
    splits = session_folds(slices.subject, slices.session, 5, rng=0)[:1]
    folds = score_event_times(slices, systems, splits=splits)
    accuracy = event_time_rates(folds).set_index("system")["accuracy"]
    assert accuracy["log-linear-hawkes"] >= 0.87
    assert accuracy["stack"] >= 0.905
    assert 0.55 <= accuracy["exponential-hawkes"] <= 0.7
    growth = accuracy_by_events(folds, [4]).set_index("system")["accuracy"]
    assert growth["stack"] >= 0.97
