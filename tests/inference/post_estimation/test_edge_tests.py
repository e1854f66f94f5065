"""Likelihood-ratio tests of the adjacency's entries."""

import matplotlib.pyplot as plt
import naive_uncertainty as naive
import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

import hawkeys
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.inference import edge_tests, profile_interval
from hawkeys.inference.post_estimation import fitted_rows
from hawkeys.inference.post_estimation.chi_bar import mixture_tail
from hawkeys.inference.post_estimation.edge_tests import _holm

DECAY = 1.5
TRUTH = hawkeys.Hawkes(
    [0.3, 0.2, 0.1], [[0.2, 0.3, 0.0], [0.1, 0.4, 0.2], [0.3, 0.0, 0.1]], decay=DECAY,
    mark_names=["buy", "sell", "news"],
)  # fmt: skip
ALL = np.ones((3, 3), dtype=bool)
OPTIONS = {
    "plain": {},
    "weights": {"weights": [0.5, 2.0, 1.0]},
    "support": {"support": np.array([[1, 1, 0], [1, 1, 1], [1, 0, 1]], dtype=bool)},
}


@pytest.fixture(scope="module")
def events():
    return hawkeys.simulate(TRUTH, end_time=[80.0, 120.0, 60.0], rng=3)


@pytest.mark.parametrize("name", OPTIONS)
def test_the_statistic_is_that_of_two_fits(events, name):
    options = {"tolerance": 1e-10, **OPTIONS[name]}
    support = options.pop("support", ALL)
    whole = hawkeys.fit(events, decay=DECAY, support=support, **options)
    found = edge_tests(whole, events)
    for i, j in np.ndindex(3, 3):
        if not support[i, j]:
            assert np.isnan(found.statistic[i, j])
            continue
        without = support.copy()
        without[i, j] = False
        smaller = hawkeys.fit(events, decay=DECAY, support=without, **options)
        expected = 2.0 * (whole.objective - smaller.objective)
        assert found.statistic[i, j] == pytest.approx(expected, abs=1e-7)


def test_pvalues_are_of_the_mixture(events):
    result = hawkeys.fit(events, decay=DECAY)
    found = edge_tests(result, events)
    zero = result.adjacency == 0.0
    assert zero.any()
    assert (found.pvalues[zero] == 1.0).all()
    assert (found.statistic[zero] == 0.0).all()
    assert np.allclose(found.pvalues[~zero], 0.5 * stats.chi2.sf(found.statistic[~zero], 1))
    assert (found.pvalues[~zero] < 0.5).all()
    ends = profile_interval(result, events)
    assert np.array_equal(found.pvalues < 0.05, ~ends.includes_zero[:, 1:])


@pytest.mark.parametrize(
    ("correction", "method"), [("benjamini-hochberg", "bh"), ("benjamini-yekutieli", "by")]
)
def test_false_discovery_control_is_scipys(events, correction, method):
    support = OPTIONS["support"]["support"]
    result = hawkeys.fit(events, decay=DECAY, support=support)
    found = edge_tests(result, events, correction=correction)
    expected = stats.false_discovery_control(found.pvalues[support], method=method)
    assert np.allclose(found.adjusted[support], expected, rtol=1e-12)
    assert np.isnan(found.adjusted[~support]).all()
    assert not found.rejected(0.99)[~support].any()


def test_holm(events):
    result = hawkeys.fit(events, decay=DECAY)
    found = edge_tests(result, events, correction="holm")
    assert np.allclose(found.adjusted.ravel(), naive.holm(found.pvalues.ravel()))
    pvalues = np.random.default_rng(0).uniform(0, 0.2, 20)
    pvalues[3] = pvalues[7]
    assert np.allclose(_holm(pvalues), naive.holm(pvalues))
    assert np.allclose(_holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])


