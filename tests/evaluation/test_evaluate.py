"""evaluate(): published figures, contracts, and what it must not do."""

import math

import naive_metrics
import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from hawkeys.evaluation import Protocol, Run, evaluate
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import Euclidean, Manhattan, ScaledManhattan

QUICK = Protocol("quick", n_train=30, n_genuine=20, n_impostor=5)
COLUMNS = [
    "verifier",
    "subject",
    "eer",
    "auc",
    "miss_rate",
    "zero_miss",
    "threshold",
    "achieved_false_alarm",
    "achieved_miss",
    "n_genuine",
    "n_impostor",
    "n_false_alarm",
    "n_miss",
]


class Doubling(TransformerMixin, BaseEstimator):
    """A stateless transformer that keeps the rows it has seen."""

    seen: tuple = ()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        Doubling.seen = (*Doubling.seen, np.asarray(X))
        return 2 * np.asarray(X)


class Scores(BaseEstimator):
    """A detector that gives every sample the same score."""

    def __init__(self, score=0.0, threshold=0.0):
        self.score = score
        self.threshold = threshold

    def fit(self, X, y=None):
        if self.threshold is not None:
            self.offset_ = self.threshold
        return self

    def score_samples(self, X):
        return np.full(len(X), self.score)


def test_killourhy_maxion_figures(cmu):
    """Table 2 of the paper; .0003 covers the 0.97 % of cells known only to an interval."""
    verifiers = {
        "scaled": ScaledManhattan(scale="mean_abs_deviation"),
        "manhattan": Manhattan(),
        "euclidean": Euclidean(),
    }
    summary = evaluate(verifiers, cmu, n_bootstrap=10).summary()
    published = {"scaled": (0.0962, 0.0694), "manhattan": (0.1529, 0.0925)}
    published["euclidean"] = (0.1706, 0.0952)
    for name, (eer, sd) in published.items():
        assert summary.loc[name, "eer"] == pytest.approx(eer, abs=3e-4), name
        assert summary.loc[name, "eer_sd"] == pytest.approx(sd, abs=3e-4), name
    assert (summary["n_subjects"] == 51).all()


def test_five_subject_counts(cmu):
    """The raw-timing row of table 1 of Zhang, Zhang and Li (2021)."""
    raw = {"raw": ScaledManhattan(scale="std")}
    point = evaluate(raw, cmu, protocol="five-subjects", n_bootstrap=10).operating_point()
    counts = point.set_index("subject")[["false_negatives", "false_positives"]]
    assert counts.apply(tuple, axis=1).to_dict() == {
        "s002": (38, 465),
        "s032": (48, 503),
        "s036": (0, 0),
        "s047": (17, 760),
        "s052": (4, 0),
    }
    assert (point["n_genuine"] == 200).all()
    assert (point["n_impostor"] == 1600).all()


def test_rows_agree_with_a_loop_over_subjects(demo):
    """The whole evaluation once more, by hand, with the naive metrics."""
    frame = evaluate({"m": Manhattan()}, demo, protocol=QUICK, n_bootstrap=10).to_frame()
    assert list(frame.columns) == COLUMNS
    timings = demo.timings().to_numpy()
    order = np.lexsort((demo.repetition, demo.session, demo.subject))
    rows = {name: [k for k in order if demo.subject[k] == name] for name in demo.subjects}
    for _, row in frame.iterrows():
        own = rows[row["subject"]]
        others = [k for name in rows if name != row["subject"] for k in rows[name][:5]]
        centre = timings[own[:30]].mean(axis=0)
        genuine = [-float(np.abs(timings[k] - centre).sum()) for k in own[30:50]]
        impostor = [-float(np.abs(timings[k] - centre).sum()) for k in others]
        alarm, miss = naive_metrics.rates(genuine, impostor, row["threshold"])
        assert row["achieved_false_alarm"] == pytest.approx(alarm, abs=1e-12)
        assert row["achieved_miss"] == pytest.approx(miss, abs=1e-12)
        assert row["eer"] == pytest.approx(
            naive_metrics.equal_error_rate(genuine, impostor), abs=1e-12
        )
        assert row["auc"] == pytest.approx(naive_metrics.auc(genuine, impostor), abs=1e-12)
        assert row["miss_rate"] == pytest.approx(
            naive_metrics.miss_rate_at(genuine, impostor, 0.05), abs=1e-12
        )
        assert row["zero_miss"] == pytest.approx(
            naive_metrics.zero_miss_false_alarm(genuine, impostor), abs=1e-12
        )
        assert (row["n_genuine"], row["n_impostor"]) == (20, 25)
        assert row["n_false_alarm"] == round(20 * alarm)
        assert row["n_miss"] == round(25 * miss)


def test_one_row_per_verifier_and_subject_in_order(demo):
    verifiers = {"b": Manhattan(), "a": Euclidean()}
    frame = evaluate(verifiers, demo, protocol=QUICK, n_bootstrap=10).to_frame()
    assert frame["verifier"].tolist() == ["b"] * 6 + ["a"] * 6
    assert frame["subject"].tolist() == sorted(demo.subjects) * 2


