"""Verifiers of one typist under the protocol of the comparison."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hawkeys.datasets import load_demo, simulate_keyed_text
from hawkeys.verifiers import (
    DigraphManhattan,
    Manhattan,
    Needs,
    OneClassScorer,
    ScaledManhattan,
    Scorer,
)


def test_fixed_text_scores_are_those_of_the_verifier():
    demo = load_demo(n_subjects=2)
    X = demo.timings().to_numpy()
    mine = demo.subject == demo.subjects[0]
    for verifier in (ScaledManhattan(), make_pipeline(StandardScaler(), Manhattan())):
        scorer = OneClassScorer(verifier)
        assert isinstance(scorer, Scorer)
        assert scorer.needs == Needs("fixed text", holds=True, keys=False, background=False)
        with pytest.raises(NotFittedError):
            scorer.score_samples(X)
        scorer.fit(X[mine][:200], X[~mine])
        wanted = verifier.fit(X[mine][:200]).score_samples(X)
        np.testing.assert_array_equal(scorer.score_samples(X), wanted)


def test_free_text_scores_are_those_of_the_verifier():
    strokes = simulate_keyed_text(2, n_sessions=4)
    mine = strokes[strokes.user == strokes.subjects[0]]
    scorer = OneClassScorer(DigraphManhattan()).fit(mine)
    assert scorer.needs == Needs("free text", holds=True, keys=True, background=False)
    wanted = DigraphManhattan().fit(mine).score_recordings(strokes)
    np.testing.assert_array_equal(scorer.score_samples(strokes), wanted)
