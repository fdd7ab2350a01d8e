"""Writes old workbooks with drawings, record by record: [MS-XLS] and [MS-ODRAW]."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from xlwt.CompoundDoc import XlsDoc

_BOF, _EOF, _BOUND_SHEET, _CONTINUE = 0x0809, 0x000A, 0x0085, 0x003C
_DRAWING_GROUP, _DRAWING, _OBJECT, _TEXT = 0x00EB, 0x00EC, 0x005D, 0x01B6
_DEFAULT_HEIGHT, _ROW, _MERGED = 0x0225, 0x0208, 0x00E5
LONGEST = 8224
ENTRY_HEAD = 36
TALL = struct.pack("<HH", 0, 72 * 20)
"""Rows of 72 points."""


def record(kind: int, body: bytes = b"") -> bytes:
    """A record; what is too long goes on in CONTINUE records."""
    pieces = [body[at : at + LONGEST] for at in range(0, len(body), LONGEST)] or [b""]
    return b"".join(
        struct.pack("<HH", _CONTINUE if number else kind, len(piece)) + piece
        for number, piece in enumerate(pieces)
    )


def art(kind: int, *bodies: bytes, instance: int = 0, is_container: bool = False) -> bytes:
    """A record of a drawing."""
    body = b"".join(bodies)
    return struct.pack("<HHI", instance << 4 | (0xF if is_container else 0), kind, len(body)) + body


# --- pictures --------------------------------------------------------------------------------------------------------


def png_entry(content: bytes, *, with_two_ids: bool = False, name: bytes = b"") -> bytes:
    """A PNG in the store, perhaps with a name and the id of another picture it was made from."""
    ids = bytes(32 if with_two_ids else 16)
    return entry(art(0xF01E, ids, b"\xff", content, instance=0x6E1 if with_two_ids else 0x6E0), name)


def dib_entry(content: bytes) -> bytes:
    """A bitmap without the head that its file would have."""
    return entry(art(0xF01F, bytes(16), b"\xff", content, instance=0x7A8))


def emf_entry(content: bytes, *, packed: bytes | None = None) -> bytes:
    """A metafile."""
    body = zlib.compress(content) if packed is None else packed
    head = struct.pack("<I16s8sIBB", len(content), b"", b"", len(body), 0, 0xFE)
    return entry(art(0xF01A, bytes(16), head, body, instance=0x3D4))


def entry(blip: bytes, name: bytes = b"") -> bytes:
    """An entry of the store."""
    head = struct.pack("<BB16sHIIIBBBB", 6, 6, b"", 0xFF, len(blip), 1, 0, 0, len(name), 0, 0)
    return art(0xF007, head, name, blip)


# --- shapes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Anchor:
    """Rows and column from 0; offsets in 1/256 of a row's height."""

    row: int
    offset: int = 0
    last_row: int | None = None
    last_offset: int = 128
    column: int = 2

    def art(self) -> bytes:
        """As the drawing has it."""
        last = self.row if self.last_row is None else self.last_row
        numbers = (2, self.column, 0, self.row, self.offset, self.column, 512, last, self.last_offset)
        return art(0xF010, struct.pack("<9H", *numbers))


def shape(number: int, anchor: bytes = b"", *, is_deleted: bool = False) -> bytes:
    """A picture frame that shows a picture of the store."""
    flags = art(0xF00A, struct.pack("<II", 1025, 0xA00 | (8 if is_deleted else 0)))
    properties = struct.pack("<HIHI", 0x4104, number, 0xC105, 4) + b"x\0\0\0"
    return art(0xF004, flags, art(0xF00B, properties, instance=2), anchor, is_container=True)


def group(anchor: bytes, top: int, bottom: int, *children: bytes) -> bytes:
    """A group whose coordinates reach from *top* to *bottom*."""
    head = art(0xF004, art(0xF009, struct.pack("<4i", 0, top, 9, bottom)), anchor, is_container=True)
    return art(0xF003, head, *children, is_container=True)


def child(top: int, bottom: int) -> bytes:
    """Where in a group a shape lies."""
    return art(0xF00F, struct.pack("<4i", 0, top, 9, bottom))


def drawing(*shapes: bytes) -> bytes:
    """The drawing of a sheet."""
    return art(0xF002, art(0xF008, bytes(8)), group(b"", 0, 0, *shapes), is_container=True)


# --- books -----------------------------------------------------------------------------------------------------------


def as_one(content: bytes) -> bytes:
    """A drawing in one go."""
    return record(_DRAWING, content)


def object_by_object(content: bytes, *cuts: int) -> bytes:
    """A drawing of which each further piece follows the record of an object, as CONTINUE, after a box with text."""
    ends = [*cuts, len(content)]
    first, *others = (content[start:end] for start, end in zip([0, *cuts], ends, strict=True))
    text = record(_TEXT, struct.pack("<10xHH4x", 3, 8)) + record(
        _CONTINUE, b"\1" + "图片框".encode("utf-16-le")
    )
    further = (record(_OBJECT, bytes(18)) + record(_CONTINUE, piece) for piece in others)
    return record(_DRAWING, first) + text + record(_CONTINUE, bytes(8)) + b"".join(further)


def sheet(
    drawn: bytes = b"", *, merged: Sequence[tuple[int, int, int, int]] = (), rows: bytes = b""
) -> bytes:
    """The records of a worksheet: rows of 72 points, a chart with a drawing of its own, then *drawn*."""
    areas = struct.pack("<H", len(merged)) + b"".join(struct.pack("<4H", *area) for area in merged)
    begin = record(_BOF, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 6))
    chart = record(_BOF, struct.pack("<HHHHII", 0x600, 0x20, 0, 0, 0, 6))
    own = record(_DRAWING, drawing(shape(1, Anchor(9).art())))
    return b"".join(
        (
            begin,
            record(_DEFAULT_HEIGHT, TALL),
            rows,
            chart,
            own,
            record(_EOF),
            drawn,
            record(_MERGED, areas),
            record(_EOF),
        )
    )


def row_height(row: int, points: int) -> bytes:
    """A row, from 0, with a height of its own."""
    return record(_ROW, struct.pack("<HHHHHHI", row, 0, 9, points * 20, 0, 0, 0))


def xls(sheets: dict[str, bytes], *entries: bytes) -> bytes:
    """An OLE2 file with these sheets, and the pictures they share."""
    return ole2(workbook(sheets, *entries))


def workbook(sheets: dict[str, bytes], *entries: bytes) -> bytes:
    """The records of a workbook."""
    store = art(0xF001, *entries, instance=len(entries), is_container=True)
    group_record = record(_DRAWING_GROUP, art(0xF000, art(0xF006, bytes(16)), store, is_container=True))

    def head(offsets: Sequence[int]) -> bytes:
        bound = (
            record(
                _BOUND_SHEET, struct.pack("<IBBBB", offset, 0, 0, len(title), 1) + title.encode("utf-16-le")
            )
            for title, offset in zip(sheets, offsets, strict=True)
        )
        begin = record(_BOF, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 6))
        return b"".join((begin, *bound, group_record, record(_EOF)))

    offsets, at = [], len(head([0] * len(sheets)))
    for content in sheets.values():
        offsets.append(at)
        at += len(content)
    return head(offsets) + b"".join(sheets.values())


def ole2(stream: bytes) -> bytes:
    """The file around the records of a workbook."""
    saved = BytesIO()
    XlsDoc().save(saved, stream)
    return saved.getvalue()
