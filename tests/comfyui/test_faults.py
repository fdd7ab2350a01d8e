"""Faults of a real server, of its disk and of the way there: the same outcomes as on the simulator."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
import websocket

from catalog_imagegen.adapters.comfyui import client, listener, watch
from catalog_imagegen.adapters.comfyui.backend import ComfyUIBackend
from catalog_imagegen.bootstrap import servers
from catalog_imagegen.domain.errors import BackendUnavailable
from catalog_imagegen.domain.failure import Failure, FailureCode
from catalog_imagegen.pipeline import policy
from catalog_imagegen.simulator import Simulator
from tests.comfyui.peer import ComfyUI, Peer
from tests.comfyui.proxy import FaultyProxy
from tests.contracts.backends import JOB, fresh, graph_of
from tests.fakes import graph_key
from tests.servers import self_signed
from tests.workroom import (
    DEADLINE_S,
    check_stored,
    counts,
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

pytestmark = [
    pytest.mark.xdist_group("comfyui faults"),  # they share two servers
    pytest.mark.skipif("COMFYUI_URL" in os.environ, reason="a server that is not ours may not be broken"),
]
ATTEMPTS = 2
COUNT = 4
PATIENT = "patience_s = 60"
MODEL = "diffusion_models/z_image_turbo_bf16.safetensors"
FOR_LONG_S = 3600


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing takes longer than it must."""
    hurry(monkeypatch)


@pytest.fixture(scope="module")
def breakable(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyUI]:
    """The one that is broken."""
    with ComfyUI(tmp_path_factory.mktemp("broken"), seconds=0.1, peer=peer) as server:
        yield server


@pytest.fixture
def server(breakable: ComfyUI) -> ComfyUI:
    """The same, running again if an earlier test left it dead, and without memories."""
    breakable.start()
    forget(breakable.url)
    return breakable


@pytest.fixture(scope="module")
def other(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyUI]:
    """Another server."""
    with ComfyUI(tmp_path_factory.mktemp("helper"), seconds=0.3, peer=peer) as server:
        yield server


@pytest.fixture
def helper(other: ComfyUI) -> ComfyUI:
    """One that does nothing wrong; it is slow, so that the first gets its share."""
    forget(other.url)
    return other


@pytest.fixture
def proxy(server: ComfyUI) -> Iterator[FaultyProxy]:
    """A network before the server that fails when told so."""
    with FaultyProxy(server.url) as proxy:
        yield proxy


def history(url: str) -> dict[str, dict[str, Any]]:
    """Every execution that a server remembers."""
    found: dict[str, dict[str, Any]] = requests.get(f"{url}/history", timeout=DEADLINE_S).json()
    return found


def queue(url: str) -> tuple[list[str], list[str]]:
    """The ids that run and that wait."""
    answer = requests.get(f"{url}/queue", timeout=DEADLINE_S).json()
    return [item[1] for item in answer["queue_running"]], [item[1] for item in answer["queue_pending"]]


def sampled(*urls: str) -> Counter[str]:
    """Graph → how often the servers sampled it, as far as they remember; what came from a cache does not count."""
    found: Counter[str] = Counter()
    for url in urls:
        for entry in history(url).values():
            graph = entry["prompt"][2]
            cached = dict(entry["status"]["messages"])["execution_cached"]["nodes"]
            for node, body in graph.items():
                if body["class_type"] == "KSampler":
                    found[graph_key(graph)] += node not in cached
    return found


def forget(url: str) -> None:
    """Clear a server's history and its cache."""
    for route, body in (("history", {"clear": True}), ("free", {"unload_models": True, "free_memory": True})):
        requests.post(f"{url}/{route}", json=body, timeout=DEADLINE_S).raise_for_status()


def submit(url: str, text: str, **more: Any) -> str:
    """Somebody else's prompt."""
    prompt_id = str(uuid.uuid4())
    body = {"prompt": graph_of(fresh(text)), "prompt_id": prompt_id, "client_id": "somebody else"} | more
    requests.post(f"{url}/prompt", json=body, timeout=DEADLINE_S).raise_for_status()
    return prompt_id


# --- the way there -------------------------------------------------------------------------------------------


