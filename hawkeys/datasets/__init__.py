"""Data sets of keystrokes: the `Keystrokes` record, its timing matrix, and where data come from."""

from hawkeys.datasets.attempts import list_attempts, press_intervals, to_keystrokes
from hawkeys.datasets.cmu import load_cmu
from hawkeys.datasets.demo import load_demo
from hawkeys.datasets.event_files import read_key_events
from hawkeys.datasets.formats import FormatInfo, available_formats
from hawkeys.datasets.free_text import FreeText, load_free_text
from hawkeys.datasets.key_events import KeyEvents
from hawkeys.datasets.keystrokes import Keystrokes
from hawkeys.datasets.pairing import pair_events
from hawkeys.datasets.provenance import Provenance
from hawkeys.datasets.readers import read_events
from hawkeys.datasets.registry import DatasetInfo, available_datasets, load_dataset
from hawkeys.datasets.strokes import Strokes
from hawkeys.datasets.tally import Tally
from hawkeys.datasets.timing_files import read_timings
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
    "FormatInfo",
    "FreeText",
    "KeyEvents",
    "Keystrokes",
    "Provenance",
    "Strokes",
    "Tally",
    "available_datasets",
    "available_formats",
    "check_timings",
    "join_timings",
    "list_attempts",
    "load_cmu",
    "load_dataset",
    "load_demo",
    "load_free_text",
    "pair_events",
    "press_intervals",
    "press_release",
    "read_events",
    "read_key_events",
    "read_timings",
    "split_timings",
    "timing_columns",
    "timings_to_events",
    "to_keystrokes",
]
