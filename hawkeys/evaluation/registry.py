"""Verifiers made from names, as the command line takes them."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from hawkeys._validation import check_count, check_fraction
from hawkeys.evaluation.catalogue import DEFAULT_VERIFIERS, VERIFIERS, Settings
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers.thresholds import check_detector

__all__ = ["make_verifiers"]

_ALL = "all"


def make_verifiers(
    names: Sequence[str] | None = None,
    *,
    false_alarm: float = 0.05,
    published: bool = False,
    random_state: int = 0,
) -> dict[str, BaseEstimator]:
    """Make verifiers by name, ready for `evaluate`.

    Parameters
    ----------
    names : sequence of str, optional
        Keys of `VERIFIERS`, or "all"; by default `DEFAULT_VERIFIERS`, the rows of table 1 of
        [1]_. A name may be followed by parameters of the verifier, ``"pohmm:n_states=3"`` or
        ``"recency-nearest-neighbors:half_life=20:clip=3.0"``; the whole text names it in results.
    false_alarm : float, default 0.05
        Share of the training samples that a verifier's own threshold may reject.
    published : bool, default False
        Compute Hawkes features as published, by stochastic variational inference (0.2 s per
        sample), instead of by the deterministic one.
    random_state : int, default 0
        Seed of whatever is random.

    Returns
    -------
    dict of str to estimator
        In the order of `names`.

    Raises
    ------
    InvalidParameterError
        If a name is unknown or given twice, or a parameter is unknown, given twice or not valid;
        the message lists the known ones, or says what is expected.

    References
    ----------
    .. [1] C. Zhang, Y. Zhang and F. Li (2021), "Feature extraction of sequence of keystrokes in
       fixed text using the multivariate Hawkes process", Mathematical Problems in Engineering,
       doi:10.1155/2021/6648726.

    Examples
    --------
    >>> from hawkeys.evaluation import make_verifiers
    >>> list(make_verifiers(["manhattan", "euclidean"]))
    ['manhattan', 'euclidean']
    >>> make_verifiers(["pohmm:n_states=3"])
    {'pohmm:n_states=3': POHMM(n_states=3)}
    """
    settings = Settings(
        check_fraction(false_alarm, "false_alarm"),
        published,
        check_count(random_state, "random_state", minimum=0),
    )
    made: dict[str, BaseEstimator] = {}
    for name in _expand(names):
        if name in made:
            raise InvalidParameterError(f"verifier {name!r} is named twice; name it once.")
        made[name] = _make(name, settings)
    return made


def _expand(names: Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        return DEFAULT_VERIFIERS
    chosen = tuple(names)
    if not chosen:
        raise InvalidParameterError(f"no verifier named; choose from: {', '.join(VERIFIERS)}.")
    return tuple(VERIFIERS) if chosen == (_ALL,) else chosen


def _make(text: str, settings: Settings) -> BaseEstimator:
    name, *options = text.split(":")
    if name not in VERIFIERS:
        raise InvalidParameterError(
            f"unknown verifier {name!r}; known ones: {', '.join(VERIFIERS)}."
        )
    verifier = VERIFIERS[name].factory(settings)
    detector = verifier.steps[-1][1] if isinstance(verifier, Pipeline) else verifier
    chosen = [_option(option, detector, text) for option in options]
    repeated = [key for key, count in Counter(key for key, _ in chosen).items() if count > 1]
    if repeated:
        raise InvalidParameterError(
            f"verifier {text!r} sets {repeated[0]} more than once; set it once."
        )
    detector.set_params(**dict(chosen))
    try:
        check_detector(verifier, text)
    except InvalidParameterError as error:
        raise InvalidParameterError(f"verifier {text!r}: {error}") from error
    return verifier


def _option(option: str, detector: BaseEstimator, text: str) -> tuple[str, Any]:
    """Read ``key=value``; the value is a number, True, False, None or a word."""
    key, sign, value = option.partition("=")
    known = sorted(detector.get_params(deep=False))
    if not sign or key not in known:
        raise InvalidParameterError(
            f"verifier {text!r}: {option!r} is no parameter of {type(detector).__name__}; write "
            f"NAME=VALUE with one of {', '.join(known)}."
        )
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return key, value
