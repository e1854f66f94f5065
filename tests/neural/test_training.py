"""Training: resumed from a checkpoint it gives what it would have given without a stop."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need the extra [neural]")

from torch import nn

from hawkeys.exceptions import InvalidParameterError, OutputError, ResultFileError
from hawkeys.neural import Runtime, Schedule
from hawkeys.neural._nets.evaluating import outputs_of, weighted_cross_entropy
from hawkeys.neural._nets.training import _rates, arrays_of, seeded, train


class Stopped(Exception):
    """As if by Ctrl-C."""


def problem():
    """Return a network with dropout and normalisation, and 21 samples of two classes."""
    rng = torch.Generator().manual_seed(1)
    x = torch.randn(21, 4, generator=rng)
    with seeded(0):
        module = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 2))
    return module, (x, (x[:, 0] > 0).long())


def run(schedule, runtime, seed=5):
    module, data = problem()
    curve = train(module, weighted_cross_entropy(torch.ones(2)), data, schedule, runtime=runtime,
                  seed=seed, what="Test net")  # fmt: skip
    return curve, arrays_of(module)


def same(one, two):
    assert one.keys() == two.keys()
    return all(np.array_equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule("adam", 1e-2, batch_size=4, epochs=6),
        Schedule("adam", 1e-2, 4, 6, decay=0.1, shape="one-cycle"),
        Schedule("sgd", 1e-2, 4, 6, momentum=0.9),
    ],
    ids=["adam", "one-cycle", "sgd"],
)
def test_stopped_and_resumed(schedule, tmp_path):
    """After the third epoch: the same losses and weights, bit for bit."""
    curve, weights = run(schedule, Runtime("cpu"))

    def stop(what, done, total):
        if done == 3:
            raise Stopped

    with pytest.raises(Stopped):
        run(schedule, Runtime("cpu", tmp_path / "new", stop))
    told = []
    runtime = Runtime("cpu", tmp_path / "new", lambda *given: told.append(given))
    again, resumed = run(schedule, runtime)
    assert told == [("Test net", k, 6) for k in (4, 5, 6)]
    assert again == curve
    assert same(resumed, weights)
    assert run(schedule, runtime)[0] == curve  # done: nothing is trained
    assert len(told) == 3


def test_no_pickle_in_a_checkpoint(tmp_path):
    run(Schedule("adam", 1e-2, 4, 1), Runtime("cpu", tmp_path))
    with np.load(tmp_path / "Test-net.npz", allow_pickle=False) as found:
        assert all(found[name].dtype != object for name in found)


@pytest.mark.parametrize(
    ("schedule", "seed"),
    [(Schedule("adam", 1e-3, 4, 1), 5), (Schedule("adam", 1e-2, 4, 1), 6)],
    ids=["settings", "seed"],
)
def test_a_checkpoint_of_another_training(schedule, seed, tmp_path):
    run(Schedule("adam", 1e-2, 4, 1), Runtime("cpu", tmp_path))
    with pytest.raises(InvalidParameterError, match=r"Test-net.npz is the checkpoint of another"):
        run(schedule, Runtime("cpu", tmp_path), seed)


def test_damaged_checkpoints(tmp_path):
    schedule = Schedule("adam", 1e-2, 4, 1)
    file = tmp_path / "Test-net.npz"
    run(schedule, Runtime("cpu", tmp_path))
    content = file.read_bytes()
    for damaged in (b"", b"text", content[: len(content) // 2]):
        file.write_bytes(damaged)
        with pytest.raises(ResultFileError, match=r"expected a checkpoint of a training"):
            run(schedule, Runtime("cpu", tmp_path))


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot make the folder .*file/inner for checkpoints"):
        run(Schedule("adam", 1e-2, 4, 1), Runtime("cpu", tmp_path / "file" / "inner"))


def test_a_device_that_is_not_there():
    with pytest.raises(InvalidParameterError, match=r"device='nowhere' cannot be used here"):
        run(Schedule("adam", 1e-2, 4, 1), Runtime("nowhere"))


def test_divergence_is_an_error():
    with pytest.raises(InvalidParameterError, match=r"the training diverged. Lower the learning"):
        run(Schedule("sgd", 1e30, 4, 9), Runtime("cpu"))


def test_a_last_batch_of_one_is_left_out():
    """21 samples in fives: the 21st of each epoch has nothing to be normalised by."""
    curve, _ = run(Schedule("adam", 1e-3, batch_size=5, epochs=2), Runtime("cpu"))
    assert np.isfinite(curve).all()


def test_one_step_by_hand():
    """Plain gradient descent on all samples, against the closed slope of logistic regression."""
    x = torch.tensor([[1.0], [2.0], [-1.0]], dtype=torch.float64)
    y = torch.tensor([1, 1, 0])
    module = nn.Linear(1, 2, bias=False).double()
    nn.init.zeros_(module.weight)
    schedule = Schedule("sgd", 0.5, batch_size=3, epochs=1)
    weight = torch.tensor([2.0, 1.0], dtype=torch.float64)
    curve = train(module, weighted_cross_entropy(weight), (x, y), schedule,
                  runtime=Runtime("cpu"), seed=0, what="By hand")  # fmt: skip
    assert curve == [pytest.approx(np.log(2.0))]
    # mean over samples with weights 1, 1, 2 of (1/2 - [class]) x
    slope = np.array([0.5 * 1 + 0.5 * 2 + 2 * -0.5 * -1, -0.5 * 1 - 0.5 * 2 + 2 * 0.5 * -1]) / 4
    np.testing.assert_allclose(module.weight.detach().numpy()[:, 0], -0.5 * slope)


def test_one_cycle():
    """Ten batches in each of ten epochs: up to the tenth step, down to nearly none."""
    rates = _rates(Schedule("adam", 0.5, batch_size=4, epochs=10, shape="one-cycle"), 39)
    assert rates.shape == (10, 10)
    steps = rates.ravel()
    for place, share in ((5.0, 0.5 * (1 + 1 / 25)), (10.0, 1.0), (55.0, 0.5), (100.0, 0.0)):
        between = np.interp(place, np.arange(100) + 0.5, steps)
        assert between == pytest.approx(0.5 * share, abs=0.005)
    assert np.all(np.diff(steps[:10]) > 0)
    assert np.all(np.diff(steps[10:]) < 0)
    assert np.unique(_rates(Schedule("adam", 0.5, 4, 3), 39)).tolist() == [0.5]


def test_sizes_of_steps_are_taken():
    """Two steps of plain descent on x . w, whose slope is always x: w = -x (first + second)."""
    module = nn.Linear(1, 1, bias=False).double()
    nn.init.zeros_(module.weight)
    schedule = Schedule("sgd", 0.5, batch_size=2, epochs=2, shape="one-cycle")
    x = torch.tensor([[2.0], [2.0]], dtype=torch.float64)
    train(module, lambda module, x: module(x).mean(), (x,), schedule, runtime=Runtime("cpu"),
          seed=0, what="By hand")  # fmt: skip
    assert module.weight.item() == pytest.approx(-2.0 * _rates(schedule, 2).sum())


def test_decay_by_hand():
    """A loss without slope: each of three steps takes .5 * .1 of the weight away."""
    module = nn.Linear(1, 1, bias=False).double()
    nn.init.ones_(module.weight)
    schedule = Schedule("adam", 0.5, batch_size=2, epochs=3, decay=0.1)
    train(module, lambda module, x: 0.0 * module(x).sum(), (torch.ones(2, 1).double(),), schedule,
          runtime=Runtime("cpu"), seed=0, what="Decay")  # fmt: skip
    assert module.weight.item() == pytest.approx(0.95**3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decay": -1.0}, "decay must be one number of at least 0"),
        ({"optimizer": "sgd", "decay": 0.1}, 'decay=0.1 is for optimizer="adam"; got "sgd"'),
        ({"shape": "triangle"}, "shape must be one of 'constant', 'one-cycle'"),
    ],
)
def test_schedules_that_are_none(changes, message):
    with pytest.raises(InvalidParameterError, match=message):
        replace(Schedule("adam", 1e-3, 4, 1), **changes)


def test_outputs_do_not_depend_on_the_rest():
    module, (x, _) = problem()
    module.train()
    before = arrays_of(module)
    whole = outputs_of(module, x)
    np.testing.assert_allclose(outputs_of(module, x[3:5]), whole[3:5], rtol=1e-6)
    assert same(arrays_of(module), before)


def test_replaced_runtime_keeps_its_device():
    assert replace(Runtime("cpu", "there"), checkpoint=None) == Runtime("cpu")
