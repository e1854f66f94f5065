"""Pairs outside the support are left out by the caller: no word of what the data identify."""

import warnings

import numpy as np
import pytest

import hawkeys
from hawkeys.exceptions import IdentifiabilityWarning

SUPPORT = np.array([[True, True], [False, True]])
METHODS = ["mle", "map", "vi", "vi_branching", "least_squares"]


@pytest.fixture(scope="module")
def sample():
    truth = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    return hawkeys.simulate(truth, end_time=200.0, rng=0)


def check_words(result):
    text = result.summary()
    assert "1 pairs are outside the support: held at 0 (-)." in text
    assert "not identified" not in text
    frame = result.to_frame()
    row = frame[(frame["parameter"] == "adjacency") & (frame["target"] == "1")].iloc[0]
    assert row["source"] == "0"
    assert row["estimate"] == 0.0
    assert row[["std_err", "lower", "upper"]].isna().all()
    assert not row["at_bound"]
    assert not row["identified"]


@pytest.mark.parametrize("method", METHODS)
def test_a_pair_outside_the_support_is_said_to_be_outside(sample, method, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", IdentifiabilityWarning)
        result = hawkeys.fit(sample, decay=2.0, support=SUPPORT, method=method)
    check_words(result)
    result.save(tmp_path / "fit.json")
    check_words(hawkeys.load_result(tmp_path / "fit.json"))


def test_with_inhibition_and_with_an_estimated_kernel(sample):
    check_words(hawkeys.fit_rectified(sample, decay=2.0, support=SUPPORT))
    check_words(hawkeys.fit(sample, kernel=hawkeys.kernels.LogNormal(), support=SUPPORT))
    check_words(hawkeys.fit(sample, decay="estimate", support=SUPPORT))


def test_both_kinds_are_counted_apart():
    """Mark 1 has no event: what excites it or is excited by it is told from what was left out."""
    events = hawkeys.Events.from_lists([[[1.0, 2.0, 2.5, 7.0], []]], end_times=9.0)
    with pytest.warns(IdentifiabilityWarning, match=r"^1 parameters .*: adjacency\[0, 1\]\. They"):
        result = hawkeys.fit(events, decay=1.0, support=[[True, True], [True, False]])
    # of target 1 the pair from 0 is identified: it has a cost; that from 1 was left out
    text = result.summary()
    assert "1 pairs are outside the support: held at 0 (-)." in text
    assert "1 parameters are not identified (-)." in text
    estimates = result.to_frame().set_index(["target", "source"])["estimate"]
    assert np.isnan(estimates["0", "1"])
    assert estimates["1", "1"] == 0.0


def test_without_a_support_nothing_is_left_out(sample):
    assert "support" not in hawkeys.fit(sample, decay=2.0).summary().split("parameter")[1]


def test_remedies_of_fits_with_inhibition_are_its_own():
    """`fit_rectified` takes no prior, so that none is advised."""
    events = hawkeys.Events.from_lists([[[1.0, 2.0, 2.5, 7.0], []]], end_times=9.0)
    with pytest.warns(IdentifiabilityWarning, match="Drop the marks .*, or observe longer") as said:
        hawkeys.fit_rectified(events, decay=1.0)
    assert not any("prior" in str(one.message) for one in said)


class TestDecaysWithoutPairs:
    def test_a_target_without_pairs_has_no_decay_to_estimate(self, sample):
        """No warning, no edge: the baseline alone is the Poisson rate."""
        nothing = np.zeros((2, 2), dtype=bool)
        result = hawkeys.fit_rectified(sample, decay="estimate", support=nothing)
        assert result.converged
        assert not result.decay_identified.any()
        counts = sample.counts.sum(axis=0)
        assert result.baseline == pytest.approx(counts / 200.0, rel=1e-9)
        expected = (counts * np.log(counts / 200.0) - counts).sum()
        assert result.log_likelihood == pytest.approx(expected, rel=1e-12)

    def test_the_other_targets_are_as_ever(self, sample):
        rows = [[True, True], [False, False]]
        result = hawkeys.fit_rectified(sample, decay="estimate", support=rows)
        whole = hawkeys.fit_rectified(sample, decay="estimate")
        assert result.converged
        assert result.decay_identified.tolist() == [True, False]
        assert result.decay[0] == whole.decay[0]
        assert result.adjacency[0].tolist() == whole.adjacency[0].tolist()
