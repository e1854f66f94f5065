"""Feature vectors of typing samples, laid out in a plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import as_float_array, check_count
from hawkeys.exceptions import InvalidParameterError

__all__ = ["Embedding", "embed", "thin"]


@dataclass(frozen=True, eq=False)
class Embedding:
    """Two maps of the same samples.

    Attributes
    ----------
    pca : ndarray of float64, shape (n_samples, 2)
        First two principal components.
    explained : float
        Share of the variance that they hold, from 0 to 1.
    tsne : ndarray of float64, shape (n_samples, 2)
        t-SNE coordinates: neighbours stay neighbours, distances mean little.
    """

    pca: FloatArray
    explained: float
    tsne: FloatArray


def embed(features: ArrayLike, *, random_state: int = 0) -> Embedding:
    """Map feature vectors to two dimensions by PCA and by t-SNE.

    Every feature is first centred and divided by its standard deviation over all samples. The
    maps are for looking at; no figure of an evaluation depends on them.

    Parameters
    ----------
    features : array_like, shape (n_samples, n_features)
        Feature vectors, at least 3 samples and 2 features.
    random_state : int, default 0
        Seed of both methods.

    Returns
    -------
    Embedding
        Both maps.

    Raises
    ------
    InvalidParameterError
        If the array is not a matrix of finite numbers, or has too few rows or columns.

    Notes
    -----
    t-SNE takes O(n log n) time, about 6 s for 1,000 samples.

    References
    ----------
    .. [1] L. van der Maaten and G. Hinton (2008), "Visualizing data using t-SNE", Journal of
       Machine Learning Research 9, https://www.jmlr.org/papers/v9/vandermaaten08a.html.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.evaluation.report.embedding import embed
    >>> embed(np.random.default_rng(0).normal(size=(20, 3))).tsne.shape
    (20, 2)
    """
    matrix = as_float_array(features, "features")
    if matrix.ndim != 2 or matrix.shape[0] < 3 or matrix.shape[1] < 2:
        raise InvalidParameterError(
            "features must have shape (n_samples, n_features) with at least 3 samples and 2 "
            f"features; got shape {matrix.shape}."
        )
    scaled = StandardScaler().fit_transform(matrix)
    pca = PCA(n_components=2, random_state=random_state)
    plane = pca.fit_transform(scaled)
    # t-SNE needs a perplexity below the number of samples; 30 is the authors' usual choice.
    perplexity = min(30.0, (matrix.shape[0] - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=random_state)
    # One thread: with several, sums depend on their number, and on a busy machine they wait for
    # each other far longer than they work.
    with threadpool_limits(limits=1):
        neighbours = tsne.fit_transform(scaled)
    return Embedding(
        pca=plane.astype(np.float64),
        explained=float(pca.explained_variance_ratio_.sum()),
        tsne=neighbours.astype(np.float64),
    )


def thin(n_samples: int, limit: int) -> IntArray:
    """Choose at most `limit` of `n_samples` row numbers, evenly spaced.

    Parameters
    ----------
    n_samples, limit : int
        Numbers of rows there are and of rows wanted, at least 1 each.

    Returns
    -------
    ndarray of int64, shape (min(n_samples, limit),)
        Increasing row numbers.

    Raises
    ------
    InvalidParameterError
        If a number is not a whole number of at least 1.

    Examples
    --------
    >>> from hawkeys.evaluation.report.embedding import thin
    >>> thin(10, 5)
    array([0, 2, 4, 6, 8])
    """
    wanted = min(check_count(n_samples, "n_samples"), check_count(limit, "limit"))
    return (np.arange(wanted) * n_samples // wanted).astype(np.int64)
