"""Verifiers: enrol one typist from that typist's samples alone, then accept or reject others.

Every verifier is a scikit-learn outlier detector and follows one contract:

* ``fit(X)`` learns from the training samples of one typist, (n_samples, n_features), and sets
  `offset_` so that at most a share `false_alarm` of them is rejected;
* ``score_samples(X)`` says how genuine each sample is, higher for more genuine;
* ``decision_function(X)`` is that score minus `offset_`;
* ``predict(X)`` is +1 for genuine and -1 for an impostor, where the score is below `offset_`.

Distances take any features, in a pipeline if they are computed; `POHMM`, `RobustMahalanobis`,
`RecencyNearestNeighbors`, `HawkesLikelihood` and `PracticeCorrected` take the timing matrix, the
last three with rows from old to new. A false alarm is a genuine sample rejected; a miss is a
zero-effort impostor's sample accepted. A new verifier subclasses `OneClassVerifier` and writes
two methods.

Verifiers of free text (`FreeTextVerifier`) take keystrokes of any keys and score blocks of them.
"""

from typing import TYPE_CHECKING

from hawkeys._faces import named_on_demand

if TYPE_CHECKING:
    from hawkeys.verifiers._samples import recency_weights
    from hawkeys.verifiers.base import (
        OneClassVerifier,
        WeightedVerifier,
        resubstitution_threshold,
    )
    from hawkeys.verifiers.fixed_text.background import Background
    from hawkeys.verifiers.fixed_text.background_ratio import BackgroundRatio
    from hawkeys.verifiers.fixed_text.clusters import KMeans
    from hawkeys.verifiers.fixed_text.distances import (
        Euclidean,
        EuclideanNormed,
        FilteredManhattan,
        Manhattan,
        OutlierCount,
        ScaledManhattan,
    )
    from hawkeys.verifiers.fixed_text.fuzzy import FuzzyLogic
    from hawkeys.verifiers.fixed_text.hawkes_likelihood import HawkesLikelihood
    from hawkeys.verifiers.fixed_text.mahalanobis import (
        Mahalanobis,
        MahalanobisNormed,
        NearestNeighborMahalanobis,
    )
    from hawkeys.verifiers.fixed_text.neighbors import RecencyNearestNeighbors
    from hawkeys.verifiers.fixed_text.networks import AutoAssociativeNet, StandardNet
    from hawkeys.verifiers.fixed_text.one_class_svm import OneClassSVM
    from hawkeys.verifiers.fixed_text.pohmm import POHMM
    from hawkeys.verifiers.fixed_text.robust import ClippedManhattan, RobustMahalanobis
    from hawkeys.verifiers.free_text.base import FreeTextVerifier
    from hawkeys.verifiers.free_text.digraphs import DigraphDisorder, DigraphManhattan
    from hawkeys.verifiers.free_text.marked import MarkedRenewal
    from hawkeys.verifiers.free_text.marked_verifier import MarkedRenewalVerifier
    from hawkeys.verifiers.free_text.pohmm import FreeTextPOHMM
    from hawkeys.verifiers.free_text.process import FreeTextProcess
    from hawkeys.verifiers.protocol import DATA_KINDS, Identifier, Needs, Scorer
    from hawkeys.verifiers.templates.files import load_template
    from hawkeys.verifiers.templates.template import Template, enrol
    from hawkeys.verifiers.templates.verification import Verification, verify, verify_many
    from hawkeys.verifiers.thresholds import THRESHOLD_POLICIES, HeldOutThreshold, held_out_scores
    from hawkeys.verifiers.wrappers.combination import ScoreSum
    from hawkeys.verifiers.wrappers.neighbors_and_hawkes import NeighborsAndHawkes
    from hawkeys.verifiers.wrappers.practice import PracticeCorrected
    from hawkeys.verifiers.wrappers.recency import RecencyWeighted
    from hawkeys.verifiers.wrappers.scorer import OneClassScorer
    from hawkeys.verifiers.wrappers.updating import UPDATE_POLICIES, UpdatingVerifier

