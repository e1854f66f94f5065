"""``hawkeys fit`` and ``hawkeys features``: output, exit statuses, one-line errors."""

import gzip

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys.cli import main
from hawkeys.datasets import load_demo
from hawkeys.features import HawkesFeatures

FIT = ["fit", "events.csv", "--decay", "2", "--end-time", "50"]
DAYS = ["--start-time", "2024-01-01", "--end-time", "2024-02-01"]
RUNS = ["--realization", "realization", "--mark", "mark"]


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hawkeys._progress.PATIENCE", 3600.0)  # however slow the machine
    truth = hawkeys.Hawkes([0.4, 0.3], [[0.3, 0.1], [0.2, 0.4]], decay=2.0, mark_names="ab")
    sample = hawkeys.simulate(truth, end_time=50.0, n_realizations=3, rng=1)
    sample.to_frame().to_csv("events.csv", index=False)
    demo = load_demo()[:6]
    labels = pd.DataFrame({"subject": demo.subject, "rep": demo.repetition})
    pd.concat((labels, demo.timings()), axis=1).to_csv("timings.csv", index=False)
    return sample


def run(capsys, *arguments):
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_fit_prints_the_summary_and_saves(capsys, workplace):
    status, out, err = run(
        capsys, *FIT, "--mark", "mark", "--realization", "realization", "--output", "fit.json"
    )
    assert (status, err) == (0, "")
    expected = hawkeys.fit(workplace, decay=2.0)
    assert out == expected.summary() + "\n"
    assert hawkeys.load_result("fit.json").log_likelihood == expected.log_likelihood


def test_fit_takes_a_decay_per_mark_and_a_method(capsys, workplace):
    status, out, _ = run(
        capsys, "fit", "events.csv", "--decay", "2,3", "--end-time", "50", "--mark", "mark",
        "--realization", "realization", "--method", "vi",
    )  # fmt: skip
    assert status == 0
    assert out == hawkeys.fit(workplace, decay=[2, 3], method="vi").summary() + "\n"


def test_fit_warns_on_stderr(capsys, tmp_path):
    (tmp_path / "one.csv").write_text("time\n50\n")
    status, out, err = run(capsys, "fit", "one.csv", "--decay", "2", "--end-time", "50")
    assert status == 0
    assert "Hawkes process by mle" in out
    assert err.startswith("hawkeys: warning: 1 parameters are not identified")
    assert err.count("\n") == 1


def test_features_are_those_of_the_transformer(capsys, tmp_path):
    status, out, err = run(capsys, "features", "timings.csv", "-o", "out.csv")
    assert (status, err) == (0, "")
    assert out == "6 samples, 41 features: out.csv\n"
    table = pd.read_csv("out.csv")
    assert list(table)[:3] == ["subject", "rep", "baseline.period"]
    expected = HawkesFeatures().fit_transform(load_demo()[:6].timings())
    np.testing.assert_allclose(table.iloc[:, 2:].to_numpy(), expected, rtol=1e-12)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["events.csv", "out.csv", "timings.csv"]


def test_every_run_may_have_its_own_window(capsys, tmp_path, workplace):
    table = workplace.to_frame().rename(columns={"realization": "run"})
    table["run"] = [f"r{run}" for run in table["run"]]
    table.to_csv(tmp_path / "runs.csv", index=False)
    status, out, err = run(
        capsys, "fit", "runs.csv", "--decay", "2", "--mark", "mark", "--realization", "run",
        "--end-time", "r0=50,r1=60,r2=55,empty=40", "--start-time", "r0=0,r1=-1,r2=0,empty=10",
    )  # fmt: skip
    assert (status, err) == (0, "")
    # in sorted order: the run without events comes first
    lists = [[[], []], *workplace.to_lists()]
    events = hawkeys.Events.from_lists(
        lists, end_times=[40, 50, 60, 55], start_times=[10, 0, -1, 0], mark_names="ab"
    )
    assert out == hawkeys.fit(events, decay=2.0).summary() + "\n"


def test_a_column_that_is_not_read_is_named(capsys, tmp_path):
    (tmp_path / "m.csv").write_text("time,size\n1,0.5\n2,0.75\n3.5,0.25\n4,1\n")
    status, _, err = run(capsys, "fit", "m.csv", "--decay", "2", "--end-time", "50")
    assert status == 0
    assert "hawkeys: warning: the column 'size' of the table is not read.\n" in err


