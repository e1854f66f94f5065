"""The Evaluation record: frames, summary, text, files, curves."""

from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from hawkeys.datasets import Keystrokes
from hawkeys.evaluation import Protocol, evaluate, miss_rate_at
from hawkeys.evaluation.rates.bootstrap import Bootstrap
from hawkeys.evaluation.rates.comparisons import compare_pairs
from hawkeys.evaluation.report.det import SHARED_THRESHOLDS
from hawkeys.exceptions import OutputError
from hawkeys.verifiers import Manhattan, ScaledManhattan

QUICK = Protocol("quick", n_train=30, n_genuine=20, n_impostor=5)


@pytest.fixture(scope="module")
def result(demo):
    verifiers = {"scaled": ScaledManhattan(), "manhattan": Manhattan()}
    return evaluate(verifiers, demo, protocol=QUICK, n_bootstrap=200, random_state=5)


def test_summary_is_the_mean_sd_and_interval_over_subjects(result):
    frame, summary = result.to_frame(), result.summary()
    assert summary.index.tolist() == ["scaled", "manhattan"]
    assert summary.index.name == "verifier"
    for name in summary.index:
        own = frame[frame["verifier"] == name]
        for figure in ("miss_rate", "eer", "auc"):
            values = own[figure].to_numpy()
            row = summary.loc[name]
            assert row[figure] == pytest.approx(values.mean(), rel=1e-12)
            assert row[f"{figure}_sd"] == pytest.approx(np.std(values, ddof=1), rel=1e-12)
            lower, upper = Bootstrap(200, 5).interval(values)
            assert (row[f"{figure}_lower"], row[f"{figure}_upper"]) == (lower, upper)
        assert summary.loc[name, "achieved_miss"] == pytest.approx(own["achieved_miss"].mean())
        assert summary.loc[name, "n_subjects"] == 6


def test_operating_point_uses_the_words_of_the_paper(result):
    frame, point = result.to_frame(), result.operating_point()
    assert list(point.columns) == [
        "verifier",
        "subject",
        "false_negatives",
        "false_positives",
        "n_genuine",
        "n_impostor",
    ]
    assert point["false_negatives"].tolist() == frame["n_false_alarm"].tolist()
    assert point["false_positives"].tolist() == frame["n_miss"].tolist()


def test_the_result_cannot_be_changed(result):
    with pytest.raises(FrozenInstanceError):
        result.false_alarm = 0.1
    with pytest.raises(TypeError, match="does not support item assignment"):
        result.versions["hawkeys"] = "9"
    with pytest.raises(ValueError, match="read-only"):
        result.outcomes[0].genuine[0] = 1.0
    for make in (result.to_frame, result.summary):
        table = make()
        table["eer"] = -1.0
        assert (make()["eer"] >= 0).all()


def test_the_result_records_what_it_rests_on(result, demo):
    assert result.protocol is QUICK
    assert result.protocol_text == QUICK.describe(demo, 0.05)
    assert (result.false_alarm, result.n_subjects) == (0.05, 6)
    assert result.bootstrap == Bootstrap(200, 5)
    assert result.verifiers["manhattan"] == "Manhattan()"
    assert {"Python", "hawkeys", "numpy", "scikit-learn"} <= set(result.versions)
    assert result.samples.subject.size == 6 * 50
    assert result.samples.keys == demo.keys


def test_provenance_comes_with_the_data(result, demo):
    assert result.provenance == {**demo.provenance, "samples used": "300"}
    assert "simulated" in result.notice
    assert str(result).startswith("These typists are simulated")


def test_data_of_the_caller_are_known_by_their_hash(demo):
    same = Keystrokes.from_timings(
        demo.timings(),
        subject=demo.subject,
        session=demo.session,
        repetition=demo.repetition,
    )
    result = evaluate({"m": Manhattan()}, same, protocol=QUICK, n_bootstrap=10)
    # The record of simulated data holds the hash of their timings too.
    assert result.provenance["sha256"] == demo.provenance["sha256"]
    assert result.provenance["samples"] == str(len(demo))
    assert result.notice == ""


