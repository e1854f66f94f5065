"""Log-likelihoods of hawkeys against seven other libraries, through hawkeys.interop.

Usage: python benchmarks/peer_agreement.py [--output DIR] [--peers NAME ...]

Writes peer_agreement.csv: for each library, form of decay and number of marks the largest relative
difference over random problems (some with an empty mark, some with simultaneous events), a control
with the transposed adjacency, which must not agree, and what the library does with data that
hawkeys refuses. Ends with an error, and writes nothing, where a value is not explained to 1e-10.
"""

import argparse
import copy
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from machine import write_table
from peer_adapters import PEERS, each, log_likelihood

import hawkeys
from hawkeys import interop
from hawkeys.exceptions import HawkeysWarning

LIMIT = 1e-10
N_PROBLEMS = 10
END_TIME = 40.0
EPOCH = 1.7e9


def make_problem(size, decay, seed):
    """Return a random process of spectral radius 0.6 and two realisations, one in epoch seconds."""
    rng = np.random.default_rng([size, seed])
    adjacency = rng.uniform(0.1, 1.0, (size, size))
    adjacency *= 0.6 / np.abs(np.linalg.eigvals(adjacency)).max()
    shape = {"one": (), "source": (size,), "target": (size, 1), "pair": (size, size)}[decay]
    rates = rng.uniform(0.5, 3.0, shape)
    decays = np.broadcast_to(rates, (size, size)) if decay == "target" else rates
    process = hawkeys.Hawkes(rng.uniform(0.5, 1.0, size), adjacency, decay=decays)
    plain = hawkeys.simulate(process, end_time=END_TIME, n_realizations=2, rng=seed)
    return process, rebuild(plain.to_lists())


def rebuild(lists):
    """Return Events of two realisations: one from 0, one from the epoch."""
    starts = np.array([0.0, EPOCH])
    moved = [[times + starts[r] for times in part] for r, part in enumerate(lists)]
    return hawkeys.Events.from_lists(moved, start_times=starts, end_times=starts + END_TIME)


def without_mark(events):
    """Return the events without those of the last mark."""
    lists = [[*part[:-1], np.empty(0)] for part in interop.events_to_tick(events)[0]]
    return rebuild(lists)


def with_ties(events):
    """Return the events with times rounded to a tenth: about a third happen together."""
    lists = interop.events_to_tick(events)[0]
    return rebuild([[np.round(times, 1) for times in part] for part in lists])


def ordered_log_likelihood(process, events):
    """Return the log-likelihood in which every earlier entry excites, simultaneous ones too."""
    decay = process.kernel.decay_matrix(process.n_marks)
    total = 0.0
    for part in each(events):
        times, marks, end_time = interop.events_to_hawkes_engine(part)
        rows, columns = marks[:, None], marks[None, :]
        weight, rate = process.adjacency[rows, columns], decay[rows, columns]
        lags = np.maximum(times[:, None] - times[None, :], 0.0)
        excitation = np.tril(weight * rate * np.exp(-rate * lags), -1).sum(axis=1)
        left = -np.expm1(-decay[:, marks] * (end_time - times))
        mass = process.baseline.sum() * end_time + (process.adjacency[:, marks] * left).sum()
        total += np.log(process.baseline[marks] + excitation).sum() - mass
    return total


def transposed(process):
    """Return the process with the influences the wrong way round."""
    decay = process.kernel.decay_matrix(process.n_marks)
    decay = float(decay[0, 0]) if (decay == decay[0, 0]).all() else decay
    return hawkeys.Hawkes(process.baseline, process.adjacency.T, decay=decay)


def relative(value, reference):
    """Return the relative difference."""
    return abs(value - reference) / abs(reference)


def compare(peer, problems, change=None):
    """Return the largest relative difference over problems, and the number of events."""
    differences, n_events = [], 0
    for process, original in problems:
        events = change(original) if change else original
        differences.append(relative(peer.total(process, events), peer.reference(process, events)))
        n_events += events.n_events
    return max(differences), n_events


def compare_ties(peer, problems, decay):
    """Return the difference from the model in question, the events, and what ties do."""
    tied = [(process, with_ties(events)) for process, events in problems]
    excite = decay in peer.ties_excite
    differences, gaps = [], []
    for process, events in tied:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HawkeysWarning)
            value = peer.total(process, events)
        strict = peer.reference(process, events)
        expected = ordered_log_likelihood(process, events) if excite else strict
        differences.append(relative(value, expected))
        gaps.append(abs(value - strict))
    remark = "simultaneous events do not excite each other"
    if excite:
        remark = (
            "the earlier in the array excites the later: the recursion that counts them, up to "
            f"{max(gaps):.1f} nats from hawkeys"
        )
    many = [events for _, events in tied]
    n_events = sum(events.n_events for events in many)
    return max(differences), n_events, f"{tied_share(many):.0%} of the events tied; {remark}"


