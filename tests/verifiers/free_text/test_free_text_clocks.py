"""Free text read from a coarse clock: intervals of values in POHMM and in the point process."""

import numpy as np
import pytest
from scipy.stats import lognorm

from hawkeys.datasets import load_demo, simulate_keyed_text
from hawkeys.evaluation.studies.clock import coarsen
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import POHMM, FreeTextPOHMM, FreeTextProcess
from hawkeys.verifiers.free_text._clock import resolution_of_strokes
from hawkeys.verifiers.free_text.recordings import as_recordings

DEMO = load_demo(n_subjects=1)[:120]
COARSE = coarsen(DEMO, 0.016)


def recordings(data):
    """Samples of a fixed text as recordings of free text."""
    n, size = len(data), len(data.keys)
    start = 10.0 * np.arange(n)[:, None]
    return {
        "key": np.tile(data.keys, n),
        "press": (data.press + start).ravel(),
        "release": (data.release + start).ravel(),
        "recording": np.repeat(np.arange(n), size),
    }


def typed(rng, n, tick=0.0, jitter=0.0, n_keys=6, shorter=1.0):
    """Keystrokes at random keys, with log-normal intervals that depend on the keys."""
    key = rng.integers(n_keys, size=n)
    hold = np.exp(np.log(0.09) + 0.1 * key + rng.normal(0, 0.15, n))
    gap = np.exp(np.log(0.16) + 0.15 * np.roll(key, 1) - 0.1 * key + rng.normal(0, 0.2, n))
    press = np.cumsum(shorter * gap)
    release = press + shorter * hold
    if tick:
        press, release = (tick * np.floor(one / tick) for one in (press, release))
    if jitter:
        press, release = (one + rng.normal(0, jitter, n) for one in (press, release))
        press = np.maximum.accumulate(press)
        release = np.maximum(release, press)
    return {"key": key.astype(str), "press": press, "release": release}


def test_pohmm_is_that_of_a_fixed_text():
    """A fixed text is a free text in which every recording is the same."""
    fixed = POHMM(keys=DEMO.keys, clock=0.016).fit(COARSE.timings().to_numpy())
    free = FreeTextPOHMM(clock=0.016).fit(recordings(COARSE))
    assert free.n_iter_ == fixed.n_iter_ > 0
    assert free.log_likelihood_trace_ == pytest.approx(fixed.log_likelihood_trace_, rel=1e-9)
    scores = len(DEMO.keys) * free.score_recordings(recordings(COARSE))
    assert scores == pytest.approx(fixed.score_samples(COARSE.timings().to_numpy()), rel=1e-8)
    exact = FreeTextPOHMM(clock=0.0).fit(recordings(COARSE))
    assert abs(exact.log_likelihood_trace_[-1] - free.log_likelihood_trace_[-1]) > 0.1


def mean_density(lag, location, scale, width):
    low, high = max(lag - width / 2, 0.0), lag + width / 2
    cdf = lognorm(s=scale, scale=np.exp(location)).cdf
    return (cdf(high) - cdf(low)) / width


def mean_pause(wait, width):
    """The mean over the reading of a density that is uniform in ln t from 1 ms to 1,000 s."""
    low, high = max(wait - width / 2, 1e-3), min(wait + width / 2, 1e3)
    return np.log(high / low) / (np.log(1e6) * width)


def test_the_process_by_hand():
    width = 0.016
    strokes = typed(np.random.default_rng(1), 400, tick=width, n_keys=3, shorter=0.15)
    assert (np.diff(strokes["press"]) == 0).any()
    process = FreeTextProcess(clock=width).fit(strokes)
    surprise = process.surprise(strokes)
    press, release, key = strokes["press"], strokes["release"], strokes["key"]
    weights = process.weights_
    for k in range(1, 60):
        one, two = key[k - 1], key[k]
        lags = {"press-press": press[k] - press[k - 1], "release-press": press[k] - release[k - 1]}
        intensity = weights["press"]["pause"] * mean_pause(lags["press-press"], width)
        for edge, lag in lags.items():
            if lag >= 0:
                law = process.kernel(one, two, edge)
                intensity += weights["press"][edge] * mean_density(lag, *law, width)
        expected = sum(weights["press"].values()) - np.log(intensity)
        assert surprise[k, 0] == pytest.approx(expected, rel=1e-6)
        hold = release[k] - press[k]
        intensity = weights["release"]["pause"] * mean_pause(hold, width)
        law = process.kernel(two, two, "press-release")
        intensity += weights["release"]["press-release"] * mean_density(hold, *law, width)
        expected = sum(weights["release"].values()) - np.log(intensity)
        assert surprise[k, 1] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("tick", [0.008, 0.016, 0.033])
