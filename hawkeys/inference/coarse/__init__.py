"""Fits to times known up to a tick, or counted by bins: likelihood of the cells, by Monte Carlo."""
