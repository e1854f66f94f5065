"""The free-text process: likelihood, back-off, expectation-maximisation, input."""

import functools
import math
import time

import naive_free_text as naive
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from hawkeys.datasets import load_free_text
from hawkeys.exceptions import ConvergenceWarning, InvalidParameterError, InvalidTimingsError
from hawkeys.verifiers import (
    DigraphDisorder,
    DigraphManhattan,
    FreeTextPOHMM,
    FreeTextProcess,
    FreeTextVerifier,
)
from hawkeys.verifiers.free_text import _backoff as backoff
from hawkeys.verifiers.free_text._key_classes import KEY_CLASSES, class_of, class_pairs, classes_of
from hawkeys.verifiers.free_text.recordings import EDGES, as_recordings

ALL_EDGES = tuple(EDGES)
KEYS = ["a", "s", "t", "h", "e", "space", "backspace"]


def typing(seed, n=300, *, n_recordings=1, pace=0.15, hold=0.08, keys=KEYS, clock=None):
    """Keystrokes of a simulated typist, whose digraph times depend on the keys."""
    rng = np.random.default_rng(seed)
    tempo = np.random.default_rng(len(keys)).normal(0.0, 0.3, (len(keys), len(keys)))
    key = rng.integers(len(keys), size=n)
    lag = pace * np.exp(tempo[np.roll(key, 1), key] + 0.15 * rng.standard_normal(n))
    lag[rng.random(n) < 0.03] += 2.0
    press = np.cumsum(lag)
    release = press + hold * np.exp(0.2 * rng.standard_normal(n))
    if clock:
        press, release = (np.floor(times / clock) * clock for times in (press, release))
    recording = np.arange(n) * n_recordings // n
    return {"key": np.array(keys)[key], "press": press, "release": release, "recording": recording}


def recordings_of(typed):
    frame = pd.DataFrame(typed)
    return [
        list(part[["key", "press", "release"]].itertuples(index=False, name=None))
        for _, part in frame.groupby("recording", sort=False)
    ]


def simulate(process, keys, rng):
    """Draw keystrokes of these keys from a process with one press and one hold edge."""
    kernel = functools.cache(process.kernel)
    press, release = np.zeros(len(keys)), np.zeros(len(keys))
    for k, key in enumerate(keys):
        if k:
            pair = kernel(keys[k - 1], key, "press-press")
            press[k] = press[k - 1] + draw(process.weights_["press"], pair, rng)
        release[k] = press[k] + draw(
            process.weights_["release"], kernel(key, key, "press-release"), rng
        )
    return {"key": keys, "press": press, "release": release}


def draw(weights, kernel, rng):
    if rng.random() < weights["pause"] / sum(weights.values()):
        return math.exp(rng.uniform(math.log(1e-3), math.log(1e3)))
    return math.exp(rng.normal(*kernel))


@pytest.mark.parametrize("edges", [("press-press", "press-release"), ALL_EDGES])
@pytest.mark.parametrize("clock", [None, 0.0156])
def test_likelihood_is_that_of_the_naive_twin(edges, clock):
    population = FreeTextProcess(edges=edges).fit(typing(9, pace=0.2))
    process = FreeTextProcess(edges=edges, population=population).fit(typing(0))
    # a fast typist on a coarse clock: simultaneous events, releases after the next press
    block = typing(1, 60, n_recordings=3, pace=0.03, keys=[*KEYS, "x", "7"], clock=clock)
    block["release"][5] = block["press"][5]
    expected = naive.surprise(recordings_of(block), process.kernel, process.weights_)
    found = process.surprise(block)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert np.isnan(found[::20, 0]).all()
    assert np.isnan(found).sum() == 3
    weighted = np.nan_to_num(found) @ [1.0, process.release_weight]
    means = -weighted.reshape(3, 20).mean(axis=1)
    np.testing.assert_allclose(process.score_recordings(block), means, rtol=1e-12)
    assert process.score(block) == pytest.approx(means.mean(), rel=1e-12)


def test_blocks_are_scored_alone():
    process = FreeTextProcess().fit(typing(0))
    block = typing(1, 60, n_recordings=3)
    alone = [{name: values[i : i + 20] for name, values in block.items()} for i in (0, 20, 40)]
    expected = [process.score(one) for one in alone]
    np.testing.assert_allclose(process.score_recordings(block), expected, rtol=1e-12)
    later = {**block, "press": block["press"] + 1e4, "release": block["release"] + 1e4}
    np.testing.assert_allclose(process.score_recordings(later), expected, rtol=1e-6)


