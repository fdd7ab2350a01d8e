"""The faulty proxy passes on all but what it is told to lose."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from tests.comfyui.proxy import THREAD_NAME, FaultyProxy
from tests.servers import self_signed

TIMEOUT_S = 10


class Target(BaseHTTPRequestHandler):
    """Answers in every shape an HTTP/1.1 server may; its server remembers what arrived."""

    protocol_version = "HTTP/1.1"
    server: TargetServer

    def do_GET(self) -> None:
        """/chunked, /until-close, /nothing and /upgrade are special; the rest is echoed."""
        if self.path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (b"one ", b"two " * 50_000):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            self.wfile.write(b"0\r\nX-Trailer: yes\r\n\r\n")
        elif self.path == "/until-close":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"all there is")
        elif self.path == "/nothing":
            self.send_response(204)
            self.end_headers()
        elif self.path == "/upgrade":
            self.send_response(101)
            self.send_header("Connection", "Upgrade")
            self.send_header("Upgrade", "shout")
            self.end_headers()
            while data := self.connection.recv(100):
                self.connection.sendall(data.upper())
            self.close_connection = True
        else:
            self.answer(self.path.encode())

    def do_HEAD(self) -> None:
        """As GET, without a body."""
        self.do_GET()

    def do_POST(self) -> None:
        """Remember the body and send it back."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size + 2)[:-2]
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, body))
        self.answer(body)

    def answer(self, body: bytes) -> None:
        """Send *body* with its length."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Say nothing."""


class TargetServer(ThreadingHTTPServer):
    """A target on a free port; every connection counts."""

    daemon_threads = False

    def __init__(self, port: int = 0) -> None:
        self.received: list[tuple[str, bytes]] = []
        self.connections = 0
        super().__init__(("127.0.0.1", port), Target)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def verify_request(self, request: object, client_address: object) -> bool:  # noqa: ARG002  # called by position
        """Count and take it."""
        self.connections += 1
        return True


@pytest.fixture
def target() -> Iterator[TargetServer]:
    """A running target."""
    with TargetServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(target: TargetServer) -> Iterator[FaultyProxy]:
    """A proxy before the target; when it is closed no thread of it is left."""
    with FaultyProxy(target.url) as running:
        yield running
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(THREAD_NAME)]


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A client that keeps its connection alive."""
    with requests.Session() as running:
        running.trust_env = False
        yield running


def test_everything_passes_on_one_connection(
    proxy: FaultyProxy, session: requests.Session, target: TargetServer
) -> None:
    """Bodies of every shape, in both directions."""
    long = bytes(range(256)) * 20_000
    for _ in range(2):
        assert session.get(f"{proxy.url}/a?b=c", timeout=TIMEOUT_S).text == "/a?b=c"
        assert session.get(f"{proxy.url}/chunked", timeout=TIMEOUT_S).content == b"one " + b"two " * 50_000
        assert session.get(f"{proxy.url}/nothing", timeout=TIMEOUT_S).status_code == 204
        assert session.head(f"{proxy.url}/a", timeout=TIMEOUT_S).headers["Content-Length"] == "2"
        assert session.post(f"{proxy.url}/b", data=long, timeout=TIMEOUT_S).content == long
        assert (
            session.post(f"{proxy.url}/c", data=iter([b"in ", b"parts"]), timeout=TIMEOUT_S).text
            == "in parts"
        )
    assert target.connections == 1
    assert session.get(f"{proxy.url}/until-close", timeout=TIMEOUT_S).text == "all there is"


def test_an_upgraded_connection_is_copied(proxy: FaultyProxy) -> None:
    """As a websocket needs it."""
    with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), TIMEOUT_S) as client:
        client.sendall(b"GET /upgrade HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\n\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(1)
        assert b" 101 " in head
        for word in (b"hello", b"again"):
            client.sendall(word)
            assert client.recv(100) == word.upper()


@pytest.mark.parametrize("path", ["/prompt", "/api/prompt"])
def test_a_reply_is_lost_after_the_work_is_done(
    proxy: FaultyProxy, session: requests.Session, target: TargetServer, path: str
) -> None:
    """Only the client does not know; the next reply arrives."""
    assert session.get(f"{proxy.url}/prompt", timeout=TIMEOUT_S).ok
    proxy.lose_next_reply()
    assert session.get(f"{proxy.url}/prompt", timeout=TIMEOUT_S).ok
    assert session.post(f"{proxy.url}/upload/image", data=b"other", timeout=TIMEOUT_S).ok
    with pytest.raises(requests.ConnectionError):
        session.post(f"{proxy.url}{path}", data=b"first", timeout=TIMEOUT_S)
    assert (proxy.prompts_forwarded, proxy.replies_lost) == (1, 1)
    assert session.post(f"{proxy.url}{path}", data=b"second", timeout=TIMEOUT_S).text == "second"
    assert (proxy.prompts_forwarded, proxy.replies_lost) == (2, 1)
    assert target.received == [("/upload/image", b"other"), (path, b"first"), (path, b"second")]


def test_any_reply_can_be_lost(proxy: FaultyProxy, session: requests.Session) -> None:
    """Chosen by path and method, each order once."""
    for _ in range(2):
        proxy.lose_next_reply("/history", "GET")
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            session.get(f"{proxy.url}/history/1", timeout=TIMEOUT_S)
    assert session.get(f"{proxy.url}/history/1", timeout=TIMEOUT_S).ok


def test_new_connections_are_refused(proxy: FaultyProxy, session: requests.Session) -> None:
    """Open ones go on until they are cut."""
    assert session.get(proxy.url, timeout=TIMEOUT_S).ok
    proxy.refuse()
    assert session.get(proxy.url, timeout=TIMEOUT_S).ok
    proxy.cut()
    with pytest.raises(requests.ConnectionError):
        session.post(proxy.url, data=b"", timeout=TIMEOUT_S)
    proxy.accept()
    assert session.get(proxy.url, timeout=TIMEOUT_S).ok


def test_a_target_that_is_down_looks_down(proxy: FaultyProxy, session: requests.Session) -> None:
    """The proxy answers nothing itself."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, but nobody listens
        with (
            FaultyProxy(f"http://127.0.0.1:{nobody.getsockname()[1]}") as other,
            pytest.raises(requests.ConnectionError),
        ):
            session.get(other.url, timeout=TIMEOUT_S)


