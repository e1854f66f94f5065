"""Networks of three neighbouring systems, behind the extra ``[neural]`` (torch).

They follow the protocol of `hawkeys.verifiers.Scorer` and `Identifier`, so that they stand beside
the point processes of `hawkeys.verifiers`. torch is imported when a network is first built; without
it `MissingExtraError` says what to install. `evolve` and what it is made of need no torch.
"""

from hawkeys.neural.characters import TemporalCharacters, load_temporal_characters
from hawkeys.neural.contrastive import ContrastiveClassifier, load_contrastive_classifier
from hawkeys.neural.extra import Runtime, Schedule, require_torch
from hawkeys.neural.federated import (
    FederatedOptions,
    FederatedRun,
    average_weights,
    fit_federated,
)
from hawkeys.neural.genetic import (
    GENOME_BITS,
    Evolution,
    NetworkGenes,
    crossover,
    decode_genes,
    evolve,
    mutate,
)
from hawkeys.neural.genetic_classifier import GeneticClassifier
from hawkeys.neural.heads import (
    EmbeddingVerifier,
    HeadVerifier,
    acceptance_curve,
    equal_threshold,
)
from hawkeys.neural.recipes import REPAIRED_RECIPE, SEED_RECIPE, VARIANTS, Recipe, Variant
from hawkeys.neural.regularization import Regularization
from hawkeys.neural.template import NetworkTemplate, load_network_template

__all__ = [
    "GENOME_BITS",
    "REPAIRED_RECIPE",
    "SEED_RECIPE",
    "VARIANTS",
    "ContrastiveClassifier",
    "EmbeddingVerifier",
    "Evolution",
    "FederatedOptions",
    "FederatedRun",
    "GeneticClassifier",
    "HeadVerifier",
    "NetworkGenes",
    "NetworkTemplate",
    "Recipe",
    "Regularization",
    "Runtime",
    "Schedule",
    "TemporalCharacters",
    "Variant",
    "acceptance_curve",
    "average_weights",
    "crossover",
    "decode_genes",
    "equal_threshold",
    "evolve",
    "fit_federated",
    "load_contrastive_classifier",
    "load_network_template",
    "load_temporal_characters",
    "mutate",
    "require_torch",
]
