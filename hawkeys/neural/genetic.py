"""Genetic search over bit strings with any fitness, and the genome of a small network.

Nothing here needs torch: the fitness is given. `GeneticClassifier` gives that of a network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, RandomState
from hawkeys._validation import as_generator, brief, check_count, check_nonnegative_number
from hawkeys.exceptions import InvalidParameterError

__all__ = [
    "GENOME_BITS",
    "Evolution",
    "NetworkGenes",
    "crossover",
    "decode_genes",
    "evolve",
    "mutate",
]

Fitness = Callable[[BoolArray], float]
Report = Callable[[str, int, int], None]

_GENES, _GENE_BITS, _HEAD_BITS = 6, 11, 6
GENOME_BITS = _HEAD_BITS + 2 * _GENES * _GENE_BITS
"""Bits of the genome of a network."""


@dataclass(frozen=True)
class NetworkGenes:
    """What a genome says.

    Attributes
    ----------
    learning_rate, momentum : float
        Of gradient steps.
    batch_size : int
        Samples of a step.
    convolutions : tuple of (int, int)
        Filters and width of each.
    dense : tuple of (int, float)
        Units and share of dropout of each.
    """

    learning_rate: float
    momentum: float
    batch_size: int
    convolutions: tuple[tuple[int, int], ...]
    dense: tuple[tuple[int, float], ...]


@dataclass(frozen=True, eq=False)
class Evolution:
    """Outcome of a search.

    Attributes
    ----------
    best : ndarray of bool, shape (n_bits,)
        The fittest genome that was seen.
    fitness : float
        Its fitness.
    trace : ndarray of float64, shape (n_generations,)
        Best fitness of each generation; never falls, because the elites stay.
    n_evaluations : int
        How often the fitness was asked for; that of a known genome is remembered.
    """

    best: BoolArray
    fitness: float
    trace: FloatArray
    n_evaluations: int


def decode_genes(genome: BoolArray) -> NetworkGenes:
    """Read a genome.

    The first six bits: r, s and t, two bits each, for a learning rate of 10^-(r + 2), a momentum of
    .6 + .1 s and batches of 2^(t + 4). Then six genes of convolutions and six of dense layers, 11
    bits each: whether the layer is there; 8 bits for its filters (at least 16) or units (at least
    1); 2 bits for a width of 2 to 5, or a dropout of 0 to .3. Numbers have their high bit first.

    Parameters
    ----------
    genome : ndarray of bool, shape (138,)
        Bits.

    Returns
    -------
    NetworkGenes
        With the layers that are there.

    Raises
    ------
    InvalidParameterError
        The genome has another length.

    References
    ----------
    S. A. Calin, "Deep learning approach for keystroke recognition". There the first bits are read
    twice, for the steps and for the first layer; here each bit is read once.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.neural import decode_genes
    >>> genes = decode_genes(np.ones(138, dtype=bool))
    >>> genes.batch_size, genes.convolutions[0]
    (128, (255, 5))
    """
    bits = np.asarray(genome, dtype=np.int64)
    if bits.shape != (GENOME_BITS,):
        raise InvalidParameterError(
            f"genome must hold {GENOME_BITS} bits, shape ({GENOME_BITS},); got shape {bits.shape}."
        )
    rate, momentum, batch = (_number(bits[k : k + 2]) for k in (0, 2, 4))
    genes = bits[_HEAD_BITS:].reshape(2, _GENES, _GENE_BITS)
    read = [[(_number(g[1:9]), _number(g[9:])) for g in kind if g[0]] for kind in genes]
    return NetworkGenes(
        learning_rate=10.0 ** -(rate + 2),
        momentum=0.6 + 0.1 * momentum,
        batch_size=2 ** (batch + 4),
        convolutions=tuple((max(16, size), extra + 2) for size, extra in read[0]),
        dense=tuple((max(1, size), 0.1 * extra) for size, extra in read[1]),
    )


def crossover(first: BoolArray, second: BoolArray, rng: RandomState = None) -> BoolArray:
    """Return a child of two genomes, which changes between them at three places.

    Parameters
    ----------
    first, second : ndarray of bool, shape (n_bits,)
        Parents, of four bits or more.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Draws the three places, all different and inside.

    Returns
    -------
    ndarray of bool, shape (n_bits,)
        The parents' bits in turn: first, second, first, second.

    Raises
    ------
    InvalidParameterError
        The parents differ in length or have fewer than four bits.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.neural import crossover
    >>> crossover(np.zeros(4, bool), np.ones(4, bool), rng=0)
    array([False,  True, False,  True])
    """
    if first.shape != second.shape or first.ndim != 1 or first.size < 4:
        raise InvalidParameterError(
            "parents must have one number of bits, at least 4; got shapes "
            f"{first.shape} and {second.shape}."
        )
    places = as_generator(rng).choice(np.arange(1, first.size), 3, replace=False)
    turn = np.searchsorted(np.sort(places), np.arange(first.size), side="right") % 2
    return np.where(turn == 0, first, second)


def mutate(genome: BoolArray, rate: float, rng: RandomState = None) -> BoolArray:
    """Return a genome each of whose bits is turned with a probability.

    Parameters
    ----------
    genome : ndarray of bool, shape (n_bits,)
        Bits; left as they are.
    rate : float
        Probability per bit, from 0 to 1.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness.

    Returns
    -------
    ndarray of bool, shape (n_bits,)
        The new genome.

    Raises
    ------
    InvalidParameterError
        `rate` is no probability.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.neural import mutate
    >>> mutate(np.array([True, False]), 1.0)
    array([False,  True])
    """
    _check_probability(rate, "rate")
    return genome ^ (as_generator(rng).random(genome.shape) < rate)


def evolve(
    fitness: Fitness,
    n_bits: int = GENOME_BITS,
    *,
    population: int = 16,
    generations: int = 30,
    mutation: float = 0.02,
    target: float | None = None,
    rng: RandomState = None,
    report: Report | None = None,
) -> Evolution:
    """Search for the genome with the greatest fitness.

    Of each generation the best two stay. Children of two of its best third (three-point crossover
    with probability .7, else a copy of one; then mutation) follow; the last eighth is drawn anew.

    Parameters
    ----------
    fitness : callable
        Of a genome, ndarray of bool (n_bits,); to be made great. It must not change the genome.
    n_bits : int, default 138
        Bits of a genome, at least 4.
    population : int, default 16
        Genomes of a generation, at least 6.
    generations : int, default 30
        At most so many, the first one drawn at random.
    mutation : float, default 0.02
        Probability that a bit of a child is turned.
    target : float or None, default None
        Fitness at which to stop early.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness.
    report : callable, optional
        Called as ``report(what, done, total)`` after every generation.

    Returns
    -------
    Evolution
        The best genome, and how it came about.

    Raises
    ------
    InvalidParameterError
        A number is not valid, or a fitness is not finite.

    Examples
    --------
    >>> from hawkeys.neural import evolve
    >>> evolve(lambda bits: bits.sum(), 20, generations=200, target=20, rng=0).fitness
    20.0
    """
    check_count(n_bits, "n_bits", minimum=4)
    check_count(population, "population", minimum=6)
    check_count(generations, "generations")
    _check_probability(mutation, "mutation")
    draws = as_generator(rng)
    known: dict[bytes, float] = {}
    genomes = draws.random((population, n_bits)) < 0.5
    trace: list[float] = []
    for generation in range(generations):
        if generation:
            genomes = _next_generation(genomes, mutation, draws)
        values = np.array([_evaluate(fitness, genome, known) for genome in genomes])
        genomes = genomes[np.argsort(-values, kind="stable")]
        trace.append(float(values.max()))
        if report is not None:
            report("Generations", generation + 1, generations)
        if target is not None and trace[-1] >= target:
            break
    return Evolution(genomes[0], trace[-1], np.array(trace), len(known))


def _next_generation(ranked: BoolArray, mutation: float, rng: np.random.Generator) -> BoolArray:
    """Return elites, children of the best third, and newcomers; ranked has the best first."""
    size, n_bits = ranked.shape
    n_new = max(1, size // 8)
    parents = ranked[: max(2, size // 3)]
    children = []
    for _ in range(size - 2 - n_new):
        first, second = parents[rng.choice(len(parents), 2, replace=False)]
        child = crossover(first, second, rng) if rng.random() < 0.7 else first
        children.append(mutate(child, mutation, rng))
    return np.concatenate([ranked[:2], children, rng.random((n_new, n_bits)) < 0.5])


def _evaluate(fitness: Fitness, genome: BoolArray, known: dict[bytes, float]) -> float:
    key = np.packbits(genome).tobytes()
    if key not in known:
        value = float(fitness(genome))
        if not np.isfinite(value):
            raise InvalidParameterError(
                f"fitness returned {value} for genome {''.join(map(str, genome.astype(int)))}; it "
                "must be finite. Return a low number for what cannot live."
            )
        known[key] = value
    return known[key]


def _number(bits: Any) -> int:
    """Return the number that bits spell, the high one first."""
    return int(bits @ (1 << np.arange(bits.size)[::-1]))


def _check_probability(value: float, name: str) -> None:
    if check_nonnegative_number(value, name) > 1.0:
        raise InvalidParameterError(
            f"{name} must be a probability, from 0 to 1; got {brief(value)}."
        )
