import gzip
import io
import shutil
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hawkeys.datasets import load_cmu
from hawkeys.datasets.named._cmu_file import parse_cmu
from hawkeys.exceptions import DatasetError, DatasetNotFoundError

NAME = "DSL-StrongPasswordData.csv"


def cell(row, column, value):
    """Return an edit of a small file: put `value` into one cell (row 0 is the header)."""

    def edit(text):
        lines = [line.split(",") for line in text.splitlines()]
        lines[row][lines[0].index(column)] = value
        return "\n".join(",".join(line) for line in lines)

    return edit


def line(row, change):
    """Return an edit of a small file: change one line."""

    def edit(text):
        lines = text.splitlines()
        lines[row] = change(lines[row])
        return "\n".join(lines)

    return edit


BROKEN_TEXT = {
    "empty": (lambda _: "", "the file is empty"),
    "blank": (lambda _: "\n \r\n", "the file is empty"),
    "header only": (lambda text: text.splitlines()[0], "expected 51 subjects with 400 rows each, "
                    "got 0 subjects and 0 rows"),
    "other table": (lambda _: "a,b\n1,2\n", r"expected 34 columns \(subject, sessionIndex, rep and "
                    r"31 timings\), got 2; missing 'subject', 'sessionIndex', 'rep' and 31 more"),
    "one column missing": (cell(0, "H.t", "hold"), "got 34; missing 'H.t'"),
    "column twice": (cell(0, "H.t", "H.i"), "two columns are called 'H.i'"),
    "column too many": (lambda text: text.replace("\n", ",1\n").replace("Return,1", "Return,x"),
                        "expected 34 columns; unknown 'x'"),
    "text": (cell(2, "H.t", "fast"), "row 2, column H.t: expected a finite number, got 'fast'"),
    "nan": (cell(3, "DD.i.e", "NaN"), "data row 3, column DD.i.e: .* got 'NaN'"),
    "empty cell": (cell(1, "H.n", ""), "data row 1, column H.n: .* got an empty cell"),
    "infinite": (cell(1, "H.n", "inf"), "data row 1, column H.n: .* got 'inf'"),
    "text in a label": (cell(1, "rep", "first"), "data row 1, column rep: .* got 'first'"),
    "repetition 51": (cell(1, "rep", "51"), "column rep: expected a whole number from 1 to 50, "
                      "got 51"),
    "session 0": (cell(1, "sessionIndex", "0"), "column sessionIndex: .* from 1 to 8, got 0"),
    "half a session": (cell(1, "sessionIndex", "1.5"), "from 1 to 8, got 1.5"),
    "nameless": (cell(2, "subject", ""), "data row 2, column subject: got an empty cell"),
    "negative hold": (cell(2, "H.t", "-0.1"), "row 1: H.t is -0.1; H and DD must not be negative"),
    "inconsistent": (cell(2, "DD.n.l", "0.9"), r"row 1: DD.n.l is 0.9; DD must equal H \+ UD"),
    "twice": (cell(3, "rep", "2"), "data row 3 repeats subject demo01, session 1, repetition 2"),
    "incomplete": (lambda text: text, "51 subjects with 400 rows each, got 1 subjects and 3 rows; "
                   "demo01 has 3"),
    "long row": (line(2, lambda text: text + ",1,2"), "line 3: expected 34 cells, .* got 36"),
    "all rows long": (lambda text: text.replace("\n", ",1\n").replace("Return,1", "Return"),
                      "line 2: expected 34 cells, .* got 35"),
    "short row": (line(2, lambda text: text.rsplit(",", 2)[0]), "line 3: expected 34 .* got 32"),
    "open quote": (line(2, lambda text: '"' + text), "line 3: no valid csv"),
    "web page": (lambda _: "<!DOCTYPE html>\n<html>", "expected csv, got a web page"),
    "NUL": (lambda text: text.replace("1", "\0"), "expected csv, got no text"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN_TEXT)
def test_broken_text(tmp_path, small_csv, name):
    edit, message = BROKEN_TEXT[name]
    file = tmp_path / "file.csv"
    file.write_text(edit(small_csv))
    with pytest.raises(DatasetError, match=message) as caught:
        load_cmu(file)
    check_message(str(caught.value), file)


def check_message(message, file):
    """One line that starts with the file and ends with advice."""
    assert "\n" not in message
    assert message.startswith(f"{file}: ")
    assert message.endswith("remove it so that it is downloaded.")


BROKEN_BYTES = {
    "truncated gz": (lambda whole: pack(whole)[:-1000], "gzip file is truncated or dam"),
    "gz header only": (lambda whole: pack(whole)[:5], "gzip file is truncated or damaged"),
    "damaged gz": (lambda whole: flip(pack(whole)), "gzip file is truncated or damaged"),
    "gz of nothing": (lambda _: pack(b""), "the file is empty"),
    "truncated text": (lambda whole: whole[: len(whole) // 2 ], "line|column|51 subjects"),
    "junk": (lambda _: bytes(range(255, 0, -1)) * 9, r"expected csv, got no text \(byte 0\)"),
    "zip": (lambda whole: b"PK\x03\x04" + whole, r"got a zip archive or \.xlsx; save it as csv"),
    "a subject short": (lambda whole: whole[: whole.index(b"demo51")],
                        "got 50 subjects and 20000 rows"),
    "a row short": (lambda whole: whole[: whole.rindex(b"demo51")],
                    "got 51 subjects and 20399 rows; demo51 has 399"),
}  # fmt: skip


def pack(content):
    """Compress, lightly: the default level takes seconds."""
    return gzip.compress(content, compresslevel=1)


def flip(content):
    """Change a byte in the middle."""
    half = len(content) // 2
    return content[:half] + bytes([content[half] ^ 255]) + content[half + 1 :]


@pytest.mark.parametrize("name", BROKEN_BYTES)
def test_broken_bytes(tmp_path, whole_csv, name):
    edit, message = BROKEN_BYTES[name]
    file = tmp_path / "file.csv.gz"
    file.write_bytes(edit(whole_csv))
    with pytest.raises(DatasetError, match=message) as caught:
        load_cmu(file)
    check_message(str(caught.value), file)
    assert not isinstance(caught.value, DatasetNotFoundError)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_any_junk_is_one_clear_error(content):
    with pytest.raises(DatasetError) as caught:
        parse_cmu(content, "junk")
    check_message(str(caught.value), "junk")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damaged_byte_is_one_clear_error(small_csv, data):
    content = bytearray(small_csv.encode())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with pytest.raises(DatasetError) as caught:
        parse_cmu(bytes(content), "damaged")
    check_message(str(caught.value), "damaged")


def test_missing_path(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"nowhere.csv: no such file. Check the path."):
        load_cmu(tmp_path / "nowhere.csv")


def test_missing_path_is_a_file_not_found_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_cmu(str(tmp_path / "nowhere.csv"))


def test_folder_as_path(tmp_path):
    with pytest.raises(DatasetError, match="is a folder; name the file in it"):
        load_cmu(tmp_path)


def test_unreadable_file(tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    (tmp_path / "file.csv").touch()
    with pytest.raises(DatasetError, match=r"cannot be read \(Permission denied\). Check its perm"):
        load_cmu(tmp_path / "file.csv")


def test_xls_without_xlrd(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xlrd", None)
    file = tmp_path / "file.xls"
    file.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(100))
    with pytest.raises(DatasetError, match="needs the package xlrd: pip install xlrd, or save the"):
        load_cmu(file)


@pytest.fixture
def fake_xlrd(monkeypatch):
    """A stand-in for xlrd: the package is optional, its reading is pandas' business."""
    xlrd_error, doc_error = type("XLRDError", (Exception,), {}), type("Doc", (Exception,), {})
    compdoc = types.SimpleNamespace(CompDocError=doc_error)
    fake = types.SimpleNamespace(XLRDError=xlrd_error, compdoc=compdoc)
    monkeypatch.setitem(sys.modules, "xlrd", fake)
    return fake


@pytest.mark.parametrize("error", ["XLRDError", "CompDocError", "AssertionError"])
def test_damaged_xls(tmp_path, monkeypatch, fake_xlrd, error):
    kinds = {"XLRDError": fake_xlrd.XLRDError, "CompDocError": fake_xlrd.compdoc.CompDocError}

    def fail(*_, **__):
        raise kinds.get(error, AssertionError)("no workbook")

    monkeypatch.setattr(pd, "read_excel", fail)
    file = tmp_path / "file.xls"
    file.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(100))
    with pytest.raises(DatasetError, match=r"\.xls file is damaged \(.*'no workbook'") as caught:
        load_cmu(file)
    check_message(str(caught.value), file)


def test_xls(tmp_path, monkeypatch, fake_xlrd, benchmark_like, whole_csv):
    frame = pd.read_csv(io.BytesIO(whole_csv), header=None, dtype=str)
    monkeypatch.setattr(pd, "read_excel", lambda *_, **__: frame)
    file = tmp_path / "file.xls"
    file.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(100))
    assert np.array_equal(load_cmu(file).timings(), benchmark_like.timings())


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("plain.csv", lambda whole: whole),
        ("crlf.csv", lambda whole: whole.replace(b"\n", b"\r\n")),
        ("mark.csv", lambda whole: b"\xef\xbb\xbf" + whole),
        ("file.csv.gz", pack),
        ("gz-under-the-name-of.csv", pack),
        ("csv-under-the-name-of.gz", lambda whole: whole),
    ],
)
def test_whole_files(tmp_path, whole_csv, benchmark_like, name, change):
    file = tmp_path / name
    file.write_bytes(change(whole_csv))
    loaded = load_cmu(str(file))
    assert np.array_equal(loaded.timings(), benchmark_like.timings())
    assert np.array_equal(loaded.subject, benchmark_like.subject)
    assert loaded.origin.source == str(file)


