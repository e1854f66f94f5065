"""The contrastive network: its size, its loss by hand, its phases."""

from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
import pytest
from sklearn.base import clone

torch = pytest.importorskip("torch", reason="networks need the extra [neural]")

from hawkeys.exceptions import InvalidParameterError, InvalidTimingsError, TemplateFileError
from hawkeys.neural import (
    REPAIRED_RECIPE,
    SEED_RECIPE,
    VARIANTS,
    ContrastiveClassifier,
    Recipe,
    Schedule,
    load_contrastive_classifier,
)
from hawkeys.neural._nets.contrastive import Encoder, Inception, Residual, WithHead, supcon_loss
from hawkeys.neural._nets.layers import n_parameters
from hawkeys.verifiers import Identifier, Needs

ONCE = Schedule("adam", 1e-3, batch_size=8, epochs=1)
TINY = Recipe("log-intervals", ONCE, replace(ONCE, epochs=12), replace(ONCE, epochs=2))


@pytest.fixture(scope="module")
def typed():
    """Intervals of two people with paces of their own, 24 samples each of 6."""
    rng = np.random.default_rng(0)
    level = np.repeat([-2.0, -1.2], 24)[:, None]
    return np.exp(rng.normal(level, 0.3, (48, 6))), np.repeat(["ann", "bob"], 24)


@pytest.fixture(scope="module")
def fitted(typed):
    return ContrastiveClassifier(TINY).fit(*typed)


def test_parameter_counts(fitted):
    assert fitted.n_parameters_ == {"encoder": 2_879_600, "projection": 65_664, "head": 75_410}


def test_a_block_doubles_time_and_a_residual_one_does_not():
    x = torch.zeros(3, 2, 7)
    assert Inception(2, 5)(x).shape == (3, 5, 14)
    assert Residual(2, 5)(x).shape == (3, 5, 7)


@pytest.mark.parametrize(
    ("recurrent", "block"), list(product([True, False], ["inception", "residual"]))
)
def test_codes_of_every_variant(recurrent, block):
    encoder = Encoder(recurrent=recurrent, block=block)
    for length in (16, 30):
        assert encoder(torch.rand(4, length)).shape == (4, 512 if recurrent else 256)


def test_pieces_of_time_are_summed():
    """Before the LSTMs: what the blocks give at t, T + t, ..., 7 T + t, added by hand."""
    torch.manual_seed(0)
    encoder = Encoder(recurrent=False).eval()
    x = torch.rand(2, 5)
    whole = encoder.blocks(x[:, None, :])
    assert whole.shape == (2, 256, 40)
    pieces = sum(whole[:, :, 5 * k : 5 * k + 5] for k in range(8))
    torch.testing.assert_close(encoder(x), pieces.mean(dim=2))


def test_start_of_the_layers():
    encoder = Encoder()
    lstm = encoder.first
    for gate in lstm.weight_hh_l0.detach().split(256):
        torch.testing.assert_close(gate @ gate.T, torch.eye(256), atol=1e-4, rtol=0.0)
    bias = (lstm.bias_ih_l0 + lstm.bias_hh_l0).detach().split(256)
    assert [float(gate.mean()) for gate in bias] == [0.0, 1.0, 0.0, 0.0]  # input, forget, ...
    norm = encoder.first_norm
    assert (norm.eps, norm.momentum) == (1e-3, 0.01)


def test_loss_by_hand():
    """Three samples of one person and one of another, similarities written out."""
    points = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0], [1.0, 1.0]], dtype=torch.float64)
    labels = torch.tensor([0, 0, 0, 1])
    tau, r = 0.5, np.sqrt(0.5)
    e01, e02, e03 = (np.exp(s / tau) for s in (0.0, 0.6, r))
    e12, e13, e23 = (np.exp(s / tau) for s in (0.8, r, 1.4 * r))
    first = np.log(e01 / (e01 + e02 + e03)) + np.log(e02 / (e01 + e02 + e03))
    second = np.log(e01 / (e01 + e12 + e13)) + np.log(e12 / (e01 + e12 + e13))
    third = np.log(e02 / (e02 + e12 + e23)) + np.log(e12 / (e02 + e12 + e23))
    # the fourth has no other sample of its person and is no anchor
    wanted = -(first / 2 + second / 2 + third / 2) / 3
    assert float(supcon_loss(points, labels, tau)) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("size", [4, 16])
