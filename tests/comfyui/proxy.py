"""A loopback proxy that loses and spoils replies, refuses connections and asks for credentials when a test says so."""

from __future__ import annotations

import contextlib
import math
import select
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

CHUNK_BYTES = 65536
MAX_HEAD_BYTES = 1 << 20
CONNECT_TIMEOUT_S = 5.0
THREAD_NAME = "faulty-proxy"
DROPS = 20
"""What a dripping reply comes in."""
THAW_S = 0.05
"""Between looks whether websockets are held up any more."""
UNWELCOME = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
CLOSE_WITH_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for no time at all."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first line and the header fields of an HTTP/1.1 message."""

    raw: bytes
    first_line: tuple[str, str, str]
    fields: dict[str, str]

    @classmethod
    def parse(cls, raw: bytes) -> Head:
        """Read *raw*, which ends with an empty line."""
        first, *rest = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
        words = (*first.split(" ", 2), "", "")
        fields = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)
        }
        return cls(raw, (words[0], words[1], words[2]), fields)

    @property
    def method(self) -> str:
        """Of a request."""
        return self.first_line[0]

    @property
    def path(self) -> str:
        """Of a request; ComfyUI serves every route below ``/api`` too, which counts as the same."""
        path = self.first_line[1]
        return path.removeprefix("/api") if path.startswith("/api/") else path

    @property
    def status(self) -> int:
        """Of a response."""
        return int(self.first_line[1])


@dataclass(slots=True)
class Wire:
    """One socket, and what was read from it too early."""

    socket: socket.socket
    early: bytes = b""

    def read(self) -> bytes:
        """Some bytes; none at the end of the stream."""
        data, self.early = self.early, b""
        return data or self.socket.recv(CHUNK_BYTES)

    def read_until(self, mark: bytes) -> bytes:
        """Everything up to and with *mark*; EOFError if the stream ends before."""
        data = b""
        while mark not in data:
            more = self.read()
            if not more or len(data) > MAX_HEAD_BYTES:
                raise EOFError
            data += more
        end = data.index(mark) + len(mark)
        self.early = data[end:] + self.early
        return data[:end]

    def read_exactly(self, count: int) -> Iterator[bytes]:
        """The next *count* bytes in pieces as they come."""
        while count:
            data = self.read()
            if not data:
                raise EOFError
            data, self.early = data[:count], data[count:]
            count -= len(data)
            yield data

    def read_body(self, head: Head, *, until_close: bool) -> Iterator[bytes]:
        """The body that *head* announces, as it is on the wire; without a length none, or all there is."""
        if "chunked" in head.fields.get("transfer-encoding", "").lower():
            yield from self.read_chunks()
        elif "content-length" in head.fields:
            yield from self.read_exactly(int(head.fields["content-length"]))
        elif until_close:
            while data := self.read():
                yield data

    def read_chunks(self) -> Iterator[bytes]:
        """A chunked body with its framing."""
        size = -1
        while size != 0:
            line = self.read_until(b"\r\n")
            yield line
            size = int(line.split(b";")[0], 16)
            if size:
                yield from self.read_exactly(size + 2)
        while (trailer := self.read_until(b"\r\n")) != b"\r\n":
            yield trailer
        yield b"\r\n"


@dataclass(slots=True)
class Order:
    """What becomes of requests that it fits."""

    method: str
    path: str
    """Its beginning."""
    left: float = 1
    """For how many more."""
    containing: bytes = b""
    """What the body must contain."""
    answer: bytes | None = None
    """The whole message that is sent instead of asking the server."""
    spoil: Callable[[bytes], bytes] | None = None
    """What becomes of the body of the server's answer; without this and without *answer* it is lost."""
    drip_s: float = 0.0
    """How long the spoilt answer takes."""