@pytest.mark.parametrize("edges", [("press-press", "release-press", "press-release"), ALL_EDGES])
@pytest.mark.parametrize("counts", [(0.2, 0.2, 0.2), (1.0, 2.0, 3.0), (50.0, 50.0, 50.0)])
@pytest.mark.parametrize(("clock", "tol"), [(0.0, 1e-12), (None, 1e-4)])
def test_the_objective_never_falls(edges, counts, clock, tol):
    typed = typing(3, 400, clock=0.0156, pace=0.06)
    for population in (None, FreeTextProcess(edges=edges).fit(typing(4))):
        process = FreeTextProcess(
            edges=edges,
            population=population,
            location_counts=counts,
            scale_counts=counts,
            tol=tol,
            clock=clock,
        )
        process.fit(typed)
        gains = np.diff(process.objective_trace_)
        assert process.n_iter_ > 5
        # the last gain may be rounding: 1e-12 nats per keystroke
        assert gains.min() > -1e-9 * abs(process.objective_trace_[-1])
        assert process.objective_trace_[-1] > process.objective_trace_[0] + 10


def objective_parts(seed):
    rng = np.random.default_rng(seed)
    parent = np.array([0, 0, 1, 1, 1])
    tree = backoff.Tree(np.arange(5), np.arange(2), parent)
    weight = np.array([0.0, 3.5, 20.0, 1e-8, 7.0])
    mean = rng.normal(0.5, 1.0, 5)
    spread = weight * rng.uniform(0.5, 2.0, 5)
    moments = backoff.Moments(weight, weight * mean, weight * mean**2 + spread)
    return tree, moments, backoff.Counts(1.5, 2.5, 0.7), backoff.Counts(4.0, 9.0, 3.0)


def objective(kernels, tree, moments, location, scale):
    at, variance = kernels.pair_location, kernels.pair_variance
    squares = moments.square - 2 * at * moments.total + at**2 * moments.weight
    expected = -0.5 * (moments.weight * np.log(variance) + squares / variance).sum()
    return expected + backoff.log_prior(kernels, tree, location, scale)


def unpack(x):
    return backoff.Kernels(
        x[:5], np.exp(x[5:10]), x[10:12], np.exp(x[12:14]), float(x[14]), float(np.exp(x[15]))
    )


@pytest.mark.parametrize("seed", range(3))
def test_updates_climb_to_where_the_gradient_is_zero(seed):
    parts = objective_parts(seed)
    tree, moments, location, scale = parts
    kernels = backoff.Kernels.prior(tree)
    values = [objective(kernels, *parts)]
    for _ in range(3000):
        kernels = backoff.update(kernels, moments, tree, location, scale)
        values.append(objective(kernels, *parts))
    assert np.diff(values).min() > -1e-10
    x = np.concatenate(
        [
            kernels.pair_location, np.log(kernels.pair_variance), kernels.class_location,
            np.log(kernels.class_variance), [kernels.location, math.log(kernels.variance)],
        ]
    )  # fmt: skip
    gradient = approx_fprime(x, lambda y: objective(unpack(y), *parts), 1e-6)
    # forward differences: half a second derivative times 1e-6
    np.testing.assert_allclose(gradient, 0.0, atol=2e-4)


def test_log_prior_is_that_of_the_naive_twin():
    rng = np.random.default_rng(5)
    tree, _, location, scale = objective_parts(0)
    kernels = unpack(rng.normal(0.0, 0.5, 16))
    nodes = {"user": (kernels.location, kernels.variance)}
    parents = {"user": (2, None)}
    for c in range(2):
        nodes[f"class {c}"] = kernels.class_location[c], kernels.class_variance[c]
        parents[f"class {c}"] = 1, "user"
    for p, c in enumerate(tree.parent):
        nodes[p] = kernels.pair_location[p], kernels.pair_variance[p]
        parents[p] = 0, f"class {c}"
    expected = naive.log_prior(nodes, parents, location, scale)
    assert backoff.log_prior(kernels, tree, location, scale) == pytest.approx(expected, rel=1e-12)


