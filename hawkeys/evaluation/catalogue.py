"""The verifiers known by name: what they are, where they come from, how they are made."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline, make_pipeline

from hawkeys._validation import check_count, check_fraction
from hawkeys.exceptions import InvalidParameterError
from hawkeys.features import HawkesFeatures
from hawkeys.verifiers import (
    POHMM,
    AutoAssociativeNet,
    BackgroundRatio,
    ClippedManhattan,
    Euclidean,
    EuclideanNormed,
    FilteredManhattan,
    FuzzyLogic,
    HawkesLikelihood,
    KMeans,
    Mahalanobis,
    MahalanobisNormed,
    Manhattan,
    NearestNeighborMahalanobis,
    NeighborsAndHawkes,
    OneClassSVM,
    OneClassVerifier,
    OutlierCount,
    PracticeCorrected,
    RecencyNearestNeighbors,
    RecencyWeighted,
    RobustMahalanobis,
    ScaledManhattan,
    StandardNet,
)
from hawkeys.verifiers.thresholds import check_detector

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
    enough_samples : int
        Training samples from which a verifier of computed features means something, if those need
        more than the last step by itself; 0 otherwise.
    """

    name: str
    description: str
    reference: str
    factory: Callable[[Settings], BaseEstimator]
    enough_samples: int = 0


def _features(settings: Settings) -> BaseEstimator:
    if settings.published:
        return HawkesFeatures.published(random_state=settings.random_state)
    return HawkesFeatures(random_state=settings.random_state)


_KM = "Killourhy and Maxion (2009), doi:10.1109/DSN.2009.5270346"
_ZZL = "Zhang, Zhang and Li (2021), doi:10.1155/2021/6648726"

_MT = "Monaco and Tappert (2018), Pattern Recognition 76, 449-462, arXiv:1607.03854"
_JNR = "Jain, Nandakumar and Ross (2005), doi:10.1016/j.patcog.2005.01.012"
_ZDJ = "Zhong, Deng and Jain (2012), doi:10.1109/CVPRW.2012.6239225"


def _practised(settings: Settings, part: OneClassVerifier) -> OneClassVerifier:
    """Return a verifier corrected for practice."""
    return PracticeCorrected(part, false_alarm=settings.false_alarm)


def _plain(
    name: str,
    description: str,
    reference: str,
    kind: Callable[..., OneClassVerifier],
    *,
    seeded: bool = False,
) -> VerifierEntry:
    """Return the entry of a verifier of raw timings with its default parameters."""

    def factory(settings: Settings) -> OneClassVerifier:
        seed = {"random_state": settings.random_state} if seeded else {}
        return kind(false_alarm=settings.false_alarm, **seed)

    return VerifierEntry(name, description, reference, factory)


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
        _MT,
        lambda s: POHMM(false_alarm=s.false_alarm),
    ),
    VerifierEntry(
        "hawkes-scaled-manhattan",
        "Hawkes features, Manhattan / standard deviation",
        _ZZL,
        lambda s: make_pipeline(
            _features(s), ScaledManhattan(scale="std", false_alarm=s.false_alarm)
        ),
        enough_samples=150,
    ),
    VerifierEntry(
        "hawkes-euclidean",
        "Hawkes features, unscaled Manhattan",
        _ZZL,
        lambda s: make_pipeline(
            _features(s), Euclidean(definition="l1", false_alarm=s.false_alarm)
        ),
        enough_samples=90,
    ),
    _plain("scaled-manhattan", "Manhattan / mean absolute deviation", _KM, ScaledManhattan),
    _plain("manhattan", "Manhattan distance from the mean", _KM, Manhattan),
    _plain("filtered-manhattan", "Manhattan, mean without outliers", _KM, FilteredManhattan),
    _plain("euclidean", "squared Euclidean distance from the mean", _KM, Euclidean),
    _plain("euclidean-normed", "the same / lengths of both vectors", _KM, EuclideanNormed),
    _plain("mahalanobis", "Mahalanobis distance from the mean", _KM, Mahalanobis),
    _plain("mahalanobis-normed", "the same / lengths of both vectors", _KM, MahalanobisNormed),
    _plain(
        "nearest-neighbor-mahalanobis",
        "Mahalanobis distance from the nearest sample",
        _KM,
        NearestNeighborMahalanobis,
    ),
    _plain("outlier-count", "number of features beyond 1.96 sd", _KM, OutlierCount),
    _plain("one-class-svm", "one-class support vector machine", _KM, OneClassSVM),
    _plain("k-means", "distance from the nearest of 3 centroids", _KM, KMeans, seeded=True),
    _plain("fuzzy-logic", "distance from the 40-ms set that suits most", _KM, FuzzyLogic),
    _plain(
        "auto-associative-net",
        "net that reproduces its input",
        _KM,
        AutoAssociativeNet,
        seeded=True,
    ),
    _plain("standard-net", "net trained to answer 1", _KM, StandardNet),
    _plain(
        "recency-nearest-neighbors",
        "nearest recent samples, robust log timings",
        f"hawkeys; compare {_ZDJ}",
        RecencyNearestNeighbors,
    ),
    _plain(
        "clipped-manhattan",
        "Manhattan from the median / MAD, clipped",
        f"hawkeys; compare {_ZDJ}",
        ClippedManhattan,
    ),
    _plain(
        "robust-mahalanobis",
        "Mahalanobis of clipped log timings, shrunk",
        "hawkeys; shrinkage after Friedman (1989), doi:10.1080/01621459.1989.10478752",
        RobustMahalanobis,
    ),
    VerifierEntry(
        "recent-scaled-manhattan",
        "scaled Manhattan, half-life of 30 samples",
        "hawkeys",
        lambda s: RecencyWeighted(ScaledManhattan(), false_alarm=s.false_alarm),
    ),
    _plain(
        "hawkes-likelihood",
        "Hawkes process, log-normal lags, likelihood",
        "hawkeys",
        HawkesLikelihood,
    ),
    VerifierEntry(
        "practised-hawkes-likelihood",
        "the same, corrected for practice",
        "hawkeys",
        lambda s: _practised(s, HawkesLikelihood()),
        enough_samples=36,
    ),
    VerifierEntry(
        "practised-recency-neighbors",
        "nearest recent samples, corrected for practice",
        "hawkeys",
        lambda s: _practised(s, RecencyNearestNeighbors(half_life=25.0)),
    ),
    VerifierEntry(
        "neighbors-and-hawkes",
        "sum of the last two, corrected for practice",
        f"hawkeys; sum after {_JNR}",
        lambda s: NeighborsAndHawkes(false_alarm=s.false_alarm),
    ),
    _plain(
        "background-ratio",
        "log timings against those of other typists",
        "hawkeys; compare Reynolds, Quatieri and Dunn (2000), doi:10.1006/dspr.1999.0361",
        BackgroundRatio,
    ),
    VerifierEntry(
        "pohmm-3",
        "POHMM with three hidden states",
        _MT,
        lambda s: POHMM(n_states=3, false_alarm=s.false_alarm),
    ),
)

VERIFIERS: Mapping[str, VerifierEntry] = MappingProxyType({one.name: one for one in _ENTRIES})
"""All verifiers known by name."""

DEFAULT_VERIFIERS = ("raw-scaled-manhattan", "pohmm", "hawkes-scaled-manhattan", "hawkes-euclidean")
"""The rows of table 1 of Zhang, Zhang and Li (2021)."""


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
