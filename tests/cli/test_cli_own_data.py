"""``hawkeys benchmark DATA``: tables, logs and folders of one's own."""

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hawkeys.cli import main
from hawkeys.cli.logs import Log
from hawkeys.cli.typists.own_data import read_own
from hawkeys.datasets import load_demo
from hawkeys.evaluation import Protocol, evaluate, label_impostors, make_verifiers
from hawkeys.exceptions import DatasetError, DatasetNotFoundError

QUICK = ["--verifiers", "manhattan", "--jobs", "1"]
DEMO = load_demo(n_subjects=4)


def run(capsys, *arguments):
    status = main(["benchmark", *arguments])
    captured = capsys.readouterr()
    return status, " ".join(captured.out.split()), captured.err


def table(sizes=(40, 40, 30, 3)):
    """The first samples of each typist of the demo, ten a session."""
    parts = []
    for name, size in zip(DEMO.subjects, sizes, strict=True):
        frame = DEMO.timings()[DEMO.subject == name][:size].round(4)
        frame = frame.assign(**{"DD.period.t": frame["H.period"] + frame["UD.period.t"]})
        frame.insert(0, "session", np.arange(size) // 10 + 1)
        frame.insert(0, "subject", name)
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def write_log(path, text, n_attempts, seed):
    """A csv of key events, `n_attempts` of a text ended by Return."""
    rng, time, rows = np.random.default_rng(seed), 0.0, []
    for _ in range(n_attempts):
        for key in [*text, "Return"]:
            time += rng.uniform(0.1 + 0.01 * seed, 0.3)
            rows += [(key, "down", time), (key, "up", time + rng.uniform(0.03, 0.08))]
        time += 2.0
    frame = pd.DataFrame(rows, columns=["key", "type", "time"]).sort_values("time")
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False)


@pytest.fixture(autouse=True)
def _workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HAWKEYS_DATA", raising=False)
    monkeypatch.setenv("COLUMNS", "80")


def test_a_table(capsys):
    table().to_csv("own.csv", index=False)
    status, out, err = run(capsys, "own.csv", *QUICK, "--no-report", "--train", "first 2 sessions")
    assert (status, err) == (0, "")
    assert "each of 3 subjects is the genuine typist: the samples of the first 2 sessions" in out
    assert "all samples that follow (10 to 20) are the genuine tests" in out
    assert "the first 5 repetitions of each of the other 3 subjects (13 samples)" in out
    assert "Left out as genuine typists, but impostors of the others: demo04 (no test" in out
    assert "With 10 genuine tests a subject, of 1 of 3 subjects, none can be rejected" in out


def test_it_is_the_protocol_of_python(capsys):
    table().to_csv("own.csv", index=False)
    typed = read_own(Path("own.csv"), Log())
    rules = Protocol("own", n_train=15, n_genuine=10, short="leave out")
    result = evaluate(make_verifiers(["manhattan"]), typed, protocol=rules)
    _, out, _ = run(capsys, "own.csv", *QUICK, "--no-report", "--train", "15", "--test", "10")
    eer = result.summary().loc["manhattan", "eer"]
    assert f"{eer:.3f}".lstrip("0") in out


@pytest.mark.usefixtures("no_pictures")
def test_the_report_and_the_command_that_repeats_it(capsys, tmp_path):
    table().to_csv("own.csv", index=False)
    first = run(capsys, "own.csv", *QUICK, "--train", "0.4", "--test", "30 %", "--output", "one")
    assert first[0] == 0
    record = json.loads((tmp_path / "one" / "evaluation.json").read_text())
    assert record["data"]["source"] == "own.csv"
    assert record["protocol"]["n_train"] == "0.4"
    words = shlex.split(record["command"])
    assert words[:3] == ["hawkeys", "benchmark", "own.csv"]
    assert run(capsys, *words[2:])[1] == first[1]


def test_labelled_impostors(capsys):
    frame = table((40, 40, 0, 0))
    frame["typed_by"] = np.where(frame.index % 8 == 7, "eve", frame["subject"])
    frame.to_csv("own.csv", index=False)
    more = ("--impostor-column", "typed_by")
    status, out, _ = run(capsys, "own.csv", *QUICK, "--no-report", *more)
    assert status == 0
    assert (
        "Impostors: the samples that are labelled as an impostor's at the subject's text (5" in out
    )
    assert "(17 to 18), train" in out or "(17), train" in out
    plain = frame.rename(columns={"typed_by": "Impostor"})
    plain["Impostor"] = (plain["Impostor"] == "eve").astype(int)
    plain.to_csv("own.csv", index=False)
    assert run(capsys, "own.csv", *QUICK, "--no-report")[1] == out
    assert (
        "of each of the other 1 subjects"
        in (run(capsys, "own.csv", *QUICK, "--no-report", "--impostors", "both")[1])
    )


