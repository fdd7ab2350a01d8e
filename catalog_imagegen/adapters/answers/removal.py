"""Takes an answer out of a workbook again: what is left is the merchandiser's own."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import ParseError

from catalog_imagegen.adapters.answers.columns import ColumnList
from catalog_imagegen.adapters.answers.content import AUTHOR
from catalog_imagegen.adapters.answers.drawings import drawing_of, without_thumbs
from catalog_imagegen.adapters.answers.marker import is_marked, marked, unmark
from catalog_imagegen.adapters.answers.markup import (
    Splice,
    attribute,
    children,
    joined,
    reference,
    spliced,
    with_attribute,
)
from catalog_imagegen.adapters.answers.notes import without_comments, without_shapes
from catalog_imagegen.adapters.answers.parts import Parts
from catalog_imagegen.adapters.answers.sheet_xml import SheetXml, last_of
from catalog_imagegen.adapters.answers.stylesheet import Stylesheet
from catalog_imagegen.adapters.catalogs.grid import column_letter
from catalog_imagegen.adapters.catalogs.layout import Area, place_of

_ABOUT = "docProps/app.xml"
BROKEN = (KeyError, ValueError, IndexError, UnicodeDecodeError, LookupError, ParseError)
"""What damaged parts let through."""
DAMAGED = (*BROKEN, zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError)
"""What damaged packages let through."""


def without_answer(data: bytes) -> bytes:
    """A workbook without what an answer added to it; anything else as it is.

    Whoever reads a catalog wants this first: else our columns are columns of products, and our small pictures photos.
    Only heights of rows stay as they are. *data* must have been looked into (``look_into``) where it is a zip.
    """
    if not data.startswith(b"PK\x03\x04"):
        return data
    try:
        parts = Parts(data)
        if not is_marked(parts):
            return data
        remove_answer(parts)
        return parts.finish()
    except DAMAGED:  # its reader says it better
        return data


def remove_answer(parts: Parts) -> None:
    """Take away our columns, colours, comments, links and pictures. Heights of rows stay as they are.

    What is too damaged to be understood is left as it is.
    """
    areas = marked(parts)
    restoring: Mapping[int, int] = {}
    styles = parts.related(parts.workbook, "styles")
    if styles is not None:
        sheet = Stylesheet(parts.text(styles))
        restoring = sheet.restoring(forgets=_is_libre_office(parts))
        if restoring:
            parts.put(styles, sheet.finish())
    for title, part in ((each.title, each.part) for each in parts.sheets):
        was = parts.state()
        try:
            _remove(parts, part, areas.get(title), restoring)
        except BROKEN:
            parts.restore(was)
    unmark(parts)


def _is_libre_office(parts: Parts) -> bool:
    """Whether it was saved by LibreOffice, which writes some other second colour into every fill."""
    return _ABOUT in parts and b"LibreOffice" in parts.read(_ABOUT)


def _remove(parts: Parts, part: str, area: Area | None, restoring: Mapping[int, int]) -> None:
    sheet = SheetXml(parts.text(part))
    if area is not None:
        links, gone = _links(sheet, area)
        splices = [*_cells(sheet, area), *_described(sheet, area), *links]
        parts.put(part, joined(spliced(sheet.xml, splices)))
        parts.unrelate(part, gone)
        sheet = SheetXml(parts.text(part))
    restored = list(_restored(sheet, restoring))
    if restored:
        parts.put(part, joined(spliced(sheet.xml, restored)))
    _remove_thumbs(parts, part, sheet)
    _remove_comments(parts, part, sheet)


def _cells(sheet: SheetXml, area: Area) -> Iterator[Splice]:
    """Our columns, from their headers down."""
    p = re.escape(sheet.prefix)
    letters = b"|".join(column_letter(column).encode() for column in range(area.left, area.right + 1))
    opens = b"<" + sheet.prefix + b"c"
    is_usual = sheet.xml.count(opens + b" ") == sheet.xml.count(opens + b' r="')
    before = b"" if is_usual else rb"(?=[\s/>])[^>]*?"
    pattern = rb"""<%sc%s\sr=["'](?:%s)([0-9]+)["'][^>]*?(?:/>|>.*?</%sc\s*>)""" % (p, before, letters, p)
    for found in re.compile(pattern, re.DOTALL).finditer(sheet.xml, sheet.rows_start, sheet.rows_end):
        if int(found[1]) >= area.top:
            yield found.start(), found.end(), b""


def _described(sheet: SheetXml, area: Area) -> Iterator[Splice]:
    """What the sheet says of its columns."""
    yield ColumnList(sheet).without(area.left, area.right).splice()
    told = sheet.part(b"dimension")
    if told is not None and area.left > 0:
        tag = sheet.tag(told)
        first, _, last = attribute(tag, b"ref").partition(":")
        end = place_of(last)
        if end is not None and area.left <= end[1] <= area.right:
            shrunk = f"{first}:{column_letter(area.left - 1)}{end[0]}"
            yield told.start, told.inner, with_attribute(tag, b"ref", shrunk)


def _links(sheet: SheetXml, area: Area) -> tuple[list[Splice], set[str]]:
    """The links in our columns, and their relations."""
    listed = sheet.part(b"hyperlinks")
    if listed is None:
        return [], set()
    links = list(children(sheet.xml, listed.inner, sheet.xml.rfind(b"</", listed.inner, listed.end)))
    ours, kept, gone = [], set(), set()
    for each in links:
        tag = sheet.tag(each)
        if area.left <= (last_of(attribute(tag, b"ref")) or 0) <= area.right:
            ours.append(each)
            gone.add(reference(tag))
        else:
            kept.add(reference(tag))
    gone -= {*kept, ""}
    if len(ours) == len(links):
        return [(listed.start, listed.end, b"")], gone
    return [(each.start, each.end, b"") for each in ours], gone


def _restored(sheet: SheetXml, restoring: Mapping[int, int]) -> Iterator[Splice]:
    """Cells with the style that they had."""
    if not restoring:
        return
    styles = b"|".join(b"%d" % style for style in restoring)
    pattern = rb"""<%sc(?=\s)[^>]*?\ss=["'](%s)["']""" % (re.escape(sheet.prefix), styles)
    for found in re.compile(pattern).finditer(sheet.xml, sheet.rows_start, sheet.rows_end):
        yield found.start(1), found.end(1), b"%d" % restoring[int(found[1])]


def _remove_thumbs(parts: Parts, part: str, sheet: SheetXml) -> None:
    element = sheet.part(b"drawing")
    drawing = drawing_of(parts, part, sheet.tag(element)) if element is not None else ""
    if drawing:
        xml, gone = without_thumbs(parts.text(drawing))
        if gone:
            parts.put(drawing, xml)
            parts.unrelate(drawing, gone)


def _remove_comments(parts: Parts, part: str, sheet: SheetXml) -> None:
    comments = parts.related(part, "comments")
    if comments is None or AUTHOR.encode() not in parts.read(comments):
        return
    xml, gone = without_comments(parts.text(comments))
    parts.put(comments, xml)
    element = sheet.part(b"legacyDrawing")
    relation = parts.relations(part).get(reference(sheet.tag(element))) if element is not None else None
    if relation is not None and relation.target in parts and gone:
        parts.put(relation.target, without_shapes(parts.read(relation.target), gone))
