"""``hawkeys fit`` with the models of fields: magnitudes, power laws, coarse clocks."""

import warnings

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys.cli import main
from hawkeys.exceptions import DatasetError, IdentifiabilityWarning
from hawkeys.kernels import Gamma, PowerLaw
from hawkeys.productivity import Exponential, ExponentialValues


@pytest.fixture(autouse=True)
def _place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hawkeys._progress.PATIENCE", 3600.0)


@pytest.fixture
def quakes():
    law = Exponential(a=0.8, v0=0.0, law=ExponentialValues(0.4))
    truth = hawkeys.Hawkes([0.3], [[0.3]], decay=1.5, productivity=law)
    events = hawkeys.simulate(truth, end_time=1000.0, rng=2)
    table = {"time": events.times, "magnitude": events.values, "depth": 1.0}
    pd.DataFrame(table).to_csv("quakes.csv", index=False)
    return events


def run(capsys, *arguments):
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


BASE = ("fit", "quakes.csv", "--end-time", "1000", "--ignore", "depth")


def test_values_and_a_productivity(capsys, quakes):
    status, out, err = run(capsys, *BASE, "--values", "magnitude", "-o", "f.json")
    assert status == 0
    expected = hawkeys.fit(quakes, decay="estimate", productivity="exponential")
    found = hawkeys.load_result("f.json")
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-6)
    assert found.process.productivity.a == pytest.approx(expected.process.productivity.a, rel=1e-5)
    assert "the decay was estimated" in err
    assert "Productive" in out or "productivity" in out.lower()
    status, _, _ = run(
        capsys, *BASE, "--values", "magnitude", "--productivity", "power", "--decay", "1.5",
        "-o", "p.json",
    )  # fmt: skip
    assert status == 0
    expected = hawkeys.fit(quakes, decay=1.5, productivity="power")
    assert hawkeys.load_result("p.json").log_likelihood == pytest.approx(
        expected.log_likelihood, abs=1e-6
    )


@pytest.mark.parametrize(("name", "kernel"), [("power-law", PowerLaw()), ("gamma", Gamma())])
def test_kernels(capsys, quakes, name, kernel):
    status, _, err = run(
        capsys, *BASE, "--ignore", "depth,magnitude", "--kernel", name, "-o", "f.json"
    )
    assert status == 0
    assert "the decay was estimated" not in err
    with warnings.catch_warnings():  # of data that are exponential
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        expected = hawkeys.fit(quakes, kernel=kernel)
    found = hawkeys.load_result("f.json")
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-6)
    assert type(found.kernel) is type(kernel)


@pytest.mark.parametrize("rounding", ["floor", "nearest"])
def test_a_coarse_clock(capsys, quakes, rounding):
    tick = 0.25
    coarse = tick * (np.floor if rounding == "floor" else np.round)(quakes.times / tick)
    pd.DataFrame({"time": coarse}).to_csv("coarse.csv", index=False)
    asked = ["--resolution", "0.25"] + (["--rounding", rounding] if rounding == "nearest" else [])
    status, _, _ = run(capsys, "fit", "coarse.csv", "--end-time", "1000", *asked, "-o", "f.json")
    assert status == 0
    events = hawkeys.Events.from_data(coarse, end_time=1000.0)
    expected = hawkeys.fit(events, decay="estimate", resolution=tick, rounding=rounding)
    found = hawkeys.load_result("f.json")
    np.testing.assert_allclose(found.estimates, expected.estimates, rtol=1e-9)


def test_the_values_of_a_table_that_is_read(quakes):
    read = hawkeys.datasets.read_events(
        "quakes.csv", end_times=1000.0, mark=None, values="magnitude", ignore=["depth"]
    )
    np.testing.assert_array_equal(read.values, quakes.values)
    pd.DataFrame({"time": [2.0, 1.0], "m": [5.0, 4.0]}).to_csv("late.csv", index=False)
    read = hawkeys.datasets.read_events("late.csv", end_times=3.0, mark=None, values="m", sort=True)
    assert read.values.tolist() == [4.0, 5.0]
    pd.DataFrame({"time": [1.0, 2.0], "m": ["5.0", ""]}).to_csv("empty.csv", index=False)
    with pytest.raises(DatasetError, match="data row 2, column m: expected a finite number"):
        hawkeys.datasets.read_events("empty.csv", end_times=3.0, mark=None, values="m")
    with pytest.raises(DatasetError, match="columns of their own"):
        hawkeys.datasets.read_events("late.csv", end_times=3.0, mark=None, values="time")
    with pytest.raises(DatasetError, match="size"):
        hawkeys.datasets.read_events("late.csv", end_times=3.0, mark=None, values="size")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["--productivity", "power"], "--productivity needs the column of the values"),
        (["--rounding", "floor"], "--rounding needs the tick of the clock"),
        (["--resolution", "often"], "--resolution must be a number"),
        (["--resolution", "-1"], "resolution"),
        (["--resolution", "0.1", "--test"], "--test needs exact times"),
        (["--kernel", "gamma", "--decay", "2"], "--decay is that of the exponential kernel"),
        (["--values", "size"], "size"),
        (["--kernel", "gamma", "--values", "magnitude"], "a productivity goes with the kernels"),
    ],
)
def test_what_does_not_go_together(capsys, quakes, asked, message):
    status, out, err = run(capsys, *BASE, *asked)
    assert status == 2
    assert out == ""
    assert message in err


def test_a_folder_was_written_with_its_values(capsys, quakes):
    hawkeys.write_events(quakes, "folder")
    status, _, err = run(capsys, "fit", "folder", "--values", "magnitude")
    assert status == 2
    assert "got --values" in err
