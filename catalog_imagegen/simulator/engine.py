"""The one execution thread: takes prompts off the queue, runs their nodes, tells what happens."""

import hashlib
import json
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from catalog_imagegen.simulator.backlog import Backlog, Finished, Item
from catalog_imagegen.simulator.faults import Faults
from catalog_imagegen.simulator.files import Folders
from catalog_imagegen.simulator.nodes import Graph
from catalog_imagegen.simulator.operations import (
    InterruptedPrompt,
    Memory,
    Result,
    SimulatedFailure,
    Workbench,
    perform,
)

PROGRESS_EVERY_S = 0.1  # 0.33 sends at most about ten progress events a second


class Send(Protocol):
    """Tell a client, or everybody with None, what happened."""

    def __call__(self, event: str, data: dict[str, Any], client_id: str | None = None) -> None:
        """Send *event* to *client_id*."""


@dataclass
class Machine:
    """What the execution thread works with; outlives a restart except for the queue."""

    folders: Folders
    faults: Faults
    seconds: float
    may_exit: bool
    record: Callable[[str, Graph], None]
    memory: Memory = field(default_factory=Memory)


class Engine:
    """Runs prompts one after the other and keeps the node results of the last one."""

    def __init__(self, machine: Machine, backlog: Backlog, send: Send) -> None:
        self.machine = machine
        self.backlog = backlog
        self.send = send
        self.cache: dict[str, Result] = {}
        self.now_executing: tuple[str | None, str] | None = None  # client id and node, for who reconnects
        self._is_cache_stale = threading.Event()
        self._thread = threading.Thread(target=self._work, name="simulator-engine", daemon=True)

    def start(self) -> None:
        """Begin to take prompts."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the thread to end; close the backlog first."""
        self._thread.join()

    def free(self, *, forget_results: bool) -> None:
        """Free the GPU's memory, and forget cached node results before the next prompt."""
        self.machine.memory.times_freed += 1
        if forget_results:
            self._is_cache_stale.set()

    def _work(self) -> None:
        while item := self.backlog.take():
            if self._is_cache_stale.is_set():
                self._is_cache_stale.clear()
                self.cache = {}
            run = _Run(self, item)
            result = run.execute()
            if self.backlog.closed:
                return  # killed half-way: a real server would have told nobody either
            is_forgotten = result.completed and self.machine.faults.take("forget")
            if is_forgotten:
                self._forget(result)
            self.now_executing = None
            self.backlog.finish(item, result, remember=not is_forgotten)
            if item.client_id is not None:
                self.send("executing", {"node": None, "prompt_id": item.prompt_id}, item.client_id)

    def _forget(self, result: Finished) -> None:
        self.cache = {}
        for output in result.outputs.values():
            for image in output["images"]:
                path = self.machine.folders.path(image["type"], image["subfolder"], image["filename"])
                path.unlink(missing_ok=True)


class _Run:
    """One prompt being executed."""

    def __init__(self, engine: Engine, item: Item) -> None:
        self.engine = engine
        self.item = item
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
        machine = engine.machine
        self.bench = Workbench(
            item=item,
            folders=machine.folders,
            faults=machine.faults,
            memory=machine.memory,
            seconds=machine.seconds,
            may_exit=machine.may_exit,
            progress=self._progress,
            started_sampling=self._record,
        )

    def execute(self) -> Finished:
        self._message("execution_start", {})
        for output in self.item.outputs:
            self._sign(output)
        needed = [node_id for node_id in self.graph if node_id in self.signatures]
        cached = [node_id for node_id in needed if self.signatures[node_id] in self.engine.cache]
        self._message("execution_cached", {"nodes": cached})
        try:
            for output in self.item.outputs:
                self._node(output)
        except InterruptedPrompt:
            self._message("execution_interrupted", self._where(), broadcast=True)
        except Exception as exception:  # noqa: BLE001 -- whatever a node raises fails the prompt, not the server
            self._message("execution_error", self._where() | self._report(exception))
        else:
            self._message("execution_success", {})
        last_event = self.result.messages[-1][0]
        self.result.completed = last_event == "execution_success"
        mine = self.signatures.values()
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

    def _node(self, node_id: str) -> Result:
        """Give a node's result: from this run, from the cache, or by running it and what it needs."""
        if node_id in self.results:
            return self.results[node_id]
        known = self.engine.cache.get(self.signatures[node_id])
        if known:
            self.results[node_id] = known
            if known.shown is not None:
                self._show(node_id, known.shown)
                self._state(node_id, 1, 1, "finished")
            return known
        node = self.graph[node_id]
        inputs = {
            name: self._node(value[0]).values[value[1]] if isinstance(value, list) else value
            for name, value in node["inputs"].items()
        }
        self.node_id, self.inputs = node_id, inputs
        self.engine.now_executing = (self.item.client_id, node_id)
        self._state(node_id, 0.0, 1.0, "running")
        self._tell("executing", {"node": node_id, "display_node": node_id})
        if self.engine.backlog.pause(until=0):
            raise InterruptedPrompt
        result = perform(node["class_type"], inputs, self.bench)
        self.executed.append(node_id)
        self.results[node_id] = result
        if result.may_be_cached:
            self.engine.cache[self.signatures[node_id]] = result
        if result.shown is not None:
            self._show(node_id, result.shown)
        ended = self.states[node_id]
        self._state(node_id, ended["max"], ended["max"], "finished")
        return result

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
            self.engine.machine.record(self.item.prompt_id, self.graph)

    def _progress(self, value: int, maximum: int, until: float) -> None:
        if self.engine.backlog.pause(until):
            raise InterruptedPrompt
        now = time.monotonic()
        if value > 1 and value < maximum and now - self.last_progress < PROGRESS_EVERY_S:
            return
        self.last_progress = now
        self._state(self.node_id, value, maximum, "running")
        data = {"value": value, "max": maximum, "prompt_id": self.item.prompt_id, "node": self.node_id}
        self.engine.send("progress", data, self.item.client_id)

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
        self.engine.send("progress_state", data, self.item.client_id)

    def _tell(self, event: str, data: dict[str, Any], *, broadcast: bool = False) -> None:
        """Tell the submitter; without a client id most events reach nobody, as on a real server."""
        if self.item.client_id is not None or broadcast:
            self.engine.send(event, data | {"prompt_id": self.item.prompt_id}, self.item.client_id)

    def _message(self, event: str, data: dict[str, Any], *, broadcast: bool = False) -> None:
        data = {"prompt_id": self.item.prompt_id, **data, "timestamp": int(time.time() * 1000)}
        self.result.messages.append([event, data])
        self._tell(event, data, broadcast=broadcast)

    def _where(self) -> dict[str, Any]:
        kind = self.graph[self.node_id]["class_type"] if self.node_id else ""
        return {"node_id": self.node_id, "node_type": kind, "executed": list(self.executed)}

    def _report(self, exception: Exception) -> dict[str, Any]:
        kind = exception.kind if isinstance(exception, SimulatedFailure) else type(exception).__name__
        return {
            "exception_message": f"{str(exception).rstrip()}\n",
            "exception_type": kind,
            "traceback": traceback.format_tb(exception.__traceback__),
            "current_inputs": {name: [str(value)] for name, value in self.inputs.items()},
            "current_outputs": list(self.graph),
        }
