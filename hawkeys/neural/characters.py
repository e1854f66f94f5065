"""`TemporalCharacters`: keyed text, read as characters with times, then as words."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

import numpy as np
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import brief, check_choice, check_count
from hawkeys.datasets import Strokes
from hawkeys.exceptions import InvalidParameterError
from hawkeys.neural.extra import Runtime, Schedule, require_torch
from hawkeys.neural.files import read_network, rebuilding, with_prefix, write_network
from hawkeys.neural.key_inputs import KeyInputs, inputs_of_arrays, learn_inputs
from hawkeys.neural.regularization import Regularization
from hawkeys.verifiers import MarkedRenewal
from hawkeys.verifiers.protocol import Needs

__all__ = ["TemporalCharacters", "load_temporal_characters"]

_KIND = "hawkeys temporal characters 1"

_SCHEDULE = Schedule("adam", 2e-3, batch_size=64, epochs=40, decay=0.01, shape="one-cycle")


class TemporalCharacters(ClassifierMixin, BaseEstimator):
    """Identify people by a small transformer of keys and times, trained from scratch.

    A key's embedding and a projection of its times (log hold, log press-press, release-press) are
    summed and read in both directions by gated units; a word (keys up to a space) is its first and
    its last state; two layers of attention over the words, their mean, and one output per person.
    The log of the probability verifies a person against all others that are enrolled.

    Parameters
    ----------
    head : {"transformer", "lstm"}, default "transformer"
        What reads the words.
    characters : bool, default True
        Whether it sees keys. Without, words are five keystrokes each.
    times : bool, default True
        Whether it sees times.
    population : bool or None, default None
        Whether it also sees log hold less the mean of that key, and log press-press time less the
        mean of that pair, of all people it is trained on [1]_. None: if it sees keys and times.
    schedule : Schedule
        Steps and epochs. Default: Adam in batches of 64 for 40 epochs, sizes of steps up to 2e-3
        "one-cycle", a decay of .01.
    regularization : Regularization, default Regularization()
        Against overfitting. This and the schedule were chosen on 137 people of the Aalto sentences
        who are in no table.
    runtime : Runtime, default Runtime()
        Device, checkpoints and progress.
    random_state : int, default 0
        Seed.

    Attributes
    ----------
    classes_ : ndarray of str, shape (n_people,)
        The people, sorted.
    curve_ : list of float
        Mean loss of each epoch.
    inputs_ : KeyInputs
        Known keys, means and spreads.
    network_ : torch.nn.Module
        The trained network.

    Raises
    ------
    MissingExtraError
        By `fit`, if torch is not installed.

    References
    ----------
    .. [1] N. Gonzalez et al., "Type2Branch: keystroke biometrics based on a dual-branch
       architecture with attention mechanisms and set2set loss", arXiv:2405.01088 (the idea of
       times less what people in general do; not its network).

    Examples
    --------
    >>> from hawkeys.datasets import simulate_keyed_text
    >>> from hawkeys.neural import Schedule, TemporalCharacters
    >>> strokes = simulate_keyed_text(3, n_sessions=4, n_keys=12)
    >>> once = Schedule("adam", 1e-3, batch_size=8, epochs=1)
    >>> TemporalCharacters(schedule=once).fit(strokes).predict_log_proba(strokes).shape
    (12, 3)
    """

    needs = Needs("free text", holds=True, keys=True, background=True)

    def __init__(
        self,
        head: str = "transformer",
        characters: bool = True,
        times: bool = True,
        population: bool | None = None,
        schedule: Schedule = _SCHEDULE,
        regularization: Regularization = Regularization(),  # noqa: B008  (frozen)
        runtime: Runtime = Runtime(),  # noqa: B008  (frozen)
        random_state: int = 0,
    ) -> None:
        self.head = head
        self.characters = characters
        self.times = times
        self.population = population
        self.schedule = schedule
        self.regularization = regularization
        self.runtime = runtime
        self.random_state = random_state

    def fit(self, X: Any, y: ArrayLike | None = None) -> TemporalCharacters:
        """Learn the people.

        Parameters
        ----------
        X : Strokes, DataFrame or mapping
            Keystrokes in recordings, as `hawkeys.verifiers.MarkedRenewal` takes them.
        y : array_like, shape (n_recordings,), optional
            The person of each recording. Default: the users of a Strokes record.

        Returns
        -------
        TemporalCharacters
            The classifier itself.

        Raises
        ------
        InvalidParameterError
            If a parameter is not valid, people and recordings differ in number, or there are fewer
            than two people.
        InvalidTimingsError
            If times are not finite or not in order.
        MissingExtraError
            If torch is not installed.
        """
        from hawkeys.neural._nets.training import train

        data, index = self.prepare(X, y)
        self.network_ = self.new_network()
        weight = self.class_weights(index)
        self.curve_ = train(
            self.network_,
            cross_entropy_of_recordings(weight, self.regularization.label_smoothing),
            self.tensors(data, index),
            self.schedule,
            runtime=self.runtime,
            seed=self.random_state,
            what="Temporal characters",
        )
        return self

    def predict_log_proba(self, X: Any) -> FloatArray:
        """Return how likely each person is.

        Parameters
        ----------
        X : Strokes, DataFrame or mapping
            Keystrokes in recordings.

        Returns
        -------
        ndarray of float64, shape (n_recordings, n_people)
            Log of the probability, in the order of `classes_`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        InvalidParameterError, InvalidTimingsError
            As `fit`.
        """
        check_is_fitted(self, "network_")
        from hawkeys.neural._nets.evaluating import outputs_of

        outputs = outputs_of(self.network_, *self.tensors(self.inputs_.arrays(X, "X")))
        return np.asarray(log_softmax(outputs.astype(np.float64), axis=1))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most likely person of each recording.

        Parameters
        ----------
        X : Strokes, DataFrame or mapping
            Keystrokes in recordings.

        Returns
        -------
        ndarray, shape (n_recordings,)
            Of `classes_`.

        Raises
        ------
        InvalidParameterError, InvalidTimingsError
            As `fit`.
        """
        return np.asarray(self.classes_[self.predict_log_proba(X).argmax(axis=1)])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted network to a file (.npz, no pickle).

        Parameters
        ----------
        path : path
            Its name. The file names the people and holds what `predict_log_proba` needs.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        OutputError
            If it cannot be written.
        """
        check_is_fitted(self, "network_")
        from hawkeys.neural._nets.training import arrays_of

        names = ("head", "characters", "times", "population", "random_state")
        settings = {name: getattr(self, name) for name in names}
        settings["schedule"] = asdict(self.schedule)
        settings["regularization"] = asdict(self.regularization)
        arrays = {f"network/{name}": one for name, one in arrays_of(self.network_).items()}
        arrays |= {f"inputs/{name}": one for name, one in self.inputs_.as_arrays().items()}
        arrays |= {"classes": self.classes_, "curve": np.array(self.curve_)}
        write_network(path, _KIND, settings, arrays)

    def prepare(
        self, X: Any, y: ArrayLike | None, inputs: KeyInputs | None = None
    ) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        """Check everything; return what the network takes, and the number of each one's person.

        Sets `classes_` and, unless they are given, learns `inputs_`. Raises what `fit` raises.
        """
        self._check()
        require_torch()
        if y is None and not isinstance(X, Strokes):
            raise InvalidParameterError(
                "y must name the person of each recording, unless X is a Strokes record."
            )
        people = MarkedRenewal.people_of(X) if y is None else np.asarray(y).astype(np.str_)
        both = self.characters and self.times
        self.inputs_ = inputs or learn_inputs(
            X,
            characters=self.characters,
            population=both if self.population is None else self.population,
        )
        data = self.inputs_.arrays(X, "X")
        if people.shape != (len(data[0]),):
            raise InvalidParameterError(
                f"y must hold one person per recording, shape ({len(data[0])},); got shape "
                f"{people.shape}."
            )
        self.classes_, index = np.unique(people, return_inverse=True)
        if self.classes_.size < 2:
            raise InvalidParameterError(
                f"y names one person, {str(self.classes_[0])!r}; two or more are needed."
            )
        return data, index.astype(np.int64)

    def new_network(self) -> Any:
        """Return a network that was not trained, the same for a seed."""
        from hawkeys.neural._nets.characters import CharacterNetwork
        from hawkeys.neural._nets.training import seeded

        n_keys = len(self.inputs_.names) if self.characters else 0
        n_times = self.inputs_.center.size if self.times else 0
        with seeded(self.random_state):
            return CharacterNetwork(
                n_keys,
                n_times,
                self.classes_.size,
                head=self.head,
                regularization=self.regularization,
            )

    def tensors(self, data: tuple[np.ndarray, ...], *more: np.ndarray) -> tuple[Any, ...]:
        """Return arrays as torch takes them."""
        torch = require_torch()
        return tuple(torch.from_numpy(np.ascontiguousarray(part)) for part in (*data, *more))

    def class_weights(self, index: np.ndarray) -> Any:
        """Return weights that make people with few recordings count as much."""
        torch = require_torch()
        count = np.bincount(index, minlength=self.classes_.size)
        return torch.tensor(index.size / (count * count.size), dtype=torch.float32)

    def _check(self) -> None:
        check_choice(self.head, "head", ("transformer", "lstm"))
        check_count(self.random_state, "random_state", minimum=0)
        if not (self.characters or self.times):
            raise InvalidParameterError(
                "characters=False and times=False leave nothing to see. Switch one of them on."
            )
        if not isinstance(self.population, bool | None):
            raise InvalidParameterError(
                f"population must be True, False or None; got {brief(self.population)}."
            )
        if not isinstance(self.regularization, Regularization):
            raise InvalidParameterError(
                f"regularization must be a Regularization; got {brief(self.regularization)}."
            )
        if self.population and not (self.characters and self.times):
            raise InvalidParameterError(
                "population=True compares times of the same keys: it needs characters and times."
            )


def load_temporal_characters(path: str | os.PathLike[str]) -> TemporalCharacters:
    """Read a network that `TemporalCharacters.save` wrote.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    TemporalCharacters
        Fitted; its `runtime` is the default one, and it decides on the processor.

    Raises
    ------
    TemplateFileError
        If there is no such file, or it is another one, damaged, or was edited.
    MissingExtraError
        If torch is not installed.

    Examples
    --------
    >>> from hawkeys.neural import load_temporal_characters
    >>> load_temporal_characters("nowhere.npz")
    Traceback (most recent call last):
    ...
    hawkeys.exceptions.TemplateFileError: nowhere.npz: no such file. Check the path.
    """
    require_torch()
    from hawkeys.neural._nets.training import load_arrays

    settings, arrays = read_network(path, _KIND)
    with rebuilding(path, "what is written is not a network of this version"):
        schedule = Schedule(**settings.pop("schedule"))
        regularization = Regularization(**settings.pop("regularization"))
        model = TemporalCharacters(schedule=schedule, regularization=regularization, **settings)
        model.inputs_ = inputs_of_arrays(with_prefix("inputs/", arrays))
        model.classes_, model.curve_ = arrays["classes"], arrays["curve"].tolist()
        model.network_ = model.new_network()
        load_arrays(model.network_, with_prefix("network/", arrays))
    return model


def cross_entropy_of_recordings(weight: Any, smoothing: float) -> Any:
    """Return the loss of a batch of recordings whose last part are the people."""
    torch = require_torch()

    def loss(module: Any, *batch: Any) -> Any:
        return torch.nn.functional.cross_entropy(
            module(*batch[:-1]),
            batch[-1],
            weight=weight.to(batch[-1].device),
            label_smoothing=smoothing,
        )

    return loss
