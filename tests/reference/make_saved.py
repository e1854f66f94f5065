"""Save one result of every kind, and one template of every verifier, as the package at hand does.

    python tests/reference/make_saved.py FOLDER

The files in `saved/` were written by version 0.1.0 before results had a checksum (schemas
"hawkeys-fit/1" and "hawkeys-rectified-fit/1"); tests hold that later versions still read them.
"""

import sys
import warnings
from pathlib import Path

import numpy as np

import hawkeys
from hawkeys.baselines import Periodic, PiecewiseConstant
from hawkeys.datasets import join_timings
from hawkeys.inference import ElasticNet, GroupLasso, KernelPrior, Lasso, Ridge
from hawkeys.kernels import Gamma, Histogram, LogNormal, SumExponential
from hawkeys.verifiers import enrol
from hawkeys.verifiers.templates._storable import known_verifiers

END = 20.0
TRUTH = hawkeys.Hawkes([0.5, 0.3], [[0.4, 0.2], [0.0, 0.5]], decay=1.5, mark_names=["a", "ß"])
EVENTS = hawkeys.simulate(TRUTH, end_time=END, n_realizations=2, rng=5)
# a mark without events, and one that nothing follows
SPARSE = hawkeys.Events.from_lists([[[1.0, 2.0, 2.5, 6.0], [9.0], []]], end_times=10.0)
# best explained by itself alone: its first event is then impossible
BURST = hawkeys.Events.from_lists([[[1.0, *np.linspace(50.0, 50.2, 30)]]], end_times=50.21)
EDGES = [0.0, 0.5, 1.0, 4.0]
STEPS = PiecewiseConstant([0.0, 8.0, END])
PARTLY = [[1, 0], [1, 1]]


def plain_fits():
    """Fits of the plain model, by name."""
    yield "mle", EVENTS, {"decay": 1.5}
    yield "mle-by-source", EVENTS, {"decay": [1.0, 2.0], "support": PARTLY, "weights": [1, 0.5]}
    yield "mle-by-pair", EVENTS, {"decay": [[1.0, 2.0], [3.0, 1.5]], "max_iter": 1}
    yield "mle-sparse", SPARSE, {"decay": 1.0}
    yield "estimate", EVENTS, {"decay": "estimate"}
    yield "estimate-by-source", EVENTS, {"decay": "estimate", "decay_sharing": "source"}
    yield "estimate-by-pair", EVENTS, {"decay": "estimate", "decay_sharing": "pair"}
    folds = {"decay_selection": "cross-validation", "n_folds": 2}
    yield "grid", EVENTS, {"decay_grid": [0.5, 1.5], **folds}
    yield "grid-by-source", EVENTS, {"decay_grid": [[0.5, 1.0], [1.5, 1.0]], "baseline": STEPS}
    yield "map", EVENTS, {"decay": 1.5, "method": "map"}
    groups = GroupLasso([[0.1, 0.2], [0.1, 0.2]], groups=[[0, 1], [0, -1]], baseline=0.1)
    for prior in (Ridge(0.5), Lasso(0.3), ElasticNet(0.3, l1_ratio=0.4), groups):
        name = f"map-{type(prior).__name__}"
        yield name, EVENTS, {"decay": 1.5, "method": "map", "prior": prior}
    weights = {"weights": [1.0, 0.5], "support": PARTLY}
    yield "least-squares", EVENTS, {"decay": 1.5, "method": "least_squares", **weights}
    yield "least-squares-sparse", SPARSE, {"decay": 1.0, "method": "least_squares"}
    yield "least-squares-impossible", BURST, {"decay": 0.5, "method": "least_squares"}


