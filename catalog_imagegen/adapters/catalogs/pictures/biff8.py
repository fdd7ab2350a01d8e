"""The pictures of an old workbook: .xls of Excel 97 to 2003, .et of WPS."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO

import olefile

from catalog_imagegen.adapters.catalogs.layout import Area, Place
from catalog_imagegen.adapters.catalogs.pictures.bands import MergedAreas, RowBands, is_on_sheet
from catalog_imagegen.adapters.catalogs.pictures.biff8_formulas import cells_with_dispimg
from catalog_imagegen.adapters.catalogs.pictures.biff8_records import Drawing, records
from catalog_imagegen.adapters.catalogs.pictures.found import (
    UNREADABLE,
    Item,
    SheetPicture,
    SheetPictures,
    as_far_as_readable,
    gathered,
    holding,
    unreadable,
)
from catalog_imagegen.adapters.catalogs.pictures.office_art import PictureStore, Shape, shapes

_BOUND_SHEET, _DRAWING_GROUP, _CONTINUE = 0x0085, 0x00EB, 0x003C
_ROW, _DEFAULT_HEIGHT, _MERGED = 0x0208, 0x0225, 0x00E5
_WORKSHEET = 0
_TWIPS_PER_POINT = 20
_HEIGHT = 0x7FFF
"""The other bit of a row's height says whether a person chose it."""
_ANCHOR = struct.Struct("<9H")
_ROW_PARTS = 256


@dataclass(slots=True)
class _Sheet:
    """What a worksheet's records say of its rows and pictures."""

    drawing: Drawing = field(default_factory=Drawing)
    heights: dict[int, float] = field(default_factory=dict)
    default_height: float = 0.0
    merged: list[Area] = field(default_factory=list)
    is_damaged: bool = False


def pictures_in_xls(data: bytes) -> Mapping[str, SheetPictures]:
    """The title of each worksheet → its pictures. What is damaged is told among the troubles; nothing is raised."""
    try:
        stream = _stream(data)
        titles, group = _workbook(stream)
    except UNREADABLE:
        return {}
    unknown = cells_with_dispimg(data, stream, titles)
    if not group:  # no drawings: the many cells need not be passed
        return {title: gathered(_not_found(unknown.get(title, ()))) for title in titles}
    store = PictureStore(group)
    return {
        title: gathered(_items(_sheet(stream, offset), store, unknown.get(title, ())))
        for title, offset in titles.items()
    }


def _stream(data: bytes) -> bytes:
    """The records of the workbook; none for Excel 95 and older, which keep their pictures otherwise."""
    with olefile.OleFileIO(BytesIO(data)) as file:
        content: bytes = file.openstream("Workbook").read() if file.exists("Workbook") else b""
    return content


def _workbook(stream: bytes) -> tuple[Mapping[str, int], bytes]:
    """Where each worksheet begins, and what their drawings share."""
    titles: dict[str, int] = {}
    group = bytearray()
    before = 0
    try:
        for kind, body in records(stream):
            if kind == _BOUND_SHEET and body[5] == _WORKSHEET:
                titles[_title(body)] = struct.unpack_from("<I", body)[0]
            elif kind == _DRAWING_GROUP or (kind == _CONTINUE and before == _DRAWING_GROUP):
                group += body
                kind = _DRAWING_GROUP  # noqa: PLW2901 - it goes on
            before = kind
    except UNREADABLE:
        pass  # the sheets that are known can be read
    return titles, bytes(group)


def _title(body: memoryview) -> str:
    length, is_wide = body[6], body[7] & 1
    return bytes(body[8 : 8 + length * (1 + is_wide)]).decode("utf-16-le" if is_wide else "latin-1")


def _sheet(stream: bytes, offset: int) -> _Sheet:
    """The records of one worksheet, as far as they can be read."""
    sheet = _Sheet()
    try:
        for kind, body in records(stream, offset):
            if kind == _ROW:
                row, height = struct.unpack_from("<H4xH", body)
                sheet.heights[row + 1] = (height & _HEIGHT) / _TWIPS_PER_POINT
            elif kind == _DEFAULT_HEIGHT:
                sheet.default_height = struct.unpack_from("<2xH", body)[0] / _TWIPS_PER_POINT
            elif kind == _MERGED:
                sheet.merged.extend(_areas(body))
            else:
                sheet.drawing.take(kind, body)
    except UNREADABLE:
        sheet.is_damaged = True
    return sheet


def _areas(body: memoryview) -> Iterator[Area]:
    for index in range(struct.unpack_from("<H", body)[0]):
        top, bottom, left, right = struct.unpack_from("<4H", body, 2 + index * 8)
        yield Area(top + 1, left, bottom + 1, right)


def _items(sheet: _Sheet, store: PictureStore, unknown: Collection[Place]) -> Iterator[Item]:
    taken: set[Place | None] = set()
    for item in as_far_as_readable(_floating(sheet, store)):
        yield item
        if isinstance(item, SheetPicture):
            taken.add(item.place)
    if sheet.is_damaged:
        yield unreadable(None)
    yield from _not_found(set(unknown) - taken)


def _not_found(places: Collection[Place]) -> Iterator[Item]:
    for place in sorted(places):
        yield "image_in_et_unreadable", place


def _floating(sheet: _Sheet, store: PictureStore) -> Iterator[Item]:
    bands = RowBands(((row, 1, height) for row, height in sheet.heights.items()), sheet.default_height)
    merged = MergedAreas(sheet.merged)
    for shape in shapes(bytes(sheet.drawing.content)):
        place = _place(shape, bands)
        yield holding(store.content(shape.number), "floating", merged.corner(place) if place else None)
        if place is None:
            yield "image_without_cell", None


def _place(shape: Shape, bands: RowBands) -> Place | None:
    """The cell whose row a shape covers most; None where it has no anchor."""
    if len(shape.anchor) < _ANCHOR.size:
        return None
    _, column, _, first, first_part, _, _, last, last_part = _ANCHOR.unpack_from(shape.anchor)
    start, end = _depth(first + 1, first_part, bands), _depth(last + 1, last_part, bands)
    top, bottom = (start + (end - start) * part for part in (shape.top, shape.bottom))
    place = bands.covered_most(top, bottom) if bottom > top else first + 1, column
    return place if is_on_sheet(place) else None


def _depth(row: int, parts: int, bands: RowBands) -> float:
    return bands.top(row) + bands.height(row) * min(parts, _ROW_PARTS) / _ROW_PARTS
