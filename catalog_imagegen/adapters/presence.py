"""Says which processes of a workspace are alive: each holds a lock on a file of its own."""

from __future__ import annotations

import fcntl
import os
import uuid
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
        self._file: BinaryIO = self._appear()

    def _appear(self) -> BinaryIO:
        """Lock a file of our own; again if somebody buried it between its making and its locking."""
        while True:
            file = self._path(self.holder).open("wb")
            fcntl.flock(file, fcntl.LOCK_EX)
            if self._path(self.holder).exists():
                return file
            file.close()

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

    def bury_the_dead(self) -> tuple[set[str], bool]:
        """The holders that ended without closing (their files are removed), and whether others live."""
        dead, has_company = set(), False
        for path in self._folder.glob("*.lock"):
            if self.is_alive(path.stem):
                has_company = has_company or path.stem != self.holder
            else:
                path.unlink(missing_ok=True)
                dead.add(path.stem)
        return dead, has_company

    def close(self) -> None:
        """Leave in good order."""
        if not self._file.closed:
            os.unlink(self._file.name)  # noqa: PTH108 - before the lock goes, so nobody sees it free
            self._file.close()

    def _path(self, holder: str) -> Path:
        return self._folder / f"{holder}.lock"
