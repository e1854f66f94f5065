"""Verifiers known by name."""

import numpy as np
import pytest
from sklearn.base import clone

from hawkeys.datasets import load_demo
from hawkeys.evaluation import (
    DEFAULT_VERIFIERS,
    PUBLISHED_COUNTS,
    PUBLISHED_FIGURES,
    VERIFIERS,
    make_verifiers,
)
from hawkeys.exceptions import HawkeysError, InvalidParameterError
from hawkeys.features import HawkesFeatures
from hawkeys.verifiers import POHMM, Euclidean, RecencyWeighted, ScaledManhattan

SAMPLES = load_demo(n_subjects=1)[:12].timings().to_numpy()


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


def settable():
    for name, verifier in make_verifiers(["all"]).items():
        for key in sorted(last(verifier).get_params(deep=False)):
            yield pytest.param(name, key, id=f"{name}:{key}")


# what no parameter of any verifier can be, and what some can
NEVER = ["True", "1j", "b'x'", "...", "1e400", "-1e400", "{}"]
RARELY = ["-1", "0", "5", "1.5", "-0.5", "1e308", "1e-320", "word", "nan", "''", "[]", "[1, 2]",
          "(1, 2)", "['a', 'b']", "10**6", "None", "=", "[[" * 5000]  # fmt: skip


# values such as 1e308 overflow on the way to an error or to a finite score
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.HawkeysWarning")
@pytest.mark.parametrize(("name", "key"), list(settable()))
def test_every_wrong_value_of_every_parameter_is_one_clear_error(name, key):
    """Refused when it is named, with the name of the parameter; or the verifier works with it."""
    for value in NEVER:
        with pytest.raises(InvalidParameterError, match=f"{name}:{key}=.*: .*{key}") as seen:
            make_verifiers([f"{name}:{key}={value}"])
        assert "\n" not in str(seen.value)
    for value in RARELY:
        spec = f"{name}:{key}={value}"
        try:
            detector = last(make_verifiers([spec])[spec])
            if hasattr(detector, "n_epochs"):
                detector.set_params(n_epochs=2)
            detector.fit(SAMPLES)
        except HawkeysError:
            continue
        assert np.isfinite(detector.offset_)
        assert np.isfinite(detector.score_samples(SAMPLES)).all()


def test_a_parameter_is_set_once():
    with pytest.raises(InvalidParameterError, match="sets n_states more than once; set it once"):
        make_verifiers(["pohmm:n_states=3:n_states=4"])


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        ("pohmm:keys=5", r"keys must be None or the event types .* \['a', 'b'\]; got 5"),
        ("practised-hawkes-likelihood:verifier=5", "verifier must be an outlier detector.*got '5'"),
        ("fuzzy-logic:spacing=1e-9", "half_width must be at most 1000 times spacing"),
        ("k-means:random_state=True", "random_state must be a non-negative int.*got True"),
        ("hawkes-likelihood:half_life=0", "half_life must be one positive number; got 0"),
        ("practised-recency-neighbors:ahead=-1", "ahead must be one number of at least 0; got -1"),
    ],
)
def test_parameters_are_checked_before_any_work(spec, match):
    with pytest.raises(InvalidParameterError, match=match):
        make_verifiers([spec])


def test_parameters_of_inner_verifiers_are_checked_too():
    outer = RecencyWeighted(ScaledManhattan(scale="wide"))
    with pytest.raises(InvalidParameterError, match=r"scale must be one of .* got 'wide'"):
        outer.fit(SAMPLES)


def test_a_threshold_beyond_floating_point_is_an_error():
    name = "recency-nearest-neighbors:min_interval=1e308"
    verifier = make_verifiers([name])[name]
    words = "gives the threshold nan on these samples: its parameters"
    with np.errstate(all="ignore"), pytest.raises(InvalidParameterError, match=words):
        verifier.fit(SAMPLES)
