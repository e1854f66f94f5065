"""Draw the page of `hawkeys capture` after an enrolment and one attempt by somebody else.

``python tests/capture/draw_page.py FILE.png [WIDTH] [light|dark]``; the picture of the docs is
1000 wide and light. The typing is invented.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from chromium import Browser
from served import serving
from typed_events import TEXT, events_of, genuine, impostor

from hawkeys.capture import Session


def main(path, width="1000", scheme="light"):
    """Write the picture."""
    rng = np.random.default_rng(3)
    session = Session(TEXT, n_enrol=10)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(folder)
        try:
            with serving(session) as server:
                browser.look(int(width), 800, scheme)
                browser.open(server.address)
                browser.until("document.getElementById('field')?.disabled === false")
                for number, who in enumerate([genuine] * 11 + [impostor], 1):
                    start = time.time()
                    for one in events_of(*who(rng)):
                        kind = one["type"].removeprefix("key")
                        browser.key(kind, one["key"], start + one["timeStamp"] / 1e3)
                    browser.until(f"state.n_attempts === {number}")
                browser.value("queue")
                Path(path).write_bytes(browser.picture())
        finally:
            browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
