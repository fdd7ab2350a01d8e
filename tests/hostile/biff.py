"""Writes BIFF8 workbooks with the drawings that xlwt cannot write."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.hostile.ole2 import compound_file

_LONGEST = 8224
"""Bytes of a record; what is longer goes on in CONTINUE records."""

_BOF, _EOF, _CONTINUE, _FILEPASS = 0x0809, 0x0A, 0x3C, 0x2F
_CODEPAGE, _WINDOW1, _FONT, _FORMAT, _XF, _BOUNDSHEET = 0x42, 0x3D, 0x31, 0x041E, 0xE0, 0x85
_DRAWING_GROUP, _DRAWING, _OBJ, _SST, _LABEL_SST, _NUMBER = 0xEB, 0xEC, 0x5D, 0xFC, 0xFD, 0x0203
_DIMENSIONS, _ROW, _WINDOW2 = 0x0200, 0x0208, 0x023E
_STYLE_XFS = 15

_CONTAINER = 0xF
_DGG, _DGG_FACTS, _STORE, _STORED = 0xF000, 0xF006, 0xF001, 0xF007
_DG, _DG_FACTS, _GROUP, _SHAPE, _GROUP_FACTS = 0xF002, 0xF008, 0xF003, 0xF004, 0xF009
_SHAPE_FACTS, _OPTIONS, _ANCHOR, _CLIENT = 0xF00A, 0xF00B, 0xF010, 0xF011
_PNG, _JPEG = 0xF01E, 0xF01D
_PICTURE_SHAPE = 75
_BLIP_TO_SHOW = 0x4104
"""Property 0x0104, with the bit that says its value is the number of a picture."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture on a sheet: its number in the workbook from 1, and the cell of its upper corner from 0."""

    picture: int
    row: int
    column: int = 2
    row_offset: int = 0
    """In 1/256 of the row's height."""
    rows: int = 0
    """How many rows further down it ends."""


def xls(
    rows: Sequence[Sequence[str | float | None]],
    *,
    title: str = "商品",
    pictures: Sequence[bytes] = (),
    placed: Sequence[Placed] = (),
    heights: Mapping[int, int] | None = None,
    is_locked: bool = False,
) -> bytes:
    """A workbook of one sheet: its cells, pictures and the heights of rows in twentieths of a point."""
    texts = list(dict.fromkeys(value for line in rows for value in line if isinstance(value, str)))
    page = b"".join(_sheet(rows, texts, placed, heights or {}))
    start = len(b"".join(_globals(title, 0, texts, pictures, is_locked=is_locked)))
    book = b"".join(_globals(title, start, texts, pictures, is_locked=is_locked))
    streams = {
        "Workbook": book + page,
        "\1CompObj": bytes(73),
        "\1Ole": bytes(20),
        "\5SummaryInformation": bytes(200),
        "\5DocumentSummaryInformation": bytes(168),
    }
    return compound_file(streams)


def _record(number: int, data: bytes = b"") -> bytes:
    pieces = [data[at : at + _LONGEST] for at in range(0, len(data), _LONGEST)] or [b""]
    kinds = [number, *[_CONTINUE] * (len(pieces) - 1)]
    return b"".join(
        struct.pack("<HH", kind, len(piece)) + piece for kind, piece in zip(kinds, pieces, strict=True)
    )


def _text(text: str, length: str) -> bytes:
    """A string with its count before it; Latin letters take one byte each, as in real files."""
    is_wide = any(ord(char) > 0xFF for char in text)
    encoded = text.encode("utf-16-le" if is_wide else "latin-1")
    return struct.pack(f"<{length}B", len(text), is_wide) + encoded


def _globals(
    title: str, start: int, texts: Sequence[str], pictures: Sequence[bytes], *, is_locked: bool
) -> Iterator[bytes]:
    yield _record(_BOF, struct.pack("<HHHHII", 0x600, 5, 0x0DBB, 0x07CC, 0, 6))
    if is_locked:
        yield _record(_FILEPASS, struct.pack("<HHH", 1, 1, 1) + bytes(range(48)))
    yield _record(_CODEPAGE, struct.pack("<H", 1200))
    yield _record(_WINDOW1, struct.pack("<9H", 0, 0, 0x4000, 0x2000, 0x38, 0, 0, 1, 0x258))
    font = struct.pack("<HHHHHBBBB", 220, 0, 8, 400, 0, 0, 2, 1, 0) + _text("Calibri", "B")
    yield _record(_FONT, font) * 4
    yield _record(_FORMAT, struct.pack("<H", 164) + _text("General", "H"))
    style, cell = (struct.pack("<HHHIIIH", 0, 164, kind, 0x20, 0, 0, 0x20C0) for kind in (0xFFF5, 1))
    yield _record(_XF, style) * _STYLE_XFS + _record(_XF, cell)
    yield _record(_BOUNDSHEET, struct.pack("<IBB", start, 0, 0) + _text(title, "B"))
    if pictures:
        yield _record(_DRAWING_GROUP, _drawing_group(pictures))
    yield _record(_SST, struct.pack("<II", len(texts), len(texts)) + b"".join(_text(t, "H") for t in texts))
    yield _record(_EOF)


