"""Message files of LOBSTER: their types, the side of a trade, nanoseconds and halts."""

import numpy as np
import pytest

from hawkeys.exceptions import EventsWarning, InvalidEventsError, InvalidParameterError
from hawkeys.interop import events_from_lobster

NAME = "AAPL_2012-06-21_34200000_57600000_message_10.csv"
# time, type, order id, size, price, direction of the order that rested
MESSAGES = [
    "34200.004241176,1,16113575,18,5853300,1",
    "34200.004260640,4,16113575,10,5853300,1",
    "34200.004260641,4,16113584,5,5853400,-1",
    "34200.004260641,4,16113585,7,5853500,-1",
    "34201.5,5,0,40,5853900,0",
    "34202,2,16113594,3,5854000,1",
    "34203.25,3,16113594,15,5854000,1",
    "57600,6,-1,900,5855000,-1",
]


def written(tmp_path, messages=MESSAGES, name=NAME):
    path = tmp_path / name
    path.write_text("".join(f"{line}\n" for line in messages), encoding="utf-8")
    return path


def test_trades_have_the_side_of_the_order_that_came_last(tmp_path):
    """A buy order that rested was hit by a seller; of hidden ones the side is not known."""
    events = events_from_lobster(written(tmp_path))
    assert events.mark_names == ("buy", "sell", "hidden")
    np.testing.assert_array_equal(events.marks, [1, 0, 0, 2])
    np.testing.assert_array_equal(events.values, [10.0, 5.0, 7.0, 40.0])
    # nanoseconds are kept, and the fills of one order are one moment
    np.testing.assert_array_equal(
        events.times, [34200.004260640, 34200.004260641, 34200.004260641, 34201.5]
    )
    assert events.n_ties == 1
    assert (events.start_times[0], events.end_times[0], events.unit) == (34200.0, 57600.0, "s")


def test_hidden_executions_that_have_a_direction_stay_of_unknown_side(tmp_path):
    """Older files write one; it says nothing of the aggressor."""
    for side in (-1, 0, 1):
        path = written(tmp_path, [f"34201.5,5,0,40,5853900,{side}"])
        assert events_from_lobster(path).counts.tolist() == [[0, 0, 1]]


def test_types(tmp_path):
    events = events_from_lobster(written(tmp_path), marks="types")
    assert events.mark_names == (
        "submission", "cancellation", "deletion", "execution", "hidden execution", "auction"
    )  # fmt: skip
    np.testing.assert_array_equal(events.marks, [0, 3, 3, 3, 4, 1, 2, 5])
    assert events.n_events == len(MESSAGES)  # one at the end of the window among them


def test_marks_by_a_function(tmp_path):
    def side(messages):
        assert list(messages) == ["time", "type", "order_id", "size", "price", "direction"]
        messages["type"] *= 2  # its own copy
        return np.where(messages["size"] >= 10, "large", None)

    events = events_from_lobster(written(tmp_path), marks=side)
    assert (events.mark_names, events.n_events) == (("large",), 5)
    by_price = events_from_lobster(
        written(tmp_path), marks=lambda m: (m["price"] > 5_853_900).map({True: 1, False: 0})
    )
    assert (by_price.mark_names, by_price.counts.tolist()) == (("0", "1"), [[5, 3]])
    with pytest.raises(InvalidParameterError, match=r"one label for each of the 8 messages"):
        events_from_lobster(written(tmp_path), marks=lambda m: ["a"])
    with pytest.raises(InvalidEventsError, match="no event is left"):
        events_from_lobster(written(tmp_path), marks=lambda m: [None, np.nan] * 4)


def test_days_are_realisations_with_the_marks_of_all(tmp_path):
    first = written(tmp_path, MESSAGES[:2])
    second = written(tmp_path, MESSAGES[4:], "AAPL_2012-06-22_34200000_57600000_message_10.csv")
    events = events_from_lobster([first, str(second)])
    np.testing.assert_array_equal(events.counts, [[0, 1, 0], [0, 0, 1]])
    by_size = events_from_lobster([second, first], marks=lambda m: m["size"].astype(str))
    assert by_size.mark_names == ("15", "3", "40", "900", "10", "18")
    np.testing.assert_array_equal(by_size.counts, [[1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]])
    np.testing.assert_array_equal(by_size.values, [40.0, 3.0, 15.0, 900.0, 18.0, 10.0])
    none = events_from_lobster(written(tmp_path, MESSAGES[:1]))
    assert (none.n_events, none.n_marks, none.n_realizations) == (0, 3, 1)


