"""Immutable bytes in a folder, named by their sha-256."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from catalog_imagegen.adapters.files import make_folder, write_whole
from catalog_imagegen.domain.fingerprint import Digest, digest

log = logging.getLogger(__name__)


class FolderBlobs:
    """A blob store in a folder: ``ab/ab12…``; put is durable, and putting twice is free."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        make_folder(folder)

    def put(self, content: bytes) -> Digest:
        """Store bytes and return their name."""
        name = digest(content)
        path = self._path(name)
        if not path.exists():
            make_folder(path.parent)
            write_whole(path, content)
        return name

    def get(self, name: Digest) -> bytes:
        """Raises FileNotFoundError for an unknown name; damaged bytes are removed and unknown from then on."""
        content = self._path(name).read_bytes()
        if digest(content) != name:
            log.warning("%s: its bytes are damaged; it is dropped and will be made again", self._path(name))
            self.drop(name)
            raise FileNotFoundError(self._path(name))
        return content

    def has(self, name: Digest) -> bool:
        """Whether the bytes are there."""
        return self._path(name).is_file()

    def names(self) -> Iterator[Digest]:
        """Every name in the store."""
        for path in self._folder.glob("??/*"):
            if not path.name.startswith("."):
                yield Digest(path.name)

    def drop(self, name: Digest) -> None:
        """Remove bytes that no row names."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: Digest) -> Path:
        return self._folder / name[:2] / name
