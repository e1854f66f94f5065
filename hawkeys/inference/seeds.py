"""Seeds for row problems: one each, so that the order and number of threads do not matter."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import IntArray, RandomState
from hawkeys._validation import as_generator
from hawkeys.exceptions import InvalidParameterError

__all__ = ["each_seeds", "row_seeds", "seeded"]


def row_seeds(rng: RandomState, n_blocks: int) -> IntArray:
    """Return one 32-bit seed per row problem (at least one).

    The first seeds do not depend on how many follow: a realisation fitted alone or among others
    gets the same.
    """
    generator = as_generator(rng)
    if isinstance(rng, np.random.Generator):  # its state moves on, so that a second fit differs
        generator = np.random.default_rng(int(rng.integers(2**32)))
    state = generator.bit_generator.seed_seq.generate_state(max(n_blocks, 1))
    return state.astype(np.int64)


def each_seeds(rng: RandomState | IntArray, n: int, size: int, method: str) -> IntArray:
    """Return the seeds of the row problems of n realisations of `size` marks, (n * size,).

    Raises `InvalidParameterError` if an array of seeds is not one seed per realisation.
    """
    if not isinstance(rng, np.ndarray):
        return row_seeds(rng, n * size)
    whole = rng.dtype.kind in "iu" and (rng >= 0).all()
    if method != "vi_stochastic" or rng.shape != (n,) or not whole:
        raise InvalidParameterError(
            f"rng may be an array for method 'vi_stochastic', of {n} integers >= 0, the seed of "
            f"each realisation; got an array of shape {rng.shape}, type {rng.dtype}, for method "
            f"{method!r}. Give one seed for all, or one each."
        )
    return np.concatenate([row_seeds(int(seed), size) for seed in rng])


def seeded(rng: RandomState) -> tuple[np.random.Generator, int | None]:
    """Return the generator, and the seed that gives it again (a fresh one for None).

    Parameters
    ----------
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness.

    Returns
    -------
    generator : numpy.random.Generator
        The generator.
    seed : int or None
        None if a generator or a sequence was handed in.

    Raises
    ------
    InvalidParameterError
        It is none of these.
    """
    seed = np.random.SeedSequence().entropy if rng is None else rng
    generator = as_generator(seed)
    return generator, int(seed) if isinstance(seed, int | np.integer) else None
