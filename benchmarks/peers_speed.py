"""Likelihood, fits and simulation: hawkeys against its peers, equality proved first.

Usage: python benchmarks/peers_speed.py [--output DIR] [--quick]

Writes peers_correctness.csv, then peers_speed.csv and .png, and peers_threads.csv. One thread,
warm, processor time, best of several repeats. Peers that are not installed are named and left
out. Compare the ratios, not the seconds.
"""

import argparse
import time
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numba
import numpy as np
import pandas as pd
from keystroke_speed import DECAY as KEYSTROKE_DECAY
from keystroke_speed import spread
from machine import best_of, one_thread, unwarned, write_table
from peers_timed import Hawkespylib, Hawkesrs, Intensify, Tick, installed, plain_start
from processes import CASES, DECAY, QUICK_CASES, make_process

import hawkeys
from hawkeys.datasets import available_datasets, load_dataset, timings_to_events

PEERS = [Tick, Intensify, Hawkesrs, Hawkespylib]
GAP = 1e-6  # nats
# least ratio aimed at, by operation, peer and number of marks
TARGETS = {
    ("gradient, cached", "tick"): {1: 8.0, 5: 4.0, 20: 2.0},
    ("gradient, first", "tick"): {1: 2.5, 5: 3.5, 20: 6.0},
    ("fit", "tick"): {1: 7.0, 5: 12.0, 20: 12.0},
    ("fit", "intensify"): {1: 12.0, 5: 4.0, 20: 4.0},
    ("fit with decay", "HawkesPyLib"): {1: 3.0},
    ("fit with decay", "hawkes-rs"): {5: 100.0, 20: 100.0},
    ("simulation", "tick"): {1: 3.5, 5: 7.0, 20: 50.0},
    ("simulation", "best peer"): {1: 1.6, 5: 1.5, 20: 3.0},
    ("joint fit, typing", "tick"): {11: 60.0},
    ("separate fits, typing", "tick"): {11: 30.0},
    ("separate fits, typing", "intensify"): {11: 10.0},
}


class Case:
    """One simulated realisation, its process, and the adapters that take it."""

    def __init__(self, size, end_time):
        self.process = make_process(size)
        self.end_time = end_time
        events = hawkeys.simulate(self.process, end_time=end_time, rng=1)
        (self.data,) = events.to_lists()
        self.size, self.n_events = size, events.n_events
        self.truth = np.column_stack((self.process.baseline, self.process.adjacency))
        self.expected = float(self.process.stationary_rate.sum() * end_time)

    def peers(self, method):
        """Return the adapters that have a method, for this number of marks."""
        return [
            peer([self.data], [self.end_time], DECAY)
            for peer in PEERS
            if installed(peer.package)
            and hasattr(peer, method)
            and (self.size == 1 or peer is not Hawkespylib)
        ]

    def likelihood(self):
        """Return hawkeys' likelihood of the raw arrays."""
        return hawkeys.LogLikelihood(self.data, decay=DECAY, end_time=self.end_time)

    def fit(self, decay=DECAY):
        """Return hawkeys' fit to the raw arrays."""
        return hawkeys.fit(self.data, decay=decay, end_time=self.end_time)

    def row(self, operation, peer, mine, theirs, **more):
        """Return one row of the table of times."""
        target = TARGETS.get((operation, peer), {}).get(self.size, np.nan)
        return {
            "operation": operation,
            "n_marks": self.size,
            "n_events": self.n_events,
            "peer": peer,
            "ratio": theirs / mine,
            "target": target,
            "hawkeys_seconds": mine,
            "peer_seconds": theirs,
            **more,
        }


def correctness(case):
    """Return relative differences of log-likelihoods at the truth and a random point."""
    random = np.random.default_rng(7).uniform(0.05, 1.0, case.truth.shape)
    likelihood = case.likelihood()
    return [
        {
            "n_marks": case.size,
            "n_events": case.n_events,
            "peer": peer.package,
            "at": where,
            "log_likelihood": likelihood.value(x),
            "relative_difference": abs(peer.log_likelihood(x) / likelihood.value(x) - 1.0),
        }
        for peer in case.peers("log_likelihood")
        for where, x in (("truth", case.truth), ("random", random))
    ]


