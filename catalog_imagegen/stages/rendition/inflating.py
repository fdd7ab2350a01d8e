"""Inflates PNGs by ISA-L, in less than half the time that the libraries take who decode them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import reduce
from itertools import groupby

from PIL import Image

try:
    from isal import isal_zlib
except ImportError:  # an extra
    isal_zlib = None  # type: ignore[assignment]

PNG = b"\x89PNG\r\n\x1a\n"
_PLAIN = (8, 2, 0, 0, 0)
"""Depth, colours, compression, filters and interlacing of what ComfyUI writes: 8 bits of RGB, row after row."""
_WORTH = 0.4
"""What is packed to a smaller share, as a product on white is, libvips inflates by itself as soon or sooner."""
_STORED = 0xFFFF
"""Bytes in a block that is not compressed, at most."""


def inflated(content: bytes) -> bytes:
    """The same picture with its pixels stored as they are; other files, and those that do not inflate, unchanged.

    Nothing else of it is touched, and rows stay filtered: who decodes it finds the same pixels.
    """
    if isal_zlib is None or not content.startswith(PNG):
        return content
    parts = [list(part) for _, part in groupby(_chunks(content), lambda chunk: chunk[0] == b"IDAT")]
    if [part[0][0] == b"IDAT" for part in parts] != [False, True, False]:
        return content
    head, pixels, tail = parts
    if head[0][0] != b"IHDR" or tail[-1][0] != b"IEND":
        return content
    rows = _inflated(b"".join(chunk[8:-4] for _, chunk in pixels), *_size(content))
    if rows is None:
        return content
    stored = [b"IDAT", *_stored(rows)]
    size = _number(sum(map(len, stored[1:])))
    checksum = _number(reduce(lambda crc, part: isal_zlib.crc32(part, crc), stored, 0))
    before, after = ([chunk for _, chunk in part] for part in (head, tail))
    return b"".join([PNG, *before, size, *stored, checksum, *after])


def _chunks(content: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and bytes of each that is all there, with its length and checksum; nothing behind the last one."""
    view, place, kind = memoryview(content), len(PNG), b""
    while place + 12 <= len(view) and kind != b"IEND":
        size, kind = struct.unpack_from(">I4s", view, place)
        if place + 12 + size <= len(view):
            yield kind, view[place : place + 12 + size]
        place += 12 + size


def _size(content: bytes) -> tuple[int, int]:
    """Pixels across and down; none where it is no plain picture."""
    if len(content) < len(PNG) + 25:
        return 0, 0
    width, height, *kind = struct.unpack_from(">IIBBBBB", content, len(PNG) + 8)
    is_small = width * height <= (Image.MAX_IMAGE_PIXELS or 0)
    return (width, height) if tuple(kind) == _PLAIN and is_small else (0, 0)


def _inflated(packed: bytes, width: int, height: int) -> bytes | None:
    """All rows, each with its filter; None where there are not as many as there should be, and where it is not worth it."""
    size, inflating = height * (1 + 3 * width), isal_zlib.decompressobj()
    if not size or len(packed) < _WORTH * size:
        return None
    try:
        rows: bytes = inflating.decompress(packed, size + 1)
    except isal_zlib.error:  # type: ignore[misc]  # its stub takes the class for one of its objects
        return None
    return rows if inflating.eof and len(rows) == size else None


def _stored(rows: bytes) -> Iterator[bytes | memoryview]:
    """As zlib writes what it does not compress, in a third of its time."""
    view = memoryview(rows)
    yield b"\x78\x01"
    for start in range(0, len(view), _STORED):
        part = view[start : start + _STORED]
        yield struct.pack("<BHH", start + _STORED >= len(view), len(part), len(part) ^ _STORED)
        yield part
    yield _number(isal_zlib.adler32(rows))


def _number(value: int) -> bytes:
    return struct.pack(">I", value)
