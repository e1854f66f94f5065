"""Counts by bins: read, checked, told."""

import numpy as np
import pandas as pd
import pytest

from hawkeys import Events
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError


def test_one_mark_and_bins_of_one_width():
    counts = Events.from_counts([3, 0, 1], width=0.5, start_time=2.0, unit="day")
    assert counts.counts[0].tolist() == [[3], [0], [1]]
    assert counts.edges[0].tolist() == [2.0, 2.5, 3.0, 3.5]
    assert (counts.n_events, counts.n_marks, counts.n_realizations, counts.unit) == (4, 1, 1, "day")
    assert counts.durations.tolist() == [1.5]
    assert repr(counts) == (
        "EventCounts(n_events=4, n_bins=3, n_marks=1, n_realizations=1, unit='day')"
    )


def test_a_frame_has_its_marks_as_columns():
    frame = pd.DataFrame({"a": [1, 2], "b": [0, 4]})
    counts = Events.from_counts(frame, edges=[0.0, 1.0, 4.0])
    assert counts.mark_names == ("a", "b")
    assert counts.totals.tolist() == [3, 4]
    assert Events.from_counts(frame, width=1.0, mark_names=["x", "y"]).mark_names == ("x", "y")


def test_several_realisations():
    tables = [np.array([[1, 0], [2, 2]]), np.array([[5, 1]])]
    counts = Events.from_counts(tables, edges=[[0.0, 1.0, 3.0], [10.0, 11.0]])
    assert counts.n_realizations == 2
    assert counts.durations.tolist() == [3.0, 1.0]
    assert Events.from_counts(np.ones((2, 3, 1)), width=1.0).n_realizations == 2


def test_counts_cannot_be_changed():
    counts = Events.from_counts([3, 0, 1], width=0.5)
    with pytest.raises(ValueError, match="read-only"):
        counts.counts[0][0] = 1
    with pytest.raises(ValueError, match="read-only"):
        counts.edges[0][0] = 1


@pytest.mark.parametrize(
    ("counts", "options", "message"),
    [
        ([1, -2], {"width": 1.0}, "got -2 in bin 1 of mark 0"),
        ([1, 0.5], {"width": 1.0}, r"whole numbers of events, at least 0; got 0\.5"),
        ([], {"width": 1.0}, r"counts must have shape \(n_bins,\)"),
        ([[1], [2]], {"edges": [0.0, 1.0]}, r"2 bins have 3 edges; got shape \(2,\)"),
        ([1, 2], {"edges": [0.0, 1.0, 1.0]}, r"edges must increase; edges\[2\]=1.0"),
        ([1, 2], {"width": 1.0, "mark_names": ["a", "b"]}, "2 names for 1 columns"),
        ([np.ones((2, 1)), np.ones((2, 2))], {"width": 1.0}, "count the same marks"),
        ([np.ones((2, 1))] * 2, {"edges": [[0, 1, 2]]}, "1 lists for 2 realisations"),
    ],
)
def test_what_are_no_counts_is_refused(counts, options, message):
    with pytest.raises(InvalidEventsError, match=message):
        Events.from_counts(counts, **options)


@pytest.mark.parametrize(
    ("counts", "options", "message"),
    [
        ([1, np.nan], {"width": 1.0}, "must be finite"),
        (["a", "b"], {"width": 1.0}, "expected numbers"),
        ([1, 2], {}, "give either edges= .* got neither"),
        ([1, 2], {"width": 1.0, "edges": [0, 1, 2]}, "got both"),
        ([1, 2], {"width": 0.0}, "width"),
        ([1, 2], {"width": 1.0, "unit": "month"}, "unit must be one of"),
    ],
)
def test_options_are_checked(counts, options, message):
    with pytest.raises(InvalidParameterError, match=message):
        Events.from_counts(counts, **options)
