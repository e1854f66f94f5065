"""Data sets by name, with a record of where they come from."""

from __future__ import annotations

import os
from dataclasses import dataclass

from hawkeys._validation import check_choice
from hawkeys.datasets.keystrokes import Keystrokes
from hawkeys.datasets.named.bksd import BKSD_TEXTS, bksd_places, bksd_url, read_bksd
from hawkeys.datasets.named.cmu import CMU_URL, DEMO_TAKEN, cmu_places, find_cmu, read_cmu
from hawkeys.datasets.named.demo import simulate_demo
from hawkeys.datasets.named.event_times import press_time_places
from hawkeys.datasets.named.free_text import free_text_places
from hawkeys.datasets.named.keyed_text import aalto_places
from hawkeys.datasets.provenance import Provenance
from hawkeys.exceptions import DatasetNotFoundError, InvalidParameterError

__all__ = ["DatasetInfo", "available_datasets", "load_dataset"]

_BKSD = {f"bksd-{which}": which for which in BKSD_TEXTS}
_CHOICES = ("auto", "cmu", "demo", *_BKSD)


@dataclass(frozen=True)
class DatasetInfo:
    """What is known about a data set without loading it.

    Attributes
    ----------
    name, description, source, terms : str
        What it is, the address or function it comes from, and the terms of its use.
    looked_in : tuple of str
        Paths that were looked at, in order; empty for a simulated set.
    found : str or None
        The path that exists, "built in" for a simulated set, or None: not here.
    """

    name: str
    description: str
    source: str
    terms: str
    looked_in: tuple[str, ...]
    found: str | None


def load_dataset(
    name: str = "auto", *, path: str | os.PathLike[str] | None = None
) -> tuple[Keystrokes, Provenance]:
    """Load a data set by name and say where it comes from.

    Parameters
    ----------
    name : {"auto", "cmu", "demo", "bksd-password", "bksd-phrase"}, default "auto"
        "cmu": the CMU benchmark, as `load_cmu` finds it. "demo": the simulated typists of
        `load_demo`. "auto": the CMU benchmark, or the demo if there is no file and no download;
        the notice then says so. A file that is there but broken is an error, never a reason to
        take the demo. "bksd-password", "bksd-phrase": the texts of BKSD, as `load_bksd` finds
        them; the notice says which rows are left out.
    path : path, optional
        The file of the CMU benchmark or of BKSD. A path that does not exist is an error.

    Returns
    -------
    keystrokes : Keystrokes
        The samples.
    provenance : Provenance
        Where they come from.

    Raises
    ------
    DatasetNotFoundError
        The named file does not exist, or the set is neither on this machine nor downloadable.
    DatasetError
        The file is damaged or something else.
    InvalidParameterError
        An unknown name, or a path for the demo.

    Examples
    --------
    >>> from hawkeys.datasets import load_dataset
    >>> keystrokes, provenance = load_dataset("demo")
    >>> provenance.simulated, provenance.n_samples
    (True, 8000)
    """
    check_choice(name, "dataset", _CHOICES)
    if name == "demo":
        if path is not None:
            raise InvalidParameterError(
                f"the demo is simulated and reads no file, got path {os.fspath(path)!r}. Leave "
                "the path out, or name the dataset 'cmu'."
            )
        return simulate_demo()
    if name in _BKSD:
        return read_bksd(_BKSD[name], path)
    try:
        return read_cmu(path) if name == "cmu" else read_cmu(path, advice=DEMO_TAKEN)
    except DatasetNotFoundError as error:
        if name == "cmu" or path is not None:
            raise
        return simulate_demo(
            notice="The CMU benchmark is not available, so this is the DEMO: simulated typists, no "
            f"real person. The figures say nothing about people. Why: {error}",
        )


