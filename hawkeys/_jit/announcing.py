"""A message when compilation starts, which takes many seconds once on every machine."""

import logging

from numba import config
from numba.core import event

__all__ = ["announce"]

_SAY = "compiling numerical code for the first use, which can take a minute; it is kept in %s"


class _Listener(event.Listener):
    """Logs the first compilation of this package's code in this process."""

    def __init__(self):
        self.said = False

    def on_start(self, event):
        """Log, unless that was done; what is loaded from the cache is not compiled."""
        ours = event.data["dispatcher"].py_func.__module__.startswith("hawkeys.")
        if ours and not self.said:
            self.said = True
            where = config.CACHE_DIR or "the __pycache__ folders of the package"
            logging.getLogger("hawkeys").info(_SAY, where)

    def on_end(self, event):
        """Do nothing."""


_LISTENER = _Listener()
_registered: list[bool] = []


def announce():
    """Have the first compilation of this process logged, by the logger ``hawkeys`` as INFO."""
    if not _registered:
        _registered.append(True)
        event.register("numba:compile", _LISTENER)
