"""The fits of `HawkesFeatures`: one for each typing sample."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from hawkeys._loops.choice import compiled_only
from hawkeys._typing import IntArray, RandomState
from hawkeys._validation import seeded
from hawkeys.events import Events
from hawkeys.exceptions import IdentifiabilityWarning
from hawkeys.features._factors import WithFactors
from hawkeys.inference import EachResult, fit_each
from hawkeys.inference.examine import quietly
from hawkeys.kernels import Exponential, Kernel

__all__ = ["fit_samples"]


def fit_samples(
    events: Events,
    *,
    decay: float,
    method: str,
    column_factor: bool,
    random_state: RandomState,
    progress: Callable[[int, int], None] | None,
    options: Mapping[str, Any],
) -> EachResult:
    """Fit each realisation alone; arguments as the parameters of `HawkesFeatures`."""
    kernel: Kernel = Exponential(decay)
    if column_factor:
        kernel = WithFactors(kernel, np.arange(1.0, events.n_marks + 1.0))
    rng = _own_seeds(events, random_state) if method == "vi_stochastic" else random_state
    # quietly about the clock, coarse by design; no sample's features depend on the others
    with warnings.catch_warnings(), quietly(), compiled_only(sums=False):
        # a feature need not be an estimate that a single sample determines
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        return fit_each(events, kernel=kernel, method=method, rng=rng, progress=progress, **options)


def _own_seeds(events: Events, random_state: RandomState) -> IntArray:
    """Return a seed per realisation that follows from its own marks and times, in nanoseconds."""
    common = str(seeded(random_state)[0].integers(2**63))
    times = np.rint(events.times * 1e9).astype("<i8")
    marks = events.marks.astype("<i8")
    seeds = np.empty(events.n_realizations, dtype=np.int64)
    for r, (begin, end) in enumerate(pairwise(events.offsets)):
        known = hashlib.blake2b(common.encode(), digest_size=8)
        known.update(times[begin:end].tobytes() + marks[begin:end].tobytes())
        seeds[r] = int.from_bytes(known.digest(), "little") >> 1
    return seeds
