"""Estimators of scikit-learn whose modules do not import it, which takes half a second or more.

`OutlierDetector` and `Transformer` get scikit-learn's base classes at the moment when anybody
imports that; until then nobody can ask whether they have them. What is asked of an estimator before
(parameters, a copy, a plain matrix) is answered here as scikit-learn would; all else imports it.
"""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray

__all__ = [
    "OutlierDetector",
    "Transformer",
    "check_columns",
    "check_fitted",
    "check_matrix",
    "clone",
    "pipeline_end",
]

_BASE = "sklearn.base"
_SCALARS = (type(None), bool, int, float, str)
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)

Estimator = TypeVar("Estimator")


class _Unjoined:
    """What an estimator answers before scikit-learn is imported; no base class of it after."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name."""
        parameters = list(inspect.signature(type(self).__init__).parameters.values())[1:]
        if all(one.kind in _BY_NAME for one in parameters):
            found = {name: getattr(self, name) for name in sorted(one.name for one in parameters)}
            if not (deep and any(hasattr(value, "get_params") for value in found.values())):
                return found
        return _joined(self).get_params(deep=deep)

    def set_params(self, **params: Any) -> Any:
        """Set parameters and return the estimator."""
        return _joined(self).set_params(**params)

    def get_metadata_routing(self) -> Any:
        """Return what scikit-learn's routing of metadata asks."""
        return _joined(self).get_metadata_routing()

    def __sklearn_tags__(self) -> Any:
        return _joined(self).__sklearn_tags__()

    def __repr__(self) -> str:
        return repr(_joined(self))

    def __getattr__(self, name: str) -> Any:
        # pictures in notebooks, set_fit_request and its kin: scikit-learn makes them
        if name.startswith("_repr_") or name.endswith("_request"):
            return getattr(_joined(self), name)
        return object.__getattribute__(self, name)  # a property's own error is told, too


if TYPE_CHECKING:
    from sklearn.base import BaseEstimator, OutlierMixin, TransformerMixin

    class OutlierDetector(OutlierMixin, BaseEstimator):
        """Base of outlier detectors."""

    class Transformer(TransformerMixin, BaseEstimator):
        """Base of transformers."""

else:

    class _Detecting(_Unjoined):
        """An outlier detector before scikit-learn is imported."""

        def fit_predict(self, X, y=None, **kwargs):
            """Fit to samples and return the decision on each."""
            return self.fit(X, y, **kwargs).predict(X)

    class _Transforming(_Unjoined):
        """A transformer before scikit-learn is imported."""

        def fit_transform(self, X, y=None, **fit_params):
            """Fit to samples and return their features."""
            return self.fit(X, y, **fit_params).transform(X)

        def set_output(self, *, transform=None):
            """Choose what `transform` returns."""
            return _joined(self).set_output(transform=transform)

    class OutlierDetector(_Detecting):
        """Base of outlier detectors: OutlierMixin and BaseEstimator, once they are imported."""

    class Transformer(_Transforming):
        """Base of transformers: TransformerMixin and BaseEstimator, once they are imported."""


def _join(base: ModuleType) -> None:
    """Give the classes here, and those made of them, the base classes of scikit-learn."""
    kinds: tuple[tuple[Any, str], ...] = (
        (OutlierDetector, "OutlierMixin"),
        (Transformer, "TransformerMixin"),
    )
    for kind, mixin in kinds:
        if issubclass(kind, base.BaseEstimator):
            continue
        kind.__bases__ = (getattr(base, mixin), base.BaseEstimator)
        for each in _made_of(kind):  # what defining a class does there
            super(kind, each).__init_subclass__()


def _made_of(kind: type) -> list[type]:
    """Return a class and all classes made of it, each after those that it is made of."""
    found = [kind]
    for each in found:  # which grows
        new: list[type] = each.__subclasses__()
        found += [one for one in new if one not in found]
    return sorted(found, key=lambda one: len(one.__mro__))


def _joined(estimator: Any) -> Any:
    """Return an estimator after its class was given the base classes of scikit-learn."""
    _join(import_module(_BASE))
    return estimator


