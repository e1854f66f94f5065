"""Large matrices in files: packed bit by bit, read strictly; lists of older builds are read."""

import json

import numpy as np
import pytest

import hawkeys
from hawkeys import _records
from hawkeys._records import encode, pack, unpack
from hawkeys.exceptions import ResultFileError
from hawkeys.results._saved.reading import Floats, Unbounded, read

RNG = np.random.default_rng(0)
SQUARE = RNG.standard_normal((4, 5, 5))
ARRAYS = {
    "symmetric": SQUARE + SQUARE.transpose(0, 2, 1),
    "not symmetric": SQUARE,
    "not square": RNG.standard_normal((2, 3, 4)),
    "extreme": np.full((1, 2, 2), 5e-324),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_what_is_packed_comes_back_bit_by_bit(name):
    array = ARRAYS[name]
    packed = json.loads(json.dumps(pack(array)))
    assert packed["symmetric"] == (name in ("symmetric", "extreme"))
    back = unpack(packed)
    assert back.dtype == np.float64
    assert back.tobytes() == array.tobytes()


def test_unknown_numbers_come_back_where_they_were():
    array = ARRAYS["symmetric"].copy()
    array[1, 2, :] = array[1, :, 2] = np.nan
    array[0, 0, 0] = np.inf
    packed = pack(array)
    assert packed["symmetric"]
    np.testing.assert_array_equal(unpack(packed), array)
    np.testing.assert_array_equal(read(packed, Unbounded), array)
    with pytest.raises(_records.RecordError, match="too large"):
        read(packed, Floats)


def test_a_symmetric_array_with_one_number_unknown_is_packed_whole():
    array = ARRAYS["symmetric"].copy()
    array[1, 2, 3] = np.nan
    assert not pack(array)["symmetric"]
    np.testing.assert_array_equal(unpack(pack(array)), array)


def test_only_large_stacks_of_matrices_are_packed(monkeypatch):
    monkeypatch.setattr(_records, "_PACKED_FROM", 100)
    assert isinstance(encode(SQUARE), dict)
    assert encode(SQUARE[:3]) == SQUARE[:3].tolist()
    assert isinstance(encode(SQUARE.reshape(4, 25)), list)
    assert isinstance(encode(SQUARE > 0), list)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": "@@@@"}, "base64 of doubles"),
        ({"data": 5}, "base64 of doubles"),
        ({"data": "AAAA"}, "base64 of doubles"),
        ({"data": pack(SQUARE[:2])["data"]}, "data has 50 numbers"),
        ({"shape": [4, 5]}, "three whole numbers"),
        ({"shape": [4, 5, 5.0]}, "three whole numbers"),
        ({"shape": [4, 5, -5]}, "three whole numbers"),
        ({"shape": [True, 5, 5]}, "three whole numbers"),
        ({"shape": [2**30, 2**30, 2**30]}, "the shape asks for"),
        ({"symmetric": 1}, "true or false"),
        ({"symmetric": True, "shape": [4, 25, 1]}, "cannot have the shape"),
        ({"packed": "float32"}, "expected lists, or an object of"),
        ({"more": 1}, "expected lists, or an object of"),
    ],
)
def test_damage_is_told(change, message):
    with pytest.raises(_records.RecordError, match=message):
        read({**pack(SQUARE), **change}, Unbounded)


@pytest.fixture(scope="module")
def wide():
    size = 48
    process = hawkeys.Hawkes(np.full(size, 0.3), np.full((size, size), 0.3 / size), decay=1.0)
    return hawkeys.fit(hawkeys.simulate(process, end_time=60.0, rng=0), decay=1.0)


class TestWideResults:
    def test_a_file_is_small_and_says_the_same(self, wide, tmp_path):
        path = tmp_path / "wide.json"
        wide.save(path)
        as_lists = len(json.dumps(wide.information.tolist()))
        assert path.stat().st_size < 0.6 * as_lists
        back = hawkeys.load_result(path)
        assert back.information.tobytes() == wide.information.tobytes()
        np.testing.assert_array_equal(back.std_err, wide.std_err)
        assert json.loads(path.read_text(encoding="utf-8")) == wide.to_dict()

    def test_files_of_older_builds_are_read(self, wide, tmp_path, monkeypatch):
        path = tmp_path / "lists.json"
        monkeypatch.setattr(_records, "_PACKED_FROM", 10**9)
        wide.save(path)
        assert '"packed"' not in path.read_text(encoding="utf-8")
        back = hawkeys.load_result(path)
        np.testing.assert_array_equal(back.information, wide.information)

    def test_other_matrices_do_not_fit_the_checksum(self, wide, tmp_path):
        path = tmp_path / "changed.json"
        record = wide.to_dict()
        record["information"] = pack(wide.information * (1.0 + 1e-12))
        path.write_text(json.dumps(record), encoding="utf-8")
        with pytest.raises(ResultFileError, match="checksum"):
            hawkeys.load_result(path)

    def test_a_variational_result_too(self, wide, tmp_path):
        del wide
        size = 48
        process = hawkeys.Hawkes(np.full(size, 0.3), np.full((size, size), 0.3 / size), decay=1.0)
        events = hawkeys.simulate(process, end_time=60.0, rng=0)
        result = hawkeys.fit(events, decay=1.0, method="vi")
        result.save(tmp_path / "vi.json")
        back = hawkeys.load_result(tmp_path / "vi.json")
        np.testing.assert_array_equal(back.log_covariance, result.log_covariance)
        np.testing.assert_array_equal(back.posterior_covariance, result.posterior_covariance)
