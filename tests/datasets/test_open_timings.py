"""Typing samples in Parquet files: lazy, checked, and named where they are wrong."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys.datasets import open_timings, read_timings
from hawkeys.exceptions import DatasetError, DatasetNotFoundError, InvalidParameterError

pa = pytest.importorskip("pyarrow", reason="Parquet takes the extra [parquet] (pyarrow)")
parquet = pytest.importorskip("pyarrow.parquet")


def samples(n, seed=0, typist="s1"):
    rng = np.random.default_rng(seed)
    hold, gap = rng.uniform(0.05, 0.15, (n, 3)), rng.uniform(-0.02, 0.3, (n, 2))
    frame = pd.DataFrame({"subject": [typist] * n, "rep": np.arange(n)})
    for k, key in enumerate("abc"):
        frame[f"H.{key}"] = hold[:, k]
        if k < 2:
            pair = f"{key}.{'abc'[k + 1]}"
            frame[f"UD.{pair}"] = gap[:, k]
            frame[f"DD.{pair}"] = hold[:, k] + gap[:, k]
    return frame


COLUMNS = ["H.a", "DD.a.b", "UD.a.b", "H.b", "DD.b.c", "UD.b.c", "H.c"]


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "timings"
    path.mkdir()
    for k in range(3):
        table = pa.Table.from_pandas(samples(25, k, f"s{k}"), preserve_index=False)
        parquet.write_table(table, path / f"typist-{k}.parquet", row_group_size=10)
    return path


def test_all_samples_in_the_order_of_the_files(folder):
    data = open_timings(folder)
    assert (data.n_samples, data.keys, data.labels) == (75, ("a", "b", "c"), ("subject", "rep"))
    assert data.columns == tuple(COLUMNS)
    whole = pd.concat([samples(25, k, f"s{k}") for k in range(3)], ignore_index=True)
    timings, labels = data.read()
    pd.testing.assert_frame_equal(timings, whole[COLUMNS])
    pd.testing.assert_frame_equal(labels, whole[["subject", "rep"]], check_dtype=False)


@pytest.mark.parametrize(("most", "sizes"), [(10_000, [75]), (20, [20, 15, 15, 20, 5]), (1, None)])
def test_partitions_are_whole_row_groups(folder, most, sizes):
    data = open_timings(folder, samples_per_partition=most)
    found = [len(timings) for timings, _ in data]
    assert found == (sizes or [10, 10, 5] * 3)
    assert len(data) == data.n_partitions == len(found)
    pd.testing.assert_frame_equal(data.partition(-1)[0], data.partition(len(data) - 1)[0])


def test_it_is_the_table_that_read_timings_reads(folder, tmp_path):
    frame = samples(12)
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    timings, labels = read_timings(tmp_path / "t.csv")
    found = open_timings(tmp_path / "t.parquet").read()
    pd.testing.assert_frame_equal(found[0], timings, rtol=1e-14)
    pd.testing.assert_frame_equal(found[1], labels, check_dtype=False)


def test_units_and_single_precision(folder, tmp_path):
    frame = samples(12)
    wanted = frame[COLUMNS].to_numpy()
    frame[COLUMNS] = (1_000 * wanted).round().astype(np.int32)
    frame.to_parquet(tmp_path / "t.parquet")
    found, _ = open_timings(tmp_path / "t.parquet", time_unit="ms").read()
    np.testing.assert_allclose(found, wanted, atol=5.1e-4)
    with pytest.raises(DatasetError, match=r"t\.parquet, row group 0: timing matrix, row "):
        open_timings(tmp_path / "t.parquet").read()
    samples(12)[COLUMNS].astype(np.float32).to_parquet(tmp_path / "single.parquet")
    found, labels = open_timings(tmp_path / "single.parquet").read()
    np.testing.assert_allclose(found, wanted, atol=1e-7)
    assert labels.shape == (12, 0)


def rewritten(path, change, **options):
    table = change(pd.read_parquet(path))
    parquet.write_table(pa.Table.from_pandas(table, preserve_index=False), path, **options)


def with_cell(column, row, value):
    def change(frame):
        frame[column] = frame[column].astype(object)
        frame.loc[row, column] = value
        frame[column] = pd.array(frame[column].tolist(), dtype="Float64")
        return frame

    return change


READING = {
    "null": (with_cell("H.b", 13, None), "column 'H.b' has 1 nulls, the first in row 3"),
    "negative": (with_cell("H.b", 13, -0.1), "row 3: H.b is"),
    "infinite": (with_cell("H.b", 13, np.inf), "row 3: H.b is"),
    "contradiction": (with_cell("DD.a.b", 12, 3.0), "row 2: DD.a.b is 3"),
}


@pytest.mark.parametrize("fault", READING)
def test_what_is_wrong_in_a_row_group(folder, fault):
    change, message = READING[fault]
    rewritten(folder / "typist-1.parquet", change, row_group_size=10)
    with pytest.raises(DatasetError, match=message) as told:
        open_timings(folder).read()
    assert "typist-1.parquet, row group 1: " in str(told.value)


OPENING = {
    "a type": (lambda f: f.assign(**{"H.b": f["H.b"].astype(str)}), "'H.b' is (large_)?string, th"),
    "missing": (lambda f: f.drop(columns="DD.a.b"), "'DD.a.b' is missing"),
    "one more": (lambda f: f.assign(day=1), "'day' is int64, there missing"),
    "renamed": (lambda f: f.rename(columns={"rep": "Rep"}), "'rep' is missing"),
}


@pytest.mark.parametrize("fault", OPENING)
def test_files_that_differ(folder, fault):
    change, message = OPENING[fault]
    rewritten(folder / "typist-1.parquet", change)
    with pytest.raises(DatasetError, match=message) as told:
        open_timings(folder)
    assert "typist-1.parquet: " in str(told.value)


ALONE = {
    "text": (lambda f: f.assign(**{"H.b": "x"}), "column 'H.b' must hold numbers; got"),
    "no timing": (lambda f: f[["subject"]], "expected timing columns"),
    "missing": (lambda f: f.drop(columns="DD.a.b"), "timing column 'DD.a.b' is missing"),
    "unknown": (lambda f: f.assign(**{"H.x": 0.1, "DD.x.y": 0.1}), "missing|belong"),
    "no sample": (lambda f: f.iloc[:0], "there is no sample"),
}


@pytest.mark.parametrize("fault", ALONE)
def test_what_is_no_table_of_timings(folder, fault):
    change, message = ALONE[fault]
    path = folder / "typist-0.parquet"
    rewritten(path, change)
    with pytest.raises(DatasetError, match=message) as told:
        open_timings(path)
    assert str(path) in str(told.value)


def test_two_columns_of_one_name(tmp_path):
    table = pa.Table.from_arrays([pa.array([0.1]), pa.array([0.1])], names=["H.a", "H.a"])
    parquet.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(DatasetError, match=r"t\.parquet: there are two columns 'H\.a'"):
        open_timings(tmp_path / "t.parquet")


@pytest.mark.parametrize("keep", [0, 3, 11, 0.5, 0.99])
def test_files_that_are_cut_short(folder, keep):
    path = folder / "typist-2.parquet"
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep > 1 else keep * len(content))])
    with pytest.raises(DatasetError, match=r"typist-2\.parquet: it does not end as a Parquet file"):
        open_timings(folder)


def test_damaged_footers_are_told_or_read(folder):
    """Never another kind of error, and never samples that were not there."""
    path, rng = folder / "typist-0.parquet", np.random.default_rng(0)
    content = path.read_bytes()
    begin = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    told = []
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(3):
            damaged[rng.integers(begin, len(content) - 8)] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        try:
            open_timings(path)
        except DatasetError as error:
            told.append(str(error))
    assert len(told) > 30
    assert all("typist-0.parquet" in message for message in told)


def test_what_is_missing_or_was_changed_meanwhile(folder, tmp_path):
    with pytest.raises(DatasetNotFoundError, match="no such file or folder"):
        open_timings(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"holds no file \*\.parquet"):
        open_timings(tmp_path / "empty")
    with pytest.raises(InvalidParameterError, match="time_unit must be"):
        open_timings(folder, time_unit="h")
    with pytest.raises(InvalidParameterError, match="samples_per_partition"):
        open_timings(folder, samples_per_partition=0)
    data = open_timings(folder)
    with pytest.raises(InvalidParameterError, match=r"partition must lie in 0\.\.0; got 1"):
        data.partition(1)
    rewritten(folder / "typist-1.parquet", lambda frame: frame.iloc[:9])
    with pytest.raises(DatasetError, match=r"typist-1\.parquet, row group 0: the file is not the"):
        data.read()
    (folder / "typist-1.parquet").unlink()
    with pytest.raises(DatasetError, match=r"typist-1\.parquet, row group 0: cannot be read"):
        data.read()


def test_many_small_files(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    table = pa.Table.from_pandas(samples(2), preserve_index=False)
    for k in range(300):
        parquet.write_table(table, folder / f"{k:04d}.parquet")
    data = open_timings(folder, samples_per_partition=100)
    assert (data.n_samples, data.n_partitions) == (600, 6)
    assert sum(len(timings) for timings, _ in data) == 600
    (folder / "0150.parquet").write_bytes(b"PAR1")
    with pytest.raises(DatasetError, match=r"0150\.parquet: it does not end"):
        open_timings(folder)


def test_nothing_is_read_before_it_is_asked_for(folder):
    """The data pages may be anything: the footers alone are read."""
    path = folder / "typist-0.parquet"
    content = bytearray(path.read_bytes())
    content[4:400] = bytes(396)
    path.write_bytes(bytes(content))
    data = open_timings(folder)
    assert data.n_samples == 75
    with pytest.raises(DatasetError, match=r"typist-0\.parquet, row group 0: "):
        data.partition(0)


class TestCommandLine:
    @staticmethod
    def run(*arguments):
        command = [sys.executable, "-m", "hawkeys", "features", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_a_folder_to_a_folder(self, folder, tmp_path):
        asked = (folder, "-o", tmp_path / "out", "--method", "mle", "--json")
        found = self.run(*asked)
        assert found.returncode == 0, found.stderr
        told = json.loads(found.stdout)
        assert (told["n_samples"], told["n_features"], told["n_files"]) == (75, 9, 1)
        table = pd.read_parquet(tmp_path / "out" / "part-00000.parquet")
        timings, _ = open_timings(folder).read()
        with hawkeys._threads.limit_threads(1):
            wanted = hawkeys.features.HawkesFeatures(method="mle").fit_transform(timings)
        np.testing.assert_array_equal(table.iloc[:, 2:], wanted)
        other = self.run(folder, "-o", tmp_path / "out", "--method", "map")
        assert other.returncode == 2
        assert "holds results of other work (another 'options')" in other.stderr

    def test_processes_of_a_csv_table(self, tmp_path):
        samples(3).to_csv(tmp_path / "t.csv", index=False)
        found = self.run(tmp_path / "t.csv", "-o", tmp_path / "o.csv", "--jobs", "2")
        assert found.returncode == 2
        assert "--jobs is for Parquet files" in found.stderr
