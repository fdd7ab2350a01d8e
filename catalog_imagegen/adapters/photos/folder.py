"""The shop's photos in files: absolute paths, those of the workspace, and those of its folder ``photos``."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog_imagegen.adapters.catalogs.values import is_url
from catalog_imagegen.adapters.photos import errors
from catalog_imagegen.adapters.photos.content import (
    BROKEN,
    MAX_BYTES,
    MAX_PIXELS,
    VERSION,
    TooManyPixelsError,
    prepared,
)
from catalog_imagegen.adapters.photos.errors import FOLDER
from catalog_imagegen.adapters.photos.names import Found, Names
from catalog_imagegen.adapters.photos.packed import Packed
from catalog_imagegen.adapters.reports.projection import write_soon
from catalog_imagegen.domain.errors import CatalogImagegenError, PhotoError
from catalog_imagegen.domain.fingerprint import Digest, digest
from catalog_imagegen.domain.imaging import Photo

SETTLED_NS = 2_000_000_000
"""A file that changed this recently may change again without another size or time; some disks count in seconds."""

Sign = tuple[int, int]
"""Size in bytes and time of change: a file with the same ones is taken for the same."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a photo's bytes are: in a file, or in a *member* of a zip."""

    path: Path
    member: str = ""


class FolderPhotos:
    """Photos in files: absolute paths, or relative to the workspace or its folder ``photos``.

    Where no file is as the catalog writes it, its name is looked up in ``photos`` and the zips there: catalogs come from
    computers with other drives. What was found out is remembered by path, size and time, beyond this process in
    *memory*, which may be deleted.
    """

    def __init__(self, root: Path, memory: Path) -> None:
        self._root = root
        self._memory = memory
        self._packed = Packed()
        self._names = Names(root, self._packed)
        self._known: dict[tuple[str, Sign], Photo | PhotoError] | None = None
        self._places: dict[Digest, _Place] = {}
        self._is_changed = False

    def look(self, location: str) -> Photo:
        """The photo that a catalog names. Raises PhotoError, which says what to do."""
        if is_url(location):
            raise errors.is_web_address(location)
        for path in self._candidates(location):
            if (photo := self._look(location, path)) is not None:
                return photo
        found = self._names.find(location)
        if found is not None and found.member:
            return self._look_inside(location, found)
        if found is not None and (photo := self._look(location, found.path)) is not None:
            return photo
        raise errors.not_found(location)

    def by_sku(self, sku: str, others: Collection[str] = ()) -> tuple[str, ...]:
        """The photos in the folder ``photos`` that are called after a SKU, the first one foremost.

        ``{sku}.jpg`` comes before ``{sku}_主图.jpg``, ``{sku}-1.jpg`` and the folder ``{sku}/``; those called as one of
        the *others* are theirs.
        """
        return self._names.by_sku(sku, others)

    def has_any(self) -> bool:
        """Whether any photo of the folder may be called after a SKU."""
        return self._names.has_any()

    def read(self, name: Digest) -> bytes | None:
        """The bytes of a photo that was looked at, or those of its file; None when they are others since, or gone."""
        if (place := self._places.get(name)) is None:
            return None
        try:
            content = self._packed.read(place.path, place.member) if place.member else place.path.read_bytes()
            if digest(content) != name:
                content, _ = prepared(content)
        except BROKEN:
            return None
        return content if digest(content) == name else None

    def close(self) -> None:
        """Remember what was found out."""
        self._packed.close()
        if self._known is None or not self._is_changed:
            return
        settled = time.time_ns() - SETTLED_NS
        kept = [
            [path, *sign, photo.digest, photo.extension, photo.width, photo.height, photo.original]
            for (path, sign), photo in self._known.items()
            if isinstance(photo, Photo) and sign[1] < settled
        ]
        with suppress(OSError, CatalogImagegenError):  # the next process finds it out again
            write_soon(self._memory, json.dumps({"version": VERSION, "photos": kept}).encode())

    def _candidates(self, location: str) -> list[Path]:
        """Where a photo may lie as it is written. Raises PhotoError for a relative path that leaves the workspace."""
        path = Path(location.replace("\\", "/"))
        if path.is_absolute():
            return [path]
        if os.path.normpath(path).startswith(".."):
            raise errors.leads_out(location)
        return [self._root / path, self._root / FOLDER / path]

    def _look(self, location: str, path: Path) -> Photo | None:
        """The photo in a file; None where there is none. Raises PhotoError."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # no pipe makes us wait
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise errors.unreadable(location, error) from error
        try:
            return self._look_at(location, path, descriptor)
        finally:
            os.close(descriptor)

    def _look_at(self, location: str, path: Path, descriptor: int) -> Photo:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise errors.no_file(location)
        _check_size(location, found.st_size)

        def content() -> bytes:
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read()

        return self._recalled(location, _Place(path), (found.st_size, found.st_mtime_ns), content)

    def _look_inside(self, location: str, found: Found) -> Photo:
        """The photo in a zip; it is another when the zip is. Raises PhotoError."""
        _check_size(location, found.size)
        try:
            changed = found.path.stat().st_mtime_ns
        except OSError as error:
            raise errors.unreadable(location, error) from error
        place = _Place(found.path, found.member)

        def content() -> bytes:
            return self._packed.read(place.path, place.member)

        return self._recalled(location, place, (found.size, changed), content)

    def _recalled(self, location: str, place: _Place, sign: Sign, content: Callable[[], bytes]) -> Photo:
        """What is known of a photo, or is found out from its *content* now."""
        known = self._remembered()
        key = (str(place.path / place.member) if place.member else str(place.path), sign)
        if key not in known:
            known[key] = _examined(location, content)
            self._is_changed = True
        photo = known[key]
        if isinstance(photo, PhotoError):
            raise photo
        self._places[photo.digest] = self._places[photo.original] = place
        return photo

    def _remembered(self) -> dict[tuple[str, Sign], Photo | PhotoError]:
        if self._known is None:
            self._known = {}
            with suppress(OSError, ValueError, TypeError, KeyError):
                document = json.loads(self._memory.read_bytes())
                if document["version"] == VERSION:
                    self._known |= dict(map(_entry, document["photos"]))
        return self._known


def _entry(row: list[Any]) -> tuple[tuple[str, Sign], Photo]:
    path, size, changed, name, extension, width, height, original = row
    return (path, (size, changed)), Photo(Digest(name), extension, width, height, Digest(original))


def _check_size(location: str, size: int) -> None:
    if size > MAX_BYTES:
        raise errors.too_large(location, f"{size / 1e6:.0f} MB", f"{MAX_BYTES / 1e6:.0f} MB")


def _examined(location: str, content: Callable[[], bytes]) -> Photo | PhotoError:
    try:
        return prepared(content())[1]
    except TooManyPixelsError as error:
        return errors.too_large(location, str(error), f"{MAX_PIXELS / 1e6:.0f} MP")
    except BROKEN:
        return errors.damaged(location)
