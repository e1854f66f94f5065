"""What is learned of other typists, and a verifier that is drawn to them."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.special import polygamma
from sklearn.base import clone

from hawkeys.datasets import Keystrokes, load_demo
from hawkeys.evaluation import equal_error_rate
from hawkeys.exceptions import EnrolmentWarning, InvalidParameterError, InvalidTimingsError
from hawkeys.verifiers import (
    Background,
    BackgroundRatio,
    HeldOutThreshold,
    RecencyNearestNeighbors,
    ScaledManhattan,
    held_out_scores,
    recency_weights,
)
from hawkeys.verifiers._few import within_another

DEMO = load_demo(n_subjects=9)
X = DEMO.timings().to_numpy()
PEOPLE = {name: X[DEMO.subject == name] for name in DEMO.subjects}
OWN, *OTHERS = PEOPLE.values()
OF_OTHERS = DEMO[DEMO.subject != DEMO.subjects[0]]


def simulated(rng, n_typists, n_samples, *, level_sd=0.3, sd=0.15, practice=0.0, change_sd=0.0):
    """Typists of a text of two keys, log-normal; the first five samples are slower by practice."""
    found = []
    for _ in range(n_typists):
        level = np.log([0.1, 0.12, 0.3]) + rng.normal(0, level_sd, 3)
        slower = practice + rng.normal(0, change_sd, 3)
        before = (np.arange(n_samples) < 5)[:, None]
        logs = level + slower * before + rng.normal(0, sd, (n_samples, 3))
        first, second, down = np.exp(logs).T
        found.append(np.column_stack([first, down, down - first, second]))
    return found


def logs_of(samples):
    """ln H and ln DD, clipped at three robust standard deviations, one column after the other."""
    columns = [*samples[:, 0::3].T, *samples[:, 1::3].T]
    out = []
    for column in columns:
        y = np.log(np.maximum(column, 0.005))
        middle = np.median(y)
        reach = 3 * 1.4826 * np.median(np.abs(y - middle))
        out.append(np.clip(y, middle - reach, middle + reach))
    return np.array(out).T


def test_by_hand():
    """Every law from its definition, typist by typist and interval by interval."""
    n, half_life = 7, 25.0
    found = Background.of(OF_OTHERS, n, half_life=half_life)
    w = recency_weights(n, half_life)
    for j in range(21):
        parts = [logs_of(one[: n + 50])[:, j] for one in OTHERS]
        first = [sum(w * y[:n]) / sum(w) for y in parts]
        later = [y[n:].mean() for y in parts]
        within = np.exp(np.mean([np.log(y[n:].var(ddof=1)) for y in parts]))
        chance = within * sum(w**2) / sum(w) ** 2
        change = np.var(np.subtract(later, first), ddof=1) - chance
        assert found.first[j] == pytest.approx(np.mean(first), rel=1e-12)
        assert found.level[j] == pytest.approx(np.mean(later), rel=1e-12)
        assert found.level_variance[j] == pytest.approx(max(np.var(later, ddof=1), 1e-4))
        assert found.change_variance[j] == pytest.approx(max(change, 1e-4))
        assert found.within_variance[j] == pytest.approx(within)
        everyone = np.var([y.mean() for y in parts], ddof=1) + np.mean(
            [y.var(ddof=1) for y in parts]
        )
        assert found.everyone[j] == pytest.approx(np.mean([y.mean() for y in parts]))
        assert found.everyone_variance[j] == pytest.approx(everyone)
    scatter = [np.var([np.log(logs_of(one[: n + 50])[n:, j].var(ddof=1)) for one in OTHERS], ddof=1)
               for j in range(21)]  # fmt: skip
    left = np.mean(scatter) - polygamma(1, 49 / 2)
    assert polygamma(1, found.degrees / 2) == pytest.approx(left, rel=1e-6)
    assert (found.n_typists, found.n_samples, found.n_keys) == (8, n, 11)


def test_the_score_by_hand():
    prior = Background.of(OF_OTHERS, 6)
    verifier = BackgroundRatio(background=OF_OTHERS, bound=1.5).fit(OWN[:6])
    w = recency_weights(6, 25.0)
    tests = np.vstack([OWN[50:60], OTHERS[0][:5]])
    expected = np.zeros(15)
    for j in range(21):
        column = 3 * j if j < 11 else 3 * (j - 11) + 1
        y = np.log(OWN[:6, column])
        reach = 3 * np.sqrt(prior.within_variance[j])
        y = np.clip(y, np.median(y) - reach, np.median(y) + reach)
        own = sum(w * y) / sum(w)
        # the posterior of a normal level that is seen once, with a known shift and error
        error = prior.change_variance[j] + prior.within_variance[j] * sum(w**2) / sum(w) ** 2
        precision = 1 / prior.level_variance[j] + 1 / error
        seen = own + prior.level[j] - prior.first[j]
        location = (prior.level[j] / prior.level_variance[j] + seen / error) / precision
        degrees = prior.degrees + 5
        spread = prior.degrees * prior.within_variance[j] + sum(w * (y - own) ** 2)
        scale = np.sqrt(spread / degrees + 1 / precision)
        people = stats.t(prior.degrees, prior.everyone[j], np.sqrt(prior.everyone_variance[j]))
        ratio = stats.t(degrees, location, scale).logpdf(np.log(tests[:, column]))
        ratio -= people.logpdf(np.log(tests[:, column]))
        expected += np.clip(ratio, -1.5, 1.5) / 21
    assert verifier.score_samples(tests) == pytest.approx(expected, rel=1e-9)


def test_the_truth_is_found():
    """Many simulated typists: spread within and between, practice, and how it differs."""
    rng = np.random.default_rng(1)
    people = simulated(rng, 3000, 55, practice=0.1, change_sd=0.05)
    found = Background.of(people, 5, half_life=None)
    assert found.first - found.level == pytest.approx([0.1] * 3, abs=0.01)
    assert np.sqrt(found.change_variance) == pytest.approx([0.05] * 3, abs=0.01)
    assert np.sqrt(found.within_variance) == pytest.approx([0.15] * 3, abs=0.006)
    later = np.sqrt(0.3**2 + 0.15**2 / 50)
    assert np.sqrt(found.level_variance) == pytest.approx([later] * 3, abs=0.012)
    assert found.degrees > 200  # all have one spread


@pytest.mark.parametrize("degrees", [3.0, 8.0, 30.0])
def test_degrees_of_spreads_that_differ(degrees):
    rng = np.random.default_rng(2)
    spread = 0.15 * np.sqrt(degrees / rng.chisquare(degrees, 3000))
    people = [simulated(rng, 1, 60, sd=sd)[0] for sd in spread]
    # winsorised samples of 55 know their variances less well than normal ones
    assert Background.of(people, 5).degrees == pytest.approx(degrees, rel=0.25)


def test_levels_to_come_have_the_stated_error():
    """Of new typists: the location is unbiased, and its error that of the posterior."""
    rng = np.random.default_rng(3)
    kind = {"practice": 0.1, "change_sd": 0.1}
    background = Background.of(simulated(rng, 2000, 55, **kind), 5)
    z = []
    for one in simulated(rng, 1000, 1000, **kind):
        verifier = BackgroundRatio(background=background)
        with within_another():
            verifier.fit(one[:5])
        truth = np.log(one[5:, [0, 3, 1]]).mean(axis=0)
        change = background.change_variance + background.within_variance * 0.2
        variance = 1 / (1 / background.level_variance + 1 / change)
        z.append((truth - verifier.location_) / np.sqrt(variance))
    assert np.mean(z, axis=0) == pytest.approx([0] * 3, abs=0.12)
    assert np.std(z, axis=0) == pytest.approx([1] * 3, abs=0.06)


def test_it_wins_with_five_samples():
    kinds = {
        "ratio": BackgroundRatio(
            background=OF_OTHERS[np.isin(OF_OTHERS.subject, DEMO.subjects[4:])]
        ),
        "wide": BackgroundRatio(),
        "neighbors": RecencyNearestNeighbors(),
        "manhattan": ScaledManhattan(),
    }
    eer = dict.fromkeys(kinds, 0.0)
    tested = list(PEOPLE.values())[:4]
    for k, own in enumerate(tested):
        others = np.vstack([one[:20] for i, one in enumerate(tested) if i != k])
        for name, kind in kinds.items():
            with within_another(), warnings.catch_warnings():
                warnings.simplefilter("ignore", EnrolmentWarning)
                fitted = clone(kind).fit(own[:5])
            eer[name] += equal_error_rate(
                fitted.score_samples(own[5:105]), fitted.score_samples(others)
            )
    assert eer["ratio"] < min(eer["wide"], eer["neighbors"], eer["manhattan"])


def test_a_background_in_any_form_and_order():
    record = BackgroundRatio().fit(OWN[:8], background=OF_OTHERS)
    matrices = BackgroundRatio(background=OTHERS).fit(OWN[:8])
    learned = BackgroundRatio(background=Background.of(OTHERS, 8)).fit(OWN[:8])
    reversed_ = BackgroundRatio().fit(OWN[:8], background=iter(OTHERS[::-1]))
    expected = record.score_samples(X[:20])
    for one in (matrices, learned, reversed_):
        assert one.score_samples(X[:20]) == pytest.approx(expected, rel=1e-12)
        assert one.offset_ == pytest.approx(record.offset_, rel=1e-12)
    # given to fit, it counts instead of the parameter, and once
    both = BackgroundRatio(background=OTHERS[:6]).fit(OWN[:8], background=OF_OTHERS)
    assert both.score_samples(X[:20]) == pytest.approx(expected, rel=1e-12)
    assert both.fit(OWN[:8]).background_.n_typists == 6


def test_typing_order_is_that_of_sessions():
    shuffled = np.random.default_rng(0).permutation(len(OF_OTHERS))
    one, two = (Background.of(each, 10) for each in (OF_OTHERS, OF_OTHERS[shuffled]))
    assert one.first == pytest.approx(two.first, rel=1e-12)
    assert one.degrees == pytest.approx(two.degrees)


def test_samples_of_labelled_impostors_are_no_typists_own():
    impostor = np.where(np.arange(len(OF_OTHERS)) % 5 == 0, "eve", "")
    labelled = replace(OF_OTHERS, impostor=impostor)
    clean = OF_OTHERS[impostor == ""]
    assert Background.of(labelled, 5).level == pytest.approx(Background.of(clean, 5).level)


def test_few_samples_of_the_others():
    """Practice after 10 samples is not carried over whole to a typist who has 100."""
    rng = np.random.default_rng(4)
    people = simulated(rng, 500, 10, practice=0.2)
    found = Background.of(people, 100, half_life=None)
    assert found.first - found.level == pytest.approx([0.2 * 5 / 100] * 3, abs=0.003)
    assert (Background.of(people, 5).first - found.level).mean() == pytest.approx(0.2, abs=0.02)


def test_a_sample_alone_scores_as_among_others():
    fitted = BackgroundRatio(background=OTHERS).fit(OWN[:8])
    together = fitted.score_samples(X[:50])
    alone = [float(fitted.score_samples(row[None])[0]) for row in X[:50]]
    assert together.tolist() == alone


def test_evidence_of_one_interval_is_bounded():
    fitted = BackgroundRatio(background=OTHERS, bound=2.0).fit(OWN[:20])
    held = OWN[30:31].copy()
    held[0, [0, 1]] += 5.0  # a hesitation at the first key: a hold and an interval
    lost = fitted.score_samples(OWN[30:31]) - fitted.score_samples(held)
    assert 0 < lost[0] <= 2 * 4.0 / 21
    assert np.abs(fitted.score_samples(X)).max() <= 2.0


def test_held_out_thresholds_know_the_background():
    verifier = BackgroundRatio(background=OTHERS)
    scores = held_out_scores(verifier, OWN[:6], policy="leave-one-out")
    prior = Background.of(OTHERS, 6)
    for k in range(6):
        rest = np.delete(OWN[:6], k, axis=0)
        with within_another():
            one = BackgroundRatio(background=prior).fit(rest)
        assert scores[k] == pytest.approx(one.score_samples(OWN[k : k + 1])[0], rel=1e-12)
    assert HeldOutThreshold(verifier, policy="leave-one-out").fit(OWN[:6]).offset_ == min(scores)
    assert BackgroundRatio(background=OTHERS).fit(OWN[:6]).offset_ == min(scores)


def test_fewer_samples_are_enough_with_a_background():
    assert BackgroundRatio().samples_needed(31) == 20
    assert BackgroundRatio(background=OTHERS).samples_needed(31) == 3
    with pytest.warns(EnrolmentWarning, match="19 training samples are few for BackgroundRatio"):
        BackgroundRatio().fit(OWN[:19])
    BackgroundRatio().fit(OWN[:3], background=OTHERS)
    with pytest.warns(EnrolmentWarning, match="which means something from about 3 on"):
        BackgroundRatio(background=OTHERS).fit(OWN[:2])


def test_a_coarse_clock_and_zeros_are_taken():
    coarse = [0.016 * np.round(one / 0.016) for one in PEOPLE.values()]
    for one in coarse:
        one[:, 2::3] = one[:, 1::3] - one[:, 0:-1:3]
        one[3, 0] = 0.0
        one[3, 2] = one[3, 1]
    fitted = BackgroundRatio(background=coarse[1:]).fit(coarse[0][:7])
    genuine = fitted.score_samples(coarse[0][7:60]).mean()
    assert genuine > fitted.score_samples(np.vstack([one[:20] for one in coarse[1:]])).mean()


def test_without_a_background_the_laws_are_wide():
    wide = Background.wide(11)
    assert repr(wide) == "Background: no typist, wide laws for 11 keys"
    fitted = BackgroundRatio().fit(OWN[:5])
    assert fitted.background_.level.tolist() == wide.level.tolist()
    assert np.exp(wide.level) == pytest.approx([0.1] * 11 + [0.22] * 10)


@pytest.mark.parametrize(
    ("background", "message"),
    [
        (OTHERS[:2], "background has 2 typists with 4 samples or more; at least 3 are needed"),
        ([one[:3] for one in OTHERS], "background has 0 typists"),
        (
            "others.csv",
            "must be Keystrokes of other typists, or a timing matrix of each; got a str",
        ),
        (7, "got a int"),
        ([one[:, :7] for one in OTHERS], "background is of 3 keys, the samples are of 11; both"),
        (
            DEMO[:400],
            "background holds 6 of the 6 training samples: the typist is among the others",
        ),
        (
            Background.of(OTHERS, 6, half_life=None),
            "half_life=None, this verifier has half_life=25",
        ),
    ],
)
def test_what_is_refused(background, message):
    with pytest.raises(InvalidParameterError, match=message):
        BackgroundRatio(background=background).fit(OWN[:6])


def test_other_texts_are_refused():
    other = Keystrokes.from_timings(
        OF_OTHERS.timings().to_numpy(), subject=OF_OTHERS.subject, keys=list("abcdefghijk")
    )
    frame = DEMO.timings()[:6]
    with pytest.raises(InvalidParameterError, match=r"of 11 keys \(a b c .*both must be of one"):
        BackgroundRatio(background=other).fit(frame)
    assert BackgroundRatio(background=OF_OTHERS).fit(frame).background_.n_typists == 8
    mixed = [*OTHERS[:3], OTHERS[3][:, :7]]
    with pytest.raises(InvalidTimingsError, match="have 31 and 7 intervals; all must"):
        Background.of(mixed, 5)
    with pytest.raises(InvalidTimingsError, match="second"):
        BackgroundRatio(background=[1000 * one for one in OTHERS]).fit(OWN[:6])


def test_a_small_background_is_warned_of():
    short = [*OTHERS[:3], OTHERS[3][:2]]
    with pytest.warns(EnrolmentWarning, match="of 3 typists: 1 with fewer than 4 samples are left"):
        Background.of(short, 5)
    with pytest.warns(EnrolmentWarning, match="with fewer than 5 it is known badly how people"):
        BackgroundRatio(background=OTHERS[:4]).fit(OWN[:5])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"bound": 0.0}, "bound"), ({"half_life": -1.0}, "half_life"), ({"false_alarm": 2}, "false")],
)
def test_parameters_are_checked(parameters, message):
    with pytest.raises(InvalidParameterError, match=message):
        BackgroundRatio(**parameters).fit(OWN[:6])
    with pytest.raises(InvalidParameterError, match="n_samples"):
        Background.of(OTHERS, 0)
    with pytest.raises(InvalidParameterError, match="n_keys"):
        Background.wide(0)
