"""Does stochastic variational inference here follow the published recipe to the letter?

    python benchmarks/published_recipe.py [--seeds N] [--package-seeds N] [--output DIR]

The recipe of Zhang, Zhang and Li (2021, doi:10.1155/2021/6648726), who ran algorithm 1 of Salehi et
al. (2019, arXiv:1911.00292), written a second time, in numpy, from the text alone: `twin` makes its
own excitations from presses and releases and shares no line with the package. Both take the row of
Return, in which one of two nearly equal parents survives, on every 16th of the 2,000 samples of the
five subjects of that paper. A sample counts as "on" where the mode of W(Return, Return) is at
least .01. Only chance may tell the two apart. Needs the CMU data (HAWKEYS_DATA); writes
published_recipe.csv, a row per program and seed. A seed takes the twin 3 s, the package 40 s.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from machine import one_thread, write_table

from hawkeys.datasets import load_cmu
from hawkeys.features import HawkesFeatures

FIVE = ("s002", "s032", "s036", "s047", "s052")
DECAY, LIKELIHOOD_WEIGHT, N_STEPS, ON = 0.1, 10.0, 20_000, 0.01


def main(arguments=None):
    """Count, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--package-seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    data = load_cmu()
    data = data[np.flatnonzero(np.isin(data.subject, FIVE))[::16]]
    with one_thread():
        table = compare(data, range(100, 100 + options.seeds), range(options.package_seeds))
    write_table(table, options.output / "published_recipe.csv", [])
    print(table.groupby("program")["n_on"].describe())


def compare(data, seeds, package_seeds):
    """Return how many samples are on, by program and seed."""
    rows = [("twin", seed, int((twin(data, seed) >= ON).sum())) for seed in seeds]
    rows += [("package", seed, int((package(data, seed) >= ON).sum())) for seed in package_seeds]
    table = pd.DataFrame(rows, columns=["program", "seed", "n_on"])
    return table.assign(n_samples=len(data))


def last_rows(data):
    """Return excitations (N, 2, K) and costs (N, K) of the last key's events, by definition."""
    press, release = data.press, data.release
    factor = np.arange(1.0, press.shape[1] + 1.0)
    end = np.maximum(press, release).max(axis=1)
    sources = np.stack([press, release], axis=2)
    lag = sources[:, -1][:, :, None, None] - sources[:, None]
    density = np.where(lag > 0, DECAY * np.exp(-DECAY * np.maximum(lag, 0.0)), 0.0)
    cost = 1.0 - np.exp(-DECAY * (end[:, None, None] - sources))
    return factor * density.sum(axis=3), factor * cost.sum(axis=2), end


def twin(data, seed):
    """Return the mode of W(last, last) of each sample by the recipe, all samples at once."""
    excitation, cost, end = last_rows(data)
    n, _, n_keys = excitation.shape
    v = np.concatenate([np.ones((n, 2, 1)), excitation], axis=2)
    K = np.concatenate([end[:, None], cost], axis=1)
    rng = np.random.default_rng(seed)
    shape = (n, n_keys + 1)
    a = rng.normal(0.1, 0.1, shape)
    b = np.log(np.clip(rng.normal(0.2, 0.1, shape), 0.1, 2.0))
    C = np.full(shape, 0.1)
    mean, square = np.zeros((2, *shape)), np.zeros((2, *shape))
    for step in range(N_STEPS):
        shock = np.exp(b) * rng.standard_normal(shape)
        theta = np.exp(a + shock)
        share = 1.0 / np.einsum("nkp,np->nk", v, theta)
        slope = LIKELIHOOD_WEIGHT * (np.einsum("nkp,nk->np", v, share) - K) - 2.0 * theta / C
        gradient = np.stack([theta * slope + 1.0, theta * slope * shock + 1.0 + shock])
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        rate = 0.01 * 0.9999**step
        move = mean / (1.0 - 0.9 ** (step + 1))
        move = rate * move / (np.sqrt(square / (1.0 - 0.999 ** (step + 1))) + 1e-8)
        a, b = a + move[0], b + move[1]
        if (step + 1) % 100 == 0:
            theta = np.exp(a + np.exp(b) * rng.standard_normal(shape))
            C = 0.5 * C + 0.5 * 2.0 * theta**2
    return np.exp(a[:, -1] - np.exp(2.0 * b[:, -1]))


def package(data, seed):
    """Return the same by the package."""
    features = HawkesFeatures.published(random_state=seed)
    return features.fit_transform(data.timings().to_numpy())[:, -1]


if __name__ == "__main__":
    main()
