"""What the page draws of a typist: which key waits for which, and for how long."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys.exceptions import HawkeysWarning
from hawkeys.verifiers import HawkesLikelihood

__all__ = ["FEWEST", "picture_of"]

FEWEST = 3
"""Attempts before there is a picture."""

_FAINT = 0.05  # children per event: weaker edges are not drawn


def picture_of(timings: FloatArray, keys: list[str]) -> dict[str, Any]:
    """Return the Hawkes process of attempts (n, 3 K - 2), as `HawkesLikelihood` estimates it.

    `marks` (2 K names: the press and the release of each key), and `edges`: target and source
    (places in `marks`), weight (expected children of one event), and the median lag with the
    interval of one standard deviation of its logarithm, in milliseconds.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HawkeysWarning)  # few samples: a picture, no decision
        model = HawkesLikelihood(half_life=None).fit(timings)
    marks = [f"{action} {key}" for key in keys for action in ("press", "release")]
    median, spread = 1e3 * np.exp(model.location_), np.exp(model.scale_)
    rows = zip(
        model.edges_.tolist(), model.adjacency_, median, median / spread, median * spread,
        strict=True,
    )  # fmt: skip
    edges = [
        {
            "target": target,
            "source": source,
            "weight": round(float(weight), 4),
            "median_ms": round(float(middle), 3),
            "low_ms": round(float(low), 3),
            "high_ms": round(float(high), 3),
        }
        for (target, source), weight, middle, low, high in rows
        if weight >= _FAINT
    ]
    return {"marks": marks, "edges": edges}
