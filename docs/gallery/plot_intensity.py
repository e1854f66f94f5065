"""
Intensity of a process and the events it made
=============================================

The intensity of each mark jumps at an event that excites it and falls back to the baseline.
"""

import matplotlib.pyplot as plt

import hawkeys
from hawkeys import plotting

process = hawkeys.Hawkes(
    [0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0, mark_names=["buy", "sell"]
)
events = hawkeys.simulate(process, end_time=40.0, rng=3)
plotting.plot_intensity(process, events)
plt.gcf().set_size_inches(9, 4)
