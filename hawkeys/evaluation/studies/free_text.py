"""Free text: who typed a block of keystrokes, with enrolment and tests in different sessions.

Protocol. Users are sorted. Each is enrolled on their first sessions; every later session is cut
into blocks of so many keystrokes from its start, and what is left over is not used. Every block is
scored against every user, alone: nothing of the keystrokes around it is seen.

*Identification*: a block is given to the user whose score of it is highest. *Verification*: a
user's own blocks are genuine, those of all other users are zero-effort impostors'; thresholds are
set on the test scores of each user.

*Background*: users alternate between two halves, and what is learned of people in general for a
user (the population of a `FreeTextProcess`, and the background model whose score is subtracted)
comes from the enrolment of the other half: never from the user, never from a test session. A user
and the impostors of the same half are all unknown to that user's background; impostors of the
other half are not. In a table for one half of the users alone, nobody is known to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from hawkeys._typing import FloatArray, IntArray, RandomState
from hawkeys._validation import check_count, check_fraction
from hawkeys.datasets import Strokes
from hawkeys.evaluation.metrics import equal_error_rate, miss_rate_at
from hawkeys.evaluation.rates.bootstrap import Bootstrap, make_bootstrap
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import FreeTextProcess, FreeTextVerifier
from hawkeys.verifiers.free_text.recordings import Recordings, as_recordings

__all__ = ["FreeTextScores", "free_text_rates", "score_free_text", "split_halves"]

NORMALISED = "minus background"
_FIGURES = ("accuracy", "eer", "miss_rate")


@dataclass(frozen=True, eq=False)
class FreeTextScores:
    """Scores of all test blocks against all users, for one system and block size.

    Attributes
    ----------
    system : str
        Name of the verifier; with "minus background" if the background's score was subtracted.
    block_size : int
        Keystrokes of a block.
    users : tuple of str
        Enrolled users, sorted; the columns of `scores`.
    typist : ndarray of str, shape (n_blocks,)
        Who typed each block.
    scores : ndarray of float64, shape (n_blocks, n_users)
        Higher for more genuine.
    n_enrolled : int
        Sessions enrolled of each user.
    identifies : bool
        Whether the scores of one block can be compared across users; not when a background that
        differs from user to user was subtracted.
    """

    system: str
    block_size: int
    users: tuple[str, ...]
    typist: np.ndarray
    scores: FloatArray
    n_enrolled: int
    identifies: bool = True

    def pick(self, users: Sequence[str]) -> FreeTextScores:
        """Return the scores of blocks of some users against themselves.

        Parameters
        ----------
        users : sequence of str
            Two or more of `users`.

        Returns
        -------
        FreeTextScores
            Their rows and columns.

        Raises
        ------
        InvalidParameterError
            If a user is unknown or there are fewer than two.
        """
        unknown = sorted(set(users) - set(self.users))
        if unknown or len(set(users)) < 2:
            raise InvalidParameterError(
                f"users must name two or more of the {len(self.users)} enrolled; got "
                f"{tuple(users)}"
                + (f", of whom {unknown[0]!r} is not enrolled." if unknown else ".")
            )
        kept = np.isin(self.users, list(users))
        rows = np.isin(self.typist, list(users))
        return replace(
            self,
            users=tuple(np.array(self.users)[kept].tolist()),
            typist=self.typist[rows],
            scores=self.scores[np.ix_(rows, kept)],
        )

    def rates(self, false_alarm: float = 0.05) -> pd.DataFrame:
        """Return the figures of every user.

        Parameters
        ----------
        false_alarm : float, default 0.05
            Share of a user's own blocks that may be rejected, for miss_rate.

        Returns
        -------
        DataFrame, one row per user
            user, accuracy (share of the user's blocks given to them; NaN if the scores do not
            identify), eer, miss_rate, n_genuine, n_impostor.
        """
        share = check_fraction(false_alarm, "false_alarm")
        users = np.array(self.users)
        given = users[self.scores.argmax(axis=1)]
        rows = []
        for place, user in enumerate(self.users):
            own = self.typist == user
            genuine, impostor = self.scores[own, place], self.scores[~own, place]
            rows.append(
                {
                    "user": user,
                    "accuracy": (given[own] == user).mean() if self.identifies else np.nan,
                    "eer": equal_error_rate(genuine, impostor),
                    "miss_rate": miss_rate_at(genuine, impostor, share),
                    "n_genuine": genuine.size,
                    "n_impostor": impostor.size,
                }
            )
        return pd.DataFrame(rows)


@dataclass(frozen=True, eq=False)
class _Material:
    """The keystrokes of a protocol: enrolment of each user, of each half, and test blocks."""

    users: tuple[str, ...]
    enrolment: tuple[Recordings, ...]
    halves: tuple[Recordings, Recordings]
    blocks: Mapping[int, Recordings]
    typist: Mapping[int, np.ndarray]


def split_halves(users: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split the sorted users in two: the 1st, 3rd, 5th ... and the 2nd, 4th, 6th ...

    Settings are chosen on the first half (development) and figures reported for the second.

    Parameters
    ----------
    users : sequence of str
        Names; whole numbers are sorted by value.

    Returns
    -------
    tuple of tuple of str
        Development and held-out users.

    Examples
    --------
    >>> from hawkeys.evaluation import split_halves
    >>> split_halves(["10", "2", "1"])
    (('1', '10'), ('2',))
    """
    ordered = _sorted(users)
    return ordered[0::2], ordered[1::2]


