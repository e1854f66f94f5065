"""Labels of pandas, polars, pyarrow and xarray objects: a value belongs where its label says."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hawkeys._validation.checks import brief, brief_names
from hawkeys.exceptions import InvalidParameterError

__all__ = ["as_mapping", "in_order", "labels_of_axes", "refuse_labels", "same_names"]

Labels = tuple[Any, ...] | None


def labels_of_axes(value: Any) -> tuple[Labels, ...]:
    """Return the labels along each axis; None of an axis without any, or numbered from 0."""
    if type(value).__module__.partition(".")[0] in ("builtins", "numpy"):
        return ()
    if hasattr(value, "dims") and hasattr(value, "indexes"):  # of xarray
        axes = [value.indexes.get(dim) for dim in value.dims]
    elif hasattr(value, "column_names"):  # of pyarrow
        axes = [None, value.column_names]
    elif hasattr(value, "columns"):  # of pandas; those of polars have no index
        axes = [getattr(value, "index", None), value.columns]
    else:
        axes = [None if callable(getattr(value, "index", None)) else getattr(value, "index", None)]
    return tuple(map(_told, axes))


def _told(axis: Any) -> Labels:
    """Return labels that say more than the number of the place."""
    if axis is None or (hasattr(axis, "step") and (axis.start, axis.step) == (0, 1)):
        return None
    labels = tuple(axis)
    counted = (list(range(len(labels))), [f"column_{k}" for k in range(len(labels))])
    return None if list(labels) in counted else labels


def refuse_labels(value: Any, name: str) -> None:
    """Refuse labels where it is not known which of them stands for what; numbers from 0 are none.

    Raises `InvalidParameterError`.
    """
    for labels in labels_of_axes(value):
        if labels is not None:
            raise InvalidParameterError(
                f"{name}: got a {type(value).__name__} with the labels {brief_names(labels)}, and "
                "which of them stands for what is not known here. Put its entries in order and "
                "pass x.to_numpy()."
            )


def in_order(value: Any, names: Sequence[str], argument: str) -> Any:
    """Return an array of what has labels, each axis in the order of the names; all else as it is.

    Raises `InvalidParameterError` for other labels, one twice, or for rows without labels beside
    columns in another order (or the reverse).
    """
    axes = labels_of_axes(value)
    if all(labels is None for labels in axes):
        return value
    array = np.asarray(value)
    for axis, labels in enumerate(axes):
        if labels is None:
            continue
        place = {str(label): k for k, label in enumerate(labels)}
        if len(place) < len(labels) or set(place) != set(names):
            raise InvalidParameterError(
                f"{argument} has the labels {brief_names(labels)}, and the marks are "
                f"{brief_names(names)}. Label each mark once, or pass x.to_numpy() in their order."
            )
        order = [place[name] for name in names]
        if order != sorted(order) and any(other is None for other in axes):
            raise InvalidParameterError(
                f"{argument} has the labels {brief_names(labels)} along one axis, in another order "
                f"than the marks {brief_names(names)}, and none along the other. Label both."
            )
        array = array.take(order, axis=axis)
    return array


def same_names(names: Any, **arguments: Any) -> tuple[Any, ...]:
    """Return names of marks, then each argument in their order.

    Without names they are the labels of the first argument that has some.
    """
    found = (labels for one in arguments.values() for labels in labels_of_axes(one))
    first = next((labels for labels in found if labels is not None), None)
    if first is None:
        return names, *arguments.values()
    wanted = tuple(map(str, first if names is None else names))
    return wanted, *(in_order(value, wanted, name) for name, value in arguments.items())


def as_mapping(value: Any, name: str) -> Any:
    """Return a labelled Series as a mapping from its labels; all else as it is."""
    axes = labels_of_axes(value)
    if len(axes) != 1 or axes[0] is None or isinstance(value, Mapping):
        return value
    found = dict(zip(axes[0], value.tolist(), strict=True))
    if len(found) < len(axes[0]):
        twice = next(label for label in axes[0] if axes[0].count(label) > 1)
        raise InvalidParameterError(
            f"{name} has several values for the label {brief(twice)}. Give one for each."
        )
    return found
