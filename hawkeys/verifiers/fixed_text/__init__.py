"""Verifiers of samples of one fixed text."""