def test_the_objective_of_the_process_never_falls(tick):
    strokes = typed(np.random.default_rng(2), 1500, tick=tick)
    process = FreeTextProcess(tol=1e-7, max_iter=400, clock=tick).fit(strokes)
    trace = process.objective_trace_
    assert (np.diff(trace) > -1e-8 * np.abs(trace[1:])).all()


@pytest.mark.parametrize("kind", [FreeTextProcess, FreeTextPOHMM])
def test_a_fine_clock_is_as_good_as_exact_times(kind):
    strokes = typed(np.random.default_rng(3), 600)
    exact, fine = (kind(clock=clock).fit(strokes) for clock in (0.0, 1e-5))
    assert fine.score(strokes) == pytest.approx(exact.score(strokes), abs=1e-4)


def test_laws_behind_coarse_readings_are_found():
    """Holds of 45 ms read to 33 ms: mean and spread of the logarithm, which exact lags distort."""
    rng = np.random.default_rng(4)
    n, tick = 6000, 0.033
    press = np.cumsum(rng.uniform(0.15, 0.3, n))
    release = press + np.exp(rng.normal(np.log(0.045), 0.2, n))
    phase = rng.uniform(0, tick)
    read = [tick * np.floor((one + phase) / tick) for one in (press, release)]
    strokes = {"key": np.full(n, "a"), "press": read[0], "release": read[1]}
    found = FreeTextProcess(clock=tick).fit(strokes).kernel("a", "a", "press-release")
    plain = FreeTextProcess(clock=0.0).fit(strokes).kernel("a", "a", "press-release")
    assert found[0] == pytest.approx(np.log(0.045), abs=0.12)
    assert abs(found[1] - 0.2) < 0.5 * abs(plain[1] - 0.2)


@pytest.mark.parametrize("kind", [FreeTextProcess, FreeTextPOHMM])
@pytest.mark.parametrize(("tick", "jitter"), [(0.008, 0.0003), (0.016, 0.001), (0.033, 0.0015)])
def test_clocks_with_jitter_are_found(kind, tick, jitter):
    strokes = typed(np.random.default_rng(5), 2500, tick=tick, jitter=jitter)
    assert kind(max_iter=2000, clock=None).fit(strokes).clock_ == pytest.approx(tick, rel=0.03)


def test_which_clocks_are_coarse():
    people = simulate_keyed_text()
    fine = as_recordings(people[people.user == people.user[0]])
    assert resolution_of_strokes(fine, None) == 0.0
    assert resolution_of_strokes(fine, 0.02) == 0.02
    rng = np.random.default_rng(6)
    exact = as_recordings(typed(rng, 2000, tick=0.016))
    assert resolution_of_strokes(exact, None) == pytest.approx(0.016, rel=1e-3)
    assert resolution_of_strokes(exact, 0.0) == 0.0
    tied = typed(rng, 2000)
    tied["press"][7] = tied["press"][6]
    # one interval of zero: the clock cannot be finer than keyboards are asked
    assert resolution_of_strokes(as_recordings(tied), None) == 0.001


@pytest.mark.parametrize("kind", [FreeTextProcess, FreeTextPOHMM])
@pytest.mark.parametrize("clock", [-0.1, 15.6, "fine"])
def test_wrong_clocks(kind, clock):
    with pytest.raises(InvalidParameterError, match="clock"):
        kind(clock=clock).fit(typed(np.random.default_rng(0), 50))
