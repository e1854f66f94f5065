"""The quick reader of plain tables says what the reader of lines says, or leaves it to that."""

import numpy as np
import pandas as pd
import pytest
from damage import fresh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hawkeys.datasets import pair_events, read_key_events
from hawkeys.datasets._tables.codes import codes_of, group_numbers
from hawkeys.datasets.key_events import _rows as event_rows
from hawkeys.exceptions import DatasetError

LABELS = st.one_of(
    st.sampled_from(["1", "01", "1.0", "a", "A", " a", "a ", "  ", "ß", "zoë", "Backspace",
                     "日本語", "ShiftLeftAndMore",
                     "a\u2028b", "nan", "NA", "True", "x" * 9, "x" * 120]),
    st.text(st.characters(codec="utf-8", exclude_characters=',"\r\n\0;\t|'), min_size=1,
            max_size=20),
)  # fmt: skip
TIMES = st.one_of(
    st.floats(0, 1e6).map(repr), st.sampled_from(["0", "1e3", " 2", "-0", "1700000000.123456"])
)
ROWS = st.lists(
    st.tuples(LABELS, LABELS, LABELS, st.sampled_from(["down", "up"]), TIMES),
    min_size=1,
    max_size=12,
)
FIELDS = ("user", "session", "key", "time", "down")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("quick") / "log.csv"


def read(path):
    try:
        return read_key_events(path, on_error="drop")
    except DatasetError as error:
        return str(error)


@settings(max_examples=200, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(rows=ROWS, end=st.sampled_from(["", "\n", "\n\n\n"]))
def test_equal_to_the_reader_of_lines(file, rows, end):
    text = "user,session,key,type,time\n" + "\n".join(",".join(row) for row in rows) + end
    fresh(file).write_bytes(text.encode())
    quick = read(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_rows, "_quick_rows", lambda *_: None)
        slow = read(file)
    if isinstance(quick, str) or isinstance(slow, str):
        assert quick == slow
        return
    for name in FIELDS:
        assert np.array_equal(getattr(quick, name), getattr(slow, name)), name
    assert quick.tally == slow.tally
    assert quick.dropped == slow.dropped
    assert quick.groups().tolist() == slow.groups().tolist()


def test_it_is_taken_for_plain_tables_only():
    head = "user,session,key,press,release\n"
    plain = head + "ann,1,a,0.5,0.75\n"
    for text, taken in [(plain, True), (plain.replace("\n", "\r\n"), True), (plain + "\n\n", True),
                        (plain + "ann,1,b,1\n", False), (plain + "ann,1,b,1,2,3\n", False),
                        (plain + 'ann,1,"b",1,2\n', False), (plain + "\nann,1,b,1,2\n", False),
                        (plain + "ann,1,b,x,2\n", False), (plain + "ann,1,b,1,\n", False),
                        (plain.replace("0.5", "1e300"), False), (head, False)]:  # fmt: skip
        found = event_rows._quick_rows(text, ",", {}, ())
        assert (found is not None) == taken, text


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["a", "b", "ab", "a\0b", "x" * 17, "x" * 18, "ß", ""]), min_size=1))
def test_numbers_of_labels(labels):
    array = np.array(labels, dtype=np.str_)
    first = {}
    expected = [first.setdefault(label, len(first)) for label in array.tolist()]
    assert codes_of(array).tolist() == expected
    lengths = np.array([len(label) for label in labels])
    pairs, seen = list(zip(array.tolist(), lengths.tolist(), strict=True)), {}
    expected = [seen.setdefault(pair, len(seen)) for pair in pairs]
    assert group_numbers(array, None, lengths).tolist() == expected


def test_a_long_log_has_the_strokes_of_its_parts(tmp_path):
    """What is added up over a long file is what its recordings give one by one."""
    rng = np.random.default_rng(0)
    n = 4000
    press = np.cumsum(rng.exponential(0.2, n)).round(6)
    release = (press + rng.gamma(4, 0.025, n)).round(6)
    frame = pd.DataFrame({
        "user": np.tile(np.repeat([f"user{k}" for k in range(8)], n // 8), 2),
        "session": np.tile(np.arange(n) // (n // 40) % 5, 2),
        "key": np.tile(rng.choice(list("abcdefgh"), n), 2),
        "type": np.repeat(["down", "up"], n),
        "time": np.concatenate([press, release]),
    }).sort_values("time", kind="stable")  # fmt: skip
    frame.to_csv(tmp_path / "log.csv", index=False)
    whole = pair_events(read_key_events(tmp_path / "log.csv"))
    parts = [pair_events(read_key_events(part))
             for _, part in frame.groupby(["user", "session"], sort=False)]  # fmt: skip
    assert whole.tally == {
        rule: sum(part.tally.get(rule, 0) for part in parts) for rule in whole.tally
    }
    assert np.array_equal(np.concatenate([part.press for part in parts]), whole.press)
    assert np.array_equal(np.concatenate([part.release for part in parts]), whole.release)