def _sheet(
    rows: Sequence[Sequence[str | float | None]],
    texts: Sequence[str],
    placed: Sequence[Placed],
    heights: Mapping[int, int],
) -> Iterator[bytes]:
    width = max(map(len, rows))
    yield _record(_BOF, struct.pack("<HHHHII", 0x600, 16, 0x0DBB, 0x07CC, 0, 6))
    yield _record(_DIMENSIONS, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
    for number in range(len(rows)):
        height = heights.get(number, 300)
        flags = 0x140 if number in heights else 0x100
        yield _record(_ROW, struct.pack("<HHHHHHHH", number, 0, width, height, 0, 0, flags, 15))
    for number, line in enumerate(rows):
        for column, value in enumerate(line):
            place = struct.pack("<HHH", number, column, _STYLE_XFS)
            if isinstance(value, str):
                yield _record(_LABEL_SST, place + struct.pack("<I", texts.index(value)))
            elif value is not None:
                yield _record(_NUMBER, place + struct.pack("<d", value))
    yield from _drawing(placed)
    yield _record(_WINDOW2, struct.pack("<HHHIHHI", 0x6B6, 0, 0, 0x40, 0, 0, 0))
    yield _record(_EOF)


# --- drawings: atoms and containers of [MS-ODRAW] -------------------------------------------------------------------


def _atom(kind: int, data: bytes = b"", *, version: int = 0, instance: int = 0, more: int = 0) -> bytes:
    """An atom; *more* bytes of it stand in later records."""
    return struct.pack("<HHI", instance << 4 | version, kind, len(data) + more) + data


def _container(kind: int, *inside: bytes, instance: int = 0, more: int = 0) -> bytes:
    return _atom(kind, b"".join(inside), version=_CONTAINER, instance=instance, more=more)


def _drawing_group(pictures: Sequence[bytes]) -> bytes:
    shapes = len(pictures) + 1
    facts = struct.pack("<IIIIII", 0x403, 2, shapes, 1, 1, shapes)
    store = _container(_STORE, *map(_stored, pictures), instance=len(pictures))
    return _container(_DGG, _atom(_DGG_FACTS, facts), store)


def _stored(picture: bytes) -> bytes:
    """A picture as the workbook keeps it, behind 16 bytes that need not be its MD5."""
    is_png = picture.startswith(b"\x89PNG")
    name = hashlib.md5(picture, usedforsecurity=False).digest()
    kind, instance, number = (_PNG, 0x6E0, 6) if is_png else (_JPEG, 0x46A, 5)
    blip = _atom(kind, name + b"\xff" + picture, instance=instance)
    head = struct.pack("<BB16sHIII4x", number, number, name, 0, len(blip), 1, 0)
    return _atom(_STORED, head + blip, version=2, instance=number)


def _drawing(placed: Sequence[Placed]) -> Iterator[bytes]:
    """The pictures of a sheet: one tree, cut after each shape by the record that describes its object."""
    if not placed:
        return
    shapes = [_shape(number, each) for number, each in enumerate(placed, 1)]
    patriarch = _container(
        _SHAPE,
        _atom(_GROUP_FACTS, bytes(16), version=1),
        _atom(_SHAPE_FACTS, struct.pack("<II", 0x400, 5), version=2),
    )
    facts = _atom(_DG_FACTS, struct.pack("<II", len(shapes) + 1, 0x400 + len(shapes)), instance=1)
    rest = sum(map(len, shapes))
    group = _container(_GROUP, patriarch, more=rest)
    head = _container(_DG, facts, group, more=rest)
    for number, shape in enumerate(shapes, 1):
        yield _record(_DRAWING, head + shape if number == 1 else shape)
        told = struct.pack("<HHHHH12x", 0x15, 18, 8, number, 0x6011) + bytes(4)
        yield _record(_OBJ, told)


def _shape(number: int, each: Placed) -> bytes:
    options = struct.pack("<HIHI", 0x7F, 0x80_0080, _BLIP_TO_SHOW, each.picture)
    cell = struct.pack(
        "<9H",
        0, each.column, 0, each.row, each.row_offset, each.column + 1, 0, each.row + each.rows, 240,
    )  # fmt: skip
    return _container(
        _SHAPE,
        _atom(_SHAPE_FACTS, struct.pack("<II", 0x400 + number, 0xA00), version=2, instance=_PICTURE_SHAPE),
        _atom(_OPTIONS, options, version=3, instance=2),
        _atom(_ANCHOR, cell),
        _atom(_CLIENT),
    )
