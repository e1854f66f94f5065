"""Templates that know what other typists are like."""

import json

import numpy as np
import pytest

from hawkeys._records import checksum_of
from hawkeys.datasets import load_demo
from hawkeys.exceptions import EnrolmentWarning, InvalidParameterError, TemplateFileError
from hawkeys.verifiers import (
    Background,
    BackgroundRatio,
    Manhattan,
    enrol,
    load_template,
    verify_many,
)

DEMO = load_demo(n_subjects=7)
X = DEMO.timings().to_numpy()
OWN, *OTHERS = (X[DEMO.subject == name] for name in DEMO.subjects)


@pytest.fixture(name="template", scope="module")
def _template():
    with pytest.warns(EnrolmentWarning, match="too-few-samples"):
        return enrol(OWN[:8], background=OTHERS)


def test_it_comes_back_bit_by_bit(template, tmp_path):
    template.save(tmp_path / "t.json")
    again = load_template(tmp_path / "t.json")
    assert again.to_dict() == template.to_dict()
    assert (again.verifier, again.background.n_typists) == ("BackgroundRatio", 6)
    scores = [[one.score for one in verify_many(each, X[::100])] for each in (template, again)]
    assert scores[0] == scores[1]
    prior = Background.of(OTHERS, 8)
    expected = BackgroundRatio(background=prior).fit(OWN[:8]).score_samples(X[::100])
    assert scores[0] == pytest.approx(expected.tolist())
    assert again.background.level.tolist() == prior.level.tolist()


def test_without_a_background_the_file_has_none(tmp_path):
    with pytest.warns(EnrolmentWarning):
        template = enrol(OWN[:8], verifier=BackgroundRatio())
    assert template.background is None
    assert "background" not in template.to_dict()
    assert "background" not in template.parameters
    template.save(tmp_path / "t.json")
    assert load_template(tmp_path / "t.json").threshold == template.threshold


def test_a_verifier_that_has_one_keeps_it():
    with pytest.warns(EnrolmentWarning):
        one = enrol(OWN[:8], verifier=BackgroundRatio(background=OTHERS))
    with pytest.warns(EnrolmentWarning):
        two = enrol(OWN[:8], background=OTHERS)
    assert one.to_dict() == two.to_dict()
    with pytest.raises(InvalidParameterError, match="Manhattan learns nothing from other typists"):
        enrol(OWN[:8], verifier=Manhattan(), background=OTHERS)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("level", [0.1] * 20, "must be a list of 2 K - 1 finite numbers"),
        ("first", [0.1] * 20, "first must be a list of 2 K - 1 finite numbers"),
        ("first", ["a"] * 21, "first must be a list of 2 K - 1 finite numbers"),
        ("within_variance", [-1.0] * 21, "within_variance"),
        ("everyone_variance", [0.0] * 21, "everyone_variance"),
        ("degrees", 0.0, "degrees"),
        ("degrees", None, "degrees"),
        ("half_life", -1.0, "half_life"),
        ("half_life", 30.0, "half_life=30"),
        ("n_typists", 1.5, "n_typists"),
        ("n_samples", -1, "n_samples"),
        ("unheard", 1, "background must have the values n_typists"),
    ],
)
def test_damaged_laws_are_refused(template, tmp_path, name, value, message):
    record = template.to_dict()
    del record["checksum"]
    record["background"] = {**record["background"], name: value}
    record["checksum"] = checksum_of(record)
    path = tmp_path / "t.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(TemplateFileError, match=message):
        load_template(path)


@pytest.mark.parametrize("value", [None, [], 3, "x"])
def test_something_else_is_refused(template, tmp_path, value):
    record = {**template.to_dict(), "background": value}
    del record["checksum"]
    record["checksum"] = checksum_of(record)
    (tmp_path / "t.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(TemplateFileError, match="background must have the values"):
        load_template(tmp_path / "t.json")


def test_laws_of_another_text_are_refused(template, tmp_path):
    record = template.to_dict()
    del record["checksum"]
    short = {name: value[:5] if np.size(value) > 1 else value
             for name, value in record["background"].items()}  # fmt: skip
    record["background"] = short
    record["checksum"] = checksum_of(record)
    (tmp_path / "t.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(TemplateFileError, match="background is of 3 keys, the samples are of 11"):
        load_template(tmp_path / "t.json")
