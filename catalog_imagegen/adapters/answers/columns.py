"""The columns of a worksheet as it describes them: widths and styles of cells that are not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from catalog_imagegen.adapters.answers.markup import attribute, children, with_attribute
from catalog_imagegen.adapters.answers.sheet_xml import SheetXml

_USUAL_WIDTH = 8.43
_PIXELS_PER_CHARACTER = 7
_MARGIN_PIXELS = 5


@dataclass(frozen=True, slots=True)
class _Run:
    """Columns side by side that are alike; they count from 1."""

    first: int
    last: int
    tag: bytes


class ColumnList:
    """What ``<cols>`` says; columns count from 0 outside of it."""

    def __init__(self, sheet: SheetXml) -> None:
        self._sheet = sheet
        self._element = sheet.part(b"cols")
        self._runs: list[_Run] = []
        if self._element is not None:
            inside = self._element.inner, self._closing
            for each in children(sheet.xml, *inside):
                tag = sheet.xml[each.start : each.end]
                first, last = (attribute(tag, name) for name in (b"min", b"max"))
                if first.isdigit() and last.isdigit():
                    self._runs.append(_Run(int(first), int(last), tag))

    @property
    def _closing(self) -> int:
        element = self._element
        if element is None:
            return 0
        return (
            self._sheet.xml.rfind(b"</", element.inner, element.end)
            if element.end > element.inner
            else element.inner
        )

    def style(self, column: int) -> int:
        """The style of the column's cells that are not there."""
        style = attribute(self._tag(column), b"style")
        return int(style) if style.isdigit() else 0

    def pixels(self, column: int) -> int:
        """About how wide it is shown."""
        tag = self._tag(column)
        if attribute(tag, b"hidden") in ("1", "true"):
            return 0
        width = attribute(tag, b"width")
        try:
            characters = float(width) if width else _USUAL_WIDTH
        except ValueError:
            characters = _USUAL_WIDTH
        return round(characters * _PIXELS_PER_CHARACTER) + _MARGIN_PIXELS

    def _tag(self, column: int) -> bytes:
        return next((run.tag for run in self._runs if run.first <= column + 1 <= run.last), b"")

    def without(self, first: int, last: int) -> ColumnList:
        """The same, saying nothing of some columns."""
        low, high = first + 1, last + 1
        runs: list[_Run] = []
        for run in self._runs:
            if run.first < low:
                runs.append(replace(run, last=min(run.last, low - 1)))
            if run.last > high:
                runs.append(replace(run, first=max(run.first, high + 1)))
        made = ColumnList(self._sheet)
        made._runs = runs
        return made

    def with_widths(self, first: int, widths: Sequence[float]) -> ColumnList:
        """The same, with so many columns of these widths, which are shown whatever was hidden there."""
        made = self.without(first, first + len(widths) - 1)
        made._runs += [  # noqa: SLF001 - another one of ours
            _Run(
                first + place + 1,
                first + place + 1,
                b'<%scol width="%.2f" customWidth="1"/>' % (self._sheet.prefix, width),
            )
            for place, width in enumerate(widths)
        ]
        made._runs.sort(key=lambda run: run.first)  # noqa: SLF001 - another one of ours
        return made

    def splice(self) -> tuple[int, int, bytes]:
        """What to write into the sheet."""
        prefix = self._sheet.prefix
        listed = b"".join(
            with_attribute(with_attribute(run.tag, b"min", str(run.first)), b"max", str(run.last))
            for run in self._runs
        )
        written = b"<%scols>%s</%scols>" % (prefix, listed, prefix) if listed else b""
        if self._element is not None:
            return self._element.start, self._element.end, written
        place = self._sheet.place_for(b"cols")
        return place, place, written
