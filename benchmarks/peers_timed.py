"""How peers_speed.py calls each library: likelihood, fits and simulation, as users would.

Every adapter takes one realisation as arrays per mark. Parameters are one row
(baseline, adjacency row) per mark, as in `hawkeys.LogLikelihood`.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from scipy.optimize import minimize

from hawkeys import interop

__all__ = [
    "Hawkespylib",
    "Hawkesrs",
    "Intensify",
    "Tick",
    "installed",
]

BOUND = 1e-10


def installed(package):
    """Tell whether a distribution is here."""
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def process_of(x, decay):
    """Return hawkeys' process with the parameters x."""
    return import_module("hawkeys").Hawkes(x[:, 0], x[:, 1:], decay=decay)


def plain_start(data, end_time):
    """Return a start without knowledge: half the events unprompted."""
    size = len(data)
    rates = np.array([times.size for times in data]) / end_time
    return np.column_stack((rates / 2.0, np.full((size, size), 0.5 / size)))


class Tick:
    """tick's likelihood model; its loss is (-log L - D T) / n_events."""

    package = "tick"

    def __init__(self, realizations, end_times, decay):
        self.realizations = realizations
        self.end_times = np.array(end_times, dtype=float)
        self.decay = decay
        self.size = len(realizations[0])
        self.n_events = sum(times.size for part in realizations for times in part)

    def model(self):
        """Return a model that holds the data."""
        model = import_module("tick.hawkes").ModelHawkesExpKernLogLik(self.decay, n_threads=1)
        model.fit(self.realizations, end_times=self.end_times)
        return model

    def flat(self, x):
        """Return parameters in tick's order."""
        return np.concatenate((x[:, 0], x[:, 1:].ravel()))

    def rows(self, flat):
        """Undo `flat`."""
        return np.column_stack((flat[: self.size], flat[self.size :].reshape(self.size, -1)))

    def to_nats(self, loss):
        """Return the log-likelihood behind a loss."""
        return -(loss * self.n_events + self.size * self.end_times.sum())

    def log_likelihood(self, x):
        """Return the log-likelihood."""
        return self.to_nats(self.model().loss(self.flat(x)))

    def fit(self, start, tolerance=1e-13, memory=10):
        """Return the log-likelihood and parameters that scipy's L-BFGS-B ends with."""
        found = minimize(
            self.model().loss_and_grad,
            self.flat(start),
            jac=True,
            method="L-BFGS-B",
            bounds=[(BOUND, None)] * start.size,
            options={
                "maxiter": 5_000,
                "maxfun": 20_000,
                "ftol": tolerance,
                "gtol": 0.0,
                "maxcor": memory,
            },
        )
        self.evaluations = found.nfev
        return self.to_nats(found.fun), self.rows(found.x)

    def simulate(self, x, end_time):
        """Return the number of events of one simulation."""
        simulation = import_module("tick.hawkes").SimuHawkesExpKernels(
            x[:, 1:].copy(),
            self.decay,
            baseline=x[:, 0].copy(),
            end_time=end_time,
            seed=1,
            verbose=False,
        )
        simulation.simulate()
        return simulation.n_total_jumps


class Intensify:
    """intensify's process for several marks."""

    package = "intensify"

    def __init__(self, realizations, end_times, decay):
        (self.data,), (self.end_time,), self.decay = realizations, end_times, decay

    def process(self, x):
        """Return its process with the parameters x; a zero is written as a tiny number."""
        given = interop.to_intensify(process_of(x, self.decay), zero_as=1e-300)
        module = import_module("intensify")
        kernel = [
            [module.ExponentialKernel(a, b) for a, b in zip(*row, strict=True)]
            for row in zip(given["alpha"], given["beta"], strict=True)
        ]
        return module.MultivariateHawkes(len(kernel), given["mu"], kernel)

    def log_likelihood(self, x):
        """Return the log-likelihood."""
        return self.process(x).log_likelihood(self.data, self.end_time)

    def fit(self, start):
        """Return the log-likelihood it ends with, decay held fixed."""
        return self.process(start).fit(self.data, T=self.end_time, fit_decay=False).log_likelihood

    def simulate(self, x, end_time):
        """Return the number of events of one simulation."""
        return sum(len(times) for times in self.process(x).simulate(end_time, seed=1))


class Hawkesrs:
    """hawkes-rs' process for several marks, for one mark its own class."""

    package = "hawkes-rs"

    def __init__(self, realizations, end_times, decay):
        (self.data,), (self.end_time,), self.decay = realizations, end_times, decay
        self.module = import_module("hawkes").multivariate

    def log_likelihood(self, x):
        """Return the log-likelihood."""
        parameters = self.module.Parameters(**interop.to_hawkes_rs(process_of(x, self.decay)))
        return -self.module.negative_log_likelihood(parameters, self.data, self.end_time)

    def fit_decay(self):
        """Return the log-likelihood of its fit, which estimates one decay."""
        return -self.module.fit(self.data, self.end_time).negative_log_likelihood

    def simulate(self, x, end_time):
        """Return the number of events of one simulation."""
        parameters = self.module.Parameters(**interop.to_hawkes_rs(process_of(x, self.decay)))
        return sum(len(times) for times in self.module.simulate(parameters, end_time, 1))


class Hawkespylib:
    """HawkesPyLib, for one mark; eta is the branching ratio, theta the mean lag."""

    package = "HawkesPyLib"

    def __init__(self, realizations, end_times, decay):
        ((self.times,),), (self.end_time,), self.decay = realizations, end_times, decay

    def log_likelihood(self, x):
        """Return the log-likelihood."""
        value = import_module("HawkesPyLib.core.logll").uvhp_expo_logL
        parameters = np.array([x[0, 0], x[0, 1], 1.0 / self.decay])
        return -value(parameters, self.times, self.end_time)

    def fit_decay(self):
        """Return the log-likelihood of its fit from a random start, seeded."""
        module = import_module("HawkesPyLib.inference")
        model = module.ExpHawkesProcessInference(rng=np.random.default_rng(0))
        model.estimate(self.times, self.end_time)
        return model.logL

    def simulate(self, x, end_time):
        """Return the number of events of one simulation."""
        module = import_module("HawkesPyLib.simulation")
        process = module.ExpHawkesProcessSimulation(x[0, 0], x[0, 1], 1.0 / self.decay)
        return len(process.simulate(end_time, seed=1))
