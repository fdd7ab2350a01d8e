"""Servers that refuse, forget, die, hang, fill up or lack something: what becomes of the pictures, and who is told."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from catalog_imagegen.adapters.comfyui import watch
from catalog_imagegen.domain.failure import FailureCode
from catalog_imagegen.pipeline.policy import MAX_LOST
from catalog_imagegen.simulator import Simulator
from tests.fakes import picture
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
    outcomes,
    running,
    told,
    until,
    work,
)

COUNT = 6
ATTEMPTS = 2
MODEL = "z_image_turbo_bf16.safetensors"
PATIENT = "patience_s = 30"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing takes longer than it must."""
    hurry(monkeypatch)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that executes nothing is found out at once."""
    monkeypatch.setattr(watch, "DEAD_AFTER_S", 0.4)


@pytest.fixture
def helper() -> Iterator[Simulator]:
    """Another server, which does nothing wrong; it is slow, so that the first gets its share."""
    with Simulator(seconds=0.15) as simulator:
        yield simulator


def graph_of(text: str) -> dict[str, Any]:
    """What somebody else might submit."""
    return dict(picture(text).graph)


# --- refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code"), [("refuse-400", "rejected"), ("too-large", "too_large"), ("partial", "rejected")]
)
def test_a_refused_picture_is_not_sent_again(fault: str, code: FailureCode, tmp_path: Path) -> None:
    """400 with node_errors, 413, 200 with node_errors: a person must act; the others are made."""
    with Simulator(faults=[fault]) as server, opened(work(tmp_path), server.url) as house:
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT - 1, 1, 0)
        assert [problem.code for problem in report.problems] == [code]
        assert told(report) == []
        assert set(executed(server).values()) == {1}
        check_stored(house, COUNT - 1)
        again = make(house, numbered(COUNT))
        assert (again.jobs_submitted, again.pictures["failed"]) == (0, 1)


@pytest.mark.parametrize("attempts", [1, 2])
def test_an_error_of_the_execution_uses_up_the_attempts(attempts: int, tmp_path: Path) -> None:
    """As many as the settings allow, on whatever server; then the picture fails with the server's words."""
    with (
        Simulator(faults=["error%1"]) as one,
        Simulator(faults=["error%1"]) as other,
        opened(work(tmp_path, f"attempts = {attempts}"), one.url, other.url) as house,
    ):
        report = make(house, numbered(2))
        assert counts(report) == (0, 2, 0)
        assert {problem.code for problem in report.problems} == {"execution_error"}
        assert "mat1 and mat2" in report.problems[0].reason_en
        assert set(executed(one, other).values()) == {attempts}
        if attempts == ATTEMPTS:
            assert len(executed(one)) == len(executed(other)) == 2, "the second attempt is made elsewhere"


def test_somebody_who_presses_stop_costs_one_attempt(tmp_path: Path) -> None:
    """The picture is made by the next."""
    with Simulator(faults=["interrupted"]) as server, opened(work(tmp_path), server.url) as house:
        assert counts(make(house, numbered(2))) == (2, 0, 0)
        assert sorted(outcomes(house).values()) == [["done"], ["interrupted", "done"]]


# --- forgotten -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["restart#3", "restart=0.4#3", "die#2", "die=0.4#3"])
def test_a_restarted_server_makes_every_picture(fault: str, tmp_path: Path) -> None:
    """Queue and history are gone, between two pictures or in the middle of one: what was lost is made again."""
    with (
        Simulator(seconds=0.1, faults=[fault]) as server,
        opened(work(tmp_path, PATIENT), server.url) as house,
    ):
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert len(told(report)) == 1
        assert max(executed(server).values()) <= 2
        assert report.unavailable == ()
        check_stored(house, COUNT)


