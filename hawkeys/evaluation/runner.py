"""`evaluate`: verifiers, data and a protocol in; error rates out."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from types import MappingProxyType

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from hawkeys._typing import FloatArray, RandomState
from hawkeys._validation import check_fraction
from hawkeys._version import __version__
from hawkeys.datasets import Keystrokes
from hawkeys.evaluation.bootstrap import make_bootstrap
from hawkeys.evaluation.outcomes import Outcome, make_outcome
from hawkeys.evaluation.protocols import Protocol, Split, get_protocol
from hawkeys.evaluation.results import Evaluation
from hawkeys.evaluation.stages import (
    Progress,
    Representation,
    Samples,
    Stage,
    check_verifiers,
    prepare,
)
from hawkeys.exceptions import InvalidParameterError

__all__ = ["evaluate"]

_PACKAGES = ("numpy", "scipy", "numba", "scikit-learn", "pandas")


def evaluate(
    verifiers: Mapping[str, BaseEstimator],
    data: Keystrokes,
    *,
    protocol: str | Protocol = "killourhy-maxion",
    false_alarm: float = 0.05,
    n_bootstrap: int = 2000,
    random_state: RandomState = 0,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure how well verifiers tell typists apart, under a protocol that the result records.

    For each genuine typist a clone of every verifier is trained on that typist's training
    samples alone, and scores genuine tests and zero-effort impostors. Leading steps of a pipeline
    that learn nothing (scikit-learn tag `requires_fit` False, such as `HawkesFeatures`) are run
    once for all samples and shared between verifiers.

    Parameters
    ----------
    verifiers : mapping of str to estimator
        Outlier detectors with `fit`, `score_samples` (higher means more genuine) and, once
        fitted, `offset_` (their own threshold), or pipelines that end in one. Left unchanged.
    data : Keystrokes
        Typing samples; the verifiers receive ``data.timings()`` as an array, in seconds. Left
        unchanged.
    protocol : str or Protocol, default "killourhy-maxion"
        A key of `PROTOCOLS` or rules of your own.
    false_alarm : float, default 0.05
        False-alarm rate at which `miss_rate` is measured.
    n_bootstrap : int, default 2000
        Resamples of the intervals over subjects.
    random_state : int, Generator, SeedSequence or None, default 0
        Seed of the bootstrap alone; verifiers have their own.
    n_jobs : int, default 1
        Processes over subjects; -1 uses all cores.
    progress : callable, optional
        Called as ``progress(what, done, total)``.

    Returns
    -------
    Evaluation
        One row per verifier and subject, summaries, plots and a report.

    Raises
    ------
    InvalidParameterError
        If an argument is of the wrong kind, the data do not suit the protocol, a verifier sets
        no threshold, or a score is NaN or positive infinity.

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.evaluation import evaluate
    >>> from hawkeys.verifiers import ScaledManhattan
    >>> verifiers = {"scaled-manhattan": ScaledManhattan()}
    >>> result = evaluate(verifiers, load_demo(), protocol="five-subjects", n_bootstrap=100)
    >>> len(result.to_frame())
    5
    """
    alarm = check_fraction(false_alarm, "false_alarm")
    chosen = check_verifiers(verifiers)
    settings = make_bootstrap(n_bootstrap, random_state)
    _check_data(data)
    _check_jobs(n_jobs)
    rules = get_protocol(protocol)
    splits, rows = _compact(rules.split(data))
    stages, representations = prepare(chosen, data[rows].timings(), progress=progress)
    outcomes = _score_all(
        splits, stages, representations, false_alarm=alarm, n_jobs=n_jobs, progress=progress
    )
    return Evaluation(
        outcomes=outcomes,
        protocol=rules,
        protocol_text=rules.describe(data, alarm),
        false_alarm=alarm,
        bootstrap=settings,
        verifiers=MappingProxyType({name: repr(one) for name, one in chosen.items()}),
        provenance=_describe(data, rows.size),
        versions=_versions(),
        samples=Samples(data.subject[rows], data.session[rows], tuple(data.keys)),
        representations=representations,
    )


