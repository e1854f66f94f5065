"""Files with a sample of a fixed text in each row."""
