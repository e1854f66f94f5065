"""Figures printed in the papers, to set beside what was computed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["PUBLISHED_COUNTS", "PUBLISHED_FIGURES", "REPORTED_FIGURES", "PublishedFigures"]


@dataclass(frozen=True)
class PublishedFigures:
    """One row of tables 2 and 3 of Killourhy and Maxion (2009).

    Attributes
    ----------
    detector : str
        Name in the paper.
    eer, eer_sd : float
        Mean and standard deviation over 51 subjects of the equal-error rate.
    zero_miss : float
        Mean false-alarm rate at a threshold that rejects every impostor.
    remark : str
        Why the row does not follow from the paper's description, if it does not; else empty.
    """

    detector: str
    eer: float
    eer_sd: float
    zero_miss: float
    remark: str = ""


_CHOSEN = "units and starting weights are not described; chosen here to come nearest"
_OTHERWISE = "does not follow from its description, which gives another figure"

PUBLISHED_FIGURES: Mapping[str, PublishedFigures] = MappingProxyType(
    {
        "scaled-manhattan": PublishedFigures("Manhattan (scaled)", 0.0962, 0.0694, 0.601),
        "nearest-neighbor-mahalanobis": PublishedFigures(
            "Nearest neighbor (Mahalanobis)", 0.0996, 0.0642, 0.468
        ),
        "outlier-count": PublishedFigures("Outlier count (z-score)", 0.1022, 0.0767, 0.782),
        "one-class-svm": PublishedFigures("SVM (one-class)", 0.1025, 0.0650, 0.504),
        "mahalanobis": PublishedFigures("Mahalanobis", 0.1101, 0.0645, 0.482),
        "mahalanobis-normed": PublishedFigures(
            "Mahalanobis (normed)", 0.1101, 0.0645, 0.482, _OTHERWISE
        ),
        "filtered-manhattan": PublishedFigures("Manhattan (filtered)", 0.1360, 0.0828, 0.757),
        "manhattan": PublishedFigures("Manhattan", 0.1529, 0.0925, 0.843),
        "auto-associative-net": PublishedFigures(
            "Neural network (auto-assoc)", 0.1614, 0.0797, 0.859, _CHOSEN
        ),
        "euclidean": PublishedFigures("Euclidean", 0.1706, 0.0952, 0.875),
        "euclidean-normed": PublishedFigures("Euclidean (normed)", 0.2153, 0.1187, 0.911),
        "fuzzy-logic": PublishedFigures("Fuzzy logic", 0.2213, 0.1051, 0.935, _OTHERWISE),
        "k-means": PublishedFigures("k Means", 0.3722, 0.1391, 0.989, _OTHERWISE),
        "standard-net": PublishedFigures(
            "Neural network (standard)", 0.8283, 0.1483, 1.000, _CHOSEN
        ),
    }
)
"""By name in `VERIFIERS`: K. S. Killourhy and R. A. Maxion (2009), doi:10.1109/DSN.2009.5270346."""

PUBLISHED_COUNTS: Mapping[str, Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "raw-scaled-manhattan": MappingProxyType(
            {
                "s002": (38, 465),
                "s032": (48, 503),
                "s036": (0, 0),
                "s047": (17, 760),
                "s052": (4, 0),
            }
        )
    }
)
"""False negatives of 200 and false positives of 1,600 by subject, protocol "five-subjects", by name
in `VERIFIERS`: C. Zhang, Y. Zhang and F. Li (2021), doi:10.1155/2021/6648726, table 1."""

REPORTED_FIGURES: Mapping[str, str] = MappingProxyType(
    {
        "contrastive network": "accuracy .74 to .88",
        "LSTM template, heads": "TAR .70, FAR .30",
        "temporal characters": "accuracy .901, EER .002",
        "temporal characters, read by an LSTM": "accuracy .875, EER .050",
        "temporal characters, federated": "accuracy .882",
    }
)
"""What the authors of three neighbouring networks report, by the name of the network here.

On other data or on splits that leak (events, sessions or texts of the test in training), so that
they can stand beside what is computed here but are no measure for it.
"""