def regular(pairs):
    """Keystrokes of given (key, seconds since the press before), held 50 ms."""
    press = np.cumsum([wait for _, wait in pairs])
    return {"key": [key for key, _ in pairs], "press": press, "release": press + 0.05}


def test_an_unseen_pair_has_the_kernel_of_its_class():
    rng = np.random.default_rng(0)
    # left home row to left upper row is slow, left upper row to left home row fast
    typed = [
        pair
        for _ in range(60)
        for pair in [("a", 0.1 * rng.lognormal(0, 0.1)), ("e", 0.4 * rng.lognormal(0, 0.1))]
    ]
    process = FreeTextProcess(
        edges=("press-press", "press-release"), location_counts=(1.0, 0.1, 0.1)
    ).fit(regular(typed))
    seen, unseen = process.kernel("a", "e"), process.kernel("d", "r")
    node = process.kernels_["press-press"]
    assert node.tree.classes.size == 2
    assert math.exp(seen[0]) == pytest.approx(0.4, rel=0.05)
    assert math.exp(unseen[0]) == pytest.approx(0.4, rel=0.15)
    assert math.exp(process.kernel("r", "d")[0]) == pytest.approx(0.1, rel=0.15)
    assert process.kernel("d", "r") == process.kernel("f", "t") == process.kernel("s", "w")
    assert unseen[1] > seen[1]
    # a class without any lag has the typist's kernel, between the two
    other = process.kernel("7", "F13")
    assert other == process.kernel("enter", "x")
    assert process.kernel("r", "d")[0] < other[0] < unseen[0]


@pytest.mark.parametrize("population", [False, True])
def test_more_data_move_a_pair_away_from_its_prior(population):
    rng = np.random.default_rng(1)
    usual = [(key, 0.15 * rng.lognormal(0, 0.3)) for key in "asdf" * 40]
    base = FreeTextProcess().fit(regular(usual)) if population else None
    found = []
    for n in (0, 1, 5, 40):
        odd = [(key, wait) for _ in range(n) for key, wait in (("g", 0.15), ("b", 0.3))]
        process = FreeTextProcess(population=base, location_counts=(5.0, 5.0, 5.0))
        found.append(math.exp(process.fit(regular(usual + odd)).kernel("g", "b")[0]))
    assert np.all(np.diff(found) > 0)
    assert found[0] == pytest.approx(0.15, rel=0.1)
    assert found[-1] == pytest.approx(0.3, rel=0.1)
    wide = FreeTextProcess(location_counts=(500.0, 5.0, 5.0)).fit(regular(usual + odd))
    assert math.exp(wide.kernel("g", "b")[0]) < found[-1]


def test_kernels_shrink_to_the_population():
    population = FreeTextProcess().fit(typing(0, 2000))
    few = {name: values[:20] for name, values in typing(1).items()}
    strong = FreeTextProcess(
        population=population, location_counts=(1e6,) * 3, scale_counts=(1e6,) * 3
    )
    strong.fit(few)
    # the population's kernel of a pair seen 40 times is wider by the doubt about its location
    for pair in (("a", "s"), ("t", "h"), ("q", "7")):
        np.testing.assert_allclose(strong.kernel(*pair), population.kernel(*pair), atol=1e-3)


def test_a_pause_costs_a_bounded_amount():
    process = FreeTextProcess().fit(typing(0))
    usual = regular([(key, 0.15) for key in "asasasas"])
    costs = []
    for wait in (10.0, 100.0, 900.0):
        paused = {**usual, "press": usual["press"].copy(), "release": usual["release"].copy()}
        paused["press"][4:] += wait
        paused["release"][4:] += wait
        surprise = process.surprise(paused)
        np.testing.assert_allclose(
            np.delete(surprise, 4, axis=0)[1:],
            np.delete(process.surprise(usual), 4, axis=0)[1:],
            rtol=1e-6,
        )
        # per unit of the log of the wait
        costs.append(surprise[4, 0] - math.log(paused["press"][4] - paused["press"][3]))
    share = process.weights_["press"]["pause"]
    bound = 1.1 - math.log(share / math.log(1e6))
    assert max(costs) < bound
    assert np.ptp(costs[1:]) < 0.1


