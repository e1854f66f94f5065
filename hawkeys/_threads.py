"""Threads over the rows or realisations of one piece of work.

Compiled functions are serial and release the interpreter's lock: they take a range of rows or
realisations whose outputs are their own. Here that range is cut into parts that a few Python
threads take one after the other. Each row is computed as it would be alone, so the result does not
depend on the number of threads. The threads end with the call: a process may be forked at any time
between two calls, and any number of threads may call at once.

How many threads: the environment's ``HAWKEYS_NUM_THREADS``, else ``NUMBA_NUM_THREADS``, else one
per processor that the process may use; fewer where `limit_threads` or `numba.set_num_threads` says
so.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar

from hawkeys.exceptions import InvalidParameterError

__all__ = ["VARIABLES", "in_threads", "limit_threads", "most_threads", "n_threads"]

VARIABLES = ("HAWKEYS_NUM_THREADS", "NUMBA_NUM_THREADS")
# nanoseconds of work below which to hand it to threads costs more than it gains
_WORTH_THREADS = 2_000_000
# parts per thread: who is done takes the next, as rows differ in their work
_PARTS = 8

_limit: ContextVar[int | None] = ContextVar("hawkeys_threads", default=None)


def most_threads() -> int:
    """Return the number of threads that the environment grants this process.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    InvalidParameterError
        The variable that counts is not a whole number above 0.
    """
    for name in VARIABLES:
        text = os.environ.get(name, "").strip()
        if text:
            if not text.isdecimal() or int(text) < 1:
                raise InvalidParameterError(
                    f"the environment variable {name} must be a whole number of threads, at least "
                    f"1; got {text!r}. Correct or unset it."
                )
            return int(text)
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def n_threads() -> int:
    """Return the number of threads that work is spread over where it is worth them.

    Returns
    -------
    int
        What the environment grants, or less if `limit_threads` or `numba.set_num_threads` says so.
    """
    most = most_threads()
    limit = _limit.get()
    return min(most, _numba_threads(most)) if limit is None else min(most, limit)


def _numba_threads(otherwise: int) -> int:
    """Return what was set with `numba.set_num_threads`, without starting numba's own threads."""
    numba = sys.modules.get("numba")
    if numba is None:
        return otherwise
    try:
        numba.threading_layer()
    except (AttributeError, ValueError):  # still being imported, or its threads never started
        return otherwise
    return int(numba.get_num_threads())


@contextmanager
def limit_threads(count: int) -> Iterator[None]:
    """Let work that this thread starts be spread over at most `count` threads for a while.

    Parameters
    ----------
    count : int
        At least 1.

    Yields
    ------
    None
        While the limit holds.
    """
    token = _limit.set(count)
    try:
        yield
    finally:
        _limit.reset(token)


def in_threads(run: Callable[[tuple[int, int]], object], n: int, work: float) -> None:
    """Call ``run((first, last))`` for parts of ``range(n)`` until all is done.

    Parameters
    ----------
    run : callable
        Does the rows or realisations ``range(first, last)``, with outputs of their own, and leaves
        the interpreter to others meanwhile.
    n : int
        Number of rows or realisations.
    work : float
        Rough number of nanoseconds that all of it takes; little work is done at once.
    """
    count = min(n, n_threads()) if work > _WORTH_THREADS else 1
    if count < 2:
        run((0, n))
        return
    n_parts = min(n, _PARTS * count)
    bounds = [n * k // n_parts for k in range(n_parts + 1)]
    parts = itertools.count()  # its next number goes to one thread only

    def take() -> None:
        while (k := next(parts)) < n_parts:
            run((bounds[k], bounds[k + 1]))

    with ThreadPoolExecutor(count - 1, thread_name_prefix="hawkeys") as pool:
        others = [pool.submit(take) for _ in range(count - 1)]
        take()
        for other in others:
            other.result()
