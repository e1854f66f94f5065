"""Search for the point-process verifier with the lowest error, and measure what was found.

    python benchmarks/point_process_research.py            # development: the log of what was tried
    python benchmarks/point_process_research.py --final    # the reported methods, other subjects

Needs the CMU data (HAWKEYS_DATA). The 46 subjects other than the five of the keystroke paper are
sorted; the 1st, 3rd, ... chose everything, the 2nd, 4th, ... and the five did not. Writes
results/point_process_research.csv or results/point_process_final.csv and _pairs.csv.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
from machine import write_table
from scipy.special import logsumexp
from sklearn.base import clone

from hawkeys.datasets import load_cmu
from hawkeys.evaluation import equal_error_rate, evaluate, make_verifiers, miss_rate_at
from hawkeys.evaluation.rates.bootstrap import make_bootstrap
from hawkeys.evaluation.rates.comparisons import compare_pairs
from hawkeys.verifiers import (
    POHMM,
    ClippedManhattan,
    HawkesLikelihood,
    PracticeCorrected,
    RecencyNearestNeighbors,
    RobustMahalanobis,
    ScoreSum,
    recency_weights,
)
from hawkeys.verifiers.fixed_text import _hawkes_em as em
from hawkeys.verifiers.thresholds import seen_scores

RESULTS = Path(__file__).parent / "results"
FIVE = ("s002", "s032", "s036", "s047", "s052")
# of each impostor's 400 samples in the search; the final figures use all
STRIDE = 8
REPORTED = (
    "pohmm",
    "recency-nearest-neighbors",
    "hawkes-likelihood",
    "practised-hawkes-likelihood",
    "practised-recency-neighbors",
    "neighbors-and-hawkes",
)


def edges_of(*rules, n_keys=11):
    """Return edges from rules (target action, source action, keys between), for example pr-1."""
    found = []
    for target, source, step in rules:
        for i in range(n_keys):
            if 0 <= i + step < n_keys:
                found.append((2 * i + (target == "r"), 2 * (i + step) + (source == "r")))
    return np.array(sorted(found), dtype=np.int64)


PRESS_TO_PRESS = (("p", "p", -1), ("r", "p", 0))
RELEASE_TO_PRESS = (("p", "r", -1), ("r", "p", 0), ("r", "p", 1))
TWO_BACK = (("p", "p", -2), ("r", "p", -1))
RELEASES = (("r", "r", -1), ("p", "p", -1))


class Experts(HawkesLikelihood):
    """Sum of the log-likelihoods of several processes with few edges (a product of experts)."""

    def __init__(self, rules=(PRESS_TO_PRESS,), half_life=20.0, min_baseline=0.01):
        super().__init__(half_life=half_life, min_baseline=min_baseline)
        self.rules = rules

    def _learn(self, samples, weights=None):
        recency = recency_weights(len(samples), self.half_life)
        self._options = em.Options(self.min_baseline, self.prior_strength, 0.2, self.n_iter)
        self.fits_ = []
        for rule in self.rules:
            edges = edges_of(*rule)
            fit = em.estimate(em.Lags.of(samples, edges), recency, self._options)
            self.fits_.append((edges, fit.parameters))

    def _score(self, samples):
        return sum(likelihood(em.Lags.of(samples, edges), p) for edges, p in self.fits_)


class Changed(HawkesLikelihood):
    """The fitted process with its lags moved along their recent change, and widened."""

    def __init__(self, half_life=20.0, min_baseline=0.01, ahead=0.0, widen=0.0, censored=True):
        super().__init__(half_life=half_life, min_baseline=min_baseline)
        self.ahead = ahead
        self.widen = widen
        self.censored = censored

    def _learn(self, samples, weights=None):
        super()._learn(samples, weights)
        lags = em.Lags.of(samples, self.edges_).lags
        seen = np.isfinite(lags)
        logs = np.where(seen, lags, 0.0)
        recent = recency_weights(len(samples), self.half_life) * seen
        change = (recent * logs).sum(1) / recent.sum(1).clip(1e-9)
        change -= logs.sum(1) / seen.sum(1).clip(1e-9)
        edges = self._parameters.edges.copy()
        edges[:, 1] += self.ahead * change
        edges[:, 2] = np.hypot(edges[:, 2], self.widen)
        self._parameters = em.Parameters(self._parameters.baseline, edges)

    def _score(self, samples):
        logs, masses = em.Lags.of(samples, self.edges_).logs_and_masses(self._parameters)
        return (logs - masses if self.censored else logs).sum(axis=0)


class Tempo(HawkesLikelihood):
    """A time-warped process: a latent tempo per sample, log-normal, integrated on a grid."""

    grid = np.linspace(-0.6, 0.6, 25)

    def __init__(self, half_life=20.0, min_baseline=0.01, spread=0.2):
        super().__init__(half_life=half_life, min_baseline=min_baseline)
        self.spread = spread

    def _learn(self, samples, weights=None):
        super()._learn(samples, weights)
        options = em.Options(self.min_baseline, self.prior_strength, 0.2, self.n_iter)
        recency = recency_weights(len(samples), self.half_life)
        whole = data = em.Lags.of(samples, self.edges_)
        for _ in range(3):
            best = self.grid[self._on_grid(data).argmax(axis=0)]
            best -= np.average(best, weights=recency)
            data = warped(whole, best)
            self._parameters = em.estimate(data, recency, options).parameters

    def _on_grid(self, data):
        each = [likelihood(warped(data, s), self._parameters) for s in self.grid]
        jacobian = data.times.shape[0] * self.grid
        return np.array(each) - (jacobian + 0.5 * (self.grid / self.spread) ** 2)[:, None]

    def _score(self, samples):
        return logsumexp(self._on_grid(em.Lags.of(samples, self.edges_)), axis=0)


class Styles(HawkesLikelihood):
    """A mixture of processes over samples, started from fast to slow samples."""

    def __init__(self, half_life=20.0, min_baseline=0.01, n_styles=2):
        super().__init__(half_life=half_life, min_baseline=min_baseline)
        self.n_styles = n_styles

    def _learn(self, samples, weights=None):
        super()._learn(samples, weights)
        options = em.Options(self.min_baseline, self.prior_strength, 0.2, self.n_iter)
        recency = recency_weights(len(samples), self.half_life)
        data = em.Lags.of(samples, self.edges_)
        place = np.argsort(np.argsort(data.windows)) / len(samples)
        middle = (np.arange(self.n_styles) + 0.5) / self.n_styles
        share = np.exp(-0.5 * ((place - middle[:, None]) * self.n_styles * 1.5) ** 2)
        for _ in range(6):
            share /= share.sum(axis=0)
            self.fits_ = [em.estimate(data, recency * s + 1e-6, options).parameters for s in share]
            self.logs_ = np.log(np.maximum(share @ recency, 1e-3) / recency.sum())
            share = np.exp(self._each(data) - logsumexp(self._each(data), axis=0))

    def _each(self, data):
        return np.array([likelihood(data, p) for p in self.fits_]) + self.logs_[:, None]

    def _score(self, samples):
        return logsumexp(self._each(em.Lags.of(samples, self.edges_)), axis=0)


class LagDensities(HawkesLikelihood):
    """Kernel densities of the log-lags, by responsibility and recency, shrunk to log-normal."""

    grid = np.linspace(-6.5, 2.5, 1801)

    def __init__(self, half_life=20.0, bandwidth=0.08, extra=0.05):
        super().__init__(half_life=half_life, min_baseline=0.01)
        self.bandwidth = bandwidth
        self.extra = extra

    def _learn(self, samples, weights=None):
        super()._learn(samples, weights)
        data = em.Lags.of(samples, self.edges_)
        adjacency, location, scale = self._parameters.edges.T
        z = (data.lags - location[:, None]) / scale[:, None]
        with np.errstate(invalid="ignore"):
            rates = adjacency[:, None] * np.exp(-0.5 * z**2 - data.lags) / scale[:, None]
        rates = np.nan_to_num(rates) / np.sqrt(2 * np.pi)
        target = self.edges_[:, 0]
        total = np.array([rates[target == m].sum(axis=0) + 0.01 for m in target])
        share = rates / total * recency_weights(len(samples), self.half_life)
        step = self.grid[1] - self.grid[0]
        offsets = np.arange(-int(4 * self.bandwidth / step), int(4 * self.bandwidth / step) + 1)
        smooth = np.exp(-0.5 * (offsets * step / self.bandwidth) ** 2)
        bounds = np.append(self.grid, self.grid[-1] + step)
        self.table_ = np.empty((len(share), self.grid.size))
        for k, each in enumerate(share):
            seen = np.isfinite(data.lags[k])
            mass = np.histogram(data.lags[k][seen], bounds, weights=each[seen])[0]
            density = np.convolve(mass, smooth / smooth.sum(), "same") / step
            prior = np.exp(-0.5 * ((self.grid - location[k]) / scale[k]) ** 2)
            prior /= scale[k] * np.sqrt(2 * np.pi)
            self.table_[k] = (density + 20.0 * prior) / (mass.sum() + 20.0)

    def _score(self, samples):
        data = em.Lags.of(samples, self.edges_)
        seen = np.isfinite(data.lags)
        lags = np.where(seen, data.lags, 0.0)
        place = np.clip(np.searchsorted(self.grid, lags, "right") - 1, 0, self.grid.size - 1)
        each = self.table_[np.arange(len(lags))[:, None], place] * np.exp(-lags) * seen
        rates = np.full(data.times.shape, self.extra)
        np.add.at(rates, self.edges_[:, 0], each * self._parameters.edges[:, :1])
        return np.log(rates).sum(axis=0)


def likelihood(data, parameters):
    """Return the log-likelihood of each sample."""
    logs, masses = data.logs_and_masses(parameters)
    return (logs - masses).sum(axis=0)


def warped(data, log_tempo):
    """Return the lags of samples as if typed exp(log_tempo) times as fast."""
    shift = np.broadcast_to(log_tempo, data.windows.shape)
    factor = np.exp(-shift)
    return em.Lags(
        data.times * factor,
        data.windows * factor,
        data.lags - shift,
        data.rests - shift,
        data.first,
    )


def candidates():
    """Return the single verifiers tried, by name."""
    near, hawkes, moved = RecencyNearestNeighbors, HawkesLikelihood, PracticeCorrected
    base = {"half_life": 20.0, "min_baseline": 0.01}
    found = [POHMM(), ClippedManhattan(), RobustMahalanobis()]
    found += [near(half_life=h) for h in (15.0, 20.0, 30.0, 40.0, 60.0, 100.0)]
    found += [hawkes(**base | {"half_life": h}) for h in (15.0, 20.0, 30.0, 60.0, 100.0, None)]
    found += [hawkes(**base | {"min_baseline": mu}) for mu in (0.001, 0.003, 0.03, 0.1)]
    found += [hawkes(**base, structure="key", lags=b) for b in (1, 2, 3)]
    found += [hawkes(**base, prior_strength=5.0), hawkes(**base, floor=-2.0)]
    found += [hawkes(**base, n_iter=n) for n in (20, 100)]
    sets = (PRESS_TO_PRESS, RELEASE_TO_PRESS, TWO_BACK, RELEASES)
    found += [Experts(rules) for n in (1, 2, 3, 4) for rules in itertools.combinations(sets, n)]
    found += [Changed(censored=False), Changed(widen=0.05), Changed(widen=0.1)]
    found += [Changed(ahead=a) for a in (0.3, 0.5, 1.0)]
    found += [Tempo(spread=s) for s in (0.1, 0.2, 0.3)] + [Styles(n_styles=n) for n in (2, 3)]
    found += [LagDensities(bandwidth=b) for b in (0.05, 0.08, 0.15)]
    for part in (near(half_life=25.0), hawkes(half_life=25.0)):
        found += [moved(part, strength=s) for s in (0.3, 0.6, 0.8, 1.0)]
        found += [moved(part, ahead=m) for m in (0.0, 200.0)]
        found += [moved(part, head_start=c) for c in (5.0, 20.0)]
    found += [moved(near(half_life=h)) for h in (20.0, 40.0, 100.0)]
    found += [moved(near(half_life=25.0, clip=c)) for c in (2.0, 3.0, 4.0, 5.0)]
    found += [moved(near(half_life=25.0, neighbor_mass=m)) for m in (0.03, 0.1)]
    found += [
        moved(hawkes(half_life=h, min_baseline=mu, prior_strength=p))
        for h in (20.0, 25.0, 30.0)
        for mu in (1e-4, 1e-3, 1e-2)
        for p in (1.0, 4.0)
    ]
    found += [moved(part) for part in (POHMM(), ClippedManhattan(), RobustMahalanobis())]
    found += [
        moved(LagDensities()),
        moved(LagDensities(bandwidth=0.05)),
        moved(Changed(widen=0.05)),
    ]
    parts = [near(half_life=25.0), hawkes()]
    found += [
        moved(ScoreSum(parts, weights=w, policy=policy))
        for policy in ("resubstitution", "leave-one-session-out", "prequential")
        for w in ((1.0, 1.0), (2.0, 1.0))
    ]
    return {name_of(one): one for one in found}


def name_of(verifier):
    """Return the verifier as it is written in Python, in one line."""
    return " ".join(repr(verifier).split())


def sums(names):
    """Return the sums tried, as ((weight, name), (weight, name)): neighbours and another one."""
    plain = name_of(RecencyNearestNeighbors(half_life=20.0))
    moved = name_of(PracticeCorrected(RecencyNearestNeighbors(half_life=25.0)))
    for other in names:
        first = moved if other.startswith("PracticeCorrected") else plain
        if other != first and "ScoreSum" not in other:
            yield from (((weight, first), (1.0, other)) for weight in (1.0, 2.0))


def develop(data, subjects):
    """Write the log: every verifier tried on development subjects."""
    timings, who = data.timings().to_numpy(), np.asarray(data.subject)
    rows = {name: np.flatnonzero(who == name) for name in subjects}
    scores, table = {}, []
    for name, verifier in candidates().items():
        scores[name] = [subject_scores(verifier, timings, rows, s) for s in subjects]
        table.append((name, *figures(scores[name])))
    for parts in sums(list(scores)):
        whole = [added(parts, scores, k) for k in range(len(subjects))]
        label = " + ".join(f"{weight:g} x {name}" for weight, name in parts)
        table.append((label, *figures(whole)))
    frame = pd.DataFrame(table, columns=["verifier", "eer", "miss_rate_all"])
    frame = frame.sort_values("miss_rate_all").assign(
        n_subjects=len(subjects), impostor_stride=STRIDE, false_alarm=0.05
    )
    write_table(frame, RESULTS / "point_process_research.csv", ("scikit-learn",))
    print(f"{len(frame)} verifiers tried; the best:\n{frame.iloc[:5, :3].to_string()}")


def subject_scores(verifier, timings, rows, subject):
    """Return scores of training, genuine, and impostors' first 5 and every so many samples."""
    train, genuine = timings[rows[subject][:200]], timings[rows[subject][200:]]
    others = [rows[name] for name in rows if name != subject]
    fitted = clone(verifier).fit(train)
    first = timings[np.concatenate([other[:5] for other in others])]
    spread = timings[np.concatenate([other[::STRIDE] for other in others])]
    return [seen_scores(fitted, train), *map(fitted.score_samples, (genuine, first, spread))]


