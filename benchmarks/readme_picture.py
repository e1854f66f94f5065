"""Draw the README's picture and write the table behind its figures.

Usage: HAWKEYS_DATA=FOLDER python benchmarks/readme_picture.py [--output DIR]

Needs the CMU data. Writes readme.png and five_subjects.csv (the summary of the default benchmark).
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np

import hawkeys
from hawkeys.datasets import load_cmu
from hawkeys.evaluation import evaluate, make_verifiers
from hawkeys.features import HawkesFeatures

SUBJECT = "s002"
SESSIONS = (1, 8)


def session_adjacency(data):
    """Return the mean adjacency of the typist in each of the sessions."""
    own = data[data.subject == SUBJECT]
    _, adjacency = HawkesFeatures().parameters(own.timings())
    return {session: adjacency[own.session == session].mean(axis=0) for session in SESSIONS}


def draw(evaluation, matrices, keys):
    """Return the figure: DET curves, then one adjacency matrix per session."""
    figure, axes = plt.subplots(
        1, 3, figsize=(14, 4.8), layout="constrained", width_ratios=(1.3, 1.08, 1.08)
    )
    evaluation.plot_det(ax=axes[0])
    axes[0].legend(loc="lower left", fontsize=9)
    top = np.quantile(np.stack(list(matrices.values())), 0.98)
    for ax, (session, matrix) in zip(axes[1:], matrices.items(), strict=True):
        last = session == SESSIONS[-1]
        hawkeys.plotting.plot_adjacency(matrix, mark_names=keys, vmax=top, ax=ax, colorbar=last)
        ax.set_title(f"{SUBJECT}, session {session}")
    axes[0].set_title("Five subjects, mean DET curves")
    return figure


def main():
    """Evaluate the default verifiers, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    data = load_cmu()
    evaluation = evaluate(make_verifiers(), data, protocol="five-subjects")
    evaluation.summary().to_csv(output / "five_subjects.csv")
    figure = draw(evaluation, session_adjacency(data), data.keys)
    figure.savefig(output / "readme.png", dpi=90)


if __name__ == "__main__":
    main()
