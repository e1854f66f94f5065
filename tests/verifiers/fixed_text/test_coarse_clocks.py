"""Readings of a coarse clock: intervals of values in POHMM and the Hawkes likelihood."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import lognorm, norm

from hawkeys.datasets import Keystrokes, load_demo
from hawkeys.evaluation import equal_error_rate
from hawkeys.evaluation.studies.clock import coarsen
from hawkeys.exceptions import InvalidParameterError, InvalidTimingsError
from hawkeys.verifiers import (
    POHMM,
    HawkesLikelihood,
    NeighborsAndHawkes,
    RecencyNearestNeighbors,
    RobustMahalanobis,
)
from hawkeys.verifiers.fixed_text import _coarse_hawkes as coarse
from hawkeys.verifiers.fixed_text import _hawkes_em as em
from hawkeys.verifiers.fixed_text._censored import bounds, log_mass, moments

DEMO = load_demo(n_subjects=2)
COARSE = coarsen(DEMO, 0.016).timings().to_numpy()
# typed so fast that presses share a tick
FAST = Keystrokes.from_timings(DEMO.timings().to_numpy() * 0.3, subject=DEMO.subject)
TIED = coarsen(FAST, 0.016).timings().to_numpy()


@pytest.mark.parametrize("location", [-3.0, 0.0, 0.7, 12.0, -30.0])
@pytest.mark.parametrize("ends", [(-np.inf, 0.1), (-0.3, 0.5), (1.0, 1.01)])
def test_mass_and_moments_of_a_cut_normal(location, ends):
    low, high = ends
    scale = 0.8
    a, b = (low - location) / scale, (high - location) / scale
    # by quadrature of the density over its largest value in the interval
    peak = min(max(0.0, a), b)

    def density(z):
        return np.exp(-0.5 * (z**2 - peak**2))

    start = max(a, peak - 40.0)
    steep = [max(start, b - 1 / max(1, abs(b)))]

    def integral(k):
        return quad(lambda z: z**k * density(z), start, b, points=steep)[0]

    total, first, second = (integral(k) for k in range(3))
    mean = first / total
    got = log_mass(*np.array([[low], [high], [location], [scale]]))
    expected = np.log(total) - 0.5 * peak**2 - 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-12)
    center, spread = moments(*np.array([[low], [high], [location], [scale]]))
    np.testing.assert_allclose(center, location + scale * mean, rtol=1e-7)
    np.testing.assert_allclose(spread, scale**2 * (second / total - mean**2), rtol=1e-3, atol=1e-9)


def naive_log_density(x, location, scale, width):
    """Return ln of the mass of (x - width / 2, x + width / 2), cut at 0, over width."""
    low, high = max(x - width / 2, 0.0), x + width / 2
    cdf = lognorm(s=scale, scale=np.exp(location)).cdf
    return np.log(max(cdf(high) - cdf(low), 1e-300) / width)


def test_pohmm_scores_intervals():
    """Against a forward pass over all paths of states of a short text."""
    X = TIED[:60, :7]
    verifier = POHMM(clock=0.016, n_states=2).fit(X)
    press, hold = X[:, 1::3], X[:, 0::3]
    tau = 1000 * np.column_stack([np.median(press, axis=1), press])
    for row in (0, 1, 17):
        total = 0.0
        for states in np.ndindex(2, 2, 2):
            chance = verifier.start_[1, states[0]]
            for t, z in enumerate(states):
                if t > 0:
                    chance *= verifier.transition_[t, t + 1, states[t - 1], z]
                for f, x in enumerate((tau[row, t], 1000 * hold[row, t])):
                    args = verifier.location_[t + 1, f, z], verifier.scale_[t + 1, f, z]
                    chance *= max(1e-5, np.exp(naive_log_density(x, *args, 16.0)))
            total += chance
        assert verifier.score_samples(X[row : row + 1])[0] == pytest.approx(np.log(total), rel=1e-8)


def test_pohmm_with_one_state_finds_the_maximum_for_intervals():
    """One state, no smoothing: a censored sample of a log-normal, one per key and feature."""
    X = TIED[:200, :4]
    verifier = POHMM(n_states=1, smoothing="none", clock=0.016, tol=1e-9, max_iter=3000).fit(X)
    gains = np.diff(verifier.log_likelihood_trace_)
    assert (gains > -1e-8).all()
    hold = 1000 * X[:, 0]

    def loss(location, scale):
        return -sum(naive_log_density(x, location, scale, 16.0) for x in hold)

    found = verifier.location_[1, 1, 0], verifier.scale_[1, 1, 0]
    best = loss(*found)
    for step in (-0.01, 0.01):
        assert loss(found[0] + step, found[1]) > best
        assert loss(found[0], found[1] + step) > best


def test_an_interval_of_zero_does_not_stop_pohmm():
    assert (TIED[:200, 1::3] == 0).any()
    verifier = POHMM().fit(TIED[:200])
    assert verifier.clock_ == pytest.approx(0.016, rel=0.02)
    assert np.isfinite(verifier.score_samples(TIED)).all()
    with pytest.raises(InvalidTimingsError, match=r"no logarithm if timings are exact \(clock=0\)"):
        POHMM(clock=0.0).fit(TIED[:200])
    fine = DEMO.timings().to_numpy()[:100].copy()
    fine[3, 1], fine[3, 2] = 0.0, -fine[3, 0]
    assert POHMM().fit(fine).clock_ == 0.001


class TickOf(HawkesLikelihood):
    """The Hawkes likelihood with a resolution that is given."""

    def __init__(self, *, clock=0.0, false_alarm=0.05):
        super().__init__(false_alarm=false_alarm)
        self.clock = clock

    def _lags(self, samples):
        self.clock_ = self.clock
        return super()._lags(samples)


def test_fine_timings_are_exact_and_ticks_hardly_matter():
    X = DEMO.timings().to_numpy()
    assert HawkesLikelihood().fit(X[:200]).clock_ == 0.0
    for kind in (POHMM, TickOf):
        exact = kind().fit(X[:200])
        assert exact.clock_ == 0.0
        near = kind(clock=1e-5).fit(X[:200])
        np.testing.assert_allclose(
            near.score_samples(X[200:260]), exact.score_samples(X[200:260]), atol=0.02
        )


@pytest.mark.parametrize("kind", [POHMM, HawkesLikelihood])
def test_coarse_readings_still_tell_typists_apart(kind):
    own, other = (COARSE[DEMO.subject == name] for name in DEMO.subjects)
    verifier = kind().fit(own[:100])
    assert verifier.clock_ == pytest.approx(0.016, rel=0.02)
    rate = equal_error_rate(verifier.score_samples(own[100:]), verifier.score_samples(other))
    assert rate < 0.15


def test_hawkes_likelihood_of_readings_by_quadrature():
    """The intensity at an event is its mean over the lags that a reading stands for."""
    X = TIED[:40, :7]
    verifier = TickOf(clock=0.016).fit(X)
    assert (np.diff(verifier.objective_trace_) > -1e-9).all()
    press = np.cumsum(np.column_stack([np.zeros(40), X[:, 1::3]]), axis=1)
    times = np.stack([press, press + X[:, 0::3]], axis=2).reshape(40, 6)
    found = verifier.adjacency_, verifier.location_, verifier.scale_
    for row in (0, 5, 11):
        end, total = times[row].max(), 0.0
        for m in range(6):
            rate, mass = verifier.baseline_[m], verifier.baseline_[m] * end
            for (target, source), w, loc, scale in zip(verifier.edges_, *found, strict=True):
                if target != m:
                    continue
                density = lognorm(s=scale, scale=np.exp(loc))
                lag = round(times[row, m] - times[row, source], 9)
                if lag >= 0:
                    low, high = max(lag - 0.008, 0.0), lag + 0.008
                    rate += (
                        w * quad(density.pdf, low, high, points=[np.exp(loc)], limit=200)[0] / 0.016
                    )
                mass += w * density.cdf(end - times[row, source])
            total += np.log(rate) - mass
        assert verifier.score_samples(X[row : row + 1])[0] == pytest.approx(total, abs=1e-5)


def expected_power(k, location, scale, low, high):
    """Return the integral of (y - location)^k times a normal density."""
    return quad(lambda y: (y - location) ** k * norm.pdf(y, location, scale), low, high)[0]


def test_expected_children_of_readings_equal_a_loop():
    X = TIED[:5, :7]
    edges = em.make_edges(3, 2, "rollover")
    data = em.Lags.of(X, edges, 0.016).read()
    rng = np.random.default_rng(0)
    n_edges = len(edges)
    values = np.column_stack([rng.uniform(0.1, 1, n_edges), rng.normal(-2.5, 0.3, n_edges),
                              rng.uniform(0.1, 0.6, n_edges)])  # fmt: skip
    baseline, weights = rng.uniform(0.01, 0.1, 6), rng.uniform(0.5, 1.5, 5)
    sums, arrivals = np.zeros((n_edges, 3)), np.zeros(6)
    coarse.expected_children(data, weights, baseline, values, sums, arrivals)
    expected, from_baseline = np.zeros((n_edges, 3)), np.zeros(6)
    for i in range(5):
        parts = np.zeros(n_edges)
        for e, (w, loc, scale) in enumerate(values):
            if data.earlier[e, i]:
                low, high = (float(v) for v in bounds(data.lags[e, i], 0.016))
                parts[e] = w * (norm.cdf(high, loc, scale) - norm.cdf(low, loc, scale)) / 0.016
        for m in range(6):
            into = edges[:, 0] == m
            rate = baseline[m] + parts[into].sum()
            from_baseline[m] += weights[i] * baseline[m] / rate
            for e in np.flatnonzero(into):
                w, loc, scale = values[e]
                cuts = []
                if parts[e] > 0:
                    low, high = (float(v) for v in bounds(data.lags[e, i], 0.016))
                    cuts.append((weights[i] * parts[e] / rate, max(low, loc - 12 * scale), high))
                rest = data.rests[e, i]
                tail = weights[i] * w * norm.sf(rest, loc, scale)
                cuts.append((tail, max(rest, loc - 12 * scale), max(rest, loc) + 12 * scale))
                for share, low, high in cuts:
                    norming = norm.cdf(high, loc, scale) - norm.cdf(low, loc, scale)
                    if norming <= 0:
                        continue
                    expected[e, 0] += share
                    for k in (1, 2):
                        moment = expected_power(k, loc, scale, low, high)
                        expected[e, k] += share * moment / norming
    np.testing.assert_allclose(arrivals, from_baseline, rtol=1e-10)
    np.testing.assert_allclose(sums, expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("kind", [RecencyNearestNeighbors, RobustMahalanobis])
def test_scales_are_at_least_a_tick_of_the_clock_found(kind):
    verifier = kind().fit(COARSE[:100])
    assert verifier.clock_ == pytest.approx(0.016, rel=0.02)
    assert kind().fit(DEMO.timings().to_numpy()[:100]).clock_ == 0.001
    assert kind(clock=0.002).fit(COARSE[:100]).clock_ == 0.002


@pytest.mark.parametrize("kind", [POHMM, RobustMahalanobis, RecencyNearestNeighbors])
def test_bad_resolutions(kind):
    with pytest.raises(InvalidParameterError, match="clock must be"):
        kind(clock=-0.1).fit(COARSE[:20])


def test_the_clock_of_the_hawkes_likelihood_can_be_given():
    tests = TIED[100:120]
    found = HawkesLikelihood().fit(TIED[:100])
    given = HawkesLikelihood(clock=found.clock_).fit(TIED[:100])
    assert found.clock_ == pytest.approx(0.016, rel=1e-3)
    assert given.score_samples(tests).tolist() == found.score_samples(tests).tolist()
    exact = HawkesLikelihood(clock=0.0).fit(TIED[:100])
    assert exact.clock_ == 0.0
    assert exact.score_samples(tests).tolist() != given.score_samples(tests).tolist()
    X = DEMO.timings().to_numpy()
    assert HawkesLikelihood().fit(X[:100]).clock_ == 0.0
    assert HawkesLikelihood(clock=0.016).fit(X[:100]).clock_ == 0.016


@pytest.mark.parametrize("clock", [-0.001, 16.0, np.nan, "fine"])
@pytest.mark.parametrize("kind", [HawkesLikelihood, NeighborsAndHawkes])
def test_wrong_clocks_are_refused(kind, clock):
    with pytest.raises(InvalidParameterError, match="clock"):
        kind(clock=clock).fit(TIED[:30])


def test_the_clock_of_the_sum_is_that_of_both_parts():
    fitted = NeighborsAndHawkes(clock=0.016, strength=0.0).fit(DEMO.timings().to_numpy()[:60])
    neighbors, process = fitted.verifier_.verifier_.verifiers_
    assert (neighbors.clock_, process.clock_) == (0.016, 0.016)
    exact = NeighborsAndHawkes(clock=0.0, strength=0.0).fit(TIED[:60])
    assert exact.verifier_.verifier_.verifiers_[1].clock_ == 0.0
