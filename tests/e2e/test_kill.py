"""kill -9 of the CLI at random moments, and two runs at once, against a simulator in its own process."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.shop import ROWS, Shop, bare, executed, executions, simulator_process, start, tree

SECONDS = 0.15
KILLS = 10
MOST_EXECUTED = 4  # of about 40 pictures; ten kills never reach the end
DEADLINE_S = 60
VARIANTS = tuple(
    (f"{row[0]}-{n}", "", *row[2:4], color, *row[5:])
    for n, color in enumerate(("黑色", "白色", "红色"))
    for row in ROWS
)


@pytest.fixture
def url() -> Iterator[str]:
    """A simulator in a process of its own."""
    with simulator_process(seconds=SECONDS) as url:
        yield url


def listings(shop: Shop) -> dict[str, Any]:
    """Every listing: file names with their sizes, renders and standing, and no key that paths could sway."""
    return {
        str(path.parent.relative_to(shop.output)): [
            {k: v for k, v in file.items() if k not in {"bytes", "render", "rendition_key"}}
            for file in json.loads(path.read_text(encoding="utf-8"))["files"]
        ]
        for path in sorted(shop.output.rglob("listing.json"))
    }


def await_executions(url: str, *, more: int) -> None:
    """Wait until the simulator has executed so many pictures more than now; how fast the machine is does not matter."""
    enough = sum(executions(url).values()) + more
    deadline = time.monotonic() + DEADLINE_S
    while sum(executions(url).values()) < enough:
        assert time.monotonic() < deadline, "the run does not go on"
        time.sleep(0.01)


def clean_run(root: Path, url: str) -> Shop:
    """A shop whose catalog was run without trouble."""
    shop = Shop(root, comfyui=url)
    shop.write(VARIANTS)
    shop.run()
    return shop


def check_whole(shop: Shop) -> None:
    """Every row has its bytes, and nothing half-written or unnamed is left."""
    ledger = sqlite3.connect(shop.root / "data" / "simulated" / "ledger.sqlite")
    named = {
        digest for (digest,) in ledger.execute("SELECT digest FROM render UNION SELECT digest FROM material")
    }
    still_open = ledger.execute("SELECT count(*) FROM attempt WHERE outcome = 'open'").fetchone()
    ledger.close()
    stored = {path.name for path in (shop.root / "data" / "simulated" / "blobs").rglob("*") if path.is_file()}
    assert stored == named
    assert still_open == (0,)
    assert not list(shop.root.rglob(".writing-*"))


def test_kill_at_ten_random_moments_costs_nothing(tmp_path: Path, url: str) -> None:
    """However often a run is killed, the last one ends as a clean run, and each picture was executed once."""
    shop = Shop(tmp_path / "killed", comfyui=url)
    shop.write(VARIANTS)
    moments = random.Random(20261122)
    for _ in range(KILLS):
        process = start(shop)
        await_executions(url, more=moments.randrange(MOST_EXECUTED))
        time.sleep(moments.uniform(0, SECONDS))  # the random moment itself, not a wait for something
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "the run ended before it was killed"
        process.communicate()

    result = shop.run()

    counts = result["pictures"]
    assert counts["rendered"] + counts["reused"] == counts["planned"]
    check_whole(shop)
    made = executions(url)
    assert len(made) == counts["planned"]
    assert set(made.values()) == {1}
    with simulator_process(seconds=0.0) as fresh:
        expected = clean_run(tmp_path / "clean", fresh)
        assert listings(shop) == listings(expected)
        assert set(tree(shop.output)) == set(tree(expected.output))
        assert executions(fresh) == made


def test_two_runs_at_once_render_each_picture_once(tmp_path: Path, url: str) -> None:
    """Two processes share a workspace: each picture is executed once, and both end as a single run does."""
    shop = Shop(tmp_path / "shared", comfyui=url)
    shop.write(VARIANTS)
    processes = [start(shop), start(shop)]
    ends = [process.communicate(timeout=100) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    results = [json.loads(out) for out, _ in ends]
    planned = results[0]["pictures"]["planned"]
    for counts in (result["pictures"] for result in results):
        assert counts["planned"] == planned == counts["rendered"] + counts["reused"]
    assert sum(result["jobs_submitted"] for result in results) == planned
    assert sum(result["pictures"]["rendered"] for result in results) == planned
    assert set(executions(url).values()) == {1}
    check_whole(shop)
    assert shop.run()["jobs_submitted"] == 0


def test_interrupt_takes_back_what_is_ours_and_the_next_run_goes_on(tmp_path: Path, url: str) -> None:
    """Ctrl-C ends a run with a sentence, and leaves nothing of it on the server; what others sent stays there."""
    shop = Shop(tmp_path / "interrupted", comfyui=url)
    shop.write(VARIANTS)
    process = start(shop)
    await_executions(url, more=2)
    graph = executed(url)[0]["graph"]
    foreign = requests.post(f"{url}/prompt", json={"prompt": _slowly(graph)}, timeout=30).json()["prompt_id"]
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "run again" in err
    queue = requests.get(f"{url}/queue", timeout=30).json()
    assert {item[1] for item in (*queue["queue_running"], *queue["queue_pending"])} <= {foreign}
    requests.post(f"{url}/interrupt", json={"prompt_id": foreign}, timeout=30)
    counts = shop.run()["pictures"]
    assert counts["rendered"] + counts["reused"] == counts["planned"]
    whole = Counter(bare(each["graph"]) for each in executed(url) if each["completed"])
    assert set(whole.values()) == {1}


def _slowly(graph: Mapping[str, Any]) -> dict[str, Any]:
    """The same picture for somebody else, who is in no hurry."""
    return {
        node: {
            **body,
            "inputs": {k: f"[[slow:20]] {v}" if k == "text" else v for k, v in body["inputs"].items()},
        }
        for node, body in graph.items()
    }
