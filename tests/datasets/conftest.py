"""A file with the layout of the CMU benchmark, made from simulated typists."""

import pytest

from hawkeys.datasets import load_demo


def table_of(keystrokes):
    """Return samples as the table of the benchmark's file."""
    table = keystrokes.timings()
    table.insert(0, "subject", keystrokes.subject)
    table.insert(1, "sessionIndex", keystrokes.session)
    table.insert(2, "rep", keystrokes.repetition)
    return table


@pytest.fixture(scope="session")
def benchmark_like():
    """51 simulated subjects with 400 samples each."""
    return load_demo(1, n_subjects=51)


@pytest.fixture(scope="session")
def whole_csv(benchmark_like):
    """The bytes of a complete file."""
    return table_of(benchmark_like).to_csv(index=False).encode()


@pytest.fixture(scope="session")
def small_csv(whole_csv):
    """The header and the first three rows of a file, as text."""
    return "\n".join(whole_csv.decode().split("\n", 4)[:4]) + "\n"


@pytest.fixture
def empty_places(monkeypatch, tmp_path):
    """HAWKEYS_DATA and the cache point at folders that hold nothing; returns both."""
    data, cache = tmp_path / "data", tmp_path / "cache"
    monkeypatch.setenv("HAWKEYS_DATA", str(data))
    monkeypatch.setattr("hawkeys.datasets.named.cmu.cache_folder", lambda: cache)
    return data, cache
