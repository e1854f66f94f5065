"""Spike trains as packages of neuroscience keep them: a unit is a mark, an interval a realisation.

Times are in seconds. A window is when the data say that units were observed; it is asked for where
they do not.
"""

from hawkeys.interop.spikes.neo import events_from_neo
from hawkeys.interop.spikes.nwb import events_from_nwb, windows_from_nwb
from hawkeys.interop.spikes.pynapple import events_from_pynapple

__all__ = ["events_from_neo", "events_from_nwb", "events_from_pynapple", "windows_from_nwb"]
