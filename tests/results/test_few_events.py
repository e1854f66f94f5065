"""Events per parameter: what they are, by hand."""

from __future__ import annotations

import numpy as np
import pytest

import hawkeys
from hawkeys.exceptions import UnstableProcessError
from hawkeys.results.few_events import FEW_EVENTS, events_per_parameter, few_events

A = np.linspace(0.3, 99.0, 90)
B = np.linspace(0.7, 98.0, 12)


def fitted(data, **options):
    return hawkeys.fit(data, end_time=100.0, decay=1.0, **options)


@pytest.mark.parametrize("method", ["mle", "map", "vi", "vi_branching", "least_squares"])
def test_events_of_a_target_over_its_parameters(method):
    found = events_per_parameter(fitted([A, B], method=method))
    np.testing.assert_array_equal(found, [90 / 3, 12 / 3])


def test_few_are_fewer_than_the_threshold():
    assert FEW_EVENTS == 20.0
    np.testing.assert_array_equal(few_events(fitted([A, B])), [False, True])
    np.testing.assert_array_equal(few_events(fitted([A[:60], A[1:60] + 0.1])), [False, True])


def test_pairs_outside_the_support_are_no_parameters():
    result = fitted([A, B], support=np.eye(2, dtype=bool))
    np.testing.assert_array_equal(events_per_parameter(result), [90 / 2, 12 / 2])


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.IdentifiabilityWarning")
def test_a_mark_without_events_has_none_per_parameter():
    found = events_per_parameter(fitted([A, []], support=np.zeros((2, 2), dtype=bool)))
    np.testing.assert_array_equal(found, [90.0, 0.0])


@pytest.mark.parametrize("method", ["mle", "vi"])
def test_pieces_of_a_baseline_and_shared_parameters(method):
    steps = hawkeys.baselines.PiecewiseConstant([0.0, 50.0, 100.0])
    result = fitted([A, B], baseline=steps, method=method)
    np.testing.assert_array_equal(events_per_parameter(result), [90 / 4, 12 / 4])
    tied = {"baseline": [0, 0], "adjacency": [[1, 2], [3, 1]]}
    result = fitted([A, B], tied=tied, method=method)  # both rows are one problem of 4 parameters
    np.testing.assert_array_equal(events_per_parameter(result), [102 / 4, 102 / 4])


def test_parameters_of_the_kernel_count_once():
    kernel = hawkeys.kernels.SumExponential([0.5, 5.0])
    result = hawkeys.fit([A, B], end_time=100.0, kernel=kernel)
    np.testing.assert_array_equal(events_per_parameter(result), [90 / 5, 12 / 5])
    truth = hawkeys.Hawkes([0.5], [[0.5]], kernel=hawkeys.kernels.LogNormal(0.0, 0.5))
    events = hawkeys.simulate(truth, end_time=200.0, rng=0)
    result = hawkeys.fit(events, kernel=hawkeys.kernels.LogNormal())
    np.testing.assert_array_equal(events_per_parameter(result), [events.n_events / 4])
    estimated = hawkeys.fit(events, decay="estimate")
    np.testing.assert_array_equal(events_per_parameter(estimated), [events.n_events / 3])


def test_a_wide_fit_says_so_and_what_to_do():
    """Three parents a mark of 40, some 100 events each: the estimate is far too large."""
    rng = np.random.default_rng(0)
    adjacency = np.zeros((40, 40))
    for i in range(40):
        adjacency[i, rng.choice(40, 3, replace=False)] = 0.2
    truth = hawkeys.Hawkes(np.full(40, 0.1), adjacency, decay=1.0)
    sample = hawkeys.simulate(truth, end_time=400.0, rng=1)
    result = hawkeys.fit(sample, decay=1.0)
    assert result.process.spectral_radius > truth.spectral_radius + 0.2
    summary = result.summary()
    assert "40 of 40 targets have fewer than 20 events per parameter (fewest: " in summary
    assert "penalty_path, or support=" in summary
    right = hawkeys.fit(sample, decay=1.0, support=adjacency > 0)
    assert abs(right.process.spectral_radius - truth.spectral_radius) < 0.1
    unstable = hawkeys.Hawkes([0.1], [[1.0002]], decay=1.0)
    with pytest.raises(UnstableProcessError, match=r"estimate less with .*_path, or support"):
        hawkeys.simulate(unstable, end_time=10.0)
    with pytest.raises(UnstableProcessError, match=r"estimate less with .*_path, or support"):
        _ = unstable.stationary_rate


@pytest.mark.parametrize("method", ["map", "vi_branching"])
def test_a_prior_that_holds_entries_above_0_says_what_it_does(method, tmp_path):
    said = "The prior of shape 1.5 holds every adjacency entry above 0"
    result = fitted([A, B], method=method)
    assert said in result.summary()
    result.save(tmp_path / "fit.json")
    assert said in hawkeys.load_result(tmp_path / "fit.json").summary()
    flat = fitted([A, B], method=method, prior=hawkeys.GammaPrior(shape=1.0))
    assert "holds every" not in flat.summary()
    assert "holds every" not in fitted([A], method=method).summary()
    ridge = fitted([A, B], method="map", prior=hawkeys.inference.Ridge(1.0))
    assert "holds every" not in ridge.summary()


def test_what_few_events_do_depends_on_the_method():
    assert "the adjacency is estimated too large" in fitted([A, B]).summary()
    assert "the priors say as much as the data" in fitted([A, B], method="vi").summary()


@pytest.mark.parametrize("columns", [{}, {"tied": {"baseline": [0, 1]}}], ids=["plain", "tied"])
def test_what_a_penalty_sets_to_0_is_no_parameter(columns):
    """Degrees of freedom of a lasso; where all pairs are at 0, criteria of Poisson processes."""
    lasso = hawkeys.inference.Lasso(1e4)
    result = fitted([A, B], method="map", prior=lasso, tolerance=1e-13, **columns)
    assert not result.adjacency.any()
    np.testing.assert_array_equal(events_per_parameter(result), [90.0, 12.0])
    assert result.n_parameters == 2
    top = sum(n * np.log(n / 100.0) - n for n in (90, 12))
    assert result.log_likelihood == pytest.approx(top, rel=1e-12)
    assert result.aic == pytest.approx(4.0 - 2.0 * top, rel=1e-12)
    assert result.bic == pytest.approx(2.0 * np.log(102) - 2.0 * top, rel=1e-12)


def test_some_pairs_at_0():
    truth = hawkeys.Hawkes([0.5, 0.3], [[0.5, 0.0], [0.0, 0.4]], decay=1.0)
    events = hawkeys.simulate(truth, end_time=300.0, rng=0)
    result = hawkeys.fit(events, decay=1.0, method="map", prior=hawkeys.inference.Lasso(8.0))
    np.testing.assert_array_equal(result.adjacency > 0, np.eye(2, dtype=bool))
    assert result.n_parameters == 4
    counts = np.bincount(events.marks)
    np.testing.assert_array_equal(events_per_parameter(result), counts / 2)
    # a bound that no penalty asks for counts, as the likelihood-ratio test has it
    assert hawkeys.fit(events, decay=1.0).n_parameters == 6
    table = hawkeys.compare({"lasso": result})
    assert table.n_parameters.tolist() == [4]
