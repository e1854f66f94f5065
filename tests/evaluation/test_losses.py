"""Typists whom a verifier cannot be trained for, and typists with few tests."""

import numpy as np
import pytest

from hawkeys.datasets import load_demo
from hawkeys.evaluation import Protocol, Run, evaluate
from hawkeys.evaluation.losses import Loss, loss_note
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import Manhattan, OneClassVerifier

DEMO = load_demo(n_subjects=4, n_sessions=1)
FIRST = DEMO.timings().to_numpy()[0]
QUICK = Protocol("quick", n_train=30, n_genuine=20)


class Choosy(OneClassVerifier):
    """Cannot be trained on the samples of the first typist, or gives NaN for them."""

    def __init__(self, *, how="refuse", false_alarm=0.05):
        super().__init__(false_alarm=false_alarm)
        self.how = how

    def _learn(self, samples):
        self.first_ = bool((samples == FIRST).all(axis=1).any())
        if self.how == "everybody" or (self.how == "refuse" and self.first_):
            raise InvalidParameterError("an interval is 0 s. Give the clock.")
        self.center_ = samples.mean(axis=0)

    def _score(self, samples):
        scores = -np.abs(samples - self.center_).sum(axis=1)
        return (
            scores + np.nan if self.how == "nan" and self.first_ and len(samples) == 20 else scores
        )


def run(how, **options):
    verifiers = {"choosy": Choosy(how=how), "manhattan": Manhattan()}
    return evaluate(verifiers, DEMO, protocol=QUICK, n_bootstrap=20, **options)


@pytest.mark.parametrize("how", ["refuse", "nan"])
def test_a_typist_is_lost_and_not_the_others(how, tmp_path):
    result = run(how)
    counts = result.to_frame().groupby("verifier").size()
    assert counts.to_dict() == {"choosy": 3, "manhattan": 4}
    assert result.summary()["n_subjects"].to_dict() == {"choosy": 3, "manhattan": 4}
    lost = result.lost_frame()
    assert lost[["verifier", "subject"]].to_numpy().tolist() == [["choosy", DEMO.subjects[0]]]
    whole = evaluate({"manhattan": Manhattan()}, DEMO, protocol=QUICK, n_bootstrap=20)
    assert result.only(["manhattan"]).lost == ()
    assert result.only(["manhattan"]).to_frame().equals(whole.to_frame())
    words = "choosy has no row for 1 subject (demo01), for whom it could not be trained"
    assert words in result.notice
    assert words.split()[0] in str(result)
    assert lost["reason"][0] in result.notice
    assert result.compare("eer")["n_subjects"].tolist() == [3]


@pytest.mark.usefixtures("no_pictures")
def test_the_report_names_who_is_lost(tmp_path):
    path = run("refuse").report(tmp_path)
    page = path.read_text(encoding="utf-8")
    assert "choosy has no row for 1 subject (demo01)" in page
    assert "an interval is 0 s. Give the clock." in page
    text = (tmp_path / "lost.csv").read_text(encoding="utf-8")
    assert text.splitlines() == [
        "verifier,subject,reason",
        "choosy,demo01,an interval is 0 s. Give the clock.",
    ]


def test_a_loss_is_kept_on_disk(tmp_path):
    first = run("refuse", run=Run(checkpoint=tmp_path))
    again = run("refuse", run=Run(checkpoint=tmp_path))
    assert again.lost == first.lost
    assert again.to_frame().equals(first.to_frame())


def test_a_verifier_lost_for_everybody_is_an_error():
    with pytest.raises(
        InvalidParameterError, match=r"'choosy', subject 'demo01': an interval is 0 s.*any of the 4"
    ):
        run("everybody")


def test_many_losses_are_counted():
    note = loss_note([Loss("v", f"s{k}", "Too short.") for k in range(7)])
    assert "no row for 7 subjects (s0, s1, s2, s3, s4 and 2 more)" in note
    assert note.endswith("s0: Too short.")
    assert loss_note([]) == ""


@pytest.mark.parametrize(("n_genuine", "few"), [(19, True), (20, False)])
def test_fewer_than_twenty_tests_are_said(n_genuine, few):
    protocol = Protocol("few", n_train=30, n_genuine=n_genuine)
    result = evaluate({"manhattan": Manhattan()}, DEMO, protocol=protocol, n_bootstrap=20)
    words = "With 19 genuine tests a subject none can be rejected at 5 % false alarms"
    assert (words in result.protocol_text) is few
    told = "is the one with no genuine test rejected for every subject: one rejected of fewer than"
    assert (told in result.notice) is few
    assert ("no genuine test" in str(result)) is few
    # and it is so: the miss rate is that of the lowest genuine score
    one = result.outcomes[0]
    lowest = (one.impostor >= one.genuine.min()).mean()
    if few:
        assert one.miss_rate == pytest.approx(lowest, abs=0.05)


def test_own_thresholds_of_few_samples_are_called_so():
    text = Protocol("few", n_train=10, n_genuine=20).describe(DEMO)
    assert "its training samples alone (each judged by the others)" in text
    assert "(resubstitution)" in Protocol("many", n_train=30, n_genuine=20).describe(DEMO)
