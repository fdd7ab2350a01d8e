"""Names the files of a placement by its rule, and tells whether a name keeps that rule."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from catalog_imagegen.domain.catalog import TEXT_FIELDS, Product
from catalog_imagegen.domain.imaging import DEFAULT_FILE_NAME, Placement
from catalog_imagegen.stages.listing.safe import path_safe, within

MAX_STEM_BYTES = 230
"""Of a whole name: disks take 255 bytes, and an extension and a number may follow."""
SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "AVIF": ".avif"}
_ALWAYS = frozenset({"sku", "role", "kind", "order", "n"})
"""Words of names that every file has."""
_BRACES = re.compile(r"\{([^{}]*)\}")
_IN_BRACKETS = re.compile(r"\(.*?\)|\[.*?\]|【.*?】")


@dataclass(frozen=True, slots=True)
class _Word:
    """What a rule may put in one place, and how many digits a number has there."""

    name: str
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Stem:
    """A file's name without its extension."""

    text: str
    lacks: tuple[str, ...] = ()
    """Columns that should be in it and that the product does not have, so that another word stands in."""


@lru_cache(maxsize=1_000)
def _parsed(rule: str) -> tuple[str | tuple[_Word, ...], ...]:
    """The parts of ``{asin|sku}.PT{n:02}``: texts, and words of which the first that has a value is taken."""
    parts: list[str | tuple[_Word, ...]] = []
    for index, part in enumerate(_BRACES.split(rule)):
        if index % 2 == 0:
            parts.append(part)
            continue
        words = (word.partition(":") for word in part.split("|"))
        parts.append(tuple(_Word(name, int(digits or 0)) for name, _, digits in words))
    return tuple(parts)


def named(
    rule: str, always: Mapping[str, str], product: Product | None, columns: Mapping[str, Sequence[str]]
) -> Stem:
    """Name a file by a placement's rule.

    *always* has the words that need no catalog; others are read from the *product*: a field, or a column under
    one of the headers that *columns* has for the word, or else under the word itself.
    """
    text, lacks = "", []
    for part in _parsed(rule):
        if isinstance(part, str):
            text += part
            continue
        said = ((word, always.get(word.name) or _told(word, product, columns)) for word in part)
        word, value = next(((word, value) for word, value in said if value), (part[-1], ""))
        text += value.zfill(word.digits) if value.isdecimal() else value
        if word.name in _ALWAYS:
            lacks += [other.name for other in part if other.name not in _ALWAYS]
    return Stem(within(MAX_STEM_BYTES, text, of=text), tuple(lacks))


def _told(word: _Word, product: Product | None, columns: Mapping[str, Sequence[str]]) -> str:
    """What the catalog says for a word; nothing where a number is wanted and no such number is there."""
    for text in _said(product, word.name, columns) if product else ():
        is_number = text.isdecimal() and len(text) <= word.digits
        if is_number or not word.digits:
            return path_safe(text)
    return ""


def _said(product: Product, name: str, columns: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What a product's field, or its columns under the headers of this name, say; a header in full comes first."""
    if name in TEXT_FIELDS:
        yield from filter(None, [str(getattr(product, name)).strip()])
        return
    values: dict[str, str] = {}
    for read in (_whole, _bare):
        for header, value in product.extra.items():
            if (said := unicodedata.normalize("NFKC", value).strip()).casefold() not in _NOTHING:
                values.setdefault(read(header), said)
    for wanted in columns.get(name, (name,)):
        yield from (values[header] for header in (_whole(wanted), _bare(wanted)) if header in values)


def is_in_names(column: str, rule: str, columns: Mapping[str, Sequence[str]]) -> bool:
    """Whether a field or a header of the catalog may stand in names by this rule."""
    words = {word.name for part in _parsed(rule) if not isinstance(part, str) for word in part}
    headers = [header for word in words for header in columns.get(word, (word,))]
    return column in words or _bare(column) in map(_bare, headers)


_NOTHING = frozenset(("", "-", "--", "/", "0", "n/a", "na", "none", "null", "无", "暂无", "没有"))
"""What people write where there is no code."""


def _whole(header: str) -> str:
    """A header as it is compared first: without case, width and spaces."""
    return "".join(unicodedata.normalize("NFKC", header).casefold().split())


def _bare(header: str) -> str:
    """Without signs too, and without what stands in brackets, unless it says whose: a parent's code is not the variant's."""
    whole = _whole(header)
    is_of_a_parent = any("父" in remark or "parent" in remark for remark in _IN_BRACKETS.findall(whole))
    return "".join(c for c in (whole if is_of_a_parent else _IN_BRACKETS.sub("", whole)) if c.isalnum())


def name_pattern(placement: Placement) -> re.Pattern[str] | None:
    """What the whole name of a file of this placement looks like; None where it has no rule of its own.

    To be matched in full. Where a column of the catalog stands any text may stand, as the SKU may that stands in
    for it, but a column of so many digits has no others.
    """
    if placement.file_name == DEFAULT_FILE_NAME:
        return None
    shapes = {"role": "|".join(map(re.escape, placement.roles)), "kind": "sku|spu"}
    found = ""
    for part in _parsed(placement.file_name):
        words = (part,) if isinstance(part, str) else part
        found += f"(?:{'|'.join(_shape(word, shapes) for word in words)})"
    return re.compile(found + re.escape(SUFFIXES[placement.format]))


def _shape(word: str | _Word, shapes: Mapping[str, str]) -> str:
    """The regular expression of a text or a word."""
    if isinstance(word, str):
        return re.escape(word)
    if word.name in ("order", "n"):
        return rf"[0-9]{{{max(1, word.digits)},}}"
    if word.digits and word.name not in _ALWAYS:
        return rf"[0-9]{{{word.digits}}}"
    return shapes.get(word.name, r"[^/\\]+")
