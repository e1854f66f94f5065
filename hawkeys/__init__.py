"""hawkeys: statistical Hawkes processes, and a laboratory for keystroke dynamics."""

from hawkeys.events import Events

__all__ = ["Events"]
__version__ = "0.1.0"
