"""What `hawkeys.fit` takes, everything that is asked of events takes: and answers the same.

The same events come as numbers and as dates, with and without a time zone, in frames of pandas,
polars and pyarrow, as a mapping and as lists. Each door is compared with its answer for `Events`
that were built from plain arrays.
"""

import datetime as dt
import itertools
import re

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import hawkeys
from hawkeys.diagnostics.time_rescaling import rescale
from hawkeys.exceptions import HawkeysError, InvalidEventsError, InvalidParameterError
from hawkeys.inference import (
    bootstrap,
    edge_tests,
    profile_interval,
    psis_loo,
    sandwich_covariance,
    waic,
)

PROCESS = hawkeys.Hawkes(
    [0.5, 0.3], [[0.3, 0.2], [0.1, 0.4]], decay=1.5, mark_names=("buy", "sell")
)
END = 60.0
SAMPLE = hawkeys.simulate(PROCESS, end_time=[END, END], rng=3)
QUERIES = np.array([30.25, 1.5, 60.0])
START = {
    None: pd.Timestamp("2024-03-30"),
    "Europe/Berlin": pd.Timestamp("2024-03-30", tz="Europe/Berlin"),
}


def hours(times, zone):
    """Moments so many hours after the start; whole nanoseconds."""
    return START[zone] + pd.to_timedelta(np.round(np.asarray(times) * 3.6e12).astype(np.int64))


def columns(n_realizations, zone="none"):
    """Times, marks and runs, as columns of a table."""
    some = SAMPLE[:n_realizations]
    time = some.times if zone == "none" else hours(some.times, zone)
    return {"time": time, "mark": np.array(some.mark_names)[some.marks], "run": some.realization}


def frame_of(kind, data):
    if kind == "pandas":
        return pd.DataFrame(data)
    pytest.importorskip(kind)
    plain = {name: list(values) for name, values in data.items()}
    if kind == "polars":
        plain["time"] = [
            t.floor("us").to_pydatetime() if isinstance(t, pd.Timestamp) else t
            for t in plain["time"]
        ]
    return nw.from_dict(plain, backend=kind).to_native()


WINDOWS = {
    "none": {"end_time": END},
    None: {"unit": "h", "start_time": START[None], "end_time": hours([END], None)[0]},
    "Europe/Berlin": {
        "unit": "h",
        "start_time": START["Europe/Berlin"],
        "end_time": hours([END], "Europe/Berlin")[0],
    },
}
TABLES = [(kind, zone) for kind in ("pandas", "polars", "pyarrow") for zone in WINDOWS]
FORMS = TABLES + [(kind, zone) for kind in ("mapping", "lists") for zone in WINDOWS]


def as_form(form, n_realizations=1):
    """Return the data in one form, and how they are read."""
    kind, zone = form
    data, windows = columns(n_realizations, zone), WINDOWS[zone]
    if kind in ("mapping", "lists"):
        own = [data["time"][data["mark"] == name] for name in PROCESS.mark_names]
        return (
            dict(zip(PROCESS.mark_names, own, strict=True)) if kind == "mapping" else own
        ), windows
    if n_realizations == 1:
        del data["run"]
    return frame_of(kind, data), windows


def close(one, other):
    # polars keeps microseconds of Python's dates: 3e-10 of an hour
    np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


ONE = SAMPLE[0]
FIT = hawkeys.fit(SAMPLE, decay=1.5)
ALONE = hawkeys.fit(ONE, decay=1.5)
BAYES = hawkeys.fit(SAMPLE, decay=1.5, method="vi")


def of_axes(axes):
    return np.concatenate([line.get_ydata() for line in axes.lines])


DOORS = {
    "log_likelihood": lambda data, how: PROCESS.log_likelihood(data, **how),
    "per event": lambda data, how: PROCESS.log_likelihood(data, per_event=True, **how),
    "gradient": lambda data, how: np.hstack(
        [part.ravel() for part in PROCESS.log_likelihood_gradient(data, **how)]
    ),
    "intensity": lambda data, how: PROCESS.intensity(data, QUERIES, **how),
    "compensator": lambda data, how: PROCESS.compensator(data, QUERIES, **how),
    "rescale": lambda data, how: rescale(ALONE, data, **how).residuals,
    "goodness_of_fit": lambda data, how: (
        hawkeys.goodness_of_fit(ALONE, data, n_mc_samples=0, **how).residuals
    ),
    "forecast": lambda data, how: hawkeys.forecast(PROCESS, data, 5.0, n_paths=20, **how).mean,
    "forecast of a result": lambda data, how: ALONE.forecast(data, 5.0, n_paths=20, **how).mean,
    "branching_probabilities": lambda data, how: (
        hawkeys.branching_probabilities(ALONE, data, **how).immigrant
    ),
    "plot_intensity": lambda data, how: of_axes(
        hawkeys.plotting.plot_intensity(ALONE, data, ax=Figure().subplots(), **how)
    ),
    "edge_tests": lambda data, how: edge_tests(ALONE, data, **how).pvalues,
    "profile_interval": lambda data, how: profile_interval(ALONE, data, **how).upper,
    "bootstrap": lambda data, how: bootstrap(ALONE, data, n_replicates=3, **how).replicates,
}


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("door", DOORS)
def test_one_realisation(door, form):
    data, windows = as_form(form)
    close(DOORS[door](data, windows), DOORS[door](ONE, {}))


