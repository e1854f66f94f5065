"""Work on one subject after the other, spread over processes where that saves time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from threading import Timer
from typing import Any

from joblib import Parallel, cpu_count, delayed, effective_n_jobs
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

__all__ = ["each_in_turn"]

# seconds of work below which no process is started: each imports the package first
_WORTH = 5.0


def each_in_turn(
    work: Callable[..., Any], subjects: Sequence[tuple[Any, ...]], n_jobs: int
) -> Iterator[Any]:
    """Yield ``work(*subject)`` of each subject, in their order.

    This process begins, with as many threads as each of several would have, so that answers are
    the same wherever they are found. Others are started for the rest once it is known to take some
    seconds: by what the first ones took, or because the first takes as long itself.

    Parameters
    ----------
    work : callable
        What can be sent to another process.
    subjects : sequence of tuple
        Its arguments.
    n_jobs : int
        Number of processes; -1 for one per core.

    Yields
    ------
    object
        What `work` returns.
    """
    several = min(effective_n_jobs(n_jobs), max(len(subjects), 1))
    rest, spent = list(subjects), 0.0
    others: list[Iterator[Any]] = []

    def start() -> None:
        parallel = Parallel(n_jobs=n_jobs, return_as="generator")
        others.append(parallel(delayed(work)(*one) for one in rest))

    while rest and not others:
        if several > 1 and spent * len(rest) > _WORTH * (len(subjects) - len(rest)):
            start()
            break
        own, patience = rest.pop(0), Timer(_WORTH, start)
        if several > 1 and rest:
            patience.start()
        started = time.process_time()
        try:
            with _threads_of(several):
                answer = work(*own)
        finally:
            patience.cancel()
        spent += time.process_time() - started
        if patience.ident is not None:
            patience.join()
        yield answer
    for one in others:
        yield from one


def _threads_of(n_processes: int) -> Any:
    """Return a context that has no library use more threads than each of several processes may."""
    most = max(cpu_count() // n_processes, 1)
    libraries = ThreadpoolController()
    used = {one["prefix"]: min(one["num_threads"], most) for one in libraries.info()}
    return libraries.limit(limits=used)
