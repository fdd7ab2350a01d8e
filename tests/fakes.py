"""Fakes of the pipeline's ports, for tests that need no server.

``FakeBackend("fake", in_flight=3)`` executes a graph the moment it is submitted; threads may share it.

    executions    Counter: ``graph_key(graph)`` → how often that graph was executed
    prompts       what it remembers: prompt id → Finished or Failure
    jobs          prompt id → what the job was said to be, in the order of submission
    inputs        input pictures: name → bytes
    fronts        ids of prompts that were to be executed next
    freed         how often it was told to free its memory
    missing       put node classes or model files in here, and the backend has them no longer
    is_away       True: every call raises BackendUnavailable
    restart()     forgets all prompts, keeps the files, as a server does

Triggers in any text of a graph: ``[[oom]]``, ``[[oom-once]]`` (until ``free``), ``[[error]]``, ``[[black]]``.

``picture(text)`` is a Wanted that a real server could render; ``NullProgress()`` is deaf.
"""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from PIL import Image

from catalog_imagegen.config import defaults
from catalog_imagegen.domain.errors import BackendUnavailable
from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.fingerprint import Fingerprint
from catalog_imagegen.domain.imaging import FIRST_TAKE, ImageKey, Prompt, Wanted, item_id
from catalog_imagegen.domain.incident import Incident
from catalog_imagegen.domain.job import Capacity, Ended, Finished, Step, Whereabouts
from catalog_imagegen.stages.workflow import Workflow, parse_workflow, render_key

WORKFLOW = "z_image_turbo"


def graph_key(graph: Mapping[str, Any]) -> Fingerprint:
    """Name a graph by what is executed: ``filename_prefix`` and ``_meta`` do not count."""
    return render_key(graph, take=0)


class FakeBackend:
    """A RenderBackend in memory; see the module for what else it offers."""

    def __init__(self, name: str = "fake", *, in_flight: int = 3, vram_gb: float = 24) -> None:
        self.name = name
        self.capacity = Capacity(in_flight=in_flight, vram_gb=vram_gb)
        self.executions: Counter[Fingerprint] = Counter()
        self.prompts: dict[str, Finished | Failure] = {}
        self.jobs: dict[str, dict[str, str]] = {}
        self.inputs: dict[str, bytes] = {}
        self.fronts: set[str] = set()
        self.freed = 0
        self.missing: set[str] = set()
        self.is_away = False
        self._files: dict[str, bytes] = {}
        self._ran_out: dict[Fingerprint, int] = {}
        self._lock = threading.Lock()

    def restart(self) -> None:
        """Forget every prompt; files stay."""
        with self._lock:
            self.prompts.clear()

    def lacks(self, graph: Mapping[str, Any]) -> list[str]:
        """What of ``missing`` the graph names."""
        self._answer()
        named = {node["class_type"] for node in graph.values()} | {
            value for node in graph.values() for value in node["inputs"].values() if isinstance(value, str)
        }
        return [f"no {name}: install it" for name in sorted(named & self.missing)]

    def probe(self) -> None:
        """Answer, unless it is away."""
        self._answer()

    def provide(self, name: str, content: Callable[[], bytes]) -> str | Failure:
        """Keep an input picture."""
        self._answer()
        with self._lock:
            if name not in self.inputs:
                self.inputs[name] = content()
        return name

    def knows(self, prompt_id: str) -> bool:
        """Whether the prompt was executed since the last restart."""
        self._answer()
        with self._lock:
            return prompt_id in self.prompts

    def submit(
        self, prompt_id: str, graph: Mapping[str, Any], job: Mapping[str, str], *, front: bool = False
    ) -> str | Failure:
        """Execute the graph unless it names something missing."""
        if problems := self.lacks(graph):
            return Failure("server_lacks", "; ".join(problems))
        with self._lock:
            if front:
                self.fronts.add(prompt_id)
            self.jobs[prompt_id] = dict(job)
            self.executions[graph_key(graph)] += 1
            self.prompts[prompt_id] = self._execute(prompt_id, graph)
        return prompt_id

    def whereabouts(self, prompt_ids: Collection[str]) -> Mapping[str, Whereabouts]:
        """Every known prompt has ended already."""
        self._answer()
        return {prompt_id: "ended" if prompt_id in self.prompts else "unknown" for prompt_id in prompt_ids}

    def next_ended(
        self,
        prompt_ids: Sequence[str],
        *,
        timeout_s: float,  # noqa: ARG002 - the port has it
        expected_s: float | None = None,  # noqa: ARG002 - the same
    ) -> Ended | None:
        """Every known prompt has ended already."""
        self._answer()
        with self._lock:
            prompt_id = prompt_ids[0]
            return Ended(
                prompt_id, self.prompts.get(prompt_id, Failure("lost", "the fake forgot the prompt"))
            )

    def step(self, prompt_id: str) -> Step | None:
        """Nothing takes steps."""

    def is_deaf(self) -> bool:
        """It hears."""
        return False

    def withdraw(self, prompt_ids: Sequence[str], *, running_too: bool) -> set[str]:  # noqa: ARG002 - the port has them
        """Every known prompt has ended already."""
        self._answer()
        return set()

    def fetch(self, file: Mapping[str, str]) -> bytes | Failure:
        """The bytes of a file."""
        self._answer()
        with self._lock:
            content = self._files.get(file.get("filename", ""))
        return content if content is not None else Failure("file_gone", "the fake has no such file")

    def free(self, *, front: bool = False) -> None:
        """Count, and let ``[[oom-once]]`` succeed from now on."""
        del front  # it has no queue
        self._answer()
        with self._lock:
            self.freed += 1

    def _answer(self) -> None:
        if self.is_away:
            raise BackendUnavailable(f"{self.name} is away; set is_away = False")

    def _execute(self, prompt_id: str, graph: Mapping[str, Any]) -> Finished | Failure:
        key = graph_key(graph)
        texts = [v for node in graph.values() for v in node["inputs"].values() if isinstance(v, str)]

        def asks(trigger: str) -> bool:
            return any(f"[[{trigger}]]" in text for text in texts)

        if asks("oom") or (asks("oom-once") and self._ran_out.setdefault(key, self.freed) == self.freed):
            return Failure("out_of_memory", "torch.OutOfMemoryError: as the prompt asked")
        if asks("error"):
            return Failure("execution_error", "RuntimeError: as the prompt asked")
        filename = f"{prompt_id}.png"
        self._files[filename] = _png(_size(graph), bytes(6) if asks("black") else bytes.fromhex(key))
        return Finished({"filename": filename, "subfolder": "", "type": "output"}, 1, 2)


