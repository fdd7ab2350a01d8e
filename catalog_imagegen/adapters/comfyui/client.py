"""One thin wrapper per ComfyUI route that we use; errors are sorted by kind, never by their words."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from json import dumps, loads
from typing import Any
from urllib.parse import quote, urlencode

import urllib3
from urllib3.exceptions import HTTPError, NameResolutionError
from urllib3.exceptions import SSLError as Urllib3SSLError
from urllib3.exceptions import TimeoutError as Urllib3TimeoutError
from urllib3.filepost import encode_multipart_formdata

from catalog_imagegen.domain.incident import TroubleCode

TIMEOUT = urllib3.Timeout(connect=5.0, read=30.0)
WHOLE_ANSWER_S = 120.0
"""A server that drips bytes without end is given up then, though each of its bytes comes in time."""
_TOO_SLOW = f"still not complete after {WHOLE_ANSWER_S:.0f} s"
CHUNK_BYTES = 1 << 16
CONNECTIONS = 8
"""Kept open; more threads than that open new ones."""
FOLLOWED = urllib3.Retry(connect=0, read=0, status=0, other=0, redirect=5)
"""Only for redirects: what is asked again after a failure is not decided here."""

# What these say is about our request. Anything else that is not a success (a proxy's 429 or 502, the
# server's own "got itself in trouble") says nothing about it, and may pass.
_REFUSALS = {"/prompt": (400, 413), "/view": (400, 404), "/upload/image": (400, 413)}
_TOO_LARGE = 413
_DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)


class Unreachable(Exception):
    """No answer, or none that ComfyUI gives: the server may not be there, or may not have heard."""

    def __init__(self, code: TroubleCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class Refused(Exception):
    """The server answered that it will not take a request."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is, and what the way there asks for."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """For a proxy before it."""
    ca_file: str = ""
    """PEM file of the authority that signed its certificate; empty means those of the system."""

    def __str__(self) -> str:
        return self.url


