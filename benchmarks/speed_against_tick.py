"""Fit and first gradient, decay fixed: hawkeys against tick, equality proved first.

Usage: python benchmarks/speed_against_tick.py [--output DIR] [--quick]

Writes speed_correctness.csv, then speed_against_tick.csv and .png, and keystroke_speed.csv.
One thread, warm, processor time, best of several repeats; both sides start from the same raw
arrays. Compare the ratios, not the seconds.
"""

import argparse
import itertools
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from keystroke_speed import keystroke_case
from machine import best_of, one_thread, unwarned, write_table
from processes import CASES, DECAY, QUICK_CASES, make_process
from scipy.optimize import minimize
from tick.hawkes import ModelHawkesExpKernLogLik

import hawkeys

GAP = 1e-6  # nats
TARGET = 5.0


class HawkeysAdapter:
    """hawkeys, by its public names, from one array of times per mark."""

    def __init__(self, arrays, end_time):
        self.arrays, self.end_time = arrays, end_time

    def first_gradient(self, x):
        """Return log-likelihood and gradient, the data's conversion included."""
        likelihood = hawkeys.LogLikelihood(self.arrays, decay=DECAY, end_time=self.end_time)
        value, gradient = likelihood.value_and_gradient(by_row(x, len(self.arrays)))
        return value, by_kind(gradient)

    def fit(self):
        """Return the fit."""
        return hawkeys.fit(self.arrays, decay=DECAY, end_time=self.end_time)


class TickAdapter:
    """tick's likelihood model under scipy's L-BFGS-B; its loss is (-log L - D T) / n_events."""

    def __init__(self, arrays, end_time):
        self.arrays, self.end_time = arrays, end_time
        self.n_events = sum(times.size for times in arrays)

    def model(self):
        """Return tick's model holding the data."""
        model = ModelHawkesExpKernLogLik(DECAY, n_threads=1)
        model.fit(self.arrays, end_times=self.end_time)
        return model

    def first_gradient(self, x):
        """Return log-likelihood and gradient, the data's conversion included."""
        loss, gradient = self.model().loss_and_grad(x)
        shift = len(self.arrays) * self.end_time
        return -(loss * self.n_events + shift), -gradient * self.n_events

    def starts(self):
        """Return two plain starts: fixed numbers, and half the events unprompted."""
        size = len(self.arrays)
        rates = np.array([times.size for times in self.arrays]) / self.end_time
        return {
            "fixed": np.concatenate((np.full(size, 0.5), np.full(size**2, 0.1))),
            "rates": np.concatenate((rates / 2.0, np.full(size**2, 0.5 / size))),
        }

    def fit(self, start="fixed", memory=10, tolerance=0.0, callback=None):
        """Return scipy's result; L-BFGS-B stops by its relative decrease (`ftol`) alone."""
        return minimize(
            self.model().loss_and_grad,
            self.starts()[start],
            jac=True,
            method="L-BFGS-B",
            bounds=[(1e-10, None)] * (len(self.arrays) * (len(self.arrays) + 1)),
            callback=callback,
            options={
                "maxiter": 5_000,
                "maxfun": 20_000,
                "ftol": tolerance,
                "gtol": 0.0,
                "maxcor": memory,
            },
        )


def compare_values(mine, theirs, x, where):
    """Return the relative differences of log-likelihood and gradient at one point."""
    (value, gradient), (other, other_gradient) = mine.first_gradient(x), theirs.first_gradient(x)
    largest = np.abs(other_gradient).max()
    return {
        "n_marks": len(mine.arrays),
        "n_events": theirs.n_events,
        "at": where,
        "log_likelihood": value,
        "relative_difference": abs(value / other - 1.0),
        # at the optimum the gradient is a small difference of sums of the size of n_events
        "gradient_difference": np.abs(gradient - other_gradient).max()
        / max(largest, theirs.n_events),
    }


def prove_equal(mine, theirs, truth, estimate):
    """Return the correctness table of one case: truth, estimate and a random point."""
    rng = np.random.default_rng(7)
    flat = np.concatenate((truth.baseline, truth.adjacency.ravel()))
    points = {"truth": flat, "estimate": estimate, "random": rng.uniform(0.05, 1.0, flat.size)}
    return [compare_values(mine, theirs, x, where) for where, x in points.items()]


