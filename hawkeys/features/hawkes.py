"""`HawkesFeatures`: a Hawkes process fitted to every typing sample, as features."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._estimators import Transformer, check_columns
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import check_choice, check_count
from hawkeys.datasets.timings import check_timings, timings_to_events
from hawkeys.exceptions import InvalidParameterError

if TYPE_CHECKING:
    from hawkeys.datasets.timing_files.partitioned import PartitionedTimings
    from hawkeys.features.on_disk import FeaturesOnDisk
    from hawkeys.inference import EachResult

__all__ = ["HawkesFeatures"]

_VARIATIONAL = ("vi", "vi_stochastic")


class HawkesFeatures(Transformer):
    r"""Baseline and adjacency of a Hawkes process fitted to each typing sample alone.

    Each key is a mark with two events, its press and its release; time starts at the first press
    and the window ends at the last event. The features of a sample are the baseline of every key
    and the band :math:`0 \le i - j <` `n_bands` of the adjacency: how much key j excites itself
    and the next keys.

    Parameters
    ----------
    decay : float, default 0.1
        Decay of the exponential kernel, per second. 0.1 is the published value; over the two
        seconds of a password such a kernel hardly decays.
    method : {"vi", "vi_stochastic", "mle", "map"}, default "vi"
        Method of inference; see `hawkeys.fit_each`.
    n_bands : int, default 3
        Number of diagonals of the adjacency to keep, counted from the main one downwards.
    estimate : {"mode", "mean"}, default "mode"
        Posterior mode or mean, for the variational methods; the others have one estimate.
    column_factor : bool, default False
        Let source j (0-based) count j + 1 times in the likelihood, in its excitation and its cost,
        as in the authors' software: :math:`\lambda_i = \mu_i + \sum_j W_{ij} (j + 1) c_{ij}`. A
        prior then acts on the smaller entry W, which is the feature. By maximum likelihood,
        without a prior, it is the plain entry divided by j + 1; otherwise it is not.
    random_state : int, default 0
        Seed of the variational methods. "vi_stochastic" draws with a seed made of this one and of
        the times of the sample itself.
    options : dict, optional
        Further options of the method, for example ``{"prior": GammaPrior(...)}``. Variational
        methods have, unless given here, ``likelihood_weight=10.0`` (the authors replicated every
        sample ten times) and ``relevance_determination=True`` (but for a ``prior_coefficient``).
    progress : callable, optional
        Called with the number of samples done and in all, now and then.

    Notes
    -----
    The transformer is stateless: each row is transformed alone, whatever rows come with it and in
    whatever place, and `fit` only checks. "vi_stochastic" takes a hundred times as long as "vi".
    With "vi", parameters that relevance determination switches off are exactly 0: the remains of an
    ascent, however small, are no noise to a classifier that scales every column by its spread. With
    the published decay the features are nearly a function of the time left until the last event:
    where one parent of kernel integral K explains n events, the estimate is n / K.

    References
    ----------
    Zhang, C., Zhang, Y. and Li, F. (2021). Feature extraction of sequence of keystrokes in fixed
    text using the multivariate Hawkes process. Mathematical Problems in Engineering.
    doi:10.1155/2021/6648726

    Salehi, F., Trouleau, W., Grossglauser, M. and Thiran, P. (2019). Learning Hawkes processes from
    a handful of events. NeurIPS 32. arXiv:1911.00292

    Examples
    --------
    >>> from hawkeys.features import HawkesFeatures
    >>> X = [[0.10, 0.30, 0.20, 0.09], [0.12, 0.25, 0.13, 0.10]]  # H, DD, UD, H: two keys
    >>> HawkesFeatures(decay=0.1).fit_transform(X).shape
    (2, 5)
    >>> HawkesFeatures().fit(X).get_feature_names_out().tolist()[:3]
    ['baseline.key1', 'baseline.key2', 'adjacency.key1.key1']
    """

    def __init__(
        self,
        *,
        decay: float = 0.1,
        method: str = "vi",
        n_bands: int = 3,
        estimate: str = "mode",
        column_factor: bool = False,
        random_state: int = 0,
        options: dict[str, Any] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.decay = decay
        self.method = method
        self.n_bands = n_bands
        self.estimate = estimate
        self.column_factor = column_factor
        self.random_state = random_state
        self.options = options
        self.progress = progress

    @classmethod
    def published(cls, *, random_state: int = 0) -> HawkesFeatures:
        """Return the transformer that computes the features as published.

        Stochastic variational inference of 20,000 steps, decay 0.1 per second, likelihood weight
        10, bands 0 to 2, posterior mode, and the authors' column factor in the likelihood.

        Parameters
        ----------
        random_state : int, default 0
            Seed.

        Returns
        -------
        HawkesFeatures
            About 0.2 s a sample and core.

        References
        ----------
        Zhang, C., Zhang, Y. and Li, F. (2021), doi:10.1155/2021/6648726, sections 3 and 4.
        """
        return cls(method="vi_stochastic", column_factor=True, random_state=random_state)

    def fit(self, X: ArrayLike, y: object = None) -> HawkesFeatures:
        """Check the timing matrix and remember its width; nothing is learnt.

        Parameters
        ----------
        X : array_like, shape (n_samples, 3 K - 2)
            Intervals in seconds in the order H.k1, DD.k1.k2, UD.k1.k2, H.k2, ..., H.kK.
        y : object
            Ignored.

        Returns
        -------
        HawkesFeatures
            Itself.

        Raises
        ------
        InvalidTimingsError
            `X` is not a timing matrix; the message names row and column.
        """
        check_columns(self, X, reset=True)
        self.n_features_in_ = check_timings(X).shape[1]
        return self

    def transform(self, X: ArrayLike) -> FloatArray:
        """Fit every sample and return its features.

        Parameters
        ----------
        X : array_like, shape (n_samples, 3 K - 2)
            Intervals in seconds in the order H.k1, DD.k1.k2, UD.k1.k2, H.k2, ..., H.kK.

        Returns
        -------
        ndarray of float64, shape (n_samples, K + size of the band)
            Baselines (per second), then the band of the adjacency row by row.

        Raises
        ------
        InvalidTimingsError
            `X` is not a timing matrix; the message names row and column.
        InvalidParameterError
            A parameter of the transformer is wrong.
        """
        if hasattr(self, "n_features_in_"):
            check_columns(self, X, reset=False)
        baseline, adjacency = self.parameters(X)
        targets, sources = _band(baseline.shape[1], check_count(self.n_bands, "n_bands"))
        return np.concatenate((baseline, adjacency[:, targets, sources]), axis=1)

    def transform_on_disk(
        self,
        data: PartitionedTimings,
        output: str | os.PathLike[str],
        *,
        n_jobs: int | None = None,
    ) -> FeaturesOnDisk:
        """Write the features of samples on disk, partition by partition, by processes that may die.

        Parameters
        ----------
        data : PartitionedTimings
            Typing samples on disk, of `hawkeys.datasets.open_timings`.
        output : path-like
            Folder for the features, a file per partition: a new one, or that of the same work that
            was ended, which then goes on where it was.
        n_jobs : int, optional
            Number of processes, one thread each. Default: 1, or what `joblib.parallel_config` says,
            which also chooses another backend, such as a cluster of Dask.

        Returns
        -------
        FeaturesOnDisk
            Labels and features, read when they are asked for.

        Raises
        ------
        InvalidParameterError
            `data` are no samples on disk, or a parameter of the transformer is wrong, or none that
            a manifest can hold (numbers and words).
        DatasetError
            A partition is damaged; the message names file, row group and row. Or a label has the
            name of a feature.
        OutputError
            The folder holds other work, or cannot be written.
        PartitionError
            A process died three times at the same partition.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import pandas as pd
        >>> from hawkeys.datasets import open_timings
        >>> from hawkeys.features import HawkesFeatures
        >>> place = pathlib.Path(tempfile.mkdtemp())
        >>> table = {"subject": ["s1", "s2"], "H.a": [0.1, 0.2], "DD.a.b": [0.3, 0.3]}
        >>> table = pd.DataFrame(table | {"UD.a.b": [0.2, 0.1], "H.b": [0.1, 0.1]})
        >>> table.to_parquet(place / "timings.parquet")
        >>> data = open_timings(place / "timings.parquet")
        >>> found = HawkesFeatures().transform_on_disk(data, place / "features")
        >>> found.to_frame().columns.tolist()[:3]
        ['subject', 'baseline.a', 'baseline.b']
        """
        found: FeaturesOnDisk = import_module("hawkeys.features.on_disk").write_features(
            self, data, output, n_jobs
        )
        return found

    def parameters(self, X: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return the whole baseline and adjacency of every sample.

        Parameters
        ----------
        X : array_like, shape (n_samples, 3 K - 2)
            Intervals in seconds.

        Returns
        -------
        baseline : ndarray of float64, shape (n_samples, K)
            Per second.
        adjacency : ndarray of float64, shape (n_samples, K, K)
            Target by source; with `column_factor` an event of source j counts j + 1 times, so
            that it has (j + 1) times as many children as the entry says.

        Raises
        ------
        InvalidTimingsError
            `X` is not a timing matrix.
        InvalidParameterError
            A parameter of the transformer is wrong.
        """
        check_choice(self.estimate, "estimate", ("mode", "mean"))
        each = self._fit_each(X)
        baseline, adjacency = each.baseline, each.adjacency
        if self.estimate == "mode" and each.posterior is not None:
            mode = each.posterior.mode
            baseline = np.where(baseline > 0.0, mode[:, :, 0], 0.0)
            adjacency = np.where(adjacency > 0.0, mode[:, :, 1:], 0.0)
        return baseline, adjacency

    def get_feature_names_out(self, input_features: Iterable[str] | None = None) -> np.ndarray:
        """Return the names of the features: "baseline.k", then "adjacency.target.source".

        Parameters
        ----------
        input_features : iterable of str, optional
            Names of the columns of `X`. Default: those seen by `fit`, or key1, key2, ...

        Returns
        -------
        ndarray of str, shape (n_features_out,)
            In the order of the columns of `transform`.

        Raises
        ------
        InvalidParameterError
            Called before `fit` without names.
        """
        given = (
            getattr(self, "feature_names_in_", None) if input_features is None else input_features
        )
        keys = _keys(given, getattr(self, "n_features_in_", None))
        targets, sources = _band(len(keys), self.n_bands)
        pairs = zip(targets, sources, strict=True)
        names = [f"baseline.{key}" for key in keys]
        names += [f"adjacency.{keys[i]}.{keys[j]}" for i, j in pairs]
        return np.array(names, dtype=object)

    def _fit_each(self, X: ArrayLike) -> EachResult:
        options = dict(self.options or {})
        if self.method in _VARIATIONAL:
            options.setdefault("likelihood_weight", 10.0)
            if "prior_coefficient" not in options:
                options.setdefault("relevance_determination", True)
        fitting = import_module("hawkeys.features._fitting")  # and, only now, inference
        each: EachResult = fitting.fit_samples(
            timings_to_events(X),
            decay=self.decay,
            method=self.method,
            column_factor=self.column_factor,
            random_state=self.random_state,
            progress=self.progress,
            options=options,
        )
        return each

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


def _band(size: int, n_bands: int) -> tuple[IntArray, IntArray]:
    """Return target and source of the entries with 0 <= i - j < n_bands, row by row."""
    lag = np.subtract.outer(np.arange(size), np.arange(size))
    targets, sources = np.nonzero((lag >= 0) & (lag < n_bands))
    return targets, sources


def _keys(columns: Iterable[str] | None, width: int | None) -> list[str]:
    if columns is None:
        if width is None:
            raise InvalidParameterError(
                "the names of the features are not known before fit; call fit or pass "
                "input_features."
            )
        return [f"key{k + 1}" for k in range((width + 2) // 3)]
    names = [str(column) for column in columns]
    holds = names[::3]
    if len(names) % 3 != 1 or not all(name.startswith("H.") for name in holds):
        return [f"key{k + 1}" for k in range((len(names) + 2) // 3)]
    return [name[2:] for name in holds]
