"""Random problems and degenerate data against brute force: no silent wrong number.

Usage: python benchmarks/sweep.py [--cases N] [--first M] [--case N] [--kind NAME] [--output FILE]

Every case is drawn from its number alone, can be run alone, and is of the kind that its number
says: of each 70 in a row 50 compare a fit, a process or a simulation with sums over all pairs of
events, L-BFGS-B from several starts, numerical Hessians, quadrature and moments (`sweep_known`,
`sweep_many`, `sweep_strong`, `sweep_uncertainty`, `sweep_kernels`, `sweep_methods`,
`sweep_invariance`, `sweep_simulated`), and 20 look at what is made of data that hold no answer
(`sweep_degenerate`).
Prints the cases that fail; writes counts by kind and outcome. Exit status 1 if there is any silent
wrong number. One thread; some minutes for the cases of results/sweep.csv.

Outcomes: "agrees"; "said" (all comparisons agree, and a warning of hawkeys was heard); "refused"
(an error of hawkeys that says why); "wrong" (a comparison failed, or something else was raised or
warned). "another maximum" counts estimated kernels beside which a simplex finds a better one.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from machine import one_thread, write_table
from sweep_degenerate import check_degenerate
from sweep_invariance import check_invariance
from sweep_kernels import (
    check_decay,
    check_decay_grid,
    check_decays,
    check_delayed,
    check_histogram,
    check_pairs,
    check_sum,
)
from sweep_known import check_map, check_mle, check_penalty
from sweep_many import check_each, check_wide
from sweep_methods import check_branching_vi, check_least_squares, check_rectified, check_vi
from sweep_random import generator
from sweep_report import Report
from sweep_simulated import check_built_on, check_simulation, check_spread
from sweep_strong import check_strong
from sweep_uncertainty import check_intervals, check_path

from hawkeys.exceptions import HawkeysError

__all__ = ["CHECKS", "CYCLE", "counts", "main", "run_case"]

Check = Callable[[Report, np.random.Generator], None]
# the check of each kind, and how many of 70 cases in a row it has
CHECKS: dict[str, tuple[Check, int]] = {
    "mle": (check_mle, 5),
    "map": (check_map, 3),
    "many marks": (check_wide, 1),
    "strong among many marks": (check_strong, 2),
    "penalty": (check_penalty, 3),
    "each": (check_each, 3),
    "invariance": (check_invariance, 5),
    "decay": (check_decay, 4),
    "decays by source or pair": (check_decays, 2),
    "decay_grid": (check_decay_grid, 2),
    "weights of a sum": (check_sum, 3),
    "log-normal or gamma estimated": (check_delayed, 3),
    "histogram estimated": (check_histogram, 1),
    "kernels by pair": (check_pairs, 1),
    "vi": (check_vi, 2),
    "vi_branching": (check_branching_vi, 1),
    "least_squares": (check_least_squares, 1),
    "rectified": (check_rectified, 2),
    "simulation": (check_simulation, 1),
    "spread of counts": (check_spread, 1),
    "intervals and edges": (check_intervals, 1),
    "penalty_path": (check_path, 1),
    "residuals, files, forecasts": (check_built_on, 2),
    "degenerate": (check_degenerate, 20),
}
CYCLE: tuple[str, ...] = tuple(
    np.random.default_rng(18).permutation(
        [kind for kind, (_, share) in CHECKS.items() for _ in range(share)]
    )
)
_SHOWN = 3


def run_case(number: int, kind: str | None = None) -> Report:
    """Run one case; its kind follows from its number unless it is given."""
    kind = CYCLE[number % len(CYCLE)] if kind is None else kind
    report = Report(number, kind)
    try:
        with report.listening():
            CHECKS[kind][0](report, generator(number))
    except HawkeysError as error:
        report.refused.append(f"{type(error).__name__}: {error}")
        # nothing that the sweep draws is invalid
        report.true("refused with reason", "nan" not in str(error), str(error))
    except Exception as error:  # noqa: BLE001 (whatever it is, it is a finding)
        where = "".join(traceback.format_exception(error)[-2:])
        report.failures.append(f"raised {where}")
    return report


def run(numbers: Iterable[int], kind: str | None = None) -> tuple[list[Report], list[float]]:
    """Run cases and print those that fail or are refused."""
    reports, seconds = [], []
    for number in numbers:
        started = time.process_time()
        report = run_case(number, kind)
        seconds.append(time.process_time() - started)
        reports.append(report)
        if report.outcome == "wrong":
            print(f"case {number} ({report.kind})", flush=True)
            for failure in report.failures[:_SHOWN]:
                print(f"    {failure}", flush=True)
        elif report.outcome == "refused":
            print(f"case {number} ({report.kind}) refused: {report.refused[0]}", flush=True)
    return reports, seconds


def counts(reports: Sequence[Report], seconds: Sequence[float]) -> pd.DataFrame:
    """Return one row per kind: cases by outcome, comparisons, processor time."""
    frame = pd.DataFrame(
        {
            "kind": [report.kind for report in reports],
            "cases": 1,
            **{
                name: [report.outcome == name for report in reports]
                for name in ("agrees", "said", "refused", "wrong")
            },
            "another maximum": ["another maximum" in report.notes for report in reports],
            "comparisons": [report.n_checks for report in reports],
            "seconds": seconds,
        }
    )
    table = frame.groupby("kind", sort=True).sum(numeric_only=True)
    table.loc["all"] = table.sum()
    return table.reset_index().astype(dict.fromkeys(table.columns[:-1], int))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sweep and write its counts; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=7000, help="how many cases")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--case", type=int, help="run this case alone, and write nothing")
    parser.add_argument("--kind", choices=list(CHECKS), help="run all as this kind")
    default = Path(__file__).parent / "results" / "sweep.csv"
    parser.add_argument("--output", type=Path, default=default, help="CSV file of counts")
    options = parser.parse_args(arguments)
    alone = options.case is not None
    numbers = [options.case] if alone else range(options.first, options.first + options.cases)
    with one_thread():
        reports, seconds = run(numbers, options.kind)
    table = counts(reports, seconds)
    print(table.to_string(index=False, float_format="{:.1f}".format))
    if alone:
        for report in reports:
            print(report.outcome, report.refused, sorted(report.heard), sorted(report.notes))
    else:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        write_table(table, options.output, ["pandas"])
    return int(any(report.outcome == "wrong" for report in reports))


if __name__ == "__main__":
    sys.exit(main())
