"""Saved results: what was saved comes back, and what is damaged does not."""

import dataclasses
import json
import math
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from damage import ABSENT, at, fresh, places_of_data, replaced, replacements
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hawkeys
from hawkeys._records import DEEPEST, checksum_of, encode, seal
from hawkeys.exceptions import HawkeysError, ResultFileError
from hawkeys.results._saved import schema
from hawkeys.results.column_posterior import ColumnPosterior
from hawkeys.results.contrast import ContrastResult
from hawkeys.results.decay_profile import DecayProfile
from hawkeys.results.estimates import LikelihoodResult, VariationalResult
from hawkeys.results.rectified import RectifiedResult

SAVED = Path(__file__).parents[1] / "reference" / "saved"
FILES = {path.stem: path for path in sorted(SAVED.glob("[!t]*.json"))} | {
    "tied": SAVED / "tied.json"
}
# one of every structure
KINDS = [
    "mle",
    "estimate",
    "grid-by-source",
    "mixture-tied",
    "log-normal-groups",
    "gamma",
    "histogram-given",
    "map-GroupLasso",
    "periodic-map",
    "least-squares",
    "vi-sparse",
    "vi-steps",
    "vi-stochastic",
    "vi-branching-tied",
    "vi-branching-log-normal",
    "rectified-estimate",
]


def today(name):
    """The record of a saved result as it is saved today, without its checksum."""
    record = json.loads(json.dumps(hawkeys.load_result(FILES[name]).to_dict()))
    del record["checksum"]
    return record


def signed(record):
    """The record with a checksum that fits, so that the checks of its fields stand alone."""
    return {**record, "checksum": checksum_of(record)}


def load(path, record):
    fresh(path).write_text(json.dumps(record), encoding="utf-8")
    return hawkeys.load_result(path)


@pytest.mark.parametrize("name", FILES)
def test_files_of_the_first_version_are_read(name):
    """Nothing but the schema differs, and what fields that came later stand for."""
    old, new = json.loads(FILES[name].read_text(encoding="utf-8")), today(name)
    assert new.pop("schema") == old.pop("schema").replace("/1", "/2")
    if name == "least-squares-impossible":
        assert (old.pop("log_likelihood"), new.pop("log_likelihood")) == (None, "-inf")
    for path, value in schema.ADDED.items():
        if schema.ONLY_OF.get(path, new.get("kind")) != new.get("kind"):
            continue
        parent, _, field = path.rpartition(".")
        holder = new if not parent else new[parent] if new.get(parent) else {field: value}
        assert holder.pop(field) == value
    for holder in (new, new.get("column_posterior") or {}):
        if "location" in holder.get("posterior", {}):
            assert holder["posterior"].pop("switched_off") is None
    if new.get("method") == "vi" and new["options"]["relevance_determination"]:
        assert new["options"]["prior_coefficient"] is None  # it was there, and not used
        new["options"]["prior_coefficient"] = old["options"]["prior_coefficient"]
    assert new == old


@pytest.mark.parametrize("name", FILES)
def test_what_is_saved_comes_back(name, tmp_path):
    result = hawkeys.load_result(FILES[name])
    result.save(tmp_path / "fit.json")
    again = hawkeys.load_result(tmp_path / "fit.json")
    assert type(again) is type(result)
    assert again.to_dict() == result.to_dict()
    for field in dataclasses.fields(result):
        one, two = getattr(result, field.name), getattr(again, field.name)
        assert type(one) is type(two), field.name
        if isinstance(one, np.ndarray):
            assert type(two) is np.ndarray
            assert one.dtype == two.dtype
    assert load(tmp_path / "other.json", result.to_dict()).to_dict() == result.to_dict()


def test_layout_and_order_do_not_matter(tmp_path):
    record = signed(today("mle"))
    text = json.dumps(dict(reversed(record.items())), indent=3)
    (tmp_path / "fit.json").write_text(text, encoding="utf-8")
    assert hawkeys.load_result(tmp_path / "fit.json").to_dict() == record


