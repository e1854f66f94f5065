"""What becomes of attempts: judged, counted, enrolled, verified, and read back from the file."""

import json
import warnings

import numpy as np
import pytest
from typed_events import (
    TEXT,
    attempt,
    event,
    events_of,
    genuine,
    impostor,
    record,
    timings_of,
)

from hawkeys.capture import AttemptFile, Session
from hawkeys.cli import main
from hawkeys.datasets import read_key_events
from hawkeys.exceptions import EnrolmentWarning, InvalidParameterError
from hawkeys.verifiers import (
    HawkesLikelihood,
    HeldOutThreshold,
    ScaledManhattan,
    enrol,
    load_template,
    verify,
)


def enrolled(rng, n=8, **options):
    session = Session(TEXT, n_enrol=n, **options)
    answers = [session.add(attempt(rng)) for _ in range(n)]
    return session, answers


def test_the_timings_of_a_sample():
    rng = np.random.default_rng(0)
    session = Session(TEXT)
    for number in (1, 2, 3):
        press, release = genuine(rng)
        answer = session.add(record(events_of(press, release)))
        assert (answer.attempt, answer.outcome, answer.verification) == (number, "sample", None)
        assert answer.message == f"Counted; {10 - number} to go."
        row = session.timings().iloc[-1]
        np.testing.assert_allclose(row, timings_of(press, release), rtol=0, atol=5e-10)
    assert session.timings().columns.tolist()[:4] == ["H.h", "DD.h.e", "UD.h.e", "H.e"]
    assert session.timings().columns[-1] == "H.Return"


def test_json_and_plain_types_are_the_same():
    sent = attempt(np.random.default_rng(0))
    one, other = Session(TEXT), Session(TEXT)
    assert one.add(sent) == other.add(json.dumps(sent).encode())
    assert one.timings().equals(other.timings())


def test_rollover():
    press, release = [0, 90, 150, 240, 300, 500], [130, 180, 200, 330, 310, 560]
    session = Session(TEXT)
    assert session.add(record(events_of(press, release))).outcome == "sample"
    row = session.timings().iloc[0]
    np.testing.assert_allclose(row, timings_of(press, release), rtol=0, atol=1e-12)
    assert row["UD.h.e"] == pytest.approx(-0.04)


def test_shift_let_go_first():
    """The key comes up under another name than it went down with."""
    events = [event("keydown", "Shift", 0.0, code="ShiftLeft"), event("keydown", "A", 100.0),
              event("keyup", "Shift", 150.0, code="ShiftLeft"), event("keyup", "a", 190.0),
              event("keydown", "!", 300.0, code="Digit1"),
              event("keyup", "1", 360.0, code="Digit1"),
              event("keydown", "Enter", 500.0), event("keyup", "Enter", 570.0)]  # fmt: skip
    session = Session("A!")
    assert session.add(record(events)).outcome == "sample"
    np.testing.assert_allclose(
        session.timings().iloc[0], timings_of([100, 300, 500], [190, 360, 570]), atol=1e-12
    )


def test_a_held_key_is_one_stroke():
    press, release = [0, 150, 300, 1300, 1500, 1700], [80, 230, 1200, 1380, 1580, 1780]
    events = events_of(press, release)
    held = [event("keydown", "l", at, repeat=True) for at in (800.0, 830.0, 860.0)]
    session = Session(TEXT)
    events = sorted([*events, *held], key=lambda one: one["timeStamp"])
    assert session.add(record(events)).outcome == "sample"
    np.testing.assert_allclose(session.timings().iloc[0], timings_of(press, release), atol=1e-12)


def test_a_blank_in_the_text():
    events = events_of([0, 200, 400, 600], [90, 280, 470, 690], ["a", " ", "b", "Enter"])
    session = Session("a b")
    assert session.add(record(events)).outcome == "sample"
    assert session.timings().columns.tolist()[:4] == ["H.a", "DD.a.Space", "UD.a.Space", "H.Space"]


