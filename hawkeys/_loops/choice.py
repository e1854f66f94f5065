"""Which loops: plain ones for small data, compiled ones otherwise, imported when first called.

`perform` does both at once: it chooses, and spreads compiled loops over threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from hawkeys._threads import in_threads
from hawkeys._typing import FloatArray, IntArray

__all__ = [
    "MOST",
    "Compiled",
    "compiled_only",
    "has_few_pairs",
    "has_many_marks",
    "is_small",
    "is_small_sum",
    "is_wide",
    "perform",
    "usual_form",
]

# numbers, of events times marks, up to which numpy does the work in milliseconds
MOST = 20_000
# columns from which a row problem is wide, and events from which it is long
_WIDE, _LONG = 64, 20_000
# numbers that a row problem, of a mark of all realisations or of one, counts as
_PER_ROW = 400
# pairs of events that count as one number: written out in blocks they take numpy about as long as
# compiled code; and pairs that an event counts as
_PAIRS, _PER_EVENT = 500, 20

# marks, and numbers of events times marks, from which excitations are not all written out: 0.2 GB
_MANY_MARKS, _MANY_NUMBERS = 64, 25_000_000

# what is done whatever the size: everything compiled, or solvers compiled and sums in numpy
_ALL, _SOLVERS = "all", "solvers"
_compiled_only: ContextVar[str] = ContextVar("hawkeys_compiled_only", default="")


@contextmanager
def compiled_only(*, sums: bool = True) -> Iterator[None]:
    """Use compiled loops whatever the size, for a while.

    What is computed for one realisation is then the same, bit by bit, however many others there
    are beside it.

    Parameters
    ----------
    sums : bool, default True
        Whether the order of events, excitations, integrals and values of row problems are compiled,
        too. If not they are always summed in numpy, where they do not depend on what is beside
        them, either: that suits many short realisations, whose solutions are all the work.

    Yields
    ------
    None
        While that holds.
    """
    token = _compiled_only.set(_ALL if sums else _SOLVERS)
    try:
        yield
    finally:
        _compiled_only.reset(token)


def is_small(n_numbers: int, n_rows: int = 0) -> bool:
    """Tell whether the work is so small that compiling the loops would take longer than doing it.

    The answer depends on the size alone, never on what was compiled before, so that results do not
    depend on the past of the machine.

    Parameters
    ----------
    n_numbers : int
        Events times marks.
    n_rows : int, default 0
        Number of row problems, if the work is done row by row.

    Returns
    -------
    bool
        Whether the loops of `hawkeys._plain` are to be used.
    """
    return n_numbers + _PER_ROW * n_rows <= MOST and not _compiled_only.get()


def is_small_sum(n_numbers: int, n_rows: int = 0) -> bool:
    """Tell the same of sums over events that `compiled_only` may leave to numpy.

    Parameters
    ----------
    n_numbers, n_rows : int
        As for `is_small`.

    Returns
    -------
    bool
        Whether the loops of `hawkeys._plain` are to be used.
    """
    return _compiled_only.get() == _SOLVERS or is_small(n_numbers, n_rows)


def has_few_pairs(n_pairs: int, n_events: int) -> bool:
    """Tell whether work that goes from pair to pair of events is as soon done without a compiler.

    As for `is_small`, the answer depends on the size alone.

    Parameters
    ----------
    n_pairs : int
        Pairs of an event, or a question, and an earlier event within reach.
    n_events : int
        Events, or questions.

    Returns
    -------
    bool
        Whether the loops of `hawkeys._plain` are to be used.
    """
    return is_small((n_pairs + _PER_EVENT * n_events) // _PAIRS)


def is_wide(offsets: IntArray, n_columns: int) -> bool:
    """Tell whether row problems have so many columns that products of matrices are all the work.

    Rows of fewer events than columns, or of very many events, are left to the other loops.

    Parameters
    ----------
    offsets : ndarray of int64, shape (n_rows + 1,)
        Row b has the events ``offsets[b]:offsets[b + 1]``.
    n_columns : int
        Number of columns, x0 included.

    Returns
    -------
    bool
        Whether `hawkeys._plain.wide_rows` is to be used.
    """
    if n_columns < _WIDE:
        return False
    sizes = np.diff(offsets)
    return bool(sizes.mean() >= n_columns and sizes.max() < _LONG)


def has_many_marks(n_events: int, n_marks: int) -> bool:
    """Tell whether the excitations of all events by all marks are too many to be written out.

    As for `is_small`, the answer depends on the size alone.

    Parameters
    ----------
    n_events : int
        Events of all marks.
    n_marks : int
        Marks.

    Returns
    -------
    bool
        Whether row problems are to be solved over the columns that matter, as they are found.
    """
    return n_marks >= _MANY_MARKS and n_events * n_marks > _MANY_NUMBERS


def usual_form(values: FloatArray) -> FloatArray:
    """Return the numbers as an array in C order that may be written, copied if need be.

    For every other form of an argument, read-only for one, numba compiles the whole function anew.

    Parameters
    ----------
    values : ndarray of float64, any shape
        What is given to a compiled function in several forms.

    Returns
    -------
    ndarray of float64, same shape
        `values` itself, if it has that form.
    """
    return np.require(values, requirements=["C", "W"])


class Compiled:
    """A module of compiled loops, imported with numba when one of its functions is first needed.

    Parameters
    ----------
    name : str
        Name of the module in `hawkeys._jit`.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked by tools that look at objects
            raise AttributeError(name)
        loading = import_module("hawkeys._jit.loading")
        loading.announce()
        value = getattr(loading.load(self._name), name)
        return loading.first_call(value, lambda: setattr(self, name, value))


def perform(
    loop: Callable[..., Any],
    jit: Compiled,
    arguments: tuple[Any, ...],
    n_numbers: int,
    *,
    n_rows: int = 0,
    n_parts: int | None = None,
    work: float = 0.0,
    is_sum: bool = True,
) -> Any:
    """Call a plain loop if the data are small, and its compiled twin in threads otherwise.

    Parameters
    ----------
    loop : callable
        A function of `hawkeys._plain`.
    jit : Compiled
        The compiled file that has a function of the same name and arguments.
    arguments : tuple
        All of them but the last of a function that does ``range(first, last)`` of its rows.
    n_numbers, n_rows : int
        As for `is_small`.
    n_parts : int, optional
        How many rows or realisations there are to share out. Default: the function takes no range.
    work : float, default 0.0
        Rough number of nanoseconds that the compiled loop takes, if it can be shared out.
    is_sum : bool, default True
        Whether it is a sum over events, which `compiled_only` may leave to numpy.

    Returns
    -------
    object
        What the function returns; nothing if its rows are shared out.
    """
    if (is_small_sum if is_sum else is_small)(n_numbers, n_rows):
        return loop(*arguments) if n_parts is None else loop(*arguments, (0, n_parts))
    twin = getattr(jit, loop.__name__)
    if n_parts is None:
        return twin(*arguments)
    return in_threads(partial(twin, *arguments), n_parts, work)