def test_rows_in_any_order(whole_csv, benchmark_like):
    header, *rows = whole_csv.decode().splitlines()
    order = np.random.default_rng(0).permutation(len(rows))
    shuffled = "\n".join([header, *(rows[k] for k in order)])
    loaded = parse_cmu(shuffled.encode(), "shuffled")
    for name in ("subject", "session", "repetition"):
        assert np.array_equal(getattr(loaded, name), getattr(benchmark_like, name))
    assert np.array_equal(loaded.timings(), benchmark_like.timings())


@pytest.mark.parametrize("name", [NAME, f"{NAME}.gz"])
def test_places(empty_places, whole_csv, name):
    data, cache = empty_places
    content = pack(whole_csv) if name.endswith("gz") else whole_csv
    cache.mkdir()
    (cache / name).write_bytes(content)
    assert load_cmu().origin.source == str(cache / name)
    (data / "cmu").mkdir(parents=True)
    (data / "cmu" / name).write_bytes(content)
    assert load_cmu().origin.source == str(data / "cmu" / name)


def test_broken_file_in_a_usual_place_is_an_error(empty_places):
    data, _ = empty_places
    (data / "cmu").mkdir(parents=True)
    (data / "cmu" / NAME).write_text("subject\ns002\n")
    with pytest.raises(DatasetError, match="expected 34 columns"):
        load_cmu()


