"""Decides which pictures a listing shows, in which order and under which names."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog_imagegen.domain.fingerprint import Fingerprint, fingerprint
from catalog_imagegen.domain.imaging import ImageKey, Placement, Platform, Render

VERSION = 1
MAX_NAME_BYTES = 150
_PLAIN = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
_ESCAPED = re.compile("(?:%[0-9A-F]{2})+")
_SUFFIX = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "AVIF": ".avif"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture that a listing may show, with its newest render."""

    key: ImageKey
    slot: int
    order: int
    item_text: str
    render: Render
    is_approved: bool
    is_current: bool
    """False while the render of an earlier prompt stands in for one not made yet."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a listing."""

    file_name: str
    placement: Placement
    picture: Shown


def path_safe(text: str) -> str:
    """A file name for any SKU: reversible and free of collisions on every disk.

    Characters that some disk refuses or folds are percent-encoded. Disks that ignore case would merge
    ``ab`` and ``AB``, so a name with small letters ends in ``~`` and a hexadecimal map of them. Only
    names beyond MAX_NAME_BYTES are cut, and end in a digest instead.
    """
    name = "".join(c if c in _PLAIN or _is_steady(c) else _percent(c) for c in text)
    if _RESERVED.match(name) or name.startswith("."):
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if name.endswith("."):
        name = f"{name[:-1]}%2E"
    small = [c.islower() for c in text if c in _PLAIN and c.isalpha()]
    if any(small):
        name += f"~{sum(1 << i for i, is_small in enumerate(small) if is_small):x}"
    if len(name.encode()) > MAX_NAME_BYTES:
        cut = name.encode()[: MAX_NAME_BYTES - 18].decode(errors="ignore")
        name = f"{cut}~~{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    return name


def from_path_safe(name: str) -> str:
    """The SKU that ``path_safe`` made *name* of, unless it was cut."""
    return _ESCAPED.sub(lambda m: bytes.fromhex(m[0].replace("%", "")).decode(), name.partition("~")[0])


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def _is_steady(character: str) -> bool:
    """Whether every disk keeps this character as it is: a letter without case or composition."""
    return (
        unicodedata.category(character) == "Lo"
        and unicodedata.normalize("NFD", character) == character
        and unicodedata.normalize("NFKC", character) == character
    )


def arrange(platform: Platform, pictures: Iterable[Shown], *, sku: str = "") -> tuple[Entry, ...]:
    """Fill a platform's placements: by role in the placement's order, then catalog order, then slot.

    Files are named after *sku*, if the listing is of one, else after the subject each picture is of.
    No two files get one name: a rule that does not number them has the order added.
    """
    available = sorted(pictures, key=lambda p: (p.order, p.slot, p.key))
    entries: list[Entry] = []
    taken: set[str] = set()
    for placement in platform.placements:
        fitting = [p for role in placement.roles for p in available if p.key.role == role]
        for position, picture in enumerate(fitting[: placement.count], start=1):
            kind, _, owner = picture.key.subject.partition(":")
            stem = placement.file_name.format(
                sku=path_safe(sku or owner),
                order=len(entries) + 1,
                n=position,
                role=picture.key.role,
                kind=kind,
            )
            while stem.casefold() in taken:
                stem += f"_{len(entries) + 1:02}"
            taken.add(stem.casefold())
            entries.append(Entry(stem + _SUFFIX[placement.format], placement, picture))
    return tuple(entries)


def listing_key(
    platform: Platform, subject: str, entries: Sequence[Entry], renditions: Sequence[str]
) -> Fingerprint:
    """Name a listing by its renditions and the names and standing they are listed under."""
    return fingerprint(
        "listing",
        VERSION,
        {
            "platform": platform.name,
            "subject": subject,
            "files": [
                [
                    entry.file_name,
                    entry.placement.name,
                    rendition,
                    str(entry.picture.key),
                    entry.picture.slot,
                    entry.picture.is_approved,
                    entry.picture.is_current,
                ]
                for entry, rendition in zip(entries, renditions, strict=True)
            ],
        },
    )
