"""Listing folders on disk: ``<platform>/<subject>/<files>`` with a ``listing.json`` beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from catalog_imagegen.adapters.files import make_folder, write_all
from catalog_imagegen.stages.rendition import Rendition

MANIFEST = "listing.json"
PICTURES = {".jpg", ".png"}


class FolderListings:
    """Listings below one folder. Everything in them is a projection, so foreign pictures are swept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def listing_key(self, platform: str, folder: str) -> str:
        """The key of the listing that stands there whole, or ``""``."""
        place = self._folder / platform / folder
        manifest = _read(place)
        names = {file["name"] for file in manifest.get("files", ())}
        is_whole = all(_size(place / f["name"]) == f["bytes"] for f in manifest.get("files", ()))
        return str(manifest.get("listing_key", "")) if is_whole and not _foreign(place, names) else ""

    def renditions(self, platform: str, folder: str) -> Mapping[str, Rendition]:
        """Rendition key → the intact files that stand there."""
        place = self._folder / platform / folder
        return {
            file["rendition_key"]: Rendition(
                (place / file["name"]).read_bytes(), file["width"], file["height"], tuple(file["verdicts"])
            )
            for file in _read(place).get("files", ())
            if _size(place / file["name"]) == file["bytes"]
        }

    def write(
        self, platform: str, folder: str, files: Iterable[tuple[str, bytes]], manifest: Mapping[str, Any]
    ) -> None:
        """Replace a listing; see the port.

        Between the old ``listing.json`` and the new one there is none, so that a listing that was cut
        off is seen to be incomplete. A full disk is noticed before the old one goes.
        """
        place = self._folder / platform / folder
        make_folder(place)
        pictures = [(place / name, content) for name, content in files]
        text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
        last = (place / MANIFEST, text.encode())
        write_all([*pictures, last], on_written=lambda: last[0].unlink(missing_ok=True))
        for path in _foreign(place, {path.name for path, _ in pictures}):
            path.unlink(missing_ok=True)


def _read(place: Path) -> Mapping[str, Any]:
    try:
        manifest = json.loads((place / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _foreign(place: Path, names: set[str]) -> list[Path]:
    """Pictures that no listing names: left by a listing that was cut off, or put there by hand."""
    if not place.is_dir():
        return []
    return [p for p in place.iterdir() if p.suffix in PICTURES and p.name not in names]
