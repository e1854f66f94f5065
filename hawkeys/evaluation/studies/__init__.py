"""Studies: one setting varied, all else as in an evaluation."""
