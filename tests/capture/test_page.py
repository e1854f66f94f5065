"""The page in a real browser: real key events, at known times, seen on the page and in the file."""

import json
import time

import numpy as np
import pytest

pytest.importorskip("starlette", reason="the capture page needs the extra [capture]")
pytest.importorskip("uvicorn", reason="the capture page needs the extra [capture]")

from chromium import Browser, find_chromium
from served import serving
from typed_events import KEYS, TEXT, events_of, genuine, impostor, timings_of

from hawkeys.capture import AttemptFile, Session
from hawkeys.datasets import read_key_events

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium on this machine (apt-get install chromium)"
)
READY = "document.getElementById('field')?.disabled === false"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    one = Browser(tmp_path_factory.mktemp("profile"))
    yield one
    one.close()


class Page:
    """A page of a session in the browser, and what it has stored."""

    def __init__(self, browser, session, server):
        self.browser, self.session, self.server = browser, session, server
        browser.requests.clear()
        browser.errors.clear()
        browser.open(server.address)
        browser.until(READY)

    def type(self, events):
        """Send events (type, key, timeStamp in ms) as real ones, and wait for the answer."""
        n_before, start = self.session.n_attempts, time.time()
        for one in events:
            kind = one["type"].removeprefix("key")
            at = start + one["timeStamp"] / 1e3
            self.browser.key(kind, one["key"], at, shift=one.get("shift", False),
                             repeat=one.get("repeat", False))  # fmt: skip
        self.answered(n_before + 1)

    def answered(self, n_attempts):
        """Wait until the page shows the answer to so many attempts."""
        self.browser.until(f"state.n_attempts === {n_attempts}")
        self.browser.value("queue")
        return self.browser.text()

    def rows(self):
        """Return the attempts in the file."""
        return [json.loads(line) for line in self.session.file.path.read_text().splitlines()]


@pytest.fixture
def page(browser, tmp_path):
    with AttemptFile(tmp_path / "own.jsonl") as file:
        session = Session(TEXT, n_enrol=6, file=file)
        with serving(session) as server:
            yield Page(browser, session, server)
            assert browser.errors == []


def agree(row, events):
    """The intervals recorded are those sent, to the step of the clock that was measured.

    Chromium moves each time to one of the two steps beside it, by chance, so that an interval is
    known to two steps.
    """
    recorded = [one for one in row["events"] if one["type"].startswith("key")]
    for name in ("type", "key"):
        assert [one[name] for one in recorded] == [one[name] for one in events]
    assert [one["repeat"] for one in recorded] == [one.get("repeat", False) for one in events]
    got = np.diff([one["timeStamp"] for one in recorded])
    sent = np.diff([one["timeStamp"] for one in events])
    step = row["clock_resolution_ms"]
    assert 0 < step <= 0.1
    # and the times that were sent are cut to microseconds
    np.testing.assert_allclose(got, sent, rtol=0, atol=2 * step + 0.001)


def test_normal_typing(page):
    press, release = [0, 180, 390, 560, 700, 960], [95.5, 270.25, 480, 650.125, 790, 1041]
    events = events_of(press, release)
    page.type(events)
    assert page.browser.text() == "Counted; 5 to go."
    (row,) = page.rows()
    agree(row, events)
    assert [one["code"] for one in row["events"]][::2] == ["KeyH", "KeyE", "KeyL", "KeyL", "KeyO",
                                                           "Enter"]  # fmt: skip
    np.testing.assert_allclose(
        page.session.timings().iloc[0], timings_of(press, release), rtol=0, atol=1.1e-5
    )
    assert page.browser.value("field.value") == ""
    assert page.browser.text("count") == "1 of 6 samples, in 1 attempts."
    read = read_key_events(page.session.file.path)
    recorded = [one["timeStamp"] for one in row["events"]]
    np.testing.assert_allclose(read.time * 1e3, recorded, rtol=0, atol=1e-6)


def test_alone_in_its_process_the_page_has_a_fine_clock(page):
    assert page.browser.value("crossOriginIsolated") is True
    assert page.browser.value("clockStep") == 0.005
    assert "clock has steps of 0.005 ms" in page.browser.text("where")


