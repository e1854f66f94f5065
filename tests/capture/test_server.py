"""Who is answered, and what: the server without a browser."""

import http.client
import json
import re
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("starlette", reason="the capture page needs the extra [capture]")
pytest.importorskip("uvicorn", reason="the capture page needs the extra [capture]")

from served import Client, serving
from typed_events import TEXT, attempt, impostor

from hawkeys.capture import AttemptFile, CaptureServer, Session
from hawkeys.exceptions import InvalidParameterError, MissingExtraError


@pytest.fixture
def session():
    return Session(TEXT, n_enrol=5)


@pytest.fixture
def client(session):
    with serving(session) as server:
        yield Client(server)


@pytest.fixture
def inside(client):
    client.enter()
    return client


def sent(rng=None):
    return json.dumps(attempt(np.random.default_rng(0) if rng is None else rng))


def test_the_page_and_its_files(inside):
    kinds = {"": "text/html", "page.js": "text/javascript", "page.css": "text/css"}
    for path, kind in kinds.items():
        status, headers, text = inside.get(path)
        assert (status, headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")
        assert len(text) > 1000
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    page = inside.get("")[2]
    assert re.findall(r'(?:src|href)="([^"]*)"', page) == ["page.css", "page.js"]
    assert not re.search(r"\son\w+=|style=|<style|<script>", page)


def test_attempts_are_counted_enrolled_and_judged(inside, session):
    rng = np.random.default_rng(1)
    for number in range(1, 6):
        status, _, text = inside.post(sent(rng))
        answer = json.loads(text)
        assert (status, answer["attempt"], answer["enrolled"]) == (200, number, number == 5)
        assert answer["state"]["n_samples"] == number
    assert answer["state"]["notes"] == list(session.notes)
    assert json.loads(inside.get("picture")[2]) == session.picture()
    answer = json.loads(inside.post(json.dumps(attempt(rng, impostor)))[2])
    decision = answer["decision"]
    assert decision["accepted"] is False
    assert decision["score"] < decision["threshold"] == session.template.threshold
    assert len(decision["deviations"]) == 5
    first = decision["deviations"][0]
    assert re.match(r"(hold|press|release) of \w", first["interval"])
    assert abs(first["ms"] - first["usual_ms"]) > 30
    state = json.loads(inside.get("state")[2])
    assert state == answer["state"]
    assert (state["enrolled"], state["false_alarm"], state["stored"]) == (5, 0.05, None)


def test_what_an_attempt_must_be(inside, session):
    for body in ("", "{", json.dumps({"events": []}), "[" * 100_000):
        status, _, text = inside.post(body)
        assert status == 400
        assert text.startswith("no attempt (")
    assert session.n_attempts == 0


def test_an_attempt_that_cannot_be_stored_is_told(tmp_path, monkeypatch):
    with AttemptFile(tmp_path / "own.jsonl") as file:
        session = Session(TEXT, file=file)
        with serving(session) as server:
            client = Client(server)
            client.enter()
            monkeypatch.setattr(file, "append", AttemptFile.append.__get__(file))
            monkeypatch.setattr("hawkeys.capture.attempts.os.fsync", _full)
            status, _, text = client.post(sent())
            assert (status, session.n_attempts) == (500, 0)
            assert "Make room on that disk" in text
            state = json.loads(client.get("state")[2])
            assert state["stored"] == str(tmp_path / "own.jsonl")


def _full(handle):
    raise OSError(28, "No space left on device")


def test_the_token_works_once(client):
    headers = client.enter()
    cookie = headers["Set-Cookie"]
    assert re.fullmatch(
        rf"hawkeys-capture=[\w-]{{43}}; HttpOnly; Path={client.room}; SameSite=strict", cookie
    )
    assert re.fullmatch(r"/[0-9a-f]{32}/", client.room)
    status, headers, text = client.ask("GET", f"/start?token={client.token}")
    assert (status, headers["Set-Cookie"]) == (403, None)
    assert "wrong, or was used already: it works once" in text
    assert client.get("")[0] == 200


@pytest.mark.parametrize(
    "query", ["", "?token=", "?token=a", "?token=%C3%A4", "?token=%00", "?x=1"]
)
def test_a_wrong_token_opens_nothing_and_spends_nothing(client, query):
    status, headers, text = client.ask("GET", f"/start{query}")
    assert (status, headers["Set-Cookie"]) == (403, None)
    assert "token is wrong" in text
    client.enter()
    # nor does what is left of a token that was used
    assert client.ask("GET", f"/start{query}")[0] == 403


def test_of_many_at_once_one_enters(client):
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(client.ask, "GET", f"/start?token={client.token}") for _ in range(24)]
    assert sorted(one.result()[0] for one in asked) == [200] + [403] * 23


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_only_get_spends_the_token(client, method):
    assert client.ask(method, f"/start?token={client.token}")[0] in (403, 405)
    client.enter()