@pytest.mark.parametrize(
    ("keys", "outcome", "said"),
    [
        ("help", "other text", "typed 'help<Return>', expected 'hello<Return>'"),
        ("helloo", "other text", "typed 'helloo<Return>', expected"),
        (["h", "w", "Backspace", *"ello"], "typo", "a typing error was corrected"),
        ("", "other text", "typed '<Return>', expected"),
    ],
)
def test_another_text_does_not_count(keys, outcome, said):
    keys = [*keys, "Enter"]
    press = 200.0 * np.arange(len(keys))
    session = Session(TEXT)
    answer = session.add(record(events_of(press.tolist(), (press + 90).tolist(), keys)))
    assert (answer.outcome, answer.attempt, session.n_samples) == (outcome, 1, 0)
    assert said in answer.message
    assert answer.message.startswith("Not counted")


def test_an_attempt_without_its_end():
    press, release = genuine(np.random.default_rng(0))
    events = events_of(press[:-1], release[:-1], list(TEXT))
    answer = Session(TEXT).add(record(events))
    assert answer.outcome == "unfinished"
    assert "typed 'hello', expected" in answer.message


@pytest.mark.parametrize("kind", ["blur", "hidden"])
def test_a_loss_of_focus_does_not_count(kind):
    events = events_of(*genuine(np.random.default_rng(0)))
    for place in (3, len(events)):
        lost = {"type": kind, "timeStamp": events[place - 1]["timeStamp"] + 1.0}
        session = Session(TEXT)
        answer = session.add(record([*events[:place], lost]))
        assert (answer.outcome, session.n_samples, session.n_attempts) == ("focus lost", 0, 1)
        assert "lost the focus" in answer.message


def test_hidden_keys_are_explained_and_not_stored(tmp_path):
    kinds = enumerate(("keydown", "keyup", "keydown", "keyup"))
    events = [event(kind, "Unidentified", 90.0 * place, code="") for place, kind in kinds]
    with AttemptFile(tmp_path / "own.jsonl") as file:
        session = Session(TEXT, file=file)
        answer = session.add(record(events))
        lost = session.add(record([{"type": "blur", "timeStamp": 1.0}]))
    assert (answer.attempt, answer.outcome) == (0, "unreadable")
    assert "hide the key (keyCode 229" in answer.message
    assert (lost.outcome, lost.message) == ("unreadable", "Not counted: no key was pressed.")
    assert session.n_attempts == 0
    assert (tmp_path / "own.jsonl").read_bytes() == b""


def test_a_release_alone_is_no_stroke():
    answer = Session(TEXT).add(record([event("keyup", "h", 5.0)]))
    assert (answer.outcome, answer.message) == (
        "other text", "Not counted: no key was pressed and let go."
    )  # fmt: skip


def test_two_ends_in_one_attempt_are_refused():
    events = events_of([0, 100, 200, 300], [50, 150, 250, 350], ["Enter", "h", "Enter", "x"])
    answer = Session(TEXT).add(record(events))
    assert (answer.attempt, answer.outcome) == (0, "unreadable")
    assert "Return was pressed twice" in answer.message


def test_what_cannot_have_been_typed():
    rng = np.random.default_rng(0)
    session = Session(TEXT)
    even = 100.0 * np.arange(6)
    answer = session.add(record(events_of(even.tolist(), (even + 50).tolist())))
    assert (answer.outcome, session.n_samples, session.n_attempts) == ("not typed", 0, 1)
    assert "not-typed: " in answer.message
    once = attempt(rng)
    assert session.add(once).outcome == "sample"
    assert "copies: " in session.add(once).message
    assert session.n_samples == 1


