"""What stands in listing folders, for reports."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from catalog_imagegen.adapters.manifest import ListedFile, read_manifest
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.pipeline.views import StandingFile


def standing_listings(
    folder: Path, listings: Iterable[tuple[str, str]]
) -> Mapping[tuple[str, str], Sequence[StandingFile]]:
    """What stands of these (platform, folder) below *folder*; those that do not stand whole are left out."""
    found = {}
    for platform, subject in listings:
        place = folder / platform / subject
        manifest = read_manifest(place)
        if manifest.listing_key and all(
            file.picture and file.width and file.height for file in manifest.files
        ):
            found[platform, subject] = tuple(_standing(file, place) for file in manifest.files)
    return found


def stamp_of(folder: Path, platforms: Iterable[str]) -> str:
    """Names what stands below *folder* by the names, sizes and times of its files; reads none of them."""
    named = hashlib.sha256()
    for platform in platforms:
        for place in sorted(_entries(folder / platform), key=lambda entry: entry.name):
            files = [(file.name, *_stat(file)) for file in _entries(place.path)]
            named.update(repr((platform, place.name, sorted(files))).encode())
    return named.hexdigest()


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as found:
        return list(found)
    return []


def _stat(file: os.DirEntry[str]) -> tuple[int, int]:
    """Size and time; nothing of a file that has just gone."""
    try:
        found = file.stat()
    except OSError:
        return (-1, -1)
    return (found.st_size, found.st_mtime_ns)


def _standing(file: ListedFile, place: Path) -> StandingFile:
    return StandingFile(
        name=file.name,
        placement=file.placement,
        picture=file.picture,
        role=file.role,
        slot=file.slot,
        item=file.item,
        width=file.width,
        height=file.height,
        bytes=file.bytes,
        is_approved=file.state == "approved",
        is_current=file.is_current,
        is_placeholder=file.placeholder,
        render=Digest(file.render),
        verdicts=file.verdicts,
        is_there=file.is_whole(place),
    )
