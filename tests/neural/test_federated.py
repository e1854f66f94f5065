"""Federated averaging: its two identities, what is averaged and what is sent."""

import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need the extra [neural]")

from torch import nn

from hawkeys.datasets import simulate_keyed_text
from hawkeys.exceptions import InvalidParameterError, MissingExtraError
from hawkeys.neural import (
    FederatedOptions,
    Runtime,
    Schedule,
    TemporalCharacters,
    average_weights,
    fit_federated,
)
from hawkeys.neural._nets.evaluating import weighted_cross_entropy
from hawkeys.neural._nets.federated import federated_round
from hawkeys.neural._nets.training import arrays_of, seeded, train
from hawkeys.verifiers import MarkedRenewal

CPU = Runtime(device="cpu")


@pytest.fixture(scope="module")
def typed():
    strokes = simulate_keyed_text(4, n_sessions=3, n_keys=20, rng=2)
    return strokes, MarkedRenewal.people_of(strokes)


def network():
    with seeded(1):
        return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)).double()


def test_all_clients_with_one_full_step_are_the_central_step():
    """Clients of 2, 5 and 13 samples; in double precision to the last digits."""
    rng = np.random.default_rng(0)
    x, y = torch.from_numpy(rng.normal(size=(20, 3))), torch.from_numpy(rng.integers(0, 2, 20))
    loss, one_step = weighted_cross_entropy(torch.ones(2).double()), Schedule("sgd", 0.7, 20, 1)
    rows = np.split(rng.permutation(20), [2, 7])
    common, central = network(), network()
    federated_round(common, loss, [(x[k], y[k]) for k in rows], one_step,
                    runtime=Runtime("cpu"), seed=0)  # fmt: skip
    train(central, loss, (x, y), one_step, runtime=Runtime("cpu"), seed=0, what="Central")
    before = arrays_of(network())
    for name, array in arrays_of(central).items():
        np.testing.assert_allclose(arrays_of(common)[name], array, rtol=0, atol=1e-14)
        assert np.abs(array - before[name]).max() > 1e-3


def test_one_client_is_plain_training(typed):
    """Bit for bit, with dropout, several batches and epochs."""
    strokes, people = typed
    model = TemporalCharacters(schedule=Schedule("adam", 1e-3, batch_size=5, epochs=2))
    plain = model.fit(strokes, people)
    run = fit_federated(model, strokes, people, clients=["all"] * 12, n_rounds=1, share=None)
    assert run.model is not model
    one, two = (arrays_of(system.network_) for system in (plain, run.model))
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_average_by_hand():
    one = {"a": np.array([[1.0, 2.0]], dtype=np.float32), "b": np.array(4, dtype=np.int64)}
    two = {"a": np.array([[5.0, 10.0]], dtype=np.float32), "b": np.array(8, dtype=np.int64)}
    mean = average_weights([one, two], [30, 10])
    np.testing.assert_array_equal(mean["a"], [[2.0, 4.0]])
    assert mean["a"].dtype == np.float32
    assert mean["b"] == 5


def test_clients_are_drawn_and_what_is_sent(typed):
    strokes, people = typed
    seen = []
    model = TemporalCharacters(schedule=Schedule("sgd", 0.1, batch_size=8, epochs=1))
    options = FederatedOptions(rng=3, watch=lambda number, model: seen.append(number))
    run = fit_federated(model, strokes, people, n_rounds=4, share=0.5, options=options)
    assert seen == [0, 1, 2, 3]
    assert [len(set(some)) for some in run.clients] == [2, 2, 2, 2]
    assert len({tuple(some) for some in run.clients}) > 1
    n_weights = sum(one.numel() for one in run.model.network_.parameters())
    assert run.bytes_up == run.bytes_down == 4 * 2 * 4 * n_weights
    again = fit_federated(model, strokes, people, n_rounds=4, share=0.5,
                          options=FederatedOptions(rng=3))  # fmt: skip
    np.testing.assert_array_equal(
        again.model.predict_log_proba(strokes), run.model.predict_log_proba(strokes)
    )


def test_a_warm_up_is_the_start(typed):
    """Rounds without a step: all weights are the warm-up's, but those of the last layer."""
    strokes, people = typed
    other = simulate_keyed_text(5, n_sessions=3, n_keys=20, rng=8)
    warm = TemporalCharacters(schedule=Schedule("adam", 1e-3, batch_size=8, epochs=2)).fit(other)
    still = Schedule("sgd", 1e-30, batch_size=8, epochs=1)
    model = TemporalCharacters(schedule=still, random_state=4)
    run = fit_federated(model, strokes, people, n_rounds=1, share=None, warm_up=warm)
    weights, source = arrays_of(run.model.network_), arrays_of(warm.network_)
    assert run.model.inputs_ is warm.inputs_
    for name, array in weights.items():
        if name.startswith("output."):
            assert array.shape[0] == 4
        else:
            np.testing.assert_allclose(array, source[name], rtol=1e-6, atol=1e-30)