def added(parts, scores, k):
    """Return the weighted sum of the standardised scores of subject number k."""
    total = [0.0] * 4
    for weight, name in parts:
        known = scores[name][k][0]
        center = np.median(known)
        scale = 1.4826 * np.median(np.abs(known - center))
        total = [
            t + weight * (s - center) / scale for t, s in zip(total, scores[name][k], strict=True)
        ]
    return total


def figures(scores):
    """Return the mean equal-error rate, and miss rate at 5 % false alarms, over subjects."""
    eer = [equal_error_rate(genuine, first) for _, genuine, first, _ in scores]
    miss = [miss_rate_at(genuine, spread, 0.05) for _, genuine, _, spread in scores]
    return np.mean(eer), np.mean(miss)


def measure(data, groups):
    """Write error rates of the reported verifiers, and their differences, per group of subjects.

    Impostors are everyone else, or the other subjects of the group.
    """
    means, pairs = [], []
    for protocol in ("killourhy-maxion", "killourhy-maxion-all"):
        whole = error_rates(data, protocol)
        for group, subjects in groups.items():
            own = np.isin(data.subject, subjects)
            frames = {"everyone": whole[whole["subject"].isin(subjects)]}
            if not own.all():
                frames["group"] = error_rates(data[own], protocol)
            for (impostors, frame), metric in itertools.product(
                frames.items(), ("eer", "miss_rate")
            ):
                where = {"subjects": group, "impostors": impostors, "protocol": protocol}
                where["metric"] = metric
                means += intervals(frame, where)
                table = compare_pairs(frame, metric, bootstrap=make_bootstrap(2000, 0))
                pairs.append(table.assign(**where))
    for rows, name in ((pd.DataFrame(means), "final"), (pd.concat(pairs), "final_pairs")):
        write_table(rows, RESULTS / f"point_process_{name}.csv", ("scikit-learn",))
        print(rows.to_string())


def error_rates(data, protocol):
    """Return the error rates of the reported verifiers per subject."""
    verifiers = make_verifiers(REPORTED)
    return evaluate(verifiers, data, protocol=protocol, n_bootstrap=10).to_frame()


def intervals(frame, where):
    """Return a row per verifier: the mean over subjects and its interval."""
    rows, bootstrap = [], make_bootstrap(2000, 0)
    for name in REPORTED:
        values = frame.loc[frame["verifier"] == name, where["metric"]].to_numpy()
        low, high = bootstrap.interval(values)
        found = {"n_subjects": values.size, "mean": values.mean(), "lower": low, "upper": high}
        rows.append(where | {"verifier": name} | found)
    return rows


def main(arguments=None):
    """Search on development subjects, or measure on the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--final", action="store_true", help="measure the reported verifiers")
    options = parser.parse_args(arguments)
    data = load_cmu()
    rest = sorted(set(map(str, data.subject)) - set(FIVE))
    development, held_out = rest[0::2], rest[1::2]
    if not options.final:
        return develop(data, development)
    everyone = sorted(set(map(str, data.subject)))
    groups = {"development": development, "held-out": held_out, "five": FIVE, "all": everyone}
    return measure(data, groups)


if __name__ == "__main__":
    main()