def once(function):
    """Return the processor time of one call and its result."""
    started = time.process_time()
    result = function()
    return time.process_time() - started, result


def repeated(function, repeats):
    """Return the best processor time, of one call alone if it takes longer than three seconds."""
    taken, _ = once(function)
    return taken if taken > 3.0 else min(taken, best_of(function, repeats))


def time_gradients(case, repeats):
    """Return the rows of value and gradient, first from raw arrays and then cached."""
    rows = []
    for peer in (p for p in case.peers("model") if p.package == "tick"):
        likelihood, model, flat = case.likelihood(), peer.model(), peer.flat(case.truth)
        model.loss_and_grad(flat)
        pairs = {
            "gradient, cached": (
                lambda k=likelihood: k.value_and_gradient(case.truth),
                lambda m=model, x=flat: m.loss_and_grad(x),
            ),
            "gradient, first": (
                lambda: case.likelihood().value_and_gradient(case.truth),
                lambda p=peer, x=flat: p.model().loss_and_grad(x),
            ),
        }
        for operation, (mine, theirs) in pairs.items():
            taken = best_of(mine, 3 * repeats), best_of(theirs, 3 * repeats)
            rows.append(case.row(operation, peer.package, *taken))
    return rows


def cheapest_tick(tick, starts, best):
    """Return arguments of tick's fit that end within GAP of the optimum, evaluations the fewest.

    For each start the loosest power of ten as `ftol` that does, which only the optimum can tell.
    """
    found = []
    for start in starts:
        for exponent in np.arange(5.0, 16.0):
            value, _ = tick.fit(start, 10.0**-exponent)
            if value >= best - GAP:
                found.append((tick.evaluations, start, 10.0**-exponent))
                break
    return min(found, key=lambda entry: entry[0])[1:] if found else (starts[0], 1e-15)


def time_fits(case, repeats):
    """Return the rows of fits with the decay held fixed."""
    seconds, best = best_of(case.fit, repeats), case.fit().log_likelihood
    start = plain_start(case.data, case.end_time)
    fixed = np.column_stack((np.full(case.size, 0.5), np.full((case.size, case.size), 0.1)))
    rows = []
    for peer in case.peers("fit"):
        arguments = (start,)
        if peer.package == "tick":
            arguments = cheapest_tick(peer, (start, fixed), best)
        value = peer.fit(*arguments)
        value = value[0] if isinstance(value, tuple) else value
        theirs = repeated(lambda p=peer, a=arguments: p.fit(*a), repeats)
        rows.append(case.row("fit", peer.package, seconds, theirs, peer_behind=best - value))
    return rows


def time_decays(case, repeats):
    """Return the rows of fits that estimate one decay."""
    peers = [p for p in case.peers("fit_decay") if (p.package == "HawkesPyLib") == (case.size == 1)]
    if not peers:
        return []
    seconds = best_of(lambda: case.fit("estimate"), repeats)
    best = case.fit("estimate").log_likelihood
    rows = []
    for peer in peers:
        if case.size == 1:
            peer.fit_decay()  # it compiles
        taken, value = once(peer.fit_decay)
        theirs = taken if taken > 3.0 else min(taken, best_of(peer.fit_decay, repeats))
        more = {"peer_behind": best - value}
        rows.append(case.row("fit with decay", peer.package, seconds, theirs, **more))
    return rows