def test_the_lines_of_a_file_are_its_canonical_text(tmp_path):
    result = hawkeys.load_result(FILES["vi-sparse"])
    result.save(tmp_path / "fit.json")
    text = (tmp_path / "fit.json").read_text(encoding="utf-8")
    assert text == seal(today("vi-sparse"))
    assert text.isascii()
    record = json.loads(text)
    canonical = json.dumps(
        {key: record[key] for key in record if key != "checksum"},
        sort_keys=True,
        separators=(",", ":"),
    )
    first, second, rest = text.split("\n", 2)
    assert (first, second) == ("{", f'"checksum":"{record["checksum"]}",')
    assert "{" + rest.replace("\n", "") == canonical


def test_every_field_is_in_the_schema():
    for kind, record in {
        LikelihoodResult: schema.LikelihoodRecord,
        VariationalResult: schema.VariationalRecord,
        ContrastResult: schema.ContrastRecord,
        RectifiedResult: schema.RectifiedRecord,
        DecayProfile: schema.DecayProfileRecord,
        ColumnPosterior: schema.ColumnPosteriorRecord,
    }.items():
        names = [field.name for field in dataclasses.fields(kind)]
        assert sorted(names) == sorted(record.__struct_fields__), kind


# Of a file that somebody signs again, what cannot be told from another result of the same kind.
AMBIGUOUS = [
    r"kernel_std_err\.\w+(\.\d+\.\d+)? nothing",  # a standard error that does not exist
    r"kernel_std_err\.\w+\.\d+\.\d+ list",
    r"options\.(support|weights) absent",  # they need not be given
    r"options\.(support|start|kernel_prior|n_draws) nothing",
    r"decay_profile\.bounds nothing",  # of version 0.1
    "unit absent",  # of files saved before results had one
    r"(column_posterior\.)?posterior\.switched_off absent",
    r"options\.groups\.\d+\.\d+ decimal",
    r"options\.prior\.groups\.\d+\.\d+ decimal",
    r"options\.prior\.strength number",  # one for all pairs
    r"options\.(prior\.|kernel_prior\.)?\w+ decimal",  # 10.0 for 10
]

UNTRACED = r"trace( short|\.\d+ absent)"  # of "vi", whose steps need not all have a bound


@pytest.mark.parametrize("name", KINDS)
def test_wrong_types_wrong_shapes_and_nothing(name, tmp_path):
    """At every place of every kind of result, though the checksum fits."""
    record = today(name)
    loaded, n = [], 0
    for path in places_of_data(record):
        for what, value in replacements(at(record, path)).items():
            n += 1
            try:
                load(tmp_path / "fit.json", signed(replaced(record, path, value)))
            except ResultFileError as error:
                message = str(error)
                assert message.endswith("Take an undamaged copy, or fit and save again.")
                assert message.isascii()
                assert len(message) < 1000
            else:
                loaded.append(f"{'.'.join(map(str, path))} {what}")
    assert n > 300
    known = [*AMBIGUOUS, *([UNTRACED] if name in ("vi-sparse", "vi-steps") else [])]
    assert [text for text in loaded if not any(re.fullmatch(p, text) for p in known)] == []
    assert len(loaded) <= 0.02 * n


@pytest.mark.parametrize("name", KINDS)
def test_one_value_for_another(name, tmp_path):
    """A number, a truth or a text that changed is found by the checksum, wherever it is."""
    record = signed(today(name))
    for path in [path for path in places_of_data(record) if len(path) < 6]:
        value = at(record, path)
        if isinstance(value, bool):
            other = not value
        elif isinstance(value, int):
            other = value + 1
        elif isinstance(value, float):
            other = float(np.nextafter(value, math.inf))
        else:
            continue
        with pytest.raises(ResultFileError, match=r"undamaged copy, or fit and save again\."):
            load(tmp_path / "fit.json", replaced(record, path, other))


