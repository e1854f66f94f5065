"""Converters: each library's formula restated here, round trips, refusals, tick's own values."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys import Events, Hawkes, interop
from hawkeys.exceptions import HawkeysWarning, InvalidEventsError, InvalidParameterError
from hawkeys.kernels import Exponential, Kernel

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
NAMES = ["tick", "hawkes_rs", "intensify", "hawkes_engine", "hawkesbook", "hawkeslib", "sparklen"]
SINGLE = ["hawkes_rs", "intensify", "hawkes_engine", "hawkesbook", "hawkeslib"]
ONE_DECAY = ["hawkes_rs", "hawkeslib", "sparklen"]

# forms of decay that each library has, by the shape of the array
DECAYS = {
    "tick": ["one", "source", "target", "pair"],
    "hawkes_rs": ["one"],
    "intensify": ["one", "source", "target", "pair"],
    "hawkes_engine": ["one", "source", "target", "pair"],
    "hawkesbook": ["one", "target"],
    "hawkeslib": ["one"],
    "sparklen": ["one"],
}

# parameters of two marks, the influence of 1 on 0 being 0.5 and that of 0 on 1 being 0.125
RAW = {
    "tick": ([0.5, 0.25], [[0.1, 0.5], [0.125, 0.2]], 2.0),
    "hawkes_rs": ([0.5, 0.25], [[0.1, 0.5], [0.125, 0.2]], 2.0),
    "intensify": ([0.5, 0.25], [[0.1, 0.5], [0.125, 0.2]], 2.0),
    "hawkes_engine": ([0.5, 0.25], [[0.2, 1.0], [0.25, 0.4]], [[2.0, 2.0], [2.0, 2.0]]),
    "hawkesbook": ([0.5, 0.25], [[0.2, 0.25], [1.0, 0.4]], [2.0, 2.0]),
    "hawkeslib": ([0.5, 0.25], [[0.1, 0.125], [0.5, 0.2]], 2.0),
    "sparklen": ([[0.5, 0.1, 0.5], [0.25, 0.125, 0.2]], 2.0),
}

# the names under which the libraries know baseline, matrix and decay
ARGUMENTS = {
    "tick": ("baseline", "adjacency", "decays"),
    "hawkes_rs": ("baseline", "excitation", "decay"),
    "intensify": ("mu", "alpha", "beta"),
    "hawkes_engine": ("mu", "alpha", "beta"),
    "hawkesbook": ("lam", "alpha", "beta"),
    "hawkeslib": ("mu", "A", "theta"),
    "sparklen": ("theta", "theta", "decay"),
}


def convert(direction, name):
    return getattr(interop, f"{direction}_{name}")


def back(name, arguments, **options):
    if isinstance(arguments, dict):
        return convert("from", name)(**arguments, **options)
    return convert("from", name)(*arguments, **options)


def random_process(size, kind="one", seed=0):
    rng = np.random.default_rng([size, seed])
    adjacency = rng.uniform(0.1, 1.0, (size, size))
    adjacency *= 0.6 / np.abs(np.linalg.eigvals(adjacency)).max()
    shape = {"one": (), "source": (size,), "target": (size, 1), "pair": (size, size)}[kind]
    decay = rng.uniform(0.5, 3.0, shape)
    if kind == "target":
        decay = np.broadcast_to(decay, (size, size))
    return Hawkes(rng.uniform(0.5, 1.0, size), adjacency, decay=decay)


def excitation(name, arguments, target, source, lag):
    """Return what one event of `source` adds to `target` after `lag`, by the library's formula."""
    values = arguments.values() if isinstance(arguments, dict) else arguments
    if name == "sparklen":
        theta, beta = values
        return theta[target, 1 + source] * beta * np.exp(-beta * lag)
    _, matrix, beta, *_ = values
    if name == "hawkes_engine":
        beta = beta[source] if np.ndim(beta) == 1 else beta[target, source]
        return matrix[target, source] * np.exp(-beta * lag)
    if name == "hawkesbook":
        return matrix[source, target] * np.exp(-beta[target] * lag)
    if name == "hawkeslib":
        return matrix[source, target] * beta * np.exp(-beta * lag)
    beta = beta if np.ndim(beta) == 0 else beta[target, source]
    return matrix[target, source] * beta * np.exp(-beta * lag)


CASES = [(name, size, kind) for name in NAMES for kind in DECAYS[name] for size in (1, 2, 5)]