def upper_bound(adapter, x):
    """Return a proven upper bound on the largest log-likelihood, from tick's values at x alone.

    In z = cost * x the optimum of a row has sum(z) = number of its events; concavity then bounds
    L* - L by gradient . (z* - z).
    """
    size = len(adapter.arrays)
    value, gradient = adapter.first_gradient(x)
    counts = np.array([times.size for times in adapter.arrays])
    left = [-np.expm1(-DECAY * (adapter.end_time - times)).sum() for times in adapter.arrays]
    cost = np.concatenate(([adapter.end_time], left))
    slope = by_row(gradient, size) / cost
    rise = counts * slope.max(axis=1) - (slope * by_row(x, size) * cost).sum(axis=1)
    return value + float(rise.sum())


def polish(adapter, result, x):
    """Return x after Newton steps along tick's gradient, so close that its bound is sharp.

    Neither the timing nor the proof depends on how this point is found.
    """
    size = len(adapter.arrays)
    point = by_row(x, size)
    for _ in range(3):
        gradient = by_row(adapter.first_gradient(by_kind(point))[1], size)
        for i, information in enumerate(result.information):
            free = point[i] > 0
            point[i, free] += np.linalg.solve(information[np.ix_(free, free)], gradient[i, free])
        point = np.maximum(point, 0.0)
    return by_kind(point)


def by_row(x, size):
    """Turn (baselines, adjacency row by row) into one row per target, baseline first."""
    return np.column_stack((x[:size], x[size:].reshape(size, size)))


def by_kind(rows):
    """Undo `by_row`."""
    return np.concatenate((rows[:, 0], rows[:, 1:].ravel()))


def loosest_tolerance(adapter, best, start, memory):
    """Return the loosest `ftol` with which L-BFGS-B ends within GAP of the optimum `best`.

    One run with no tolerance tells: it is the least relative decrease before the gap is reached.
    """
    losses = [adapter.model().loss(adapter.starts()[start])]
    goal = (-(best - GAP) - len(adapter.arrays) * adapter.end_time) / adapter.n_events

    def watch(intermediate_result):
        losses.append(intermediate_result.fun)
        if intermediate_result.fun <= goal:
            raise StopIteration

    adapter.fit(start, memory, callback=watch)
    values = np.array(losses)
    scale = np.maximum(np.maximum(np.abs(values[1:]), np.abs(values[:-1])), 1.0)
    decrease = -np.diff(values) / scale
    # the last step reaches the goal; stopping at any earlier one would be too early
    return 0.99 * decrease[:-1].min() if decrease.size > 1 else 1e-2


def search(adapter, best):
    """Return tick's settings, each with its loosest tolerance, as (evaluations, settings, x).

    Fewest evaluations first. The plain one, scipy's default memory from the fixed start, is last.
    """
    found = []
    for start, memory in itertools.product(adapter.starts(), (10, 30)):
        tolerance = loosest_tolerance(adapter, best, start, memory)
        settings = {"start": start, "memory": memory, "tolerance": tolerance}
        result = adapter.fit(**settings)
        found.append((result.nfev, settings, result.x))
    return [*sorted(found, key=lambda entry: entry[0]), found[0]]


