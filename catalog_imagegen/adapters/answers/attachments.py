"""What hangs on a worksheet: links, pictures and comments, each in parts of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from catalog_imagegen.adapters.answers.columns import ColumnList
from catalog_imagegen.adapters.answers.drawings import drawing_of
from catalog_imagegen.adapters.answers.markup import Splice, appended, quoted, reference
from catalog_imagegen.adapters.answers.notes import (
    COMMENTS_TYPE,
    VML_TYPE,
    empty_comments,
    empty_vml,
    with_comments,
    with_shapes,
)
from catalog_imagegen.adapters.answers.parts import Parts
from catalog_imagegen.adapters.answers.sheet_xml import SheetXml
from catalog_imagegen.adapters.answers.thumbs import (
    DRAWING_TYPE,
    Thumb,
    add_thumbs,
    empty_drawing,
)
from catalog_imagegen.adapters.catalogs.grid import column_letter
from catalog_imagegen.adapters.catalogs.layout import Place
from catalog_imagegen.adapters.catalogs.pictures.bands import LAST_COLUMN, LAST_ROW

_PIXELS_PER_POINT = 4 / 3
_NO_PIXELS = 40
"""That a hidden column counts for, so that a search for room ends."""


def link_splices(parts: Parts, part: str, sheet: SheetXml, targets: Mapping[Place, str]) -> list[Splice]:
    """Links of cells, behind those of the merchandiser."""
    if not targets:
        return []
    addresses = list(dict.fromkeys(targets.values()))
    related = parts.relate(part, [("hyperlink", each) for each in addresses], is_external=True)
    keys = dict(zip(addresses, related, strict=True))
    made = b"".join(
        b'<%shyperlink ref="%s%d"%s/>'
        % (sheet.prefix, column_letter(column).encode(), row, _id(parts, sheet, keys[target]))
        for (row, column), target in sorted(targets.items())
    )
    listed = sheet.part(b"hyperlinks")
    if listed is not None:
        return [(listed.start, listed.end, appended(sheet.xml[listed.start : listed.end], made))]
    place = sheet.place_for(b"hyperlinks")
    return [(place, place, b"<%shyperlinks>%s</%shyperlinks>" % (sheet.prefix, made, sheet.prefix))]


def thumb_splices(parts: Parts, part: str, sheet: SheetXml, thumbs: Sequence[Thumb]) -> list[Splice]:
    """Pictures, above those of the merchandiser. Raises KeyError or ValueError."""
    if not thumbs:
        return []
    element = sheet.part(b"drawing")
    drawing = drawing_of(parts, part, sheet.tag(element)) if element is not None else ""
    if drawing:
        add_thumbs(parts, drawing, thumbs)
        return []
    drawing = parts.unused("xl/drawings/drawing{}.xml")
    parts.put(drawing, empty_drawing(is_strict=parts.is_strict))
    parts.declare(drawing, DRAWING_TYPE)
    add_thumbs(parts, drawing, thumbs)
    [key] = parts.relate(part, [("drawing", drawing)])
    return [_named(parts, sheet, b"drawing", key)]


def comment_splices(
    parts: Parts,
    part: str,
    sheet: SheetXml,
    said: Mapping[Place, str],
    box: Callable[[Place, int, int], tuple[int, int]],
) -> list[Splice]:
    """Comments of cells; one that is there is gone on with. Raises KeyError or ValueError."""
    if not said:
        return []
    comments = parts.related(part, "comments")
    if comments is None:
        comments = parts.unused("xl/comments{}.xml")
        parts.put(comments, empty_comments(parts.main))
        parts.declare(comments, COMMENTS_TYPE)
        parts.relate(part, [("comments", comments)])
    xml, fresh = with_comments(parts.text(comments), said)
    parts.put(comments, xml)
    element = sheet.part(b"legacyDrawing")
    relation = parts.relations(part).get(reference(sheet.tag(element))) if element is not None else None
    if relation is not None and relation.target in parts:
        parts.put(relation.target, with_shapes(parts.read(relation.target), fresh, box, said))
        return []
    vml = parts.unused("xl/drawings/vmlDrawing{}.vml")
    parts.put(vml, with_shapes(empty_vml(_block(parts)), fresh, box, said))
    if not parts.declare_all("vml", VML_TYPE):
        parts.declare(vml, VML_TYPE)
    [key] = parts.relate(part, [("vmlDrawing", vml)])
    splice = _named(parts, sheet, b"legacyDrawing", key)
    return [splice if element is None else (element.start, element.end, splice[2])]


def box_of(
    columns: ColumnList, points: Callable[[int], float]
) -> Callable[[Place, int, int], tuple[int, int]]:
    """Tells which column and row, from 0, a box beside a cell reaches to."""

    def reached(place: Place, width: int, height: int) -> tuple[int, int]:
        row, column = place[0], place[1] + 1
        while column < LAST_COLUMN and (width := width - (columns.pixels(column) or _NO_PIXELS)) > 0:
            column += 1
        while row < LAST_ROW and (height := height - round(points(row) * _PIXELS_PER_POINT)) > 0:
            row += 1
        return min(column + 1, LAST_COLUMN), min(row, LAST_ROW - 1)

    return reached


def _block(parts: Parts) -> int:
    """A block of numbers for shapes that no drawing has."""
    taken = [0]
    for name in parts.names:
        if name.endswith(".vml"):
            for blocks in re.findall(rb'<o:idmap[^>]*\bdata="([0-9, ]+)"', parts.read(name)):
                taken += [int(block) for block in blocks.split(b",") if block.strip().isdigit()]
    return max(taken) + 1


def _named(parts: Parts, sheet: SheetXml, name: bytes, key: str) -> Splice:
    place = sheet.place_for(name)
    return place, place, b"<%s%s%s/>" % (sheet.prefix, name, _id(parts, sheet, key))


def _id(parts: Parts, sheet: SheetXml, key: str) -> bytes:
    """The attribute ``r:id``, under the name that the sheet has for it."""
    office = re.escape(parts.office.encode())
    known = re.search(rb"""\sxmlns:([\w.-]+)\s*=\s*["']%s["']""" % office, sheet.opening)
    if known is not None:
        return b" %s:id=%s" % (known[1], quoted(key))
    return b" xmlns:r=%s r:id=%s" % (quoted(parts.office), quoted(key))
