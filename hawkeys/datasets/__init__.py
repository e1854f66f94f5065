"""Data sets of keystrokes: the `Keystrokes` record, its timing matrix, and where data come from."""

from hawkeys.datasets.cmu import load_cmu
from hawkeys.datasets.keystrokes import Keystrokes
from hawkeys.datasets.timings import (
    check_timings,
    join_timings,
    press_release,
    split_timings,
    timing_columns,
    timings_to_events,
)

__all__ = [
    "Keystrokes",
    "check_timings",
    "join_timings",
    "load_cmu",
    "press_release",
    "split_timings",
    "timing_columns",
    "timings_to_events",
]
