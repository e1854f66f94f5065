import hashlib
import json

import numpy as np
import pytest

from hawkeys.datasets import available_datasets, load_dataset, load_demo
from hawkeys.exceptions import DatasetError, DatasetNotFoundError, InvalidParameterError

NAME = "DSL-StrongPasswordData.csv"


@pytest.fixture
def no_network(monkeypatch):
    """Every download fails at once."""

    def fail(url):
        raise DatasetNotFoundError(f"the download from {url} failed: no network in this test.")

    monkeypatch.setattr("hawkeys.datasets.named.cmu.download", fail)


@pytest.fixture
def placed(empty_places, whole_csv):
    """A complete file in HAWKEYS_DATA; returns its path."""
    file = empty_places[0] / "cmu" / NAME
    file.parent.mkdir(parents=True)
    file.write_bytes(whole_csv)
    return file


@pytest.mark.parametrize("name", ["auto", "cmu"])
def test_the_file_is_taken_where_it_is(placed, whole_csv, name):
    keystrokes, provenance = load_dataset(name)
    assert len(keystrokes) == 20_400
    assert keystrokes.origin is provenance
    assert (provenance.name, provenance.source) == ("cmu", str(placed))
    assert provenance.sha256 == hashlib.sha256(whole_csv).hexdigest()
    assert (provenance.n_samples, provenance.n_subjects) == (20_400, 51)
    assert not provenance.simulated
    assert provenance.notice == ""
    assert "notice" not in provenance.to_dict()


def test_path(tmp_path, empty_places, whole_csv):
    file = tmp_path / "mine.csv"
    file.write_bytes(whole_csv)
    assert load_dataset("auto", path=file)[1].source == str(file)


def test_auto_falls_back_with_a_notice(empty_places, no_network):
    keystrokes, provenance = load_dataset()
    assert np.array_equal(keystrokes.timings(), load_demo().timings())
    assert provenance.name == "demo"
    assert provenance.simulated
    for words in ("DEMO", "no real person", "Why: CMU benchmark: no file", "no network in this"):
        assert words in provenance.notice
    assert "\n" not in provenance.notice
    assert keystrokes.provenance["notice"] == provenance.notice


def test_cmu_never_falls_back(empty_places, no_network):
    with pytest.raises(DatasetNotFoundError, match="no network in this test"):
        load_dataset("cmu")


def test_the_message_tells_where_it_looked(empty_places, no_network, monkeypatch):
    data, cache = empty_places
    with pytest.raises(DatasetNotFoundError, match="no file") as caught:
        load_dataset("cmu")
    assert str(data / "cmu" / NAME) in str(caught.value)
    assert str(cache / NAME) in str(caught.value)
    monkeypatch.delenv("HAWKEYS_DATA")
    with pytest.raises(DatasetNotFoundError, match="HAWKEYS_DATA is not set"):
        load_dataset("cmu")


def test_a_missing_path_never_falls_back(tmp_path, empty_places, no_network):
    with pytest.raises(DatasetNotFoundError, match="no such file"):
        load_dataset("auto", path=tmp_path / "nowhere.csv")


def test_a_broken_file_never_falls_back(placed, no_network):
    placed.write_text("subject\ns002\n")
    with pytest.raises(DatasetError, match="expected 34 columns"):
        load_dataset("auto")


def test_demo(empty_places):
    keystrokes, provenance = load_dataset("demo")
    content = keystrokes.timings().to_numpy(dtype="<f8").tobytes()
    assert provenance.sha256 == hashlib.sha256(content).hexdigest()
    assert "simulated" in provenance.notice
    assert json.loads(json.dumps(provenance.to_dict()))["samples"] == "8000"


def test_wrong_arguments(tmp_path):
    with pytest.raises(InvalidParameterError, match="dataset must be one of 'auto', 'cmu', 'demo'"):
        load_dataset("kmu")
    with pytest.raises(InvalidParameterError, match="the demo is simulated and reads no file"):
        load_dataset("demo", path=tmp_path)


def test_available_datasets_do_not_download(empty_places, monkeypatch):
    monkeypatch.setattr("hawkeys.datasets.named.cmu.download", None)
    data, cache = empty_places
    cmu, demo, free, fixed, press_times, aalto, *bksd = available_datasets()
    assert cmu.found is None
    assert cmu.looked_in[0] == str(data / "cmu" / NAME)
    assert str(cache / NAME) in cmu.looked_in
    assert "doi:10.1109/DSN.2009.5270346" in cmu.description
    assert "unverified" in cmu.terms
    assert (demo.name, demo.found) == ("demo", "built in")
    assert "SIMULATED" in demo.description
    assert (free.name, free.found, fixed.name, fixed.found) == (
        "free-text", None, "fixed-text", None)  # fmt: skip
    assert free.looked_in[0] == str(data / "free_text" / "free_text.csv.gz")
    assert "arXiv:1607.03854" in fixed.description
    assert (press_times.name, press_times.found, aalto.name, aalto.found) == (
        "press-times", None, "aalto", None)  # fmt: skip
    assert [(one.name, one.found) for one in bksd] == [
        ("bksd-password", None),
        ("bksd-phrase", None),
    ]
    assert press_times.looked_in == (str(data / "press_times"),)
    assert "non-commercial" in aalto.terms


def test_free_text_is_listed_where_it_lies(empty_places, monkeypatch):
    file = empty_places[0] / "free_text" / "fixed_text.csv"
    file.parent.mkdir(parents=True)
    file.touch()
    assert available_datasets()[3].found == str(file)
    monkeypatch.delenv("HAWKEYS_DATA")
    assert available_datasets()[3].looked_in == ()


def test_available_datasets_find_the_file(placed):
    assert available_datasets()[0].found == str(placed)
