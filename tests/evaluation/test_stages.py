"""Stateless steps are run once, shared, and never on rows that nobody uses."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler

from hawkeys.evaluation.stages import check_verifiers, prepare
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import Manhattan

X = np.random.default_rng(0).uniform(1, 2, size=(7, 3))
FRAME = pd.DataFrame(X, columns=["a", "b", "c"])


class Counting(TransformerMixin, BaseEstimator):
    """A stateless transformer that counts its calls over all instances."""

    calls = 0

    def __init__(self, factor=1.0, offsets=None):
        self.factor = factor
        self.offsets = offsets

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        type(self).calls += 1
        return np.asarray(X) * self.factor


@pytest.fixture(autouse=True)
def _reset():
    Counting.calls = 0


def stages_of(**verifiers):
    return prepare(verifiers, FRAME)


def test_plain_verifiers_see_the_timings():
    stages, representations = stages_of(one=Manhattan(), two=Manhattan())
    assert [(stage.name, stage.representation) for stage in stages] == [("one", 0), ("two", 0)]
    assert representations[0].columns == ("a", "b", "c")
    np.testing.assert_array_equal(representations[0].values, X)
    assert representations[0].verifiers == ("one", "two")
    assert representations[0].label == "raw timings"


def test_equal_stateless_steps_run_once():
    stages, representations = stages_of(
        one=make_pipeline(Counting(2.0), Manhattan()),
        two=make_pipeline(Counting(2.0), StandardScaler(), Manhattan()),
        three=make_pipeline(Counting(3.0), Manhattan()),
    )
    assert Counting.calls == 2
    assert [stage.representation for stage in stages] == [0, 0, 1]
    assert isinstance(stages[0].estimator, Manhattan)
    assert [type(step).__name__ for _, step in stages[1].estimator.steps] == [
        "StandardScaler",
        "Manhattan",
    ]
    np.testing.assert_array_equal(representations[0].values, 2 * X)
    assert representations[0].label == "Counting"
    assert representations[0].columns == ("x0", "x1", "x2")


def test_a_common_beginning_is_shared():
    stages_of(
        one=make_pipeline(Counting(2.0), Manhattan()),
        two=make_pipeline(Counting(2.0), Normalizer(), Manhattan()),
        three=make_pipeline(Counting(2.0), Normalizer(), Manhattan()),
    )
    assert Counting.calls == 1


@pytest.mark.parametrize(
    ("one", "two", "n_calls"),
    [
        (np.arange(3), np.arange(3), 1),
        (np.arange(3), np.arange(4), 2),
        (Normalizer("l1"), Normalizer("l1"), 1),
        (Normalizer("l1"), Normalizer("l2"), 2),
        (1, 1.0, 2),
        (None, 0, 2),
    ],
)
def test_parameters_are_compared_by_content(one, two, n_calls):
    stages_of(
        one=make_pipeline(Counting(offsets=one), Manhattan()),
        two=make_pipeline(Counting(offsets=two), Manhattan()),
    )
    assert Counting.calls == n_calls


def test_steps_that_learn_are_never_run_ahead():
    stages, representations = stages_of(
        one=make_pipeline(StandardScaler(), Counting(), Manhattan())
    )
    assert Counting.calls == 0
    assert len(stages[0].estimator.steps) == 3
    np.testing.assert_array_equal(representations[0].values, X)


class Untagged:
    """A transformer that knows nothing of scikit-learn's tags."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        raise AssertionError("run ahead of training")


def test_steps_without_tags_are_taken_to_learn():
    stages, _ = stages_of(one=Pipeline([("plain", Untagged()), ("last", Manhattan())]))
    assert len(stages[0].estimator.steps) == 2


def test_passthrough_steps_are_skipped():
    pipeline = Pipeline([("none", "passthrough"), ("count", Counting(2.0)), ("last", Manhattan())])
    stages, representations = stages_of(one=pipeline)
    assert isinstance(stages[0].estimator, Manhattan)
    np.testing.assert_array_equal(representations[0].values, 2 * X)


def test_names_of_columns_come_from_the_step():
    _, (representation,) = stages_of(
        one=make_pipeline(FunctionTransformer(feature_names_out="one-to-one"), Manhattan())
    )
    assert representation.columns == ("a", "b", "c")


def test_unused_representations_are_dropped():
    _, representations = stages_of(one=make_pipeline(Counting(2.0), Counting(3.0), Manhattan()))
    assert [one.label for one in representations] == ["Counting + Counting"]


def test_progress_names_the_step():
    seen = []
    prepare(
        {"one": make_pipeline(Counting(), Manhattan())},
        FRAME,
        progress=lambda *what: seen.append(what),
    )
    assert seen == [("Computing Counting", 0, 1), ("Computing Counting", 1, 1)]


class Reporting(Counting):
    """A slow step that says how far it is."""

    def __init__(self, factor=1.0, offsets=None, progress=None):
        super().__init__(factor, offsets)
        self.progress = progress

    def transform(self, X):
        self.progress(3, 7)
        return super().transform(X)


def test_a_step_can_say_how_far_it_is():
    seen = []
    step = Reporting()
    prepare(
        {"one": make_pipeline(step, Manhattan())},
        FRAME,
        progress=lambda *what: seen.append(what),
    )
    assert seen[1] == ("Computing Reporting", 3, 7)
    assert step.progress is None


def test_detectors_of_scikit_learn_are_accepted():
    assert list(check_verifiers({"forest": IsolationForest()})) == ["forest"]


@pytest.mark.parametrize(
    ("verifiers", "match"),
    [
        ({}, "at least one entry; got {}"),
        ([Manhattan()], "must be a dict of name to estimator"),
        ({1: Manhattan()}, "verifier names must be non-empty strings; got 1"),
        ({"": Manhattan()}, "non-empty strings"),
        ({"v": Manhattan}, "'v' must be an outlier detector.*the class Manhattan; write Manhattan"),
        ({"v": StandardScaler()}, "fit and score_samples.*an object of class StandardScaler"),
        ({"v": make_pipeline(Counting())}, "'v' must be an outlier detector"),
    ],
)
def test_bad_verifiers(verifiers, match):
    with pytest.raises(InvalidParameterError, match=match):
        check_verifiers(verifiers)
