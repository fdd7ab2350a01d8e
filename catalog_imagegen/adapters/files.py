"""Files that appear whole or not at all, whatever happens to the power."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from catalog_imagegen.domain.errors import ConfigError, StorageFull

TEMPORARY = ".writing-"
"""Prefix of files and folders that are being written; any that remain are of a process that died."""
_MOST_OPEN = 64
"""Files at a time; a listing has thirty at most."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that after a power cut it is there whole or not at all."""
    place(stage([(path, content)]))


@dataclass(frozen=True, slots=True)
class Staged:
    """A file whose bytes are on the disk, under a temporary name beside its own."""

    temporary: Path
    path: Path


def stage(files: Iterable[tuple[Path, bytes]]) -> list[Staged]:
    """Bring bytes to the disk without showing them. Raises StorageFull or ConfigError, and leaves nothing."""
    contents = list(files)
    staged = [Staged(path.parent / f"{TEMPORARY}{uuid.uuid4().hex}", path) for path, _ in contents]
    try:
        _bring([(file.temporary, content) for file, (_, content) in zip(staged, contents, strict=True)])
    except OSError as error:
        discard(staged)
        raise explain(error, staged[-1].path) from error
    return staged


def _bring(files: Sequence[tuple[Path, bytes]]) -> None:
    """Write files whose bytes are on the disk when this returns.

    All are on their way before the first is waited for, so that the disk's journal is written once, not once a file.
    """
    for start in range(0, len(files), _MOST_OPEN):
        opened: list[int] = []
        try:
            for path, content in files[start : start + _MOST_OPEN]:
                opened.append(os.open(path, _NEW, 0o666))
                _write(opened[-1], content)
                _begin_writing(opened[-1])
            for descriptor in opened:
                os.fsync(descriptor)
        finally:
            for descriptor in opened:
                os.close(descriptor)


def _write(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def place(staged: Sequence[Staged]) -> None:
    """Show staged files under their names, in order."""
    try:
        for file in staged:
            file.temporary.replace(file.path)
        for folder in {file.path.parent for file in staged}:
            sync_folder(folder)
    except OSError as error:
        discard(staged)
        raise explain(error, staged[0].path) from error


def _begin_writing(descriptor: int) -> None:
    """Have the system begin to write a file: Linux does so when told not to keep it, and keeps what is not written yet."""
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):  # no more than a hint
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def write_folder(folder: Path, files: Sequence[tuple[str, bytes]]) -> bool:
    """Make a folder that after a power cut is there with all its files or not at all.

    False where one with something in it is there already. Raises StorageFull or ConfigError, and leaves nothing.
    """
    make_folder(folder.parent)
    workbench = folder.parent / f"{TEMPORARY}{uuid.uuid4().hex}"
    try:
        workbench.mkdir()
        _bring([(workbench / name, content) for name, content in files])
        sync_folder(workbench)
        workbench.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        shutil.rmtree(workbench, ignore_errors=True)
        if error.errno == errno.ENOTEMPTY:
            return False
        raise explain(error, folder) from error
    return True


def discard(staged: Sequence[Staged]) -> None:
    """Remove what was staged and is not placed."""
    for file in staged:
        with suppress(OSError):  # a read-only disk refuses this too; the next recovery sweeps
            file.temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, durably. Raises StorageFull or ConfigError."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir(exist_ok=True)
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
    if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
        return ConfigError(
            f"{place}: something else is in the way ({error.strerror}); move it away and run again",
            zh=f"{place}：该位置被其他文件占用（{error.strerror}）；请移走后重新运行",
            code="in_the_way",
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
    found = sorted(folder.rglob(f"{TEMPORARY}*")) if folder.is_dir() else []
    for path in found:
        if path.is_dir() and not path.is_symlink():  # the workbench of an export
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return len(found)
