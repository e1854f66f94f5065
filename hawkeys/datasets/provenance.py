"""`Provenance`: where a data set comes from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

__all__ = ["Provenance"]


@dataclass(frozen=True)
class Provenance:
    """Where a data set comes from; it travels with the samples and into every result.

    Attributes
    ----------
    name : str
        Of the data set, as `load_dataset` takes it.
    source : str
        Path of the file, the address it was downloaded from, or the call that simulated it.
    sha256 : str
        Hash of the file as it lies on disk; of a simulated set, of its timing matrix (float64,
        little-endian, row by row).
    n_samples, n_subjects : int
        Size of the whole set.
    simulated : bool
        True if no real person typed the samples.
    notice : str
        What the reader of a result must be told, or "".

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> load_demo().provenance["simulated"]
    'yes'
    """

    name: str
    source: str
    sha256: str
    n_samples: int
    n_subjects: int
    simulated: bool
    notice: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the fields as text, for a report.

        Returns
        -------
        dict of str to str
            dataset, source, sha256, samples, subjects, simulated ("yes" or "no"), and notice if
            there is one.
        """
        fields = {
            "dataset": self.name,
            "source": self.source,
            "sha256": self.sha256,
            "samples": str(self.n_samples),
            "subjects": str(self.n_subjects),
            "simulated": "yes" if self.simulated else "no",
        }
        return {**fields, "notice": self.notice} if self.notice else fields


def sha256_of(content: bytes) -> str:
    """Return the hash of a file's content."""
    return hashlib.sha256(content).hexdigest()
