"""Clipped Manhattan distances from the nearest of weighted templates."""

from __future__ import annotations

from hawkeys._loops.choice import Compiled, is_small
from hawkeys._plain import neighbors as plain
from hawkeys._typing import FloatArray, IntArray

__all__ = ["neighbor_distances"]

jit = Compiled("neighbors")
# differences of two features that count as one number
_DIFFERENCES = 200


def neighbor_distances(
    samples: FloatArray,
    own: IntArray,
    templates: FloatArray,
    weights: FloatArray,
    share: float,
    clip: float,
    out: FloatArray,
) -> None:
    """Fill `out` with the mean distance of each sample from its nearest templates.

    Plain and compiled loops give the same to the bit: what is found of a sample does not depend on
    those beside it. See `hawkeys._jit.neighbors`.
    """
    loops = plain if is_small(len(samples) * templates.size // _DIFFERENCES) else jit
    loops.neighbor_distances(samples, own, templates, weights, share, clip, out)