@pytest.mark.parametrize(("name", "size", "kind"), CASES)
def test_parameters_there_and_back(name, size, kind):
    process = random_process(size, kind)
    marks = [f"m{k}" for k in range(size)]
    again = back(name, convert("to", name)(process), mark_names=marks)
    np.testing.assert_array_equal(again.baseline, process.baseline)
    # not exact where the library multiplies by the decay
    np.testing.assert_allclose(again.adjacency, process.adjacency, rtol=4e-16)
    np.testing.assert_array_equal(
        again.kernel.decay_matrix(size), process.kernel.decay_matrix(size)
    )
    assert again.mark_names == tuple(marks)


@pytest.mark.parametrize(("name", "size", "kind"), [case for case in CASES if case[1] > 1])
def test_formula_of_the_library(name, size, kind):
    """The intensity of hawkeys is the library's formula, and that of the transpose is not."""
    process = random_process(size, kind)
    arguments = convert("to", name)(process)
    swapped = Hawkes(process.baseline, process.adjacency.T, kernel=process.kernel)
    for source in range(size):
        lists = [[0.3] if mark == source else [] for mark in range(size)]
        events = Events.from_lists([lists], end_times=2.0)
        added = process.intensity(events, [1.0])[0] - process.baseline
        by_formula = [excitation(name, arguments, i, source, 0.7) for i in range(size)]
        np.testing.assert_allclose(added, by_formula, rtol=1e-13)
        wrong = swapped.intensity(events, [1.0])[0] - process.baseline
        assert np.abs(wrong / by_formula - 1.0).max() > 0.01


@pytest.mark.parametrize("name", NAMES)
def test_raw_parameters(name):
    process = back(name, RAW[name])
    np.testing.assert_array_equal(process.baseline, [0.5, 0.25])
    np.testing.assert_array_equal(process.adjacency, [[0.1, 0.5], [0.125, 0.2]])
    np.testing.assert_array_equal(process.kernel.decay_matrix(2), np.full((2, 2), 2.0))


@pytest.mark.parametrize("name", ["hawkes_rs", "intensify", "hawkesbook", "hawkeslib"])
def test_plain_numbers_for_one_mark(name):
    process = convert("from", name)(0.5, 0.4, 2.0)
    expected = 0.2 if name == "hawkesbook" else 0.4
    assert (process.baseline.tolist(), process.adjacency.tolist()) == ([0.5], [[expected]])


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_copies(name):
    process = random_process(2)
    arguments = convert("to", name)(process)
    for value in arguments.values() if isinstance(arguments, dict) else arguments:
        if isinstance(value, np.ndarray):
            assert value.flags.writeable
            assert value.flags.c_contiguous
            value[...] = 9.0
    assert process.baseline.max() < 1.0
    assert process.adjacency.max() < 1.0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("value", "message"), [(-0.5, "negative"), (np.nan, "finite")])
def test_bad_rates_and_weights(name, value, message):
    for place, argument in enumerate(ARGUMENTS[name][: 1 if name == "sparklen" else 2]):
        raw = [np.array(part, dtype=float) for part in RAW[name]]
        raw[place].flat[1] = value
        with pytest.raises(InvalidParameterError, match=rf"^{argument}.*{message}"):
            back(name, raw)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("value", "message"), [(-2.0, "positive"), (0.0, "positive"), (np.nan, "finite")]
)
def test_bad_decay(name, value, message):
    raw = [np.array(part, dtype=float) for part in RAW[name]]
    raw[-1].flat[0] = value
    with pytest.raises(InvalidParameterError, match=rf"^{ARGUMENTS[name][2]}.*{message}"):
        back(name, raw)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "sparklen"])
def test_shapes_of_parameters(name):
    rates, matrix, decay = RAW[name]
    known = ARGUMENTS[name]
    with pytest.raises(InvalidParameterError, match=rf"^{known[0]} must have shape \(2,\)"):
        back(name, ([0.5, 0.5, 0.5], matrix, decay))
    with pytest.raises(InvalidParameterError, match=rf"^{known[1]} must be a square matrix"):
        back(name, (rates, np.ones((2, 3)), decay))
    with pytest.raises(InvalidParameterError, match=rf"^{known[2]} must be one number.*\(3, 3\)"):
        back(name, (rates, matrix, np.ones((3, 3))))


@pytest.mark.parametrize("shape", [(2,), (2, 2), (0, 1), (3, 3)])
def test_shape_of_theta(shape):
    with pytest.raises(InvalidParameterError, match=r"^theta must have shape .* first column"):
        interop.from_sparklen(np.ones(shape), 1.0)


