"""BKSD: the same samples from table and archive, rows left out by rule, and where it is found."""

import hashlib
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hawkeys.datasets import available_datasets, load_bksd, load_dataset
from hawkeys.datasets._repeats import find_copies
from hawkeys.datasets.named import bksd
from hawkeys.exceptions import DatasetError, DatasetNotFoundError, InvalidParameterError

COLUMNS = [f"{kind}.{k}" if kind == "H" else f"{kind}.{k}_{k + 1}"
           for k in range(1, 9) for kind in ("H", "DD", "UD") if kind == "H" or k < 8]  # fmt: skip


def typed(n_rows, seed):
    """Whole milliseconds of so many rows, keys as listed."""
    rng = np.random.default_rng(seed)
    hold, step = rng.integers(50, 150, (n_rows, 8)), rng.integers(160, 900, (n_rows, 7))
    rows = np.zeros((n_rows, 22), dtype=int)
    rows[:, 0::3], rows[:, 1::3], rows[:, 2::3] = hold, step, step - hold[:, :-1]
    return rows


def spoilt():
    """Four typists: a sound one, one of another order, one with copies, one with odd rows."""
    ann, bob, cem, dee = (typed(10, seed) for seed in range(4))
    bob[:, 10] = -1500
    bob[:, 11] = bob[:, 10] - bob[:, 9]
    cem[2], cem[7] = ann[4], cem[6]
    dee[0, 0], dee[0, 2] = -20, dee[0, 1] + 20
    dee[5, 1], dee[5, 2] = -30, -30 - dee[5, 0]
    return {"a1e": ann, "b1e": bob, "c1e": cem, "d1e": dee}


def archive(people):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in sorted(people, reverse=True):  # the order in the archive does not count
            table = pd.DataFrame(people[name], columns=COLUMNS).assign(total=1, user=name)
            file.writestr(f"{name}-ksd.csv", table.to_csv(index=False))
    return buffer.getvalue()


def table(people):
    frames = [pd.DataFrame(rows, columns=COLUMNS) for rows in people.values()]
    for k, frame in enumerate(frames, 1):
        frame.insert(0, "subject", f"s{k:02d}")
    return pd.concat(frames).to_csv(index=False).encode()


@pytest.fixture
def no_network(monkeypatch):
    def fail(url):
        raise DatasetNotFoundError(f"the download from {url} failed: no network in this test.")

    monkeypatch.setattr("hawkeys.datasets.named.bksd.download", fail)


@pytest.mark.parametrize("form", [archive, table])
def test_rows_are_left_out_by_rule_and_counted(form, tmp_path):
    path = tmp_path / "bksd"
    people = spoilt()
    path.write_bytes(form(people))
    found = load_bksd(path=path)
    expected = [
        np.delete(people["a1e"], [], axis=0),
        np.delete(people["c1e"], [2, 7], axis=0),
        np.delete(people["d1e"], [0, 5], axis=0),
    ]
    assert np.array_equal(found.timings().to_numpy(), np.vstack(expected) / 1000)
    assert found.subjects == ("s01", "s03", "s04")
    assert found.repetition[found.subject == "s04"].tolist() == [2, 3, 4, 5, 7, 8, 9, 10]
    assert dict(found.tally) == {
        "read": 26,
        "keys in another order": 10,
        "negative hold": 1,
        "negative DD": 1,
        "copy of another typist's row": 1,
        "copy of an own row": 1,
    }
    assert found.tally.total == 40
    assert "26 of 40 rows are used" in found.origin.notice
    assert "No row is left of 1 typists (s02)" in found.origin.notice
    assert found.origin.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_copies_against_all_pairs():
    rng = np.random.default_rng(0)
    rows, who = rng.integers(0, 2, (60, 3)).astype(float), rng.choice([*"abc"], 60)
    others, own = np.zeros(60, bool), np.zeros(60, bool)
    for k in range(60):
        earlier = [j for j in range(k) if (rows[j] == rows[k]).all()]
        if earlier:
            others[k] = who[earlier[0]] != who[k]
            own[k] = not others[k]
    found = find_copies(rows, who)
    assert np.array_equal(found.of_others, others)
    assert np.array_equal(found.of_own, own)
    assert others.any()
    assert own.any()
    assert find_copies(np.zeros((0, 3)), np.array([])).of_own.size == 0


