"""Bootstrap of likelihood fits."""

import dataclasses
import pickle

import numpy as np
import pytest
from joblib import parallel_config

import hawkeys
from hawkeys.exceptions import (
    ConvergenceWarning,
    InvalidEventsError,
    InvalidParameterError,
    UnstableProcessError,
)
from hawkeys.inference import bootstrap
from hawkeys.inference.post_estimation.bootstrap import _Plan
from hawkeys.inference.post_estimation.refits import fit_again

DECAY = 2.0
TRUTH = hawkeys.Hawkes([0.4, 0.3], [[0.3, 0.2], [0.2, 0.3]], decay=DECAY)
KINDS = ("parametric", "realizations")


@pytest.fixture(scope="module")
def events():
    return hawkeys.simulate(TRUTH, end_time=15.0, n_realizations=100, rng=0)


@pytest.fixture(scope="module")
def result(events):
    return hawkeys.fit(events, decay=DECAY)


@pytest.mark.parametrize("kind", KINDS)
def test_standard_errors_agree_with_the_information(result, events, kind):
    found = bootstrap(result, events, kind=kind, n_replicates=200)
    # 200 replicates give a standard error to 5 %, 100 realisations to 7 %
    assert np.allclose(found.std_err, result.std_err, rtol=0.25)
    assert np.abs(found.bias / result.std_err).max() < 0.4
    assert found.n_failed == 0
    assert found.reasons == ()
    assert (found.n_identified == 200).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_gives_it_again_whatever_the_number_of_processes(result, events, kind):
    first = bootstrap(result, events, kind=kind, n_replicates=5, rng=3)
    again = bootstrap(result, events, kind=kind, n_replicates=5, rng=3)
    other = bootstrap(result, events, kind=kind, n_replicates=5, rng=4)
    assert np.array_equal(first.replicates, again.replicates)
    assert not np.array_equal(first.replicates, other.replicates)
    assert (first.seed, other.seed) == (3, 4)
    generator = np.random.default_rng(3)
    assert bootstrap(result, events, n_replicates=2, rng=generator).seed is None


def test_several_processes_give_the_same(result, events):
    one = bootstrap(result, events, n_replicates=9, rng=3)
    with parallel_config(backend="sequential"):  # cut into the same parts, without the processes
        parts = bootstrap(result, events, n_replicates=9, rng=3, n_jobs=2)
    assert np.array_equal(one.replicates, parts.replicates)
    plan = pickle.loads(pickle.dumps(_Plan(result, events, "parametric")))
    again = plan.replicate(np.random.default_rng(3).spawn(1)[0])
    assert np.array_equal(again, one.replicates[0])


def test_intervals_are_quantiles_of_the_replicates(result, events):
    found = bootstrap(result, events, n_replicates=99)
    lower, upper = found.interval(0.9)
    assert np.array_equal(lower, np.quantile(found.replicates, 0.5 - 0.45, axis=0))
    assert np.allclose(upper, np.quantile(found.replicates, 0.95, axis=0), rtol=1e-12)
    basic = found.interval(0.9, kind="basic")
    assert np.allclose(basic[0], np.maximum(2.0 * result.estimates - upper, 0.0), rtol=1e-12)
    assert np.allclose(basic[1], 2.0 * result.estimates - lower, rtol=1e-12)
    frame = found.to_frame(level=0.9)
    assert list(frame)[3:] == ["estimate", "bias", "std_err", "lower", "upper", "n_identified"]
    assert np.array_equal(frame["lower"][:2], lower[:, 0])
    assert repr(found) == "BootstrapResult(kind='parametric', n_fitted=99, n_failed=0)"


def test_realisations_are_drawn_with_their_weights(events):
    weights = np.zeros(100)
    weights[:50] = 2.0
    result = hawkeys.fit(events, decay=DECAY, weights=weights)
    found = bootstrap(result, events, kind="realizations", n_replicates=3, rng=1)
    for k, generator in enumerate(np.random.default_rng(1).spawn(3)):
        picked = generator.integers(100, size=100)
        again = hawkeys.fit(events[picked], decay=DECAY, weights=weights[picked])
        assert np.array_equal(found.replicates[k], again.estimates)


def test_the_support_is_kept(events):
    support = [[True, False], [True, True]]
    result = hawkeys.fit(events, decay=DECAY, support=support)
    found = bootstrap(result, events, n_replicates=5)
    assert np.isnan(found.replicates[:, 0, 2]).all()
    assert np.isnan(found.std_err[0, 2])
    assert np.isnan(found.interval()[0][0, 2])
    assert np.isfinite(np.delete(found.std_err.ravel(), 2)).all()


def test_an_estimated_decay_is_estimated_again(events):
    few = events[:30]
    known = hawkeys.fit(few, decay=DECAY)
    found = hawkeys.fit(few, decay="estimate")
    assert fit_again(found)(few).kernel.decay == pytest.approx(found.kernel.decay)
    spread = bootstrap(found, few, n_replicates=8)
    held = bootstrap(known, few, n_replicates=8)
    assert spread.replicates.shape == held.replicates.shape
    assert not np.array_equal(spread.replicates, held.replicates)


