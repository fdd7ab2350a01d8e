"""The styles of a workbook, to which ours are added; those that are there keep their numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from catalog_imagegen.adapters.answers.content import Tone
from catalog_imagegen.adapters.answers.markup import (
    appended,
    attribute,
    children,
    joined,
    prefixed,
    root_of,
    spliced,
    with_attribute,
)
from catalog_imagegen.domain.catalog import Severity

FILLS: Mapping[Severity, str] = {"error": "FFF9CDC9", "warning": "FFFCE4AE", "note": "FFDCEBFA"}
"""Of offending cells. By these very colours our own fills are told from the merchandiser's."""
_TONES: Mapping[Tone, tuple[str, str]] = {
    "good": ("FF0F6B45", "FFDFF3E8"),
    "waiting": ("FF0B5CAD", "FFE0EEFB"),
    "bad": ("FFB3261E", "FFFBE3E1"),
    "none": ("FF5E5D58", "FFEEECE7"),
}
"""Ink and ground, as in the report."""
_INK, _GROUND, _LINE, _LINK = "FFFFFFFF", "FF1D1D1B", "FFE2E0DA", "FF0B5CAD"
_SECTIONS = (b"numFmts", b"fonts", b"fills", b"borders", b"cellStyleXfs", b"cellXfs")
_FIRST: Mapping[bytes, tuple[bytes, ...]] = {
    b"fonts": (b'<font><sz val="11"/><name val="Calibri"/></font>',),
    b"fills": (
        b'<fill><patternFill patternType="none"/></fill>',
        b'<fill><patternFill patternType="gray125"/></fill>',
    ),
    b"borders": (b"<border><left/><right/><top/><bottom/><diagonal/></border>",),
    b"cellXfs": (b'<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>',),
}
"""What programs take for granted."""
_INKED = re.compile(rb"<(?:[\w.-]+:)?(?:b|i|u|strike|color)(?:\s[^>]*)?/>")
_PLAIN_FILL = "0"


@dataclass(slots=True)
class _Section:
    """The parts of one kind; those from *known* on are new."""

    items: list[bytes]
    known: int
    places: dict[bytes, int] = field(default_factory=dict)

    def index(self, item: bytes) -> int:
        """The number of *item*, which is added where it is not there yet."""
        if not self.places:
            for place, each in enumerate(self.items):
                self.places.setdefault(each, place)
        if item not in self.places:
            self.places[item] = len(self.items)
            self.items.append(item)
        return self.places[item]


