"""What waits, what runs, what is done: the queue the HTTP side and the execution thread share."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from catalog_imagegen.simulator.nodes import Graph

HISTORY_LIMIT = 10_000  # ComfyUI drops the oldest beyond this


@dataclass(frozen=True)
class Item:
    """One accepted prompt."""

    number: float
    prompt_id: str
    graph: Graph
    extra_data: dict[str, Any]
    outputs: list[str]

    @property
    def client_id(self) -> str | None:
        """The websocket client that hears how this prompt fares; None if none was named."""
        return self.extra_data.get("client_id")

    def listing(self) -> list[Any]:
        """Show the item as /queue and /history do, without the keys meant for paid nodes only."""
        secret = {"api_key_comfy_org", "auth_token_comfy_org"}
        extra = {key: value for key, value in self.extra_data.items() if key not in secret}
        return [self.number, self.prompt_id, self.graph, extra, self.outputs]


@dataclass
class Finished:
    """How a prompt ended; `messages` are the [event, data] pairs history keeps."""

    outputs: dict[str, Any] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)
    messages: list[list[Any]] = field(default_factory=list)
    completed: bool = True


class Backlog:
    """A thread-safe priority queue with a history; *changed* is called after every change, under the lock."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._condition = threading.Condition()
        self._pending: list[tuple[float, int, Item]] = []
        self._arrivals = itertools.count()
        self._running: Item | None = None
        self._history: dict[str, dict[str, Any]] = {}
        self._interrupted = False
        self._closed = False

    def put(self, item: Item) -> None:
        """Queue *item*; the lowest number runs first, equal numbers in order of arrival."""
        with self._condition:
            heapq.heappush(self._pending, (item.number, next(self._arrivals), item))
            self._condition.notify_all()
            self._changed()

    def take(self) -> Item | None:
        """Wait for the next item and mark it running; None once closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed or self._pending)
            if self._closed:
                return None
            self._running = heapq.heappop(self._pending)[2]
            self._interrupted = False  # an interrupt while idle does not stick
            self._changed()
            return self._running

    def finish(self, item: Item, result: Finished, *, remember: bool) -> None:
        """Take *item* off the queue and, unless it is to be forgotten, put it into the history."""
        with self._condition:
            self._running = None
            self._history.pop(item.prompt_id, None)
            if remember:
                while len(self._history) >= HISTORY_LIMIT:
                    del self._history[next(iter(self._history))]
                self._history[item.prompt_id] = {
                    "prompt": item.listing(),
                    "outputs": result.outputs,
                    "status": {
                        "status_str": "success" if result.completed else "error",
                        "completed": result.completed,
                        "messages": result.messages,
                    },
                    "meta": result.meta,
                }
            self._changed()

    def close(self) -> None:
        """Let `take` return None and whatever runs be interrupted."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    @property
    def closed(self) -> bool:
        """True once the server is going down."""
        return self._closed

    def pause(self, until: float) -> bool:
        """Sleep till *until* (time.monotonic) or till closed; True if the running prompt is to stop."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed, timeout=max(until - time.monotonic(), 0))
            return self._closed or self._interrupted

    def interrupt(self, prompt_id: str | None = None) -> bool:
        """Stop what runs, or only if it is *prompt_id*, at its next step; False if nothing was hit."""
        with self._condition:
            hit = self._running is not None and prompt_id in {None, self._running.prompt_id}
            self._interrupted = self._interrupted or hit
            return hit

    def delete(self, prompt_ids: Collection[str]) -> bool:
        """Drop the first pending entry of each id; the running one stays. False if none was pending."""
        dropped = False
        with self._condition:
            for prompt_id in prompt_ids:
                found = [entry for entry in self._pending if entry[2].prompt_id == prompt_id]
                if found:
                    self._pending.remove(found[0])
                    heapq.heapify(self._pending)
                    dropped = True
            if dropped:
                self._changed()
        return dropped

    def clear(self) -> None:
        """Drop everything pending."""
        with self._condition:
            self._pending.clear()
            self._changed()

    def waiting(self) -> tuple[list[Item], list[Item]]:
        """Give what runs and what is pending, the latter in heap order as the real server does."""
        with self._condition:
            return [self._running] if self._running else [], [entry[2] for entry in self._pending]

    def remaining(self) -> int:
        """Count what runs and what is pending."""
        with self._condition:
            return len(self._pending) + (self._running is not None)

    def history(self) -> dict[str, dict[str, Any]]:
        """Copy the history, oldest first."""
        with self._condition:
            return dict(self._history)

    def forget(self, prompt_ids: Collection[str] | None) -> None:
        """Delete these ids from the history, or all with None."""
        with self._condition:
            for prompt_id in list(self._history) if prompt_ids is None else prompt_ids:
                self._history.pop(prompt_id, None)
