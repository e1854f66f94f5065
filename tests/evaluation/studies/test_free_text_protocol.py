"""The free-text protocol: who enrols, what is a block, who is the background, which figures."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hawkeys.datasets import load_free_text, pair_events, read_key_events
from hawkeys.evaluation import (
    FreeTextScores,
    equal_error_rate,
    free_text_rates,
    miss_rate_at,
    score_free_text,
    split_halves,
)
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import DigraphManhattan, FreeTextProcess, FreeTextVerifier

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


class Spy(FreeTextVerifier):
    """Remembers what it was given; its score is how close the mean hold is to the enrolled one."""

    seen = []  # noqa: RUF012

    def _learn(self, strokes):
        self.hold_ = (strokes.release - strokes.press).mean()
        Spy.seen.append(("fit", strokes))

    def _score(self, strokes):
        Spy.seen.append(("score", strokes))
        hold = np.bincount(strokes.number, strokes.release - strokes.press)
        return -np.abs(hold / np.bincount(strokes.number) - self.hold_)


def text(n_users=6, n_sessions=4, n=45, seed=0):
    """Users whose holds tell them and their session: (user + session / 100) times 0.01 s."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(n_users):
        for session in range(n_sessions):
            press = np.cumsum(rng.lognormal(-1.8, 0.3, n))
            hold = 0.01 * (1 + user + session / 100)
            for k in range(n):
                rows.append([str(user + 5), session, "asdf"[k % 4], press[k], press[k] + hold])
    frame = pd.DataFrame(rows, columns=["user", "session", "key", "press", "release"])
    return pair_events(read_key_events(frame))


def holds(strokes):
    return np.unique(np.round((strokes.release - strokes.press) / 0.01 - 1, 4))


def test_sessions_blocks_and_backgrounds():
    Spy.seen = []
    strokes = text()
    scores = score_free_text(
        {"spy": Spy()}, strokes, n_enrol_sessions=2, block_sizes=(20, 45), background=("spy",)
    )
    fits = [one for kind, one in Spy.seen if kind == "fit"]
    # first the two halves of the users, then each user: first two sessions only
    assert [holds(one).tolist() for one in fits[:2]] == [
        [0.0, 0.01, 2.0, 2.01, 4.0, 4.01],
        [1.0, 1.01, 3.0, 3.01, 5.0, 5.01],
    ]
    assert [holds(one).tolist() for one in fits[2:]] == [[u, u + 0.01] for u in range(6)]
    tests = {len(one): one for kind, one in Spy.seen if kind == "score"}
    assert holds(tests[6 * 2 * 45]).min() == 0.02
    # 45 keystrokes hold two blocks of 20; the last five are not used
    blocks = tests[6 * 2 * 2 * 20]
    assert blocks.n_recordings == 24
    assert np.bincount(blocks.number).tolist() == [20] * 24
    original = strokes.press[strokes.session >= 2].reshape(12, 45)
    np.testing.assert_array_equal(blocks.press.reshape(12, 40), original[:, :40])
    assert [one.system for one in scores] == ["spy", "spy, minus background"] * 2
    assert [one.block_size for one in scores] == [20, 20, 45, 45]
    raw, normalised = scores[:2]
    assert raw.users == ("5", "6", "7", "8", "9", "10")
    assert raw.typist.tolist() == [user for user in raw.users for _ in range(4)]
    # each user's background is the mean hold of the other half
    hold = 0.01 * (1 + np.repeat(np.arange(6), 4) + np.tile([0.02, 0.02, 0.03, 0.03], 6) / 1)
    enrolled = 0.01 * (1 + np.arange(6) + 0.005)
    general = 0.01 * (1 + np.array([3.0, 2.0] * 3) + 0.005)
    expected = -np.abs(hold[:, None] - enrolled)
    np.testing.assert_allclose(raw.scores, expected, atol=1e-9)
    expected += np.abs(hold[:, None] - general)
    np.testing.assert_allclose(normalised.scores, expected, atol=1e-9)
    assert raw.identifies
    assert not normalised.identifies


def test_the_process_takes_the_other_half_as_population():
    strokes = text(n=60)
    process = FreeTextProcess()
    (_, with_background), (raw, *_) = (
        score_free_text({"p": process}, strokes, block_sizes=(30,), background=("p",)),
        score_free_text({"p": process}, strokes, block_sizes=(30,)),
    )
    users = np.array(raw.users)
    enrol = strokes[strokes.session < 3]
    other = process.fit(enrol[np.isin(enrol.user, users[1::2])])
    own = FreeTextProcess(population=other).fit(enrol[enrol.user == "5"])
    alone = FreeTextProcess().fit(enrol[enrol.user == "5"])
    block = strokes[np.flatnonzero((strokes.session == 3) & (strokes.user == "6"))[:30]]
    row = int(np.flatnonzero(raw.typist == "6")[0])
    assert raw.scores[row, 0] == pytest.approx(alone.score(block), rel=1e-9)
    assert with_background.scores[row, 0] == pytest.approx(
        own.score(block) - other.score(block), rel=1e-9
    )


