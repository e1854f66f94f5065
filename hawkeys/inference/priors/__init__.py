"""Priors and penalties of rows of parameters, and the path over the strengths of a penalty."""
