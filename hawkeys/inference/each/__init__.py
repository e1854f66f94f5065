"""Fits of every realisation alone, and their result."""
