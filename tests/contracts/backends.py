"""What every RenderBackend promises, and what one for ComfyUI promises besides.

A test module derives from these classes and provides the fixtures that they leave open.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from catalog_imagegen.adapters.comfyui.backend import ComfyUIBackend
from catalog_imagegen.bootstrap import Servers, init_workspace, open_house
from catalog_imagegen.config import Workspace
from catalog_imagegen.domain.errors import BackendUnavailable
from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.fingerprint import digest
from catalog_imagegen.domain.imaging import Wanted
from catalog_imagegen.domain.job import Finished
from catalog_imagegen.pipeline.ports import RenderBackend
from catalog_imagegen.pipeline.produce import produce
from catalog_imagegen.pipeline.workshop import Made, Workshop
from catalog_imagegen.stages.quality import judge
from tests.comfyui.peer import free_port
from tests.comfyui.proxy import FaultyProxy
from tests.fakes import picture

DEADLINE_S = 30
PATIENCE_S = 0.5
MISSING_NODE = "NodeThatNobodyHas"
MISSING_MODEL = "model_that_nobody_has.safetensors"
listens_to_triggers = pytest.mark.usefixtures("triggers")
JOB = {"sku": "MUG-1", "name": "搪瓷杯", "role": "main", "item": "正面"}


@dataclass(frozen=True, slots=True)
class Subject:
    """A backend under test and what tests need to do to its server."""

    backend: RenderBackend
    forget: Callable[[str], None]
    """Make the server forget a finished prompt."""
    away: RenderBackend
    """The same kind of backend, of a server that is not there, with ``PATIENCE_S``."""


@dataclass(frozen=True, slots=True)
class Restartable:
    """A server of the test's own."""

    url: str
    restart: Callable[[], None]
    """Pull the plug and start it again: queue and history are gone."""


def until(found: Callable[[], Any], *, deadline_s: float = DEADLINE_S) -> Any:
    """Look again and again until *found* gives something true."""
    end = time.monotonic() + deadline_s
    while not (result := found()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)
    return result


def ended(backend: RenderBackend, prompt_id: str) -> Finished | Failure:
    """Wait for how a prompt ends."""
    found = until(lambda: backend.next_ended([prompt_id], timeout_s=0.5))
    assert found.prompt_id == prompt_id
    result: Finished | Failure = found.result
    return result


def graph_of(wanted: Wanted) -> dict[str, Any]:
    """The graph with a file name of its own, as a job has it."""
    node, name = wanted.prefix_at
    body = wanted.graph[node]
    inputs = {**body["inputs"], name: f"contract/{uuid.uuid4()}"}
    return {**wanted.graph, node: {**body, "inputs": inputs}}


def send(backend: RenderBackend, wanted: Wanted) -> str:
    """Submit a picture that must be accepted; returns the id."""
    accepted = backend.submit(str(uuid.uuid4()), graph_of(wanted), JOB)
    assert isinstance(accepted, str), accepted
    return accepted


def ending(backend: RenderBackend, wanted: Wanted) -> Finished | Failure:
    """Submit a picture and wait for how it ends."""
    return ended(backend, send(backend, wanted))


def render(backend: RenderBackend, wanted: Wanted) -> bytes:
    """Submit, wait, fetch: the bytes of a picture that must succeed."""
    result = ending(backend, wanted)
    assert isinstance(result, Finished), result
    content = backend.fetch(result.file)
    assert isinstance(content, bytes), content
    return content


def fresh(text: str, *, order: int = 0) -> Wanted:
    """A picture that nobody has rendered before."""
    return picture(f"{text} {uuid.uuid4()}", order=order)


