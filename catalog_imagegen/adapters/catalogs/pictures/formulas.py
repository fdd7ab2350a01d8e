"""The pictures that formulas name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.layout import place_of
from catalog_imagegen.adapters.catalogs.pictures.bands import is_on_sheet

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.layout import Place

_DISPIMG = re.compile(r'DISPIMG\(\s*["“”]([^"“”]+)["“”]', re.IGNORECASE)
_TEXT = re.compile(r'\s*"((?:[^"]|"")*)"\s*[,;)]')
_CELL = re.compile(
    r"\s*(?:(?P<sheet>'(?:[^']|'')+'|[\w.]+)!)?(?P<cell>\$?[A-Z]{1,3}\$?[0-9]{1,7})\s*[,;)]", re.IGNORECASE
)
_URL = re.compile(r"https?://\S", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Argument:
    """What a function is called with; neither of the two where that has to be calculated first."""

    text: str = ""
    cell: Place | None = None


def calls_dispimg(formula: str) -> bool:
    """Whether WPS would show a picture of the workbook for it."""
    return "DISPIMG(" in formula.upper()


def dispimg_ids(formula: str) -> list[str]:
    """The pictures that WPS would show for it; quotation marks may have suffered from being pasted as text."""
    return _DISPIMG.findall(formula)


def first_argument(formula: str, function: str, title: str = "") -> Argument | None:
    """What *function* is called with first in a formula of the sheet *title*; None where it is not called."""
    if f"{function}(" not in formula.upper():
        return None
    call = re.search(rf"(?<![\w.])(?:_xlfn\.)?{function}\(", formula, re.IGNORECASE)
    if call is None:
        return None
    text = _TEXT.match(formula, call.end())
    if text is not None:
        return Argument(text=text[1].replace('""', '"').strip())
    cell = _CELL.match(formula, call.end())
    if cell is not None and (cell["sheet"] is None or _unquoted(cell["sheet"]) == title):
        return Argument(cell=cell_named(cell["cell"]))
    return Argument()


def _unquoted(sheet: str) -> str:
    return sheet[1:-1].replace("''", "'") if sheet.startswith("'") else sheet


def cell_named(reference: str) -> Place | None:
    """The cell that *reference*, such as E4 or $E$4, names, if a sheet is large enough to have it."""
    place = place_of(reference)
    return place if place is not None and is_on_sheet(place) else None


def web_address(text: str) -> str:
    """The http address that *text* is; empty where it is another one, or none."""
    return text.strip() if _URL.match(text.strip()) else ""
