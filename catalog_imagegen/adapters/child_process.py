"""What every process that we start for a piece of work does first."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor


def processors(most: int) -> int:
    """How many processes can be at work at a time, *most* at most."""
    count = os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()
    return min(count or 1, most)


def end_at_once(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool, whatever they are at: Ctrl-C would wait for what nobody wants."""
    for process in list((pool._processes or {}).values()):  # noqa: SLF001 - kill_workers() is Python 3.14's
        process.kill()
    pool.shutdown(cancel_futures=True)


def belong_to_parent() -> None:
    """Leave Ctrl-C to the parent, which ends us; end with it also where it is killed: nobody else would end us then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
