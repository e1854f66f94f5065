"""Demo data: typists SIMULATED by the documented generator below. No real person typed them.

They type the text of the CMU benchmark, so that everything which runs on the benchmark runs on
them, without a file and without network. Figures obtained on them say whether a program works;
they say nothing about people.

The generator
-------------
For typist u, session s = 1, 2, ..., repetition r and key (or pair of keys) i, in seconds,

    H  = exp(h_i + w_si + sigma_H s^-g Z),    DD = exp(d_i + v_si - b log s + sigma_D s^-g Z') + E,

and UD = DD - H, which is negative (rollover) whenever the next key comes before the release.

- h_i, d_i: habits. A typist's general hold and speed, plus an effect of the key or pair that is
  common to all typists (reaching for "5" and Shift is slow), plus one of the typist's own.
- w_si, v_si: the session. A random walk that starts at 0, because habits wander, plus the form of
  the day, drawn anew in each session.
- b > 0: the power law of practice. g > 0: spreads shrink with practice by a power law too.
- Z, Z': standard normal, with correlation rho between any two intervals of a repetition, because
  all of them share its tempo.
- E: a hesitation, 0 except with a small probability of the typist's own, then log-normal with a
  heavy tail.

Intervals are at least 1 ms and rounded to 0.1 ms, with DD = H + UD kept. The constants are rounded
summary statistics of the CMU benchmark [1]_ (medians and spreads over subjects, keys and sessions),
named in the code; none was chosen by the score of a verifier.

References
----------
.. [1] K. S. Killourhy and R. A. Maxion, "Comparing anomaly-detection algorithms for keystroke
   dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._typing import FloatArray, RandomState
from hawkeys._validation import check_count
from hawkeys.datasets.keystrokes import Keystrokes, with_origin
from hawkeys.datasets.named._cmu_file import CMU_KEYS
from hawkeys.datasets.provenance import Provenance

__all__ = ["load_demo"]

_NOTICE = "These typists are simulated: no real person typed the samples."
_TICK = 1e-4
_MIN_TICKS = 10

# Common to all typists: log deviation of the hold of each key, and median DD of each pair in
# seconds (over all sessions).
_KEY_EFFECT = np.array([0.05, -0.05, -0.1, 0.0, -0.15, 0.05, 0.0, 0.2, 0.0, 0.1, 0.0])
_PAIR_SECONDS = np.array([0.21, 0.14, 0.12, 0.29, 0.38, 0.20, 0.13, 0.125, 0.17, 0.26])
_N_KEYS, _N_PAIRS = _KEY_EFFECT.size, _PAIR_SECONDS.size

# Differences between typists: log-normal about a median, (median, sd of the log).
_HOLD_MEDIAN = (0.088, 0.19)
_SPEED = (1.25, 0.28)  # the first session is slower than all sessions together
_HOLD_SPREAD = (0.19, 0.18)  # sigma_H
_PAIR_SPREAD = (0.24, 0.18)  # sigma_D, in the first session
_PRACTICE = (0.17, 0.35)  # b: total time falls from 3.0 s to 2.1 s in 8 sessions
_HESITATION_RATE = (0.02, 0.35)
# Differences between the keys of one typist, sd of the log.
_OWN_KEY_SD = 0.15
_OWN_PAIR_SD = 0.23
# Sessions of one typist, sd of the log: step of the random walk, form of the day.
_HOLD_STEP_SD, _HOLD_DAY_SD = 0.055, 0.06
_PAIR_STEP_SD, _PAIR_DAY_SD = 0.09, 0.085
# Spreads fall by a quarter in 8 sessions: g.
_SPREAD_DECLINE = 0.13
_TEMPO_CORRELATION = 0.09
_HESITATION_SECONDS = (0.4, 0.9)


@dataclass(frozen=True)
class _Typist:
    """Habits of one simulated typist; the logs are of seconds."""

    log_hold: FloatArray
    log_pair: FloatArray
    hold_spread: float
    pair_spread: float
    practice: float
    hesitation_rate: float


def load_demo(
    random_state: RandomState = 0,
    *,
    n_subjects: int = 20,
    n_sessions: int = 8,
    n_repetitions: int = 50,
) -> Keystrokes:
    """Simulate the bundled demo typists. THEY ARE SIMULATED: no real person typed these samples.

    The text is that of the CMU benchmark (``.tie5Roanl`` and Return). `hawkeys.datasets.named.demo`
    describes the generator: habits of each typist, practice, tempo, rollover, hesitations.

    Parameters
    ----------
    random_state : int, Generator, SeedSequence or None, default 0
        The same seed gives the same samples, and the first typists are the same whatever
        `n_subjects` is. None draws a new seed.
    n_subjects, n_sessions, n_repetitions : int, default 20, 8 and 50
        Typists, sessions of each, repetitions in each session.

    Returns
    -------
    Keystrokes
        Subjects "demo01", "demo02", ...; seconds, rounded to 0.1 ms.

    Raises
    ------
    InvalidParameterError
        A number that is not an int or is below 1.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> load_demo(n_subjects=3)
    Keystrokes: 1,200 samples of 11 keys (period t i e five Shift.r o a n l Return)
      3 subjects (demo01 demo02 demo03), 8 sessions, 400 repetitions each, SIMULATED
    """
    return simulate_demo(
        random_state, n_subjects=n_subjects, n_sessions=n_sessions, n_repetitions=n_repetitions
    )[0]


def simulate_demo(
    random_state: RandomState = 0,
    *,
    n_subjects: int = 20,
    n_sessions: int = 8,
    n_repetitions: int = 50,
    notice: str = _NOTICE,
) -> tuple[Keystrokes, Provenance]:
    """Return the demo and the record that says it is simulated."""
    check_count(n_subjects, "n_subjects")
    check_count(n_sessions, "n_sessions")
    check_count(n_repetitions, "n_repetitions")
    rows = [
        _type_sessions(_draw_typist(rng), rng, n_sessions, n_repetitions)
        for rng in np.random.default_rng(random_state).spawn(n_subjects)
    ]
    names = np.array([f"demo{u:02d}" for u in range(1, n_subjects + 1)])
    sessions = np.repeat(np.arange(1, n_sessions + 1), n_repetitions)
    matrix = np.concatenate(rows)
    keystrokes = Keystrokes.from_timings(
        matrix,
        subject=np.repeat(names, sessions.size),
        session=np.tile(sessions, n_subjects),
        repetition=np.tile(np.arange(1, n_repetitions + 1), n_subjects * n_sessions),
        keys=CMU_KEYS,
    )
    seed = random_state if isinstance(random_state, int) else "..."
    source = f"hawkeys.datasets.load_demo({seed})"
    content = matrix.astype("<f8").tobytes()
    return with_origin(keystrokes, "demo", source, content=content, notice=notice)


def _draw_typist(rng: np.random.Generator) -> _Typist:
    """Draw the habits of one typist."""
    hold, speed = _log_normal(rng, _HOLD_MEDIAN), _log_normal(rng, _SPEED)
    own_key = _OWN_KEY_SD * rng.standard_normal(_N_KEYS)
    own_pair = _OWN_PAIR_SD * rng.standard_normal(_N_PAIRS)
    return _Typist(
        log_hold=np.log(hold) + _KEY_EFFECT + own_key,
        log_pair=np.log(speed * _PAIR_SECONDS) + own_pair,
        hold_spread=_log_normal(rng, _HOLD_SPREAD),
        pair_spread=_log_normal(rng, _PAIR_SPREAD),
        practice=_log_normal(rng, _PRACTICE),
        hesitation_rate=_log_normal(rng, _HESITATION_RATE),
    )


def _type_sessions(
    typist: _Typist, rng: np.random.Generator, n_sessions: int, n_repetitions: int
) -> FloatArray:
    """Return the timing matrix of all sessions of one typist."""
    log_hold = typist.log_hold + _wander(rng, n_sessions, _N_KEYS, _HOLD_STEP_SD, _HOLD_DAY_SD)
    log_pair = typist.log_pair + _wander(rng, n_sessions, _N_PAIRS, _PAIR_STEP_SD, _PAIR_DAY_SD)
    sessions = []
    for s in range(n_sessions):
        practice = np.log(s + 1)
        shrink = np.exp(-_SPREAD_DECLINE * practice)
        z_hold, z_pair = _correlated(rng, n_repetitions, _N_KEYS, _N_PAIRS)
        hold = np.exp(log_hold[s] + typist.hold_spread * shrink * z_hold)
        center = log_pair[s] - typist.practice * practice
        pair = np.exp(center + typist.pair_spread * shrink * z_pair)
        pair += _hesitations(rng, typist.hesitation_rate, pair.shape)
        sessions.append(_round_to_ticks(hold, pair))
    return np.concatenate(sessions)


def _wander(
    rng: np.random.Generator, n_sessions: int, size: int, step_sd: float, day_sd: float
) -> FloatArray:
    """Draw by how much each session departs from the habits, shape (n_sessions, size)."""
    steps = step_sd * rng.standard_normal((n_sessions, size))
    steps[0] = 0.0
    return np.cumsum(steps, axis=0) + day_sd * rng.standard_normal((n_sessions, size))


def _correlated(rng: np.random.Generator, n_repetitions: int, *sizes: int) -> list[FloatArray]:
    """Draw matrices of standard normal numbers whose rows share one tempo."""
    tempo = np.sqrt(_TEMPO_CORRELATION) * rng.standard_normal((n_repetitions, 1))
    own_sd = np.sqrt(1 - _TEMPO_CORRELATION)
    return [tempo + own_sd * rng.standard_normal((n_repetitions, size)) for size in sizes]


def _hesitations(rng: np.random.Generator, rate: float, shape: tuple[int, ...]) -> FloatArray:
    """Draw the pauses: mostly none, now and then a long one."""
    median, log_sd = _HESITATION_SECONDS
    seconds = median * np.exp(log_sd * rng.standard_normal(shape))
    return np.where(rng.random(shape) < rate, seconds, 0.0)


def _round_to_ticks(hold: FloatArray, pair: FloatArray) -> FloatArray:
    """Return the timing matrix in whole ticks, so that DD = H + UD stays true."""
    hold_ticks = np.maximum(np.rint(hold / _TICK), _MIN_TICKS)
    pair_ticks = np.maximum(np.rint(pair / _TICK), _MIN_TICKS)
    ticks = np.empty((hold.shape[0], hold.shape[1] + 2 * pair.shape[1]))
    ticks[:, 0::3] = hold_ticks
    ticks[:, 1::3] = pair_ticks
    ticks[:, 2::3] = pair_ticks - hold_ticks[:, :-1]
    return ticks / round(1 / _TICK)


def _log_normal(rng: np.random.Generator, median_and_log_sd: tuple[float, float]) -> float:
    median, log_sd = median_and_log_sd
    return float(median * np.exp(log_sd * rng.standard_normal()))
