"""Federated averaging of the character network: 100 people who keep their sentences to themselves.

Run with HAWKEYS_DATA set: ``python benchmarks/federated_study.py`` (needs the extra ``[neural]``).
A network is warmed up on other people of the Aalto sentences; then each of 100 clients has the 12
sentences of one person, and in each round a tenth of the clients train and their weights are
averaged. Writes ``results/federated.csv``: accuracy on the 3 other sentences of each person after
every round, and the bytes sent so far, as they come. ``--rate`` and ``--local-epochs`` were chosen
on other people (``--development``). ``--engine flower`` runs the clients in the simulation engine
of Flower (extra ``[flower]``), which gives the same figures. ``--quick`` takes simulated data, to
see that it runs.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from machine import one_thread, write_table

from hawkeys.datasets import load_aalto, simulate_keyed_text
from hawkeys.evaluation import KeyedTextScores, keyed_text_rates
from hawkeys.neural import (
    FederatedOptions,
    Regularization,
    Runtime,
    Schedule,
    TemporalCharacters,
    fit_federated,
)
from hawkeys.verifiers import MarkedRenewal

RESULTS = Path(__file__).parent / "results"
CPU = Runtime(device="cpu")


def people(asked):
    """Return strokes of those who warm up, and training and testing strokes of the clients."""
    strokes = simulate_keyed_text(16, n_sessions=8) if asked.quick else load_aalto()
    size, n_enrolled = (8, 6) if asked.quick else (100, 12)
    clients, others = (0, 8) if asked.quick else (400, 500) if asked.development else (0, 611)
    parts = [strokes[np.isin(strokes.user, strokes.subjects[first : first + size])]
             for first in (others, clients)]  # fmt: skip
    early = parts[1].session < n_enrolled
    return parts[0], parts[1][early], parts[1][~early]


def main(arguments=None):
    """Warm up, run the rounds and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="simulated data")
    parser.add_argument("--development", action="store_true", help="other people")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--local-epochs", type=int, default=2)
    parser.add_argument("--warm-epochs", type=int, default=20)
    parser.add_argument("--engine", choices=("plain", "flower"), default="plain")
    parser.add_argument("--output", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    asked.output.mkdir(parents=True, exist_ok=True)
    others, early, late = people(asked)
    typist = MarkedRenewal.people_of(late)
    schedule = Schedule("adam", 2e-3, 64, asked.warm_epochs, decay=0.01, shape="one-cycle")
    with one_thread():
        warm = TemporalCharacters(schedule=schedule, runtime=CPU).fit(others)
        rows = []

        def watch(number, model):
            log = model.predict_log_proba(late)
            scores = KeyedTextScores("", tuple(model.classes_), typist, log, None, 0.0, 0.0)
            rates = keyed_text_rates([scores]).iloc[0]
            size = sum(one.numel() * one.element_size() for one in model.network_.parameters())
            sent = size * n_drawn * (number + 1)
            rows.append({"round": number + 1, "accuracy": rates["accuracy"],
                         "eer": rates["eer_posterior"],
                         "eer_one_threshold": rates["eer_posterior_one_threshold"],
                         "bytes_down": sent, "bytes_up": sent, "n_clients": n_clients,
                         "n_drawn": n_drawn, "rate": asked.rate,
                         "local_epochs": asked.local_epochs})  # fmt: skip
            write_table(pd.DataFrame(rows), asked.output / "federated.csv", ("torch",))

        n_clients = len(early.subjects)
        n_drawn = max(1, round(asked.share * n_clients))
        local = Schedule("sgd", asked.rate, batch_size=16, epochs=asked.local_epochs)
        plain = Regularization(0.0, 0.0, 0.0, 0.0, 0.0)
        model = TemporalCharacters(schedule=local, regularization=plain, runtime=CPU)
        fit_federated(model, early, MarkedRenewal.people_of(early), n_rounds=asked.rounds,
                      share=asked.share, warm_up=warm,
                      options=FederatedOptions(watch=watch, engine=asked.engine))  # fmt: skip
    print(pd.DataFrame(rows).iloc[[0, len(rows) // 2, -1]].round(4).to_string(index=False))


if __name__ == "__main__":
    main()
