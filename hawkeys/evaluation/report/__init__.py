"""The report of an evaluation: page, figures, tables and files."""
