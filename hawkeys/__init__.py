"""hawkeys: statistical Hawkes processes, and a laboratory for keystroke dynamics."""
from hawkeys.events import Events
from hawkeys.process import Hawkes
from hawkeys.simulation import simulate
__all__ = ["Events","Hawkes","simulate"]
__version__ = "0.1.0"