def test_a_single_typist(capsys, tmp_path):
    table((40, 0, 0, 0)).drop(columns=["subject", "session"]).to_csv("ann.csv", index=False)
    status, out, err = run(capsys, "ann.csv", *QUICK, "--output", "one")
    assert (status, err) == (0, "")
    assert "ann is the genuine typist" in out
    assert "Without impostors nothing is said about how many of theirs are accepted" in out
    # of one session none can be held out
    rates = pd.read_csv(tmp_path / "one" / "false_alarms.csv")
    assert rates["policy"].tolist() == ["own", "resubstitution", "leave-one-out"]
    assert rates["n_genuine"].tolist() == [20] * 3
    status, _, err = run(capsys, "ann.csv", *QUICK, "--impostors", "others")
    assert (status, "needs at least 2 subjects" in err) == (2, True)


def test_a_folder_of_logs(capsys):
    for seed, name in enumerate(("ann", "bob")):
        write_log(Path("logs") / f"{name}.csv", "hey", 16, seed)
    for day in ("1", "2"):
        write_log(Path("logs") / "cem" / f"{day}.csv", "hey", 8, 3 + int(day))
    typed = read_own(Path("logs"), Log(text="hey<Return>", end_key="Return"))
    assert typed.subjects == ("ann", "bob", "cem")
    assert typed.keys == ("h", "e", "y", "Return")
    assert [np.unique(typed.session[typed.subject == who]).tolist() for who in typed.subjects] == [
        [1], [1], [1, 2]]  # fmt: skip
    how = ("--text", "hey<Return>", "--end-key", "Return", "--no-report")
    status, out, err = run(capsys, "logs", *how, *QUICK)
    assert status == 0
    # said once, in a line of its own, not by Python
    assert err.startswith("hawkeys: warning: 8 training samples are few for Manhattan of 10 feat")
    assert err.count("\n") == 1
    assert "In turn, each of 3 subjects is the genuine typist" in out


def test_copies_are_told(capsys):
    frame = table()
    columns = frame.columns[2:]
    frame.loc[50, columns] = frame.loc[0, columns]
    frame.loc[9, columns] = frame.loc[0, columns]
    frame.to_csv("own.csv", index=False)
    out = run(capsys, "own.csv", *QUICK, "--no-report")[1].replace("│ │ ", "")
    assert (
        "1 of 113 samples equal an earlier one of another typist in every interval and 1 of" in out
    )


