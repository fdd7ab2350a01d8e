"""Reads many files in one process, with the memory that a reading has, and tells when one ends it or takes too long."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import resource
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from catalog_imagegen.adapters.catalogs import apart
from tests.fuzz.outcomes import Outcome, outcome_here

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

MOST_S = 20.0
"""Of a processor, for one file; each takes hundredths of a second."""
_MOST_WAITED_S = 300.0
"""Where the process does nothing, or other programs have the processors."""
DIED, HUNG = "died", "hung"
_ENDED_S = 10.0


@dataclass(frozen=True, slots=True)
class Watched:
    """An outcome, and what it took."""

    outcome: Outcome
    seconds: float = 0.0
    bytes_most: int = 0
    """Of the whole process so far."""


class WatchedReader:
    """The process; another one takes over where one dies or is ended."""

    def __init__(self, folder: Path) -> None:
        self._process: BaseProcess | None = None
        self._pipe: Connection
        self._said = folder / "reader.txt"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._end()

    def read(self, path: Path) -> Watched:
        """Read a file there. An outcome DIED or HUNG is the process's own."""
        if self._process is None:
            self._process = self._started()
        began = time.monotonic()
        self._pipe.send(path)
        try:
            if self._pipe.poll(_MOST_WAITED_S):
                found, most = self._pipe.recv()
                return Watched(found, time.monotonic() - began, most)
            is_hung = True
        except (EOFError, OSError):
            self._process.join(_ENDED_S)
            is_hung = self._process.exitcode == -signal.SIGPROF
        said = self._said.read_text(errors="replace")
        found = Outcome(HUNG, f"{said}\nno answer in {MOST_S:.0f} s") if is_hung else Outcome(DIED)
        self._end()
        return Watched(found, time.monotonic() - began)

    def _started(self) -> BaseProcess:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._said), daemon=True)
        process.start()
        theirs.close()
        self._pipe.recv()
        return process

    def _end(self) -> None:
        if self._process is not None:
            self._pipe.close()
            self._process.kill()
            self._process.join(_ENDED_S)
            self._process = None


def _serve(pipe: Connection, said: Path) -> None:
    """Answer until nobody asks any more; where one answer takes long, *said* tells what was going on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    for limit, most in ((resource.RLIMIT_AS, apart.MEMORY_BYTES), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (most, most))
    faulthandler.register(signal.SIGPROF, file=2, chain=True)  # after which the signal ends the process
    pipe.send("ready")
    with suppress(EOFError, OSError):
        while True:
            path = pipe.recv()
            signal.setitimer(signal.ITIMER_PROF, MOST_S)
            found = outcome_here(path)
            signal.setitimer(signal.ITIMER_PROF, 0)
            pipe.send((found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10))
