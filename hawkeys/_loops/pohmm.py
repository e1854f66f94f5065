"""Inner loops of the partially observable hidden Markov model, for samples of one text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hawkeys._loops.choice import Compiled, is_small
from hawkeys._plain import pohmm as plain
from hawkeys._typing import FloatArray

__all__ = ["for_estimation", "for_scores"]

jit = Compiled("pohmm")
# events of a text up to which numpy, one event of all samples after the other, is quick
_MOST_EVENTS = 64
# samples of a text that numpy needs as long for as for one
_SAMPLES = 20


def for_scores(values: FloatArray) -> Any:
    """Return the module of loops for scores of samples (N, T, F) of one text.

    It depends on the length of the text alone: the score of a sample is the same, bit by bit,
    however many others there are beside it.
    """
    return plain if is_small(0) and values.shape[1] <= _MOST_EVENTS else jit


def for_estimation(texts: Sequence[FloatArray], n_states: int) -> Any:
    """Return the module of loops for an estimation from samples (N, T, F) of some texts."""
    if not all(values.shape[1] <= _MOST_EVENTS for values in texts):
        return jit
    numbers = sum((len(values) + _SAMPLES) * values.shape[1] * n_states for values in texts)
    return plain if is_small(numbers) else jit
