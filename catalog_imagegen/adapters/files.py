"""Files that appear whole or not at all, whatever happens to the power."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from pathlib import Path

TEMPORARY = ".writing-"
"""Prefix of files that are being written; any that remain are of a process that died."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that after a power cut it is there whole or not at all."""
    write_all([(path, content)])


def write_all(files: Iterable[tuple[Path, bytes]]) -> None:
    """Write files, each whole or not at all, with one sync of every folder at the end."""
    folders = set()
    for path, content in files:
        temporary = path.parent / f"{TEMPORARY}{uuid.uuid4().hex}"
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        folders.add(path.parent)
    for folder in folders:
        sync_folder(folder)


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