class RenderBackendContract:
    """What the pipeline relies on, whatever renders."""

    @pytest.fixture
    def subject(self) -> Subject | Iterator[Subject]:
        """The backend under test."""
        raise NotImplementedError

    @pytest.fixture
    def triggers(self) -> None:
        """Asked for by tests whose prompts tell the server to fail; skips where the server will not listen."""

    def test_a_graph_becomes_a_picture_of_the_asked_size(self, subject: Subject) -> None:
        """Submit, wait and fetch give bytes that decode and show something."""
        wanted = fresh("a white mug")
        judgement = judge(render(subject.backend, wanted), width=wanted.width, height=wanted.height)
        assert judgement.defect is None, judgement.message

    def test_a_prompt_is_known_while_it_waits_runs_and_is_done(self, subject: Subject) -> None:
        """A rerun may ask at any time and must never be told to pay again."""
        backend = subject.backend
        prompt_ids = [send(backend, fresh("a mug [[slow:0.3]]")) for _ in range(3)]
        assert [backend.knows(prompt_id) for prompt_id in prompt_ids] == [True] * 3
        for prompt_id in prompt_ids:
            assert isinstance(ended(backend, prompt_id), Finished)
        assert [backend.knows(prompt_id) for prompt_id in prompt_ids] == [True] * 3

    def test_a_prompt_that_was_never_sent_is_not_known(self, subject: Subject) -> None:
        """Only then may it be sent."""
        assert not subject.backend.knows(str(uuid.uuid4()))

    @listens_to_triggers
    @pytest.mark.parametrize(
        ("trigger", "code"), [("[[error]]", "execution_error"), ("[[oom]]", "out_of_memory")]
    )
    def test_a_failed_execution_says_which(self, subject: Subject, trigger: str, code: str) -> None:
        """The two differ in what helps: only memory can be freed."""
        result = ending(subject.backend, fresh(f"a mug {trigger}"))
        assert isinstance(result, Failure)
        assert result.code == code

    @listens_to_triggers
    def test_a_black_picture_arrives_as_it_is(self, subject: Subject) -> None:
        """The server calls it a success; the pixels are for the quality gate."""
        wanted = fresh("a mug [[black]]")
        content = render(subject.backend, wanted)
        assert judge(content, width=wanted.width, height=wanted.height).defect == "black"

    def test_nothing_is_lacking_for_a_shipped_workflow(self, subject: Subject) -> None:
        """Else every run would stop at its beginning."""
        assert subject.backend.lacks(fresh("a mug").graph) == []

    @pytest.mark.parametrize("name", [MISSING_NODE, MISSING_MODEL])
    def test_what_a_server_lacks_is_named_and_refused(self, subject: Subject, name: str) -> None:
        """Before anything is rendered, and again should somebody submit it anyway."""
        graph = _with_missing(graph_of(fresh("a mug")), name)
        problems = subject.backend.lacks(graph)
        assert len(problems) == 1
        assert name in problems[0]
        refused = subject.backend.submit(str(uuid.uuid4()), graph, JOB)
        assert isinstance(refused, Failure)
        assert refused.code == "server_lacks"

    def test_looking_in_vain_leaves_the_prompt_alone(self, subject: Subject) -> None:
        """What was sent stays on the server; the next look, or the next run, finds it."""
        prompt_id = send(subject.backend, fresh("a mug [[slow:0.3]]"))
        found = subject.backend.next_ended([prompt_id], timeout_s=0)
        assert subject.backend.knows(prompt_id)
        assert found or isinstance(ended(subject.backend, prompt_id), Finished)

    def test_whichever_ends_is_found(self, subject: Subject) -> None:
        """In whatever order; each once."""
        left = [send(subject.backend, fresh("a mug", order=n)) for n in range(3)]
        while left:
            found = until(lambda: subject.backend.next_ended(left, timeout_s=0.5))
            assert isinstance(found.result, Finished)
            left.remove(found.prompt_id)

    def test_what_has_ended_cannot_be_taken_back(self, subject: Subject) -> None:
        """Its picture is there to be fetched."""
        prompt_id = send(subject.backend, fresh("a mug"))
        assert isinstance(ended(subject.backend, prompt_id), Finished)
        assert subject.backend.withdraw([prompt_id], running_too=True) == set()
        assert subject.backend.knows(prompt_id)

    def test_input_pictures_keep_their_name(self, subject: Subject) -> None:
        """A name made of the bytes is free, or has these bytes; the second time nothing is sent."""
        content = f"photo {uuid.uuid4()}".encode()
        name = f"{digest(content)}.png"
        assert subject.backend.provide(name, lambda: content) == name
        assert subject.backend.provide(name, _not_again) == name

    def test_rendering_goes_on_after_free(self, subject: Subject) -> None:
        """Freed models are loaded again."""
        subject.backend.free()
        assert render(subject.backend, fresh("a mug"))

    @listens_to_triggers
    def test_memory_that_ran_out_once_is_there_after_free(self, subject: Subject) -> None:
        """What ``produce`` counts on when it tries again."""
        wanted = fresh("a mug [[oom-once]]")
        assert isinstance(ending(subject.backend, wanted), Failure)
        subject.backend.free()
        assert isinstance(ending(subject.backend, wanted), Finished)

    def test_a_forgotten_prompt_is_lost(self, subject: Subject) -> None:
        """The server was restarted, say: waiting must end."""
        wanted = fresh("a mug")
        prompt_id = send(subject.backend, wanted)
        assert isinstance(ended(subject.backend, prompt_id), Finished)
        subject.forget(prompt_id)
        assert not subject.backend.knows(prompt_id)
        result = ended(subject.backend, prompt_id)
        assert isinstance(result, Failure)
        assert result.code == "lost"

    def test_a_file_that_is_gone_is_a_failure(self, subject: Subject) -> None:
        """Not a crash, and nothing to wait for."""
        content = subject.backend.fetch({"filename": "no such.png", "subfolder": "", "type": "output"})
        assert isinstance(content, Failure)
        assert content.code == "file_gone"

    def test_threads_share_a_backend(self, subject: Subject) -> None:
        """Each gets its own picture."""
        with ThreadPoolExecutor(8) as pool:
            pictures = list(pool.map(lambda n: render(subject.backend, fresh("a mug", order=n)), range(16)))
        assert len(set(pictures)) == 16

    def test_a_server_that_is_not_there_is_reported_soon(self, subject: Subject) -> None:
        """Every verb raises BackendUnavailable, with the remedy, when patience has ended."""
        away, wanted = subject.away, fresh("a mug")
        verbs: list[Callable[[], object]] = [
            lambda: away.lacks(wanted.graph),
            lambda: away.knows(str(uuid.uuid4())),
            lambda: away.submit(str(uuid.uuid4()), graph_of(wanted), JOB),
            lambda: away.next_ended([str(uuid.uuid4())], timeout_s=PATIENCE_S),
            lambda: away.withdraw([str(uuid.uuid4())], running_too=False),
            lambda: away.provide("a.png", lambda: b""),
            away.probe,
            lambda: away.fetch({"filename": "a.png", "subfolder": "", "type": "output"}),
            away.free,
        ]
        began = time.monotonic()
        with ThreadPoolExecutor(len(verbs)) as pool:
            for future in [pool.submit(verb) for verb in verbs]:
                with pytest.raises(BackendUnavailable):
                    future.result(DEADLINE_S)
        assert time.monotonic() - began < 10 * PATIENCE_S


