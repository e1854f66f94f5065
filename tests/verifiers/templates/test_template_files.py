"""Hostile templates: whatever a file holds, a valid template or `TemplateFileError`."""

import copy
import inspect
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from damage import at, fresh, places_of_data, replaced, replacements
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hawkeys._records import checksum_of
from hawkeys.datasets import join_timings
from hawkeys.exceptions import HawkeysError, TemplateFileError
from hawkeys.verifiers import (
    POHMM,
    Manhattan,
    ScaledManhattan,
    Template,
    enrol,
    load_template,
    verify_many,
)
from hawkeys.verifiers.templates._storable import known_verifiers

RNG = np.random.default_rng(7)


def typing(n_samples, n_keys=3):
    press = np.cumsum(0.2 * np.exp(0.3 * RNG.standard_normal((n_samples, n_keys))), axis=1)
    return join_timings(press, press + 0.1 * np.exp(0.2 * RNG.standard_normal(press.shape)))


TRAIN, OTHER = typing(60), typing(60)
TEMPLATE = enrol(TRAIN, verifier=ScaledManhattan())
RECORD = TEMPLATE.to_dict()


def signed(record):
    """The record with the checksum that a forger would give it."""
    return {**record, "checksum": checksum_of(record)}


def load(path, record):
    text = record if isinstance(record, str) else json.dumps(record)
    fresh(path).write_text(text, encoding="utf-8")
    return load_template(path)


def test_the_error_is_one_of_ours_and_a_value_error():
    assert issubclass(TemplateFileError, HawkeysError)
    assert issubclass(TemplateFileError, ValueError)


def with_field(name, value):
    return signed({**RECORD, name: value})


def without(name):
    return {key: value for key, value in RECORD.items() if key != name}


def one_interval(value):
    samples = copy.deepcopy(RECORD["samples"])
    samples[3][0] = value
    return with_field("samples", samples)


def parameters(**changes):
    return with_field("parameters", {**RECORD["parameters"], **changes})


