"""The pictures that float above a worksheet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.opc import local
from catalog_imagegen.adapters.catalogs.pictures.bands import (
    GroupFrame,
    MergedAreas,
    RowBands,
    is_on_sheet,
)
from catalog_imagegen.adapters.catalogs.pictures.found import Item, as_far_as_readable
from catalog_imagegen.adapters.catalogs.pictures.media import Media, part_called, parts_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from catalog_imagegen.adapters.catalogs.layout import Layout, Place

_EMU_PER_POINT = 12700
_ANCHORS = ("twoCellAnchor", "oneCellAnchor", "absoluteAnchor")


def floating_pictures(media: Media, part: str, layout: Layout) -> Iterator[Item]:
    """The pictures of a drawing, in the order they were drawn."""
    bands, merged = RowBands.of(layout), MergedAreas(layout.merged)
    for anchor in parts_of(media.package.xml(part)):
        if local(anchor.tag) not in _ANCHORS or not _may_show(anchor):
            continue
        pictures = (
            _without_cell(media, part, anchor)
            if local(anchor.tag) == "absoluteAnchor"
            else _on_cells(media, part, anchor, bands, merged)
        )
        yield from as_far_as_readable(pictures)


def _may_show(anchor: Element) -> bool:
    return any(local(element.tag) in {"pic", "blip"} for element in anchor.iter())


def _without_cell(media: Media, part: str, anchor: Element) -> Iterator[Item]:
    for shape, _ in _shapes(anchor, GroupFrame(0, 0)):
        yield media.of_blip(part, _blip(shape), "floating", None)
        yield "image_without_cell", None


def _on_cells(
    media: Media, part: str, anchor: Element, bands: RowBands, merged: MergedAreas
) -> Iterator[Item]:
    (row, column), top = _corner(anchor, "from", bands)
    for shape, frame in _shapes(anchor, GroupFrame(top, _bottom(anchor, top, bands))):
        most = bands.covered_most(frame.top, frame.bottom) if frame.bottom > frame.top else row
        yield media.of_blip(part, _blip(shape), "floating", merged.corner((most, column)))


def _corner(anchor: Element, name: str, bands: RowBands) -> tuple[Place, float]:
    """A cell of an anchor and how far down the sheet its point in that cell lies. Raises ValueError."""
    fields = {local(field.tag): field.text or "" for field in part_called(anchor, name) or ()}
    place = int(fields.get("row", "")) + 1, int(fields.get("col", ""))
    if not is_on_sheet(place):
        raise ValueError(f"no sheet has a cell {place}")
    offset = int(fields.get("rowOff") or 0) / _EMU_PER_POINT
    return place, bands.top(place[0]) + min(max(offset, 0.0), bands.height(place[0]))


def _bottom(anchor: Element, top: float, bands: RowBands) -> float:
    if part_called(anchor, "to") is not None:
        return _corner(anchor, "to", bands)[1]
    extent = part_called(anchor, "ext")
    return top + int(extent.get("cy", "0")) / _EMU_PER_POINT if extent is not None else top


def _shapes(anchor: Element, whole: GroupFrame) -> Iterator[tuple[Element, GroupFrame]]:
    """The shapes with a picture, in their order, also those of groups within groups."""
    pending = [(part, whole) for part in parts_of(anchor)][::-1]
    while pending:
        shape, around = pending.pop()
        kind = local(shape.tag)
        if kind == "grpSp":
            inside = _placed(shape, around)
            pending.extend([(part, inside) for part in parts_of(shape)][::-1])
        elif kind == "pic" or (kind == "sp" and _blip(shape) is not None):
            yield shape, _placed(shape, around)


def _placed(shape: Element, around: GroupFrame) -> GroupFrame:
    """Where in the frame around it a shape lies."""
    properties = "grpSpPr" if local(shape.tag) == "grpSp" else "spPr"
    transform = part_called(shape, properties, "xfrm")
    origin, length = _measures(transform, "chOff", "chExt")
    start, height = _measures(transform, "off", "ext")
    return GroupFrame(*around.within(start, start + height), origin, length)


def _measures(transform: Element | None, offset: str, extent: str) -> tuple[int, int]:
    """Where something begins and how tall it is, in whichever unit; nothing and nothing where that is not said."""
    start, size = part_called(transform, offset), part_called(transform, extent)
    if start is None or size is None:
        return 0, 0
    return int(start.get("y", "0")), int(size.get("cy", "0"))


def _blip(shape: Element) -> Element | None:
    """What a picture shows, or a shape that is filled with a picture; a texture is none."""
    if local(shape.tag) == "pic":
        return part_called(shape, "blipFill", "blip")
    if part_called(shape, "spPr", "blipFill", "stretch") is None:
        return None
    return part_called(shape, "spPr", "blipFill", "blip")
