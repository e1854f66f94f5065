"""Masked entries, units, dates and trials: refused with what to write, or read as they are said."""

import numpy as np
import pytest

import hawkeys
from hawkeys import Events
from hawkeys.exceptions import HawkeysError, InvalidEventsError, InvalidParameterError

MASKED = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
WHOLE = np.ma.array([1.0, 2.0, 3.0])


def lists(*times, **how):
    return Events.from_lists([list(times)], **{"end_times": 5.0, **how})


CASES = {
    "times": (lambda: hawkeys.fit([MASKED], decay=1.0, end_time=5.0), "mark 0: times: 1 of 3"),
    "flat times": (lambda: Events.from_arrays(MASKED, [0, 0, 0], end_times=5), "times: 1 of 3"),
    "marks": (
        lambda: Events.from_arrays([1, 2, 3], np.ma.array([0, 1, 0], mask=[1, 1, 0]), end_times=5),
        "marks: 2 of 3 entries are masked",
    ),
    "ends": (
        lambda: Events.from_lists([[[1.0]]] * 3, end_times=MASKED),
        "end_times: 1 of 3 entries are masked",
    ),
    "decay": (
        lambda: hawkeys.fit([WHOLE] * 3, decay=MASKED, end_time=5.0),
        "decay: 1 of 3 entries are masked",
    ),
    "weights": (
        lambda: hawkeys.fit([[[1.0]]] * 3, decay=1.0, end_time=5.0, weights=MASKED),
        r"weights: 1 of 3 .*x\.compressed\(\)",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_masked_entries_are_refused(case):
    call, message = CASES[case]
    with pytest.raises(HawkeysError, match=message):
        call()


def test_a_mask_that_hides_nothing_is_none():
    assert lists(WHOLE).times.tolist() == [1.0, 2.0, 3.0]
    assert lists(MASKED.compressed()).times.tolist() == [1.0, 3.0]


class Quantity(np.ndarray):
    """Numbers with a unit as the package quantities has them, and neo its spike trains."""

    @classmethod
    def of(cls, values, unit):
        made = np.asarray(values, dtype=float).view(cls)
        made.unit_ = unit
        return made

    @property
    def dimensionality(self):
        return self.unit_

    units = dimensionality

    def rescale(self, unit):
        raise NotImplementedError


class AstropyQuantity(np.ndarray):
    """Numbers with a unit as the package astropy has them."""

    unit = "ms"

    def to_value(self, unit):
        raise NotImplementedError


class PintQuantity:
    """Numbers with a unit as the package pint has them."""

    units = "millisecond"

    def __init__(self, values):
        self.values = values

    def __len__(self):
        return len(self.values)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)

    def to(self, unit):
        raise NotImplementedError


SECONDS = Quantity.of([1.0, 2.0], "s")
UNITS = {
    "trains": (
        lambda: hawkeys.fit([SECONDS, Quantity.of([5.0], "ms")], decay=1.0, end_time=5.0),
        r"realization 0, mark 0: times: got Quantity with the unit s, .* x\.rescale\(\"s\"\)",
    ),
    "trains of trials": (
        lambda: hawkeys.fit([[SECONDS], [Quantity.of([5.0], "ms")]], decay=1.0, end_time=5.0),
        "with the unit s",
    ),
    "flat": (lambda: Events.from_arrays(SECONDS, [0, 0], end_times=5.0), "times: got Quantity"),
    "decay": (
        lambda: hawkeys.fit([[1.0]], decay=Quantity.of(2.0, "1/s"), end_time=5.0),
        "decay: got Quantity with the unit 1/s",
    ),
    "decays": (
        lambda: hawkeys.fit([[1.0], [2.0]], decay=[1.0, Quantity.of(2.0, "1/s")], end_time=5.0),
        "decay: got Quantity with the unit 1/s",
    ),
    "end": (
        lambda: hawkeys.fit([[1.0]], decay=2.0, end_time=Quantity.of(5.0, "s")),
        "end_times: got Quantity with the unit s",
    ),
    "start": (
        lambda: hawkeys.fit([[1.0]], decay=2.0, end_time=5.0, start_time=Quantity.of(0.0, "s")),
        "start_times: got Quantity with the unit s",
    ),
    "window of a simulation": (
        lambda: hawkeys.simulate(
            hawkeys.Hawkes([1.0], [[0.0]], decay=1.0), end_time=Quantity.of(5.0, "s")
        ),
        "end_time: got Quantity with the unit s",
    ),
    "astropy": (
        lambda: lists(np.array([1.0]).view(AstropyQuantity)),
        r"with the unit ms, .*x\.to_value\(\"s\"\)",
    ),
    "pint": (
        lambda: lists(PintQuantity([1.0, 2.0])),
        r"with the unit millisecond, .*x\.to\(\"s\"\)\.magnitude",
    ),
}


@pytest.mark.parametrize("case", UNITS)
def test_numbers_with_units_are_refused(case):
    call, message = UNITS[case]
    with pytest.raises((InvalidEventsError, InvalidParameterError), match=message):
        call()


def test_the_numbers_themselves_are_taken():
    assert lists(np.asarray(SECONDS)).times.tolist() == [1.0, 2.0]


class Ts:
    """Times as pynapple has them: an item is a Ts of one time, numpy cannot look inside."""

    def __init__(self, times):
        self.t = np.asarray(times, dtype=float)
        self.time_support = None

    def __len__(self):
        return self.t.size

    def __getitem__(self, k):
        return Ts(self.t[[k]])


class Tsd(Ts):
    """A time series: values at times."""

    @property
    def values(self):
        return 10.0 * self.t


def test_a_list_of_pynapple_times_is_read_as_a_list_of_arrays():
    """One realisation, one mark each; trials are lists of lists, as for arrays."""
    units = [[0.5, 2.0], [1.0], [1.5, 3.0]]
    result = hawkeys.fit([Ts(t) for t in units], decay=1.0, end_time=5.0)
    expected = hawkeys.fit([np.array(t) for t in units], decay=1.0, end_time=5.0)
    np.testing.assert_array_equal(result.estimates, expected.estimates)
    assert (result.process.n_marks, result.n_realizations) == (3, 1)
    trials = hawkeys.fit([[Ts(t)] for t in units], decay=1.0, end_time=5.0)
    assert (trials.process.n_marks, trials.n_realizations) == (1, 3)
    with pytest.raises(InvalidEventsError, match=r"a Tsd holds values at times\. .* x\.t"):
        hawkeys.fit([Tsd([1.0, 2.0])], decay=1.0, end_time=5.0)


def test_a_mapping_has_its_marks_as_keys():
    times = {"b": [0.5, 1.0, 3.0], "a": [0.7, 2.0]}
    result = hawkeys.fit(times, decay=1.0, end_time=5.0)
    assert result.process.mark_names == ("b", "a")
    expected = hawkeys.fit(list(times.values()), decay=1.0, end_time=5.0)
    np.testing.assert_array_equal(result.estimates, expected.estimates)


@pytest.mark.parametrize("name", ["end_time", "start_time"])
@pytest.mark.parametrize("fit", [hawkeys.fit, hawkeys.fit_each, hawkeys.fit_rectified])
def test_trials_with_a_window_each_are_not_marks(fit, name):
    trials = [[1.0, 2.5], [1.5], [0.5, 2.0, 2.9]]
    window = {"end_time": [5.0, 4.0, 3.0], "start_time": [0.0, 0.1, 0.2]}
    given = {"end_time": 5.0, name: window[name]}
    message = (
        rf"3 sequences of times and 3 values of {name}: .* one realisation with one mark per "
        rf"sequence, which has one {name}; for 3 realisations .* \[\[t1\], \[t2\], ...\]"
    )
    with pytest.raises(InvalidEventsError, match=message):
        fit(trials, decay=1.0, **given)
    apart = fit([[t] for t in trials], decay=1.0, **given)
    assert np.shape(apart.baseline)[-1] == 1


def test_weights_for_trials_are_not_for_marks():
    message = r"one per realisation; \[t1, t2, ...\] is one with a mark per sequence, \[\[t1\]"
    with pytest.raises(InvalidParameterError, match=message):
        hawkeys.fit([[1.0], [2.0]], decay=1.0, end_time=5.0, weights=[1.0, 0.5])


def test_the_reading_is_said():
    result = hawkeys.fit([[1.0, 2.0], [1.5]], decay=1.0, end_time=5.0)
    assert "n_marks=2, n_realizations=1" in repr(result)
    assert "Realisations:      1 (2 marks)" in result.summary()
    many = [[0.5, 1.0, 1.2, 3.0, 3.5], [0.8, 1.1, 2.0, 3.1, 4.0]]
    rectified = hawkeys.fit_rectified(many, decay=1.0, end_time=5.0)
    assert "n_marks=2, n_realizations=1" in repr(rectified)
    assert "1 (2 marks)" in rectified.summary()
    trials = hawkeys.fit([[[1.0, 2.0]], [[1.5]]], decay=1.0, end_time=5.0)
    assert "Realisations:      2 (1 mark)" in trials.summary()
