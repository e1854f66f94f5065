"""Compiling everything before it is needed, and where compiled code is kept."""

from hawkeys.warming.groups import GROUPS
from hawkeys.warming.run import WarmupResult, warmup

__all__ = ["GROUPS", "WarmupResult", "warmup"]
