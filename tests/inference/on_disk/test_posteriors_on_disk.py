"""Posteriors of events on disk are those in memory."""

import numpy as np
import pytest
from test_pooled import EVENTS, on_disk

import hawkeys
from hawkeys.exceptions import IdentifiabilityWarning

STEPS = hawkeys.baselines.PiecewiseConstant([0, 20, 40])
NAMES = ("estimates", "prior_coefficient", "posterior_covariance", "log_covariance", "trace")


def assert_same_posterior(found, expected):
    for name in NAMES:
        values, wanted = getattr(found, name), getattr(expected, name)
        scale = np.nanmax(np.abs(wanted)) if np.isfinite(wanted).any() else 0.0
        np.testing.assert_allclose(values, wanted, rtol=1e-9, atol=1e-9 * scale, err_msg=name)
    # the logarithm of what is off, 1e-8 say, is where the last step left it
    for values, wanted in (
        (np.exp(found.posterior.location), np.exp(expected.posterior.location)),
        (found.posterior.scale, expected.posterior.scale),
    ):
        np.testing.assert_allclose(values, wanted, rtol=1e-9, atol=1e-9 * np.nanmax(wanted))
    for name in ("log_likelihood", "objective"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-9)
    for name in ("identified", "event_counts"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert found.optimality_gap == pytest.approx(expected.optimality_gap, rel=1e-3, abs=1e-12)
    for name in ("converged", "method", "n_realizations", "n_events", "total_time", "n_iterations"):
        assert getattr(found, name) == getattr(expected, name), name
    assert found.options.keys() == expected.options.keys()
    if expected.inclusion_probability is None:
        assert found.inclusion_probability is None
    else:
        wanted = expected.inclusion_probability
        np.testing.assert_allclose(found.inclusion_probability, wanted, rtol=1e-7)


@pytest.mark.parametrize("n_partitions", [1, 7, 100])
@pytest.mark.parametrize("memory", ["1GB", 0])
def test_the_posterior_is_that_in_memory(tmp_path, n_partitions, memory):
    data = on_disk(tmp_path, EVENTS, n_partitions)
    found = hawkeys.fit(data, decay=2.0, method="vi", rng=3, memory=memory)
    assert_same_posterior(found, hawkeys.fit(EVENTS, decay=2.0, method="vi", rng=3))


def test_uneven_and_empty_partitions(tmp_path):
    empty = hawkeys.Events.from_lists([[[], [], []]] * 3, end_times=40.0)
    parts = [EVENTS[:1], empty, EVENTS[1:100], empty, EVENTS[100:]]
    data = hawkeys.open_events(hawkeys.write_events(parts, tmp_path / "events"))
    assert [part.n_events for part in data][1] == 0
    found = hawkeys.fit(data, decay=2.0, method="vi")
    expected = hawkeys.fit(hawkeys.Events.joined(parts), decay=2.0, method="vi")
    assert_same_posterior(found, expected)


@pytest.mark.parametrize("sharing", ["parameter", "row"])
def test_what_relevance_determination_switches_off(tmp_path, sharing):
    poisson = hawkeys.simulate(
        hawkeys.Hawkes([0.5, 0.2], np.zeros((2, 2)), decay=1.0), end_time=50.0, n_realizations=20,
        rng=3,
    )  # fmt: skip
    options = {"relevance_determination": True, "prior_sharing": sharing}
    data = on_disk(tmp_path, poisson, 4)
    found = hawkeys.fit(data, decay=2.0, method="vi", **options)
    assert_same_posterior(found, hawkeys.fit(poisson, decay=2.0, method="vi", **options))
    assert found.posterior.switched_off.any()


@pytest.mark.parametrize(
    "options",
    [
        {"prior_coefficient": 2.0},
        {"likelihood_weight": 3.0, "tolerance": 1e-11},
        {"relevance_determination": True, "prior_sharing": "row"},
        {"relevance_determination": True, "prior_sharing": "all"},
        {"support": np.eye(3, dtype=bool)},
        {"baseline": STEPS},
        {"tied": {"baseline": [0, 0, 1]}},
        {"kernel": hawkeys.kernels.SumExponential([1.0, 4.0])},
        {"kernel": hawkeys.kernels.LogNormal(-1.0, 0.5)},
        {"n_draws": 64},
    ],
    ids=lambda options: "-".join(map(str, options)),
)
def test_every_prior_and_model(tmp_path, options):
    few = EVENTS[:40]
    options = {"decay": 2.0} | options if "kernel" not in options else options
    found = hawkeys.fit(on_disk(tmp_path, few, 5), method="vi", rng=1, **options)
    expected = hawkeys.fit(few, method="vi", rng=1, **options)
    assert_same_posterior(found, expected)
    found.save(tmp_path / "fit.json")
    np.testing.assert_array_equal(hawkeys.load_result(tmp_path / "fit.json").trace, found.trace)


def test_a_mark_without_events(tmp_path):
    silent = hawkeys.Events.from_lists(
        [[times[0], times[1], []] for times in EVENTS[:20].to_lists()], end_times=40.0
    )
    data = on_disk(tmp_path, silent, 4)
    with pytest.warns(IdentifiabilityWarning, match="parameters are not identified"):
        found = hawkeys.fit(data, decay=2.0, method="vi")
    with pytest.warns(IdentifiabilityWarning):
        expected = hawkeys.fit(silent, decay=2.0, method="vi")
    assert_same_posterior(found, expected)


def test_a_posterior_that_does_not_converge_is_told(tmp_path):
    data = on_disk(tmp_path, EVENTS[:20], 2)
    with pytest.warns(hawkeys.exceptions.ConvergenceWarning, match="raise max_iter"):
        found = hawkeys.fit(data, decay=2.0, method="vi", max_iter=1)
    assert not found.converged
