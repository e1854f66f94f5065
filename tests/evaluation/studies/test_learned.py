"""How many numbers a fitted system holds."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hawkeys.datasets import load_demo, simulate_keyed_text
from hawkeys.evaluation.studies.learned import count_learned, uses
from hawkeys.verifiers import MarkedRenewal, Needs, ScaledManhattan

X = np.random.default_rng(0).normal(size=(40, 3))


class Held:
    """Arrays in lists, mappings and objects, one of them twice."""

    def __init__(self):
        array = np.arange(6.0)
        self.parts = [array, {"again": array, "other": np.arange(2)}, 1.5]
        self.name, self.flag, self.nothing = "some text", True, None
        self.words = np.array(["a", "b"])
        self.curve_ = np.arange(100)
        self.inside = type("Inside", (), {})()
        self.inside.values = (np.arange(3), self)


def test_every_number_counts_once():
    assert count_learned(Held()) == 6 + 2 + 1 + 3


def test_settings_do_not_count_and_steps_of_a_pipeline_do():
    plain = LogisticRegression(C=2.0)
    assert count_learned(plain) == 0
    fitted = plain.fit(X, X[:, 0] > 0)
    learned = 3 + 1 + 1  # coefficients, intercept, number of steps
    assert count_learned(fitted) == learned
    steps = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, X[:, 0] > 0)
    scaler = 3 * 3 + 1  # mean, variance, scale; samples seen
    assert count_learned(steps) == learned + scaler


def test_a_verifier_of_means_holds_two_numbers_for_each_column():
    samples = load_demo().timings().to_numpy()[:20]
    verifier = ScaledManhattan().fit(samples)
    size = samples.shape[1]
    assert count_learned(verifier) == 2 * size + 1  # and the threshold


def test_laws_of_several_people_grow_with_the_people():
    few, many = (simulate_keyed_text(n, n_sessions=3) for n in (3, 6))
    counts = [count_learned(MarkedRenewal().fit(one)) for one in (few, many)]
    assert counts[1] == pytest.approx(2 * counts[0], rel=0.3)


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        (Needs("event times", holds=False, keys=False, background=True), "other people"),
        (Needs("free text", holds=True, keys=True, background=False), "holds, keys"),
        (Needs("event times", holds=False, keys=False, background=False), "times alone"),
        (None, ""),
    ],
)
def test_needs_in_words(needs, said):
    assert uses(needs) == said
