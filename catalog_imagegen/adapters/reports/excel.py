"""Writes a report as a workbook: a row per SKU, and on a second sheet a row per picture."""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

import xlsxwriter
from PIL import Image
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from catalog_imagegen import __version__
from catalog_imagegen.adapters.reports.heading import Heading
from catalog_imagegen.adapters.reports.rows import (
    Cell,
    Link,
    Preview,
    Sheet,
    Toned,
    pictures_sheet,
    products_sheet,
)
from catalog_imagegen.adapters.reports.thumbnails import Thumbnails
from catalog_imagegen.adapters.reports.wording import local, wording
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint, fingerprint
from catalog_imagegen.language import Language
from catalog_imagegen.pipeline.views import ReportView

VERSION = 1
MAX_SKUS_WITH_PICTURES = 3_000
"""Above this the workbook is written row by row and holds no pictures: it must still open."""
MAX_PICTURES = 3_000
MAX_PICTURES_PER_SKU = 4
MAX_LINKS = 60_000
"""Excel follows 65,530 a sheet."""
MAX_TEXT = 32_767
"""Characters of a cell, counted as UTF-16 does."""
SIDE = 176
"""Of the embedded pictures, in pixels: twice what is shown, for sharp screens."""
SHOWN = 100
"""The longer side as it is shown."""
ROW = 108
LINE = 34
"""Two lines of text; what is longer is cut by the cell, not spilled over its neighbours."""
HEADER_ROW = 3
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0d-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_STATE_PROPERTY = "catalog-imagegen-state"
_STATE = re.compile(rb'name="catalog-imagegen-state"><vt:lpwstr>([0-9a-f]{64})<')
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    KeyError,
    OSError,
    RuntimeError,  # also NotImplementedError: encrypted, or packed in a way that is unknown here
    ValueError,
)
"""What reading a damaged or foreign package may raise."""
_COLORS: Mapping[str, tuple[str, str]] = {
    "good": ("#0F6B45", "#DFF3E8"),
    "look": ("#0B5CAD", "#E0EEFB"),
    "busy": ("#7A4F00", "#FBEED1"),
    "stop": ("#7A2FA8", "#F3E6FB"),
    "bad": ("#B3261E", "#FBE3E1"),
    "none": ("#5E5D58", "#EEECE7"),
}


class ExcelReport:
    """One report as a workbook; no text of a catalog ever becomes a formula, a link or a number.

    Every SKU shows its first picture of up to MAX_PICTURES_PER_SKU roles, as many as keep the whole
    workbook below MAX_PICTURES; above MAX_SKUS_WITH_PICTURES it shows none and says so.
    """

    def __init__(self, report: ReportView, heading: Heading, words: Language) -> None:
        self._report = report
        self._heading = heading
        self._words = words
        self._names = wording(words)
        self._is_large = len(report.skus) > MAX_SKUS_WITH_PICTURES

    @cached_property
    def state(self) -> Fingerprint:
        """Names the workbook but for the time it was made."""
        heading = self._heading
        return fingerprint(
            "workbook",
            VERSION,
            [self._report.state, heading.shop, heading.base, self._words.code, __version__],
        )

    def render(self, thumbnails: Thumbnails) -> bytes:
        """The workbook's bytes."""
        report, words = self._report, self._words
        previews = 0 if self._is_large else MAX_PICTURES // max(1, len(report.skus))
        products = products_sheet(report, words, self._names, min(previews, MAX_PICTURES_PER_SKU))
        products = replace(products, rows=list(products.rows))
        buffer = io.BytesIO()
        options = {
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "constant_memory": self._is_large,
            "in_memory": not self._is_large,
        }
        with xlsxwriter.Workbook(buffer, options) as book:
            book.set_properties({"title": self._title, "comments": f"catalog-imagegen {__version__}"})
            book.set_custom_property(_STATE_PROPERTY, self.state)
            book.set_size(2400, 1400)
            pen = Pen(book, self._heading.base, thumbnails.all(_renders(products), SIDE))
            for sheet, height in ((products, LINE if not previews else ROW), (self._pictures(), LINE)):
                pen.write(sheet, height, self._title, list(self._notes()))
        return buffer.getvalue()

    def _pictures(self) -> Sheet:
        return pictures_sheet(self._report, self._words, self._names)

    @property
    def _title(self) -> str:
        return " · ".join((self._words.tr("Product pictures"), self._heading.shop))

    def _notes(self) -> Iterator[tuple[str, str]]:
        """(text, tone) of the two lines below the title."""
        words, totals = self._words, self._report.totals
        parts = [
            words.tr("{count} {name}", count=totals.skus[status], name=name)
            for status, name in self._names.statuses.items()
            if status in totals.skus
        ]
        yield (
            " · ".join(
                (
                    words.tr("{n} products", n=len(self._report.skus)),
                    *parts,
                    words.tr("As of {time}", time=local(self._heading.made_at)),
                )
            ),
            "",
        )
        if self._report.has_placeholders:
            yield (
                f"{self._names.placeholder} · "
                + words.tr(
                    "These are placeholders painted by the simulator, not generated pictures. "
                    "Do not publish them."
                ),
                "placeholder",
            )
        elif self._is_large:
            yield words.tr("With so many products this workbook shows no pictures; see report.html."), ""


