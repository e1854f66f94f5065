"""Features of typing samples: transformers that take a timing matrix, in scikit-learn habits."""

from typing import TYPE_CHECKING

from hawkeys._faces import named_on_demand

if TYPE_CHECKING:
    from hawkeys.features.hawkes import HawkesFeatures

__all__ = ["HawkesFeatures"]

_HOME = {"HawkesFeatures": "hawkes"}

__getattr__ = named_on_demand(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