def _with_missing(graph: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The graph with a node or a model file of that name."""
    changed = dict(graph)
    if name == MISSING_NODE:
        return {**changed, "999": {"class_type": name, "inputs": {}, "_meta": {"title": "?"}}}
    loader = next(node for node, body in graph.items() if body["class_type"] == "UNETLoader")
    body = graph[loader]
    return {**changed, loader: {**body, "inputs": {**body["inputs"], "unet_name": name}}}


class ComfyUIBackendContract(RenderBackendContract):
    """What holds besides for servers reached over a network that fails."""

    @pytest.fixture
    def server_url(self) -> str:
        """A running server."""
        raise NotImplementedError

    @pytest.fixture
    def own_server(self) -> Iterator[Restartable]:
        """A running server of the test's own, which samples long enough to be caught at it."""
        raise NotImplementedError

    @pytest.fixture
    def subject(self, server_url: str) -> Iterator[Subject]:
        """A backend straight at the server."""

        def forget(prompt_id: str) -> None:
            requests.post(f"{server_url}/history", json={"delete": [prompt_id]}, timeout=DEADLINE_S)

        with (
            opened(server_url) as backend,
            opened(f"http://127.0.0.1:{free_port()}", patience_s=PATIENCE_S) as away,
        ):
            yield Subject(backend, forget, away)

    @pytest.fixture
    def proxy(self, server_url: str) -> Iterator[FaultyProxy]:
        """A network before the server that fails when told so."""
        with FaultyProxy(server_url) as proxy:
            yield proxy

    @pytest.fixture
    def backend(self, proxy: FaultyProxy) -> Iterator[ComfyUIBackend]:
        """A backend behind that network."""
        with opened(proxy.url) as backend:
            yield backend

    def test_a_lost_reply_costs_no_second_execution(
        self, server_url: str, proxy: FaultyProxy, backend: ComfyUIBackend
    ) -> None:
        """A prompt id is no idempotency key: the server is asked before anything is sent again."""
        wanted = fresh("a mug")
        proxy.lose_next_reply("/prompt", "POST")
        assert render(backend, wanted)
        assert proxy.replies_lost == 1
        assert proxy.prompts_forwarded == 1
        assert len(executions(server_url, wanted.prompt.positive)) == 1

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/history"), ("GET", "/view"), ("GET", "/queue"), ("GET", "/object_info")],
    )
    def test_other_lost_replies_are_asked_for_again(
        self, proxy: FaultyProxy, backend: ComfyUIBackend, method: str, path: str
    ) -> None:
        """They change nothing on the server."""
        wanted = fresh("a mug")
        proxy.lose_next_reply(path, method)
        assert backend.lacks(wanted.graph) == []
        prompt_id = send(backend, wanted)
        assert backend.knows(prompt_id)
        result = ended(backend, prompt_id)
        assert isinstance(result, Finished)
        assert isinstance(backend.fetch(result.file), bytes)
        assert proxy.replies_lost == 1
        assert proxy.prompts_forwarded == 1

    def test_a_network_that_fails_while_waiting_is_waited_out(
        self, server_url: str, proxy: FaultyProxy, backend: ComfyUIBackend
    ) -> None:
        """The prompt ends meanwhile; its picture is brought home all the same."""
        wanted = fresh("a mug [[slow:0.5]]")
        prompt_id = send(backend, wanted)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(ended, backend, prompt_id)
            proxy.refuse()
            proxy.cut()
            until(lambda: executions(server_url, wanted.prompt.positive))
            assert not waiting.done()
            proxy.accept()
            result = waiting.result(DEADLINE_S)
        assert isinstance(result, Finished)
        assert isinstance(backend.fetch(result.file), bytes)
        assert proxy.prompts_forwarded == 1

    def test_a_network_that_fails_while_sending_is_waited_out(
        self, proxy: FaultyProxy, backend: ComfyUIBackend
    ) -> None:
        """What was refused did not arrive, so it is sent again, once."""
        proxy.refuse()
        timer = threading.Timer(2 * PATIENCE_S, proxy.accept)
        timer.start()
        assert render(backend, fresh("a mug"))
        timer.join()
        assert proxy.prompts_forwarded == 1

    def test_what_waits_is_taken_back_and_what_runs_only_if_asked(
        self, server_url: str, subject: Subject
    ) -> None:
        """By id: a picture of somebody else in the same queue is left alone."""
        backend = subject.backend
        texts = [fresh("a mug [[slow:3]]"), fresh("a mug"), fresh("a mug of somebody else")]
        running, waiting, foreign = (send(backend, wanted) for wanted in texts)
        until(lambda: running in _queue(server_url)[0])
        assert backend.withdraw([running, waiting], running_too=False) == {waiting}
        assert not backend.knows(waiting)
        assert backend.withdraw([running], running_too=True) == {running}
        assert isinstance(ended(backend, foreign), Finished)
        assert executions(server_url, texts[1].prompt.positive) == []

    def test_an_urgent_picture_is_the_next(self, server_url: str, subject: Subject) -> None:
        """It overtakes what waits, not what runs."""
        backend = subject.backend
        running, waiting = (send(backend, fresh(text)) for text in ("a mug [[slow:1]]", "a mug"))
        until(lambda: running in _queue(server_url)[0])
        urgent = backend.submit(str(uuid.uuid4()), graph_of(fresh("a mug")), JOB, front=True)
        assert isinstance(urgent, str)
        order = sorted([waiting, urgent, running], key=lambda each: _ended_at(backend, server_url, each))
        assert order == [running, urgent, waiting]

    @listens_to_triggers
    def test_a_picture_that_takes_too_long_is_stopped(self, server_url: str) -> None:
        """On the server too: the next picture need not wait for it."""
        with opened(server_url, stall_s=0.5) as backend:
            # So long that a websocket which opens late, on a busy machine, still hears a step in time.
            result = ending(backend, fresh("a mug [[slow:24]]"))
        assert isinstance(result, Failure)
        assert result.code == "timeout"
        with opened(server_url) as backend:
            assert render(backend, fresh("a mug"))

    def test_a_restarted_server_makes_every_picture(self, own_server: Restartable, tmp_path: Path) -> None:
        """What the server lost is sent once more, and nothing else."""
        pictures = [fresh("a mug [[slow:0.5]]", order=order) for order in range(6)]
        made: list[Made] = []
        with FaultyProxy(own_server.url) as proxy, workshop(tmp_path, proxy.url, made.append) as shop:
            with ThreadPoolExecutor(1) as pool:
                producing = pool.submit(produce, pictures, shop, threading.Event())
                until(lambda: made)
                until(lambda: _is_busy(own_server.url))
                own_server.restart()
                producing.result(2 * DEADLINE_S)
            in_flight = shop.backends[0].capacity.in_flight
            assert {m.outcome for m in made} == {"rendered"}
            assert {m.wanted.key for m in made} == {p.key for p in pictures}
            assert len(pictures) < proxy.prompts_forwarded <= len(pictures) + in_flight
            failures = [[f.outcome for f in shop.ledger.failed_attempts(p.render_key)] for p in pictures]
            assert all(codes in ([], ["lost"]) for codes in failures), failures
            renders = shop.ledger.renders([p.render_key for p in pictures])
            assert all(shop.blobs.has(renders[p.render_key].digest) for p in pictures)


