"""What a simulator really executed, and when: what tests count."""

import json
import threading
import time
from dataclasses import dataclass
from typing import Any

from catalog_imagegen.simulator.backlog import Item
from catalog_imagegen.simulator.nodes import Graph


@dataclass(frozen=True)
class Execution:
    """A prompt whose sampler ran; times in ms since 1970, by a clock that is right; None while it runs."""

    prompt_id: str
    graph: Graph
    started_ms: int
    ended_ms: int | None
    completed: bool | None


@dataclass
class _Noted:
    prompt_id: str
    graph: str  # as JSON: a night's graphs would take gigabytes as objects
    started_ms: int
    ended_ms: int | None = None
    completed: bool | None = None

    def execution(self) -> Execution:
        graph = json.loads(self.graph)
        return Execution(self.prompt_id, graph, self.started_ms, self.ended_ms, self.completed)


class Executions:
    """Every execution in order; safe to read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: list[_Noted] = []

    def begun(self, item: Item, started_ms: int) -> None:
        """Note that a prompt's sampler starts."""
        with self._lock:
            self._noted.append(_Noted(item.prompt_id, json.dumps(item.graph), started_ms))

    def ended(self, item: Item, *, completed: bool) -> None:
        """Note how the last execution of a prompt ended, unless that was noted before."""
        with self._lock:
            last = self._noted[-1] if self._noted else None
            if last and last.prompt_id == item.prompt_id and last.ended_ms is None:
                last.ended_ms, last.completed = int(time.time() * 1000), completed

    def all(self) -> list[Execution]:
        """Give them all."""
        with self._lock:
            noted = list(self._noted)
        return [one.execution() for one in noted]

    def count(self) -> int:
        """Say how many there are, which costs less than giving them."""
        return len(self._noted)

    def told(self) -> list[dict[str, Any]]:
        """Describe them all as JSON."""
        return [vars(one) for one in self.all()]