def test_simulated_typists_are_identified():
    models = [
        FreeTextProcess(edges=("press-press", "press-release")).fit(
            typing(k, 1500, pace=pace, hold=hold)
        )
        for k, (pace, hold) in enumerate([(0.15, 0.08), (0.18, 0.08), (0.15, 0.1), (0.15, 0.08)])
    ]
    models[3].fit(typing(3, 1500, keys=KEYS[::-1]))
    rng = np.random.default_rng(6)
    for true, model in enumerate(models):
        typed = simulate(model, rng.choice(KEYS, 400).tolist(), rng)
        assert int(np.argmax([other.score(typed) for other in models])) == true


def test_weights_and_kernels_are_recovered_from_the_model():
    truth = FreeTextProcess(edges=("press-press", "press-release")).fit(typing(0, 1500))
    rng = np.random.default_rng(2)
    typed = simulate(truth, rng.choice(KEYS[:3], 4000).tolist(), rng)
    again = clone(truth).fit(typed)
    share = truth.weights_["press"]["pause"]
    # three standard errors of a share of 4,000 events
    assert abs(again.weights_["press"]["pause"] - share) < 3 * math.sqrt(share / 4000) + 0.003
    for first in KEYS[:3]:
        for second in KEYS[:3]:
            expected, found = truth.kernel(first, second), again.kernel(first, second)
            # about 440 lags of each pair
            assert abs(found[0] - expected[0]) < 4 * expected[1] / math.sqrt(440)
            assert found[1] == pytest.approx(expected[1], rel=0.2)


def test_ties_and_zero_lags():
    press = np.repeat(np.arange(30) * 0.2, 2)
    typed = {"key": ["a", "s"] * 30, "press": press, "release": press}
    for clock in (0.0, None):  # exact, or readings of a clock
        process = FreeTextProcess(edges=ALL_EDGES, clock=clock)
        surprise = process.fit(typed).surprise(typed)
        assert np.isfinite(surprise[1:]).all()
    process = FreeTextProcess(edges=ALL_EDGES, clock=0.0).fit(typed)
    surprise = process.surprise(typed)
    # an exact hold of zero has no parent: only the baseline explains it, as a wait of 1 ms
    weights = process.weights_["release"]
    density = weights["pause"] * naive.pause_density(0.0)
    assert surprise[0, 1] == pytest.approx(
        weights["pause"] + weights["press-release"] - math.log(density), rel=1e-12
    )
    exact = FreeTextPOHMM(clock=0.0)
    for verifier in (DigraphManhattan(), DigraphDisorder(), FreeTextPOHMM(), exact):
        assert np.isfinite(verifier.fit(typed).score(typed))


ERRORS = [
    ({"press": [0.0, np.nan, 1.0]}, InvalidTimingsError, r"press\[1\] is nan; every time must"),
    ({"release": [0.1, 0.6, np.inf]}, InvalidTimingsError, r"release\[2\] is inf"),
    ({"press": [0.0, 0.5, 0.4]}, InvalidTimingsError, r"press\[2\] = 0.4 is before press\[1\]"),
    ({"release": [0.1, 0.4, 1.1]}, InvalidTimingsError, r"release\[1\] = 0.4 is before press\[1\]"),
    ({"recording": [0, 1, 1]}, InvalidTimingsError, "recording 0 .* has one keystroke"),
    ({"recording": [0, 1, 0]}, InvalidTimingsError, "keystroke 2 goes back to an earlier"),
    ({"press": ["x", "y", "z"]}, InvalidParameterError, "expected numbers of seconds"),
    ({"press": [0.0, 0.5]}, InvalidParameterError, "of one length"),
]


@pytest.mark.parametrize(
    "verifier", [FreeTextProcess(), DigraphManhattan(), DigraphDisorder(), FreeTextPOHMM()]
)
def test_refused_keystrokes(verifier):
    good = {"key": ["a", "b", "a"], "press": [0.0, 0.5, 1.0], "release": [0.1, 0.6, 1.1]}
    with pytest.raises(NotFittedError):
        clone(verifier).score(good)
    fitted = clone(verifier).fit(good)
    assert np.isfinite(fitted.score(pd.DataFrame(good)))
    for change, error, message in ERRORS:
        with pytest.raises(error, match=message):
            fitted.score({**good, **change})
        with pytest.raises(error, match=message):
            clone(verifier).fit({**good, **change})
    with pytest.raises(InvalidTimingsError, match="holds no keystroke"):
        fitted.score({name: [] for name in good})
    with pytest.raises(InvalidTimingsError, match="has one keystroke"):
        fitted.score({name: values[:1] for name, values in good.items()})
    with pytest.raises(InvalidParameterError, match="has no column 'release'"):
        fitted.score({"key": ["a"], "press": [0.0]})
    with pytest.raises(InvalidParameterError, match=r"expected a Strokes record.*got list"):
        fitted.score([1, 2])