def test_home_is_expanded(monkeypatch, tmp_path, whole_csv):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "file.csv").write_bytes(whole_csv)
    assert len(load_cmu("~/file.csv")) == 20_400


def test_the_benchmark(cmu):
    assert len(cmu) == 20_400
    assert len(cmu.subjects) == 51
    assert cmu.subjects[0] == "s002"
    assert cmu.keys == ("period", "t", "i", "e", "five", "Shift.r", "o", "a", "n", "l", "Return")
    frame = cmu.timings()
    assert list(frame.columns[[0, 1, 2, -1]]) == [
        "H.period", "DD.period.t", "UD.period.t", "H.Return"
    ]  # fmt: skip
    # The first row as printed in the file.
    first = frame.iloc[0].to_list()
    assert first[:6] == [0.1491, 0.3979, 0.2488, 0.1069, 0.1674, 0.0605]
    assert first[-2:] == [0.2171, 0.0742]
    assert (cmu.subject[0], cmu.session[0], cmu.repetition[0]) == ("s002", 1, 1)


def test_the_benchmark_has_the_file_s_numbers(cmu, tmp_path):
    copy = tmp_path / Path(cmu.origin.source).name
    shutil.copy(cmu.origin.source, copy)
    frame = pd.read_csv(copy)
    assert np.array_equal(cmu.timings(), frame.iloc[:, 3:])
    assert list(cmu.timings().columns) == list(frame.columns[3:])
    assert np.array_equal(cmu.subject, frame["subject"].to_numpy().astype(str))


def test_the_benchmark_as_events(cmu):
    events = cmu.to_events()
    assert (events.n_realizations, events.n_marks) == (20_400, 11)
    assert events.n_events == 20_400 * 22
    # No two events of the benchmark are simultaneous within a sample.
    same = np.diff(events.realization) == 0
    assert np.diff(events.times)[same].min() > 9e-5
