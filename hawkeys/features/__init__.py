"""Features of typing samples: transformers that take a timing matrix, in scikit-learn habits."""

from typing import TYPE_CHECKING

from hawkeys._faces import named_on_demand

if TYPE_CHECKING:
    from hawkeys.features.hawkes import HawkesFeatures
    from hawkeys.features.on_disk import FeaturesOnDisk

__all__ = ["FeaturesOnDisk", "HawkesFeatures"]

_HOME = {"FeaturesOnDisk": "on_disk", "HawkesFeatures": "hawkes"}

__getattr__ = named_on_demand(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
