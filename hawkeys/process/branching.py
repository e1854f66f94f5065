"""Who triggered whom: branching probabilities of events under a process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._typing import FloatArray, IntArray, RandomState
from hawkeys._validation import as_float_array, as_generator, brief
from hawkeys.events import Events
from hawkeys.events.showing import in_table
from hawkeys.exceptions import InvalidParameterError
from hawkeys.plotting.branching import plot_branching
from hawkeys.process._branching_pairs import Pairs, find_pairs
from hawkeys.process.base import as_process, check_events, read_for
from hawkeys.process.hawkes import Hawkes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from scipy import sparse

__all__ = ["Branching", "branching_probabilities"]


@dataclass(frozen=True, eq=False, repr=False)
class Branching:
    """Probabilities of the possible parents of every event; see `branching_probabilities`.

    Attributes
    ----------
    events : Events
        The events; indices below count them from 0 over all realisations.
    immigrant : ndarray of float64, shape (n_events,)
        Probability that the baseline brought the event, and no earlier event did.
    children, parents : ndarray of int64, shape (n_pairs,)
        Pairs of events; sorted by child, then by parent.
    probability : ndarray of float64, shape (n_pairs,)
        Probability that the parent triggered the child.
    """

    events: Events
    immigrant: FloatArray
    children: IntArray
    parents: IntArray
    probability: FloatArray

    @cached_property
    def expected_counts(self) -> FloatArray:
        """Expected immigrants, then children by source, of each target, (n_marks, n_marks + 1).

        The rows sum to the events of each mark, but for the pairs below a threshold.
        """
        marks, size = self.events.marks, self.events.n_marks
        cells = (size + 1) * np.concatenate((marks, marks[self.children]))
        cells[marks.size :] += marks[self.parents] + 1
        weights = np.concatenate((self.immigrant, self.probability))
        out = np.zeros(size * (size + 1))
        np.add.at(out, cells, weights)
        return out.reshape(size, size + 1)

    @property
    def most_likely_parent(self) -> IntArray:
        """The likeliest origin of each event, shape (n_events,): an event, or -1 for none."""
        best = np.full(self.events.n_events, -1)
        ahead = self.probability > np.nan_to_num(self.immigrant)[self.children]
        # later assignments win, so the greatest come last
        order = np.flatnonzero(ahead)[np.argsort(self.probability[ahead], kind="stable")]
        best[self.children[order]] = self.parents[order]
        return best

    def matrix(self) -> sparse.csr_array:
        """Return the probabilities as a sparse matrix, children down and parents across.

        Returns
        -------
        scipy.sparse.csr_array, shape (n_events, n_events)
            Strictly below the diagonal; row sums are 1 - `immigrant`.
        """
        from scipy import sparse

        size = self.events.n_events
        where = (self.children, self.parents)
        return sparse.csr_array((self.probability, where), shape=(size, size))

    def sample(self, *, rng: RandomState = None) -> IntArray:
        """Draw a branching structure, each event's parent independently.

        Parameters
        ----------
        rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
            Source of randomness.

        Returns
        -------
        ndarray of int64, shape (n_events,)
            The parent of each event, -1 for an immigrant.
        """
        size = self.events.n_events
        left = as_generator(rng).random(size)
        # a pair is drawn if its child's number falls on it, parents laid end to end before the rest
        running = np.cumsum(self.probability)
        first = np.searchsorted(self.children, np.arange(size))
        before = np.concatenate(([0.0], running))[first]
        drawn = (running - self.probability - before[self.children]) <= left[self.children]
        drawn &= left[self.children] < running - before[self.children]
        out = np.full(size, -1)
        out[self.children[drawn]] = self.parents[drawn]
        return out

    def to_frame(self, *, threshold: float = 0.0) -> pd.DataFrame:
        """Return one row per event and possible origin.

        Parameters
        ----------
        threshold : float, default 0.0
            Leave out what is less probable.

        Returns
        -------
        pandas.DataFrame
            Columns realization, child, child_time, child_mark, parent, parent_time, parent_mark,
            lag (in the unit of time) and probability; an immigrant has parent -1, and NaN
            elsewhere. Times are dates if those of the events were.
        """
        import pandas as pd

        events, names = self.events, np.array([*self.events.mark_names, np.nan], dtype=object)
        own = np.arange(events.n_events)
        child = np.concatenate((own, self.children))
        parent = np.concatenate((np.full_like(own, -1), self.parents))
        begun = np.append(events.times, np.nan)[parent]
        frame = pd.DataFrame(
            {
                "realization": events.realization[child],
                "child": child,
                "child_time": in_table(events, events.times[child]),
                "child_mark": names[events.marks[child]],
                "parent": parent,
                "parent_time": in_table(events, begun),
                "parent_mark": names[np.append(events.marks, events.n_marks)[parent]],
                "lag": events.times[child] - begun,
                "probability": np.concatenate((self.immigrant, self.probability)),
            }
        )
        kept = frame[frame["probability"] >= threshold] if threshold > 0 else frame
        return kept.sort_values(["child", "parent"], ignore_index=True)

    def plot(
        self, *, realization: int = 0, threshold: float = 0.05, ax: Axes | None = None
    ) -> Axes:
        """Draw arcs from parents to children; see `hawkeys.plotting.plot_branching`.

        Parameters
        ----------
        realization : int, default 0
            Which realisation.
        threshold : float, default 0.05
            Leave out what is less probable.
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: the current axes.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.

        Raises
        ------
        InvalidParameterError
            No such realisation.
        """
        pairs = (self.children, self.parents, self.probability)
        return plot_branching(
            self.events, pairs, self.immigrant, realization=realization, threshold=threshold, ax=ax
        )

    def __repr__(self) -> str:
        return (
            f"Branching(n_events={self.events.n_events}, n_pairs={self.children.size}, "
            f"expected_immigrants={np.nansum(self.immigrant):.4g})"
        )


def branching_probabilities(
    process: Any, events: Any, *, threshold: float = 0.0, **windows: Any
) -> Branching:
    r"""Return the probability of every possible parent of every event.

    .. math:: P(k \leftarrow \text{baseline}) = \frac{\mu_i(t_k)}{\lambda_i(t_k)}, \qquad
        P(k \leftarrow l) = \frac{W_{ij} g_{ij}(t_k - t_l)}{\lambda_i(t_k)}

    for event k of mark i and an earlier event l of mark j in the same realisation. Given the
    parameters this is the exact posterior of the branching structure, and the parents are
    independent.

    Parameters
    ----------
    process : Hawkes or result of `hawkeys.fit`
        The process; any kernel.
    events : Events, frame, mapping or sequence
        Realisations with n_marks marks; all but Events need ``end_time``.
    threshold : float, default 0.0
        Pairs less probable than this, from 0 to below 1, are left out of the answer (not of the
        normalisation), which saves memory.
    **windows
        ``end_time``, ``start_time`` and all else that says how data are read, as for `hawkeys.fit`;
        marks are found by name.

    Returns
    -------
    Branching
        With threshold 0 the probabilities of each event sum to 1.

    Raises
    ------
    InvalidEventsError
        `events` are not Events, or have another number of marks.
    InvalidParameterError
        `process` is not a Hawkes process, or a fit that was given a history; `threshold` is out of
        range.

    Notes
    -----
    Simultaneous events are not each other's parents. An event that is impossible under the process
    (intensity 0) has NaN as the probability of an immigrant, and no parent. The cost is O(n_events
    m), m the number of events within the kernel's memory: its horizon, or for exponential kernels
    the lag beyond which the parents left together hold less than 1e-16 of the intensity.

    References
    ----------
    Zhuang, J., Ogata, Y. and Vere-Jones, D. (2002). Stochastic declustering of space-time
    earthquake occurrences. JASA 97(458), 369-380. doi:10.1198/016214502760046925

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.Hawkes([0.1], [[0.5]], decay=2.0)
    >>> events = hawkeys.Events.from_lists([[[1.0, 1.2, 5.0]]], end_times=6.0)
    >>> branching = hawkeys.branching_probabilities(process, events)
    >>> branching.immigrant.round(3)
    array([1.   , 0.13 , 0.992])
    >>> branching.matrix().toarray()[1].round(3)
    array([0.87, 0.  , 0.  ])
    """
    model, process = process, as_process(process)
    events = read_for(model, process, events, windows)
    _check(process, events)
    if getattr(model, "options", {}).get("history") is not None:
        raise InvalidParameterError(
            "the fit was given a history, whose events are parents too. Pass result.process and "
            "events that hold both: the recording that was split, or cut into windows."
        )
    pairs = Pairs.none(0)
    parts = [pairs, *find_pairs(process, events, _check_threshold(threshold))]
    return Branching(
        events,
        np.concatenate([part.immigrant for part in parts]),
        np.concatenate([part.children for part in parts]),
        np.concatenate([part.parents for part in parts]),
        np.concatenate([part.probability for part in parts]),
    )


def _check(process: Hawkes, events: Events) -> None:
    if not isinstance(process, Hawkes):
        raise InvalidParameterError(
            f"process must be a hawkeys.Hawkes; got {type(process).__name__}. With "
            "inhibition or a link there is no branching structure."
        )
    check_events(events, process.n_marks)


def _check_threshold(threshold: float) -> float:
    value = as_float_array(threshold, "threshold")
    if value.ndim or not 0 <= value < 1:
        raise InvalidParameterError(
            f"threshold must be one probability from 0 to below 1; got {brief(threshold)}."
        )
    return float(value)
