"""Networks from genomes: layers as spelt, the search told apart from its fitness."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need the extra [neural]")

from torch import nn

from hawkeys.exceptions import InvalidParameterError
from hawkeys.neural import GeneticClassifier, NetworkGenes
from hawkeys.neural._nets.genetic import network_of
from hawkeys.verifiers import Identifier


def test_layers_of_a_genome():
    genes = NetworkGenes(1e-2, 0.6, 16, ((20, 4), (16, 2)), ((7, 0.2),))
    network = network_of(genes, length=9, n_classes=3)
    kinds = [type(layer).__name__ for layer in network.modules()]
    kinds = [kind for kind in kinds if kind not in ("Sequential", "_AddChannel", "ConstantPad1d")]
    assert kinds == ["Conv1d", "BatchNorm1d", "ReLU", "Conv1d", "BatchNorm1d", "ReLU", "Flatten",
                     "Linear", "ReLU", "Dropout", "Linear"]  # fmt: skip
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv1d | nn.Linear)]
    sizes = [tuple(one.shape) for layer in layers for one in layer.parameters()]
    assert sizes == [(20, 1, 4), (20,), (16, 20, 2), (16,), (7, 144), (7,), (3, 7), (3,)]
    assert network(torch.rand(5, 9)).shape == (5, 3)
    empty = NetworkGenes(1e-2, 0.6, 16, (), ())
    assert network_of(empty, 9, 2)(torch.rand(5, 9)).shape == (5, 2)


@pytest.fixture(scope="module")
def typed():
    rng = np.random.default_rng(0)
    level = np.repeat([-2.0, -1.2], 40)[:, None]
    return np.exp(rng.normal(level, 0.3, (80, 8))), np.repeat(["ann", "bob"], 40)


def test_it_finds_a_network(typed):
    X, y = typed
    system = GeneticClassifier(population=6, generations=2, epochs=3, target=0.95).fit(X, y)
    assert isinstance(system, Identifier)
    assert (system.predict(X) == y).mean() > 0.9
    assert system.evolution_.fitness > 0.9
    again = GeneticClassifier(population=6, generations=2, epochs=3, target=0.95).fit(X, y)
    np.testing.assert_array_equal(again.predict_log_proba(X), system.predict_log_proba(X))
    with pytest.raises(InvalidParameterError, match=r"X has 7 intervals.*trained on 8"):
        system.predict(X[:, :7])


def test_too_few_samples():
    with pytest.raises(InvalidParameterError, match=r"class 1 has 1 sample"):
        GeneticClassifier().fit(np.full((3, 4), 0.1) + np.eye(3, 4), ["a", "a", "b"])
