"""A kernel whose sources count more than once: a factor in the likelihood of `HawkesFeatures`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels import BlockLayout, Kernel, kernel_from_dict
from hawkeys.kernels.pairs import one_pair

__all__ = ["WithFactors"]


class WithFactors(Kernel):
    r"""A kernel under which the entry of source j stands for `factors` [j] times its value.

    The intensity is :math:`\mu_i + \sum_j W_{ij} f_j \sum_l g_{ij}(t - t_{jl})`: excitation and
    cost of source j carry the factor, so that a prior acts on the smaller entry W.

    Parameters
    ----------
    kernel : Kernel
        The kernel g.
    factors : ndarray of float64, shape (n_marks,)
        The factors f, positive.
    """

    name = "with-factors"

    def __init__(self, kernel: Kernel, factors: FloatArray) -> None:
        self.kernel = kernel
        self.factors = factors

    def __repr__(self) -> str:
        return f"WithFactors({self.kernel!r}, {self.factors.tolist()})"

    def check_marks(self, n_marks: int) -> None:
        """Refuse another number of marks than there are factors."""
        self.kernel.check_marks(n_marks)
        if self.factors.shape != (n_marks,):
            raise InvalidParameterError(
                f"factors must have shape ({n_marks},), one per source; got {self.factors.shape}. "
                "Give one for each mark."
            )

    def excitation(self, events: Events, layout: BlockLayout) -> FloatArray:
        """Return f_j c_ij at each event; see `Kernel.excitation`."""
        sizes = np.diff(layout.offsets)
        of_row = np.tile(self.factors, sizes.size)
        each = np.repeat(of_row, np.repeat(sizes, self.factors.size))
        return self.kernel.excitation(events, layout) * each

    def integrals(self, events: Events) -> FloatArray:
        """Return f_j K_ij over each window; see `Kernel.integrals`."""
        return self.kernel.integrals(events) * self.factors

    def excitation_at(
        self, events: Events, realization: int, times: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return f_j c_ij and its integral at sorted times; see `Kernel.excitation_at`."""
        excitation, integrals = self.kernel.excitation_at(events, realization, times)
        return excitation * self.factors, integrals * self.factors

    def sample_lags(
        self, rng: np.random.Generator, targets: IntArray, sources: IntArray
    ) -> FloatArray:
        """Draw lags, which do not depend on the factors; see `Kernel.sample_lags`."""
        return self.kernel.sample_lags(rng, targets, sources)

    def density(self, lags: ArrayLike) -> FloatArray:
        """Return f_j g_ij by pair, sources fastest; see `Kernel.density`."""
        every, size = self.kernel.density(lags), self.factors.size
        columns = [
            self.factors[j] * one_pair(every, size, i, j) for i in range(size) for j in range(size)
        ]
        return np.column_stack(columns)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> WithFactors:
        """Return the kernel of which `to_dict` wrote kernel and factors."""
        return cls(kernel_from_dict(values["kernel"]), np.asarray(values["factors"]))

    def to_dict(self) -> dict[str, Any]:
        """Return kernel and factors as plain types."""
        return {
            "name": self.name,
            "kernel": self.kernel.to_dict(),
            "factors": self.factors.tolist(),
        }
