"""Outcomes made by hand, without a verifier."""

import numpy as np

from hawkeys.evaluation.trials import Trial, make_outcome


def outcome(subject, genuine, impostor, *, verifier="v", threshold=0.0, **more):
    """An outcome of given scores; `impostor` maps the name of each impostor to scores."""
    own = np.array(genuine, dtype=float)
    sizes = [len(scores) for scores in impostor.values()]
    trial = Trial(
        verifier,
        subject,
        own,
        np.concatenate([np.array(scores, dtype=float) for scores in impostor.values()]),
        genuine_session=np.array(more.get("session", np.ones(own.size, dtype=int))),
        impostor_subject=np.repeat(list(impostor), sizes),
        threshold=threshold,
        policy_thresholds={},
        fit_seconds=more.get("fit_seconds", 0.5),
        score_seconds=more.get("score_seconds", 0.25),
        template_bytes=more.get("template_bytes", 100),
    )
    return make_outcome(trial, 0.05)


def normal_outcomes(n_subjects=6, *, verifier="v", shift=1.5, seed=0, n_genuine=40):
    """Outcomes of normal scores: genuine about `shift`, impostors about 0, 10 of each."""
    rng = np.random.default_rng(seed)
    names = [f"s{k:02d}" for k in range(n_subjects)]
    return [
        outcome(
            name,
            rng.normal(shift, 1.0, n_genuine),
            {other: rng.normal(0.0, 1.0, 10) for other in names if other != name},
            verifier=verifier,
            threshold=rng.normal(),
            session=np.repeat([5, 6], n_genuine // 2),
        )
        for name in names
    ]