@pytest.mark.parametrize("name", ["tick", "intensify"])
def test_a_decay_per_source_is_not_theirs(name):
    with pytest.raises(InvalidParameterError, match=r"one number or one number per \(target"):
        back(name, (*RAW[name][:2], [1.0, 2.0]))


@pytest.mark.parametrize("name", ONE_DECAY)
def test_one_decay_for_all(name):
    with pytest.raises(InvalidParameterError, match="one number; got shape"):
        back(name, (*RAW[name][:-1], [1.0, 2.0]))
    with pytest.raises(InvalidParameterError, match=r"one decay for all pairs.*from 1\.0 to 2\.0"):
        convert("to", name)(Hawkes([1.0, 1.0], np.eye(2) / 2, decay=[1.0, 2.0]))
    equal = Hawkes([1.0, 1.0], np.eye(2) / 2, decay=[[2.0, 2.0], [2.0, 2.0]])
    arguments = convert("to", name)(equal)
    assert arguments[ARGUMENTS[name][2]] == 2.0


def test_switch_of_hawkes_engine():
    raw = ([0.5, 0.25], [[0.1, 0.5], [0.2, 0.0]], [1.0, 2.0])
    process = interop.from_hawkes_engine(*raw, shared_decay=True)
    np.testing.assert_array_equal(process.adjacency, [[0.1, 0.25], [0.2, 0.0]])
    with pytest.raises(InvalidParameterError, match=r"per \(target, source\) pair"):
        interop.from_hawkes_engine(*raw)
    assert interop.to_hawkes_engine(random_process(2, "pair"))["shared_decay"] is False


def test_decay_per_target_of_hawkesbook():
    process = interop.from_hawkesbook([1.0, 1.0], [[0.3, 0.4], [0.6, 0.8]], [3.0, 8.0])
    np.testing.assert_allclose(process.adjacency, [[0.1, 0.2], [0.05, 0.1]], rtol=1e-15)
    np.testing.assert_array_equal(process.kernel.decay, [[3.0, 3.0], [8.0, 8.0]])
    with pytest.raises(InvalidParameterError, match=r"acts on mark 0 are \[1\.0, 2\.0\]"):
        interop.to_hawkesbook(Hawkes([1.0, 1.0], np.eye(2) / 2, decay=[1.0, 2.0]))


def test_zeros_of_intensify():
    process = Hawkes([0.5, 0.6], [[0.2, 0.1], [0.0, 0.3]], decay=1.0)
    with pytest.raises(InvalidParameterError, match=r"adjacency\[1, 0\] is 0.*zero_as=1e-300"):
        interop.to_intensify(process)
    arguments = interop.to_intensify(process, zero_as=1e-300)
    assert arguments["alpha"][1, 0] == 1e-300
    events = hawkeys.simulate(process, end_time=50.0, rng=0)
    value = interop.from_intensify(**arguments).log_likelihood(events)
    assert value == process.log_likelihood(events)
    with pytest.raises(InvalidParameterError, match="zero_as must be one positive number"):
        interop.to_intensify(process, zero_as=-1.0)
    # its class fails on an array of one number
    assert isinstance(interop.to_intensify(random_process(1))["mu"], float)


@pytest.mark.parametrize("name", NAMES)
def test_only_exponential_processes(name):
    class Other(Kernel):
        def __repr__(self):
            return "Other()"

    Other.__abstractmethods__ = frozenset()
    Other.check_marks = lambda self, n_marks: None
    with pytest.raises(InvalidParameterError, match=r"exponential kernels only.*Other\(\)"):
        convert("to", name)(Hawkes([1.0], [[0.5]], kernel=Other()))
    with pytest.raises(InvalidParameterError, match=r"expected a hawkeys\.Hawkes, got Exponential"):
        convert("to", name)(Exponential(1.0))


def sample(n_realizations=1, start=0.0):
    """Return events of three marks, the last of them silent."""
    lists = [[[0.5, 2.0 + r], [1.5], []] for r in range(n_realizations)]
    moved = [[np.array(times) + start for times in part] for part in lists]
    return Events.from_lists(moved, start_times=start, end_times=start + 8.0)


def options_of(name):
    """Return how the library's flat arrays learn of a silent last mark."""
    if name == "hawkes_engine":
        return {"M": 3}
    return {"n_marks": 3} if name in ("hawkesbook", "hawkeslib") else {}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("start", [0.0, 1.7e9])
