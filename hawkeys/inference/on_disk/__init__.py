"""Fits of events on disk: one process for all partitions, or one for each realisation."""
