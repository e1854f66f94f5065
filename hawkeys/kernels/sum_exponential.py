"""The sum of exponentials."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import check_count, check_nonnegative, check_positive, refuse_labels
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels.base import TAIL, BlockLayout, Kernel
from hawkeys.kernels.exponential import Exponential

__all__ = ["SumExponential"]

# by how much weights that are written with a few digits may fail to sum to 1
_ROUNDING = 1e-6
# decays that a search may have
_MOST = 8
_NO_DECAYS = (
    "the decays of SumExponential are not known; give decays=[...], or let hawkeys.fit estimate "
    "them by method 'mle'."
)


class SumExponential(Kernel):
    r"""Mixture of exponential densities.

    .. math:: g_{ij}(t) = \sum_u p_{iju} \, \beta_u e^{-\beta_u t}, \qquad \sum_u p_{iju} = 1

    Parameters
    ----------
    decays : array_like, shape (n_decays,), optional
        Different decay rates beta > 0, per unit of time. Left out, `n_decays` of them are estimated
        by `hawkeys.fit` with the method "mle".
    weights : array_like, shape (n_decays,) or (n_marks, n_marks, n_decays), optional
        Weights p >= 0 that sum to 1 over the decays: the same for all pairs, or for each (target,
        source). Left out, they are estimated by `hawkeys.fit` for each pair, and the adjacency is
        the sum over the decays.
    n_decays : int, optional
        How many decays are to be estimated, 2 or more; only without `decays`.

    Attributes
    ----------
    decays : ndarray of float64, shape (n_decays,)
        As given, read-only; empty if they are to be estimated.
    weights : ndarray of float64 or None
        As given, read-only, scaled to the sum 1; None if they are to be estimated.

    Raises
    ------
    InvalidParameterError
        Decays that are not positive, or not all different (equal ones would be one component);
        weights of another shape, negative, or whose sum is not 1; weights without decays; neither
        decays nor a number of them, or a number that is not theirs.

    Notes
    -----
    The recursion of each decay is linear: O(n_events n_marks n_decays) in all. With weights to
    estimate, every component of every pair is a parameter of the same concave problem, and a
    component that is not needed has weight 0. Decays within a factor of about 2 can hardly be told
    apart by data: their weights have large standard errors, and their sum a small one. The standard
    error of a sum holds components that are 0 there, and so is a little too small.

    References
    ----------
    Hawkes, A. G. and Oakes, D. (1974). A cluster process representation of a self-exciting process.
    Journal of Applied Probability 11(3), 493-503. doi:10.2307/3212693

    Examples
    --------
    >>> from hawkeys.kernels import SumExponential
    >>> kernel = SumExponential([1.0, 10.0], weights=[0.5, 0.5])
    >>> kernel.density(0.1).round(4)  # 0.5 exp(-0.1) + 5 exp(-1)
    array([[2.2918]])
    """

    name = "sum_exponential"

    def __init__(
        self,
        decays: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        *,
        n_decays: int | None = None,
    ) -> None:
        self.weights: FloatArray | None = None
        if decays is None:
            self.n_decays = _number_of(n_decays, weights)
            self.decays = np.empty(0)
            return
        self.decays = _different(check_positive(decays, "decays"))
        self.n_decays = self.decays.size
        if n_decays is not None and n_decays != self.n_decays:
            raise InvalidParameterError(
                f"n_decays says how many are estimated; got {n_decays!r} beside {self.n_decays} "
                "decays. Leave one of the two out."
            )
        if weights is not None:
            refuse_labels(weights, "weights")
            self.weights = self._check_weights(check_nonnegative(weights, "weights"))
        elif self.decays.size == 1:
            self.weights = np.ones(1)

    def _check_weights(self, weights: FloatArray) -> FloatArray:
        """Return the weights, read-only, if they have one of the shapes and sum to 1."""
        n = self.decays.size
        square = weights.ndim == 3 and weights.shape[0] == weights.shape[1]
        if weights.shape[-1:] != (n,) or not (weights.ndim == 1 or square):
            raise InvalidParameterError(
                f"weights must have shape ({n},), one per decay, or (n_marks, n_marks, {n}), one "
                f"per target, source and decay; got shape {weights.shape}."
            )
        total = weights.sum(axis=-1, keepdims=True)
        if (np.abs(total - 1.0) > _ROUNDING).any():
            worst = total.ravel()[np.abs(total - 1.0).argmax()]
            raise InvalidParameterError(
                f"weights must sum to 1 over the decays; a sum is {worst:.6g}. Divide by it, and "
                "multiply the adjacency."
            )
        weights /= total
        weights.flags.writeable = False
        return weights

    def __repr__(self) -> str:
        if not self.decays.size:
            return f"SumExponential(n_decays={self.n_decays})"
        shown = self.decays.tolist() if self.decays.size <= 9 else f"<shape {self.decays.shape}>"
        if self.weights is None:
            return f"SumExponential(decays={shown})"
        weights = self.weights.round(6).tolist()
        if self.weights.ndim > 1 or self.weights.size > 9:
            weights = f"<shape {self.weights.shape}>"
        return f"SumExponential(decays={shown}, weights={weights})"

    @property
    def known(self) -> bool:
        """Whether the weights are given; if not, `hawkeys.fit` estimates them."""
        return self.weights is not None

    @property
    def components(self) -> tuple[Kernel, ...]:
        """One exponential kernel per decay while the weights are unknown; else the kernel."""
        return (self,) if self.known else self._exponentials

    def unknown(self) -> SumExponential:
        """Return the kernel without weights, for `hawkeys.fit` to estimate."""
        return SumExponential(self.decays) if self.decays.size else self

    def check_marks(self, n_marks: int) -> None:
        """Refuse unknown weights, and a number of marks that the weights do not fit.

        Parameters
        ----------
        n_marks : int
            Number of marks of the process.

        Raises
        ------
        InvalidParameterError
            The weights are unknown or for another number of marks.
        """
        weights = self._known_weights
        if weights.ndim == 3 and weights.shape[0] != n_marks:
            raise InvalidParameterError(
                f"weights of the kernel are for {weights.shape[0]} marks, but there are {n_marks}."
            )

    @property
    def _known_weights(self) -> FloatArray:
        if self.weights is None and not self.decays.size:
            raise InvalidParameterError(_NO_DECAYS)
        if self.weights is None:
            raise InvalidParameterError(
                "the weights of SumExponential are not known; give weights=..., which sum to 1, "
                "or let hawkeys.fit estimate them."
            )
        return self.weights

    @cached_property
    def _exponentials(self) -> tuple[Exponential, ...]:
        if not self.decays.size:
            raise InvalidParameterError(_NO_DECAYS)
        return tuple(Exponential(decay) for decay in self.decays)

    def parts(self) -> list[tuple[Exponential, FloatArray]]:
        """Return each exponential with its weight, an array of shape () or (n_marks, n_marks)."""
        return [
            (kernel, self._known_weights[..., u]) for u, kernel in enumerate(self._exponentials)
        ]

    def density(self, lags: ArrayLike) -> FloatArray:
        """Evaluate g at lags for every pair the weights distinguish.

        Parameters
        ----------
        lags : float or array_like, shape (n,)
            Lags in the unit of time of the decays; the density is 0 at lags <= 0.

        Returns
        -------
        ndarray of float64, shape (n, 1) or (n, n_marks * n_marks)
            Density per unit of time, sources fastest.
        """
        each = np.concatenate([kernel.density(lags) for kernel in self._exponentials], axis=1)
        return each @ self._known_weights.reshape(-1, self.decays.size).T

    def excitation(self, events: Events, layout: BlockLayout) -> FloatArray:
        """Return c_ij at each event; see `Kernel.excitation`."""
        size = events.n_marks
        self.check_marks(size)
        total = np.zeros(events.n_events * size)
        for kernel, weight in self.parts():
            part = kernel.excitation(events, layout)
            if weight.ndim == 0:
                part *= weight
            for b in range(layout.offsets.size - 1 if weight.ndim else 0):
                begin, end = size * layout.offsets[b : b + 2]
                part[begin:end].reshape(size, -1)[:] *= weight[b % size][:, None]
            total += part
        return total

    def integrals(self, events: Events) -> FloatArray:
        """Return K_ij over each window; see `Kernel.integrals`."""
        self.check_marks(events.n_marks)
        parts = [weight * kernel.integrals(events) for kernel, weight in self.parts()]
        return np.sum(parts, axis=0)

    def excitation_at(
        self, events: Events, realization: int, times: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return c_ij and its integral at sorted times; see `Kernel.excitation_at`."""
        self.check_marks(events.n_marks)
        excitation = np.zeros((times.size, events.n_marks, events.n_marks))
        integrals = np.zeros_like(excitation)
        for kernel, weight in self.parts():
            density, mass = kernel.excitation_at(events, realization, times)
            excitation += weight * density
            integrals += weight * mass
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
        self.check_marks(events.n_marks)
        out = np.zeros((times.size, events.n_marks))
        for kernel, weight in self.parts():
            out += kernel.sums_at(events, realization, times, weight * adjacency, mass=mass)
        return out

    def sample_lags(
        self, rng: np.random.Generator, targets: IntArray, sources: IntArray
    ) -> FloatArray:
        """Draw a component and then its exponential lag; see `Kernel.sample_lags`."""
        return self._draw(rng, self._of_pairs(targets, sources))

    def remaining_mass(self, elapsed: FloatArray, sources: IntArray, n_marks: int) -> FloatArray:
        """Return 1 - G_ij(elapsed[k]) for each target; see `Kernel.remaining_mass`."""
        self.check_marks(n_marks)
        left = np.exp(-np.outer(elapsed, self.decays))
        weights = np.broadcast_to(self._known_weights, (n_marks, n_marks, self.decays.size))
        mass = np.einsum("ku,iku->ki", left, weights[:, sources])
        return np.where(mass > TAIL, mass, 0.0)

    def sample_residual_lags(
        self,
        rng: np.random.Generator,
        targets: IntArray,
        sources: IntArray,
        elapsed: FloatArray,
    ) -> FloatArray:
        """Draw remaining lags: the slower a component, the more of it is left."""
        # measured from the slowest, so that something is left after any time
        left = np.exp(-np.outer(elapsed, self.decays - self.decays.min()))
        return self._draw(rng, self._of_pairs(targets, sources) * left)

    def _of_pairs(self, targets: IntArray, sources: IntArray) -> FloatArray:
        """Return the weights of pairs, shape (n, n_decays)."""
        weights = self._known_weights
        if weights.ndim == 1:
            return np.broadcast_to(weights, (targets.size, weights.size))
        return weights[targets, sources]

    def _draw(self, rng: np.random.Generator, weights: FloatArray) -> FloatArray:
        """Draw a component of each row with probabilities proportional to it, and a lag."""
        edges = np.cumsum(weights, axis=1)
        point = rng.random(len(weights)) * edges[:, -1]
        found = np.minimum((edges <= point[:, None]).sum(axis=1), self.decays.size - 1)
        return rng.standard_exponential(len(weights)) / self.decays[found]

    def to_dict(self) -> dict[str, Any]:
        """Return the class, the decays and the weights, or how many are to be estimated."""
        if not self.decays.size:
            return {"name": self.name, "n_decays": self.n_decays}
        weights = None if self.weights is None else self.weights.tolist()
        return {"name": self.name, "decays": self.decays.tolist(), "weights": weights}


