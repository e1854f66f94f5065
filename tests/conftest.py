"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

from hawkeys.datasets import load_cmu

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
    if reason is None:
        return load_cmu()
    if os.environ.get("HAWKEYS_REQUIRE_DATA") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
