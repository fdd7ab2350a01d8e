"""A ComfyUI server as a render backend: patient with the network, careful never to pay twice."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import tenacity

from catalog_imagegen.adapters.comfyui.answers import (
    Condition,
    condition,
    refusal,
    version_of,
)
from catalog_imagegen.adapters.comfyui.client import Address, Client, Refused, Unreachable
from catalog_imagegen.adapters.comfyui.equipment import Missing, missing_inputs
from catalog_imagegen.adapters.comfyui.listener import Listener
from catalog_imagegen.adapters.comfyui.watch import Watch
from catalog_imagegen.domain.errors import BackendUnavailable, ConfigError
from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.incident import TROUBLES, TroubleCode
from catalog_imagegen.domain.job import Capacity, Ended, Step, Whereabouts

OLDEST = (0, 3, 74)
"""The first release that can run Z-Image."""
PASSING: frozenset[TroubleCode] = frozenset({"refused", "reset", "no_answer", "server_error", "not_comfyui"})
"""Troubles that may pass by themselves within seconds."""
ERRAND = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 1, "height": 1, "batch_size": 1, "color": 0}},
    "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
}
"""A prompt of next to nothing. ``/free`` is carried out when it wakes the server's worker, which it does not while that
collects garbage, or else after the next prompt: so this one."""
ERRAND_S = 1.0
"""How long one wait for it may take."""

T = TypeVar("T")


class ComfyUIBackend:
    """Renders on one server; see the port.

    *patience_s*: seconds that each call waits for a server that does not answer. *stall_s*, *job_timeout_s*: see Watch.
    """

    def __init__(
        self,
        address: Address | str,
        *,
        capacity: Capacity = Capacity(),  # noqa: B008 - frozen
        patience_s: float = 5.0,
        stall_s: float = 300.0,
        job_timeout_s: float = 900.0,
    ) -> None:
        self._client = Client(address if isinstance(address, Address) else Address(address))
        self._listener = Listener(self._client.address)
        self._watch = Watch(self._client, self._listener, stall_s=stall_s, job_timeout_s=job_timeout_s)
        self._retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda e: isinstance(e, Unreachable) and e.code in PASSING),
            wait=tenacity.wait_random_exponential(multiplier=0.25, max=5.0),
            stop=tenacity.stop_after_delay(patience_s),
            reraise=True,
        )
        self.capacity = capacity
        self.must_be_simulator: bool | None = None
        """What it must turn out to be when it comes back: placeholders never mix with pictures."""
        self.measure: Callable[[Condition], Capacity] | None = None
        """What it may be given by what it says of itself: one that was away at first has not said so yet."""

    @property
    def name(self) -> str:
        """The server's URL."""
        return self._client.url

    def hang_up(self) -> None:
        """Begin to close: stop listening, without waiting for it."""
        self._listener.hang_up()

    def close(self) -> None:
        """Close the connections."""
        self._listener.close()
        self._client.close()

    def greet(self) -> Condition:
        """Look whether a ComfyUI that can run Z-Image answers.

        Raises BackendUnavailable at once when nobody answers, ConfigError for one that is too old.
        """
        try:
            stats = self._client.system_stats()
        except Unreachable as error:
            raise self._unavailable(error) from error
        version, text = version_of(stats)
        if version and version < OLDEST:
            raise ConfigError(
                f"{self.name} is ComfyUI {text}; Z-Image needs 0.3.74 or newer: update ComfyUI",
                zh=f"{self.name} 的 ComfyUI 版本是 {text}；Z-Image 需要 0.3.74 或更新：请升级 ComfyUI",
                code="comfyui_too_old",
            )
        return condition(stats, 0, 0)

    def inspect(self) -> Condition:
        """What the server says of itself and of its queue. Raises BackendUnavailable."""
        stats = self._patiently(self._client.system_stats)
        running, pending = self._patiently(self._client.queue)
        return condition(stats, len(running), len(pending))

    def probe(self) -> None:
        """Look once whether the server answers, as what it was. Raises BackendUnavailable."""
        try:
            try:
                seen = self._recognised()
                running, _ = self._client.queue()
            except Unreachable as error:
                if error.code != "reset":
                    raise
                seen = self._recognised()  # one connection that breaks off is nothing to tell anybody
                running, _ = self._client.queue()
            self._watch.check_stuck(running)
        except Unreachable as error:
            raise self._unavailable(error) from error
        if self.measure is not None:
            self.capacity = replace(self.measure(seen), unfit=self.capacity.unfit)
        self._watch.check_soon()
        self._listener.start()  # so that it hears of the first prompt already

    def lacks(self, graph: Mapping[str, Any]) -> list[str]:
        """What a graph needs and the server has not; each with its remedy."""
        return [str(problem) for problem in self.missing(graph)]

    def missing(self, graph: Mapping[str, Any]) -> list[Missing]:
        """The same in parts, for whoever shows them one by one."""
        infos = {
            class_type: self._patiently(lambda c=class_type: self._client.node_info(c))  # type: ignore[misc]  # bound now
            for class_type in sorted({node["class_type"] for node in graph.values()})
        }
        return missing_inputs(graph, infos)

    def knows(self, prompt_id: str) -> bool:
        """Whether a prompt is queued, running or finished: the queue first, then the history."""
        return self._patiently(lambda: self._knows_now(prompt_id))

    def whereabouts(self, prompt_ids: Collection[str]) -> dict[str, Whereabouts]:
        """How each of these prompts stands there."""
        return self._patiently(lambda: self._whereabouts_now(prompt_ids))

    def provide(self, name: str, content: Callable[[], bytes]) -> str | Failure:
        """Bring an input picture to the server unless it is there; the name that graphs must use."""

        def bring() -> str:
            return name if self._client.has_input(name) else self._client.upload(name, content())

        try:
            return self._patiently(bring)
        except Refused as error:
            return refusal(error.body, status=error.status)

    def submit(
        self, prompt_id: str, graph: Mapping[str, Any], job: Mapping[str, str], *, front: bool = False
    ) -> str | Failure:
        """Queue a graph once.

        A prompt id is no idempotency key, so after a lost reply the server is asked whether it has
        the prompt before it is sent again.
        """
        sent = False
        extra = {"extra_pnginfo": {"job": dict(job)}}

        def send() -> str | Failure:
            nonlocal sent
            if sent:
                self._recognised()  # another may have taken its place since
                if self._knows_now(prompt_id):
                    return prompt_id
            sent = True
            try:
                answer = self._client.submit(
                    prompt_id, graph, extra, client_id=self._listener.client_id, front=front
                )
            except Refused as error:
                return refusal(error.body, status=error.status)
            accepted = str(answer.get("prompt_id", prompt_id))
            if answer.get("node_errors"):  # it would run without some of its outputs
                self._client.delete([accepted])
                self._client.interrupt(accepted)
                return refusal(answer)
            return accepted

        self._listener.start()
        socket, began = self._listener.socket, time.monotonic()
        accepted = self._patiently(send)
        self._listener.expect(socket, began)
        return accepted

    def next_ended(
        self, prompt_ids: Sequence[str], *, timeout_s: float, expected_s: float | None = None
    ) -> Ended | None:
        """Wait until one of the prompts has ended; see the port."""
        self._listener.start()
        return self._patiently(
            lambda: self._watch.next_ended(prompt_ids, timeout_s=timeout_s, expected_s=expected_s)
        )

    def step(self, prompt_id: str) -> Step | None:
        """How far a prompt is, as far as the server has told."""
        step = self._listener.step(prompt_id)
        return None if step is None else Step(step.value, step.maximum)

    def is_deaf(self) -> bool:
        """Whether the websocket has turned out to tell nothing."""
        return self._listener.times_deaf > 0

    def withdraw(self, prompt_ids: Sequence[str], *, running_too: bool) -> set[str]:
        """Take prompts back, and with *running_too* stop the one that runs; see the port."""
        return self._patiently(lambda: self._withdraw(prompt_ids, running_too=running_too))

    def fetch(self, file: Mapping[str, str]) -> bytes | Failure:
        """Download an output file."""
        try:
            return self._patiently(lambda: self._client.view(file))
        except Refused as error:
            return Failure("file_gone", f"/view {file.get('filename', '?')}: HTTP {error.status}")

    def free(self, *, front: bool = False) -> None:
        """Unload models and forget cached results before the next prompt, or the next at the *front*; see the port."""
        self._patiently(self._client.free)
        accepted = self.submit(str(uuid.uuid4()), ERRAND, {}, front=front)
        if not front or isinstance(accepted, Failure):
            return
        while self.next_ended([accepted], timeout_s=ERRAND_S) is None:
            pass  # whatever came to the front now would run before it

    def _withdraw(self, prompt_ids: Sequence[str], *, running_too: bool) -> set[str]:
        self._client.delete(prompt_ids)
        taken = set()
        running, pending = self._client.queue()
        for prompt_id in prompt_ids:
            if prompt_id in running:
                ended = self._watch.stop(prompt_id) if running_too else None
                is_gone = isinstance(ended, Failure)
            else:
                is_gone = prompt_id not in pending and self._client.history(prompt_id) is None
            if is_gone:
                self._watch.forget(prompt_id)
                taken.add(prompt_id)
        return taken

    def _recognised(self) -> Condition:
        """What the server says of itself, if it is what it was."""
        seen = condition(self._client.system_stats(), 0, 0)
        if self.must_be_simulator not in (None, seen.is_simulator):
            another = "a simulator stands where a server was, or the other way round"
            raise Unreachable("not_comfyui", another)
        return seen

    def _knows_now(self, prompt_id: str) -> bool:
        return self._whereabouts_now([prompt_id])[prompt_id] != "unknown"

    def _whereabouts_now(self, prompt_ids: Collection[str]) -> dict[str, Whereabouts]:
        """By the queue first, then by the history: a prompt moves from the one to the other."""
        running, pending = self._client.queue()
        found: dict[str, Whereabouts] = {}
        for prompt_id in prompt_ids:
            if prompt_id in running:
                found[prompt_id] = "running"
            elif prompt_id in pending:
                found[prompt_id] = "waiting"
            else:
                found[prompt_id] = "unknown" if self._client.history(prompt_id) is None else "ended"
        return found

    def _patiently(self, call: Callable[[], T]) -> T:
        """Call, and again while the server does not answer, until patience ends."""
        try:
            return self._retrying(call)
        except Unreachable as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Unreachable) -> BackendUnavailable:
        _, _, remedy, remedy_zh = TROUBLES[error.code]
        return BackendUnavailable(
            f"ComfyUI at {self.name} cannot be used ({error}): {remedy}; "
            "with --comfyui URL another is used, and --simulate tries everything without a GPU. "
            "Nothing is lost: run again later",
            zh=f"无法使用 ComfyUI（{self.name}：{TROUBLES[error.code][1]}）：{remedy_zh}；可用 --comfyui 指定其他地址，"
            "或用 --simulate 在没有显卡的情况下试运行。已完成的工作不会丢失，稍后重新运行即可",
            code=error.code,
        )
