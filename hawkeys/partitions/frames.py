"""`FramesOnDisk`: a folder of results, one file for each partition of the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hawkeys.exceptions import InvalidParameterError
from hawkeys.partitions.fan_out import result_name
from hawkeys.partitions.layout import require_pyarrow

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FramesOnDisk"]


@dataclass(frozen=True)
class FramesOnDisk:
    """Results of a fan-out, in one file for each partition of the data.

    Iterating gives one frame for each partition, read when it is asked for.

    Attributes
    ----------
    folder : Path
        Where the files are: ``part-00000.parquet``, ... and ``manifest.json``.
    n_partitions : int
        Number of files.
    """

    folder: Path
    n_partitions: int

    def __len__(self) -> int:
        """Return the number of partitions."""
        return self.n_partitions

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """Yield the frames."""
        return (self.partition(k) for k in range(self.n_partitions))

    def partition(self, number: int) -> pd.DataFrame:
        """Read the results of one partition.

        Parameters
        ----------
        number : int
            From 0.

        Returns
        -------
        pandas.DataFrame
            A row per realisation or sample of the partition, in their order.

        Raises
        ------
        InvalidParameterError
            There is no such partition.
        """
        if not 0 <= number < self.n_partitions:
            raise InvalidParameterError(
                f"partition must lie in 0..{self.n_partitions - 1}; got {number}."
            )
        path = self.folder / result_name(number)
        frame: pd.DataFrame = require_pyarrow()[1].read_table(path).to_pandas()
        return frame

    def to_frame(self) -> pd.DataFrame:
        """Return all results.

        Returns
        -------
        pandas.DataFrame
            As `partition`, of all, in their order.
        """
        import pandas as pd

        return pd.concat(list(self), ignore_index=True)
