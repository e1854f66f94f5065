"""`evaluate`: verifiers, data and a protocol in; error rates out."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import chain
from types import MappingProxyType

import numpy as np
from sklearn.base import BaseEstimator

from hawkeys._typing import RandomState
from hawkeys._validation import check_fraction, check_jobs
from hawkeys._version import __version__
from hawkeys.datasets import Keystrokes
from hawkeys.evaluation.checkpoints import Checkpoint, open_checkpoint
from hawkeys.evaluation.evaluation import Evaluation
from hawkeys.evaluation.losses import Loss, refuse_total_loss
from hawkeys.evaluation.others import give_background
from hawkeys.evaluation.plan import Plan, Run
from hawkeys.evaluation.processes import each_in_turn
from hawkeys.evaluation.protocols import Protocol, Split, get_protocol
from hawkeys.evaluation.rates.bootstrap import make_bootstrap
from hawkeys.evaluation.stages import Samples, Stage, check_verifiers, prepare
from hawkeys.evaluation.trials import Outcome, Trial, make_outcome, run_trial
from hawkeys.exceptions import HawkeysError, InvalidParameterError

__all__ = ["evaluate"]

# what the fit of a verifier raises on samples that it cannot learn from
_FIT_ERRORS = (HawkeysError, ValueError, ArithmeticError)
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
    run: Run | None = None,
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
        Processes over subjects, started where they save time; -1 uses all cores.
    run : Run, optional
        Progress to be shown, and a folder that lets an interrupted evaluation go on.

    Returns
    -------
    Evaluation
        One row per verifier and subject, summaries, plots and a report.

    Raises
    ------
    InvalidParameterError
        If an argument is of the wrong kind, the data do not suit the protocol, no verifier takes
        its background, or a verifier can be evaluated for nobody: it cannot be trained, sets no
        threshold, or a score is NaN or positive infinity. For whom it can, it is: see `lost` of
        the result.

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
    named = check_verifiers(verifiers)
    settings = make_bootstrap(n_bootstrap, random_state)
    _check_data(data)
    check_jobs(n_jobs)
    rules = _with_impostors(get_protocol(protocol))
    splits, rows = _compact(rules.split(data))
    chosen = give_background(named, rules, data)
    how = Run() if run is None else run
    used = Samples(_typists(data)[rows], data.session[rows], tuple(data.keys))
    stages, representations = prepare(chosen, data[rows].timings(), progress=how.progress)
    matrices = tuple(one.values for one in representations)
    plan = Plan(tuple(splits), stages, matrices, used, rules.policies, alarm)
    outcomes, lost = _score_all(plan, n_jobs=n_jobs, run=how)
    return Evaluation(
        outcomes=outcomes,
        protocol=rules,
        protocol_text=rules.describe(data, alarm),
        false_alarm=alarm,
        bootstrap=settings,
        verifiers=MappingProxyType({name: repr(one) for name, one in named.items()}),
        provenance=_describe(data, rows.size),
        versions=_versions(),
        samples=used,
        representations=representations,
        lost=lost,
    )


def _check_data(data: object) -> None:
    if not isinstance(data, Keystrokes):
        raise InvalidParameterError(
            f"data must be Keystrokes, as load_cmu and load_demo return them; got an object of "
            f"class {type(data).__name__}."
        )


def _with_impostors(rules: Protocol) -> Protocol:
    if rules.impostors == "none":
        raise InvalidParameterError(
            f"protocol {rules.name!r} has no impostor, so that nothing but false alarms can be "
            "measured. Call false_alarm_rates, or choose impostors='others' or 'labelled'."
        )
    return rules


def _typists(data: Keystrokes) -> np.ndarray:
    """Return who typed each sample: labelled impostors by their own names."""
    unnamed = np.char.add("impostor of ", data.subject)
    other = np.where(data.impostor == "impostor", unnamed, data.impostor)
    return np.where(data.impostor == "", data.subject, other)


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
    plan: Plan, *, n_jobs: int, run: Run
) -> tuple[tuple[Outcome, ...], tuple[Loss, ...]]:
    """Score every subject with every verifier.

    Outcomes and losses are ordered by verifier, then subject.
    """
    store = open_checkpoint(run.checkpoint, plan)
    if store is not None:
        run.kept.append(store.folder)
    kept = {} if store is None else store.load()
    missing = [split for split in plan.splits if split.subject not in kept]
    found = each_in_turn(_score_subject, [(plan, split, store) for split in missing], n_jobs)
    done: dict[str, list[Outcome | Loss]] = {}
    run.report("Training and scoring subjects", 0, len(plan.splits))
    for trials in chain(kept.values(), found):
        done[trials[0].subject] = [_judged(trial, plan.false_alarm) for trial in trials]
        run.report("Training and scoring subjects", len(done), len(plan.splits))
    groups = zip(*(done[split.subject] for split in plan.splits), strict=True)
    judged = [one for group in groups for one in group]
    losses = tuple(one for one in judged if isinstance(one, Loss))
    refuse_total_loss(losses, [split.subject for split in plan.splits])
    return tuple(one for one in judged if isinstance(one, Outcome)), losses


def _judged(trial: Trial | Loss, false_alarm: float) -> Outcome | Loss:
    """Return the figures of a trial, or the loss if its scores give none."""
    if isinstance(trial, Loss):
        return trial
    try:
        return make_outcome(trial, false_alarm)
    except InvalidParameterError as error:
        named = f"verifier {trial.verifier!r}, subject {trial.subject!r}: "
        return Loss(trial.verifier, trial.subject, str(error).removeprefix(named))


def _score_subject(plan: Plan, split: Split, store: Checkpoint | None) -> list[Trial | Loss]:
    trials = [_tried(plan, stage, split) for stage in plan.stages]
    if store is not None:
        store.save(split, trials)
    return trials


def _tried(plan: Plan, stage: Stage, split: Split) -> Trial | Loss:
    """Return the trial of one verifier, or the loss if it cannot be trained for the typist."""
    try:
        return run_trial(
            stage,
            plan.matrices[stage.representation],
            split,
            plan.samples,
            policies=plan.policies,
            false_alarm=plan.false_alarm,
        )
    except _FIT_ERRORS as error:
        return Loss(stage.name, split.subject, str(error))


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
