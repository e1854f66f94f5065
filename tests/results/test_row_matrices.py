"""Matrices of which few entries are kept: in memory, in results and in files."""

import dataclasses
import json

import numpy as np
import pytest

import hawkeys
from hawkeys import _records
from hawkeys._loops import choice
from hawkeys._records import seal
from hawkeys.exceptions import ResultFileError
from hawkeys.forecasting.parameter_draws import draw_parameters
from hawkeys.inference import Lasso
from hawkeys.results.row_matrices import RowMatrices

RNG = np.random.default_rng(0)
WHOLE = np.zeros((4, 6, 6))
KEPT = [np.array([0, 2, 5]), np.array([], dtype=np.int64), np.array([3]), np.arange(6)]
for one, index in zip(WHOLE, KEPT, strict=True):
    square = RNG.standard_normal((index.size, index.size))
    one[np.ix_(index, index)] = square + square.T
ROWS = [(index, one[np.ix_(index, index)]) for one, index in zip(WHOLE, KEPT, strict=True)]


@pytest.mark.parametrize("outside", [0.0, np.nan])
def test_they_are_the_matrices(outside):
    found = RowMatrices.of(ROWS, 6, outside)
    expected = np.full(WHOLE.shape, outside)
    for one, (index, matrix) in zip(expected, ROWS, strict=True):
        one[np.ix_(index, index)] = matrix
    assert found.shape == expected.shape
    assert len(found) == 4
    np.testing.assert_array_equal(np.asarray(found), expected)
    np.testing.assert_array_equal(found[-1], expected[-1])
    np.testing.assert_array_equal(list(found), expected)
    np.testing.assert_array_equal(found.diagonals(), np.diagonal(expected, axis1=1, axis2=2))
    for row, (index, matrix) in enumerate(ROWS):
        np.testing.assert_array_equal(found.kept(row)[0], index)
        np.testing.assert_array_equal(found.kept(row)[1], matrix)
    with pytest.raises(IndexError):
        found[4]
    assert repr(found) == "RowMatrices(shape=(4, 6, 6), n_kept=10)"


@pytest.fixture(scope="module")
def result():
    events = hawkeys.simulate(
        hawkeys.Hawkes([0.4, 0.2, 0.3], 0.3 * np.eye(3), decay=2.0), end_time=200.0, rng=1
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "_MANY_MARKS", 2)
        patch.setattr(choice, "_MANY_NUMBERS", 0)
        return hawkeys.fit(events, decay=2.0, method="map", prior=Lasso(4.0))


@pytest.mark.parametrize("packed_from", [1, 100_000])
def test_a_file_gives_the_result_back(result, tmp_path, monkeypatch, packed_from):
    monkeypatch.setattr(_records, "_PACKED_FROM", packed_from)
    result.save(tmp_path / "fit.json")
    back = hawkeys.load_result(tmp_path / "fit.json")
    assert isinstance(back.information, RowMatrices)
    for name in ("index", "offsets", "values", "n_columns"):
        np.testing.assert_array_equal(
            getattr(back.information, name), getattr(result.information, name)
        )
    np.testing.assert_array_equal(back.std_err, result.std_err)
    assert back.summary() == result.summary()


DAMAGES = {
    "decreasing": ("index", [1, 0], "a row does not increase"),
    "outside": ("index", [0, 4], "expected numbers below 4"),
    "negative": ("index", [-1, 1], "expected numbers below 4"),
    "other zeros": ("index", [0, 2], "is not what is above 0"),
    "few values": ("values", [[[1.0]]], "numbers"),
    "null": ("values", [[[None]]], "expected"),
    "other width": ("n_columns", 5, "the other fields ask for"),
    "no width": ("n_columns", 0, "expected"),
    "backward": ("offsets", [0, 2, 1, 5], "increasing from 0"),
    "short": ("offsets", [0, 2], "index has"),
    "late": ("offsets", [1, 2, 4, 6], "increasing from 0"),
    "further": ("more", 1, "more"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_does_not_agree_is_refused(result, tmp_path, name):
    field, value, message = DAMAGES[name]
    record = {k: v for k, v in json.loads(json.dumps(result.to_dict())).items() if k != "checksum"}
    information = record["information"]
    if field == "index":
        assert information["offsets"][1] == 2  # the first target has a baseline and an edge
        information["index"][:2] = value
    else:
        information[field] = value
    path = tmp_path / "fit.json"
    path.write_text(seal(record), encoding="utf-8")
    with pytest.raises(ResultFileError, match=message):
        hawkeys.load_result(path)


def test_a_negative_curvature_is_refused(result, tmp_path):
    record = result.to_dict()
    record["information"]["values"][0][0][0] = -1.0
    path = tmp_path / "fit.json"
    path.write_text(seal({k: v for k, v in record.items() if k != "checksum"}), encoding="utf-8")
    with pytest.raises(ResultFileError, match="a diagonal entry is negative"):
        hawkeys.load_result(path)


def test_all_that_is_asked_of_a_result_is_that_of_whole_matrices(result):
    whole = dataclasses.replace(result, information=np.asarray(result.information))
    assert isinstance(result.covariance, RowMatrices)
    np.testing.assert_allclose(np.asarray(result.covariance), whole.covariance, rtol=1e-12)
    np.testing.assert_allclose(result.std_err, whole.std_err, rtol=1e-12)
    assert result.aic == whole.aic
    draws = [draw_parameters(one, 50, np.random.default_rng(0)) for one in (result, whole)]
    np.testing.assert_array_equal(*draws)
