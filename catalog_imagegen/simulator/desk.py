"""What the HTTP side works with, and how it accepts a prompt."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from catalog_imagegen.simulator.backlog import Backlog, Item
from catalog_imagegen.simulator.engine import Engine
from catalog_imagegen.simulator.events import Hub
from catalog_imagegen.simulator.faults import Faults
from catalog_imagegen.simulator.files import Folders
from catalog_imagegen.simulator.nodes import Graph, NodeClass, node_classes
from catalog_imagegen.simulator.validation import judge, refusal


@dataclass
class Desk:
    """Everything the routes work with, and the counter that numbers prompts."""

    folders: Folders
    faults: Faults
    models: dict[str, list[str]]
    backlog: Backlog
    engine: Engine
    hub: Hub
    executions: Callable[[], list[tuple[str, Graph]]]
    counter: int = 0

    def classes(self) -> dict[str, NodeClass]:
        """Declare the node classes with the model and input files of this moment."""
        return node_classes(self.models, self.folders.inputs())

    def status(self) -> dict[str, Any]:
        """Give the data of a status event."""
        return {"status": {"exec_info": {"queue_remaining": self.backlog.remaining()}}}


def accept(desk: Desk, body: Any) -> tuple[int, dict[str, Any]]:
    """Judge and queue a prompt; gives the status and the answer."""
    number = _number(desk, body)
    if "prompt" not in body:
        return _refused(refusal("no_prompt", "No prompt provided", "No prompt provided"))
    prompt_id = body.get("prompt_id") or str(uuid.uuid4())
    if not _is_canonical_uuid(prompt_id):
        details = (
            "prompt_id must be a UUID string in canonical lowercase hyphenated form; "
            "omit it to let the server generate one"
        )
        return _refused(refusal("invalid_prompt_id", "prompt_id must be a valid UUID", details))
    verdict = judge(
        body["prompt"],
        desk.classes(),
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
    extra_data["create_time"] = int(time.time() * 1000)
    desk.backlog.put(Item(number, prompt_id, body["prompt"], extra_data, verdict.outputs))
    return HTTPStatus.OK, {"prompt_id": prompt_id, "number": number, "node_errors": verdict.node_errors}


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