def test_the_token_is_compared_in_constant_time(client, monkeypatch):
    import secrets

    compared = []

    def compare(one, other):
        compared.append((one, other))
        return secrets_compare(one, other)

    secrets_compare = secrets.compare_digest
    monkeypatch.setattr("hawkeys.capture._app.secrets.compare_digest", compare)
    client.ask("GET", "/start?token=wrong")
    client.enter()
    client.get("state")
    token = client.token.encode()
    cookie = client.cookie.partition("=")[2].encode()
    assert compared == [(b"wrong", token), (token, token), (cookie, cookie)]


@pytest.mark.parametrize(
    "host",
    ["localhost:{}", "127.0.0.1", "127.0.0.1:1", "evil.example", "evil.example:{}", "[::1]:{}", "",
     "127.0.0.1:{}.evil.example", "127.0.0.1:{},evil.example"],
)  # fmt: skip
def test_another_host_is_refused(inside, host):
    """As after DNS rebinding: the browser believes that this is evil.example."""
    host = host.format(inside.port)
    for path in ("/start?token=" + inside.token, inside.room, inside.room + "state"):
        status, headers, text = inside.ask("GET", path, {"Host": host, "Cookie": inside.cookie})
        assert (status, headers["Set-Cookie"]) == (421, None)
        assert f"answers at {inside.origin} alone" in text
    assert inside.post(sent(), Host=host)[0] == 421


@pytest.mark.parametrize("lines", [[], ["Host: 127.0.0.1:{}", "Host: evil.example"]])
def test_no_host_and_two(inside, lines):
    rows = ["GET / HTTP/1.1", *(line.format(inside.port) for line in lines), "", ""]
    with socket.create_connection(("127.0.0.1", inside.port), timeout=30) as connection:
        connection.sendall("\r\n".join(rows).encode())
        answer = connection.recv(100)
    assert answer.split()[1] in (b"400", b"421")


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://localhost:{}", "https://127.0.0.1:{}",
               "http://127.0.0.1", "http://127.0.0.1:1", "http://127.0.0.1:{}.evil.example"],
)  # fmt: skip
def test_another_origin_is_refused(inside, session, origin):
    origin = origin and origin.format(inside.port)
    status, _, text = inside.post(sent(), Origin=origin)
    assert (status, session.n_attempts) == (403, 0)
    assert f"does not come from the page at {inside.origin}" in text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_of_the_machine_is_refused(inside, session, site):
    """A page of another port is of the same site, and cookies do not know ports."""
    for path in ("", "state", "page.js"):
        assert inside.get(path, **{"Sec-Fetch-Site": site})[0] == 403
    status, _, text = inside.post(sent(), Sec_Fetch_Site=site)
    assert (status, session.n_attempts) == (403, 0)
    assert "comes from another page" in text
    assert inside.get("", **{"Sec-Fetch-Site": "none"})[0] == 200


@pytest.mark.parametrize("cookie", [None, "", "hawkeys-capture=", "hawkeys-capture=ä", "other=1"])
def test_without_the_cookie_nothing_is_answered(inside, session, cookie):
    headers = {} if cookie is None else {"Cookie": cookie.encode()}
    for path in ("", "page.js", "page.css", "state", "picture"):
        status, _, text = inside.ask("GET", inside.room + path, headers)
        assert status == 403
        assert "not open to this browser. Open the address that the command printed" in text
    assert inside.post(sent(), Cookie=cookie and cookie.encode())[0] == 403
    assert session.n_attempts == 0


@pytest.mark.parametrize(
    "path",
    ["/", "/state", "/page.js", "/favicon.ico", "//", "/..", "/{}/../../etc/passwd", "/0/",
     "/%2e%2e/start", "/etc/passwd", "/start/", "/start/../{}/state", "{}state"],
)  # fmt: skip
def test_paths_outside_the_room(inside, path):
    path = path.format(inside.room.strip("/"))
    status = inside.ask("GET", path, {"Cookie": inside.cookie})[0]
    assert status in (400, 403, 404)


@pytest.mark.parametrize(
    "path",
    ["page.html", "../page.js", "../../__init__.py", "..%2f..%2fsession.py",
     "%2e%2e/%2e%2e/_app.py", "static/page.js", "page.js/", "page.js%00", "/etc/passwd",
     "\\..\\..\\session.py", "attempts", "....//session.py", "page.css/../../session.py"],
)  # fmt: skip
def test_nothing_else_is_served(inside, path):
    status, _, text = inside.get(path)
    assert status in (403, 404, 405)
    assert "import" not in text