def test_collapsed_points(size):
    points, labels = torch.ones(size, 3, dtype=torch.float64), torch.arange(size) % 2
    assert float(supcon_loss(points, labels)) == pytest.approx(np.log(size - 1))
    assert float(supcon_loss(points, labels, include_self=True)) == pytest.approx(np.log(size))


def test_slope_of_the_loss():
    rng = torch.Generator().manual_seed(0)
    points = torch.randn(5, 3, dtype=torch.float64, generator=rng, requires_grad=True)
    labels = torch.tensor([0, 1, 0, 1, 2])
    for own in (False, True):
        loss = partial(supcon_loss, labels=labels, temperature=0.3, include_self=own)
        assert torch.autograd.gradcheck(loss, points)


def test_no_positive_at_all_is_no_loss():
    points = torch.rand(3, 2, requires_grad=True)
    loss = supcon_loss(points, torch.arange(3))
    loss.backward()
    assert loss.item() == 0.0
    assert not points.grad.any()


def test_the_second_phase_leaves_the_encoder_as_it_is(typed, monkeypatch):
    """Bit for bit, running statistics too."""
    X, y = typed
    seen = {}
    train_head = ContrastiveClassifier._train_head

    def spy(self, *given):
        seen["before"] = {k: v.clone() for k, v in self.encoder_.state_dict().items()}
        head = self.head_[0].weight.clone()
        out = train_head(self, *given)
        seen["head moved"] = not torch.equal(head, self.head_[0].weight)
        return out

    monkeypatch.setattr(ContrastiveClassifier, "_train_head", spy)
    system = ContrastiveClassifier(TINY, recurrent=False).fit(X, y)
    system.predict(X)
    after = system.encoder_.state_dict()
    assert seen["head moved"]
    assert after.keys() == seen["before"].keys()
    assert all(torch.equal(after[name], one) for name, one in seen["before"].items())


def test_it_learns_and_follows_the_protocol(fitted, typed):
    X, y = typed
    assert isinstance(fitted, Identifier)
    assert fitted.needs == Needs("event times", holds=False, keys=False, background=True)
    log = fitted.predict_log_proba(X)
    np.testing.assert_allclose(np.exp(log).sum(axis=1), 1.0, atol=1e-6)
    assert (fitted.predict(X) == y).mean() > 0.9
    assert len(fitted.curves_["encoder"]) == 1
    assert fitted.curves_["head"][-1] < fitted.curves_["head"][0]


def test_the_same_seed_gives_the_same_numbers(typed):
    X, y = typed
    system = ContrastiveClassifier(TINY, phases=1, recurrent=False, random_state=3)
    state = torch.random.get_rng_state()
    one = clone(system).fit(X, y).predict_log_proba(X)
    assert torch.equal(torch.random.get_rng_state(), state)  # the caller's draws are left alone
    torch.rand(5)
    np.testing.assert_array_equal(clone(system).fit(X, y).predict_log_proba(X), one)
    other = clone(system).set_params(random_state=4).fit(X, y).predict_log_proba(X)
    assert np.abs(other - one).max() > 1e-3


def test_what_the_network_sees(typed):
    X, y = typed
    recipe = replace(TINY, input="times", encoder=ONCE, head=ONCE)
    seen = ContrastiveClassifier(recipe, recurrent=False).fit(X, y)._input(X[:1])
    np.testing.assert_allclose(seen, [np.cumsum(X[0]) * 1e4], rtol=1e-6)
    log = ContrastiveClassifier(TINY, phases=1, recurrent=False).fit(X, y)._input(X)
    assert log.mean() == pytest.approx(0.0, abs=1e-6)
    assert log.std() == pytest.approx(1.0, abs=1e-6)


def test_variants_are_cut_as_published():
    """Length and step back whose counts of slices are the published ones (test_event_times.py)."""
    cuts = {name: (one.length, one.step_back) for name, one in VARIANTS.items()}
    assert cuts.pop("length 16") == (16, 8)
    assert cuts.pop("no overlap") == (30, 0)
    assert set(cuts.values()) == {(30, 15)}


