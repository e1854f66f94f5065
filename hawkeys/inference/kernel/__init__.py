"""Fits that estimate a delayed kernel: expectation-maximisation, then Newton steps."""