def test_rollover(page):
    press, release = [0, 90, 150, 340, 420, 600], [130, 180, 300, 430, 640, 655]
    events = events_of(press, release)
    page.type(events)
    assert page.browser.text() == "Counted; 5 to go."
    agree(page.rows()[0], events)
    assert page.session.timings().iloc[0]["UD.h.e"] == pytest.approx(-0.04, abs=1.1e-5)


def test_return_let_go_first_and_the_next_attempt_begun_before(page):
    """The last key of an attempt may come up after the first one of the next went down."""
    first = events_of([0, 150, 300, 450, 600, 700], [90, 240, 390, 540, 820, 790])
    second = events_of([810, 990, 1110, 1260, 1430, 1560], [900, 1080, 1200, 1340, 1500, 1650])
    both = sorted(first + second, key=lambda one: one["timeStamp"])
    assert both[11] == second[0]
    page.type(both)
    page.answered(2)
    agree(page.rows()[0], first)
    agree(page.rows()[1], second)
    assert page.session.n_samples == 2


def test_shift_let_go_first(browser, tmp_path):
    events = [
        {"type": "keydown", "key": "Shift", "timeStamp": 0.0, "shift": True},
        {"type": "keydown", "key": "A", "timeStamp": 120.0, "shift": True},
        {"type": "keyup", "key": "Shift", "timeStamp": 170.0},
        {"type": "keyup", "key": "a", "timeStamp": 215.0},
        {"type": "keydown", "key": "b", "timeStamp": 300.0},
        {"type": "keyup", "key": "b", "timeStamp": 390.0},
        {"type": "keydown", "key": "Enter", "timeStamp": 480.0},
        {"type": "keyup", "key": "Enter", "timeStamp": 560.0},
    ]
    with AttemptFile(tmp_path / "own.jsonl") as file:
        session = Session("Ab", file=file)
        with serving(session) as server:
            page = Page(browser, session, server)
            page.type(events)
            agree(page.rows()[0], events)
    np.testing.assert_allclose(
        session.timings().iloc[0], timings_of([120, 300, 480], [215, 390, 560]), rtol=0, atol=1.1e-5
    )
    codes = [one["code"] for one in page.rows()[0]["events"]]
    assert codes[:4] == ["ShiftLeft", "KeyA", "ShiftLeft", "KeyA"]


def test_a_held_key(page):
    """Repeats are recorded as such; the stroke lasts until the key is let go."""
    press, release = [0, 150, 300, 1300, 1500, 1700], [80, 230, 1200, 1380, 1580, 1780]
    held = [{"type": "keydown", "key": "l", "timeStamp": at, "repeat": True}
            for at in (800.0, 833.0, 866.0)]  # fmt: skip
    events = sorted([*events_of(press, release), *held], key=lambda one: one["timeStamp"])
    page.type(events)
    agree(page.rows()[0], events)
    assert page.session.timings().iloc[0]["H.l"] == pytest.approx(0.9, abs=1.1e-5)


def test_a_held_return_ends_one_attempt(page):
    events = events_of(*genuine(np.random.default_rng(0)))
    end = events[-1]["timeStamp"]
    held = [{"type": "keydown", "key": "Enter", "timeStamp": end - 1 + 0.1 * k, "repeat": True}
            for k in range(3)]  # fmt: skip
    events = [*events[:-1], *held, events[-1]]
    page.type(events)
    agree(page.rows()[0], events)
    assert (page.session.n_attempts, page.session.n_samples) == (1, 1)


@pytest.mark.parametrize("n_sent", [4, 11])
def test_a_loss_of_focus_ends_the_attempt(page, n_sent):
    """In the middle, and while Return is still down."""
    events = events_of(*genuine(np.random.default_rng(0)))[:n_sent]
    start = time.time()
    for one in events:
        page.browser.key(
            one["type"].removeprefix("key"), one["key"], start + one["timeStamp"] / 1e3
        )
    page.browser.other_tab()
    assert "lost the focus before the attempt ended" in page.answered(1)
    (row,) = page.rows()
    assert row["events"][-1]["type"] in ("blur", "hidden")
    agree(row, events)
    assert row["outcome"] == "focus lost"
    assert page.session.n_samples == 0
    page.browser.value("field.focus()")
    page.type(events_of(*genuine(np.random.default_rng(1))))
    assert page.browser.text() == "Counted; 5 to go."


