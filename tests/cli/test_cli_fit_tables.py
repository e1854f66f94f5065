"""``hawkeys fit`` on tables as people have them: dates, runs, marks by name, Parquet, stdin."""

import io
import json

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys.cli import main

TRUTH = hawkeys.Hawkes([0.4, 0.3], [[0.3, 0.1], [0.2, 0.4]], decay=2.0, mark_names="ab")
START = pd.Timestamp("2024-03-01")


@pytest.fixture(autouse=True)
def sample(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hawkeys._progress.PATIENCE", 3600.0)
    return hawkeys.simulate(TRUTH, end_time=60.0, n_realizations=3, rng=1)


def dated(sample, zone=""):
    """Return a table of visits: a date to the microsecond, a mark, and a run."""
    frame = sample.to_frame()
    dates = START + pd.to_timedelta((frame["time"] * 86_400e6).round().astype("int64"), unit="us")
    return pd.DataFrame(
        {
            "run": [f"r{run}" for run in frame["realization"]],
            "timestamp": dates.dt.strftime("%Y-%m-%dT%H:%M:%S.%f") + zone,
            "type": frame["mark"],
        }
    )


def run(capsys, *arguments):
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


WINDOW = ["--start-time", "2024-03-01", "--end-time", "2024-04-30"]


@pytest.mark.parametrize("zone", ["", "Z", "+02:00"])
def test_dates_runs_and_marks(capsys, sample, zone):
    """The same fit as of the numbers of days, found by the names of the columns."""
    dated(sample, zone).to_csv("visits.csv", index=False)
    window = [word + "T00:00:00" + zone if zone and word[0] == "2" else word
              for word in WINDOW]  # fmt: skip
    status, out, err = run(capsys, "fit", "visits.csv", *window, "--unit", "day", "-o", "f.json")
    assert status == 0
    assert "columns picked: time from 'timestamp' (--time), mark from 'type' (--mark)" in err
    assert "realization from 'run' (--realization)" in err
    assert "the decay was estimated" in err
    expected = hawkeys.fit(sample, decay="estimate")
    found = hawkeys.load_result("f.json")
    np.testing.assert_allclose(found.estimates, expected.estimates, atol=1e-6)
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-4)
    assert found.process.mark_names == ("a", "b")
    assert found.n_realizations == 3
    assert found.unit == "day"
    assert "Hawkes process by mle" in out


def test_the_unit_is_chosen_and_said(capsys, sample):
    dated(sample).to_csv("visits.csv", index=False)
    status, _, err = run(capsys, "fit", "visits.csv", *WINDOW)
    assert status == 0
    assert "hawkeys: the times are dates, counted in h (--unit)\n" in err


def test_quiet_says_nothing(capsys, sample):
    dated(sample).to_csv("visits.csv", index=False)
    status, _, err = run(capsys, "fit", "visits.csv", *WINDOW, "-q")
    assert (status, err) == (0, "")


def test_parquet_with_nanoseconds_is_the_csv(capsys, sample):
    frame = dated(sample)
    frame.to_csv("visits.csv", index=False)
    frame["timestamp"] = pd.to_datetime(frame["timestamp"]).astype("datetime64[ns]")
    frame.to_parquet("visits.parquet")
    texts = [run(capsys, "fit", name, *WINDOW)[1] for name in ("visits.csv", "visits.parquet")]
    assert texts[0] == texts[1] != ""


def test_stdin_and_json_on_stdout(capsys, sample, monkeypatch):
    table = sample.to_frame().to_csv(index=False).encode()

    class Stdin:
        buffer = io.BytesIO(table)

    monkeypatch.setattr("sys.stdin", Stdin)
    status, out, err = run(capsys, "fit", "-", "--decay", "2", "--end-time", "60", "--json")
    assert status == 0
    assert "columns picked" in err
    record = json.loads(out)
    expected = hawkeys.fit(sample, decay=2.0)
    assert record["log_likelihood"] == pytest.approx(expected.log_likelihood)
    assert record["schema"].startswith("hawkeys-fit/")


def test_output_to_stdout_is_a_result_file(capsys, sample, tmp_path):
    sample.to_frame().to_csv("e.csv", index=False)
    _, out, _ = run(capsys, "fit", "e.csv", "--decay", "2", "--end-time", "60", "-o", "-", "-q")
    (tmp_path / "copy.json").write_text(out)
    assert hawkeys.load_result("copy.json").converged


def test_the_window_may_end_with_the_last_event_if_asked(capsys, sample):
    sample.to_frame().to_csv("e.csv", index=False)
    status, out, err = run(capsys, "fit", "e.csv", "--decay", "2", "--end-time", "last", "-q")
    assert status == 0
    assert err.startswith("hawkeys: warning: --end-time last: observation is taken to have ended")
    ends = [sample[k].times[-1] for k in range(3)]
    lists = [[list(part) for part in one] for one in sample.to_lists()]
    events = hawkeys.Events.from_lists(lists, end_times=ends, mark_names="ab")
    assert out == hawkeys.fit(events, decay=2.0).summary() + "\n"


