"""What has a value per realisation, mark or pair is matched by its labels, or refused."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import hawkeys
from hawkeys import Events, kernels
from hawkeys.baselines import Constant, PiecewiseConstant
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.inference import GroupLasso, Lasso, penalty_path, profile_interval
from hawkeys.plotting import plot_adjacency
from hawkeys.process import LagFilters

TRUTH = hawkeys.Hawkes([0.4, 0.3], [[0.3, 0.1], [0.2, 0.4]], decay=2.0, mark_names=["buy", "view"])
ONE = hawkeys.simulate(TRUTH, end_time=60.0, rng=1)
TWO = hawkeys.simulate(TRUTH, end_time=60.0, n_realizations=2, rng=1)
FRAME = TWO.to_frame().rename(columns={"realization": "run"})
FRAME["run"] = FRAME["run"].map({0: "a", 1: "b"})
ENDS = {"a": 60.0, "b": 200.0}
WRONG = ["view", "buy"]  # an order that is not that of the marks


def series(values):
    return pd.Series(values)


def test_windows_by_label():
    expected = hawkeys.fit(FRAME, end_time=ENDS, start_time={"a": -1.0, "b": 0.0}, decay=2.0)
    found = hawkeys.fit(
        FRAME,
        end_time=series({"b": 200.0, "a": 60.0}),
        start_time=series({"b": 0.0, "a": -1.0}),
        decay=2.0,
    )
    np.testing.assert_array_equal(found.estimates, expected.estimates)
    events = Events.from_data(FRAME, end_time=series({"b": 200.0, "a": 60.0}))
    assert events.end_times.tolist() == [60.0, 200.0]
    assert Events.from_data(FRAME, end_time=series([60.0, 200.0])).end_times.tolist() == [60, 200]


def test_windows_of_dates_by_label():
    days = pd.to_datetime(["2024-03-01T06:00", "2024-03-02T06:00"])
    frame = pd.DataFrame({"time": days, "run": ["a", "b"]})
    ends = pd.Series(pd.to_datetime(["2024-03-04", "2024-03-03"]), index=["b", "a"])
    starts = pd.Series(pd.to_datetime(["2024-03-02", "2024-03-01"]), index=["b", "a"])
    events = Events.from_data(frame, end_time=ends, start_time=starts, unit="h")
    assert events.start_times.tolist() == [0.0, 24.0]
    assert events.end_times.tolist() == [48.0, 72.0]


def test_windows_of_lists_by_number():
    lists = [[[1.0], []], [[2.0], [3.0]]]
    events = Events.from_data(lists, end_time=pd.Series([9.0, 5.0], index=[1, 0]))
    assert events.end_times.tolist() == [5.0, 9.0]
    with pytest.raises(InvalidEventsError, match=r"end_time has no entry for realisation 0; it"):
        Events.from_data(lists, end_time=series(ENDS))
    with pytest.raises(InvalidParameterError, match="end_times: got a Series with the labels"):
        Events.from_lists(lists, end_times=series(ENDS))
    with pytest.raises(InvalidParameterError, match="end_time: got a Series with the labels"):
        hawkeys.simulate(TRUTH, end_time=series(ENDS))


def test_labels_of_windows_that_are_none():
    with pytest.raises(InvalidEventsError, match="no entry for realisation 'a'; it has 'b'"):
        Events.from_data(FRAME, end_time=series({"b": 60.0}))
    numbered = FRAME.assign(run=FRAME["run"].map({"a": 1, "b": 2}))
    with pytest.raises(InvalidEventsError, match="labels '1', '2' and the realisations are 1, 2"):
        Events.from_data(numbered, end_time={"1": 300, "2": 300})
    with pytest.raises(InvalidParameterError, match="end_time has several values for the label"):
        Events.from_data(FRAME, end_time=pd.Series([60.0, 60.0, 70.0], index=["a", "b", "b"]))


@pytest.mark.parametrize("given", [series({"b": 0.25, "a": 1.0}), {"b": 0.25, "a": 1.0}])
def test_weights_by_label(given):
    expected = hawkeys.fit(TWO, decay=2.0, weights=[1.0, 0.25])
    events = Events.from_data(FRAME, end_time=60.0)
    for data, how in ((FRAME, {"end_time": 60.0}), (events, {}), (events[[0, 1]], {})):
        found = hawkeys.fit(data, decay=2.0, weights=given, **how)
        np.testing.assert_allclose(found.estimates, expected.estimates, rtol=1e-12)
    swapped = hawkeys.fit(events[[1, 0]], decay=2.0, weights=given)
    np.testing.assert_allclose(swapped.estimates, expected.estimates, rtol=1e-6)
    left_out = hawkeys.fit(events, decay=2.0, weights=series({"b": 0, "a": 1}))
    alone = hawkeys.fit(TWO[0], decay=2.0)
    np.testing.assert_allclose(left_out.estimates, alone.estimates, rtol=1e-12)


def test_weights_of_every_fit_by_label():
    events = Events.from_data(FRAME, end_time=60.0)
    given, plain = series({"b": 0.25, "a": 1.0}), [1.0, 0.25]
    filters = LagFilters(decays=[2.0])
    for fit, how in (
        (hawkeys.fit_rectified, {"decay": 2.0}),
        (hawkeys.fit_nonlinear, {"filters": filters, "link": "softplus"}),
    ):
        np.testing.assert_array_equal(
            fit(events, weights=given, **how).estimates, fit(events, weights=plain, **how).estimates
        )
    path = penalty_path(events, decay=2.0, weights=given, n_strengths=3, n_folds=2)
    same = penalty_path(events, decay=2.0, weights=plain, n_strengths=3, n_folds=2)
    np.testing.assert_array_equal(path.coefficients, same.coefficients)


def test_weights_without_known_labels_are_refused():
    with pytest.raises(InvalidParameterError, match="realisations are numbered from 0"):
        hawkeys.fit(TWO, decay=2.0, weights=series({"b": 0.25, "a": 1.0}))
    with pytest.raises(InvalidParameterError, match="'c', and the realisations are 'a', 'b'"):
        hawkeys.fit(FRAME, decay=2.0, end_time=60.0, weights=series({"c": 0.25}))
    numbered = hawkeys.fit(TWO, decay=2.0, weights=pd.Series([0.25, 1.0], index=[1, 0]))
    expected = hawkeys.fit(TWO, decay=2.0, weights=[1.0, 0.25])
    np.testing.assert_array_equal(numbered.estimates, expected.estimates)


def test_decays_by_mark():
    given, plain = pd.Series({"view": 1.0, "buy": 5.0}), [5.0, 1.0]
    matrix = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], index=WRONG, columns=WRONG)
    for labelled, bare in ((given, plain), (matrix, [[4.0, 3.0], [2.0, 1.0]])):
        for fit in (hawkeys.fit, hawkeys.fit_each):
            found, expected = fit(ONE, decay=labelled), fit(ONE, decay=bare)
            np.testing.assert_array_equal(found.adjacency, expected.adjacency)
        x = np.column_stack((TRUTH.baseline, TRUTH.adjacency))
        assert hawkeys.LogLikelihood(ONE, decay=labelled).value(x) == (
            hawkeys.LogLikelihood(ONE, decay=bare).value(x)
        )
    found = hawkeys.fit_rectified(ONE, decay=given)
    np.testing.assert_array_equal(found.decay, plain)


@pytest.mark.parametrize("fit", [hawkeys.fit, hawkeys.fit_rectified, penalty_path])
def test_support_by_mark(fit):
    given = pd.DataFrame([[1, 0], [1, 1]], index=WRONG, columns=WRONG)  # no view after a buy
    how = {"decay": 2.0} | ({"n_strengths": 3} if fit is penalty_path else {})
    labelled = fit(ONE, support=given, **how)
    bare = fit(ONE, support=[[1, 1], [0, 1]], **how)
    found, expected = (
        (one.coefficients if fit is penalty_path else one.adjacency) for one in (labelled, bare)
    )
    np.testing.assert_array_equal(found, expected)
    if fit is not penalty_path:
        assert found[1, 0] == 0.0
        assert found[0, 1] != 0.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (pd.DataFrame([[1, 1], [1, 1]], index=["view", "sell"]), "support has the labels 'view'"),
        (pd.DataFrame([[1, 0], [1, 1]], columns=WRONG), "none along the other. Label both"),
        (pl.DataFrame({"view": [1, 0], "buy": [1, 1]}), "none along the other. Label both"),
        (pd.DataFrame([[1, 1], [1, 1]], index=["view", "view"]), "Label each mark once"),
    ],
)
def test_support_with_other_labels_is_refused(given, message):
    with pytest.raises(InvalidParameterError, match=message):
        hawkeys.fit(ONE, decay=2.0, support=given)


def test_columns_in_the_order_of_the_marks_need_no_labels_of_rows():
    given = pl.DataFrame({"buy": [1, 0], "view": [1, 1]})
    found = hawkeys.fit(ONE, decay=2.0, support=given)
    expected = hawkeys.fit(ONE, decay=2.0, support=[[1, 1], [0, 1]])
    np.testing.assert_array_equal(found.adjacency, expected.adjacency)


def test_a_process_takes_the_labels_for_names():
    matrix = pd.DataFrame([[0.1, 0.2], [0.3, 0.4]], index=WRONG, columns=WRONG)
    process = hawkeys.Hawkes([0.1, 0.2], matrix, decay=2.0)
    assert process.mark_names == ("view", "buy")
    assert process.adjacency.tolist() == matrix.to_numpy().tolist()
    rates = pd.Series({"buy": 0.2, "view": 0.1})
    for kind, how in ((hawkeys.Hawkes, {}), (hawkeys.RectifiedHawkes, {})):
        ordered = kind(rates, matrix, decay=rates * 10, **how)
        assert ordered.mark_names == ("buy", "view")
        assert ordered.baseline.tolist() == [0.2, 0.1]
        assert ordered.adjacency.tolist() == [[0.4, 0.3], [0.2, 0.1]]
        assert np.unique(ordered.kernel.decay).tolist() == [1.0, 2.0]
        named = kind([0.2, 0.1], matrix, decay=2.0, mark_names=["buy", "view"])
        assert named.adjacency.tolist() == [[0.4, 0.3], [0.2, 0.1]]
    filters = LagFilters(decays=[2.0])
    linked = hawkeys.NonlinearHawkes(rates, np.zeros((1, 2, 2, 1)), filters, link="softplus")
    assert linked.mark_names == ("buy", "view")
    with pytest.raises(InvalidParameterError, match="adjacency has the labels 'view', 'buy', and"):
        hawkeys.Hawkes([0.1, 0.2], matrix, decay=2.0, mark_names=["x", "y"])


def test_a_picture_takes_the_labels_for_names():
    axes = pytest.importorskip("matplotlib.figure").Figure().subplots()
    matrix = pd.DataFrame([[0.1, 0.2], [0.3, 0.4]], index=WRONG, columns=WRONG)
    plot_adjacency(matrix, ax=axes)
    assert [label.get_text() for label in axes.get_xticklabels()] == WRONG


RATES = pd.DataFrame([[0.4], [0.15]], index=WRONG)
MATRIX = pd.DataFrame([[0.1, 0.2], [0.3, 0.4]], index=WRONG, columns=WRONG)


@pytest.mark.parametrize(
    "call",
    [
        lambda: Constant(RATES),
        lambda: PiecewiseConstant([0, 1], rates=RATES),
        lambda: kernels.Exponential(MATRIX),
        lambda: kernels.LogNormal(MATRIX, MATRIX),
        lambda: kernels.Gamma(MATRIX, MATRIX),
        lambda: Lasso(MATRIX),
        lambda: GroupLasso(groups=MATRIX.round()),
        lambda: hawkeys.fit(ONE, decay_grid=[RATES[0], RATES[0]]),
        lambda: hawkeys.fit(ONE, decay=2.0, tied={"baseline": RATES[0].round()}),
        lambda: hawkeys.fit(ONE, kernel=kernels.LogNormal(), groups=MATRIX.round()),
        lambda: profile_interval(hawkeys.fit(ONE, decay=2.0), ONE, parameters=MATRIX > 0),
        lambda: hawkeys.LogLikelihood(ONE, decay=2.0).value(MATRIX),
        lambda: hawkeys.interop.from_sparklen(MATRIX, 2.0),
    ],
)
def test_labels_that_nobody_knows_are_refused(call):
    with pytest.raises(InvalidParameterError, match=r"with the labels .* is not known here"):
        call()


def test_labels_that_number_from_0_are_none():
    assert Constant(pd.DataFrame([[0.4], [0.15]])).rates.tolist() == [[0.4], [0.15]]
    assert kernels.Exponential(pd.Series([1.0, 2.0], index=[0, 1])).decay.tolist() == [1.0, 2.0]
