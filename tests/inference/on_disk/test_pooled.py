"""A fit of events on disk is that of the same events in memory."""

import numpy as np
import pytest

import hawkeys
from hawkeys._design import Design
from hawkeys.exceptions import EventsWarning, IdentifiabilityWarning, InvalidParameterError
from hawkeys.inference.methods import choose_method
from hawkeys.inference.on_disk.rows import PartitionedRows
from hawkeys.inference.on_disk.solve import _rough
from hawkeys.inference.on_disk.task import Memory, PartitionedTask
from hawkeys.kernels import Exponential

TRUTH = hawkeys.Hawkes([0.4, 0.2, 0.1], [[0.3, 0.1, 0], [0, 0.5, 0], [0.2, 0, 0.1]], decay=2.0)
EVENTS = hawkeys.simulate(TRUTH, end_time=40.0, n_realizations=120, rng=1)


def on_disk(tmp_path, events, n_partitions):
    most = -(-events.n_events // n_partitions)
    path = hawkeys.write_events(events, tmp_path / "events", events_per_partition=max(most, 1))
    return hawkeys.open_events(path)


def assert_same_fit(found, expected):
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-9)
    for name in ("baseline", "adjacency", "std_err", "information"):
        values, wanted = getattr(found, name), getattr(expected, name)
        scale = np.nanmax(np.abs(wanted))
        np.testing.assert_allclose(values, wanted, rtol=1e-9, atol=1e-9 * scale, err_msg=name)
    for name in ("identified", "at_bound", "event_counts"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    for name in ("converged", "method", "n_realizations", "n_events", "total_time"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name)), name
    assert found.aic == pytest.approx(expected.aic, rel=1e-9)
    assert 0.0 <= found.optimality_gap < 1e-6


TIGHT = {"tolerance": 1e-13}


@pytest.mark.parametrize("n_partitions", [1, 7, 100])
@pytest.mark.parametrize("memory", ["1GB", 0])
def test_the_fit_is_that_in_memory(tmp_path, n_partitions, memory):
    data = on_disk(tmp_path, EVENTS, n_partitions)
    assert data.n_partitions >= min(n_partitions, 60)
    found = hawkeys.fit(data, decay=2.0, memory=memory, **TIGHT)
    expected = hawkeys.fit(EVENTS, decay=2.0, **TIGHT)
    assert_same_fit(found, expected)
    assert found.optimality_gap < 1e-9
    assert found.kkt_residual == pytest.approx(expected.kkt_residual, rel=1e-3, abs=1e-9)


@pytest.mark.parametrize(
    "kernel",
    [
        hawkeys.kernels.Exponential([1.0, 2.0, 3.0]),
        hawkeys.kernels.Exponential(np.arange(1.0, 10.0).reshape(3, 3)),
        hawkeys.kernels.LogNormal(-1.0, 0.5),
    ],
    ids=["by source", "by pair", "log-normal"],
)
def test_every_kernel_with_given_parameters(tmp_path, kernel):
    few = EVENTS[:30]
    data = on_disk(tmp_path, few, 5)
    assert_same_fit(
        hawkeys.fit(data, kernel=kernel, **TIGHT), hawkeys.fit(few, kernel=kernel, **TIGHT)
    )


def test_uneven_and_empty_partitions(tmp_path):
    empty = hawkeys.Events.from_lists([[[], [], []]] * 3, end_times=40.0)
    parts = [EVENTS[:1], empty, EVENTS[1:100], empty, EVENTS[100:]]
    data = hawkeys.open_events(hawkeys.write_events(parts, tmp_path / "events"))
    assert [part.n_events for part in data][1] == 0
    found = hawkeys.fit(data, decay=2.0, **TIGHT)
    assert_same_fit(found, hawkeys.fit(hawkeys.Events.joined(parts), decay=2.0, **TIGHT))


def test_support_bounds_and_what_is_not_identified(tmp_path):
    support = np.array([[True, True, False], [False, True, False], [True, False, True]])
    data = on_disk(tmp_path, EVENTS, 7)
    found = hawkeys.fit(data, decay=2.0, support=support, **TIGHT)
    assert_same_fit(found, hawkeys.fit(EVENTS, decay=2.0, support=support, **TIGHT))
    np.testing.assert_array_equal(found.options["support"], support)
    silent = hawkeys.Events.from_lists(
        [[times[0], times[1], []] for times in EVENTS[:20].to_lists()], end_times=40.0
    )
    (tmp_path / "silent").mkdir()
    data = on_disk(tmp_path / "silent", silent, 4)
    with pytest.warns(IdentifiabilityWarning, match="parameters are not identified"):
        found = hawkeys.fit(data, decay=2.0, **TIGHT)
    with pytest.warns(IdentifiabilityWarning):
        expected = hawkeys.fit(silent, decay=2.0, **TIGHT)
    assert_same_fit(found, expected)
    assert not found.identified[:, 3].any()


