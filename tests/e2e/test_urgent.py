"""A picture that somebody waits for overtakes a batch of thousands that another process runs."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.e2e.shop import ROWS, Shop, bare, executed, simulator_process, start

PRODUCTS = 340
PICTURES = 2000
SECONDS = 0.1
DEADLINE_S = 90


@pytest.fixture
def url() -> Iterator[str]:
    """A server that makes ten pictures a second."""
    with simulator_process(seconds=SECONDS, more=["--bench"]) as url:
        yield url


def wait_for(url: str, count: int) -> None:
    """Wait until so many pictures were begun."""
    deadline = time.monotonic() + DEADLINE_S
    while len(executed(url)) < count:
        assert time.monotonic() < deadline, "the run does not go on"
        time.sleep(0.05)


@pytest.mark.timeout(180)
def test_regenerate_is_the_next_to_execute_in_a_run_of_thousands(tmp_path: Path, url: str) -> None:
    """From another process, by the server's own times: nothing was begun between its arrival and its turn."""
    shop = Shop(tmp_path / "busy", comfyui=url)
    many = [
        (f"{row[0]}-{n:03}", "", f"{row[2]}{n}号", *row[3:]) for n in range(PRODUCTS // 2) for row in ROWS
    ]
    shop.write(many)
    sku = many[-1][0]
    planned = shop.plan()["to_render"]
    assert planned >= PICTURES
    batch = start(shop)
    try:
        wait_for(url, 20)
        for role in ("main", "lifestyle"):
            where = ["--workspace", str(shop.root), "--json", "--comfyui", url]
            other = start(shop, "regenerate", sku, "--role", role, "--slot", "1", *where)
            out, err = other.communicate(timeout=DEADLINE_S)
            assert other.returncode == 0, err
            result = json.loads(out)
            assert result["pictures"] == {
                "planned": 1, "rendered": 1, "reused": 0, "failed": 0, "blocked": 0, "pending": 0,
            }  # fmt: skip
            assert result["jobs_submitted"] == 1
            check_order(url, result["run"])
        assert batch.poll() is None, "the batch had ended before"
        before = len(executed(url))
        wait_for(url, before + 10)
    finally:
        batch.send_signal(signal.SIGINT)
        batch.communicate(timeout=DEADLINE_S)
    whole = [bare(each["graph"]) for each in executed(url) if each["completed"]]
    assert len(whole) == len(set(whole)), "a picture of the batch was made twice"
    siblings = [p for s in shop.status(sku) for p in s["pictures"] if p["role"] not in ("main", "lifestyle")]
    assert {p["take"] for p in siblings} == {1}
    assert {p["state"] for p in siblings} <= {"planned", "draft"}


def check_order(url: str, run: str) -> None:
    """The picture of a run came right after the one that was executing when it was sent."""
    (entry,) = (
        each
        for each in requests.get(f"{url}/history", params={"max_items": 60}, timeout=30).json().values()
        if any(
            str(n["inputs"].get("filename_prefix", "")).startswith(f"catalog-imagegen/{run}/")
            for n in each["prompt"][2].values()
        )
    )
    prompt_id, sent_ms = entry["prompt"][1], entry["prompt"][3]["create_time"]
    begun = [(each["started_ms"], each["prompt_id"]) for each in executed(url)]
    mine = next(started for started, other in begun if other == prompt_id)
    between = [other for started, other in begun if sent_ms < started < mine]
    assert between == [], (sent_ms, mine, begun[-8:])