def test_a_picture_that_kills_its_server_is_given_up(tmp_path: Path) -> None:
    """Each time it is executed the server dies: after three times it is suspected, and blocked."""
    with Simulator(faults=["die%1"]) as server, opened(work(tmp_path, PATIENT), server.url) as house:
        report = make(house, numbered(2))
        assert counts(report) == (0, 2, 0)
        assert {problem.code for problem in report.problems} == {"lost"}
        assert told(report) == [(server.url, "restarted")]
        assert all(ends.count("lost") == MAX_LOST for ends in outcomes(house).values())
        # One more where the server died so soon that the reply to the prompt was lost with it.
        assert max(executed(server).values()) <= MAX_LOST + 1


def test_what_only_waited_on_a_server_that_dies_is_not_suspected(tmp_path: Path) -> None:
    """It was lost with the queue, however often: only what was being executed is counted."""
    with (
        Simulator(seconds=0.3, faults=["die#1", "die#2", "die#3"]) as server,
        opened(work(tmp_path, PATIENT), server.url) as house,
    ):
        report = make(house, goods("杀手", "二号"))
        assert counts(report) == (1, 1, 0)
        ends = outcomes(house)
        assert ends["杀手"] == ["lost"] * MAX_LOST
        assert set(ends["二号"]) == {"recalled", "done"}


def test_a_forgotten_picture_is_lost_and_made_again(tmp_path: Path) -> None:
    """Its history entry and its file have vanished."""
    with Simulator(faults=["forget"]) as server, opened(work(tmp_path, PATIENT), server.url) as house:
        assert counts(make(house, numbered(COUNT))) == (COUNT, 0, 0)
        assert max(executed(server).values()) == 2
        check_stored(house, COUNT)


def test_history_that_comes_late_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue is empty and the history does not know yet: that is no loss."""
    monkeypatch.setattr(watch, "QUEUE_CHECK_S", 0.6)
    with (
        Simulator(faults=["late-history=0.1%1"]) as server,
        opened(work(tmp_path), server.url) as house,
    ):
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert told(report) == []
        assert set(executed(server).values()) == {1}


# --- dead, stuck, slow ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("soon")
def test_a_dead_worker_alone_leaves_the_pictures_planned(tmp_path: Path) -> None:
    """It answers everything and executes nothing: told once; after its restart they are made."""
    with Simulator(faults=["dead-worker"]) as server, opened(work(tmp_path), server.url) as house:
        report = make(house, numbered(COUNT))
        assert counts(report) == (0, 0, COUNT)
        assert told(report) == [(server.url, "dead_worker")]
        assert [error.code for error in report.unavailable] == ["dead_worker"]
        assert requests.get(f"{server.url}/queue", timeout=5).json()["queue_pending"] == []
        server.restart()
        assert counts(make(house, numbered(COUNT))) == (COUNT, 0, 0)
        assert set(executed(server).values()) == {1}


@pytest.mark.usefixtures("soon")
def test_a_dead_worker_that_is_restarted_helps_again(helper: Simulator, tmp_path: Path) -> None:
    """The other server makes what waited there; the probation ends with the first picture."""
    with (
        Simulator(faults=["dead-worker"]) as dead,
        opened(work(tmp_path, PATIENT), dead.url, helper.url) as house,
        running(house, numbered(16)) as run,
    ):
        until(lambda: "recalled" in {end for ends in outcomes(house).values() for end in ends})
        assert dead.executions == []
        dead.restart()
        report = run.result(DEADLINE_S)
        assert counts(report) == (16, 0, 0)
        assert told(report) == [(dead.url, "dead_worker")]
        assert report.unavailable == ()
        assert dead.executions
        assert set(executed(dead, helper).values()) == {1}
        check_stored(house, 16)


def test_a_picture_without_steps_is_stopped(tmp_path: Path) -> None:
    """An interrupt ends it: one attempt, and the next picture need not wait."""
    with Simulator() as server, opened(work(tmp_path, "stall_s = 0.3", PATIENT), server.url) as house:
        report = make(house, goods("慢 [[slow:8]]", "二号"))
        assert counts(report) == (1, 1, 0)
        assert [problem.code for problem in report.problems] == ["timeout"]
        assert outcomes(house)["慢 [[slow:8]]"] == ["timeout"] * ATTEMPTS
        assert told(report) == []


def test_a_picture_that_makes_steps_may_take_any_time(tmp_path: Path) -> None:
    """Much longer than stall_s; its steps are heard."""
    settings = ("stall_s = 1.2", "job_timeout_s = 1.2")
    with Simulator() as server, opened(work(tmp_path, *settings), server.url) as house:
        report = make(house, goods("慢 [[slow:2.8]]"))
        assert counts(report) == (1, 0, 0)
        assert set(executed(server).values()) == {1}


def test_a_server_that_hangs_and_heeds_no_interrupt(
    helper: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets nothing as long as it hangs; its picture is made elsewhere; afterwards it helps again."""
    monkeypatch.setattr(watch, "STOP_S", 0.3)
    settings = ("stall_s = 0.4", PATIENT)
    with (
        Simulator(faults=["hang=3#1"]) as server,
        opened(work(tmp_path, *settings), server.url, helper.url) as house,
    ):
        report = make(house, numbered(30))
        assert counts(report) == (30, 0, 0)
        assert told(report) == [(server.url, "stuck")]
        assert report.unavailable == ()
        assert sorted(executed(server, helper).values()) == [1] * 29 + [2]
        ends = [ends for ends in outcomes(house).values() if "stuck" in ends]
        assert ends == [["stuck", "done"]]
        assert len(server.executions) > 1, "it came back"
        check_stored(house, 30)


