"""Three servers, each with a trouble of its own, our process killed twice: 300 pictures all the same."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.shop import ROWS, Shop, bare, executed, simulators_process, start

PRODUCTS = 45
PICTURES = 300
SECONDS = 0.06
RESTART_EVERY = 20
FAULTS = ("--faults", "1/oom%2", "--faults", f"2/restart=0.3%{RESTART_EVERY}", "--faults", "3/ws-deaf")
DEADLINE_S = 90


def rows() -> Sequence[Sequence[str]]:
    """Many products of the two kinds, each with scenes and details of its own."""
    return [
        (
            f"{row[0]}-{n:02}",
            "",
            f"{row[2]}{n}号",
            *row[3:8],
            f"{row[8]}、在{n}号房间",
            f"{row[9]}、第{n}处接缝",
        )
        for n in range((PRODUCTS + 1) // 2)
        for row in ROWS
    ][:PRODUCTS]


def attempts(shop: Shop) -> list[tuple[str, str, str]]:
    """(prompt id, outcome, server) of every attempt the ledger knows.

    What a restarted server forgot before we heard of its beginning may have been executed all the same: lost as well.
    """
    with sqlite3.connect(shop.root / "data" / "simulated" / "ledger.sqlite") as ledger:
        found = ledger.execute("SELECT prompt_id, outcome, server, error FROM attempt").fetchall()
    ledger.close()
    return [
        (prompt_id, "lost" if "restarted" in error else outcome, server)
        for prompt_id, outcome, server, error in found
    ]


def wait_for_more(urls: Sequence[str], count: int) -> None:
    """Wait until the servers have executed so many more pictures than now."""
    enough = sum(len(executed(url)) for url in urls) + count
    deadline = time.monotonic() + DEADLINE_S
    while sum(len(executed(url)) for url in urls) < enough:
        assert time.monotonic() < deadline, "the run does not go on"
        time.sleep(0.02)


@pytest.mark.timeout(240)
def test_a_bad_night(tmp_path: Path) -> None:
    """Every picture is made, none is paid for twice but for what a server lost, and each trouble is told once."""
    with simulators_process(3, seconds=SECONDS, more=FAULTS) as urls:
        shop = Shop(tmp_path / "night", comfyui=" ".join(urls))
        shop.write(rows())
        said: list[str] = []
        for more in (60, 90):
            process = start(shop)
            wait_for_more(urls, more)
            process.send_signal(signal.SIGKILL)
            said.append(process.communicate()[1])
            assert process.returncode == -signal.SIGKILL, "the run ended before it was killed"
        before = {url: len(executed(url)) for url in urls}
        process = start(shop)
        out, err = process.communicate(timeout=200)
        said.append(err)
        assert process.returncode == 0, err
        done = {url: executed(url) for url in urls}
        again = shop.run()
    result = json.loads(out)
    check_counts(result, again)
    check_nothing_paid_twice(done, attempts(shop), urls[1])
    check_files(shop)
    check_alerts(result, urls, restarts=(len(done[urls[1]]) - before[urls[1]]) // RESTART_EVERY + 1)
    for text in said:
        lines = [line for line in re.split(r"(?=warning  )", text) if line.startswith("warning")]
        assert max(Counter(lines).values(), default=0) <= max(1, text.count("restarted")), text


def check_counts(result: Mapping[str, Any], again: Mapping[str, Any]) -> None:
    """All pictures are there, and the next run finds nothing to do."""
    counts = result["pictures"]
    assert counts["planned"] >= PICTURES
    assert counts["rendered"] + counts["reused"] == counts["planned"], counts
    assert again["jobs_submitted"] == 0
    assert again["pictures"]["reused"] == counts["planned"]


def check_nothing_paid_twice(
    done: Mapping[str, Sequence[Mapping[str, Any]]], known: Sequence[tuple[str, str, str]], forgetful: str
) -> None:
    """A render is executed once, and once more for each execution that a server lost with its memory."""
    outcomes = {prompt_id: outcome for prompt_id, outcome, _ in known}
    assert set(outcomes.values()) <= {"done", "lost", "out_of_memory", "recalled", "abandoned"}, Counter(
        outcomes.values()
    )
    whole: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for server, executions in done.items():
        for each in (each for each in executions if each["completed"]):
            name, prompt_id = bare(each["graph"]), each["prompt_id"]
            whole[name] += 1
            # A run that was killed leaves its jobs open; the next one finds them forgotten, and gives them up.
            if server == forgetful and outcomes[prompt_id] in ("lost", "abandoned"):
                lost[name] += 1
    twice = {name: count for name, count in whole.items() if count > 1 + lost[name]}
    assert not twice, [
        outcomes[e["prompt_id"]] for es in done.values() for e in es if bare(e["graph"]) in twice
    ]
    assert len({bare(each["graph"]) for executions in done.values() for each in executions}) == len(whole)


def check_files(shop: Shop) -> None:
    """One blob for each picture, and no listing has a file twice."""
    folder = shop.root / "data" / "simulated"
    with sqlite3.connect(folder / "ledger.sqlite") as ledger:
        digests = [digest for (digest,) in ledger.execute("SELECT digest FROM render")]
    ledger.close()
    stored = [path.name for path in (folder / "blobs").glob("??/*") if path.read_bytes()[:4] == b"\x89PNG"]
    assert sorted(stored) == sorted(digests)
    assert len(set(digests)) == len(digests)
    for manifest in shop.output.rglob("listing.json"):
        names = [file["name"] for file in json.loads(manifest.read_bytes())["files"]]
        assert len(names) == len(set(names))


def check_alerts(result: Mapping[str, Any], urls: Sequence[str], *, restarts: int) -> None:
    """One for the memory, one for the deaf ear, and one each time the second server was killed."""
    told = Counter((incident["server"], incident["code"]) for incident in result["incidents"])
    assert told[urls[0], "out_of_memory"] == 1
    assert told[urls[2], "deaf"] == 1
    of_second = {code: count for (url, code), count in told.items() if url == urls[1]}
    assert set(of_second) <= {"restarted", "reset", "refused", "no_answer"}
    assert 1 <= sum(of_second.values()) <= restarts, (of_second, restarts)
    assert sum(told.values()) == 2 + sum(of_second.values()), told
