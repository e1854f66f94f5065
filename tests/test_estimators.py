"""Estimators before and after scikit-learn is imported."""

import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, OutlierMixin, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import validate_data

import hawkeys._estimators as estimators
from hawkeys.features import HawkesFeatures
from hawkeys.verifiers import POHMM, Manhattan, OneClassVerifier, RecencyWeighted

START = """
import sys
import numpy as np
from hawkeys.features import HawkesFeatures
from hawkeys.verifiers import POHMM, HawkesLikelihood, Manhattan, OneClassVerifier, ScoreSum

class Own(OneClassVerifier):
    def __init__(self, *, power=(1, 2), false_alarm=0.05):
        super().__init__(false_alarm=false_alarm)
        self.power = power
    def _learn(self, samples):
        self.center_ = samples.mean(axis=0)
    def _score(self, samples):
        return -np.abs(samples - self.center_).max(axis=1)

SAMPLES = np.random.default_rng(0).normal(size=(40, 3))
assert "sklearn" not in sys.modules
"""


def run(code):
    """Run a program that has the classes and no scikit-learn; return what it prints."""
    done = subprocess.run([sys.executable, "-c", START + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_classes_are_those_of_scikit_learn_as_soon_as_it_is_imported():
    """Those made before, with their instances, and those made after; by whoever imports it."""
    run("""
instance, own, features = Manhattan(), Own().fit(SAMPLES), HawkesFeatures()
scores = own.score_samples(SAMPLES)
import sklearn.linear_model
from sklearn.base import BaseEstimator, OutlierMixin, TransformerMixin, is_outlier_detector

class Later(Own):
    pass

for one in (instance, own, Later(), POHMM()):
    assert isinstance(one, BaseEstimator) and isinstance(one, OutlierMixin), one
    assert is_outlier_detector(one)
assert isinstance(features, BaseEstimator) and isinstance(features, TransformerMixin)
assert not isinstance(features, OutlierMixin)
assert np.array_equal(own.score_samples(SAMPLES), scores)
assert OneClassVerifier.__mro__[1:4] == (
    __import__("hawkeys._estimators")._estimators.OutlierDetector, OutlierMixin, BaseEstimator)
# what defining a class does there: routing of metadata, frames as output
assert hasattr(Manhattan, "set_fit_request")
assert not hasattr(Own, "set_fit_request") and not hasattr(Later, "set_fit_request")
features.set_output(transform="pandas")
frame = features.fit_transform([[0.1, 0.3, 0.2, 0.1], [0.1, 0.25, 0.15, 0.1]])
assert list(frame.columns) == list(features.get_feature_names_out())
assert not [one for one in sys.meta_path if type(one).__name__ == "_WhenImported"]
""")


ASKED = (
    "repr(Manhattan(false_alarm=0.1)) == 'Manhattan(false_alarm=0.1)'",
    "Manhattan().set_params(false_alarm=0.2).false_alarm == 0.2",
    "'Manhattan' in Manhattan()._repr_html_()",
    "Manhattan().get_metadata_routing() is not None",
    "Manhattan().__sklearn_tags__().estimator_type == 'outlier_detector'",
    "HawkesFeatures().__sklearn_tags__().requires_fit is False",
    "HawkesFeatures().set_output(transform='pandas') is not None",
    "'verifier__false_alarm' in RecencyWeighted(Manhattan()).get_params()",
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_what_only_scikit_learn_knows_imports_it():
    """Each question is the first one in its process."""
    run(f"""
import os
from hawkeys.verifiers import RecencyWeighted
for asked in {ASKED}:
    child = os.fork()
    if child == 0:
        right = "sklearn" not in sys.modules and eval(asked) and "sklearn.base" in sys.modules
        os._exit(0 if right else 1)
    assert os.waitpid(child, 0)[1] == 0, asked
""")


def test_what_needs_no_scikit_learn():
    run("""
import copy, pickle
own = Own(power=[1, 2, (3, None)], false_alarm=0.1)
assert own.get_params() == {"false_alarm": 0.1, "power": [1, 2, (3, None)]}
assert list(own.get_params(deep=False)) == ["false_alarm", "power"]
assert own.fit_predict(SAMPLES).sum() > 30
assert copy.deepcopy(own).offset_ == pickle.loads(pickle.dumps(own)).offset_ == own.offset_
assert not hasattr(own, "anything") and not hasattr(own, "feature_names_in_")
X = np.abs(SAMPLES[:, [0, 0, 0, 0]]) + [0.1, 0.3, 0.2, 0.1]
X[:, 2] = X[:, 1] - X[:, 0]
assert HawkesFeatures().fit_transform(X).shape == (40, 5)
assert "sklearn" not in sys.modules
try:  # a property that looks whether there is a fit; the error is scikit-learn's
    HawkesLikelihood().process_
except AttributeError as error:
    assert "This HawkesLikelihood instance is not fitted yet" in str(error), error
else:
    raise SystemExit("no error")
""")


def test_routing_of_metadata():
    run("""
one = Manhattan()
ask = one.set_fit_request
import sklearn
with sklearn.config_context(enable_metadata_routing=True):
    assert ask(sample_weight=True) is one
    assert one.get_metadata_routing().fit.requests == {"sample_weight": True}
""")


def test_a_clone_is_that_of_scikit_learn():
    """Parameters are copied, also estimators in lists, and nothing that was learnt."""
    run("""
from hawkeys._estimators import clone
inner = Manhattan(false_alarm=0.2)
inner.fit(SAMPLES)
outer = ScoreSum([inner, Own(power=[1, 2])], weights=[1, 2])
made = clone(outer)
assert "sklearn" not in sys.modules
assert type(made) is ScoreSum and type(made.verifiers) is list
assert made.verifiers[0] is not inner and not hasattr(made.verifiers[0], "center_")
assert made.verifiers[0].false_alarm == 0.2 and made.verifiers[1].power == [1, 2]
assert made.verifiers[1].power is not outer.verifiers[1].power
import sklearn.base
again = sklearn.base.clone(outer)
assert repr(again) == repr(made)
assert "Manhattan(false_alarm=0.2), Own(power=[1, 2])" in repr(made)
""")


def test_a_clone_that_only_scikit_learn_can_make_or_refuse():
    run("""
from hawkeys._estimators import clone

class Altering(Own):
    def __init__(self, *, power=(1, 2), false_alarm=0.05):
        super().__init__(power=list(power), false_alarm=false_alarm)

class Open(Own):
    def __init__(self, **more):
        super().__init__()

class Particular(Own):
    def __sklearn_clone__(self):
        return "its own"

try:
    clone(Altering())
except RuntimeError as error:
    assert "constructor either does not set or modifies" in str(error), error
else:
    raise SystemExit("no error")
assert clone(Particular()) == "its own"
assert clone(Own(power={"a": [1]})).power == {"a": [1]}
assert Open().get_params() == {}
""")


def test_pipeline_end():
    pipeline = make_pipeline(StandardScaler(), Manhattan())
    assert estimators.pipeline_end(pipeline) is pipeline[-1]
    one = Manhattan()
    assert estimators.pipeline_end(one) is one


def test_not_fitted():
    with pytest.raises(NotFittedError, match="This Manhattan instance is not fitted yet"):
        Manhattan().score_samples([[0.0, 1.0]])


class Seen(BaseEstimator):
    """Something that notes columns."""

    def fit(self, X):
        return self


FRAME = pd.DataFrame({"a": [0.5, 1.0, 2.0], "b": [1, 2, 3]})
INPUTS = {
    "array": np.array([[0.0, 1.0], [2.0, np.nan], [3.0, np.inf]]),
    "Fortran order": np.asfortranarray(np.arange(6.0).reshape(3, 2)),
    "whole numbers": np.arange(6).reshape(3, 2),
    "unsigned": np.arange(6, dtype=np.uint8).reshape(3, 2),
    "single": np.arange(6, dtype=np.float32).reshape(3, 2) / 3,
    "truth values": np.array([[True, False], [True, True]]),
    "lists": [[0.0, 1.0], [2.0, 3.0]],
    "texts that are numbers": np.array([["0.5", "1"], ["2", "3"]], dtype=object),
    "frame": FRAME,
    "frame of one kind": FRAME[["a", "a"]].set_axis(["x", "y"], axis=1),
    "frame with numbered columns": FRAME.set_axis([0, 1], axis=1),
    "frame with mixed names": FRAME.set_axis(["a", 1], axis=1),
    "frame of nullable numbers": FRAME.convert_dtypes(),
    "frame of truth values": FRAME > 1,
    "masked": np.ma.masked_array(np.arange(6.0).reshape(3, 2)),
    "one row": np.array([[0.0, 1.0]]),
    "no column": np.empty((3, 0)),
    "no row": np.empty((0, 2)),
    "one dimension": np.arange(3.0),
    "three dimensions": np.zeros((2, 2, 2)),
    "complex": np.ones((2, 2)) * 1j,
    "text": "abc",
    "nothing": None,
    "other width": np.arange(9.0).reshape(3, 3),
    "frame with other names": FRAME.rename(columns={"b": "c"}),
    "frame in another order": FRAME[["b", "a"]],
}


def outcome(check, estimator, X, **how):
    """Return what a check returns or raises, what it warns of, and what is noted after it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = check(estimator, X, **how)
        except (ValueError, TypeError) as error:
            result = (type(error).__name__, str(error))
    noted = {name: np.asarray(value).tolist() for name, value in sorted(vars(estimator).items())}
    return result, [str(one.message) for one in caught], noted


def by_scikit_learn(estimator, X, *, reset, at_least):
    return validate_data(
        estimator, X, reset=reset, dtype=np.float64, order="C", ensure_all_finite=False,
        ensure_min_samples=at_least,
    )  # fmt: skip


@pytest.mark.parametrize("first", [None, "array", "frame"])
@pytest.mark.parametrize("name", INPUTS)
def test_a_matrix_is_checked_as_scikit_learn_does(name, first):
    """On the first samples, and on later ones after an array or a frame was seen."""
    results = []
    for check in (estimators.check_matrix, by_scikit_learn):
        one = Seen()
        if first is not None:
            check(one, INPUTS[first], reset=True, at_least=2)
        how = {"reset": first is None, "at_least": 2 if first is None else 1}
        results.append(outcome(check, one, INPUTS[name], **how))
    (mine, *rest), (theirs, *expected) = results
    assert rest == expected
    if isinstance(theirs, tuple):
        assert mine == theirs
    else:
        assert mine.dtype == theirs.dtype == np.float64
        assert mine.flags.c_contiguous
        assert np.array_equal(mine, theirs, equal_nan=True)


def test_a_second_fit_forgets_names():
    one = Manhattan().fit(FRAME)
    assert one.feature_names_in_.tolist() == ["a", "b"]
    one.fit(FRAME.to_numpy())
    assert not hasattr(one, "feature_names_in_")
    assert one.n_features_in_ == 2


def test_in_this_process_they_are_joined():
    assert issubclass(OneClassVerifier, OutlierMixin)
    assert issubclass(HawkesFeatures, TransformerMixin)
    assert pickle.loads(pickle.dumps(RecencyWeighted(POHMM()))).verifier.n_states == 2
