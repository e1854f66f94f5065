"""read_timings: names in any order, other layouts and units, broken rows."""

import gzip
import json
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hawkeys.datasets import read_timings, timing_columns
from hawkeys.exceptions import DatasetError, HawkeysWarning, InvalidParameterError

KEYS = ["v", "k", "e", "k", "b"]
NAMES = ["v", "k", "e", "k2", "b"]
RNG = np.random.default_rng(0)
PRESS = np.cumsum(RNG.integers(60, 300, size=(6, 5)), axis=1) * 1000 + RNG.integers(0, 999, (6, 5))
RELEASE = PRESS + RNG.integers(40_000, 150_000, size=(6, 5))


def truth():
    """Return the timing matrix in whole microseconds."""
    matrix = np.empty((6, 13), dtype=np.int64)
    matrix[:, 0::3] = RELEASE - PRESS
    matrix[:, 1::3] = np.diff(PRESS, axis=1)
    matrix[:, 2::3] = PRESS[:, 1:] - RELEASE[:, :-1]
    return matrix


def cmu():
    frame = pd.DataFrame(truth() / 1e6, columns=timing_columns(NAMES))
    frame.insert(0, "subject", ["s1"] * 3 + ["s2"] * 3)
    return frame


def bksd():
    frame = pd.DataFrame(truth() / 1e3, columns=["H.1", *(
        name for k in range(1, 5) for name in (f"DD.{k}_{k + 1}", f"UD.{k}_{k + 1}", f"H.{k + 1}")
    )])  # fmt: skip
    frame.insert(0, "subject", "s1")
    return frame


def keyrecs(*, last):
    """Return a table as KeyRecs has it: a key that comes again gives one name twice."""
    names, columns = ["participant", "session", "repetition"], [["p1"] * 6, [1] * 6, range(6)]
    for k, (one, two) in enumerate(pairwise(KEYS)):
        names += [f"DU.{one}.{one}", f"DD.{one}.{two}", f"DU.{one}.{two}", f"UD.{one}.{two}",
                  f"UU.{one}.{two}"]  # fmt: skip
        columns += [RELEASE[:, k] - PRESS[:, k], PRESS[:, k + 1] - PRESS[:, k],
                    RELEASE[:, k + 1] - PRESS[:, k], PRESS[:, k + 1] - RELEASE[:, k],
                    RELEASE[:, k + 1] - RELEASE[:, k]]  # fmt: skip
    if last:
        names.append("DU.b.b")
        columns.append(RELEASE[:, -1] - PRESS[:, -1])
    rows = [names] + [
        [str(cell) if k < 3 else f"{cell / 1e6:.6f}" for k, cell in enumerate(row)]
        for row in zip(*columns, strict=True)
    ]
    return "\n".join(",".join(row) for row in rows) + "\n"


@pytest.fixture
def place(tmp_path):
    """Return a function that writes a file and returns its path."""

    def write(content, name="t.csv"):
        path = tmp_path / name
        if isinstance(content, pd.DataFrame):
            content = content.to_csv(index=False)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def is_true(timings):
    return np.array_equal(np.round(timings.to_numpy() * 1e6), truth())


@pytest.mark.parametrize("layout", ["cmu", "bksd", "keyrecs", "keyrecs with the last hold"])
def test_equal_to_the_truth(place, layout):
    content = {"cmu": cmu(), "bksd": bksd(), "keyrecs": keyrecs(last=False),
               "keyrecs with the last hold": keyrecs(last=True)}[layout]  # fmt: skip
    for name in ("auto", layout.split(" ")[0]):
        timings, labels = read_timings(place(content), format=name)
        assert is_true(timings)
        assert len(labels) == 6
    names = [str(k) for k in range(1, 6)] if layout == "bksd" else NAMES
    assert list(timings) == timing_columns(names)


def test_a_repeated_key_numbered_by_pandas(place):
    text = keyrecs(last=True)
    header, rest = text.split("\n", 1)
    names = header.split(",")
    second = [place_ for place_, name in enumerate(names) if name == "DU.k.k"][1]
    names[second] = "DU.k.k.1"
    assert is_true(read_timings(place(",".join(names) + "\n" + rest))[0])


def test_wrong_columns_of_keyrecs(place):
    with pytest.raises(DatasetError, match=r"the columns of KeyRecs.*got 'DU.v.v', 'DU.v.k'"):
        read_timings(place(keyrecs(last=False).replace("DD.v.k", "XX.v.k", 1)))


@pytest.mark.parametrize("how", ["by kind", "sorted", "shuffled", "reversed"])
def test_columns_in_any_order(place, how):
    """The names DD.k1.k2 tell which key comes after which."""
    names = timing_columns(NAMES)
    order = {"by kind": [*names[0::3], *names[1::3], *names[2::3]], "sorted": sorted(names),
             "shuffled": [names[k] for k in np.random.default_rng(1).permutation(13)],
             "reversed": names[::-1]}[how]  # fmt: skip
    timings, _ = read_timings(place(cmu()[["subject", *order]]))
    assert list(timings) == names
    assert is_true(timings)