def score_free_text(
    verifiers: Mapping[str, FreeTextVerifier],
    strokes: Strokes,
    *,
    n_enrol_sessions: int = 3,
    block_sizes: Sequence[int] = (50, 100, 200),
    background: Sequence[str] = (),
) -> list[FreeTextScores]:
    """Score blocks of free text from later sessions against every user.

    Parameters
    ----------
    verifiers : mapping of str to FreeTextVerifier
        Systems, by name; each is cloned for every user. A `FreeTextProcess` without a population
        that is named in `background` gets one.
    strokes : Strokes
        Keystrokes of four or more users, the sessions of each in order.
    n_enrol_sessions : int, default 3
        Sessions of each user that enrol them; the others are tests.
    block_sizes : sequence of int, default (50, 100, 200)
        Keystrokes of a test block.
    background : sequence of str
        Names of systems that are also fitted to the enrolment of the other half of the users;
        their scores come a second time, minus that of the background.

    Returns
    -------
    list of FreeTextScores
        For each system and block size; see the module for the protocol.

    Raises
    ------
    InvalidParameterError
        If a name in `background` is no system, a size or number is not valid, there are fewer than
        four users, or a user has too few sessions or keystrokes.
    """
    unknown = [name for name in background if name not in verifiers]
    if unknown:
        raise InvalidParameterError(
            f"background names {unknown[0]!r}, which is none of the systems {tuple(verifiers)}."
        )
    material = _prepare(strokes, check_count(n_enrol_sessions, "n_enrol_sessions"), block_sizes)
    found = []
    for name, verifier in verifiers.items():
        raw, normalised = _score_system(verifier, material, name in background)
        for size in material.blocks:
            common = (size, material.users, material.typist[size])
            found.append(FreeTextScores(name, *common, raw[size], n_enrol_sessions))
            if name in background:
                label = f"{name}, {NORMALISED}"
                found.append(
                    FreeTextScores(label, *common, normalised[size], n_enrol_sessions, False)
                )
    return found


def free_text_rates(
    scores: Sequence[FreeTextScores],
    *,
    false_alarm: float = 0.05,
    n_bootstrap: int = 2000,
    random_state: RandomState = 0,
) -> pd.DataFrame:
    """Return mean figures over users with bootstrap intervals.

    Parameters
    ----------
    scores : sequence of FreeTextScores
        Result of `score_free_text`.
    false_alarm : float, default 0.05
        Share of a user's own blocks that may be rejected, for miss_rate.
    n_bootstrap : int, default 2000
        Resamples of users; impostors and candidates stay as they are.
    random_state : int, numpy.random.Generator, numpy.random.SeedSequence or None, default 0
        Seed of the resamples.

    Returns
    -------
    DataFrame, one row per system and block size
        protocol, block_size, system, n_users, n_blocks, false_alarm, and mean, _lower and _upper
        of accuracy, eer and miss_rate.

    Raises
    ------
    InvalidParameterError
        If `false_alarm`, `n_bootstrap` or `random_state` is not valid.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.evaluation import FreeTextScores, free_text_rates
    >>> typist = np.array(["ann", "ann", "bob", "bob"])
    >>> scores = np.array([[2.0, 0.0], [1.0, 3.0], [0.0, 1.0], [0.5, 2.0]])
    >>> one = FreeTextScores("some system", 50, ("ann", "bob"), typist, scores, n_enrolled=3)
    >>> float(free_text_rates([one], n_bootstrap=10)["accuracy"][0])
    0.75
    """
    bootstrap = make_bootstrap(n_bootstrap, random_state)
    return pd.DataFrame([_summary(one, false_alarm, bootstrap) for one in scores])


