"""The three neighbouring networks on real data; needs the extra ``[neural]``.

Run with HAWKEYS_DATA set: ``python benchmarks/neighbours_networks.py --only few-shot --folds 1``.
Writes one table per task, ``results/networks_TASK.csv``, row by row as they come: ``event-times``
(two people, sessions disjoint; the stack of point processes and the contrastive network by the
repaired recipe, in one phase and in two, on the same slices, overlapping ones in training alone;
some 130 s of processor time a fold, seed and network), ``few-shot`` (CMU, users disjoint, 1 to 10
enrolment samples; 10 to 40 s a template) and ``keyed-text`` (137 Aalto people, one sentence; 55
people of free text, blocks of 50, sessions disjoint; some 110 s a network) and ``variants`` (the
published variants of the contrastive network by the repaired recipe, on the first of those folds;
some 100 s each). ``--quick`` takes
simulated data, to see that it runs. The published recipe is in ``seed_recipe.py``.

The strength of the penalty of heads (C = .01) was chosen on BKSD, other people and another text,
but after fold 0 of CMU had been seen with .01, .1, 1 and 10 (EER .239, .246, .253, .262): the row
of the heads on that fold is not untouched. The regularisation and the schedule of the character
network were chosen on other Aalto people, the 201st to the 337th.
"""

import argparse
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from machine import one_thread, write_table

from hawkeys.datasets import (
    balanced,
    cut_slices,
    load_aalto,
    load_cmu,
    load_demo,
    load_free_text,
    load_press_times,
    session_folds,
    simulate_event_times,
    simulate_keyed_text,
)
from hawkeys.evaluation import (
    equal_error_rate,
    few_shot_networks,
    few_shot_rates,
    few_shot_systems,
    keyed_text_rates,
    score_few_shot,
    score_keyed_text,
)
from hawkeys.exceptions import EnrolmentWarning
from hawkeys.neural import (
    REPAIRED_RECIPE,
    VARIANTS,
    ContrastiveClassifier,
    Recipe,
    Runtime,
    Schedule,
    TemporalCharacters,
    acceptance_curve,
    equal_threshold,
)
from hawkeys.verifiers import MarkedRenewal
from hawkeys.verifiers.event_times import StackClassifier

VARIANTS_OF_CHARACTERS = {
    "keys alone": {"times": False},
    "times alone": {"characters": False},
    "no times of people in general": {"population": False},
    "read by an LSTM": {"head": "lstm"},
}
RESULTS = Path(__file__).parent / "results"
TASKS = ("event-times", "few-shot", "keyed-text", "variants")
CPU = Runtime(device="cpu")


def event_times(asked):
    """Yield accuracy and cost of networks and of the stack on the same slices, fold by fold."""
    rows = []
    for fold in range(asked.folds):
        train, test = slices_of(asked.quick, fold)
        for name, seed, system in event_time_networks(asked):
            rows.append({"system": name, "fold": fold, "seed": seed,
                         **slice_row(system, train, test)})  # fmt: skip
            yield pd.DataFrame(rows)


def variants(asked):
    """Yield the published variants of the contrastive network, repaired recipe, on one fold."""
    rows = []
    for seed in range(asked.seeds):
        for name, one in VARIANTS.items():
            train, test = slices_of(asked.quick, 0, one.length, one.step_back)
            system = ContrastiveClassifier(
                repaired(asked.quick), one.phases, one.recurrent, one.block, CPU, seed
            )
            rows.append({"variant": name, "fold": 0, "seed": seed, "length": one.length,
                         **slice_row(system, train, test)})  # fmt: skip
            yield pd.DataFrame(rows)