def test_a_server_that_hangs_for_good_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends though the server answers: nothing is sent behind what it hangs in."""
    monkeypatch.setattr(watch, "STOP_S", 0.3)
    with (
        Simulator(faults=["hang#1"]) as server,
        opened(work(tmp_path, "stall_s = 0.4"), server.url) as house,
    ):
        report = make(house, numbered(3))
        assert counts(report) == (0, 0, 3)
        assert told(report) == [(server.url, "stuck")]
        assert [error.code for error in report.unavailable] == ["stuck"]
        assert len(server.executions) == 1
        server.restart()
        assert counts(make(house, numbered(3))) == (3, 0, 0)


def test_somebody_else_s_picture_that_hangs(helper: Simulator, tmp_path: Path) -> None:
    """Ours wait behind it no longer than job_timeout_s; another server makes them, and its owner's is left alone."""
    settings = ("job_timeout_s = 0.6", PATIENT)
    with Simulator() as server, opened(work(tmp_path, *settings), server.url, helper.url) as house:
        foreign = str(uuid.uuid4())
        body = {
            "prompt": graph_of("a foreign mug [[hang:60]]"),
            "prompt_id": foreign,
            "client_id": "somebody",
        }
        requests.post(f"{server.url}/prompt", json=body, timeout=5).raise_for_status()
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert told(report) == [(server.url, "stuck")]
        assert set(executed(helper).values()) == {1}
        running_now = requests.get(f"{server.url}/queue", timeout=5).json()["queue_running"]
        assert [item[1] for item in running_now] == [foreign]


# --- the server's disk ---------------------------------------------------------------------------------------


def test_a_full_disk_on_one_server(helper: Simulator, tmp_path: Path) -> None:
    """It is not given the rest to spoil; once there is room it helps again."""
    with (
        Simulator(faults=["disk-full:3"]) as server,
        opened(work(tmp_path, PATIENT), server.url, helper.url) as house,
    ):
        report = make(house, numbered(16))
        assert counts(report) == (16, 0, 0)
        assert told(report) == [(server.url, "cannot_save")]
        assert report.unavailable == ()
        assert executed(server, helper).total() <= 16 + 3
        assert any(execution.completed for execution in server.timeline)
        check_stored(house, 16)


def test_a_full_disk_on_the_only_server(tmp_path: Path) -> None:
    """Nothing fails for it: the pictures wait for somebody to make room."""
    with Simulator(faults=["disk-full%1"]) as server, opened(work(tmp_path), server.url) as house:
        report = make(house, numbered(COUNT))
        assert counts(report) == (0, 0, COUNT)
        assert told(report) == [(server.url, "cannot_save")]
        assert [error.code for error in report.unavailable] == ["cannot_save"]
        server.behave()
        assert counts(make(house, numbered(COUNT))) == (COUNT, 0, 0)
        check_stored(house, COUNT)


