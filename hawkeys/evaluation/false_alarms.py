"""Genuine typists alone: how many of their own samples verifiers reject."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from hawkeys._typing import FloatArray
from hawkeys._validation import check_fraction
from hawkeys.datasets import Keystrokes
from hawkeys.evaluation.others import give_background
from hawkeys.evaluation.protocols import Protocol, get_protocol
from hawkeys.evaluation.stages import Progress, Stage, check_verifiers, prepare
from hawkeys.evaluation.trials import own_threshold, policy_thresholds
from hawkeys.exceptions import HawkeysError, HawkeysWarning, InvalidParameterError

__all__ = ["false_alarm_rates"]

_COLUMNS = ("verifier", "subject", "policy", "n_train", "n_genuine", "n_false_alarm")
_FIT_ERRORS = (HawkeysError, ValueError, ArithmeticError)


def false_alarm_rates(
    verifiers: Mapping[str, BaseEstimator],
    data: Keystrokes,
    *,
    protocol: str | Protocol = "first-half",
    false_alarm: float = 0.05,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Count the genuine samples that verifiers reject, where nobody plays the impostor.

    What can be said of a single typist. It does not tell a good verifier from one that accepts
    everybody: for that `evaluate` takes impostors.

    Parameters
    ----------
    verifiers : mapping of str to estimator
        As `evaluate` takes them; left unchanged.
    data : Keystrokes
        Typing samples of one or more typists.
    protocol : str or Protocol, default "first-half"
        Who trains and tests, and the policies of thresholds. Its impostors are left out.
    false_alarm : float, default 0.05
        Aim of the policies' thresholds; a verifier's own threshold has an aim of its own.
    progress : callable, optional
        Called as ``progress(what, done, total)``.

    Returns
    -------
    DataFrame
        One row per verifier, subject and threshold: verifier, subject, policy ("own", and those
        of the protocol), n_train, n_genuine, n_false_alarm and false_alarm, their share.

    Raises
    ------
    InvalidParameterError
        If the data do not suit the protocol, or no verifier can be trained for anybody.

    Warns
    -----
    HawkeysWarning
        A verifier could not be trained for a typist, whose rows are missing.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.evaluation import false_alarm_rates
    >>> from hawkeys.verifiers import Manhattan
    >>> rates = false_alarm_rates({"manhattan": Manhattan()}, load_demo(n_subjects=1))
    >>> rates[["policy", "n_train", "n_genuine"]].to_numpy().tolist()
    [['own', 200, 200], ['resubstitution', 200, 200]]
    """
    chosen, aim = check_verifiers(verifiers), check_fraction(false_alarm, "false_alarm")
    rules = replace(get_protocol(protocol), impostors="none")
    splits = rules.split(data)
    given = give_background(chosen, rules, data)
    stages, seen = prepare(given, data.timings(), progress=progress)
    rows, reasons = [], {}
    for done, split in enumerate(splits):
        for stage in stages:
            values = seen[stage.representation].values
            train, genuine = values[split.train], values[split.genuine]
            sessions = data.session[split.train]
            try:
                found = _count(stage, train, genuine, sessions, rules.policies, aim)
            except _FIT_ERRORS as error:
                reasons[stage.name, split.subject] = str(error)
                continue
            sizes = (split.train.size, split.genuine.size)
            rows += [(stage.name, split.subject, name, *sizes, n) for name, n in found.items()]
        if progress is not None:
            progress("Training and scoring subjects", done + 1, len(splits))
    _tell(reasons, bool(rows))
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    return table.assign(false_alarm=table["n_false_alarm"] / table["n_genuine"])


def _count(
    stage: Stage,
    train: FloatArray,
    genuine: FloatArray,
    sessions: np.ndarray,
    policies: tuple[str, ...],
    aim: float,
) -> dict[str, int]:
    """Return the number of rejected samples by threshold."""
    fitted = clone(stage.estimator).fit(train)
    scores = np.asarray(fitted.score_samples(genuine), dtype=np.float64)
    if np.isnan(scores).any():
        raise InvalidParameterError(f"{int(np.isnan(scores).sum())} scores are NaN.")
    own = {"own": own_threshold(fitted, stage.name)}
    own |= policy_thresholds(stage.estimator, train, sessions, policies, aim)
    return {name: int((scores < threshold).sum()) for name, threshold in own.items()}


def _tell(reasons: Mapping[tuple[str, str], str], any_left: bool) -> None:
    """Warn of what could not be trained; raises `InvalidParameterError` if that is all."""
    if not reasons:
        return
    (verifier, subject), reason = next(iter(reasons.items()))
    more = f" ({len(reasons) - 1} more like it)" if len(reasons) > 1 else ""
    text = f"verifier {verifier!r}, subject {subject!r}: {reason}{more}"
    if not any_left:
        raise InvalidParameterError(f"{text} No verifier is left; change the verifiers or data.")
    warnings.warn(f"{text} These rows are missing.", HawkeysWarning, stacklevel=3)