def time_simulations(case, repeats):
    """Return the rows of simulation, per event; counts are compared with what is expected."""

    def mine():
        return hawkeys.simulate(case.process, end_time=case.end_time, rng=1).n_events

    own = mine()
    seconds = best_of(mine, repeats) / own
    rows = []
    for peer in case.peers("simulate"):

        def theirs(p=peer):
            return p.simulate(case.truth, case.end_time)

        n = theirs()
        more = {"events_over_expected": n / case.expected}
        taken = repeated(theirs, repeats) / n
        rows.append(case.row("simulation", peer.package, seconds, taken, **more))
    others = [row for row in rows if row["peer"] != "tick"]
    if others:
        best = min(others, key=lambda row: row["peer_seconds"])
        again = case.row("simulation", "best peer", seconds, best["peer_seconds"])
        rows.append({**again, "note": best["peer"]})
    return rows


def typing_samples(n):
    """Return typing samples of 22 events and 11 marks: CMU data, else simulated typists."""
    here = any(info.name == "cmu" and info.found for info in available_datasets())
    data, _ = load_dataset("cmu" if here else "demo")
    return spread(timings_to_events(data.timings().to_numpy()), n)


def time_typing(n, n_separate, repeats):
    """Return the rows of many short realisations: one fit to all, and one to each."""
    events = typing_samples(n)
    lists, ends = events.to_lists(), events.end_times
    case = Case.__new__(Case)
    case.size, case.n_events = events.n_marks, events.n_events
    rows = []
    best = hawkeys.fit(events, decay=KEYSTROKE_DECAY).log_likelihood
    joint = best_of(lambda: hawkeys.fit(lists, decay=KEYSTROKE_DECAY, end_time=ends), repeats)
    each = hawkeys.fit_each(events, decay=KEYSTROKE_DECAY)
    apart = best_of(lambda: hawkeys.fit_each(lists, decay=KEYSTROKE_DECAY, end_time=ends), repeats)
    fixed = np.column_stack((np.full(case.size, 0.5), np.full((case.size, case.size), 0.1)))
    if installed("tick"):
        tick = Tick(lists, ends, KEYSTROKE_DECAY)
        arguments = cheapest_tick(tick, (fixed,), best)
        taken, (value, _) = once(lambda: tick.fit(*arguments))
        rows.append(case.row("joint fit, typing", "tick", joint, taken, peer_behind=best - value))
    picked = np.linspace(0, n - 1, n_separate).astype(int)
    for peer in (p for p in (Tick, Intensify) if installed(p.package)):
        gaps, begun = [], time.process_time()
        for r in picked:
            adapter = peer([lists[r]], [ends[r]], KEYSTROKE_DECAY)
            settings = (fixed, 2.2e-9) if peer is Tick else (fixed,)
            value = adapter.fit(*settings)
            value = value[0] if peer is Tick else value
            gaps.append(each.log_likelihood[r] - value)
        theirs = (time.process_time() - begun) / n_separate
        more = {"peer_behind": np.median(gaps), "least_peer_behind": np.min(gaps)}
        rows.append(case.row("separate fits, typing", peer.package, apart / n, theirs, **more))
    return rows


def wall(function):
    """Return the least wall time of three calls."""
    taken = []
    for _ in range(3):
        started = time.perf_counter()
        function()
        taken.append(time.perf_counter() - started)
    return min(taken)


def time_threads(case, n):
    """Return wall times by number of threads: rows and realisations are the parallel units."""
    events = typing_samples(n)
    ready = hawkeys.Events.from_lists([case.data], end_times=case.end_time)
    work = {
        f"fit, {case.size} marks": lambda: hawkeys.fit(ready, decay=DECAY),
        "separate fits, typing": lambda: hawkeys.fit_each(events, decay=KEYSTROKE_DECAY),
    }
    before = numba.get_num_threads()
    rows = []
    for threads in range(1, before + 1):
        numba.set_num_threads(threads)
        for operation, function in work.items():
            function()
            rows.append({"operation": operation, "threads": threads, "seconds": wall(function)})
    numba.set_num_threads(before)
    return pd.DataFrame(rows)


