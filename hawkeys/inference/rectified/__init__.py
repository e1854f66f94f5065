"""Fits with inhibition."""
