"""The drawings of old Office files ([MS-ODRAW]): what shapes show, and the pictures they share."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from catalog_imagegen.adapters.catalogs.pictures.bands import GroupFrame
from catalog_imagegen.adapters.catalogs.pictures.found import MAX_BYTES, UNREADABLE

_HEAD = struct.Struct("<HHI")
_DRAWING_GROUP, _STORE, _DRAWING, _GROUP, _SHAPE = 0xF000, 0xF001, 0xF002, 0xF003, 0xF004
_STORE_ENTRY, _COORDINATES, _SHAPE_FLAGS, _PROPERTIES = 0xF007, 0xF009, 0xF00A, 0xF00B
_CHILD_ANCHOR, _CLIENT_ANCHOR = 0xF00F, 0xF010
_METAFILES = {0xF01A, 0xF01B, 0xF01C}
_BITMAPS = {0xF01D, 0xF01E, 0xF01F, 0xF029, 0xF02A}
_DIB = 0xF01F
_PICTURE_PROPERTY = 0x0104
_PROPERTY_NUMBER = 0x3FFF
_IS_DELETED = 0x8
_IS_DEFLATED = 0
_UID, _METAFILE_HEAD, _ENTRY_HEAD, _NAME_LENGTH_AT = 16, 34, 36, 33
_CORE_HEAD, _INFO_HEAD, _BIT_FIELDS, _PALETTE_BITS = 12, 40, 3, 8
"""Of device-independent bitmaps."""


@dataclass(frozen=True, slots=True)
class _Record:
    kind: int
    instance: int
    body: memoryview


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape that shows a picture."""

    number: int
    """Of the picture, from 1."""
    anchor: bytes
    """As the application wrote it; empty where it wrote none."""
    top: float = 0.0
    bottom: float = 1.0
    """How much of the anchor's height it takes; not all of it inside a group."""


@dataclass(frozen=True, slots=True)
class _Group:
    """What a group passes on to its shapes."""

    anchor: bytes
    frame: GroupFrame
    """In parts of the anchor's height."""


class PictureStore:
    """The pictures of a workbook by number, each unpacked once."""

    def __init__(self, group: bytes) -> None:
        self._entries: list[_Record] = []
        self._contents: dict[int, bytes] = {}
        try:
            for entry in _entries(group):
                self._entries.append(entry)
        except UNREADABLE:
            pass  # what comes before the damage can be used

    def content(self, number: int) -> bytes:
        """The bytes of a picture; none where it is damaged or missing."""
        if number not in self._contents:
            self._contents[number] = self._unpacked(number)
        return self._contents[number]

    def _unpacked(self, number: int) -> bytes:
        if not 0 < number <= len(self._entries):
            return b""
        try:
            return _picture(self._entries[number - 1])
        except UNREADABLE:
            return b""


def shapes(drawing: bytes) -> Iterator[Shape]:
    """The shapes of a sheet that show pictures, in the order they were drawn, also those in groups."""
    page = _Group(b"", GroupFrame(0, 1))
    pending = [(record, page) for record in _records(memoryview(drawing))][::-1]
    while pending:
        record, around = pending.pop()
        if record.kind == _DRAWING:
            pending.extend([(each, around) for each in _records(record.body)][::-1])
        elif record.kind == _GROUP:
            children = list(_records(record.body))
            inside = _inside(children[0], around) if children else around
            pending.extend([(each, inside) for each in children[1:]][::-1])
        elif record.kind == _SHAPE:
            yield from _shape(record, around)


def _records(data: memoryview) -> Iterator[_Record]:
    """The records side by side in *data*; the last may be cut off."""
    at = 0
    while at + _HEAD.size <= len(data):
        version, kind, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        yield _Record(kind, version >> 4, data[at : at + length])
        at += length


def _fields(shape: _Record) -> dict[int, _Record]:
    return {field.kind: field for field in _records(shape.body)}


def _inside(head: _Record, around: _Group) -> _Group:
    """A group, which its first shape describes."""
    fields = _fields(head)
    anchor, top, bottom = _where(fields, around)
    origin, length = 0, 0
    if _COORDINATES in fields:
        _, origin, _, end = struct.unpack_from("<4i", fields[_COORDINATES].body)
        length = end - origin
    return _Group(anchor, GroupFrame(top, bottom, origin, length))


def _shape(record: _Record, around: _Group) -> Iterator[Shape]:
    fields = _fields(record)
    number = _picture_number(fields[_PROPERTIES]) if _PROPERTIES in fields else 0
    flags = struct.unpack_from("<II", fields[_SHAPE_FLAGS].body)[1] if _SHAPE_FLAGS in fields else 0
    if number and not flags & _IS_DELETED:
        yield Shape(number, *_where(fields, around))


def _where(fields: dict[int, _Record], around: _Group) -> tuple[bytes, float, float]:
    """The anchor of a shape, and how much of its height the shape takes."""
    if _CLIENT_ANCHOR in fields:
        return bytes(fields[_CLIENT_ANCHOR].body), 0.0, 1.0
    if _CHILD_ANCHOR not in fields:
        return around.anchor, around.frame.top, around.frame.bottom
    _, start, _, end = struct.unpack_from("<4i", fields[_CHILD_ANCHOR].body)
    return around.anchor, *around.frame.within(start, end)


def _picture_number(properties: _Record) -> int:
    """Which picture of the store a shape shows; 0: none."""
    for index in range(properties.instance):
        key, value = struct.unpack_from("<HI", properties.body, index * 6)
        if key & _PROPERTY_NUMBER == _PICTURE_PROPERTY:
            return int(value)
    return 0


def _entries(group: bytes) -> Iterator[_Record]:
    for outer in _records(memoryview(group)):
        for store in _records(outer.body) if outer.kind == _DRAWING_GROUP else ():
            if store.kind == _STORE:
                yield from _records(store.body)


def _picture(entry: _Record) -> bytes:
    """The picture in an entry of the store, as a file of its own."""
    if entry.kind == _STORE_ENTRY:
        start = _ENTRY_HEAD + entry.body[_NAME_LENGTH_AT]
        entry = next(
            _records(entry.body[start:]), entry
        )  # without a picture in it, it is none of those below
    start = _UID * (2 if entry.instance & 1 else 1)
    if entry.kind in _METAFILES:
        return _metafile(entry.body[start:])
    if entry.kind not in _BITMAPS:
        return b""
    content = bytes(entry.body[start + 1 :])
    return _bitmap_head(content) + content if entry.kind == _DIB else content


def _metafile(body: memoryview) -> bytes:
    size, is_packed = struct.unpack_from("<I28xB", body)
    content = bytes(body[_METAFILE_HEAD:])
    if is_packed != _IS_DEFLATED:
        return content[:size]
    return zlib.decompressobj().decompress(content, MAX_BYTES + 1)


def _bitmap_head(content: bytes) -> bytes:
    """What a bitmap has before it in a file of its own."""
    (head,) = struct.unpack_from("<I", content)
    if head == _CORE_HEAD:
        (bits,) = struct.unpack_from("<H", content, 10)
        colors, masks = (3 << bits if bits <= _PALETTE_BITS else 0), 0
    else:
        bits, packing, used = struct.unpack_from("<HI12xI", content, 14)
        colors = 4 * (used or (1 << bits if bits <= _PALETTE_BITS else 0))
        masks = 12 if packing == _BIT_FIELDS and head == _INFO_HEAD else 0
    return struct.pack("<2sIHHI", b"BM", 14 + len(content), 0, 0, 14 + head + masks + colors)