def test_events_there_and_back(name, start):
    """Times count from the start of the window, also where it starts at the epoch."""
    data = convert("events_to", name)(sample(start=start))
    again = convert("events_from", name)(*data, **options_of(name))
    expected = sample()
    np.testing.assert_array_equal(again.times, expected.times)
    np.testing.assert_array_equal(again.marks, expected.marks)
    assert (again.n_marks, again.end_times.tolist()) == (3, [8.0])
    named = convert("events_from", name)(*data, mark_names="abc")
    assert named.mark_names == ("a", "b", "c")


@pytest.mark.parametrize("name", ["tick", "sparklen"])
def test_many_realizations_there_and_back(name):
    data = convert("events_to", name)(sample(3))
    again = convert("events_from", name)(*data)
    np.testing.assert_array_equal(again.times, sample(3).times)
    np.testing.assert_array_equal(again.offsets, [0, 3, 6, 9])


@pytest.mark.parametrize("name", SINGLE)
def test_one_realization_at_a_time(name):
    with pytest.raises(InvalidEventsError, match="takes one realisation at a time; got 2"):
        convert("events_to", name)(sample(2))


@pytest.mark.parametrize("name", NAMES)
def test_only_events(name):
    with pytest.raises(InvalidEventsError, match=r"expected hawkeys\.Events, got list"):
        convert("events_to", name)([[1.0, 2.0]])


def test_windows_of_sparklen():
    events = Events.from_lists([[[1.0]], [[1.0]]], end_times=[2.0, 3.0])
    with pytest.raises(InvalidEventsError, match=r"one length.*got from 1?2\.0 to 3\.0"):
        interop.events_to_sparklen(events)
    with pytest.raises(InvalidEventsError, match="got no realisation"):
        interop.events_to_sparklen(events[:0])


@pytest.mark.parametrize("name", ["hawkesbook", "hawkeslib"])
def test_ties_are_announced(name):
    tied = Events.from_lists([[[1.0, 2.0], [1.0, 2.0]]], end_times=3.0)
    with pytest.warns(HawkeysWarning, match=f"2 of 4 events happen .* {name} lets the earlier"):
        convert("events_to", name)(tied)


def laid_out(name, lists):
    """Return times of two marks in the layout of the library."""
    if name in ("hawkes_engine", "hawkesbook", "hawkeslib"):
        return np.concatenate(lists), np.repeat([0, 1], [len(times) for times in lists])
    return ([lists],) if name == "sparklen" else (lists,)


BAD_TIMES = {
    "unsorted": ([2.0, 1.0, 3.0], 8.0, "Sort"),
    "missing": ([1.0, np.nan, 3.0], 8.0, "nan"),
    "infinite": ([1.0, np.inf, 3.0], 8.0, "inf"),
    "late": ([1.0, 2.0, 9.0], 8.0, "window"),
    "early": ([-1.0, 2.0, 3.0], 8.0, "window"),
    "epoch": ([1.7e9, 1.7e9 + 1.0, 1.7e9 + 2.0], 8.0, "window"),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", BAD_TIMES)
def test_bad_times(name, kind):
    times, end_time, message = BAD_TIMES[kind]
    with pytest.raises(InvalidEventsError, match=rf"(?i){message}"):
        convert("events_from", name)(*laid_out(name, [np.array(times), np.empty(0)]), end_time)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [np.int64, np.float32, np.float64])
def test_types_of_times(name, kind):
    lists = [np.array([1, 2], dtype=kind), np.array([3, 5], dtype=kind)]
    events = convert("events_from", name)(*laid_out(name, lists), 8)
    assert events.times.dtype == np.float64
    assert events.times.tolist() == [1.0, 2.0, 3.0, 5.0]


def test_tick_takes_plain_lists():
    events = interop.events_from_tick([[[1, 2], [3.0]]], [8])
    assert events.times.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("name", ["hawkes_engine", "hawkesbook", "hawkeslib"])
def test_marks_out_of_range(name):
    with pytest.raises(InvalidEventsError, match="mark"):
        convert("events_from", name)([1.0, 2.0], [0, 3], 8.0, **options_of(name))
    with pytest.raises(InvalidEventsError, match="one entry per event"):
        convert("events_from", name)([1.0, 2.0], [0], 8.0)


