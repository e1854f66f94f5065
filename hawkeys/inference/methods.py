"""The table of inference methods behind `hawkeys.fit` and `hawkeys.fit_each`, and their seeds.

Every row problem has a seed of its own, so that order and number of threads do not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np

from hawkeys._typing import IntArray, RandomState
from hawkeys._validation import as_generator, check_choice, did_you_mean
from hawkeys.events.options import READING
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.branching_options import BranchingVIOptions
from hawkeys.inference.options import (
    LeastSquaresOptions,
    MAPOptions,
    MLEOptions,
    StochasticVIOptions,
    VIOptions,
)
from hawkeys.inference.rows.branching import solve_vi_branching
from hawkeys.inference.rows.least_squares import solve_least_squares
from hawkeys.inference.rows.newton import solve_map, solve_mle
from hawkeys.inference.rows.solution import Solution
from hawkeys.inference.rows.stochastic import solve_vi_stochastic
from hawkeys.inference.rows.variational import solve_vi

__all__ = [
    "METHODS",
    "Method",
    "choose_method",
    "each_seeds",
    "make_options",
    "name_of_method",
    "row_seeds",
]


@dataclass(frozen=True)
class Method:
    """One way of solving row problems.

    Attributes
    ----------
    name : str
        Name in the table.
    title : str
        Name in words, for summaries.
    options : type
        Frozen record of its options.
    solve : callable
        ``solve(design, options, seeds, keep=...) -> Solution``, one seed per row problem.
    """

    name: str
    title: str
    options: type
    solve: Callable[..., Solution]


# arguments of fits that belong to no method
_BESIDE = (
    *("decay", "kernel", "method", "rng", "support", "weights"),
    *("baseline", "tied", "history"),
    *("decay_grid", "decay_sharing", "decay_selection", "n_folds"),
    *(*READING, "start_time", "end_time"),
)
METHODS = {
    method.name: method
    for method in (
        Method("mle", "maximum likelihood", MLEOptions, solve_mle),
        Method("map", "maximum a posteriori", MAPOptions, solve_map),
        Method("least_squares", "least squares", LeastSquaresOptions, solve_least_squares),
        Method("vi", "variational inference (deterministic)", VIOptions, solve_vi),
        Method(
            "vi_stochastic",
            "variational inference (stochastic)",
            StochasticVIOptions,
            solve_vi_stochastic,
        ),
        Method(
            "vi_branching",
            "variational inference (branching structure)",
            BranchingVIOptions,
            solve_vi_branching,
        ),
    )
}


def name_of_method(name: Any) -> str:
    """Return the name of a method as it stands in `METHODS`.

    Parameters
    ----------
    name : str
        A key of `METHODS`, in any case, with hyphens or blanks for underscores: "VI-branching".

    Returns
    -------
    str
        The key.

    Raises
    ------
    InvalidParameterError
        No such method.
    """
    plain = (
        name.strip().lower().replace("-", "_").replace(" ", "_") if isinstance(name, str) else ""
    )
    return plain if plain in METHODS else check_choice(name, "method", tuple(METHODS))


def choose_method(name: str, given: dict[str, Any]) -> tuple[Method, Any]:
    """Return the method and its checked options.

    Parameters
    ----------
    name : str
        A key of `METHODS`, as `name_of_method` returns it.
    given : dict
        Options by name.

    Returns
    -------
    method : Method
        The entry of the table.
    options : object
        An instance of ``method.options``.

    Raises
    ------
    InvalidParameterError
        An option that the method does not have, or a history, which none has.
    """
    method = METHODS[name]
    if given.get("history") is not None:
        raise InvalidParameterError(
            f"method {name!r} has no option 'history' here: hawkeys.fit_each, and fits to events "
            "on disk, take every window as if nothing had happened before. Use hawkeys.fit, of "
            "events in memory, or leave it out."
        )
    return method, make_options(method.options, given, f"method {method.name!r}", _BESIDE)


def make_options(kind: type, given: dict[str, Any], what: str, beside: tuple[str, ...] = ()) -> Any:
    """Return the record of options, checked.

    Parameters
    ----------
    kind : type
        Frozen record of the options.
    given : dict
        Options by name.
    what : str
        Whose options they are, for the message.
    beside : tuple of str, default ()
        Names of the other arguments that there are, for the message.

    Returns
    -------
    object
        An instance of `kind`.

    Raises
    ------
    InvalidParameterError
        An option that the record does not have, or a value out of range.
    """
    if not given:
        return _defaults(kind)
    known = [option.name for option in fields(kind)]
    for option in given:
        if option not in known:
            others = f", beside {', '.join(beside)} of every fit" if beside else ""
            raise InvalidParameterError(
                f"{what} has no option {option!r}; it has {', '.join(known)}{others}."
                f"{did_you_mean(option, (*known, *beside))}"
            )
    return kind(**given)


@cache
def _defaults(kind: type) -> Any:
    """Return the record of options with its defaults; it is frozen, and made once."""
    return kind()


def row_seeds(rng: RandomState, n_blocks: int) -> IntArray:
    """Return one 32-bit seed per row problem (at least one).

    The first seeds do not depend on how many follow: a realisation fitted alone or among others
    gets the same.
    """
    sequence: Any
    if type(rng) is int and rng >= 0:
        sequence = np.random.SeedSequence(rng)  # the usual case, quickly
    elif isinstance(rng, np.random.Generator):  # its state moves on, so that a second fit differs
        sequence = np.random.SeedSequence(int(rng.integers(2**32)))
    else:
        sequence = as_generator(rng).bit_generator.seed_seq
    return sequence.generate_state(max(n_blocks, 1)).astype(np.int64)


def each_seeds(rng: RandomState | IntArray, n: int, size: int, method: str) -> IntArray:
    """Return the seeds of the row problems of n realisations of `size` marks, (n * size,).

    Raises `InvalidParameterError` if an array of seeds is not one seed per realisation.
    """
    if not isinstance(rng, np.ndarray):
        return row_seeds(rng, n * size)
    whole = rng.dtype.kind in "iu" and (rng >= 0).all()
    if method != "vi_stochastic" or rng.shape != (n,) or not whole:
        raise InvalidParameterError(
            f"rng may be an array for method 'vi_stochastic', of {n} integers >= 0, the seed of "
            f"each realisation; got an array of shape {rng.shape}, type {rng.dtype}, for method "
            f"{method!r}. Give one seed for all, or one each."
        )
    return np.concatenate([row_seeds(int(seed), size) for seed in rng])