NESTED = "[" * 100_000 + "]" * 100_000
REFUSED = {
    # not JSON
    "empty": ("", "is empty. Take an undamaged copy or enrol again"),
    "text": ("hello", "not a complete JSON file"),
    "truncated": (
        json.dumps(RECORD)[:-400],
        "not a complete JSON file .*Take an undamaged copy or enrol",
    ),
    "nested": (NESTED, "lists or objects 100000 deep; at most 32"),
    "nested field": (
        json.dumps(RECORD).replace('"policy": ', f'"policy": {NESTED}, "x": '),
        "lists or objects 100001 deep; at most 32",
    ),
    "NaN literal": (json.dumps({**RECORD, "threshold": float("nan")}), "NaN is no JSON number"),
    "Infinity": (json.dumps({**RECORD, "threshold": float("inf")}), "Infinity is no JSON number"),
    "long integer": ("1" * 5000, "not a complete JSON file"),
    # other kinds and schemas
    "list": ([RECORD], "schema 'hawkeys-template/1', which hawkeys .* reads; got a list of 1"),
    "number": ("17", "got 17"),
    "null": ("null", "got None"),
    "no schema": (without("schema"), "got None"),
    "a result": ({"schema": "hawkeys-fit/1"}, "got 'hawkeys-fit/1'"),
    "newer": (
        with_field("schema", "hawkeys-template/2"),
        "got 'hawkeys-template/2'. If a newer hawkeys wrote it, upgrade; otherwise enrol again",
    ),
    "long schema": (with_field("schema", "x" * 10**6), r"got 'x{60}'\.\.\.\. If"),
    "odd schema": (with_field("schema", "\x1b[2J\ud800"), r"got '\\x1b\[2J\\ud800'"),
    # fields
    "lacking": (without("samples"), "lacks the field 'samples'"),
    "no checksum": (without("checksum"), "lacks the field 'checksum'"),
    "additional": (with_field("code", "import os"), "has a field 'code', unlike every"),
    # types
    "threshold as text": (with_field("threshold", "-3"), "'threshold': .* decimal point; got '-3'"),
    "threshold as int": (with_field("threshold", -3), "'threshold': .* got -3"),
    "threshold true": (with_field("threshold", True), "'threshold': .* got True"),
    "overflow": (
        json.dumps(RECORD).replace(str(RECORD["threshold"]), "-1e999"),
        "'threshold': .* got -inf",
    ),
    "count": (with_field("n_samples", 60.0), "'n_samples': expected a whole number; got 60.0"),
    "wrong count": (with_field("n_samples", 59), "'n_samples' is of 59, the samples are 60"),
    "policy": (with_field("policy", "best"), "'policy': policy must be one of"),
    "policy list": (with_field("policy", ["x"]), "'policy': expected a printable .* list of 1"),
    "keys text": (with_field("keys", "abc"), "'keys': expected a list or null; got 'abc'"),
    "keys numbers": (with_field("keys", [1, 2, 3]), "'keys': expected a printable text"),
    "keys twice": (with_field("keys", ["a", "a", "b"]), "'keys': .* different names"),
    "keys too few": (with_field("keys", ["a", "b"]), "'keys' is of 2, .* of 3 keys"),
    "key escape": (with_field("keys", ["a", "\x1b[2J", "b"]), r"got '\\x1b\[2J'"),
    "sessions short": (with_field("sessions", [0, 1]), "'sessions' is of 2"),
    "sessions text": (with_field("sessions", ["a"] * 60), "'sessions': expected a whole number"),
    "sessions large": (with_field("sessions", [10**30] * 60), "'sessions': .* got 1000000"),
    "sessions negative": (with_field("sessions", [-1] * 60), "'sessions': sessions are numbered"),
    "versions": (with_field("versions", []), "'versions': expected at most 20"),
    "version": (with_field("versions", {"hawkeys": 1}), "'versions': expected a printable text"),
    "parameters": (with_field("parameters", []), "'parameters': expected named parameters"),
    # samples
    "samples null": (
        with_field("samples", None),
        "'samples': expected lists of intervals.* got None",
    ),
    "no samples": (with_field("samples", []), "'samples': expected lists .* got a list of 0"),
    "no intervals": (with_field("samples", [[]] * 60), "'samples': .*shape"),
    "samples object": (with_field("samples", {"a": 1}), "'samples': expected a list"),
    "samples flat": (with_field("samples", [1.0] * 60), "'samples': row 0 is not a list"),
    "ragged": (with_field("samples", [[0.1], [0.1, 0.2]]), "'samples': row 1 is not a list as"),
    "interval text": (one_interval("0.1"), "'samples': row 3: .* got '0.1'"),
    "interval null": (one_interval(None), "'samples': row 3: .* got None"),
    "interval true": (one_interval(True), "'samples': row 3: .* got True"),
    "interval int": (one_interval(10**400), "'samples': row 3: .* got 10000"),
    "interval nested": (one_interval([0.1]), "'samples': row 3: .* got a list of 1"),
    "interval negative": (one_interval(-0.1), "'samples': .* H.key1 is -0.1; H and DD must not"),
    "interval large": (one_interval(1e308), "'samples': .*"),
    "few": (with_field("samples", RECORD["samples"][:3]), "'samples': too-few-samples: 3"),
    "pasted": (with_field("samples", [[0.0] * 7] * 60), "'samples': not-typed"),
    "many": (with_field("samples", [[0.1]] * 2001), "'samples': too-many-samples: 2001"),
    # verifiers and parameters
    "unknown class": (with_field("verifier", "Best"), "verifier is 'Best'; expected one of .*Euc"),
    "import path": (with_field("verifier", "os.system"), "verifier is 'os.system'; expected one"),
    "scikit-learn": (with_field("verifier", "Pipeline"), "verifier is 'Pipeline'"),
    "abstract": (with_field("verifier", "OneClassVerifier"), "verifier is 'OneClassVerifier'"),
    "private": (with_field("verifier", "_DistanceToMean"), "verifier is '_DistanceToMean'"),
    "wrapper": (with_field("verifier", "HeldOutThreshold"), "verifier is 'HeldOutThreshold'"),
    "unknown parameter": (parameters(colour=1), "ScaledManhattan has no parameter 'colour'"),
    "dunder": (parameters(__class__="x"), "no parameter '__class__'"),
    "nested parameter": (
        parameters(scale={"a": 1}),
        "scale of ScaledManhattan must be .* got dict",
    ),
    "deep parameter": (parameters(scale=[["std"]]), "scale of ScaledManhattan must be .* got list"),
    "bad option": (parameters(scale="variance"), "cannot be trained .scale must be one of"),
    "list option": (
        parameters(scale=["std"]),
        "scale of ScaledManhattan must be str; got a list of 1",
    ),
    "bad share": (parameters(false_alarm=5), "cannot be trained .false_alarm must be one number"),
    "null share": (parameters(false_alarm=None), "false_alarm of .* must be float; got None"),
    "text share": (parameters(false_alarm="0.05"), "false_alarm of .* must be float; got '0.05'"),
    "text for a number of compiled code": (
        signed({**RECORD, "verifier": "RecencyNearestNeighbors", "parameters": {"clip": "2.5"}}),
        "clip of RecencyNearestNeighbors must be float; got '2.5'",
    ),
    "huge": (parameters(false_alarm=10**300), "false_alarm of ScaledManhattan is 10000"),
    "huge model": (
        signed({**RECORD, "verifier": "POHMM", "parameters": {"n_states": 10**9}}),
        "n_states of POHMM is 1000000000; a template takes whole numbers up to 100 there",
    ),
    # edits
    "checksum": ({**RECORD, "checksum": "0" * 64}, "damaged or edited: the checksum .* '0000"),
    "checksum type": ({**RECORD, "checksum": [1]}, "damaged or edited: .* a list of 1"),
    "threshold edited": ({**RECORD, "threshold": -99.0}, "damaged or edited: the checksum"),
    "threshold forged": (with_field("threshold", -99.0), "stored threshold is -99, its samples gi"),
    "samples swapped": (
        signed({**RECORD, "samples": OTHER.tolist()}),
        "damaged or edited: the stored threshold",
    ),
    "other verifier": (
        signed({**RECORD, "verifier": "Manhattan", "parameters": {}}),
        "damaged or edited: the stored threshold",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path, case):
    record, match = REFUSED[case]
    path = tmp_path / "t.json"
    with pytest.raises(TemplateFileError, match=f"(?s){match}") as caught:
        load(path, record)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert message.isascii()
    assert len(message) < 1000 + len(str(path))


def test_a_threshold_of_another_typist(tmp_path):
    other = enrol(OTHER, verifier=ScaledManhattan())
    assert other.threshold != TEMPLATE.threshold
    with pytest.raises(TemplateFileError, match="checksum"):
        load(tmp_path / "t.json", {**RECORD, "threshold": other.threshold})
    with pytest.raises(TemplateFileError, match="stored threshold"):
        load(tmp_path / "t.json", with_field("threshold", other.threshold))


def test_one_digit_of_one_interval(tmp_path):
    samples = copy.deepcopy(RECORD["samples"])
    samples[0][2] = np.nextafter(samples[0][2], 1.0)
    with pytest.raises(TemplateFileError, match="damaged or edited: the checksum"):
        load(tmp_path / "t.json", {**RECORD, "samples": samples})


def test_layout_and_order_of_fields_do_not_matter(tmp_path):
    text = json.dumps(dict(reversed(RECORD.items())), indent=4, sort_keys=True)
    assert load(tmp_path / "t.json", text).to_dict() == RECORD


def test_missing_parameters_take_their_defaults(tmp_path):
    """So that a parameter added to a verifier later does not break old templates."""
    again = load(tmp_path / "t.json", with_field("parameters", {"false_alarm": 0.05}))
    assert verify_many(again, OTHER) == verify_many(TEMPLATE, OTHER)


def test_paths_that_are_no_file(tmp_path):
    with pytest.raises(TemplateFileError, match=r"cannot be read \(No such file"):
        load_template(tmp_path / "none.json")
    with pytest.raises(TemplateFileError, match=r"cannot be read \(Is a directory"):
        load_template(tmp_path)
    with pytest.raises(TemplateFileError, match=r"is no path \(embedded null"):
        load_template("a\0b")
    with pytest.raises(TemplateFileError, match="is no path"):
        load_template("a\ud800")


def test_huge_files_are_not_read(tmp_path):
    path = tmp_path / "t.json"
    with path.open("wb") as file:
        file.truncate(2**40)  # a sparse file of a terabyte
    with pytest.raises(TemplateFileError, match="more than 16 MiB"):
        load_template(path)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no such device here")
def test_endless_files_are_not_read():
    with pytest.raises(TemplateFileError, match="more than 16 MiB"):
        load_template("/dev/zero")


def test_the_largest_template_can_be_read(tmp_path):
    """2,000 samples of 250 intervals, each written with all its digits."""
    samples = typing(2000, 84)
    assert samples.shape == (2000, 250)
    template = enrol(samples, verifier=Manhattan(), policy="resubstitution")
    template.save(tmp_path / "t.json")
    assert load_template(tmp_path / "t.json").threshold == template.threshold


@pytest.mark.parametrize("name", ["wave", "wave.open", "wave:open", "hawkeys.verifiers.Manhattan"])
def test_nothing_is_imported(tmp_path, monkeypatch, name):
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with pytest.raises(TemplateFileError, match=f"verifier is '{name}'"):
        load(tmp_path / "t.json", with_field("verifier", name))
    assert "wave" not in sys.modules


SAVED = Path(__file__).parents[2] / "reference" / "saved"
# What is allowed there, though the checksum is made to fit; the threshold must still be that of the
# samples. A parameter that is missing has its default, so that older templates can be read.
ALLOWED = [
    r"parameters\.\w+ absent",
    r"parameters\.(half_life|clock) nothing",
    r"parameters\.\w+ decimal",
    "sessions nothing",  # five blocks instead
]


def test_there_is_a_saved_template_of_every_verifier():
    saved = {path.stem.removeprefix("template-") for path in SAVED.glob("template-*.json")}
    assert saved == set(known_verifiers())


def test_parameters_of_verifiers_have_types():
    for name, kind in known_verifiers().items():
        for parameter in list(inspect.signature(kind.__init__).parameters.values())[1:]:
            assert parameter.annotation is not inspect.Parameter.empty, (name, parameter)


@pytest.mark.parametrize("name", known_verifiers())
def test_wrong_types_wrong_shapes_and_nothing(name, tmp_path):
    """At every place of a template of every verifier; of samples in the first two rows."""
    text = (SAVED / f"template-{name}.json").read_text(encoding="utf-8")
    record = json.loads(text)
    assert load(tmp_path / "t.json", text).to_dict() == record
    places = [path for path in places_of_data(record) if "samples" not in path[:-1]]
    places += [("samples", row, k) for row in (0, 1) for k in range(4)]
    loaded = []
    for path in places:
        for what, value in replacements(at(record, path)).items():
            damaged = replaced(record, path, value)
            with pytest.raises(TemplateFileError, match=r"t\.json"):
                load(tmp_path / "t.json", damaged)
            if survives(tmp_path / "t.json", json.dumps(signed(damaged)).encode()):
                loaded.append(f"{'.'.join(map(str, path))} {what}")
    assert [text for text in loaded if not any(re.fullmatch(p, text) for p in ALLOWED)] == []


def test_every_interval_of_a_template(tmp_path):
    for row, k in np.ndindex(TRAIN.shape):
        for value in (None, True, "0.1", 0, [0.1], float("nan")):
            with pytest.raises(TemplateFileError, match=f"row {row}|NaN is no JSON number"):
                load(tmp_path / "t.json", unsigned_sample(row, k, value))


def unsigned_sample(row, k, value):
    return replaced(RECORD, ("samples", row, k), value)


def test_names_that_are_there_twice(tmp_path):
    text = json.dumps(RECORD)
    twice = text.replace('"threshold":', '"threshold": -99.0, "threshold":', 1)
    with pytest.raises(TemplateFileError, match="an object has the name 'threshold' twice"):
        load(tmp_path / "t.json", twice)
    inside = text.replace('"false_alarm":', '"false_alarm": 0.5, "false_alarm":', 1)
    with pytest.raises(TemplateFileError, match="an object has the name 'false_alarm' twice"):
        load(tmp_path / "t.json", inside)


# Fuzzing: small templates, so that hundreds can be trained.
FIVE = np.repeat(range(5), 10)
SMALL = [
    enrol(TRAIN[:50], verifier=Manhattan(), policy="leave-one-session-out", sessions=FIVE),
    enrol(TRAIN[:50, :4], verifier=POHMM(keys=["a", "b"]), policy="prequential", sessions=FIVE),
    enrol(TRAIN[:50], policy="resubstitution", sessions=[0] * 20 + [1] * 30),
]
TEXTS = [json.dumps(template.to_dict()) for template in SMALL]
FUZZ = settings(
    derandomize=True,
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([0, 1, 2, 100, -0.0, 1e-300, 1e300, 10**18, "POHMM", "prequential", "std"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def survives(path, content):
    fresh(path).write_bytes(content)
    try:
        template = load_template(path)
    except TemplateFileError:
        return False
    assert isinstance(template, Template)
    assert len(verify_many(template, template.samples[:2])) == 2
    return True


def places(value, path=()):
    """Every place in a JSON value, but only the first three of each list."""
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value[:3]):
            yield from places(item, (*path, key))


@FUZZ
@given(data=st.data())
def test_fuzz_values(tmp_path, data):
    """Any value at any place, with a checksum that fits."""
    record = json.loads(data.draw(st.sampled_from(TEXTS)))
    for _ in range(data.draw(st.integers(1, 3))):
        change(record, data)
    if data.draw(st.booleans()):
        record = signed_if_possible(record)
    survives(tmp_path / "t.json", json.dumps(record).encode("utf-8", "surrogatepass"))


def change(record, data):
    found = [place for place in places(record) if place]
    if not found:
        return
    *parents, last = data.draw(st.sampled_from(found))
    target = record
    for key in parents:
        target = target[key]
    what = data.draw(st.sampled_from(["replace", "replace", "remove", "add"]))
    if what == "replace":
        target[last] = data.draw(VALUES)
    elif what == "remove":
        del target[last]
    elif isinstance(target, list):
        target.insert(last, data.draw(VALUES))
    else:
        target[data.draw(st.text(max_size=10))] = data.draw(VALUES)


def signed_if_possible(record):
    try:
        return signed(record)
    except ValueError:  # NaN has no JSON form
        return record


@FUZZ
@given(data=st.data())
def test_fuzz_parameters(tmp_path, data):
    """Any class with any parameters, with a checksum that fits."""
    known = known_verifiers()
    record = json.loads(data.draw(st.sampled_from(TEXTS[:2])))
    record["verifier"] = data.draw(st.sampled_from(sorted(known)))
    names = sorted(known[record["verifier"]]().get_params())
    value = SCALARS | st.lists(SCALARS, max_size=3) | st.floats(0, 10) | st.integers(-5, 20)
    record["parameters"] = data.draw(st.dictionaries(st.sampled_from(names), value, max_size=3))
    survives(
        tmp_path / "t.json",
        json.dumps(signed_if_possible(record)).encode("utf-8", "surrogatepass"),
    )


@FUZZ
@given(data=st.data())
def test_fuzz_bytes(tmp_path, data):
    """Bytes replaced, cut out, doubled and inserted."""
    content = bytearray(data.draw(st.sampled_from(TEXTS)).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(start + 40, len(content))))
        piece = data.draw(st.binary(max_size=8) | st.just(bytes(content[start:end]) * 2))
        content[start:end] = piece
    survives(tmp_path / "t.json", bytes(content))


@FUZZ
@given(content=st.binary(max_size=200) | VALUES.map(lambda v: json.dumps(v).encode()))
def test_fuzz_anything(tmp_path, content):
    assert not survives(tmp_path / "t.json", content)


@pytest.mark.parametrize("text", TEXTS)
def test_the_fuzzed_templates_are_valid(tmp_path, text):
    assert survives(tmp_path / "t.json", text.encode())
