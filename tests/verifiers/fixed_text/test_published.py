"""Mean error rates on the CMU benchmark, against those published and those of the issue."""

import numpy as np
import pytest

from hawkeys.evaluation import evaluate, miss_rate_at
from hawkeys.verifiers import (
    ClippedManhattan,
    EuclideanNormed,
    FilteredManhattan,
    Mahalanobis,
    MahalanobisNormed,
    NearestNeighborMahalanobis,
    OutlierCount,
    RecencyNearestNeighbors,
    RobustMahalanobis,
    ScaledManhattan,
)

FIVE = ["s002", "s032", "s036", "s047", "s052"]


def means(verifiers, data, protocol="killourhy-maxion"):
    frame = evaluate(verifiers, data, protocol=protocol, n_bootstrap=10).to_frame()
    return frame.groupby("verifier")[
        ["eer", "zero_miss", "miss_rate", "achieved_false_alarm"]
    ].mean()


def test_published_error_rates(cmu):
    """Killourhy and Maxion (2009), table 2: equal-error rate and false alarms without a miss."""
    published = {
        FilteredManhattan: (0.1360, 0.757),
        EuclideanNormed: (0.2153, 0.911),
        Mahalanobis: (0.1101, 0.482),
        NearestNeighborMahalanobis: (0.0996, 0.468),
        OutlierCount: (0.1022, 0.782),
    }
    kinds = [*published, MahalanobisNormed, RecencyNearestNeighbors]
    found = means({kind.__name__: kind() for kind in kinds}, cmu)
    for kind, (eer, zero_miss) in published.items():
        assert found.eer[kind.__name__] == pytest.approx(eer, abs=5e-4)
        assert found.zero_miss[kind.__name__] == pytest.approx(zero_miss, abs=1e-2)
    # this row does not follow from its text: published with the 0.1101 and 0.482 of "Mahalanobis"
    normed = found.loc["MahalanobisNormed"]
    assert normed.eer == pytest.approx(0.1621, abs=5e-5)
    assert normed.zero_miss == pytest.approx(0.648, abs=5e-4)
    recency = found.loc["RecencyNearestNeighbors"]
    assert recency.eer == pytest.approx(0.042, abs=2e-3)
    assert recency.achieved_false_alarm == pytest.approx(0.0363, abs=5e-4)


def test_miss_rate_of_recency_weighted_neighbours(cmu):
    """With all 20,000 impostor samples it is 0.1245; every eighth estimates it within 0.001."""
    timings, who = cmu.timings().to_numpy(), np.asarray(cmu.subject)
    rates = []
    for name in cmu.subjects:
        own, others = timings[who == name], timings[who != name][::8]
        verifier = RecencyNearestNeighbors().fit(own[:200])
        genuine, impostor = (verifier.score_samples(rows) for rows in (own[200:], others))
        rates.append(miss_rate_at(genuine, impostor, 0.05))
    assert len(rates) == 51
    assert np.mean(rates) == pytest.approx(0.1245, abs=1e-3)


def test_robust_distances_on_the_subjects_that_did_not_choose_their_defaults(cmu):
    """The held-out figures of the docstrings: 23 subjects, each other's impostors."""
    held_out = sorted(set(cmu.subject) - set(FIVE))[1::2]
    assert len(held_out) == 23
    data = cmu[np.isin(cmu.subject, held_out)]
    kinds = (ClippedManhattan, RobustMahalanobis, ScaledManhattan)
    found = means({kind.__name__: kind() for kind in kinds}, data, "killourhy-maxion-all")
    assert found.miss_rate.round(3).to_dict() == {
        "ClippedManhattan": 0.139,
        "RobustMahalanobis": 0.109,
        "ScaledManhattan": 0.249,
    }