@pytest.mark.parametrize(
    ("verifier", "message"),
    [
        (FreeTextProcess(edges=("press-press",)), "lets nothing excite a release"),
        (FreeTextProcess(edges=("press-release",)), "lets nothing excite a press"),
        (FreeTextProcess(edges=("up-down",)), "edges must be one of"),
        (FreeTextProcess(location_counts=(1.0, 0.0, 1.0)), "location_counts must be positive"),
        (FreeTextProcess(scale_counts=(1.0, 1.0)), r"scale_counts must have shape \(3,\)"),
        (FreeTextProcess(release_weight=-1.0), "release_weight must not be negative"),
        (FreeTextProcess(tol=-1.0), "tol must not be negative"),
        (FreeTextProcess(max_iter=0), "max_iter must be at least 1"),
        (DigraphManhattan(clip=0.0), "clip must be one positive number"),
        (DigraphManhattan(prior_count=-1.0), "prior_count must not be negative"),
        (DigraphManhattan(longest=1e-9), "leaves no digraph of the 300 enrolled"),
        (DigraphDisorder(ratio=1.0), "ratio must be above 1; got 1.0"),
        (FreeTextPOHMM(n_states=0), "n_states must be at least 1"),
        (FreeTextPOHMM(smoothing="some"), "smoothing must be one of"),
    ],
)
def test_refused_parameters(verifier, message):
    with pytest.raises(InvalidParameterError, match=message):
        verifier.fit(typing(0))


def test_a_population_must_be_fitted_and_have_the_same_edges():
    with pytest.raises(NotFittedError):
        FreeTextProcess(population=FreeTextProcess()).fit(typing(0))
    other = FreeTextProcess(edges=("press-press", "press-release")).fit(typing(0))
    with pytest.raises(InvalidParameterError, match="give both the same"):
        FreeTextProcess(population=other).fit(typing(0))
    with pytest.raises(InvalidParameterError, match="edge must be one of"):
        other.kernel("a", "b", "release-press")


def test_stopping_early_warns():
    with pytest.warns(ConvergenceWarning, match="FreeTextProcess stopped after max_iter=1"):
        FreeTextProcess(max_iter=1).fit(typing(0))
    with pytest.warns(ConvergenceWarning, match="FreeTextPOHMM stopped after max_iter=1"):
        FreeTextPOHMM(max_iter=1).fit(typing(0))


def test_key_classes():
    assert class_of("T") == class_of("q") == "left upper row"
    assert class_of(" ") == class_of("space") == "space"
    assert class_of("numpad_3") == "other"
    numbers = classes_of(["a", "j", "space"])
    pairs = class_pairs(numbers[[0, 0, 1]], numbers[[0, 1, 0]], np.array([True, False, False]))
    assert len(set(pairs.tolist())) == 3
    assert pairs.max() < 2 * len(KEY_CLASSES) ** 2


def test_lags_are_those_of_the_edges():
    strokes = as_recordings(typing(0, 10, n_recordings=2))
    for name, edge in EDGES.items():
        lags = strokes.lags(name)
        assert lags.rows.tolist() == [k for k in range(10) if k % 5 >= edge.back]
        target, source = getattr(strokes, edge.target), getattr(strokes, edge.source)
        np.testing.assert_array_equal(lags.lag, target[lags.rows] - source[lags.rows - edge.back])


def test_verifiers_of_free_text_share_a_contract():
    for verifier in (FreeTextProcess(), DigraphManhattan(), DigraphDisorder(), FreeTextPOHMM()):
        assert isinstance(verifier, FreeTextVerifier)
        enrolled = clone(verifier).fit(typing(0, 1000))
        own, other = (
            typing(1, 200, n_recordings=4),
            typing(2, 200, n_recordings=4, pace=0.25, hold=0.2),
        )
        assert enrolled.score_recordings(own).min() > enrolled.score_recordings(other).max()
        nothing_shared = {
            "key": ["x", "y", "z"],
            "press": [0, 0.2, 0.4],
            "release": [0.1, 0.3, 0.5],
        }
        assert np.isfinite(enrolled.score(nothing_shared))


