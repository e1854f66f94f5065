"""`ContrastiveClassifier`: convolutions and LSTMs on event times, in two phases or in one."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

import numpy as np
from scipy.special import log_softmax
from sklearn.utils.validation import check_is_fitted

from hawkeys._typing import FloatArray
from hawkeys._validation import check_choice, check_count
from hawkeys.exceptions import InvalidParameterError
from hawkeys.neural.extra import Runtime, Schedule, require_torch
from hawkeys.neural.files import read_network, rebuilding, with_prefix, write_network
from hawkeys.neural.recipes import REPAIRED_RECIPE, Recipe
from hawkeys.verifiers.event_times import EventTimeClassifier

__all__ = ["ContrastiveClassifier", "load_contrastive_classifier"]

_KIND = "hawkeys contrastive classifier 1"

_UNIT = 1e-4  # seconds


class ContrastiveClassifier(EventTimeClassifier):
    """Tell people apart by event times with the network of [1]_.

    In two phases: convolutions and two LSTMs learn codes of slices so that those of one person lie
    together (supervised contrastive loss [2]_); then, on the frozen codes, three dense layers learn
    who typed. In one phase all layers learn that at once. People with fewer samples weigh as much.

    Parameters
    ----------
    recipe : Recipe, default REPAIRED_RECIPE
        Input, steps and epochs; `SEED_RECIPE` is the published one.
    phases : {1, 2}, default 2
        Whether the contrastive loss is used.
    recurrent : bool, default True
        Whether there are LSTMs; without, the code is the mean over time.
    block : {"inception", "residual"}, default "inception"
        Two branches in a row of time, as published, or one.
    runtime : Runtime, default Runtime()
        Device, checkpoints and progress.
    random_state : int, default 0
        Seed; on one machine's processor the same numbers each time.

    Attributes
    ----------
    classes_ : ndarray, shape (n_people,)
        The people, sorted.
    curves_ : dict of str to list of float
        Mean loss of each epoch, by phase: "encoder" and "head", or "together".
    n_parameters_ : dict of str to int
        How many numbers each part has: "encoder", "projection" (dropped afterwards) and "head".
    encoder_, head_ : torch.nn.Module
        The trained parts.

    Raises
    ------
    MissingExtraError
        By `fit`, if torch is not installed.

    References
    ----------
    .. [1] S. A. Calin, "Deep learning approach for keystroke recognition".
    .. [2] P. Khosla et al., "Supervised contrastive learning", NeurIPS 2020, arXiv:2004.11362,
       equation 2.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.neural import ContrastiveClassifier, Recipe, Schedule
    >>> rng = np.random.default_rng(0)
    >>> samples = np.exp(rng.normal(np.repeat([-2.0, -1.0], 16)[:, None], 0.3, (32, 6)))
    >>> once = Schedule("adam", 1e-3, batch_size=8, epochs=1)
    >>> system = ContrastiveClassifier(Recipe("log-intervals", once, once, once), recurrent=False)
    >>> system.fit(samples, np.repeat(["ann", "bob"], 16)).predict_log_proba(samples).shape
    (32, 2)
    """

    def __init__(
        self,
        recipe: Recipe = REPAIRED_RECIPE,
        phases: int = 2,
        recurrent: bool = True,
        block: str = "inception",
        runtime: Runtime = Runtime(),  # noqa: B008  (frozen)
        random_state: int = 0,
    ) -> None:
        self.recipe = recipe
        self.phases = phases
        self.recurrent = recurrent
        self.block = block
        self.runtime = runtime
        self.random_state = random_state

    @property
    def _positive(self) -> bool:  # type: ignore[override]
        """Whether intervals of 0 are refused: cumulative times need no logarithms."""
        return getattr(self.recipe, "input", None) != "times"

    def _learn(self, intervals: FloatArray, index: np.ndarray) -> None:
        self._check()
        torch = require_torch()
        from hawkeys.neural._nets.contrastive import Encoder, WithHead
        from hawkeys.neural._nets.layers import n_parameters
        from hawkeys.neural._nets.training import seeded

        self.length_ = intervals.shape[1]
        self.center_, self.scale_ = 0.0, 1.0
        if self._positive:
            log = np.log(intervals)
            self.center_, self.scale_ = float(log.mean()), float(log.std()) or 1.0
        x = torch.from_numpy(self._input(intervals))
        y = torch.from_numpy(index.astype(np.int64))
        share = torch.bincount(y) * len(torch.bincount(y)) / len(y)
        with seeded(self.random_state):
            self.encoder_ = Encoder(recurrent=self.recurrent, block=self.block)
            projecting = WithHead.projecting(self.encoder_)
            whole = WithHead.classifying(self.encoder_, self.classes_.size)
        self.head_ = whole.head
        self.n_parameters_ = {
            "encoder": n_parameters(self.encoder_),
            "projection": n_parameters(projecting.head),
            "head": n_parameters(self.head_),
        }
        if self.phases == 1:
            self.curves_ = {"together": self._train_together(whole, x, y, 1.0 / share)}
        else:
            self.curves_ = {"encoder": self._train_encoder(projecting, x, y)}
            self.curves_["head"] = self._train_head(self._codes(x), y, 1.0 / share)

    def _log_proba(self, intervals: FloatArray) -> FloatArray:
        torch = require_torch()
        from hawkeys.neural._nets.evaluating import outputs_of

        if intervals.shape[1] != self.length_:
            raise InvalidParameterError(
                f"X has {intervals.shape[1]} intervals per sample; the network was trained on "
                f"{self.length_}. Cut slices of that length."
            )
        codes = self._codes(torch.from_numpy(self._input(intervals)))
        return np.asarray(log_softmax(outputs_of(self.head_, codes), axis=1))

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
        check_is_fitted(self)
        from hawkeys.neural._nets.training import arrays_of

        names = ("phases", "recurrent", "block", "random_state", "length_", "center_", "scale_",
                 "n_parameters_", "curves_")  # fmt: skip
        settings = {name: getattr(self, name) for name in names}
        settings["recipe"] = asdict(self.recipe)
        arrays = {f"encoder/{name}": one for name, one in arrays_of(self.encoder_).items()}
        arrays |= {f"head/{name}": one for name, one in arrays_of(self.head_).items()}
        write_network(path, _KIND, settings, arrays | {"classes": self.classes_})

    def _check(self) -> None:
        if not isinstance(self.recipe, Recipe):
            raise InvalidParameterError(
                f"recipe must be a Recipe, such as REPAIRED_RECIPE; got {self.recipe!r}."
            )
        check_choice(self.block, "block", ("inception", "residual"))
        check_count(self.random_state, "random_state", minimum=0)
        if check_count(self.phases, "phases") > 2:
            raise InvalidParameterError(f"phases must be 1 or 2; got {self.phases}.")

    def _input(self, intervals: FloatArray) -> np.ndarray:
        """Return what the network sees, (n_samples, length), float32."""
        if self.recipe.input == "times":
            return (np.cumsum(intervals, axis=1) / _UNIT).astype(np.float32)
        return ((np.log(intervals) - self.center_) / self.scale_).astype(np.float32)

    def _codes(self, x: Any) -> Any:
        """Return codes of the encoder, which is left as it is: (n_samples, n_code)."""
        torch = require_torch()
        from hawkeys.neural._nets.evaluating import outputs_of

        return torch.from_numpy(outputs_of(self.encoder_, x))

    def _train_encoder(self, projecting: Any, x: Any, y: Any) -> list[float]:
        from hawkeys.neural._nets.contrastive import supcon_loss
        from hawkeys.neural._nets.training import train

        recipe = self.recipe

        def loss(module: Any, x: Any, y: Any) -> Any:
            return supcon_loss(module(x), y, recipe.temperature, include_self=recipe.include_self)

        return train(projecting, loss, (x, y), recipe.encoder, runtime=self.runtime,
                     seed=self.random_state, what="Contrastive encoder")  # fmt: skip

    def _train_head(self, codes: Any, y: Any, weight: Any) -> list[float]:
        from hawkeys.neural._nets.evaluating import weighted_cross_entropy
        from hawkeys.neural._nets.training import train

        return train(self.head_, weighted_cross_entropy(weight), (codes, y), self.recipe.head,
                     runtime=self.runtime, seed=self.random_state + 1, what="Head")  # fmt: skip

    def _train_together(self, whole: Any, x: Any, y: Any, weight: Any) -> list[float]:
        from hawkeys.neural._nets.evaluating import weighted_cross_entropy
        from hawkeys.neural._nets.training import train

        return train(whole, weighted_cross_entropy(weight), (x, y), self.recipe.together,
                     runtime=self.runtime, seed=self.random_state, what="Network")  # fmt: skip


def load_contrastive_classifier(path: str | os.PathLike[str]) -> ContrastiveClassifier:
    """Read a network that `ContrastiveClassifier.save` wrote.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    ContrastiveClassifier
        Fitted; its `runtime` is the default one, and it decides on the processor.

    Raises
    ------
    TemplateFileError
        If there is no such file, or it is another one, damaged, or was edited.
    MissingExtraError
        If torch is not installed.

    Examples
    --------
    >>> from hawkeys.neural import load_contrastive_classifier
    >>> load_contrastive_classifier("nowhere.npz")
    Traceback (most recent call last):
    ...
    hawkeys.exceptions.TemplateFileError: nowhere.npz: no such file. Check the path.
    """
    require_torch()
    from hawkeys.neural._nets.contrastive import Encoder, WithHead
    from hawkeys.neural._nets.training import load_arrays

    settings, arrays = read_network(path, _KIND)
    with rebuilding(path, "what is written is not a network of this version"):
        recipe = settings.pop("recipe")
        schedules: dict[str, Any] = {
            name: Schedule(**recipe.pop(name)) for name in ("encoder", "head", "together")
        }
        learned = {name: settings.pop(name) for name in [*settings] if name.endswith("_")}
        model = ContrastiveClassifier(Recipe(**recipe, **schedules), **settings)
        model.classes_ = arrays["classes"]
        for name, value in learned.items():
            setattr(model, name, value)
        model.encoder_ = Encoder(recurrent=model.recurrent, block=model.block)
        model.head_ = WithHead.classifying(model.encoder_, model.classes_.size).head
        load_arrays(model.encoder_, with_prefix("encoder/", arrays))
        load_arrays(model.head_, with_prefix("head/", arrays))
    return model
