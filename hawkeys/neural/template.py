"""`NetworkTemplate`: an LSTM that learned many people, on which others are enrolled."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_choice, check_count, check_nonnegative_number
from hawkeys.datasets import check_timings
from hawkeys.exceptions import InvalidParameterError, InvalidTimingsError, TemplateFileError
from hawkeys.neural.extra import Runtime, Schedule, require_torch
from hawkeys.neural.files import digest_of, read_arrays, rebuilding, with_prefix, write_arrays

__all__ = ["NetworkTemplate", "load_network_template"]

LOSSES = ("softmax", "contrastive", "triplet")
_KIND = "hawkeys network template 1"
_SCHEDULES = {
    "softmax": Schedule("adam", 2e-3, batch_size=64, epochs=15),
    "contrastive": Schedule("adam", 2e-3, batch_size=256, epochs=30),
    "triplet": Schedule("adam", 2e-3, batch_size=256, epochs=30),
}


class NetworkTemplate(BaseEstimator):
    """Learn codes of typing samples from many people, for `HeadVerifier` and `EmbeddingVerifier`.

    Step n of a sample is the hold of key n and the flight from its release to the next press; the
    last key is dropped. Steps are standardised by the means of the template's people and go
    through an LSTM and a dense layer of 100 units: the code. A sample of any length has one.

    Parameters
    ----------
    loss : {"softmax", "contrastive", "triplet"}, default "softmax"
        Codes that tell the template's people apart by one output each, for heads; or codes of
        length 1 that lie together for one person, for distances.
    width : int, default 64
        Units of the LSTM.
    dropout : float, default 0.3
        Share dropped between layers, in [0, 1).
    schedule : Schedule or None, default None
        Steps and epochs; None: Adam with a step of 2e-3, 15 epochs in batches of 64 for "softmax",
        30 in batches of 256 for the others.
    runtime : Runtime, default Runtime()
        Device, checkpoints and progress.
    random_state : int, default 0
        Seed.

    Attributes
    ----------
    classes_ : ndarray, shape (n_people,)
        The people of the template.
    codes_ : ndarray of float64, shape (n_samples, 100)
        Codes of their samples: the negatives of heads.
    curve_ : list of float
        Mean loss of each epoch.
    encoder_ : torch.nn.Module
        The trained network.

    Raises
    ------
    MissingExtraError
        By `fit`, if torch is not installed.

    Notes
    -----
    A head is 101 numbers and is all that is stored of a person. That nobody can learn keystrokes
    from them is not shown.

    References
    ----------
    P. Khosla et al., "Supervised contrastive learning", NeurIPS 2020, arXiv:2004.11362; A. Acien
    et al., "TypeNet: deep learning keystroke biometrics", arXiv:2101.05570 (triplets).

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.neural import NetworkTemplate, Schedule
    >>> demo = load_demo()
    >>> some = demo[demo.repetition <= 5]
    >>> once = Schedule("adam", 1e-3, batch_size=64, epochs=1)
    >>> template = NetworkTemplate(schedule=once).fit(some.timings().to_numpy(), some.subject)
    >>> template.transform(demo[:3].timings().to_numpy()).shape
    (3, 100)
    """

    def __init__(
        self,
        loss: str = "softmax",
        width: int = 64,
        dropout: float = 0.3,
        schedule: Schedule | None = None,
        runtime: Runtime = Runtime(),  # noqa: B008  (frozen)
        random_state: int = 0,
    ) -> None:
        self.loss = loss
        self.width = width
        self.dropout = dropout
        self.schedule = schedule
        self.runtime = runtime
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> NetworkTemplate:
        """Train the template.

        Parameters
        ----------
        X : array_like, shape (n_samples, 3 K - 2)
            Timing matrix in seconds, K >= 2.
        y : array_like, shape (n_samples,)
            The person of each sample.

        Returns
        -------
        NetworkTemplate
            The template itself.

        Raises
        ------
        InvalidTimingsError
            If the matrix is not valid, or has one key.
        InvalidParameterError
            If a parameter is not valid, there are fewer than two people, or labels and samples
            differ in number.
        MissingExtraError
            If torch is not installed.
        """
        steps, labels = steps_of(X), np.asarray(y)
        if labels.shape != (len(steps),):
            raise InvalidParameterError(
                f"y must hold one person per sample, shape ({len(steps)},); got shape "
                f"{labels.shape}."
            )
        self._check()
        torch = require_torch()
        from hawkeys.neural._nets.training import train

        self.classes_, index = np.unique(labels, return_inverse=True)
        if self.classes_.size < 2:
            raise InvalidParameterError(
                f"y names one person, {str(self.classes_[0])!r}; a template needs two or more."
            )
        module, loss = self._build(steps)
        self.curve_ = train(
            module,
            loss,
            (torch.from_numpy(steps), torch.from_numpy(index.astype(np.int64))),
            self.schedule or _SCHEDULES[self.loss],
            runtime=self.runtime,
            seed=self.random_state,
            what=f"Template {self.loss}",
        )
        self.codes_ = self._codes(steps)
        return self

    def transform(self, X: ArrayLike) -> FloatArray:
        """Return codes of samples.

        Parameters
        ----------
        X : array_like, shape (n_samples, 3 K - 2)
            Timing matrix in seconds; K need not be that of the template.

        Returns
        -------
        ndarray of float64, shape (n_samples, 100)
            Codes.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        InvalidTimingsError
            If the matrix is not valid, or has one key.
        """
        check_is_fitted(self)
        return self._codes(steps_of(X))

    def digest(self) -> str:
        """Return a fingerprint of everything that codes depend on, and of the negatives.

        Returns
        -------
        str
            64 hexadecimal digits.
        """
        check_is_fitted(self)
        return digest_of(f"{self.loss} {self.width}", self._arrays())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the template to a file (.npz, no pickle).

        Parameters
        ----------
        path : path
            Its name.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        named = {"kind": _KIND, "digest": self.digest(), "loss": self.loss, "width": self.width}
        write_arrays(path, {**named, **self._arrays()})

    def _check(self) -> None:
        check_choice(self.loss, "loss", LOSSES)
        check_count(self.width, "width")
        check_count(self.random_state, "random_state", minimum=0)
        if check_nonnegative_number(self.dropout, "dropout") >= 1.0:
            raise InvalidParameterError(f"dropout must be below 1; got {self.dropout!r}.")

    def _build(self, steps: np.ndarray) -> tuple[Any, Any]:
        """Return what is trained, and its loss; sets `encoder_`."""
        torch = require_torch()
        from hawkeys.neural._nets.contrastive import supcon_loss
        from hawkeys.neural._nets.evaluating import weighted_cross_entropy
        from hawkeys.neural._nets.template import WithClasses, triplet_loss
        from hawkeys.neural._nets.training import seeded

        with seeded(self.random_state):
            encoder = self._new_encoder()
            encoder.center.copy_(torch.from_numpy(steps.mean(axis=(0, 1))))
            encoder.scale.copy_(torch.from_numpy(np.maximum(steps.std(axis=(0, 1)), 1e-6)))
            self.encoder_ = encoder
            if self.loss == "softmax":
                n_people = self.classes_.size
                whole = WithClasses(encoder, n_people, self.dropout)
                return whole, weighted_cross_entropy(torch.ones(n_people))
        measure = supcon_loss if self.loss == "contrastive" else triplet_loss
        return encoder, partial(_loss_of_codes, measure)

    def _new_encoder(self) -> Any:
        from hawkeys.neural._nets.template import StepEncoder

        return StepEncoder(self.width, self.dropout, sphere=self.loss != "softmax")

    def _codes(self, steps: np.ndarray) -> FloatArray:
        torch = require_torch()
        from hawkeys.neural._nets.evaluating import outputs_of

        return outputs_of(self.encoder_, torch.from_numpy(steps)).astype(np.float64)

    def _arrays(self) -> dict[str, np.ndarray]:
        from hawkeys.neural._nets.training import arrays_of

        weights = {f"encoder/{name}": one for name, one in arrays_of(self.encoder_).items()}
        return {**weights, "classes": self.classes_, "codes": self.codes_}


def load_network_template(path: str | os.PathLike[str]) -> NetworkTemplate:
    """Read a template that `NetworkTemplate.save` wrote.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    NetworkTemplate
        Fitted; its `curve_` is empty.

    Raises
    ------
    TemplateFileError
        If there is no such file, or it is no template, damaged, or was edited.
    MissingExtraError
        If torch is not installed.

    Examples
    --------
    >>> from hawkeys.neural import load_network_template
    >>> load_network_template("nowhere.npz")
    Traceback (most recent call last):
    ...
    hawkeys.exceptions.TemplateFileError: nowhere.npz: no such file. Check the path.
    """
    require_torch()
    from hawkeys.neural._nets.training import load_arrays

    arrays = read_arrays(path, _KIND, ("digest", "loss", "width", "classes", "codes"))
    loss, width = str(arrays["loss"]), arrays["width"]
    with rebuilding(path, "the weights are not those of a template"):
        template = NetworkTemplate(loss, int(width))
        template._check()
        template.encoder_ = template._new_encoder()
        load_arrays(template.encoder_, with_prefix("encoder/", arrays))
    template.classes_, template.codes_, template.curve_ = arrays["classes"], arrays["codes"], []
    if template.digest() != str(arrays["digest"]):
        raise TemplateFileError(
            f"{path}: the template was edited or damaged: its checksum does not fit. Save it anew."
        )
    return template


def steps_of(X: ArrayLike) -> np.ndarray:
    """Return holds and flights of all keys but the last, (n_samples, K - 1, 2), float32.

    Raises `InvalidTimingsError` for samples of one key, or what is no timing matrix.
    """
    matrix = check_timings(X)
    if matrix.shape[1] < 4:
        raise InvalidTimingsError(
            "X holds samples of one key; a step needs the flight to a next one. Give two keys or "
            "more."
        )
    return np.stack([matrix[:, 0:-1:3], matrix[:, 2::3]], axis=2).astype(np.float32)


def _loss_of_codes(measure: Any, module: Any, x: Any, y: Any) -> Any:
    return measure(module(x), y)