SEVERAL = {
    "sandwich_covariance": lambda data, how: sandwich_covariance(FIT, data, **how).std_err,
    "waic": lambda data, how: waic(BAYES, data, n_draws=100, **how).pointwise,
    "psis_loo": lambda data, how: psis_loo(BAYES, data, n_draws=100, **how).pointwise,
    "log_likelihood": lambda data, how: FIT.process.log_likelihood(data, **how),
}


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.ImportanceWarning")
@pytest.mark.parametrize(
    "form", [form for form in FORMS if form[0] not in ("mapping", "lists")], ids=str
)
@pytest.mark.parametrize("door", SEVERAL)
def test_several_realisations(door, form):
    data, windows = as_form(form, 2)
    # importance weights of few draws take up the last digits of the dates
    np.testing.assert_allclose(SEVERAL[door](data, windows), SEVERAL[door](SAMPLE, {}), rtol=1e-4)


HISTORIES = {
    "simulate": lambda start, **how: hawkeys.simulate(
        PROCESS, end_time=END + 8.0, start_time=start, rng=1, **how
    ),
    "simulate_until": lambda start, **how: hawkeys.simulate_until(
        PROCESS, 9, start_time=start, rng=1, **how
    ),
    "simulate_branching": lambda start, **how: (
        hawkeys.simulate_branching(
            PROCESS, end_time=END + 8.0, start_time=start, rng=1, **how
        ).events
    ),
}


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("door", HISTORIES)
def test_a_history(door, form):
    """It ends where the simulation starts; the answer counts on its clock."""
    data, windows = as_form(form)
    how = {("history_start" if name == "start_time" else name): value
           for name, value in windows.items() if name != "end_time"}  # fmt: skip
    found = HISTORIES[door](windows["end_time"], history=data, **how)
    expected = HISTORIES[door](None, history=ONE)
    assert found.marks.tolist() == expected.marks.tolist()
    close(found.times, expected.times)
    if form[1] != "none":
        assert found.clock.zone == form[1]
        first = found.clock.stamps(found.times[:1])
        assert abs(first[0] - hours(expected.times[:1], form[1])[0]) < pd.Timedelta("1us")


def test_a_history_takes_the_unit_of_the_result():
    data, windows = as_form(("pandas", None))
    result = hawkeys.fit(data, decay=1.5, **windows)
    how = {"history_start": windows["start_time"], "start_time": windows["end_time"]}
    future = hawkeys.simulate(result, end_time=END + 8.0, history=data, rng=1, **how)
    assert future.unit == "h"
    with pytest.raises(InvalidParameterError, match="counted in 'min', the fit in 'h'"):
        hawkeys.simulate(result, end_time=END + 8.0, history=data, rng=1, unit="min", **how)


@pytest.mark.parametrize(
    ("how", "error", "match"),
    [
        (
            {"unit": "h"},
            InvalidParameterError,
            "unit: says how a history is read, and there is none",
        ),
        (
            {"history_start": 0.0},
            InvalidParameterError,
            "history_start: says how a history is read",
        ),
        (
            {"history": ONE, "sort": True},
            InvalidParameterError,
            "Events carry their windows already",
        ),
        (
            {"history": ONE, "units": "h"},
            InvalidParameterError,
            "there is no argument 'units' here",
        ),
        ({"history": ONE.to_lists()[0]}, InvalidParameterError, "start_time is missing: a history"),
        (
            {"history": {"buy": [1.0], "hold": [2.0]}, "start_time": 3.0},
            InvalidEventsError,
            "the data have the mark 'hold', which is none of 'buy', 'sell'",
        ),
    ],
)
def test_histories_that_cannot_be_read(how, error, match):
    with pytest.raises(error, match=match):
        hawkeys.simulate(PROCESS, end_time=END + 8.0, **how)


def test_what_says_how_a_history_is_read_needs_one():
    process = hawkeys.RectifiedHawkes([0.5], [[-0.2]], decay=1.0)
    with pytest.raises(InvalidParameterError, match="unit: says how a history is read"):
        hawkeys.simulate(process, end_time=5.0, unit="h")


