"""Listing folders on disk: ``<platform>/<subject>/<files>`` with a ``listing.json`` beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, field_validator

from catalog_imagegen.adapters.files import discard, make_folder, place, stage, write_whole
from catalog_imagegen.domain.imaging import Verdict
from catalog_imagegen.stages.rendition import Rendition

MANIFEST = "listing.json"


class FolderListings:
    """Listings below one folder. Only files that a ``listing.json`` names are replaced or removed."""

    def __init__(self, folder: Path, *, reuse: Path | None = None) -> None:
        self._folder = folder
        self._reuse = reuse or folder
        """Where files may already stand that need not be made again."""

    def exists(self, platform: str, folder: str) -> bool:
        """Whether a listing stands there, whole or not."""
        return (self._folder / platform / folder / MANIFEST).is_file()

    def remove(self, platform: str, folder: str) -> None:
        """Remove a listing and the files it names, and its folder unless others put something there."""
        standing = self._folder / platform / folder
        for file in _read(standing).files:
            (standing / file.name).unlink(missing_ok=True)
        (standing / MANIFEST).unlink(missing_ok=True)
        with suppress(OSError):
            standing.rmdir()

    def listing_key(self, platform: str, folder: str) -> str:
        """The key of the listing that stands there whole, or ``""``."""
        standing = self._folder / platform / folder
        manifest = _read(standing)
        is_whole = all(_size(standing / file.name) == file.bytes for file in manifest.files)
        return manifest.listing_key if is_whole else ""

    def renditions(self, platform: str, folder: str) -> Mapping[str, Rendition]:
        """Rendition key → the intact files that stand there."""
        standing = self._reuse / platform / folder
        found = {}
        for file in _read(standing).files:
            content = _content(standing / file.name)
            if hashlib.sha256(content).hexdigest() == file.sha256:
                found[file.rendition_key] = Rendition(content, file.width, file.height, file.verdicts)
        return found

    def write(
        self, platform: str, folder: str, files: Iterable[tuple[str, bytes]], manifest: Mapping[str, Any]
    ) -> None:
        """Replace a listing; see the port.

        While files change, an interim ``listing.json`` without a key names all of them, old and new: a
        listing that was cut off is seen to be incomplete, and its next writer knows what to remove. A
        full disk is noticed before the old listing is touched.
        """
        standing = self._folder / platform / folder
        make_folder(standing)
        pictures = [(standing / name, content) for name, content in files]
        old = {file.name for file in _read(standing).files}
        new = {path.name for path, _ in pictures}
        staged = stage([*pictures, (standing / MANIFEST, _json(manifest))])
        try:
            write_whole(standing / MANIFEST, _json({"files": [{"name": n} for n in sorted(old | new)]}))
        except BaseException:
            discard(staged)
            raise
        place(staged[:-1])
        for name in old - new:
            (standing / name).unlink(missing_ok=True)
        place(staged[-1:])


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


class _File(BaseModel):
    """What is read back of a file in ``listing.json``."""

    name: str = Field(pattern=r"^[^/\\]+$")
    bytes: int = -1
    sha256: str = ""
    width: int = 0
    height: int = 0
    rendition_key: str = ""
    verdicts: tuple[Verdict, ...] = ()

    @field_validator("verdicts", mode="before")
    @classmethod
    def _without_bare_codes(cls, found: Any) -> Any:
        """Version 0.1 listed codes only; its files are made again, but must be known to be removed."""
        return [verdict for verdict in found if isinstance(verdict, dict)] if isinstance(found, list) else ()


class _Manifest(BaseModel):
    """What is read back of ``listing.json``; anything else in it is for others."""

    listing_key: str = ""
    files: tuple[_File, ...] = ()


def _read(place: Path) -> _Manifest:
    """The manifest that stands in a folder; an odd one counts for nothing, for it can be made again."""
    try:
        return _Manifest.model_validate_json((place / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return _Manifest()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