def _size(graph: Mapping[str, Any]) -> tuple[int, int]:
    """The size of the first node that has one."""
    return next(
        (node["inputs"]["width"], node["inputs"]["height"])
        for node in graph.values()
        if {"width", "height"} <= node["inputs"].keys()
    )


def _png(size: tuple[int, int], digest: bytes) -> bytes:
    """Two colours that the digest chooses, or black."""
    buffer = io.BytesIO()
    left, right = (
        (tuple(byte // 2 + light for byte in digest[n : n + 3])) for n, light in ((0, 20), (3, 120))
    )
    picture = Image.new("RGB", size, left if any(digest) else (0, 0, 0))
    if any(digest):
        picture.paste(right, (size[0] // 2, 0, *size))
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def workflow() -> Workflow:
    """The shipped workflow of Z-Image Turbo."""
    path = defaults() / "config" / "workflows" / f"{WORKFLOW}.json"
    return parse_workflow(WORKFLOW, path.read_text(encoding="utf-8"))


def picture(text: str, *, seed: int = 1, size: tuple[int, int] = (256, 192), order: int = 0) -> Wanted:
    """One picture to be made; the text, the seed and the size make its render key."""
    graph_of = workflow()
    width, height = size
    graph = graph_of.bind({"positive": text, "seed": seed, "width": width, "height": height})
    prefix = graph_of.points["filename_prefix"]
    return Wanted(
        key=ImageKey(f"sku:FAKE-{order:04}", "main", item_id(f"{text} {seed}")),
        item_text=text,
        slot=1,
        order=order,
        sku=f"FAKE-{order:04}",
        name=text,
        take=FIRST_TAKE,
        prompt=Prompt(text),
        graph=graph,
        prefix_at=(prefix.node, prefix.input),
        render_key=render_key(graph, take=FIRST_TAKE.number),
        width=width,
        height=height,
        workflow=graph_of.name,
        seed=seed,
    )


class NullProgress:
    """A Progress that is deaf."""

    def start(self, total: int) -> None:
        """Nothing."""

    def done(self, what: str, *, failed: bool) -> None:
        """Nothing."""

    def step(self, what: str, step: Step) -> None:
        """Nothing."""

    def alert(self, incident: Incident) -> None:
        """Nothing."""
