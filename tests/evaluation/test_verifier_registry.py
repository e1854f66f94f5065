"""Verifiers known by name."""

import pytest
from sklearn.base import clone

from hawkeys.evaluation import DEFAULT_VERIFIERS, VERIFIERS, make_verifiers
from hawkeys.exceptions import InvalidParameterError
from hawkeys.features import HawkesFeatures
from hawkeys.verifiers import POHMM, Euclidean, ScaledManhattan


def last(verifier):
    return verifier.steps[-1][1] if hasattr(verifier, "steps") else verifier


def test_defaults_are_the_rows_of_the_published_table():
    verifiers = make_verifiers()
    assert tuple(verifiers) == DEFAULT_VERIFIERS
    raw, pohmm, scaled, euclidean = verifiers.values()
    assert isinstance(raw, ScaledManhattan)
    assert isinstance(pohmm, POHMM)
    assert isinstance(last(scaled), ScaledManhattan)
    assert isinstance(last(euclidean), Euclidean)
    assert last(euclidean).definition == "l1"
    assert raw.scale == last(scaled).scale == "std"
    for pipeline in (scaled, euclidean):
        assert isinstance(pipeline.steps[0][1], HawkesFeatures)
        assert len(pipeline.steps) == 2


def test_published_features_on_request():
    features = make_verifiers(["hawkes-euclidean"], published=True)["hawkes-euclidean"].steps[0][1]
    published = HawkesFeatures.published(random_state=0)
    assert repr(features.get_params()) == repr(published.get_params())


def test_settings_reach_every_verifier():
    for name, verifier in make_verifiers(list(VERIFIERS), false_alarm=0.1).items():
        assert last(verifier).false_alarm == 0.1, name
    seeded = make_verifiers(["hawkes-euclidean"], random_state=7)["hawkes-euclidean"]
    assert seeded.steps[0][1].random_state == 7


def test_entries_are_complete_and_make_fresh_estimators():
    for name, entry in VERIFIERS.items():
        assert entry.name == name
        assert len(entry.description) <= 52, "one line of the help at 80 columns"
        assert entry.reference
        one, two = (make_verifiers([name])[name] for _ in range(2))
        assert one is not two
        assert repr(clone(one)) == repr(two)


def test_order_is_kept():
    assert list(make_verifiers(["pohmm", "manhattan"])) == ["pohmm", "manhattan"]


@pytest.mark.parametrize(
    ("names", "options", "match"),
    [
        (["manhatan"], {}, "unknown verifier 'manhatan'; known ones: raw-scaled-manhattan, pohmm"),
        (["manhattan", "manhattan"], {}, "'manhattan' is named twice"),
        ([], {}, "no verifier named; choose from: raw-scaled"),
        (None, {"false_alarm": 5}, "false_alarm must be one number strictly between"),
        (None, {"random_state": -1}, "random_state must be at least 0"),
    ],
)
def test_bad_names_and_settings(names, options, match):
    with pytest.raises(InvalidParameterError, match=match):
        make_verifiers(names, **options)
