"""What is asked of a fit: tests, intervals, goodness of fit, comparison, fits to other data."""
