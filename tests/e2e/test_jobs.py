"""What stands on servers after a crash: shown, taken back, or fetched."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.cli import assert_explains, called
from tests.e2e.shop import Shop, executed, simulator_process, start
from tests.workroom import hurry

DEADLINE_S = 60


@pytest.fixture
def url() -> Iterator[str]:
    """A server that takes its time."""
    with simulator_process(seconds=8) as url:
        yield url


@pytest.fixture
def crashed(tmp_path: Path, url: str) -> Shop:
    """A shop whose run was killed with one picture running and one waiting."""
    shop = Shop(tmp_path / "crashed", comfyui=url)
    process = start(shop)
    deadline = time.monotonic() + DEADLINE_S
    while len(_queue(url)) < 2:
        assert time.monotonic() < deadline, "nothing was sent"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return shop


def _queue(url: str) -> list[str]:
    found = requests.get(f"{url}/queue", timeout=30).json()
    return [item[1] for name in ("queue_running", "queue_pending") for item in found[name]]


def jobs(shop: Shop, *words: str, code: int = 0) -> list[dict[str, Any]]:
    """What ``jobs`` prints."""
    ran = called("jobs", *words, "--workspace", shop.root, "--simulate", "--json")
    assert ran.code == code, ran.err
    found: list[dict[str, Any]] = ran.json["jobs"]
    return found


def test_jobs_shows_what_stands_there(crashed: Shop, url: str) -> None:
    """By the server's own word, in the order sent."""
    found = jobs(crashed)
    assert [job["state"] for job in found] == ["running", "waiting"]
    assert [job["id"] for job in found] == _queue(url)
    assert {job["server"] for job in found} == {url}
    shown = called("jobs", "--workspace", crashed.root, "--simulate")
    assert all(job["id"][:8] in shown.out for job in found)


def test_cancel_takes_back_what_is_named_and_nothing_else(crashed: Shop, url: str) -> None:
    """By how an id begins; the other job and somebody else's prompt stay."""
    running, waiting = jobs(crashed)
    graph = executed(url)[0]["graph"]
    foreign = requests.post(f"{url}/prompt", json={"prompt": graph}, timeout=30).json()["prompt_id"]
    done = jobs(crashed, "cancel", waiting["id"][:8])
    assert [(job["id"], job["result"]) for job in done] == [(waiting["id"], "cancelled")]
    assert _queue(url) == [running["id"], foreign]
    (done,) = [jobs(crashed, "cancel", "--all")]
    assert [(job["id"], job["result"]) for job in done] == [(running["id"], "cancelled")]
    assert foreign in _queue(url)
    assert jobs(crashed) == []
    requests.post(f"{url}/interrupt", json={"prompt_id": foreign}, timeout=30)


def test_a_server_that_is_away_is_said_so(crashed: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its jobs are not believed to be cancelled."""
    hurry(monkeypatch)
    # The simulator of the fixture is still there; its port is not asked for.
    (first, *_) = jobs(crashed)
    away = first["server"].rsplit(":", 1)[0] + ":1"
    import sqlite3  # noqa: PLC0415 - only here

    with sqlite3.connect(crashed.root / "data" / "simulated" / "ledger.sqlite") as ledger:
        ledger.execute("UPDATE attempt SET server = ?", (away,))
    ledger.close()
    assert {job["state"] for job in jobs(crashed)} == {"away"}
    assert {job["result"] for job in jobs(crashed, "cancel", "--all", code=1)} == {"away"}
    assert len(jobs(crashed)) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [(("cancel",), "--all"), (("cancel", "3f", "--all"), "--all"), (("cancel", "3f2a81c0"), "jobs")],
)
def test_what_cannot_be_meant_is_explained(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """Nothing named, both named, or a name that is none."""
    shop = Shop(tmp_path / "shop")
    ran = called("jobs", *words, "--workspace", shop.root, "--simulate")
    assert_explains(ran, 2, said)
