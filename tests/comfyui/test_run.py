from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from catalog_imagegen.bootstrap import init_workspace
from catalog_imagegen.config import defaults
from catalog_imagegen.simulator import Simulator
from catalog_imagegen.stages.rendition import plain_png
from tests.comfyui.peer import ComfyUI, Peer
from tests.comfyui.proxy import FaultyProxy

DEADLINE_S = 60
ATTEMPTS = 2
IN_FLIGHT = 3
SHA_256 = re.compile(r"[0-9a-f]{64}")
PNG = b"\x89PNG"
ONE_PRODUCT = ("--limit", "1")
ONE_PLATFORM = ("--platform", "taobao_tmall")
MARK = "catalog-imagegen"
"""The PNG text chunk that says "placeholder"."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    exit_code: int
    report: dict[str, Any]
    errors: str

    @property
    def counts(self) -> dict[str, int]:
        """Pictures by outcome, without those that are none."""
        return {name: count for name, count in self.report["pictures"].items() if count}


@dataclass(frozen=True, slots=True)
class Shop:
    """A workspace and a catalog of two products of the sample catalog."""

    root: Path
    catalog: Path

    def start(self, url: str, *more: str, settings: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Begin a run as a process of its own."""
        line = [sys.executable, "-m", "catalog_imagegen", "run", str(self.catalog), "--comfyui", url]
        line += ["--workspace", str(self.root), "--json", *more]
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("CATALOG_IMAGEGEN_")}
        return subprocess.Popen(
            line,
            env=inherited | dict(settings or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(self, url: str, *more: str) -> Ran:
        """Run and wait for the end."""
        return finish(self.start(url, *more))

    def tell(self, **triggers: str) -> None:
        """Let the templates of roles say something to the stand-in sampler."""
        for role, trigger in triggers.items():
            template = self.root / "prompt_templates" / f"{role}.j2"
            mark = "{% block positive %}"
            text = template.read_text(encoding="utf-8")
            assert mark in text
            template.write_text(text.replace(mark, f"{mark}\n{trigger}"), encoding="utf-8")

    def pictures(self, folder: str = "output") -> list[Path]:
        """The files that the listings name; each is there and decodes."""
        files = [
            listing.parent / entry["name"]
            for listing in (self.root / folder).rglob("listing.json")
            for entry in json.loads(listing.read_text(encoding="utf-8"))["files"]
        ]
        for file in files:
            with Image.open(file) as picture:
                picture.load()
        return files

    def placeholders(self, data: str = "data") -> list[bool]:
        """For every render in the store: whether it is marked as a placeholder; all are decoded in the fast way."""
        found = []
        for blob in renders(self.root / data):
            assert plain_png.decoded(blob.read_bytes()) is not None
            with Image.open(blob) as picture:
                picture.load()
                found.append(MARK in picture.info)
        return found


def renders(data: Path) -> list[Path]:
    """The blobs that are pictures; the others are what they were made of."""
    return [blob for blob in sorted((data / "blobs").glob("??/[!.]*")) if blob.read_bytes().startswith(PNG)]


def finish(process: subprocess.Popen[str]) -> Ran:
    """Wait for the end of a run."""
    try:
        out, errors = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
    return Ran(process.returncode, json.loads(out) if out else {}, errors)


def history(url: str, run: str) -> list[dict[str, Any]]:
    """What a server remembers of a run, oldest first: one entry for every execution."""
    entries = requests.get(f"{url}/history", timeout=DEADLINE_S).json().values()
    return [entry for entry in entries if f"catalog-imagegen/{run}/" in json.dumps(entry["prompt"][2])]


def event(entry: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The data of the message *name*."""
    found: dict[str, Any] = dict(entry["status"]["messages"])[name]
    return found


def until(found: Callable[[], Any]) -> Any:
    """Look again and again until *found* gives something true."""
    end = time.monotonic() + DEADLINE_S
    while not (result := found()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)
    return result


def is_half_way(shop: Shop, url: str) -> bool:
    """Whether a picture is stored and more are running and waiting."""
    queue = requests.get(f"{url}/queue", timeout=DEADLINE_S).json()
    return bool(renders(shop.root / "data") and queue["queue_running"] and queue["queue_pending"])


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A new workspace."""
    root, catalog = tmp_path / "shop", tmp_path / "two.csv"
    init_workspace(root)
    with (defaults() / "sample_catalog" / "products.csv").open(encoding="gb18030", newline="") as file:
        header, *rows = csv.reader(file)
    with catalog.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows[:2]])
    return Shop(root, catalog)


@pytest.fixture
def triggers() -> None:
    """Only our own server has the stand-in sampler."""
    if "COMFYUI_URL" in os.environ:
        pytest.skip("the server that COMFYUI_URL names does not fail when a prompt says so")


@pytest.fixture
def own_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ComfyUI]:
    """A server that the test may kill."""
    if "COMFYUI_URL" in os.environ:
        pytest.skip("the server that COMFYUI_URL names is not ours to kill")
    peer: Peer = request.getfixturevalue("peer")
    with ComfyUI(tmp_path / "server", seconds=0.3, peer=peer) as server:
        yield server


