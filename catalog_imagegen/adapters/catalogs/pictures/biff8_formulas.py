"""The cells of an old workbook for which WPS has a picture that nobody else finds."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import StringIO

import xlrd

from catalog_imagegen.adapters.catalogs.layout import Place
from catalog_imagegen.adapters.catalogs.pictures.biff8_records import records
from catalog_imagegen.adapters.catalogs.pictures.formulas import calls_dispimg
from catalog_imagegen.adapters.catalogs.pictures.found import UNREADABLE

_NAMES = ("DISPIMG".encode("utf-16-le"), b"DISPIMG")
_FORMULA = 0x0006
_ID = re.compile(rb"\x17.(?:\x00ID_|\x01I\x00D\x00_\x00)", re.DOTALL)
"""A text in a formula that begins as the ids of these pictures do."""


def cells_with_dispimg(data: bytes, stream: bytes, titles: Mapping[str, int]) -> Mapping[str, set[Place]]:
    """Title → the cells that name a picture with DISPIMG, in their formula or as text.

    Where the function is not named anywhere, which is usual, nothing more is looked at.
    """
    if not any(name in stream for name in _NAMES):
        return {}
    found: dict[str, set[Place]] = {}
    for title, offset in titles.items():
        found[title] = set(_by_formula(stream, offset))
    for title, place in _by_text(data):
        found.setdefault(title, set()).add(place)
    return found


def _by_formula(stream: bytes, offset: int) -> Iterator[Place]:
    with suppress(*UNREADABLE):
        for kind, body in records(stream, offset):
            if kind == _FORMULA and _ID.search(body):
                row, column = struct.unpack_from("<HH", body)
                yield row + 1, column


def _by_text(data: bytes) -> Iterator[tuple[str, Place]]:
    with (
        suppress(*UNREADABLE, xlrd.XLRDError, xlrd.compdoc.CompDocError),
        xlrd.open_workbook(file_contents=data, logfile=StringIO()) as book,
    ):
        for sheet in book.sheets():
            for row in range(sheet.nrows):
                for column, value in enumerate(sheet.row_values(row)):
                    if isinstance(value, str) and calls_dispimg(value):
                        yield sheet.name, (row + 1, column)