class Pen:
    """Writes sheets cell by cell, in the order that a workbook written row by row needs."""

    def __init__(self, book: xlsxwriter.Workbook, base: str, thumbnails: Mapping[Digest, bytes]) -> None:
        self._book = book
        self._base = base
        self._thumbnails = thumbnails
        self._links = 0
        cell = {"font_size": 10, "valign": "vcenter", "border": 1, "border_color": "#E2E0DA"}
        self._title = book.add_format({"font_size": 16, "bold": True})
        self._note = book.add_format({"font_size": 10, "font_color": "#5E5D58"})
        self._banner = book.add_format({"bold": True, "font_color": "#1D1D1B", "bg_color": "#FFD23F"})
        self._header = book.add_format(
            cell | {"bold": True, "bg_color": "#1D1D1B", "font_color": "#FFFFFF", "text_wrap": True}
        )
        self._cell = book.add_format(cell)
        self._wrapped = book.add_format(cell | {"text_wrap": True})
        self._cut = book.add_format(cell | {"text_wrap": True, "valign": "top"})
        self._link = book.add_format(cell | {"font_color": "#0B5CAD", "underline": 1})
        self._time = book.add_format(cell | {"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"})
        self._seconds = book.add_format(cell | {"num_format": "0.0"})
        self._count = book.add_format(cell | {"align": "center"})
        self._tones = {
            tone: book.add_format(
                cell | {"font_color": ink, "bg_color": ground, "bold": True, "text_wrap": True}
            )
            for tone, (ink, ground) in _COLORS.items()
        }

    def write(self, sheet: Sheet, height: int, title: str, notes: list[tuple[str, str]]) -> None:
        """Write a sheet: title, notes, header, rows, each row *height* pixels high."""
        page = self._book.add_worksheet(sheet.name)
        for column, wanted in enumerate(sheet.columns):
            page.set_column_pixels(column, column, wanted.width)
        self._lines(page, title, notes, len(sheet.columns))
        page.set_row_pixels(HEADER_ROW, LINE)
        for column, wanted in enumerate(sheet.columns):
            page.write_string(HEADER_ROW, column, wanted.title, self._header)
        wrapped = self._wrapped if height > LINE else self._cut
        last = HEADER_ROW
        for last, cells in enumerate(sheet.rows, start=HEADER_ROW + 1):
            page.set_row_pixels(last, height)
            for column, cell in enumerate(cells):
                plain = wrapped if sheet.columns[column].wraps else self._cell
                self._write_cell(page, last, column, cell, plain)
        page.freeze_panes(HEADER_ROW + 1, sheet.frozen)
        page.autofilter(HEADER_ROW, 0, last, len(sheet.columns) - 1)
        page.ignore_errors({"number_stored_as_text": f"A1:Z{last + 1}"})
        page.set_landscape()
        page.set_paper(9)  # A4
        page.fit_to_pages(1, 0)
        page.repeat_rows(HEADER_ROW)
        page.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        page.set_footer("&L&A&R&P / &N")

    def _lines(self, page: Worksheet, title: str, notes: list[tuple[str, str]], columns: int) -> None:
        page.hide_gridlines(2)
        page.set_row_pixels(0, 34)
        page.write_string(0, 0, clean(title), self._title)
        for row, (text, tone) in enumerate(notes, start=1):
            is_banner = tone == "placeholder"
            page.write_string(row, 0, clean(text), self._banner if is_banner else self._note)
            if is_banner:
                page.set_tab_color("#FFD23F")
                for column in range(1, columns):
                    page.write_blank(row, column, None, self._banner)

    def _write_cell(self, page: Worksheet, row: int, column: int, cell: Cell, plain: Format) -> None:
        match cell:
            case None | "":
                page.write_blank(row, column, None, plain)
            case str():
                page.write_string(row, column, clean(cell), plain)
            case datetime():
                page.write_datetime(row, column, cell.astimezone().replace(tzinfo=None), self._time)
            case float():
                page.write_number(row, column, cell, self._seconds)
            case int():
                page.write_number(row, column, cell, self._count)
            case Toned():
                page.write_string(row, column, clean(cell.text), self._tones.get(cell.tone, plain))
            case Link():
                self._write_link(page, row, column, cell)
            case Preview():
                page.write_blank(row, column, None, plain)
                self._insert(page, row, column, cell)

    def _write_link(self, page: Worksheet, row: int, column: int, link: Link) -> None:
        self._links += 1
        if self._links > MAX_LINKS:
            page.write_string(row, column, clean(link.text), self._cell)
        else:
            page.write_url(row, column, self._target(link.path), self._link, clean(link.text))

    def _insert(self, page: Worksheet, row: int, column: int, preview: Preview) -> None:
        """Put a picture into the middle of a cell; it moves and hides with its row."""
        if preview.render not in self._thumbnails:
            return
        try:
            content, (width, height) = as_jpeg(self._thumbnails[preview.render])
        except (OSError, SyntaxError, ValueError):  # a damaged thumbnail costs its preview, not the report
            return
        scale = SHOWN / max(width, height)
        options: dict[str, Any] = {
            "image_data": io.BytesIO(content),
            "x_scale": scale,
            "y_scale": scale,
            "x_offset": 6 + round((SHOWN - width * scale) / 2),
            "y_offset": 4 + round((SHOWN - height * scale) / 2),
            "object_position": 1,
            "description": clean(preview.description)[:255],
        }
        if preview.path and self._links < MAX_LINKS:
            self._links += 1
            options["url"] = self._target(preview.path)
        page.insert_image(row, column, "picture.jpg", options)

    def _target(self, path: str) -> str:
        """A relative link; quoted here, for a name that looks quoted already is left alone there."""
        return "external:" + quote(self._base + path)


def as_jpeg(webp: bytes) -> tuple[bytes, tuple[int, int]]:
    """A picture that Excel can show, and its size in pixels."""
    with Image.open(io.BytesIO(webp)) as image:
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, "JPEG", quality=80)
        return buffer.getvalue(), image.size


def clean(text: str) -> str:
    """A text that a cell can hold: no control characters, no more than MAX_TEXT."""
    kept = _CONTROL.sub("", text)
    if len(kept.encode("utf-16-le")) // 2 <= MAX_TEXT:
        return kept
    return kept.encode("utf-16-le")[: 2 * (MAX_TEXT - 1)].decode("utf-16-le", errors="ignore") + "…"


def state_of(content: bytes) -> str:
    """The state that a workbook says it shows, or ``""``."""
    with suppress(*_UNREADABLE), zipfile.ZipFile(io.BytesIO(content)) as book:
        found = _STATE.search(book.read("docProps/custom.xml"))
        return found[1].decode() if found else ""
    return ""


def _renders(sheet: Sheet) -> list[Digest]:
    """The renders that a sheet shows."""
    return [cell.render for row in sheet.rows for cell in row if isinstance(cell, Preview)]
