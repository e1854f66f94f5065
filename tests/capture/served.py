"""A session served from another thread while a test asks."""

import http.client
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

from hawkeys.capture import CaptureServer

__all__ = ["Client", "serving"]


@contextmanager
def serving(session):
    """Serve a session; yield the server."""
    server = CaptureServer(session)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


class Client:
    """What a browser sends, and what it need not."""

    def __init__(self, server):
        self.server, self.origin = server, server.origin
        self.port = urlsplit(server.origin).port
        self.token = server.address.partition("token=")[2]
        self.room = self.cookie = None

    def ask(self, method, path, headers=None, body=None):
        """Return status, headers (a message) and text of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def enter(self):
        """Open the address as a browser does."""
        status, headers, text = self.ask("GET", f"/start?token={self.token}")
        assert status == 200, text
        self.cookie = headers["Set-Cookie"].partition(";")[0]
        self.room = text.partition("url=")[2].partition('"')[0]
        return headers

    def get(self, path, **headers):
        """Get a path of the room with the cookie."""
        return self.ask("GET", self.room + path, {"Cookie": self.cookie, **headers})

    def post(self, body, **changed):
        """Send an attempt; headers are changed by name, left out where None."""
        headers = {"Cookie": self.cookie, "Origin": self.origin,
                   "Content-Type": "application/json"}  # fmt: skip
        for name, value in changed.items():
            headers[name.replace("_", "-")] = value
        kept = {name: value for name, value in headers.items() if value is not None}
        return self.ask("POST", f"{self.room}attempts", kept, body)
