"""Genetic search: operators, the genome, OneMax; needs no torch."""

import numpy as np
import pytest

from hawkeys.exceptions import InvalidParameterError
from hawkeys.neural import GENOME_BITS, crossover, decode_genes, evolve, mutate


def spelt(**places):
    """Return a genome with bits as text from each place on, zeros elsewhere."""
    bits = ["0"] * 138
    for place, text in places.items():
        start = int(place[1:])
        bits[start : start + len(text)] = text
    return np.array([bit == "1" for bit in bits])


def test_length():
    assert GENOME_BITS == 2 + 2 + 2 + 6 * 11 + 6 * 11 == 138


def test_every_bit_is_read_once():
    """Steps, the second convolution and the last dense layer, spelt out by hand."""
    genes = decode_genes(spelt(b0="011011", b17="1" + "00100001" + "10", b127="10000101001"[:11]))
    assert genes.learning_rate == pytest.approx(1e-3)  # 01
    assert genes.momentum == pytest.approx(0.8)  # 10
    assert genes.batch_size == 128  # 11
    assert genes.convolutions == ((33, 4),)  # 00100001, and 10: width 2 + 2
    assert genes.dense == ((10, pytest.approx(0.1)),)  # 00001010, and 01


def test_small_layers_and_none():
    genes = decode_genes(spelt(b6="1", b72="1"))
    assert genes.convolutions == ((16, 2),)
    assert genes.dense == ((1, 0.0),)
    assert decode_genes(np.zeros(138, bool)).convolutions == ()


def test_crossover_has_three_places_and_mixes():
    zeros, ones = np.zeros(40, bool), np.ones(40, bool)
    shares = []
    for seed in range(200):
        child = crossover(zeros, ones, rng=seed)
        assert (np.diff(child.astype(int)) != 0).sum() == 3
        assert (child[0], child[-1]) == (False, True)
        shares.append(child.mean())
    assert np.mean(shares) == pytest.approx(0.5, abs=0.03)


def test_mutation_turns_its_share_of_bits():
    genome = np.zeros(100_000, bool)
    assert mutate(genome, 0.02, rng=0).mean() == pytest.approx(0.02, abs=0.002)
    assert not genome.any()
    assert not mutate(genome, 0.0).any()


def test_one_max():
    """The count of ones: the optimum is found, and the best never falls."""
    found = evolve(lambda bits: int(bits.sum()), 40, generations=600, target=40, rng=0)
    assert found.fitness == 40
    assert found.best.all()
    assert (np.diff(found.trace) >= 0).all()
    assert len(found.trace) < 600


def test_search_beats_drawing_at_random():
    found = evolve(lambda bits: int(bits.sum()), 138, generations=30, rng=0)
    drawn = np.random.default_rng(0).random((found.n_evaluations, 138)) < 0.5
    assert found.fitness > drawn.sum(axis=1).max() + 5


def test_known_genomes_are_not_asked_again():
    asked = []
    found = evolve(lambda bits: asked.append(bits.tobytes()) or 0.0, 12, generations=20, rng=1)
    assert len(asked) == len(set(asked)) == found.n_evaluations


def test_the_same_seed_finds_the_same():
    one, two = (evolve(lambda bits: bits[::2].sum(), 30, rng=4) for _ in range(2))
    np.testing.assert_array_equal(one.best, two.best)
    np.testing.assert_array_equal(one.trace, two.trace)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: decode_genes(np.zeros(137, bool)), r"must hold 138 bits.*got shape \(137,\)"),
        (lambda: crossover(np.zeros(3, bool), np.zeros(3, bool)), "at least 4; got shapes"),
        (lambda: crossover(np.zeros(4, bool), np.zeros(5, bool)), "one number of bits"),
        (lambda: mutate(np.zeros(3, bool), 1.5), "rate must be a probability.*got 1.5"),
        (lambda: evolve(sum, 10, mutation=-1), "mutation must be one number of at least 0"),
        (lambda: evolve(sum, 10, population=5), "population must be at least 6"),
        (lambda: evolve(lambda bits: np.nan, 10), "fitness returned nan for genome [01]{10}"),
    ],
)
def test_errors(call, message):
    with pytest.raises(InvalidParameterError, match=message):
        call()
