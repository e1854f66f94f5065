import numpy as np
import pytest

from hawkeys.datasets import clocks, load_demo
from hawkeys.datasets.clocks import clock_tick

DEMO = load_demo(n_subjects=4)


def read(tick, jitter, rows, seed=0):
    """Return samples as a clock of that tick and jitter reads them."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(size=(len(rows), 1))
    press, release = (
        tick * np.floor(times[rows] / tick + phase) + rng.normal(0, jitter, times[rows].shape)
        for times in (DEMO.press, DEMO.release)
    )
    X = np.zeros((len(rows), 31))
    X[:, 0::3], X[:, 1::3] = np.maximum(release - press, 0), np.diff(press)
    return X


@pytest.mark.parametrize("tick", [0.008, 0.0157, 0.033])
@pytest.mark.parametrize("jitter", [0.0, 0.0003, 0.0015])
def test_ticks_are_found_behind_jitter(tick, jitter):
    for subject in DEMO.subjects:
        rows = np.flatnonzero(DEMO.subject == subject)[:100]
        assert clock_tick(read(tick, jitter, rows)) == pytest.approx(tick, rel=0.02)


@pytest.mark.parametrize("tick", [None, 0.001, 0.006, 0.0157, 0.039])
@pytest.mark.parametrize("n_samples", [3, 20, 200])
def test_a_look_at_all_columns_together_spares_no_tick(monkeypatch, tick, n_samples):
    """Columns are transformed one by one only where all together may be clear."""
    rows = np.flatnonzero(DEMO.subject == DEMO.subjects[0])[:n_samples]
    jitters = [0.0] if tick is None else [0.05 * tick, 0.2 * tick, 0.4 * tick]
    X = [DEMO.timings().to_numpy()[rows] if tick is None else read(tick, jitter, rows)
         for jitter in jitters]  # fmt: skip
    found = [clock_tick(one) for one in X]
    monkeypatch.setattr(clocks, "_ROUNDED", -np.inf)
    assert found == [clock_tick(one) for one in X]


@pytest.mark.parametrize("n_samples", [1, 2, 5, 10, 50, 400])
def test_fine_clocks_are_not_called_coarse(n_samples):
    for subject in DEMO.subjects:
        X = DEMO.timings().to_numpy()[DEMO.subject == subject][:n_samples]
        assert clock_tick(X) < 0.001


def test_real_typists_have_no_coarse_clock(cmu):
    X = cmu.timings().to_numpy()
    for subject in cmu.subjects:
        for n_samples in (5, 20, 200):
            assert clock_tick(X[cmu.subject == subject][:n_samples]) < 0.001


def test_an_exact_millisecond_and_short_texts():
    X = np.round(DEMO.timings().to_numpy()[:400], 3)
    assert clock_tick(X) == pytest.approx(0.001)
    assert clock_tick(0.02 * np.round(X[:200, :4] / 0.02)) == pytest.approx(0.02)
    assert clock_tick(np.empty((0, 4))) == 0.0


@pytest.mark.parametrize("n_samples", [5, 15, 60])
def test_copies_of_samples_are_no_clock(n_samples):
    rng = np.random.default_rng(n_samples)
    hold, step = rng.uniform(0.05, 0.15, (n_samples, 6)), rng.uniform(0.1, 0.4, (n_samples, 5))
    X = np.zeros((n_samples, 16))
    X[:, 0::3], X[:, 1::3], X[:, 2::3] = hold, step, step - hold[:, :-1]
    copied = np.repeat(X, 4, axis=0)
    assert clock_tick(copied) == clock_tick(X) == 0.0
    coarse = 0.016 * np.rint(X / 0.016)
    assert clock_tick(np.repeat(coarse, 4, axis=0)) == clock_tick(coarse)
