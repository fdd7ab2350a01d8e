"""The worker: takes prompts off the queue one after the other and keeps the node results of the last one."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from catalog_imagegen.simulator.backlog import Backlog, Finished, Item
from catalog_imagegen.simulator.events import Hub
from catalog_imagegen.simulator.run import Run
from catalog_imagegen.simulator.sampling import Machine, ServerDied
from catalog_imagegen.simulator.values import Result
from catalog_imagegen.simulator.versions import Version


class Record(Protocol):
    """What is told of a prompt whose sampler really runs."""

    def begun(self, item: Item, started_ms: int) -> None:
        """Note the execution."""

    def ended(self, item: Item, *, completed: bool) -> None:
        """Note how it ended."""


@dataclass
class Engine:
    """Executes prompts; *die* is told when the process is to be killed and for how long it is to stay away."""

    machine: Machine
    backlog: Backlog
    hub: Hub
    version: Version
    record: Record
    die: Callable[[float], None]

    def __post_init__(self) -> None:
        self.cache: dict[str, Result] = {}
        self.now_executing: tuple[str | None, str] | None = None  # client id and node, for who reconnects
        self._is_cache_stale = False

    def free(self, *, forget_results: bool) -> None:
        """Free the GPU's memory, and forget cached node results before the next prompt."""
        self.machine.memory.free()
        self._is_cache_stale = self._is_cache_stale or forget_results

    async def work(self) -> None:
        """Execute what is queued, until cancelled."""
        while True:
            await self.backlog.waited()
            dead_s = self.machine.faults.amount("dead-worker")
            if dead_s is not None:
                await asyncio.sleep(dead_s)
            try:
                item = self.backlog.take()
            except TypeError:  # two items cannot be told apart; a real worker thread dies of it too
                await asyncio.Event().wait()
            if item is None:  # deleted while it waited
                continue
            try:
                await self._execute(item)
            except ServerDied as death:
                self.record.ended(item, completed=False)
                self.die(death.down_s)
                await asyncio.Event().wait()

    async def _execute(self, item: Item) -> None:
        if self._is_cache_stale:
            self._is_cache_stale, self.cache = False, {}
        run = Run(self, item, started_ms=int(time.time() * 1000))
        result = await run.execute()
        if run.is_recorded:
            self.record.ended(item, completed=result.completed)
        faults = self.machine.faults
        if (down_s := faults.amount("restart")) is not None:
            raise ServerDied(down_s)
        self.now_executing = None
        if result.completed and faults.take("forget"):
            self._forget(result)
            self.backlog.release()
        elif result.completed and (late_s := faults.amount("late-history")) is not None:
            self.backlog.release()
            await asyncio.sleep(late_s)
            self.backlog.remember(item, result)
        else:
            self.backlog.remember(item, result)
            self.backlog.release()
        if item.client_id is not None:
            self.hub.send("executing", {"node": None, "prompt_id": item.prompt_id}, item.client_id)

    def _forget(self, result: Finished) -> None:
        self.cache = {}
        for output in result.outputs.values():
            for image in output["images"]:
                self.machine.folders.remove(image)
