"""Compiled inner loops: arrays and scalars in and out, nothing of ours imported.

A compiled function calls compiled functions of its own file only, because numba's on-disk cache
does not notice a change in another file.
"""
