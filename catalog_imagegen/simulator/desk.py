"""What the HTTP side works with, and how it accepts a prompt."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol

from catalog_imagegen.simulator.backlog import Backlog, Item
from catalog_imagegen.simulator.engine import Engine
from catalog_imagegen.simulator.events import Hub
from catalog_imagegen.simulator.faults import Faults
from catalog_imagegen.simulator.files import Folders
from catalog_imagegen.simulator.nodes import NodeClass, node_classes
from catalog_imagegen.simulator.sampling import Machine
from catalog_imagegen.simulator.validation import judge, refusal
from catalog_imagegen.simulator.versions import Version


class Owner(Protocol):
    """What tests may ask of a simulator over HTTP, beside what ComfyUI offers."""

    def told(self) -> list[dict[str, Any]]:
        """Describe every execution."""

    def restart(self, down_s: float = 0) -> None:
        """Be killed and started again."""


@dataclass
class Desk:
    """Everything the routes work with, and the counter that numbers prompts."""

    machine: Machine
    models: Mapping[str, list[str]]
    backlog: Backlog
    engine: Engine
    hub: Hub
    version: Version
    vram_gb: float
    owner: Owner
    counter: int = 0
    _declared: tuple[Any, dict[str, NodeClass]] = field(default_factory=lambda: (None, {}))

    @property
    def folders(self) -> Folders:
        """The server's folders."""
        return self.machine.folders

    @property
    def faults(self) -> Faults:
        """The server's mishaps."""
        return self.machine.faults

    def files(self) -> dict[str, list[str]]:
        """Give the model files there are right now, by folder."""
        missing = self.faults.standing("missing-model")
        return {
            folder: [name for name in names if name not in missing] for folder, names in self.models.items()
        }

    def classes(self) -> dict[str, NodeClass]:
        """Declare the node classes installed right now, with the model files of this moment as choices."""
        missing, files = self.faults.standing("missing-node"), self.files()
        key = (missing, tuple(tuple(names) for names in files.values()))
        if self._declared[0] != key:
            declared = node_classes(self.version.name, files)
            self._declared = key, {name: node for name, node in declared.items() if name not in missing}
        return self._declared[1]

    def status(self) -> dict[str, Any]:
        """Give the data of a status event."""
        return {"status": {"exec_info": {"queue_remaining": self.backlog.remaining()}}}


def accept(desk: Desk, body: Any) -> tuple[int, dict[str, Any]]:
    """Judge and queue a prompt; gives the status and the answer."""
    number = _number(desk, body)
    if "prompt" not in body:
        return _refused(refusal("no_prompt", "No prompt provided", "No prompt provided"))
    prompt_id = body.get("prompt_id") or str(uuid.uuid4())
    if desk.version.wants_uuid and not _is_canonical_uuid(prompt_id):
        details = (
            "prompt_id must be a UUID string in canonical lowercase hyphenated form; "
            "omit it to let the server generate one"
        )
        return _refused(refusal("invalid_prompt_id", "prompt_id must be a valid UUID", details))
    verdict = judge(
        body["prompt"],
        desk.classes(),
        desk.version,
        image_exists=desk.folders.has_input,
        targets=body.get("partial_execution_targets"),
    )
    if verdict.error:
        return _refused(verdict.error, verdict.node_errors)
    extra_data = dict(body.get("extra_data", {}))
    if "client_id" in body:
        if not isinstance(body["client_id"], str):
            raise TypeError("client_id must be text")  # a real server takes it and dies a moment later
        extra_data["client_id"] = body["client_id"]
    extra_data["create_time"] = desk.machine.clock.now_ms()
    if desk.faults.take("partial"):
        verdict.outputs, verdict.node_errors = _without_the_last(body["prompt"], verdict.outputs)
    desk.backlog.put(Item(number, str(prompt_id), body["prompt"], extra_data, verdict.outputs))
    return HTTPStatus.OK, {"prompt_id": prompt_id, "number": number, "node_errors": verdict.node_errors}


def _without_the_last(graph: dict[str, Any], outputs: list[str]) -> tuple[list[str], dict[str, Any]]:
    """Refuse the last output; an only one is run all the same, as the answer says it was accepted."""
    blamed = blame(graph, outputs[-1])
    return outputs[:-1] or outputs, blamed


def blame(graph: dict[str, Any], output: str) -> dict[str, Any]:
    """Give node_errors that find fault with *output*."""
    extra = {"exception_type": "KeyError", "traceback": ["(simulated)"]}
    error = refusal("exception_during_validation", "Exception when validating node", "'8888'", extra)
    kind = graph[output]["class_type"]
    return {output: {"errors": [error], "dependent_outputs": [output], "class_type": kind}}


def _number(desk: Desk, body: Any) -> float:
    """Give the place in the queue; rejected prompts use up numbers too."""
    if "number" in body:
        return float(body["number"])
    number = desk.counter
    desk.counter += 1
    is_urgent = isinstance(body, dict) and body.get("front")
    return -number if is_urgent else number


def _refused(error: dict[str, Any], node_errors: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    return HTTPStatus.BAD_REQUEST, {"error": error, "node_errors": node_errors or {}}


def _is_canonical_uuid(text: Any) -> bool:
    try:
        return isinstance(text, str) and str(uuid.UUID(text)) == text
    except ValueError:
        return False