def variational_fits():
    """Fits by variational inference, by name."""
    yield "vi", EVENTS, {"decay": 1.5, "method": "vi"}
    yield "vi-sparse", SPARSE, {"decay": 1.0, "method": "vi"}
    rows = {"prior_sharing": "row", "n_draws": 32, "likelihood_weight": 10}
    yield "vi-rows", EVENTS, {"decay": 1.5, "method": "vi", **rows}
    fixed = {"relevance_determination": False, "prior_coefficient": 0.5}
    yield "vi-fixed", EVENTS, {"decay": 1.5, "method": "vi", **fixed}
    yield "vi-steps", EVENTS, {"decay": 1.5, "method": "vi", "baseline": STEPS}
    yield "vi-mixture", EVENTS, {"kernel": SumExponential([0.7, 4.0]), "method": "vi"}
    yield "vi-stochastic", EVENTS, {"decay": 1.5, "method": "vi_stochastic", "n_steps": 30}
    yield "vi-stochastic-sparse", SPARSE, {"decay": 1.0, "method": "vi_stochastic", "n_steps": 30}
    yield "vi-branching", EVENTS, {"decay": 1.5, "method": "vi_branching"}
    yield "vi-branching-sparse", SPARSE, {"decay": 1.0, "method": "vi_branching"}
    tied = {"tied": {"adjacency": [[0, 1], [1, 0]]}, "baseline": STEPS}
    yield "vi-branching-tied", EVENTS, {"decay": 1.5, "method": "vi_branching", **tied}
    prior = KernelPrior(LogNormal(-0.5, 0.8), weight=2.0)
    lags = {"kernel": LogNormal(), "method": "vi_branching", "kernel_prior": prior}
    yield "vi-branching-log-normal", EVENTS, lags


def rich_fits():
    """Fits with other kernels and baselines, by name."""
    tied = {"tied": [[0, 2, 3], [0, 3, 2]]}
    yield "tied", EVENTS, {"decay": 1.5, **tied}
    yield "steps", EVENTS, {"decay": 1.5, "baseline": STEPS}
    yield "periodic-map", EVENTS, {"decay": 1.5, "baseline": Periodic([0, 2], 5), "method": "map"}
    yield "mixture", EVENTS, {"kernel": SumExponential([0.7, 4.0])}
    yield "mixture-tied", EVENTS, {"kernel": SumExponential([0.7, 4.0]), "baseline": STEPS, **tied}
    yield "mixture-given", EVENTS, {"kernel": SumExponential([0.7, 4.0], [0.25, 0.75])}
    yield "log-normal-given", EVENTS, {"kernel": LogNormal(-0.5, 0.8)}
    yield "gamma-given", EVENTS, {"kernel": Gamma([[1.0, 2.0], [1.5, 1.0]], [[1.0] * 2] * 2)}
    yield "histogram-given", EVENTS, {"kernel": Histogram(EDGES, [0.5, 0.3, 0.2])}
    start = {"start": LogNormal(-0.4, 0.9), "prior": KernelPrior(LogNormal(-0.5, 0.8))}
    yield "log-normal", EVENTS, {"kernel": LogNormal(), **start}
    groups = {"groups": [[0, 1], [1, 0]], "weights": [1.0, 0.5], "support": PARTLY}
    yield "log-normal-groups", EVENTS, {"kernel": LogNormal(), **groups}
    yield "gamma", EVENTS, {"kernel": Gamma()}
    yield "gamma-edge", EVENTS, {"kernel": Gamma(), "groups": "edge", "max_iter": 30}
    yield "histogram", EVENTS, {"kernel": Histogram(EDGES), "smoothing": 0.1}


def rectified_fits():
    """Fits with inhibition, by name."""
    yield "rectified", EVENTS, {"decay": 1.5}
    yield "rectified-sparse", SPARSE, {"decay": [1.0, 2.0, 1.0]}
    given = {"support": np.array(PARTLY, dtype=bool), "weights": np.array([1.0, 0.5])}
    yield "rectified-estimate", EVENTS, {"decay": "estimate", **given}


def typing():
    """Twenty samples of two keys."""
    rng = np.random.default_rng(7)
    press = np.cumsum(0.2 * np.exp(0.3 * rng.standard_normal((20, 2))), axis=1)
    return join_timings(press, press + 0.1 * np.exp(0.2 * rng.standard_normal(press.shape)))


def main(folder):
    """Write every file into `folder`."""
    target = Path(folder)
    target.mkdir(exist_ok=True)
    warnings.simplefilter("ignore")
    for fits in (plain_fits, variational_fits, rich_fits):
        for name, events, given in fits():
            hawkeys.fit(events, **given).save(target / f"{name}.json")
    for name, events, given in rectified_fits():
        hawkeys.fit_rectified(events, **given).save(target / f"{name}.json")
    for name, kind in known_verifiers().items():
        sessions = [0] * 10 + [1] * 10
        policy = "leave-one-session-out"
        template = enrol(typing(), verifier=kind(), policy=policy, sessions=sessions)
        template.save(target / f"template-{name}.json")


if __name__ == "__main__":
    main(*sys.argv[1:])
