"""The contract of a productivity."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from hawkeys._registry import Named, rebuild
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import as_float_array, brief, check_choice, refuse_labels
from hawkeys.events import Events
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.productivity.laws import EmpiricalValues, ValueLaw

__all__ = ["Productivity", "as_productivity"]

# exp of more is beyond doubles, or makes a sum so
_LARGEST = 600.0


class Productivity(Named, ABC):
    r"""How many children an event has, relative to one of value v0: exp(a z), z a score of v.

    Parameters
    ----------
    a : float or array_like, shape (n_marks,), optional
        Coefficient of the score: one for all, or one per source mark. Left out, it is estimated by
        `hawkeys.fit`.
    v0 : float, optional
        Value at which the productivity is 1, so that the adjacency is the expected number of
        children of an event of this value. Another v0 is the same model with another adjacency.
        Left out, `hawkeys.fit` takes the least value of the data.
    sharing : {"shared", "source"}, default "shared"
        Whether an `a` that is estimated is one for all, or one per source mark.
    law : ValueLaw, optional
        Law of the values themselves, which simulations and the spectral radius need. Left out,
        `hawkeys.fit` takes that of the data, `EmpiricalValues`.

    Attributes
    ----------
    a : ndarray of float64, shape () or (n_marks,), or None
        As given.
    v0 : float or None
        As given.
    sharing : str
        As given.
    law : ValueLaw or None
        As given.

    Raises
    ------
    InvalidParameterError
        A coefficient or v0 is no finite number, or has a wrong shape; an unknown sharing; a law
        that is none.
    """

    _kind: ClassVar[str] = "productivity"

    def __init__(
        self,
        a: ArrayLike | None = None,
        v0: float | None = None,
        *,
        sharing: str = "shared",
        law: ValueLaw | None = None,
    ) -> None:
        refuse_labels(a, "a")
        self.a = None if a is None else as_float_array(a, "a")
        if self.a is not None and self.a.ndim > 1:
            raise InvalidParameterError(
                f"a must be one number or one per source mark; got shape {self.a.shape}."
            )
        self.v0 = None if v0 is None else self._check_v0(v0)
        self.sharing = check_choice(sharing, "sharing", ("shared", "source"))
        if law is not None and not isinstance(law, ValueLaw):
            raise InvalidParameterError(
                f"law must be one of hawkeys.productivity, such as ExponentialValues(mean); got "
                f"{brief(law)}."
            )
        self.law = law
        if self.a is not None:
            self.a.flags.writeable = False

    def __repr__(self) -> str:
        parts = [] if self.a is None else [f"a={np.round(self.a, 6).tolist()}"]
        parts += [] if self.v0 is None else [f"v0={self.v0:.6g}"]
        parts += [] if self.sharing == "shared" else [f"sharing={self.sharing!r}"]
        parts += [] if self.law is None else [f"law={self.law!r}"]
        return f"{type(self).__name__}({', '.join(parts)})"

    @property
    def known(self) -> bool:
        """Whether a and v0 are given; if not, `hawkeys.fit` estimates a."""
        return self.a is not None and self.v0 is not None

    @abstractmethod
    def scores(self, values: FloatArray) -> FloatArray:
        """Return z of each value, 0 at v0, (n,)."""

    def replaced(self, **changed: Any) -> Any:
        """Return a copy with other arguments of the constructor.

        Parameters
        ----------
        **changed
            ``a``, ``v0``, ``sharing``, ``law``.

        Returns
        -------
        Productivity
            Of the same class.
        """
        names = ("a", "v0", "sharing", "law")
        return type(self)(**{**{name: getattr(self, name) for name in names}, **changed})

    def filled(self, events: Events) -> Any:
        """Return a copy whose v0 and law, if they were left out, are those of the data.

        Parameters
        ----------
        events : Events
            With values.

        Returns
        -------
        Productivity
            Its `v0` and `law` are known.

        Raises
        ------
        InvalidEventsError
            The events have no values, or there is no event.
        """
        law = EmpiricalValues.of(events) if self.law is None else self.law
        v0 = float(checked_values(events).min()) if self.v0 is None else self.v0
        return self.replaced(law=law, v0=v0)

    def check_marks(self, n_marks: int) -> None:
        """Refuse unknown parameters, and a number of marks that they do not fit.

        Parameters
        ----------
        n_marks : int
            Number of marks of the process.

        Raises
        ------
        InvalidParameterError
            a or v0 is not known, or a or the law is for another number of marks.
        """
        if self.a is None or self.v0 is None:
            lacks = " and ".join(name for name in ("a", "v0") if getattr(self, name) is None)
            raise InvalidParameterError(
                f"{lacks} of the productivity {type(self).__name__} must be given; only "
                "hawkeys.fit by 'mle' estimates a."
            )
        if self.a.ndim and self.a.size != n_marks:
            raise InvalidParameterError(
                f"a of the productivity has {self.a.size} entries, but there are {n_marks} marks."
            )
        if self.law is not None:
            self.law.check_marks(n_marks)

    def factors(self, values: FloatArray, marks: IntArray) -> FloatArray:
        """Return the productivity of events, relative to one of value v0.

        Parameters
        ----------
        values : ndarray of float64, shape (n,)
            Their values.
        marks : ndarray of int64, shape (n,)
            Their marks.

        Returns
        -------
        ndarray of float64, shape (n,)
            exp(a z).

        Raises
        ------
        InvalidParameterError
            A factor is beyond what doubles hold.
        """
        coefficient = np.zeros(()) if self.a is None else self.a
        slope = coefficient[marks] if coefficient.ndim else coefficient
        logs = slope * self.scores(values)
        if (np.abs(logs) > _LARGEST).any():
            worst = int(np.argmax(np.abs(logs)))
            raise InvalidParameterError(
                f"the productivity of an event of value {values[worst]:g} would be "
                f"exp({logs[worst]:.3g}). Give a v0 among the values, or a smaller a."
            )
        return np.exp(logs)

    def strengths(self, events: Events) -> FloatArray:
        """Return the productivity of each of the events, (n_events,).

        Parameters
        ----------
        events : Events
            With values.

        Returns
        -------
        ndarray of float64, shape (n_events,)
            exp(a z).

        Raises
        ------
        InvalidEventsError
            The events have no values.
        """
        return self.factors(checked_values(events), events.marks)

    def mean_factors(self, n_marks: int) -> FloatArray | None:
        """Return the mean productivity of the events of each mark under the law of their values.

        Parameters
        ----------
        n_marks : int
            Number of marks.

        Returns
        -------
        ndarray of float64, shape (n_marks,), or None
            Infinite where the mean is; None if the law is not known.
        """
        if self.law is None:
            return None

        def of_mark(values: FloatArray, mark: int) -> FloatArray:
            coefficient = np.zeros(()) if self.a is None else self.a
            slope = float(coefficient[mark] if coefficient.ndim else coefficient)
            with np.errstate(over="ignore"):
                return np.exp(slope * self.scores(values))

        return self.law.mean_of(of_mark, n_marks)

    def to_dict(self) -> dict[str, Any]:
        """Return class and arguments as plain JSON types."""
        return {
            "name": type(self).name,
            "a": None if self.a is None else self.a.tolist(),
            "v0": self.v0,
            "sharing": self.sharing,
            "law": None if self.law is None else self.law.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Any:
        """Return the productivity of which `to_dict` wrote these values, without the name."""
        law = values.get("law")
        given = dict(values) | {"law": None if law is None else rebuild("law of values", law)}
        return super().from_dict(given)

    def _check_v0(self, v0: Any) -> float:
        value = as_float_array(v0, "v0")
        if value.ndim:
            raise InvalidParameterError(f"v0 must be one number; got {brief(v0)}.")
        return float(value)


def checked_values(events: Events) -> FloatArray:
    """Return the values of events. Refuses events without."""
    if events.values is None:
        raise InvalidEventsError(
            "a productivity depends on the values of the events, and these have none. Build them "
            "with values=, the name of a column or one number per event."
        )
    return events.values


def as_productivity(value: Any) -> Productivity:
    """Return the productivity that a name stands for; a productivity is returned as it is.

    Parameters
    ----------
    value : Productivity or str
        "exponential" or "power" stand for those with everything left out.

    Returns
    -------
    Productivity
        As given, or new.

    Raises
    ------
    InvalidParameterError
        It is neither.
    """
    if isinstance(value, Mapping):  # as a file has it
        value = rebuild("productivity", value)
    if isinstance(value, str):
        value = rebuild("productivity", {"name": value})
    if not isinstance(value, Productivity):
        raise InvalidParameterError(
            f"productivity must be 'exponential', 'power' or one of hawkeys.productivity; got "
            f"{brief(value)}."
        )
    return value
