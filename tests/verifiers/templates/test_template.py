"""Templates: what they hold, round trip, decisions, deviations."""

import json
import os
import stat

import numpy as np
import pandas as pd
import pytest

from hawkeys import verifiers
from hawkeys.datasets import load_demo, timing_columns
from hawkeys.exceptions import (
    EnrolmentError,
    InvalidParameterError,
    InvalidTimingsError,
    OutputError,
)
from hawkeys.verifiers import (
    POHMM,
    THRESHOLD_POLICIES,
    HeldOutThreshold,
    Manhattan,
    OneClassVerifier,
    RecencyNearestNeighbors,
    ScaledManhattan,
    UpdatingVerifier,
    enrol,
    load_template,
    verify,
    verify_many,
)
from hawkeys.verifiers.templates._storable import known_verifiers, make_verifier, plain_parameters
from hawkeys.verifiers.templates.template import DEFAULT_VERIFIER, SCHEMA, is_storable

DEMO = load_demo(n_subjects=2)
FRAME = DEMO.timings()
TRAIN, LATER, OTHER = FRAME[:100], FRAME[100:150], FRAME[400:500]
SESSIONS = DEMO.session[:100]


def saved(template, path):
    template.save(path)
    return load_template(path)


BLOCKS = np.arange(100) * 5 // 100


@pytest.mark.parametrize("policy", THRESHOLD_POLICIES)
@pytest.mark.parametrize("sessions", [BLOCKS, SESSIONS], ids=["blocks", "sessions"])
def test_round_trip_is_exact(tmp_path, policy, sessions):
    template = enrol(TRAIN, policy=policy, sessions=sessions)
    again = saved(template, tmp_path / "t.json")
    assert again.to_dict() == template.to_dict()
    assert again.samples.tobytes() == TRAIN.to_numpy().tobytes()
    assert verify_many(again, OTHER) == verify_many(template, OTHER)
    assert again.threshold == template.threshold == template.model.offset_
    again.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "t.json").read_bytes()


def storable():
    for name, kind in known_verifiers().items():
        quick = {"n_epochs": 3} if "n_epochs" in kind().get_params() else {}
        yield pytest.param(kind(**quick), id=name)


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.HawkeysWarning")
@pytest.mark.parametrize("verifier", list(storable()))
def test_every_verifier_of_the_package_goes_round(tmp_path, verifier):
    blocks = np.arange(60) * 5 // 60
    template = enrol(TRAIN[:60], verifier=verifier, policy="leave-one-session-out", sessions=blocks)
    again = saved(template, tmp_path / "t.json")
    assert verify_many(again, OTHER[:20]) == verify_many(template, OTHER[:20])
    assert again.verifier == type(verifier).__name__


def test_parameters_go_round(tmp_path):
    verifier = POHMM(n_states=np.int64(3), tol=np.float64(0.5), false_alarm=0.1)
    template = enrol(TRAIN, verifier=verifier, policy="prequential", sessions=BLOCKS)
    again = saved(template, tmp_path / "t.json")
    assert again.model.verifier.get_params() == verifier.get_params()
    assert type(again.parameters["n_states"]) is int


def test_the_threshold_is_that_of_the_policy():
    for policy in THRESHOLD_POLICIES:
        held = HeldOutThreshold(ScaledManhattan(), policy=policy).fit(
            TRAIN.to_numpy(), sessions=SESSIONS
        )
        template = enrol(TRAIN, verifier=ScaledManhattan(), policy=policy, sessions=SESSIONS)
        assert template.threshold == held.offset_
        decisions = verify_many(template, OTHER)
        assert [1 if d.accepted else -1 for d in decisions] == held.predict(
            OTHER.to_numpy()
        ).tolist()


def test_defaults_and_what_a_template_tells():
    assert DEFAULT_VERIFIER is RecencyNearestNeighbors
    template = enrol(TRAIN)
    assert template.policy == "leave-one-out"
    assert (template.n_samples, template.n_keys, template.keys) == (100, 11, None)
    assert template.parameters["false_alarm"] == 0.05
    assert repr(template).startswith(
        "Template(RecencyNearestNeighbors, 100 samples of 11 keys, leave-one-out threshold -"
    )
    assert {"hawkeys", "numpy", "scipy", "sklearn"} == set(template.versions)
    record = template.to_dict()
    assert record["schema"] == SCHEMA == "hawkeys-template/1"
    assert record["n_samples"] == 100


