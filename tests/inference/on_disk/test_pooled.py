"""A fit of events on disk is that of the same events in memory."""

import numpy as np
import pytest

import hawkeys
from hawkeys.exceptions import EventsWarning, IdentifiabilityWarning, InvalidParameterError

TRUTH = hawkeys.Hawkes([0.4, 0.2, 0.1], [[0.3, 0.1, 0], [0, 0.5, 0], [0.2, 0, 0.1]], decay=2.0)
EVENTS = hawkeys.simulate(TRUTH, end_time=40.0, n_realizations=120, rng=1)


def on_disk(tmp_path, events, n_partitions):
    most = -(-events.n_events // n_partitions)
    path = hawkeys.write_events(events, tmp_path / "events", events_per_partition=max(most, 1))
    return hawkeys.open_events(path)


def assert_same_fit(found, expected):
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-9)
    for name in ("baseline", "adjacency", "std_err", "information"):
        values, wanted = getattr(found, name), getattr(expected, name)
        scale = np.nanmax(np.abs(wanted))
        np.testing.assert_allclose(values, wanted, rtol=1e-9, atol=1e-9 * scale, err_msg=name)
    for name in ("identified", "at_bound", "event_counts"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    for name in ("converged", "method", "n_realizations", "n_events", "total_time"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name)), name
    assert found.aic == pytest.approx(expected.aic, rel=1e-9)
    assert 0.0 <= found.optimality_gap < 1e-6


TIGHT = {"tolerance": 1e-13}


@pytest.mark.parametrize("n_partitions", [1, 7, 100])
@pytest.mark.parametrize("memory", ["1GB", 0])
def test_the_fit_is_that_in_memory(tmp_path, n_partitions, memory):
    data = on_disk(tmp_path, EVENTS, n_partitions)
    assert data.n_partitions >= min(n_partitions, 60)
    found = hawkeys.fit(data, decay=2.0, memory=memory, **TIGHT)
    expected = hawkeys.fit(EVENTS, decay=2.0, **TIGHT)
    assert_same_fit(found, expected)
    assert found.optimality_gap < 1e-9
    assert found.kkt_residual == pytest.approx(expected.kkt_residual, rel=1e-3, abs=1e-9)


@pytest.mark.parametrize(
    "kernel",
    [
        hawkeys.kernels.Exponential([1.0, 2.0, 3.0]),
        hawkeys.kernels.Exponential(np.arange(1.0, 10.0).reshape(3, 3)),
        hawkeys.kernels.LogNormal(-1.0, 0.5),
    ],
    ids=["by source", "by pair", "log-normal"],
)
def test_every_kernel_with_given_parameters(tmp_path, kernel):
    few = EVENTS[:30]
    data = on_disk(tmp_path, few, 5)
    assert_same_fit(
        hawkeys.fit(data, kernel=kernel, **TIGHT), hawkeys.fit(few, kernel=kernel, **TIGHT)
    )


def test_uneven_and_empty_partitions(tmp_path):
    empty = hawkeys.Events.from_lists([[[], [], []]] * 3, end_times=40.0)
    parts = [EVENTS[:1], empty, EVENTS[1:100], empty, EVENTS[100:]]
    data = hawkeys.open_events(hawkeys.write_events(parts, tmp_path / "events"))
    assert [part.n_events for part in data][1] == 0
    found = hawkeys.fit(data, decay=2.0, **TIGHT)
    assert_same_fit(found, hawkeys.fit(hawkeys.Events.joined(parts), decay=2.0, **TIGHT))


def test_support_bounds_and_what_is_not_identified(tmp_path):
    support = np.array([[True, True, False], [False, True, False], [True, False, True]])
    data = on_disk(tmp_path, EVENTS, 7)
    found = hawkeys.fit(data, decay=2.0, support=support, **TIGHT)
    assert_same_fit(found, hawkeys.fit(EVENTS, decay=2.0, support=support, **TIGHT))
    np.testing.assert_array_equal(found.options["support"], support)
    silent = hawkeys.Events.from_lists(
        [[times[0], times[1], []] for times in EVENTS[:20].to_lists()], end_times=40.0
    )
    (tmp_path / "silent").mkdir()
    data = on_disk(tmp_path / "silent", silent, 4)
    with pytest.warns(IdentifiabilityWarning, match="parameters are not identified"):
        found = hawkeys.fit(data, decay=2.0, **TIGHT)
    with pytest.warns(IdentifiabilityWarning):
        expected = hawkeys.fit(silent, decay=2.0, **TIGHT)
    assert_same_fit(found, expected)
    assert not found.identified[:, 3].any()


def test_what_is_built_on_the_fit(tmp_path):
    found = hawkeys.fit(on_disk(tmp_path, EVENTS, 7), decay=2.0)
    found.save(tmp_path / "fit.json")
    assert hawkeys.load_result(tmp_path / "fit.json").aic == found.aic
    assert "120" in found.summary()
    assert found.process.log_likelihood(EVENTS) == pytest.approx(found.log_likelihood)


def test_the_clock_is_examined(tmp_path):
    late = hawkeys.Events.from_arrays(EVENTS[:1].times + 1e6, EVENTS[:1].marks, end_times=1e6 + 40,
                                      n_marks=3)  # fmt: skip
    with pytest.warns(EventsWarning, match="has no event before"):
        hawkeys.fit(on_disk(tmp_path, late, 1), decay=2.0)


def test_iterations_that_do_not_suffice(tmp_path):
    with pytest.warns(hawkeys.exceptions.ConvergenceWarning, match="raise max_iter"):
        found = hawkeys.fit(on_disk(tmp_path, EVENTS, 3), decay=2.0, max_iter=1)
    assert not found.converged


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"decay": "estimate"}, "Choose on a part first"),
        ({"decay": 2.0, "method": "vi"}, "fitted by method 'mle'"),
        ({"kernel": hawkeys.kernels.LogNormal()}, "whose parameters are given"),
        ({"kernel": hawkeys.kernels.SumExponential([1.0, 2.0])}, "one kernel whose parameters"),
        ({"decay": 2.0, "memory": "much"}, "memory must be a number of bytes"),
        ({"decay": 2.0, "memory": -1}, "memory must be a number of bytes"),
        ({"decay": 2.0, "weights": [1.0]}, "has no option 'weights'"),
        ({"decay": 2.0, "end_time": 3.0}, "has no option 'end_time'"),
        ({"decay": [1.0, 2.0]}, "decay has shape"),
        ({}, "decay is missing"),
    ],
)
def test_what_cannot_be_asked(tmp_path, asked, message):
    data = on_disk(tmp_path, EVENTS[:5], 2)
    with pytest.raises(InvalidParameterError, match=message):
        hawkeys.fit(data, **asked)


@pytest.mark.parametrize("text", ["2GB", "2 gb", "2000mb", "2e9"])
def test_amounts_of_memory(text):
    from hawkeys.inference.on_disk.pooled import _bytes_of

    if text == "2e9":
        with pytest.raises(InvalidParameterError, match="memory"):
            _bytes_of(text)
    else:
        assert _bytes_of(text) == 2 * 10**9