def by_hand():
    scores = np.array(
        [[3.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 2.0, 1.0], [0.5, 3.0, 1.0], [0.0, 0.0, 2.0]]
    )
    typist = np.array(["a", "a", "b", "b", "c"])
    return FreeTextScores("s", 50, ("a", "b", "c"), typist, scores, 3)


def test_rates_by_hand():
    one = by_hand()
    rates = one.rates().set_index("user")
    assert rates["accuracy"].tolist() == [0.5, 1.0, 1.0]
    assert rates["n_genuine"].tolist() == [2, 2, 1]
    assert rates["n_impostor"].tolist() == [3, 3, 4]
    assert rates.loc["a", "eer"] == equal_error_rate([3.0, 1.0], [0.0, 0.5, 0.0])
    assert rates.loc["b", "miss_rate"] == miss_rate_at([2.0, 3.0], [1.0, 2.0, 0.0]) == 1 / 3
    table = free_text_rates([one], n_bootstrap=5000)
    assert table["accuracy"][0] == pytest.approx(2.5 / 3)
    # the first user alone is drawn in 1 of 27 resamples, more often than the tail of 2.5 %
    assert table["accuracy_lower"][0] == 0.5
    assert table["accuracy_upper"][0] == 1.0
    assert table["n_blocks"][0] == 5
    assert table["protocol"][0] == "enrol first 3 sessions, test on later ones"


def test_pick_takes_rows_and_columns():
    picked = by_hand().pick(["a", "c"])
    assert picked.users == ("a", "c")
    assert picked.typist.tolist() == ["a", "a", "c"]
    assert picked.scores.tolist() == [[3.0, 0.0], [1.0, 0.0], [0.0, 2.0]]
    with pytest.raises(InvalidParameterError, match="of whom 'd' is not enrolled"):
        by_hand().pick(["a", "d"])
    with pytest.raises(InvalidParameterError, match="two or more of the 3 enrolled"):
        by_hand().pick(["a"])


def test_halves_alternate_in_order():
    assert split_halves(["10", "9", "1", "9"]) == (("1", "10"), ("9",))
    assert split_halves(["b", "a", "10"]) == (("10", "b"), ("a",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"background": ("other",)}, "background names 'other', which is none of the systems"),
        ({"n_enrol_sessions": 4}, "user '5' has 4 sessions; more than n_enrol_sessions=4"),
        ({"n_enrol_sessions": 0}, "n_enrol_sessions must be at least 1"),
        ({"block_sizes": (46,)}, "user '10' has no test session of 46 keystrokes"),
        ({"block_sizes": (1,)}, "block_sizes must be at least 2"),
    ],
)
def test_refused_arguments(change, message):
    with pytest.raises(InvalidParameterError, match=message):
        score_free_text({"m": DigraphManhattan()}, text(), **change)
    with pytest.raises(InvalidParameterError, match="strokes hold 3 users; four or more"):
        score_free_text({"m": DigraphManhattan()}, text(n_users=3))


def test_real_typists_are_told_apart(free_text_path):
    strokes = load_free_text(free_text_path / "free_text.csv.gz")
    some = strokes[np.isin(strokes.user, split_halves(strokes.subjects)[0][:8])]
    systems = {"process": FreeTextProcess(), "digraphs": DigraphManhattan()}
    scores = score_free_text(systems, some, block_sizes=(100,), background=("process",))
    table = free_text_rates(scores, n_bootstrap=100).set_index("system")
    assert table["n_blocks"].tolist() == [8 * 3 * 5] * 3
    # 1/8 by chance
    assert table.loc["process", "accuracy"] > 0.8
    assert np.isnan(table.loc["process, minus background", "accuracy"])
    assert table.loc["process, minus background", "eer"] < table.loc["process", "eer"] < 0.3
    assert table.loc["digraphs", "eer"] < 0.2


def test_study(free_text_path, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setenv("HAWKEYS_DATA", str(free_text_path.parent))
    importlib.import_module("free_text_study").main(["--quick", "--output", str(tmp_path)])
    table = pd.read_csv(tmp_path / "free_text.csv")
    assert table["users"].unique().tolist() == ["all", "development", "held out"]
    assert {"machine", "versions", "protocol", "n_tried", "eer_lower", "eer_minus_baseline"} <= set(
        table
    )
    assert len(table) == 3 * 2 * 2 * 3
