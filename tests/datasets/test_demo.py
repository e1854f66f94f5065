import numpy as np
import pytest

from hawkeys.datasets import load_demo, split_timings
from hawkeys.exceptions import InvalidParameterError


@pytest.fixture(scope="module")
def demo():
    return load_demo()


@pytest.fixture(scope="module")
def crowd():
    """Many typists, so that means over typists are steady."""
    return load_demo(7, n_subjects=80)


def medians(values, keystrokes, session):
    """Median over the repetitions of a session, one row per typist."""
    n_subjects = len(keystrokes.subjects)
    rows = values[keystrokes.session == session].reshape(n_subjects, -1, values.shape[1])
    return np.median(rows, axis=1)


def spreads(values, keystrokes, session):
    """Mean over typists and columns of the median absolute deviation of the log."""
    logs = np.log(values[keystrokes.session == session])
    rows = logs.reshape(len(keystrokes.subjects), -1, values.shape[1])
    return np.abs(rows - np.median(rows, axis=1, keepdims=True)).mean()


def test_size_and_labels(demo):
    assert len(demo) == 20 * 8 * 50
    assert demo.subjects == tuple(f"demo{u:02d}" for u in range(1, 21))
    labels = np.stack([demo.session, demo.repetition])[:, demo.subject == "demo07"]
    expected = [(s, r) for s in range(1, 9) for r in range(1, 51)]
    assert list(zip(*labels.tolist(), strict=True)) == expected
    assert demo.keys[0] == "period"
    assert demo.keys[-1] == "Return"


def test_same_seed_same_typists(demo):
    assert np.array_equal(demo.timings(), load_demo(0).timings())
    assert np.array_equal(demo.timings(), load_demo(np.random.default_rng(0)).timings())
    assert not np.array_equal(demo.timings(), load_demo(1).timings())


def test_fewer_typists_are_the_first_ones(demo):
    few = load_demo(n_subjects=3)
    assert np.array_equal(few.timings(), demo[:1200].timings())


def test_the_bundled_demo_does_not_change(demo):
    # Results on the demo are quoted in documents; numpy keeps the stream of default_rng's methods
    # unless it announces otherwise, and this test tells when it does.
    first, last = demo.timings().iloc[[0, -1]].to_numpy().tolist()
    assert first[:4] == [0.1265, 0.1589, 0.0324, 0.1143]
    assert last[-4:] == [0.049, 0.2058, 0.1568, 0.0644]


def test_it_says_that_it_is_simulated(demo):
    assert demo.origin.simulated
    assert "simulated: no real person" in demo.origin.notice
    assert demo.provenance["simulated"] == "yes"
    assert "SIMULATED" in repr(demo)
    assert "SIMULATED" in load_demo.__doc__


def test_source_names_the_seed():
    assert load_demo(5, n_subjects=1).origin.source == "hawkeys.datasets.load_demo(5)"
    generator = np.random.default_rng(5)
    assert load_demo(generator, n_subjects=1).origin.source == "hawkeys.datasets.load_demo(...)"


def test_whole_ticks_and_identity(demo):
    matrix = demo.timings().to_numpy()
    ticks = np.rint(matrix * 1e4)
    assert np.array_equal(ticks / 1e4, matrix)
    hold, down_down, up_down = ticks[:, 0::3], ticks[:, 1::3], ticks[:, 2::3]
    assert np.array_equal(down_down, hold[:, :-1] + up_down)
    assert hold.min() >= 10
    assert down_down.min() >= 10


def test_practice_speeds_up_and_steadies(crowd):
    hold, down_down, _ = split_timings(crowd.timings())
    totals = [medians(down_down, crowd, s).sum(axis=1).mean() for s in (1, 2, 4, 8)]
    assert (np.diff(totals) < 0).all()
    # 8^-b, b about .17: total time falls by 30 %; 80 typists leave an error of some 3 %.
    assert totals[-1] / totals[0] == pytest.approx(0.71, abs=0.06)
    for values in (hold, down_down):
        # 8^-g, g = .13; hesitations, which do not shrink, hide a little of it.
        assert spreads(values, crowd, 8) / spreads(values, crowd, 1) == pytest.approx(
            0.77, abs=0.05
        )


def test_holds_keep_their_level(crowd):
    hold, _, _ = split_timings(crowd.timings())
    ratio = medians(hold, crowd, 8).mean() / medians(hold, crowd, 1).mean()
    assert ratio == pytest.approx(1.0, abs=0.06)


def test_habits_wander(crowd):
    _, down_down, _ = split_timings(crowd.timings())
    logs = [np.log(medians(down_down, crowd, s)) for s in (1, 2, 8)]
    steps = [np.std(log - logs[0] - (log - logs[0]).mean(axis=0)) for log in logs[1:]]
    assert steps[0] == pytest.approx(0.16, abs=0.03)
    assert steps[1] == pytest.approx(0.29, abs=0.04)


def test_rollover_and_hesitations(crowd):
    hold, down_down, up_down = split_timings(crowd.timings())
    rollover = (up_down < 0).reshape(80, -1).mean(axis=1)
    assert 0.05 < np.median(rollover) < 0.2
    assert rollover.min() < 0.02 < 0.3 < rollover.max()
    # CMU: 1.1 % of the DD exceed one second, the largest holds and pauses are far out.
    assert 0.005 < (down_down > 1).mean() < 0.03
    assert down_down.max() > 5
    assert np.median(hold) == pytest.approx(0.088, abs=0.01)


def test_tempo_correlates_the_intervals(crowd):
    hold, down_down, _ = split_timings(crowd[crowd.session == 1].timings())
    logs = np.log(np.hstack([hold, down_down])).reshape(80, 50, 21)
    centered = logs - np.median(logs, axis=1, keepdims=True)
    # Hesitations would dominate a product moment: use signs, E[sign sign] = 2/pi asin(rho).
    signs = np.sign(centered)
    pairs = np.einsum("urc,urd->cd", signs, signs) / (80 * 50)
    mean = pairs[~np.eye(21, dtype=bool)].mean()
    assert mean == pytest.approx(2 / np.pi * np.arcsin(0.09), abs=0.02)


@pytest.mark.parametrize("name", ["n_subjects", "n_sessions", "n_repetitions"])
@pytest.mark.parametrize(
    ("value", "message"), [(0, "must be at least 1; got 0"), (2.0, "must be a whole number")]
)
def test_wrong_sizes(name, value, message):
    with pytest.raises(InvalidParameterError, match=f"{name} {message}"):
        load_demo(**{name: value})


def test_one_of_everything():
    assert len(load_demo(n_subjects=1, n_sessions=1, n_repetitions=1)) == 1
