"""The temporal-character network: what it sees, and what it does not."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax

torch = pytest.importorskip("torch", reason="networks need the extra [neural]")

from hawkeys.datasets import simulate_keyed_text
from hawkeys.exceptions import InvalidParameterError, TemplateFileError
from hawkeys.neural import (
    Regularization,
    Runtime,
    Schedule,
    TemporalCharacters,
    load_temporal_characters,
)
from hawkeys.neural._nets.characters import CharacterNetwork
from hawkeys.neural._nets.training import seeded
from hawkeys.neural.key_inputs import learn_inputs
from hawkeys.verifiers import Identifier, MarkedRenewal

ONCE = Schedule("adam", 1e-3, batch_size=8, epochs=1)
NOTHING = Regularization(0.0, 0.0, 0.0, 0.0, 0.0)


def recording(text, press, hold):
    press = np.asarray(press, dtype=float)
    return {"key": list(text), "press": press, "release": press + hold}


def joined(*parts):
    out = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    out["recording"] = np.repeat(np.arange(len(parts)), [len(part["key"]) for part in parts])
    return out


@pytest.fixture(scope="module")
def typed():
    strokes = simulate_keyed_text(3, n_sessions=5, n_keys=25, rng=3)
    return strokes, MarkedRenewal.people_of(strokes)


@pytest.fixture(scope="module")
def fitted(typed):
    return TemporalCharacters(schedule=ONCE).fit(*typed)


def test_words_and_codes():
    """'ab c' and '  d', a space belonging to the word before it."""
    one = recording("ab c", [0, 0.2, 0.5, 0.9], 0.1)
    two = recording("  d", [0, 0.3, 0.4], 0.05)
    inputs = learn_inputs(joined(one, two), characters=True, population=False)
    keys, times, size, first, last = inputs.arrays(joined(one, two), "X")
    assert inputs.names == (" ", "a", "b", "c", "d")
    assert keys.tolist() == [[3, 4, 2, 5], [2, 2, 6, 0]]
    assert size.tolist() == [4, 3]
    assert first.tolist() == [[0, 3, -1], [0, 1, 2]]
    assert last.tolist() == [[2, 3, -1], [0, 1, 2]]
    raw = times[0] * inputs.scale + inputs.center
    np.testing.assert_allclose(raw[:, 0], np.log(0.1), rtol=1e-5)
    np.testing.assert_allclose(raw[1:, 1], np.log([0.2, 0.3, 0.4]), rtol=1e-5)
    np.testing.assert_allclose(raw[1:, 2], [0.1, 0.2, 0.3], rtol=1e-5)
    assert times[0, 0, 1:].tolist() == [0.0, 0.0]  # nothing came before
    assert inputs.arrays(recording("az", [0, 1], 0.1), "X")[0].tolist() == [[3, 1]]


def test_words_without_keys():
    inputs = learn_inputs(recording("ab cdefg", np.arange(8), 0.1), characters=False,
                          population=False)  # fmt: skip
    _, _, _, first, last = inputs.arrays(recording("       ", np.arange(7), 0.1), "X")
    assert (first.tolist(), last.tolist()) == ([[0, 5]], [[4, 6]])


def test_times_less_those_of_people_in_general():
    """Means by key and pair, each shrunk to a coarser one worth five, written out."""
    text, press = "abab", np.array([0.0, 0.2, 0.6, 0.7])
    hold = np.array([0.1, 0.2, 0.3, 0.4])
    typed = recording(text, press, hold)
    inputs = learn_inputs(typed, characters=True, population=True)
    log = np.log(hold)
    hold_a = (log[0] + log[2] + 5 * log.mean()) / 7
    lag = np.log([0.2, 0.4, 0.1])
    lag_b = (lag[0] + lag[2] + 5 * lag.mean()) / 7
    lag_ab = (lag[0] + lag[2] + 5 * lag_b) / 7
    times = inputs.arrays(typed, "X")[1][0] * inputs.scale + inputs.center
    np.testing.assert_allclose(times[[0, 2], 3], log[[0, 2]] - hold_a, rtol=1e-4)
    np.testing.assert_allclose(times[[1, 3], 4], lag[[0, 2]] - lag_ab, rtol=1e-4)


def test_protocol(fitted, typed):
    strokes, people = typed
    assert isinstance(fitted, Identifier)
    log = fitted.predict_log_proba(strokes)
    np.testing.assert_allclose(np.exp(log).sum(axis=1), 1.0)
    assert fitted.classes_.tolist() == sorted(set(people))
    assert set(fitted.predict(strokes)) <= set(people)
    again = TemporalCharacters(schedule=ONCE).fit(strokes)  # its users are the people
    np.testing.assert_array_equal(again.predict_log_proba(strokes), log)


@pytest.mark.parametrize("head", ["transformer", "lstm"])
def test_what_lies_beside_changes_nothing(head, typed):
    """One recording alone, and padded beside a longer one with more words."""
    system = TemporalCharacters(head, schedule=ONCE).fit(*typed)
    short = recording("ate on", np.arange(6) * 0.2, 0.1)
    long = recording("a rat sat on a tin lid", np.arange(22) * 0.15, 0.08)
    alone = system.predict_log_proba(short)
    np.testing.assert_allclose(system.predict_log_proba(joined(short, long))[:1], alone, atol=1e-6)
    np.testing.assert_allclose(system.predict_log_proba(joined(long, short))[1:], alone, atol=1e-6)


def test_without_times_they_are_ignored(typed):
    system = TemporalCharacters(times=False, schedule=ONCE).fit(*typed)
    slow, quick = (recording("the rain", np.arange(8) * step, 0.1) for step in (0.9, 0.2))
    np.testing.assert_array_equal(system.predict_log_proba(slow), system.predict_log_proba(quick))
    other = recording("the rail", np.arange(8) * 0.2, 0.1)
    assert np.abs(system.predict_log_proba(other) - system.predict_log_proba(quick)).max() > 1e-6


def test_without_characters_they_are_ignored(typed):
    system = TemporalCharacters(characters=False, schedule=ONCE).fit(*typed)
    one, two = (recording(text, np.arange(8) * 0.2, 0.1) for text in ("the rain", "a   zzzz"))
    np.testing.assert_array_equal(system.predict_log_proba(one), system.predict_log_proba(two))
    slow = recording("the rain", np.arange(8) * 0.5, 0.1)
    assert np.abs(system.predict_log_proba(slow) - system.predict_log_proba(one)).max() > 1e-6


def test_it_learns_twenty_samples_by_heart():
    """Times and keys that say nothing of the person."""
    strokes = simulate_keyed_text(1, n_sessions=20, n_keys=15, rng=1)
    people = np.random.default_rng(0).permutation(np.repeat(["a", "b", "c", "d"], 5))
    schedule = Schedule("adam", 3e-3, batch_size=20, epochs=80)
    system = TemporalCharacters(schedule=schedule, regularization=NOTHING)
    assert (system.fit(strokes, people).predict(strokes) == people).all()


def test_variants_tell_people_apart():
    """Three people who hold keys for .06, .10 and .16 s; every variant that sees times."""
    rng = np.random.default_rng(5)
    people = np.tile(["a", "b", "c"], 16)
    parts = [
        recording("at an inn", np.cumsum(np.exp(rng.normal(-1.6, 0.3, 9))),
                  level * np.exp(rng.normal(0.0, 0.1, 9)))
        for level in np.tile([0.06, 0.10, 0.16], 16)
    ]  # fmt: skip
    early, late = joined(*parts[:36]), joined(*parts[36:])
    schedule = Schedule("adam", 3e-3, batch_size=12, epochs=10)
    for changes in ({}, {"population": False}, {"head": "lstm"}, {"characters": False}):
        how = {"schedule": schedule, "regularization": Regularization(0.2, 0.0, 0.0, 0.0, 0.0)}
        system = TemporalCharacters(**how, **changes).fit(early, people[:36])
        assert (system.predict(late) == people[36:]).mean() > 0.8, changes
    blind = TemporalCharacters(times=False, schedule=schedule).fit(early, people[:36])
    assert (blind.predict(late) == people[36:]).mean() < 0.6  # all of them type the same text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"head": "gru"}, "head must be one of 'transformer', 'lstm'"),
        ({"characters": False, "times": False}, "leave nothing to see"),
        ({"population": True, "times": False}, "it needs characters and times"),
        ({"population": "yes"}, "population must be True, False or None; got 'yes'"),
        ({"regularization": 0.1}, "regularization must be a Regularization; got 0.1"),
    ],
)
def test_errors(changes, message, typed):
    with pytest.raises(InvalidParameterError, match=message):
        TemporalCharacters(**changes).fit(*typed)


def test_times_of_people_in_general_are_seen_where_they_can_be(typed):
    def n_kinds(**changes):
        return TemporalCharacters(schedule=ONCE, **changes).fit(*typed).inputs_.center.size

    assert [n_kinds(), n_kinds(population=True), n_kinds(population=False)] == [5, 5, 3]
    assert n_kinds(times=False) == n_kinds(characters=False) == 3


def batch(n=3):
    """Three recordings of 6, 4 and 2 keystrokes in 3, 2 and 1 words of two."""
    size = torch.tensor([6, 4, 2])[:n]
    there = torch.arange(6) < size[:, None]
    keys = torch.where(there, torch.arange(2, 8), 0)
    first = torch.where(torch.arange(3) < size[:, None] // 2, 2 * torch.arange(3), -1)
    return keys, torch.ones(n, 6, 2) * there[:, :, None], size, first, first + (first >= 0).int()


@pytest.mark.parametrize("head", ["transformer", "lstm"])
def test_what_is_hidden_in_training(head):
    """With all but no share left every key is unknown and no word is read; not so afterwards."""
    all_but = float(np.nextafter(1.0, 0.0))
    how = Regularization(0.0, all_but, all_but, 0.0, 0.0)
    with seeded(0):
        network = CharacterNetwork(6, 2, 4, head=head, regularization=how)
        plain = CharacterNetwork(6, 2, 4, head=head, regularization=NOTHING)
    plain.load_state_dict(network.state_dict())
    given = batch()
    network.train()
    keys, times = network._disturbed(given[0], given[1])
    assert keys[0].tolist() == [1] * 6
    assert keys[2].tolist() == [1, 1, 0, 0, 0, 0]  # what lies past the end stays
    assert torch.equal(times, given[1])
    without = given[3].new_full((3, 1), -1)
    unread = plain(keys, *given[1:3], without, without)
    torch.testing.assert_close(network(*given), unread)
    network.eval()
    torch.testing.assert_close(network(*given), plain(*given))


def test_shares_that_are_hidden():
    how = Regularization(0.0, 0.25, 0.4, 0.5, 0.0)
    network = CharacterNetwork(6, 2, 4, regularization=how).train()
    with seeded(3):
        keys, times = network._disturbed(torch.full((400, 100), 3), torch.zeros(400, 100, 2))
        words = network._shown(torch.ones(400, 100, dtype=torch.bool))
    assert (keys == 1).float().mean() == pytest.approx(0.25, abs=0.01)  # sd .002
    assert (~words).float().mean() == pytest.approx(0.4, abs=0.01)
    assert times.std() == pytest.approx(0.5, abs=0.01)


def test_smoothed_loss_by_hand():
    """Of four people, a share .2 of the asked probability is spread over all."""
    from hawkeys.neural.characters import cross_entropy_of_recordings

    outputs = torch.tensor([[1.0, 0.0, -1.0, 0.5]])
    log = log_softmax(outputs[0].numpy())
    asked = np.array([0.05, 0.85, 0.05, 0.05])
    loss = cross_entropy_of_recordings(torch.ones(4), 0.2)
    found = loss(lambda x: x, outputs, torch.tensor([1]))
    assert float(found) == pytest.approx(-(asked * log).sum(), rel=1e-6)


@pytest.mark.parametrize("name", ["dropout", "hidden_keys", "hidden_words", "label_smoothing"])
def test_regularization_errors(name):
    with pytest.raises(InvalidParameterError, match=f"{name} must be a share below 1"):
        Regularization(**{name: 1.0})
    with pytest.raises(InvalidParameterError, match=f"{name} must be one number of at least 0"):
        Regularization(**{name: -0.1})
    with pytest.raises(InvalidParameterError, match="time_noise must be one number of at least 0"):
        Regularization(time_noise=-1.0)


@pytest.mark.parametrize("changes", [{}, {"head": "lstm", "population": False}, {"times": False}])
def test_saved_and_loaded(changes, typed, tmp_path):
    system = TemporalCharacters(schedule=ONCE, random_state=4, **changes).fit(*typed)
    system.save(tmp_path / "network.npz")
    with np.load(tmp_path / "network.npz", allow_pickle=False) as found:
        assert all(found[name].dtype != object for name in found)
    again = load_temporal_characters(tmp_path / "network.npz")
    assert again.get_params() == system.get_params()
    assert again.curve_ == system.curve_
    np.testing.assert_array_equal(again.predict(typed[0]), system.predict(typed[0]))
    np.testing.assert_array_equal(
        again.predict_log_proba(typed[0]), system.predict_log_proba(typed[0])
    )


def rewritten(path, **changes):
    with np.load(path) as found:
        arrays = {**found, **changes}
    np.savez(path, **{name: one for name, one in arrays.items() if one is not None})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": np.array(["x", "y", "z"])}, "edited or damaged: its checksum does not fit"),
        ({"settings": np.array("{}")}, "edited or damaged: its checksum does not fit"),
        ({"kind": np.array("head")}, "got one that says 'head'"),
        ({"digest": None}, "expected a hawkeys temporal characters 1; got one"),
    ],
)
def test_edited_files(change, message, fitted, tmp_path):
    fitted.save(tmp_path / "n.npz")
    rewritten(tmp_path / "n.npz", **change)
    with pytest.raises(TemplateFileError, match=message):
        load_temporal_characters(tmp_path / "n.npz")


def test_a_file_of_another_version(fitted, tmp_path):
    """Whole and unedited, but with a setting that is not known here."""
    from hawkeys.neural.files import read_network, write_network

    fitted.save(tmp_path / "n.npz")
    kind = "hawkeys temporal characters 1"
    settings, arrays = read_network(tmp_path / "n.npz", kind)
    write_network(tmp_path / "n.npz", kind, {**settings, "width": 3}, arrays)
    with pytest.raises(TemplateFileError, match=r"not a network of this version \(.*width"):
        load_temporal_characters(tmp_path / "n.npz")


def test_people_that_do_not_fit(typed):
    strokes, people = typed
    system = TemporalCharacters()
    with pytest.raises(InvalidParameterError, match=r"one person per recording, shape \(15,\)"):
        system.fit(strokes, people[:-1])
    with pytest.raises(InvalidParameterError, match="y names one person, 'a'"):
        system.fit(strokes, ["a"] * 15)
    with pytest.raises(InvalidParameterError, match="unless X is a Strokes record"):
        system.fit(recording("ab", [0, 1], 0.1))


def test_checkpoints(typed, tmp_path):
    told = []
    system = TemporalCharacters(schedule=replace(ONCE, epochs=2)).fit(*typed)
    runtime = replace(system.runtime, checkpoint=tmp_path, report=lambda *a: told.append(a))
    again = TemporalCharacters(schedule=replace(ONCE, epochs=2), runtime=runtime).fit(*typed)
    assert told == [("Temporal characters", 1, 2), ("Temporal characters", 2, 2)]
    assert again.curve_ == system.curve_
    assert (tmp_path / "Temporal-characters.npz").exists()


def test_a_checkpoint_of_another_regularisation(typed, tmp_path):
    """What is hidden, noise and smoothing are no layers, and yet settings of the training."""
    runtime = Runtime("cpu", tmp_path)
    TemporalCharacters(schedule=ONCE, runtime=runtime).fit(*typed)
    for name in ("hidden_keys", "hidden_words", "time_noise", "label_smoothing"):
        other = TemporalCharacters(
            schedule=ONCE, runtime=runtime, regularization=Regularization(**{name: 0.05})
        )
        with pytest.raises(InvalidParameterError, match="is the checkpoint of another training"):
            other.fit(*typed)