def test_rounds_improve_on_a_warm_up():
    strokes = simulate_keyed_text(16, n_sessions=8, n_keys=30)
    first, rest = strokes.subjects[:10], strokes.subjects[10:]
    quick = Schedule("adam", 3e-3, batch_size=16, epochs=15)
    warm = TemporalCharacters(schedule=quick).fit(strokes[np.isin(strokes.user, first)])
    own = strokes[np.isin(strokes.user, rest)]
    people = MarkedRenewal.people_of(own)
    accuracy = []

    def watch(number, model):
        accuracy.append((model.predict(own) == people).mean())

    model = TemporalCharacters(schedule=Schedule("sgd", 0.05, batch_size=8, epochs=1))
    fit_federated(model, own, people, n_rounds=12, share=None, warm_up=warm,
                  options=FederatedOptions(watch=watch))  # fmt: skip
    assert max(accuracy[-3:]) > accuracy[0]
    assert max(accuracy[-3:]) > 0.4  # of six people


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clients": ["a"]}, r"clients must hold one label per recording, shape \(12,\)"),
        ({"share": 1.5}, "share must be one number strictly between 0 and 1"),
        ({"n_rounds": 0}, "n_rounds must be at least 1"),
    ],
)
def test_errors(changes, message, typed):
    with pytest.raises(InvalidParameterError, match=message):
        fit_federated(TemporalCharacters(), *typed, **changes)


def test_another_network_is_no_warm_up(typed):
    once = Schedule("adam", 1e-3, batch_size=8, epochs=1)
    warm = TemporalCharacters("lstm", schedule=once).fit(*typed)
    with pytest.raises(InvalidParameterError, match="warm_up is another network"):
        fit_federated(TemporalCharacters(schedule=once), *typed, warm_up=warm)


@pytest.mark.parametrize(
    ("weights", "counts", "message"),
    [
        ([], [], "one client or more"),
        ([{"a": np.zeros(1)}], [0], "one positive number per client"),
        ([{"a": np.zeros(1)}, {"a": np.zeros(2)}], [1, 1], r"weights\[1\] has other names"),
    ],
)
def test_weights_that_do_not_fit(weights, counts, message):
    with pytest.raises(InvalidParameterError, match=message):
        average_weights(weights, counts)


@pytest.mark.filterwarnings("ignore")  # those of Flower and Ray
def test_flower_runs_the_same_clients_from_the_same_seeds(typed):
    pytest.importorskip("flwr", reason="Flower needs the extra [flower]")
    pytest.importorskip("ray", reason="Flower's simulation needs the extra [flower]")
    strokes, people = typed
    model = TemporalCharacters(schedule=Schedule("sgd", 0.1, batch_size=8, epochs=1), runtime=CPU)
    seen = []
    runs = [
        fit_federated(
            model, strokes, people, n_rounds=3, share=0.5,
            options=FederatedOptions(
                engine=engine, watch=lambda number, _, engine=engine: seen.append((engine, number))
            ),
        )
        for engine in ("plain", "flower")
    ]  # fmt: skip
    assert seen == [(engine, number) for engine in ("plain", "flower") for number in range(3)]
    plain, flower = (arrays_of(run.model.network_) for run in runs)
    for name, array in plain.items():
        np.testing.assert_allclose(flower[name], array, rtol=0, atol=1e-6)
    assert runs[0].bytes_up == runs[1].bytes_up
    for one, other in zip(runs[0].clients, runs[1].clients, strict=True):
        np.testing.assert_array_equal(one, other)


def test_engines_that_are_none_or_not_there_are_named(typed, monkeypatch):
    with pytest.raises(InvalidParameterError, match="engine must be one of"):
        FederatedOptions(engine="spark")
    monkeypatch.setitem(sys.modules, "flwr", None)
    model = TemporalCharacters(schedule=Schedule("sgd", 0.1, batch_size=8, epochs=1), runtime=CPU)
    with pytest.raises(MissingExtraError, match=r"hawkeys\[flower\]"):
        fit_federated(model, *typed, n_rounds=1, options=FederatedOptions(engine="flower"))