def test_the_keyboard_alone(page):
    """The field has the focus; Tab leaves it, which is no attempt, or ends the one under way."""
    press = page.browser.key
    assert page.browser.value("document.activeElement.id") == "field"
    press("down", "Tab", time.time())
    press("up", "Tab", time.time())
    assert page.browser.value("document.activeElement.id") != "field"
    page.browser.value("field.focus()")
    assert page.session.n_attempts == 0
    press("down", "h", time.time())
    press("up", "h", time.time())
    press("down", "Tab", time.time())
    assert "lost the focus" in page.answered(1)


def test_a_shift_alone_is_no_attempt(page):
    page.browser.key("down", "Shift", time.time(), shift=True)
    page.browser.key("up", "Shift", time.time())
    page.browser.key("down", "Backspace", time.time())
    page.browser.key("up", "Backspace", time.time())
    page.browser.other_tab()
    page.browser.value("queue")
    assert page.rows() == []


def test_a_wrong_text_is_told(page):
    keys = [*"help", "Enter"]
    page.type(events_of([0, 150, 300, 450, 600], [80, 230, 380, 530, 680], keys))
    assert page.browser.text() == ("Not counted: typed 'help<Return>', expected 'hello<Return>'.")
    assert page.browser.text("count") == "0 of 6 samples, in 1 attempts."
    assert page.rows()[0]["outcome"] == "other text"


def test_what_is_typed_is_marked_letter_by_letter(page):
    marks = "[...document.querySelectorAll('#text span')].map((one) => one.className).join()"
    assert page.browser.value(marks) == ",,,,,end"
    for key in "hx":
        page.browser.key("down", key, time.time())
        page.browser.key("up", key, time.time())
    assert page.browser.value(marks) == "right,wrong,,,,end"


def test_enrolment_and_decisions(page):
    rng, browser = np.random.default_rng(3), page.browser
    for n in range(1, 7):
        cells = browser.value("document.querySelectorAll('#adjacency .cell').length")
        assert (cells > 0) == (n > 3)
        page.type(events_of(*genuine(rng)))
    assert browser.text() == "Enrolled with 6 samples."
    assert browser.text("count") == "Enrolled with 6 samples; each further attempt is judged."
    assert "too-few-samples: 6 samples; at least 5 are needed and 50 or more" in browser.text(
        "notes"
    )
    assert "rejecting 5 % of attempts of the person who enrolled" in browser.text("meaning-text")
    assert browser.value("document.getElementById('decision').hidden") is True
    for who, word in ((genuine, "ACCEPTED"), (impostor, "REJECTED")):
        press, release = who(rng)
        page.type(events_of(press, release))
        shown = browser.text("verdict")
        assert shown.startswith(f"{word}: score ")
        template = page.session.template
        assert f"threshold {template.threshold:.4g}"[:14] in shown
    rows = browser.value(
        "[...document.querySelectorAll('#deviations tr')].map((row) => "
        "[...row.cells].map((cell) => cell.innerText))"
    )
    assert len(rows) == 5
    timings = dict(zip(page.session.typed.columns, timings_of(press, release), strict=True))
    words = {page.session.typed.in_words(k): name for k, name in
             enumerate(page.session.typed.columns)}  # fmt: skip
    for interval, here, usual, _ in rows:
        assert number(here) == pytest.approx(1e3 * timings[words[interval]], abs=1)
        column = page.session.typed.columns.index(words[interval])
        median = 1e3 * np.median(template.samples[:, column])
        assert number(usual) == pytest.approx(median, abs=1)
    bars = "document.querySelectorAll('#rhythm {}').length"
    assert browser.value(bars.format(".bar")) == 8 * len(KEYS)
    assert browser.value(bars.format(".rejected")) == len(KEYS)
    n_edges = len(page.session.picture()["edges"])
    assert browser.value("document.querySelectorAll('#adjacency .cell').length") == n_edges
    assert browser.value("document.querySelectorAll('#lags .median').length") > len(KEYS)


