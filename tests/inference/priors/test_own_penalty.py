"""A stranger's penalty: fits, paths, files and re-fits know it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys._records import seal
from hawkeys.exceptions import ResultFileError
from hawkeys.inference import Lasso, Penalty, penalty_path

TRUTH = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.2], [0.0, 0.4]], decay=2.0)
SAMPLE = hawkeys.simulate(TRUTH, end_time=300.0, n_realizations=2, rng=4)


class PairsAlone(Penalty):
    """L1 on the influence of other marks alone."""

    l1_share = 1.0

    def strengths(self, n_marks):
        return super().strengths(n_marks) * (1 - np.eye(n_marks))


@dataclass(frozen=True, eq=False)
class Far(Penalty):
    """The same, with a parameter of its own."""

    factor: float = 2.0
    l1_share = 1.0

    def strengths(self, n_marks):
        return super().strengths(n_marks) * self.factor * (1 - np.eye(n_marks))


OFF = np.array([[0.0, 1.0], [1.0, 0.0]])


@pytest.mark.parametrize(
    ("mine", "own"),
    [(PairsAlone(20.0), Lasso(20.0 * OFF)), (Far(10.0, factor=3.0), Lasso(30.0 * OFF))],
    ids=["without", "with a parameter"],
)
def test_is_the_built_in_penalty_of_these_strengths(mine, own, tmp_path):
    result, expected = (
        hawkeys.fit(SAMPLE, decay=2.0, method="map", prior=prior) for prior in (mine, own)
    )
    np.testing.assert_array_equal(result.estimates, expected.estimates)
    assert 0 < result.adjacency[0, 1] < 0.2  # it acts
    result.save(tmp_path / "fit.json")
    loaded = hawkeys.load_result(tmp_path / "fit.json")
    assert loaded.to_dict() == result.to_dict()
    checked, other = (
        hawkeys.goodness_of_fit(found, SAMPLE, n_mc_samples=3, rng=0)  # fits again
        for found in (loaded, expected)
    )
    pd.testing.assert_frame_equal(checked.to_frame(), other.to_frame())


def test_a_path_of_it():
    mine, own = (
        penalty_path(SAMPLE, decay=2.0, penalty=penalty)
        for penalty in (PairsAlone(1.0), Lasso(OFF))
    )
    np.testing.assert_array_equal(mine.strengths, own.strengths)


def test_a_missing_class_is_named(tmp_path):
    result = hawkeys.fit(SAMPLE, decay=2.0, method="map", prior=PairsAlone(20.0))
    record = {key: value for key, value in result.to_dict().items() if key != "checksum"}
    record["options"]["prior"]["name"] = "Gone"
    (tmp_path / "fit.json").write_text(seal(record))
    words = r"options\.prior\.name: .*'Gone': no penalty .*import the module"
    with pytest.raises(ResultFileError, match=words):
        hawkeys.load_result(tmp_path / "fit.json")