@pytest.mark.parametrize(
    ("unit", "factor"), [("ms", 1e3), ("us", 1e6), ("ns", 1e9), ("100ns", 1e7)]
)
def test_units(place, unit, factor):
    frame = cmu()
    frame[timing_columns(NAMES)] = np.round(frame[timing_columns(NAMES)] * factor, 3)
    assert is_true(read_timings(place(frame), time_unit=unit)[0])
    with pytest.raises(DatasetError, match="expected seconds"):
        read_timings(place(frame))


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_separators(place, mark):
    assert is_true(read_timings(place(cmu().to_csv(index=False, sep=mark)))[0])


def test_sheets(tmp_path):
    pytest.importorskip("openpyxl", reason="reading .xlsx takes the extra xlsx")
    cmu().to_excel(tmp_path / "t.xlsx", index=False)
    assert is_true(read_timings(tmp_path / "t.xlsx")[0])


def test_broken_rows_are_left_out_and_counted(place):
    lines = pd.concat([cmu()] * 3).to_csv(index=False).splitlines()
    cells = [line.split(",") for line in lines]
    cells[1] = cells[1][:-1]
    cells[3][1] = "?"
    cells[4][1] = "-0.2"
    cells[5][2] = "-0.2"
    cells[6][2] = "9.0"
    cells[7][1::3] = [str(3000 + float(cell)) for cell in cells[7][1::3]]
    cells[7][3::3] = [str(float(cell) - 3000) for cell in cells[7][3::3]]
    cells[7][2::3] = [repr(float(one) + float(two)) for one, two in
                      zip(cells[7][1:-1:3], cells[7][3::3], strict=True)]  # fmt: skip
    path = place("\n".join(",".join(row) for row in cells))
    with pytest.raises(DatasetError, match=r"line 2: expected 14 cells.*on_error=.drop"):
        read_timings(path)
    with pytest.warns(HawkeysWarning, match=r"12 of 18 rows read; wrong number of cells: 1 row"):
        timings, labels = read_timings(path, on_error="drop")
    assert labels.attrs["tally"] == {
        "read": 12, "wrong number of cells": 1, "no number": 1, "negative H": 1, "negative DD": 1,
        "DD is not H + UD": 1, "not in the unit": 1}  # fmt: skip
    assert len(timings) == len(labels) == 12
    assert timings.to_numpy()[0].tolist() == cmu().to_numpy()[1, 1:].tolist()


def test_keys_listed_in_another_order_than_typed(place):
    """Every DD of one typist is negative: said in one line, with the typist."""
    frame = pd.concat([cmu(), cmu().assign(subject="s9")], ignore_index=True)
    rows = frame["subject"] == "s9"
    frame.loc[rows, ["DD.k.e", "UD.k.e"]] -= 0.9
    said = r"DD.k.e is negative in 6 of 6 rows of subject s9: the second key is pressed before the"
    with pytest.raises(DatasetError, match=said + r" first.*order of the presses"):
        read_timings(place(frame))
    with pytest.warns(HawkeysWarning, match="6 of 12 rows read; negative DD: 6 rows left out"):
        assert len(read_timings(place(frame), on_error="drop")[0]) == 6


def test_arguments(place):
    with pytest.raises(InvalidParameterError, match="format must be one of 'auto', 'cmu', 'bksd'"):
        read_timings(place(cmu()), format="csv")
    with pytest.raises(InvalidParameterError, match="time_unit must be one of 's', 'ms'"):
        read_timings(place(cmu()), time_unit="iso")
    with pytest.raises(InvalidParameterError, match="on_error must be one of 'raise', 'drop'"):
        read_timings(place(cmu()), on_error="skip")


@pytest.fixture(scope="module")
def folder():
    root = os.environ.get("HAWKEYS_DATA")
    if root is None:
        pytest.skip("HAWKEYS_DATA is not set: the files of BKSD are read from there")
    folder = Path(root) / "bksd"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: the files of BKSD are read from it")
    return folder


@pytest.mark.parametrize(("name", "n_keys"), [("password", 8), ("phrase", 16)])
def test_the_real_files_of_bksd(folder, name, n_keys):
    path = folder / f"{name}_english.csv.gz"
    whole = pd.read_csv(path)
    said = {"password": "DD.4.5 is negative in", "phrase": "H.11 is -0.906; H and DD must not be"}
    with pytest.raises(DatasetError, match=said[name]):
        read_timings(path)
    with pytest.warns(HawkeysWarning, match=r"rows read; .*negative DD"):
        timings, labels = read_timings(path, on_error="drop")
    assert timings.shape[1] == 3 * n_keys - 2
    assert sum(labels.attrs["tally"].values()) == len(whole)
    kept = whole.merge(labels.astype({"subject": str}), on=["subject", "repetition"])
    raw = kept[[column for column in kept if column[:2] in ("H.", "DD", "UD")]].to_numpy()
    assert np.array_equal(timings.to_numpy(), raw / 1000)


def test_gzip_and_json_are_told(place):
    assert is_true(read_timings(place(gzip.compress(cmu().to_csv(index=False).encode())))[0])
    with pytest.raises(DatasetError, match="no valid csv"):
        read_timings(place(json.dumps({"a": 1, "b": 2})))