class _WhenImported(MetaPathFinder):
    """Finds nothing itself: has `_join` called at the end of the import of `sklearn.base`."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name != _BASE:
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        found = (finder.find_spec(name, path, target) for finder in others)
        spec = next((one for one in found if one is not None), None)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                run(module)
                _join(module)
                if self in sys.meta_path:
                    sys.meta_path.remove(self)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if _BASE in sys.modules:
    _join(import_module(_BASE))
else:
    sys.meta_path.insert(0, _WhenImported())


def clone(estimator: Estimator) -> Estimator:
    """Return an unfitted copy, as `sklearn.base.clone`, which is not imported for our own."""
    if isinstance(estimator, _Unjoined) and not hasattr(type(estimator), "__sklearn_clone__"):
        values = {key: _copied(one) for key, one in estimator.get_params(deep=False).items()}
        made: Any = type(estimator)(**values)
        kept = made.get_params(deep=False)
        if all(kept[key] is one for key, one in values.items()):
            return cast("Estimator", made)
    return cast("Estimator", import_module(_BASE).clone(estimator))


def _copied(value: Any) -> Any:
    """Return the copy of a parameter that a clone has."""
    if type(value) in (list, tuple):
        return type(value)(_copied(one) for one in value)
    if isinstance(value, _SCALARS):
        return value
    return (
        clone(value)
        if isinstance(value, _Unjoined)
        else import_module(_BASE).clone(value, safe=False)
    )


def pipeline_end(estimator: Any) -> Any:
    """Return the last step of a pipeline of scikit-learn, anything else as it is."""
    module = sys.modules.get("sklearn.pipeline")  # without it nothing is a pipeline
    is_pipeline = module is not None and isinstance(estimator, module.Pipeline)
    return estimator.steps[-1][1] if is_pipeline else estimator


def check_fitted(estimator: Any) -> None:
    """Raise `sklearn.exceptions.NotFittedError` if an estimator is not fitted."""
    if any(name.endswith("_") and not name.startswith("__") for name in vars(estimator)):
        return
    import_module("sklearn.utils.validation").check_is_fitted(estimator)


def check_matrix(estimator: Any, X: ArrayLike, *, reset: bool, at_least: int) -> FloatArray:
    """Return samples as a C-ordered matrix and, to `reset`, note their columns.

    NaN and infinity pass. A plain array or frame of numbers that fits what was seen needs no help;
    whatever else comes is checked, converted or refused by scikit-learn's `validate_data`.
    """
    plain = _plain(X)
    if plain is not None and len(plain[0]) >= at_least and _note(estimator, *plain, reset=reset):
        return np.ascontiguousarray(plain[0], dtype=np.float64)
    checked: FloatArray = import_module("sklearn.utils.validation").validate_data(
        estimator, X, reset=reset, dtype=np.float64, order="C", ensure_all_finite=False,
        ensure_min_samples=at_least,
    )  # fmt: skip
    return checked


def check_columns(estimator: Any, X: ArrayLike, *, reset: bool) -> None:
    """Note or compare the columns of samples, as `check_matrix`, without a look at the rest."""
    plain = _plain(X)
    if plain is None or not _note(estimator, *plain, reset=reset):
        validate = import_module("sklearn.utils.validation").validate_data
        validate(estimator, X, reset=reset, skip_check_array=True)


def _plain(X: Any) -> tuple[np.ndarray, np.ndarray | None] | None:
    """Return the matrix and the names of an array or a frame of real numbers, None of all else."""
    pandas = sys.modules.get("pandas")
    if type(X) is np.ndarray:
        matrix, names = X, None
    elif pandas is not None and type(X) is pandas.DataFrame:
        if not all(isinstance(kind, np.dtype) and kind.kind in "fiu" for kind in X.dtypes):
            return None
        if not all(isinstance(name, str) for name in X.columns):
            return None
        matrix, names = X.to_numpy(), np.asarray(X.columns, dtype=object)
    else:
        return None
    is_matrix = matrix.ndim == 2 and matrix.shape[1] > 0 and matrix.dtype.kind in "fiu"
    return (matrix, names) if is_matrix else None


def _note(
    estimator: Any, matrix: np.ndarray, names: np.ndarray | None, *, reset: bool
) -> bool:  # fmt: skip
    """Note width and names of columns; else tell whether they are those that were noted."""
    seen = vars(estimator)
    if not reset:
        known = seen.get("feature_names_in_")
        if known is None or names is None:
            alike = known is names
        else:
            alike = list(known) == list(names)
        return alike and seen.get("n_features_in_") == matrix.shape[1]
    estimator.n_features_in_ = matrix.shape[1]
    if names is not None:
        estimator.feature_names_in_ = names
    else:
        seen.pop("feature_names_in_", None)
    return True
