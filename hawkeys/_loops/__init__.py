"""The compiled loops as the rest of the package calls them.

Each function allocates its outputs and spreads rows or realisations over threads; the loops
themselves are in `hawkeys._jit`.
"""