def slices_of(quick, fold, length=30, step_back=15):
    """Return training slices, overlapping, and tested ones, of other sessions; one of 5 folds."""
    data = simulate_event_times(n_events=300) if quick else load_press_times()
    tested, overlapping = (cut_slices(data, length, step_back=k).snapped(rng=0)
                           for k in (0, step_back))  # fmt: skip
    split = session_folds(tested.subject, tested.session, 5, rng=0)[fold]
    names = [f"{a} {b}" for a, b in zip(tested.subject, tested.session, strict=True)]
    known = set(np.array(names)[split.train])
    kept = [f"{a} {b}" in known
            for a, b in zip(overlapping.subject, overlapping.session, strict=True)]  # fmt: skip
    train = overlapping[balanced(overlapping.subject, np.flatnonzero(kept), rng=0)]
    return train, tested[balanced(tested.subject, split.test, rng=0)]


def slice_row(system, train, test):
    """Return accuracy and cost of a system that learns some slices and decides others."""
    _, seconds = timed(system.fit, train.intervals, train.subject)
    log, decided = timed(system.predict_log_proba, test.intervals)
    right = system.classes_[log.argmax(axis=1)] == test.subject
    odds, first = log[:, 0] - log[:, 1], test.subject == system.classes_[0]
    eer = equal_error_rate(np.concatenate([odds[first], -odds[~first]]),
                           np.concatenate([odds[~first], -odds[first]]))  # fmt: skip
    return {"accuracy": right.mean(), "eer_one_threshold": eer, "train_seconds": seconds,
            "decide_ms": 1000 * decided / len(test),
            "n_parameters": sum(getattr(system, "n_parameters_", {}).values()),
            "n_train": len(train), "n_test": len(test)}  # fmt: skip


def event_time_networks(asked):
    """Yield name, seed and unfitted system; the stack has nothing random."""
    yield "stack", 0, StackClassifier()
    for seed in range(asked.seeds):
        for phases in asked.phases:
            name = f"contrastive network, repaired, {phases} phase{'s' * (phases > 1)}"
            yield (
                name,
                seed,
                ContrastiveClassifier(
                    repaired(asked.quick), phases=phases, runtime=CPU, random_state=seed
                ),
            )


def repaired(quick):
    """Return the repaired recipe, or one epoch of it."""
    once = [Schedule("adam", 1e-3, 32, 1)] * 3
    return Recipe(REPAIRED_RECIPE.input, *once) if quick else REPAIRED_RECIPE


def few_shot(asked):
    """Yield error rates of new users, by system and number of enrolment samples, fold by fold."""
    typed = load_demo() if asked.quick else load_cmu()
    once = Schedule("adam", 2e-3, 64, 1) if asked.quick else None
    scores = []
    for fold in range(asked.folds):
        for name, system in {**few_shot_systems(), **few_shot_networks(once, CPU)}.items():
            scores += score_few_shot(typed, {name: system}, folds=[fold])
            heads = pd.DataFrame([accepted(one) for one in scores])
            yield pd.concat([few_shot_rates(scores), heads], axis=1)


def accepted(scores):
    """Return what heads accept at .045, and at a threshold set on two thirds of the new users."""
    if scores.system != "LSTM template, heads":
        return {}
    genuine, impostor = scores.genuine, scores.impostor
    at = acceptance_curve(genuine, impostor, [0.045]).iloc[0]
    part = 2 * len(genuine) // 3
    chosen = equal_threshold(acceptance_curve(genuine[:part], impostor[:part]))
    kept = acceptance_curve(genuine[part:], impostor[part:], [chosen]).iloc[0]
    return {"tar_at_045": at["genuine_accepted"], "far_at_045": at["impostor_accepted"],
            "threshold_of_two_thirds": chosen, "tar_of_last_third": kept["genuine_accepted"],
            "far_of_last_third": kept["impostor_accepted"]}  # fmt: skip


