"""Listens to a server's websocket: hints that save questions, and the steps of what runs."""

from __future__ import annotations

import contextlib
import json
import logging
import ssl
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import websocket

from catalog_imagegen.adapters.comfyui.client import Address

log = logging.getLogger(__name__)

TICK_S = 0.5
"""How long one read waits before it is looked whether the socket went deaf."""
DEAF_AFTER_S = 3.0
"""Every submission makes the server tell everybody the length of its queue. A socket that has not heard of it by
then is deaf, though it stays open: it happens when two sockets had one client id."""
LATE_S = 1.0
"""A socket that is silent for so long after a submission is not relied on any more."""
MAX_PAUSE_S = 30.0
READ_BYTES = 1 << 16
_SKIPPED = tuple(
    b'{"type":%s"%s"' % (space, kind) for space in (b" ", b"") for kind in (b"progress_state", b"status")
)
"""The steps of all nodes at once, several times a second (``progress`` says the same in a tenth of the bytes), and
the length of the queue."""


_SID = b'"sid"'
"""In the status that greets a new socket. Greetings come another way than events: they come though those are held up."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far a prompt is, and when that was heard (``time.monotonic``)."""

    value: int
    maximum: int
    at: float


class _Socket(websocket.WebSocket):
    """Takes what has come in one go: the library would ask the kernel three times a frame."""

    def _recv(self, bufsize: int) -> bytes:
        """What is read beyond the frame stays in the library's buffer, which was made to hold it."""
        content: bytes = super()._recv(max(bufsize, READ_BYTES))  # type: ignore[no-untyped-call]  # the library has no types here
        return content


class Listener:
    """A thread that hears what a server tells; nothing depends on it, it only saves time.

    Events are sent to the client id under which a prompt was submitted, so one id serves all sockets of a listener,
    one after the other; the old one is closed before the next is opened.
    """

    def __init__(self, address: Address) -> None:
        self.client_id = f"catalog-imagegen-{uuid.uuid4()}"
        self._address = address
        self._wake = threading.Condition()
        self._ended: set[str] = set()
        self._steps: dict[str, Step] = {}
        self._signs: dict[str, float] = {}
        self._is_closing = threading.Event()
        self._is_open = False
        self._sockets = 0
        self._is_proven = False
        self._heard_at = 0.0
        self._awaited_since: float | None = None
        self._deaf = 0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen; does not wait for the server."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._listen, name=f"listen-{self._address}", daemon=True)
            self._thread.start()

    def hang_up(self) -> None:
        """Begin to stop listening."""
        self._is_closing.set()

    def close(self) -> None:
        """Stop listening."""
        self.hang_up()
        if self._thread is not None:
            self._thread.join(2 * TICK_S)

    @property
    def is_live(self) -> bool:
        """Whether what ends would be heard of: this socket has told something, and nothing is overdue."""
        since = self._awaited_since
        return self._is_open and self._is_proven and (since is None or time.monotonic() - since < LATE_S)

    @property
    def times_deaf(self) -> int:
        """How often a socket turned out to be deaf, or was refused by a server that is there."""
        return self._deaf

    @property
    def socket(self) -> int:
        """The number of the socket that is open; 0 if none is."""
        return self._sockets if self._is_open else 0

    def expect(self, socket: int, since: float) -> None:
        """A prompt was submitted while that *socket* was open: it must have told something *since*, or do so now."""
        if socket and socket == self.socket and self._awaited_since is None:
            self._awaited_since = time.monotonic()
            if self._heard_at >= since:
                self._awaited_since = None

    def last_sign(self, prompt_id: str) -> float | None:
        """When a prompt was last heard to make progress, or None if it never was."""
        return self._signs.get(prompt_id)

    def step(self, prompt_id: str) -> Step | None:
        """How far a prompt is."""
        return self._steps.get(prompt_id)

    def wait(self, timeout_s: float, prompt_ids: frozenset[str]) -> set[str]:
        """Those of the prompts that are said to have ended, as soon as there is one."""
        with self._wake:
            self._wake.wait_for(lambda: not self._ended.isdisjoint(prompt_ids), max(0.0, timeout_s))
            found = self._ended & prompt_ids
            self._ended -= found
            return found

    def forget(self, prompt_id: str) -> None:
        """A prompt is no longer of interest."""
        with self._wake:
            self._ended.discard(prompt_id)
        self._steps.pop(prompt_id, None)
        self._signs.pop(prompt_id, None)

    def _listen(self) -> None:
        pause_s = TICK_S
        while not self._is_closing.is_set():
            began = time.monotonic()
            try:
                self._one_socket()
            except (OSError, websocket.WebSocketException) as error:
                log.debug("%s: websocket: %s", self._address, error)
                if isinstance(error, websocket.WebSocketBadStatusException):
                    # 5xx comes from a proxy while the server is away
                    self._deaf += error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
            finally:
                self._is_open = False
                self._awaited_since = None
            pause_s = TICK_S if time.monotonic() - began > MAX_PAUSE_S else min(2 * pause_s, MAX_PAUSE_S)
            self._is_closing.wait(pause_s)

    def _one_socket(self) -> None:
        """Hear one socket until it breaks or turns out to be deaf."""
        scheme, _, rest = self._address.url.rstrip("/").partition("://")
        secure = scheme == "https"
        connection = websocket.create_connection(
            f"{'wss' if secure else 'ws'}://{rest}/ws?clientId={self.client_id}",
            timeout=5,
            class_=_Socket,
            header=[f"{name}: {value}" for name, value in self._address.headers.items()],
            suppress_origin=True,  # a server on loopback refuses what looks like a browser of another site
            sslopt={"context": ssl.create_default_context(cafile=self._address.ca_file or None)}
            if secure
            else None,
            skip_utf8_validation=True,
        )
        try:
            connection.settimeout(TICK_S)
            self._is_proven = False
            self._sockets += 1
            self._is_open = True
            while not self._is_closing.is_set() and not self._is_deaf():
                with contextlib.suppress(websocket.WebSocketTimeoutException):
                    self._hear(*connection.recv_data())
        finally:
            self._is_open = False
            connection.close(timeout=1)

    def _is_deaf(self) -> bool:
        since = self._awaited_since
        if since is None or time.monotonic() - since < DEAF_AFTER_S:
            return False
        self._deaf += 1
        return True

    def _hear(self, opcode: int, data: bytes) -> None:
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise websocket.WebSocketConnectionClosedException("the server closed it")
        if opcode != websocket.ABNF.OPCODE_TEXT or data.startswith(_SKIPPED):
            if _SID not in data:
                self._prove()
            return
        try:
            message = json.loads(data)
        except ValueError:
            return
        if isinstance(message, dict) and isinstance(message.get("data"), dict):
            kind, told = str(message.get("type")), message["data"]
            if "prompt_id" in told:
                self._prove()
            self._note(kind, told)

    def _prove(self) -> None:
        """Something came the way that events come."""
        self._is_proven = True
        self._heard_at = time.monotonic()
        self._awaited_since = None

    def _note(self, kind: str, data: Mapping[str, Any]) -> None:
        prompt_id = data.get("prompt_id")
        if not isinstance(prompt_id, str):
            return
        now = time.monotonic()
        self._signs[prompt_id] = now
        if kind == "progress":
            self._steps[prompt_id] = Step(int(data.get("value") or 0), int(data.get("max") or 0), now)
        if kind == "executing" and data.get("node") is None:
            # Only this one: after execution_success the history may still be empty for some milliseconds.
            with self._wake:
                self._ended.add(prompt_id)
                self._wake.notify_all()
