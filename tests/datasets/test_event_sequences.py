"""Event sequences in their published portions."""

import numpy as np
import pytest

import hawkeys
from hawkeys.datasets import load_event_sequences
from hawkeys.exceptions import (
    DatasetError,
    DatasetNotFoundError,
    InvalidEventsError,
    InvalidParameterError,
)

ARRAYS = {
    "times": np.array([0.5, 1.5, 2.0, 0.25, 1.0, 3.0, 3.5], dtype=np.float32),
    "lengths": np.array([2, 1, 0, 3, 1]),
    "end_time": np.array(4.0),
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "some.npz"
    np.savez(path, **ARRAYS)
    return path


def test_portions_are_in_order(file):
    data = load_event_sequences("twitter", file)
    assert data.training.times.tolist() == [0.5, 1.5, 2.0]
    assert data.training.n_realizations == 3
    assert data.validation.times.tolist() == [0.25, 1.0, 3.0]
    assert data.test.times.tolist() == [3.5]
    assert data.test.end_times.tolist() == [4.0]
    assert data.mean_length == 1.0
    assert data.loss(-6.0, data.validation) == 6.0
    assert data.origin.n_samples == 5
    assert not data.origin.simulated
    assert load_event_sequences("hawkes1", file).origin.simulated


def test_the_figure_of_a_poisson_process_is_that_of_its_rate(file):
    data = load_event_sequences("taxi", file)
    process = hawkeys.Hawkes([0.5], [[0.0]], decay=1.0)
    expected = -(3 * np.log(0.5) - 0.5 * 4.0)  # three events, one window of 4
    assert data.loss(process.log_likelihood(data.validation), data.validation) == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"lengths": np.array([2, 1, 0, 3, 2])}, DatasetError, "that add up to the number of tim"),
        ({"lengths": np.array([2.0, 1, 0, 3, 1])}, DatasetError, "whole numbers .* of float64"),
        ({"lengths": np.array([7])}, DatasetError, "of 5 sequences or more"),
        ({"end_time": np.array([4.0, 4.0])}, DatasetError, r"must be one number; got shape \(2,\)"),
        ({"end_time": np.array(3.0)}, InvalidEventsError, "3.5"),
        ({"times": ARRAYS["times"][::-1]}, InvalidEventsError, "realization 0"),
    ],
)
def test_broken_files(file, changed, error, message):
    np.savez(file, **ARRAYS | changed)
    with pytest.raises(error, match=message):
        load_event_sequences("taxi", file)


def test_what_is_no_such_file(file, tmp_path, monkeypatch):
    np.savez(file, times=[1.0], lengths=[1])
    with pytest.raises(DatasetError, match="no array 'end_time'; expected times, lengths, end_tim"):
        load_event_sequences("taxi", file)
    file.write_bytes(b"no zip")
    with pytest.raises(DatasetError, match="expected an npz file of numbers"):
        load_event_sequences("taxi", file)
    with pytest.raises(InvalidParameterError, match="name must be one of 'hawkes1'"):
        load_event_sequences("no such set", file)
    monkeypatch.setenv("HAWKEYS_DATA", str(tmp_path))
    with pytest.raises(DatasetNotFoundError, match=r"sequences 'pubg': no file .*pubg\.npz"):
        load_event_sequences("pubg")
    monkeypatch.delenv("HAWKEYS_DATA")
    with pytest.raises(DatasetNotFoundError, match="no path given and HAWKEYS_DATA is not set"):
        load_event_sequences("pubg")


def test_the_sets_themselves(event_sequences_path):
    sizes = {"taxi": (109, 10264), "pubg": (1800, 137984), "self_correcting": (600, 60142)}
    for name, (sequences, events) in sizes.items():
        data = load_event_sequences(name, event_sequences_path / f"{name}.npz")
        assert (data.training.n_realizations, data.training.n_events) == (sequences, events)
