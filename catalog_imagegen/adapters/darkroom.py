"""Has the files of listings made by processes of their own: encoding is work for all processors."""

from __future__ import annotations

import ctypes
import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import cached_property

from catalog_imagegen.adapters.child_process import belong_to_parent, end_at_once, processors
from catalog_imagegen.pipeline.develop import DarkroomHere, Developed, Order

SOON = 16
"""Orders that are filled here before processes are started: for a few pictures that would take longer."""
MOST_RESTARTS = 20
_MOST = 8
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
"""Of glibc's mallopt. Pixels are freed and taken again at once: kept, they cost a quarter less time."""
_KEPT_BYTES, _NEVER = 1 << 30, (1 << 31) - 1


class ProcessDarkroom:
    """The Darkroom port, with one process for each processor; they start once there is enough to do."""

    def __init__(self, here: DarkroomHere) -> None:
        self._here = here
        self._filled = 0
        self._restarts = 0
        self._count = processors(_MOST)

    @property
    def ahead(self) -> int:
        """See the port; four times as many as there are processes, so that none waits while half of them are written."""
        return 4 * self._count

    @cached_property
    def _pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        return ProcessPoolExecutor(self._count, context, initializer=_begin, initargs=(self._here,))

    def begin(self, order: Order) -> Callable[[], Developed | None]:
        """See the port."""
        self._filled += 1
        if self._filled <= SOON or self._count == 1:
            return self._here.begin(order)
        try:
            future = self._pool.submit(_fill, order)
        except OSError:  # no process can be started
            return self._here.begin(order)
        except BrokenProcessPool:
            self._start_again()
            return self._here.begin(order)
        return lambda: self._result(future, order)

    def _start_again(self) -> None:
        """With the next order, unless processes have been killed too often: a command may run for weeks."""
        if self._restarts < MOST_RESTARTS:
            self._restarts += 1
            self.close()
            del self._pool

    def _result(self, future: Future[Developed | None], order: Order) -> Developed | None:
        try:
            return future.result()
        except BrokenProcessPool:  # one was killed, mostly for want of memory
            return self._here.fill(order)

    def close(self) -> None:
        """End the processes: files that nobody waits for can be made again."""
        if "_pool" in self.__dict__:
            end_at_once(self._pool)


def _begin(here: DarkroomHere) -> None:
    global _of_process  # noqa: PLW0603 - the one thing such a process is for
    belong_to_parent()
    keep_freed_memory()
    _of_process = here


_of_process: DarkroomHere


def _fill(order: Order) -> Developed | None:
    made = _of_process.fill(order)
    for each in made or ():
        each.sha256  # noqa: B018 - reckoned here, where all processors do it
    return made


def keep_freed_memory() -> None:
    """Have freed memory stay with this process where the C library can be told so (glibc)."""
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)
        libc.mallopt(_TRIM_THRESHOLD, _NEVER)
