"""Small data for the evaluation tests."""

import pytest

from hawkeys.datasets import load_demo


@pytest.fixture(scope="session")
def demo():
    """Six simulated typists with 400 repetitions each."""
    return load_demo(n_subjects=6)
