"""``hawkeys enrol`` and ``hawkeys verify`` from end to end, on the demo typists."""

import json
import os
import stat
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from hawkeys.cli import main
from hawkeys.datasets import load_demo
from hawkeys.exceptions import EnrolmentWarning
from hawkeys.verifiers import (
    POHMM,
    THRESHOLD_POLICIES,
    RecencyNearestNeighbors,
    ScaledManhattan,
    enrol,
    load_template,
    verify_many,
)

DEMO = load_demo(n_subjects=3)
TABLE = DEMO.timings()
TABLE.insert(0, "subject", DEMO.subject)
TABLE.insert(1, "session", DEMO.session)
FIRST = DEMO.subject == "demo01"
TRAIN, LATER, OTHERS = TABLE[FIRST][:100], TABLE[FIRST][100:150], TABLE[~FIRST][:40]
X = {"train": DEMO.timings()[FIRST][:100], "later": DEMO.timings()[FIRST][100:150]}
ENROL = ["enrol", "train.csv", "-o", "t.json"]
QUICK = [*ENROL, "--verifier", "scaled-manhattan"]


def run(capsys, *arguments):
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture(autouse=True)
def _workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    TRAIN.to_csv("train.csv", index=False)
    LATER.to_csv("later.csv", index=False)
    OTHERS.to_csv("others.csv", index=False)


def test_enrol_and_verify_from_end_to_end(capsys, tmp_path):
    status, out, err = run(capsys, *ENROL)
    assert (status, err) == (0, "")
    template = enrol(X["train"], sessions=TRAIN["session"])
    assert out == (
        "RecencyNearestNeighbors, 100 samples of 11 keys, threshold "
        f"{template.threshold:.4g} (leave-one-out, 5 % false alarms): t.json\n"
    )
    assert load_template("t.json").to_dict() == template.to_dict()

    status, out, err = run(capsys, "verify", "t.json", "later.csv", "--output", "d.csv")
    expected = verify_many(template, X["later"])
    accepted = sum(decision.accepted for decision in expected)
    assert (status, err) == (1, "")  # a false alarm among fifty is no surprise
    lines = out.splitlines()
    assert lines[-1] == f"{accepted} of 50 accepted, threshold {template.threshold:.4g}: d.csv"
    assert [line.split()[1] for line in lines[:-1]] == [
        "accepted" if decision.accepted else "REJECTED" for decision in expected
    ]
    table = pd.read_csv(tmp_path / "d.csv", dtype=str)
    assert list(table.columns[:5]) == ["subject", "session", "score", "threshold", "accepted"]
    assert list(table["session"]) == ["3"] * 50
    assert [float(cell) for cell in table["score"]] == [decision.score for decision in expected]
    assert list(table["accepted"]) == [str(decision.accepted) for decision in expected]
    assert list(table["deviates_5"]) == [decision.deviations[4].column for decision in expected]
    assert [float(cell) for cell in table["z_5"]] == [
        decision.deviations[4].z for decision in expected
    ]


def test_impostors_are_rejected_and_told_why(capsys):
    run(capsys, *ENROL)
    status, out, _ = run(capsys, "verify", "t.json", "others.csv")
    assert status == 1
    assert out.splitlines()[-1].startswith("0 of 40 accepted, threshold -0.89")
    assert "H.key 11 (+" in out.splitlines()[0]
    assert max(map(len, out.splitlines())) <= 80


