"""Reads back what stands in listing folders, whichever version wrote it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, field_validator

from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.domain.imaging import Severity, Verdict
from catalog_imagegen.pipeline.views import StandingFile

MANIFEST = "listing.json"


class _Verdict(BaseModel):
    """One verdict; version 0.1 wrote bare codes."""

    code: str
    severity: Severity = "warn"
    message_en: str = ""
    message_zh: str = ""


class _File(BaseModel):
    """What a report needs of one file."""

    name: str = Field(pattern=r"^[^/\\]+$")
    placement: str
    role: str
    slot: int
    item: str
    picture: str = Field(pattern=r"^(sku|spu):.*/[^/]+/[^/]+$")
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    bytes: int
    state: str
    is_current: bool = True
    placeholder: bool = False
    render: str
    verdicts: tuple[_Verdict, ...] = ()

    @field_validator("verdicts", mode="before")
    @classmethod
    def _with_codes(cls, found: Any) -> Any:
        return [{"code": one} if isinstance(one, str) else one for one in found or ()]


class _Manifest(BaseModel):
    """A listing that stands whole; an interim one has no key."""

    listing_key: str = Field(min_length=1)
    files: tuple[_File, ...]


def standing_listings(
    folder: Path, listings: Iterable[tuple[str, str]]
) -> Mapping[tuple[str, str], Sequence[StandingFile]]:
    """What stands of these (platform, folder) below *folder*; those that do not stand whole are left out."""
    found = {}
    for platform, subject in listings:
        place = folder / platform / subject
        try:
            manifest = _Manifest.model_validate_json((place / MANIFEST).read_bytes())
        except (OSError, ValueError):
            continue
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


def _standing(file: _File, place: Path) -> StandingFile:
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
        verdicts=tuple(Verdict(v.code, v.severity, v.message_en, v.message_zh) for v in file.verdicts),
        is_there=_size(place / file.name) == file.bytes,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
