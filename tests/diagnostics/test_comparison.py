"""Comparison of fits: criteria, weights, likelihood-ratio tests, notebooks."""

import dataclasses
import math
import warnings

import numpy as np
import pytest
from scipy.stats import chi2

import hawkeys
from hawkeys.exceptions import InvalidParameterError

TRUTH = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0, mark_names=["<a>", "b&c"])
SELVES = [[1, 0], [0, 1]]


@pytest.fixture(scope="module")
def sample():
    return hawkeys.simulate(TRUTH, end_time=2000.0, rng=0)


@pytest.fixture(scope="module")
def fits(sample):
    return {
        "selves": hawkeys.fit(sample, decay=2.0, support=SELVES),
        "all": hawkeys.fit(sample, decay=2.0),
        "slow": hawkeys.fit(sample, decay=0.3),
        "inhibition": hawkeys.fit_rectified(sample, decay=2.0),
        "estimated": hawkeys.fit(sample, decay="estimate"),
    }


def test_criteria_by_hand(fits, sample):
    frame = hawkeys.compare(fits).to_frame().set_index("name")
    assert frame.columns.tolist() == [
        "method", "kernel", "n_parameters", "log_likelihood", "aic", "aicc", "bic", "delta",
        "weight", "converged",
    ]  # fmt: skip
    assert frame["n_parameters"].to_dict() == {
        "selves": 4, "all": 6, "slow": 6, "inhibition": 6, "estimated": 7,
    }  # fmt: skip
    n = sample.n_events
    for name, row in frame.iterrows():
        k, value = fits[name].n_parameters, fits[name].log_likelihood
        assert row["log_likelihood"] == value
        assert row["aic"] == pytest.approx(2 * k - 2 * value, rel=1e-14)
        assert row["aic"] == pytest.approx(fits[name].aic, rel=1e-14)
        assert row["bic"] == pytest.approx(fits[name].bic, rel=1e-14)
        assert row["aicc"] - row["aic"] == pytest.approx(2 * k * (k + 1) / (n - k - 1), rel=1e-8)
    assert frame["aic"].is_monotonic_increasing
    assert frame["delta"].iloc[0] == 0
    ratio = frame["weight"] / frame["weight"].iloc[0]
    np.testing.assert_allclose(ratio, np.exp(-frame["delta"] / 2))
    assert frame["weight"].sum() == pytest.approx(1.0)
    assert frame["converged"].all()


def test_criterion_decides_the_order(fits):
    by_bic = hawkeys.compare(fits, criterion="bic")
    assert by_bic.best == by_bic.to_frame().sort_values("bic")["name"].iloc[0]
    assert by_bic.delta[0] == 0
    assert (np.diff(by_bic.bic) >= 0).all()
    assert hawkeys.compare(fits, criterion="aicc").delta.min() == 0
    assert hawkeys.compare({"one": fits["all"]}).weight.tolist() == [1.0]


