"""Data sets that have a name: published ones, simulated ones, and the list of both."""
