"""A websocket that tells nothing or is not there, and clocks that jump: pictures are found by asking."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import websocket

from catalog_imagegen.adapters.comfyui import listener
from catalog_imagegen.adapters.comfyui.backend import ComfyUIBackend
from catalog_imagegen.simulator import Simulator
from tests.comfyui.proxy import FaultyProxy
from tests.workroom import (
    DEADLINE_S,
    check_stored,
    counts,
    executed,
    goods,
    hurry,
    make,
    numbered,
    opened,
    running,
    told,
    until,
    work,
)

COUNT = 6
FOR_LONG_S = 120
"""Much longer than any of these tests may take."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing takes longer than it must; an ear is tested soon."""
    hurry(monkeypatch)
    monkeypatch.setattr(listener, "LATE_S", 0.1)
    monkeypatch.setattr(listener, "DEAF_AFTER_S", 0.3)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A server that does nothing wrong."""
    with Simulator(seconds=0.2) as simulator:
        yield simulator


@pytest.mark.parametrize("fault", ["ws-deaf", "ws-absent", "ws-absent=403"])
def test_a_websocket_that_tells_nothing_is_told_once(fault: str, tmp_path: Path) -> None:
    """Every picture is found by asking."""
    with Simulator(seconds=0.2, faults=[fault]) as server, opened(work(tmp_path), server.url) as house:
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert told(report) == [(server.url, "deaf")]
        assert set(executed(server).values()) == {1}
        check_stored(house, COUNT)


def test_a_websocket_that_is_held_up_delays_nothing(tmp_path: Path) -> None:
    """The server's publisher waits for somebody who does not read: what ended is found long before it goes on."""
    with (
        Simulator(seconds=0.2, faults=[f"ws-stall={FOR_LONG_S}#2"]) as server,
        opened(work(tmp_path), server.url) as house,
    ):
        began = time.monotonic()
        report = make(house, numbered(COUNT))
        assert time.monotonic() - began < FOR_LONG_S
        assert counts(report) == (COUNT, 0, 0)
        assert set(executed(server).values()) == {1}
        check_stored(house, COUNT)


def test_a_picture_s_end_is_not_heard_and_no_other_is_sent(simulator: Simulator, tmp_path: Path) -> None:
    """Nothing is due, so nothing seems wrong with the ear; the history tells."""
    with (
        FaultyProxy(simulator.url) as proxy,
        opened(work(tmp_path), proxy.url) as house,
        running(house, goods("慢 [[slow:1]]")) as run,
    ):
        until(lambda: simulator.executions)
        proxy.hold_events()
        report = run.result(DEADLINE_S)
        assert counts(report) == (1, 0, 0)
        assert told(report) == []


@pytest.mark.parametrize("fault", ["ws-deaf", "ws-absent"])
def test_a_picture_whose_steps_cannot_be_heard_is_not_declared_dead(fault: str, tmp_path: Path) -> None:
    """It may take much longer than stall_s, up to job_timeout_s."""
    settings = ("stall_s = 0.3", "job_timeout_s = 60")
    with Simulator(faults=[fault]) as server, opened(work(tmp_path, *settings), server.url) as house:
        report = make(house, goods("慢 [[slow:1.5]]", "二号"))
        assert counts(report) == (2, 0, 0)
        assert set(executed(server).values()) == {1}


def test_a_picture_without_steps_on_a_deaf_server_is_stopped_later(tmp_path: Path) -> None:
    """After job_timeout_s."""
    settings = ("attempts = 1", "stall_s = 60", "job_timeout_s = 0.5")
    with Simulator(faults=["ws-absent"]) as server, opened(work(tmp_path, *settings), server.url) as house:
        report = make(house, goods("慢 [[slow:4]]"))
        assert counts(report) == (0, 1, 0)
        assert report.problems[0].code == "timeout"


def test_a_websocket_that_drops_is_opened_again(tmp_path: Path) -> None:
    """That is nothing to tell anybody."""
    with (
        Simulator(seconds=0.2, faults=["ws-drop%2"]) as server,
        opened(work(tmp_path), server.url) as house,
    ):
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert told(report) == []
        assert set(executed(server).values()) == {1}


def test_a_websocket_that_somebody_took_over(simulator: Simulator, tmp_path: Path) -> None:
    """A second socket with the same id makes the first deaf for good, though it stays open: ComfyUI's own bug."""
    with opened(work(tmp_path), simulator.url) as house, running(house, numbered(2 * COUNT)) as run:
        until(lambda: len(simulator.executions) > 1)
        [backend] = house.fleet.all()
        assert isinstance(backend, ComfyUIBackend)
        address = simulator.url.replace("http", "ws", 1)
        thief = websocket.create_connection(f"{address}/ws?clientId={backend._listener.client_id}", timeout=5)
        thief.recv()
        thief.close()
        report = run.result(DEADLINE_S)
        assert counts(report) == (2 * COUNT, 0, 0)
        assert told(report) == [(simulator.url, "deaf")]
        assert set(executed(simulator).values()) == {1}
        check_stored(house, 2 * COUNT)


# --- clocks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", ["skewed-clock=86400", "skewed-clock=-86400", "clock-jump=-3600%2", "clock-jump=3600%2"]
)
def test_a_server_s_clock_does_not_matter(fault: str, tmp_path: Path) -> None:
    """Pictures are made; what cannot be is not counted as the time they took."""
    with Simulator(faults=[fault]) as server, opened(work(tmp_path), server.url) as house:
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert told(report) == []
        assert set(executed(server).values()) == {1}
        times = [attempt.seconds for attempt in house.services.ledger.attempts()]
        assert all(seconds is None or 0 < seconds < FOR_LONG_S for seconds in times)
        assert report.mean_seconds is None or 0 < report.mean_seconds < FOR_LONG_S
        assert all(rate > 0 for rate in house.services.ledger.speeds().values())
        assert make(house, numbered(COUNT)).jobs_submitted == 0