def _number_of(n_decays: int | None, weights: ArrayLike | None) -> int:
    """Return how many decays are to be estimated."""
    if weights is not None:
        raise InvalidParameterError(
            "weights of SumExponential are those of decays that are given; give decays, too, or "
            "leave the weights to hawkeys.fit."
        )
    if n_decays is None:
        raise InvalidParameterError(
            "SumExponential needs decays=[...], or n_decays=2 or more for hawkeys.fit to estimate."
        )
    if check_count(n_decays, "n_decays", minimum=2) > _MOST:
        raise InvalidParameterError(
            f"n_decays must be at most {_MOST}: data do not tell more apart; got {n_decays}. Give "
            "decays=[...], whose weights are estimated."
        )
    return n_decays


def _different(decays: FloatArray) -> FloatArray:
    """Return the decays, read-only, if they are a list of different numbers."""
    if decays.ndim != 1 or decays.size == 0:
        raise InvalidParameterError(
            f"decays must be a list of numbers, one per component; got shape {decays.shape}."
        )
    values, counts = np.unique(decays, return_counts=True)
    if (counts > 1).any():
        raise InvalidParameterError(
            f"decays must be different; {values[counts > 1][0]:.12g} comes "
            f"{counts.max()} times. Equal decays are one component: give it once."
        )
    decays.flags.writeable = False
    return decays
