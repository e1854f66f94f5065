"""
A smooth baseline, and steps
============================

Steps follow chance: the more of them, the more of the excitation they take for changes of the
baseline. A spline has as many pieces, and is as smooth as the data ask for.
"""

import matplotlib.pyplot as plt
import numpy as np

import hawkeys
from hawkeys import baselines

end, pieces = 300.0, 24
fine = np.linspace(0.0, end, 601)
rates = 1.0 + 0.8 * np.sin(4.0 * np.pi * (fine[:-1] + fine[1:]) / (2.0 * end))
truth = hawkeys.Hawkes(baselines.PiecewiseConstant(fine, [rates]), [[0.4]], decay=2.0)
events = hawkeys.simulate(truth, end_time=end, rng=0)

knots = np.linspace(0.0, end, pieces + 1)
models = {
    "Spline": baselines.Spline(knots),
    "PiecewiseConstant": baselines.PiecewiseConstant(knots),
}
moments = np.linspace(0.0, end - 1e-9, 500)
figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained", sharey=True)
for ax, (name, baseline) in zip(axes, models.items(), strict=True):
    result = hawkeys.fit(events, decay=2.0, baseline=baseline)
    lower, upper = result.baseline_interval(moments)
    ax.fill_between(moments, lower[:, 0], upper[:, 0], alpha=0.3, label="95 % interval")
    ax.plot(moments, result.process.baseline_function.at(moments)[:, 0], label="estimate")
    ax.plot(moments, truth.baseline_function.at(moments)[:, 0], "k--", label="truth")
    ax.set_title(f"{name}: adjacency {result.adjacency[0, 0]:.2f} (truth 0.40)")
    ax.set_xlabel("time")
axes[0].set_ylabel("baseline, events per unit of time")
axes[0].legend()
