"""Does a template that is updated in use keep its error rates? Session by session."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import check_count
from hawkeys.datasets import Keystrokes
from hawkeys.evaluation.plan import Run
from hawkeys.evaluation.processes import each_in_turn
from hawkeys.evaluation.protocols import Protocol, Split, get_protocol
from hawkeys.evaluation.stages import check_verifiers

__all__ = ["evaluate_updating", "summarise_updating"]

_RATES = ("false_alarm", "miss")


@dataclass(frozen=True, eq=False)
class _Stream:
    """What is presented to every verifier, and how."""

    timings: FloatArray
    session: np.ndarray
    batch: int
    attacks: int


def evaluate_updating(
    verifiers: Mapping[str, BaseEstimator],
    data: Keystrokes,
    *,
    protocol: str | Protocol = "killourhy-maxion",
    batch: int = 10,
    attacks: int = 1,
    n_jobs: int = 1,
    run: Run | None = None,
) -> pd.DataFrame:
    """Present later sessions in order of time to verifiers that may learn from them.

    For each typist and session after enrolment, all impostor samples are scored by the template
    as the session finds it. Then the typist's own samples come in batches: each batch is judged,
    and then offered to `partial_fit`, followed by `attacks` impostor samples. Every decision is at
    the verifier's own threshold as it is at that time, and every sample is judged before it can be
    learned. `partial_fit` is told (argument `y`) which samples are genuine; only the policy
    "confirmed" of `UpdatingVerifier` makes use of it.

    Parameters
    ----------
    verifiers : mapping of str to estimator
        Detectors of timing matrices, with `partial_fit` if they are to learn. Left unchanged.
    data : Keystrokes
        Typing samples.
    protocol : str or Protocol, default "killourhy-maxion"
        Who trains, who tests, and who plays the impostor.
    batch : int, default 10
        Genuine samples presented between two updates.
    attacks : int, default 1
        Zero-effort impostor samples presented after each batch, in turn from all of them.
    n_jobs : int, default 1
        Processes over subjects; -1 uses all cores.
    run : Run, optional
        Progress to be shown. Nothing is kept for a later run.

    Returns
    -------
    DataFrame
        One row per verifier, subject and session of the genuine tests: verifier, subject, session,
        n_genuine, n_false_alarm, n_impostor, n_miss, and what was learned in the session,
        n_learned, of which n_impostor_learned were impostors' samples.

    Raises
    ------
    InvalidParameterError
        If an argument is of the wrong kind or the data do not suit the protocol.

    References
    ----------
    .. [1] P. H. Pisani, R. Giot, A. C. P. L. F. de Carvalho and A. C. Lorena (2016), "Enhanced
       template update: application to keystroke dynamics", Computers and Security 60, 134-153,
       doi:10.1016/j.cose.2016.04.004.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.evaluation import Protocol, evaluate_updating
    >>> from hawkeys.verifiers import Manhattan, UpdatingVerifier
    >>> verifiers = {"fixed": Manhattan(), "follows": UpdatingVerifier(Manhattan())}
    >>> table = evaluate_updating(verifiers, load_demo(), protocol=Protocol("quick", n_impostor=1))
    >>> sorted(set(table["session"]))
    [5, 6, 7, 8]
    """
    chosen = check_verifiers(verifiers)
    rules = get_protocol(protocol)
    how = Run() if run is None else run
    stream = _Stream(
        data.timings().to_numpy(),
        data.session,
        check_count(batch, "batch"),
        check_count(attacks, "attacks", minimum=0),
    )
    splits = rules.split(data)
    each = each_in_turn(_follow_all, [(chosen, stream, split) for split in splits], n_jobs)
    rows: list[dict[str, object]] = []
    how.report("Following subjects through their sessions", 0, len(splits))
    for done, found in enumerate(each, start=1):
        rows += found
        how.report("Following subjects through their sessions", done, len(splits))
    table = pd.DataFrame(rows)
    place = {name: k for k, name in enumerate(chosen)}
    return table.sort_values("verifier", key=lambda names: names.map(place), kind="stable")


def summarise_updating(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean rates over subjects, per verifier and session.

    Parameters
    ----------
    table : DataFrame
        As `evaluate_updating` returns it.

    Returns
    -------
    DataFrame
        Indexed by verifier and session: false_alarm and miss (means over subjects),
        n_learned and n_impostor_learned (means over subjects), n_subjects.
    """
    rates = table.assign(
        false_alarm=table["n_false_alarm"] / table["n_genuine"],
        miss=table["n_miss"] / table["n_impostor"],
    )
    groups = rates.groupby(["verifier", "session"], sort=False)
    means = groups[[*_RATES, "n_learned", "n_impostor_learned"]].mean()
    return means.assign(n_subjects=groups.size())


def _follow_all(
    verifiers: Mapping[str, BaseEstimator], stream: _Stream, split: Split
) -> list[dict[str, object]]:
    return [
        {"verifier": name, "subject": split.subject, **row}
        for name, verifier in verifiers.items()
        for row in _follow(clone(verifier).fit(stream.timings[split.train]), stream, split)
    ]


def _follow(fitted: BaseEstimator, stream: _Stream, split: Split) -> list[dict[str, object]]:
    """Return one row per session of the genuine tests."""
    impostors = stream.timings[split.impostor]
    sessions = stream.session[split.genuine]
    next_attack = 0
    rows: list[dict[str, object]] = []
    for session in dict.fromkeys(sessions.tolist()):
        own = split.genuine[sessions == session]
        n_miss = int((fitted.predict(impostors) > 0).sum())
        n_false_alarm = n_learned = n_impostor_learned = 0
        for start in range(0, own.size, stream.batch):
            presented = stream.timings[own[start : start + stream.batch]]
            n_false_alarm += int((fitted.predict(presented) < 0).sum())
            n_learned += _learn(fitted, presented, genuine=True)
            attack = impostors[_in_turn(next_attack, stream.attacks, len(impostors))]
            n_impostor_learned += _learn(fitted, attack, genuine=False)
            next_attack += stream.attacks
        rows.append(
            {
                "session": session,
                "n_genuine": own.size,
                "n_false_alarm": n_false_alarm,
                "n_impostor": len(impostors),
                "n_miss": n_miss,
                "n_learned": n_learned + n_impostor_learned,
                "n_impostor_learned": n_impostor_learned,
            }
        )
    return rows


def _in_turn(first: int, count: int, total: int) -> IntArray:
    """Return the next `count` of `total` places, in strides that reach every place in turn."""
    stride = max(1, round(total * 0.381966))  # the golden section spreads any number evenly
    while math.gcd(stride, total) > 1:
        stride += 1
    return (first + np.arange(count)) * stride % total


def _learn(fitted: BaseEstimator, samples: FloatArray, *, genuine: bool) -> int:
    """Offer samples to a verifier; return how many it learned."""
    if not samples.size or not hasattr(fitted, "partial_fit"):
        return 0
    before = fitted.n_learned_
    fitted.partial_fit(samples, np.full(samples.shape[0], 1 if genuine else -1))
    return int(fitted.n_learned_ - before)
