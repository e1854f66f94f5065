"""The free-text and the fixed-text set: where they are found, what they hold."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from hawkeys.datasets import FreeText, list_attempts, load_free_text, to_keystrokes
from hawkeys.exceptions import (
    DatasetError,
    DatasetNotFoundError,
    HawkeysWarning,
    InvalidParameterError,
)

SIZES = {"free": (55, 6, 500), "fixed": (60, 4, 100)}
# "This is an Aesop fable", where ^ is Shift and _ the space bar
FABLE = [{"^": "shift", "_": "space"}.get(key, key) for key in "^this_is_an_^aesop_fable"]


@pytest.fixture(scope="module")
def invented():
    """A table with the sizes of the fixed text: every stroke lasts 80 ms, one each 100 ms."""
    users, sessions, strokes = SIZES["fixed"]
    user, session, stroke = np.mgrid[:users, :sessions, :strokes].reshape(3, -1)
    table = {"user": user, "session": session, "keyname": np.array(["a", "b"])[stroke % 2]}
    return pd.DataFrame({**table, "timepress": 100 * stroke, "timerelease": 100 * stroke + 80})


def test_a_complete_file(invented, tmp_path, monkeypatch):
    file = tmp_path / "free_text" / "fixed_text.csv.gz"
    file.parent.mkdir()
    invented.to_csv(file, index=False)
    monkeypatch.setenv("HAWKEYS_DATA", str(tmp_path))
    text = load_free_text(which="fixed")
    assert isinstance(text, FreeText)
    assert len(text) == 24_000
    assert text.subjects == tuple(str(user) for user in range(60))
    assert np.array_equal(text.press, invented["timepress"] / 1000)
    assert np.array_equal(text.release, invented["timerelease"] / 1000)
    assert text.tally == {"paired": 48_000}
    assert text.notes == {}
    assert text.origin.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert text.provenance["source"] == str(file)
    assert text.provenance["samples"] == "240"
    assert text.provenance["dataset"] == "fixed-text"
    part = text[text.user == "7"]
    assert isinstance(part, FreeText)
    assert part.origin is text.origin
    assert part.tally == {"paired": 800, "not picked": 47_200}
    assert np.array_equal(text.events(7, 3).times, part.events("7", "3").times)
    assert text.events(7, 3).n_events == 200
    assert repr(text).startswith("FreeText: 24,000 strokes of 60 users (0, 1, ")


@pytest.mark.parametrize(
    "spoil",
    [lambda t: t.iloc[1:], lambda t: t[t.user > 0], lambda t: t.assign(session=0),
     lambda t: t.assign(user=t.user.where(t.user < 59, 0), session=t.session + 4 * (t.user == 59))],
)  # fmt: skip
def test_an_incomplete_file(invented, tmp_path, spoil):
    file = tmp_path / "mine.csv"
    spoil(invented).to_csv(file, index=False)
    with pytest.raises(DatasetError, match=r"mine.csv: expected the fixed text, 60 users with 4 "
                       r"sessions of 100 strokes; got .* Replace the file"):  # fmt: skip
        load_free_text(file, which="fixed")


def test_a_broken_file(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("user,session,keyname,timepress,timerelease\n0,0,a,5,4\n")
    with pytest.raises(DatasetError, match=r"mine.csv: line 2, column 'timerelease': the release"):
        load_free_text(file)


@pytest.mark.parametrize("which", SIZES)
def test_the_message_tells_where_it_looked(tmp_path, monkeypatch, which):
    monkeypatch.setenv("HAWKEYS_DATA", str(tmp_path))
    with pytest.raises(DatasetNotFoundError, match="There is no download: place the file") as error:
        load_free_text(which=which)
    assert str(tmp_path / "free_text" / f"{which}_text.csv.gz") in str(error.value)
    monkeypatch.delenv("HAWKEYS_DATA")
    with pytest.raises(DatasetNotFoundError, match="no path given and HAWKEYS_DATA is not set"):
        load_free_text(which=which)
    with pytest.raises(InvalidParameterError, match="which must be one of 'free', 'fixed'"):
        load_free_text(which="other")


NOTES = {
    "free": {"rollover": 28_278, "release out of order": 2_306, "simultaneous": 15_910,
             "hold over 10 s": 20},
    "fixed": {"rollover": 4_522, "release out of order": 316, "simultaneous": 2_334,
              "hold over 10 s": 3},
}  # fmt: skip


@pytest.mark.parametrize("which", SIZES)
def test_real_counts(free_text_path, which):
    users, sessions, strokes = SIZES[which]
    file = free_text_path / f"{which}_text.csv.gz"
    text = load_free_text(file, which=which)
    table = pd.read_csv(file, keep_default_na=False)
    assert len(text) == users * sessions * strokes == len(table)
    assert len(text.subjects) == users
    counts = np.unique(text.groups(), return_counts=True)[1]
    assert counts.tolist() == [strokes] * users * sessions
    assert text.tally == {"paired": 2 * len(table)}
    assert text.notes == NOTES[which]
    assert np.array_equal(text.key, table["keyname"].to_numpy(dtype=np.str_))
    assert np.array_equal(text.press, table["timepress"] / 1000)
    assert np.array_equal(text.release, table["timerelease"] / 1000)
    user, session = table.loc[0, ["user", "session"]]
    assert text.events(user, session).n_events == 2 * strokes


@pytest.mark.parametrize(
    ("typos", "outcomes", "undone"),
    [("reject", {"sample": 62, "typo": 150, "other text": 28}, 0),
     ("strip", {"sample": 94, "other text": 146}, 140)],
)  # fmt: skip
def test_the_fable_of_the_fixed_text(free_text_path, typos, outcomes, undone):
    text = load_free_text(free_text_path / "fixed_text.csv.gz", which="fixed")
    options = {"text": FABLE, "typos": typos, "rest": "ignore"}
    assert list_attempts(text, **options)["outcome"].value_counts().to_dict() == outcomes
    said = f"{outcomes['sample']} of 240 attempts spell the text of 24 keys"
    with pytest.warns(HawkeysWarning, match=said):
        samples = to_keystrokes(text, **options)
    assert len(samples) == outcomes["sample"]
    assert samples.tally.total == 24_000
    assert samples.tally["sample"] == len(FABLE) * len(samples)
    assert samples.tally.get("undone", 0) == undone
    assert set(samples.session.tolist()) == {0, 1, 2, 3}