def test_a_template_cannot_be_changed():
    template = enrol(TRAIN, sessions=SESSIONS)
    with pytest.raises(AttributeError):
        template.threshold = -1e9
    with pytest.raises(ValueError, match="read-only"):
        template.samples[0, 0] = 1.0
    with pytest.raises(TypeError):
        template.parameters["false_alarm"] = 0.5


def test_enrolment_leaves_its_arguments_alone():
    matrix = TRAIN.to_numpy().copy()
    before = matrix.copy()
    verifier = Manhattan()
    template = enrol(matrix, verifier=verifier)
    np.testing.assert_array_equal(matrix, before)
    assert matrix.flags.writeable
    assert not hasattr(verifier, "offset_")
    matrix[:] = 0.0
    assert template.samples[0, 0] == before[0, 0]


@pytest.mark.parametrize("verifier", [None, POHMM(keys=DEMO.keys)], ids=["default", "pohmm"])
def test_no_typed_characters_unless_asked(tmp_path, verifier):
    template = enrol(TRAIN, verifier=verifier, policy="prequential", sessions=BLOCKS)
    template.save(tmp_path / "t.json")
    text = (tmp_path / "t.json").read_text()
    for name in ("period", "five", "Shift", "Return", "H.", "DD."):
        assert name not in text
    for name in ("t", "i", "e", "o", "a", "n", "l"):
        assert f'"{name}"' not in text
    assert template.columns[:4] == ["H.key 1", "DD.key 1.key 2", "UD.key 1.key 2", "H.key 2"]


def test_names_of_keys_that_a_verifier_needs_are_made_anonymous():
    names = [*DEMO.keys[:10], "t"]
    how = {"verifier": POHMM(keys=names), "policy": "prequential", "sessions": BLOCKS}
    plain = enrol(TRAIN, **how)
    named = enrol(TRAIN, **how, keep_keys=True)
    assert plain.parameters["keys"] == [f"key {k}" for k in [*range(1, 11), 2]]
    assert named.parameters["keys"] == names
    assert [d.score for d in verify_many(plain, OTHER)] == [
        d.score for d in verify_many(named, OTHER)
    ]


def test_kept_keys_name_the_columns_and_are_compared(tmp_path):
    again = saved(enrol(TRAIN, keep_keys=True), tmp_path / "t.json")
    assert again.keys == DEMO.keys
    assert again.columns == list(FRAME.columns)
    other_text = OTHER.set_axis(timing_columns([*DEMO.keys[:10], "x"]), axis=1)
    with pytest.raises(InvalidTimingsError, match="key 11 of the samples is 'x', of the template"):
        verify_many(again, other_text)
    assert verify_many(again, OTHER.to_numpy()) == verify_many(again, OTHER)


def test_one_sample_in_any_form():
    template = enrol(TRAIN)
    one = verify_many(template, OTHER)[3]
    row = OTHER.iloc[3]
    for form in (row, row.to_numpy(), row.tolist(), OTHER[3:4], [row.tolist()]):
        assert verify(template, form) == one
    assert verify_many(template, OTHER[:0]) == ()


def test_a_verification_says_score_threshold_and_decision():
    template = enrol(TRAIN)
    for sample in (TRAIN.iloc[0], OTHER.iloc[0]):
        decision = verify(template, sample)
        assert decision.score == template.model.score_samples([sample.to_numpy()])[0]
        assert decision.threshold == template.threshold
        assert decision.accepted is (decision.score >= template.threshold)
    with pytest.raises(AttributeError):
        decision.accepted = True


def test_deviations_by_hand():
    """Against the definition, one interval after the other."""
    template = enrol(TRAIN)
    sample = OTHER.iloc[0]
    by_hand = []
    for column, value in sample.items():
        enrolled = TRAIN[column].to_numpy()
        median = np.median(enrolled)
        spread = 1.4826 * np.median([abs(one - median) for one in enrolled])
        by_hand.append((value, median, (value - median) / max(spread, 0.001)))
    by_hand.sort(key=lambda one: -abs(one[2]))
    found = verify(template, sample).deviations
    assert len(found) == 5
    np.testing.assert_allclose([d[1:] for d in found], by_hand[:5], rtol=1e-12)


