"""Keyed text: the Aalto file, simulated typists."""

import numpy as np
import pytest

from hawkeys.datasets import load_aalto, simulate_keyed_text
from hawkeys.exceptions import DatasetError, DatasetNotFoundError, InvalidParameterError

ARRAYS = {
    "user": [5, 5, 5, 5, 7, 7],
    "sentence": [0, 0, 1, 1, 0, 0],
    "keycode": [65, 66, 65, 32, 65, 66],
    "hold_ms": [80, -3, 90, 70, 60, 75],
    "dd_ms": [0, 150, 0, 200, 0, 130],
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "some.npz"
    np.savez(path, **{name: np.array(values) for name, values in ARRAYS.items()})
    return path


def test_aalto_file(file):
    strokes = load_aalto(file)
    assert strokes.user.tolist() == ["5", "5", "5", "7", "7"]
    assert strokes.session.tolist() == [0, 1, 1, 0, 0]
    assert strokes.key.tolist() == ["65", "65", "32", "65", "66"]
    np.testing.assert_allclose(strokes.press, [0.0, 0.0, 0.2, 0.0, 0.13])
    np.testing.assert_allclose(strokes.release, [0.08, 0.09, 0.27, 0.06, 0.205])
    assert strokes.tally == {"paired": 10, "release before press": 2}


def test_the_whole_aalto_set(aalto_path):
    strokes = load_aalto(aalto_path)
    assert len(strokes.subjects) == 1646
    assert strokes.tally == {"paired": 2 * 1_226_862, "release before press": 14}
    assert np.unique(strokes.groups()).size == 1646 * 15
    assert (np.diff(strokes.press)[np.diff(strokes.groups()) == 0] >= 0).all()


def test_broken_aalto_files(file, tmp_path, monkeypatch):
    broken = {**ARRAYS, "dd_ms": [0, -5, 0, 200, 0, 130]}
    np.savez(file, **{name: np.array(values) for name, values in broken.items()})
    with pytest.raises(DatasetError, match=r"keystroke 1 is pressed 0.005 s before the one before"):
        load_aalto(file)
    apart = {**ARRAYS, "user": [5, 5, 7, 5, 5, 5], "sentence": [0] * 6}
    np.savez(file, **{name: np.array(values) for name, values in apart.items()})
    with pytest.raises(DatasetError, match="session 0 of user 5 is interrupted by another one"):
        load_aalto(file)
    np.savez(file, **{**ARRAYS, "hold_ms": np.array([80.0, np.nan, 90, 70, 60, 75])})
    with pytest.raises(DatasetError, match=r"keystroke 1 has no finite hold. Leave it out first"):
        load_aalto(file)
    np.savez(file, **{name: np.array(values) for name, values in ARRAYS.items() if name != "user"})
    with pytest.raises(DatasetError, match="no array 'user'; expected user, sentence"):
        load_aalto(file)
    np.savez(file, **{**{n: np.array(v) for n, v in ARRAYS.items()}, "user": np.array([5])})
    with pytest.raises(DatasetError, match="must be flat and of one length"):
        load_aalto(file)
    file.write_bytes(b"no archive")
    with pytest.raises(DatasetError, match="expected an npz file of numbers"):
        load_aalto(file)
    monkeypatch.delenv("HAWKEYS_DATA", raising=False)
    with pytest.raises(DatasetNotFoundError, match="HAWKEYS_DATA is not set"):
        load_aalto()
    monkeypatch.setenv("HAWKEYS_DATA", str(tmp_path))
    with pytest.raises(DatasetNotFoundError, match=r"no file .*aalto.*npz. There is no download"):
        load_aalto()
    (tmp_path / "aalto").mkdir()
    np.savez(
        tmp_path / "aalto" / "aalto_1646users_15sentences.npz",
        **{name: np.array(values) for name, values in ARRAYS.items()},
    )
    assert len(load_aalto()) == 5


def test_simulated_typists():
    strokes = simulate_keyed_text(3, n_sessions=2, n_keys=50, rng=1)
    assert strokes.subjects == ("simulated-00", "simulated-01", "simulated-02")
    assert np.bincount(strokes.groups()).tolist() == [50] * 6
    again = simulate_keyed_text(3, n_sessions=2, n_keys=50, rng=1)
    np.testing.assert_array_equal(strokes.press, again.press)
    with pytest.raises(InvalidParameterError, match="n_keys must be at least 2"):
        simulate_keyed_text(n_keys=1)
