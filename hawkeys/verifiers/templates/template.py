"""Enrol a typist as a template that can be stored."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import scipy

from hawkeys._estimators import clone
from hawkeys._files import write_text
from hawkeys._records import checksum_of
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import check_choice
from hawkeys._version import __version__
from hawkeys.datasets import Keystrokes
from hawkeys.exceptions import EnrolmentWarning, InvalidParameterError
from hawkeys.verifiers.base import OneClassVerifier
from hawkeys.verifiers.fixed_text.background import Background, with_background
from hawkeys.verifiers.fixed_text.background_ratio import BackgroundRatio
from hawkeys.verifiers.fixed_text.neighbors import RecencyNearestNeighbors
from hawkeys.verifiers.templates._storable import (
    background_record,
    is_known,
    make_verifier,
    plain_parameters,
)
from hawkeys.verifiers.templates.enrolment import (
    check_enrolment,
    column_names,
    read_samples,
    refuse_or_warn,
    refuse_several_typists,
)
from hawkeys.verifiers.thresholds import (
    SESSION_POLICIES,
    THRESHOLD_POLICIES,
    HeldOutThreshold,
)

__all__ = [
    "DEFAULT_VERIFIER",
    "SCHEMA",
    "Template",
    "enrol",
    "is_storable",
    "train",
]

SCHEMA = "hawkeys-template/1"

DEFAULT_VERIFIER: type[OneClassVerifier] = RecencyNearestNeighbors
"""The verifier of `enrol` unless another is given."""


@dataclass(frozen=True, eq=False, repr=False)
class Template:
    """An enrolled typist: samples, verifier and threshold. Made by `enrol` and `load_template`.

    The template holds the enrolment samples as numbers. When it is loaded, the verifier is trained
    on them again: that is exact, and a file of numbers cannot run code as a pickle can. It holds no
    typed characters unless asked to, but timings alone tell something about a text, and whoever can
    read them can imitate the typist: keep a template like a password file. Its checksum finds
    damage and edits, not a forger who writes a whole template; sign the file against that.

    Attributes
    ----------
    verifier : str
        Name of a class of `hawkeys.verifiers`.
    parameters : mapping
        Its parameters, `false_alarm` among them.
    samples : ndarray of float64, shape (n_samples, 3 K - 2)
        The timing matrix of the enrolment, oldest first, in seconds; read-only.
    policy : str
        Where the threshold comes from; one of `hawkeys.verifiers.THRESHOLD_POLICIES`.
    sessions : tuple of int, length n_samples, or None
        Session of each sample, numbered from 0 in order of appearance.
    keys : tuple of str, length K, or None
        Names of the keys; None unless they were kept.
    threshold : float
        Score below which a sample is rejected.
    versions : mapping of str to str
        Versions of the packages that made the template.
    model : HeldOutThreshold
        The trained verifier with this policy.
    background : Background or None
        What the verifier learned of other typists, if it was given any: laws of their intervals,
        not their samples.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.verifiers import enrol
    >>> demo = load_demo(n_subjects=1)
    >>> enrol(demo.timings()[:100])
    Template(RecencyNearestNeighbors, 100 samples of 11 keys, leave-one-out threshold -0.893)
    """

    verifier: str
    parameters: Mapping[str, Any]
    samples: FloatArray
    policy: str
    sessions: tuple[int, ...] | None
    keys: tuple[str, ...] | None
    threshold: float
    versions: Mapping[str, str]
    model: HeldOutThreshold = field(compare=False)
    background: Background | None = None

    @property
    def n_samples(self) -> int:
        """Number of enrolment samples."""
        return int(self.samples.shape[0])

    @property
    def n_keys(self) -> int:
        """Number K of keys of the text."""
        return int(self.samples.shape[1] + 2) // 3

    @property
    def columns(self) -> list[str]:
        """Names of the intervals; without names of keys H.key 1, DD.key 1.key 2, ..."""
        return column_names(self.keys, self.samples.shape[1])

    def to_dict(self) -> dict[str, Any]:
        """Return the template as plain JSON types.

        Returns
        -------
        dict
            With the schema's name and version under "schema", and under "checksum" the SHA-256
            of the rest, written as JSON with sorted names and without spaces.
        """
        record = {
            "schema": SCHEMA,
            "verifier": self.verifier,
            "parameters": dict(self.parameters),
            "policy": self.policy,
            "threshold": self.threshold,
            "n_samples": self.n_samples,
            "keys": None if self.keys is None else list(self.keys),
            "sessions": None if self.sessions is None else list(self.sessions),
            "versions": dict(self.versions),
            "samples": self.samples.tolist(),
        }
        if self.background is not None:
            record["background"] = background_record(self.background)
        return {**record, "checksum": checksum_of(record)}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the template as JSON; `load_template` reads it back.

        Parameters
        ----------
        path : str or path-like
            File to write; replaced only when the new one is complete. Only its owner can read it
            (mode 600), also where the old one could be read by others.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        fields = (
            f"{json.dumps(name)}: {json.dumps(value, allow_nan=False)}"
            for name, value in self.to_dict().items()
        )
        write_text(path, "{\n" + ",\n".join(fields) + "\n}\n", private=True)

    def __repr__(self) -> str:
        return (
            f"Template({self.verifier}, {self.n_samples} samples of {self.n_keys} keys, "
            f"{self.policy} threshold {self.threshold:.3g})"
        )


def enrol(
    samples: ArrayLike | pd.DataFrame,
    *,
    verifier: OneClassVerifier | None = None,
    policy: str = "leave-one-out",
    sessions: ArrayLike | None = None,
    keep_keys: bool = False,
    background: Keystrokes | Iterable[Any] | Background | None = None,
) -> Template:
    """Enrol one typist.

    Parameters
    ----------
    samples : array_like or DataFrame, shape (n_samples, 3 K - 2)
        Timing matrix of one typist, oldest first, in seconds. A frame is read by the names of its
        columns (H.k1, DD.k1.k2, ...), and other columns are ignored, unless one that is called
        subject, user, participant or typist names more than one.
    verifier : OneClassVerifier, optional
        A verifier of `hawkeys.verifiers`, left unchanged; its `false_alarm` is the share of
        the enrolment scores that the threshold rejects. Default: `RecencyNearestNeighbors`.
    policy : str, default "leave-one-out"
        Where the threshold comes from; see `held_out_scores`. The default judges each sample by the
        others and needs no sessions. "leave-one-session-out" also sees that typing changes from
        day to day; prefer it if there are several sessions.
    sessions : array_like, shape (n_samples,), optional
        Session of each sample, of two or more sessions if the policy holds out sessions
        ("leave-one-session-out", "prequential"); blocks of consecutive samples can stand in for
        them (``np.arange(n) * 5 // n``). The template keeps their order, not their labels.
    keep_keys : bool, default False
        Store the names of the keys too, which tells the text. Without, keys are called key 1,
        key 2, ..., also in the parameter `keys` of a verifier, where only repetitions remain.
    background : Keystrokes, iterable of array_like, or Background, optional
        Samples of other typists of the same text, to whose laws those of the typist are drawn; see
        `BackgroundRatio`, which is then the default verifier. Default: what the verifier has.

    Returns
    -------
    Template
        Ready to verify, and to save.

    Raises
    ------
    EnrolmentError
        The samples break a rule of `verifiers.templates.enrolment`, whose message names all of
        them, or are of several typists.
    InvalidTimingsError
        `samples` is no timing matrix: different lengths, NaN, negative holds, ...
    InvalidParameterError
        A verifier that a template cannot store, a parameter of it that is not valid, an unknown
        policy, sessions that do not fit or that a policy lacks, or `keep_keys` without names to
        keep.

    Warns
    -----
    EnrolmentWarning
        The samples can be enrolled but break a rule that only warns, or are fewer than the verifier
        needs to mean something (see `OneClassVerifier.samples_needed`).

    Notes
    -----
    Costs the fits of the policy (see `held_out_scores`), as does loading the template.
    Leave-one-out fits n_samples times, leave-one-session-out as often as there are sessions.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.verifiers import enrol, verify
    >>> demo = load_demo(n_subjects=2)
    >>> template = enrol(demo.timings()[:100])
    >>> verify(template, demo.timings()[101:102]).accepted
    True
    >>> verify(template, demo.timings()[400:401]).accepted
    False
    """
    chosen = _with_background(verifier, background)
    parameters = plain_parameters(chosen)
    check_choice(policy, "policy", THRESHOLD_POLICIES)
    refuse_several_typists(samples)
    matrix, names = read_samples(samples)
    keys = _kept(names, keep_keys)
    if not keep_keys and parameters.get("keys") is not None:
        parameters["keys"] = _anonymous(parameters["keys"])
    refuse_or_warn(check_enrolment(matrix))
    _warn_of_hopeless(chosen, matrix.shape[1])
    matrix.flags.writeable = False
    codes = _session_codes(sessions, matrix.shape[0])
    _check_sessions(policy, codes)
    kind = type(chosen).__name__
    others = _learned(chosen, samples, matrix)
    model = train(kind, parameters, matrix, policy, codes, others)
    _check_finite(model.offset_, kind)
    return Template(
        verifier=kind,
        parameters=MappingProxyType(parameters),
        samples=matrix,
        policy=policy,
        sessions=codes,
        keys=keys,
        threshold=model.offset_,
        versions=_versions(),
        model=model,
        background=others,
    )


def is_storable(verifier: Any) -> bool:
    """Return whether a template can store this kind of verifier: one of the package, not wrapped.

    Parameters
    ----------
    verifier : object
        Any estimator.

    Returns
    -------
    bool
        False for pipelines, wrappers such as `HeldOutThreshold` and classes of one's own.

    Examples
    --------
    >>> from hawkeys.verifiers import HeldOutThreshold, Manhattan
    >>> from hawkeys.verifiers.templates.template import is_storable
    >>> is_storable(Manhattan()), is_storable(HeldOutThreshold(Manhattan()))
    (True, False)
    """
    return is_known(type(verifier))


def train(
    verifier: str,
    parameters: Mapping[str, Any],
    samples: FloatArray,
    policy: str,
    sessions: tuple[int, ...] | None,
    background: Background | None = None,
) -> HeldOutThreshold:
    """Return the trained verifier of a template; arguments as the attributes of `Template`.

    Raises `InvalidParameterError`, and what the verifier's `fit` raises.
    """
    inner = make_verifier(verifier, parameters)
    if background is not None:
        inner.set_params(background=background)
    model = HeldOutThreshold(inner, policy=policy, false_alarm=inner.false_alarm)
    return model.fit(samples, sessions=sessions)


def _check_finite(threshold: float, kind: str) -> None:
    if not np.isfinite(threshold):
        raise InvalidParameterError(
            f"{kind} gives the threshold {threshold} on these samples; a template needs a finite "
            "one. Check the parameters of the verifier."
        )


def _with_background(verifier: OneClassVerifier | None, background: Any) -> OneClassVerifier:
    """Return the verifier to be enrolled, with the background if one is given."""
    if background is None:
        return DEFAULT_VERIFIER() if verifier is None else verifier
    chosen = BackgroundRatio() if verifier is None else clone(verifier)
    return with_background(chosen, background)


def _learned(
    chosen: OneClassVerifier, samples: ArrayLike | pd.DataFrame, matrix: FloatArray
) -> Background | None:
    """Return what a verifier learns of the other typists that it was given, if it was."""
    if chosen.get_params(deep=False).get("background") is None:
        return None
    named = pd.DataFrame(matrix, columns=column_names(read_samples(samples)[1], matrix.shape[1]))
    checked = clone(chosen)
    checked._check_training(named if isinstance(samples, pd.DataFrame) else matrix)
    return checked.background_


def _kept(names: tuple[str, ...] | None, keep_keys: bool) -> tuple[str, ...] | None:
    if not keep_keys:
        return None
    if names is None:
        raise InvalidParameterError(
            "keep_keys=True needs samples with names of keys; got an array. Pass a frame with "
            "columns H.k1, DD.k1.k2, ..."
        )
    for name in names:
        if len(name) > 100 or not name.isprintable():
            raise InvalidParameterError(
                f"a template takes names of keys of at most 100 printable characters; got "
                f"{name[:60]!a}. Rename that key."
            )
    return names


def _anonymous(keys: list[Any]) -> list[str]:
    """Return names that tell only which keys are the same."""
    order = list(dict.fromkeys(keys))
    return [f"key {order.index(name) + 1}" for name in keys]


def _session_codes(sessions: ArrayLike | None, n_samples: int) -> tuple[int, ...] | None:
    if sessions is None:
        return None
    codes: IntArray = pd.factorize(np.asarray(sessions).ravel(), use_na_sentinel=True)[0]
    if np.shape(sessions) != (n_samples,) or (codes < 0).any():
        raise InvalidParameterError(
            f"sessions must be one label per sample, {n_samples} of them, none missing; got shape "
            f"{np.shape(sessions)}."
        )
    return tuple(codes.tolist())


def _warn_of_hopeless(verifier: OneClassVerifier, n_features: int) -> None:
    if verifier.samples_needed(n_features) is None:
        warnings.warn(
            f"{type(verifier).__name__} accepts impostors as readily as the typist, with any "
            "number of samples; it is here to be compared with. Choose another verifier.",
            EnrolmentWarning,
            stacklevel=3,
        )


def _check_sessions(policy: str, codes: tuple[int, ...] | None) -> None:
    """Refuse a policy that holds out sessions where there are not two of them."""
    n_sessions = 0 if codes is None else len(set(codes))
    if policy in SESSION_POLICIES and n_sessions < 2:
        came = "no sessions are given" if codes is None else "all samples are of one session"
        raise InvalidParameterError(
            f"the threshold policy {policy!r} holds out session after session, and {came}. Give "
            "the session of each sample (a column 'session' of a table, at least two of them), or "
            "choose 'leave-one-out'."
        )


def _versions() -> Mapping[str, str]:
    return MappingProxyType(
        {
            "hawkeys": __version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "sklearn": version("scikit-learn"),
        }
    )
