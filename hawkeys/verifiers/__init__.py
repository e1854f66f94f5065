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

from hawkeys.verifiers._base import (
    OneClassVerifier,
    WeightedVerifier,
    resubstitution_threshold,
)
from hawkeys.verifiers._free_text_base import FreeTextVerifier
from hawkeys.verifiers.clusters import KMeans
from hawkeys.verifiers.combination import ScoreSum
from hawkeys.verifiers.digraphs import DigraphDisorder, DigraphManhattan
from hawkeys.verifiers.distances import (
    Euclidean,
    EuclideanNormed,
    FilteredManhattan,
    Manhattan,
    OutlierCount,
    ScaledManhattan,
)
from hawkeys.verifiers.free_text import FreeTextProcess
from hawkeys.verifiers.free_text_pohmm import FreeTextPOHMM
from hawkeys.verifiers.fuzzy import FuzzyLogic
from hawkeys.verifiers.hawkes_likelihood import HawkesLikelihood
from hawkeys.verifiers.mahalanobis import Mahalanobis, MahalanobisNormed, NearestNeighborMahalanobis
from hawkeys.verifiers.neighbors import RecencyNearestNeighbors
from hawkeys.verifiers.networks import AutoAssociativeNet, StandardNet
from hawkeys.verifiers.one_class_svm import OneClassSVM
from hawkeys.verifiers.pohmm import POHMM
from hawkeys.verifiers.practice import PracticeCorrected
from hawkeys.verifiers.recency import recency_weights
from hawkeys.verifiers.recent import RecencyWeighted
from hawkeys.verifiers.robust import ClippedManhattan, RobustMahalanobis
from hawkeys.verifiers.template import Template, enrol
from hawkeys.verifiers.template_files import load_template
from hawkeys.verifiers.thresholds import THRESHOLD_POLICIES, HeldOutThreshold, held_out_scores
from hawkeys.verifiers.updating import UPDATE_POLICIES, UpdatingVerifier
from hawkeys.verifiers.verification import Verification, verify, verify_many

__all__ = [
    "POHMM",
    "THRESHOLD_POLICIES",
    "UPDATE_POLICIES",
    "AutoAssociativeNet",
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
    "KMeans",
    "Mahalanobis",
    "MahalanobisNormed",
    "Manhattan",
    "NearestNeighborMahalanobis",
    "OneClassSVM",
    "OneClassVerifier",
    "OutlierCount",
    "PracticeCorrected",
    "RecencyNearestNeighbors",
    "RecencyWeighted",
    "RobustMahalanobis",
    "ScaledManhattan",
    "ScoreSum",
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
