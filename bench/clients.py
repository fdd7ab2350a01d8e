"""The clients that are compared: each renders the same pictures and keeps them on disk."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import requests

from bench.pictures import TURBO, new_pictures, saved_as
from bench.producing import Order, Spent

POLL_S = 1.0
"""How often the plain client looks: what examples on the web do."""
TIMEOUT_S = 60.0
CLIENT_ID = "bench"


@dataclass(frozen=True, slots=True)
class Timing:
    """One measured run."""

    wall_s: float
    """From the first submission to the last picture on disk."""
    prefix: str
    """What the server's file names of this run begin with."""
    spent: Spent | None = None
    """What it cost our process."""
    idle: float | None = None
    """The share of the time in which the one server executed nothing."""
    unfed: float | None = None
    """The share in which it had nothing to execute: what is missing are pauses that it makes between two prompts."""


class Client(Protocol):
    """A way to have pictures rendered."""

    @property
    def name(self) -> str: ...  # noqa: D102

    def run(self, urls: Sequence[str], *, pictures: int, workflows: Sequence[str] = (TURBO,)) -> Timing:
        """Render that many new pictures, which take turns in *workflows*."""
        ...


@dataclass(frozen=True, slots=True)
class PlainClient:
    """Threads that each submit, look at the history now and then, download and write a file; it knows one server."""

    threads: int
    poll_s: float = POLL_S

    @property
    def name(self) -> str:
        """As the report shows it."""
        return f"plain, {self.threads} threads"

    def run(self, urls: Sequence[str], *, pictures: int, workflows: Sequence[str] = (TURBO,)) -> Timing:
        """See the protocol."""
        (url,) = urls
        prefix = f"bench/{uuid.uuid4().hex}"
        graphs = [saved_as(prefix, wanted) for wanted in new_pictures(pictures, workflows=workflows)]
        local = threading.local()
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:

            def make(numbered: tuple[int, Mapping[str, Any]]) -> None:
                number, graph = numbered
                if not hasattr(local, "session"):
                    local.session = requests.Session()
                Path(folder, f"{number:04}.png").write_bytes(self._picture(local.session, url, graph))

            with ThreadPoolExecutor(self.threads) as pool:
                began = time.monotonic()
                list(pool.map(make, enumerate(graphs)))
                wall_s = time.monotonic() - began
        return Timing(wall_s, prefix)

    def _picture(self, session: requests.Session, url: str, graph: Mapping[str, Any]) -> bytes:
        """One picture, the way a script does it."""
        body = {"prompt": graph, "client_id": CLIENT_ID}
        prompt_id = session.post(f"{url}/prompt", json=body, timeout=TIMEOUT_S).json()["prompt_id"]
        while not (history := session.get(f"{url}/history/{prompt_id}", timeout=TIMEOUT_S).json()):
            time.sleep(self.poll_s)
        images = (image for output in history[prompt_id]["outputs"].values() for image in output["images"])
        return session.get(f"{url}/view", params=next(images), timeout=TIMEOUT_S).content


class OurClient:
    """What ``run`` does between the plan and the listings, in a fresh process, so that what came before costs nothing."""

    name = "catalog-imagegen"

    def run(self, urls: Sequence[str], *, pictures: int, workflows: Sequence[str] = (TURBO,)) -> Timing:
        """See the protocol."""
        order = Order(tuple(urls), pictures, tuple(workflows))
        done = subprocess.run(
            [sys.executable, "-m", "bench.producing"],
            input=order.to_json(),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"our process ended with {done.returncode}; see above")
        answer = json.loads(done.stdout)
        return Timing(answer["wall_s"], answer["prefix"], Spent(**answer["spent"]))
