"""Whether an attempt spells the text, told from the very line that a file would keep."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from hawkeys._typing import FloatArray
from hawkeys.capture.records import AttemptRecord
from hawkeys.capture.text import RETURN, TypedText
from hawkeys.datasets import Strokes, list_attempts, pair_events, to_keystrokes
from hawkeys.datasets.key_events.files import ReadOptions, parse_key_events
from hawkeys.exceptions import DatasetError, HawkeysWarning

__all__ = ["Judgement", "judge"]


@dataclass(frozen=True)
class Judgement:
    """What an attempt is, in a word and a sentence, and the timings of a sample (seconds)."""

    outcome: str
    message: str
    timings: FloatArray | None = None


def judge(record: AttemptRecord, line: bytes, text: TypedText) -> Judgement:
    """Return what an attempt is; `line` is read as a file of such lines would be."""
    if not any(event.type in ("keydown", "keyup") for event in record.events):
        return Judgement("unreadable", "Not counted: no key was pressed.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HawkeysWarning)
            events = parse_key_events(line, "attempt", ReadOptions(format="browser"))
            strokes = pair_events(events, shift="fold")
    except DatasetError as error:
        reason = str(error).removeprefix("attempt: ")
        return Judgement("unreadable", f"Not counted, and not stored: {reason}")
    if record.lost_focus:
        return Judgement(
            "focus lost",
            "Not counted: the page lost the focus before the attempt ended. Type it in one go.",
        )
    if not len(strokes):
        return Judgement("other text", "Not counted: no key was pressed and let go.")
    return _judge_strokes(strokes, text)


def _judge_strokes(strokes: Strokes, text: TypedText) -> Judgement:
    """Return what strokes are: one sample, or what was typed instead."""
    table = list_attempts(strokes, text=text.keys, end_key=RETURN)
    if len(table) > 1:
        return Judgement(
            "unreadable",
            "Not counted, and not stored: Return was pressed twice, or the browser's clock went "
            "back, within one attempt.",
        )
    outcome, typed = str(table["outcome"][0]), str(table["text"][0])
    if outcome != "sample":
        return Judgement(outcome, _instead(outcome, typed, text))
    timings = to_keystrokes(strokes, text=text.keys, end_key=RETURN).timings().round(9)
    return Judgement("sample", "Counted.", timings.to_numpy()[0])


def _instead(outcome: str, typed: str, text: TypedText) -> str:
    """Say what was typed instead of the text."""
    if outcome == "typo":
        return "Not counted: a typing error was corrected, which changes the rhythm."
    return f"Not counted: typed {typed!r}, expected {text.spelling!r}."
