"""Two-dimensional maps."""

import numpy as np
import pytest

from hawkeys.evaluation.report.embedding import embed, thin
from hawkeys.exceptions import InvalidParameterError


@pytest.fixture(scope="module")
def clusters():
    """Two clusters whose gap lies along two features of tiny scale."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 5))
    gap = np.repeat([0.0, 5.0], 30)[:, None]
    features[:, 2:4] = 1e-6 * (rng.normal(scale=0.1, size=(60, 2)) + gap)
    return features


def test_maps_separate_clusters_whatever_the_scale_of_the_feature(clusters):
    maps = embed(clusters)
    assert maps.pca.shape == maps.tsne.shape == (60, 2)
    truth = np.repeat([0, 1], 30)
    for plane in (maps.pca, maps.tsne):
        centres = np.stack([plane[truth == k].mean(axis=0) for k in (0, 1)])
        nearest = np.linalg.norm(plane[:, None] - centres, axis=2).argmin(axis=1)
        assert (nearest == truth).mean() > 0.9


def test_explained_share_is_that_of_the_eigenvalues(clusters):
    eigenvalues = np.linalg.eigvalsh(np.corrcoef(clusters, rowvar=False))
    assert embed(clusters).explained == pytest.approx(
        eigenvalues[-2:].sum() / eigenvalues.sum(), rel=1e-10
    )


def test_same_seed_same_maps(clusters):
    one, two = embed(clusters, random_state=1), embed(clusters, random_state=1)
    np.testing.assert_array_equal(one.tsne, two.tsne)


def test_a_constant_feature_does_no_harm(clusters):
    features = clusters.copy()
    features[:, 1] = 3.0
    assert np.isfinite(embed(features).tsne).all()


@pytest.mark.parametrize("shape", [(2, 5), (10, 1), (10,)])
def test_too_little_to_map(shape):
    with pytest.raises(InvalidParameterError, match="at least 3 samples and 2 features; got shape"):
        embed(np.zeros(shape))


@pytest.mark.parametrize(("n_samples", "limit"), [(10, 3), (3, 10), (1000, 600), (7, 7)])
def test_thinning_is_even(n_samples, limit):
    rows = thin(n_samples, limit)
    assert rows.size == min(n_samples, limit)
    assert rows[0] == 0
    assert rows[-1] < n_samples
    assert np.ptp(np.diff(rows)) <= 1


def test_thinning_refuses_nothing_to_take():
    with pytest.raises(InvalidParameterError, match="limit must be at least 1"):
        thin(10, 0)
