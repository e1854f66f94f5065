"""Small calls that run the compiled code of features and verifiers."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from hawkeys.datasets import load_demo
from hawkeys.features import HawkesFeatures
from hawkeys.verifiers import (
    POHMM,
    AutoAssociativeNet,
    FreeTextPOHMM,
    FreeTextProcess,
    HawkesLikelihood,
    RecencyNearestNeighbors,
    StandardNet,
    enrol,
    load_template,
    verify,
)

__all__ = ["features", "verifiers"]


def _timings() -> pd.DataFrame:
    """Return samples of one simulated typist."""
    data = load_demo(n_subjects=1, n_sessions=2, n_repetitions=15)
    return data.timings()


def _typing() -> pd.DataFrame:
    """Return keystrokes of free text, from a fixed rule."""
    press = 0.2 * np.arange(90.0) + 0.05 * np.sin(np.arange(90.0))
    keys = ["a", "s", "t", "h", "e", "space"]
    return pd.DataFrame({"key": keys * 15, "press": press, "release": press + 0.08})


def features() -> None:
    """Hawkes features of typing samples."""
    for method in ("vi", "mle", "map"):
        HawkesFeatures(decay=0.1, method=method).fit_transform(_timings())


def verifiers() -> None:
    """Verifiers of fixed and of free text, as they are trained and as they are read from a file."""
    timings = _timings()
    nets = (AutoAssociativeNet(n_epochs=2), StandardNet(n_epochs=2))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "template.json"
        for verifier in (POHMM(), HawkesLikelihood(), RecencyNearestNeighbors(), *nets):
            template = enrol(timings, verifier=verifier)
            verify(template, timings.iloc[0])
            template.save(path)
            verify(load_template(path), timings.iloc[0])
    for free in (FreeTextProcess(), FreeTextPOHMM()):
        free.fit(_typing()).score(_typing())