def test_the_window_is_that_of_the_name_or_given(tmp_path):
    path = written(tmp_path, MESSAGES, "messages.csv")
    with pytest.raises(InvalidParameterError, match=r"the name does not say .*window=\(34200"):
        events_from_lobster(path)
    assert events_from_lobster(path, window=(34_000, 58_000)).durations.tolist() == [24_000.0]
    part = written(tmp_path, MESSAGES[:4], "AAPL_2012-06-21_34200000_34200500_message_1.csv")
    assert events_from_lobster(part).end_times.tolist() == [34200.5]
    with pytest.raises(
        InvalidEventsError, match=r"line 8: the time 57600\.0 lies outside .*between"
    ):
        events_from_lobster(path, window=(34_200, 57_000))
    for window in ((3.0, 2.0), (34_200,), 5.0):
        with pytest.raises(InvalidParameterError, match="window must be start and end"):
            events_from_lobster(path, window=window)


def halt(time, price):
    return f"{time},7,0,0,{price},-1"


def trade(time):
    return f"{time},4,1,10,5853300,1"


def test_halts_cut_the_day_and_are_said(tmp_path):
    """By rows: a trade at the very moment of a halt is before or after it, as in the file."""
    lines = [
        trade(34_300), trade(36_000), halt(36_000, -1), "36100,3,1,10,5853300,1", halt(36_200, 0),
        halt(36_300, 1), trade(36_300), trade(40_000), halt(50_000, -1), halt(50_001, -1),
    ]  # fmt: skip
    with pytest.warns(EventsWarning, match=(
        r"halted, 36000 to 36300, 50000 to 57600 s after midnight\. The day is 2 real.*; 6 messages"
    )):  # fmt: skip
        events = events_from_lobster(written(tmp_path, lines), marks="types")
    np.testing.assert_array_equal(events.start_times, [34_200.0, 36_300.0])
    np.testing.assert_array_equal(events.end_times, [36_000.0, 50_000.0])
    np.testing.assert_array_equal(events.times, [34_300.0, 36_000.0, 36_300.0, 40_000.0])
    assert events.counts[:, 3].tolist() == [2, 2]


@pytest.mark.parametrize("first", [[halt(34_900, 0)], []])
def test_a_halt_from_before_the_day(tmp_path, first):
    lines = [*first, halt(35_000, 1), trade(35_001), halt(35_002, 1)]
    with pytest.warns(EventsWarning, match="halted, 34200 to 35000 s .* is 1 realisations"):
        events = events_from_lobster(written(tmp_path, lines))
    assert (events.start_times.tolist(), events.end_times.tolist()) == ([35_000.0], [57_600.0])
    assert events.times.tolist() == [35_001.0]  # trading that goes on already is no event
    with pytest.warns(EventsWarning, match="halted"):
        every = events_from_lobster(written(tmp_path, lines), marks=lambda m: m["type"])
    assert every.times.tolist() == [35_001.0]


def test_a_day_without_trading(tmp_path):
    with pytest.raises(InvalidEventsError, match="trading was halted all the time"):
        events_from_lobster(written(tmp_path, [halt(34_200, -1)]))


def changed(k, line):
    return [*MESSAGES[:k], line, *MESSAGES[k + 1 :]]


@pytest.mark.parametrize(
    ("messages", "match"),
    [
        (
            ["Time,Type,ID,Size,Price,Direction", *MESSAGES],
            "line 1: the time must be a number; got",
        ),
        (changed(1, "34201,4,1,,5853300,1"), "line 2: the size must be a number"),
        (changed(1, "34200.0043,8,1,10,5853300,1"), "line 2: the type is 8; LOBSTER has 1 to 7"),
        (changed(1, "34200.0043,4,1,10,5853300,2"), "line 2: the direction is 2; .* -1 to 1"),
        (changed(1, "34200.0043,4,1,-10,5853300,1"), "line 2: the size is negative"),
        (changed(1, "34200.00425,4,1,10,5853300,0"), r"line 2: .*\(type 4\) has the direction 0"),
        (changed(1, "34200.00425,7,0,0,5,-1"), "line 2: the price of a halt is -1"),
        (changed(1, "34200.0042,4,1,10,5853300,1"), r"line 2: the time 34200\.0042 is before"),
        (changed(1, "34100,4,1,10,5853300,1")[1:], r"line 1: the time 34100\.0 lies outside"),
        (["5859400,200,5853300,18"], "the 6 columns time, .*; got 4. Files named ..._orderbook_"),
        ([], "is empty"),
        ([MESSAGES[0], MESSAGES[0] + ",1"], "cannot be read"),
    ],
)
def test_files_that_are_wrong(tmp_path, messages, match):
    with pytest.raises(InvalidEventsError, match=match):
        events_from_lobster(written(tmp_path, messages))


def test_arguments_that_are_wrong(tmp_path):
    with pytest.raises(InvalidEventsError, match="cannot be read"):
        events_from_lobster(tmp_path / NAME)
    with pytest.raises(InvalidParameterError, match="marks must be"):
        events_from_lobster(written(tmp_path), marks="trade")
    with pytest.raises(InvalidParameterError, match="paths is empty"):
        events_from_lobster([])