@pytest.mark.parametrize(
    "method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"]
)
def test_other_methods(inside, session, method):
    for path in ("", "state", "attempts"):
        headers = {"Cookie": inside.cookie, "Origin": inside.origin}
        assert inside.ask(method, inside.room + path, headers)[0] == 405
    assert session.n_attempts == 0


def test_methods_of_the_other_kind(inside):
    headers = {"Cookie": inside.cookie, "Origin": inside.origin}
    for path in ("", "state", "picture", "page.js"):
        assert inside.ask("POST", inside.room + path, headers, "{}")[0] == 405
    assert inside.get("attempts")[0] == 405


@pytest.mark.parametrize(
    "kind",
    [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x-json"],
)
def test_only_json_is_read(inside, session, kind):
    """What a form of another page can send is refused whatever else fits."""
    status, _, text = inside.post(sent(), Content_Type=kind)
    assert (status, session.n_attempts) == (415, 0)
    assert "sent as application/json" in text


def test_a_large_body_is_refused(inside, session):
    from hawkeys.capture._app import LARGEST_BODY

    large = sent() + " " * LARGEST_BODY
    status, _, text = inside.post(large)
    assert (status, session.n_attempts) == (413, 0)
    assert f"at most {LARGEST_BODY} bytes" in text
    assert inside.post(sent())[0] == 200


def test_a_body_without_an_end_is_refused_before_it_has_come(inside, session):
    """In chunks, without a length, for ever: the answer comes all the same."""
    connection = http.client.HTTPConnection("127.0.0.1", inside.port, timeout=30)
    connection.putrequest("POST", f"{inside.room}attempts")
    for name, value in {"Cookie": inside.cookie, "Origin": inside.origin,
                        "Content-Type": "application/json",
                        "Transfer-Encoding": "chunked"}.items():  # fmt: skip
        connection.putheader(name, value)
    connection.endheaders()
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    for _ in range(9):
        connection.send(chunk)
    assert connection.getresponse().status == 413
    connection.close()
    assert session.n_attempts == 0


def test_large_headers_are_refused(inside):
    try:
        status = inside.get("state", **{"X-Large": "x" * 200_000})[0]
    except ConnectionError:  # closed while they were being sent
        return
    assert status in (400, 431)


POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)


def test_headers_of_every_answer(client):
    answers = [client.ask("GET", path)[1] for path in ("/start", "/", "/nothing")]
    answers.append(client.ask("DELETE", "/start")[1])
    answers.append(client.ask("GET", "/", {"Host": "evil.example"})[1])
    answers.append(client.enter())
    answers += [client.get(path)[1] for path in ("", "page.js", "page.css", "state", "nothing")]
    answers += [client.post(body)[1] for body in (sent(), "{", " " * 2**20)]
    for headers in answers:
        assert headers["Content-Security-Policy"] == POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Server"] is None
        assert headers["Access-Control-Allow-Origin"] is None


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one loopback address")
def test_no_other_address_of_the_machine_answers(client):
    """127.0.0.2 is as near to this machine as its address in the network is."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", client.port), timeout=5)


def test_attempts_at_once_are_all_counted(inside, session):
    bodies = [sent(np.random.default_rng(seed)) for seed in range(12)]
    with ThreadPoolExecutor(6) as pool:
        answers = [json.loads(one[2]) for one in pool.map(inside.post, bodies)]
    assert sorted(one["attempt"] for one in answers) == list(range(1, 13))
    assert session.n_samples == 12
    assert sum(one["enrolled"] for one in answers) == 1


@pytest.mark.parametrize("port", [-1, 65536, 1.5, True, "80"])
def test_a_port_that_is_none(session, port):
    with pytest.raises(InvalidParameterError, match="port must be a whole number from 0"):
        CaptureServer(session, port=port)


def test_a_port_in_use(client):
    with pytest.raises(InvalidParameterError, match=f"port {client.port} of 127.0.0.1 cannot be"):
        CaptureServer(Session(TEXT), port=client.port)


def test_a_port_that_is_named():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = CaptureServer(Session(TEXT), port=port)
    assert server.origin == f"http://127.0.0.1:{port}"
    server.stop()
    thread = threading.Thread(target=server.run)
    thread.start()
    thread.join()


def test_the_usual_port_is_not_named(session, monkeypatch):
    """Browsers leave it out of Host and Origin; only an administrator may listen there."""
    monkeypatch.setattr("hawkeys.capture.server._bound", lambda port: _At80())
    server = CaptureServer(session, port=80)
    assert server.address.startswith("http://127.0.0.1/start?token=")


class _At80:
    def getsockname(self):
        return ("127.0.0.1", 80)


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_without_the_extra(session, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r'pip install "hawkeys\[capture\]"'):
        CaptureServer(session)
