"""The processes that speed is measured on, and how long they are observed."""

import numpy as np

import hawkeys

DECAY = 1.5
# number of marks: time observed, for about 100,000, 100,000 and 200,000 events
CASES = {1: 77_200.0, 5: 8_500.0, 20: 5_300.0}
QUICK_CASES = {1: 500.0, 3: 300.0}


def make_process(size, seed=0):
    """Half the off-diagonal entries 0, spectral radius 0.6."""
    rng = np.random.default_rng(seed)
    adjacency = rng.uniform(0.1, 1.0, (size, size))
    adjacency[(rng.random((size, size)) < 0.5) & ~np.eye(size, dtype=bool)] = 0.0
    adjacency *= 0.6 / np.abs(np.linalg.eigvals(adjacency)).max()
    return hawkeys.Hawkes(rng.uniform(0.5, 1.0, size), adjacency, decay=DECAY)
