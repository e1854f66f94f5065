"""Bad input to the core: a clear error or a documented treatment, never a wrong number.

Bad files and command lines have tables of their own in tests/datasets and tests/cli.
"""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys import Events
from hawkeys.exceptions import (
    IdentifiabilityWarning,
    InvalidEventsError,
    InvalidParameterError,
    ResultFileError,
    UnstableProcessError,
)

NAN, INF = float("nan"), float("inf")


def lists(*marks, end=5.0, start=0.0):
    return Events.from_lists([list(marks)], end_times=end, start_times=start)


def _process():
    return hawkeys.Hawkes([0.5], [[0.3]], decay=1.0)


EVENTS = {
    "unsorted": (lambda: lists([2.0, 1.0]), r"times\[1\]=1.0 < times\[0\]=2.0. Sort them"),
    "unsorted flat": (
        lambda: Events.from_arrays([1, 3, 2], [0, 0, 0], end_times=5),
        r"realization 0: times must not decrease; times\[2\]=2.0 < times\[1\]=3.0",
    ),
    "NaN": (lambda: lists([1.0, NAN]), r"mark 0: times must be finite; times\[1\]=nan"),
    "infinite": (
        lambda: Events.from_arrays([1, INF], [0, 0], end_times=5),
        r"realization 0: times must be finite; times\[1\]=inf",
    ),
    "beyond the window": (lambda: lists([1.0, 6.0]), r"times\[1\]=6.0 lies outside the window"),
    "before the window": (lambda: lists([1.0], start=2.0), r"times\[0\]=1.0 lies outside"),
    "second realisation": (
        lambda: Events.from_arrays([1, 2, 9], [0, 0, 0], offsets=[0, 2, 3], end_times=5),
        r"realization 1: times\[0\]=9.0",
    ),
    "window backwards": (lambda: lists([], [], end=-1.0), "the window must end after it starts"),
    "window infinite": (lambda: lists([1.0], end=INF), "end_times is inf; every value must be"),
    "text": (lambda: lists(["a"]), "must be a one-dimensional sequence of numbers"),
    "dates": (
        lambda: lists(pd.to_datetime(["2024-01-01"]).to_numpy()),
        "Events.from_data .* reads dates, with unit=",
    ),
    "two dimensions": (lambda: lists(np.ones((2, 2))), "one-dimensional"),
    "mark range": (
        lambda: Events.from_arrays([1, 2], [0, 3], n_marks=2, end_times=5),
        r"marks must lie in 0..1; marks\[1\]=3",
    ),
    "mark labels": (
        lambda: Events.from_arrays([1], ["a"], end_times=5),
        "For labels use Events.from_data",
    ),
    "lengths": (lambda: Events.from_arrays([1, 2], [0], end_times=5), "2 times and 1 marks"),
    "offsets": (
        lambda: Events.from_arrays([1, 2], [0, 0], offsets=[0, 1], end_times=5),
        "offsets must be non-decreasing integers from 0 to n_events = 2",
    ),
    "no mark": (lambda: Events.from_arrays([], [], end_times=5), "pass n_marks or mark_names"),
    "names": (
        lambda: Events.from_lists([[[1.0], []]], end_times=5, mark_names=["a", "a"]),
        "distinct labels",
    ),
    "ragged marks": (
        lambda: Events.from_lists([[[1.0], []], [[1.0]]], end_times=5),
        "realization 1 has 1 sequences of times, expected 2",
    ),
    "no realisation": (lambda: Events.from_lists([], end_times=5), "at least one realisation"),
    "windows": (
        lambda: Events.from_lists([[[1.0]]], end_times=[5, 6]),
        "one number or one per realisation",
    ),
    "frame column": (
        lambda: Events.from_frame(pd.DataFrame({"t": [1]}), time="t", mark="m", end_times=5),
        "no column 'm'; it has 't'",
    ),
    "frame gap": (
        lambda: Events.from_frame(
            pd.DataFrame({"t": [1.0, 2.0], "m": ["a", None]}), time="t", mark="m", end_times=5
        ),
        "column 'm' is empty at row 1",
    ),
    "frame windows": (
        lambda: Events.from_frame(
            pd.DataFrame({"t": [1.0], "m": ["a"], "r": ["x"]}),
            time="t", mark="m", realization="r", end_times={"y": 5.0},
        ),
        "end_times has no entry for realisation 'x'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EVENTS)
def test_events_refuse(case):
    build, message = EVENTS[case]
    with pytest.raises((InvalidEventsError, InvalidParameterError), match=message):
        build()


DATA = [[0.5, 1.0, 2.5], [0.7]]
STABLE = hawkeys.Hawkes([0.5, 0.2], [[0.2, 0.1], [0.0, 0.3]], decay=1.0)

CALLS = {
    "decay negative": (lambda: hawkeys.fit(DATA, decay=-1, end_time=3), "decay must be positive"),
    "decay zero": (lambda: hawkeys.fit(DATA, decay=0, end_time=3), "decay must be positive"),
    "decay NaN": (lambda: hawkeys.fit(DATA, decay=NAN, end_time=3), "decay is nan"),
    "decay shape": (lambda: hawkeys.fit(DATA, decay=[1, 2, 3], end_time=3), r"decay has shape \(3"),
    "decay matrix": (
        lambda: hawkeys.fit(DATA, decay=[[1, 2]], end_time=3),
        r"per \(target, source\) pair",
    ),
    "decay missing": (lambda: hawkeys.fit(DATA, end_time=3), "write decay='estimate'"),
    "kernel": (lambda: hawkeys.fit(DATA, kernel=2.0, end_time=3), "For a number use decay="),
    "end missing": (lambda: hawkeys.fit(DATA, decay=1), "end_time is missing"),
    "end given twice": (
        lambda: hawkeys.fit(lists([1.0]), decay=1, end_time=3),
        "Events carry their windows",
    ),
    "a number among lists": (
        lambda: hawkeys.fit([[1.0], 2.0], decay=1, end_time=3),
        "got 2.0 where a sequence should be",
    ),
    "not a list": (lambda: hawkeys.fit("abc", decay=1, end_time=3), "expected Events, a list"),
    "method": (lambda: hawkeys.fit(DATA, decay=1, end_time=3, method="em"), "method must be one"),
    "option": (lambda: hawkeys.fit(DATA, decay=1, end_time=3, ridge=1), "has no option 'ridge'"),
    "misspelt": (
        lambda: hawkeys.fit(DATA, decay=1, end_time=3, suport=1),
        r"'suport'; it has tolerance, max_iter, .*weights, .*\. Did you mean 'support'\?",
    ),
    "misspelt marks": (
        lambda: hawkeys.fit(DATA, decay=1, end_time=3, marks=[0]),
        "Did you mean 'mark'",
    ),
    "misspelt window": (
        lambda: hawkeys.Events.from_data(DATA, endtime=3),
        r"no argument 'endtime' here\. from_data has data, end_time; .* Did you mean 'end_time'\?",
    ),
    "misspelt argument of a test": (
        lambda: hawkeys.goodness_of_fit(_process(), lists([1.0]), n_mc_sample=9),
        r"goodness_of_fit has fitted, events, refit, n_mc_samples,.* Did you mean 'n_mc_samples'\?",
    ),
    "misspelt argument of a method": (
        lambda: _process().log_likelihood(lists([1.0]), per_events=True),
        r"log_likelihood has events, per_event, history;.* Did you mean 'per_event'\?",
    ),
    "periods": (
        lambda: hawkeys.Events.from_data(pd.period_range("2024-01-01", periods=3), unit="day"),
        r"got period\[D\]\. Say which moment of a period is meant: x\.to_timestamp\(\)",
    ),
    "dates with the day first": (
        lambda: hawkeys.Events.from_data(["01.03.2024", "02.03.2024"], end_time=3),
        r"with format= unless .*of 01\.03\.2024 it takes the month first",
    ),
    "dates as knots": (
        lambda: hawkeys.baselines.PiecewiseConstant([dt.date(2024, 1, 1), dt.date(2024, 1, 2)]),
        r"knots: .*dates; count them .* as events\.moments\(dates\) does",
    ),
    "texts as knots": (
        lambda: hawkeys.baselines.PiecewiseConstant(["2024-01-01", "2024-01-02"]),
        r"text with dates; count them .* as events\.moments\(dates\) does",
    ),
    "date of a simulation": (
        lambda: hawkeys.simulate(
            hawkeys.Hawkes([1], [[0.5]], decay=1), end_time=dt.datetime(2024, 1, 1)
        ),
        r"end_time: .*as events\.moments\(dates\) does",
    ),
    "tolerance": (
        lambda: hawkeys.fit(DATA, decay=1, end_time=3, tolerance=0),
        "tolerance must be one positive number",
    ),
    "prior": (
        lambda: hawkeys.fit(DATA, decay=1, end_time=3, method="map", prior=1.5),
        "prior must be a hawkeys.GammaPrior",
    ),
    "prior shape": (lambda: hawkeys.GammaPrior(shape=0.5), "shape must be one number >= 1"),
    "seed": (
        lambda: hawkeys.fit(DATA, decay=1, end_time=3, method="vi", rng="x"),
        "rng must be a non-negative int",
    ),
    "draws": (
        lambda: hawkeys.fit(DATA, decay=1, end_time=3, method="vi", n_draws=1.5),
        "n_draws must be a whole number",
    ),
    "jobs": (lambda: hawkeys.fit_each(DATA, decay=1, end_time=3, n_jobs=999), "at most"),
    "adjacency": (lambda: hawkeys.Hawkes([1], [[1, 2]], decay=1), "square matrix"),
    "adjacency sign": (lambda: hawkeys.Hawkes([1], [[-1]], decay=1), "must not be negative"),
    "baseline": (lambda: hawkeys.Hawkes([1, 2, 3], [[0]], decay=1), r"shape \(1,\)"),
    "complex": (lambda: hawkeys.Hawkes([1j], [[0]], decay=1), "complex numbers"),
    "ragged": (lambda: hawkeys.Hawkes([1], [[0], [1, 2]], decay=1), "regular array"),
    "unstable": (
        lambda: hawkeys.simulate(hawkeys.Hawkes([1], [[1.5]], decay=1), end_time=9),
        "its spectral radius is 1.5",
    ),
    "unstable rate": (
        lambda: hawkeys.Hawkes([1], [[1.5]], decay=1).stationary_rate,
        "no stationary rate exists",
    ),
    "too many": (lambda: hawkeys.simulate(STABLE, end_time=1e12), "Shorten the windows"),
    "simulated window": (lambda: hawkeys.simulate(STABLE, end_time=-1), "end after it starts"),
    "marks": (
        lambda: STABLE.log_likelihood(lists([1.0])),
        "events have 1 marks, the process has 2",
    ),
    "not events": (lambda: STABLE.log_likelihood(DATA), "end_time is missing"),
    "time": (lambda: STABLE.intensity(lists([1.0], []), [7.0]), "lie in the window"),
    "realisation": (
        lambda: STABLE.intensity(lists([1.0], []), [1.0], realization=1),
        r"realization must lie in 0..0",
    ),
    "level": (
        lambda: hawkeys.fit(DATA, decay=1, end_time=3).conf_int(95),
        "strictly between 0 and 1",
    ),
}


@pytest.mark.parametrize("case", CALLS)
def test_calls_refuse(case):
    call, message = CALLS[case]
    with pytest.raises((hawkeys.exceptions.HawkeysError, UnstableProcessError), match=message):
        call()


METHODS = {
    "mle": {},
    "map": {},
    "vi": {},
    "vi_stochastic": {"n_steps": 300},
}

ODD = {
    "no event": [[], []],
    "one event": [[1.0], []],
    "one event at the end": [[3.0], [1.0]],
    "an empty mark": [[0.5, 1.0, 2.5], []],
    "all simultaneous": [[1.0, 1.0, 1.0], [1.0, 1.0]],
    "all at the end": [[3.0, 3.0], [3.0]],
    "all at the start": [[0.0, 0.0], [0.0]],
}


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.IdentifiabilityWarning")
@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.EventsWarning")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", ODD)
def test_odd_data_have_a_finite_answer(case, method):
    options = METHODS[method]
    result = hawkeys.fit(ODD[case], decay=1.0, end_time=3.0, method=method, **options)
    assert np.isfinite(result.estimates).all()
    assert np.isfinite(result.log_likelihood) == (result.n_events >= 0)
    assert (result.estimates[~result.identified] == 0).all()
    frame = result.to_frame()
    assert frame.loc[~frame["identified"], ["estimate", "std_err", "lower"]].isna().all(axis=None)
    each = hawkeys.fit_each(ODD[case], decay=1.0, end_time=3.0, method=method, **options)
    if method != "vi_stochastic":
        assert each.log_likelihood[0] == pytest.approx(result.log_likelihood, abs=1e-5)


def test_a_silent_source_is_flagged_not_invented():
    with pytest.warns(IdentifiabilityWarning, match=r"2 parameters.*adjacency\[0, 1\]"):
        result = hawkeys.fit([[0.5, 1.0, 2.5], []], decay=1.0, end_time=3.0)
    assert result.identified.tolist() == [[True, True, False], [True, True, False]]
    assert result.adjacency[:, 1].tolist() == [0.0, 0.0]
    assert result.at_bound[1].tolist() == [True, True, False]
    assert np.isnan(result.std_err[result.at_bound | ~result.identified]).all()


def test_simultaneous_events_do_not_excite_each_other():
    process = hawkeys.Hawkes([0.5], [[0.9]], decay=3.0)
    events = lists([1.0, 1.0, 1.0])
    integral = 0.5 * 5 + 0.9 * 3 * (1 - np.exp(-3.0 * 4))
    assert process.log_likelihood(events) == pytest.approx(3 * np.log(0.5) - integral, rel=1e-14)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_the_unit_of_time_does_not_matter(scale):
    truth = hawkeys.Hawkes([0.5, 0.2], [[0.2, 0.4], [0.1, 0.3]], decay=1.0)
    sample = hawkeys.simulate(truth, end_time=200.0, rng=1)
    plain = hawkeys.fit(sample, decay=1.0)
    times = [scale * t for t in sample.to_lists()[0]]
    scaled = hawkeys.fit(times, decay=1.0 / scale, end_time=200.0 * scale)
    np.testing.assert_allclose(scaled.adjacency, plain.adjacency, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(scaled.baseline * scale, plain.baseline, rtol=1e-7)


def test_the_origin_of_time_does_not_matter():
    sample = hawkeys.simulate(STABLE, end_time=200.0, rng=1)
    shifted = Events.from_arrays(
        np.round(sample.times, 3) + 1.7e9, sample.marks, n_marks=2,
        start_times=1.7e9, end_times=1.7e9 + 200,
    )  # fmt: skip
    plain = Events.from_arrays(np.round(sample.times, 3), sample.marks, n_marks=2, end_times=200)
    one, two = (hawkeys.fit(data, decay=1.0) for data in (plain, shifted))
    # epoch seconds have a resolution of 2.4e-7
    np.testing.assert_allclose(one.estimates, two.estimates, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    "convert", [list, lambda x: np.array(x, dtype=np.float32), pd.Series, np.array, tuple]
)
def test_kinds_of_sequences(convert):
    data = [[1, 2, 4], [3]]
    expected = hawkeys.fit(data, decay=1.0, end_time=5.0).log_likelihood
    other = hawkeys.fit([convert(times) for times in data], decay=1.0, end_time=5.0)
    assert other.log_likelihood == expected


FILES = {
    "truncated": (lambda text: text[: len(text) // 2], "not a complete JSON file"),
    "newer": (lambda text: text.replace("hawkeys-fit/2", "hawkeys-fit/9"), "upgrade"),
    "foreign": (lambda text: '{"a": 1}', "holds schema None"),
    "a list": (lambda text: "[1]", "holds schema a list of 1"),
    "field": (lambda text: text.replace('"trace"', '"tracé"'), "has the field 'trac"),
    "value": (lambda text: text.replace('"exponential"', '"x"'), "process.kernel.name: .*'x'"),
}


@pytest.mark.parametrize("case", FILES)
def test_broken_result_files(case, tmp_path):
    damage, message = FILES[case]
    path = tmp_path / "fit.json"
    hawkeys.fit(DATA, decay=1, end_time=3).save(path)
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ResultFileError, match=message):
        hawkeys.load_result(path)


@pytest.mark.parametrize("method", METHODS)
def test_results_survive_a_file(method, tmp_path):
    result = hawkeys.fit(DATA, decay=[1, 2], end_time=3, method=method, **METHODS[method])
    result.save(tmp_path / "fit.json")
    loaded = hawkeys.load_result(tmp_path / "fit.json")
    assert type(loaded) is type(result)
    assert loaded.summary() == result.summary()
    pd.testing.assert_frame_equal(loaded.to_frame(), result.to_frame())
    np.testing.assert_array_equal(loaded.trace, result.trace)
    with pytest.raises(hawkeys.exceptions.OutputError, match="exists and that you may write to"):
        result.save(tmp_path / "missing" / "fit.json")
    assert [path.name for path in tmp_path.iterdir()] == ["fit.json"]


@pytest.mark.parametrize("fit", [hawkeys.fit, hawkeys.fit_each, hawkeys.fit_rectified])
def test_events_without_a_realisation(fit):
    events = lists([1.0])
    with pytest.raises(InvalidEventsError, match="the events have no realisation; what was picked"):
        fit(events[np.array([False])], decay=1.0)


def test_too_many_marks_for_the_memory(monkeypatch):
    def refuse(*args):
        raise MemoryError("Allocation failed")

    monkeypatch.setattr("hawkeys.inference.rows.newton.solve_rows", refuse)
    with pytest.raises(MemoryError, match="covariances of 2 targets with 3 parameters each take"):
        hawkeys.fit(lists([1.0], [2.0]), decay=1.0)