def time_both(mine, theirs, x, repeats):
    """Return one row of the table; `x` is the estimate, where the gradient is taken as well."""
    result = mine.fit()
    value = theirs.first_gradient(x)[0]
    ceiling = upper_bound(theirs, polish(theirs, result, x))
    found = search(theirs, value)
    (evaluations, tuned, reached), (_, plain, _) = found[0], found[-1]
    ready = hawkeys.Events.from_lists([mine.arrays], end_times=mine.end_time)
    seconds = {
        "hawkeys_fit": best_of(mine.fit, repeats),
        "hawkeys_fit_ready_events": best_of(lambda: hawkeys.fit(ready, decay=DECAY), repeats),
        "tick_fit": best_of(lambda: theirs.fit(**tuned), repeats),
        "tick_fit_plain": best_of(lambda: theirs.fit(**plain), repeats),
        "hawkeys_gradient": best_of(lambda: mine.first_gradient(x), 3 * repeats),
        "tick_gradient": best_of(lambda: theirs.first_gradient(x), 3 * repeats),
    }
    return {
        "n_marks": len(mine.arrays),
        "n_events": theirs.n_events,
        "fit_ratio": seconds["tick_fit"] / seconds["hawkeys_fit"],
        "fit_ratio_ready_events": seconds["tick_fit"] / seconds["hawkeys_fit_ready_events"],
        "fit_ratio_plain_tick": seconds["tick_fit_plain"] / seconds["hawkeys_fit"],
        "gradient_ratio": seconds["tick_gradient"] / seconds["hawkeys_gradient"],
        "hawkeys_gap": ceiling - value,
        "hawkeys_own_certificate": result.optimality_gap,
        "tick_gap": ceiling - theirs.first_gradient(reached)[0],
        **{f"{name}_seconds": number for name, number in seconds.items()},
        "hawkeys_iterations": result.n_iterations,
        "tick_evaluations": evaluations,
        **{f"tick_{name}": number for name, number in tuned.items()},
        "tick_plain_tolerance": plain["tolerance"],
    }


def prepare(size, end_time):
    """Simulate; return both adapters, the true process and the estimate."""
    truth = make_process(size)
    arrays = hawkeys.simulate(truth, end_time=end_time, rng=1).to_lists()[0]
    mine, theirs = HawkeysAdapter(arrays, end_time), TickAdapter(arrays, end_time)
    result = mine.fit()
    return mine, theirs, truth, np.concatenate((result.baseline, result.adjacency.ravel()))


def plot(table, path):
    """Draw both ratios by number of marks."""
    figure, ax = plt.subplots(figsize=(6.5, 4), layout="constrained")
    places = np.arange(len(table))
    for shift, column, label in (
        (-0.2, "fit_ratio", "fit within 1e-6 nats"),
        (0.2, "gradient_ratio", "first log-likelihood and gradient"),
    ):
        bars = ax.bar(places + shift, table[column], 0.4, label=label)
        ax.bar_label(bars, fmt="%.1f")
    ax.axhline(1.0, color="black", linewidth=0.8)
    ax.axhline(TARGET, color="grey", linewidth=0.8, linestyle="--", label=f"{TARGET:g} times")
    marks = [f"D = {row.n_marks}\n{row.n_events:,} events" for row in table.itertuples()]
    ax.set_xticks(places, marks)
    ax.set_yscale("log")
    ax.margins(y=0.15)
    ax.set_ylabel("processor time, tick / hawkeys")
    ax.set_title("From raw arrays, decay fixed, one thread")
    ax.legend(loc="upper left", fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def run(cases, repeats, output):
    """Prove equality in all cases, then time them; write tables and figure."""
    prepared = [prepare(size, end_time) for size, end_time in cases.items()]
    proof = pd.DataFrame([row for case in prepared for row in prove_equal(*case)])
    write_table(proof, output / "speed_correctness.csv", ["tick"])
    print(proof.to_string(index=False, float_format="{:.4g}".format))
    if not (proof[["relative_difference", "gradient_difference"]] < 1e-10).all(axis=None):
        raise SystemExit("the two sides do not compute the same; nothing timed")
    table = pd.DataFrame([time_both(mine, theirs, x, repeats) for mine, theirs, _, x in prepared])
    print(table.T.to_string(float_format="{:.4g}".format))
    if not (table[["hawkeys_gap", "tick_gap"]] <= 1.1 * GAP).all(axis=None):
        raise SystemExit(f"a fit is not within {GAP} nats of the optimum; no table written")
    write_table(table, output / "speed_against_tick.csv", ["tick"])
    plot(table, output / "speed_against_tick.png")


def main(arguments=None):
    """Run all comparisons and write their tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--quick", action="store_true", help="small sizes, to test the script")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    with one_thread(), unwarned():
        run(QUICK_CASES if options.quick else CASES, 1 if options.quick else 5, options.output)
        keystrokes = keystroke_case(quick=options.quick)
    write_table(keystrokes, options.output / "keystroke_speed.csv", [])
    print(keystrokes.to_string(index=False, float_format="{:.4g}".format))


if __name__ == "__main__":
    main()
