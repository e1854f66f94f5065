"""Who typed a sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hawkeys.cli.console import progress_on_stderr
from hawkeys.cli.tasks.data import keyed_data
from hawkeys.cli.tasks.options import (
    KEPT,
    REPORTED,
    TaskOptions,
    print_columns,
    print_costs,
    with_reported,
)
from hawkeys.datasets import Strokes
from hawkeys.evaluation import (
    KeyedTextScores,
    keyed_text_networks,
    keyed_text_rates,
    score_keyed_text,
)
from hawkeys.verifiers import MarkedRenewal

__all__ = ["run_free_text"]

_ENROLLED = 0.8
_SHOWN = {
    "eer_posterior": "EER",
    "eer_posterior_one_threshold": "one",
    "eer_ratio": "EER, ratio",
    "eer_ratio_one_threshold": "one, ratio",
}


def run_free_text(asked: TaskOptions) -> dict[str, pd.DataFrame]:
    """Compare systems by one recording each, print it, and return the table by name."""
    strokes, people, cohort = keyed_data(asked)
    session = strokes.session.astype(np.int64)
    n_enrolled = int(_ENROLLED * (session.max() + 1))
    enrolling, tested = session < n_enrolled, np.isin(strokes.user, people)
    scores = _scores(
        strokes[tested & enrolling],
        strokes[tested & ~enrolling],
        strokes[np.isin(strokes.user, cohort) & enrolling],
        asked,
    )
    rates = with_reported(keyed_text_rates(scores), asked)
    asked.say(
        f"Task free text: {len(people)} people, enrolled on their first {n_enrolled} recordings "
        f"and tested on each of the others alone, {scores[0].typist.size} in all; a cohort of "
        f"{len(cohort)} other people.\n"
    )
    print_columns(rates, ["accuracy", *_SHOWN], _SHOWN, asked)
    asked.say(
        "accuracy: of naming the person from one recording. EER: equal-error rate with a threshold "
        "per subject; one: with one threshold for all; by the probability among all enrolled "
        "people, or by the likelihood ratio to the cohort. " + KEPT + REPORTED * asked.networks
    )
    needs = dict.fromkeys(rates["system"], MarkedRenewal.needs)
    print_costs(
        rates, needs | {name: one.needs for name, one in keyed_text_networks().items()}, asked
    )
    return {"free_text_rates": rates}


def _scores(
    early: Strokes, late: Strokes, background: Strokes, asked: TaskOptions
) -> list[KeyedTextScores]:
    """Return scores of late recordings by systems that were trained on early ones."""
    _, first = np.unique(late.groups(), return_index=True)
    who, session = MarkedRenewal.people_of(late), late.session[first]
    networks = keyed_text_networks(random_state=asked.seed) if asked.networks else {}
    what, total = "Training and scoring people", 1 + len(networks)
    with progress_on_stderr() as progress:
        progress(what, 0, total)
        out = [score_keyed_text(early, late, who, background=background, session=session)]
        for name, model in networks.items():
            progress(what, len(out), total)
            out.append(
                score_keyed_text(early, late, who, model=model, system=name, session=session)
            )
        progress(what, total, total)
    return out
