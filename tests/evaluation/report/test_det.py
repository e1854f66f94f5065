"""DET curves: what they share, and how they are drawn."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.special import ndtri
from trials import normal_outcomes, outcome

from hawkeys.evaluation.rates.curves import MeanCurve, mean_curve, shared_curve
from hawkeys.evaluation.report.det import det_curves, draw_det, own_points, subject_curves
from hawkeys.exceptions import InvalidParameterError

CURVE = MeanCurve(np.array([0.0, 0.1, 0.5, 1.0]), np.array([0.9, 0.4, 0.1, 0.0]))
OUTCOMES = normal_outcomes(5) + normal_outcomes(5, verifier="a", shift=3.0, seed=1)


def new_axes():
    return Figure().subplots()


def rates_at(outcomes, threshold):
    """Mean error rates at a threshold that all share, by loops."""
    alarms = [sum(s < threshold for s in one.genuine) / one.genuine.size for one in outcomes]
    misses = [sum(s >= threshold for s in one.impostor) / one.impostor.size for one in outcomes]
    return np.mean(alarms), np.mean(misses)


def test_axes_are_normal_deviates():
    ax = draw_det({"v": CURVE}, false_alarm=0.05, ax=new_axes())
    x, y = ax.lines[0].get_data()
    np.testing.assert_allclose(x, ndtri([0.1, 0.5]))
    np.testing.assert_allclose(y, ndtri([0.4, 0.1]))
    ticks = dict(zip([t.get_text() for t in ax.get_xticklabels()], ax.get_xticks(), strict=True))
    assert ticks["5"] == pytest.approx(ndtri(0.05))
    assert ticks["0.5"] == pytest.approx(ndtri(0.005))


def test_rates_of_one_are_not_drawn():
    curve = MeanCurve(np.array([0.1, 0.2]), np.array([1.0, 0.5]))
    ax = draw_det({"v": curve}, ax=new_axes())
    assert np.isfinite(ax.lines[0].get_ydata()).all()


def test_one_raw_threshold_against_loops():
    own = OUTCOMES[:5]
    curve = det_curves(OUTCOMES, "raw")["v"]
    thresholds = [*sorted({s for one in own for s in one.genuine}), np.inf]
    expected = [rates_at(own, t) for t in thresholds]
    np.testing.assert_allclose(
        np.transpose([curve.false_alarm, curve.miss]), expected, rtol=0, atol=1e-14
    )
    assert (curve.false_alarm[-1], curve.miss[-1]) == (1.0, 0.0)


def test_subjects_of_equal_size_are_pooled():
    """With equal numbers, one shared threshold is the curve of all scores thrown together."""
    scores = [(one.genuine, one.impostor) for one in OUTCOMES[:5]]
    together = tuple(np.concatenate(part) for part in zip(*scores, strict=True))
    one, pooled = shared_curve(scores), shared_curve([together])
    np.testing.assert_allclose(one.false_alarm, pooled.false_alarm, atol=1e-14)
    np.testing.assert_allclose(one.miss, pooled.miss, atol=1e-14)


def test_shifted_curve_passes_through_the_own_thresholds():
    """The rates just above threshold 0 are those of the table."""
    curve, (alarm, miss) = det_curves(OUTCOMES, "shifted")["v"], own_points(OUTCOMES)["v"]
    assert alarm == pytest.approx(np.mean([one.errors.false_alarm for one in OUTCOMES[:5]]))
    at = np.searchsorted(curve.false_alarm, alarm - 1e-12)
    assert curve.false_alarm[at] == pytest.approx(alarm, abs=1e-12)
    assert curve.miss[at] <= miss <= curve.miss[at - 1]


def test_a_shift_of_the_scores_matters_to_a_raw_threshold_alone():
    rng = np.random.default_rng(3)
    base = [(rng.normal(1, 1, 20), rng.normal(0, 1, 30)) for _ in range(3)]
    moved = [(k, g + 10.0 * k, i + 10.0 * k) for k, (g, i) in enumerate(base)]
    still = [outcome(f"s{k}", g, {"x": i}) for k, (g, i) in enumerate(base)]
    away = [outcome(f"s{k}", g, {"x": i}, threshold=10.0 * k) for k, g, i in moved]
    for shared, same in (("none", True), ("shifted", True), ("raw", False)):
        one, two = (det_curves(which, shared)["v"] for which in (still, away))
        assert np.allclose(one.miss, two.miss, atol=1e-12) == same


def test_scores_at_minus_infinity():
    one = outcome("s", [-np.inf, 1.0], {"x": [-np.inf, 0.0]}, threshold=-np.inf)
    curve = det_curves([one], "shifted")["v"]
    assert np.isfinite([curve.false_alarm, curve.miss]).all()
    assert curve.miss[0] == 1.0


def test_every_subject_is_a_thin_line_and_is_counted():
    perfect = outcome("s99", [5.0] * 10, {"x": [0.0] * 10})
    curves = subject_curves([*OUTCOMES[:5], perfect])
    expected = mean_curve([(OUTCOMES[2].genuine, OUTCOMES[2].impostor)])
    np.testing.assert_array_equal(curves["v"][2].miss, expected.miss)
    ax = draw_det(det_curves([*OUTCOMES[:5], perfect]), subjects=curves, ax=new_axes())
    thin = [line for line in ax.lines if line.get_linewidth() == 0.6]
    assert len(thin) == 7  # six subjects and their entry in the legend
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["v", "each of 6 subjects, 1 beyond the axes"]


def test_points_and_note():
    ax = draw_det({"v": CURVE}, points={"v": (0.1, 0.2)}, note="what is shared", ax=new_axes())
    marked = [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata())]
    np.testing.assert_allclose(np.ravel(marked[0].get_data()), ndtri([0.1, 0.2]))
    assert ax.get_legend().get_title().get_text() == "what is shared"


def test_unknown_way_to_share():
    with pytest.raises(InvalidParameterError, match="shared must be one of 'none', 'raw'"):
        det_curves(OUTCOMES, "pooled")
