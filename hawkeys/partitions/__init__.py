"""Events on disk, in parts that fit in memory: one folder of Parquet files.

`write_events` writes the layout from events, or from a stream of them that is never in memory as
a whole; `open_events` opens it without reading a time. `hawkeys.partitions.layout` says what the
files hold.
"""

from hawkeys.partitions.dataset import PartitionedEvents, open_events
from hawkeys.partitions.write import write_events

__all__ = ["PartitionedEvents", "open_events", "write_events"]