def test_the_checksum_alone_finds_a_digit(tmp_path):
    result = hawkeys.load_result(FILES["mle"])
    result.save(tmp_path / "fit.json")
    text = (tmp_path / "fit.json").read_text(encoding="utf-8")
    value = repr(float(result.process.adjacency[0, 0]))
    other = value[:-1] + ("1" if value[-1] == "2" else "2")
    (tmp_path / "fit.json").write_text(text.replace(value, other, 1), encoding="utf-8")
    with pytest.raises(ResultFileError, match="damaged or edited: the checksum of its content"):
        hawkeys.load_result(tmp_path / "fit.json")


def change(name, **fields):
    """Return a signed record with other fields, named with __ for a dot."""
    record = today(name)
    for path, value in fields.items():
        record = replaced(record, tuple(path.split("__")), value)
    return signed(record)


DISAGREE = {
    "one mark, estimates of two": (
        change(
            "mle",
            process={
                "baseline": [0.5],
                "adjacency": [[0.1]],
                "kernel": {"name": "exponential", "decay": 1.5},
                "mark_names": ["a"],
            },
        ),
        r"field identified: the other fields ask for the shape \(1, 2\), and it has \(2, 3\)",
    ),
    "counts": (change("mle", event_counts=[43, 24, 3]), "event_counts: .* shape .2,., and it has"),
    "negative count": (change("mle", event_counts=[-43, 24]), "event_counts: a count is negative"),
    "log-likelihood": (change("mle", log_likelihood=-64.0), "log_likelihood: by 'mle' it is what"),
    "impossible": (change("mle", log_likelihood="-inf"), "log_likelihood: no event is impossible"),
    "infinite": (change("mle", log_likelihood="inf"), "log_likelihood: is infinite"),
    "objective": (change("map", objective=-64.0), "objective: the trace ends at -69"),
    "trace": (
        change("mle", trace=today("mle")["trace"][1:]),
        "trace: 6 values are expected of 6 st",
    ),
    "kernel parameters": (change("mle", n_kernel_parameters=1), "n_kernel_parameters: 0 at most"),
    "missing kernel parameters": (
        change("estimate", n_kernel_parameters=ABSENT),
        "lacks the field 'n_kernel_parameters'",
    ),
    "missing columns": (change("tied", columns=ABSENT), "lacks the field 'columns'"),
    "no columns": (change("tied", columns=None), "columns: is null exactly of a plain model"),
    "columns of a plain model": (
        change("mle", columns=today("tied")["columns"]),
        "columns: is null exactly of a plain model",
    ),
    "columns of others": (
        change("tied", columns__estimates=[[0.5] * 4]),
        "columns.estimates: are not those of the process",
    ),
    "map": (
        change("tied", columns__map__baseline=[[0], [99]]),
        "columns.map: an index is outside",
    ),
    "names": (change("mle", process__mark_names=["a", "a"]), "process: mark_names must be one or"),
    "negative rate": (change("mle", process__baseline=[-1.0, 1.0]), "baseline must not be negat"),
    "decay of three": (
        change("mle", process__kernel__decay=[1.0, 2.0, 3.0]),
        r"field process: decay has shape \(3,\) but there are 2 marks",
    ),
    "decay": (
        change("estimate", process__kernel__decay=1.0),
        "decay_profile: its best candidate is not the decay of process.kernel",
    ),
    "no profile": (change("estimate", decay_profile=None), "n_kernel_parameters: 0 at most"),
    "no profile, no parameter": (
        change("estimate", decay_profile=None, n_kernel_parameters=0),
        "decay_profile: it and options",
    ),
    "selection": (
        change("estimate", decay_profile__selection="cross-validation"),
        "selection: options say 'likelihood'",
    ),
    "held": (
        change("estimate", decay_profile__limit="burst", decay_profile__bounds=[0.1, 9.0]),
        "identified: is true where decay_profile has no estimate",
    ),
    "support": (
        change("mle-by-source", options__support=[[False, True], [True, True]]),
        "process.adjacency: is not 0 outside options.support",
    ),
    "weights": (change("mle-by-source", options__weights=[1.0]), r"weights: .* shape \(2,\), and"),
    "asymmetric": (
        change("mle", information=[[[3.0, 1.0, 1.0], [2.0, 3.0, 1.0], [1.0, 1.0, 3.0]]] * 2),
        "information: is not symmetric",
    ),
    "no variance": (
        change("least-squares", noise=[[[-1.0, 0.0, 0.0], [0.0] * 3, [0.0] * 3]] * 2),
        "noise: a diagonal entry is negative",
    ),
    "gap": (change("vi-stochastic", optimality_gap=0.1), "optimality_gap: is null exactly of"),
    "mean": (
        change("vi-steps", posterior__location=[[0.0] * 4] * 2),
        "field posterior: its mean is not the estimate",
    ),
    "blank": (
        change("vi-steps", posterior__scale=[[0.1, 0.1, 0.1, None]] * 2),
        "field posterior.scale: null is where a parameter is known",
    ),
    "posterior of another kind": (
        change("vi-sparse", posterior=today("vi-branching-sparse")["posterior"]),
        "posterior: expected location and scale",
    ),
    "method": (change("mle", method="vi"), "field method: invalid enum value 'vi'"),
    "kind": (change("mle", kind="best"), "field kind: invalid value 'best'"),
    "another kind": (change("mle", kind="contrast"), "field |lacks|has the field"),
    "unknown name": (change("mle", extra=1.0), "has the field 'extra', unlike every such result"),
    "unknown kernel": (change("mle", process__kernel__name="x"), "process.kernel.name: invalid"),
    "time": (change("mle", total_time=-1.0), "total_time: must be above 0, is -1"),
    "at bound": (
        change("rectified-estimate", at_bound=[[True] * 3] * 2),
        "at_bound: a parameter that is not identified, or above its bound",
    ),
    "decays": (
        change("rectified", decay_identified=[True, False]),
        "decay_identified: no decay was estimated",
    ),
    "rectified likelihood": (
        change("rectified", log_likelihood=-1.0),
        "log_likelihood: the trace ends at -64",
    ),
}


