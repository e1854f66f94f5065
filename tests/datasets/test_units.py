"""Timings in another unit than is said, at every entrance."""

import numpy as np
import pandas as pd
import pytest

from hawkeys.datasets import Keystrokes, load_demo
from hawkeys.exceptions import InvalidParameterError, InvalidTimingsError
from hawkeys.verifiers import (
    POHMM,
    HawkesLikelihood,
    Manhattan,
    NeighborsAndHawkes,
    RecencyNearestNeighbors,
    RobustMahalanobis,
)

DEMO = load_demo(n_subjects=2, n_sessions=1)
X = DEMO.timings().to_numpy()
FRAME = DEMO.timings()[:40]


@pytest.mark.parametrize("factor", [1e3, 1e6, 1e9, 1e7])
def test_another_unit_is_refused_and_can_be_said(factor):
    unit = {1e3: "ms", 1e6: "us", 1e9: "ns", 1e7: "100ns"}[factor]
    with pytest.raises(InvalidTimingsError, match=r"median hold.*time_unit"):
        Keystrokes.from_timings(factor * X, subject=DEMO.subject)
    kept = Keystrokes.from_timings(factor * X, subject=DEMO.subject, time_unit=unit)
    np.testing.assert_allclose(kept.timings().to_numpy(), X, rtol=1e-12, atol=1e-15)
    press, release = (
        (factor * one).round().astype(np.int64) + 1_700_000_000 * int(factor)
        for one in (DEMO.press, DEMO.release)
    )
    kept = Keystrokes.from_press_release(press, release, subject=DEMO.subject, time_unit=unit)
    np.testing.assert_allclose(kept.press, DEMO.press, atol=1.01 / factor)
    np.testing.assert_allclose(kept.release, DEMO.release, atol=1.01 / factor)


def test_dates_are_times():
    start = np.datetime64("2024-05-01T12:00:00", "ns")
    press, release = (
        start + (1e9 * one).round().astype("timedelta64[ns]") for one in (DEMO.press, DEMO.release)
    )
    kept = Keystrokes.from_press_release(press, release, subject=DEMO.subject)
    np.testing.assert_allclose(kept.release, DEMO.release, atol=1e-9)


def test_seconds_called_milliseconds_are_refused():
    with pytest.raises(InvalidTimingsError, match=r"interval of 0.000\d+ s; expected seconds, at"):
        Keystrokes.from_timings(X, subject="ann", time_unit="ms")
    with pytest.raises(InvalidParameterError, match="time_unit must be one of"):
        Keystrokes.from_timings(X, subject="ann", time_unit="minutes")
    with pytest.raises(InvalidParameterError, match="time_unit must be one of"):
        Keystrokes.from_press_release([[0.0]], [[0.1]], subject="ann", time_unit="iso")


def test_one_typist_in_another_unit_is_found_among_others():
    rows = slice(40, 60)  # ten of each, of which the second's are in milliseconds
    mixed = np.where((DEMO.subject == "demo02")[:, None], 1e3 * X, X)[rows]
    mixed = np.vstack((X[:30], mixed))
    who = np.concatenate((DEMO.subject[:30], DEMO.subject[rows]))
    assert 0 < (who == "demo02").sum() < 15
    with pytest.raises(InvalidTimingsError, match="subject 'demo02'"):
        Keystrokes.from_timings(mixed, subject=who)


def test_single_pauses_of_hours_are_data():
    long = X.copy()
    long[3, 1] += 8000.0
    long[3, 2] += 8000.0
    kept = Keystrokes.from_timings(long, subject=DEMO.subject)
    assert np.isfinite(POHMM().fit(kept.timings()[:50]).offset_)


@pytest.mark.parametrize(
    "kind",
    [POHMM, HawkesLikelihood, RecencyNearestNeighbors, RobustMahalanobis, NeighborsAndHawkes],
)
def test_models_refuse_to_learn_another_unit(kind):
    with pytest.raises(InvalidTimingsError, match=r"has a median hold of .* expected seconds"):
        kind().fit(1e3 * X[:40])


def test_distances_check_named_timings():
    broken = FRAME.copy()
    hold, press, up = broken.columns[:3]
    broken.loc[5, hold], broken.loc[5, up] = -0.2, broken.loc[5, press] + 0.2
    with pytest.raises(InvalidTimingsError, match=r"row 5: H.period is -0.2; H and DD must not be"):
        Manhattan().fit(broken)
    fitted = Manhattan().fit(FRAME)
    with pytest.raises(InvalidTimingsError, match=r"row 5: H.period is -0.2"):
        fitted.score_samples(broken)
    with pytest.raises(InvalidTimingsError, match="expected seconds"):
        Manhattan().fit(1e3 * FRAME)
    # one broken sample is scored; it is no typist
    assert np.isfinite(fitted.score_samples(1e3 * FRAME[:1]))


def test_scaled_features_may_keep_the_names():
    scaled = (FRAME - FRAME.mean()) / FRAME.std()
    assert np.isfinite(Manhattan().fit(scaled).offset_)
    assert np.isfinite(Manhattan().fit(pd.DataFrame({"H.a": [-1.0, 0.0, 1.0]})).offset_)
