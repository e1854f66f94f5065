"""Verifiers known by name."""

import pytest
from sklearn.base import clone

from hawkeys.evaluation import (
    DEFAULT_VERIFIERS,
    PUBLISHED_COUNTS,
    PUBLISHED_FIGURES,
    VERIFIERS,
    make_verifiers,
)
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
        assert len(entry.description) <= 48, "one line of the help at 80 columns"
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
        (["all", "pohmm"], {}, "unknown verifier 'all'"),
        (["pohmm:n_states"], {}, "'n_states' is no parameter of POHMM; write NAME=VALUE"),
        (["pohmm:states=3"], {}, "'states=3' is no parameter of POHMM.*max_iter, n_states"),
        (None, {"false_alarm": 5}, "false_alarm must be one number strictly between"),
        (None, {"random_state": -1}, "random_state must be at least 0"),
    ],
)
def test_bad_names_and_settings(names, options, match):
    with pytest.raises(InvalidParameterError, match=match):
        make_verifiers(names, **options)


def test_all_means_every_verifier():
    assert list(make_verifiers(["all"])) == list(VERIFIERS)


def test_parameters_behind_a_name_reach_the_detector():
    names = ["pohmm:n_states=3:smoothing=exp", "hawkes-scaled-manhattan:scale=mean_abs_deviation"]
    pohmm, scaled = make_verifiers(names).values()
    assert (pohmm.n_states, pohmm.smoothing) == (3, "exp")
    assert last(scaled).scale == "mean_abs_deviation"
    assert list(make_verifiers(names)) == names


def test_published_rows_belong_to_known_verifiers():
    assert set(PUBLISHED_FIGURES) <= set(VERIFIERS)
    assert set(PUBLISHED_COUNTS) <= set(DEFAULT_VERIFIERS)
    marked = [name for name, row in PUBLISHED_FIGURES.items() if row.remark]
    assert len(PUBLISHED_FIGURES) == 14
    assert "mahalanobis-normed" in marked
    assert "scaled-manhattan" not in marked
