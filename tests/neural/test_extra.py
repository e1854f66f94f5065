"""The extra: one clear error without torch, and what needs none."""

import importlib
import os
import subprocess
import sys

import numpy as np
import pytest

from hawkeys.exceptions import InvalidParameterError, MissingExtraError
from hawkeys.neural import (
    REPAIRED_RECIPE,
    SEED_RECIPE,
    VARIANTS,
    ContrastiveClassifier,
    GeneticClassifier,
    Schedule,
    require_torch,
)

SAMPLES, PEOPLE = np.full((8, 5), 0.2), np.repeat(["ann", "bob"], 4)


def test_torch_is_here_where_it_must_be():
    """Set where the networks are tested, so that a missing torch is no silent skip."""
    if os.environ.get("HAWKEYS_REQUIRE_TORCH") == "1":
        assert importlib.import_module("torch")


def test_importing_needs_no_torch():
    code = "import sys, hawkeys.neural, hawkeys.evaluation; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "call",
    [
        require_torch,
        lambda: ContrastiveClassifier().fit(SAMPLES, PEOPLE),
        lambda: GeneticClassifier().fit(SAMPLES, PEOPLE),
    ],
)
def test_one_clear_error_without_it(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed
    with pytest.raises(MissingExtraError, match=r'pip install "hawkeys\[neural\]"') as caught:
        call()
    assert isinstance(caught.value, ImportError)


def test_published_schedules():
    seed = SEED_RECIPE
    assert (seed.encoder.epochs, seed.head.epochs, seed.together.epochs) == (100, 60, 150)
    assert (seed.encoder.learning_rate, seed.encoder.momentum) == (1e-4, 0.9)
    assert (seed.encoder.optimizer, seed.encoder.batch_size, seed.temperature) == ("sgd", 16, 0.1)
    repaired = REPAIRED_RECIPE.encoder
    assert (repaired.optimizer, repaired.learning_rate) == ("adam", 1e-3)
    assert (repaired.batch_size, repaired.epochs) == (32, 5)
    assert len(VARIANTS) == 6


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (("newton", 1e-3, 8, 1), "optimizer must be one of 'adam', 'sgd'"),
        (("adam", 0.0, 8, 1), "learning_rate must be one positive number"),
        (("adam", 1e-3, 1, 1), "batch_size must be at least 2"),
        (("adam", 1e-3, 8, 0), "epochs must be at least 1"),
        (("sgd", 1e-3, 8, 1, 1.0), "momentum must be below 1"),
    ],
)
def test_schedules_that_are_none(fields, message):
    with pytest.raises(InvalidParameterError, match=message):
        Schedule(*fields)
