"""A message when compilation starts, which takes many seconds once on every machine."""

import logging

from numba.core import event

__all__ = ["announce"]

_SAY = (
    "compiling numerical code for the first use, %s s; later runs read it from %s. "
    "To compile everything at once: hawkeys warmup"
)
# on an idle machine, of one method (benchmarks/results/first_use.csv)
_SECONDS = "about 5 to 20"


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
