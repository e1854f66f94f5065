"""What can be computed from a fit: tests, intervals, goodness of fit, fits to other data."""
