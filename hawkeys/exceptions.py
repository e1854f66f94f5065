"""Errors and warnings that hawkeys raises.

Every error derives from `HawkeysError`, and from the built-in exception a caller would expect
(`ValueError`, `FileNotFoundError`), so that both ``except HawkeysError`` and ``except ValueError``
work. Every message says what came, what was expected, where, and what to do.
"""

__all__ = [
    "ConvergenceWarning",
    "DatasetError",
    "DatasetNotFoundError",
    "EnrolmentError",
    "EnrolmentWarning",
    "EventsWarning",
    "HawkeysError",
    "HawkeysWarning",
    "IdentifiabilityWarning",
    "ImportanceWarning",
    "InvalidEventsError",
    "InvalidParameterError",
    "InvalidTimingsError",
    "MissingExtraError",
    "OutputError",
    "PartitionError",
    "ResultFileError",
    "TemplateFileError",
    "UnstableProcessError",
]


class HawkeysError(Exception):
    """Base class of every error raised on purpose by hawkeys."""


class InvalidParameterError(HawkeysError, ValueError):
    """An argument has the wrong shape, sign, range or name."""


class InvalidEventsError(HawkeysError, ValueError):
    """Event times or marks break the contract of `hawkeys.Events`."""


class UnstableProcessError(HawkeysError, ValueError):
    """A quantity was asked for that exists only below spectral radius 1."""


class InvalidTimingsError(HawkeysError, ValueError):
    """A keystroke timing matrix breaks its contract."""


class EnrolmentError(HawkeysError, ValueError):
    """Typing samples break a rule of `verifiers.templates.enrolment` and cannot be enrolled."""


class DatasetError(HawkeysError, ValueError):
    """A data file was read but does not hold what it must hold."""


class DatasetNotFoundError(DatasetError, FileNotFoundError):
    """A data file could not be found or downloaded."""

    __str__ = Exception.__str__


class ResultFileError(HawkeysError, ValueError):
    """A saved result cannot be read: truncated, of another kind or from a newer version."""


class TemplateFileError(HawkeysError, ValueError):
    """A template cannot be read: truncated, edited, of another kind or from a newer version."""


class OutputError(HawkeysError, OSError):
    """A file or folder asked for as output cannot be written."""

    __str__ = Exception.__str__


class PartitionError(HawkeysError, RuntimeError):
    """The process that worked on a part of the data died, again and again."""


class MissingExtraError(HawkeysError, ImportError):
    """An optional package that is needed for what was asked is not installed."""

    __str__ = Exception.__str__


class HawkeysWarning(UserWarning):
    """Base class of the warnings issued by hawkeys."""


class ConvergenceWarning(HawkeysWarning):
    """An iterative method stopped before it met its tolerance."""


class IdentifiabilityWarning(HawkeysWarning):
    """The data do not determine some of the parameters."""


class EventsWarning(HawkeysWarning):
    """Events are valid, but look as if their window, unit or clock were not what was meant."""


class ImportanceWarning(HawkeysWarning):
    """Importance weights have so heavy a tail that averages over them are unreliable."""


class EnrolmentWarning(HawkeysWarning):
    """Typing samples can be enrolled, but break a rule of `verifiers.templates.enrolment`."""
