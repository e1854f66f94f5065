"""Events cut in time, by mark, joined, described and drawn; against loops over single events."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import hawkeys
from hawkeys import Events
from hawkeys.exceptions import EventsWarning, InvalidEventsError, InvalidParameterError

LISTS = [[[1.0, 2.0, 2.5], [2.0]], [[], [0.5, 4.0]], [[7.0], []]]
STARTS, ENDS = [0.0, 0.5, 6.0], [3.0, 5.0, 8.0]


@pytest.fixture
def events():
    return Events.from_lists(LISTS, start_times=STARTS, end_times=ENDS, mark_names=["a", "b"])


def slowly(start, end):
    """Realisations (lists per mark, window) between two times, event by event."""
    out = []
    for lists, first, last in zip(LISTS, STARTS, ENDS, strict=True):
        low, high = max(first, start), min(last, end)
        if low < high:
            kept = [
                [t for t in times if (low < t or (t == low == first)) and t <= high]
                for times in lists
            ]
            out.append((kept, low, high))
    return out


@pytest.mark.parametrize("window", [(0.0, 9.0), (1.0, 2.0), (2.0, 4.0), (0.5, 7.0), (3.0, 6.5)])
def test_between(events, window):
    part = events.between(*window)
    expected = slowly(*window)
    assert [[t.tolist() for t in lists] for lists in part.to_lists()] == [e[0] for e in expected]
    assert part.start_times.tolist() == [e[1] for e in expected]
    assert part.end_times.tolist() == [e[2] for e in expected]
    assert part.mark_names == ("a", "b")
    assert not part.times.flags.writeable


def test_nothing_between(events):
    with pytest.raises(InvalidParameterError, match=r"no window overlaps the time from 9.0"):
        events.between(9.0)
    with pytest.raises(InvalidParameterError, match="start must be one moment"):
        events.between([1.0, 2.0])


@pytest.mark.parametrize("at", [0.75, 2.0, 2.25])
def test_split_loses_nothing_and_doubles_nothing(events, at):
    first, second = events.split(at)
    assert first.n_events + second.n_events == events.n_events
    assert first.durations.sum() + second.durations.sum() == events.durations.sum()
    assert first.end_times.max() == at
    assert (second.times > at).all()


def test_split_by_share(events):
    first, second = events.split(share=0.5)
    assert first.end_times.tolist() == [1.5, 2.75, 7.0]
    assert second.start_times.tolist() == [1.5, 2.75, 7.0]
    assert [t.tolist() for t in first.to_lists()[2]] == [[7.0], []]
    assert second.counts.tolist() == [[2, 1], [0, 1], [0, 0]]
    with pytest.raises(InvalidParameterError, match="give exactly one of at="):
        events.split(1.0, share=0.5)
    with pytest.raises(InvalidParameterError, match="share must be one number strictly between"):
        events.split(share=1.0)


def test_likelihoods_of_parts_of_a_poisson_process_add_up(events):
    process = hawkeys.Hawkes([0.5, 0.2], np.zeros((2, 2)), decay=1.0)
    total = sum(process.log_likelihood(part) for part in events.split(2.0))
    assert total == pytest.approx(process.log_likelihood(events), rel=1e-14)


def test_marks(events):
    part = events.with_marks(["b", "a"])
    assert part.mark_names == ("b", "a")
    assert [[t.tolist() for t in lists] for lists in part.to_lists()] == [x[::-1] for x in LISTS]
    assert events.with_marks("b").counts.tolist() == [[1], [2], [0]]
    assert events.with_marks([1]).mark_names == ("b",)
    with pytest.raises(InvalidParameterError, match=r"mark must be a name \('a', 'b'\)"):
        events.with_marks(["c"])
    with pytest.raises(InvalidParameterError, match="each once"):
        events.with_marks(["a", "a"])


def test_joined(events):
    both = Events.joined([events[:2], events[2]])
    for name in ("times", "marks", "offsets", "start_times", "end_times"):
        np.testing.assert_array_equal(getattr(both, name), getattr(events, name))
    with pytest.raises(InvalidEventsError, match="part 1 has marks"):
        Events.joined([events, events.with_marks("a")])
    with pytest.raises(InvalidEventsError, match="expected a list of Events; got an empty list"):
        Events.joined([])


def dated(day, hours):
    start = np.datetime64(day, "s")
    return Events.from_data(
        start + np.array(hours, dtype="m8[h]"),
        unit="h", start_time=start, end_time=start + np.timedelta64(1, "D"),
    )  # fmt: skip


def test_dates_joined_and_cut():
    both = Events.joined([dated("2024-03-02", [3]), dated("2024-03-01", [1, 5])])
    assert both.times.tolist() == [27.0, 1.0, 5.0]
    assert both.dates.astype("M8[h]").astype(str).tolist() == [
        "2024-03-02T03", "2024-03-01T01", "2024-03-01T05",
    ]  # fmt: skip
    part = both.between("2024-03-01T04:00", pd.Timestamp("2024-03-02T02:00"))
    assert part.times.tolist() == [5.0]
    assert part.end_times.tolist() == [26.0, 24.0]
    with pytest.raises(InvalidParameterError, match="start must be a date"):
        both.between(4.0)


def test_origins_stay_exact():
    now = 1_700_000_000_000_000_000
    events = Events.from_lists([[[now + 5, now + 9]]], start_times=now, end_times=now + 20)
    part = events.between(now + 5, now + 10)
    assert (part.times.tolist(), part.start_times.tolist(), part.origins) == ([9.0], [5.0], (now,))


def test_description(events):
    table = events.describe()
    assert table.index.tolist() == ["a", "b"]
    assert table["n_events"].tolist() == [4, 3]
    assert table["rate"].tolist() == [4 / 9.5, 3 / 9.5]
    assert table["n_realizations"].tolist() == [2, 2]
    assert table["median_gap"].tolist() == [0.75, 3.5]  # of 1, 0.5 and of 3.5
    assert table["first"].tolist() == [1.0, 0.5]
    assert table["last"].tolist() == [7.0, 4.0]
    days = dated("2024-03-01", [1, 5]).describe()
    assert days["last"].tolist() == [pd.Timestamp("2024-03-01T05")]


def test_picture(events):
    ax = events.plot(Figure().subplots(), realization=0)
    ticks = [[path[0, 0] for path in lines.get_segments()] for lines in ax.collections]
    assert ticks == [[1.0, 2.0, 2.5], [2.0]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert ax.get_xlim() == (0.0, 3.0)
    days = dated("2024-03-01", [1, 5]).plot(Figure().subplots())
    assert days.get_xlabel() == "date"
    first, last = days.get_xlim()
    assert last - first == 1.0  # matplotlib counts days
    with pytest.raises(InvalidParameterError, match=r"realization must lie in 0\.\.2; got 3"):
        events.plot(realization=3)


@pytest.mark.parametrize("seed", range(8))
def test_ties_are_counted_within_realisations(seed):
    """Not across their borders, wherever empty ones stand; counted once, and again of a part."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 5, 12)
    each = [np.sort(rng.integers(0, 4, size)).astype(float) for size in sizes]
    events = hawkeys.Events.from_arrays(
        np.concatenate(each), np.zeros(sizes.sum(), dtype=int),
        offsets=np.append(0, np.cumsum(sizes)), end_times=4.0, n_marks=1,
    )  # fmt: skip
    ties = [sum(a == b for a, b in zip(times[1:], times[:-1], strict=True)) for times in each]
    assert events.n_ties == events.n_ties == sum(ties)
    assert events[3:7].n_ties == sum(ties[3:7])
    assert hawkeys.Events.from_arrays([], [], end_times=1.0, n_marks=1).n_ties == 0


def test_a_share_given_as_a_moment_is_told():
    events = Events.from_lists([[np.linspace(3.0, 299.0, 301)]], end_times=300.0)
    with pytest.warns(EventsWarning, match=r"split\(at=0.7\): the first part has none of the 301"):
        first, second = events.split(0.7)
    assert (first.n_events, second.n_events) == (0, 301)
    assert [part.n_events for part in events.split(at=299.5)] == [301, 0]  # no share
    assert [part.n_events for part in events.split(share=0.5)] == [149, 152]
    assert [part.n_events for part in events.split(at=150.0)] == [149, 152]
    silent = Events.from_lists([[[]]], end_times=300.0)
    assert [part.n_events for part in silent.split(at=5.0)] == [0, 0]
