"""Sums of exponentials over earlier events that have strengths."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._loops.choice import Compiled, is_small, usual_form
from hawkeys._plain.interpreted import interpreted
from hawkeys._threads import in_threads
from hawkeys._typing import FloatArray, IntArray

__all__ = ["sums_at", "sums_at_events"]

jit = Compiled("strengths")
# nanoseconds per event and term
_PER_TERM = 3


def _fades(rates: FloatArray, elapsed: float, scale: FloatArray, out: FloatArray) -> None:
    np.exp(-rates * elapsed, out=out)


def _add(row: FloatArray, value: float) -> None:
    row += value


def _multiply(row: FloatArray, factors: FloatArray) -> None:
    row *= factors


plain = interpreted("strengths", fades=_fades, inner=np.dot, add=_add, multiply=_multiply)


def sums_at_events(
    path: tuple[FloatArray, IntArray],
    offsets: IntArray,
    strengths: FloatArray,
    terms: tuple[FloatArray, FloatArray],
    where: tuple[Any, ...],
    target: int,
    out: FloatArray,
) -> None:
    """Write c_j at every event of the target mark, or of all; see `hawkeys._jit.strengths`."""
    size = path[0].size * terms[1].size
    loops = plain if is_small(size) else jit
    arrays = path, offsets, strengths, (usual_form(terms[0]), usual_form(terms[1])), where
    in_threads(lambda part: loops.sums_at_events(*arrays, target, out, part), offsets.size - 1,
               _PER_TERM * size)  # fmt: skip


def sums_at(
    path: tuple[FloatArray, IntArray],
    strengths: FloatArray,
    terms: tuple[FloatArray, FloatArray],
    queries: FloatArray,
    *,
    mass: bool,
) -> FloatArray:
    """Return c_j, or its integral since the start, at sorted query times of one realisation.

    `terms` are rates and heights, (n_sources, n_terms); shape (n_queries, n_sources).
    """
    out = np.empty((queries.size, terms[1].shape[0]))
    loops = plain if is_small((path[0].size + queries.size) * terms[1].size) else jit
    whole = usual_form(terms[0]), usual_form(terms[1])
    loops.sums_at(path, strengths, whole, usual_form(queries), mass, out)
    return out
