"""What a sheet draws: how far it reaches, and which of it is ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from catalog_imagegen.adapters.answers.content import AUTHOR
from catalog_imagegen.adapters.answers.markup import attribute, children, joined, reference, root_of, spliced
from catalog_imagegen.adapters.answers.parts import Parts
from catalog_imagegen.adapters.catalogs.pictures.bands import LAST_ROW

NAME = f"{AUTHOR} "
"""How the names of our pictures begin."""
EMU_PER_PIXEL = 9525
EMU_PER_POINT = 12700
_COLUMN_EMU = 64 * EMU_PER_PIXEL
_MOST_ROWS = 1000
"""That one picture lies on."""
_NUMBER = re.compile(rb"<(?:[\w.-]+:)?(col|row)>\s*([0-9]{1,7})\s*</")
_BLIP = re.compile(rb"""\s[\w.-]+:(?:embed|link|id)\s*=\s*["']([^"']*)["']""")


@dataclass(frozen=True, slots=True)
class Drawn:
    """How far what a sheet draws reaches."""

    last_column: int = -1
    rows: tuple[tuple[int, int], ...] = ()
    """The first and the last row of each thing, from 1."""

    def lies_on(self, rows: Mapping[int, object]) -> bool:
        """Whether any of it begins or ends on one of these rows or between the first and the last of them."""
        return bool(rows) and any(last >= min(rows) and first <= max(rows) for first, last in self.rows)


def drawn(xml: bytes, points: Callable[[int], float]) -> Drawn:
    """How far a drawing reaches over rows that are so many *points* high. Raises ValueError."""
    root = root_of(xml)
    last, rows = -1, []
    for anchor in children(xml, root.inner, root.outer):
        found = _NUMBER.findall(xml, anchor.inner, anchor.end)
        columns = [int(number) for name, number in found[:4] if name == b"col"]
        lines = [int(number) + 1 for name, number in found[:4] if name == b"row"]
        if not columns or not lines:
            continue
        right, bottom = max(columns), max(lines)
        if len(columns) == 1:  # it has a size instead of an end
            extent = re.search(rb"<(?:[\w.-]+:)?ext\s[^>]*>", xml[anchor.inner : anchor.end])
            if extent is not None:
                right += _whole(attribute(extent[0], b"cx")) // _COLUMN_EMU
                bottom = _reached(bottom, _whole(attribute(extent[0], b"cy")) / EMU_PER_POINT, points)
        last = max(last, right)
        rows.append((min(lines), bottom))
    return Drawn(last, tuple(rows))


def _reached(row: int, height: float, points: Callable[[int], float]) -> int:
    """The row at which something of this height ends."""
    last = min(row + _MOST_ROWS, LAST_ROW)
    while row < last and (height := height - points(row)) > 0:
        row += 1
    return row


def _whole(value: str) -> int:
    return int(value) if value.isdigit() else 0


def without_thumbs(xml: bytes) -> tuple[bytes, set[str]]:
    """A drawing without our pictures, and the relations that only they had. Raises ValueError."""
    root = root_of(xml)
    name = re.compile(rb"<(?:[\w.-]+:)?cNvPr\s[^>]*?\bname=[\"']" + re.escape(NAME.encode()))
    ours = [e for e in children(xml, root.inner, root.outer) if name.search(xml, e.inner, e.end)]
    if not ours:
        return xml, set()
    left = joined(spliced(xml, [(each.start, each.end, b"") for each in ours]))
    gone = {key for each in ours for key in _keys(xml[each.start : each.end])}
    return left, gone - set(_keys(left))


def _keys(xml: bytes) -> Iterator[str]:
    return (found.decode() for found in _BLIP.findall(xml))


def drawing_of(parts: Parts, sheet: str, tag: bytes) -> str:
    """The part that the element ``drawing`` of a sheet names; empty where it is not there."""
    relation = parts.relations(sheet).get(reference(tag))
    return relation.target if relation is not None and relation.target in parts else ""
