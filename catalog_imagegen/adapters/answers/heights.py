"""How high the rows of a worksheet are, as far as it says so."""

from __future__ import annotations

from functools import cached_property
from math import inf

from catalog_imagegen.adapters.answers.markup import attribute
from catalog_imagegen.adapters.answers.sheet_xml import SheetXml

_TALLEST = 409.5
"""Excel knows no higher rows."""
_USUAL = 15.0


class RowHeights:
    """In points."""

    def __init__(self, sheet: SheetXml) -> None:
        self._sheet = sheet
        told = sheet.part(b"sheetFormatPr")
        self._about = sheet.tag(told) if told is not None else b""

    def points(self, row: int) -> float:
        """How high a row is, where programs do not fit it to what stands in it."""
        return self._sheet.heights.get(row, self._usual)

    def room(self, row: int) -> float:
        """How high a row is or can be: without end where programs fit it to what stands in it."""
        return self._sheet.heights.get(row, self._usual if self._is_usual_kept else inf)

    @cached_property
    def _usual(self) -> float:
        try:
            points = float(attribute(self._about, b"defaultRowHeight"))
        except ValueError:
            return _USUAL
        return points if 0 < points <= _TALLEST else _USUAL

    @property
    def _is_usual_kept(self) -> bool:
        """Whether the merchandiser wants all rows to be of one height."""
        return attribute(self._about, b"customHeight") in ("1", "true")