class Client:
    """Speaks to one server. Safe to share among threads, which take connections from one pool.

    Proxy settings of the environment are not used: render servers stand in the local network.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.url = address.url.rstrip("/")
        self._pools = urllib3.PoolManager(maxsize=CONNECTIONS, ca_certs=address.ca_file or None)

    def close(self) -> None:
        """Close the connections."""
        self._pools.clear()

    def system_stats(self) -> dict[str, Any]:
        """Version and devices; a simulator declares itself here."""
        answer = self._json("GET", "/system_stats")
        if not isinstance(answer.get("system"), dict):
            raise _no_comfyui("GET", "/system_stats")
        return answer

    def node_info(self, class_type: str) -> dict[str, Any] | None:
        """The inputs a node class takes, or None for a class the server has not."""
        return self._json("GET", f"/object_info/{quote(class_type, safe='')}").get(class_type)

    def node_infos(self) -> dict[str, Any]:
        """The inputs of every node class."""
        return self._json("GET", "/object_info")

    def submit(
        self,
        prompt_id: str,
        graph: Mapping[str, Any],
        extra: Mapping[str, Any],
        *,
        client_id: str,
        front: bool = False,
    ) -> dict[str, Any]:
        """Queue a graph; never with a ``number``. Raises Refused with the server's explanation.

        *client_id* must be text: a server given a list here accepts it and dies.
        """
        body = {"prompt": graph, "prompt_id": prompt_id, "client_id": client_id, "extra_data": extra}
        return self._json("POST", "/prompt", json=body | ({"front": True} if front else {}))

    def queue(self) -> tuple[list[str], list[str]]:
        """The ids of prompts that run and that wait, the next to run first."""
        answer = self._json("GET", "/queue")
        if not {"queue_running", "queue_pending"} <= answer.keys():
            raise _no_comfyui("GET", "/queue")
        running, pending = answer["queue_running"], answer["queue_pending"]  # the latter comes as a heap
        return [item[1] for item in running], [item[1] for item in sorted(pending, key=lambda i: i[0])]

    def history(self, prompt_id: str) -> dict[str, Any] | None:
        """The entry of a finished prompt, or None while it is unknown, waits or runs."""
        return self._json("GET", f"/history/{prompt_id}").get(prompt_id)

    def delete(self, prompt_ids: Collection[str]) -> None:
        """Take prompts from the queue; those that run stay."""
        self._request("POST", "/queue", json={"delete": list(prompt_ids)})

    def interrupt(self, prompt_id: str) -> None:
        """Stop a prompt if it is the one that runs; no other is touched."""
        self._request("POST", "/interrupt", json={"prompt_id": prompt_id})

    def view(self, file: Mapping[str, str]) -> bytes:
        """The bytes of a file. Raises Refused (404) when it is gone."""
        return self._request("GET", "/view", params=dict(file))

    def has_input(self, name: str) -> bool:
        """Whether the input folder has a file of that name."""
        try:
            self._request("HEAD", "/view", params={"filename": name, "type": "input"})
        except Refused:
            return False
        return True

    def upload(self, name: str, content: bytes) -> str:
        """Store an input picture; the name that the server gave it, which may be another."""
        answer = self._json("POST", "/upload/image", file=(name, content))
        folder = str(answer.get("subfolder") or "")
        return f"{folder}/{answer['name']}" if folder else str(answer["name"])

    def free(self) -> None:
        """Unload models and forget cached results, after the prompt that runs."""
        self._request("POST", "/free", json={"unload_models": True, "free_memory": True})

    def _json(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        try:
            answer = loads(self._request(method, path, **kwargs))
        except (ValueError, RecursionError) as error:
            raise _no_comfyui(method, path) from error
        if not isinstance(answer, dict):
            raise _no_comfyui(method, path)
        return answer

    def _request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        file: tuple[str, bytes] | None = None,
    ) -> bytes:
        kind, body = "", b""
        if json is not None:
            kind, body = "application/json", dumps(json).encode()
        if file is not None:
            body, kind = encode_multipart_formdata({"image": file})
        target = f"{path}?{urlencode(params)}" if params else path
        try:
            with self._sent(method, target, body, kind) as response:
                content = _in_time(response)
        except (HTTPError, TimeoutError) as error:
            raise Unreachable(_kind(error), f"{method} {self.url}{path}: {_reason(error)}") from error
        # ComfyUI answers none of these with a page: that is what the proxy before it has to say.
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if response.status in _REFUSALS.get(path, ()) and (not is_page or response.status == _TOO_LARGE):
            raise Refused(response.status, _json_or_text(content))
        if response.status >= HTTPStatus.BAD_REQUEST:
            code: TroubleCode = "forbidden" if response.status in _DENIED else "server_error"
            raise Unreachable(code, f"{method} {path}: HTTP {response.status} {_text(content):.100}")
        if is_page:
            raise _no_comfyui(method, path)
        return content

    def _sent(self, method: str, target: str, body: bytes, kind: str) -> urllib3.BaseHTTPResponse:
        """The beginning of an answer."""
        headers = {**self._headers, "Content-Type": kind} if kind else self._headers
        pool, base = self._pool
        response = pool.urlopen(
            method,
            base + target,
            body or None,
            headers,
            retries=False,
            redirect=False,
            timeout=TIMEOUT,
            preload_content=False,
        )
        if not response.get_redirect_location():
            return response
        response.close()
        return self._pools.urlopen(
            method,
            self.url + target,
            body=body or None,
            headers=headers,
            retries=FOLLOWED,
            timeout=TIMEOUT,
            preload_content=False,
        )

    @cached_property
    def _pool(self) -> tuple[urllib3.HTTPConnectionPool, str]:
        """The connections to the server, and what its paths begin with."""
        return self._pools.connection_from_url(self.url), urllib3.util.parse_url(self.url).path or ""

    @cached_property
    def _headers(self) -> Mapping[str, str]:
        login = urllib3.util.parse_url(self.url).auth
        return {
            "Accept": "*/*",
            "Accept-Encoding": "gzip, deflate",
            **(urllib3.util.make_headers(basic_auth=login) if login else {}),
            **self.address.headers,
        }


def _in_time(response: urllib3.BaseHTTPResponse) -> bytes:
    """The bytes of an answer, as long as they come at a pace that ends.

    A picture is read in one piece: to gather 2 MB from many takes three times as long.
    """
    if (response.length_remaining or 0) > CHUNK_BYTES:
        with _cut_off(response):
            return response.read()
    deadline = time.monotonic() + WHOLE_ANSWER_S
    is_packed = "Content-Encoding" in response.headers
    pieces = []
    while piece := response.read1(CHUNK_BYTES, decode_content=is_packed):
        pieces.append(piece)
        if time.monotonic() > deadline:
            raise TimeoutError(_TOO_SLOW)
    return b"".join(pieces)


@contextmanager
def _cut_off(response: urllib3.BaseHTTPResponse) -> Iterator[None]:
    """Let an answer be read for so long and no longer."""
    is_cut = threading.Event()

    def cut() -> None:
        is_cut.set()
        with suppress(OSError, RuntimeError, ValueError):  # it has just been read
            response.shutdown()

    timer = threading.Timer(WHOLE_ANSWER_S, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except HTTPError:
        if not is_cut.is_set():
            raise
    finally:
        timer.cancel()
    if is_cut.is_set():  # not within what it caused, which says less
        raise TimeoutError(_TOO_SLOW)


def _no_comfyui(method: str, path: str) -> Unreachable:
    return Unreachable("not_comfyui", f"{method} {path}: unexpected answer; is this a ComfyUI server?")


def _text(content: bytes) -> str:
    return content.decode(errors="replace")


def _json_or_text(content: bytes) -> Any:
    try:
        return loads(content)
    except ValueError:
        return _text(content)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what lies behind it, the outermost first."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop(0)
        if isinstance(found, BaseException) and found not in seen:
            seen.append(found)
            yield found
            waiting += [getattr(found, "reason", None), found.__cause__, found.__context__, *found.args]


def _kind(error: Exception) -> TroubleCode:
    """What went wrong on the way, by the classes of what lies behind an error."""
    causes = list(_causes(error))
    by_class: list[tuple[type[BaseException] | tuple[type[BaseException], ...], TroubleCode]] = [
        ((NameResolutionError, socket.gaierror), "unknown_host"),
        ((ConnectionResetError, BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError), "reset"),
        ((ssl.SSLError, Urllib3SSLError), "tls"),
        (ConnectionRefusedError, "refused"),
        ((Urllib3TimeoutError, TimeoutError), "no_answer"),
    ]
    for classes, code in by_class:
        if any(isinstance(cause, classes) for cause in causes):
            return code
    return "reset"


def _reason(error: BaseException) -> str:
    """The innermost cause, which is what a person can act on ("Connection refused")."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return str(error) or type(error).__name__
