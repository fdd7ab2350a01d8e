"""What waits, what runs, what is done: the queue the HTTP side and the worker share, on one event loop."""

import asyncio
import heapq
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

    def entry(self, item: Item) -> dict[str, Any]:
        """Show it as /history does."""
        return {
            "prompt": item.listing(),
            "outputs": self.outputs,
            "status": {
                "status_str": "success" if self.completed else "error",
                "completed": self.completed,
                "messages": self.messages,
            },
            "meta": self.meta,
        }


class Backlog:
    """A priority queue with a history; *changed* is called after every change of the queue."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._arrived = asyncio.Event()
        # Compared as in ComfyUI: equal numbers by id, and equal ids by their graphs, which raises TypeError.
        self._pending: list[tuple[float, str, Graph, Item]] = []
        self._running: Item | None = None
        self._history: dict[str, dict[str, Any]] = {}
        self._interrupted = False

    def put(self, item: Item) -> None:
        """Queue *item*, lowest number first; TypeError, with the item queued, if number and id are taken."""
        try:
            heapq.heappush(self._pending, (item.number, item.prompt_id, item.graph, item))
        finally:
            self._arrived.set()
        self._changed()

    async def waited(self) -> None:
        """Wait until something is pending."""
        while not self._pending:
            self._arrived.clear()
            await self._arrived.wait()

    def take(self) -> Item | None:
        """Mark the next item running; None if nothing is pending. TypeError: see `put`."""
        if not self._pending:
            return None
        self._running = heapq.heappop(self._pending)[3]
        self._interrupted = False  # an interrupt while idle does not stick
        self._changed()
        return self._running

    def release(self) -> None:
        """Take what runs off the queue."""
        self._running = None
        self._changed()

    def remember(self, item: Item, result: Finished) -> None:
        """Put *item* into the history."""
        self._history.pop(item.prompt_id, None)
        while len(self._history) >= HISTORY_LIMIT:
            del self._history[next(iter(self._history))]
        self._history[item.prompt_id] = result.entry(item)

    async def pause(self, until: float) -> bool:
        """Sleep till *until* (time.monotonic); True if the running prompt is to stop."""
        await asyncio.sleep(max(until - time.monotonic(), 0))
        return self._interrupted

    def interrupt(self, prompt_id: str | None = None) -> bool:
        """Stop what runs, or only if it is *prompt_id*, at its next step; False if nothing was hit."""
        hit = self._running is not None and prompt_id in {None, self._running.prompt_id}
        self._interrupted = self._interrupted or hit
        return hit

    def delete(self, prompt_ids: Collection[str]) -> bool:
        """Drop the first pending entry of each id; the running one stays. False if none was pending."""
        dropped = False
        for prompt_id in prompt_ids:
            found = [place for place, entry in enumerate(self._pending) if entry[1] == prompt_id]
            if found:
                del self._pending[found[0]]
                heapq.heapify(self._pending)
                dropped = True
        if dropped:
            self._changed()
        return dropped

    def clear(self) -> None:
        """Drop everything pending."""
        self._pending.clear()
        self._changed()

    def waiting(self) -> tuple[list[Item], list[Item]]:
        """Give what runs and what is pending, the latter in heap order as the real server does."""
        return [self._running] if self._running else [], [entry[3] for entry in self._pending]

    def remaining(self) -> int:
        """Count what runs and what is pending."""
        return len(self._pending) + (self._running is not None)

    def history(self) -> dict[str, dict[str, Any]]:
        """Give the history, oldest first; not to be changed."""
        return self._history

    def forget(self, prompt_ids: Collection[str] | None) -> None:
        """Delete these ids from the history, or all with None."""
        for prompt_id in list(self._history) if prompt_ids is None else prompt_ids:
            self._history.pop(prompt_id, None)