def test_enrolment_is_that_of_enrol():
    rng = np.random.default_rng(1)
    session, answers = enrolled(rng)
    assert [answer.enrolled for answer in answers] == [False] * 7 + [True]
    assert answers[-1].message == "Enrolled with 8 samples."
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        template = enrol(session.timings())
    assert session.template.to_dict() == template.to_dict()
    assert session.notes == tuple(str(one.message) for one in caught)
    assert session.notes[0].startswith("too-few-samples: 8 samples; at least 5 are needed and 50")
    assert session.template.keys is None


def test_decisions_are_those_of_verify():
    rng = np.random.default_rng(2)
    session, _ = enrolled(rng)
    for who, accepted in ((genuine, True), (impostor, False)):
        answer = session.add(attempt(rng, who))
        expected = verify(session.template, session.timings().to_numpy()[-1])
        got = answer.verification
        assert got.accepted is expected.accepted is accepted
        assert (got.score, got.threshold) == (expected.score, expected.threshold)
        assert answer.message == f"Attempt {answer.attempt} is " + (
            "accepted." if accepted else "rejected."
        )
        columns = session.timings().columns
        places = [session.template.columns.index(one.column) for one in expected.deviations]
        assert [one.column for one in got.deviations] == [columns[place] for place in places]
        assert [one[1:] for one in got.deviations] == [one[1:] for one in expected.deviations]
    assert [one["accepted"] for one in session.rhythm(3)] == [None, True, False]


def test_a_wrong_attempt_after_enrolment_gets_no_decision():
    rng = np.random.default_rng(2)
    session, _ = enrolled(rng)
    answer = session.add(record(events_of([0, 100], [50, 150], ["h", "Enter"])))
    assert (answer.outcome, answer.verification) == ("other text", None)


def test_an_earlier_template_judges_at_once():
    rng = np.random.default_rng(3)
    first, _ = enrolled(rng)
    session = Session(TEXT, template=first.template)
    assert session.add(attempt(rng)).verification.accepted
    assert not session.add(attempt(rng, impostor)).verification.accepted
    assert session.picture() == first.picture()
    with pytest.raises(InvalidParameterError, match=r"template is of 6 keys, .* of 4\. Give"):
        Session("abc", template=first.template)


def test_a_verifier_and_its_false_alarms():
    rng = np.random.default_rng(4)
    session, _ = enrolled(rng, verifier=ScaledManhattan(false_alarm=0.2))
    assert session.template.verifier == "ScaledManhattan"
    assert session.template.parameters["false_alarm"] == 0.2
    with pytest.raises(InvalidParameterError, match="a template stores no code; got HeldOut"):
        Session(TEXT, verifier=HeldOutThreshold(ScaledManhattan()))


def test_samples_that_turn_out_to_be_copies_are_left_out_at_enrolment():
    """While the clock looks coarse a copy may be chance; with finer samples it cannot be."""
    rng = np.random.default_rng(5)
    session = Session(TEXT, n_enrol=12)
    coarse = [[16.0 * np.round(np.array(one) / 16.0) for one in genuine(rng)] for _ in range(3)]
    for press, release in [*coarse, coarse[0]]:
        assert session.add(record(events_of(press.tolist(), release.tolist()))).outcome == "sample"
    answers = [session.add(attempt(rng)) for _ in range(8)]
    assert session.template is None
    assert "Not enrolled. copies: 1 of the samples" in answers[-1].message
    assert answers[-1].message.endswith("Leave out the copies. They were left out; 1 to go.")
    assert session.add(attempt(rng)).enrolled
    assert session.template.n_samples == 12


def test_the_template_is_stored_if_asked(tmp_path):
    rng = np.random.default_rng(6)
    session, answers = enrolled(rng, store=tmp_path / "template.json")
    assert load_template(tmp_path / "template.json").threshold == session.template.threshold
    assert answers[-1].message == "Enrolled with 8 samples."
    session, answers = enrolled(rng, store=tmp_path / "nowhere" / "template.json")
    assert "The template is not stored: cannot write" in answers[-1].message
    assert session.add(attempt(rng)).verification is not None


