import gc
import http.server
import socket
import threading
import time

import numpy as np
import pytest

from hawkeys.datasets import load_cmu
from hawkeys.datasets.named import _download, cmu
from hawkeys.exceptions import DatasetNotFoundError, HawkeysWarning


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers every request with what the server holds."""

    def do_GET(self):
        status, length, content = self.server.answer
        if status is None:
            self.server.release.wait(20)
            return
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    """A web server on this machine in the place of the authors' page."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as running:
        running.daemon_threads = True
        running.release = threading.Event()
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setattr(cmu, "CMU_URL", f"http://127.0.0.1:{running.server_port}/data.csv")
        yield running
        running.release.set()
        running.shutdown()
        thread.join()


def test_a_download_is_kept(server, empty_places, whole_csv, benchmark_like):
    _, cache = empty_places
    server.answer = (200, len(whole_csv), whole_csv)
    loaded = load_cmu()
    assert np.array_equal(loaded.timings(), benchmark_like.timings())
    kept = cache / "DSL-StrongPasswordData.csv"
    assert list(cache.iterdir()) == [kept]
    assert kept.read_bytes() == whole_csv
    server.answer = (500, 0, b"")
    assert load_cmu().origin.source == str(kept)


FAILURES = {
    "not found": ((404, 0, b""), "failed: 404 Client Error"),
    "cut off": ((200, 5000, b"subject,"), "failed: no connection to 127.0.0.1"),
    "web page": ((200, 6, b"<html>"), "the download is not usable: .*got a web page"),
    "half a file": ((200, 8, b"subject,"), "the download is not usable: .*column 2 has no name"),
    "silence": ((None, 0, b""), "failed: nothing received for 0.4 s"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_download_leaves_nothing(server, empty_places, monkeypatch, name):
    _, cache = empty_places
    monkeypatch.setattr(_download, "_STALL_SECONDS", 0.4)
    server.answer, message = FAILURES[name]
    with pytest.raises(DatasetNotFoundError, match=message) as caught:
        load_cmu()
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith("CMU benchmark: no file ")
    assert "environment variable HAWKEYS_DATA" in text
    assert not cache.exists()
    caught.value.__traceback__ = None
    del caught
    gc.collect()  # an open connection would be reported here (warnings are errors)


def test_no_server(empty_places, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setattr(cmu, "CMU_URL", f"http://127.0.0.1:{taken.getsockname()[1]}/data.csv")
        with pytest.raises(DatasetNotFoundError, match=r"no connection to 127.0.0.1 \(ConnectionE"):
            load_cmu()


def test_a_stalled_name_server_is_given_up(empty_places, monkeypatch):
    wait = threading.Event()

    def stall(*_, **__):
        wait.wait(20)
        raise socket.gaierror

    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", stall)
    monkeypatch.setattr(_download, "_STALL_SECONDS", 0.3)
    start = time.perf_counter()
    with pytest.raises(DatasetNotFoundError, match=r"nothing received for 0\.3 s"):
        load_cmu()
    assert time.perf_counter() - start < 5
    wait.set()


def test_it_gives_up_within_ten_seconds():
    assert _download._STALL_SECONDS <= 9
    assert _download._READ_SECONDS <= 9


def test_slow_but_moving_downloads_go_on(server, empty_places, monkeypatch):
    def drip(url, received, failures):
        for _ in range(6):
            time.sleep(0.15)
            received.write(b"x")

    monkeypatch.setattr(_download, "_STALL_SECONDS", 0.5)
    monkeypatch.setattr(_download, "_fetch", drip)
    assert _download.download("http://127.0.0.1/") == b"xxxxxx"


def test_a_cache_that_cannot_be_written(server, empty_places, whole_csv):
    _, cache = empty_places
    cache.write_text("a file where the folder should be")
    server.answer = (200, len(whole_csv), whole_csv)
    with pytest.warns(HawkeysWarning, match="the download cannot be kept .* set HAWKEYS_DATA"):
        loaded = load_cmu()
    assert loaded.origin.source == cmu.CMU_URL


def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        _download.keep(b"content", tmp_path / "cache" / "file.csv")
    assert list((tmp_path / "cache").iterdir()) == []