def test_the_key_that_was_moved_is_named():
    template = enrol(TRAIN, keep_keys=True)
    sample = TRAIN.iloc[0].copy()
    sample["H.Return"] += 0.5
    first = verify(template, sample).deviations[0]
    assert first.column == "H.Return"
    assert first.z > 10
    assert first.value == sample["H.Return"]


@pytest.mark.filterwarnings("ignore:constant-interval:hawkeys.exceptions.EnrolmentWarning")
def test_a_steady_interval_counts_in_milliseconds():
    steady = TRAIN.assign(**{"H.Return": 0.1})
    sample = steady.iloc[0].copy()
    sample["H.Return"] = 0.15
    first = verify(enrol(steady, keep_keys=True), sample).deviations[0]
    assert first.column == "H.Return"
    assert first.z == pytest.approx(50.0, rel=1e-9)


def test_text_of_one_key():
    holds = 0.1 + 0.01 * np.random.default_rng(0).standard_normal((60, 1))
    template = enrol(holds, verifier=Manhattan())
    decision = verify(template, [0.1])
    assert decision.accepted
    assert [d.column for d in decision.deviations] == ["H.key 1"]


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "t.json"
    enrol(TRAIN).save(path)
    before = path.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("hawkeys._files._write_part", full)
        with pytest.raises(OutputError, match="No space left"):
            enrol(LATER).save(path)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", full)
        with pytest.raises(OutputError, match="No space left"):
            enrol(LATER).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OutputError, match="Choose a folder that exists"):
        enrol(LATER).save(tmp_path / "none" / "t.json")


class OfOnesOwn(OneClassVerifier):
    def _learn(self, samples):
        self.center_ = samples[0]

    def _score(self, samples):
        return -np.abs(samples - self.center_).sum(axis=1)


BAD_ENROLMENT = {
    "own class": ({"verifier": OfOnesOwn()}, "because a template stores no code; got OfOnesOwn"),
    "class": ({"verifier": Manhattan}, "must be an instance of one of .*; got ABCMeta"),
    "name": ({"verifier": "manhattan"}, "must be an instance of one of .*; got str"),
    "wrapper": ({"verifier": HeldOutThreshold(Manhattan())}, "got HeldOutThreshold"),
    "updating": ({"verifier": UpdatingVerifier(Manhattan())}, "got UpdatingVerifier"),
    "policy": ({"policy": "best"}, "policy must be one of 'resubstitution'"),
    "false alarm": ({"verifier": Manhattan(false_alarm=5)}, "strictly between 0 and 1"),
    "option": ({"verifier": ScaledManhattan(scale="x")}, "scale must be one of"),
    "array": ({"verifier": ScaledManhattan(scale=np.ones((2, 2)))}, "to be stored in a template"),
    "NaN": ({"verifier": POHMM(tol=float("nan"))}, "tol of POHMM must be a finite .* got nan"),
    "object": ({"verifier": POHMM(tol=object())}, "got object"),
    "long text": ({"verifier": ScaledManhattan(scale="x" * 101)}, "must be a finite number, a sho"),
    "large": ({"verifier": POHMM(n_states=101)}, "n_states of POHMM is 101; .* up to 100"),
    "sessions": ({"sessions": [1, 2]}, "one label per sample, 50 of them.*shape \\(2,\\)"),
    "missing session": ({"sessions": [None] * 50}, "none missing"),
}


@pytest.mark.parametrize("case", BAD_ENROLMENT)
def test_bad_arguments(case):
    arguments, match = BAD_ENROLMENT[case]
    with pytest.raises(InvalidParameterError, match=match):
        enrol(LATER, **arguments)


def test_keys_that_cannot_be_kept():
    with pytest.raises(InvalidParameterError, match="needs samples with names of keys"):
        enrol(LATER.to_numpy(), keep_keys=True)
    odd = LATER.set_axis(timing_columns([*DEMO.keys[:10], "\x1b[2J"]), axis=1)
    with pytest.raises(InvalidParameterError, match=r"100 printable characters; got '\\x1b\[2J'"):
        enrol(odd, keep_keys=True)
    assert enrol(odd).keys is None


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_bad_numbers_in_a_sample_to_verify(value):
    sample = OTHER.iloc[0].to_numpy().copy()
    sample[2] = value
    with pytest.raises(InvalidTimingsError, match=r"row 0: UD.key1.key2 is .*must be finite"):
        verify(enrol(TRAIN), sample)