def _check_data(data: object) -> None:
    if not isinstance(data, Keystrokes):
        raise InvalidParameterError(
            f"data must be Keystrokes, as load_cmu and load_demo return them; got an object of "
            f"class {type(data).__name__}."
        )


def _check_jobs(n_jobs: object) -> None:
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs == 0:
        raise InvalidParameterError(
            "n_jobs must be a whole number other than 0 (1 for one process, -1 for all cores); "
            f"got {n_jobs!r}."
        )


def _compact(splits: Sequence[Split]) -> tuple[list[Split], np.ndarray]:
    """Renumber the rows of the splits so that rows nobody uses need not be prepared."""
    parts = [part for split in splits for part in (split.train, split.genuine, split.impostor)]
    rows = np.unique(np.concatenate(parts))
    renumbered = [
        Split(
            split.subject,
            *(np.searchsorted(rows, part) for part in (split.train, split.genuine, split.impostor)),
        )
        for split in splits
    ]
    return renumbered, rows


def _score_all(
    splits: Sequence[Split],
    stages: Sequence[Stage],
    representations: Sequence[Representation],
    *,
    false_alarm: float,
    n_jobs: int,
    progress: Progress | None,
) -> tuple[Outcome, ...]:
    """Score every subject with every verifier; outcomes are ordered by verifier, then subject."""
    matrices = tuple(one.values for one in representations)
    jobs = (delayed(_score_subject)(split, stages, matrices, false_alarm) for split in splits)
    scored = Parallel(n_jobs=n_jobs, return_as="generator")(jobs)
    per_subject = list(_counted(scored, len(splits), progress))
    return tuple(outcome for group in zip(*per_subject, strict=True) for outcome in group)


def _counted(
    groups: Iterator[list[Outcome]], total: int, progress: Progress | None
) -> Iterator[list[Outcome]]:
    for done, group in enumerate(groups, start=1):
        if progress is not None:
            progress("Training and scoring subjects", done, total)
        yield group


def _score_subject(
    split: Split, stages: Sequence[Stage], matrices: Sequence[FloatArray], false_alarm: float
) -> list[Outcome]:
    outcomes = []
    for stage in stages:
        features = matrices[stage.representation]
        fitted = clone(stage.estimator).fit(features[split.train])
        genuine, impostor = (
            np.array(fitted.score_samples(features[part]), dtype=np.float64)
            for part in (split.genuine, split.impostor)
        )
        outcomes.append(
            make_outcome(
                stage.name,
                split.subject,
                genuine,
                impostor,
                threshold=_own_threshold(fitted, stage.name),
                false_alarm=false_alarm,
            )
        )
    return outcomes


def _own_threshold(fitted: BaseEstimator, name: str) -> float:
    detector = fitted.steps[-1][1] if isinstance(fitted, Pipeline) else fitted
    offset = np.ravel(getattr(detector, "offset_", ()))
    if offset.size != 1:
        raise InvalidParameterError(
            f"verifier {name!r} sets no threshold: after fit, {type(detector).__name__} has no "
            "single number offset_. Use an outlier detector such as those of hawkeys.verifiers."
        )
    return float(offset[0])


def _describe(data: Keystrokes, n_used: int) -> Mapping[str, str]:
    """Return where the data come from; data made by the caller are known by their hash."""
    known = data.provenance or {
        "source": "samples handed over by the caller",
        "sha256": hashlib.sha256(data.timings().to_numpy(dtype="<f8").tobytes()).hexdigest(),
        "samples": str(len(data)),
        "subjects": str(len(data.subjects)),
    }
    return MappingProxyType({**known, "samples used": str(n_used)})


def _versions() -> Mapping[str, str]:
    found = {name: version(name) for name in _PACKAGES}
    own = {"Python": platform.python_version(), "hawkeys": __version__}
    return MappingProxyType({**own, **found})
