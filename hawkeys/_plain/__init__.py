"""The loops of `hawkeys._jit` in numpy alone, for data too small to wait for a compiler.

Functions have the names and arguments of their compiled twins, and their results to rounding, or
to the certificate of what is solved. `hawkeys._loops` chooses.
"""