def test_other_bad_samples_to_verify():
    template = enrol(TRAIN)
    with pytest.raises(InvalidTimingsError, match=r"has 28 intervals \(10 keys\), the template 31"):
        verify(template, OTHER.iloc[0].to_numpy()[:28])
    with pytest.raises(InvalidTimingsError, match=r"takes one sample; got 2. Use verify_many"):
        verify(template, OTHER[:2])
    negative = OTHER.iloc[0].copy()
    negative["H.t"] *= -1
    with pytest.raises(InvalidTimingsError, match="must not be negative"):
        verify(template, negative)
    with pytest.raises(InvalidTimingsError, match=r"shape \(n_samples, 3 K - 2\)"):
        verify(template, 0.1)
    with pytest.raises(InvalidTimingsError, match="no column named H"):
        verify(template, pd.Series({"a": 1.0}))


def test_what_can_be_stored():
    assert set(known_verifiers()) <= set(verifiers.__all__)
    assert not {"HeldOutThreshold", "UpdatingVerifier", "OfOnesOwn"} & set(known_verifiers())
    assert is_storable(Manhattan())
    assert not is_storable(OfOnesOwn())


class Random(OneClassVerifier):
    def __init__(self, *, random_state=None, false_alarm=0.05):
        super().__init__(false_alarm=false_alarm)
        self.random_state = random_state

    _learn, _score = OfOnesOwn._learn, OfOnesOwn._score


def test_what_is_random_needs_a_seed(monkeypatch):
    monkeypatch.setattr(
        "hawkeys.verifiers.templates._storable.known_verifiers", lambda: {"Random": Random}
    )
    with pytest.raises(InvalidParameterError, match="Give random_state a whole number"):
        plain_parameters(Random())
    with pytest.raises(InvalidParameterError, match="Give random_state a whole number"):
        make_verifier("Random", {"false_alarm": 0.1})
    assert plain_parameters(Random(random_state=2**32 - 1))["random_state"] == 2**32 - 1


def test_a_threshold_must_be_finite(monkeypatch):
    monkeypatch.setattr(Manhattan, "_score", lambda self, samples: np.full(len(samples), -np.inf))
    with pytest.raises(InvalidParameterError, match="Manhattan gives the threshold -inf on these"):
        enrol(LATER, verifier=Manhattan())


def test_the_file_is_plain_json(tmp_path):
    enrol(LATER).save(tmp_path / "t.json")
    text = (tmp_path / "t.json").read_text()
    record = json.loads(text)
    assert next(iter(record)) == "schema"
    assert len(text.splitlines()) == len(record) + 2
    assert record["samples"] == LATER.to_numpy().tolist()


@pytest.mark.parametrize("policy", ["leave-one-session-out", "prequential"])
@pytest.mark.parametrize(
    ("sessions", "came"), [(None, "no sessions are given"), ([7] * 100, "all samples are of one")]
)
def test_a_policy_of_sessions_needs_sessions(policy, sessions, came):
    with pytest.raises(InvalidParameterError, match=f"'{policy}' holds out .* {came}.* Give the"):
        enrol(TRAIN, policy=policy, sessions=sessions)


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_only_its_owner_can_read_a_template(tmp_path):
    path, other = tmp_path / "t.json", tmp_path / "other.json"
    template = enrol(TRAIN, verifier=ScaledManhattan())
    seen = []
    replace = type(path).replace

    def watched(part, target):
        seen.append(stat.S_IMODE(part.stat().st_mode))
        return replace(part, target)

    old_umask = os.umask(0)
    try:
        template.save(path)
        other.write_text("old")
        other.chmod(0o666)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(path), "replace", watched)
            template.save(other)
    finally:
        os.umask(old_umask)
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, other)] == [0o600, 0o600]
    assert seen == [0o600]


@pytest.mark.parametrize("name", ["subject", "Subject", "user", "participant_id"])
def test_a_frame_of_two_typists_is_not_one_template(name):
    table = TRAIN.assign(**{name: ["ann", "bob"] * 50})
    words = rf"the column '{name}' names 2 typists \(ann, bob\); a template is of one"
    with pytest.raises(EnrolmentError, match=words):
        enrol(table)
    one = enrol(table.assign(**{name: "ann"}), verifier=ScaledManhattan())
    assert one.n_samples == 100