__all__ = [
    "DATA_KINDS",
    "POHMM",
    "THRESHOLD_POLICIES",
    "UPDATE_POLICIES",
    "AutoAssociativeNet",
    "Background",
    "BackgroundRatio",
    "ClippedManhattan",
    "DigraphDisorder",
    "DigraphManhattan",
    "Euclidean",
    "EuclideanNormed",
    "FilteredManhattan",
    "FreeTextPOHMM",
    "FreeTextProcess",
    "FreeTextVerifier",
    "FuzzyLogic",
    "HawkesLikelihood",
    "HeldOutThreshold",
    "Identifier",
    "KMeans",
    "Mahalanobis",
    "MahalanobisNormed",
    "Manhattan",
    "MarkedRenewal",
    "MarkedRenewalVerifier",
    "NearestNeighborMahalanobis",
    "Needs",
    "NeighborsAndHawkes",
    "OneClassSVM",
    "OneClassScorer",
    "OneClassVerifier",
    "OutlierCount",
    "PracticeCorrected",
    "RecencyNearestNeighbors",
    "RecencyWeighted",
    "RobustMahalanobis",
    "ScaledManhattan",
    "ScoreSum",
    "Scorer",
    "StandardNet",
    "Template",
    "UpdatingVerifier",
    "Verification",
    "WeightedVerifier",
    "enrol",
    "held_out_scores",
    "load_template",
    "recency_weights",
    "resubstitution_threshold",
    "verify",
    "verify_many",
]

# each is imported when it is asked for: a template needs one verifier, not scikit-learn's clusters
_HOME = {
    "AutoAssociativeNet": "fixed_text.networks",
    "ClippedManhattan": "fixed_text.robust",
    "DATA_KINDS": "protocol",
    "DigraphDisorder": "free_text.digraphs",
    "DigraphManhattan": "free_text.digraphs",
    "Euclidean": "fixed_text.distances",
    "EuclideanNormed": "fixed_text.distances",
    "FilteredManhattan": "fixed_text.distances",
    "FreeTextPOHMM": "free_text.pohmm",
    "FreeTextProcess": "free_text.process",
    "FreeTextVerifier": "free_text.base",
    "FuzzyLogic": "fixed_text.fuzzy",
    "Background": "fixed_text.background",
    "BackgroundRatio": "fixed_text.background_ratio",
    "HawkesLikelihood": "fixed_text.hawkes_likelihood",
    "HeldOutThreshold": "thresholds",
    "Identifier": "protocol",
    "KMeans": "fixed_text.clusters",
    "Mahalanobis": "fixed_text.mahalanobis",
    "MahalanobisNormed": "fixed_text.mahalanobis",
    "Manhattan": "fixed_text.distances",
    "MarkedRenewal": "free_text.marked",
    "MarkedRenewalVerifier": "free_text.marked_verifier",
    "NearestNeighborMahalanobis": "fixed_text.mahalanobis",
    "Needs": "protocol",
    "NeighborsAndHawkes": "wrappers.neighbors_and_hawkes",
    "OneClassSVM": "fixed_text.one_class_svm",
    "OneClassScorer": "wrappers.scorer",
    "OneClassVerifier": "base",
    "OutlierCount": "fixed_text.distances",
    "POHMM": "fixed_text.pohmm",
    "PracticeCorrected": "wrappers.practice",
    "RecencyNearestNeighbors": "fixed_text.neighbors",
    "RecencyWeighted": "wrappers.recency",
    "RobustMahalanobis": "fixed_text.robust",
    "ScaledManhattan": "fixed_text.distances",
    "ScoreSum": "wrappers.combination",
    "Scorer": "protocol",
    "StandardNet": "fixed_text.networks",
    "THRESHOLD_POLICIES": "thresholds",
    "Template": "templates.template",
    "UPDATE_POLICIES": "wrappers.updating",
    "UpdatingVerifier": "wrappers.updating",
    "Verification": "templates.verification",
    "WeightedVerifier": "base",
    "enrol": "templates.template",
    "held_out_scores": "thresholds",
    "load_template": "templates.files",
    "recency_weights": "_samples",
    "resubstitution_threshold": "base",
    "verify": "templates.verification",
    "verify_many": "templates.verification",
}

__getattr__ = named_on_demand(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