def available_datasets() -> tuple[DatasetInfo, ...]:
    """Return what data sets there are and whether they are on this machine, without downloading.

    Returns
    -------
    tuple of DatasetInfo
        One entry per name that `load_dataset` knows, "auto" apart, the two sets of
        `load_free_text`, and those of `load_press_times` and `load_aalto`; these four are never
        downloaded.

    Examples
    --------
    >>> from hawkeys.datasets import available_datasets
    >>> [info.name for info in available_datasets()][-4:]
    ['press-times', 'aalto', 'bksd-password', 'bksd-phrase']
    """
    file = find_cmu()
    cmu = DatasetInfo(
        name="cmu",
        description="CMU keystroke benchmark: 51 subjects, 8 sessions, 50 repetitions of "
        ".tie5Roanl and Return (Killourhy & Maxion, DSN 2009, doi:10.1109/DSN.2009.5270346)",
        source=CMU_URL,
        terms="unverified; not shipped; cite the authors",
        looked_in=tuple(str(place) for place in cmu_places()),
        found=None if file is None else str(file),
    )
    demo = DatasetInfo(
        name="demo",
        description="20 SIMULATED typists, 8 sessions, 50 repetitions of the same text; no real "
        "person",
        source="hawkeys.datasets.load_demo()",
        terms="those of hawkeys (BSD-3-Clause)",
        looked_in=(),
        found="built in",
    )
    texts = (_text_info("free"), _text_info("fixed"))
    return cmu, demo, *texts, *_neighbour_infos(), *map(_bksd_info, _BKSD)


def _bksd_info(name: str) -> DatasetInfo:
    """Describe one of the texts of BKSD."""
    sizes = {
        "password": "50 people, about 400 repetitions each of a password of 8 keys",
        "phrase": "35 people, about 390 repetitions each of a phrase of 16 keys",
    }
    places = bksd_places(_BKSD[name])
    return DatasetInfo(
        name=name,
        description=f"BKSD, English: {sizes[_BKSD[name]]}, without sessions (Altwaijry, Applied "
        "Sciences 13, 2023, doi:10.3390/app132011478)",
        source=bksd_url(_BKSD[name]),
        terms="MIT licence; not shipped; cite the author",
        looked_in=tuple(map(str, places)),
        found=next((str(place) for place in places if place.exists()), None),
    )


def _neighbour_infos() -> tuple[DatasetInfo, DatasetInfo]:
    """Describe the sets of event times and of keyed sentences."""
    found = [
        next((str(place) for place in places if place.exists()), None)
        for places in (press_time_places(), aalto_places())
    ]
    press_times = DatasetInfo(
        name="press-times",
        description="event times of two people typing freely, 255,975 events without keys (S. A. "
        "Calin, Deep learning approach for keystroke recognition)",
        source="hawkeys.datasets.load_press_times(); no download",
        terms="unverified; not shipped; cite the author",
        looked_in=tuple(str(place) for place in press_time_places()),
        found=found[0],
    )
    aalto = DatasetInfo(
        name="aalto",
        description="1,646 users, 15 transcribed English sentences each (subset of Dhakal et al., "
        "CHI 2018, doi:10.1145/3173574.3174220)",
        source="hawkeys.datasets.load_aalto(); no download",
        terms="non-commercial use with attribution; not shipped; cite the authors",
        looked_in=tuple(str(place) for place in aalto_places()),
        found=found[1],
    )
    return press_times, aalto


def _text_info(which: str) -> DatasetInfo:
    """Describe one of the two sets of `load_free_text`."""
    sizes = {
        "free": "55 users, 6 sessions, 500 strokes of free text",
        "fixed": "60 users, 4 sessions, 100 strokes of copied text",
    }
    places = [str(place) for place in free_text_places(which)]
    return DatasetInfo(
        name=f"{which}-text",
        description=f"{sizes[which]} (Monaco & Tappert, Pattern Recognition 76, 2018, "
        "arXiv:1607.03854, after Villani et al. 2006)",
        source=f"hawkeys.datasets.load_free_text(which={which!r}); no download",
        terms="unverified; not shipped; cite the authors",
        looked_in=tuple(places),
        found=next((place for place in places if os.path.exists(place)), None),
    )