def test_digraph_manhattan_by_hand():
    typed = {
        "key": list("aabab"),
        "press": [0.0, 0.1, 0.3, 0.5, 0.8],
        "release": [0.05, 0.15, 0.4, 0.55, 0.9],
    }
    verifier = DigraphManhattan(prior_count=0.0, clip=10.0).fit(typed)
    block = {"key": list("bab"), "press": [0.0, 0.3, 0.7], "release": [0.1, 0.36, 0.8]}
    # b to a: 0.3 against 0.2, once, so at least a millisecond counts as deviation: clipped
    # a to b: 0.4 against the mean 0.25 of 0.2 and 0.3, deviation 0.05: 3
    # a held 0.06 against 0.05: 10 ms with a deviation of 1 ms: 10; b held 0.1 as enrolled: 0
    assert verifier.score(block) == pytest.approx(-(10.0 + 3.0 + 10.0 + 0.0) / 4)


def test_digraph_disorder_by_hand():
    def typed(waits):
        press = np.concatenate([[0.0], np.cumsum(waits)])
        return {"key": list("abcd"), "press": press, "release": press + 0.05}

    verifier = DigraphDisorder().fit(typed([0.1, 0.2, 0.3]))
    # ranks 2, 1, 0 against 0, 1, 2: displaced by 4 of at most 4; two of three differ by 3
    assert verifier.score(typed([0.3, 0.2, 0.1])) == pytest.approx(-(1.0 + 2.0 / 3.0))
    assert verifier.score(typed([0.11, 0.22, 0.33])) == 0.0


def test_pohmm_of_one_text_is_that_of_free_text():
    """Recordings of one text, as sequences of any keys, give the estimate of fixed text."""
    from hawkeys.verifiers import POHMM

    rng = np.random.default_rng(0)
    n, keys = 40, ("t", "h", "e", "t")
    press = np.cumsum(rng.lognormal(-2.0, 0.3, (n, 4)), axis=1)
    release = press + rng.lognormal(-2.5, 0.2, (n, 4))
    free = {
        "key": np.tile(keys, n),
        "press": press.ravel(),
        "release": release.ravel(),
        "recording": np.repeat(np.arange(n), 4),
    }
    hold, down = release - press, np.diff(press, axis=1)
    timing = np.empty((n, 10))
    timing[:, 0::3], timing[:, 1::3], timing[:, 2::3] = hold, down, down - hold[:, :-1]
    fixed = POHMM(keys=keys).fit(timing)
    found = FreeTextPOHMM().fit(free)
    np.testing.assert_allclose(found.log_likelihood_trace_, fixed.log_likelihood_trace_, rtol=1e-10)
    order = [0, *(1 + fixed.keys_.index(key) for key in found.keys_)]
    np.testing.assert_allclose(found.location_, fixed.location_[order], rtol=1e-9)
    np.testing.assert_allclose(
        4 * found.score_recordings(free), fixed.score_samples(timing), rtol=1e-9
    )


def test_real_typists(free_text_path):
    strokes = load_free_text(free_text_path / "free_text.csv.gz")
    users = strokes.subjects[:4]
    enrolled = {}
    for user in users:
        own = strokes[(strokes.user == user) & (strokes.session < 4)]
        began = time.process_time()
        enrolled[user] = FreeTextProcess().fit(own)
        # 2,000 key presses
        assert time.process_time() - began < 2.0
        assert np.diff(enrolled[user].objective_trace_).min() > 0
    for user in users:
        tests = strokes[(strokes.user == user) & (strokes.session >= 4)]
        scores = [enrolled[other].score(tests) for other in users]
        assert users[int(np.argmax(scores))] == user
    block = as_recordings(tests[:200])
    began = time.process_time()
    for _ in range(20):
        enrolled[users[0]].score(block)
    # milliseconds each: 3 of them leaves room for a busy machine
    assert (time.process_time() - began) / 20 < 0.01
