"""Sessions one after the other: who is judged by which template, and what is learned."""

import math

import numpy as np
import pytest
from sklearn.base import clone

from hawkeys.evaluation import Protocol, evaluate_updating, summarise_updating
from hawkeys.evaluation.studies.updating import _in_turn
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import Manhattan, ScaledManhattan, UpdatingVerifier

PROTOCOL = Protocol("quick", n_train=60, n_genuine=75, n_impostor=4)
VERIFIERS = {
    "plain": ScaledManhattan(),
    "none": UpdatingVerifier(ScaledManhattan(), policy="none"),
    "confirmed": UpdatingVerifier(ScaledManhattan(), policy="confirmed", every=2),
    "self": UpdatingVerifier(ScaledManhattan(), policy="self"),
}


@pytest.fixture(scope="module")
def table(demo):
    return evaluate_updating(VERIFIERS, demo, protocol=PROTOCOL, batch=7, attacks=2)


def test_one_row_per_verifier_subject_and_session(table, demo):
    assert list(dict.fromkeys(table["verifier"])) == list(VERIFIERS)
    # repetitions 61-135 lie in sessions 2 (40 of them) and 3
    assert len(table) == len(VERIFIERS) * len(demo.subjects) * 2
    assert table.groupby("session")["n_genuine"].unique().map(list).to_dict() == {2: [40], 3: [35]}
    assert (table["n_impostor"] == 4 * (len(demo.subjects) - 1)).all()


def test_what_does_not_learn_stays_as_it_was(table):
    parts = dict(iter(table.drop(columns="verifier").groupby(table["verifier"])))
    assert parts["plain"].reset_index(drop=True).equals(parts["none"].reset_index(drop=True))
    assert (parts["none"]["n_learned"] == 0).all()


def test_confirmation_lets_in_the_typist_only(table):
    confirmed = table[table["verifier"] == "confirmed"]
    assert (confirmed["n_impostor_learned"] == 0).all()
    # every second one, counted over both sessions
    assert confirmed.groupby("subject")["n_learned"].agg(list).tolist() == [[20, 17]] * 6


def test_rates_are_those_of_a_loop(table, demo):
    """One subject and the policy "self" once more, sample by sample."""
    split = PROTOCOL.split(demo)[1]
    timings = demo.timings().to_numpy()
    verifier = clone(VERIFIERS["self"]).fit(timings[split.train])
    impostors = [timings[row] for row in split.impostor]
    stride = next(k for k in range(8, 20) if math.gcd(k, len(impostors)) == 1)
    attack = 0
    for session, rows in ((2, split.genuine[:40]), (3, split.genuine[40:])):
        misses = sum(verifier.predict([sample])[0] == 1 for sample in impostors)
        alarms = learned = 0
        for start in range(0, len(rows), 7):
            group = timings[rows[start : start + 7]]
            alarms += sum(verifier.predict([sample])[0] == -1 for sample in group)
            before = verifier.n_learned_
            verifier.partial_fit(group)
            pair = [impostors[(attack + k) * stride % len(impostors)] for k in range(2)]
            verifier.partial_fit(np.array(pair))
            learned += verifier.n_learned_ - before
            attack += 2
        own = table[(table["verifier"] == "self") & (table["subject"] == split.subject)]
        row = own.set_index("session").loc[session]
        assert (row["n_miss"], row["n_false_alarm"]) == (misses, alarms)
        assert row["n_learned"] == learned


def test_the_summary_is_the_mean_over_subjects(table):
    summary = summarise_updating(table)
    rows = table.query("verifier == 'self' and session == 3")
    assert summary.loc[("self", 3), "false_alarm"] == pytest.approx(
        np.mean(rows["n_false_alarm"] / 35)
    )
    assert summary.loc[("self", 3), "n_subjects"] == 6
    assert list(summary.index.get_level_values("verifier"))[::2] == list(VERIFIERS)


def test_two_processes_give_the_same(table, demo):
    two = evaluate_updating(VERIFIERS, demo, protocol=PROTOCOL, batch=7, attacks=2, n_jobs=2)
    assert two.equals(table)


def test_every_impostor_has_a_turn():
    for total in (1, 2, 20, 250, 1600):
        assert sorted(_in_turn(5, total, total)) == list(range(total))


@pytest.mark.parametrize(("name", "value"), [("batch", 0), ("attacks", -1)])
def test_counts_are_checked(demo, name, value):
    with pytest.raises(InvalidParameterError, match=rf"{name} must be at least"):
        evaluate_updating({"m": Manhattan()}, demo, protocol=PROTOCOL, **{name: value})
