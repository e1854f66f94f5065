"""Error rates of an evaluation: by subject, by policy, over people; curves and comparisons."""