def plot(table, path):
    """Draw every ratio and its target."""
    shown = table.iloc[::-1]
    figure, ax = plt.subplots(figsize=(8, 0.27 * len(shown) + 1.2), layout="constrained")
    places = np.arange(len(shown))
    reached = ~(shown["ratio"] < shown["target"])
    ax.barh(places, shown["ratio"], color=np.where(reached, "#0072b2", "#d55e00"))
    ax.plot(shown["target"], places, "k|", markersize=11, markeredgewidth=2, label="aim")
    for place, ratio in zip(places, shown["ratio"], strict=True):
        ax.text(ratio * 1.05, place, f"{ratio:.1f}", va="center", fontsize=7)
    names = [f"{r.operation}, D = {r.n_marks}: {r.peer}" for r in shown.itertuples()]
    ax.set_yticks(places, names, fontsize=7)
    ax.set_xscale("log")
    ax.margins(x=0.1, y=0.01)
    ax.axvline(1.0, color="black", linewidth=0.8)
    ax.set_xlabel("processor time, peer / hawkeys (below its aim: orange)")
    ax.legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def keep_others(table, path, marks):
    """Return the table with the saved rows of other numbers of marks."""
    saved = pd.read_csv(path).drop(columns=["machine", "versions"])
    joined = pd.concat([table, saved[~saved["n_marks"].isin(marks)]])
    return joined.sort_values("n_marks", kind="stable", key=lambda n: n.replace(11, 99))


def run(cases, sizes, repeats, output):
    """Prove equality in all cases, then time them; write tables and figure.

    Without `sizes` typing samples are left out, and the rows of cases not run are kept.
    """
    here = [peer.package for peer in PEERS if installed(peer.package)]
    for peer in PEERS:
        if peer.package not in here:
            print(f"{peer.package} is not installed: its comparisons are left out")
    prepared = [Case(size, end_time) for size, end_time in cases.items()]
    proof = pd.DataFrame([row for case in prepared for row in correctness(case)])
    if sizes is None:
        proof = keep_others(proof, output / "peers_correctness.csv", list(cases))
    write_table(proof, output / "peers_correctness.csv", here)
    print(proof.to_string(index=False, float_format="{:.4g}".format))
    if not (proof["relative_difference"] < 1e-11).all():
        raise SystemExit("the libraries do not compute the same; nothing timed")
    rows = []
    for case in prepared:
        for measure in (time_gradients, time_fits, time_decays, time_simulations):
            rows += measure(case, repeats)
            print(f"{measure.__name__}, {case.size} marks: done", flush=True)
    rows += [] if sizes is None else time_typing(*sizes, repeats)
    table = pd.DataFrame(rows)
    if sizes is None:
        table = keep_others(table, output / "peers_speed.csv", list(cases))
    print(table.to_string(index=False, float_format="{:.4g}".format))
    if (table.filter(like="peer_behind") < -GAP).any(axis=None):
        raise SystemExit(f"a peer's fit is better by more than {GAP} nats; no table written")
    write_table(table, output / "peers_speed.csv", here)
    plot(table, output / "peers_speed.png")
    return prepared[-1]


def main(arguments=None):
    """Run all comparisons and write their tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--quick", action="store_true", help="small sizes, to test the script")
    parser.add_argument("--marks", type=int, nargs="+", help="run these cases again, keep the rest")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    cases, sizes = (QUICK_CASES, (50, 3)) if options.quick else (CASES, (5_000, 100))
    if options.marks:
        cases, sizes = {size: cases[size] for size in options.marks}, None
    # intensify says how it projects its start and how it ends
    with one_thread(), unwarned(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="intensify")
        last = run(cases, sizes, 1 if options.quick else 5, options.output)
    if sizes is None:
        return
    with unwarned():
        threads = time_threads(last, sizes[0])
    write_table(threads, options.output / "peers_threads.csv", [])
    print(threads.to_string(index=False, float_format="{:.3g}".format))


if __name__ == "__main__":
    main()