@pytest.mark.parametrize("case", DISAGREE)
def test_fields_that_do_not_agree(case, tmp_path):
    record, message = DISAGREE[case]
    with pytest.raises(ResultFileError, match=message):
        load(tmp_path / "fit.json", record)


TEXT = FILES["mle"].read_text(encoding="utf-8")
NEW = seal(today("mle"))


def reported(text, old, new):
    assert old in text
    return text.replace(old, new, 1)


FIRST = {
    "true": (reported(TEXT, '"log_likelihood": -64', '"log_likelihood": true, "x": -64'), "true|x"),
    "a likelihood that is true": (
        re.sub(r'"log_likelihood": [-\d.]+', '"log_likelihood": true', TEXT),
        r"log_likelihood: expected a number .* the text inf or -inf, got True",
    ),
    "null": (
        re.sub(r'"log_likelihood": [-\d.]+', '"log_likelihood": null', TEXT),
        "log_likelihood: no event is impossible",
    ),
    "no": (reported(TEXT, '"converged": true', '"converged": "no"'), "converged: .*bool.*'no'"),
    "twice": (
        reported(TEXT, '"converged": true', '"converged": false, "converged": true'),
        "not a complete JSON file .an object has the name 'converged' twice",
    ),
    "checksum": (
        reported(TEXT, '"schema"', '"checksum": "0", "schema"'),
        "has the field 'checksum', unlike all files of schema 'hawkeys-fit/1'",
    ),
}
DAMAGED = {
    "empty": (b"", r"is empty\. Take an undamaged copy, or fit and save again"),
    "blank": (b" \n", "is empty"),
    "truncated": (NEW[:900].encode(), "is not a complete JSON file"),
    "one byte less": (NEW[:-3].encode(), "is not a complete JSON file"),
    "two files": ((NEW + NEW).encode(), "is not a complete JSON file .Extra data"),
    "binary": (bytes(range(256)) * 9, "is not a complete JSON file .'utf-8' codec"),
    "utf-16": (NEW.encode("utf-16"), "is not a complete JSON file .'utf-8' codec"),
    "latin-1": (TEXT.replace("\\u00df", "\xdf").encode("latin-1"), "'utf-8' codec can't decode"),
    "mark of order": (NEW.encode("utf-8-sig"), "is not a complete JSON file .*BOM"),
    "csv": (b"mark,time\n0,1\n", "is not a complete JSON file"),
    "deep": (b"[" * 10**6 + b"]" * 10**6, f"lists or objects 1000000 deep; at most {DEEPEST} are"),
    "deep objects": (b'{"a":' * 10**5, "lists or objects 100000 deep"),
    "deep field": (
        NEW.replace('"message":', '"message":' + "[" * 999 + "]" * 999 + ',"x":').encode(),
        "lists or objects 1000 deep",
    ),
    "NaN": (re.sub(r'"total_time":[\d.]+', '"total_time":NaN', NEW).encode(), "NaN is no JSON"),
    "Infinity": (
        re.sub(r'"total_time":[\d.]+', '"total_time":Infinity', NEW).encode(),
        "Infinity is no JSON number",
    ),
    "overflow": (
        re.sub(r'"total_time":[\d.]+', '"total_time":1e999', NEW).encode(),
        "total_time: expected a finite number with a decimal point, got inf",
    ),
    "overflow in a list": (
        re.sub(r'"trace":\[[-\d.]+', '"trace":[1e999', NEW).encode(),
        "trace: a number is too large to be one",
    ),
    "long number": (b'{"schema":' + b"1" * 5000 + b"}", "is not a complete JSON file"),
    "list": (b"[1]", "holds schema a list of 1; hawkeys .* reads .*'hawkeys-fit/2' and"),
    "null": (b"null", "holds schema None"),
    "no schema": (b"{}", "holds schema None"),
    "odd schema": (b'{"schema": ["hawkeys-fit/2"]}', "holds schema a list of 1"),
    "newer": (NEW.replace("fit/2", "fit/3").encode(), "'hawkeys-fit/3'; .* upgrade; otherwise fit"),
    "template": (
        (SAVED / "template-Manhattan.json").read_bytes(),
        "holds schema 'hawkeys-template/1'",
    ),
    "no checksum": (
        re.sub(r'"checksum":"\w+",\n', "", NEW).encode(),
        "lacks the field 'checksum' of all files of schema 'hawkeys-fit/2'",
    ),
    "checksum of a number": (
        re.sub(r'"checksum":"\w+"', '"checksum":1', NEW).encode(),
        "damaged or edited: .* the stored one 1",
    ),
    "name with escapes": (
        NEW.replace('"kind"', '"\\u001b[2J\\ud800"').encode(),
        r"has the field '\\x1b|lacks the field 'kind'",
    ),
} | {name: (text.encode(), message) for name, (text, message) in FIRST.items()}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_files(case, tmp_path):
    content, message = DAMAGED[case]
    path = tmp_path / "fit.json"
    path.write_bytes(content)
    with pytest.raises(ResultFileError, match=f"(?s){message}") as caught:
        hawkeys.load_result(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).isascii()
    assert len(str(caught.value)) < 1000