LABEL = {None: "date", "Europe/Berlin": "date (UTC)"}


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
class TestDatesComeOut:
    """Where times come out and dates went in, dates come out, in their zone."""

    @pytest.fixture
    def events(self, zone):
        data, windows = as_form(("pandas", zone))
        return hawkeys.Events.from_data(data, **windows)

    @pytest.mark.parametrize(
        "as_given", [list, np.asarray, pd.Series, lambda x: [t.to_pydatetime() for t in x]],
        ids=["list", "array", "Series", "datetime"])  # fmt: skip
    def test_queries(self, events, zone, as_given):
        dates = as_given(hours(QUERIES, zone))
        close(PROCESS.intensity(events, dates), PROCESS.intensity(ONE, QUERIES))
        close(PROCESS.compensator(events, dates), PROCESS.compensator(ONE, QUERIES))

    def test_one_query(self, events, zone):
        close(PROCESS.intensity(events, hours([1.5], zone)[0]), PROCESS.intensity(ONE, 1.5))
        if zone is None:
            close(PROCESS.intensity(events, "2024-03-30T01:30"), PROCESS.intensity(ONE, 1.5))

    def test_forecast(self, events, zone):
        found = hawkeys.forecast(PROCESS, events, dt.timedelta(hours=5), n_paths=50)
        expected = hawkeys.forecast(PROCESS, ONE, 5.0, n_paths=50)
        close(found.mean, expected.mean)
        table = found.to_frame(n_bins=5)
        assert table["start"].iloc[0] == hours([END], zone)[0]
        assert table["end"].iloc[-1] == hours([END + 5.0], zone)[0]
        assert getattr(table["start"].dtype, "tz", None) is (
            None if zone is None else table["start"].dt.tz
        )
        begin = re.escape(hours([END], zone)[0].isoformat())
        assert re.search(f"From: +{begin}", found.summary())
        axes = found.plot(Figure().subplots())
        assert axes.get_xlabel() == LABEL[zone]

    def test_branching(self, events, zone):
        branching = hawkeys.branching_probabilities(PROCESS, events)
        table = branching.to_frame(threshold=0.2)
        numbers = hawkeys.branching_probabilities(PROCESS, ONE).to_frame(threshold=0.2)
        lags = (table["child_time"] - table["parent_time"]) / pd.Timedelta("1h")
        close(lags, numbers["lag"])
        assert table["parent_time"].isna().equals(numbers["parent_time"].isna())
        assert branching.plot(ax=Figure().subplots()).get_xlabel() == LABEL[zone]

    def test_events(self, events, zone):
        table = events.to_frame()
        assert list(table["time"]) == list(hours(ONE.times, zone))
        again = hawkeys.Events.from_data(table, **WINDOWS[zone])
        np.testing.assert_array_equal(again.times, events.times)
        assert events.describe()["first"].iloc[0] == hours([ONE.times[ONE.marks == 0][0]], zone)[0]

    def test_labels_of_dates_leave_room_for_each_other(self, events, zone):
        figure = Figure(figsize=(6.4, 4.8), layout="constrained")
        axes = events.plot(figure.subplots())
        figure.canvas.draw()
        boxes = [text.get_window_extent() for text in axes.get_xticklabels() if text.get_text()]
        assert len(boxes) >= 4
        assert all(one.x1 < other.x0 for one, other in itertools.pairwise(boxes))

    def test_intensity_is_drawn_over_dates(self, events, zone):
        window = hours([10.0, 20.0], zone)
        axes = hawkeys.plotting.plot_intensity(
            PROCESS, events, window=window, ax=Figure().subplots()
        )
        assert axes.get_xlabel() == LABEL[zone]
        shown = axes.lines[0].get_xdata()
        utc = window if zone is None else window.tz_convert("UTC").tz_localize(None)
        assert [shown.min(), shown.max()] == list(utc.to_numpy())


@pytest.mark.parametrize(
    ("ask", "match"),
    [
        (lambda: PROCESS.intensity(ONE, ["2024-03-30"]), "no dates, and '2024-03-30' has no place"),
        (lambda: hawkeys.forecast(PROCESS, ONE, dt.timedelta(1)), "events have no unit of time"),
        (lambda: PROCESS.intensity(ONE.to_lists()[0], [1.0]), "end_time is missing"),
        (lambda: PROCESS.compensator(ONE, [1.0], end_time=3.0), "Events carry their windows"),
        (lambda: rescale(PROCESS, ONE.to_lists()[0]), "end_time is missing"),
        (lambda: edge_tests(ALONE, ONE.to_lists()[0]), "end_time is missing"),
        (lambda: bootstrap(ALONE, {"buy": [1.0], "sell": [2.0]}, end_time=3.0), "other events"),
        (lambda: PROCESS.log_likelihood({"buy": [1.0], "x": [2.0]}, end_time=3.0), "the mark 'x'"),
    ],
)
def test_what_cannot_be_read(ask, match):
    with pytest.raises(HawkeysError, match=match):
        ask()


def test_a_zone_on_one_side():
    data, windows = as_form(("pandas", "Europe/Berlin"))
    events = hawkeys.Events.from_data(data, **windows)
    with pytest.raises(InvalidParameterError, match="the times have a time zone"):
        PROCESS.intensity(events, ["2024-03-30T05:00"])
