"""Events: the container of event data that all parts of hawkeys use."""

from hawkeys.events.container import Events

__all__ = ["Events"]
