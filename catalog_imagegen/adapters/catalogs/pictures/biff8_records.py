"""The records of an old workbook, and the drawing of a sheet that is spread over many of them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_HEAD = struct.Struct("<HH")
_BEGIN, _END = 0x0809, 0x000A
_DRAWING, _OBJECT, _TEXT, _CONTINUE = 0x00EC, 0x005D, 0x01B6, 0x003C
_ABOUT_OBJECTS = {_DRAWING, _OBJECT, _TEXT}


def records(stream: bytes, offset: int = 0) -> Iterator[tuple[int, memoryview]]:
    """Kind and content of the records from a beginning to its end; what charts within have of their own is left out.

    Raises EOFError where the stream is cut off.
    """
    data, at, depth = memoryview(stream), offset, 0
    while at + _HEAD.size <= len(data):
        kind, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size + length
        if at > len(data):
            break
        if kind == _BEGIN:
            depth += 1
        elif kind == _END:
            depth -= 1
            if depth <= 0:
                return
        elif depth == 1:
            yield kind, data[at - length : at]
        elif not depth:
            break
    raise EOFError("the records end before their end record")


@dataclass(slots=True)
class Drawing:
    """Joins the pieces of a sheet's drawing.

    Long pieces go on in CONTINUE records, and some programs write all further pieces so, each after the record of its
    object; the text of a box goes on in them too, and is no part of the drawing.
    """

    content: bytearray = field(default_factory=bytearray)
    _goes_on: bool = False
    _letters: int = 0
    """Of a text box, yet to come."""
    _formats: int = 0
    """Bytes that tell how it looks, yet to come."""

    def take(self, kind: int, body: memoryview) -> None:
        """Look at the next record of the sheet."""
        if kind == _CONTINUE:
            if self._goes_on:
                self._take_more(body)
            return
        self._goes_on = kind in _ABOUT_OBJECTS
        if kind == _DRAWING:
            self.content += body
        elif kind == _TEXT:
            self._letters, self._formats = struct.unpack_from("<10xHH", body)

    def _take_more(self, body: memoryview) -> None:
        if self._letters > 0:
            is_wide = len(body) > 0 and body[0] & 1
            self._letters -= max(1, (len(body) - 1) // (2 if is_wide else 1))
        elif self._formats > 0:
            self._formats -= max(1, len(body))
        else:
            self.content += body