def test_brackets_in_text_are_not_nested(tmp_path):
    events = hawkeys.Events.from_lists([[[1.0, 2.0]]], end_times=3.0, mark_names=['\\"[' * 99])
    result = hawkeys.fit(events, decay=1.0)
    result.save(tmp_path / "fit.json")
    assert hawkeys.load_result(tmp_path / "fit.json").to_dict() == result.to_dict()


def test_paths_that_are_no_file(tmp_path):
    with pytest.raises(ResultFileError, match=r"cannot be read \(No such file.*Check the path"):
        hawkeys.load_result(tmp_path / "none.json")
    with pytest.raises(ResultFileError, match=r"cannot be read \(Is a directory"):
        hawkeys.load_result(tmp_path)
    with pytest.raises(ResultFileError, match=r"is no path \(embedded null"):
        hawkeys.load_result("a\0b")


def test_huge_files_are_not_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr("hawkeys.results.files._MOST_BYTES", 2**20)
    with (tmp_path / "fit.json").open("wb") as file:
        file.truncate(2**20 + 1)
    with pytest.raises(ResultFileError, match="has more than 1 MiB, which no such file has"):
        hawkeys.load_result(tmp_path / "fit.json")


def test_numbers_of_numpy_among_the_options(tmp_path):
    fitted = hawkeys.fit(
        [[0.5, 1.0, 2.5]],
        decay=1.0,
        end_time=4.0,
        max_iter=np.int64(50),
        tolerance=np.float64(1e-6),
    )
    fitted.save(tmp_path / "fit.json")
    assert hawkeys.load_result(tmp_path / "fit.json").options["max_iter"] == 50


