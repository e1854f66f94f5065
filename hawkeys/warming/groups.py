"""The groups of compiled code, by what they are for."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from types import MappingProxyType

from hawkeys._loops.choice import compiled_only
from hawkeys._threads import limit_threads

__all__ = ["GROUPS", "run_group"]

GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "events": "Merging of lists, excitations, intensities and likelihoods.",
        "likelihood": "Methods mle and map, of all realisations and of each.",
        "variational": "Method vi.",
        "branching": "Method vi_branching.",
        "stochastic": "Method vi_stochastic.",
        "least_squares": "Method least_squares.",
        "penalties": "Ridge, lasso, elastic net, groups and their paths.",
        "decays": "Decays that are estimated.",
        "kernels": "Log-normal, gamma and histogram kernels.",
        "uncertainty": "Profile and sandwich intervals, tests of edges and of the model.",
        "simulation": "Simulation of many events, and forecasts.",
        "rectified": "Processes with inhibition.",
        "nonlinear": "Processes with a link and signed delayed influence.",
        "features": "Hawkes features of typing samples.",
        "verifiers": "Verifiers that are compiled, of fixed and of free text.",
    }
)
"""Name of each group and what its code does."""

_LABORATORY = ("features", "verifiers")


def run_group(name: str) -> None:
    """Make the calls of a group, by compiled code though their data are small.

    Parameters
    ----------
    name : str
        A name of `GROUPS`.
    """
    module = "laboratory" if name in _LABORATORY else "models"
    call = getattr(importlib.import_module(f"hawkeys.warming.{module}"), name)
    with warnings.catch_warnings(), compiled_only(), limit_threads(1):
        warnings.simplefilter("ignore")  # of data as few as these
        call()
