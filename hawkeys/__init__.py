"""hawkeys: statistical Hawkes processes, and a laboratory for keystroke dynamics.

A short tour::

    import hawkeys

    truth = hawkeys.Hawkes(baseline=[0.4, 0.2], adjacency=[[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    sample = hawkeys.simulate(truth, end_time=1_000.0, rng=0)   # Events
    result = hawkeys.fit(sample, decay=2.0)                     # maximum likelihood
    print(result.summary())

``adjacency[i, j]`` is the expected number of direct children of mark i from one event of mark j.
`fit_each` fits every realisation alone. On this core stand the sub-packages `datasets`,
`features`, `verifiers`, `evaluation` and `capture`, the keystroke laboratory; they are imported
when first used, as is all that needs numba.
"""

from typing import TYPE_CHECKING

from hawkeys._faces import named_on_demand
from hawkeys._version import __version__

if TYPE_CHECKING:
    from hawkeys import (
        baselines,
        capture,
        datasets,
        evaluation,
        exceptions,
        features,
        inference,
        interop,
        kernels,
        neural,
        plotting,
        productivity,
        verifiers,
    )
    from hawkeys.diagnostics.comparison import compare
    from hawkeys.diagnostics.likelihood_ratio import likelihood_ratio_test
    from hawkeys.events import Events
    from hawkeys.forecasting import forecast
    from hawkeys.inference import GammaPrior, fit, fit_each, fit_rectified, goodness_of_fit
    from hawkeys.inference.nonlinear import fit_nonlinear
    from hawkeys.partitions import open_events, write_events
    from hawkeys.process import Hawkes
    from hawkeys.process.branching import branching_probabilities
    from hawkeys.process.likelihood import LogLikelihood
    from hawkeys.process.nonlinear import NonlinearHawkes
    from hawkeys.process.rectified import RectifiedHawkes
    from hawkeys.results.files import load_result
    from hawkeys.simulation import simulate, simulate_until
    from hawkeys.simulation.branching import simulate_branching
    from hawkeys.simulation.nonlinear import simulate_nonlinear
    from hawkeys.simulation.rectified import simulate_rectified
    from hawkeys.warming import warmup

__all__ = [
    "Events",
    "GammaPrior",
    "Hawkes",
    "LogLikelihood",
    "NonlinearHawkes",
    "RectifiedHawkes",
    "__version__",
    "baselines",
    "branching_probabilities",
    "capture",
    "compare",
    "datasets",
    "evaluation",
    "exceptions",
    "features",
    "fit",
    "fit_each",
    "fit_nonlinear",
    "fit_rectified",
    "forecast",
    "goodness_of_fit",
    "inference",
    "interop",
    "kernels",
    "likelihood_ratio_test",
    "load_result",
    "neural",
    "open_events",
    "plotting",
    "productivity",
    "simulate",
    "simulate_branching",
    "simulate_nonlinear",
    "simulate_rectified",
    "simulate_until",
    "verifiers",
    "warmup",
    "write_events",
]

_HOME = {
    "Events": "events",
    "GammaPrior": "inference",
    "Hawkes": "process.hawkes",
    "LogLikelihood": "process.likelihood",
    "NonlinearHawkes": "process.nonlinear",
    "RectifiedHawkes": "process.rectified",
    "branching_probabilities": "process.branching",
    "compare": "diagnostics.comparison",
    "fit": "inference",
    "fit_each": "inference",
    "fit_nonlinear": "inference.nonlinear",
    "fit_rectified": "inference",
    "forecast": "forecasting",
    "goodness_of_fit": "inference",
    "likelihood_ratio_test": "diagnostics.likelihood_ratio",
    "load_result": "results.files",
    "open_events": "partitions",
    "simulate": "simulation",
    "simulate_branching": "simulation.branching",
    "simulate_nonlinear": "simulation.nonlinear",
    "simulate_rectified": "simulation.rectified",
    "simulate_until": "simulation",
    "warmup": "warming",
    "write_events": "partitions",
}

__getattr__ = named_on_demand(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