def test_no_correction_and_frame(events):
    found = edge_tests(hawkeys.fit(events, decay=DECAY), events, correction=None)
    assert np.array_equal(found.adjusted, found.pvalues)
    frame = found.to_frame()
    assert list(frame) == [
        "target", "source", "estimate", "statistic", "pvalue", "pvalue_adjusted",
    ]  # fmt: skip
    row = frame.set_index(["target", "source"]).loc[("news", "buy")]
    assert row["statistic"] == found.statistic[2, 0]
    assert row["estimate"] == found.estimates[2, 0]
    assert "n_tests=9, correction=None" in repr(found)


def test_half_of_all_null_pvalues_are_1_and_the_rest_uniform():
    # 200 data sets: the test below has 1 % by construction, the seed is fixed
    process = hawkeys.Hawkes([0.4, 0.3], [[0.3, 0.0], [0.2, 0.3]], decay=2.0)
    pvalues = []
    for seed in np.random.SeedSequence(5).spawn(200):
        sample = hawkeys.simulate(process, end_time=400.0, rng=seed)
        pvalues.append(edge_tests(hawkeys.fit(sample, decay=2.0), sample).pvalues[0, 1])
    pvalues = np.array(pvalues)
    below = pvalues[pvalues < 1.0]
    assert stats.binomtest(below.size, pvalues.size).pvalue > 0.01
    assert stats.kstest(2.0 * below, "uniform").pvalue > 0.01


class TestPlot:
    def test_it_draws_on_the_axes_given(self, events):
        result = hawkeys.fit(events, decay=DECAY, support=OPTIONS["support"]["support"])
        found = edge_tests(result, events)
        axes = Figure().subplots()
        assert found.plot(axes) is axes
        assert [label.get_text() for label in axes.get_xticklabels()] == ["buy", "sell", "news"]
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("source", "target")
        framed = [patch for patch in axes.patches if patch.get_hatch() is None]
        assert len(framed) == found.rejected().sum() > 0
        assert len(axes.patches) - len(framed) == 2
        assert len(axes.texts) == 7

    def test_by_default_on_the_current_axes(self, events):
        figure, axes = plt.subplots()
        tests = edge_tests(hawkeys.fit(events, decay=DECAY), events, correction=None)
        assert tests.plot() is axes
        assert figure.axes[1].get_ylabel() == "p-value"
        plt.close(figure)


class TestRefused:
    def test_wrong_inputs(self, events):
        result = hawkeys.fit(events, decay=DECAY)
        with pytest.raises(InvalidParameterError, match="correction must be one of 'benjamini-ho"):
            edge_tests(result, events, correction="bonferroni")
        with pytest.raises(InvalidParameterError, match="fitted to other events"):
            edge_tests(result, events[:2])
        with pytest.raises(InvalidEventsError, match="1 marks, the process has 3"):
            edge_tests(result, hawkeys.Events.from_lists([[[1.0]]], end_times=3.0))
        with pytest.raises(InvalidParameterError, match="level must be one number"):
            edge_tests(result, events).rejected(5)

    def test_a_kernel_for_every_pair(self, events):
        result = hawkeys.fit(events, decay="estimate", decay_sharing="pair")
        with pytest.raises(InvalidParameterError, match="without excitation a pair has no kernel"):
            edge_tests(result, events)


def test_a_statistic_below_0_by_rounding_is_no_evidence():
    weights = np.array([0.5, 0.5])
    tail = mixture_tail(np.array([-1e-13, 0.0, np.nan, 2.7055434540954]), np.tile(weights, (4, 1)))
    np.testing.assert_allclose(tail, [1.0, 1.0, np.nan, 0.05], rtol=1e-9)


def test_what_would_not_fit_into_memory_is_refused_before_it_begins(events, monkeypatch):
    monkeypatch.setattr(fitted_rows, "_MOST_BYTES", 1_000.0)
    result = hawkeys.fit(events, decay=DECAY)
    edge_tests(result, events)  # few marks: as many numbers are nothing
    monkeypatch.setattr(fitted_rows, "has_many_marks", lambda n_events, n_marks: True)
    with pytest.raises(InvalidParameterError, match=r"would write out .* GB .*bootstrap"):
        edge_tests(result, events)
