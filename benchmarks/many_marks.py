"""Penalised fits of a hundred to a thousand marks, three sources each: time, memory and recovery.

Usage: python benchmarks/many_marks.py [--output DIR] [--cases MARKS:EVENTS ...] [--quick]
       [--against-tick]

Each case runs in a process of its own, on the threads that there are (seconds are processor time of
all). "one penalty" is a lasso whose strength was chosen on another sample of the same process,
"path" ten strengths with the refits of its criterion; precision and recall are those of the true
pairs at the strength that the extended information criterion chooses. Every fit is certified over
all pairs. Writes many_marks.csv and .png.

--against-tick (needs tick) fits one sample of 100 marks to the same objective by tick's likelihood
under scipy's L-BFGS-B: equality of the two objectives is shown first, then each is timed until the
objective is that near to the optimum. Writes many_marks_against_tick.csv.

--against-hawkestorch FOLDER (needs torch, and a checkout of github.com/ahmrr/HawkesTorch whose src
is FOLDER) does the same with that library's own likelihood, gradient and steps (Adam under
softplus), in double precision, for --limit seconds; where it is still above a distance then, its
time is a lower bound. Writes many_marks_against_hawkestorch.csv.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from machine import best_of, one_thread, write_table
from scipy.optimize import minimize

import hawkeys
from hawkeys.inference import Lasso, penalty_path

CASES = ((100, 1_000_000), (250, 1_000_000), (1_000, 1_000_000))
QUICK_CASES = ((64, 400_000),)
DECAY = 1.5
N_EDGES = 3
N_STRENGTHS, SMALLEST = 10, 0.05
MEGABYTE = 2.0**20
# nats from the optimum that both are timed to
GAPS = (1e-2, 1e-4, 1e-6)


def make_process(n_marks):
    """Return a process of which each mark has three sources, drawn at random."""
    rng = np.random.default_rng(n_marks)
    adjacency = np.zeros((n_marks, n_marks))
    for row in adjacency:
        row[rng.choice(n_marks, N_EDGES, replace=False)] = rng.uniform(0.1, 0.25, N_EDGES)
    return hawkeys.Hawkes(rng.uniform(0.1, 0.3, n_marks), adjacency, decay=DECAY)


def draw_sample(process, n_events, seed):
    """Return about so many events in one window."""
    end_time = n_events / float(process.stationary_rate.sum())
    return hawkeys.simulate(process, end_time=end_time, rng=seed)


def peak():
    """Return the largest resident memory of this process so far, in MB."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE


def timed(function):
    """Return what a call returns, and processor and wall seconds."""
    started, wall = time.process_time(), time.perf_counter()
    found = function()
    return found, time.process_time() - started, time.perf_counter() - wall


def recovery(adjacency, truth):
    """Return precision and recall of the pairs above 0, and their number."""
    chosen, true = adjacency > 0, truth > 0
    hits = int((chosen & true).sum())
    n_chosen = int(chosen.sum())
    return {
        "n_edges": n_chosen,
        "precision": hits / max(n_chosen, 1),
        "recall": hits / int(true.sum()),
    }


def strength_of(n_marks, n_events):
    """Return the strength that the criterion chooses on a smaller sample, scaled to this one.

    The noise of a gradient, and so the strength that leaves it out, grows with the root of the
    events.
    """
    process = make_process(n_marks)
    few = max(n_events // 4, 2_000)
    path = penalty_path(
        draw_sample(process, few, 2), decay=DECAY, n_strengths=N_STRENGTHS, smallest=SMALLEST,
        n_folds=0,
    )  # fmt: skip
    return float(path.strengths[path.index()] * np.sqrt(n_events / few))


def run_case(n_marks, n_events, what, strength):
    """Fit one case and print what it took, and what was found."""
    process = make_process(n_marks)
    penalty_path(draw_sample(make_process(8), 2_000, 0), decay=DECAY, n_strengths=2, n_folds=0)
    events = draw_sample(process, n_events, 1)
    before = peak()
    if what == "path":
        path, seconds, wall = timed(
            lambda: penalty_path(
                events, decay=DECAY, n_strengths=N_STRENGTHS, smallest=SMALLEST, n_folds=0
            )
        )
        at = path.index()
        adjacency, gap = path.adjacency[at], float(path.optimality_gap.max())
        strength, converged = float(path.strengths[at]), bool(path.converged.all())
    else:
        fit, seconds, wall = timed(
            lambda: hawkeys.fit(events, decay=DECAY, method="map", prior=Lasso(strength))
        )
        adjacency, gap, converged = fit.adjacency, fit.optimality_gap, fit.converged
    took = {
        "n_marks": n_marks,
        "n_events": events.n_events,
        "what": what,
        "seconds": seconds,
        "wall_seconds": wall,
        "peak_megabytes": peak(),
        "megabytes_before": before,
        "all_columns_megabytes": 8 * events.n_events * n_marks / MEGABYTE,
        "optimality_gap": gap,
        "converged": converged,
        "strength": strength,
        **recovery(adjacency, process.adjacency),
    }
    print(json.dumps(took))


def study(cases):
    """Return a row for each case; fail where a fit is not certified."""
    rows = []
    for n_marks, n_events in cases:
        strength = strength_of(n_marks, n_events)
        for what in ("one penalty", "path"):
            command = [sys.executable, __file__, "--case", f"{n_marks}:{n_events}", what]
            found = subprocess.run(
                [*command, str(strength)], capture_output=True, text=True, check=True
            )
            rows.append(json.loads(found.stdout.splitlines()[-1]))
            if not rows[-1]["converged"]:
                raise SystemExit(f"{n_marks} marks, {what}: not certified, {rows[-1]}")
            print(pd.DataFrame(rows[-1:]).to_string(index=False, header=len(rows) == 1), flush=True)
    return pd.DataFrame(rows)


def draw(table):
    """Return the picture: processor time and peak memory by the number of marks."""
    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.4), constrained_layout=True)
    for what, part in table.groupby("what"):
        axes[0].plot(part["n_marks"], part["seconds"], "o-", label=what)
        axes[1].plot(part["n_marks"], part["peak_megabytes"], "o-", label=what)
    own = table[table["what"] == "path"]
    axes[1].plot(own["n_marks"], own["all_columns_megabytes"], "k:", label="all excitations")
    for ax, label in zip(axes, ("processor time [s]", "peak memory [MB]"), strict=True):
        ax.set(xscale="log", yscale="log", xlabel="marks", ylabel=label)
    axes[1].legend()
    return figure


