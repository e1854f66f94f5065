"""Columns of a frame that nobody named: read, refused, or left out."""

import pandas as pd
import polars as pl
import pytest

from hawkeys import Events
from hawkeys.exceptions import InvalidEventsError

FRAME = pd.DataFrame({"time": [1.0, 2.0, 3.0, 4.0], "mark": ["a", "b", "a", "b"]})
TWICE = [1, 1, 2, 2]


def read(frame, **how):
    return Events.from_data(frame, end_time=5.0, **how)


@pytest.mark.parametrize(
    "name",
    ["participant", "user_id", "animal", "subject_id", "replicate", "experiment", "group", "city"],
)
@pytest.mark.parametrize("kind", [pd.DataFrame, pl.from_pandas])
def test_a_column_that_could_tell_realisations_apart_is_asked_for(name, kind):
    frame = kind(FRAME.assign(**{name: TWICE}))
    with pytest.raises(InvalidEventsError, match=f"does the column '{name}' tell realisations"):
        read(frame)
    assert read(frame, realization=name).n_realizations == 2
    assert read(frame, time="time", mark="mark").n_realizations == 1


@pytest.mark.parametrize("values", [TWICE, list("wxyz"), [True, False, True, True]])
def test_a_column_of_any_name_that_could_be_labels_is_refused(values):
    with pytest.raises(
        InvalidEventsError,
        match="'cell' would not be read, and could be marks or realisations: write realization="
        "'cell' if it tells realisations apart; leave it out of the frame, or name both",
    ):
        read(FRAME.assign(cell=values))
    with pytest.raises(InvalidEventsError, match="or realisations: leave it out of the frame"):
        read(FRAME.assign(cell=values, run=TWICE))


@pytest.mark.parametrize("values", [[0.5, 2.5, 1.0, 9.0], [7, 7, 7, 7], [[1], [2], [3], [4]]])
def test_measurements_and_constants_are_left_out(values):
    assert read(FRAME.assign(size=values)).mark_names == ("a", "b")
    assert read(FRAME.assign(session="s1")).n_realizations == 1


def test_a_named_index_is_a_column():
    runs = read(FRAME.assign(run=TWICE).set_index("run"))
    assert runs.n_realizations == 2
    assert runs.counts.tolist() == [[1, 1], [1, 1]]
    assert read(FRAME.set_index("time")).times.tolist() == [1.0, 2.0, 3.0, 4.0]
    both = FRAME.assign(run=TWICE, cell=[1, 2, 1, 2]).set_index(["run", "cell"])
    with pytest.raises(InvalidEventsError, match="the column 'cell' would not be read"):
        read(both)
    with pytest.raises(InvalidEventsError, match="does the column 'user' tell realisations"):
        read(FRAME.assign(user=TWICE).set_index("user"))


def test_a_named_index_that_numbers_rows_is_none():
    numbered = FRAME.rename_axis("row")
    assert read(numbered).n_realizations == 1
    assert read(numbered[["time"]]).n_marks == 1


@pytest.mark.parametrize("first", ["1.5", "-2", "1e3", "2024-03-01T00:00:00", "01.03.2024"])
def test_a_header_that_is_an_event_is_refused(first):
    frame = pd.DataFrame({first: [2.5, 3.0]})
    with pytest.raises(InvalidEventsError, match=r"its event would be lost.*header=None"):
        read(frame)
    assert read(frame, time=first).times.tolist() == [2.5, 3.0]


def test_columns_numbered_by_pandas_are_names():
    assert read(pd.DataFrame([2.5, 3.0])).times.tolist() == [2.5, 3.0]
