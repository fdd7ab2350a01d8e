"""The pictures of an OpenDocument spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

from catalog_imagegen.adapters.catalogs.opc import Package, Relation
from catalog_imagegen.adapters.catalogs.pictures.bands import MergedAreas, RowBands
from catalog_imagegen.adapters.catalogs.pictures.content_xml import Frame, Table, read_tables
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
from catalog_imagegen.adapters.catalogs.pictures.media import Media

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.layout import Place

_CONTENT = "content.xml"
_MAY_SHOW = re.compile(rb"[:<](?:image|a)\b|HYPERLINK\(|DISPIMG\(", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)
_VECTORS = (".svg", ".svm", ".emf", ".wmf", ".eps", ".pdf")
"""Beside which a frame has the same picture for programs that only know pixels."""


def pictures_in_ods(data: bytes) -> Mapping[str, SheetPictures]:
    """The title of each sheet → its pictures. What is damaged is told among the troubles; nothing is raised."""
    try:
        package = Package(data)
        content = package.read(_CONTENT)
        tables = read_tables(content) if _MAY_SHOW.search(content) else []
    except UNREADABLE:
        return {}
    media = Media(package)
    return {table.title: gathered(as_far_as_readable(_items(table, media))) for table in tables}


def _items(table: Table, media: Media) -> Iterator[Item]:
    bands, merged = RowBands(table.heights, table.default_height), MergedAreas(table.merged)
    for frame in table.frames:
        place = _place(frame, bands)
        yield _picture(frame, media, merged.corner(place) if place is not None else None)
        if place is None:
            yield "image_without_cell", None
    yield from table.links
    for place in table.dispimg:
        yield "image_id_dangling", place
    if table.is_damaged:
        yield unreadable(None)


def _place(frame: Frame, bands: RowBands) -> Place | None:
    """The cell whose row a frame covers most."""
    if frame.place is None or frame.height <= 0:
        return frame.place
    row, column = frame.place
    top = bands.top(row) + frame.offset
    return bands.covered_most(top, top + frame.height), column


def _picture(frame: Frame, media: Media, place: Place | None) -> Item:
    if frame.content:
        return holding(frame.content, "floating", place)
    pixels = (href for href in frame.hrefs if not href.lower().endswith(_VECTORS))
    href = next(pixels, next(iter(frame.hrefs), ""))
    if _SCHEME.match(href):
        return SheetPicture(place, "floating", address=href)
    return media.of_relation(Relation("image", unquote(href).removeprefix("./")), "floating", place)