def tick_value(tick, process, events):
    """Return the log-likelihood from tick's loss, by the formula that `from_tick` documents."""
    arguments = interop.to_tick(process)
    timestamps, end_times = interop.events_to_tick(events)
    model = tick.ModelHawkesExpKernLogLik(arguments["decays"])
    model.fit(timestamps, end_times=end_times)
    loss = model.loss(np.concatenate((arguments["baseline"], arguments["adjacency"].ravel())))
    return -(loss * events.n_events + events.n_marks * end_times.sum())


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("seed", range(3))
def test_log_likelihood_of_tick(tick, size, seed):
    """Two windows of different length, one at the epoch; the last of several marks is empty."""
    process = random_process(size, seed=seed)
    first, second = hawkeys.simulate(process, end_time=40.0, n_realizations=2, rng=seed).to_lists()
    if size > 1:
        first[-1] = second[-1] = np.empty(0)
    starts = np.array([0.0, 1.7e9])
    events = Events.from_lists(
        [first, [times + starts[1] for times in second]],
        start_times=starts,
        end_times=starts + np.array([40.0, 55.0]),
    )
    value = tick_value(tick, process, events)
    assert process.log_likelihood(events) == pytest.approx(value, rel=1e-10)
    if size > 1:
        swapped = Hawkes(process.baseline, process.adjacency.T, kernel=process.kernel)
        assert swapped.log_likelihood(events) != pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("kind", ["source", "pair"])
def test_decays_of_tick(tick, kind):
    """tick's likelihood has one decay, so the compensator of its simulation is the witness."""
    process = random_process(3, kind)
    events = hawkeys.simulate(process, end_time=40.0, rng=0)
    timestamps, end_times = interop.events_to_tick(events)
    simulation = tick.SimuHawkesExpKernels(**interop.to_tick(process), verbose=False)
    simulation.set_timestamps(timestamps[0], end_times[0])
    simulation.store_compensator_values()
    swapped = Hawkes(process.baseline, process.adjacency.T, kernel=process.kernel)
    for i, theirs in enumerate(simulation.tracked_compensator):
        ours = process.compensator(events, timestamps[0][i])[:, i]
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)
        assert np.abs(swapped.compensator(events, timestamps[0][i])[-1, i] / theirs[-1] - 1) > 1e-3


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("peer_agreement")


@pytest.mark.usefixtures("tick")
def test_the_comparison_runs(script, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "N_PROBLEMS", 2)
    script.main(["--peers", "tick", "--output", str(tmp_path)])
    table = pd.read_csv(tmp_path / "peer_agreement.csv")
    assert set(table["case"]) == {*AGREE, *BAD, "transposed adjacency"}
    assert {"machine", "versions"} <= set(table)


@pytest.mark.usefixtures("tick")
def test_a_disagreement_is_an_error(script, tmp_path, monkeypatch):
    adapters = importlib.import_module("peer_adapters")
    whole = adapters.tick_loss
    wrong = adapters.Peer("tick", "tick", "shifted", lambda *data: whole(*data) + 1e-3, pooled=True)
    monkeypatch.setattr(script, "PEERS", [wrong])
    monkeypatch.setattr(script, "N_PROBLEMS", 1)
    with pytest.raises(SystemExit, match="no table written"):
        script.main(["--peers", "tick", "--output", str(tmp_path)])
    assert not (tmp_path / "peer_agreement.csv").exists()


AGREE = ["random", "empty mark", "ties"]
BAD = ["unsorted times", "a missing time", "a time after the window", "no event"]


def test_the_saved_comparison_is_complete(script):
    table = pd.read_csv(BENCHMARKS / "results" / "peer_agreement.csv")
    rows = set(zip(*(table[c] for c in ("interface", "D", "decay", "case")), strict=True))
    for peer in script.PEERS:
        likelihood = peer.reference is script.log_likelihood
        for size in peer.sizes:
            for decay in peer.decays if size > 1 else ("one",):
                cases = ["random", *(["ties"] if likelihood else [])]
                cases += ["empty mark", "transposed adjacency"] if size > 1 else []
                cases += BAD if likelihood and decay == "one" and size < 5 else []
                assert {(peer.interface, size, decay, case) for case in cases} <= rows
    agree = table[table["case"].isin(AGREE)]
    assert agree["relative_difference"].max() < 1e-10
    assert table.loc[table["case"] == "transposed adjacency", "relative_difference"].min() > 1e-7
    text = interop.__doc__ + (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    assert "## peer_agreement.py" in text
    for (peer, number), part in agree.groupby(["peer", "version"]):
        values = part.loc[~part["interface"].str.contains("compensators"), "relative_difference"]
        assert f"| {peer} {number} | {values.max():.1e} |" in text
        module = importlib.import_module(f"hawkeys.interop.{peer.replace('-', '_')}")
        functions = [getattr(module, name) for name in module.__all__]
        assert all(f"ested with {peer} {number}" in function.__doc__ for function in functions)
