"""What a worksheet refers to after its cells: its drawings, comments and hyperlinks."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

_CELLS_END = re.compile(rb"sheetData\s*/?>")
_ELEMENT = re.compile(
    rb"<(?:[\w.-]+:)?(drawing|legacyDrawing|hyperlink)"
    rb"((?:\s+[\w:.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*/?>"
)
_ATTRIBUTE = re.compile(rb"(?:[\w.-]+:)?([\w.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


@dataclass(frozen=True, slots=True)
class SheetEnd:
    """Ids of relations of the worksheet."""

    drawings: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    """Cells, such as F2 or F2:F4, and the id."""


def read_end(sheet: bytes) -> SheetEnd:
    """Read it without building a tree: a sheet may have millions of cells before."""
    start = 0
    for match in _CELLS_END.finditer(sheet):
        start = match.end()
    found = SheetEnd()
    for element in _ELEMENT.finditer(sheet, start):
        attributes = {
            name.decode(): html.unescape((double or single).decode("utf-8", "replace"))
            for name, double, single in _ATTRIBUTE.findall(element[2])
        }
        key = attributes.get("id", "")
        if element[1] == b"drawing":
            found.drawings.append(key)
        elif element[1] == b"legacyDrawing":
            found.comments.append(key)
        elif key:
            found.links.append((attributes.get("ref", ""), key))
    return found
