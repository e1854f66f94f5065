"""Every reader against cut, shuffled, doubled and mixed files: documented errors, full tallies."""

import json

import numpy as np
import pytest
from damage import fresh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from invented_logs import FILES

from hawkeys.datasets import pair_events, read_key_events
from hawkeys.exceptions import DatasetError

FUZZ = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
JUNK = st.sampled_from(["", "x", "\ufeff", "}", "[", '"', "Key.enter", "KEY_A", "\t\t\t", "1 2 3",
                        "999999999999999999999", "-1,-1,-1", "nan", "\u2028",
                        "user,session"])  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "log"


def damaged(data, text):
    """Return a text cut, shuffled, doubled, with lines of another or with junk."""
    lines = text.split("\n")
    how = data.draw(st.sampled_from(["cut", "shuffle", "double", "drop", "mix", "junk", "letter"]))
    if how == "cut":
        at = data.draw(st.integers(0, len(text)))
        return text[:at] if data.draw(st.booleans()) else text[at:]
    if how == "shuffle":
        return "\n".join(data.draw(st.permutations(lines)))
    if how == "double":
        at = data.draw(st.integers(0, len(lines)))
        return "\n".join([*lines, *lines[at:]])
    if how == "drop":
        kept = data.draw(st.lists(st.integers(0, len(lines) - 1), unique=True, max_size=6))
        return "\n".join(line for k, line in enumerate(lines) if k not in kept)
    if how == "mix":
        other = FILES[data.draw(st.sampled_from(sorted(FILES)))][0].split("\n")
        at, n = data.draw(st.integers(0, len(lines))), data.draw(st.integers(1, 5))
        return "\n".join([*lines[:at], *other[:n], *lines[at:]])
    if how == "junk":
        at = data.draw(st.integers(0, len(lines)))
        return "\n".join([*lines[:at], data.draw(JUNK), *lines[at:]])
    at = data.draw(st.integers(0, max(len(text) - 1, 0)))
    letter = data.draw(st.characters(codec="utf-8", exclude_characters="\r"))
    return text[:at] + letter + text[at + 1 :]


def check(path, text, **options):
    """Read and pair; return True unless the documented error came."""
    message = ""
    try:
        events = read_key_events(path, **options)
        strokes = pair_events(events)
    except DatasetError as error:
        message = str(error)
    if message:
        assert "\n" not in message
        assert len(message) < 2000
        return False
    assert events.tally["read"] == len(events) // (2 if events.paired else 1)
    assert np.isfinite(events.time).all()
    assert events.tally.total <= len(text.split("\n")) + len(text.split("{"))
    for order in ("file", "time"):
        again = pair_events(events, order=order, shift="fold")
        assert again.tally.total == len(events)
    assert strokes.tally.total == len(events)
    assert not (strokes.release < strokes.press).any()
    return True


@pytest.mark.parametrize("name", sorted(FILES))
@FUZZ
@given(data=st.data())
def test_damaged_files(file, name, data):
    text = damaged(data, FILES[name][0])
    fresh(file).write_bytes(text.encode("utf-8", "surrogatepass"))
    kind = data.draw(st.sampled_from(["auto", FILES[name][1]]))
    strict = check(file, text, format=kind)
    lenient = check(file, text, format=kind, on_error="drop")
    assert lenient or not strict or kind == "auto"


@pytest.mark.parametrize("name", ["pynput", "python-evdev", "windows-hook", "buffalo", "greyc-web"])
@FUZZ
@given(data=st.data())
def test_every_line_is_counted(file, name, data):
    """Of formats with one row a line the tally is the number of lines, the header apart."""
    lines = FILES[name][0].split("\n")
    header = lines[0][:4] == "time"
    at = data.draw(st.lists(st.integers(1, len(lines)), max_size=5))
    for place in at:
        lines.insert(place, data.draw(JUNK))
    text = "\n".join(lines)
    fresh(file).write_bytes(text.encode() + b"\n")
    events = read_key_events(file, format=FILES[name][1], on_error="drop")
    assert events.tally.total == len(lines) - header
    assert events.tally["read"] == len(FILES[name][0].split("\n")) - header


@FUZZ
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
                        st.sampled_from(["type", "key", "code", "timeStamp", "events", "repeat",
                                         "keyCode", "event_type", "scan_code", "name", "time",
                                         "user", "attempt"]), inner, max_size=6), max_leaves=20),
       st.sampled_from(["auto", "browser", "keyboard", "jsonl"]))  # fmt: skip
def test_any_json(file, value, kind):
    text = json.dumps(value)
    fresh(file).write_text(text)
    for on_error in ("raise", "drop"):
        check(file, text * 9, format=kind, on_error=on_error)
