"""Event times: binary recordings, slices, splits, and what leaks."""

import numpy as np
import pytest

from hawkeys.datasets import (
    EventSlices,
    EventTimes,
    balanced,
    clock_residuals,
    cut_slices,
    load_press_times,
    published_split,
    random_folds,
    session_folds,
    shared_events,
    simulate_event_times,
    snap_intervals,
    uniform_slices,
    user_folds,
)
from hawkeys.exceptions import DatasetError, DatasetNotFoundError, InvalidParameterError

SECOND = 1_000_000


def write(path, seconds):
    """Write a recording of times in seconds."""
    micro = np.round(np.asarray(seconds) * SECOND).astype(np.int64)
    records = np.stack([micro // SECOND, micro % SECOND], axis=1).astype("<u8")
    path.write_bytes(records.tobytes())


@pytest.fixture
def folder(tmp_path):
    """Ann in one file, Bob in two whose numbers are not in the order of time."""
    write(tmp_path / "timestamps_ann.bin", [100.0, 100.25, 105.000001])
    write(tmp_path / "timestamps_bob_1.bin", [900.5, 901.0])
    write(tmp_path / "timestamps_bob_2.bin", [300.5, 301.0, 301.5])
    (tmp_path / "notes.txt").write_text("nothing")
    return tmp_path


@pytest.fixture
def press_times(press_times_path):
    return load_press_times(press_times_path)


def test_parts_come_in_the_order_of_their_first_times(folder, monkeypatch):
    data = load_press_times(folder)
    assert data.subjects == ("ann", "bob")
    np.testing.assert_array_equal(data.times[0], [100_000_000, 100_250_000, 105_000_001])
    np.testing.assert_array_equal(data.times[1] / SECOND, [300.5, 301.0, 301.5, 900.5, 901.0])
    assert data.origin.n_samples == 8
    assert data.provenance["simulated"] == "no"
    assert repr(data) == "EventTimes: 2 subjects, events: ann 3, bob 5"
    monkeypatch.setenv("HAWKEYS_DATA", str(folder.parent))
    (folder.parent / "press_times").mkdir()
    write(folder.parent / "press_times" / "timestamps_eve.bin", [1.0, 2.0])
    assert load_press_times().subjects == ("eve",)


def test_damaged_recordings_are_refused(folder):
    file = folder / "timestamps_ann.bin"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    with pytest.raises(DatasetError, match=r"timestamps_ann.bin: expected records of 16.*47 bytes"):
        load_press_times(folder)
    file.write_bytes(b"")
    with pytest.raises(DatasetError, match="got 0 bytes"):
        load_press_times(folder)
    file.write_bytes(np.array([[5, 1], [6, SECOND]], dtype="<u8").tobytes())
    with pytest.raises(DatasetError, match="record 1 holds 6 seconds and 1000000 microseconds"):
        load_press_times(folder)
    file.write_bytes(np.array([[5, 1], [4, 1]], dtype="<u8").tobytes())
    with pytest.raises(DatasetError, match="record 1 is 1000000 microseconds before the one"):
        load_press_times(folder)
    file.write_bytes(whole)
    write(folder / "timestamps_bob_1.bin", [301.25, 302.0])
    with pytest.raises(DatasetError, match="two parts of subject 'bob' overlap"):
        load_press_times(folder)


def test_absent_recordings_say_where_they_were_looked_for(tmp_path, monkeypatch):
    with pytest.raises(DatasetNotFoundError, match=r"no file timestamps_\*.bin. Check the path"):
        load_press_times(tmp_path)
    monkeypatch.delenv("HAWKEYS_DATA", raising=False)
    with pytest.raises(
        DatasetNotFoundError, match=r"HAWKEYS_DATA is not set.*simulate_event_times"
    ):
        load_press_times()
    monkeypatch.setenv("HAWKEYS_DATA", str(tmp_path))
    with pytest.raises(DatasetNotFoundError, match=r"no file .*press_times/timestamps_\*.bin"):
        load_press_times()


def test_wrong_event_times_are_refused():
    good = np.array([1, 2], dtype=np.int64)
    with pytest.raises(InvalidParameterError, match="got 1 arrays for 2 subjects"):
        EventTimes(("a", "b"), (good,))
    with pytest.raises(InvalidParameterError, match="must be a flat array of int64"):
        EventTimes(("a",), (np.array([1.0, 2.0]),))
    with pytest.raises(InvalidParameterError, match=r"times\[1\]=1 < times\[0\]=2"):
        EventTimes(("a",), (good[::-1].copy(),))
    with pytest.raises(InvalidParameterError, match="gap must be one positive number"):
        EventTimes(("a",), (good,)).sessions(0.0)
    empty = EventTimes(("a",), (good[:0],))
    assert empty.sessions()[0].size == 0
    assert len(cut_slices(empty)) == 0


def walk(times, length, step_back, whole_seconds):
    """Slices event by event: (first event, overlapping), as the published walk goes."""
    out, run, over, k = [], [], False, 0
    while k < times.size:
        step = (
            times[k] // SECOND - times[k - 1] // SECOND
            if whole_seconds
            else ((times[k] - times[k - 1]) / SECOND)
        )
        if run and k > run[-1] and step > 4.0:
            run, over = [], False
        run.append(k)
        k += 1
        if len(run) == length + 1:
            out.append((run[0], over))
            over = not over and step_back > 0
            k -= step_back
            run = []
            if step_back and k < times.size:
                run, k = [k], k + 1
    return out


@pytest.mark.parametrize(("length", "step_back"), [(30, 0), (30, 15), (16, 8), (5, 5), (1, 0)])
@pytest.mark.parametrize("whole_seconds", [True, False])
def test_slices_are_those_of_the_walk(length, step_back, whole_seconds):
    rng = np.random.default_rng(length + step_back)
    steps = np.where(
        rng.random(3000) < 0.02, rng.uniform(3.5, 6.0, 3000), rng.gamma(2.0, 0.1, 3000)
    )
    data = EventTimes(("a",), (np.cumsum((steps * SECOND).astype(np.int64)),))
    slices = cut_slices(data, length, step_back=step_back, whole_seconds=whole_seconds)
    wanted = walk(data.times[0], length, step_back, whole_seconds)
    assert list(zip(slices.first.tolist(), slices.overlapping.tolist(), strict=True)) == wanted
    for row, first in zip(slices.intervals, slices.first, strict=True):
        path = data.times[0][first : first + length + 1]
        np.testing.assert_allclose(row, np.diff(path) / SECOND)


def test_published_counts(press_times):
    """Slices per person: training, of them overlapping, and validating."""
    assert [int(s.max()) + 1 for s in press_times.sessions()] == [16, 30]
    for length, step_back, wanted in (
        (30, 15, (2240, 969, 141)),
        (30, 0, (1305, 0, 144)),
        (16, 8, (5207, 2424, 309)),
    ):
        slices = cut_slices(press_times, length, step_back=step_back, whole_seconds=True)
        split = published_split(slices, rng=0)
        for person in press_times.subjects:
            train = slices[split.train[slices.subject[split.train] == person]]
            test = slices[split.test[slices.subject[split.test] == person]]
            assert (len(train), int(train.overlapping.sum()), len(test)) == wanted
        assert split.kind == "published, leaks"
        assert (shared_events(slices, split) > 1000) == (step_back > 0)


def test_session_folds_share_no_event_and_no_session():
    slices = cut_slices(simulate_event_times(3, n_sessions=7, n_events=400), 30, step_back=15)
    folds = session_folds(slices.subject, slices.session, 4, rng=0)
    tested = np.sort(np.concatenate([fold.test for fold in folds]))
    np.testing.assert_array_equal(tested, np.arange(len(slices)))
    for fold in folds:
        assert fold.kind == "session-disjoint"
        assert shared_events(slices, fold) == 0
        sides = [
            set(zip(slices.subject[rows], slices.session[rows], strict=True))
            for rows in (fold.train, fold.test)
        ]
        assert not sides[0] & sides[1]
        assert set(slices.subject[fold.test]) == set(slices.subject)
    again = session_folds(slices.subject, slices.session, 4, rng=0)
    assert all((a.test == b.test).all() for a, b in zip(folds, again, strict=True))
    other = session_folds(slices.subject, slices.session, 4, rng=1)
    assert any(a.test.size != b.test.size or (a.test != b.test).any()
               for a, b in zip(folds, other, strict=True))  # fmt: skip


def test_random_folds_leak_and_user_folds_part_people():
    slices = cut_slices(simulate_event_times(4, n_sessions=2, n_events=400), 30, step_back=15)
    leaky = random_folds(slices.subject, 3, rng=0)
    assert shared_events(slices, leaky[0]) > 100
    assert leaky[0].kind == "random, leaks"
    for fold in user_folds(slices.subject, 3, rng=0):
        assert fold.kind == "user-disjoint"
        assert not set(slices.subject[fold.train]) & set(slices.subject[fold.test])
        assert shared_events(slices, fold) == 0


def test_shared_events_are_counted_per_person():
    """The same places of two people are other events."""
    zeros = np.zeros(2, dtype=np.int64)
    slices = EventSlices(
        np.full((2, 3), 0.1), np.array(["a", "b"]), zeros, zeros, np.zeros(2, dtype=bool)
    )
    rows = np.arange(2)
    fold = user_folds(slices.subject, 2, rng=0)[0]
    assert shared_events(slices, fold) == 0
    same = EventSlices(slices.intervals, np.array(["a", "a"]), zeros, rows * 2, zeros > 0)
    assert shared_events(same, random_folds(same.subject, 2, rng=0)[0]) == 2


def test_balanced_picks_as_many_of_everybody():
    people = np.array(["a"] * 5 + ["b"] * 3 + ["c"] * 4)
    rows = np.array([0, 1, 2, 3, 5, 6, 8, 9, 10])
    picked = balanced(people, rows, rng=0)
    assert np.unique(people[picked], return_counts=True)[1].tolist() == [2, 2, 2]
    assert set(picked) <= set(rows)
    assert balanced(people, rows[:0]).size == 0


def test_wrong_splits_are_refused():
    with pytest.raises(InvalidParameterError, match=r"subject 'a' has 2 sessions.*n_folds=3"):
        session_folds(["a", "a"], [0, 1], 3)
    with pytest.raises(InvalidParameterError, match="one label per sample; got shapes"):
        session_folds(["a", "a"], [0], 2)
    with pytest.raises(InvalidParameterError, match="there are 1 subjects"):
        user_folds(["a", "a"], 2)
    with pytest.raises(InvalidParameterError, match="subject 'a' has 1 samples"):
        random_folds(["a"], 2)
    with pytest.raises(InvalidParameterError, match="n_folds must be at least 2"):
        session_folds(["a"], [0], 1)
    with pytest.raises(InvalidParameterError, match="share must be one number strictly between"):
        published_split(cut_slices(simulate_event_times(n_sessions=1)), share=1.0)
    with pytest.raises(InvalidParameterError, match="step_back must be at most length=5"):
        cut_slices(simulate_event_times(n_sessions=1), 5, step_back=6)


def test_snapping_replaces_the_scatter_of_the_clock():
    rng = np.random.default_rng(0)
    ticks = rng.integers(0, 60, 5000)
    raw = np.abs(ticks * 0.004 + rng.normal(0.0, 2e-4, 5000))
    snapped = snap_intervals(raw, rng=0)
    assert snapped.min() > 0.0
    np.testing.assert_array_equal(np.round(snapped[ticks > 0] / 0.004), ticks[ticks > 0])
    scatter = clock_residuals(snapped[ticks > 0]) / 0.004
    assert np.abs(np.histogram(scatter, 8, (-0.5, 0.5))[0] / scatter.size - 0.125).max() < 0.02
    assert clock_residuals(raw).std() == pytest.approx(2e-4, rel=0.05)
    for call in (snap_intervals, clock_residuals):
        with pytest.raises(InvalidParameterError, match="tick must be one positive"):
            call([0.1], tick=0.0)
    with pytest.raises(InvalidParameterError, match="intervals must not be negative"):
        snap_intervals([-0.1])


def test_simulated_people_differ_and_repeat():
    data = simulate_event_times(3, n_sessions=2, n_events=300, rng=5)
    again = simulate_event_times(3, n_sessions=2, n_events=300, rng=5)
    assert data.provenance == again.provenance
    assert data.provenance["simulated"] == "yes"
    assert [one.size for one in data.times] == [600, 600, 600]
    assert [int(one.max()) + 1 for one in data.sessions()] == [2, 2, 2]
    assert np.abs(clock_residuals(cut_slices(data).intervals)).max() < 1e-9
    assert not np.array_equal(data.times[0], data.times[1])


def test_the_random_class():
    """Whole milliseconds, 80 and 300 among them, independent of each other."""
    slices = uniform_slices(2000, 30, rng=1)
    ms = slices.intervals * 1000
    np.testing.assert_allclose(ms, np.round(ms), atol=1e-9)
    assert (round(ms.min()), round(ms.max())) == (80, 300)
    assert ms.mean() == pytest.approx(190.0, abs=1.5)  # sd of the mean .26
    assert ms.std() == pytest.approx(np.sqrt((221**2 - 1) / 12), rel=0.01)
    assert abs(np.corrcoef(ms[:, 0], ms[:, 1])[0, 1]) < 0.08
    split = session_folds(slices.subject, slices.session, 4, rng=0)[0]
    assert shared_events(slices, split) == 0
    with pytest.raises(InvalidParameterError, match="n_slices must be at least 1"):
        uniform_slices(0)
