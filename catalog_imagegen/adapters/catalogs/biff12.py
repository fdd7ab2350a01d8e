"""The records of binary workbooks, by [MS-XLSB]."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from xlrd import xldate_as_datetime
from xlrd.formatting import FDT, is_date_format_string, std_format_code_types, std_format_strings

from catalog_imagegen.adapters.catalogs.sheets import moment_text, shown_number

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.sheets import Content

_FORMAT, _STYLE, _BEGIN_STYLES, _END_STYLES = 44, 47, 617, 618
_MORE = 0x80
"""In a byte of a number: another one follows."""
_SIZE_BYTES = 4
_NO_TEXT = 0xFFFF_FFFF


def records(data: bytes) -> Iterator[tuple[int, int]]:
    """The kind of each record and where its fields begin. Raises IndexError, ValueError where the end is missing."""
    place, length = 0, len(data)
    while place < length:
        kind = data[place]
        place += 1
        if kind & _MORE:
            kind = kind & 0x7F | (data[place] & 0x7F) << 7
            place += 1
        size = 0
        for shift in range(0, 7 * _SIZE_BYTES, 7):
            byte = data[place]
            place += 1
            size |= (byte & 0x7F) << shift
            if byte < _MORE:
                break
        if place + size > length:
            raise ValueError("a record ends behind the part")
        yield kind, place
        place += size


def text_at(data: bytes, place: int) -> tuple[str, int]:
    """The text at *place*, and where it ends; one that is not there is empty."""
    (count,) = struct.unpack_from("<I", data, place)
    place += 4
    if count == _NO_TEXT:
        return "", place
    end = place + 2 * count
    return data[place:end].decode("utf-16-le", "replace"), end


class Styles:
    """How the numbers of a workbook are shown."""

    def __init__(self, part: bytes, *, counts_from_1904: bool) -> None:
        self._counts_from_1904 = counts_from_1904
        formats: dict[int, str] = {}
        styles: list[int] = []
        is_of_cells = False
        for kind, place in records(part):
            if kind == _FORMAT:
                (number,) = struct.unpack_from("<H", part, place)
                formats[number] = text_at(part, place + 2)[0]
            elif kind in (_BEGIN_STYLES, _END_STYLES):
                is_of_cells = kind == _BEGIN_STYLES
            elif kind == _STYLE and is_of_cells:
                styles.append(struct.unpack_from("<HH", part, place)[1])
        self._formats = [(_code(number, formats), _is_of_moments(number, formats)) for number in styles]

    def shown(self, value: float, style: int) -> Content:
        """A number as a cell in this style shows it."""
        code, is_moment = self._formats[style] if style < len(self._formats) else ("", False)
        if is_moment:
            try:
                moment = xldate_as_datetime(value, int(self._counts_from_1904))
                return moment_text(moment.time() if 0 <= value < 1 else moment), "date"
            except (ValueError, OverflowError):
                return shown_number(value)
        return shown_number(value, code)


class _Quiet:
    """Stands for the workbook that xlrd wants to complain about."""

    verbosity = 0


def _code(number: int, formats: dict[int, str]) -> str:
    return formats.get(number) or std_format_strings.get(number, "")


def _is_of_moments(number: int, formats: dict[int, str]) -> bool:
    if number in formats:
        return bool(is_date_format_string(_Quiet, formats[number]))
    return bool(std_format_code_types.get(number) == FDT)
