"""Data sets of keystrokes: the `Keystrokes` record, its timing matrix, and where data come from."""

from hawkeys.datasets.cmu import load_cmu
from hawkeys.datasets.demo import load_demo
from hawkeys.datasets.keystrokes import Keystrokes
from hawkeys.datasets.provenance import Provenance
from hawkeys.datasets.readers import read_events, read_timings
from hawkeys.datasets.registry import DatasetInfo, available_datasets, load_dataset
from hawkeys.datasets.timings import (
    check_timings,
    join_timings,
    press_release,
    split_timings,
    timing_columns,
    timings_to_events,
)

__all__ = [
    "DatasetInfo",
    "Keystrokes",
    "Provenance",
    "available_datasets",
    "check_timings",
    "join_timings",
    "load_cmu",
    "load_dataset",
    "load_demo",
    "press_release",
    "read_events",
    "read_timings",
    "split_timings",
    "timing_columns",
    "timings_to_events",
]