def keyed_text(asked):
    """Yield rates of networks and of marked renewal, on sentences and on free text."""
    rows = []
    data = list(keyed_data(asked.quick))
    for name, early, tests, typist, session in data:
        how = {"typist": typist, "session": session}
        rows.append(keyed_row(name, "marked renewal", 0, score_keyed_text(early, tests, **how)))
        parts = []
        for seed in range(asked.seeds):
            parts.append(score_keyed_text(early, tests, model=characters(asked.quick, seed), **how))
            rows.append(keyed_row(name, "temporal characters", seed, parts[-1]))
            yield pd.DataFrame(rows)
        together = np.logaddexp.reduce([one.log_likelihood for one in parts]) - np.log(len(parts))
        scores = replace(parts[0], log_likelihood=together,
                         train_seconds=sum(one.train_seconds for one in parts),
                         test_seconds=sum(one.test_seconds for one in parts))  # fmt: skip
        rows.append(keyed_row(name, f"mean of {asked.seeds} temporal characters", 0, scores))
        yield pd.DataFrame(rows)
    for variant, changes in VARIANTS_OF_CHARACTERS.items():
        for name, early, tests, typist, session in data:
            system = characters(asked.quick, 0, **changes)
            scores = score_keyed_text(early, tests, typist, model=system, session=session)
            rows.append(keyed_row(name, f"temporal characters, {variant}", 0, scores))
            yield pd.DataFrame(rows)


def keyed_row(data, system, seed, scores):
    """Return one row of the table."""
    rates = keyed_text_rates([scores]).drop(columns=["system"]).iloc[0]
    return {"data": data, "system": system, "seed": seed, **rates.dropna()}


def characters(quick, seed, **changes):
    """Return an unfitted network, as it is by default."""
    if quick:
        changes = {**changes, "schedule": Schedule("adam", 1e-3, 32, 1)}
    return TemporalCharacters(runtime=CPU, random_state=seed, **changes)


def keyed_data(quick):
    """Yield name, training strokes, and tests with their people and sessions."""
    strokes = simulate_keyed_text() if quick else load_aalto()
    n_people, n_enrolled = (6, 6) if quick else (137, 12)
    own = strokes[np.isin(strokes.user, strokes.subjects[:n_people])]
    early = own.session < n_enrolled
    name = "simulated" if quick else "Aalto, one sentence, 12 enrolled, one sitting"
    yield name, own[early], *tests_of(own[~early])
    if not quick:
        text = in_blocks(load_free_text(), 50)
        early = text.session.astype(np.int64) < 3
        yield "free text, blocks of 50, sessions disjoint", text[early], *tests_of(text[~early])


def tests_of(strokes):
    """Return strokes, and the people and sessions of their recordings."""
    _, begin = np.unique(strokes.groups(), return_index=True)
    return strokes, MarkedRenewal.people_of(strokes), strokes.session[begin]


def in_blocks(strokes, size):
    """Return strokes whose recordings are whole blocks of so many keystrokes."""
    group = strokes.groups()
    place = np.arange(group.size) - np.flatnonzero(np.diff(group, prepend=-1))[group]
    whole = place < (np.bincount(group) // size * size)[group]
    return replace(strokes[whole], repetition=(place // size)[whole])


def timed(function, *given):
    """Return what a call returns, and its processor time in seconds."""
    started = time.process_time()
    out = function(*given)
    return out, time.process_time() - started


def main(arguments=None):
    """Run the tasks asked for and write their tables."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="simulated data")
    parser.add_argument("--only", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3, help="of all but few-shot")
    parser.add_argument("--phases", type=int, nargs="+", default=[1, 2], choices=[1, 2])
    parser.add_argument("--output", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    asked.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    tasks = dict(zip(TASKS, (event_times, few_shot, keyed_text, variants), strict=True))
    for task in asked.only:
        path = asked.output / f"networks_{task.replace('-', '_')}.csv"
        with one_thread(), warnings.catch_warnings():
            warnings.simplefilter("ignore", EnrolmentWarning)  # ten samples are the task
            for table in tasks[task](asked):  # what is done is kept
                write_table(table, path, ("torch", "scikit-learn"))
                print(f"\n{task}\n{table.round(4).tail(1).to_string(index=False)}", flush=True)


if __name__ == "__main__":
    main()
