"""Data as they are, as `Events`: the entrance of every function that takes data."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

from hawkeys._validation import brief_names
from hawkeys._validation.labels import as_mapping, in_order
from hawkeys.events.container import Events
from hawkeys.events.counts import refuse_counts
from hawkeys.events.nested import parts_of, refuse_reading
from hawkeys.events.options import WORDS, refuse_unknown, take_reading
from hawkeys.exceptions import InvalidParameterError

__all__ = ["as_events", "by_labels"]


def as_events(
    data: Any,
    options: MutableMapping[str, Any] | None = None,
    *,
    end_time: Any = None,
    start_time: Any = None,
    alone: bool = False,
    mark_names: Sequence[str] | None = None,
) -> Events:
    """Return `data` as `Events`, converting whatever else holds times.

    Parameters
    ----------
    data : Events, table, mapping or sequence
        Events are returned as they are. A frame of pandas, polars or pyarrow has one row per event;
        a mapping holds the times of each mark; a flat sequence of numbers or dates is one mark, or
        has its labels beside it; a sequence of D sequences is one realisation with D marks; a
        sequence of such sequences is many.
    options : dict, optional
        What says how to read is taken out of it: ``time``, ``mark``, ``realization``, ``unit``,
        ``sort``, ``mark_names``, and ``end_times``, ``start_time``, ``start_times``.
    end_time : number, date, array_like of shape (n_realizations,) or mapping, optional
        End of observation. Required, but refused for Events (which know theirs).
    start_time : number, date, array_like of shape (n_realizations,) or mapping, optional
        Start of observation, 0.0 unless given; dates need it. Integers too large for doubles
        (nanoseconds since 1970) are subtracted exactly; see `Events`.
    alone : bool, default False
        Whether `options` hold nothing else: what is left is then refused.
    mark_names : sequence of str, optional
        The marks expected, in their order, unless `options` or Events say otherwise.

    Returns
    -------
    Events
        The checked data.

    Raises
    ------
    InvalidParameterError
        `end_time` missing, or anything of the reading given beside Events.
    InvalidEventsError
        The data break the contract of `Events`.

    Examples
    --------
    >>> from hawkeys.events.lists import as_events
    >>> as_events([[0.1, 0.4], [0.2]], end_time=1.0).n_marks
    2
    >>> as_events({"buy": [0.1, 0.4], "sell": [0.2]}, end_time=1.0).mark_names
    ('buy', 'sell')
    """
    given: MutableMapping[str, Any] = {} if options is None else options
    plain = end_time is None and start_time is None and WORDS.isdisjoint(given)
    if isinstance(data, Events) and plain and data.n_realizations and not (alone and given):
        return data
    how = take_reading(given, end_time, start_time)
    if alone:
        refuse_unknown(given)
    if isinstance(data, Events):
        refuse_reading(data, how)
        return data
    refuse_counts(data)
    if how.mark_names is None and mark_names is not None:
        how = how._replace(mark_names=mark_names)
    return Events._of(parts_of(data, how))


def by_labels(
    events: Events, decay: Any = None, support: Any = None, weights: Any = None
) -> tuple[Any, Any, Any]:
    """Return decay, support and weights in the order of the marks and realisations of the events.

    What has no labels is returned as it is. Raises `InvalidParameterError` for labels that are not
    those of the events.
    """
    names = events.mark_names
    given = as_mapping(weights, "weights")
    if isinstance(given, Mapping):
        labels = events._labels
        known = tuple(range(len(events))) if labels is None else labels
        if set(given) != set(known):
            told = "are numbered from 0" if labels is None else f"are {brief_names(known)}"
            raise InvalidParameterError(
                f"weights has the labels {brief_names(given)}, and the realisations {told}. Give "
                "one for each, or pass x.to_numpy() in their order."
            )
        weights = [given[label] for label in known]
    return in_order(decay, names, "decay"), in_order(support, names, "support"), weights