def test_what_json_has_no_number_for():
    record = {"a": np.array([1.0, np.nan, np.inf]), "b": -math.inf, "c": np.float64("nan")}
    record |= {"d": np.array([[1, 2]]), "e": np.array([True]), "f": np.array(["x", None])}
    assert encode(record) == {
        "a": [1.0, None, "inf"],
        "b": "-inf",
        "c": None,
        "d": [[1, 2]],
        "e": [True],
        "f": ["x", None],
    }


def test_a_gap_that_is_not_known_comes_back(tmp_path):
    """Expectation-maximisation that was stopped before two steps could be compared."""
    events = hawkeys.Events.from_lists([[[1.0, 2.0, 2.5, 6.0], [9.0, 9.5]]], end_times=10.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = hawkeys.fit(events, kernel=hawkeys.kernels.LogNormal(), max_iter=1)
    result = dataclasses.replace(result, optimality_gap=math.inf, converged=False)
    result.save(tmp_path / "fit.json")
    assert hawkeys.load_result(tmp_path / "fit.json").optimality_gap == math.inf


@settings(
    derandomize=True,
    deadline=None,
    max_examples=400,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_bytes_that_change(tmp_path, data):
    """Bytes replaced, cut out, doubled and inserted: the same result, or a `ResultFileError`."""
    content = bytearray(NEW.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(start + 40, len(content))))
        piece = data.draw(st.binary(max_size=8) | st.just(bytes(content[start:end]) * 2))
        content[start:end] = piece
    fresh(tmp_path / "fit.json").write_bytes(content)
    try:
        found = hawkeys.load_result(tmp_path / "fit.json")
    except ResultFileError:
        return
    assert found.to_dict() == signed(today("mle"))


def test_reading_is_not_paid_for_by_fitting():
    code = (
        "import sys, hawkeys; hawkeys.fit([[0.5, 1.0]], decay=1.0, end_time=2.0); "
        "hawkeys.load_result; sys.exit('msgspec' in sys.modules)"
    )
    where = {**os.environ, "PYTHONPATH": str(Path(hawkeys.__file__).parents[1])}
    assert subprocess.run([sys.executable, "-c", code], env=where, check=False).returncode == 0


def test_the_error_is_one_of_ours_and_a_value_error():
    assert issubclass(ResultFileError, HawkeysError)
    assert issubclass(ResultFileError, ValueError)