@contextmanager
def opened(url: str, *, patience_s: float = DEADLINE_S, stall_s: float = 300) -> Iterator[ComfyUIBackend]:
    """A backend, closed at the end."""
    backend = ComfyUIBackend(url, patience_s=patience_s, stall_s=stall_s, job_timeout_s=stall_s)
    try:
        yield backend
    finally:
        backend.close()


@contextmanager
def workshop(folder: Path, url: str, on_made: Callable[[Made], None]) -> Iterator[Workshop]:
    """A new workspace with a real ledger and real blobs, opened as the commands open it."""
    init_workspace(folder)
    with open_house(Workspace(folder), Servers(urls=(url,))) as house:
        services = house.services
        yield Workshop(
            ledger=services.ledger,
            blobs=services.blobs,
            backends=house.fleet.backends([]),
            run=services.ledger.begin_run("test"),
            is_placeholder=services.is_placeholder,
            on_made=on_made,
        )


def executions(url: str, text: str) -> list[dict[str, Any]]:
    """The history entries of prompts with that text, failed ones too."""
    history = requests.get(f"{url}/history", timeout=DEADLINE_S).json()
    return [
        entry
        for entry in history.values()
        if any(
            text in str(value) for node in entry["prompt"][2].values() for value in node["inputs"].values()
        )
    ]


def _is_busy(url: str) -> bool:
    return all(_queue(url))


def _queue(url: str) -> tuple[list[str], list[str]]:
    """The ids that run and that wait."""
    queue = requests.get(f"{url}/queue", timeout=DEADLINE_S).json()
    running, pending = ([item[1] for item in queue[name]] for name in ("queue_running", "queue_pending"))
    return running, pending


def _ended_at(backend: RenderBackend, url: str, prompt_id: str) -> int:
    """When a prompt ended, by the server's clock."""
    assert isinstance(ended(backend, prompt_id), Finished)
    entry = requests.get(f"{url}/history/{prompt_id}", timeout=DEADLINE_S).json()[prompt_id]
    moment: int = entry["status"]["messages"][-1][1]["timestamp"]
    return moment


def _not_again() -> bytes:
    raise AssertionError("it is there already")
