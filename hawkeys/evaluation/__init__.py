"""Evaluation of verifiers: protocols, error rates, intervals, plots and a report."""

from typing import TYPE_CHECKING

from hawkeys._faces import named_on_demand

if TYPE_CHECKING:
    from hawkeys.evaluation.catalogue import (
        DEFAULT_VERIFIERS,
        VERIFIERS,
        VerifierEntry,
        make_verifiers,
    )
    from hawkeys.evaluation.checkpoints import discard_checkpoints
    from hawkeys.evaluation.evaluation import Evaluation
    from hawkeys.evaluation.false_alarms import false_alarm_rates
    from hawkeys.evaluation.metrics import (
        ErrorCounts,
        RocCurve,
        auc,
        equal_error_rate,
        equal_error_threshold,
        error_counts,
        miss_rate_at,
        roc_curve,
        threshold_at,
        zero_miss_false_alarm,
    )
    from hawkeys.evaluation.others import join_typists, label_impostors
    from hawkeys.evaluation.plan import Run
    from hawkeys.evaluation.protocols import PROTOCOLS, Protocol, Split, get_protocol
    from hawkeys.evaluation.rates.bootstrap import Bootstrap
    from hawkeys.evaluation.rates.comparisons import compare_pairs
    from hawkeys.evaluation.report.figures import plot_study
    from hawkeys.evaluation.report.files import check_output_directory
    from hawkeys.evaluation.report.published import (
        PUBLISHED_COUNTS,
        PUBLISHED_FIGURES,
        REPORTED_FIGURES,
        PublishedFigures,
    )
    from hawkeys.evaluation.runner import evaluate
    from hawkeys.evaluation.studies.clock import coarsen
    from hawkeys.evaluation.studies.event_times import (
        EventTimeFold,
        accuracy_by_events,
        event_time_networks,
        event_time_rates,
        event_time_systems,
        score_event_times,
    )
    from hawkeys.evaluation.studies.few_shot import (
        FewShotScores,
        few_shot_networks,
        few_shot_rates,
        few_shot_systems,
        score_few_shot,
    )
    from hawkeys.evaluation.studies.free_text import (
        FreeTextScores,
        free_text_rates,
        score_free_text,
        split_halves,
    )
    from hawkeys.evaluation.studies.keyed_text import (
        KeyedTextScores,
        cut_blocks,
        keyed_text_networks,
        keyed_text_rates,
        score_keyed_text,
    )
    from hawkeys.evaluation.studies.sessions import practice_rates, session_rates
    from hawkeys.evaluation.studies.settings import clock_resolutions, enrolment_sizes
    from hawkeys.evaluation.studies.updating import evaluate_updating, summarise_updating
    from hawkeys.evaluation.trials import Outcome

__all__ = [
    "DEFAULT_VERIFIERS",
    "PROTOCOLS",
    "PUBLISHED_COUNTS",
    "PUBLISHED_FIGURES",
    "REPORTED_FIGURES",
    "VERIFIERS",
    "Bootstrap",
    "ErrorCounts",
    "Evaluation",
    "EventTimeFold",
    "FewShotScores",
    "FreeTextScores",
    "KeyedTextScores",
    "Outcome",
    "Protocol",
    "PublishedFigures",
    "RocCurve",
    "Run",
    "Split",
    "VerifierEntry",
    "accuracy_by_events",
    "auc",
    "check_output_directory",
    "clock_resolutions",
    "coarsen",
    "compare_pairs",
    "cut_blocks",
    "discard_checkpoints",
    "enrolment_sizes",
    "equal_error_rate",
    "equal_error_threshold",
    "error_counts",
    "evaluate",
    "evaluate_updating",
    "event_time_networks",
    "event_time_rates",
    "event_time_systems",
    "false_alarm_rates",
    "few_shot_networks",
    "few_shot_rates",
    "few_shot_systems",
    "free_text_rates",
    "get_protocol",
    "join_typists",
    "keyed_text_networks",
    "keyed_text_rates",
    "label_impostors",
    "make_verifiers",
    "miss_rate_at",
    "plot_study",
    "practice_rates",
    "roc_curve",
    "score_event_times",
    "score_few_shot",
    "score_free_text",
    "score_keyed_text",
    "session_rates",
    "split_halves",
    "summarise_updating",
    "threshold_at",
    "zero_miss_false_alarm",
]

_HOME = {
    "Bootstrap": "rates.bootstrap",
    "DEFAULT_VERIFIERS": "catalogue",
    "ErrorCounts": "metrics",
    "Evaluation": "evaluation",
    "EventTimeFold": "studies.event_times",
    "FewShotScores": "studies.few_shot",
    "FreeTextScores": "studies.free_text",
    "KeyedTextScores": "studies.keyed_text",
    "Outcome": "trials",
    "PROTOCOLS": "protocols",
    "PUBLISHED_COUNTS": "report.published",
    "PUBLISHED_FIGURES": "report.published",
    "Protocol": "protocols",
    "PublishedFigures": "report.published",
    "REPORTED_FIGURES": "report.published",
    "RocCurve": "metrics",
    "Run": "plan",
    "Split": "protocols",
    "VERIFIERS": "catalogue",
    "VerifierEntry": "catalogue",
    "accuracy_by_events": "studies.event_times",
    "auc": "metrics",
    "check_output_directory": "report.files",
    "clock_resolutions": "studies.settings",
    "coarsen": "studies.clock",
    "compare_pairs": "rates.comparisons",
    "cut_blocks": "studies.keyed_text",
    "discard_checkpoints": "checkpoints",
    "enrolment_sizes": "studies.settings",
    "equal_error_rate": "metrics",
    "equal_error_threshold": "metrics",
    "error_counts": "metrics",
    "evaluate": "runner",
    "evaluate_updating": "studies.updating",
    "event_time_networks": "studies.event_times",
    "event_time_rates": "studies.event_times",
    "event_time_systems": "studies.event_times",
    "false_alarm_rates": "false_alarms",
    "few_shot_networks": "studies.few_shot",
    "few_shot_rates": "studies.few_shot",
    "few_shot_systems": "studies.few_shot",
    "free_text_rates": "studies.free_text",
    "get_protocol": "protocols",
    "join_typists": "others",
    "keyed_text_networks": "studies.keyed_text",
    "keyed_text_rates": "studies.keyed_text",
    "label_impostors": "others",
    "make_verifiers": "catalogue",
    "miss_rate_at": "metrics",
    "plot_study": "report.figures",
    "practice_rates": "studies.sessions",
    "roc_curve": "metrics",
    "score_event_times": "studies.event_times",
    "score_few_shot": "studies.few_shot",
    "score_free_text": "studies.free_text",
    "score_keyed_text": "studies.keyed_text",
    "session_rates": "studies.sessions",
    "split_halves": "studies.free_text",
    "summarise_updating": "studies.updating",
    "threshold_at": "metrics",
    "zero_miss_false_alarm": "metrics",
}

__getattr__ = named_on_demand(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
