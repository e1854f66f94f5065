"""Write psis.json: smoothed weights and Pareto k by arviz-stats (pip install arviz-stats).

Run: python tests/reference/make_psis.py
"""

import json
from pathlib import Path

import arviz_stats
import numpy as np
from arviz_stats.base import array_stats

# number of ratios (multiples that leave no rounding in the length of the tail), tail
CASES = [(400, 0.3), (900, 0.9), (2500, 1.3), (100, 0.6)]


def main():
    """Smooth ratios with log-ratio = slope times a standard exponential."""
    cases = []
    for seed, (n, slope) in enumerate(CASES):
        ratios = slope * np.random.default_rng(seed).standard_exponential(n)
        log_weights, k = array_stats.psislw(-ratios, axis=-1)  # it takes log-likelihoods
        order = np.argsort(ratios)[-5:]
        cases.append(
            {
                "seed": seed,
                "n": n,
                "slope": slope,
                "k": float(k),
                "largest_log_weights": log_weights[order].tolist(),
            }
        )
    record = {
        "program": "arviz-stats",
        "version": arviz_stats.__version__,
        "script": "tests/reference/make_psis.py",
        "cases": cases,
    }
    path = Path(__file__).parent / "psis.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
