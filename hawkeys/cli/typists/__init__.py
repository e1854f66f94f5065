"""``hawkeys benchmark`` of a fixed text: its options, its typists, and what is studied."""
