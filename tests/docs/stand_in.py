"""Stands in for a real ComfyUI: a simulator behind a door that does not say so."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import requests
from PIL import Image

from catalog_imagegen.simulator import Simulator
from tests.servers import serving

TIMEOUT_S = 30


@contextmanager
def stand_in() -> Iterator[str]:
    """The URL of a server that answers as a simulator does, but for declaring itself one."""
    with Simulator(seconds=0.0) as simulator, requests.Session() as session:

        class Door(BaseHTTPRequestHandler):
            """Passes on what it is asked."""

            def do_GET(self) -> None:
                """Ask the simulator."""
                self._pass_on(session.get(simulator.url + self.path, timeout=TIMEOUT_S))

            def do_POST(self) -> None:
                """Ask the simulator."""
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                kind = {"Content-Type": "application/json"}
                url = simulator.url + self.path
                self._pass_on(session.post(url, body, headers=kind, timeout=TIMEOUT_S))

            def _pass_on(self, answer: requests.Response) -> None:
                body = answer.content
                if self.path.startswith("/view") and answer.ok and body:
                    body = _unmarked(body)
                if self.path == "/system_stats":
                    stats = answer.json()
                    del stats["system"]["simulator"]
                    body = json.dumps(stats).encode()
                self.send_response(answer.status_code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        with serving(Door) as url:
            yield url


def _unmarked(placeholder: bytes) -> bytes:
    """The same pixels without the text that says what they are."""
    plain = io.BytesIO()
    with Image.open(io.BytesIO(placeholder)) as picture:
        picture.convert("RGB").save(plain, "PNG", compress_level=1)
    return plain.getvalue()


@contextmanager
def nobody() -> Iterator[str]:
    """A URL at which nobody answers: the port is taken, but not listened on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
