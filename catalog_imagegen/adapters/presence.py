"""Says which processes of a workspace are alive: each holds a lock on a file of its own."""

from __future__ import annotations

import fcntl
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class Presence:
    """This process, as the others in a workspace see it.

    The kernel drops the lock whenever a process ends, however it ends, so a holder whose file can be
    locked is gone. Works across containers that share the folder; not across a network drive.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.holder = uuid.uuid4().hex
        with self._gate(fcntl.LOCK_SH):
            self._file: BinaryIO = self._path(self.holder).open("wb")
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def is_alive(self, holder: str) -> bool:
        """Whether the process called *holder* still runs."""
        if holder == self.holder:
            return True
        try:
            with self._path(holder).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    @contextmanager
    def roll_call(self) -> Iterator[tuple[set[str], bool]]:
        """The holders that ended without closing, and whether this process is alone.

        While the block runs no process can appear.
        """
        with self._gate(fcntl.LOCK_EX):
            others = {path.stem for path in self._folder.glob("*.lock")} - {self.holder}
            dead = {holder for holder in others if not self.is_alive(holder)}
            yield dead, others == dead

    @contextmanager
    def bury_the_dead(self) -> Iterator[tuple[set[str], bool]]:
        """The same, once: after the block the dead are forgotten. One that is alone may sweep up after them."""
        with self.roll_call() as (dead, is_alone):
            yield dead, is_alone
            for holder in dead:
                self._path(holder).unlink(missing_ok=True)

    def close(self) -> None:
        """Leave in good order."""
        if not self._file.closed:
            self._path(self.holder).unlink(missing_ok=True)
            self._file.close()

    @contextmanager
    def _gate(self, kind: int) -> Iterator[None]:
        with (self._folder / "gate").open("wb") as gate:
            fcntl.flock(gate, kind)
            yield

    def _path(self, holder: str) -> Path:
        return self._folder / f"{holder}.lock"
