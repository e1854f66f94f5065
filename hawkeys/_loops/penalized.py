"""Penalised row problems, alone or coupled by groups."""

from __future__ import annotations

from typing import Any

from hawkeys._loops.choice import Compiled, is_small
from hawkeys._plain import penalized as plain

__all__ = ["solvers"]

jit = Compiled("penalized")
# parameters of one problem, which the interpreter takes one by one
_MOST_PARAMETERS = 30


def solvers(n_numbers: int, n_rows: int, n_parameters: int) -> Any:
    """Return the module of loops for problems of this size; see `hawkeys._jit.penalized`.

    `n_numbers` counts events times columns and `n_rows` the rows of all problems, `n_parameters`
    those of the largest.
    """
    return plain if is_small(n_numbers, n_rows) and n_parameters <= _MOST_PARAMETERS else jit
