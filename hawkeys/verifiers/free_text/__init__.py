"""Verifiers of free text: recordings of keys in any order."""