def test_richer_models_are_fitted_again(events):
    baseline = hawkeys.baselines.PiecewiseConstant([0.0, 5.0, 15.0])
    result = hawkeys.fit(
        events, decay=DECAY, baseline=baseline, tied={"adjacency": [[0, 1], [1, 0]]}
    )
    found = bootstrap(result, events, n_replicates=40)
    assert found.replicates.shape == (40, 2, 4)
    assert np.array_equal(found.replicates[:, 0, 2], found.replicates[:, 1, 3])
    assert np.allclose(found.std_err, result.std_err, rtol=0.5)
    frame, fitted = found.to_frame(), result.to_frame()
    assert frame["source"].tolist() == fitted["source"].tolist()
    assert frame["estimate"].tolist() == fitted["estimate"].tolist()


def test_a_mark_without_events_in_a_replicate_is_left_out_there():
    process = hawkeys.Hawkes([1.0, 0.05], [[0.2, 0.2], [0.0, 0.0]], decay=DECAY)
    events = hawkeys.simulate(process, end_time=40.0, rng=1)
    result = hawkeys.fit(events, decay=DECAY)
    found = bootstrap(result, events, n_replicates=40)
    silent = np.isnan(found.replicates[:, 0, 2])
    assert 0 < silent.sum() < 40
    assert found.n_identified[0, 2] == 40 - silent.sum()
    kept = found.replicates[~silent, 0, 2]
    assert found.std_err[0, 2] == pytest.approx(kept.std(ddof=1))
    assert found.interval()[1][0, 2] == pytest.approx(np.quantile(kept, 0.975))


class TestFailures:
    def test_a_few_are_counted_and_told(self, result, events, monkeypatch):
        self.let_fail(monkeypatch, every=5)
        with pytest.warns(ConvergenceWarning, match=r"2 of 10 re-fits failed.*did not converge"):
            found = bootstrap(result, events, n_replicates=10)
        assert found.n_failed == 2
        assert len(found.replicates) == 8
        assert found.reasons == ("the re-fit did not converge",)

    def test_most_are_an_error(self, result, events, monkeypatch):
        self.let_fail(monkeypatch, every=1)
        with pytest.raises(InvalidParameterError, match=r"10 of 10 re-fits failed.*raise max_iter"):
            bootstrap(result, events, n_replicates=10)

    def test_a_fit_that_did_not_converge(self, events):
        with pytest.warns(ConvergenceWarning):
            early = hawkeys.fit(events, decay=DECAY, max_iter=1)
        with pytest.raises(InvalidParameterError, match=r"needs a fit that converged"):
            bootstrap(early, events)

    def test_a_refit_that_raises_counts(self, events):
        weights = np.zeros(100)
        weights[0] = 1.0
        only = hawkeys.fit(events, decay=DECAY, weights=weights)
        with pytest.warns(ConvergenceWarning, match="weights are all 0"):
            found = bootstrap(only, events, kind="realizations", n_replicates=20, rng=1)
        assert 0 < found.n_failed <= 10

    @staticmethod
    def let_fail(monkeypatch, every):
        calls = []

        def failing(result):
            again = fit_again(result)

            def refit(events, **changed):
                calls.append(1)
                found = again(events, **changed)
                return dataclasses.replace(found, converged=len(calls) % every != 0)

            return refit

        monkeypatch.setattr("hawkeys.inference.post_estimation.bootstrap.fit_again", failing)


class TestRefused:
    def test_one_realisation(self, events):
        one = events[:1]
        fit = hawkeys.fit(one, decay=DECAY)
        with pytest.raises(InvalidParameterError, match="with replacement, and there is only one"):
            bootstrap(fit, one, kind="realizations")

    def test_wrong_arguments(self, result, events):
        cases = [
            ({"kind": "jackknife"}, "kind must be one of 'parametric', 'realizations'"),
            ({"n_replicates": 1}, "n_replicates must be at least 2"),
            ({"n_replicates": 2.5}, "n_replicates must be a whole number"),
            ({"n_jobs": 0}, "n_jobs must be a whole number other than 0"),
            ({"rng": "x"}, "rng must be a non-negative int"),
        ]
        for arguments, told in cases:
            with pytest.raises(InvalidParameterError, match=told):
                bootstrap(result, events, **arguments)
        with pytest.raises(InvalidParameterError, match="kind must be one of 'percentile'"):
            bootstrap(result, events, n_replicates=2).interval(kind="studentized")

    def test_other_results_and_events(self, result, events):
        with pytest.raises(InvalidParameterError, match="got 'EachResult'"):
            bootstrap(hawkeys.fit_each(events, decay=DECAY), events)
        with pytest.raises(InvalidParameterError, match="fitted to other events"):
            bootstrap(result, events[:50])
        with pytest.raises(InvalidEventsError, match="1 marks, the process has 2"):
            bootstrap(result, hawkeys.Events.from_lists([[[1.0]]], end_times=3.0))

    def test_an_explosive_fit(self):
        times = np.log1p(np.arange(400)) * 10.0  # ever more per unit of time
        events = hawkeys.Events.from_lists([[times]], end_times=60.0)
        fit = hawkeys.fit(events, decay=1.0)
        wild = dataclasses.replace(
            fit, process=hawkeys.Hawkes(fit.baseline, fit.adjacency * 0 + 9.0, decay=1.0)
        )
        wild = dataclasses.replace(wild, log_likelihood=wild.process.log_likelihood(events))
        with pytest.raises(UnstableProcessError, match=r"cannot be simulated.*profile_interval"):
            bootstrap(wild, events)