@dataclass(slots=True)
class Orders:
    """What the proxy is told to do and what it did; every thread holds *lock* while it looks."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    orders: list[Order] = field(default_factory=list)
    required: dict[str, str] = field(default_factory=dict)
    """Header fields that every request must have."""
    is_refusing: bool = False
    is_stopping: bool = False
    is_holding_events: bool = False
    prompts_forwarded: int = 0
    replies_lost: int = 0
    open_sockets: set[socket.socket] = field(default_factory=set)

    @contextlib.contextmanager
    def tracked(self, connection: socket.socket) -> Iterator[None]:
        """Let ``cut`` reach *connection* while it is in use."""
        with self.lock:
            if self.is_stopping or self.is_refusing:
                raise EOFError
            self.open_sockets.add(connection)
        try:
            yield
        finally:
            with self.lock:
                self.open_sockets.discard(connection)

    def cut(self) -> None:
        """End every open connection at both sides."""
        with self.lock:
            for connection in self.open_sockets:
                with contextlib.suppress(OSError):  # the other side may have ended it
                    connection.shutdown(socket.SHUT_RDWR)

    def take(self, head: Head, body: bytes) -> Order | None:
        """What is to become of this request; one time less of that is left."""
        with self.lock:
            for order in self.orders:
                is_meant = head.method == order.method and head.path.startswith(order.path)
                if order.left > 0 and is_meant and order.containing in body:
                    order.left -= 1
                    return order
        return None

    def is_welcome(self, head: Head) -> bool:
        """Whether a request brings what every one must."""
        return all(head.fields.get(name.lower()) == value for name, value in self.required.items())


class FaultyProxy:
    """Passes everything through to a server until told otherwise.

    It understands HTTP/1.1 as far as needed to know where messages end, on connections that are kept alive too;
    after an upgrade it copies bytes.

    Args:
        target_url: ``http://host:port`` of the server; it may be down and come back.
        tls: with the certificate of 127.0.0.1, to be reached by https only.
    """

    def __init__(self, target_url: str, *, tls: ssl.SSLContext | None = None) -> None:
        target = urlsplit(target_url)
        self._orders = Orders()
        self._server = Server((target.hostname or "127.0.0.1", target.port or 80), self._orders, tls)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name=THREAD_NAME, daemon=True
        )
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        with self._orders.lock:
            self._orders.is_stopping = True
        self._orders.cut()
        self._server.server_close()

    @property
    def prompts_forwarded(self) -> int:
        """How many POST /prompt reached the server in full, whatever became of their replies."""
        return self._orders.prompts_forwarded

    @property
    def replies_lost(self) -> int:
        """How many replies were kept from the client."""
        return self._orders.replies_lost

    def lose_next_reply(self, path_prefix: str = "/prompt", method: str = "POST") -> None:
        """Let the next such request do its work, then hang up on the client without the server's answer."""
        self._add(Order(method.upper(), path_prefix))

    def answer_instead(
        self,
        status: int,
        body: bytes = b"",
        *,
        path: str = "/prompt",
        method: str = "POST",
        times: float = math.inf,
        content_type: str = "text/plain",
        containing: bytes = b"",
    ) -> None:
        """Answer such requests without asking the server, as proxies do."""
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {content_type}\r\n"
        raw = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        self._add(Order(method, path, times, containing, answer=raw))

    def spoil(
        self, change: Callable[[bytes], bytes], *, path: str = "/view", times: float = math.inf
    ) -> None:
        """Change the bodies of such answers."""
        self._add(Order("GET", path, times, spoil=change))

    def drip_next(self, path: str, seconds: float) -> None:
        """Let the next such answer come in drops."""
        self._add(Order("GET", path, spoil=lambda body: body, drip_s=seconds))

    def behave(self) -> None:
        """Forget what was to become of requests."""
        with self._orders.lock:
            self._orders.orders.clear()

    def require(self, name: str, value: str) -> None:
        """Answer 401 to every request that does not bring this header field, websockets included."""
        self._orders.required[name] = value

    def hold_events(self) -> None:
        """Pass nothing on from websockets; they stay open."""
        self._orders.is_holding_events = True

    def release_events(self) -> None:
        """Pass on what was held back, and everything from now on."""
        self._orders.is_holding_events = False

    def _add(self, order: Order) -> None:
        with self._orders.lock:
            self._orders.orders.append(order)

    def refuse(self) -> None:
        """Drop new connections; open ones go on (see ``cut``)."""
        self._orders.is_refusing = True

    def accept(self) -> None:
        """Take new connections again."""
        self._orders.is_refusing = False

    def cut(self) -> None:
        """End all open connections, kept alive or busy."""
        self._orders.cut()


class Server(socketserver.ThreadingTCPServer):
    """Listens on a free loopback port; closing it waits for its threads."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, target: tuple[str, int], orders: Orders, tls: ssl.SSLContext | None) -> None:
        self.target = target
        self.orders = orders
        self.tls = tls
        super().__init__(("127.0.0.1", 0), Connection)

    def verify_request(self, request: object, client_address: object) -> bool:  # noqa: ARG002  # called by position
        """Refuse when told so."""
        if self.orders.is_refusing and isinstance(request, socket.socket):
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CLOSE_WITH_RESET)
            return False
        return True

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Close without the polite half, which would hide a reset."""
        self.close_request(request)