def test_what_is_built_on_the_fit(tmp_path):
    found = hawkeys.fit(on_disk(tmp_path, EVENTS, 7), decay=2.0)
    found.save(tmp_path / "fit.json")
    assert hawkeys.load_result(tmp_path / "fit.json").aic == found.aic
    assert "120" in found.summary()
    assert found.process.log_likelihood(EVENTS) == pytest.approx(found.log_likelihood)


def test_the_clock_is_examined(tmp_path):
    late = hawkeys.Events.from_arrays(EVENTS[:1].times + 1e6, EVENTS[:1].marks, end_times=1e6 + 40,
                                      n_marks=3)  # fmt: skip
    with pytest.warns(EventsWarning, match="has no event before"):
        hawkeys.fit(on_disk(tmp_path, late, 1), decay=2.0)


def test_iterations_that_do_not_suffice(tmp_path):
    with pytest.warns(hawkeys.exceptions.ConvergenceWarning, match="raise max_iter"):
        found = hawkeys.fit(on_disk(tmp_path, EVENTS, 3), decay=2.0, max_iter=1)
    assert not found.converged


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"decay": 2.0, "method": "vi_stochastic"}, "'map' or 'vi'; got method 'vi_stochastic'"),
        ({"decay": "estimate", "method": "vi"}, "methods 'mle' and 'map'; got 'vi'"),
        ({"decay_grid": [1.0, 2.0], "method": "vi"}, "methods 'mle' and 'map'; got 'vi'"),
        ({"kernel": hawkeys.kernels.LogNormal()}, "whose parameters are given"),
        ({"kernel": hawkeys.kernels.PowerLaw()}, "whose parameters are given"),
        ({"decay": "estimate", "kernel": hawkeys.kernels.LogNormal()}, "exactly one of decay"),
        ({"decay": 2.0, "decay_sharing": "source"}, "decay_sharing need decay='estimate'"),
        (
            {"decay_grid": [1.0, 2.0], "decay_selection": "cross-validation"},
            "chosen by their likelihood",
        ),
        ({"decay_grid": [[1.0, 2.0]]}, "decay_grid must hold numbers, or arrays of one shape"),
        (
            {
                "decay": "estimate",
                "decay_sharing": "source",
                "baseline": hawkeys.baselines.PiecewiseConstant([0, 20, 40]),
            },
            "needs one constant baseline per mark",
        ),
        (
            {"decay": 2.0, "method": "map", "prior": hawkeys.inference.Ridge(1.0)},
            "a penalty with squares or groups, Ridge",
        ),
        (
            {"decay": "estimate", "method": "map", "prior": hawkeys.inference.GroupLasso(1.0)},
            "a penalty with squares or groups, GroupLasso",
        ),
        (
            {"decay": 2.0, "baseline": hawkeys.baselines.PiecewiseConstant([0, 20])},
            "realization 0: the window",
        ),
        ({"decay": 2.0, "history": EVENTS}, "has no option 'history'"),
        ({"decay": 2.0, "productivity": "exponential"}, "the productivity's a, and the decay"),
        (
            {"decay": "estimate", "productivity": hawkeys.productivity.Exponential(0.3)},
            "and a decay to be estimated",
        ),
        (
            {
                "kernel": hawkeys.kernels.Productive(
                    hawkeys.kernels.PowerLaw(), hawkeys.productivity.Exponential(0.3)
                )
            },
            "whose parameters are given",
        ),
        (
            {"decay": 2.0, "baseline": hawkeys.baselines.Constant([[0.4], [0.2], [0.1]])},
            "all rates of a baseline are estimated",
        ),
        ({"decay": 2.0, "memory": "much"}, "memory must be a number of bytes"),
        ({"decay": 2.0, "memory": -1}, "memory must be a number of bytes"),
        ({"decay": 2.0, "weights": [1.0]}, "has no option 'weights'"),
        ({"decay": 2.0, "end_time": 3.0}, "has no option 'end_time'"),
        ({"decay": [1.0, 2.0]}, "decay has shape"),
        ({}, "decay is missing"),
    ],
)
def test_what_cannot_be_asked(tmp_path, asked, message):
    data = on_disk(tmp_path, EVENTS[:5], 2)
    with pytest.raises(InvalidParameterError, match=message):
        hawkeys.fit(data, **asked)