def test_few_events():
    """Without enough events AICc is infinite, and its weights say nothing."""
    events = hawkeys.Events.from_lists([[[1.0, 2.0]]], end_times=4.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = hawkeys.fit(events, decay=1.0)
    table = hawkeys.compare({"one": fit}, criterion="aicc")
    assert table.aicc[0] == math.inf
    assert np.isnan(table.delta[0])


def test_text_and_html(fits, sample):
    table = hawkeys.compare(fits)
    text = table.summary()
    assert text.startswith("Comparison of fits")
    assert all(name in text for name in fits)
    assert max(map(len, text.splitlines())) <= 120
    assert "upper bounds" not in text
    assert repr(table) == f"Comparison(n_fits=5, criterion='aic', best={table.best!r})"
    posterior = hawkeys.fit(sample, decay=2.0, method="map")
    weighted = hawkeys.fit(sample, decay=2.0, weights=[0.5])
    noted = hawkeys.compare({"posterior mode": posterior, "w": weighted, "all": fits["all"]})
    assert "w, posterior mode: not a maximum of the likelihood" in noted.summary()
    early = dataclasses.replace(fits["all"], converged=False)
    assert "did not converge" in hawkeys.compare({"early": early}).summary()
    html = hawkeys.compare({"<script>": fits["all"]})._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script>" not in html


def test_results_in_notebooks(fits, sample):
    for fit in (*fits.values(), hawkeys.fit(sample, decay=2.0, method="vi")):
        html = fit._repr_html_()
        assert html.startswith("<div><strong>Hawkes process")
        assert html.endswith("</div>")
        assert "&lt;a&gt;" in html
        assert "b&amp;c" in html
        assert "<a>" not in html
        assert f"{fit.log_likelihood:.6f}" in html
        assert html.count("<tr>") + html.count("<tr style") > len(fit.to_frame())


def test_long_tables_are_cut():
    events = hawkeys.simulate(
        hawkeys.Hawkes(np.full(7, 0.5), 0.05 * np.eye(7), decay=1.0), end_time=100.0, rng=0
    )
    html = hawkeys.fit(events, decay=1.0)._repr_html_()
    assert "16 more rows: see to_frame()." in html


def test_statistic_and_plain_law(sample):
    """Adjacency that may be negative is not bounded: the plain chi-square law."""
    small = hawkeys.fit_rectified(sample, decay=2.0, support=SELVES)
    large = hawkeys.fit_rectified(sample, decay=2.0)
    test = hawkeys.likelihood_ratio_test(small, large)
    x = 2 * (large.log_likelihood - small.log_likelihood)
    assert (test.n_added, test.n_bounded) == (2, 0)
    assert test.statistic == pytest.approx(x, rel=1e-14)
    assert test.pvalue == pytest.approx(chi2.sf(x, 2), rel=1e-10)
    assert test.pvalue_lower == test.pvalue == test.pvalue_chi_square
    assert test.caveats == ()


def test_bounded_parameters(fits):
    test = hawkeys.likelihood_ratio_test(fits["selves"], fits["all"])
    x = test.statistic
    assert (test.n_added, test.n_bounded) == (2, 2)
    assert test.pvalue == pytest.approx(0.5 * (chi2.sf(x, 1) + chi2.sf(x, 2)), rel=1e-10)
    assert test.pvalue_lower == pytest.approx(0.5 * chi2.sf(x, 1), rel=1e-10)
    assert test.pvalue_lower < test.pvalue < test.pvalue_chi_square
    one = hawkeys.likelihood_ratio_test(fits["selves"], fits["all"], n_bounded=1)
    assert one.pvalue == one.pvalue_lower == test.pvalue
    none = hawkeys.likelihood_ratio_test(fits["selves"], fits["all"], n_bounded=0)
    assert none.pvalue == none.pvalue_chi_square == test.pvalue_chi_square
    decay = hawkeys.likelihood_ratio_test(fits["all"], fits["estimated"])
    assert (decay.n_added, decay.n_bounded) == (1, 0)
    assert decay.pvalue > 0.01  # the truth is the smaller model


def test_size_with_one_bounded_parameter():
    """Under the smaller model the mixture rejects at its level, the plain law at half of it."""
    truth = hawkeys.Hawkes([1.0, 1.0], [[0.3, 0.0], [0.0, 0.3]], decay=1.0)
    pvalues, plain = [], []
    for seed in range(120):
        events = hawkeys.simulate(truth, end_time=150.0, rng=seed)
        small = hawkeys.fit(events, decay=1.0, support=SELVES)
        large = hawkeys.fit(events, decay=1.0, support=[[1, 1], [0, 1]])
        test = hawkeys.likelihood_ratio_test(small, large)
        pvalues.append(test.pvalue)
        plain.append(test.pvalue_chi_square)
    # binomial sd of a rate of 0.1: 0.027, of a half: 0.046
    assert 0.04 < np.mean(np.array(pvalues) < 0.1) < 0.16
    assert np.mean(np.array(plain) < 0.1) < np.mean(np.array(pvalues) < 0.1)
    assert 0.35 < np.mean(np.array(pvalues) > 0.99) < 0.65  # the mass at 0


def test_caveats_and_text(sample, fits):
    poisson = hawkeys.fit(sample, decay=2.0, support=np.zeros((2, 2)))
    test = hawkeys.likelihood_ratio_test(poisson, fits["estimated"])
    assert any("mean nothing under the smaller model" in line for line in test.caveats)
    assert "mean nothing" in test.summary()
    assert "<table" in test._repr_html_()
    assert test.to_frame().shape == (1, 6)
    early = dataclasses.replace(fits["all"], converged=False)
    test = hawkeys.likelihood_ratio_test(fits["selves"], early)
    assert any("did not converge" in line for line in test.caveats)
    edge = hawkeys.Hawkes(fits["selves"].baseline, [[0.3, 0.0], [0.0, 0.0]], decay=2.0,
                          mark_names=TRUTH.mark_names)  # fmt: skip
    bounded = dataclasses.replace(fits["selves"], process=edge)
    test = hawkeys.likelihood_ratio_test(bounded, fits["all"])
    assert test.caveats[0].startswith("1 estimates of the smaller fit are at a bound")


def test_equal_likelihoods(fits):
    """A gain that the tolerance cannot tell from none counts as none."""
    value = fits["selves"].log_likelihood + 1e-8
    equal = dataclasses.replace(fits["all"], log_likelihood=value)
    test = hawkeys.likelihood_ratio_test(fits["selves"], equal)
    assert (test.statistic, test.pvalue, test.pvalue_lower) == (0.0, 1.0, 1.0)


def test_different_data(sample, fits):
    other = hawkeys.fit(hawkeys.simulate(TRUTH, end_time=2000.0, rng=1), decay=2.0)
    with pytest.raises(InvalidParameterError, match=r"'all' and 'new' are fits to different data: "
                       r"\d+ and \d+ events"):  # fmt: skip
        hawkeys.compare({"all": fits["all"], "new": other})
    changes = {
        "events per mark": {"event_counts": fits["all"].event_counts[::-1]},
        "1 and 2 realisations": {"n_realizations": 2},
        "total times 2000 and 2001": {"total_time": 2001.0},
        "other histories, of 0 and 2 events": {
            "options": {**fits["all"].options, "history": {"times": [1.0, 2.0]}}
        },
        "marks": {"process": hawkeys.Hawkes([1.0, 1.0], np.zeros((2, 2)), decay=2.0)},
    }
    for message, change in changes.items():
        changed = dataclasses.replace(fits["all"], **change)
        with pytest.raises(InvalidParameterError, match=message):
            hawkeys.compare({"all": fits["all"], "new": changed})
        with pytest.raises(InvalidParameterError, match="'small' and 'large' are fits to diff"):
            hawkeys.likelihood_ratio_test(fits["selves"], changed)


def test_bad_comparisons(sample, fits):
    with pytest.raises(InvalidParameterError, match=r"at least one fit, .* got none"):
        hawkeys.compare({})
    with pytest.raises(InvalidParameterError, match="another; got a mapping and more"):
        hawkeys.compare(fits, fits["all"])
    with pytest.raises(InvalidParameterError, match="criterion must be one of 'aic', 'aicc'"):
        hawkeys.compare(fits, criterion="dic")
    variational = hawkeys.fit(sample, decay=2.0, method="vi")
    with pytest.raises(InvalidParameterError, match="'vi' is a VariationalResult"):
        hawkeys.compare({"vi": variational})
    with pytest.raises(InvalidParameterError, match="'a' is a int"):
        hawkeys.compare({"a": 3})


def test_not_nested(sample, fits):
    refuse = hawkeys.likelihood_ratio_test
    with pytest.raises(InvalidParameterError, match="'large' has 4 parameters, 'small' has 6"):
        refuse(fits["all"], fits["selves"])
    with pytest.raises(InvalidParameterError, match="or a fit stopped early: the log-likelihood"):
        refuse(fits["selves"], fits["slow"])
    crossed = hawkeys.fit(sample, decay=2.0, support=[[0, 1], [0, 0]])
    with pytest.raises(InvalidParameterError, match="1 parameters are in 'small' only"):
        refuse(crossed, fits["selves"])
    slow = hawkeys.fit(sample, decay=0.3, support=SELVES)
    with pytest.raises(InvalidParameterError, match=r"the kernel of 'small' is Exponential"):
        refuse(slow, fits["all"])
    estimated = hawkeys.fit(sample, decay="estimate", support=SELVES)
    with pytest.raises(InvalidParameterError, match="the kernel of 'small' is estimated"):
        refuse(dataclasses.replace(estimated, log_likelihood=-1e9), fits["all"])
    with pytest.raises(InvalidParameterError, match="one fit has inhibition"):
        refuse(fits["selves"], fits["inhibition"])
    mode = hawkeys.fit(sample, decay=2.0, method="map", support=SELVES)
    with pytest.raises(InvalidParameterError, match="'small' is no plain maximum"):
        refuse(mode, fits["all"])
    with pytest.raises(InvalidParameterError, match="n_bounded must be at most the number of add"):
        refuse(fits["selves"], fits["all"], n_bounded=3)
    with pytest.raises(InvalidParameterError, match="n_bounded must be at least 0"):
        refuse(fits["selves"], fits["all"], n_bounded=-1)
