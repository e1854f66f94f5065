"""`GeneticClassifier`: a small network of event times whose layers a genetic search chooses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import log_softmax

from hawkeys._typing import BoolArray, FloatArray
from hawkeys._validation import check_count, check_fraction
from hawkeys.exceptions import InvalidParameterError
from hawkeys.neural.extra import Runtime, Schedule, require_torch
from hawkeys.neural.genetic import decode_genes, evolve
from hawkeys.verifiers.event_times import EventTimeClassifier

__all__ = ["GeneticClassifier"]

_VALIDATING = 0.2


class GeneticClassifier(EventTimeClassifier):
    """Tell people apart by event times with a network that a genetic search has shaped.

    A fifth of each person's samples is laid aside, drawn at random; the fitness of a genome is the
    share of them that its network, trained on the others for a few epochs, gets right. Then the
    best one is trained on all samples.

    Parameters
    ----------
    population : int, default 16
        Genomes of a generation.
    generations : int, default 30
        At most so many.
    epochs : int, default 3
        Passes of each training.
    target : float, default 0.99
        Fitness at which the search stops, in (0, 1).
    runtime : Runtime, default Runtime()
        Device and progress; its `checkpoint` is for the last training alone.
    random_state : int, default 0
        Seed.

    Attributes
    ----------
    classes_ : ndarray, shape (n_people,)
        The people, sorted.
    evolution_ : Evolution
        The search.
    genes_ : NetworkGenes
        What was found.
    network_ : torch.nn.Module
        The trained network.

    Raises
    ------
    MissingExtraError
        By `fit`, if torch is not installed.

    References
    ----------
    S. A. Calin, "Deep learning approach for keystroke recognition" (see `decode_genes` for what is
    read otherwise; there, crossover never happens).

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.neural import GeneticClassifier
    >>> rng = np.random.default_rng(0)
    >>> samples = np.exp(rng.normal(np.repeat([-2.0, -1.0], 20)[:, None], 0.3, (40, 5)))
    >>> search = GeneticClassifier(population=6, generations=1, epochs=1)
    >>> search.fit(samples, np.repeat(["ann", "bob"], 20)).evolution_.n_evaluations
    6
    """

    def __init__(
        self,
        population: int = 16,
        generations: int = 30,
        epochs: int = 3,
        target: float = 0.99,
        runtime: Runtime = Runtime(),  # noqa: B008  (frozen)
        random_state: int = 0,
    ) -> None:
        self.population = population
        self.generations = generations
        self.epochs = epochs
        self.target = target
        self.runtime = runtime
        self.random_state = random_state

    def _learn(self, intervals: FloatArray, index: np.ndarray) -> None:
        check_count(self.epochs, "epochs")
        check_fraction(self.target, "target")
        check_count(self.random_state, "random_state", minimum=0)
        require_torch()
        self.length_ = intervals.shape[1]
        log = np.log(intervals)
        self.center_, self.scale_ = float(log.mean()), float(log.std()) or 1.0
        x = self._input(intervals)
        draws = np.random.default_rng(self.random_state)
        aside = _lay_aside(index, draws)
        quiet = replace(self.runtime, checkpoint=None, report=None)

        def fitness(genome: BoolArray) -> float:
            network = self._train(genome, x[~aside], index[~aside], quiet)
            if network is None:
                return 0.0
            return float((_outputs(network, x[aside]).argmax(axis=1) == index[aside]).mean())

        self.evolution_ = evolve(
            fitness,
            population=self.population,
            generations=self.generations,
            target=self.target,
            rng=draws,
            report=self.runtime.report,
        )
        self.genes_ = decode_genes(self.evolution_.best)
        self.network_ = self._train(self.evolution_.best, x, index, self.runtime)
        if self.network_ is None:
            raise InvalidParameterError(
                "the best network diverged when it was trained on all samples, and none better was "
                "found. Give more generations, a larger population or another random_state."
            )

    def _log_proba(self, intervals: FloatArray) -> FloatArray:
        if intervals.shape[1] != self.length_:
            raise InvalidParameterError(
                f"X has {intervals.shape[1]} intervals per sample; the network was trained on "
                f"{self.length_}. Cut slices of that length."
            )
        return np.asarray(log_softmax(_outputs(self.network_, self._input(intervals)), axis=1))

    def _input(self, intervals: FloatArray) -> np.ndarray:
        return ((np.log(intervals) - self.center_) / self.scale_).astype(np.float32)

    def _train(self, genome: BoolArray, x: np.ndarray, index: np.ndarray, runtime: Runtime) -> Any:
        """Return the trained network of a genome, or None if its steps diverge."""
        torch = require_torch()
        from hawkeys.neural._nets.evaluating import weighted_cross_entropy
        from hawkeys.neural._nets.genetic import network_of
        from hawkeys.neural._nets.training import Diverged, seeded, train

        genes = decode_genes(genome)
        with seeded(self.random_state):
            network = network_of(genes, self.length_, self.classes_.size)
        schedule = Schedule(
            "sgd", genes.learning_rate, genes.batch_size, self.epochs, genes.momentum
        )
        y = torch.from_numpy(index.astype(np.int64))
        weight = len(y) / (torch.bincount(y) * self.classes_.size)
        try:
            train(network, weighted_cross_entropy(weight), (torch.from_numpy(x), y), schedule,
                  runtime=runtime, seed=self.random_state, what="Best network")  # fmt: skip
        except Diverged:
            return None
        return network


def _lay_aside(index: np.ndarray, rng: np.random.Generator) -> BoolArray:
    """Return which samples validate: a fifth of each person's, at least one and not all."""
    aside = np.zeros(index.size, dtype=bool)
    for person in range(int(index.max()) + 1):
        rows = rng.permutation(np.flatnonzero(index == person))
        if rows.size < 2:
            raise InvalidParameterError(
                f"class {person} has {rows.size} sample; the search lays some aside and needs two "
                "or more of each person."
            )
        aside[rows[: max(1, int(_VALIDATING * rows.size))]] = True
    return aside


def _outputs(network: Any, x: np.ndarray) -> np.ndarray:
    torch = require_torch()
    from hawkeys.neural._nets.evaluating import outputs_of

    return outputs_of(network, torch.from_numpy(x))
