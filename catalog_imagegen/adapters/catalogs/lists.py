"""One cell, several values: how merchandisers write lists into a single cell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.values import is_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SEPARATORS = (re.compile(r"[\r\n]+"), re.compile("[；;]"), re.compile("、"))
"""Strongest first; a weaker one splits only where no stronger one stands, so 、 stays inside a sentence."""

_CIRCLED = "①-⑳⑴-⒇❶-❿"
_NUMBERED = r"[(（](?P<a>\d{1,2})[)）]|(?P<b>\d{1,2})(?:[、)）]|[.．](?!\d))"
_BULLET = re.compile(
    rf"\s*(?:[{_CIRCLED}]\s*[、.．]?|[•·●▪■◆★*–—]|-(?=[^\d\s.-]|\s))\s*"  # "-5℃" is a temperature
)
_NUMBER = re.compile(rf"\s*(?:{_NUMBERED})\s*")
_INLINE_MARK = re.compile(rf"[{_CIRCLED}]|(?:^|(?<=[\s、；;，,。]))(?:{_NUMBERED})")
_URL_COMMA = re.compile(r"[,，](?=\s*https?:)", re.IGNORECASE)
_FILE_COMMA = re.compile(r"(\.(?:jpe?g|png|webp|gif|bmp|tiff?|avif|heic))\s*[,，]", re.IGNORECASE)
_EDGES = "".join(char for char in map(chr, range(0x3001)) if char.isspace()) + "；;、"
_MAYBE_MARKED = re.compile(rf"[\r\n\d{_CIRCLED}•·●▪■◆★*–—-]")
"""A text without any of these is split at its separators and nothing else."""
_MAYBE_SEVERAL = re.compile(r"[\s；;、,，]")


def split_list(text: str, *, splitters: Iterable[str] = ()) -> tuple[str, ...]:
    """Split at line breaks, else ；, else 、; then at *splitters*; drop enumeration marks, blanks and repeats."""
    if not splitters and not _MAYBE_MARKED.search(text):
        return _unique(_separated(text))
    items = _enumerated(text) or _separated(_without_mark(text, 1))
    items = [_without_mark(item, position) for position, item in enumerate(items, start=1)]
    for splitter in splitters:
        items = [piece for item in items for piece in item.split(splitter)]
    return _unique(items)


def split_references(text: str) -> tuple[str, ...]:
    """Split picture URLs and paths.

    URLs contain commas, so one ends a URL only where another begins; it ends a path behind a picture's extension.
    """
    if not _MAYBE_SEVERAL.search(text):
        return (text,) if text else ()
    references = [item for piece in _separated(text) for item in _URL_COMMA.split(piece)]
    return _unique(
        part
        for reference in references
        for part in (
            [reference] if is_url(reference.strip()) else _FILE_COMMA.sub(r"\1\n", reference).split("\n")
        )
    )


def references_of(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """What ``split_references`` gives for each of a column's texts, most of which are one reference."""
    if _MAYBE_SEVERAL.search("".join(texts)):
        return list(map(split_references, texts))
    return [(text,) if text else () for text in texts]


def _enumerated(text: str) -> list[str]:
    """Items of a text that counts from 1 to at least 2 (``1、… 2、…`` or ``①…②…``), else nothing."""
    marks = list(_INLINE_MARK.finditer(text))
    if len(marks) < 2 or text[: marks[0].start()].strip(_EDGES):  # noqa: PLR2004  # 1 and 2
        return []
    if not all(_number(mark) in (None, place) for place, mark in enumerate(marks, start=1)):
        return []
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [text[mark.end() : end] for mark, end in zip(marks, ends, strict=True)]


def _separated(text: str) -> list[str]:
    stripped = text.strip(_EDGES)
    for separator in _SEPARATORS:
        if separator.search(stripped):
            pieces = [piece for piece in separator.split(stripped) if piece.strip(_EDGES)]
            if len(pieces) > 1:
                return pieces
    return [stripped]


def _without_mark(item: str, position: int) -> str:
    """Strip a bullet, or a number that is the item's own: in "36、37码" it is a value."""
    if bullet := _BULLET.match(item):
        return item[bullet.end() :]
    number = _NUMBER.match(item)
    return item[number.end() :] if number and _number(number) == position else item


def _number(mark: re.Match[str]) -> int | None:
    digits = mark["a"] or mark["b"]
    return int(digits) if digits else None


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    kept = dict.fromkeys(item.strip(_EDGES) for item in items)
    kept.pop("", None)
    return tuple(kept)