class Connection(socketserver.BaseRequestHandler):
    """One client's connection and the one to the server that belongs to it."""

    server: Server
    request: socket.socket

    def handle(self) -> None:
        """Pass messages on until either side ends."""
        orders = self.server.orders
        threading.current_thread().name = f"{THREAD_NAME} connection"
        # Whichever side breaks off: both connections end, and that is all a client ever sees of a fault.
        with contextlib.suppress(OSError, EOFError), contextlib.ExitStack() as stack:
            if self.server.tls is not None:
                self.request.settimeout(CONNECT_TIMEOUT_S)
                self.request = stack.enter_context(
                    self.server.tls.wrap_socket(self.request, server_side=True)
                )
                self.request.settimeout(None)
            stack.enter_context(orders.tracked(self.request))
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with socket.create_connection(self.server.target, CONNECT_TIMEOUT_S) as upstream:
                upstream.settimeout(None)
                upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with orders.tracked(upstream):
                    client, server = Wire(self.request), Wire(upstream)
                    while exchange(client, server, orders):
                        pass


def exchange(client: Wire, server: Wire, orders: Orders) -> bool:
    """Pass one request and its response on; False when the connection is over."""
    if not client.early and server.socket in readable(client.socket, server.socket):
        return False  # it speaks unasked only to hang up
    request = Head.parse(client.read_until(b"\r\n\r\n"))
    body = b"".join(client.read_body(request, until_close=False))
    if not orders.is_welcome(request):
        client.socket.sendall(UNWELCOME)
        return False
    order = orders.take(request, body)
    if order is not None and order.answer is not None:
        client.socket.sendall(order.answer)
        return True
    server.socket.sendall(request.raw + body)
    if request.method == "POST" and request.path.split("?")[0] == "/prompt":
        with orders.lock:
            orders.prompts_forwarded += 1
    return reply(client, server, request, orders, order)


def reply(client: Wire, server: Wire, request: Head, orders: Orders, order: Order | None) -> bool:
    """Bring the server's response back, or what is left of it; False when the connection is over."""
    if order is not None and order.spoil is not None:
        return respond_spoilt(client, server, request, order)
    if order is not None:
        with contextlib.suppress(EOFError):  # an answer may end with the connection
            respond(server, request, lambda _: None)
        with orders.lock:
            orders.replies_lost += 1
        return False
    response = respond(server, request, client.socket.sendall)
    if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
        copy_both_ways(client, server, orders)
        return False
    return not any(head.fields.get("connection", "").lower() == "close" for head in (request, response))


def respond_spoilt(client: Wire, server: Wire, request: Head, order: Order) -> bool:
    """Pass a changed answer on, perhaps in drops."""
    parts: list[bytes] = []
    response = respond(server, request, parts.append)
    body = b"".join(parts[1:])
    if "chunked" in response.fields.get("transfer-encoding", "").lower():
        raise EOFError  # not needed so far
    body = order.spoil(body) if order.spoil else body
    kept = {k: v for k, v in response.fields.items() if k != "content-length"}
    lines = [" ".join(response.first_line), *(f"{k}: {v}" for k, v in kept.items())]
    lines += [f"Content-Length: {len(body)}", "", ""]
    client.socket.sendall("\r\n".join(lines).encode("latin-1"))
    size = max(1, len(body) // DROPS) if order.drip_s else max(1, len(body))
    for start in range(0, len(body), size):
        client.socket.sendall(body[start : start + size])
        time.sleep(order.drip_s / DROPS)
    return True


def respond(server: Wire, request: Head, send: Callable[[bytes], object]) -> Head:
    """Hand the server's whole answer to *send*; return its head."""
    response = Head.parse(server.read_until(b"\r\n\r\n"))
    send(response.raw)
    if response.status == HTTPStatus.CONTINUE:
        return respond(server, request, send)
    bodiless = (HTTPStatus.SWITCHING_PROTOCOLS, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
    if request.method != "HEAD" and response.status not in bodiless:
        has_no_length = not response.fields.keys() & {"content-length", "transfer-encoding"}
        for data in server.read_body(response, until_close=has_no_length):
            send(data)
        if has_no_length:
            raise EOFError  # the body ended with the connection
    return response


def copy_both_ways(client: Wire, server: Wire, orders: Orders) -> None:
    """Copy bytes until one side ends: the protocol is no longer ours to read."""
    server.socket.sendall(client.early)
    held = server.early
    while True:
        if held and not orders.is_holding_events:
            client.socket.sendall(held)
            held = b""
        for source in readable(client.socket, server.socket, timeout_s=THAW_S if held else None):
            data = source.recv(CHUNK_BYTES)
            if not data:
                return
            if source is client.socket:
                server.socket.sendall(data)
            else:
                held += data


def readable(*sockets: socket.socket, timeout_s: float | None = None) -> list[socket.socket]:
    """Those with something to read, as soon as there is one; what TLS has decrypted already counts."""
    decrypted: list[socket.socket] = [
        each for each in sockets if isinstance(each, ssl.SSLSocket) and each.pending()
    ]
    return decrypted or select.select(sockets, [], [], timeout_s)[0]
