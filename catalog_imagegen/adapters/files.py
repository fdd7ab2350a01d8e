"""Files that appear whole or not at all, whatever happens to the power."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

from catalog_imagegen.domain.errors import ConfigError, StorageFull

TEMPORARY = ".writing-"
"""Prefix of files that are being written; any that remain are of a process that died."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that after a power cut it is there whole or not at all."""
    write_all([(path, content)])


def write_all(files: Iterable[tuple[Path, bytes]], *, on_written: Callable[[], None] = lambda: None) -> None:
    """Write files, each whole or not at all, appearing in the order given.

    Every byte is on the disk before the first file appears; *on_written* is called in between. Raises
    StorageFull or ConfigError, and then nothing has changed.
    """
    waiting: list[tuple[Path, Path]] = []
    try:
        for path, content in files:
            temporary = path.parent / f"{TEMPORARY}{uuid.uuid4().hex}"
            waiting.append((temporary, path))
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        on_written()
        for temporary, path in waiting:
            temporary.replace(path)
        for folder in {path.parent for _, path in waiting}:
            sync_folder(folder)
    except OSError as error:
        for temporary, _ in waiting:
            temporary.unlink(missing_ok=True)
        raise explain(error, waiting[0][1].parent) from error


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, durably. Raises StorageFull or ConfigError."""
    if folder.is_dir():
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sync_folder(folder.parent)
    except OSError as error:
        raise explain(error, folder) from error


def explain(error: OSError, place: Path) -> Exception:
    """A full disk or a forbidden folder in words that say what to do; anything else as it is."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull(
            f"the disk that holds {place} is full; free some space and run again, nothing is lost",
            zh=f"{place} 所在磁盘已满；请清理空间后重新运行，已完成的工作不会丢失",
            code="disk_full",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ConfigError(
            f"{place} cannot be written ({error.strerror}); give yourself write permission or choose another "
            "folder with --workspace",
            zh=f"无法写入 {place}（{error.strerror}）；请授予写权限，或用 --workspace 指定其他文件夹",
            code="read_only",
        )
    return error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep_temporary(folder: Path) -> int:
    """Remove what dead processes left half-written below a folder; says how many files."""
    found = list(folder.rglob(f"{TEMPORARY}*")) if folder.is_dir() else []
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)