def test_the_file_is_read_back_to_the_microsecond(tmp_path):
    """All attempts, by the reader that finds the format itself."""
    rng, path, sent = np.random.default_rng(7), tmp_path / "own.jsonl", []
    with AttemptFile(path) as file:
        session = Session(TEXT, user="ann", file=file)
        for _ in range(3):
            sent.append(attempt(rng)["events"])
            session.add(record(sent[-1]))
        sent.append(events_of([5.0, 70.123456], [61.5, 199.25], ["x", "Enter"]))
        session.add(record([*sent[-1], {"type": "blur", "timeStamp": 300.0}]))
    events = read_key_events(path)
    flat = [one for each in sent for one in each]
    assert events.format == "browser"
    assert events.tally["blur event"] == 1
    assert np.abs(events.time * 1e6 - [1e3 * one["timeStamp"] for one in flat]).max() < 1e-3
    assert events.down.tolist() == [one["type"] == "keydown" for one in flat]
    assert events.code.tolist() == [one["code"] for one in flat]
    assert set(events.user) == {"ann"}
    assert events.repetition.tolist() == [n for n, one in enumerate(sent, 1) for _ in one]
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["outcome"] for row in rows] == ["sample"] * 3 + ["focus lost"]
    assert {(row["text"], row["clock_resolution_ms"]) for row in rows} == {("hello<Return>", 0.005)}


def test_the_commands_make_the_same_template_of_the_file(tmp_path, capsys):
    """Also of two sittings with wrong attempts in between, which neither counts."""
    rng, path = np.random.default_rng(8), tmp_path / "own.jsonl"
    wrong = record(events_of([0, 100], [50, 150], ["h", "Enter"]))
    rows = []
    for _ in range(2):
        with AttemptFile(path) as file:
            session = Session(TEXT, n_enrol=6, file=file)
            for sent in (*(attempt(rng) for _ in range(5)), wrong, attempt(rng)):
                session.add(sent)
        rows.append(session.timings())
    assert (
        main(["enrol", str(path), "--text", "hello<Return>", "-o", str(tmp_path / "t.json")]) == 0
    )
    capsys.readouterr()
    both = np.concatenate(rows)
    with pytest.warns(EnrolmentWarning, match="too-few-samples: 12 samples"):
        expected = enrol(both)
    stored = load_template(tmp_path / "t.json")
    np.testing.assert_array_equal(stored.samples, both)
    assert stored.threshold == expected.threshold


def test_what_cannot_be_stored_does_not_count(tmp_path, monkeypatch):
    with AttemptFile(tmp_path / "own.jsonl") as file:
        session = Session(TEXT, file=file)
        monkeypatch.setattr("os.write", lambda handle, line: 3)
        with pytest.raises(OSError, match="cannot write all of an attempt"):
            session.add(attempt(np.random.default_rng(0)))
    assert (session.n_attempts, session.n_samples) == (0, 0)