def test_processes_change_nothing(demo):
    verifiers = {"m": Manhattan(), "d": make_pipeline(Doubling(), ScaledManhattan())}
    one = evaluate(verifiers, demo, protocol=QUICK, n_bootstrap=10)
    two = evaluate(verifiers, demo, protocol=QUICK, n_bootstrap=10, n_jobs=2)
    assert one.to_frame().equals(two.to_frame())


def test_bootstrap_is_repeatable(demo):
    def intervals(seed):
        result = evaluate({"m": Manhattan()}, demo, protocol=QUICK, random_state=seed)
        return result.summary()[["auc_lower", "auc_upper"]].to_numpy().tolist()

    assert intervals(3) == intervals(3)
    assert intervals(3) != intervals(4)


def test_stateless_steps_see_only_the_rows_in_use(demo):
    Doubling.seen = ()
    evaluate({"d": make_pipeline(Doubling(), Manhattan())}, demo, protocol=QUICK, n_bootstrap=10)
    (rows,) = Doubling.seen
    assert rows.shape[0] == 6 * 50
    used = (demo.session == 1) & (demo.repetition <= 50)
    np.testing.assert_array_equal(rows, demo.timings().to_numpy()[used])


def test_training_never_sees_test_rows(demo):
    """Spoiling test and impostor rows leaves thresholds, which rest on training rows, unchanged."""
    timings = demo.timings().to_numpy().copy()
    first = (demo.session == 1) & (demo.repetition <= 30)
    timings[~first] *= 1.5
    spoiled = type(demo).from_timings(
        timings,
        subject=demo.subject,
        session=demo.session,
        repetition=demo.repetition,
        keys=demo.keys,
    )
    verifiers = {"d": make_pipeline(Doubling(), StandardScaler(), Manhattan())}
    one = evaluate(verifiers, demo, protocol=QUICK, n_bootstrap=10).to_frame()
    two = evaluate(verifiers, spoiled, protocol=QUICK, n_bootstrap=10).to_frame()
    assert one["threshold"].equals(two["threshold"])
    assert not one["eer"].equals(two["eer"])


def test_input_is_left_unchanged(demo):
    verifier = make_pipeline(Doubling(), Manhattan())
    verifiers = {"d": verifier}
    before = demo.timings()
    evaluate(verifiers, demo, protocol=QUICK, n_bootstrap=10)
    assert verifiers == {"d": verifier}
    assert not hasattr(verifier[-1], "offset_")
    assert demo.timings().equals(before)


@pytest.mark.parametrize(
    "detector",
    [
        IsolationForest(n_estimators=10, random_state=0),
        OneClassSVM(),
        LocalOutlierFactor(n_neighbors=5, novelty=True),
        make_pipeline(StandardScaler(), OneClassSVM(gamma="auto")),
    ],
)
def test_detectors_of_scikit_learn(demo, detector):
    result = evaluate({"v": detector}, demo, protocol=QUICK, n_bootstrap=10)
    assert (result.to_frame()["auc"] > 0.5).all()


def test_progress_is_reported(demo):
    seen = []
    evaluate(
        {"d": make_pipeline(Doubling(), Manhattan())},
        demo,
        protocol=QUICK,
        n_bootstrap=10,
        run=Run(progress=lambda *what: seen.append(what)),
    )
    assert seen[:2] == [("Computing Doubling", 0, 1), ("Computing Doubling", 1, 1)]
    assert seen[2:] == [("Training and scoring subjects", k, 6) for k in range(7)]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"data": np.zeros((3, 4))}, "data must be Keystrokes.*class ndarray"),
        ({"false_alarm": 5}, "false_alarm must be one number strictly between 0 and 1"),
        ({"n_bootstrap": 0}, "n_bootstrap must be at least 1"),
        ({"protocol": "nobody"}, "protocol must be one of"),
        ({"n_jobs": 0}, "n_jobs must be a whole number other than 0"),
        ({"n_jobs": 1.5}, r"n_jobs must be a whole number.*got 1\.5"),
        ({"verifiers": {}}, "verifiers must be a dict"),
        ({"verifiers": {"v": Scores(threshold=None)}}, "'v' sets no threshold.*no single number"),
        ({"verifiers": {"v": Scores(threshold=[1.0, 2.0])}}, "'v' sets no threshold"),
        ({"verifiers": {"v": Scores(threshold=math.nan)}}, "'v', subject 'demo01': threshold is n"),
        ({"verifiers": {"v": Scores(math.nan)}}, r"verifier 'v', subject 'demo01': genuine.*nan"),
    ],
)
def test_bad_arguments(demo, change, match):
    arguments = {"verifiers": {"m": Manhattan()}, "data": demo, "protocol": QUICK} | change
    with pytest.raises(InvalidParameterError, match=match):
        evaluate(arguments.pop("verifiers"), arguments.pop("data"), **arguments)
