"""Templates of fixed text, heads of 101 numbers, and codes compared by distance."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

torch = pytest.importorskip("torch", reason="networks need the extra [neural]")

from scipy.optimize import minimize

from hawkeys.exceptions import InvalidParameterError, InvalidTimingsError, TemplateFileError
from hawkeys.neural import (
    EmbeddingVerifier,
    HeadVerifier,
    NetworkTemplate,
    Schedule,
    acceptance_curve,
    equal_threshold,
    load_network_template,
)
from hawkeys.neural._nets.template import triplet_loss
from hawkeys.neural.template import steps_of
from hawkeys.verifiers import Scorer

QUICK = Schedule("adam", 5e-3, batch_size=32, epochs=6)


def typed(n_people, n_each=30, n_keys=6, seed=0):
    """Timing matrices of people with holds and flights of their own."""
    rng = np.random.default_rng(seed)
    holds = rng.normal(0.1, 0.03, (n_people, 1, n_keys)).clip(0.03)
    flights = rng.normal(0.2, 0.06, (n_people, 1, n_keys - 1)).clip(0.02)
    hold = holds * np.exp(rng.normal(0, 0.1, (n_people, n_each, n_keys)))
    flight = flights * np.exp(rng.normal(0, 0.1, (n_people, n_each, n_keys - 1)))
    out = np.empty((n_people, n_each, 3 * n_keys - 2))
    out[..., 0::3], out[..., 2::3] = hold, flight
    out[..., 1::3] = hold[..., :-1] + flight
    names = np.repeat([f"p{k}" for k in range(n_people)], n_each)
    return out.reshape(-1, out.shape[-1]), names


@pytest.fixture(scope="module")
def template():
    return NetworkTemplate(width=16, schedule=QUICK).fit(*typed(8))


@pytest.fixture(scope="module")
def stranger():
    """Ten samples to enrol and twenty of the same person, sixty of two others."""
    X, names = typed(3, seed=9)
    return X[:10], X[10:30], X[names != "p0"]


def test_steps():
    """Hold of a key and flight to the next, the last key dropped."""
    X = [[0.1, 0.3, 0.2, 0.15, 0.25, 0.1, 0.12]]
    np.testing.assert_allclose(steps_of(X), [[[0.1, 0.2], [0.15, 0.1]]], rtol=1e-6)


def test_a_head_verifies_and_is_101_numbers(template, stranger, tmp_path):
    own, later, others = stranger
    before = template.digest()
    weights = {name: one.clone() for name, one in template.encoder_.state_dict().items()}
    verifier = HeadVerifier(template).fit(own)
    assert isinstance(verifier, Scorer)
    assert verifier.head_.shape == (101,)
    genuine, impostor = verifier.score_samples(later), verifier.score_samples(others)
    assert np.median(genuine) > np.quantile(impostor, 0.9)
    verifier.save_head(tmp_path / "head.npz")
    with np.load(tmp_path / "head.npz", allow_pickle=False) as found:
        assert sum(one.size for one in found.values() if one.dtype.kind == "f") == 101
    again = HeadVerifier(template).load_head(tmp_path / "head.npz")
    np.testing.assert_array_equal(again.score_samples(later), genuine)
    # enrolment leaves the template as it was, bit for bit
    assert template.digest() == before
    assert all(torch.equal(template.encoder_.state_dict()[k], v) for k, v in weights.items())


def test_a_head_is_the_optimum_of_repeated_samples(template, stranger):
    """The ten samples repeated as often as there are negatives for each, by another optimiser."""
    own = template.transform(stranger[0])
    others = template.codes_  # 240: each of the ten counts 24 times
    n_total = len(others) + len(own)
    weight = n_total / 2

    def cost(head):
        genuine = own @ head[:-1] + head[-1]
        impostor = others @ head[:-1] + head[-1]
        lost = np.logaddexp(0, -genuine).mean() + np.logaddexp(0, impostor).mean()
        return 0.1 * weight * lost + 0.5 * head[:-1] @ head[:-1]

    wanted = minimize(cost, np.zeros(101), method="L-BFGS-B", options={"maxiter": 5000}).fun
    head = HeadVerifier(template, C=0.1).fit(stranger[0]).head_
    assert cost(head) == pytest.approx(wanted, rel=1e-4)


def test_background_of_ones_own(template, stranger):
    own, later, others = stranger
    verifier = HeadVerifier(template).fit(own, others)
    assert np.median(verifier.score_samples(later)) > np.median(verifier.score_samples(others))


def test_any_length(template):
    """Trained on six keys, it reads three and nine."""
    for n_keys in (3, 9):
        assert template.transform(typed(1, 4, n_keys)[0]).shape == (4, 100)


def test_saved_and_loaded(template, stranger, tmp_path):
    template.save(tmp_path / "template.npz")
    again = load_network_template(tmp_path / "template.npz")
    np.testing.assert_array_equal(again.transform(stranger[1]), template.transform(stranger[1]))
    assert again.digest() == template.digest()
    np.testing.assert_array_equal(
        HeadVerifier(again).fit(stranger[0]).head_, HeadVerifier(template).fit(stranger[0]).head_
    )


def rewritten(path, **changes):
    with np.load(path) as found:
        arrays = {**found, **changes}
    np.savez(path, **{name: one for name, one in arrays.items() if one is not None})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codes": np.zeros((3, 100))}, "edited or damaged: its checksum does not fit"),
        ({"width": np.array(17)}, r"the weights are not those of a template \(.+\). Save it anew"),
        ({"loss": np.array("none")}, "loss must be one of"),
        ({"kind": np.array("head")}, "got one that says 'head'"),
        ({"codes": None}, "expected a hawkeys network template 1; got one"),
    ],
)
def test_edited_templates(change, message, template, tmp_path):
    template.save(tmp_path / "t.npz")
    rewritten(tmp_path / "t.npz", **change)
    with pytest.raises(TemplateFileError, match=message):
        load_network_template(tmp_path / "t.npz")


def test_files_that_are_none(template, stranger, tmp_path):
    path = tmp_path / "head.npz"
    for content in (b"", b"text", b"PK\x03\x04 cut"):
        path.write_bytes(content)
        with pytest.raises(TemplateFileError, match="expected a file of a hawkeys network head"):
            HeadVerifier(template).load_head(path)
    HeadVerifier(template).fit(stranger[0]).save_head(path)
    other = NetworkTemplate(width=4, schedule=QUICK, random_state=1).fit(*typed(3))
    with pytest.raises(TemplateFileError, match="the head belongs to another template"):
        HeadVerifier(other).load_head(path)
    rewritten(path, head=np.zeros(100))
    with pytest.raises(TemplateFileError, match=r"expected 101 finite numbers.*shape \(100,\)"):
        HeadVerifier(template).load_head(path)


@pytest.mark.parametrize("loss", ["contrastive", "triplet"])
def test_codes_of_one_person_lie_together(loss, stranger):
    own, later, others = stranger
    template = NetworkTemplate(loss, width=16, schedule=QUICK).fit(*typed(8))
    np.testing.assert_allclose(np.linalg.norm(template.codes_, axis=1), 1.0, atol=1e-5)
    for n in (1, 10):
        verifier = EmbeddingVerifier(template).fit(own[:n])
        assert isinstance(verifier, Scorer)
        genuine, impostor = verifier.score_samples(later), verifier.score_samples(others)
        assert np.median(genuine) > np.quantile(impostor, 0.9)
    codes = template.transform(later) - template.transform(own).mean(axis=0)
    np.testing.assert_allclose(verifier.score_samples(later), -np.sqrt((codes**2).sum(axis=1)))


def test_triplets_by_hand():
    """On a line: 0 and 3 are one person's, 1 and 7 another's, 2 alone."""
    points = torch.tensor([[0.0], [3.0], [1.0], [7.0], [2.0]], dtype=torch.float64)
    labels = torch.tensor([0, 0, 1, 1, 2])
    each = [3 - 1, 3 - 1, 6 - 1, 6 - 4]  # farthest positive less nearest negative
    wanted = np.mean([one + 0.2 for one in each])
    assert triplet_loss(points, labels).item() == pytest.approx(wanted)
    assert triplet_loss(points, torch.arange(5)).item() == 0.0
    points.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: triplet_loss(x, labels), points)


def test_acceptance_by_hand():
    """Two people, of whom the second has more samples and no more weight."""
    odds = np.log(np.array([0.2, 0.6]) / (1 - np.array([0.2, 0.6])))
    curve = acceptance_curve([odds, [9.0] * 8], [[-9.0], odds], [0.1, 0.5, 0.9])
    np.testing.assert_allclose(curve["genuine_accepted"], [1.0, 0.75, 0.5])
    np.testing.assert_allclose(curve["impostor_accepted"], [0.5, 0.25, 0.0])
    assert equal_threshold(curve) == 0.5
    assert len(acceptance_curve([odds], [odds])) == 201


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: NetworkTemplate("hinge").fit(*typed(2)), "loss must be one of"),
        (lambda t: NetworkTemplate(dropout=1.0).fit(*typed(2)), "dropout must be below 1; got 1.0"),
        (lambda t: NetworkTemplate().fit(*typed(1)), "y names one person, 'p0'"),
        (lambda t: NetworkTemplate().fit(typed(2)[0], ["a"]), r"shape \(60,\); got shape \(1,\)"),
        (lambda t: EmbeddingVerifier(t).fit(typed(1)[0]), "loss contrastive or triplet; got"),
        (
            lambda t: HeadVerifier("t").fit(typed(1)[0]),
            "NetworkTemplate with loss softmax; got 't'",
        ),
        (lambda t: HeadVerifier(t, C=0).fit(typed(1)[0]), "C must be one positive number"),
        (lambda t: acceptance_curve([[1.0]], []), "one array per person.*got 1 and 0"),
        (lambda t: acceptance_curve([[1.0]], [[]]), r"impostor\[0\] is empty"),
    ],
)
def test_errors(call, message, template):
    with pytest.raises(InvalidParameterError, match=message):
        call(template)


def test_one_key_and_no_fit(template):
    with pytest.raises(InvalidTimingsError, match="samples of one key"):
        template.transform([[0.1]])
    for verifier in (HeadVerifier(template), EmbeddingVerifier(template)):
        with pytest.raises(NotFittedError):
            verifier.score_samples(typed(1)[0])
    with pytest.raises(NotFittedError):
        HeadVerifier(NetworkTemplate()).fit(typed(1)[0])