def tied_share(many):
    """Return the share of events at the time of the event before."""
    tied = sum((np.diff(part.times) == 0).sum() for events in many for part in each(events))
    return tied / sum(events.n_events for events in many)


def controls(peer, problems):
    """Return the smallest relative difference that the transposed adjacency makes."""
    return min(
        relative(peer.total(transposed(process), events), peer.reference(process, events))
        for process, events in problems
    )


def spoil(data, kind):
    """Return data that Events refuse: times out of order, missing, or after the window."""
    spoilt = copy.deepcopy(data)
    times = spoilt[0]
    while isinstance(times, list):
        times = times[0]
    if kind == "unsorted times":
        times[[3, 8]] = times[[8, 3]]
    elif kind == "a missing time":
        times[3] = np.nan
    else:
        times[-1] = 2 * END_TIME
    return spoilt


def behaviour(peer, arguments, data, reference):
    """Return the relative difference and a remark on what the library does with such data."""
    try:
        value = float(peer.value(arguments, data))
    except (ValueError, RuntimeError, TypeError, IndexError) as error:
        return np.nan, f"refused: {type(error).__name__}"
    if np.isnan(value):
        return np.nan, "answers NaN without a word"
    gap = abs(value - reference)
    if gap <= LIMIT * abs(reference):
        return gap / abs(reference), "answers as hawkeys does"
    return gap / abs(reference), f"another number without a word: {gap:.3g} nats from hawkeys"


def probe(peer, size):
    """Yield rows of what the library does with bad data and with none."""
    process, events = make_problem(size, "one", 0)
    events = events[0]
    arguments, data = peer.arguments(process), peer.data(events)[0]
    reference = peer.reference(process, events)
    for kind in ("unsorted times", "a missing time", "a time after the window"):
        yield kind, events.n_events, *behaviour(peer, arguments, spoil(data, kind), reference)
    nothing = hawkeys.Events.from_lists([[[]] * size], end_times=END_TIME)
    expected = -END_TIME * process.baseline.sum()
    yield "no event", 0, *behaviour(peer, arguments, peer.data(nothing)[0], expected)


def rows_of(peer, size, decay):
    """Yield (case, n_events, relative difference, remark, agrees) for one table cell."""
    problems = [make_problem(size, decay, seed) for seed in range(N_PROBLEMS)]
    worst, n_events = compare(peer, problems)
    yield "random", n_events, worst, "largest of 10 problems", worst < LIMIT
    if size > 1:
        worst, n_events = compare(peer, problems, without_mark)
        yield "empty mark", n_events, worst, "largest of 10 problems", worst < LIMIT
        least = controls(peer, problems)
        remark = "control, must differ: smallest of 10 problems"
        yield "transposed adjacency", n_events, least, remark, least > 1000 * LIMIT
    if peer.reference is not log_likelihood:
        return
    worst, n_events, remark = compare_ties(peer, problems, decay)
    yield "ties", n_events, worst, remark, worst < LIMIT


def run(peers):
    """Return the table of all comparisons."""
    rows = []
    for peer in peers:
        for size in peer.sizes:
            for decay in peer.decays if size > 1 else ("one",):
                found = [(decay, *row) for row in rows_of(peer, size, decay)]
                if decay == "one" and size < 5 and peer.reference is log_likelihood:
                    found += [(decay, *row, True) for row in probe(peer, size)]
                rows += [
                    (peer.package, version(peer.package), peer.interface, row[1], size, row[0],
                     *row[2:])
                    for row in found
                ]  # fmt: skip
    columns = ["peer", "version", "interface", "case", "D", "decay", "n_events"]
    return pd.DataFrame(rows, columns=[*columns, "relative_difference", "remark", "explained"])


def main(arguments=None):
    """Compare with all libraries and write the table."""
    names = sorted({peer.package for peer in PEERS})
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--peers", nargs="+", choices=names, default=names)
    options = parser.parse_args(arguments)
    table = run([peer for peer in PEERS if peer.package in options.peers])
    agreed = table[table["case"].isin(["random", "empty mark", "ties"])]
    worst = agreed.groupby(["peer", "interface"], sort=False)["relative_difference"].max()
    print(worst.to_string(float_format="{:.1e}".format))
    if not table["explained"].all():
        raise SystemExit(
            f"not explained to {LIMIT:g}, no table written:\n{table[~table['explained']]}"
        )
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "peer_agreement.csv"
    write_table(table.drop(columns="explained"), path, options.peers)


if __name__ == "__main__":
    main()
