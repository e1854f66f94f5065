"""Exact simulation, by clusters or (with inhibition) by thinning."""

from hawkeys.simulation.sampling import simulate, simulate_until

__all__ = ["simulate", "simulate_until"]