def test_the_picture_is_the_process_of_the_samples():
    rng = np.random.default_rng(9)
    session = Session(TEXT)
    for n in range(1, 6):
        session.add(attempt(rng))
        assert (session.picture() is None) == (n < 3)
    picture = session.picture()
    assert picture["marks"][:3] == ["press h", "release h", "press e"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = HawkesLikelihood(half_life=None).fit(session.timings().to_numpy())
    process = model.process_
    assert len(picture["edges"]) == (process.adjacency >= 0.05).sum()
    for edge in picture["edges"]:
        weight = process.adjacency[edge["target"], edge["source"]]
        assert edge["weight"] == pytest.approx(weight, abs=1e-4)
    held = next(e for e in picture["edges"] if (e["target"], e["source"]) == (1, 0))
    assert held["median_ms"] == pytest.approx(100.0, abs=10.0)
    assert held["low_ms"] < held["median_ms"] < held["high_ms"]


def test_the_picture_of_the_enrolment_stays():
    rng = np.random.default_rng(9)
    session, _ = enrolled(rng)
    before = session.picture()
    session.add(attempt(rng, impostor))
    assert session.picture() == before


def test_the_rhythm_is_what_was_typed():
    session = Session(TEXT)
    assert session.rhythm(5) == []
    press, release = genuine(np.random.default_rng(0))
    session.add(record(events_of(press, release)))
    (row,) = session.rhythm(5)
    np.testing.assert_allclose(row["press"], np.subtract(press, press[0]), atol=1e-9)
    np.testing.assert_allclose(row["release"], np.subtract(release, press[0]), atol=1e-9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (5, "as text; got int"),
        ("", "text must be 1 to 100 characters"),
        ("<Return>", "text must be 1 to 100 characters"),
        (" a", "the first and the last no blanks"),
        ("a" * 101, "got 101"),
        ("a\tb", r"text holds '\\t'"),
        ("a<Tab>b", "text holds <Tab>"),
        ("a<Return>b", "text holds <Return>"),
    ],
)
def test_a_text_that_the_page_cannot_ask_for(text, said):
    with pytest.raises(InvalidParameterError, match=said):
        Session(text)


def test_return_is_added_once():
    assert Session("ab<Return>").typed.keys == Session("ab").typed.keys == ["a", "b", "Return"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n_enrol": 4}, "n_enrol must be at least 5; got 4"),
        ({"n_enrol": 2001}, "n_enrol must be at most 2000, the most that a template"),
        ({"n_enrol": 1678, "text": "a" * 99}, "n_enrol must be at most 1677"),
        ({"n_enrol": 5.0}, "whole number"),
        ({"user": ""}, "user must be a name of 1 to 100 printable characters; got ''"),
        ({"user": "u" * 101}, "user must be a name"),
        ({"user": "ann\n"}, "printable characters; got 'ann"),
        ({"user": "\udc80"}, "printable characters; got '.udc80'"),
        ({"user": 5}, "user must be a name"),
        ({"text": "a\udc80"}, r"text holds '.udc80'"),
    ],
)
def test_options_out_of_range(options, said):
    with pytest.raises(InvalidParameterError, match=said):
        Session(**{"text": TEXT, **options})


EVENT = event("keydown", "h", 1.0)


@pytest.mark.parametrize(
    "sent",
    [
        b"", b"{", b"[]", b"\xff", b"[" * 100_000, 5, None, {}, {"events": []},
        record([]),
        record([EVENT] * 4001),
        record([{**EVENT, "type": "input"}]),
        record([{**EVENT, "timeStamp": -1.0}]),
        record([{**EVENT, "timeStamp": float("nan")}]),
        record([{**EVENT, "timeStamp": float("inf")}]),
        record([{**EVENT, "timeStamp": "1"}]),
        record([{**EVENT, "key": "k" * 33}]),
        record([{**EVENT, "key": 5}]),
        record([{**EVENT, "key": "\ud800"}]),
        record([{**EVENT, "timeStamp": 10**30}]),
        record([{**EVENT, "timeStamp": np.array([1.0])}]),
        {1: 2, (3, 4): object()},
        record([{**EVENT, "more": 1}]),
        {**record([EVENT]), "user": "ann"},
        {**record([EVENT]), "clock_resolution_ms": None},
        json.dumps(record([{**EVENT, "timeStamp": float("nan")}])).encode(),
    ],
)  # fmt: skip
def test_what_is_no_attempt(sent):
    session = Session(TEXT)
    with pytest.raises(InvalidParameterError, match=r"no attempt \(.*; expected an object with"):
        session.add(sent)
    assert session.n_attempts == 0


def test_intervals_in_words():
    typed = Session("all").typed
    assert [typed.in_words(k) for k in (0, 1, 2, 3, 9)] == [
        "hold of a", "press of a to press of l (key 2)", "release of a to press of l (key 2)",
        "hold of l (key 2)", "hold of Return",
    ]  # fmt: skip