def test_text_fits_eighty_columns(result):
    text = str(result)
    assert max(map(len, text.splitlines())) <= 80
    assert "In turn, each of 6 subjects is the genuine typist" in text
    row = next(line for line in text.splitlines() if line.startswith("scaled"))
    summary = result.summary().loc["scaled"]
    assert f"{summary['eer']:.3f}".removeprefix("0") in row
    assert "(200 resamples, seed 5)" in " ".join(text.split())


def test_repr_is_short(result):
    assert repr(result) == (
        "Evaluation(protocol='quick', verifiers=['scaled', 'manhattan'], n_subjects=6)"
    )


def test_csv_keeps_the_digits(result, tmp_path):
    path = result.to_csv(tmp_path / "rows.csv")
    read = pd.read_csv(path)
    # The last bit may be lost by fast parsing, but not by writing.
    pd.testing.assert_frame_equal(read, result.to_frame(), rtol=1e-15, check_dtype=False)


def test_csv_into_a_missing_folder(result, tmp_path):
    with pytest.raises(OutputError, match="cannot write"):
        result.to_csv(tmp_path / "missing" / "rows.csv")


def test_mean_curve_passes_through_the_table(result):
    summary = result.summary()
    for name, curve in result.mean_curves().items():
        at = np.flatnonzero(np.isclose(curve.false_alarm, 0.05))
        assert curve.miss[at] == pytest.approx(summary.loc[name, "miss_rate"], abs=1e-12)


def test_scores_are_kept(result):
    outcome = result.outcomes[0]
    assert outcome.genuine.shape == (20,)
    assert outcome.impostor.shape == (25,)
    assert outcome.miss_rate == miss_rate_at(outcome.genuine, outcome.impostor, 0.05)


@pytest.mark.parametrize("draw", ["plot_roc", "plot_det"])
def test_plots_draw_one_curve_per_verifier_on_the_axes_given(result, draw):
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert getattr(result, draw)(ax) is ax
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["scaled", "manhattan"]


def test_tables_of_the_outcomes(result):
    """Each method hands over the outcomes, the frame or the bootstrap of the evaluation."""
    rates = result.subject_rates((0.05,))
    assert rates["miss_at_5"].tolist() == result.to_frame()["miss_rate"].tolist()
    spread = result.spread().set_index(["verifier", "metric"])
    summary = result.summary()
    for name in ("scaled", "manhattan"):
        assert spread.loc[(name, "eer"), "mean"] == pytest.approx(summary.loc[name, "eer"])
        assert spread.loc[(name, "auc"), "sd"] == pytest.approx(summary.loc[name, "auc_sd"])
    intervals = result.intervals().set_index(["verifier", "metric"])
    row = intervals.loc[("scaled", "miss_at_5")]
    assert (row["lower"], row["upper"]) == (
        summary.loc["scaled", "miss_rate_lower"],
        summary.loc["scaled", "miss_rate_upper"],
    )
    assert (result.costs()[["fit_seconds", "template_bytes"]] > 0).all(axis=None)


@pytest.mark.parametrize("metric", ["miss_rate", "miss_at_5", "miss_at_1", "auc"])
def test_compare_uses_the_bootstrap_of_the_result(result, metric):
    rates = result.subject_rates()
    rates["miss_rate"] = rates["miss_at_5"]
    expected = compare_pairs(rates, metric, bootstrap=Bootstrap(200, 5))
    pd.testing.assert_frame_equal(result.compare(metric), expected)


@pytest.mark.parametrize("shared", ["none", "raw", "shifted"])
def test_det_says_what_is_shared(result, shared):
    ax = result.plot_det(Figure().subplots(), shared=shared, per_subject=True)
    legend = ax.get_legend()
    assert legend.get_title().get_text() == SHARED_THRESHOLDS[shared]
    labels = [text.get_text() for text in legend.get_texts()]
    assert ("at the verifier's own thresholds" in labels) == (shared == "shifted")
    assert sum(label.startswith("each of 6 subjects") for label in labels) == 2
