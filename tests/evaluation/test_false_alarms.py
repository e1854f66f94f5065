"""Genuine typists alone: rejected samples, counted again by hand."""

import numpy as np
import pytest

from hawkeys.datasets import load_demo
from hawkeys.evaluation import Protocol, evaluate, false_alarm_rates
from hawkeys.exceptions import HawkeysWarning, InvalidParameterError
from hawkeys.verifiers import Manhattan, OneClassVerifier

DATA = load_demo(n_subjects=2)


class Picky(OneClassVerifier):
    """Cannot be trained for the second typist of the demo."""

    def _learn(self, samples):
        if samples[0, 0] == DATA.timings().to_numpy()[400, 0]:
            raise ValueError("not this one.")

    def _score(self, samples):
        return -samples[:, 0]


def test_rejected_samples_are_counted():
    rules = Protocol("own", 100, 0.25, policies=("resubstitution", "leave-one-session-out"))
    seen = []
    table = false_alarm_rates(
        {"m": Manhattan(false_alarm=0.2)}, DATA, protocol=rules, progress=lambda *a: seen.append(a)
    )
    assert table["policy"].tolist() == ["own", *rules.policies] * 2
    for k, name in enumerate(DATA.subjects):
        X = DATA.timings().to_numpy()[DATA.subject == name]
        center = X[:100].mean(axis=0)
        own = np.sort(np.abs(X[:100] - center).sum(axis=1))[::-1]
        test = np.abs(X[100:200] - center).sum(axis=1)
        row = table.iloc[3 * k]
        assert (row["subject"], row["n_train"], row["n_genuine"]) == (name, 100, 100)
        # of 100 training samples 19 and 4 lie beyond, see resubstitution_threshold
        assert row["n_false_alarm"] == (test > own[19]).sum()
        assert row["false_alarm"] == row["n_false_alarm"] / 100
        at_5 = table.iloc[3 * k + 1]
        assert at_5["n_false_alarm"] == (test > own[4]).sum()
    assert seen[-1] == ("Training and scoring subjects", 2, 2)


def test_a_typist_who_cannot_be_trained_for_is_named():
    with pytest.warns(HawkeysWarning, match="'picky', subject 'demo02': not this one. These rows"):
        table = false_alarm_rates({"picky": Picky()}, DATA)
    assert set(table["subject"]) == {"demo01"}
    with pytest.raises(InvalidParameterError, match=r"not this one.* No verifier is left"):
        false_alarm_rates({"picky": Picky()}, DATA[DATA.subject == "demo02"])


def test_an_evaluation_needs_impostors():
    rules = Protocol("own", 100, 100, impostors="none")
    with pytest.raises(InvalidParameterError, match=r"has no impostor.*Call false_alarm_rates"):
        evaluate({"m": Manhattan()}, DATA, protocol=rules)
    text = rules.describe(DATA[DATA.subject == "demo01"])
    assert text.startswith("demo01 is the genuine typist: repetitions 1-100")
    assert "Nobody plays the impostor, so that only false alarms can be counted." in text
    assert "EER" not in text
