"""Pictures that are spoilt, gone or damaged on the way: made once more, elsewhere if there is an elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from catalog_imagegen.bootstrap import servers
from catalog_imagegen.domain.failure import FailureCode
from catalog_imagegen.pipeline.collect import DOWNLOADS
from catalog_imagegen.simulator import Simulator
from tests.comfyui.proxy import FaultyProxy
from tests.workroom import (
    check_stored,
    counts,
    executed,
    goods,
    hurry,
    make,
    numbered,
    opened,
    outcomes,
    running,
    told,
    until,
    work,
)

COUNT = 4
ATTEMPTS = 2
SPOILT: list[tuple[str, FailureCode]] = [
    ("black", "black"),
    ("noise", "noise"),
    ("uniform", "uniform"),
    ("small", "wrong_size"),
    ("no-image", "no_picture"),
    ("view-404", "file_gone"),
]
"""Faults of a simulator, and the code of what they lead to."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing takes longer than it must."""
    hurry(monkeypatch)
    # None is away here, and on a busy machine none should seem so.
    monkeypatch.setattr(servers, "PATIENCE_S", 2.0)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A server that does nothing wrong."""
    with Simulator() as simulator:
        yield simulator


@pytest.mark.parametrize(("fault", "code"), SPOILT)
def test_one_spoilt_picture_is_made_once_more(fault: str, code: FailureCode, tmp_path: Path) -> None:
    """On the same server only after it has forgotten its results; the spoilt one is kept nowhere."""
    with Simulator(faults=[fault]) as server, opened(work(tmp_path), server.url) as house:
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert sorted(outcomes(house).values()) == sorted([["done"]] * (COUNT - 1) + [[code, "done"]])
        assert sorted(executed(server).values()) == [1] * (COUNT - 1) + [2]
        assert told(report) == []
        check_stored(house, COUNT)


@pytest.mark.parametrize(("fault", "code"), SPOILT)
def test_what_is_always_spoilt_fails_after_two_attempts(
    fault: str, code: FailureCode, tmp_path: Path
) -> None:
    """One on each server; it says what it is and what helps, and no later run pays again."""
    with (
        Simulator(faults=[f"{fault}%1"]) as one,
        Simulator(faults=[f"{fault}%1"]) as other,
        opened(work(tmp_path), one.url, other.url) as house,
    ):
        report = make(house, numbered(2))
        assert counts(report) == (0, 2, 0)
        assert {problem.code for problem in report.problems} == {code}
        assert all(problem.remedy_en and problem.remedy_zh for problem in report.problems)
        assert set(executed(one, other).values()) == {ATTEMPTS}
        assert len(one.executions) == len(other.executions) == 2
        check_stored(house, 0)
        again = make(house, numbered(2))
        assert (again.jobs_submitted, again.pictures["failed"]) == (0, 2)


@pytest.mark.parametrize("fault", ["black", "noise", "no-image"])
def test_a_server_that_spoils_everything_costs_no_picture(
    fault: str, simulator: Simulator, tmp_path: Path
) -> None:
    """What it spoils is made by the other."""
    with (
        Simulator(faults=[f"{fault}%1"]) as bad,
        opened(work(tmp_path), bad.url, simulator.url) as house,
    ):
        report = make(house, numbered(2 * COUNT))
        assert counts(report) == (2 * COUNT, 0, 0)
        assert max(executed(bad, simulator).values()) <= ATTEMPTS
        assert set(executed(simulator).values()) == {1}
        check_stored(house, 2 * COUNT)


def test_triggers_in_a_prompt_spoil_its_picture_only(simulator: Simulator, tmp_path: Path) -> None:
    """Each picture has its own failure; nobody else's is touched."""
    names = {
        "一 [[black]]": "black",
        "二 [[noise]]": "noise",
        "三 [[uniform]]": "uniform",
        "四 [[small]]": "wrong_size",
        "五 [[no-image]]": "no_picture",
        "六 [[error]]": "execution_error",
    }
    with opened(work(tmp_path), simulator.url) as house:
        report = make(house, goods(*names, "七"))
        assert counts(report) == (1, len(names), 0)
        assert outcomes(house) == {name: [code] * ATTEMPTS for name, code in names.items()} | {"七": ["done"]}
        check_stored(house, 1)


