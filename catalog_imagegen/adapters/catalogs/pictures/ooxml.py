"""The pictures of an Office Open XML workbook: floating, in cells, linked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.pictures.bands import MergedAreas
from catalog_imagegen.adapters.catalogs.pictures.comments import comment_pictures
from catalog_imagegen.adapters.catalogs.pictures.drawing import floating_pictures
from catalog_imagegen.adapters.catalogs.pictures.formulas import (
    calls_dispimg,
    cell_named,
    first_argument,
    web_address,
)
from catalog_imagegen.adapters.catalogs.pictures.found import (
    UNREADABLE,
    Item,
    SheetPicture,
    SheetPictures,
    as_far_as_readable,
    gathered,
    unreadable,
)
from catalog_imagegen.adapters.catalogs.pictures.media import Media
from catalog_imagegen.adapters.catalogs.pictures.rich_values import RichValues
from catalog_imagegen.adapters.catalogs.pictures.sheet_end import SheetEnd, read_end
from catalog_imagegen.adapters.catalogs.pictures.wps_images import WpsImages

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.layout import Layout, Mark, Place
    from catalog_imagegen.adapters.catalogs.opc import Package, SheetPart

_MOST_LINKED = 1000
"""Cells that one hyperlink can name each; of a larger range only the first cell counts."""
_MOST_IN_ALL = 200_000
"""Cells from which on a range is too large that has more than one."""


class CellPictures:
    """The pictures of a workbook, sheet by sheet; what its sheets share is read once, and only when it is wanted."""

    def __init__(self, package: Package) -> None:
        self._media = Media(package)
        self._wps = WpsImages(self._media)
        self._rich = RichValues(self._media)

    def of_sheet(self, sheet: SheetPart, layout: Layout) -> SheetPictures:
        """All pictures of a worksheet. What is damaged is told among the troubles; nothing is raised."""
        return gathered(as_far_as_readable(self._items(sheet, layout)))

    def _items(self, sheet: SheetPart, layout: Layout) -> Iterator[Item]:
        try:
            end = read_end(self._media.package.read(sheet.part))
        except UNREADABLE:
            end = SheetEnd()
            yield unreadable(None)
        for key in end.drawings:
            yield from as_far_as_readable(floating_pictures(self._media, self._target(sheet, key), layout))
        for key in end.comments:
            yield from as_far_as_readable(comment_pictures(self._media, self._target(sheet, key)))
        yield from self._in_cells(sheet, layout, end)

    def _target(self, sheet: SheetPart, key: str) -> str:
        """The part that a relation of the sheet names; of one that it does not have, none."""
        relation = self._media.relations(sheet.part).get(key)
        return relation.target if relation is not None else ""

    def _in_cells(self, sheet: SheetPart, layout: Layout, end: SheetEnd) -> Iterator[Item]:
        """What formulas, rich values and hyperlinks show, row by row."""
        found: dict[Place, list[Item]] = {}
        for place, mark in layout.marks.items():
            for item in self._of_mark(mark, place, sheet):
                found.setdefault(place, []).append(item)
        merged, linked = MergedAreas(layout.merged), 0
        for reference, key in end.links:
            relation = self._media.relations(sheet.part).get(key)
            address = web_address(relation.target) if relation is not None and relation.is_external else ""
            places = _cells_of(reference, _MOST_LINKED if linked < _MOST_IN_ALL else 1) if address else ()
            for place in dict.fromkeys(merged.corner(each) for each in places):
                found.setdefault(place, []).append(SheetPicture(place, "url", address=address))
                linked += 1
        for place in sorted(found):
            yield from found[place]

    def _of_mark(self, mark: Mark, place: Place, sheet: SheetPart) -> Iterator[Item]:
        if calls_dispimg(mark.formula) or calls_dispimg(mark.value):
            yield self._wps.shown_by(mark, place)
            return
        shown = self._rich.shown_by(mark.rich_value, place) if mark.rich_value else None
        named = None if isinstance(shown, SheetPicture) else _named_by_formula(mark, place, sheet.title)
        item = named or shown
        if item is not None:
            yield item


def _named_by_formula(mark: Mark, place: Place, title: str) -> Item | None:
    """The address that a formula gives for a picture, or for a page that may be one."""
    image = first_argument(mark.formula, "IMAGE", title)
    if image is not None:
        if not image.text and image.cell is None:
            return "image_formula_not_literal", place
        return SheetPicture(place, "image_function", address=image.text, cell=image.cell)
    link = first_argument(mark.formula, "HYPERLINK", title)
    address = web_address(link.text) if link is not None else ""
    return SheetPicture(place, "url", address=address) if address else None


def _cells_of(reference: str, most: int) -> Iterator[Place]:
    """The cells of F2 or F2:F4, or only the first one of more than *most*."""
    first, _, last = reference.partition(":")
    start = cell_named(first)
    end = cell_named(last) if last else start
    if start is None or end is None:
        return
    if (end[0] - start[0] + 1) * (end[1] - start[1] + 1) > most:
        end = start
    for row in range(start[0], end[0] + 1):
        for column in range(start[1], end[1] + 1):
            yield row, column