class Stylesheet:
    """``xl/styles.xml``. Raises ValueError for what is none."""

    def __init__(self, xml: bytes) -> None:
        self._xml = appended(xml, b"")
        self._root = root_of(self._xml)
        self._prefix = self._root.prefix
        parts = children(self._xml, self._root.inner, self._root.outer)
        self._elements = {each.name: each for each in parts}
        self._sections = {name: self._section(name) for name in _FIRST}
        self._filled: dict[tuple[int, Severity], int] = {}

    def _section(self, name: bytes) -> _Section:
        element = self._elements.get(name)
        items = []
        if element is not None:
            end = max(element.inner, self._xml.rfind(b"</", element.inner, element.end))
            items = [self._xml[each.start : each.end] for each in children(self._xml, element.inner, end)]
        known = len(items)
        return _Section(items or [prefixed(each, self._prefix) for each in _FIRST[name]], known)

    @property
    def _xfs(self) -> list[bytes]:
        return self._sections[b"cellXfs"].items

    def filled(self, style: int, severity: Severity) -> int:
        """The same style with the ground of an offending cell."""
        if (style, severity) not in self._filled:
            xf = self._xfs[style] if style < len(self._xfs) else self._xfs[0]
            before = self._fill_of(xf)
            fill = self._sections[b"fills"].index(self._marked(FILLS[severity], before))
            self._filled[style, severity] = self._with_fill(xf, str(fill))
        return self._filled[style, severity]

    def _with_fill(self, xf: bytes, fill: str) -> int:
        end = xf.find(b">") + 1
        tag = with_attribute(xf[:end], b"fillId", fill)
        tag = with_attribute(tag, b"applyFill", "1" if fill != _PLAIN_FILL else "")
        return self._sections[b"cellXfs"].index(tag + xf[end:])

    def _fill_of(self, xf: bytes) -> bytes:
        number = attribute(xf[: xf.find(b">") + 1], b"fillId")
        fills = self._sections[b"fills"].items
        return fills[int(number)] if number.isdigit() and int(number) < len(fills) else fills[0]

    def _marked(self, color: str, before: bytes) -> bytes:
        """A fill in our colour that remembers the one before as its second colour, which a solid fill does not show."""
        shown = re.search(rb"<(?:[\w.-]+:)?fgColor(\s[^>]*?)\s*/>", before) if b'"solid"' in before else None
        was = shown[1] if shown is not None else b' indexed="64"'
        made = b'<fill><patternFill patternType="solid"><fgColor rgb="%s"/><bgColor%s/></patternFill></fill>'
        return prefixed(made % (color.encode(), was), self._prefix)

    def restoring(self, *, forgets: bool = False) -> Mapping[int, int]:
        """Each style with a fill of ours → the style that the cell had before.

        Without a fill, where the program that saved the workbook last *forgets* second colours.
        """
        fills = self._sections[b"fills"]
        ours = {
            number: was
            for number, fill in enumerate(fills.items)
            if (was := self._before(fill, forgets=forgets)) is not None
        }
        found: dict[int, int] = {}
        for style, xf in enumerate(tuple(self._xfs)):
            number = attribute(xf[: xf.find(b">") + 1], b"fillId")
            if number.isdigit() and int(number) in ours:
                found[style] = self._unfilled(xf, ours[int(number)])
        return found

    def _unfilled(self, xf: bytes, fill: bytes) -> int:
        """The first style that differs from *xf* in nothing but its fill, or a new one."""
        fills = self._sections[b"fills"]
        wanted, alike = fills.index(fill) if fill else 0, _but_for_fill(xf)
        for style, each in enumerate(self._xfs):
            number = attribute(each[: each.find(b">") + 1], b"fillId") or _PLAIN_FILL
            if number == str(wanted) and _but_for_fill(each) == alike:
                return style
        return self._with_fill(xf, str(wanted))

    def _before(self, fill: bytes, *, forgets: bool) -> bytes | None:
        """The fill that one of ours stands for, nothing for none; None where it is not ours."""
        colors = dict(re.findall(rb"<(?:[\w.-]+:)?(fgColor|bgColor)(\s[^>]*?)\s*/>", fill))
        shown, was = colors.get(b"fgColor", b""), colors.get(b"bgColor", b"")
        if b'"solid"' not in fill or attribute(shown, b"rgb") not in FILLS.values():
            return None
        if attribute(was, b"indexed") == "64" or not was or forgets:
            return b""
        made = b'<fill><patternFill patternType="solid"><fgColor%s/>' % was
        known = next((each for each in self._sections[b"fills"].items if self._is_solid_in(each, was)), None)
        return known or prefixed(made + b'<bgColor indexed="64"/></patternFill></fill>', self._prefix)

    def _is_solid_in(self, fill: bytes, color: bytes) -> bool:
        shown = re.search(rb"<(?:[\w.-]+:)?fgColor(\s[^>]*?)\s*/>", fill)
        return b'"solid"' in fill and shown is not None and shown[1] == color

    @cached_property
    def header(self) -> int:
        """The style of a header of ours."""
        return self._own(_INK, _GROUND, is_bold=True, across="center", down="center")

    @cached_property
    def tones(self) -> Mapping[Tone, int]:
        """The styles of a status."""
        return {
            tone: self._own(ink, ground, is_bold=True, across="center", down="center")
            for tone, (ink, ground) in _TONES.items()
        }

    @cached_property
    def text(self) -> int:
        """The style of sentences."""
        return self._own("", "", down="center")

    @cached_property
    def long_text(self) -> int:
        """The style of sentences for which a cell has no room: their beginning is seen."""
        return self._own("", "", down="top")

    @cached_property
    def link(self) -> int:
        """The style of a link."""
        return self._own(_LINK, "", is_underlined=True, down="center")

    def _own(
        self,
        ink: str,
        ground: str,
        *,
        is_bold: bool = False,
        is_underlined: bool = False,
        across: str = "",
        down: str,
    ) -> int:
        font = self._sections[b"fonts"].index(self._font(ink, is_bold=is_bold, is_underlined=is_underlined))
        fill = 0
        if ground:
            made = b'<fill><patternFill patternType="solid"><fgColor rgb="%s"/><bgColor indexed="64"/></patternFill></fill>'
            fill = self._sections[b"fills"].index(prefixed(made % ground.encode(), self._prefix))
        sides = b"".join(
            b'<%s style="thin"><color rgb="%s"/></%s>' % (side, _LINE.encode(), side)
            for side in (b"left", b"right", b"top", b"bottom")
        )
        border = self._sections[b"borders"].index(
            prefixed(b"<border>%s<diagonal/></border>" % sides, self._prefix)
        )
        xf = (
            b'<xf numFmtId="0" fontId="%d" fillId="%d" borderId="%d" xfId="0" applyFont="1"%s applyBorder="1" '
            b'applyAlignment="1"><alignment%s vertical="%s" wrapText="1"/></xf>'
        ) % (
            font,
            fill,
            border,
            b' applyFill="1"' if fill else b"",
            b' horizontal="%s"' % across.encode() if across else b' horizontal="left" indent="1"',
            down.encode(),
        )
        return self._sections[b"cellXfs"].index(prefixed(xf, self._prefix))

    def _font(self, ink: str, *, is_bold: bool, is_underlined: bool) -> bytes:
        """The workbook's usual font, in another colour."""
        usual = _INKED.sub(b"", self._sections[b"fonts"].items[0])
        size = re.search(rb"<(?:[\w.-]+:)?sz\s[^>]*/>", usual)
        start = usual.find(b">") + 1
        if usual.endswith(b"/>") and usual.count(b"<") == 1:
            usual, start = prefixed(b"<font></font>", self._prefix), len(self._prefix) + 6
        place = size.end() if size is not None else start
        color = prefixed(b'<color rgb="%s"/>' % ink.encode(), self._prefix) if ink else b""
        marks = (b"<b/>" if is_bold else b"") + (b"<u/>" if is_underlined else b"")
        return usual[:start] + prefixed(marks, self._prefix) + usual[start:place] + color + usual[place:]

    def finish(self) -> bytes:
        """The part with what was added."""
        splices = []
        for name in (name for name in _SECTIONS if name in _FIRST):
            section, element = self._sections[name], self._elements.get(name)
            if len(section.items) > section.known:
                start, end = (element.start, element.end) if element is not None else (self._place(name),) * 2
                splices.append((start, end, self._written(name)))
        return joined(spliced(self._xml, splices))

    def _written(self, name: bytes) -> bytes:
        section, element, p = self._sections[name], self._elements.get(name), self._prefix
        tag = self._xml[element.start : element.inner] if element is not None else b"<" + p + name + b">"
        tag = with_attribute(
            tag.removesuffix(b"/>").removesuffix(b">").rstrip() + b">", b"count", str(len(section.items))
        )
        return tag + b"".join(section.items) + b"</" + p + name + b">"

    def _place(self, name: bytes) -> int:
        """Where a section that is not there belongs."""
        before = _SECTIONS[: _SECTIONS.index(name)]
        ends = (self._elements[each].end for each in before if each in self._elements)
        return max(ends, default=self._root.inner)


def plain_stylesheet(namespace: str) -> bytes:
    """A part with what programs take for granted, and no more."""
    sections = {name: b"".join(items) for name, items in _FIRST.items()}
    written = {
        name: b'<%s count="%d">%s</%s>' % (name, len(_FIRST[name]), inside, name)
        for name, inside in sections.items()
    }
    base = b'<cellStyleXfs count="1">%s</cellStyleXfs>' % sections[b"cellXfs"]
    names = b'<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    head = (
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<styleSheet xmlns="%s">'
        % namespace.encode()
    )
    before = b"".join(each for name, each in written.items() if name != b"cellXfs")
    return head + before + base + written[b"cellXfs"] + names + b"</styleSheet>"


def _but_for_fill(xf: bytes) -> bytes:
    end = xf.find(b">") + 1
    return with_attribute(with_attribute(xf[:end], b"fillId", ""), b"applyFill", "") + xf[end:]
