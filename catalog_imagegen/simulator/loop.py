"""An event loop in a thread of its own, which the servers of a process share."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs while anybody holds it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def hold(self) -> None:
        """Have the loop run until `let_go`."""
        with self._lock:
            self._holders += 1
            if self._thread is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="simulator", daemon=True)
                self._thread.start()

    def let_go(self) -> None:
        """Stop the loop if nobody else holds it."""
        with self._lock:
            self._holders -= 1
            if self._holders == 0 and self._loop and self._thread:
                self.run(self._loop.shutdown_default_executor())
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join()
                self._loop.close()
                self._loop = self._thread = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do *work* on the loop and give its result; call it while holding, and from another thread."""
        if self._loop is None:
            work.close()
            raise RuntimeError("the loop does not run; hold it first")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