def number(shown):
    """Return the number of milliseconds that a cell shows."""
    return float(shown.removesuffix(" ms").replace("\N{MINUS SIGN}", "-"))


def test_reloading_keeps_what_was_counted(page):
    page.type(events_of(*genuine(np.random.default_rng(0))))
    page.browser.open(page.browser.value("location.href"))
    page.browser.until(READY)
    assert page.browser.text("count") == "1 of 6 samples, in 1 attempts."


def test_nothing_leaves_the_machine(page):
    """All requests are to the server; and the policy stops the others, also of the page itself."""
    page.type(events_of(*genuine(np.random.default_rng(0))))
    assert len(page.browser.requests) >= 7
    assert all(one.startswith(f"{page.server.origin}/") for one in page.browser.requests)
    stopped = """new Promise((done) => {
        const found = [];
        document.addEventListener('securitypolicyviolation', (event) => {
            found.push(event.effectiveDirective);
            if (found.length === 3) done(found.sort());
        });
        fetch('http://127.0.0.1:1/').catch(() => 0);
        new Image().src = 'http://127.0.0.1:1/a.png';
        try { document.body.insertAdjacentHTML('beforeend', '<p>'); } catch { }
    })"""
    directives = ["connect-src", "img-src", "require-trusted-types-for"]
    assert page.browser.value(stopped) == directives
    assert page.browser.value("document.cookie") == ""
    page.browser.errors.clear()


def test_events_of_scripts_are_not_recorded(page):
    made = """for (const key of ['h', 'Enter']) for (const kind of ['keydown', 'keyup'])
        field.dispatchEvent(new KeyboardEvent(kind, {key, code: key, bubbles: true})); queue"""
    page.browser.value(made)
    assert (page.session.n_attempts, page.rows()) == (0, [])
    paste = "field.dispatchEvent(new Event('paste', {cancelable: true}))"
    assert page.browser.value(paste) is False


def test_a_server_that_ended_is_told(browser):
    session = Session(TEXT)
    with serving(session) as server:
        page = Page(browser, session, server)
    for one in events_of(*genuine(np.random.default_rng(0))):
        browser.key(one["type"].removeprefix("key"), one["key"], time.time())
    browser.until("document.getElementById('message').innerText")
    assert "answers no more; this attempt is lost. Start it again" in page.browser.text()
    browser.errors.clear()


def test_a_key_that_is_never_let_go(page):
    """The attempt is sent all the same, and told."""
    events = events_of(*genuine(np.random.default_rng(0)))
    lost = next(one for one in events if (one["type"], one["key"]) == ("keyup", "e"))
    page.type([one for one in events if one is not lost])
    assert page.browser.text().startswith("Not counted: typed 'hllo<Return>'")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_fits_and_can_be_read(page, width, scheme):
    """No scrolling sideways; text has the contrast of WCAG AA (4.5) on its ground."""
    rng = np.random.default_rng(3)
    page.browser.look(width, 800, scheme)
    for _ in range(6):
        page.type(events_of(*genuine(rng)))
    page.type(events_of(*impostor(rng)))
    assert page.browser.value("document.scrollingElement.scrollWidth") <= width
    names = ["text", "message", "verdict", "where", "count", "meaning-text", "field"]
    assert min(page.browser.value(CONTRAST % json.dumps(names))) >= 4.5


CONTRAST = """(() => {
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (text) => parts(text).slice(0, 3).map((v) => v / 255).map((v) =>
    v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const ground = (node) => {
    const own = getComputedStyle(node).backgroundColor;
    return (parts(own)[3] ?? 1) > 0 ? own : ground(node.parentElement);
  };
  return %s.map((name) => {
    const node = document.getElementById(name);
    const [a, b] = [light(getComputedStyle(node).color), light(ground(node))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  });
})()"""
