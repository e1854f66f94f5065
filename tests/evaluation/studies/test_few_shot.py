"""Few samples of fixed text: who is new, what is scored, rates one by one, costs."""

import numpy as np
import pytest

from hawkeys.datasets import Strokes, Tally, load_demo, user_folds
from hawkeys.evaluation import (
    FewShotScores,
    equal_error_rate,
    equal_error_threshold,
    few_shot_networks,
    few_shot_rates,
    few_shot_systems,
    score_few_shot,
)
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import MarkedRenewalVerifier, ScaledManhattan


@pytest.fixture(scope="module")
def demo():
    """Eight people, two sessions of 25 samples each."""
    whole = load_demo()
    kept = np.isin(whole.subject, whole.subjects[:8]) & (whole.repetition <= 25)
    return whole[kept & np.isin(whole.session, np.unique(whole.session)[:2])]


def test_who_is_scored(demo):
    """Scaled Manhattan by hand: new people of the fold, first samples, later ones, each tenth."""
    systems = {"scaled Manhattan": few_shot_systems()["scaled Manhattan"]}
    scores = score_few_shot(demo, systems, n_enrolled=[3, 6], n_folds=4, folds=[2], rng=5)
    assert [(one.n_enrolled, one.fold) for one in scores] == [(3, 2), (6, 2)]
    X, new = demo.timings().to_numpy(), user_folds(demo.subject, 4, rng=5)[2].test
    people = np.unique(demo.subject[new])
    rows = {who: np.flatnonzero(demo.subject == who) for who in people}
    for one in scores:
        for who, genuine, impostor in zip(people, one.genuine, one.impostor, strict=True):
            fitted = ScaledManhattan().fit(X[rows[who][: one.n_enrolled]])
            np.testing.assert_array_equal(genuine, fitted.score_samples(X[rows[who][6:]]))
            others = np.concatenate([rows[other][6::10] for other in people if other != who])
            np.testing.assert_array_equal(impostor, fitted.score_samples(X[others]))
        first = demo.session == demo.session[0]
        np.testing.assert_array_equal(one.genuine_first[0], first[rows[people[0]][6:]])


def test_rates_one_by_one():
    rng = np.random.default_rng(0)
    genuine = tuple(rng.normal(1.0, 1.0, 30) for _ in range(3))
    impostor = tuple(rng.normal(-1.0, 1.0, 40) for _ in range(3))
    first = (np.arange(30) < 10,) * 3, (np.arange(40) % 2 == 0,) * 3
    one = FewShotScores("some", 5, 1, genuine, impostor, *first, 2.0, 0.1, 0.2, 808.0)
    row = few_shot_rates([one]).iloc[0]
    eers = [equal_error_rate(a, b) for a, b in zip(genuine, impostor, strict=True)]
    assert (row["eer"], row["eer_sd_users"]) == pytest.approx((np.mean(eers), np.std(eers, ddof=1)))
    assert row["eer_one_threshold"] == equal_error_rate(np.concatenate(genuine),
                                                        np.concatenate(impostor))  # fmt: skip
    at = equal_error_threshold(np.concatenate([a[:10] for a in genuine]),
                               np.concatenate([b[::2] for b in impostor]))  # fmt: skip
    assert row["false_alarm_kept"] == np.mean([a[10:] < at for a in genuine])
    assert row["miss_kept"] == np.mean([b[1::2] >= at for b in impostor])
    assert (row["n_new_users"], row["n_stored"]) == (3, 808.0)
    all_first = (np.ones(30, bool),) * 3, (np.ones(40, bool),) * 3
    alone = FewShotScores("some", 5, 1, genuine, impostor, *all_first, 2.0, 0.1, 0.2, 808.0)
    assert few_shot_rates([alone])[["false_alarm_kept", "miss_kept"]].isna().all(axis=None)


def test_the_renewal_ratio_reads_samples_as_keystrokes(demo):
    """The same verifier on keystrokes that were written down one by one."""

    def strokes_of(samples):
        rows = [
            (who, number, f"key {k}", press[k], release[k])
            for number, (who, press, release) in enumerate(
                zip(samples.subject, samples.press, samples.release, strict=True)
            )
            for k in range(len(samples.keys))
        ]
        user, number, key, press, release = (np.array(column) for column in zip(*rows, strict=True))
        session = np.zeros(number.size, dtype=np.int64)
        return Strokes(user, session, key, press, release, number, Tally({}))

    new, others = demo.subject == demo.subject[0], demo.subject != demo.subject[0]
    own, later, rest = demo[new][:2], demo[new][2:9], demo[others][::7]
    system = few_shot_systems()["marked renewal, ratio to the others"]
    made = system(rest.timings().to_numpy(), rest.subject)().fit(own.timings().to_numpy())
    plain = MarkedRenewalVerifier().fit(strokes_of(own), strokes_of(rest))
    np.testing.assert_allclose(
        made.score_samples(later.timings().to_numpy()),
        plain.score_samples(strokes_of(later)),
        rtol=1e-9,
    )


def test_one_sample_is_too_few_for_most_verifiers(demo):
    scores = score_few_shot(demo, n_enrolled=[1, 4], n_folds=4, folds=[0])
    known = {(one.system, one.n_enrolled) for one in scores}
    names = list(few_shot_systems())
    assert known == {*((name, 4) for name in names), (names[-1], 1)}


def test_people_beforehand_help(demo):
    """With two samples the ratio to people in general beats distances from the two."""
    rates = few_shot_rates(score_few_shot(demo, n_enrolled=[2], n_folds=2))
    mean = rates.groupby("system")["eer"].mean()
    assert mean["marked renewal, ratio to the others"] < mean["scaled Manhattan"] - 0.02
    assert mean["background ratio"] < mean["scaled Manhattan"] - 0.02


class WithTemplate:
    """Holds 500 numbers that are shared; learns three of a person."""

    def __init__(self):
        self.template = np.zeros(500)

    def fit(self, X):
        self.own_ = X.mean(axis=0)[:3]
        return self

    def score_samples(self, X):
        return -np.abs(X[:, :3] - self.own_).sum(axis=1)


def test_what_is_shared_is_not_stored_of_a_person(demo):
    systems = {"shared": lambda X, y: WithTemplate, "alone": lambda X, y: ScaledManhattan}
    scores = score_few_shot(demo, systems, n_enrolled=[5], n_folds=4, folds=[0])
    n_features = demo.timings().shape[1]
    assert [one.n_stored for one in scores] == [3 * 8.0, 8.0 * (2 * n_features + 1)]


def test_too_large_an_enrolment(demo):
    with pytest.raises(InvalidParameterError, match=r"has 25 samples in the first session; more"):
        score_few_shot(demo, n_enrolled=[25], n_folds=4)
    with pytest.raises(InvalidParameterError, match="n_enrolled must be at least 1"):
        score_few_shot(demo, n_enrolled=[0])


def test_networks(demo):
    """All three, one epoch: codes of 100 numbers, heads of 101, in bytes."""
    pytest.importorskip("torch", reason="networks need the extra [neural]")
    from hawkeys.neural import Runtime, Schedule

    once = Schedule("adam", 1e-3, batch_size=64, epochs=1)
    systems = few_shot_networks(once, Runtime("cpu"))
    told = []
    scores = score_few_shot(demo, systems, n_enrolled=[1], n_folds=4, folds=[1],
                            report=lambda *a: told.append(a))  # fmt: skip
    assert [one.n_stored for one in scores] == [808.0, 800.0, 800.0]
    assert told[-1] == ("Folds and systems", 3, 3)
    assert all(one.prepare_seconds > 0 for one in scores)
