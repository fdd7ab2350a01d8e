"""One prompt being executed: its nodes in order, what comes from the cache, what is told on the way."""

import hashlib
import json
import time
import traceback
from typing import TYPE_CHECKING, Any

from catalog_imagegen.simulator import previews
from catalog_imagegen.simulator.backlog import Finished, Item
from catalog_imagegen.simulator.operations import perform
from catalog_imagegen.simulator.sampling import Bench
from catalog_imagegen.simulator.values import InterruptedPrompt, Result, SimulatedFailure

if TYPE_CHECKING:
    from catalog_imagegen.simulator.engine import Engine

PROGRESS_EVERY_S = 0.1  # 0.33 sends at most about ten progress events a second


class Run:
    """One prompt being executed."""

    def __init__(self, engine: "Engine", item: Item, *, started_ms: int) -> None:
        self.engine = engine
        self.item = item
        self.started_ms = started_ms
        self.graph = item.graph
        self.result = Finished()
        self.results: dict[str, Result] = {}
        self.executed: list[str] = []
        self.states: dict[str, dict[str, Any]] = {}
        self.signatures: dict[str, str] = {}
        self.node_id = ""
        self.last_progress = 0.0
        self.is_recorded = False
        self.inputs: dict[str, Any] = {}
        self.previewed = previews.wanted(item, engine.version)
        self.bench = Bench(item, engine.machine, self._progress, self._record)

    async def execute(self) -> Finished:
        """Run every output; gives how it ended."""
        self._message("execution_start", {})
        for output in self.item.outputs:
            self._sign(output)
        needed = [node_id for node_id in self.graph if node_id in self.signatures]
        cached = [node_id for node_id in needed if self.signatures[node_id] in self.engine.cache]
        self._message("execution_cached", {"nodes": cached})
        try:
            for output in self.item.outputs:
                await self._node(output)
        except InterruptedPrompt:
            self._message("execution_interrupted", self._where(), broadcast=True)
        except Exception as exception:  # noqa: BLE001 -- whatever a node raises fails the prompt, not the server
            self._message("execution_error", self._where() | self._report(exception))
        else:
            self._message("execution_success", {})
        last_event = self.result.messages[-1][0]
        self.result.completed = last_event == "execution_success"
        mine = set(self.signatures.values())
        self.engine.cache = {key: kept for key, kept in self.engine.cache.items() if key in mine}
        return self.result

    def _sign(self, node_id: str) -> str:
        """Name a node's result by its class, its values and the signatures it is linked to."""
        if node_id in self.signatures:
            return self.signatures[node_id]
        node = self.graph[node_id]
        parts: list[Any] = [node["class_type"]]
        for name, value in sorted(node["inputs"].items()):
            is_link = isinstance(value, list)
            parts.append([name, [self._sign(value[0]), value[1]] if is_link else value])
            if node["class_type"] == "LoadImage" and name == "image":
                path = self.engine.machine.folders.input_file(str(value))
                parts.append(hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None)
        signature = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        self.signatures[node_id] = signature
        return signature

    async def _node(self, node_id: str) -> Result:
        """Give a node's result: from this run, from the cache, or by running it and what it needs."""
        if node_id in self.results:
            return self.results[node_id]
        known = self.engine.cache.get(self.signatures[node_id])
        if known:
            return self._reuse(node_id, known)
        kind = self.graph[node_id]["class_type"]
        inputs = await self._inputs(node_id, kind)
        self.node_id, self.inputs = node_id, inputs
        self.engine.now_executing = (self.item.client_id, node_id)
        self._state(node_id, 0.0, 1.0, "running")
        self._tell("executing", {"node": node_id, "display_node": node_id})
        if await self.engine.backlog.pause(until=0):
            raise InterruptedPrompt
        result = await perform(kind, inputs, self.bench)
        self.executed.append(node_id)
        self.results[node_id] = result
        if result.may_be_cached:
            self.engine.cache[self.signatures[node_id]] = result
        if result.shown is not None:
            self._show(node_id, result.shown)
        ended = self.states[node_id]
        self._state(node_id, ended["max"], ended["max"], "finished")
        return result

    def _reuse(self, node_id: str, known: Result) -> Result:
        self.results[node_id] = known
        if known.shown is not None:
            if self.engine.machine.faults.take("file-gone"):
                for image in known.shown["images"]:
                    self.engine.machine.folders.remove(image)
            if self.item.client_id is not None or self.engine.version.remembers_cached_for_nobody:
                self._show(node_id, known.shown)
            self._state(node_id, 1, 1, "finished")
        return known

    async def _inputs(self, node_id: str, kind: str) -> dict[str, Any]:
        """Give a node's inputs, running what they are linked to; a switch runs one of its sides only."""
        values: dict[str, Any] = {}
        unused = ""
        for name, value in sorted(self.graph[node_id]["inputs"].items(), key=lambda one: one[0] != "switch"):
            if name == unused:
                continue
            linked = isinstance(value, list)
            values[name] = (await self._node(value[0])).values[value[1]] if linked else value
            if kind == "ComfySwitchNode" and name == "switch":
                unused = "on_false" if values[name] else "on_true"
        return values

    def _show(self, node_id: str, shown: dict[str, Any]) -> None:
        self.result.outputs[node_id] = shown
        self.result.meta[node_id] = {
            "node_id": node_id,
            "display_node": node_id,
            "parent_node": None,
            "real_node_id": node_id,
        }
        self._tell("executed", {"node": node_id, "display_node": node_id, "output": shown})

    def _record(self) -> None:
        if not self.is_recorded:
            self.is_recorded = True
            self.engine.record.begun(self.item, self.started_ms)

    async def _progress(self, value: int, maximum: int, until: float) -> None:
        if await self.engine.backlog.pause(until):
            raise InterruptedPrompt
        now = time.monotonic()
        is_throttled = self.engine.version.throttles_progress and self.previewed is None
        if is_throttled and 1 < value < maximum and now - self.last_progress < PROGRESS_EVERY_S:
            return
        self.last_progress = now
        self._state(self.node_id, value, maximum, "running")
        data = {"value": value, "max": maximum, "prompt_id": self.item.prompt_id, "node": self.node_id}
        is_first = self.engine.hub.wants_metadata(self.item.client_id)
        if self.previewed is None:
            self.engine.hub.send("progress", data, self.item.client_id)
            return
        metadata = previews.metadata(self.item.prompt_id, self.node_id)
        if is_first:
            self.engine.hub.preview(self.previewed, metadata, self.item.client_id)
        self.engine.hub.send("progress", data, self.item.client_id)
        if not is_first:
            self.engine.hub.preview(self.previewed, metadata, self.item.client_id)

    def _state(self, node_id: str, value: float, maximum: float, state: str) -> None:
        self.states[node_id] = {
            "value": value,
            "max": maximum,
            "state": state,
            "node_id": node_id,
            "prompt_id": self.item.prompt_id,
            "display_node_id": node_id,
            "parent_node_id": None,
            "real_node_id": node_id,
        }
        data = {"prompt_id": self.item.prompt_id, "nodes": dict(self.states)}
        self.engine.hub.send("progress_state", data, self.item.client_id)

    def _tell(self, event: str, data: dict[str, Any], *, broadcast: bool = False) -> None:
        """Tell the submitter; without a client id most events reach nobody, as on a real server."""
        if self.item.client_id is not None or broadcast:
            self.engine.hub.send(event, data | {"prompt_id": self.item.prompt_id}, self.item.client_id)

    def _message(self, event: str, data: dict[str, Any], *, broadcast: bool = False) -> None:
        data = {"prompt_id": self.item.prompt_id, **data, "timestamp": self.engine.machine.clock.now_ms()}
        self.result.messages.append([event, data])
        self._tell(event, data, broadcast=broadcast)

    def _where(self) -> dict[str, Any]:
        kind = self.graph[self.node_id]["class_type"] if self.node_id else ""
        return {"node_id": self.node_id, "node_type": kind, "executed": list(self.executed)}

    def _report(self, exception: Exception) -> dict[str, Any]:
        return {
            "exception_message": f"{str(exception).rstrip()}\n",
            "exception_type": _type_name(exception),
            "traceback": traceback.format_tb(exception.__traceback__),
            "current_inputs": {name: [_readable(value)] for name, value in self.inputs.items()},
            "current_outputs": list(self.graph),
        }


def _type_name(exception: Exception) -> str:
    """Name an exception as a real server would: with its module, unless it is built in."""
    if isinstance(exception, SimulatedFailure):
        return exception.kind
    kind = type(exception)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _readable(value: Any) -> Any:
    return value if isinstance(value, int | float | str | None) else str(value)