# --- what a server lacks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("lack", ["missing-node=KSampler", f"missing-model={MODEL}"])
def test_a_server_that_lacks_something_is_not_used_for_that(
    lack: str, helper: Simulator, tmp_path: Path
) -> None:
    """It is known before anything is sent; the others make the pictures."""
    with Simulator(faults=[lack]) as server, opened(work(tmp_path), server.url, helper.url) as house:
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert told(report) == [(server.url, "server_lacks")]
        assert "z_image_turbo" in report.incidents[0].message_en
        assert server.executions == []
        assert report.jobs_submitted == COUNT


@pytest.mark.parametrize(
    ("lack", "version"),
    [
        ("missing-node=KSampler", "0.33.0"),
        ("missing-node=KSampler", "0.3.75"),
        (f"missing-model={MODEL}", "0.33.0"),
    ],
)
def test_a_model_that_is_deleted_during_a_run(
    lack: str, version: str, helper: Simulator, tmp_path: Path
) -> None:
    """The first refusal is enough; it costs no attempt."""
    with (
        Simulator(version=version) as server,
        opened(work(tmp_path), server.url, helper.url) as house,
        running(house, numbered(16)) as run,
    ):
        until(lambda: len(server.executions) > 2)
        server.misbehave(lack)
        report = run.result(DEADLINE_S)
        assert counts(report) == (16, 0, 0)
        assert told(report) == [(server.url, "server_lacks")]
        assert set(executed(server, helper).values()) == {1}
        refused = [ends for ends in outcomes(house).values() if "server_lacks" in ends]
        assert len(refused) == 1


def test_a_model_that_nobody_has_any_more(tmp_path: Path) -> None:
    """The pictures fail and say which file; nothing was executed for them."""
    with Simulator() as server, opened(work(tmp_path), server.url) as house:
        found = house.fleet.backends

        def backends(pictures: Any) -> Any:
            servers = found(pictures)
            server.misbehave(f"missing-model={MODEL}")
            return servers

        house.fleet.backends = backends  # type: ignore[method-assign]  # at the moment in between
        report = make(house, numbered(2))
        assert counts(report) == (0, 2, 0)
        assert {problem.code for problem in report.problems} == {"server_lacks"}
        assert MODEL in report.problems[0].reason_en
        assert server.executions == []


def test_the_one_server_that_has_the_model_is_away(tmp_path: Path) -> None:
    """Pictures that only it can make wait for it; they do not fail, and the run is not refused."""
    able = Simulator()
    able.start()
    able.stop()
    with Simulator(faults=[f"missing-model={MODEL}"]) as server:
        with opened(work(tmp_path), server.url, able.url) as house:
            report = make(house, numbered(2))
            assert counts(report) == (0, 0, 2)
            assert sorted(told(report)) == sorted([(server.url, "server_lacks"), (able.url, "refused")])
            assert [error.code for error in report.unavailable] == ["refused"]
        able.start()
        try:
            with opened(tmp_path, server.url, able.url) as house:
                assert counts(make(house, numbered(2))) == (2, 0, 0)
        finally:
            able.stop()


def test_a_picture_that_waits_on_a_server_which_lost_the_model(helper: Simulator, tmp_path: Path) -> None:
    """Sent there by an earlier run that was cut off: another server makes it."""
    with Simulator(faults=["reset%1"]) as server:
        with opened(work(tmp_path), server.url) as house:
            assert counts(make(house, numbered(1))) == (0, 0, 1)
            assert [attempt.server for attempt in house.services.ledger.standing()] == [server.url]
        server.behave()
        server.misbehave(f"missing-model={MODEL}")
        with opened(tmp_path, server.url, helper.url) as house:
            assert counts(make(house, numbered(1))) == (1, 0, 0)
            assert outcomes(house) == {"耳机1号": ["abandoned", "done"]}
            assert len(helper.executions) == 1
