"""What is found of pictures in a worksheet, and what of it cannot be used."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.layout import Place
    from catalog_imagegen.domain.catalog import PictureKind

MAX_BYTES = 50 * 1024 * 1024
"""Of one picture; photos of a hundred megapixels stay below it."""

UNREADABLE = (
    ParseError, ExpatError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, ArithmeticError,
    AssertionError, AttributeError, EOFError, LookupError, OSError, RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""What zip, XML and OLE2 readers let through when a part is missing, cut off or makes no sense."""


@dataclass(frozen=True, slots=True)
class SheetPicture:
    """A picture of a worksheet."""

    place: Place | None
    """Row, from 1, and column, from 0; None: it belongs to no cell."""
    kind: PictureKind
    content: bytes = b""
    """The picture as the file has it; empty where only an address is known."""
    address: str = ""
    """A URL or path, as it is written, where the file does not hold the picture itself."""
    cell: Place | None = None
    """The cell whose value is the address: that of ``IMAGE(E4)``."""


Trouble = tuple[str, "Place | None"]
"""The code of an issue, and the cell."""
Item = SheetPicture | Trouble


@dataclass(frozen=True, slots=True)
class SheetPictures:
    """All that is found in one worksheet: what floats in the order it was drawn, then what is in cells, row by row."""

    pictures: tuple[SheetPicture, ...]
    troubles: tuple[Trouble, ...] = ()


def gathered(items: Iterable[Item]) -> SheetPictures:
    """Pictures and troubles apart; a trouble that is met again and again is told once."""
    pictures: list[SheetPicture] = []
    troubles: dict[Trouble, None] = {}
    for item in items:
        if isinstance(item, SheetPicture):
            pictures.append(item)
        else:
            troubles[item] = None
    return SheetPictures(tuple(pictures), tuple(troubles))


def as_far_as_readable(items: Iterator[Item], place: Place | None = None) -> Iterator[Item]:
    """The items up to where the file is damaged, and then that it is: one bad part must not cost the others."""
    try:
        yield from items
    except UNREADABLE:
        yield unreadable(place)


def unreadable(place: Place | None) -> Trouble:
    """Say that a picture is damaged or missing."""
    return "image_unreadable", place


def holding(content: bytes, kind: PictureKind, place: Place | None) -> Item:
    """A picture whose bytes the file holds, unless they are none or far too many."""
    if not content:
        return unreadable(place)
    if len(content) > MAX_BYTES:
        return "image_too_large", place
    return SheetPicture(place, kind, content)
