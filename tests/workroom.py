"""Runs over a real workspace, and what became of them: for tests of servers that fail.

work(root, "stall_s = 1")          a workspace with these settings, quick to paint
with opened(root, url, …) as house:
    report = make(house, goods("一号", "二号 [[oom]]"))     one picture per name; a name may hold a trigger
    with running(house, goods("一号")) as run:            the same, while the test does something
        …
        report = run.result(DEADLINE_S)
outcomes(house)                    every attempt in the ledger: product name → its outcomes, in order
executed(simulator, …)             how often each graph was really sampled
check_stored(house, report)        exactly the pictures that were rendered are in the store, once each
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from catalog_imagegen.adapters.comfyui import listener, watch
from catalog_imagegen.bootstrap import House, Servers, open_house, servers
from catalog_imagegen.config import Workspace
from catalog_imagegen.domain.catalog import Product, Reading
from catalog_imagegen.domain.fingerprint import Fingerprint
from catalog_imagegen.domain.incident import Incident
from catalog_imagegen.pipeline import drive, send
from catalog_imagegen.pipeline.prepare import Selection, choose
from catalog_imagegen.pipeline.sync import Report, carry_out
from catalog_imagegen.simulator import Simulator
from tests.fakes import NullProgress, graph_key
from tests.integration.test_power_cut import small_pictures

DEADLINE_S = 60
PATIENCE_S = 1.0
PNG = b"\x89PNG"


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing take longer than it must on a server that need not be spared."""
    monkeypatch.setattr(watch, "QUEUE_CHECK_S", 0.1)
    monkeypatch.setattr(watch, "POLL_LIVE_S", 0.3)
    monkeypatch.setattr(listener, "TICK_S", 0.05)
    monkeypatch.setattr(drive, "FIRST_PROBATION_S", 0.05)
    monkeypatch.setattr(drive, "LONGEST_PROBATION_S", 0.2)
    monkeypatch.setattr(drive, "AGAIN_S", 0.1)
    monkeypatch.setattr(send, "BEHIND_S", 0.1)
    monkeypatch.setattr(servers, "PATIENCE_S", 0.2)


SMALL = """\
[platforms.small]
title = "小图"
listing_per = "sku"
[[platforms.small.placements]]
name = "main"
roles = ["main"]
size = [64, 64]
[[platforms.small.placements]]
name = "scene"
roles = ["lifestyle"]
size = [48, 64]
"""
"""A marketplace whose files are made in no time: what becomes of files is no matter here."""


def work(root: Path, *settings: str) -> Path:
    """A workspace of small pictures for a marketplace of small files; *settings* are lines of app.toml."""
    small_pictures(root)
    lines = ['platforms = ["small"]', *settings]
    if not any("patience_s" in line for line in settings):
        lines.insert(0, f"patience_s = {PATIENCE_S}")
    (root / "config" / "app.toml").write_text("\n".join(lines), encoding="utf-8")
    (root / "config" / "platforms.toml").write_text(SMALL, encoding="utf-8")
    return root


@contextmanager
def opened(root: Path, *urls: str) -> Iterator[House]:
    """The workspace, with these servers or those of its settings."""
    with open_house(Workspace(root), Servers(urls)) as house:
        yield house


def goods(*names: str) -> Reading:
    """A product of each name."""
    return Reading(
        tuple(
            Product(f"P-{number:02}", name, category="数码", color="黑色")
            for number, name in enumerate(names, start=1)
        )
    )


def numbered(count: int, what: str = "耳机") -> Reading:
    """So many products."""
    return goods(*(f"{what}{number}号" for number in range(1, count + 1)))


class Heard(NullProgress):
    """Remembers what went wrong with servers."""

    def __init__(self) -> None:
        self.incidents: list[Incident] = []

    def alert(self, incident: Incident) -> None:
        """One more."""
        self.incidents.append(incident)


def make(house: House, reading: Reading, *, stop: threading.Event | None = None) -> Report:
    """Run a catalog; every incident of the report was told while it went on, and nothing stays held unless it was stopped."""
    heard, stop = Heard(), stop or threading.Event()
    report = carry_out(
        choose(reading, "run", Selection(roles=("main",)), house.services),
        house.services,
        source="run",
        command="run",
        backends=house.fleet.backends,
        progress=heard,
        stop=stop,
    )
    assert tuple(heard.incidents) == report.incidents
    assert stop.is_set() or held(house) == []
    return report


def held(house: House) -> list[str]:
    """The pictures and places on servers that the ledger still has as somebody's."""
    with closing(sqlite3.connect(house.workspace.data / "ledger.sqlite")) as db:
        return [name for (name,) in db.execute("SELECT name FROM lease ORDER BY name")]


@contextmanager
def running(
    house: House, reading: Reading, *, stop: threading.Event | None = None
) -> Iterator[Future[Report]]:
    """A run that goes on beside the test."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(make, house, reading, stop=stop)


def until(found: Callable[[], Any]) -> Any:
    """Look again and again until *found* gives something true."""
    end = time.monotonic() + DEADLINE_S
    while not (result := found()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)
    return result


def outcomes(house: House) -> dict[str, list[str]]:
    """Product name → how the attempts at its pictures ended, the first one first."""
    names = {f"sku:{product.sku}": product.name for product in house.services.ledger.products()}
    found: dict[str, list[str]] = {}
    for attempt in house.services.ledger.attempts():
        found.setdefault(names[attempt.key.subject], []).append(attempt.outcome)
    return found


def executed(*simulators: Simulator) -> Counter[Fingerprint]:
    """Graph → how often it was really sampled."""
    return Counter(graph_key(graph) for simulator in simulators for _, graph in simulator.executions)


def told(report: Report) -> list[tuple[str, str]]:
    """Server and code of every incident."""
    return [(incident.server, incident.code) for incident in report.incidents]


def counts(report: Report) -> tuple[int, int, int]:
    """Pictures that were made, failed, and are still to be made."""
    return report.pictures["rendered"], report.pictures["failed"], report.pictures["pending"]


def check_stored(house: House, count: int) -> None:
    """So many pictures are in the store, each under a name of its own."""
    blobs = (house.workspace.data / "blobs").glob("??/*")
    assert sum(path.read_bytes().startswith(PNG) for path in blobs) == count
    made = [attempt.render_key for attempt in house.services.ledger.attempts() if attempt.outcome == "done"]
    assert len(made) == len(set(made)) == count
