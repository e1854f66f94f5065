"""Earthquake catalogues: the value of an event is its magnitude, dates are in Universal Time."""

from hawkeys.interop.catalogues.obspy import events_from_obspy
from hawkeys.interop.catalogues.zmap import events_from_zmap

__all__ = ["events_from_obspy", "events_from_zmap"]
