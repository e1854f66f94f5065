"""Solvers of row problems, one for each method, and what they return."""
