"""Defined names that tell which columns of a workbook are ours.

A hidden name of its own sheet, ``_catalog_imagegen_answer``, refers to the headers of our columns. Excel, WPS and LibreOffice keep such
names, and move them along when columns or rows are put in or taken out; the words in the headers need not be known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape

from catalog_imagegen.adapters.answers.markup import (
    Element,
    appended,
    attribute,
    children,
    joined,
    prefixed,
    root_of,
    spliced,
    text,
)
from catalog_imagegen.adapters.answers.parts import Parts
from catalog_imagegen.adapters.catalogs.grid import column_letter
from catalog_imagegen.adapters.catalogs.layout import Area, place_of

NAME = "_catalog_imagegen_answer"
_EDITION = "_catalog_imagegen_edition"
"""Of the whole workbook: it is an answer, whatever has become of its columns."""
_CELLS = re.compile(r"!(\$?[A-Z]{1,3}\$?[0-9]{1,7})(?::(\$?[A-Z]{1,3}\$?[0-9]{1,7}))?$")


def is_marked(parts: Parts) -> bool:
    """Whether the workbook is an answer."""
    return b"_catalog_imagegen_" in parts.text(parts.workbook)


def marked(parts: Parts) -> Mapping[str, Area]:
    """Title of a sheet → the headers that are ours."""
    xml = parts.text(parts.workbook)
    titles = _titles(xml)
    found: dict[str, Area] = {}
    for element in _names(xml):
        tag = xml[element.start : element.inner]
        index = attribute(tag, b"localSheetId")
        inside = unescape(
            xml[element.inner : xml.rfind(b"<", element.inner, element.end)].decode(errors="replace")
        )
        cells = _CELLS.search(inside.strip())
        if (
            attribute(tag, b"name") != NAME
            or not index.isdigit()
            or int(index) >= len(titles)
            or cells is None
        ):
            continue
        first, last = place_of(cells[1]), place_of(cells[2] or cells[1])
        if first is not None and last is not None:
            found[titles[int(index)]] = Area(first[0], first[1], last[0], last[1])
    return found


def mark(parts: Parts, areas: Mapping[str, Area]) -> None:
    """Say that the workbook is an answer, and which headers are ours."""
    xml = unmarked(parts.text(parts.workbook))
    titles = _titles(xml)
    names = [b'<definedName name="%s" hidden="1">1</definedName>' % _EDITION.encode()]
    for title, area in areas.items():
        cells = "'{}'!${}${}:${}${}".format(
            title.replace("'", "''"),
            column_letter(area.left),
            area.top,
            column_letter(area.right),
            area.bottom,
        )
        names.append(
            b'<definedName name="%s" localSheetId="%d" hidden="1">%s</definedName>'
            % (NAME.encode(), titles.index(title), text(cells))
        )
    root = root_of(xml)
    made = prefixed(b"".join(names), root.prefix)
    places = {each.name: each for each in children(xml, root.inner, root.outer)}
    if (listed := places.get(b"definedNames")) is not None:
        splice = listed.start, listed.end, appended(xml[listed.start : listed.end], made)
    else:
        before = (
            places[name] for name in (b"externalReferences", b"functionGroups", b"sheets") if name in places
        )
        place = next(before).end
        splice = (
            place,
            place,
            prefixed(b"<definedNames>", root.prefix) + made + prefixed(b"</definedNames>", root.prefix),
        )
    parts.put(parts.workbook, joined(spliced(xml, [splice])))


def unmark(parts: Parts) -> None:
    """Say nothing of ours any more."""
    parts.put(parts.workbook, unmarked(parts.text(parts.workbook)))


def unmarked(xml: bytes) -> bytes:
    """The list of sheets without our names."""
    named = list(_names(xml))
    ours = [e for e in named if attribute(xml[e.start : e.inner], b"name") in (NAME, _EDITION)]
    if not ours:
        return xml
    if len(ours) == len(named):
        root = root_of(xml)
        ours = [each for each in children(xml, root.inner, root.outer) if each.name == b"definedNames"]
    return joined(spliced(xml, [(each.start, each.end, b"") for each in ours]))


def _titles(xml: bytes) -> list[str]:
    """All sheets, in the order by which names count them."""
    root = root_of(xml)
    listed = (each for each in children(xml, root.inner, root.outer) if each.name == b"sheets")
    return [
        attribute(xml[each.start : each.inner], b"name")
        for element in listed
        for each in children(xml, element.inner, xml.rfind(b"</", element.inner, element.end))
    ]


def _names(xml: bytes) -> Iterator[Element]:
    root = root_of(xml)
    for element in children(xml, root.inner, root.outer):
        if element.name == b"definedNames" and element.inner < element.end:
            yield from children(xml, element.inner, xml.rfind(b"</", element.inner, element.end))
