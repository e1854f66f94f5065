"""Seeds for row problems: one each, so that the order and number of threads do not matter."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import IntArray, RandomState

__all__ = ["row_seeds"]


def row_seeds(rng: RandomState, n_blocks: int) -> IntArray:
    """Return one 32-bit seed per row problem (at least one).

    The first seeds do not depend on how many follow: a realisation fitted alone or among others
    gets the same.
    """
    if isinstance(rng, np.random.Generator):
        rng = int(rng.integers(2**32))
    sequence = rng if isinstance(rng, np.random.SeedSequence) else np.random.SeedSequence(rng)
    return sequence.generate_state(max(n_blocks, 1)).astype(np.int64)
