"""Events on disk that count by their values are fitted as those in memory."""

import numpy as np
import pytest
from test_pooled import TIGHT, assert_same_fit, on_disk
from test_posteriors_on_disk import assert_same_posterior

import hawkeys
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.inference.on_disk import productivity
from hawkeys.kernels import PowerLaw, Productive, SumExponential
from hawkeys.productivity import EmpiricalValues, Exponential, ExponentialValues, Power

LAW = ExponentialValues(0.5, start=1.0)
TRUTH = hawkeys.Hawkes(
    [0.4, 0.3], [[0.3, 0.1], [0.1, 0.2]], decay=2.0, productivity=Exponential(0.4, v0=1.0, law=LAW)
)
EXACT = hawkeys.simulate(TRUTH, end_time=50.0, n_realizations=30, rng=1)
# as magnitudes are: in steps of a tenth
EVENTS = hawkeys.Events.from_arrays(
    EXACT.times, EXACT.marks, offsets=EXACT.offsets, end_times=50.0, n_marks=2,
    values=EXACT.values.round(1),
)  # fmt: skip


@pytest.mark.parametrize("n_partitions", [1, 7, 100])
@pytest.mark.parametrize("memory", ["1GB", 0])
def test_the_fit_is_that_in_memory(tmp_path, n_partitions, memory):
    data = on_disk(tmp_path, EVENTS, n_partitions)
    asked = {"decay": 2.0, "productivity": Exponential(0.4), **TIGHT}
    found, expected = hawkeys.fit(data, memory=memory, **asked), hawkeys.fit(EVENTS, **asked)
    assert_same_fit(found, expected)
    assert repr(found.kernel) == repr(expected.kernel)
    law, wanted = found.kernel.productivity.law, expected.kernel.productivity.law
    np.testing.assert_array_equal(law.values, wanted.values)
    np.testing.assert_array_equal(law.counts, wanted.counts)
    assert found.process.spectral_radius == pytest.approx(expected.process.spectral_radius)
    found.save(tmp_path / "fit.json")


@pytest.mark.parametrize(
    "options",
    [
        {"decay": 2.0, "productivity": Power([0.3, 0.6], v0=1.5, law=LAW)},
        {"decay": [1.0, 3.0], "productivity": Exponential(0.2, law=LAW)},
        {"kernel": SumExponential([1.0, 4.0]), "productivity": Exponential(0.4)},
        {"kernel": Productive(PowerLaw(0.1, 1.5), Exponential(0.4, v0=1.0))},
        {"decay": 2.0, "productivity": Exponential(0.4), "method": "map"},
    ],
    ids=["power", "two decays", "two exponentials", "power law", "map"],
)
def test_every_kernel(tmp_path, options):
    few = EVENTS[:15]
    data = on_disk(tmp_path, few, 4)
    found, expected = hawkeys.fit(data, **options, **TIGHT), hawkeys.fit(few, **options, **TIGHT)
    assert_same_fit(found, expected)
    assert repr(found.kernel) == repr(expected.kernel)


def test_a_posterior(tmp_path):
    options = {"decay": 2.0, "productivity": Exponential(0.4), "method": "vi", "rng": 2}
    data = on_disk(tmp_path, EVENTS, 4)
    assert_same_posterior(hawkeys.fit(data, **options), hawkeys.fit(EVENTS, **options))


def test_a_lag_beyond_the_windows(tmp_path):
    """What a source counts for decides whether the windows show anything of its kernel."""
    asked = {"kernel": Productive(hawkeys.kernels.Exponential([2.0, 1e-14]), Exponential(-9.0))}
    data = on_disk(tmp_path, EVENTS, 3)
    with pytest.warns(hawkeys.exceptions.HawkeysWarning):
        found, expected = hawkeys.fit(data, **asked, **TIGHT), hawkeys.fit(EVENTS, **asked, **TIGHT)
    np.testing.assert_array_equal(found.identified, expected.identified)
    np.testing.assert_allclose(found.adjacency, expected.adjacency, rtol=1e-7, atol=1e-12)


def test_values_that_are_missing_or_too_many(tmp_path, monkeypatch):
    plain = hawkeys.Events.from_arrays(EVENTS.times, EVENTS.marks, offsets=EVENTS.offsets,
                                       end_times=50.0)  # fmt: skip
    data = on_disk(tmp_path, plain, 2)
    with pytest.raises(InvalidEventsError, match=r"events, partition 0: .* these have none"):
        hawkeys.fit(data, decay=2.0, productivity=Exponential(0.4))
    with pytest.raises(InvalidEventsError, match="these have none"):
        hawkeys.fit(data, decay=2.0, productivity=Exponential(0.4, v0=1.0, law=LAW))
    (tmp_path / "more").mkdir()
    data = on_disk(tmp_path / "more", EXACT, 3)
    monkeypatch.setattr(productivity, "_MOST", 100)
    with pytest.raises(InvalidParameterError, match="more than 100 different values"):
        hawkeys.fit(data, decay=2.0, productivity=Exponential(0.4, v0=1.0))
    found = hawkeys.fit(data, decay=2.0, productivity=Exponential(0.4, law=LAW), **TIGHT)
    asked = Exponential(0.4, v0=EXACT.values.min(), law=LAW)
    assert_same_fit(found, hawkeys.fit(EXACT, decay=2.0, productivity=asked, **TIGHT))
    with pytest.raises(InvalidParameterError, match="unknown productivity 'linear'"):
        hawkeys.fit(data, decay=2.0, productivity="linear")
    with pytest.raises(InvalidParameterError, match="has a productivity already"):
        hawkeys.fit(data, kernel=Productive(hawkeys.kernels.Exponential(2.0), Exponential(0.4)),
                    productivity=Exponential(0.1))  # fmt: skip


def test_no_event_at_all(tmp_path):
    none = hawkeys.Events.from_arrays([], np.empty(0, np.int64), end_times=3.0, n_marks=2,
                                      values=[])  # fmt: skip
    data = hawkeys.open_events(hawkeys.write_events(none, tmp_path / "events"))
    with pytest.raises(InvalidEventsError, match="there is no event"):
        hawkeys.fit(data, decay=2.0, productivity=Exponential(0.4))


def test_laws_are_merged():
    one, other = EVENTS[:10], EVENTS[10:]
    parts = [EmpiricalValues.of(part) for part in (one, other)]
    values, counts = productivity._merged(*[(law.values, law.counts) for law in parts])
    whole = EmpiricalValues.of(EVENTS)
    np.testing.assert_array_equal(values, whole.values)
    np.testing.assert_array_equal(counts, whole.counts)