BAD = {
    "pooled": (["fit", "odd.csv", "--end-time", "50"], "the columns 'a', 'b' would not be read"),
    "marks pooled": (
        ["fit", "odd.csv", "--end-time", "50", "--realization", "a"],
        "mark='b' if it holds the marks",
    ),
    "runs pooled": (
        ["fit", "odd.csv", "--end-time", "50", "--mark", "b"],
        "realization='a' if it tells",
    ),
    "two of marks": (
        ["fit", "two.csv", "--end-time", "50"],
        "the columns 'mark', 'type' could all hold the marks. Say which: --mark mark",
    ),
    "no time": (["fit", "none.txt", "--end-time", "50"], "which column holds the times? Name it"),
    "no start of dates": (
        ["fit", "dates.csv", "--end-time", "2024-02-01"],
        "--start-time is missing: when observation began is data and is never guessed. The first "
        "event is at 2024-01-01 00:00:00",
    ),
    "a bound that is no date": (
        ["fit", "dates.csv", "--start-time", "0", "--end-time", "2024-02-01"],
        "--start-time must be one date (year-month-day",
    ),
    "a date that is none": (
        ["fit", "mixed.csv", "--start-time", "2024-01-01", "--end-time", "2024-02-01"],
        "data row 2, column date: expected a date as in the first row, '2024-01-01', got 'soon'",
    ),
    "a picture of no kind": ([*FIT, *RUNS, "--plot", "fit.bmp"], "--plot must name a file that en"),
    "two outputs": ([*FIT, *RUNS, "--json", "-o", "fit.json"], "--json prints the result and --ou"),
    "no such unit": (
        ["fit", "dates.csv", *DAYS, "--unit", "year"],
        "unit must be one of",
    ),
    "windows without runs": (
        [*FIT[:4], "--end-time", "0=50,1=60", "--ignore", "mark,realization"],
        "--end-time must be one time, or with --realization one for each label",
    ),
    "a window too few": (
        [*FIT[:4], "--end-time", "0=50,1=60", *RUNS],
        "no entry for realisation 2",
    ),
    "a window twice": ([*FIT[:4], "--end-time", "0=50,0=60", *RUNS], "--end-time must be one time"),
    "a window of text": ([*FIT[:4], "--end-time", "0=x", *RUNS], "--end-time must be one time"),
    "infinite": ([*FIT[:4], "--end-time", "inf", *RUNS], "end_times is inf"),
    "own input": ([*FIT, *RUNS, "--output", "events.csv"], "the output 'events.csv' is the input"),
    "own input, linked": (
        [*FIT, *RUNS, "--output", "link.csv"],
        "the output 'link.csv' is the inp",
    ),
    "features over timings": (
        ["features", "timings.csv", "-o", "../{here}/timings.csv"],
        "is the input 'timings.csv', which would be lost",
    ),
    "a folder": ([*FIT, *RUNS, "--output", "."], "cannot write to '.': it is a folder"),
    "no file": (["fit", "none.csv", "--decay", "1", "--end-time", "9"], "none.csv: no such file"),
    "no column": ([*FIT, "--time", "t"], "no column 't'"),
    "no mark column": ([*FIT, "--mark", "key"], "no column 'key'"),
    "decay text": (["fit", "events.csv", "--decay", "x", "--end-time", "50"], "--decay must be"),
    "decay sign": (
        ["fit", "events.csv", "--decay=-1", "--end-time", "50"],
        "decay must be positive",
    ),
    "unsorted": ([*FIT, "--ignore", "mark,realization"], "times must not decrease"),
    "window": (
        ["fit", "events.csv", "--decay", "2", "--end-time", "1", *RUNS],
        "outside the window",
    ),
    "no end": (
        ["fit", "events.csv", "--decay", "2"],
        "--end-time is missing: when observation ended",
    ),
    "text": (["fit", "text.csv", "--decay", "2", "--end-time", "5"], "expected a finite number"),
    "truncated": (["fit", "cut.csv.gz", "--decay", "2", "--end-time", "5"], "truncated or damaged"),
    "no folder": (
        [*FIT, *RUNS, "--output", "no/fit.json"],
        "cannot write",
    ),
    "no sample": (
        ["features", "head.csv", "-o", "o.csv"],
        "head.csv: there is no sample, only a",
    ),
    "no timings": (["features", "events.csv", "-o", "o.csv"], "expected timing columns"),
    "one timing": (["features", "part.csv", "-o", "o.csv"], "part.csv: "),
    "decay of the paper": (
        ["features", "timings.csv", "-o", "o.csv", "--paper", "--decay", "2"],
        "--paper fixes decay and method; got --decay, too",
    ),
    "no output": (["features", "timings.csv"], "Missing option '-o'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_status_two(capsys, tmp_path, case):
    arguments, message = BAD[case]
    (tmp_path / "text.csv").write_text("time\n1.0\nsoon\n")
    (tmp_path / "odd.csv").write_text("time,a,b\n1,x,u\n2,x,v\n3,y,u\n")
    (tmp_path / "two.csv").write_text("time,mark,type\n1,x,u\n2,x,v\n")
    (tmp_path / "none.txt").write_text("a,b\n1,x\n2,x\n")
    (tmp_path / "dates.csv").write_text("date\n2024-01-01\n2024-01-05\n2024-01-06\n")
    (tmp_path / "mixed.csv").write_text("date\n2024-01-01\nsoon\n")
    packed = gzip.compress((tmp_path / "events.csv").read_bytes())
    (tmp_path / "cut.csv.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "head.csv").write_text("H.a,DD.a.b,UD.a.b,H.b\n")
    (tmp_path / "part.csv").write_text("H.a,DD.a.b\n0.1,0.2\n")
    (tmp_path / "link.csv").symlink_to("events.csv")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    status, out, err = run(capsys, *(word.format(here=tmp_path.name) for word in arguments))
    assert (status, out) == (2, "")
    assert err.startswith("hawkeys: error: ")
    assert err.count("\n") == 1
    assert message in err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_fit_reads_nanoseconds_exactly(capsys):
    """Integers beyond 2**53 in the table and in the options lose no digit."""
    start = 1_700_000_000_123_456_789
    lags = np.cumsum(np.random.default_rng(0).integers(1, 400, 500))
    end = int(lags[-1]) + 9
    pd.DataFrame({"time": start + lags}).to_csv("ns.csv", index=False)
    window = ["--start-time", str(start), "--end-time", str(start + end)]
    status, out, err = run(capsys, "fit", "ns.csv", "--decay", "0.005", *window)
    assert (status, err) == (0, "")
    expected = hawkeys.fit([lags], decay=0.005, end_time=end)
    assert f"Log-likelihood:    {expected.log_likelihood:.6f}" in out
    status, out, err = run(capsys, "fit", "ns.csv", "--decay", "0.005", *window[2:])
    assert status == 2
    assert "the integer times are so far from the start of the window, 0, that doubles lie" in err


def test_fit_questions_a_window_from_1970(capsys):
    pd.DataFrame({"time": 1.7e9 + np.arange(20.0) ** 1.5}).to_csv("unix.csv", index=False)
    window = ["--end-time", "1700000100"]
    status, _, err = run(capsys, "fit", "unix.csv", "--decay", "1", *window)
    assert status == 0
    assert "hawkeys: warning: the window from 0 to 1700000100 has no event before" in err
    status, _, err = run(
        capsys, "fit", "unix.csv", "--decay", "1", *window, "--start-time", "1.7e9"
    )
    assert (status, err) == (0, "")


def test_fit_takes_a_folder_of_events(capsys, workplace):
    pytest.importorskip("pyarrow", reason="events on disk take pyarrow (extra [parquet])")
    hawkeys.write_events(workplace, "folder", events_per_partition=60)
    data = hawkeys.open_events("folder")
    assert data.n_partitions > 1
    status, out, err = run(capsys, "fit", "folder", "--output", "fit.json")
    assert (status, err) == (0, "hawkeys: the decay was estimated (--decay gives one)\n")
    expected = hawkeys.fit(workplace, decay="estimate")
    assert hawkeys.load_result("fit.json").decay_profile.chosen == pytest.approx(
        expected.decay_profile.chosen, rel=1e-6
    )
    assert out.splitlines()[:3] == expected.summary().splitlines()[:3]
    status, out, _ = run(capsys, "fit", "folder", "--decay", "2", "--method", "map")
    assert (status, out) == (0, hawkeys.fit(data, decay=2.0, method="map").summary() + "\n")


@pytest.mark.parametrize(
    "extra",
    [["--end-time", "50"], ["--start-time", "0"], ["--time", "t"], ["--mark", "m"], ["--sort"],
     ["--realization", "r"], ["--ignore", "x"], ["--unit", "s"], ["--test"]],
    ids=lambda extra: extra[0],
)  # fmt: skip
def test_a_folder_needs_no_columns_and_windows(capsys, workplace, extra):
    pytest.importorskip("pyarrow", reason="events on disk take pyarrow (extra [parquet])")
    hawkeys.write_events(workplace, "folder")
    status, _, err = run(capsys, "fit", "folder", *extra)
    assert status == 2
    assert f"got {extra[0]}. Leave that out" in err
    status, _, err = run(capsys, "fit", ".")
    assert status == 2
    assert "holds no windows.parquet" in err
