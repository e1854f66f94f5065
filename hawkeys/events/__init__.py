"""Events: the one container all of the core speaks."""

from hawkeys.events.container import Events

__all__ = ["Events"]