def test_what_passes_within_seconds_is_waited_out(
    server: ComfyUI, proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost replies and a proxy's 502 cost no second execution, and nobody is told."""
    monkeypatch.setattr(servers, "PATIENCE_S", 5)
    for path, method in (("/prompt", "POST"), ("/history", "GET"), ("/view", "GET"), ("/queue", "GET")):
        proxy.lose_next_reply(path, method)
    proxy.answer_instead(502, b"<html>Bad Gateway</html>", times=1, content_type="text/html")
    with opened(work(tmp_path), proxy.url) as house:
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert told(report) == []
        assert proxy.prompts_forwarded == COUNT
        assert set(sampled(server.url).values()) == {1}
        check_stored(house, COUNT)


@pytest.mark.parametrize(("status", "code"), [(500, "server_error"), (403, "forbidden")])
def test_what_stays_leaves_the_pictures_to_a_later_run(
    status: int, code: str, server: ComfyUI, proxy: FaultyProxy, tmp_path: Path
) -> None:
    """One incident; nothing has failed; once the way is free, a run makes everything."""
    proxy.answer_instead(status, b"no")
    with opened(work(tmp_path), proxy.url) as house:
        report = make(house, numbered(2))
        assert counts(report) == (0, 0, 2)
        assert told(report) == [(proxy.url, code)]
        assert [error.code for error in report.unavailable] == [code]
        proxy.behave()
        assert counts(make(house, numbered(2))) == (2, 0, 0)
        assert set(sampled(server.url).values()) == {1}


def test_a_server_that_is_stopped_in_its_tracks(
    server: ComfyUI, helper: ComfyUI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGSTOP: it takes connections and says nothing. The other goes on; awake again, it helps."""
    monkeypatch.setattr(client, "TIMEOUT", urllib3.Timeout(connect=1, read=0.5))
    with (
        opened(work(tmp_path, PATIENT), server.url, helper.url) as house,
        running(house, numbered(16)) as run,
    ):
        until(lambda: history(server.url))
        assert server.pid
        os.kill(server.pid, signal.SIGSTOP)
        try:
            until(lambda: len(history(helper.url)) > 4)
        finally:
            os.kill(server.pid, signal.SIGCONT)
        report = run.result(DEADLINE_S)
        assert counts(report) == (16, 0, 0)
        assert told(report) == [(server.url, "no_answer")]
        assert set(sampled(server.url, helper.url).values()) == {1}
        check_stored(house, 16)


def test_https_and_a_password(server: ComfyUI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate of one's own and a secret from the environment, for requests and for the websocket."""
    certificate = self_signed(tmp_path)
    monkeypatch.setenv("GPU_TOKEN", "geheim")
    with FaultyProxy(server.url, tls=certificate.context) as proxy:
        proxy.require("Authorization", "Bearer geheim")
        lines = (f'[[comfyui]]\nurl = "{proxy.url}"', f'ca_file = "{certificate.file}"')
        secret = 'headers = { Authorization = "Bearer ${GPU_TOKEN}" }'
        with opened(work(tmp_path / "shop", *lines, secret)) as house:
            report = make(house, goods("一号 [[slow:1]]", "二号"))
            assert counts(report) == (2, 0, 0)
            assert told(report) == []
            [backend] = house.fleet.all()
            assert backend._listener.socket, "the websocket is open"
        for without in (lines[:1], lines):
            with pytest.raises(BackendUnavailable), opened(work(tmp_path / "shop", *without)) as house:
                house.fleet.all()


def test_a_request_that_looks_like_another_site_s(server: ComfyUI, helper: ComfyUI, tmp_path: Path) -> None:
    """ComfyUI's own 403, for a header that a setting adds; the other server makes the pictures."""
    table = f'[[comfyui]]\nurl = "{server.url}"\nheaders = {{ Origin = "http://shop.example" }}'
    with opened(work(tmp_path, table), server.url, helper.url) as house:
        report = make(house, numbered(2))
        assert counts(report) == (2, 0, 0)
        assert told(report) == [(server.url, "forbidden")]
        assert history(server.url) == {}


def test_a_server_that_is_away_at_first_helps_when_it_comes(
    server: ComfyUI, helper: ComfyUI, proxy: FaultyProxy, tmp_path: Path
) -> None:
    """It is looked at again and again, and makes its share."""
    proxy.refuse()
    with (
        opened(work(tmp_path, PATIENT), proxy.url, helper.url) as house,
        running(house, numbered(12)) as run,
    ):
        until(lambda: history(helper.url))
        proxy.accept()
        report = run.result(DEADLINE_S)
        assert counts(report) == (12, 0, 0)
        assert told(report) == [(proxy.url, "reset")]
        assert report.unavailable == ()
        assert history(server.url)
        assert set(sampled(server.url, helper.url).values()) == {1}


# --- refused -------------------------------------------------------------------------------------------------


def test_a_workflow_with_one_bad_output_runs_not_at_all(server: ComfyUI) -> None:
    """The server accepts it with 200 and node_errors, and would leave that output out: it is taken back."""
    graph = graph_of(fresh("a mug [[slow:5]]"))
    graph["900"] = {"class_type": "SaveImage", "inputs": {"images": ["8888", 0], "filename_prefix": "bad"}}
    backend = ComfyUIBackend(server.url)
    try:
        failure = backend.submit(str(uuid.uuid4()), graph, JOB)
    finally:
        backend.close()
    assert isinstance(failure, Failure)
    assert failure.code == "rejected"
    until(lambda: queue(server.url) == ([], []))
    assert all(
        "execution_success" not in json.dumps(entry["status"]) for entry in history(server.url).values()
    )


@pytest.mark.parametrize(("status", "code"), [(400, "rejected"), (413, "too_large")])
def test_a_refused_picture_is_not_sent_again(
    status: int, code: FailureCode, proxy: FaultyProxy, tmp_path: Path
) -> None:
    """A person must act; the others are made."""
    proxy.answer_instead(status, b"no", times=1)
    with opened(work(tmp_path), proxy.url) as house:
        report = make(house, numbered(3))
        assert counts(report) == (2, 1, 0)
        assert [problem.code for problem in report.problems] == [code]
        assert proxy.prompts_forwarded == 2


# --- forgotten, dead, stuck, slow ----------------------------------------------------------------------------


def test_a_picture_that_kills_its_server_is_given_up(
    server: ComfyUI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a picture, as a crash of the driver does; what waited behind it is made.

    A server may die before it says that it took the picture; then that is sent once more, after the others.
    """
    monkeypatch.setattr(policy, "MAX_LOST", 1)
    with (
        opened(work(tmp_path, PATIENT), server.url) as house,
        running(house, goods("杀手 [[exit]]", "二号", "三号")) as run,
    ):
        server.wait_for_exit(DEADLINE_S)

        def is_done() -> bool:
            server.start()  # unless it runs
            return run.done()

        until(is_done)
        report = run.result()
        assert counts(report) == (2, 1, 0)
        assert [problem.code for problem in report.problems] == ["lost"]
        assert outcomes(house)["杀手 [[exit]]"] == ["lost"]
        assert len(set(told(report))) == 1
        assert report.unavailable == ()
        assert set(sampled(server.url).values()) <= {1}


def test_a_picture_that_hangs_wherever_it_is_made(
    server: ComfyUI, helper: ComfyUI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No interrupt ends it, so each server is left alone meanwhile; after three times it is given up."""
    monkeypatch.setattr(watch, "STOP_S", 0.3)
    with opened(
        work(tmp_path, "stall_s = 0.5", "job_timeout_s = 1", PATIENT), server.url, helper.url
    ) as house:
        report = make(house, goods("卡 [[hang:2]]", "二号", "三号"))
        assert counts(report) == (2, 1, 0)
        assert [problem.code for problem in report.problems] == ["stuck"]
        assert outcomes(house)["卡 [[hang:2]]"] == ["stuck"] * policy.MAX_LOST
        assert sorted(told(report)) == sorted([(server.url, "stuck"), (helper.url, "stuck")])
        check_stored(house, 2)


def test_somebody_else_s_picture_that_hangs(server: ComfyUI, helper: ComfyUI, tmp_path: Path) -> None:
    """Ours wait behind it no longer than job_timeout_s, and it is left alone."""
    foreign = submit(server.url, "a foreign mug [[hang:8]]")
    with opened(work(tmp_path, "job_timeout_s = 2.5", PATIENT), server.url, helper.url) as house:
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert told(report) == [(server.url, "stuck")]
    until(lambda: foreign in history(server.url))
    assert history(server.url)[foreign]["status"]["status_str"] == "success"


def test_a_picture_without_steps_is_stopped_and_one_with_steps_is_not(
    server: ComfyUI, tmp_path: Path
) -> None:
    """Eight steps of 0.25 seconds each, or of two, where a step may take 0.8."""
    with opened(work(tmp_path, "stall_s = 0.8", PATIENT), server.url) as house:
        report = make(house, goods("久 [[slow:2]]", "慢 [[slow:16]]"))
        assert counts(report) == (1, 1, 0)
        assert outcomes(house) == {"久 [[slow:2]]": ["done"], "慢 [[slow:16]]": ["timeout"] * ATTEMPTS}
        assert told(report) == []


# --- its disk, its models ------------------------------------------------------------------------------------


@contextmanager
def full(folder: Path) -> Iterator[Path]:
    """The folder on a disk without room."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("no disk can be mounted here")
    try:
        with (folder / "ballast").open("wb", buffering=0) as file:
            file.write(bytes(64 * 1024))
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk(server: ComfyUI, helper: ComfyUI, tmp_path: Path) -> None:
    """It is told once, the other makes the pictures; when there is room again, it helps."""
    output = server.base / "output"
    output.mkdir(exist_ok=True)
    with (
        full(output) as disk,
        opened(work(tmp_path, PATIENT), server.url, helper.url) as house,
        running(house, numbered(16)) as run,
    ):
        until(lambda: "cannot_save" in {end for ends in outcomes(house).values() for end in ends})
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        report = run.result(DEADLINE_S)
        assert counts(report) == (16, 0, 0)
        assert told(report) == [(server.url, "cannot_save")]
        assert report.unavailable == ()
        check_stored(house, 16)


def test_an_output_folder_that_is_none(server: ComfyUI, tmp_path: Path) -> None:
    """Alone with such a server, nothing fails: the pictures wait for somebody to mend it."""
    output = server.base / "output"
    shutil.rmtree(output, ignore_errors=True)
    output.write_text("in the way")
    try:
        with opened(work(tmp_path), server.url) as house:
            report = make(house, numbered(2))
            assert counts(report) == (0, 0, 2)
            assert told(report) == [(server.url, "cannot_save")]
            output.unlink()
            assert counts(make(house, numbered(2))) == (2, 0, 0)
    finally:
        if output.is_file():
            output.unlink()


def test_a_model_that_is_deleted_during_a_run(server: ComfyUI, helper: ComfyUI, tmp_path: Path) -> None:
    """The first refusal is enough; it costs no attempt, and the other server makes the rest."""
    model = server.base / "models" / MODEL
    try:
        with (
            opened(work(tmp_path, PATIENT), server.url, helper.url) as house,
            running(house, numbered(10)) as run,
        ):
            until(lambda: history(server.url))
            model.unlink()
            report = run.result(DEADLINE_S)
            assert counts(report) == (10, 0, 0)
            assert told(report) == [(server.url, "server_lacks")]
            assert set(sampled(server.url, helper.url).values()) == {1}
        with opened(tmp_path, server.url, helper.url) as house:
            report = make(house, numbered(2, "杯子"))
            assert counts(report) == (2, 0, 0)
            assert told(report) == [(server.url, "server_lacks")]
    finally:
        model.touch()


# --- pictures ------------------------------------------------------------------------------------------------


def test_each_spoilt_picture_fails_for_its_own_reason(
    server: ComfyUI, helper: ComfyUI, tmp_path: Path
) -> None:
    """Twice each, once on each server; none of them is kept, and the good ones are made."""
    names = {
        "一 [[black]]": "black",
        "二 [[noise]]": "noise",
        "三 [[uniform]]": "uniform",
        "四 [[small]]": "wrong_size",
        "五 [[no-image]]": "no_picture",
        "六 [[error]]": "execution_error",
    }
    with opened(work(tmp_path, PATIENT), server.url, helper.url) as house:
        report = make(house, goods(*names, "七"))
        assert counts(report) == (1, len(names), 0)
        assert outcomes(house) == {name: [code] * ATTEMPTS for name, code in names.items()} | {"七": ["done"]}
        assert len(history(server.url)) >= len(names) <= len(history(helper.url))
        check_stored(house, 1)
        assert make(house, goods(*names, "七")).jobs_submitted == 0


def test_memory_is_looked_for_on_the_larger_card(
    server: ComfyUI, helper: ComfyUI, proxy: FaultyProxy, tmp_path: Path
) -> None:
    """Twice on the small one, which is told to unload, then twice on the large one; then it fails."""

    def small(body: bytes) -> bytes:
        stats = json.loads(body)
        stats["devices"][0]["vram_total"] = 12_000_000_000
        return json.dumps(stats).encode()

    proxy.spoil(small, path="/system_stats")
    with opened(work(tmp_path, PATIENT), proxy.url, helper.url) as house:
        report = make(house, goods("一 [[oom]]", "二 [[oom-once]]"))
        assert counts(report) == (1, 1, 0)
        assert report.problems[0].code == "out_of_memory"
        ladder = [each.server for each in house.services.ledger.attempts() if each.outcome == "out_of_memory"]
        assert set(ladder) == {proxy.url, helper.url}
        assert {code for _, code in told(report)} == {"out_of_memory"}
        assert outcomes(house)["二 [[oom-once]]"] == ["out_of_memory", "done"]
        assert server.pid


def test_copies_that_are_damaged_are_fetched_again(
    server: ComfyUI, proxy: FaultyProxy, tmp_path: Path
) -> None:
    """Half a file, a login page, one that dribbles in: the picture on the server is good."""
    proxy.spoil(lambda body: body[: len(body) // 2], times=1)
    proxy.answer_instead(
        200, b"<p>Please log in</p>", path="/view", method="GET", times=1, content_type="text/html"
    )
    proxy.drip_next("/view", 0.5)
    with opened(work(tmp_path), proxy.url) as house:
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert told(report) == []
        assert set(sampled(server.url).values()) == {1}
        check_stored(house, COUNT)


def test_a_picture_whose_file_is_deleted(server: ComfyUI, proxy: FaultyProxy, tmp_path: Path) -> None:
    """Between its end and its download: it is made again, and the server may not answer from its cache."""
    held: list[bytes] = []

    def delete(body: bytes) -> bytes:
        """The history's answer names the file: it is gone before anybody fetches it."""
        if b'"filename"' in body and not held:
            held.append(body)
            shutil.rmtree(server.base / "output")
        return body

    proxy.spoil(delete, path="/history/")
    with opened(work(tmp_path), proxy.url) as house:
        report = make(house, numbered(1))
        assert counts(report) == (1, 0, 0)
        assert outcomes(house) == {"耳机1号": ["file_gone", "done"]}
        assert set(sampled(server.url).values()) == {2}
        check_stored(house, 1)


def test_a_file_that_was_deleted_and_comes_from_the_cache(
    server: ComfyUI, proxy: FaultyProxy, tmp_path: Path
) -> None:
    """The same prompt again is a success that names the file that is gone: it is made afresh, once."""

    def lose(body: bytes) -> bytes:
        """The first time it is fetched, the connection breaks off, and file and history are gone."""
        if proxy.prompts_forwarded == 1:
            shutil.rmtree(server.base / "output", ignore_errors=True)
            requests.post(f"{server.url}/history", json={"clear": True}, timeout=DEADLINE_S)
            raise EOFError
        return body

    proxy.spoil(lose)
    with opened(work(tmp_path, PATIENT), proxy.url) as house:
        assert counts(make(house, numbered(1))) == (1, 0, 0)
        assert outcomes(house) == {"耳机1号": ["file_gone", "done"]}
        assert sum(sampled(server.url).values()) == 1, "the second time it came from the cache"


# --- events and clocks ---------------------------------------------------------------------------------------


def absent(proxy: FaultyProxy) -> None:
    """There is no websocket."""
    proxy.answer_instead(404, path="/ws", method="GET")


@pytest.mark.parametrize("break_ear", [FaultyProxy.hold_events, absent])
def test_a_websocket_that_tells_nothing(
    break_ear: Callable[[FaultyProxy], None],
    server: ComfyUI,
    proxy: FaultyProxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every picture is found by asking, also one that takes longer than stall_s; it is told once."""
    monkeypatch.setattr(listener, "DEAF_AFTER_S", 0.5)
    break_ear(proxy)
    with opened(work(tmp_path, "stall_s = 0.5", "job_timeout_s = 60"), proxy.url) as house:
        report = make(house, goods("一号 [[slow:1.5]]", *(f"{number}号" for number in range(2, 9))))
        assert counts(report) == (8, 0, 0)
        assert told(report) == [(proxy.url, "deaf")]
        assert set(sampled(server.url).values()) == {1}


def test_a_websocket_that_is_held_up_in_the_middle(
    server: ComfyUI, proxy: FaultyProxy, tmp_path: Path
) -> None:
    """What ends meanwhile is found by asking; nothing is made twice when the events come after all."""
    with opened(work(tmp_path), proxy.url) as house, running(house, numbered(12)) as run:
        until(lambda: len(history(server.url)) > 2)
        proxy.hold_events()
        until(lambda: len(history(server.url)) > 8)
        proxy.release_events()
        report = run.result(DEADLINE_S)
        assert counts(report) == (12, 0, 0)
        assert set(sampled(server.url).values()) == {1}
        check_stored(house, 12)


def test_a_websocket_that_somebody_took_over(
    server: ComfyUI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second socket with the same id makes the first deaf for good: ComfyUI's own bug."""
    monkeypatch.setattr(listener, "DEAF_AFTER_S", 0.5)
    with opened(work(tmp_path), server.url) as house, running(house, numbered(16)) as run:
        until(lambda: history(server.url))
        [backend] = house.fleet.all()
        address = server.url.replace("http", "ws", 1)
        thief = websocket.create_connection(f"{address}/ws?clientId={backend._listener.client_id}", timeout=5)
        thief.recv()
        thief.close()
        report = run.result(DEADLINE_S)
        assert counts(report) == (16, 0, 0)
        assert told(report) == [(server.url, "deaf")]
        assert set(sampled(server.url).values()) == {1}


def test_a_clock_that_jumps(proxy: FaultyProxy, tmp_path: Path) -> None:
    """A success an hour before its start: the picture counts, the time does not."""

    def jump(body: bytes) -> bytes:
        answer = json.loads(body)
        for entry in answer.values():
            for name, data in entry["status"]["messages"]:
                if name == "execution_success":
                    data["timestamp"] -= FOR_LONG_S * 1000
        return json.dumps(answer).encode()

    proxy.spoil(jump, path="/history/")
    with opened(work(tmp_path), proxy.url) as house:
        report = make(house, numbered(3))
        assert counts(report) == (3, 0, 0)
        assert told(report) == []
        assert report.mean_seconds is None
        assert house.services.ledger.speeds() == {}


# --- the end of the server: nothing may come after these -------------------------------------------------------


def test_a_dead_worker_is_told_and_gets_nothing(
    server: ComfyUI, helper: ComfyUI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three prompts of one number and one id kill its thread: from then on it answers and executes nothing."""
    monkeypatch.setattr(watch, "DEAD_AFTER_S", 0.5)
    holding = submit(server.url, "a foreign mug [[slow:0.5]]")
    body = {"prompt": graph_of(fresh("a mug")), "prompt_id": str(uuid.uuid4()), "number": 1000.0}
    for _ in range(3):
        requests.post(f"{server.url}/prompt", json=body, timeout=DEADLINE_S)
    until(lambda: holding in history(server.url))
    with opened(work(tmp_path, PATIENT), server.url, helper.url) as house:
        report = make(house, numbered(8))
        assert counts(report) == (8, 0, 0)
        assert told(report) == [(server.url, "dead_worker")]
        assert "restart ComfyUI" in report.incidents[0].message_en
        assert set(sampled(helper.url).values()) == {1}
        assert set(queue(server.url)[1]) == {body["prompt_id"]}


def test_a_simulator_in_the_place_of_the_server(breakable: ComfyUI, tmp_path: Path) -> None:
    """On the same port, a moment after the server died: it gets nothing, and the pictures wait for the server."""
    with (
        opened(work(tmp_path), breakable.url) as house,
        running(house, goods("一号 [[slow:9]]", "二号")) as run,
    ):
        until(lambda: any(queue(breakable.url)))
        breakable.kill()
        with Simulator(port=breakable.port) as simulator:
            report = run.result(DEADLINE_S)
            assert simulator.executions == []
        assert counts(report) == (0, 0, 2)
        assert len(told(report)) == 1
        check_stored(house, 0)
