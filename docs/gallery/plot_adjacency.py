"""
A fitted adjacency matrix beside the truth
==========================================

Rows are targets, columns are sources: ``adjacency[i, j]`` is the number of children of mark i that
one event of mark j has on average.
"""

import matplotlib.pyplot as plt
import numpy as np

import hawkeys
from hawkeys import plotting

truth = np.array([[0.4, 0.0, 0.2], [0.3, 0.2, 0.0], [0.0, 0.3, 0.3]])
events = hawkeys.simulate(hawkeys.Hawkes([0.3] * 3, truth, decay=1.5), end_time=1_500.0, rng=0)
fitted = hawkeys.fit(events, decay=1.5).process.adjacency

figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for ax, matrix, title in zip(axes, (truth, fitted), ("truth", "fit"), strict=True):
    plotting.plot_adjacency(matrix, ax=ax)
    ax.set_title(title)
