"""Verifiers known by name, as the command line offers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

from hawkeys._validation import check_count, check_fraction
from hawkeys.exceptions import InvalidParameterError
from hawkeys.features import HawkesFeatures
from hawkeys.verifiers import POHMM, Euclidean, Manhattan, ScaledManhattan

__all__ = ["DEFAULT_VERIFIERS", "VERIFIERS", "Settings", "VerifierEntry", "make_verifiers"]


@dataclass(frozen=True)
class Settings:
    """What the benchmark asks of every verifier.

    Attributes
    ----------
    false_alarm : float
        Share of the training samples that a verifier's own threshold may reject.
    published : bool
        Whether Hawkes features are computed as published, by stochastic variational inference
        (slow), instead of by the deterministic one.
    random_state : int
        Seed of whatever is random.
    """

    false_alarm: float = 0.05
    published: bool = False
    random_state: int = 0


@dataclass(frozen=True)
class VerifierEntry:
    """A verifier known by name.

    Attributes
    ----------
    name : str
        As the command line takes it.
    description : str
        One line.
    reference : str
        Where its definition was published.
    factory : callable
        Makes the estimator from `Settings`.
    """

    name: str
    description: str
    reference: str
    factory: Callable[[Settings], BaseEstimator]


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
        Keys of `VERIFIERS`; by default `DEFAULT_VERIFIERS`, the rows of table 1 of [1]_.
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
        If a name is unknown or given twice; the message lists the known ones.

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
    """
    settings = Settings(
        check_fraction(false_alarm, "false_alarm"),
        published,
        check_count(random_state, "random_state", minimum=0),
    )
    chosen = DEFAULT_VERIFIERS if names is None else tuple(names)
    if not chosen:
        raise InvalidParameterError(f"no verifier named; choose from: {', '.join(VERIFIERS)}.")
    for name in chosen:
        if name not in VERIFIERS:
            raise InvalidParameterError(
                f"unknown verifier {name!r}; known ones: {', '.join(VERIFIERS)}."
            )
        if chosen.count(name) > 1:
            raise InvalidParameterError(f"verifier {name!r} is named twice; name it once.")
    return {name: VERIFIERS[name].factory(settings) for name in chosen}


def _features(settings: Settings) -> BaseEstimator:
    if settings.published:
        return HawkesFeatures.published(random_state=settings.random_state)
    return HawkesFeatures(random_state=settings.random_state)


_KM = "Killourhy and Maxion (2009), doi:10.1109/DSN.2009.5270346"
_ZZL = "Zhang, Zhang and Li (2021), doi:10.1155/2021/6648726"

_ENTRIES = (
    VerifierEntry(
        "raw-scaled-manhattan",
        "raw timings, Manhattan / standard deviation",
        _ZZL,
        lambda s: ScaledManhattan(scale="std", false_alarm=s.false_alarm),
    ),
    VerifierEntry(
        "pohmm",
        "partially observable hidden Markov model",
        "Monaco and Tappert (2018), Pattern Recognition 76, 449-462, arXiv:1607.03854",
        lambda s: POHMM(false_alarm=s.false_alarm),
    ),
    VerifierEntry(
        "hawkes-scaled-manhattan",
        "Hawkes features, Manhattan / standard deviation",
        _ZZL,
        lambda s: make_pipeline(
            _features(s), ScaledManhattan(scale="std", false_alarm=s.false_alarm)
        ),
    ),
    VerifierEntry(
        "hawkes-euclidean",
        "Hawkes features, the paper's Euclidean (unscaled L1)",
        _ZZL,
        lambda s: make_pipeline(
            _features(s), Euclidean(definition="l1", false_alarm=s.false_alarm)
        ),
    ),
    VerifierEntry(
        "scaled-manhattan",
        "raw timings, Manhattan / mean absolute deviation",
        _KM,
        lambda s: ScaledManhattan(scale="mean_abs_deviation", false_alarm=s.false_alarm),
    ),
    VerifierEntry(
        "manhattan",
        "raw timings, Manhattan",
        _KM,
        lambda s: Manhattan(false_alarm=s.false_alarm),
    ),
    VerifierEntry(
        "euclidean",
        "raw timings, squared Euclidean",
        _KM,
        lambda s: Euclidean(false_alarm=s.false_alarm),
    ),
)

VERIFIERS: Mapping[str, VerifierEntry] = MappingProxyType({one.name: one for one in _ENTRIES})
"""All verifiers known by name."""

DEFAULT_VERIFIERS = ("raw-scaled-manhattan", "pohmm", "hawkes-scaled-manhattan", "hawkes-euclidean")
"""The rows of table 1 of Zhang, Zhang and Li (2021)."""
