"""How many threads a fit is worth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numba

__all__ = ["threads_for"]

# events; below, to hand work to threads costs more than the work (20 times more on a busy machine)
_WORTH_THREADS = 20_000


@contextmanager
def threads_for(n_events: int, method: str = "mle") -> Iterator[None]:
    """Hold numba to one thread for a while if the data are small.

    Parameters
    ----------
    n_events : int
        Size of the data.
    method : str, default "mle"
        Method of inference; the variational ones do enough with each event to be worth threads.

    Yields
    ------
    None
        While the limit holds.
    """
    before = numba.get_num_threads()
    small = n_events < _WORTH_THREADS and not method.startswith("vi")
    numba.set_num_threads(1 if small else before)
    try:
        yield
    finally:
        numba.set_num_threads(before)
