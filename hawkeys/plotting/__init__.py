"""Pictures: adjacency, kernels, intensity."""

from hawkeys.plotting.adjacency import plot_adjacency, plot_kernels
from hawkeys.plotting.branching import plot_branching
from hawkeys.plotting.time import plot_intensity

__all__ = ["plot_adjacency", "plot_branching", "plot_intensity", "plot_kernels"]