def test_a_run_makes_every_picture_and_the_next_run_none(comfyui_url: str, shop: Shop) -> None:
    """Files exist, decode and are pictures; a second run pays for nothing."""
    first = shop.run(comfyui_url)
    assert first.exit_code == 0, first.errors
    planned = first.report["pictures"]["planned"]
    assert planned >= 8
    assert first.counts == {"planned": planned, "rendered": planned}
    assert first.report["jobs_submitted"] == planned == len(history(comfyui_url, first.report["run"]))
    files = {file: file.read_bytes() for file in shop.pictures()}
    assert len(files) == first.report["renditions"]
    assert shop.placeholders() == [False] * planned

    second = shop.run(comfyui_url)
    assert second.exit_code == 0, second.errors
    assert second.counts == {"planned": planned, "reused": planned}
    assert second.report["jobs_submitted"] == 0
    assert history(comfyui_url, second.report["run"]) == []
    assert {file: file.read_bytes() for file in shop.pictures()} == files


def test_a_lost_reply_costs_nothing(comfyui_url: str, shop: Shop) -> None:
    """Every picture is executed once, whichever reply was lost."""
    with FaultyProxy(comfyui_url) as proxy:
        for path, method in (("/prompt", "POST"), ("/prompt", "POST"), ("/history", "GET"), ("/view", "GET")):
            proxy.lose_next_reply(path, method)
        ran = shop.run(proxy.url, *ONE_PRODUCT)
        assert ran.exit_code == 0, ran.errors
        assert proxy.replies_lost == 4
        assert proxy.prompts_forwarded == ran.report["pictures"]["rendered"] == ran.report["jobs_submitted"]
    assert len(history(comfyui_url, ran.report["run"])) == proxy.prompts_forwarded
    assert shop.pictures()


def test_a_server_killed_and_restarted_in_the_middle(own_server: ComfyUI, shop: Shop) -> None:
    """The run ends as if nothing had been; only what the server lost is executed again."""
    with FaultyProxy(own_server.url) as proxy:
        running = shop.start(proxy.url, *ONE_PLATFORM)
        until(lambda: is_half_way(shop, own_server.url))
        own_server.kill()
        own_server.start()
        ran = finish(running)
        assert ran.exit_code == 0, ran.errors
        planned = ran.report["pictures"]["planned"]
        assert ran.counts == {"planned": planned, "rendered": planned}
        assert planned < proxy.prompts_forwarded <= planned + IN_FLIGHT
    assert len(shop.pictures()) == ran.report["renditions"]


