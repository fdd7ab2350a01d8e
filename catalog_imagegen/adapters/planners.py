"""Has large plans made by processes of their own: writing a hundred thousand prompts is work for all processors."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cached_property
from typing import Any

from catalog_imagegen.adapters.child_process import belong_to_parent, end_at_once, processors
from catalog_imagegen.domain.imaging import Blocked, ImageKey, Prompt, Wanted
from catalog_imagegen.pipeline.want import Pictures, PlannerHere, Setup, Wish

_NICE = 5
"""The one that records what they make goes first: all wait for it in the end."""
KEPT = 100_000
"""Objects made between two searches for garbage: plans are large and hold none, and searching took a fifth of the time."""
_MOST = 8
"""More would only wait for the ledger."""


class ProcessPlanner:
    """The Planner port, with one process for each processor; they start with the first wish."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._count = processors(_MOST)

    @property
    def ahead(self) -> int:
        """See the port; one more than there are processes, so that none waits for us."""
        return self._count + 1

    @cached_property
    def _pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._count, context, initializer=_begin, initargs=(self._setup,))

    def begin(self, wish: Wish) -> Callable[[], Pictures]:
        """See the port."""
        try:
            future = self._pool.submit(_come_true, wish)
        except (BrokenProcessPool, OSError):  # no process can be started
            return PlannerHere(self._setup).begin(wish)
        return lambda: self._result(future, wish)

    def _result(self, future: Future[_Packed], wish: Wish) -> Pictures:
        try:
            return _unpacked(*future.result())
        except BrokenProcessPool:  # one was killed, mostly for want of memory
            return wish.come_true(self._setup)

    def close(self) -> None:
        """End the processes: nobody wants their batches any more."""
        if "_pool" in self.__dict__:
            end_at_once(self._pool)


def _begin(setup: Setup) -> None:
    global _here  # noqa: PLW0603 - the one thing such a process is for
    belong_to_parent()
    gc.freeze()
    gc.set_threshold(KEPT)
    os.nice(_NICE)
    _here = setup


_here: Setup


_Packed = tuple[dict[str, Any], list[Blocked]]
"""Field → its values in all pictures that are wanted; and those that are not to be made."""
_PARTS: Mapping[str, Any] = {"key": ImageKey, "prompt": Prompt}
"""The fields of a picture that have fields themselves."""


def _come_true(wish: Wish) -> _Packed:
    """What came of a wish, field by field: to write out one picture after another takes twice as long."""
    wanted, blocked = wish.come_true(_here)
    if not wanted:
        return {}, blocked
    columns = dict(zip(Wanted._fields, zip(*wanted, strict=True), strict=True))
    return columns | {name: list(zip(*columns[name], strict=True)) for name in _PARTS}, blocked


def _unpacked(columns: Mapping[str, Any], blocked: list[Blocked]) -> Pictures:
    if not columns:
        return [], blocked
    whole = {**columns, **{name: map(kind, *columns[name]) for name, kind in _PARTS.items()}}
    return list(map(Wanted, *whole.values())), blocked
