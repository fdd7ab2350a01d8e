"""A ComfyUI server as a render backend: patient with the network, careful never to pay twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import tenacity

from catalog_imagegen.adapters.comfyui.answers import (
    Condition,
    Missing,
    condition,
    missing_inputs,
    outcome,
    refusal,
    version_of,
)
from catalog_imagegen.adapters.comfyui.client import Client, Refused, Unreachable
from catalog_imagegen.domain.errors import BackendUnavailable, ConfigError
from catalog_imagegen.domain.job import Failure, Finished

POLL_S = 0.08
"""Between looks at the history of the prompt that is next to end."""
POLL_LATER_S = 0.4
"""Between looks for the prompts behind it. The server has others to execute, so a late look costs nothing."""
QUEUE_CHECK_S = 2.0
"""How often a prompt without history is looked for in the queue, which costs the server more."""
LOST_AFTER = 2
"""Looks that must miss a prompt in the queue and then in the history before it counts as lost."""
OLDEST = (0, 3, 74)
"""The first release that can run Z-Image."""

T = TypeVar("T")


class ComfyUIBackend:
    """Renders on one server; see the port.

    *patience_s*: seconds to wait for a server that stopped answering. *job_timeout_s*: seconds one
    prompt may execute.
    """

    def __init__(
        self, url: str, *, in_flight: int = 3, patience_s: float = 60.0, job_timeout_s: float = 900.0
    ) -> None:
        self._client = Client(url)
        self._in_flight = in_flight
        self._patience_s = patience_s
        self._job_timeout_s = job_timeout_s
        self._awaited: list[str] = []
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The server's URL."""
        return self._client.url

    @property
    def in_flight(self) -> int:
        """How many prompts may be queued there at a time."""
        return self._in_flight

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def greet(self) -> bool:
        """Look whether a ComfyUI that can run Z-Image answers; says whether it is a simulator.

        Raises BackendUnavailable at once when nobody answers, ConfigError for one that is too old.
        """
        try:
            stats = self._client.system_stats()
        except Unreachable as error:
            raise _unavailable(self.name, error) from error
        version, text = version_of(stats)
        if version and version < OLDEST:
            raise ConfigError(
                f"{self.name} is ComfyUI {text}; Z-Image needs 0.3.74 or newer: update ComfyUI",
                zh=f"{self.name} 的 ComfyUI 版本是 {text}；Z-Image 需要 0.3.74 或更新：请升级 ComfyUI",
                code="comfyui_too_old",
            )
        return bool(stats.get("system", {}).get("simulator"))

    def inspect(self) -> Condition:
        """What the server says of itself and of its queue. Raises BackendUnavailable."""
        stats = self._patiently(self._client.system_stats)
        running, pending = self._patiently(self._client.queue)
        return condition(stats, len(running), len(pending))

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

    def submit(self, prompt_id: str, graph: Mapping[str, Any], job: Mapping[str, str]) -> str | Failure:
        """Queue a graph once.

        A prompt id is no idempotency key, so after a lost reply the server is asked whether it has
        the prompt before it is sent again.
        """
        sent = False

        def send() -> str | Failure:
            nonlocal sent
            if sent and self._knows_now(prompt_id):
                return prompt_id
            sent = True
            try:
                answer = self._client.submit(prompt_id, graph, {"extra_pnginfo": {"job": dict(job)}})
            except Refused as error:
                return refusal(error.body)
            accepted = str(answer.get("prompt_id", prompt_id))
            if answer.get("node_errors"):
                self._client.withdraw(accepted)  # it would run without some of its outputs
                return refusal(answer)
            return accepted

        return self._patiently(send)

    def wait(self, prompt_id: str, is_cancelled: Callable[[], bool]) -> Finished | Failure | None:
        """Poll until a prompt ends; None when cancelled meanwhile."""
        with self._lock:
            self._awaited.append(prompt_id)
        try:
            return self._wait(prompt_id, is_cancelled)
        finally:
            with self._lock:
                self._awaited.remove(prompt_id)

    def _wait(self, prompt_id: str, is_cancelled: Callable[[], bool]) -> Finished | Failure | None:
        missed, running_since, next_check = 0, 0.0, time.monotonic() + QUEUE_CHECK_S
        while not is_cancelled():
            if (entry := self._patiently(lambda: self._client.history(prompt_id))) is not None:
                return outcome(entry)
            now = time.monotonic()
            if now >= next_check:
                next_check = now + QUEUE_CHECK_S
                running, pending = self._patiently(self._client.queue)
                if prompt_id in running:
                    running_since = running_since or now
                    if now - running_since > self._job_timeout_s:
                        self._patiently(lambda: self._client.withdraw(prompt_id))
                        return Failure("timeout", f"ran for more than {self._job_timeout_s:.0f} s")
                missed = 0 if prompt_id in running | pending else missed + 1
                if missed >= LOST_AFTER and not self.knows(prompt_id):
                    return Failure("lost", "the server forgot the prompt; it was probably restarted")
            with self._lock:
                is_next = self._awaited[0] == prompt_id
            time.sleep(POLL_S if is_next else POLL_LATER_S)
        return None

    def fetch(self, file: Mapping[str, str]) -> bytes | Failure:
        """Download an output file."""
        try:
            return self._patiently(lambda: self._client.view(file))
        except Refused as error:
            return Failure("no_picture", f"/view {file.get('filename', '?')}: HTTP {error.status}")

    def free(self) -> None:
        """Unload models and forget cached results."""
        self._patiently(self._client.free)

    def _knows_now(self, prompt_id: str) -> bool:
        running, pending = self._client.queue()
        return prompt_id in running | pending or self._client.history(prompt_id) is not None

    def _patiently(self, call: Callable[[], T]) -> T:
        """Call, and again while the server does not answer, until patience ends."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Unreachable),
            wait=tenacity.wait_random_exponential(multiplier=0.25, max=5.0),
            stop=tenacity.stop_after_delay(self._patience_s),
            reraise=True,
        )
        try:
            return retrying(call)
        except Unreachable as error:
            raise _unavailable(self.name, error) from error


def _unavailable(url: str, error: Exception) -> BackendUnavailable:
    return BackendUnavailable(
        f"ComfyUI at {url} does not answer ({error}). Start it there (python main.py --listen), name another "
        "with --comfyui URL, or try everything without a GPU with --simulate. Nothing is lost: run again later",
        zh=f"ComfyUI（{url}）没有响应。请启动它（python main.py --listen），用 --comfyui 指定其他地址，"
        "或用 --simulate 在没有显卡的情况下试运行。已完成的工作不会丢失，稍后重新运行即可",
        code="comfyui_unreachable",
    )