def test_what_is_no_file_of_bksd(tmp_path):
    path = tmp_path / "some.csv"
    good = table(spoilt()).decode()
    for content, words in (
        (good.replace("H.8", "H.9", 1), r"expected the 22 timing columns .*; got 22"),
        (good.replace("subject", "who", 1), "no column 'subject'"),
        (good.replace("\ns01,", "\ns01,1", 1), "data row 1: DD is not H \\+ UD"),
        ("", "the file is empty"),
    ):
        path.write_text(content)
        with pytest.raises(DatasetError, match=words):
            load_bksd(path=path)
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as file:
        file.writestr("readme.txt", "no table")
    for broken, words in (
        (archive(spoilt())[:400], "the archive is damaged"),
        (other.getvalue(), "expected an archive of tables"),
    ):
        path.write_bytes(broken)
        with pytest.raises(DatasetError, match=words):
            load_bksd(path=path)
    only = {"b1e": spoilt()["b1e"]}
    path.write_bytes(table(only))
    with pytest.raises(DatasetError, match="no row is left"):
        load_bksd(path=path)
    with pytest.raises(InvalidParameterError, match="which must be one of 'password', 'phrase'"):
        load_bksd("poem")


def test_it_is_taken_from_the_first_place_that_has_it(empty_places, no_network):
    data, cache = empty_places
    with pytest.raises(DatasetNotFoundError, match=r"BKSD: no file .*no network .*Place Password"):
        load_bksd()
    cache.mkdir()
    (cache / "Password-English.zip").write_bytes(archive(spoilt()))
    assert load_dataset("bksd-password")[1].source == str(cache / "Password-English.zip")
    (data / "bksd").mkdir(parents=True)
    own = data / "bksd" / "password_english.csv"
    own.write_bytes(table(spoilt()))
    keystrokes, origin = load_dataset("bksd-password")
    assert (origin.name, origin.source, len(keystrokes)) == ("bksd-password", str(own), 26)
    listed = {info.name: info for info in available_datasets()}
    assert listed["bksd-password"].found == str(own)
    assert listed["bksd-phrase"].found is None
    assert bksd.BKSD_COMMIT in listed["bksd-phrase"].source
    assert listed["bksd-phrase"].terms.startswith("MIT licence")


def test_a_download_is_kept_if_its_hash_is_the_known_one(empty_places, monkeypatch):
    content, asked = archive(spoilt()), []

    def arrives(url):
        asked.append(url)
        return content

    monkeypatch.setattr("hawkeys.datasets.named.bksd.download", arrives)
    with pytest.raises(DatasetNotFoundError, match=r"not usable: its SHA-256 is .*, expected a208"):
        load_bksd()
    assert not empty_places[1].exists()
    known = bksd.BKSD_TEXTS["password"]._replace(sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(bksd.BKSD_TEXTS, "password", known)
    assert len(load_bksd()) == len(load_bksd()) == 26
    assert len(asked) == 2
    assert asked[0].startswith("https://raw.githubusercontent.com/ntwaijry/BKSD/eb0b5907")
    assert (empty_places[1] / "Password-English.zip").read_bytes() == content


@pytest.mark.parametrize(
    ("which", "n_subjects", "tally"),
    [
        ("password", 37, {"read": 14649, "keys in another order": 4759, "negative hold": 147,
                          "negative DD": 11, "copy of another typist's row": 406}),
        ("phrase", 35, {"read": 12891, "negative hold": 219, "negative DD": 49,
                        "copy of another typist's row": 391, "copy of an own row": 214}),
    ],
)  # fmt: skip
def test_the_real_set(which, n_subjects, tally):
    root = os.environ.get("HAWKEYS_DATA")
    if root is None or not (Path(root) / "bksd").is_dir():
        pytest.skip("HAWKEYS_DATA/bksd is not there: the texts of BKSD are read from it")
    found = load_bksd(which)
    assert len(found.subjects) == n_subjects
    assert dict(found.tally) == tally
    frame = pd.read_csv(found.origin.source)
    assert found.tally.total == len(frame)
    columns = [name for name in frame if name.startswith(("H.", "DD.", "UD."))]
    # a row of the file is in the samples once, or breaks a rule
    kept = {tuple(row) for row in (1000 * found.timings().to_numpy()).round().astype(int)}
    assert len(kept) == len(found)
    for row in frame[columns].to_numpy()[::97]:
        sound = (row[0::3] >= 0).all() and (row[1::3] >= 0).all()
        assert (tuple(row) in kept) == sound
