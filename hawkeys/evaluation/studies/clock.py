"""Typing samples as a coarser clock would have recorded them."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import RandomState
from hawkeys._validation import as_generator, check_positive
from hawkeys.datasets import Keystrokes, join_timings

__all__ = ["coarsen"]


def coarsen(data: Keystrokes, tick: float, *, random_state: RandomState = 0) -> Keystrokes:
    r"""Return the samples as a clock with coarser ticks would have recorded them.

    A press or release at time t is read as tick :math:`\lfloor t / \Delta + u \rfloor`, and the
    intervals are differences of readings. The phase u is drawn uniformly from 0 to 1 for each
    sample, because a clock does not start with the typist.

    Parameters
    ----------
    data : Keystrokes
        Typing samples.
    tick : float
        Length of a tick :math:`\Delta` in seconds, positive.
    random_state : int, Generator, SeedSequence or None, default 0
        Seed of the phases.

    Returns
    -------
    Keystrokes
        New samples with the same labels. Intervals are exact multiples of the tick, so that equal
        ones are equal numbers.

    Raises
    ------
    InvalidParameterError
        If the tick is not positive.

    Examples
    --------
    >>> from hawkeys.datasets import Keystrokes
    >>> from hawkeys.evaluation.studies.clock import coarsen
    >>> typed = Keystrokes.from_timings([[0.101, 0.25, 0.149, 0.12]], subject="ann")
    >>> coarsen(typed, 0.125).timings().values
    array([[0.125, 0.25 , 0.125, 0.125]])
    """
    step = float(check_positive(tick, "tick"))
    phase = as_generator(random_state, "random_state").uniform(size=(len(data), 1))
    press, release = (np.floor(times / step + phase) for times in (data.press, data.release))
    return Keystrokes.from_timings(
        step * join_timings(press, release),
        subject=data.subject,
        session=data.session,
        repetition=data.repetition,
        keys=data.keys,
    )