def _summary(one: FreeTextScores, false_alarm: float, bootstrap: Bootstrap) -> dict[str, Any]:
    rates = one.rates(false_alarm)
    row: dict[str, Any] = {
        "protocol": f"enrol first {one.n_enrolled} sessions, test on later ones",
        "block_size": one.block_size,
        "system": one.system,
        "n_users": len(one.users),
        "n_blocks": one.typist.size,
        "false_alarm": false_alarm,
    }
    for figure in _FIGURES:
        values = rates[figure].to_numpy()
        row[figure] = values.mean()
        row[f"{figure}_lower"], row[f"{figure}_upper"] = bootstrap.interval(values)
    return row


def _score_system(
    verifier: FreeTextVerifier, material: _Material, background: bool
) -> tuple[dict[int, FloatArray], dict[int, FloatArray]]:
    """Return raw and normalised scores by block size; the latter are empty without background."""
    others = [clone(verifier).fit(half) for half in material.halves] if background else []
    adapts = background and isinstance(verifier, FreeTextProcess) and verifier.population is None
    raw: dict[int, list[FloatArray]] = {size: [] for size in material.blocks}
    for place, enrolment in enumerate(material.enrolment):
        own = clone(verifier)
        if adapts:
            own.population = others[(place + 1) % 2]
        own.fit(enrolment)
        for size, blocks in material.blocks.items():
            raw[size].append(own.score_recordings(blocks))
    scores = {size: np.stack(columns, axis=1) for size, columns in raw.items()}
    if not background:
        return scores, {}
    normalised = {}
    for size, blocks in material.blocks.items():
        general = np.stack([other.score_recordings(blocks) for other in others], axis=1)
        half = (np.arange(len(material.users)) + 1) % 2
        normalised[size] = scores[size] - general[:, half]
    return scores, normalised


def _prepare(strokes: Strokes, n_enrol: int, block_sizes: Sequence[int]) -> _Material:
    users = _sorted(strokes.subjects)
    if len(users) < 4:
        raise InvalidParameterError(
            f"strokes hold {len(users)} users; four or more are needed, two in each half."
        )
    recordings, session = as_recordings(strokes), _session_places(strokes)
    for user in users:
        own = strokes.user == user
        if session[own].max() < n_enrol:
            raise InvalidParameterError(
                f"user {user!r} has {session[own].max() + 1} sessions; more than "
                f"n_enrol_sessions={n_enrol} are needed, the rest being the tests."
            )
    enrolled = session < n_enrol
    halves = [_take(recordings, enrolled & np.isin(strokes.user, users[k::2])) for k in (0, 1)]
    blocks, typist = {}, {}
    for size in block_sizes:
        blocks[size], rows = _cut(
            recordings, ~enrolled, check_count(size, "block_sizes", minimum=2)
        )
        typist[size] = strokes.user[rows]
        for user in sorted(set(users) - set(typist[size].tolist()))[:1]:
            raise InvalidParameterError(
                f"user {user!r} has no test session of {size} keystrokes; give smaller block_sizes."
            )
    enrolment = tuple(_take(recordings, enrolled & (strokes.user == user)) for user in users)
    return _Material(users, enrolment, (halves[0], halves[1]), blocks, typist)


def _sorted(users: Sequence[str]) -> tuple[str, ...]:
    distinct = set(users)
    by_value = all(user.isdecimal() for user in distinct)
    return tuple(sorted(distinct, key=int) if by_value else sorted(distinct))


def _session_places(strokes: Strokes) -> IntArray:
    """Return which of its user's sessions each stroke belongs to, 0, 1, ... as they come."""
    first = pd.DataFrame({"user": strokes.user, "session": strokes.session}).drop_duplicates()
    first["place"] = first.groupby("user").cumcount()
    index = pd.MultiIndex.from_frame(first[["user", "session"]])
    wanted = pd.MultiIndex.from_arrays([strokes.user, strokes.session])
    return first["place"].to_numpy(dtype=np.int64)[index.get_indexer(wanted)]


def _take(strokes: Recordings, wanted: np.ndarray) -> Recordings:
    """Return the recordings of the wanted keystrokes."""
    return _renumbered(strokes, np.flatnonzero(wanted), strokes.number)


def _cut(strokes: Recordings, wanted: np.ndarray, size: int) -> tuple[Recordings, IntArray]:
    """Return whole blocks of the wanted recordings, and the first row of each."""
    length = np.bincount(strokes.number)[strokes.number]
    block = strokes.place // size
    rows = np.flatnonzero(wanted & (block < length // size))
    label = strokes.number * (int(block.max()) + 1) + block
    return _renumbered(strokes, rows, label), rows[::size]


def _renumbered(strokes: Recordings, rows: IntArray, label: IntArray) -> Recordings:
    number = np.cumsum(np.diff(label[rows], prepend=label[rows[:1]]) != 0)
    return Recordings(
        strokes.names, strokes.key[rows], strokes.press[rows], strokes.release[rows], number
    )
