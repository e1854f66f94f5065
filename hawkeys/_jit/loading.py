"""Importing compiled code, and compiling it once on a machine however many processes ask for it.

The first compilation of a process is logged: it takes many seconds once on every machine.

numba keeps what it compiled on disk, and its cache has no lock: ten processes that start at once
where nothing is compiled compile everything ten times. Here the first call of a function that is
not on disk compiles it while processes that want the same file of functions wait.
"""

import logging
import pkgutil
import tempfile
import time
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

from numba import config
from numba.core import event
from numba.core.dispatcher import Dispatcher

try:
    import fcntl
except ImportError:  # no such locks on Windows: processes may compile the same
    fcntl = None  # type: ignore[assignment]

__all__ = ["announce", "first_call", "functions", "load", "places"]

_SAY = (
    "compiling numerical code for the first use, %s s; later runs read it from %s. "
    "To compile everything at once: hawkeys warmup"
)
# on an idle machine, of one method (benchmarks/results/first_use.csv)
_SECONDS = "about 5 to 20"

_WAIT = "another process compiles %s, which this one waits for"
_NO_PLACE = (
    "no folder for compiled code can be written (numba tried NUMBA_CACHE_DIR, which is %s, the "
    "__pycache__ folders of the package, and the user's cache folder): this process keeps it in "
    "%s, which is removed when it ends, and every other one compiles anew. Set NUMBA_CACHE_DIR to "
    "a folder that can be written, also where it is filled already."
)
# seconds after which to compile what another process has not finished
_PATIENCE = 300.0

_temporary: list[tempfile.TemporaryDirectory] = []


class _Listener(event.Listener):
    """Logs the first compilation of this package's code in this process."""

    def __init__(self):
        self.said = False

    def on_start(self, event):
        """Log, unless that was done; what is loaded from the cache is not compiled."""
        dispatcher = event.data["dispatcher"]
        ours = dispatcher.py_func.__module__.startswith("hawkeys.")
        if ours and not self.said:
            self.said = True
            logging.getLogger("hawkeys").info(_SAY, _SECONDS, dispatcher.stats.cache_path)

    def on_end(self, event):
        """Do nothing."""


_LISTENER = _Listener()
_registered: list[bool] = []


def announce():
    """Have the first compilation of this process logged, by the logger ``hawkeys`` as INFO."""
    if not _registered:
        _registered.append(True)
        event.register("numba:compile", _LISTENER)


def load(name):
    """Import a file of compiled functions, also where numba finds no place to keep them."""
    try:
        return import_module(f"hawkeys._jit.{name}")
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
    if not _temporary:
        _temporary.append(tempfile.TemporaryDirectory(prefix="hawkeys-"))
        given = config.CACHE_DIR or "not set"
        logging.getLogger("hawkeys").warning(_NO_PLACE, given, _temporary[0].name)
    before = config.CACHE_DIR
    config.CACHE_DIR = _temporary[0].name
    try:
        return import_module(f"hawkeys._jit.{name}")
    finally:
        config.CACHE_DIR = before


def functions():
    """Return every compiled function of the package; none where numba is switched off."""
    found = []
    for module in pkgutil.iter_modules(import_module("hawkeys._jit").__path__):
        values = vars(load(module.name)).values()
        found += [value for value in values if isinstance(value, Dispatcher)
                  and value.py_func.__module__ == f"hawkeys._jit.{module.name}"]  # fmt: skip
    return found


def places():
    """Return the folders of compiled code, what NUMBA_CACHE_DIR says, and whether code is kept."""
    folders = sorted({Path(function.stats.cache_path) for function in functions()})
    return folders, config.CACHE_DIR, not _temporary


def first_call(value, after):
    """Return what to call at first instead of `value`, if that is a compiled function.

    What is returned calls `after()` once it has compiled.
    """
    if not isinstance(value, Dispatcher):
        after()
        return value

    def compile_and_call(*args):
        _compile_once(value, args)
        after()
        return value(*args)

    return compile_and_call


def _compile_once(function, args):
    """Compile a function that was never compiled on this machine, in one process at a time."""
    module = function.py_func.__module__.rpartition(".")[2]
    folder = Path(function.stats.cache_path)
    known = f"{module}.{function.py_func.__qualname__}-{function.py_func.__code__.co_firstlineno}."
    if any(folder.glob(f"{known}*.nbi")):
        return
    with _alone(folder / f"{module}.lock", module):
        function.compile(tuple(function.typeof_pyval(value) for value in args))


@contextmanager
def _alone(path, module):
    """Hold a lock on a file, after waiting for whoever holds it; without it where there is none."""
    if fcntl is None:
        yield
        return
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock = path.open("a")
    except OSError:
        yield
        return
    with lock:  # to close it is to let go of it
        _wait(lock, module)
        yield


def _wait(lock, module):
    """Take a lock, or give up: then the work is done twice."""
    last = time.monotonic() + _PATIENCE
    said = False
    while time.monotonic() < last:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not said:
                logging.getLogger("hawkeys").info(_WAIT, module)
            said = True
            time.sleep(0.05)
        except OSError:  # a file system without locks
            return
