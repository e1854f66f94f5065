"""Data sets of keystrokes: the `Keystrokes` record, its timing matrix, and where data come from."""

from typing import TYPE_CHECKING

from hawkeys._faces import named_on_demand

if TYPE_CHECKING:
    from hawkeys.datasets.formats import FormatInfo, available_formats
    from hawkeys.datasets.key_events.attempts import list_attempts, press_intervals, to_keystrokes
    from hawkeys.datasets.key_events.events import KeyEvents
    from hawkeys.datasets.key_events.files import read_key_events
    from hawkeys.datasets.key_events.pairing import pair_events
    from hawkeys.datasets.key_events.strokes import Strokes
    from hawkeys.datasets.keystrokes import Keystrokes
    from hawkeys.datasets.named.bksd import load_bksd
    from hawkeys.datasets.named.cmu import load_cmu
    from hawkeys.datasets.named.demo import load_demo
    from hawkeys.datasets.named.event_sequences import EventSequences, load_event_sequences
    from hawkeys.datasets.named.event_times import (
        CLOCK_TICK,
        EventTimes,
        clock_residuals,
        load_press_times,
        simulate_event_times,
        snap_intervals,
    )
    from hawkeys.datasets.named.free_text import FreeText, load_free_text
    from hawkeys.datasets.named.keyed_text import load_aalto, simulate_keyed_text
    from hawkeys.datasets.named.registry import DatasetInfo, available_datasets, load_dataset
    from hawkeys.datasets.provenance import Provenance
    from hawkeys.datasets.readers import read_events
    from hawkeys.datasets.slices import EventSlices, cut_slices, uniform_slices
    from hawkeys.datasets.splits import (
        SampleSplit,
        balanced,
        published_split,
        random_folds,
        session_folds,
        shared_events,
        user_folds,
    )
    from hawkeys.datasets.tally import Tally
    from hawkeys.datasets.timing_files.partitioned import PartitionedTimings, open_timings
    from hawkeys.datasets.timing_files.reading import read_timings
    from hawkeys.datasets.timings import (
        check_timings,
        join_timings,
        press_release,
        split_timings,
        timing_columns,
        timings_to_events,
    )

__all__ = [
    "CLOCK_TICK",
    "DatasetInfo",
    "EventSequences",
    "EventSlices",
    "EventTimes",
    "FormatInfo",
    "FreeText",
    "KeyEvents",
    "Keystrokes",
    "PartitionedTimings",
    "Provenance",
    "SampleSplit",
    "Strokes",
    "Tally",
    "available_datasets",
    "available_formats",
    "balanced",
    "check_timings",
    "clock_residuals",
    "cut_slices",
    "join_timings",
    "list_attempts",
    "load_aalto",
    "load_bksd",
    "load_cmu",
    "load_dataset",
    "load_demo",
    "load_event_sequences",
    "load_free_text",
    "load_press_times",
    "open_timings",
    "pair_events",
    "press_intervals",
    "press_release",
    "published_split",
    "random_folds",
    "read_events",
    "read_key_events",
    "read_timings",
    "session_folds",
    "shared_events",
    "simulate_event_times",
    "simulate_keyed_text",
    "snap_intervals",
    "split_timings",
    "timing_columns",
    "timings_to_events",
    "to_keystrokes",
    "uniform_slices",
    "user_folds",
]

_HOME = {
    "CLOCK_TICK": "named.event_times",
    "DatasetInfo": "named.registry",
    "EventSequences": "named.event_sequences",
    "EventSlices": "slices",
    "EventTimes": "named.event_times",
    "FormatInfo": "formats",
    "FreeText": "named.free_text",
    "KeyEvents": "key_events.events",
    "Keystrokes": "keystrokes",
    "PartitionedTimings": "timing_files.partitioned",
    "Provenance": "provenance",
    "SampleSplit": "splits",
    "Strokes": "key_events.strokes",
    "Tally": "tally",
    "available_datasets": "named.registry",
    "available_formats": "formats",
    "balanced": "splits",
    "check_timings": "timings",
    "clock_residuals": "named.event_times",
    "cut_slices": "slices",
    "join_timings": "timings",
    "list_attempts": "key_events.attempts",
    "load_aalto": "named.keyed_text",
    "load_bksd": "named.bksd",
    "load_cmu": "named.cmu",
    "load_dataset": "named.registry",
    "load_demo": "named.demo",
    "load_event_sequences": "named.event_sequences",
    "load_free_text": "named.free_text",
    "load_press_times": "named.event_times",
    "open_timings": "timing_files.partitioned",
    "pair_events": "key_events.pairing",
    "press_intervals": "key_events.attempts",
    "press_release": "timings",
    "published_split": "splits",
    "random_folds": "splits",
    "read_events": "readers",
    "read_key_events": "key_events.files",
    "read_timings": "timing_files.reading",
    "session_folds": "splits",
    "shared_events": "splits",
    "simulate_event_times": "named.event_times",
    "simulate_keyed_text": "named.keyed_text",
    "snap_intervals": "named.event_times",
    "split_timings": "timings",
    "timing_columns": "timings",
    "timings_to_events": "timings",
    "to_keystrokes": "key_events.attempts",
    "uniform_slices": "slices",
    "user_folds": "splits",
}

__getattr__ = named_on_demand(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
