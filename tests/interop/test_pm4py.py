"""Event logs of pm4py: frames as it formats them, and its EventLog, whose attributes are recorded.

Where pm4py is not installed its part skips; all of it passed with pm4py 2.7.23.11.
"""

import warnings
from collections import UserDict, UserList

import numpy as np
import pandas as pd
import pytest

from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.interop import events_from_pm4py

CASE, ACTIVITY, TIME = "case:concept:name", "concept:name", "time:timestamp"
STEP = "lifecycle:transition"
DRAWN = pd.Timestamp("2024-02-01", tz="UTC")
ROWS = [
    ("20", "open", "2024-01-02 00:00"),
    ("17", "open", "2024-01-01 06:00"),
    ("17", "pay", "2024-01-03 12:00"),
    ("17", "close", "2024-01-03 12:00"),
    ("20", "close", "2024-01-12 00:00"),
]


def frame(rows=ROWS, *, resolution="us", **columns):
    out = pd.DataFrame(rows, columns=[CASE, ACTIVITY, TIME])
    out[TIME] = pd.to_datetime(out[TIME], utc=True).astype(f"datetime64[{resolution}, UTC]")
    return out.assign(**columns)


class Trace(UserList):
    def __init__(self, events, **attributes):
        super().__init__(events)
        self.attributes = attributes


class Event(UserDict):
    pass


def log(rows=ROWS, **more):
    """Return what an EventLog is: traces in a list, whose events are mappings."""
    traces = {case: Trace([], **{"concept:name": case}) for case, *_ in rows}
    for k, (case, activity, time) in enumerate(rows):
        stamp = pd.Timestamp(time, tz="UTC")
        one = {ACTIVITY: activity, TIME: stamp} | {key: of[k] for key, of in more.items()}
        traces[case].append(Event(one))
    return list(traces.values())