class TickLasso:
    """tick's likelihood with the penalty added; its loss is (-log L - D T) / n_events."""

    def __init__(self, events, strength):
        self.arrays, self.strength = events.to_lists()[0], strength
        self.end_time, self.n_events = float(events.end_times[0]), events.n_events
        self.size = events.n_marks
        self.model = import_module("tick.hawkes").ModelHawkesExpKernLogLik(DECAY, n_threads=1)
        self.model.fit([np.asarray(times) for times in self.arrays], end_times=self.end_time)

    def value_and_gradient(self, x):
        """Return minus the penalised log-likelihood and its gradient; baselines come first."""
        loss, gradient = self.model.loss_and_grad(x)
        value = loss * self.n_events + self.size * self.end_time
        slope = gradient * self.n_events
        slope[self.size :] += self.strength
        return value + self.strength * x[self.size :].sum(), slope

    def start(self):
        """Return half the events unprompted."""
        rates = np.array([len(times) for times in self.arrays]) / self.end_time
        return np.concatenate((rates / 2.0, np.full(self.size**2, 0.5 / self.size)))

    def times_to(self, levels):
        """Return when, in processor time, the objective was below each level, NaN if never."""
        best, reached = np.inf, np.full(len(levels), np.nan)

        def watched(x):
            nonlocal best
            value, slope = self.value_and_gradient(x)
            best = min(best, value)
            reached[np.isnan(reached) & (best <= levels)] = time.process_time()
            return value, slope

        minimize(
            watched, self.start(), jac=True, method="L-BFGS-B",
            bounds=[(1e-10, None)] * self.size + [(0.0, None)] * self.size**2,
            options={"maxiter": 5_000, "maxfun": 3_000, "ftol": 0.0, "gtol": 0.0, "maxcor": 10},
        )  # fmt: skip
        return reached, best


def against_tick(n_marks, n_events):
    """Return a row for each distance from the optimum; fail where the objectives differ."""
    process = make_process(n_marks)
    strength = strength_of(n_marks, n_events)
    events = draw_sample(process, n_events, 1)

    def fit():
        return hawkeys.fit(events, decay=DECAY, method="map", prior=Lasso(strength))

    with one_thread():
        result = fit()
        seconds = best_of(fit, 2)
        other = TickLasso(events, strength)
        x = np.concatenate((result.baseline, result.adjacency.ravel()))
        value = other.value_and_gradient(np.maximum(x, 0.0))[0]
        apart = abs(value + result.objective) / abs(value)
        if apart > 1e-9:
            raise SystemExit(f"the objectives differ: {value} and {-result.objective}")
        levels = -result.objective + np.array(GAPS)
        started = time.process_time()  # both begin with the same events
        reached, best = TickLasso(events, strength).times_to(levels)
    rows = [
        {
            "n_marks": n_marks,
            "n_events": events.n_events,
            "strength": strength,
            "relative_difference": apart,
            "optimality_gap": result.optimality_gap,
            "nats_from_optimum": gap,
            "hawkeys_seconds": seconds,
            "tick_seconds": took,
            "ratio": took / seconds,
            "tick_best_above_optimum": best + result.objective,
        }
        for gap, took in zip(GAPS, reached - started, strict=True)
    ]
    return pd.DataFrame(rows)


