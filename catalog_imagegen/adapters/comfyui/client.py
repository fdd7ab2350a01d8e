"""One thin wrapper per ComfyUI route that we use; errors are sorted by kind, never by their words."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests

CONNECT_S, READ_S = 5.0, 30.0
CLIENT_ID = "catalog-imagegen"
"""Always a string: a server given a list here accepts it and dies."""


# What these say is about our request. Anything else that is not a success (a proxy's 401, 429 or 502, the
# server's own "got itself in trouble") says nothing about it, and may pass.
_REFUSALS = {"/prompt": (400, 413), "/view": (400, 403, 404)}


class Unreachable(Exception):
    """No answer, or none that ComfyUI gives: the server may not be there, or may not have heard."""


class Refused(Exception):
    """The server answered that it will not take a request."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.body = body


class Client:
    """Speaks to one server. Safe to share among threads: each keeps its own connection.

    Proxy settings of the environment are not used: render servers stand in the local network.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for session in self._sessions:
                session.close()
            self._sessions.clear()

    def system_stats(self) -> dict[str, Any]:
        """Version and devices; a simulator declares itself here."""
        answer = self._json("GET", "/system_stats")
        if not isinstance(answer.get("system"), dict):
            raise Unreachable("GET /system_stats: unexpected answer; is this a ComfyUI server?")
        return answer

    def node_info(self, class_type: str) -> dict[str, Any] | None:
        """The inputs a node class takes, or None for a class the server has not."""
        return self._json("GET", f"/object_info/{quote(class_type, safe='')}").get(class_type)

    def submit(self, prompt_id: str, graph: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
        """Queue a graph; never with a ``number``. Raises Refused with the server's explanation."""
        body = {"prompt": graph, "prompt_id": prompt_id, "client_id": CLIENT_ID, "extra_data": extra}
        return self._json("POST", "/prompt", json=body)

    def queue(self) -> tuple[set[str], set[str]]:
        """The ids of prompts that run and that wait."""
        answer = self._json("GET", "/queue")
        if not {"queue_running", "queue_pending"} <= answer.keys():
            raise Unreachable("GET /queue: unexpected answer; is this a ComfyUI server?")
        running, pending = ({item[1] for item in answer[k]} for k in ("queue_running", "queue_pending"))
        return running, pending

    def history(self, prompt_id: str) -> dict[str, Any] | None:
        """The entry of a finished prompt, or None while it is unknown, waits or runs."""
        return self._json("GET", f"/history/{prompt_id}").get(prompt_id)

    def withdraw(self, prompt_id: str) -> None:
        """Take a prompt of ours from the queue, or interrupt it if it runs; no other is touched."""
        self._request("POST", "/queue", json={"delete": [prompt_id]})
        self._request("POST", "/interrupt", json={"prompt_id": prompt_id})

    def view(self, file: Mapping[str, str]) -> bytes:
        """The bytes of an output file. Raises Refused (404) when it is gone."""
        return self._request("GET", "/view", params=dict(file)).content

    def free(self) -> None:
        """Unload models and forget cached results, after the prompt that runs."""
        self._request("POST", "/free", json={"unload_models": True, "free_memory": True})

    def _json(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        response = self._request(method, path, **kwargs)
        try:
            answer = response.json()
        except ValueError as error:
            raise Unreachable(
                f"{method} {path}: the answer is not JSON; is this a ComfyUI server?"
            ) from error
        if not isinstance(answer, dict):
            raise Unreachable(f"{method} {path}: unexpected answer; is this a ComfyUI server?")
        return answer

    def _request(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        try:
            response = self._session().request(method, self.url + path, timeout=(CONNECT_S, READ_S), **kwargs)
        except requests.RequestException as error:
            raise Unreachable(f"{method} {self.url}{path}: {_reason(error)}") from error
        if response.status_code in _REFUSALS.get(path, ()):
            raise Refused(response.status_code, _json_or_text(response))
        if not response.ok:
            raise Unreachable(f"{method} {path}: HTTP {response.status_code} {response.text:.100}")
        return response

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            self._local.session = session
            with self._lock:
                self._sessions.append(session)
        return session


def _json_or_text(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return response.text


def _reason(error: BaseException) -> str:
    """The innermost cause, which is what a person can act on ("Connection refused")."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return str(error) or type(error).__name__
