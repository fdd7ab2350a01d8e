"""A folder into which people drop catalogs: which files are there whole, and where they go afterwards."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from catalog_imagegen.adapters.catalogs.files import catalog_suffixes
from catalog_imagegen.adapters.files import explain, make_folder
from catalog_imagegen.domain.errors import ConfigError

Sign = tuple[int, int]
"""Size in bytes and time of change in nanoseconds."""
Outcome = Literal["done", "failed"]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file that is there whole."""

    path: Path
    digest: str
    """Of its content: the same content under another name is the same catalog."""


class DropFolder:
    """Files lie in *folder* itself; what was dealt with lies in its folders ``done`` and ``failed``.

    A file is whole once its size and time of change have stayed for *settle_s* seconds and no process has it open for
    writing. Locks of Excel and WPS (``~$…``), and files that such a lock stands for, are left alone.
    """

    def __init__(self, folder: Path, *, settle_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder
        self._settle_s = settle_s
        self._clock = clock
        self._seen: dict[Path, tuple[Sign, float]] = {}
        self.unreadable: list[Path] = []
        """Files that are there whole and cannot be read, since the last look."""

    def whole(self) -> list[Dropped]:
        """The files that are there whole now, by name. Raises ConfigError where the folder cannot be read."""
        now, found, seen = self._clock(), [], {}
        self.unreadable = []
        for path, sign in self._files():
            known, since = self._seen.get(path, (None, now))
            since = since if known == sign else now
            seen[path] = sign, since
            if now - since >= self._settle_s and not _is_being_written(path):
                digest = _digest(path)
                if digest is None and path.exists():
                    self.unreadable.append(path)
                elif digest is not None and _sign(path) == sign:
                    found.append(Dropped(path, digest))
        self._seen = seen
        return found

    @property
    def is_idle(self) -> bool:
        """Whether no file lies there that may yet be taken."""
        return {path for path, _ in self._files()} <= set(self.unreadable)

    def put_away(self, path: Path, outcome: Outcome, digest: str) -> Path:
        """Move a file that was dealt with; returns where it lies now. The same content replaces itself.

        One that is another by now stays: somebody saved a correction meanwhile.
        """
        if _digest(path) != digest:
            self._seen.pop(path, None)
            return path
        target = self.place_for(path.name, outcome, digest)
        try:
            path.replace(target)
        except OSError:  # another disk may be mounted there
            try:
                shutil.move(path, target)
            except OSError as error:
                raise explain(error, target) from error
        self._seen.pop(path, None)
        return target

    def place_for(self, name: str, outcome: Outcome, digest: str) -> Path:
        """Where a file of this name and content goes: not over another one."""
        folder = self.folder / outcome
        make_folder(folder)
        stem, suffix = Path(name).stem, Path(name).suffix
        target, number = folder / name, 2
        while target.exists() and _digest(target) != digest:
            target, number = folder / f"{stem} ({number}){suffix}", number + 1
        return target

    def _files(self) -> list[tuple[Path, Sign]]:
        try:
            names = {entry.name: entry for entry in os.scandir(self.folder)}
        except OSError as error:
            raise _no_folder(self.folder, error) from error
        locked = {name.removeprefix("~$") for name in names if name.startswith("~$")}
        found = []
        for name, entry in sorted(names.items()):
            is_catalog = Path(name).suffix.lower() in catalog_suffixes() and not name.startswith((".", "~$"))
            # A lock's name lacks the first two letters of a long one.
            if not is_catalog or name in locked or name[2:] in locked:
                continue
            with suppress(OSError):  # gone meanwhile
                if entry.is_file() and (sign := _sign(Path(entry.path))) is not None:
                    found.append((Path(entry.path), sign))
        return found


def _no_folder(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"the folder {folder} cannot be looked into ({error.strerror}); make it, mount its drive, or correct its path",
        zh=f"无法打开文件夹 {folder}（{error.strerror}）；请创建该文件夹、挂载磁盘，或更正路径",
        code="no_drop_folder",
    )


def _sign(path: Path) -> Sign | None:
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_size, about.st_mtime_ns


def _digest(path: Path) -> str | None:
    """Of the content; None where it cannot be read just now."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _is_being_written(path: Path) -> bool:
    """Whether a process has the file open for writing, as far as the system tells: a slow copy may pause for long."""
    lease, read, none = (getattr(fcntl, name, None) for name in ("F_SETLEASE", "F_RDLCK", "F_UNLCK"))
    if lease is None or read is None or none is None:
        return False
    try:
        with path.open("rb") as file:
            fcntl.fcntl(file, lease, read)
            fcntl.fcntl(file, lease, none)
    except BlockingIOError:
        return True
    except OSError:  # not our file, or a network drive: size and time must do
        return False
    return False
