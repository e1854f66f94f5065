"""Fixtures shared by all tests."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from long_files import LONGEST

from hawkeys.datasets import load_cmu

# no test is about the time that one example takes; a busy machine takes any
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

TESTS = Path(__file__).parent
_PLACES = {TESTS / name: place for place, name in enumerate(LONGEST)}


def pytest_collection_modifyitems(items):
    """Put the longest files first."""
    items.sort(key=lambda item: _PLACES.get(item.path, len(_PLACES)))


CMU_NAMES = [f"DSL-StrongPasswordData.{suffix}" for suffix in ("csv", "csv.gz", "xls")]


@pytest.fixture(scope="session")
def cmu():
    """The CMU benchmark; skips without the file, or fails if HAWKEYS_REQUIRE_DATA is 1."""
    folder = os.environ.get("HAWKEYS_DATA")
    reason = None
    if not folder:
        reason = "HAWKEYS_DATA is not set (a folder with cmu/DSL-StrongPasswordData.csv[.gz])"
    elif not any((Path(folder) / "cmu" / name).exists() for name in CMU_NAMES):
        reason = f"no cmu/DSL-StrongPasswordData.csv[.gz] or .xls in HAWKEYS_DATA={folder}"
    if reason is not None:
        _do_without(reason)
    return load_cmu()


@pytest.fixture(scope="session")
def free_text_path():
    """The folder of the free and the fixed text; skips or fails without it, as `cmu` does."""
    folder = os.environ.get("HAWKEYS_DATA")
    if not folder:
        _do_without("HAWKEYS_DATA is not set (a folder with free_text/free_text.csv.gz)")
    path = Path(folder) / "free_text"
    for name in ("free_text.csv.gz", "fixed_text.csv.gz"):
        if not (path / name).exists():
            _do_without(f"no free_text/{name} in HAWKEYS_DATA={folder}")
    return path


@pytest.fixture(scope="session")
def press_times_path():
    """The folder of the press times; skips or fails without it, as `cmu` does."""
    return _needed("press_times", "timestamps_bb47.bin").parent


@pytest.fixture(scope="session")
def aalto_path():
    """The file of the Aalto sentences; skips or fails without it, as `cmu` does."""
    return _needed("aalto", "aalto_1646users_15sentences.npz")


@pytest.fixture(scope="session")
def event_sequences_path():
    """The folder of the event sequences; skips or fails without it, as `cmu` does."""
    return _needed("event_sequences", "taxi.npz").parent


@pytest.fixture(scope="session")
def earthquakes_path():
    """The file of the earthquakes; skips or fails without it, as `cmu` does."""
    return _needed("earthquakes", "sanjac.csv.gz")


@pytest.fixture(scope="session")
def tick():
    """tick's models, the independent oracle of likelihoods; it is not built for Python 3.10."""
    if sys.version_info < (3, 11):
        pytest.skip("tick 0.8 needs Python 3.11")
    from tick import hawkes

    return hawkes


@pytest.fixture
def no_pictures(monkeypatch):
    """Reports without figures, in a tenth of the time, for tests that look at something else."""
    groups = ("curves", "studies", "adjacency", "embeddings")
    nothing = {name: [] for name in groups}
    monkeypatch.setattr("hawkeys.evaluation.report.write._draw", lambda *_: nothing)


def _needed(folder, name):
    """Return a file of the data folder, or do without the test."""
    data = os.environ.get("HAWKEYS_DATA")
    if not data:
        _do_without(f"HAWKEYS_DATA is not set (a folder with {folder}/{name})")
    path = Path(data) / folder / name
    if not path.exists():
        _do_without(f"no {folder}/{name} in HAWKEYS_DATA={data}")
    return path


def _do_without(reason):
    """Skip the test that needs a file, or fail it if HAWKEYS_REQUIRE_DATA is 1."""
    if os.environ.get("HAWKEYS_REQUIRE_DATA") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(params=["plain", "compiled"])
def loops(request, monkeypatch):
    """Small data by plain loops, as they are, and by the compiled ones of large data."""
    if request.param == "compiled":
        monkeypatch.setattr("hawkeys._loops.choice.MOST", -1)