def test_exit_status_zero_if_all_are_accepted(capsys):
    run(capsys, *QUICK)
    TRAIN[:1].to_csv("one.csv", index=False)
    status, out, _ = run(capsys, "verify", "t.json", "one.csv")
    assert status == 0
    assert out.splitlines()[-1].startswith("1 of 1 accepted")
    done = subprocess.run(
        [sys.executable, "-m", "hawkeys.cli", "verify", "t.json", "others.csv"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("policy", THRESHOLD_POLICIES)
def test_options_reach_the_template(capsys, policy):
    arguments = ["--threshold", policy, "--false-alarm", "0.1", "--keep-keys"]
    assert run(capsys, *QUICK, *arguments)[0] == 0
    verifier = ScaledManhattan(false_alarm=0.1)
    template = enrol(
        X["train"], verifier=verifier, policy=policy, sessions=TRAIN["session"], keep_keys=True
    )
    assert load_template("t.json").to_dict() == template.to_dict()


def test_no_typed_characters_unless_asked(capsys, tmp_path):
    run(capsys, *QUICK)
    assert "Return" not in (tmp_path / "t.json").read_text()
    run(capsys, *QUICK, "--keep-keys")
    assert "Return" in (tmp_path / "t.json").read_text()
    assert "H.Return (+" in run(capsys, "verify", "t.json", "others.csv")[1]


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.HawkeysWarning")
def test_verifiers_by_name(capsys):
    assert run(capsys, *ENROL, "--verifier", "pohmm", "--threshold", "prequential")[0] == 0
    assert load_template("t.json").verifier == POHMM.__name__
    status, _, err = run(capsys, *ENROL, "--verifier", "hawkes-euclidean")
    assert status == 2
    assert "hawkes-euclidean: a template stores verifiers of raw timings only, not Pipe" in err
    assert run(capsys, *ENROL)[0] == 0
    assert load_template("t.json").verifier == RecencyNearestNeighbors.__name__


def test_the_share_aimed_at_is_that_of_the_verifier(capsys):
    name = "scaled-manhattan:false_alarm=0.3"
    status, out, _ = run(capsys, *ENROL, "--verifier", name)
    assert (status, load_template("t.json").parameters["false_alarm"]) == (0, 0.3)
    assert "30 % false alarms" in out


def test_one_typist_of_several(capsys):
    TABLE[DEMO.session <= 2].to_csv("all.csv", index=False)
    arguments = ["enrol", "all.csv", *QUICK[2:]]
    status, _, err = run(capsys, *arguments, "--subject", "demo01")
    assert (status, err) == (0, "")
    np.testing.assert_array_equal(load_template("t.json").samples, X["train"])


@pytest.mark.parametrize("name", ["NA", "None", "nan", "007", "1e3", "a/b, c", 'say "x"'])
def test_a_typist_may_have_any_name(capsys, name):
    table = pd.concat((TRAIN.assign(subject=name), OTHERS))
    table.to_csv("train.csv", index=False)
    assert run(capsys, *QUICK, "--subject", name)[0] == 0
    assert load_template("t.json").n_samples == len(TRAIN)
    status, _, err = run(capsys, *QUICK)
    assert (status, err.count("\n")) == (2, 1)
    assert f"samples of {' '.join(name.split())}" in err


def test_a_table_without_labels_and_one_with_labels_of_ours(capsys):
    X["train"].to_csv("train.csv", index=False)
    assert run(capsys, *QUICK)[0] == 0
    assert load_template("t.json").sessions is None
    LATER.assign(score=0, accepted="?").to_csv("later.csv", index=False)
    run(capsys, "verify", "t.json", "later.csv", "--output", "d.csv")
    table = pd.read_csv("d.csv")
    assert set(table["given_score"]) == {0}
    assert (table["score"] < 0).all()


def test_warnings_are_lines_on_stderr(capsys):
    TRAIN[:20].to_csv("train.csv", index=False)
    status, out, err = run(capsys, *QUICK)
    assert status == 0
    assert out.startswith("ScaledManhattan, 20 samples")
    assert err.startswith("hawkeys: warning: too-few-samples: 20 samples; at least 5 are needed")
    assert err.count("\n") == 1


def test_a_blank_after_each_comma_of_the_header(capsys, tmp_path):
    text = (tmp_path / "train.csv").read_text().split("\n", 1)
    (tmp_path / "train.csv").write_text(text[0].replace(",", ", ") + "\n" + text[1])
    status, out, err = run(capsys, *QUICK)
    assert (status, err) == (0, "")
    assert "100 samples of 11 keys" in out
    np.testing.assert_array_equal(load_template("t.json").samples, X["train"])


def test_columns_that_might_tell_typists_apart_are_reported(capsys):
    table = TRAIN.assign(person=["a", "b"] * 50, rep=range(100), site="x")
    table.to_csv("train.csv", index=False)
    status, _, err = run(capsys, *QUICK)
    assert status == 0
    assert err == (
        "hawkeys: warning: not read: 'person'; the 100 samples are taken for those of one typist.\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_templates_can_be_read_by_their_owner_alone(capsys, tmp_path):
    (tmp_path / "t.json").write_text("old")
    (tmp_path / "t.json").chmod(0o644)
    assert run(capsys, *QUICK)[0] == 0
    assert stat.S_IMODE((tmp_path / "t.json").stat().st_mode) == 0o600


@pytest.mark.skipif(os.name == "nt", reason="POSIX devices")
def test_decisions_go_into_a_pipe(capsys):
    run(capsys, *QUICK)
    command = [sys.executable, "-m", "hawkeys.cli", "verify", "t.json", "later.csv"]
    done = subprocess.run(
        [*command, "--output", "/dev/stdout"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("subject,session,score,threshold,accepted,deviates_1,z_1")
    assert "of 50 accepted" in done.stdout


def test_session_column_of_the_benchmark(capsys):
    TRAIN.rename(columns={"session": "sessionIndex"}).to_csv("train.csv", index=False)
    run(capsys, *QUICK)
    assert load_template("t.json").sessions == (0,) * 50 + (1,) * 50


def _write(name, frame):
    return lambda: frame.to_csv(name, index=False)


def _template(**changes):
    def write():
        enrol(X["train"], verifier=ScaledManhattan()).save("t.json")
        with open("t.json", encoding="utf-8") as file:
            record = json.load(file)
        with open("t.json", "w", encoding="utf-8") as file:
            json.dump({**record, **changes}, file)

    return write


def _truncated():
    _template()()
    with open("t.json", "r+", encoding="utf-8") as file:
        file.truncate(500)


_HOLDS = TRAIN.assign(**{"H.t": -0.1})
_COPIES = pd.concat((TRAIN, TRAIN[:3]))
_EMPTY_CELL = TRAIN.astype({"H.t": object}).assign(**{"H.t": ""})
_NAMELESS = TRAIN.assign(subject=["demo01", "demo01", "", *["demo01"] * (len(TRAIN) - 3)])
_TWICE = TRAIN.rename(columns={"H.i": "H.t"})
_MILLISECONDS = pd.concat((LATER.iloc[:, :2], LATER.iloc[:, 2:] * 1000), axis=1)
VERIFY = ["verify", "t.json", "later.csv"]
BAD_INPUT = {
    "over its input": (["enrol", "train.csv", "-o", "train.csv"], None, "is the input 'train.csv'"),
    "over its input, linked": (
        ["enrol", "train.csv", "-o", "link.csv"],
        lambda: os.link("train.csv", "link.csv"),
        "the output 'link.csv' is the input 'train.csv', which would be lost",
    ),
    "decisions over the template": (
        [*VERIFY, "--output", "t.json"],
        _template(),
        "is the input 't.json'",
    ),
    "decisions over the samples": (
        [*VERIFY, "--output", "./later.csv"],
        _template(),
        "is the input 'later.csv'",
    ),
    "milliseconds": (ENROL, _write("train.csv", _MILLISECONDS), "Convert milliseconds to seconds"),
    "verify milliseconds": (
        VERIFY,
        lambda: (_template()(), _MILLISECONDS.to_csv("later.csv", index=False)),
        "later.csv: timing matrix, row 0 (and 49 more): the median hold is",
    ),
    "verify without a column": (
        VERIFY,
        lambda: (_template()(), LATER.drop(columns="UD.t.i").to_csv("later.csv", index=False)),
        "later.csv: the timing column 'UD.t.i' is missing; expected 31",
    ),
    "typists in a column Subject": (
        ENROL,
        _write("train.csv", TABLE.rename(columns={"subject": "Subject"})),
        "samples of demo01, demo02, demo03; a template is of one typist",
    ),
    "typists in a column user": (
        [*ENROL, "--subject", "demo04"],
        _write("train.csv", TABLE.rename(columns={"subject": "user"})),
        "samples of demo01, demo02, demo03; none is 'demo04'",
    ),
    "typists that look alike": (
        ENROL,
        _write("train.csv", TRAIN.assign(subject=["7", "07"] * 50)),
        "samples of 7, 07; a template is of one typist",
    ),
    "two columns of typists": (
        ENROL,
        _write("train.csv", TRAIN.assign(user=["a", "b"] * 50)),
        "the columns 'subject' and 'user' could each be the typist, and they differ",
    ),
    "two columns of sessions": (
        ENROL,
        _write("train.csv", TRAIN.assign(sessionIndex=["a", "b"] * 50)),
        "the columns 'session' and 'sessionIndex' could each be the session",
    ),
    "a session missing": (
        ENROL,
        _write("train.csv", TRAIN.assign(session=["1", ""] * 50)),
        "data row 2, column session: got an empty cell",
    ),
    "sessions held out without any": (
        [*ENROL, "--threshold", "leave-one-session-out"],
        _write("train.csv", X["train"]),
        "'leave-one-session-out' holds out session after session, and no sessions are given",
    ),
    "one session held out": (
        [*ENROL, "--threshold", "prequential"],
        _write("train.csv", TRAIN.assign(session=3)),
        "all samples are of one session. Give the session of each sample (a column 'session'",
    ),
    "no output": (ENROL[:2], None, "Missing option '-o'"),
    "no samples": (["enrol", "-o", "t.json"], None, "Missing argument 'SAMPLES'"),
    "missing file": (["enrol", "none.csv", "-o", "t.json"], None, "none.csv: no such file"),
    "unknown verifier": ([*ENROL, "--verifier", "best"], None, "unknown verifier 'best'; known"),
    "keys that are a number": (
        [*ENROL, "--verifier", "pohmm:keys=5"],
        None,
        "keys must be None or",
    ),
    "too few keys": (
        [*ENROL, "--verifier", "pohmm:keys=['a','b']"],
        None,
        "keys must name the eve",
    ),
    "no states": ([*ENROL, "--verifier", "pohmm:n_states=0"], None, "n_states must be at least 1"),
    "unknown policy": ([*ENROL, "--threshold", "best"], None, "'leave-one-out'"),
    "percent": ([*ENROL, "--false-alarm", "5"], None, "(5 % is 0.05)"),
    "no share": (
        [*ENROL, "--false-alarm", "nan"],
        None,
        "--false-alarm is nan; every value",
    ),
    "output folder": (["enrol", "train.csv", "-o", "no/t.json"], None, "cannot write"),
    "several typists": (ENROL, _write("train.csv", TABLE), "demo01, demo02, demo03; a template"),
    "unknown typist": ([*ENROL, "--subject", "x"], None, "demo01; none is 'x'. Choose"),
    "no column of typists": (
        [*ENROL, "--subject", "x"],
        _write("train.csv", X["train"]),
        "needs a column 'subject'",
    ),
    "too few": (ENROL, _write("train.csv", TRAIN[:4]), "too-few-samples: 4 samples; at least 5"),
    "header only": (ENROL, _write("train.csv", TRAIN[:0]), "too-few-samples: 0 samples"),
    "copies": (ENROL, _write("train.csv", _COPIES), "copies: 3 of the samples (rows 100, 101, 102"),
    "negative hold": (ENROL, _write("train.csv", _HOLDS), "row 0: H.t is -0.1; H and DD must"),
    "empty cell": (ENROL, _write("train.csv", _EMPTY_CELL), "column H.t: expected a finite number"),
    "not timings": (ENROL, _write("train.csv", pd.DataFrame({"a": [1]})), "expected timing colu"),
    "nameless": (ENROL, _write("train.csv", _NAMELESS), "data row 3, column subject: got an empty"),
    "key twice": (ENROL, _write("train.csv", _TWICE), "two columns are called 'H.t'. Number keys"),
    "nothing to verify": (
        ["verify", "t.json", "none.csv"],
        lambda: (_template()(), TRAIN[:0].to_csv("none.csv", index=False)),
        "none.csv: no sample to verify",
    ),
    "missing template": (VERIFY, None, "'t.json': cannot be read (No such file"),
    "csv for template": (["verify", "train.csv", "later.csv"], None, "not a complete JSON file"),
    "truncated": (VERIFY, _truncated, "'t.json': is not a complete JSON file"),
    "newer": (VERIFY, _template(schema="hawkeys-template/2"), "got 'hawkeys-template/2'. If a new"),
    "edited": (VERIFY, _template(threshold=-1e9), "'t.json': damaged or edited: the checksum"),
    "missing samples": (["verify", "t.json", "none.csv"], _template(), "none.csv: no such file"),
    "decisions folder": ([*VERIFY, "--output", "no/d.csv"], _template(), "cannot write"),
    "other text": (
        ["verify", "t.json", "short.csv"],
        lambda: (_template()(), X["later"].iloc[:, :4].to_csv("short.csv", index=False)),
        "a sample has 4 intervals (2 keys), the template 31 (11 keys)",
    ),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_line_and_leaves_nothing(capsys, tmp_path, case):
    arguments, prepare, words = BAD_INPUT[case]
    if prepare is not None:
        prepare()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("hawkeys: error: ")
    assert err.count("\n") == 1
    assert words in err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_refused_enrolment_keeps_the_template_that_was_there(capsys, tmp_path):
    run(capsys, *QUICK)
    before = (tmp_path / "t.json").read_bytes()
    TRAIN[:4].to_csv("train.csv", index=False)
    assert run(capsys, *QUICK)[0] == 2
    assert (tmp_path / "t.json").read_bytes() == before


@pytest.mark.parametrize("name", ["enrol", "verify"])
def test_help_fits_eighty_columns(capsys, name):
    status, out, err = run(capsys, name, "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"Usage: hawkeys {name}")
    assert max(map(len, out.splitlines())) <= 80
    if name == "enrol":
        words = "".join(out.split())
        assert all(policy in words for policy in THRESHOLD_POLICIES)


def test_enrol_five_samples_with_a_background(capsys, tmp_path):
    demo = load_demo(n_subjects=8)
    frame = demo.timings().assign(subject=demo.subject)
    first = demo.subject == demo.subjects[0]
    frame[first][:5].to_csv("few.csv", index=False)
    frame[~first & (demo.repetition <= 20)].to_csv("known.csv", index=False)
    how = ("enrol", "few.csv", "-o", "t.json", "--background", "known.csv")
    status, out, err = run(capsys, *how)
    assert status == 0
    assert out.startswith("BackgroundRatio, 5 samples of 11 keys, threshold ")
    assert "5 samples; at least 5 are needed and 50 or more advised" in err
    known = demo[~first & (demo.repetition <= 20)]
    with pytest.warns(EnrolmentWarning):
        template = enrol(demo.timings()[first][:5], background=known)
    assert load_template("t.json").to_dict() == template.to_dict()
    assert load_template("t.json").background.n_typists == 7
    # laws of the others' intervals are stored, not their samples
    record = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))
    sizes = {name: np.size(value) for name, value in record["background"].items()}
    assert set(sizes.values()) == {1, 21}
    assert len(record["samples"]) == 5
    frame[first][100:120].to_csv("later.csv", index=False)
    frame[~first][3000 - 400 :: 20].to_csv("others.csv", index=False)
    accepted = []
    for name in ("later.csv", "others.csv"):
        _, out, _ = run(capsys, "verify", "t.json", name)
        accepted.append(int(out.splitlines()[-1].split(" of ")[0]) / len(pd.read_csv(name)))
    assert accepted[0] > 0.6 > 0.1 > accepted[1]
    status, _, err = run(capsys, *how, "--verifier", "manhattan")
    assert (status, "Manhattan learns nothing from other typists" in err) == (2, True)
    status, out, _ = run(capsys, *how, "--verifier", "background-ratio:bound=3.0")
    assert (status, load_template("t.json").parameters["bound"]) == (0, 3.0)
    frame[demo.repetition <= 20].to_csv("known.csv", index=False)
    status, _, err = run(capsys, *how)
    assert (status, "background holds 5 of the 5 training samples" in err) == (2, True)
