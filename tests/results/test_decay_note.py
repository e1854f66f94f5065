"""What a summary says of an estimated decay, and of excitation that is not identified."""

import numpy as np
import pytest
from scipy import optimize, stats

import hawkeys
from hawkeys.exceptions import IdentifiabilityWarning, InvalidParameterError

TRUTH = hawkeys.Hawkes([0.4], [[0.5]], decay=2.0)


@pytest.fixture(scope="module")
def events():
    return hawkeys.simulate(TRUTH, end_time=400.0, rng=0)


@pytest.fixture(scope="module")
def estimated(events):
    return hawkeys.fit(events, decay="estimate")


def test_the_interval_of_the_decay_is_shown_and_is_that_of_the_profile(events, estimated):
    best = estimated.log_likelihood
    drop = 0.5 * stats.chi2.ppf(0.9, 1)

    def above(decay):
        return hawkeys.fit(events, decay=decay).log_likelihood - best + drop

    decay = float(estimated.kernel.decay)
    lower, upper = optimize.brentq(above, 0.3, decay), optimize.brentq(above, decay, 30.0)
    found = estimated.kernel_interval(0.9)["decay"]
    np.testing.assert_allclose(found, (lower, upper), rtol=0.01)
    note = estimated.summary(level=0.9).splitlines()[-1]
    assert note == (
        f"Decay: estimated (1 of the 3 parameters), 90 % profile interval {found[0]:.4g} to "
        f"{found[1]:.4g}: decay_profile.interval()."
    )
    assert f"Exponential(decay={decay:.4g})" in estimated.summary()
    assert f"decay={decay:.4g})" in estimated._repr_html_()


def test_a_given_decay_has_no_interval(events):
    given = hawkeys.fit(events, decay=1.23456789)
    assert given.kernel_interval() == {}
    assert "Decay:" not in given.summary()
    assert "Exponential(decay=1.23456789)" in given.summary()


def test_decays_without_an_interval_say_so():
    truth = hawkeys.Hawkes([0.4, 0.3], [[0.3, 0.1], [0.1, 0.4]], decay=2.0)
    events = hawkeys.simulate(truth, end_time=300.0, n_realizations=2, rng=0)
    several = hawkeys.fit(events, decay="estimate", decay_sharing="source")
    assert "Decay: estimated (2 of the 8 parameters); only one shared" in several.summary()
    assert several.kernel_interval() == {}
    folds = {"decay_selection": "cross-validation", "n_folds": 2}
    chosen = hawkeys.fit(events, decay_grid=[1.0, 2.0, 4.0], **folds)
    assert "by cross-validation, which gives no interval." in chosen.summary()
    assert chosen.kernel_interval() == {}


def test_excitation_that_is_not_identified_is_told_where_it_is_shown():
    times = np.sort(np.random.default_rng(1).uniform(0.0, 300.0, 100))
    with pytest.warns(IdentifiabilityWarning, match="no decay fits clearly better"):
        result = hawkeys.fit(times, decay="estimate", end_time=300.0)
    lines = result.summary().splitlines()
    assert f"Spectral radius:   {result.spectral_radius:.4g} (not identified)" in lines[3]
    assert lines[-1].startswith("Without excitation the baseline is events by time, 0: 0.3333;")
    assert result.kernel_interval() == {}
    alone = hawkeys.fit(times, decay=1.0, support=[[False]], end_time=300.0)
    assert alone.baseline[0] == pytest.approx(100 / 300, rel=1e-6)
    assert "not identified" not in alone.summary()


@pytest.mark.parametrize("level", [0.05, 0.49])
def test_a_level_that_is_meant_as_alpha_is_refused(level, events, estimated):
    asked = [
        estimated.conf_int,
        estimated.interval,
        estimated.kernel_interval,
        estimated.decay_profile.interval,
        lambda level: estimated.to_frame(level=level),
        lambda level: estimated.summary(level=level),
        lambda level: hawkeys.inference.profile_interval(estimated, events, level=level),
    ]
    for ask in asked:
        with pytest.raises(InvalidParameterError, match=rf"alpha\), write level={1 - level:g}\."):
            ask(level)


def test_the_lowest_level_is_half(estimated):
    lower, upper = estimated.conf_int(0.5)
    reach = stats.norm.ppf(0.75) * estimated.std_err
    np.testing.assert_allclose(upper - lower, 2.0 * reach)
