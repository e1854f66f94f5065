"""Evaluation of verifiers: protocols, error rates, intervals, plots and a report."""

from hawkeys.evaluation.bootstrap import Bootstrap
from hawkeys.evaluation.files import check_output_directory
from hawkeys.evaluation.metrics import (
    ErrorCounts,
    RocCurve,
    auc,
    equal_error_rate,
    error_counts,
    miss_rate_at,
    roc_curve,
    threshold_at,
    zero_miss_false_alarm,
)
from hawkeys.evaluation.outcomes import Outcome
from hawkeys.evaluation.plan import Run
from hawkeys.evaluation.protocols import PROTOCOLS, Protocol, Split, get_protocol
from hawkeys.evaluation.registry import (
    DEFAULT_VERIFIERS,
    VERIFIERS,
    VerifierEntry,
    make_verifiers,
)
from hawkeys.evaluation.results import Evaluation
from hawkeys.evaluation.runner import evaluate
from hawkeys.evaluation.updating import evaluate_updating, summarise_updating

__all__ = [
    "DEFAULT_VERIFIERS",
    "PROTOCOLS",
    "VERIFIERS",
    "Bootstrap",
    "ErrorCounts",
    "Evaluation",
    "Outcome",
    "Protocol",
    "RocCurve",
    "Run",
    "Split",
    "VerifierEntry",
    "auc",
    "check_output_directory",
    "equal_error_rate",
    "error_counts",
    "evaluate",
    "evaluate_updating",
    "get_protocol",
    "make_verifiers",
    "miss_rate_at",
    "roc_curve",
    "summarise_updating",
    "threshold_at",
    "zero_miss_false_alarm",
]
