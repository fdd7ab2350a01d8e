"""The pictures with which comments of cells are filled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.opc import attribute, local
from catalog_imagegen.adapters.catalogs.pictures.bands import is_on_sheet
from catalog_imagegen.adapters.catalogs.pictures.found import Item, unreadable
from catalog_imagegen.adapters.catalogs.pictures.media import Media, part_called

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def comment_pictures(media: Media, part: str) -> Iterator[Item]:
    """The pictures of a VML drawing's comments, each on the cell that has the comment.

    What else it draws, such as buttons and the icons of attached files, shows no product.
    """
    if part not in media.package or b"relid" not in media.package.read(part):
        return  # without pictures it may be as malformed as VML often is
    for shape in media.package.xml(part).iter():
        if local(shape.tag) == "shape":
            yield from _of_shape(media, part, shape)


def _of_shape(media: Media, part: str, shape: Element) -> Iterator[Item]:
    about = part_called(shape, "ClientData")
    fill = part_called(shape, "fill")
    key = attribute(fill, "relid") if fill is not None else ""
    if about is None or about.get("ObjectType") != "Note" or not key:
        return
    fields = {local(field.tag): (field.text or "").strip() for field in about}
    row, column = fields.get("Row", ""), fields.get("Column", "")
    place = (int(row) + 1, int(column)) if row.isdecimal() and column.isdecimal() else None
    relation = media.relations(part).get(key)
    if place is None or not is_on_sheet(place) or relation is None:
        yield unreadable(None)
    else:
        yield media.of_relation(relation, "floating", place)
