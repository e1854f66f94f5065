"""Decays estimated over partitions are those estimated in memory, with all that is told of them."""

import numpy as np
import pytest
from test_pooled import EVENTS, TIGHT, TRUTH, assert_same_fit, on_disk

import hawkeys
from hawkeys.exceptions import IdentifiabilityWarning
from hawkeys.inference.decay.peak import first_part
from hawkeys.inference.decay.problem import decay_bounds
from hawkeys.inference.methods import choose_method
from hawkeys.inference.on_disk import decay
from hawkeys.inference.on_disk.decay import PartitionedDecays
from hawkeys.inference.on_disk.task import Memory, PartitionedTask

MANY = hawkeys.simulate(TRUTH, end_time=40.0, n_realizations=1_200, rng=2)
STEPS = hawkeys.baselines.PiecewiseConstant([0, 20, 40])


def assert_same_profile(found, expected, rtol=1e-9):
    assert found.chosen == pytest.approx(expected.chosen, rel=rtol)
    if expected.bounds is None:
        assert found.bounds is None
    else:
        assert found.bounds == pytest.approx(expected.bounds, rel=1e-12)
    assert (found.limit, found.selection) == (expected.limit, expected.selection)
    # where the points beside the maximum lie follows from differences of values that agree to
    # some 1e-10 nats; what the profile is there, and the interval, does not
    np.testing.assert_allclose(found.decays, expected.decays, rtol=1e-5)
    np.testing.assert_allclose(found.objective, expected.objective, rtol=1e-8)
    if np.ndim(found.chosen) == 0 and expected.limit is None and expected.bounds is not None:
        assert found.interval() == pytest.approx(expected.interval(), rel=1e-7)


def assert_same_search(data, events, **options):
    found = hawkeys.fit(data, **options, **TIGHT)
    expected = hawkeys.fit(events, **options, **TIGHT)
    assert_same_fit(found, expected)
    assert_same_profile(found.decay_profile, expected.decay_profile)
    assert found.n_parameters == expected.n_parameters
    assert found.options.keys() == expected.options.keys()
    return found


@pytest.mark.parametrize("n_partitions", [1, 7, 100])
def test_the_decay_is_that_in_memory(tmp_path, n_partitions):
    data = on_disk(tmp_path, EVENTS, n_partitions)
    found = assert_same_search(data, EVENTS, decay="estimate")
    assert 1.0 < found.process.kernel.decay < 4.0
    assert found.decay_profile.decays.size > 15  # few data: a grid


@pytest.mark.parametrize("memory", ["1GB", 0])
def test_long_data_go_the_short_way_too(tmp_path, memory):
    data = on_disk(tmp_path, MANY, 7)
    found = hawkeys.fit(data, decay="estimate", memory=memory, **TIGHT)
    expected = hawkeys.fit(MANY, decay="estimate", **TIGHT)
    assert found.decay_profile.decays.size < 15
    assert_same_fit(found, expected)
    assert_same_profile(found.decay_profile, expected.decay_profile)


def test_uneven_and_empty_partitions(tmp_path):
    empty = hawkeys.Events.from_lists([[[], [], []]] * 3, end_times=40.0)
    parts = [EVENTS[:1], empty, EVENTS[1:100], empty, EVENTS[100:]]
    data = hawkeys.open_events(hawkeys.write_events(parts, tmp_path / "events"))
    assert_same_search(data, hawkeys.Events.joined(parts), decay="estimate")


@pytest.mark.parametrize(
    "options",
    [
        {"decay": "estimate", "decay_sharing": "source"},
        {"decay_grid": [1.0, 2.0, 3.0]},
        {"decay_grid": [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]]},
        {"decay": "estimate", "support": np.eye(3, dtype=bool)},
        {"decay": "estimate", "baseline": STEPS},
        {"decay": "estimate", "tied": {"baseline": [0, 0, 1]}},
        {"decay": "estimate", "method": "map"},
    ],
    ids=["source", "grid", "grid by source", "support", "baseline", "tied", "map"],
)
def test_every_search(tmp_path, options):
    few = EVENTS[:40]
    assert_same_search(on_disk(tmp_path, few, 3), few, **options)


def test_a_decay_for_each_pair(tmp_path):
    """A quasi-Newton method ends where it may: at the same maximum, its place to some digits."""
    few, options = EVENTS[:40], {"decay": "estimate", "decay_sharing": "pair"}
    found = hawkeys.fit(on_disk(tmp_path, few, 3), **options, **TIGHT)
    expected = hawkeys.fit(few, **options, **TIGHT)
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-11)
    np.testing.assert_allclose(found.adjacency, expected.adjacency, atol=1e-4)
    np.testing.assert_array_equal(found.identified, expected.identified)


def test_without_excitation_the_limit_is_told(tmp_path):
    poisson = hawkeys.simulate(
        hawkeys.Hawkes([0.5, 0.2], np.zeros((2, 2)), decay=1.0), end_time=50.0, n_realizations=20,
        rng=3,
    )  # fmt: skip
    with pytest.warns(IdentifiabilityWarning) as told:
        found = hawkeys.fit(on_disk(tmp_path, poisson, 4), decay="estimate")
    with pytest.warns(IdentifiabilityWarning) as expected_told:
        expected = hawkeys.fit(poisson, decay="estimate")
    assert {str(w.message) for w in told} == {str(w.message) for w in expected_told}
    assert {w.filename for w in told} == {__file__}  # in the name of the caller
    assert found.decay_profile.limit == expected.decay_profile.limit
    np.testing.assert_array_equal(found.identified, expected.identified)


def objective(data, memory=10**9):
    task = PartitionedTask.check(data, None, {}, Memory(memory))
    return PartitionedDecays(task, *choose_method("mle", {}))


def test_the_parts_are_those_in_memory(tmp_path):
    data = on_disk(tmp_path, MANY, 7)
    part, expected = objective(data).part().task.events, first_part(MANY)
    np.testing.assert_array_equal(part.times, expected.times)
    np.testing.assert_array_equal(part.marks, expected.marks)
    np.testing.assert_array_equal(part.end_times, expected.end_times)
    assert objective(data).bounds() == pytest.approx(decay_bounds(MANY), rel=1e-15)
    (tmp_path / "one").mkdir()
    alone = hawkeys.Events.from_lists([[[1.0]], [np.arange(1.0, 30_001.0)]], end_times=30_001.0)
    part = objective(on_disk(tmp_path / "one", alone, 2)).part().task.events
    assert (part.n_events, part.end_times[0]) == (4_000, 4_000.0)


def test_a_larger_part_is_as_large_as_memory_allows(tmp_path, monkeypatch):
    events = hawkeys.simulate(TRUTH, end_time=30.0, n_realizations=8_000, rng=3)
    data = on_disk(tmp_path, events, 4)
    assert objective(data).part(0.1).task.events.n_events == first_part(events, 0.1).n_events
    assert objective(data, 0).part(0.1).task.events.n_events == first_part(events, 0.1).n_events
    monkeypatch.setattr(decay, "_ALWAYS", 0)
    # 7 numbers an event: a tenth of them takes more than 1 MB
    some = objective(data, 1_200_000).part(0.1)
    assert some.task.events.n_events == pytest.approx(1_200_000 / 56, rel=0.1)
    assert objective(data, 100_000).part(0.1) is None