def as_pm4py(*, traces):
    """Return the log as pm4py itself makes it."""
    pm4py = pytest.importorskip("pm4py", reason="pm4py is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = frame().rename(columns={CASE: "who", ACTIVITY: "what", TIME: "when"})
        made = pm4py.format_dataframe(plain, case_id="who", activity_key="what",
                                      timestamp_key="when")  # fmt: skip
        return pm4py.convert_to_event_log(made) if traces else made


FORMS = {
    "frame": frame,
    "frame of nanoseconds": lambda: frame(resolution="ns"),
    "frame of seconds": lambda: frame(resolution="s"),
    "traces": log,
    "frame of pm4py": lambda: as_pm4py(traces=False),
    "EventLog of pm4py": lambda: as_pm4py(traces=True),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_case_is_a_realisation_and_ties_keep_their_order(form):
    events = events_from_pm4py(FORMS[form](), start_time=pd.Timestamp("2024-01-01", tz="UTC"),
                               end_time=DRAWN, unit="h")  # fmt: skip
    assert events.mark_names == ("close", "open", "pay")
    np.testing.assert_array_equal(events.times, [6.0, 60.0, 60.0, 24.0, 264.0])
    np.testing.assert_array_equal(events.marks, [1, 2, 0, 1, 0])  # pay before close
    np.testing.assert_array_equal(events.offsets, [0, 3, 5])
    np.testing.assert_array_equal(events.end_times, [744.0, 744.0])
    assert events.clock.show(0.0) == "2024-01-01T00:00:00+00:00"


def test_windows_are_stated(tmp_path):
    with pytest.raises(TypeError, match="start_time"):
        events_from_pm4py(frame(), end_time=DRAWN, unit="day")
    opened = {"17": "2024-01-01T00:00Z", "20": "2024-01-01T12:00Z", "21": "2024-01-05T00:00Z"}
    ends = dict.fromkeys(opened, DRAWN)
    events = events_from_pm4py(frame(), start_time=opened, end_time=ends, unit="day")
    np.testing.assert_array_equal(events.start_times, [0.0, 0.5, 4.0])
    np.testing.assert_array_equal(events.counts.sum(axis=1), [3, 2, 0])  # case 21 is silent
    words = events_from_pm4py(frame(), start_time="first", end_time="last", unit="day")
    np.testing.assert_array_equal(words.start_times, [0.0, 0.75])
    np.testing.assert_array_equal(words.end_times, [2.25, 10.75])
    short = {"17": DRAWN, "20": pd.Timestamp("2024-01-03", tz="UTC")}
    with pytest.raises(
        InvalidEventsError, match=r"realization 1: .*2024-01-12.* outside the window"
    ):
        events_from_pm4py(frame(), start_time="first", end_time=short, unit="day")
    with pytest.raises(InvalidEventsError, match="no entry for realisation '20'"):
        events_from_pm4py(frame(), start_time="first", end_time={"17": DRAWN}, unit="day")
    with pytest.raises(InvalidEventsError, match="window must end after it starts"):
        events_from_pm4py(frame(ROWS[:1]), start_time="first", end_time="last", unit="day")
    for wrong in ("last", 0.0, [DRAWN] * 2):
        with pytest.raises((InvalidParameterError, InvalidEventsError), match="start_time"):
            events_from_pm4py(frame(), start_time=wrong, end_time=DRAWN, unit="day")
    with pytest.raises(InvalidParameterError, match="have a time zone"):
        events_from_pm4py(frame(), start_time="2024-01-01", end_time=DRAWN, unit="day")
    with pytest.raises(InvalidParameterError, match="unit must be"):
        events_from_pm4py(frame(), start_time="first", end_time=DRAWN, unit="month")


def test_the_frame_of_the_caller_stays_as_it_is():
    mine = frame(**{STEP: "complete"}).set_index(pd.Index([3, 3, 1, 0, 2]))
    before = mine.copy()
    events = events_from_pm4py(mine, start_time="first", end_time=DRAWN, unit="day",
                               lifecycle="COMPLETE")  # fmt: skip
    assert events.n_events == 5
    pd.testing.assert_frame_equal(mine, before)


def test_empty_traces_are_cases_without_an_event():
    made = [*log(), Trace([], **{"concept:name": "18"})]
    start = pd.Timestamp("2024-01-01", tz="UTC")
    events = events_from_pm4py(made, start_time=start, end_time=DRAWN, unit="day")
    np.testing.assert_array_equal(events.counts.sum(axis=1), [3, 0, 2])
    with pytest.raises(InvalidEventsError, match="no entry for realisation '18'"):
        events_from_pm4py(made, start_time="first", end_time=DRAWN, unit="day")


@pytest.mark.parametrize("made", [
    lambda steps: frame(**{STEP: steps}), lambda steps: log(**{STEP: steps}),
])  # fmt: skip
def test_lifecycle(made):
    """An activity that starts and completes is two rows: which are the events is said."""
    steps = ["start", "COMPLETE", "complete", "start", "complete"]
    asked = {"start_time": pd.Timestamp("2024-01-01", tz="UTC"), "end_time": DRAWN, "unit": "day"}
    with pytest.raises(InvalidEventsError, match=r"several times.*'complete', 'start'\. Choose"):
        events_from_pm4py(made(steps), **asked)
    events = events_from_pm4py(made(steps), **asked, lifecycle="complete")
    np.testing.assert_array_equal(events.times, [0.25, 2.5, 11.0])
    assert events_from_pm4py(made(steps), **asked, lifecycle="Start").n_events == 2
    for wrong in ("resume", 1):
        with pytest.raises(
            InvalidParameterError, match=r"lifecycle must be one of .*'complete', 'st"
        ):
            events_from_pm4py(made(steps), **asked, lifecycle=wrong)
    assert (
        events_from_pm4py(made(["Complete", "complete"] + ["COMPLETE"] * 3), **asked).n_events == 5
    )
    with pytest.raises(InvalidEventsError, match="'complete', 'missing'"):
        events_from_pm4py(made([None, *["complete"] * 4]), **asked)
    with pytest.raises(InvalidParameterError, match="the log has no 'lifecycle:transition'"):
        events_from_pm4py(frame(), **asked, lifecycle="complete")
    assert events_from_pm4py(made([None] * 5), **asked, lifecycle=None).n_events == 5


def test_other_columns():
    mine = frame().rename(columns={CASE: "who", ACTIVITY: "what", TIME: "when"})
    with pytest.raises(
        InvalidEventsError, match=r"no column 'case:concept:name'; it has 'who'.*names="
    ):
        events_from_pm4py(mine, start_time="first", end_time=DRAWN, unit="day")
    events = events_from_pm4py(mine, start_time="first", end_time=DRAWN, unit="day",
                               names=("who", "what", "when"))  # fmt: skip
    assert events.n_events == 5


@pytest.mark.parametrize(
    ("made", "match"),
    [
        (lambda: frame(ROWS[:0]), "the log has no event"),
        (list, "the log has no event"),
        (lambda: "log.xes", r"expected a pandas\.DataFrame or an EventLog .* got 'log\.xes'"),
        (lambda: [1, 2], r"expected a pandas\.DataFrame or an EventLog"),
        (lambda: [*log(), Trace([], **{"concept:name": "17"})], "has that of trace 1, '17'"),
        (lambda: [Trace([])], "trace 0 has no 'concept:name'"),
        (lambda: [Trace([{TIME: DRAWN}], **{"concept:name": "1"})],
         r"trace 0 \('1'\), event 0: there is no 'concept:name'; there are 'time:timestamp'"),
        (lambda: frame([(None, "a", "2024-01-01")]), "is empty at row 0"),
        (lambda: frame([("1", None, "2024-01-01")]), "is empty at row 0"),
        (lambda: frame([("1", "a", None)]), "is empty at row 0|missing"),
        (lambda: frame().astype({TIME: str}), "times must be numbers or dates|text"),
    ],
)  # fmt: skip
def test_logs_that_are_wrong(made, match):
    with pytest.raises(InvalidEventsError, match=match):
        events_from_pm4py(made(), start_time="first", end_time=DRAWN, unit="day")