def test_a_server_that_stays_away_is_for_a_later_run(own_server: ComfyUI, shop: Shop) -> None:
    """Exit 75: what was made stays made, nothing is marked failed, and the next run makes the rest."""
    running = shop.start(own_server.url, *ONE_PLATFORM, settings={"CATALOG_IMAGEGEN_PATIENCE_S": "1"})
    until(lambda: is_half_way(shop, own_server.url))
    own_server.kill()
    first = finish(running)
    assert first.exit_code == 75, first.errors
    assert own_server.url in first.errors
    assert first.report["problems"] == []
    planned, rendered = (first.report["pictures"][name] for name in ("planned", "rendered"))
    assert first.counts == {"planned": planned, "rendered": rendered, "pending": planned - rendered}
    assert 0 < rendered < planned

    own_server.start()
    second = shop.run(own_server.url, *ONE_PLATFORM)
    assert second.exit_code == 0, second.errors
    assert second.counts == {"planned": planned, "rendered": planned - rendered, "reused": rendered}
    assert second.report["jobs_submitted"] == planned - rendered


@pytest.mark.usefixtures("triggers")
def test_failures_are_told_apart_and_end(comfyui_url: str, shop: Shop) -> None:
    """Each picture is tried twice, says truly what happened and stops nothing else; a better prompt is new."""
    clean = {file: file.read_text(encoding="utf-8") for file in (shop.root / "prompt_templates").glob("*.j2")}
    codes = {"main": "black", "lifestyle": "execution_error", "detail": "out_of_memory"}
    codes["main_portrait"] = codes["main"]  # its template is a child of main's
    shop.tell(main="[[black]]", lifestyle="[[error]]", detail="[[oom]]")
    first = shop.run(comfyui_url, *ONE_PRODUCT)
    assert first.exit_code == 1, first.errors
    problems = first.report["problems"]
    assert {(p["role"], p["code"]) for p in problems} == set(codes.items())
    assert all(p["state"] == "failed" and p["remedy_en"] and p["remedy_zh"] for p in problems)
    assert first.report["pictures"]["failed"] == len(problems)
    rendered = first.report["pictures"]["rendered"]
    executed = len(history(comfyui_url, first.report["run"]))
    assert executed == first.report["jobs_submitted"] == ATTEMPTS * len(problems) + rendered

    again = shop.run(comfyui_url, *ONE_PRODUCT)
    assert again.exit_code == 1, again.errors
    assert again.report["jobs_submitted"] == 0
    assert again.report["problems"] == problems

    for file, text in clean.items():
        file.write_text(text, encoding="utf-8")
    mended = shop.run(comfyui_url, *ONE_PRODUCT)
    assert mended.exit_code == 0, mended.errors
    assert mended.report["jobs_submitted"] == mended.report["pictures"]["rendered"] == len(problems)


@pytest.mark.usefixtures("triggers")
def test_memory_that_ran_out_once(comfyui_url: str, shop: Shop) -> None:
    """The second attempt succeeds, on a server that was told to free its memory."""
    shop.tell(main="[[oom-once]]")
    ran = shop.run(comfyui_url, *ONE_PRODUCT, "--role", "main")
    assert ran.exit_code == 0, ran.errors
    assert ran.counts == {"planned": 1, "rendered": 1}
    first, second = history(comfyui_url, ran.report["run"])
    assert event(first, "execution_error")["exception_type"].endswith("OutOfMemoryError")
    assert second["status"]["status_str"] == "success"
    assert event(second, "execution_cached")["nodes"] == []  # not even the loaders: they were freed


def test_placeholders_are_no_pictures(comfyui_url: str, shop: Shop) -> None:
    """A workspace that was tried with the simulator still renders everything on the real server."""
    with Simulator(seconds=0) as simulator:
        simulated = shop.run(simulator.url, *ONE_PRODUCT)
        assert simulated.exit_code == 0, simulated.errors
    planned = simulated.report["pictures"]["planned"]
    assert shop.placeholders("data/simulated") == [True] * planned

    real = shop.run(comfyui_url, *ONE_PRODUCT)
    assert real.exit_code == 0, real.errors
    assert real.counts == {"planned": planned, "rendered": planned}
    assert real.report["jobs_submitted"] == planned
    assert shop.placeholders() == [False] * planned
    painted = {file.read_bytes() for file in shop.pictures("output-simulated")}
    assert painted.isdisjoint(file.read_bytes() for file in shop.pictures())