def test_what_is_refused(capsys, tmp_path):
    with pytest.raises(DatasetNotFoundError, match="nowhere: no such file or folder"):
        read_own(Path("nowhere"), Log())
    Path("empty").mkdir()
    with pytest.raises(DatasetNotFoundError, match="the folder holds no file"):
        read_own(Path("empty"), Log())
    write_log(Path("logs/ann.csv"), "hey", 5, 0)
    with pytest.raises(DatasetError, match="Say what was typed with --text"):
        read_own(Path("logs"), Log())
    Path("mixed").mkdir()
    table().to_csv("mixed/a.csv", index=False)
    table().rename(columns=lambda name: name.replace("five", "6")).to_csv(
        "mixed/b.csv", index=False
    )
    with pytest.raises(DatasetError, match=r"b\.csv: has 31 timings .* give files of one text"):
        read_own(Path("mixed"), Log())
    presses = pd.DataFrame(
        {"key": [*"heyheyhey"], "press": np.arange(9) // 3 * 9 + np.arange(9) / 5}
    )
    presses.to_csv("presses.csv", index=False)
    with pytest.raises(DatasetError, match="the log has no releases, so there are no holds"):
        read_own(Path("presses.csv"), Log(text="hey", end_key="y"))
    table().to_csv("own.csv", index=False)
    with pytest.raises(DatasetError, match="--impostor-column who: the table has no such column"):
        read_own(Path("own.csv"), Log(), "who")
    for arguments, words in (
        (["own.csv", "--dataset", "demo"], "DATA (own.csv) is for --task fixed-text, without"),
        (["--impostor-column", "x"], "--impostor-column is for DATA of your own"),
        (["own.csv", "--train", "half"], "n_train must be a whole number (200), a share"),
        (["own.csv", "--text", "hey"], "own.csv"),
    ):
        status, _, err = run(capsys, *arguments, *QUICK, "--no-report")
        assert status == 2
        assert words in " ".join(err.split())


def test_a_set_without_sessions_has_a_protocol_of_its_own(capsys, tmp_path, monkeypatch):
    rng, rows = np.random.default_rng(0), []
    for who, size in (("s01", 230), ("s02", 220), ("s03", 150)):
        hold, step = rng.integers(60, 120, (size, 8)), rng.integers(150, 400, (size, 7))
        table = np.zeros((size, 22), dtype=int)
        table[:, 0::3], table[:, 1::3], table[:, 2::3] = hold, step, step - hold[:, :-1]
        rows.append(pd.DataFrame(table).assign(subject=who))
    frame = pd.concat(rows)
    names = [f"{kind}.{k}" + ("" if kind == "H" else f"_{k + 1}")
             for k in range(1, 9) for kind in ("H", "DD", "UD")][:22]  # fmt: skip
    frame.columns = [*names, "subject"]
    (tmp_path / "data" / "bksd").mkdir(parents=True)
    frame.to_csv(tmp_path / "data" / "bksd" / "password_english.csv", index=False)
    monkeypatch.setenv("HAWKEYS_DATA", str(tmp_path / "data"))
    status, out, err = run(capsys, "--dataset", "bksd-password", *QUICK, "--no-report")
    assert (status, err) == (0, "")
    assert "600 of 600 rows are used" in out
    assert "Protocol first-200. In turn, each of 2 subjects is the genuine typist" in out
    assert "repetitions 1-200, in the order they were typed, train the verifier; all" in out
    assert "follow (20 to 30) are the genuine tests" in out
    assert "impostors of the others: s03 (150 repetitions)" in out


def test_a_single_typist_against_others(capsys, tmp_path):
    """The demo's typists, or those of a file, type the same text; others are refused."""
    own, others = table((40, 0, 0, 0)), table((0, 40, 40, 0))
    own.assign(subject="ann").to_csv("ann.csv", index=False)
    others.to_csv("others.csv", index=False)
    how = (*QUICK, "--impostors-from", "others.csv", "--output", "out")
    status, out, err = run(capsys, "ann.csv", *how)
    assert (status, "warning" in err) == (0, False)
    assert "impostors: the first five samples of 2 typists of others.csv" in out
    assert "labelled as an impostor's at the subject's text (10 samples)" in out
    found = pd.read_csv(tmp_path / "out" / "per_subject.csv")
    assert found[["subject", "n_genuine", "n_impostor"]].to_numpy().tolist() == [["ann", 20, 10]]
    both = read_own(Path("ann.csv"), Log())
    expected = evaluate(
        make_verifiers(["manhattan"]),
        label_impostors(both, read_own(Path("others.csv"), Log())),
        protocol=Protocol("own", 0.5, "rest", impostors="labelled", short="leave out"),
        n_bootstrap=10,
    )
    assert found["eer"].tolist() == [expected.outcomes[0].eer]
    # the command in the report repeats it
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "--impostors-from others.csv" in page
    status, out, _ = run(capsys, "ann.csv", *QUICK, "--impostors-from", "demo", "--no-report")
    assert (status, "first five samples of 20 typists of demo" in out) == (0, True)
    status, out, err = run(capsys, "ann.csv", *QUICK, "--impostors-from", "ann.csv")
    assert (status, "1 of the others are in the data, too ('ann')" in err) == (2, True)
    others.assign(subject="ann").to_csv("ann.csv", index=False)
    status, _, err = run(capsys, "ann.csv", *how, "--impostors", "none")
    assert (status, "--impostors-from labels impostors, and --impostors none leaves" in err) == (
        2,
        True,
    )


@pytest.mark.usefixtures("no_pictures")
def test_a_background_of_the_data_or_of_a_file(capsys, tmp_path):
    demo = load_demo(n_subjects=7)
    frame = demo.timings().assign(subject=demo.subject)[demo.repetition <= 40]
    frame.to_csv("all.csv", index=False)
    how = ("--verifiers", "background-ratio,manhattan", "--jobs", "1", "--train", "5")
    status, out, err = run(capsys, "all.csv", *how, "--background", "4", "--output", "a")
    assert (status, "background of 4 typists: with fewer than 5" in err) == (0, True)
    assert "of 4 other typists, who are neither genuine nor impostors" in out
    known = [*sorted(demo.subjects)[0::2]]
    frame[frame["subject"].isin(known)].to_csv("known.csv", index=False)
    frame[~frame["subject"].isin(known)].to_csv("tested.csv", index=False)
    status, _, _ = run(capsys, "tested.csv", *how, "--background", "known.csv", "--output", "b")
    assert status == 0
    one, two = (pd.read_csv(tmp_path / name / "per_subject.csv") for name in "ab")
    pd.testing.assert_frame_equal(one, two)
    assert sorted(set(one["subject"])) == [name for name in demo.subjects if name not in known]
    status, _, err = run(capsys, "all.csv", *how, "--background", "known.csv", "--no-report")
    assert (status, "4 of the others are in the data, too" in err) == (2, True)
    status, _, err = run(capsys, "all.csv", *how, "--background", "7", "--no-report")
    assert (status, "--background 7 of 7 typists leaves 0 to be tested" in err) == (2, True)
    status, _, err = run(capsys, "all.csv", *QUICK, "--background", "3", "--no-report")
    assert (status, "none of the verifiers (manhattan) learns from a background" in err) == (
        2,
        True,
    )
