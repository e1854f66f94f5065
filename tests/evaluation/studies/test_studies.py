"""Studies: one setting changes, everything else stays."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from naive_metrics import equal_error_rate, miss_rate_at, rates
from trials import outcome

from hawkeys.datasets import Keystrokes
from hawkeys.evaluation import (
    Protocol,
    clock_resolutions,
    enrolment_sizes,
    evaluate,
    practice_rates,
    session_rates,
)
from hawkeys.evaluation.rates.bootstrap import Bootstrap
from hawkeys.evaluation.report.figures import plot_study
from hawkeys.evaluation.studies.clock import coarsen
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import POHMM, Manhattan, ScaledManhattan

QUICK = Protocol("quick", n_train=40, n_genuine=20, n_impostor=5)
COLUMNS = ["study", "setting", "verifier", "metric", "mean", "lower", "upper", "n_subjects"]


@dataclass
class Result:
    """The part of an `Evaluation` that a study of outcomes reads."""

    outcomes: list
    false_alarm: float
    bootstrap: Bootstrap


def pick(table, setting, metric, verifier="v"):
    rows = table.set_index(["setting", "metric", "verifier"])
    return rows.loc[(setting, metric, verifier)]


def test_the_whole_training_set_is_the_evaluation_itself(demo):
    verifiers = {"v": ScaledManhattan(), "m": Manhattan()}
    table = enrolment_sizes(verifiers, demo, sizes=(10, 40), protocol=QUICK, n_bootstrap=50)
    summary = evaluate(verifiers, demo, protocol=QUICK, n_bootstrap=50).summary()
    assert table.columns.tolist() == COLUMNS
    assert len(table) == 2 * 2 * 4
    for name in verifiers:
        row = pick(table, 40, "miss_at_5", name)
        assert row["mean"] == summary.loc[name, "miss_rate"]
        assert row["lower"] == summary.loc[name, "miss_rate_lower"]
        assert row["upper"] == summary.loc[name, "miss_rate_upper"]
        assert pick(table, 40, "eer", name)["mean"] == summary.loc[name, "eer"]


def test_the_most_recent_repetitions_train(demo):
    """The scores are those of a verifier fitted by hand on repetitions 31 to 40."""
    table = enrolment_sizes({"v": Manhattan()}, demo, sizes=(10,), protocol=QUICK, n_bootstrap=10)
    timings, eers, alarms = demo.timings().to_numpy(), [], []
    for split in QUICK.split(demo):
        fitted = Manhattan().fit(timings[split.train[30:]])
        own, other = (fitted.score_samples(timings[k]) for k in (split.genuine, split.impostor))
        eers.append(equal_error_rate(own.tolist(), other.tolist()))
        alarms.append((own < fitted.offset_).mean())
    assert pick(table, 10, "eer")["mean"] == pytest.approx(np.mean(eers), rel=1e-12)
    achieved = pick(table, 10, "achieved_false_alarm")["mean"]
    assert achieved == pytest.approx(np.mean(alarms), rel=1e-12)


def test_costly_policies_are_left_out(demo):
    rules = replace(QUICK, policies=("resubstitution", "leave-one-out"))
    options = {"sizes": (20,), "n_bootstrap": 10}
    one, two = (
        enrolment_sizes({"v": Manhattan()}, demo, protocol=each, **options)
        for each in (rules, QUICK)
    )
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize(
    ("sizes", "match"),
    [
        ((5, 41), "must not exceed the 40 training repetitions of protocol 'quick'; got 41"),
        ((1,), "sizes must be at least 2; got 1"),
        ((5.0,), "sizes must be a whole number"),
    ],
)
def test_sizes_that_do_not_suit(demo, sizes, match):
    with pytest.raises(InvalidParameterError, match=match):
        enrolment_sizes({"v": Manhattan()}, demo, sizes=sizes, protocol=QUICK)


def test_readings_of_a_coarse_clock(demo):
    """Events are moved by less than a tick, intervals are whole ticks, the order is kept."""
    coarse = coarsen(demo, 0.0156, random_state=3)
    ticks = coarse.timings().to_numpy() / 0.0156
    np.testing.assert_allclose(ticks, np.rint(ticks), atol=1e-9)
    assert np.abs(coarse.timings() - demo.timings()).to_numpy().max() < 0.0156
    np.testing.assert_array_equal(coarse.subject, demo.subject)
    np.testing.assert_array_equal(coarse.repetition, demo.repetition)
    assert coarse.keys == demo.keys


def test_equal_intervals_are_equal_numbers():
    """Differences of rounded times would differ in the last bits: 0.3 - 0.2 is not 0.1."""
    rng = np.random.default_rng(0)
    press = np.cumsum(rng.uniform(0.05, 0.5, size=(200, 8)), axis=1)
    typed = Keystrokes.from_press_release(press, press + 0.1, subject="ann")
    values = np.unique(coarsen(typed, 0.1).timings().to_numpy())
    assert np.diff(values).min() == pytest.approx(0.1, rel=1e-9)


def test_mean_interval_survives_a_coarse_clock():
    """The phase is uniform, so a reading is right on average: sd of the mean is 0.8 ms."""
    typed = Keystrokes.from_timings(np.tile([0.03, 0.2, 0.17, 0.07], (4000, 1)), subject="ann")
    mean = coarsen(typed, 0.1, random_state=1).timings().mean().to_numpy()
    np.testing.assert_allclose(mean, [0.03, 0.2, 0.17, 0.07], atol=0.003)


def test_phases_follow_the_seed(demo):
    one, two, three = (coarsen(demo, 0.02, random_state=s).timings() for s in (1, 1, 2))
    assert one.equals(two)
    assert not one.equals(three)


def test_clock_study_is_the_evaluation_of_coarse_samples(demo):
    table = clock_resolutions(
        {"v": Manhattan()}, demo, milliseconds=(1, 100), protocol=QUICK, n_bootstrap=10
    )
    coarse = evaluate({"v": Manhattan()}, coarsen(demo, 0.1), protocol=QUICK, n_bootstrap=10)
    assert pick(table, 100, "eer")["mean"] == coarse.summary().loc["v", "eer"]
    assert table["study"].unique().tolist() == ["clock resolution (ms)"]
    assert table["setting"].unique().tolist() == [1, 100]


def test_holds_of_no_length_are_readings_of_a_coarse_clock(demo):
    """Exact ones have no logarithm; as ticks of 100 ms they stop no verifier."""
    two = demo[np.isin(demo.subject, demo.subjects[:2])]
    options = {"milliseconds": (100,), "protocol": QUICK, "n_bootstrap": 10}
    with pytest.raises(InvalidParameterError, match=r"no logarithm.*distribution='normal'"):
        clock_resolutions({"v": POHMM(clock=0.0)}, two, **options)
    verifiers = {"v": POHMM(), "normal": POHMM(distribution="normal")}
    table = clock_resolutions(verifiers, two, **options)
    assert table["mean"].between(0, 1).all()
    assert (table[table["metric"] == "eer"]["mean"] < 0.3).all()


def test_ticks_must_be_positive(demo):
    with pytest.raises(InvalidParameterError, match="milliseconds must be positive"):
        clock_resolutions({"v": Manhattan()}, demo, milliseconds=(1, 0))
    with pytest.raises(InvalidParameterError, match="tick must be positive"):
        coarsen(demo, -1.0)


def test_sessions_against_loops():
    rng = np.random.default_rng(4)
    session = np.repeat([7, 5, 6], [10, 20, 30])
    outcomes = [
        outcome(f"s{k}", rng.normal(1, 1, 60), {"x": rng.normal(0, 1, 40)}, session=session)
        for k in range(3)
    ]
    table = session_rates(Result(outcomes, 0.1, Bootstrap(20, 0)))
    assert table["setting"].unique().tolist() == [5, 6, 7]
    for label in (5, 6, 7):
        parts = [(o.genuine[session == label].tolist(), o.impostor.tolist()) for o in outcomes]
        achieved = np.mean([rates(*part, 0.0) for part in parts], axis=0)
        assert pick(table, label, "achieved_false_alarm")["mean"] == pytest.approx(achieved[0])
        assert pick(table, label, "achieved_miss")["mean"] == pytest.approx(achieved[1])
        stated = np.mean([miss_rate_at(*part, 0.1) for part in parts])
        assert pick(table, label, "miss_at_10")["mean"] == pytest.approx(stated)
        eer = np.mean([equal_error_rate(*part) for part in parts])
        assert pick(table, label, "eer")["mean"] == pytest.approx(eer)


def test_sessions_add_up(demo):
    """Sessions of equal size: the mean over them is the false-alarm rate of the table."""
    result = evaluate({"v": ScaledManhattan()}, demo, n_bootstrap=10)
    table = session_rates(result)
    own = table[table["metric"] == "achieved_false_alarm"]
    assert own["setting"].tolist() == [5, 6, 7, 8]
    assert own["mean"].mean() == pytest.approx(result.summary()["achieved_false_alarm"].iloc[0])
    assert (own["n_subjects"] == 6).all()


def test_practice_by_hand():
    """Impostors a and b, in turns; a improves from 0 to 3, b never passes 1.5."""
    one = outcome("s", [1.0, 2.0, 3.0], {"a": [0, 1, 2, 3], "b": [0, 0, 1, 1]}, threshold=1.5)
    mixed = [0, 4, 1, 5, 2, 6, 3, 7]
    turns = replace(one, impostor=one.impostor[mixed], impostor_subject=one.impostor_subject[mixed])
    for each in (one, turns):
        table = practice_rates(Result([each], 0.05, Bootstrap(5, 0)), first=2, last=1)
        assert table["setting"].unique().tolist() == ["first 2", "last 1"]
        assert pick(table, "first 2", "achieved_miss")["mean"] == 0.0
        assert pick(table, "last 1", "achieved_miss")["mean"] == 0.5
        assert pick(table, "first 2", "miss_at_5")["mean"] == 0.25  # threshold 1, of the tests
        assert pick(table, "last 1", "miss_at_5")["mean"] == 1.0


def test_first_repetitions_of_all_are_those_of_the_standard_protocol(demo):
    """This relies on the order of time of impostor samples in the splits."""
    common = {"verifiers": {"v": Manhattan()}, "data": demo, "n_bootstrap": 10}
    few = evaluate(**common, protocol="killourhy-maxion").summary().loc["v"]
    table = practice_rates(evaluate(**common, protocol="killourhy-maxion-all"))
    assert pick(table, "first 5", "eer")["mean"] == pytest.approx(few["eer"], abs=1e-15)
    stated = pick(table, "first 5", "miss_at_5")
    assert stated["mean"] == pytest.approx(few["miss_rate"], abs=1e-15)
    reached = pick(table, "first 5", "achieved_miss")
    assert reached["mean"] == pytest.approx(few["achieved_miss"], abs=1e-15)


def test_too_few_repetitions_to_tell_practice(demo):
    result = evaluate({"v": Manhattan()}, demo, protocol=QUICK, n_bootstrap=10)
    with pytest.raises(InvalidParameterError, match=r"has 5 repetitions; 5 unpractised and 50"):
        practice_rates(result)
    with pytest.raises(InvalidParameterError, match="last must be at least 1; got 0"):
        practice_rates(result, last=0)


def test_plot_shows_means_and_intervals_in_per_cent():
    table = pd.DataFrame(
        {
            "study": "clock resolution (ms)",
            "setting": [1.0, 15.6, 1.0, 15.6],
            "verifier": ["a", "a", "b", "b"],
            "metric": "miss_at_5",
            "mean": [0.1, 0.2, 0.3, 0.4],
            "lower": [0.05, 0.1, 0.3, 0.3],
            "upper": [0.2, 0.4, 0.5, 0.5],
            "n_subjects": 9,
        }
    )
    ax = plot_study(table, ax=Figure().subplots())
    first, second = ax.containers
    np.testing.assert_allclose(first.lines[0].get_ydata(), [10, 20])
    np.testing.assert_allclose(np.array(second.lines[1][1].get_ydata(), dtype=float), [50, 50])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1", "15.6"]
    assert ax.get_ylabel() == "Misses at 5 % false alarms (%)"
    assert ax.get_xlabel() == "clock resolution (ms)"
    assert ax.get_ylim()[0] == 0
    with pytest.raises(InvalidParameterError, match="metric must be one of 'miss_at_5'; got 'eer'"):
        plot_study(table, "eer")


def test_one_verifier_stands_on_its_setting(demo):
    table = practice_rates(
        evaluate({"v": Manhattan()}, demo, protocol="killourhy-maxion-all", n_bootstrap=10)
    )
    ax = plot_study(table, "eer", ax=Figure().subplots())
    np.testing.assert_array_equal(ax.containers[0].lines[0].get_xdata(), [0, 1])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["first 5", "last 50"]
    assert ax.get_ylabel() == "Equal-error rate (%)"