@pytest.mark.parametrize("text", ["2GB", "2 gb", "2000mb", "2e9"])
def test_amounts_of_memory(text):
    from hawkeys.inference.on_disk.task import bytes_of

    if text == "2e9":
        with pytest.raises(InvalidParameterError, match="memory"):
            bytes_of(text)
    else:
        assert bytes_of(text) == 2 * 10**9


@pytest.mark.parametrize(
    "options",
    [
        {"baseline": hawkeys.baselines.PiecewiseConstant([0, 20, 40])},
        {"baseline": hawkeys.baselines.Periodic([0, 5], period=10.0)},
        {"tied": {"baseline": [0, 0, 1], "adjacency": [[0, -1, -1], [-1, 0, -1], [-1, -1, 0]]}},
        {"method": "map"},
        {"method": "map", "prior": hawkeys.GammaPrior(shape=2.0, rate=3.0)},
        {"method": "map", "prior": hawkeys.inference.Lasso(3.0)},
        {"method": "map", "baseline": hawkeys.baselines.PiecewiseConstant([0, 20, 40])},
    ],
    ids=["steps", "period", "tied", "map", "prior", "lasso", "map of steps"],
)
@pytest.mark.parametrize(("n_partitions", "memory"), [(1, 0), (7, "1GB"), (7, 0), (100, "1GB")])
def test_every_model(tmp_path, options, n_partitions, memory):
    few = EVENTS[:60]
    data = on_disk(tmp_path, few, n_partitions)
    assert data.n_partitions >= min(n_partitions, 30)
    found = hawkeys.fit(data, decay=2.0, memory=memory, **options, **TIGHT)
    expected = hawkeys.fit(few, decay=2.0, **options, **TIGHT)
    assert_same_fit(found, expected)
    np.testing.assert_allclose(found.estimates, expected.estimates, rtol=1e-9, atol=1e-10)
    assert found.options.keys() == expected.options.keys()
    found.save(tmp_path / "fit.json")
    assert hawkeys.load_result(tmp_path / "fit.json").aic == found.aic


def test_weights_of_a_mixed_kernel(tmp_path):
    kernel = hawkeys.kernels.SumExponential([1.0, 4.0])
    found = hawkeys.fit(on_disk(tmp_path, EVENTS, 7), kernel=kernel, **TIGHT)
    expected = hawkeys.fit(EVENTS, kernel=kernel, **TIGHT)
    assert_same_fit(found, expected)
    np.testing.assert_allclose(
        found.process.kernel.weights, expected.process.kernel.weights, rtol=1e-8, atol=1e-9
    )


MANY = hawkeys.simulate(TRUTH, end_time=40.0, n_realizations=1_200, rng=2)


@pytest.mark.parametrize("n_partitions", [1, 7, 100])
def test_many_events_are_solved_in_part_first(tmp_path, n_partitions):
    """The first parts are few of all: the optimum is that of all, at the default tolerance too."""
    data = on_disk(tmp_path, MANY, n_partitions)
    expected = hawkeys.fit(MANY, decay=2.0, **TIGHT)
    assert_same_fit(hawkeys.fit(data, decay=2.0, **TIGHT), expected)
    found = hawkeys.fit(data, decay=2.0)
    assert expected.log_likelihood - found.log_likelihood < found.optimality_gap + 1e-9
    np.testing.assert_allclose(found.std_err, expected.std_err, rtol=1e-4)


def test_parts_that_know_nothing_of_the_rest(tmp_path):
    """Where a part is solved first, a mark is silent and an excitation does not show."""
    lists = MANY.to_lists()
    parts = [
        hawkeys.Events.from_lists([[a, b, []] for a, b, _ in lists[:600]], end_times=40.0),
        hawkeys.Events.from_lists([[[], b, c] for _, b, c in lists[600:]], end_times=40.0),
    ]
    data = hawkeys.open_events(hawkeys.write_events(parts, tmp_path / "events"))
    found = hawkeys.fit(data, decay=2.0, **TIGHT)
    assert_same_fit(found, hawkeys.fit(hawkeys.Events.joined(parts), decay=2.0, **TIGHT))


