"""Features of typing samples: transformers that take a timing matrix, in scikit-learn habits."""

from hawkeys.features.hawkes import HawkesFeatures

__all__ = ["HawkesFeatures"]
