"""What the kernels that need not decay from lag 0 have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from hawkeys._loops import delayed as loops
from hawkeys._loops.choice import usual_form
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels.base import TAIL, BlockLayout, Kernel

__all__ = ["TAIL", "DelayedKernel"]


class DelayedKernel(Kernel):
    """A kernel evaluated within a finite horizon; see `LogNormal`, `Gamma` and `Histogram`.

    A subclass names its parameters, checks them and tabulates them; the rest follows. Parameters
    are a number shared by all pairs, an array with the pair (target, source) as its first two axes,
    or all None, which stands for a kernel that `hawkeys.fit` is to estimate.
    """

    name: ClassVar[str]
    family: ClassVar[int]
    parameter_names: ClassVar[tuple[str, ...]]

    @property
    def edges(self) -> FloatArray:
        """Bounds of the bins, shape (n_bins + 1,); empty for a density without bins."""
        return np.empty(0)

    @property
    def known(self) -> bool:
        """Whether the parameters are given; if not, `hawkeys.fit` estimates them."""
        return all(getattr(self, name) is not None for name in self.parameter_names)

    @property
    @abstractmethod
    def pair_shape(self) -> tuple[int, ...]:
        """(n_marks, n_marks) if parameters differ by pair, else ()."""

    @abstractmethod
    def parameters(self) -> tuple[FloatArray, ...]:
        """Return each parameter with one row per set: one set, or one per pair row by row."""

    @staticmethod
    @abstractmethod
    def tabulate(*parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return what the compiled code needs of each set (n_sets, width), and its horizon."""

    @abstractmethod
    def unknown(self) -> DelayedKernel:
        """Return the kernel with its parameters left out, for `hawkeys.fit` to estimate."""

    @property
    def horizon(self) -> FloatArray:
        """Lag beyond which less than 1e-12 of the mass remains (for bins none), shape () or (D, D).

        Events further back than this are left out, as if their influence were over.
        """
        self._require_known()
        _, reach = self.tabulate(*self.parameters())
        return reach.reshape(self.pair_shape)

    def check_marks(self, n_marks: int) -> None:
        """Refuse unknown parameters, and a number of marks that the parameters do not fit.

        Parameters
        ----------
        n_marks : int
            Number of marks of the process.

        Raises
        ------
        InvalidParameterError
            Parameters are None, or arrays for another number of marks.
        """
        self._require_known()
        if self.pair_shape and self.pair_shape[0] != n_marks:
            raise InvalidParameterError(
                f"{type(self).__name__}: the parameters are arrays for {self.pair_shape[0]} marks "
                f"but there are {n_marks}; pass values shared by all pairs, or arrays whose first "
                f"axes are ({n_marks}, {n_marks}), target by source."
            )

    def density(self, lags: ArrayLike) -> FloatArray:
        """Evaluate g at given lags for every pair the parameters distinguish.

        Parameters
        ----------
        lags : float or array_like, shape (n,)
            Lags in the unit of time of the parameters; the density is 0 at lags <= 0.

        Returns
        -------
        ndarray of float64, shape (n, 1) or (n, n_marks * n_marks)
            Density per unit of time; pairs row by row, sources fastest.

        Raises
        ------
        InvalidParameterError
            The parameters are None.
        """
        return self._evaluate(lags)[0]

    def cdf(self, lags: ArrayLike) -> FloatArray:
        """Evaluate G, the mass of g up to given lags, for every pair the parameters distinguish.

        Parameters
        ----------
        lags : float or array_like, shape (n,)
            Lags in the unit of time of the parameters.

        Returns
        -------
        ndarray of float64, shape (n, 1) or (n, n_marks * n_marks)
            Between 0 and 1; pairs row by row, sources fastest.

        Raises
        ------
        InvalidParameterError
            The parameters are None.
        """
        return self._evaluate(lags)[1]

    def compiled(self, n_marks: int) -> tuple[Any, ...]:
        """Return the kernel as the compiled code takes it; see `hawkeys._loops.delayed`."""
        self.check_marks(n_marks)
        sets, reach = self.tabulate(*self.parameters())
        which = self._which(n_marks)
        return self.family, sets, usual_form(self.edges), which, reach[which]

    def excitation(self, events: Events, layout: BlockLayout) -> FloatArray:
        """Return c_ij at each event; see `Kernel.excitation`."""
        out = np.zeros(events.n_events * events.n_marks)
        where = (layout.slots, layout.offsets, layout.stride)
        kernel = self.compiled(events.n_marks)
        loops.excitation(events.times, events.marks, events.offsets, kernel, where, out)
        return out

    def integrals(self, events: Events) -> FloatArray:
        """Return K_ij over each window; see `Kernel.integrals`."""
        out = np.zeros((events.n_realizations, events.n_marks, events.n_marks))
        kernel = self.compiled(events.n_marks)
        loops.integrals(events.times, events.marks, events.offsets, events.end_times, kernel, out)
        return out

    def excitation_at(
        self, events: Events, realization: int, times: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return c_ij and its integral at sorted times; see `Kernel.excitation_at`."""
        size = events.n_marks
        rows = slice(events.offsets[realization], events.offsets[realization + 1])
        excitation = np.empty((times.size, size, size))
        integrals = np.empty((times.size, size, size))
        kernel = self.compiled(size)
        loops.excitation_at(
            events.times[rows], events.marks[rows], kernel, times, excitation, integrals
        )
        return excitation, integrals

    def sums_at(
        self,
        events: Events,
        realization: int,
        times: FloatArray,
        adjacency: FloatArray,
        *,
        mass: bool = False,
    ) -> FloatArray:
        """Return sum_j W_ij c_ij at sorted times; see `Kernel.sums_at`."""
        rows = slice(events.offsets[realization], events.offsets[realization + 1])
        out = np.empty((times.size, events.n_marks))
        kernel = self.compiled(events.n_marks)
        loops.sums_at(events.times[rows], events.marks[rows], kernel, adjacency, times, mass, out)
        return out

    def own_mass(self, events: Events, realization: int, adjacency: FloatArray) -> FloatArray:
        """Return what each event's own mark has been excited by; see `Kernel.own_mass`."""
        rows = slice(events.offsets[realization], events.offsets[realization + 1])
        times, marks = events.times[rows], events.marks[rows]
        out = np.empty(times.size)
        kernel = self.compiled(events.n_marks)
        loops.own_mass_at(times, marks, kernel, adjacency, times, marks, out)
        return out

    def sample_lags(
        self, rng: np.random.Generator, targets: IntArray, sources: IntArray
    ) -> FloatArray:
        """Draw one lag per pair; see `Kernel.sample_lags`."""
        self._require_known()
        return self._draw(rng, self._sets_of(targets, sources))

    def sample_residual_lags(
        self,
        rng: np.random.Generator,
        targets: IntArray,
        sources: IntArray,
        elapsed: FloatArray,
    ) -> FloatArray:
        """Draw remaining lags by inversion; see `Kernel.sample_residual_lags`."""
        self._require_known()
        # 1 - random lies in (0, 1], so that the lag stays finite
        share = 1.0 - rng.random(sources.size)
        lags = self._beyond(self._sets_of(targets, sources), elapsed, share)
        return np.maximum(lags - elapsed, 0.0)

    @abstractmethod
    def _beyond(self, sets: IntArray, elapsed: FloatArray, share: FloatArray) -> FloatArray:
        """Return the lag beyond which `share` of the mass beyond `elapsed` remains."""

    def _sets_of(self, targets: IntArray, sources: IntArray) -> IntArray:
        if self.pair_shape:
            return targets * self.pair_shape[0] + sources
        return np.zeros_like(sources)

    @abstractmethod
    def _draw(self, rng: np.random.Generator, sets: IntArray) -> FloatArray:
        """Draw one lag from each of the sets of parameters given."""

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as lists, with the name of the kernel under "name"."""
        values = {name: getattr(self, name) for name in self.parameter_names}
        lists = {name: value.tolist() if self.known else None for name, value in values.items()}
        return {"name": self.name, **lists}

    def __repr__(self) -> str:
        parts = [f"{name}={_shown(getattr(self, name))}" for name in self._shown_names()]
        return f"{type(self).__name__}({', '.join(parts)})"

    def _shown_names(self) -> tuple[str, ...]:
        return self.parameter_names if self.known else ()

    def _which(self, n_marks: int) -> IntArray:
        """Return the set of parameters of each pair."""
        if self.pair_shape:
            return np.arange(n_marks**2).reshape(n_marks, n_marks)
        return np.zeros((n_marks, n_marks), dtype=np.int64)

    def _require_known(self) -> None:
        if not self.known:
            raise InvalidParameterError(
                f"{self!r} has no values for {' and '.join(self.parameter_names)}; give them, or "
                f"estimate them with hawkeys.fit(events, kernel={self!r})."
            )

    def _evaluate(self, lags: ArrayLike) -> FloatArray:
        self._require_known()
        values = np.atleast_1d(np.asarray(lags, dtype=np.float64))
        sets, _ = self.tabulate(*self.parameters())
        out = np.empty((2, values.size, sets.shape[0]))
        loops.density_and_mass(self.family, values, sets, usual_form(self.edges), out)
        return out


def _shown(value: FloatArray) -> str:
    return str(value.tolist()) if value.size <= 9 else f"<shape {value.shape}>"
