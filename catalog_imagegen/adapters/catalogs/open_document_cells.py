"""What a cell of an OpenDocument shows."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.sheets import moment_text, shown_number, shown_text
from catalog_imagegen.adapters.catalogs.special_cells import shows_picture
from catalog_imagegen.adapters.catalogs.values import ERRORS

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.sheets import Content

_NAMES = "urn:oasis:names:tc:opendocument:xmlns:"
OFFICE, TABLE, TEXT = f"{_NAMES}office:1.0 ", f"{_NAMES}table:1.0 ", f"{_NAMES}text:1.0 "
_KIND, _VALUE, _TRUTH, _STRING = (
    f"{OFFICE}{name}" for name in ("value-type", "value", "boolean-value", "string-value")
)
_FORMULA = f"{TABLE}formula"
_LIBREOFFICE_KIND = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 value-type"
_NUMBERS = frozenset({"float", "currency", "percentage"})
_MOMENTS = frozenset({"date", "time"})
_PADDED = re.compile(r"\D*?(0[0-9]+)")
_LIBREOFFICE_ERROR = re.compile("Err:[0-9]{3}")
_TIME = re.compile(r"PT(\d{1,9})H(\d{1,2})M(\d{1,2})(?:[.,]\d+)?S")
_BLANKS = re.compile("[ \t\r\n]+")
_MOST_BLANKS = 1000

Attributes = Mapping[str, str]


class Paragraphs:
    """The lines of a cell, in which blanks of the XML count once and others are elements."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._pieces: list[str] | None = None
        """Of the line that is read."""
        self.is_muted = False
        self.starts: Mapping[str, Callable[[Attributes], None]] = {
            f"{TEXT}p": self._start, f"{TEXT}h": self._start, f"{TEXT}s": self._blanks, f"{TEXT}tab": self._tab,
            f"{TEXT}line-break": self._break,
        }  # fmt: skip
        self.ends: Mapping[str, Callable[[], None]] = {f"{TEXT}p": self._end, f"{TEXT}h": self._end}

    def clear(self) -> None:
        """Begin a cell."""
        self._lines, self._pieces = [], None

    def text(self) -> str:
        """What was read since."""
        return "\n".join(self._lines)

    def characters(self, data: str) -> None:
        """Take what stands between two elements."""
        if self._pieces is None or self.is_muted:
            return
        if not data.isalnum():
            data = _BLANKS.sub(" ", data)
            if data[0] == " " and (not self._pieces or self._pieces[-1].endswith((" ", "\n"))):
                data = data[1:]
        self._pieces.append(data)

    def _start(self, _attributes: Attributes) -> None:
        self._pieces = []

    def _end(self) -> None:
        self._lines.append("".join(self._pieces or ()))
        self._pieces = None

    def _blanks(self, attributes: Attributes) -> None:
        told = attributes.get(f"{TEXT}c", "1")
        self._add(" " * min(int(told) if told.isascii() and told.isdigit() else 1, _MOST_BLANKS))

    def _tab(self, _attributes: Attributes) -> None:
        self._add("\t")

    def _break(self, _attributes: Attributes) -> None:
        self._add("\n")

    def _add(self, text: str) -> None:
        if self._pieces is not None:
            self._pieces.append(text)


def content(attributes: Attributes, text: str) -> Content:
    """What a cell with these attributes and this *text* shows."""
    kind = attributes.get(_KIND, "")
    formula = attributes.get(_FORMULA, "")
    if formula:
        is_error = text in ERRORS or _LIBREOFFICE_ERROR.fullmatch(text) is not None
        if shows_picture(formula):
            return "", "picture"
        if is_error or attributes.get(_LIBREOFFICE_KIND) == "error":
            return text if text in ERRORS else "#VALUE!", "text"
        if not kind and not text:
            return "", "uncalculated"
    if kind in _NUMBERS:
        return _number(attributes.get(_VALUE, ""), text, is_percentage=kind == "percentage")
    if kind in _MOMENTS:
        return _moment(attributes.get(f"{OFFICE}{kind}-value", text)), "date"
    told = attributes.get(_TRUTH, "").upper() if kind == "boolean" else ""
    return shown_text(told or attributes.get(_STRING) or text)


def _number(told: str, text: str, *, is_percentage: bool) -> Content:
    """A number as its cell shows it, as far as zeros go: its text may be rounded otherwise."""
    try:
        value = float(told)
    except ValueError:
        return shown_text(text)
    if not math.isfinite(value):
        return shown_text(text)
    padded = _PADDED.fullmatch(text)
    if padded and int(padded[1]) == value:
        return text, "number" if text[0].isdigit() else "text"
    return shown_number(value, "0%" if is_percentage else "")


def _moment(told: str) -> str:
    if found := _TIME.fullmatch(told):
        return ":".join(f"{int(part):02}" for part in found.groups())
    try:
        return moment_text(dt.datetime.fromisoformat(told))
    except ValueError:
        return told
