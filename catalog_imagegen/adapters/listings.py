"""Listing folders on disk: ``<platform>/<subject>/<files>`` with a ``listing.json`` beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from catalog_imagegen.adapters.files import discard, make_folder, place, stage, sync_folder, write_folder
from catalog_imagegen.adapters.manifest import MANIFEST, read_manifest
from catalog_imagegen.stages.rendition import Rendition


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
        for file in read_manifest(standing).files:
            (standing / file.name).unlink(missing_ok=True)
        (standing / MANIFEST).unlink(missing_ok=True)
        with suppress(OSError):
            standing.rmdir()
        with suppress(FileNotFoundError):
            sync_folder(standing if standing.exists() else standing.parent)

    def listing_key(self, platform: str, folder: str) -> str:
        """The key of the listing that stands there whole, or ``""``."""
        standing = self._folder / platform / folder
        manifest = read_manifest(standing)
        is_whole = all(file.is_whole(standing) for file in manifest.files)
        return manifest.listing_key if is_whole else ""

    def renditions(self, platform: str, folder: str) -> Mapping[str, Rendition]:
        """Rendition key → the intact files that stand there."""
        standing = self._reuse / platform / folder
        found = {}
        for file in read_manifest(standing).files:
            rendition = Rendition(_content(standing / file.name), file.width, file.height, file.verdicts)
            if rendition.sha256 == file.sha256:
                found[file.rendition_key] = rendition
        return found

    def write(
        self, platform: str, folder: str, files: Iterable[tuple[str, bytes]], manifest: Mapping[str, Any]
    ) -> None:
        """Make or replace a listing; see the port.

        Where none stands, its folder appears with everything in it. Else an interim ``listing.json`` without a key names
        all files, old and new, while they change: a listing that was cut off is seen to be incomplete, and its next
        writer knows what to remove. A full disk is noticed before the old listing is touched.
        """
        standing = self._folder / platform / folder
        pictures, whole = list(files), _json(manifest)
        if not standing.exists() and write_folder(standing, [*pictures, (MANIFEST, whole)]):
            return
        make_folder(standing)
        old = {file.name for file in read_manifest(standing).files}
        new = {name for name, _ in pictures}
        interim = _json({"files": [{"name": name} for name in sorted(old | new)]})
        staged = stage(
            (standing / name, content)
            for name, content in [(MANIFEST, interim), *pictures, (MANIFEST, whole)]
        )
        try:
            place(staged[:1])
            for name in old - new:
                (standing / name).unlink(missing_ok=True)
            place(staged[1:-1])
            place(staged[-1:])
        except BaseException:
            discard(staged)
            raise


def _json(value: Mapping[str, Any]) -> bytes:
    """One line for each entry, and for each file; ``indent`` would have Python write all of it by itself."""
    lines = ",\n".join(f" {_line(key)}: {_entry(each)}" for key, each in value.items())
    return f"{{\n{lines}\n}}\n".encode()


def _entry(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return _line(value)
    return "[\n" + ",\n".join(f"  {_line(each)}" for each in value) + "\n ]"


_line = json.JSONEncoder(ensure_ascii=False).encode


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
