"""Every format: invented typing as its logger writes it, read back to the microsecond."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest
from invented_logs import (
    EPOCH,
    FILES,
    STROKES,
    YEAR_1,
    aalto,
    browser_objects,
    evtest,
    libinput,
    pynput,
    seconds,
)

from hawkeys.datasets import available_formats, pair_events, read_key_events, to_keystrokes
from hawkeys.exceptions import DatasetError


@pytest.fixture
def place(tmp_path):
    """Return a function that writes a file and returns its path."""

    def write(content, name="log.txt"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("name", FILES)
def test_equal_to_the_truth(place, name, ends):
    text, kind, whole, capital = FILES[name]
    found = read_key_events(place(text.replace("\n", ends) + ends))
    assert found.format == kind
    strokes = pair_events(found)
    expected = [
        (key if capital else key if len(key) > 1 else key.lower(), press, release)
        for key, press, release in STROKES
    ]
    assert [key.replace("ShiftLeft", "Shift") for key in strokes.key.tolist()] == [
        key for key, _, _ in expected
    ]
    start = strokes.press[0]
    for times, place_ in ((strokes.press, 1), (strokes.release, 2)):
        true = np.array([row[place_] for row in expected])
        origin = expected[0][1]
        if whole:
            true, origin = true // 1000 * 1000, origin // 1000 * 1000
        assert np.array_equal(np.round((times - start) * 1e6), true - origin)
    assert strokes.tally == {"paired": 2 * len(STROKES)}
    assert found.tally["read"] * (2 if found.paired else 1) == 2 * len(STROKES)
    header = kind in ("csv", "aalto", "lsia") or text.split("\n")[0][:4].lower() == "time"
    if text[:1] not in "[{" and not header:
        assert found.tally.total == len(text.split("\n"))


@pytest.mark.parametrize("name", FILES)
def test_the_named_format_reads_the_same(place, name):
    text, kind, _, _ = FILES[name]
    path = place(gzip.compress(text.encode()))
    found, named = read_key_events(path), read_key_events(path, format=kind)
    assert np.array_equal(found.time, named.time)
    assert np.array_equal(found.key, named.key)


def test_every_format_is_listed_and_tried():
    names = [info.name for info in available_formats()]
    assert len(names) == len(set(names)) >= 14
    tried = {kind for _, kind, _, _ in FILES.values()}
    assert tried | {"jsonl", "cmu", "bksd", "keyrecs"} == set(names)
    assert all(info.layout and info.description for info in available_formats())


def test_samples_of_a_text(place):
    """The names of keys agree over the formats."""
    for name in ("pynput", "evtest", "browser array", "aalto", "buffalo", "windows-hook"):
        strokes = pair_events(read_key_events(place(FILES[name][0])), shift="fold")
        typed = to_keystrokes(strokes, text=["H", *"ello 1", "Return"], end_key="enter")
        assert typed.keys == ("H", "e", "l", "l2", "o", " ", "1", "Return")


def test_labels_for_a_file_without_them(place):
    found = read_key_events(place(pynput()), user="bob", session=4)
    assert found.user[0] == "bob"
    assert found.session[0] == 4
    assert read_key_events(place(pynput())).user[0] == "user"
    bare = "key,type,time\na,down,0\na,up,0.1\n"
    with pytest.raises(DatasetError, match=r"no column for 'user', 'session'.*give user and"):
        read_key_events(place(bare))
    assert read_key_events(place(bare), user="bob", session="x").session[0] == "x"


def test_auto_repeat_is_a_value(place):
    values = [(0, 1), (500_000, 2), (533_000, 2), (600_000, 0), (700_000, 2), (800_000, 0)]
    lines = [f"{EPOCH}.{us:06d},KEY_A,{value}" for us, value in values]
    strokes = pair_events(read_key_events(place("\n".join(lines))))
    assert strokes.tally == {"paired": 2, "auto-repeat": 3, "release without press": 1}
    assert strokes.release[0] - strokes.press[0] == pytest.approx(0.6, abs=1e-12)
    rows = [{"type": "keydown", "key": "a", "code": "KeyA", "timeStamp": t, "repeat": t > 0}
            for t in (0, 500, 530)] + [{"type": "keyup", "key": "a", "code": "KeyA",
                                        "timeStamp": 600}]  # fmt: skip
    strokes = pair_events(read_key_events(place(json.dumps(rows))))
    assert strokes.tally == {"paired": 2, "auto-repeat": 2}


def test_evtest_without_leading_zeros(place):
    lines = [f"Event: time {EPOCH}.{us}, type 1 (EV_KEY), code 30 (KEY_A), value {value}"
             for us, value in [(5_000, 1), (95_000, 0), (300_123, 1), (400_000, 0)]]  # fmt: skip
    assert np.round(np.diff(read_key_events(place("\n".join(lines))).time), 6).tolist() == [
        0.09, 0.205123, 0.099877]  # fmt: skip
    broken = lines[0].replace(".5000", ".1700000000") + "\n" + "\n".join(lines)
    with pytest.raises(DatasetError, match="line 1: expected seconds and up to 6 digits"):
        read_key_events(place(broken))


def test_mice_and_other_lines(place):
    text = evtest() + f"\nEvent: time {seconds(5)}, type 1 (EV_KEY), code 272 (BTN_LEFT), value 1\n"
    found = read_key_events(place(text))
    assert found.tally["no key"] == 1
    assert found.tally["other line"] == 2 + 2 * 18


def test_hidden_keys_are_explained(place):
    hidden = libinput().replace("KEY_LEFTSHIFT (42)", "*** (-1)")
    with pytest.raises(DatasetError, match=r"hid the keys of 2 of 18 .*--show-keycodes"):
        read_key_events(place(hidden))
    phone = [{"type": kind, "key": "Unidentified", "code": "", "keyCode": 229, "timeStamp": 5.0 * k}
             for k, kind in enumerate(["keydown", "keyup"] * 4)]  # fmt: skip
    with pytest.raises(DatasetError, match=r"8 of 8 events hide the key .keyCode 229.*phones"):
        read_key_events(place(json.dumps(phone)))
    mixed = json.dumps(browser_objects() + phone)
    with pytest.raises(DatasetError, match=r"8 of 26 events .*on_error=.drop"):
        read_key_events(place(mixed))
    found = read_key_events(place(mixed), on_error="drop")
    assert found.tally == {"read": 18, "hidden key": 8}
    assert "event 19: keyCode 229" in found.dropped[0]


def test_a_browser_that_knows_places_only(place):
    """Under an input method the key is "Process", but its place is known."""
    rows = [{**row, "key": "Process"} for row in browser_objects()]
    found = pair_events(read_key_events(place(json.dumps(rows))))
    assert found.key.tolist()[1:] == ["h", "e", "l", "l", "o", "Space", "1", "Return"]


def test_attempts_of_a_browser_and_pages_loaded_again(place):
    attempts = [{"user": "ann", "session": 3, "events": browser_objects()} for _ in range(3)]
    text = "\n".join(map(json.dumps, attempts))
    found = read_key_events(place(text))
    assert set(found.repetition.tolist()) == {1, 2, 3}
    assert set(found.user.tolist()) == {"ann"}
    typed = to_keystrokes(pair_events(found, shift="fold"), text=[*"Hello 1", "Return"])
    assert typed.repetition.tolist() == [1, 2, 3]
    joined = json.dumps(browser_objects() * 2)  # one list, the page loaded between
    strokes = pair_events(read_key_events(place(joined)))
    assert strokes.notes["clock went back"] == 1


def test_lsia_with_unknown_times(place):
    text = "VK;HT;FT\n65;80;-1\n66;-1;120\n67;90;100\n68;70;-5\n69;60;150\n"
    found = read_key_events(place(text))
    assert found.tally == {"read": 4, "unknown hold": 1}
    assert found.time.tolist() == [0, 0.08, 0.22, 0.31, 0, 0.07, 0.15, 0.21]
    assert found.repetition.tolist() == [1, 1, 1, 1, 2, 2, 2, 2]


def test_aalto_in_latin_1_and_with_broken_rows(place):
    text = aalto().replace("He said", "Pel\xe9")
    assert read_key_events(place(text.encode("latin-1"))).tally == {"read": 9}
    lines = text.split("\n")
    lines[3] = lines[3].rsplit("\t", 3)[0]
    lines[4] = lines[4].replace("\t1700000000", "\tnull", 1)
    broken = place("\n".join(lines))
    with pytest.raises(DatasetError, match=r"line 4: expected 9 cells, .*on_error=.drop"):
        read_key_events(broken)
    found = read_key_events(broken, on_error="drop")
    assert found.tally == {"read": 7, "wrong number of cells": 1, "no time in press": 1}
    assert found.dropped[0].startswith("wrong number of cells: 1 row left out, the first: line 4")


def test_windows_codes_in_hexadecimal_and_alt(place):
    text = "1000,WM_KEYDOWN,0x41\n1080,WM_KEYUP,0x41\n1200,WM_SYSKEYDOWN,66\n1300,WM_SYSKEYUP,66"
    assert pair_events(read_key_events(place(text))).key.tolist() == ["a", "b"]


def test_scan_codes_pair_symbols(place):
    """The package keyboard calls the release of Shift+1 by another name than its press."""
    rows = [("down", 2, "!", 0.0), ("up", 2, "1", 0.08)]
    text = "\n".join(json.dumps({"event_type": kind, "scan_code": code, "name": name, "time": time})
                     for kind, code, name, time in rows)  # fmt: skip
    strokes = pair_events(read_key_events(place(text)), layout=None)
    assert strokes.tally == {"paired": 2}
    assert strokes.key.tolist() == ["!"]


@pytest.mark.parametrize(
    ("written", "name"),
    [("'a'", "a"), ("Key.enter", "Return"), ("'\\''", "'"), ('"\'"', "'"), ("','", ","),
     ("'\\\\'", "\\"), ("'\\x01'", "a"), ("Key.shift_r", "ShiftRight"), ("<65027>", "<65027>"),
     ("' '", "Space"), ("x", "x")],
)  # fmt: skip
def test_keys_of_pynput(place, written, name):
    text = f"{EPOCH}.5,press,'q'\n{EPOCH}.6,press,{written}\n{EPOCH}.7,release,{written}\n"
    assert read_key_events(place(text)).key.tolist() == ["q", name, name]


def test_iso_times_and_dates(place):
    text = ("user,session,key,press,release\n"
            "ann,1,a,2024-05-01T12:00:00.250000,2024-05-01T12:00:00.330001\n")  # fmt: skip
    for unit in (None, "iso"):
        found = read_key_events(place(text), time_unit=unit)
        assert np.round(found.time % 1 * 1e6).tolist() == [250_000, 330_001]
    zoned = place(text.replace("250000,", "250000+02:00,").replace("330001", "330001+02:00"))
    assert read_key_events(zoned).origin == found.origin - 7200
    press = pd.to_datetime(["2024-05-01T12:00:00.25", "2024-05-01T12:00:01.00"])
    frame = pd.DataFrame({"user": "ann", "session": 1, "key": ["a", "b"], "press": press})
    frame["release"] = frame["press"] + pd.Timedelta("80001us")
    for dated in (frame, frame.assign(press=frame["press"].dt.tz_localize("UTC"))):
        one = read_key_events(dated)
        assert np.round((one.time[1::2] - one.time[::2]) * 1e6).tolist() == [80_001] * 2
    with pytest.raises(DatasetError, match=r"column 'press': expected a finite number, got 'noon'"):
        read_key_events(place(text + "ann,1,b,noon,2024-05-01T12:00:01\n"))


@pytest.mark.parametrize(("unit", "per_second"), [("ns", 10**9), ("100ns", 10**7), ("us", 10**6)])
def test_whole_numbers_beyond_doubles_stay_exact(place, unit, per_second):
    start = (YEAR_1 + EPOCH) * per_second
    text = f"user,session,key,press,release\nann,1,a,{start + 1},{start + 1 + per_second // 10}\n"
    found = read_key_events(place(text), time_unit=unit)
    assert found.origin == YEAR_1 + EPOCH
    assert found.time.tolist() == [1 / per_second, (1 + per_second // 10) / per_second]


def test_milliseconds_are_not_taken_for_seconds(place):
    strokes = "user,session,key,press,release\nann,1,a,100,180\nann,1,b,250,360\n"
    with pytest.raises(DatasetError, match=r"the median hold is 95 s with time_unit='s'.*--time-u"):
        read_key_events(place(strokes))
    assert read_key_events(place(strokes), time_unit="ms").time[1] == 0.18
    rows = "".join(f"ann,1,{k % 7},{'down' if k % 2 else 'up'},{90 * k}\n" for k in range(30))
    both = place("user,session,key,type,time\n" + rows)
    with pytest.raises(DatasetError, match="the median step from event to event is 90 s"):
        read_key_events(both)
    with pytest.raises(DatasetError, match="the median step from event to event is 9e-08 s"):
        read_key_events(both, time_unit="ns")


def test_excel(tmp_path):
    pytest.importorskip("openpyxl", reason="reading .xlsx takes the extra xlsx")
    frame = pd.DataFrame(STROKES, columns=["key", "press", "release"])
    frame[["press", "release"]] /= 1e6
    path = tmp_path / "log.xlsx"
    frame.assign(user="ann", session=1).to_excel(path, index=False)
    found = read_key_events(path)
    assert found.format == "xlsx"
    assert found.time[::2].tolist() == frame["press"].tolist()
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(DatasetError, match=r"the \.xlsx file is damaged"):
        read_key_events(path)


def test_cells_after_a_comma_and_a_blank(place):
    text = "user, session, key, type, time\nann, 1, a, down, 0.5\nann, 1, a, up, 0.6\n"
    found = read_key_events(place(text))
    assert found.key.tolist() == ["a", "a"]
    blank = text.replace(", a,", ",  ,")
    assert read_key_events(place(blank)).key.tolist() == [" ", " "]


def test_broken_rows_are_left_out_and_counted(place):
    good = "ann,1,a,{},{}\n"
    rows = [good.format(k, k + 0.1) for k in range(10)]
    rows[2] = "ann,1,a,2\n"
    rows[3] = "ann,1,a,three,3.1\n"
    rows[5] = ",1,a,5,5.1\n"
    rows[7] = "ann,1,a,7,6.5\n"
    rows[8] = "ann,1,a,8,1e12\n"
    path = place("user,session,key,press,release\n" + "".join(rows))
    with pytest.raises(DatasetError, match=r"line 4: .*got 4; correct or remove the row, or leave"):
        read_key_events(path)
    found = read_key_events(path, on_error="drop")
    assert found.tally == {"read": 5, "wrong number of cells": 1, "no time in press": 1,
                           "no label in user": 1, "release before press": 1,
                           "no time in release": 1}  # fmt: skip
    assert found.tally.total == 10
    assert any("release before press: 1 row left out, the first: line 9" in one
               for one in found.dropped)  # fmt: skip
    assert "left out" in repr(found)
    assert found.time[::2].tolist() == [0, 1, 4, 6, 9]
    with pytest.raises(DatasetError, match="no row is left: "):
        read_key_events(place("user,session,key,press,release\nann,1,a,x,2\n"), on_error="drop")


def test_other_orders_of_columns(place):
    hook = "vkCode,message,time_ms\n65,WM_KEYDOWN,1000\n65,WM_KEYUP,1080\n"
    for text in (hook, "1000 65 WM_KEYDOWN\n1080 65 WM_KEYUP\n"):
        found = read_key_events(place(text))
        assert found.format == "windows-hook"
        assert found.key.tolist() == ["a", "a"]
        assert found.time.tolist() == [1.0, 1.08]
    found = read_key_events(place("63578429792961 KeyDown 65\n63578429793061 KeyUp 65\n"))
    assert (found.format, found.key[0]) == ("buffalo", "a")
    assert np.round(np.diff(found.time), 6).tolist() == [0.1]
    rows = [{"timestamp": EPOCH + 0.25 * k, "event": kind, "key": key} for k, (kind, key) in
            enumerate([("press", "'a'"), ("release", "'a'"), ("press", "Key.enter")])]  # fmt: skip
    found = read_key_events(place("\n".join(map(json.dumps, rows))))
    assert (found.format, found.key.tolist()) == ("pynput", ["a", "a", "Return"])
    assert found.time.tolist() == [0, 0.25, 0.5]
