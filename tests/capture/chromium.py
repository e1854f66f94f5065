"""Chromium driven by its own protocol (CDP) through a pipe, with key events that it takes as real.

The protocol is at https://chromedevtools.github.io/devtools-protocol/. `Input.dispatchKeyEvent`
has the time of the event as an argument, so that what is sent is known to the microsecond.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time

__all__ = ["Browser", "find_chromium"]

_NAMES = ("chromium", "chromium-browser", "chromium-headless-shell", "google-chrome")
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-extensions", "--disable-background-networking", "--disable-component-update",
    "--remote-debugging-pipe", "--hide-scrollbars",
)  # fmt: skip
# the browser reads commands from 3 and writes answers to 4
_AS_3_AND_4 = """
import fcntl, os, sys
high = [fcntl.fcntl(int(one), fcntl.F_DUPFD, 10) for one in sys.argv[1:3]]
os.dup2(high[0], 3)
os.dup2(high[1], 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""
_PATIENCE = 60.0
_SHIFT = 8
_CODES = {" ": ("Space", 32), "Enter": ("Enter", 13), "Shift": ("ShiftLeft", 16),
          ".": ("Period", 190), "Tab": ("Tab", 9), "Backspace": ("Backspace", 8),
          "!": ("Digit1", 49)}  # fmt: skip


def find_chromium():
    """Return the path of the browser, None if there is none."""
    return next((path for path in map(shutil.which, _NAMES) if path), None)


def _code(key):
    if key in _CODES:
        return _CODES[key]
    return (f"Digit{key}", ord(key)) if key.isdigit() else (f"Key{key.upper()}", ord(key.upper()))


class Browser:
    """One browser with one page."""

    def __init__(self, folder):
        read, self._out = os.pipe()
        self._in, write = os.pipe()
        options = [*_OPTIONS, f"--user-data-dir={folder}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _AS_3_AND_4, str(read), str(write), find_chromium(), *options],
            pass_fds=(read, write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(read)
        os.close(write)
        self._buffer, self._number, self._session = b"", 0, None
        self.requests, self.errors = [], []
        try:
            self._attach()
        except BaseException:
            self.close()
            raise

    def _attach(self):
        """Open the page and listen to what it does."""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._ask(f"{domain}.enable")

    def close(self):
        """End the browser."""
        self._process.terminate()
        self._process.wait(timeout=_PATIENCE)
        os.close(self._in)
        os.close(self._out)

    def _read(self):
        """Return the next message, noting requests and errors of the page."""
        deadline = time.monotonic() + _PATIENCE
        while b"\0" not in self._buffer:
            if not select.select([self._in], [], [], deadline - time.monotonic())[0]:
                raise TimeoutError("the browser does not answer")
            part = os.read(self._in, 2**16)
            if not part:
                raise ConnectionError("the browser ended")
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\0")
        message = json.loads(line)
        name, given = message.get("method"), message.get("params", {})
        if name == "Network.requestWillBeSent":
            self.requests.append(given["request"]["url"])
        elif name == "Runtime.exceptionThrown":
            self.errors.append(given["exceptionDetails"])
        elif name == "Log.entryAdded" and given["entry"]["level"] == "error":
            self.errors.append(given["entry"])
        return message

    def _ask(self, method, **given):
        self._number += 1
        asked = {"id": self._number, "method": method, "params": given}
        if self._session is not None:
            asked["sessionId"] = self._session
        os.write(self._out, json.dumps(asked).encode() + b"\0")
        while True:
            message = self._read()
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]

    def open(self, address):
        """Open an address."""
        self._ask("Page.navigate", url=address)

    def value(self, expression):
        """Return the value of an expression of JavaScript."""
        result = self._ask("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)  # fmt: skip
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def until(self, expression):
        """Wait until an expression is true, and return its value."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                value = self.value(expression)
            except RuntimeError:  # between two pages
                value = None
            if value:
                return value
            time.sleep(0.02)
        raise TimeoutError(f"never true: {expression}; the page says {self.text()!r}")

    def text(self, name="message"):
        """Return the text of an element."""
        return self.value(f"document.getElementById({name!r})?.innerText")

    def key(self, kind, key, at, *, shift=False, repeat=False):
        """Press ("down") or let go ("up") a key at a time in seconds since 1970."""
        code, number = _code(key)
        text = "\r" if key == "Enter" else key
        given = {"type": "keyUp", "key": key, "code": code, "windowsVirtualKeyCode": number,
                 "modifiers": _SHIFT * shift, "timestamp": at, "autoRepeat": repeat}  # fmt: skip
        if kind == "down":
            given["type"] = "keyDown" if len(text) == 1 else "rawKeyDown"
            if len(text) == 1:
                given |= {"text": text, "unmodifiedText": text}
        self._ask("Input.dispatchKeyEvent", **given)

    def look(self, width, height, scheme="light"):
        """Set the size of the page and the scheme of colours."""
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)  # fmt: skip
        self._ask("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])  # fmt: skip

    def picture(self):
        """Return the whole page as PNG."""
        size = self._ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                         clip=clip)  # fmt: skip
        return base64.b64decode(shot["data"])

    def other_tab(self):
        """Open another tab in front of the page and close it again: the page loses the focus."""
        own, self._session = self._session, None
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._ask("Target.activateTarget", targetId=target)
        self._ask("Target.closeTarget", targetId=target)
        self._session = own
        self._ask("Page.bringToFront")
