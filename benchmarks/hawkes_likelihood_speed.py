"""Time of HawkesLikelihood on one core, after its likelihood was proved that of hawkeys.Hawkes.

    python benchmarks/hawkes_likelihood_speed.py    # needs the CMU data (HAWKEYS_DATA)

Writes results/hawkes_likelihood_speed.csv.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
from machine import best_of, one_thread, write_table

from hawkeys.datasets import load_cmu
from hawkeys.verifiers import HawkesLikelihood

OUTPUT = Path(__file__).parent / "results" / "hawkes_likelihood_speed.csv"


def main():
    """Prove equality, then measure, print and write."""
    data = load_cmu()
    timings, who = data.timings().to_numpy(), np.asarray(data.subject)
    train = [timings[who == name][:200] for name in data.subjects]
    with one_thread():
        started = time.process_time()
        verifier = HawkesLikelihood().fit(train[0])
        first = time.process_time() - started
        check(verifier, data[:1800], timings[:1800])
        fits = [best_of(lambda rows=rows: HawkesLikelihood().fit(rows), 3) for rows in train]
        scoring = best_of(lambda: verifier.score_samples(timings[:1800]), 20)
    table = pd.DataFrame(
        [
            ("first fit in this process", first, np.nan),
            ("fit 200 samples, median of 51 typists", float(np.median(fits)), 50.0),
            ("fit 200 samples, slowest typist", max(fits), 50.0),
            ("score 1,800 samples", scoring, 10.0),
        ],
        columns=["what", "milliseconds", "target_milliseconds"],
    )
    table["milliseconds"] *= 1e3
    table["n_edges"] = len(verifier.edges_)
    write_table(table, OUTPUT, ("scikit-learn",))
    print(table.to_string())


def check(verifier, data, timings):
    """Stop unless the scores sum to the log-likelihood of the process."""
    expected = verifier.process_.log_likelihood(data.to_events(marks="actions"))
    if abs(verifier.score_samples(timings).sum() - expected) > 1e-9 * abs(expected):
        raise SystemExit("not the log-likelihood of the process; nothing was timed.")


if __name__ == "__main__":
    main()
