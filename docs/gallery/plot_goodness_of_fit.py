"""
A right and a wrong model under time rescaling
==============================================

The baseline triples half-way. A model with that step stays inside the band that simulations and
re-fits give; a model with a constant baseline leaves it.
"""

import matplotlib.pyplot as plt

import hawkeys
from hawkeys import baselines

step = baselines.PiecewiseConstant([0.0, 300.0, 600.0], [[0.4, 1.2]])
events = hawkeys.simulate(hawkeys.Hawkes(step, [[0.3]], decay=2.0), end_time=600.0, rng=1)
right = hawkeys.fit(events, decay=2.0, baseline=baselines.PiecewiseConstant([0.0, 300.0, 600.0]))
wrong = hawkeys.fit(events, decay=2.0)

figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for ax, result, title in zip(axes, (right, wrong), ("with the step", "constant"), strict=True):
    hawkeys.goodness_of_fit(result, events, n_mc_samples=99, rng=0).plot_residual_process(ax=ax)
    ax.set_title(title)
