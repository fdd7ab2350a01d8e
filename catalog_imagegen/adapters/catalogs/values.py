"""What one cell's text means: nothing, a price, a date, or a SKU that a spreadsheet has damaged."""

from __future__ import annotations

import re
import unicodedata
from datetime import date as Date  # noqa: N812  # the function below has the field's name
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.grid import Nature
    from catalog_imagegen.domain.catalog import PictureKind

PRICE_FIELDS = frozenset({"price", "list_price"})
DATE_FIELDS = frozenset({"date", "promo_start", "promo_end"})

NA_LIKE = frozenset({"无", "-", "/", "—", "——", "--", "－", "／"})
ERRORS = frozenset(
    [
        "#N/A",
        "#REF!",
        "#VALUE!",
        "#DIV/0!",
        "#NAME?",
        "#NULL!",
        "#NUM!",
        "#SPILL!",
        "#CALC!",
        "#GETTING_DATA",
        "#FIELD!",
        "#BLOCKED!",
        "#CONNECT!",
    ]
)
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_SCIENTIFIC = re.compile(r"-?\d(\.\d+)?[Ee]\+\d{2,}")
"""As spreadsheets print it; a SKU such as 1E5 is somebody's own."""

_EXACT_DIGITS = 14
"""A spreadsheet keeps 15 digits of a number, so a longer one may already have been rounded to 15."""

_MOST_TOLD = 500
_LONGEST = 200
"""Of a price or date. To normalise a text takes time with the square of its length, if somebody wants it to."""

_PRICE = re.compile(
    r"(?:[¥$€£]|cny|rmb|usd|人民币)?\s*(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)\s*(?:元|cny|rmb|usd)?",
    re.IGNORECASE,
)
_DATE = re.compile(r"(\d{4})[-./年](\d{1,2})[-./月](\d{1,2})日?")
_PICTURE_PATH = re.compile(r"^[^?#]*\.(?:jpe?g|png|webp|gif|bmp|tiff?|avif|heic)(?:[?#]|$)", re.IGNORECASE)
_SERIAL = re.compile(r"[2-7]\d{4}")
_SERIAL_EPOCH = Date(1899, 12, 30)


def shortened(fact: object) -> object:
    """As much of a text as a message can bear: a cell may hold a book, and a million rows one each."""
    return f"{fact[:_MOST_TOLD]}…" if isinstance(fact, str) and len(fact) > _MOST_TOLD else fact


def trimmed(text: str) -> str:
    """Drop outer blanks and write every line break as a newline."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip().strip("\ufeff\u200b").strip()


def trouble(text: str, nature: Nature, *, is_picture: bool) -> str | None:
    """Tell why *text* is no value (an issue's code), or None when it is one."""
    if nature == "picture" or (is_picture and text in {"#VALUE!", "#NAME?"}):
        return "cell_picture_not_read"  # programs without in-cell pictures show those two errors instead
    if nature == "uncalculated":
        return "formula_not_calculated"
    if nature == "binary":
        return "binary_value"
    if text in ERRORS:
        return "error_cell"
    return "na_like" if text in NA_LIKE else None


def sku_trouble(text: str, nature: Nature) -> str | None:
    """Tell how a spreadsheet has damaged the SKU *text* (an issue's code), or None."""
    if nature == "date":
        return "sku_is_date"
    if nature == "number":
        digits = text.lstrip("-")
        if not digits.isdigit():
            return "sku_not_integer"
        return "precision_lost" if len(digits.lstrip("0")) > _EXACT_DIGITS else None
    return "scientific_text" if _SCIENTIFIC.fullmatch(text) else None


def tidy_sku(text: str) -> str:
    """Remove what nobody sees and what marks text in Excel; everything else is the SKU, exactly."""
    folded = text.translate(_INVISIBLE).translate(_FULL_WIDTH).strip()
    return folded.removeprefix("'") or folded


def has_control_character(text: str) -> bool:
    """Tell whether *text* holds a line break or another control character."""
    return any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in text)


def price(text: str) -> str | None:
    """Give a price as decimal text without currency and thousands marks, or None if it is no number."""
    if len(text) > _LONGEST:
        return None
    found = _PRICE.fullmatch(unicodedata.normalize("NFKC", text).strip())
    return found[1].replace(",", "") if found else None


def date(text: str) -> str:
    """Write a date or a spreadsheet's day number as YYYY-MM-DD; leave any other text as it is."""
    if len(text) > _LONGEST:
        return text
    found = _DATE.fullmatch(unicodedata.normalize("NFKC", text))
    if found:
        try:
            return Date(int(found[1]), int(found[2]), int(found[3])).isoformat()
        except ValueError:
            return text
    return (_SERIAL_EPOCH + timedelta(days=int(text))).isoformat() if _SERIAL.fullmatch(text) else text


def is_url(reference: str) -> bool:
    """Tell a web address from a path."""
    return reference.lower().startswith(("http://", "https://", "//"))


def names_picture(reference: str) -> bool:
    """Tell whether a web address is plainly one of a picture."""
    return _PICTURE_PATH.search(reference) is not None


def kind_of(reference: str) -> PictureKind:
    """Say how a cell's text names a picture."""
    return "url" if is_url(reference) else "path"