def test_threads_do_not_matter(tmp_path, monkeypatch):
    data, found = on_disk(tmp_path, EVENTS, 7), []
    for count in ("1", "3"):
        monkeypatch.setenv("HAWKEYS_NUM_THREADS", count)
        found.append(hawkeys.fit(data, decay=2.0, memory=0))
    np.testing.assert_array_equal(found[0].estimates, found[1].estimates)
    np.testing.assert_array_equal(found[0].information, found[1].information)
    assert found[0].log_likelihood == found[1].log_likelihood


def test_the_unit_of_time_is_kept(tmp_path):
    events = hawkeys.Events.from_data(EVENTS.to_lists(), end_time=40.0, unit="s")
    found = hawkeys.fit(on_disk(tmp_path, events, 3), decay=2.0)
    assert found.unit == "s"
    assert found.summary() == hawkeys.fit(events, decay=2.0).summary()


def test_no_more_is_kept_than_was_granted(tmp_path):
    from hawkeys.inference.on_disk.rows import PartitionedRows
    from hawkeys.inference.on_disk.task import Memory, PartitionedTask

    data = on_disk(tmp_path, EVENTS, 7)
    for kernel in (hawkeys.kernels.Exponential(2.0), hawkeys.kernels.LogNormal(-1.0, 0.5)):
        kept = []
        for granted in (0, 60_000, 10**9):
            task = PartitionedTask.check(data, None, {}, Memory(granted))
            rows = PartitionedRows.of(task, kernel)
            for _ in range(2):
                rows.sums(np.ones((3, 4)), np.ones(3, dtype=bool))
            held = sum(e.times.nbytes + e.marks.nbytes for e in task.kept.values())
            held += sum(design.excitation.nbytes for design in rows.kept.values())
            assert held <= granted
            kept.append(len(task.kept) + len(rows.kept))
        assert kept[0] == 0 < kept[1] < kept[2]


def at_the_maximum(events, found, exponent, rate):
    """Estimates and information by Newton steps in extended precision, of all that is above 0."""
    design = Design.build(events, Exponential(2.0))
    estimates, information = found.estimates.copy(), np.zeros(found.information.shape)
    for b, x in enumerate(found.estimates.astype(np.longdouble)):
        rows, free = design.rows(b).astype(np.longdouble), np.flatnonzero(x > 0)
        prior, cost = np.zeros(x.size), design.cost[b].copy()
        prior[1:], cost[1:] = exponent, cost[1:] + rate
        for _ in range(4):
            shares = rows[free] / (x @ rows)
            gradient = shares.sum(axis=1) - cost[free] + prior[free] / x[free]
            matrix = shares @ shares.T + np.diag(prior[free] / x[free] ** 2)
            x[free] += np.linalg.solve(matrix.astype(float), gradient.astype(float))
        shares = rows / (x @ rows)
        information[b] = (shares @ shares.T).astype(float)
        information[b][free, free] += (prior[free] / x[free] ** 2).astype(float)
        estimates[b] = x
    return estimates, information


@pytest.mark.parametrize("n_partitions", [1, 7, 100])
@pytest.mark.parametrize("method", ["mle", "map", "lasso"])
def test_long_data_end_at_the_maximum(tmp_path, n_partitions, method):
    """Whatever part was solved first; in memory the default tolerance leaves the fifth digit."""
    events = hawkeys.simulate(TRUTH, end_time=400.0, n_realizations=150, rng=4)
    data = on_disk(tmp_path, events, n_partitions)
    # parts with little in them are not solved first
    assert (_rough(rows_of(data), choose_method("mle", {})) is None) == (n_partitions == 100)
    options = {
        "mle": {},
        "map": {"method": "map", "prior": hawkeys.GammaPrior(2.0, 3.0)},
        "lasso": {"method": "map", "prior": hawkeys.inference.Lasso(3.0)},
    }[method]
    exponent, rate = {"mle": (0, 0), "map": (1, 3), "lasso": (0, 3)}[method]
    found = hawkeys.fit(data, decay=2.0, **options)
    estimates, information = at_the_maximum(events, found, exponent, rate)
    np.testing.assert_allclose(found.estimates, estimates, rtol=1e-9)
    scale = np.abs(information).max()
    np.testing.assert_allclose(found.information, information, rtol=1e-9, atol=1e-12 * scale)
    assert 0.0 <= found.optimality_gap < 1e-12
    value = hawkeys.Hawkes(estimates[:, 0], estimates[:, 1:], decay=2.0).log_likelihood(events)
    assert found.log_likelihood == pytest.approx(value, rel=1e-12)


def rows_of(data):
    task = PartitionedTask.check(data, None, {}, Memory(10**9))
    return PartitionedRows.of(task, Exponential(2.0))