class TorchLasso:
    """HawkesTorch's likelihood with its L1 penalty; its loss is -log L / n_events + weight |a|."""

    def __init__(self, events, strength, source, start=None):
        sys.path.insert(0, str(source))
        torch = import_module("torch")
        torch.set_num_threads(1)
        torch.set_default_dtype(torch.float64)
        models, utils = import_module("hawkes.models"), import_module("hawkes.utils")
        penalties, base = (
            import_module("hawkes.models.penalty"),
            import_module("hawkes.models.hawkes"),
        )
        size, end = events.n_marks, float(events.end_times[0])
        self.n_events, self.torch = events.n_events, torch
        self.sequence = utils.EventSequence(
            torch.from_numpy(events.times.copy()), torch.from_numpy(events.marks.astype(np.int64)),
            T=end, M=size,
        )  # fmt: skip
        rates, adjacency = start or (
            events.counts[0] / end / 2.0,
            np.full((size, size), 0.5 / size),
        )
        self.model = models.Hawkes(
            gamma=torch.tensor([DECAY]), gamma_param=False,
            base_process=models.Poisson(size, mu_init=torch.from_numpy(np.array(rates))),
            alpha_init=torch.from_numpy(np.maximum(adjacency, 1e-12).T.copy())[None],
            penalization=base.HawkesPenalty(alpha=penalties.L1Penalty(strength / self.n_events)),
        )  # fmt: skip

    def loss(self):
        """Return the penalised loss of all events, in nats, with its graph."""
        model = self.model
        return (model.nll(self.sequence) + model.penalty()) * self.n_events

    def times_to(self, levels, limit, rate):
        """Return when, in processor time, the loss was below each level; NaN: not by the limit."""
        optimizer = self.torch.optim.Adam(self.model.parameters(), lr=rate)
        reached, best, began, steps = np.full(len(levels), np.nan), np.inf, time.process_time(), 0
        while time.process_time() - began < limit and np.isnan(reached).any():
            optimizer.zero_grad()
            loss = self.loss()
            loss.backward()
            best, steps = min(best, float(loss.detach())), steps + 1
            reached[np.isnan(reached) & (best <= levels)] = time.process_time()
            optimizer.step()
        return reached - began, best, (time.process_time() - began) / steps


def against_hawkestorch(n_marks, n_events, source, limit):
    """Return a row for each rate of the steps; fail where the objectives differ."""
    process, strength = make_process(n_marks), strength_of(n_marks, n_events)
    events = draw_sample(process, n_events, 1)

    def fit():
        return hawkeys.fit(events, decay=DECAY, method="map", prior=Lasso(strength))

    with one_thread():
        result = fit()
        seconds = best_of(fit, 2)
        other = TorchLasso(events, strength, source, (result.baseline, result.adjacency))
        value = float(other.loss().detach())
        apart = abs(value + result.objective) / abs(value)
        if apart > 1e-9:
            raise SystemExit(f"the objectives differ: {value} and {-result.objective}")
        rows = []
        for rate in (0.1, 0.01):
            other = TorchLasso(events, strength, source)
            levels = -result.objective + np.array(GAPS)
            reached, best, step = other.times_to(levels, limit, rate)
            took = np.where(np.isnan(reached), limit, reached)
            rows.append({
                "n_marks": n_marks, "n_events": events.n_events, "strength": strength,
                "relative_difference": apart, "optimality_gap": result.optimality_gap,
                "hawkeys_seconds": seconds, "rate": rate,
                "seconds_a_step": step, "limit_seconds": limit,
                "best_above_optimum": best + result.objective,
                **{f"seconds_to_{gap:g}": one for gap, one in zip(GAPS, reached, strict=True)},
                "ratio_at_least": took[0] / seconds,
            })  # fmt: skip
            print(pd.DataFrame(rows[-1:]).T.to_string(header=False), flush=True)
    return pd.DataFrame(rows)


def parse(arguments):
    """Return the command's options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--cases", nargs="+", help="MARKS:EVENTS")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--against-tick", action="store_true")
    parser.add_argument("--against-hawkestorch", type=Path, metavar="FOLDER")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds for HawkesTorch")
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def sizes(text):
    """Return the numbers of marks and events of MARKS:EVENTS."""
    n_marks, n_events = text.split(":")
    return int(n_marks), int(n_events)


def main(arguments=None):
    """Run the study, or one case of it."""
    options = parse(arguments)
    if options.case:
        case, what, strength = options.case
        run_case(*sizes(case), what, float(strength))
        return
    options.output.mkdir(parents=True, exist_ok=True)
    cases = QUICK_CASES if options.quick else CASES
    if options.cases:
        cases = [sizes(text) for text in options.cases]
    if options.against_tick:
        table = pd.concat([against_tick(*case) for case in cases[:1]])
        write_table(table, options.output / "many_marks_against_tick.csv", ("tick",))
        print(table.to_string(index=False))
        return
    if options.against_hawkestorch:
        source, limit = options.against_hawkestorch, options.limit
        table = pd.concat([against_hawkestorch(*case, source, limit) for case in cases[:1]])
        write_table(table, options.output / "many_marks_against_hawkestorch.csv", ("torch",))
        return
    table = study(cases)
    write_table(table, options.output / "many_marks.csv", ())
    draw(table).savefig(options.output / "many_marks.png", dpi=150)


if __name__ == "__main__":
    main()