# --- downloads -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, DOWNLOADS - 1])
def test_a_damaged_copy_is_fetched_again(times: int, tmp_path: Path) -> None:
    """The picture on the server is good: no second execution."""
    with Simulator(faults=[f"truncate:{times}"]) as server, opened(work(tmp_path), server.url) as house:
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert set(executed(server).values()) == {1}
        check_stored(house, COUNT)


def test_a_picture_whose_every_copy_is_damaged_is_made_again(tmp_path: Path) -> None:
    """Then the file itself may be; and if the next is damaged too, it fails."""
    with Simulator(faults=[f"truncate:{DOWNLOADS}"]) as server, opened(work(tmp_path), server.url) as house:
        assert counts(make(house, numbered(1))) == (1, 0, 0)
        assert outcomes(house) == {"耳机1号": ["bad_picture", "done"]}
        server.misbehave("truncate%1")
        report = make(house, numbered(2))
        assert counts(report) == (0, 1, 0)
        assert report.problems[0].code == "bad_picture"
        assert max(executed(server).values()) == ATTEMPTS
        check_stored(house, 1)


def test_a_download_that_breaks_off_is_fetched_again(simulator: Simulator, tmp_path: Path) -> None:
    """The connection ends in the middle of the file."""
    with FaultyProxy(simulator.url) as proxy, opened(work(tmp_path), proxy.url) as house:
        proxy.lose_next_reply("/view", "GET")
        assert counts(make(house, numbered(COUNT))) == (COUNT, 0, 0)
        assert set(executed(simulator).values()) == {1}


def test_a_slow_download_holds_up_nobody(tmp_path: Path) -> None:
    """While one picture dribbles in, the server goes on, and the others are brought home."""
    with (
        Simulator(faults=["slow-view=1.5"]) as server,
        opened(work(tmp_path), server.url) as house,
        running(house, numbered(COUNT)) as run,
    ):
        until(lambda: sum(ends == ["done"] for ends in outcomes(house).values()) == COUNT - 1)
        assert not run.done()
        report = run.result()
        assert counts(report) == (COUNT, 0, 0)
        assert set(executed(server).values()) == {1}
        assert told(report) == []


def test_a_file_that_was_deleted_and_comes_from_the_cache(tmp_path: Path) -> None:
    """The same prompt again is a success that names the file that is gone: it is made afresh, once."""
    with (
        Simulator(faults=["file-gone"]) as server,
        FaultyProxy(server.url) as proxy,
        opened(work(tmp_path, "patience_s = 30"), proxy.url) as house,
    ):

        def forget(body: bytes) -> bytes:
            """The first time it is fetched, the connection breaks off and the server loses its memory."""
            if proxy.prompts_forwarded == 1:
                requests.post(f"{server.url}/history", json={"clear": True}, timeout=5)
                raise EOFError
            return body

        proxy.spoil(forget)
        report = make(house, numbered(1))
        assert counts(report) == (1, 0, 0)
        assert outcomes(house) == {"耳机1号": ["file_gone", "done"]}
        assert set(executed(server).values()) == {2}
        check_stored(house, 1)


def test_what_an_earlier_run_sent_and_nobody_knows_any_more(tmp_path: Path) -> None:
    """It is sent anew, under a name of its own; what the server still has in its cache is not paid for again."""
    stop = threading.Event()
    with Simulator(seconds=2.5) as server:  # longer than a busy machine takes to notice the stop
        with opened(work(tmp_path), server.url) as house, running(house, numbered(1), stop=stop) as run:
            until(lambda: server.executions)
            stop.set()
            assert counts(run.result()) == (0, 0, 1)
            until(lambda: requests.get(f"{server.url}/history", timeout=5).json())
        requests.post(f"{server.url}/history", json={"clear": True}, timeout=5)
        with opened(tmp_path, server.url) as house:
            assert counts(make(house, numbered(1))) == (1, 0, 0)
            assert outcomes(house) == {"耳机1号": ["abandoned", "done"]}
            assert set(executed(server).values()) == {1}
            check_stored(house, 1)


def test_a_placeholder_is_never_taken_for_a_picture(simulator: Simulator, tmp_path: Path) -> None:
    """Even if a simulator took the place of a server without anybody noticing: its pictures bear a mark."""
    with opened(work(tmp_path), simulator.url) as house:
        real = replace(house, services=replace(house.services, is_placeholder=False))
        report = make(real, numbered(COUNT))
        assert counts(report) == (0, 0, COUNT)
        assert told(report) == [(simulator.url, "not_comfyui")]
        assert "placeholders" in report.incidents[0].message_en
        check_stored(house, 0)
