"""How peer_agreement.py calls each library; only `hawkeys.interop` knows their conventions."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from hawkeys import interop

__all__ = ["PEERS", "Peer", "each", "log_likelihood"]

SIZES = (1, 2, 5)


def tick_loss(arguments, data):
    """Return the log-likelihood behind tick's shifted and scaled loss."""
    (timestamps, end_times), rates = data, arguments["baseline"]
    model = import_module("tick.hawkes").ModelHawkesExpKernLogLik(arguments["decays"])
    model.fit(timestamps, end_times=end_times)
    n_events = sum(times.size for part in timestamps for times in part)
    loss = model.loss(np.concatenate((rates, arguments["adjacency"].ravel())))
    return -(loss * n_events + rates.size * end_times.sum())


def tick_compensators(arguments, data):
    """Return the sum of tick's compensators, of each mark at its own events."""
    total = 0.0
    for timestamps, end_time in zip(*data, strict=True):
        simulation = import_module("tick.hawkes").SimuHawkesExpKernels(
            **arguments, end_time=end_time, verbose=False, force_simulation=True
        )
        simulation.set_timestamps(timestamps, end_time)
        simulation.store_compensator_values()
        total += sum(values.sum() for values in simulation.tracked_compensator)
    return total


def hawkes_rs_loss(arguments, data):
    """Return minus hawkes-rs' negative log-likelihood."""
    multivariate = import_module("hawkes").multivariate
    return -multivariate.negative_log_likelihood(multivariate.Parameters(**arguments), *data)


def intensify_multivariate(arguments, data):
    """Return the log-likelihood of intensify's class for several marks."""
    intensify = import_module("intensify")
    kernel = [
        [intensify.ExponentialKernel(a, b) for a, b in zip(*row, strict=True)]
        for row in zip(arguments["alpha"], arguments["beta"], strict=True)
    ]
    process = intensify.MultivariateHawkes(len(kernel), arguments["mu"], kernel)
    return process.log_likelihood(*data)


def intensify_univariate(arguments, data):
    """Return the log-likelihood of intensify's class for one mark."""
    intensify = import_module("intensify")
    kernel = intensify.ExponentialKernel(arguments["alpha"][0, 0], arguments["beta"][0, 0])
    return intensify.Hawkes(arguments["mu"], kernel).log_likelihood(data[0][0], data[1])


def hawkes_engine_value(arguments, data):
    """Return hawkes-engine's log-likelihood."""
    times, types, end_time = data
    return import_module("hawkes_engine").loglik(times, types, T=end_time, **arguments)["value"]


def hawkesbook_mutual(arguments, data):
    """Return hawkesbook's log-likelihood of several marks."""
    return import_module("hawkesbook").mutual_exp_log_likelihood(*data, arguments)


def hawkesbook_single(arguments, data):
    """Return hawkesbook's log-likelihood of one mark."""
    theta = tuple(part.item() for part in arguments)
    return import_module("hawkesbook").exp_log_likelihood(data[0], data[2], theta)


def hawkeslib_multivariate(arguments, data):
    """Return the log-likelihood of hawkeslib's class for several marks."""
    process = import_module("hawkeslib").MultivariateExpHawkesProcess()
    process.set_params(**arguments)
    return process.log_likelihood(*data)


def hawkeslib_univariate(arguments, data):
    """Return the log-likelihood of hawkeslib's class for one mark."""
    process = import_module("hawkeslib").UnivariateExpHawkesProcess
    numbers = (arguments["mu"].item(), arguments["A"].item(), arguments["theta"])
    return process.log_likelihood_with_params(data[0], *numbers, data[2])


def sparklen_loss(arguments, data):
    """Return minus sparklen's loss, which is summed over realisations."""
    module = import_module("sparklen.hawkes.model")
    model = module.ModelHawkesExpLogLikelihood(arguments["decay"])
    model.set_data(*data)
    return -model.loss(arguments["theta"])


def log_likelihood(process, events):
    """Return hawkeys' log-likelihood."""
    return process.log_likelihood(events)


def compensators(process, events):
    """Return the sum of hawkeys' compensators, of each mark at its own events."""
    return sum(
        process.compensator(events, times, realization=r)[:, i].sum()
        for r, part in enumerate(events.to_lists())
        for i, times in enumerate(part)
        if times.size
    )


def each(events):
    """Return the realisations one by one."""
    return [events[r] for r in range(events.n_realizations)]


@dataclass(frozen=True)
class Peer:
    """One function of another library, called through `hawkeys.interop`."""

    package: str
    name: str
    interface: str
    value: Callable
    decays: tuple = ("one",)
    sizes: tuple = SIZES
    pooled: bool = False
    ties_excite: tuple = ()
    reference: Callable = log_likelihood

    def arguments(self, process):
        """Return the parameters as the library takes them."""
        return getattr(interop, f"to_{self.name}")(process)

    def data(self, events):
        """Return the events as the library takes them, one entry per call."""
        convert = getattr(interop, f"events_to_{self.name}")
        return [convert(part) for part in ([events] if self.pooled else each(events))]

    def total(self, process, events):
        """Return the library's value over all realisations."""
        arguments = self.arguments(process)
        return float(sum(self.value(arguments, data) for data in self.data(events)))


MANY = ("one", "source", "target", "pair")
PEERS = [
    Peer("tick", "tick", "ModelHawkesExpKernLogLik", tick_loss, pooled=True),
    Peer(
        "tick",
        "tick",
        "SimuHawkesExpKernels, compensators",
        tick_compensators,
        decays=MANY,
        pooled=True,
        reference=compensators,
    ),
    Peer("hawkes-rs", "hawkes_rs", "multivariate", hawkes_rs_loss),
    Peer(
        "intensify",
        "intensify",
        "MultivariateHawkes",
        intensify_multivariate,
        decays=MANY,
        ties_excite=MANY[1:],
    ),
    Peer(
        "intensify",
        "intensify",
        "Hawkes",
        intensify_univariate,
        sizes=(1,),
        ties_excite=("one",),
    ),
    Peer("hawkes-engine", "hawkes_engine", "loglik", hawkes_engine_value, decays=MANY),
    Peer(
        "hawkesbook",
        "hawkesbook",
        "mutual_exp_log_likelihood",
        hawkesbook_mutual,
        decays=("one", "target"),
        ties_excite=("one", "target"),
    ),
    Peer(
        "hawkesbook",
        "hawkesbook",
        "exp_log_likelihood",
        hawkesbook_single,
        sizes=(1,),
        ties_excite=("one",),
    ),
    Peer(
        "hawkeslib",
        "hawkeslib",
        "MultivariateExpHawkesProcess",
        hawkeslib_multivariate,
        ties_excite=("one",),
    ),
    Peer(
        "hawkeslib",
        "hawkeslib",
        "UnivariateExpHawkesProcess",
        hawkeslib_univariate,
        sizes=(1,),
        ties_excite=("one",),
    ),
    Peer("sparklen", "sparklen", "ModelHawkesExpLogLikelihood", sparklen_loss, pooled=True),
]