def test_many_clients_at_once(proxy: FaultyProxy) -> None:
    """Each gets its own answers and every prompt is counted."""

    def post(number: int) -> str:
        with requests.Session() as own:
            replies = [own.post(f"{proxy.url}/prompt", data=f"{number}", timeout=TIMEOUT_S) for _ in range(5)]
        return "".join(reply.text for reply in replies)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(post, range(16))) == [str(number) * 5 for number in range(16)]
    assert proxy.prompts_forwarded == 80


def test_closing_the_proxy_ends_open_connections(target: TargetServer, session: requests.Session) -> None:
    """Idle and upgraded ones, without waiting for anybody."""
    with FaultyProxy(target.url) as running:
        assert session.get(running.url, timeout=TIMEOUT_S).ok
    with pytest.raises(requests.ConnectionError):
        session.get(running.url, timeout=TIMEOUT_S)


def test_a_request_can_be_answered_by_the_proxy(
    proxy: FaultyProxy, session: requests.Session, target: TargetServer
) -> None:
    """So often, and only where the body says so; the server does not hear of it."""
    proxy.answer_instead(503, b"<p>wait</p>", times=1, content_type="text/html", containing=b"second")
    texts = [
        session.post(f"{proxy.url}/prompt", data=body, timeout=TIMEOUT_S).text
        for body in (b"first", b"second")
    ]
    assert texts == ["first", "<p>wait</p>"]
    assert session.post(f"{proxy.url}/prompt", data=b"second", timeout=TIMEOUT_S).text == "second"
    assert target.received == [("/prompt", b"first"), ("/prompt", b"second")]
    proxy.answer_instead(404, path="/ws", method="GET")
    assert [session.get(f"{proxy.url}/ws", timeout=TIMEOUT_S).status_code for _ in range(2)] == [404] * 2
    proxy.behave()
    assert session.get(f"{proxy.url}/ws", timeout=TIMEOUT_S).text == "/ws"


def test_answers_can_be_spoilt(proxy: FaultyProxy, session: requests.Session) -> None:
    """Shortened, with a length that is right for what is left; or in drops."""
    proxy.spoil(lambda body: body[:2], times=1)
    assert session.get(f"{proxy.url}/view", timeout=TIMEOUT_S).text == "/v"
    proxy.drip_next("/view", 0.1)
    assert session.get(f"{proxy.url}/view", timeout=TIMEOUT_S).text == "/view"


def test_nobody_gets_in_without_the_header(proxy: FaultyProxy, session: requests.Session) -> None:
    """401 for whoever does not bring it."""
    proxy.require("Authorization", "Bearer secret")
    assert session.get(f"{proxy.url}/a", timeout=TIMEOUT_S).status_code == 401
    session.headers["Authorization"] = "Bearer secret"
    assert session.get(f"{proxy.url}/a", timeout=TIMEOUT_S).ok


def test_what_an_upgraded_connection_says_can_be_held_up(proxy: FaultyProxy) -> None:
    """It comes in the end, and nothing of it is missing."""
    with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), TIMEOUT_S) as client:
        client.sendall(b"GET /upgrade HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\n\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(1)
        proxy.hold_events()
        client.sendall(b"hello")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(100)
        client.settimeout(TIMEOUT_S)
        proxy.release_events()
        assert client.recv(100) == b"HELLO"


def test_it_can_be_reached_by_https(target: TargetServer, session: requests.Session, tmp_path: Path) -> None:
    """With a certificate that only its own file vouches for."""
    certificate = self_signed(tmp_path)
    with FaultyProxy(target.url, tls=certificate.context) as proxy:
        with pytest.raises(requests.exceptions.SSLError):
            session.get(f"{proxy.url}/a", timeout=TIMEOUT_S)
        session.verify = str(certificate.file)
        long = bytes(range(256)) * 2_000
        assert session.post(f"{proxy.url}/b", data=long, timeout=TIMEOUT_S).content == long
        assert session.get(f"{proxy.url}/chunked", timeout=TIMEOUT_S).content == b"one " + b"two " * 50_000
