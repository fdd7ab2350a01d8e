"""The clients that are compared: each renders the same number of pictures and keeps them on disk."""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import requests

from catalog_imagegen.bootstrap import Servers, init_workspace, open_house
from catalog_imagegen.config import Workspace
from catalog_imagegen.domain.imaging import Wanted
from catalog_imagegen.pipeline.produce import Made, Workshop, produce
from tests.fakes import picture

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


class Client(Protocol):
    """A way to have pictures rendered."""

    @property
    def name(self) -> str: ...  # noqa: D102

    def run(self, url: str, *, pictures: int, size: int, folder: Path) -> Timing:
        """Render that many new square pictures of *size* pixels into *folder*."""
        ...


@dataclass(frozen=True, slots=True)
class PlainClient:
    """Threads that each submit, look at the history now and then, download and write a file."""

    threads: int

    @property
    def name(self) -> str:
        """As the report shows it."""
        return f"plain, {self.threads} threads"

    def run(self, url: str, *, pictures: int, size: int, folder: Path) -> Timing:
        """See the protocol."""
        prefix = f"bench/{uuid.uuid4().hex}"
        graphs = [_saved_as(prefix, wanted) for wanted in _new_pictures(pictures, size=size)]
        local = threading.local()

        def make(numbered: tuple[int, Mapping[str, Any]]) -> None:
            number, graph = numbered
            if not hasattr(local, "session"):
                local.session = requests.Session()
            content = _plainly(local.session, url, graph)
            (folder / f"{number:04}.png").write_bytes(content)

        with ThreadPoolExecutor(self.threads) as pool:
            began = time.monotonic()
            list(pool.map(make, enumerate(graphs)))
            wall_s = time.monotonic() - began
        return Timing(wall_s, prefix)


def _saved_as(prefix: str, wanted: Wanted) -> Mapping[str, Any]:
    node, name = wanted.prefix_at
    body = wanted.graph[node]
    return {**wanted.graph, node: {**body, "inputs": {**body["inputs"], name: prefix}}}


def _plainly(session: requests.Session, url: str, graph: Mapping[str, Any]) -> bytes:
    """One picture, the way a script does it."""
    answer = session.post(
        f"{url}/prompt", json={"prompt": graph, "client_id": CLIENT_ID}, timeout=TIMEOUT_S
    ).json()
    prompt_id = answer["prompt_id"]
    while not (history := session.get(f"{url}/history/{prompt_id}", timeout=TIMEOUT_S).json()):
        time.sleep(POLL_S)
    images = (image for output in history[prompt_id]["outputs"].values() for image in output["images"])
    return session.get(f"{url}/view", params=next(images), timeout=TIMEOUT_S).content


class OurClient:
    """What ``run`` does between the plan and the listings, with a real ledger and real blobs."""

    name = "catalog-imagegen"

    def run(self, url: str, *, pictures: int, size: int, folder: Path) -> Timing:
        """See the protocol."""
        wanted = _new_pictures(pictures, size=size)
        stored: list[float] = []

        def on_made(made: Made) -> None:
            if made.outcome != "rendered":
                raise RuntimeError(f"the benchmark counts only pictures: {made.failure}")
            stored.append(time.monotonic())

        with _workshop(folder, url, wanted, on_made) as shop:
            began = time.monotonic()
            produce(wanted, shop, threading.Event())
        if len(stored) != pictures:
            raise RuntimeError(f"{len(stored)} of {pictures} pictures were made; see the log")
        return Timing(max(stored) - began, f"catalog-imagegen/{shop.run}/")


@contextmanager
def _workshop(folder: Path, url: str, wanted: Sequence[Wanted], on_made: Any) -> Iterator[Workshop]:
    """A new workspace, opened as the commands open it."""
    init_workspace(folder)
    with open_house(Workspace(folder), Servers(urls=(url,))) as house:
        services = house.services
        yield Workshop(
            ledger=services.ledger,
            blobs=services.blobs,
            backends=house.fleet.backends(wanted),
            run=services.ledger.begin_run("bench"),
            is_placeholder=services.is_placeholder,
            on_made=on_made,
        )


def _new_pictures(count: int, *, size: int) -> list[Wanted]:
    """Pictures that no server has cached: the seeds are new in every run."""
    return [
        picture("a white enamel mug", seed=secrets.randbelow(2**53), size=(size, size), order=order)
        for order in range(count)
    ]
