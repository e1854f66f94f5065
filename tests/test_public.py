"""No public name, parameter or default changes unnoticed."""

from functools import cached_property

import numpy as np
import pytest
from public_signatures import PATH, lines, of


def test_signatures_are_those_written_down():
    written, now = set(PATH.read_text(encoding="utf-8").splitlines()), set(lines())
    gone, new = sorted(written - now), sorted(now - written)
    assert gone == [], "a user's code may break: say so in CHANGELOG under Changed, or undo it"
    assert new == [], "new names and parameters: python tests/public_signatures.py writes them down"


def test_what_is_written_down():
    written = PATH.read_text(encoding="utf-8").splitlines()
    assert "hawkeys.Events.n_events" in written
    assert "class hawkeys.results.LikelihoodResult" in {one.partition("(")[0] for one in written}
    assert "GoodnessOfFit.pvalue" in written  # returned by a function, on no face
    (fit,) = (one for one in written if one.startswith("hawkeys.fit("))
    assert fit == (
        "hawkeys.fit(data, *, decay=None, kernel=None, end_time=None, method='mle', rng=0, "
        "support=None, weights=None, **options)"
    )


def members(**body):
    """Return the lines of a class of the package with these members."""
    usual = {"__module__": "hawkeys.made", "__init__": lambda self, a: None}
    return of("Made", type("Made", (), usual | body), set())[0]


def test_members_of_classes():
    found = members(
        size=property(lambda self: 1),
        kept=cached_property(lambda self: 1),
        draw=lambda self, n, *, rng=0: n,
        read=classmethod(lambda cls, path=None: path),
        limit=3,
        _inner=lambda self: None,
    )
    assert sorted(found) == [
        "Made.draw(self, n, *, rng=0)",
        "Made.kept",
        "Made.limit",
        "Made.read(cls, path=None)",
        "Made.size",
        "class Made(a)",
    ]


@pytest.mark.parametrize(
    "changed",
    [
        lambda self, n=1, *, rng=0: n,  # a default, where there was none
        lambda self, n, *, rng=1: n,
        lambda self, n, rng=0: n,  # by position, too
        lambda self, m, *, rng=0: m,
        lambda self, n: n,
        property(lambda self: 1),
    ],
)
def test_changes_are_seen(changed):
    assert members(draw=changed) != members(draw=lambda self, n, *, rng=0: n)


def test_defaults_do_not_follow_the_process():
    thing = object()
    shown = members(draw=lambda self, out=np.add, to=thing: 0)[1]
    assert shown == "Made.draw(self, out=add, to=<object>)"