@pytest.mark.parametrize(
    ("ending", "begins"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89P")]
)
def test_a_picture_and_a_test(capsys, sample, tmp_path, ending, begins):
    sample.to_frame().to_csv("e.csv", index=False)
    how = ["--decay", "2", "--end-time", "60", "-q", "--plot", f"fit.{ending}"]
    test = ["--test"] if ending == "svg" else []
    status, out, _ = run(capsys, "fit", "e.csv", *how, *test)
    assert status == 0
    assert (tmp_path / f"fit.{ending}").read_bytes().startswith(begins)
    fitted = hawkeys.fit(sample, decay=2.0)
    if test:
        tested = hawkeys.goodness_of_fit(fitted, sample, n_mc_samples=199, rng=0)
        assert out == f"{fitted.summary()}\n\n{tested.summary()}\n"


def test_methods_in_any_case_and_unsorted_rows(capsys, sample):
    frame = sample.to_frame().sample(frac=1.0, random_state=0)
    frame.to_csv("e.csv", index=False)
    how = ["--decay", "2", "--end-time", "60", "-q"]
    status, _, err = run(capsys, "fit", "e.csv", *how)
    assert status == 2
    assert "times must not decrease" in err
    status, out, _ = run(capsys, "fit", "e.csv", *how, "--sort", "--method", "VI")
    assert status == 0
    assert out == hawkeys.fit(sample, decay=2.0, method="vi").summary() + "\n"


def test_a_broken_row_is_to_be_corrected_for_there_is_no_option_that_drops_it(capsys, tmp_path):
    (tmp_path / "broken.csv").write_text("time,mark\n1,a\n2,b,c\n")
    status, _, err = run(capsys, "fit", "broken.csv", "--end-time", "5", "--decay", "1")
    assert status != 0
    assert "broken.csv: line 3: expected 2 cells, as in the header, got 3" in err
    assert "on-error" not in err
    assert "on_error" not in err
    assert err.rstrip().endswith("correct or remove the row.")


@pytest.mark.parametrize("ending", [["--time", "0.5"], []])
@pytest.mark.parametrize("source", ["stdin", "file"])
def test_a_first_line_that_is_an_event_is_no_header(capsys, monkeypatch, ending, source):
    text = "0.5\n1.5\n2.5\n3.0\n4.1\n"
    with open("bare.csv", "w", encoding="utf-8") as file:
        file.write(text)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    path = "-" if source == "stdin" else "bare.csv"
    status, out, err = run(
        capsys, "fit", path, "--end-time", "5", "--decay", "1", *ending, "--json"
    )
    if ending:
        assert status == 0
        assert json.loads(out)["event_counts"] == [4]
    else:
        assert (status, out) == (2, "")
        assert "the first line, '0.5', is a time" in err
        assert "first line with a name, such as time, above it" in err


def test_a_first_line_that_is_a_date_is_no_header(capsys):
    with open("bare.csv", "w", encoding="utf-8") as file:
        file.write("2024-03-01T01:00\n2024-03-01T02:00\n2024-03-01T05:00\n")
    status, out, err = run(capsys, "fit", "bare.csv", *WINDOW)
    assert (status, out) == (2, "")
    assert "the first line, '2024-03-01T01:00', is a time" in err


@pytest.mark.parametrize("quiet", [[], ["-q"]])
def test_a_decay_of_dates_needs_a_unit(capsys, sample, quiet):
    dated(sample).to_csv("visits.csv", index=False)
    status, out, err = run(capsys, "fit", "visits.csv", *WINDOW, "--decay", "2", *quiet)
    assert (status, out) == (2, "")
    assert "--unit is missing: the times are dates, and --decay is per unit of time" in err
    in_days = ["--decay", "2", "--unit", "day", "--json"]
    status, out, _ = run(capsys, "fit", "visits.csv", *WINDOW, *in_days)
    assert status == 0
    expected = hawkeys.fit(sample, decay=2.0).log_likelihood
    assert json.loads(out)["log_likelihood"] == pytest.approx(expected, abs=1e-4)


def test_bounds_without_the_zone_of_the_times_are_refused(capsys, sample):
    dated(sample, "+02:00").to_csv("visits.csv", index=False)
    status, out, err = run(capsys, "fit", "visits.csv", *WINDOW, "--unit", "day")
    assert (status, out) == (2, "")
    assert "--start-time 2024-03-01T00:00:00 has no time zone and the times have one, as" in err
    assert "Write --start-time 2024-03-01T00:00:00+02:00, or the zone that is meant." in err
    dated(sample).to_csv("visits.csv", index=False)
    zoned = [word + "T00:00Z" if word[0] == "2" else word for word in WINDOW]
    status, out, err = run(capsys, "fit", "visits.csv", *zoned, "--unit", "day")
    assert (status, out) == (2, "")
    assert "--start-time 2024-03-01T00:00:00+00:00 has a time zone and the times have none" in err
    assert "Write --start-time 2024-03-01T00:00:00." in err


def test_parquet_with_a_zone_asks_for_it_in_bounds(capsys):
    pytest.importorskip("pyarrow")
    hours = pd.date_range("2024-03-01", periods=30, freq="7h", tz="Europe/Berlin")
    pd.DataFrame({"time": hours}).to_parquet("berlin.parquet")
    how = ["--unit", "h", "--decay", "1", "--json"]
    bounds = ["--start-time", "2024-03-01", "--end-time", "2024-03-12"]
    status, out, err = run(capsys, "fit", "berlin.parquet", *bounds, *how)
    assert (status, out) == (2, "")
    assert "Write --start-time 2024-03-01T00:00:00+01:00" in err
    zoned = [word + "T00:00+01:00" if word[0] == "2" else word for word in bounds]
    status, out, err = run(capsys, "fit", "berlin.parquet", *zoned, *how)
    assert status == 0
    assert json.loads(out)["total_time"] == 11 * 24.0


def test_a_date_beside_times_that_are_numbers_is_refused(capsys):
    pd.DataFrame({"time": [1.0, 2.0, 4.0]}).to_csv("numbers.csv", index=False)
    for text in ("2024-03-01", "01.03.2024", "a=2024-03-01"):
        status, out, err = run(
            capsys, "fit", "numbers.csv", "--start-time", text, "--end-time", "9"
        )
        assert (status, out) == (2, "")
        assert f"--start-time {text} is a date, but the column 'time' holds numbers" in err