@pytest.mark.parametrize("name", list(VARIANTS))
def test_variants_run(name):
    """Each once on few samples of its own length."""
    variant = VARIANTS[name]
    rng = np.random.default_rng(1)
    X, y = np.exp(rng.normal(-2.0, 0.4, (8, variant.length))), np.repeat(["a", "b"], 4)
    system = ContrastiveClassifier(
        Recipe("log-intervals", ONCE, ONCE, ONCE), phases=variant.phases,
        recurrent=variant.recurrent, block=variant.block,
    )  # fmt: skip
    assert np.isfinite(system.fit(X, y).predict_log_proba(X)).all()
    assert set(system.curves_) == ({"together"} if name == "one phase" else {"encoder", "head"})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"phases": 3}, "phases must be 1 or 2; got 3"),
        ({"block": "dense"}, "block must be one of 'inception', 'residual'"),
        (
            {"recipe": "repaired"},
            "recipe must be a Recipe, such as REPAIRED_RECIPE; got 'repaired'",
        ),
        ({"random_state": -1}, "random_state must be at least 0"),
    ],
)
def test_errors(given, message, typed):
    with pytest.raises(InvalidParameterError, match=message):
        ContrastiveClassifier(**given).fit(*typed)


def test_another_length_is_refused(fitted, typed):
    with pytest.raises(InvalidParameterError, match=r"X has 5 intervals.*trained on 6"):
        fitted.predict_log_proba(typed[0][:, :5])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"input": "raw"}, "input must be one of 'log-intervals', 'times'"),
        ({"temperature": 0.0}, "temperature must be one positive number"),
    ],
)
def test_recipes_that_are_none(fields, message):
    with pytest.raises(InvalidParameterError, match=message):
        replace(REPAIRED_RECIPE, **fields)
    assert SEED_RECIPE.include_self


def test_heads_stand_on_one_encoder():
    encoder = Encoder()
    assert n_parameters(encoder) == 2_879_600
    assert WithHead.projecting(encoder).encoder is WithHead.classifying(encoder, 2).encoder


@pytest.mark.parametrize(
    "changes", [{}, {"phases": 1, "recurrent": False, "block": "residual", "random_state": 2}]
)
def test_saved_and_loaded(changes, typed, tmp_path):
    system = ContrastiveClassifier(TINY, **changes).fit(*typed)
    system.save(tmp_path / "network.npz")
    with np.load(tmp_path / "network.npz", allow_pickle=False) as found:
        assert all(found[name].dtype != object for name in found)
    again = load_contrastive_classifier(tmp_path / "network.npz")
    assert again.get_params() == system.get_params()
    assert (again.curves_, again.n_parameters_) == (system.curves_, system.n_parameters_)
    np.testing.assert_array_equal(
        again.predict_log_proba(typed[0]), system.predict_log_proba(typed[0])
    )


def test_files_that_are_none(fitted, typed, tmp_path):
    path = tmp_path / "network.npz"
    fitted.save(path)
    with np.load(path) as found:
        arrays = {**found}
    arrays["head/0.weight"] = arrays["head/0.weight"] + 1.0
    np.savez(path, **arrays)
    with pytest.raises(TemplateFileError, match="edited or damaged: its checksum does not fit"):
        load_contrastive_classifier(path)
    path.write_bytes(b"text")
    with pytest.raises(TemplateFileError, match="expected a file of a hawkeys contrastive"):
        load_contrastive_classifier(path)
    labels = np.array(["ann", "bob"], dtype=object).repeat(24)
    with pytest.raises(InvalidParameterError, match="classes holds Python objects"):
        ContrastiveClassifier(TINY, recurrent=False).fit(typed[0], labels).save(path)


def test_published_times_may_coincide_and_logarithms_may_not(typed):
    X, y = typed[0].copy(), typed[1]
    X[3, 2] = 0.0
    recipe = replace(TINY, input="times", encoder=ONCE, head=ONCE)
    fitted = ContrastiveClassifier(recipe, recurrent=False).fit(X, y)
    assert np.isfinite(fitted.predict_log_proba(X)).all()
    with pytest.raises(InvalidTimingsError, match="interval 2 of sample 3 is 0 s"):
        ContrastiveClassifier(TINY, recurrent=False).fit(X, y)
