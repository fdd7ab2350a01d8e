"""Comments of cells: the texts, and the VML drawing without which Excel shows none."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from html import unescape

from catalog_imagegen.adapters.answers.content import AUTHOR
from catalog_imagegen.adapters.answers.markup import (
    Splice,
    appended,
    attribute,
    children,
    joined,
    prefixed,
    quoted,
    root_of,
    spliced,
    text,
)
from catalog_imagegen.adapters.catalogs.grid import column_letter
from catalog_imagegen.adapters.catalogs.layout import Place, place_of

COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
VML_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_HEADING = f"{AUTHOR}:"
_LETTERS = b'<sz val="9"/><color indexed="81"/><rFont val="Microsoft YaHei"/><family val="2"/>'
_BOLD = b'<r><rPr><b/>%s</rPr><t xml:space="preserve">%s</t></r>'
_RUN = b'<r><rPr>%s</rPr><t xml:space="preserve">%s</t></r>'
_SHAPE = re.compile(rb"<v:shape\b(?:(?!</v:shape>).)*?<x:ClientData\b.*?</v:shape>\s*", re.DOTALL)
_ROW = re.compile(rb"<x:Row>\s*([0-9]+)\s*</x:Row>")
_COLUMN = re.compile(rb"<x:Column>\s*([0-9]+)\s*</x:Column>")
_NAMESPACES = {
    b"v": b"urn:schemas-microsoft-com:vml",
    b"o": b"urn:schemas-microsoft-com:office:office",
    b"x": b"urn:schemas-microsoft-com:office:excel",
}
_SHAPE_TYPE = (
    b'<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    b'<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_NOTE = (
    b'<v:shape%s id="_x0000_s%d" type="#_x0000_t202" style="position:absolute;margin-left:60pt;margin-top:2pt;'
    b'width:%dpt;height:%dpt;z-index:%d;visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto">'
    b'<v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>'
    b'<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>'
    b'<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>%d, 12, %d, 4, %d, 8, %d, 4'
    b"</x:Anchor><x:AutoFill>False</x:AutoFill><x:Row>%d</x:Row><x:Column>%d</x:Column></x:ClientData></v:shape>"
)
_BLOCK = 1024
"""Shapes of one drawing are numbered within blocks of so many."""
_LINE_CHARACTERS = 30
_LINE_PIXELS = 17
_BOX_PIXELS = 280
_WIDE = 0x2E80
"""From here on characters take the room of two."""


def empty_comments(namespace: str) -> bytes:
    """A part without any comments."""
    head = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    return head + b"<comments xmlns=%s><authors/><commentList/></comments>" % quoted(namespace)


def empty_vml(block: int) -> bytes:
    """A drawing without any shapes, which numbers them from a block of its own."""
    names = b"".join(b' xmlns:%s="%s"' % each for each in _NAMESPACES.items())
    layout = b'<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="%d"/></o:shapelayout>' % block
    return b"<xml%s>%s%s</xml>" % (names, layout, _SHAPE_TYPE)


def with_comments(xml: bytes, said: Mapping[Place, str]) -> tuple[bytes, set[Place]]:
    """The comments with ours, and the cells that had none before. One that is there is gone on with.

    Raises ValueError where the part is none of comments.
    """
    xml, author = _with_author(xml)
    root = root_of(xml)
    listed = next((e for e in children(xml, root.inner, root.outer) if e.name == b"commentList"), None)
    if listed is None:
        raise ValueError("no list of comments")
    splices: list[Splice] = []
    pending = dict(said)
    inside = max(listed.inner, xml.rfind(b"</", listed.inner, listed.end))
    for each in children(xml, listed.inner, inside):
        place = place_of(attribute(xml[each.start : each.inner], b"ref"))
        if place is not None and place in pending:
            splices.append(
                (each.start, each.end, _gone_on(xml[each.start : each.end], pending.pop(place), root.prefix))
            )
    added = b"".join(
        prefixed(b'<comment ref="%s" authorId="%d" shapeId="0"><text>' % (_name(place), author), root.prefix)
        + _runs(_HEADING + "\n", words, root.prefix)
        + prefixed(b"</text></comment>", root.prefix)
        for place, words in sorted(pending.items())
    )
    if listed.inner == listed.end:
        added = prefixed(b"<commentList>", root.prefix) + added + prefixed(b"</commentList>", root.prefix)
        splices.append((listed.start, listed.end, added))
    else:
        splices.append((inside, inside, added))
    return joined(spliced(xml, splices)), set(pending)


def _with_author(xml: bytes) -> tuple[bytes, int]:
    """The part, in which we are among the authors, and our number."""
    root = root_of(xml)
    listed = next((e for e in children(xml, root.inner, root.outer) if e.name == b"authors"), None)
    if listed is None:
        raise ValueError("no authors")
    inside = max(listed.inner, xml.rfind(b"</", listed.inner, listed.end))
    names = [xml[each.start : each.end] for each in children(xml, listed.inner, inside)]
    for number, name in enumerate(names):
        if re.sub(rb"<[^>]*>", b"", name) == AUTHOR.encode():
            return xml, number
    element = appended(
        xml[listed.start : listed.end], prefixed(b"<author>%s</author>" % text(AUTHOR), root.prefix)
    )
    return xml[: listed.start] + element + xml[listed.end :], len(names)


def _gone_on(comment: bytes, words: str, prefix: bytes) -> bytes:
    """A comment of somebody else with our words behind."""
    opened = re.search(rb"<%stext(?:\s[^>]*)?(/?)>" % re.escape(prefix), comment)
    runs = _runs(f"\n\n{_HEADING}\n", words, prefix)
    if opened is None:
        raise ValueError("a comment without text")
    if opened[1]:
        whole = prefixed(b"<text>", prefix) + runs + prefixed(b"</text>", prefix)
        return comment[: opened.start()] + whole + comment[opened.end() :]
    end = comment.rfind(b"</" + prefix + b"text")
    inner = comment[opened.end() : end]
    plain = re.match(
        rb"\s*(<%st(?:\s[^>]*)?(?:/>|>.*?</%st>))" % ((re.escape(prefix),) * 2), inner, re.DOTALL
    )
    if plain is not None:  # a text that is no run cannot stand beside runs
        inner = prefixed(b"<r>", prefix) + plain[1] + prefixed(b"</r>", prefix) + inner[plain.end() :]
    phonetic = re.search(rb"<%s(?:rPh|phoneticPr)\b" % re.escape(prefix), inner)
    at = phonetic.start() if phonetic else len(inner)
    return comment[: opened.end()] + inner[:at] + runs + inner[at:] + comment[end:]


def _runs(heading: str, words: str, prefix: bytes) -> bytes:
    runs = _BOLD % (_LETTERS, text(heading)) + _RUN % (_LETTERS, text(words))
    return prefixed(runs, prefix)


def without_comments(xml: bytes) -> tuple[bytes, set[Place]]:
    """The comments without our words, and the cells that have none any more."""
    root = root_of(xml)
    listed = next((e for e in children(xml, root.inner, root.outer) if e.name == b"commentList"), None)
    if listed is None or listed.inner == listed.end:
        return xml, set()
    splices: list[Splice] = []
    gone: set[Place] = set()
    for each in children(xml, listed.inner, xml.rfind(b"</", listed.inner, listed.end)):
        comment = xml[each.start : each.end]
        if AUTHOR.encode() not in comment:
            continue
        left = _without_runs(comment, root.prefix)
        place = place_of(attribute(xml[each.start : each.inner], b"ref"))
        if left is None and place is not None:
            gone.add(place)
        splices.append((each.start, each.end, left or b""))
    return joined(spliced(xml, splices)), gone


def _without_runs(comment: bytes, prefix: bytes) -> bytes | None:
    """What others said in a comment; None: nothing."""
    p = re.escape(prefix)
    runs = list(re.finditer(rb"<%sr>.*?</%sr>|<%sr\s.*?</%sr>" % (p, p, p, p), comment, re.DOTALL))
    for number, run in enumerate(runs):
        said = unescape(re.sub(rb"<[^>]*>", b"", run[0]).decode(errors="replace"))
        if said.strip().startswith(_HEADING):
            return None if number == 0 else comment[: run.start()] + comment[runs[-1].end() :]
    return comment


def with_shapes(
    vml: bytes,
    places: Collection[Place],
    box: Callable[[Place, int, int], tuple[int, int]],
    lines: Mapping[Place, str],
) -> bytes:
    """The drawing with a box for each of our comments; *box* tells which cell so many pixels reach to."""
    numbers = [int(found) for found in re.findall(rb'id=["\']_x0000_s([0-9]{1,9})["\']', vml)]
    blocks = [int(found) for found in re.findall(rb'data=["\']([0-9]+)', vml)]
    number = max([*numbers, min(blocks, default=1) * _BLOCK])
    opening = vml[: vml.find(b">", vml.find(b"<xml")) + 1]
    names = b"".join(
        b' xmlns:%s="%s"' % each for each in _NAMESPACES.items() if b"xmlns:%s=" % each[0] not in opening
    )
    made = [
        b"" if b"_x0000_t202" in vml else _SHAPE_TYPE.replace(b"<v:shapetype", b"<v:shapetype" + names, 1)
    ]
    for order, place in enumerate(sorted(places), 1):
        height = _LINE_PIXELS * (2 + _lines(lines[place]))
        column, row = box(place, _BOX_PIXELS, height)
        corners = place[1] + 1, max(place[0] - 2, 0), column, row
        size = _BOX_PIXELS * 3 // 4, height * 3 // 4, order
        made.append(_NOTE % (names, number + order, *size, *corners, place[0] - 1, place[1]))
    end = vml.rfind(b"</xml")
    if end < 0:
        raise ValueError("a drawing that does not end")
    return vml[:end] + b"".join(made) + vml[end:]


def without_shapes(vml: bytes, places: Collection[Place]) -> bytes:
    """The drawing without the boxes of these cells."""

    def kept(found: re.Match[bytes]) -> bytes:
        row, column = _ROW.search(found[0]), _COLUMN.search(found[0])
        is_note = b'ObjectType="Note"' in found[0] and row is not None and column is not None
        return b"" if is_note and row and column and (int(row[1]) + 1, int(column[1])) in places else found[0]

    return _SHAPE.sub(kept, vml) if places else vml


def _lines(words: str) -> int:
    """About how many lines a box needs for a text; Chinese characters are twice as wide."""
    return sum(
        1 + sum(2 if ord(each) >= _WIDE else 1 for each in line) // (_LINE_CHARACTERS + 8)
        for line in words.split("\n")
    )


def _name(place: Place) -> bytes:
    return f"{column_letter(place[1])}{place[0]}".encode()
