"""Presses and releases of keys: read, paired to strokes, and cut into attempts at a text."""
