"""Verifiers around verifiers: combination, practice, recency, updating."""
