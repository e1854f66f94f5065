"""What thresholds achieve: by policy, against counting by hand; on CMU, near the aim."""

import pytest

from hawkeys.evaluation import PROTOCOLS, Protocol, evaluate
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import (
    THRESHOLD_POLICIES,
    HeldOutThreshold,
    Manhattan,
    ScaledManhattan,
)

RULES = Protocol("quick", n_train=110, n_genuine=90, n_impostor=6, policies=THRESHOLD_POLICIES)


@pytest.fixture(scope="module")
def evaluation(demo):
    verifiers = {"m": Manhattan(), "s": ScaledManhattan()}
    return evaluate(verifiers, demo, protocol=RULES, n_bootstrap=100, false_alarm=0.1)


def test_each_row_is_the_held_out_threshold_counted_by_hand(evaluation, demo):
    table = evaluation.policy_table()
    assert len(table) == 2 * len(demo.subjects) * len(THRESHOLD_POLICIES)
    timings = demo.timings().to_numpy()
    split = RULES.split(demo)[2]
    for policy in THRESHOLD_POLICIES:
        verifier = HeldOutThreshold(Manhattan(), policy=policy, false_alarm=0.1)
        verifier.fit(timings[split.train], sessions=demo.session[split.train])
        row = table[
            (table["verifier"] == "m")
            & (table["subject"] == split.subject)
            & (table["policy"] == policy)
        ].iloc[0]
        assert row["threshold"] == verifier.offset_
        assert row["achieved_false_alarm"] == (verifier.predict(timings[split.genuine]) < 0).mean()
        assert row["achieved_miss"] == (verifier.predict(timings[split.impostor]) > 0).mean()


def test_the_summary_is_the_mean_and_the_worst(evaluation):
    rates = evaluation.achieved_rates()
    rows = evaluation.policy_table().query("verifier == 's' and policy == 'prequential'")
    row = rates.loc[("s", "prequential")]
    assert row["achieved_miss"] == pytest.approx(rows["achieved_miss"].mean(), rel=1e-12)
    assert row["achieved_miss_worst"] == rows["achieved_miss"].max()
    assert row["achieved_miss_lower"] <= row["achieved_miss"] <= row["achieved_miss_upper"]
    assert row["n_subjects"] == 6
    assert list(rates.index[:4]) == [("m", policy) for policy in THRESHOLD_POLICIES]


class Slow(Manhattan):
    """Says that it is too slow for a fit per sample."""

    slow_to_fit = True


def test_a_slow_verifier_has_no_leave_one_out(demo):
    table = evaluate({"slow": Slow()}, demo, protocol=RULES, n_bootstrap=10).policy_table()
    assert set(table["policy"]) == set(THRESHOLD_POLICIES) - {"leave-one-out"}


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        (("jackknife",), "policies must be one of 'resubstitution'"),
        (("prequential", "prequential"), "policies must differ from each other"),
    ],
)
def test_unknown_or_repeated_policies_are_refused(policies, message):
    with pytest.raises(InvalidParameterError, match=message):
        Protocol("p", policies=policies)


def test_published_protocols_use_resubstitution():
    assert {rules.policies for rules in PROTOCOLS.values()} == {("resubstitution",)}
