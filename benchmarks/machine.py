"""What the speed scripts share: one thread, processor time, and a record of the machine."""

import platform
import time
import warnings
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import numba
from threadpoolctl import threadpool_limits

import hawkeys
from hawkeys.exceptions import EventsWarning, IdentifiabilityWarning

__all__ = ["best_of", "one_thread", "unwarned", "write_table"]


@contextmanager
def one_thread():
    """Hold numba and the linear-algebra libraries to one thread for a while."""
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        numba.set_num_threads(before)


@contextmanager
def unwarned():
    """Leave out warnings that data do not determine their parameters, for a while.

    The published decay of typing samples, 0.1 per second, is a kernel of 10 s in samples of 2 s,
    and some of them have a coarse clock, of which hawkeys warns at every fit.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        warnings.simplefilter("ignore", EventsWarning)
        yield


def best_of(function, repeats):
    """Return the smallest processor time of several calls, in seconds; short ones are repeated."""
    times = []
    while len(times) < repeats or (len(times) < 10 * repeats and sum(times) < 0.1 * repeats):
        started = time.process_time()
        function()
        times.append(time.process_time() - started)
    return min(times)


def write_table(table, path, packages):
    """Write a table as CSV, machine and versions in every row."""
    names = ("numpy", "scipy", "numba", *packages)
    # that of hawkeys as imported, not as some other copy of it was installed
    found = [("hawkeys", hawkeys.__version__), *((name, version(name)) for name in names)]
    versions = "; ".join(f"{name} {number}" for name, number in found)
    where = f"{_processor()}, {platform.system()}, Python {platform.python_version()}"
    table.assign(machine=where, versions=versions).to_csv(path, index=False, float_format="%.6g")


def _processor():
    """Return the processor's name where the system tells it, else its kind."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()
