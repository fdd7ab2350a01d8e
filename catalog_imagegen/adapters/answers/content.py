"""What an answer says of a catalog's rows and cells, and in which words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from catalog_imagegen.adapters.catalogs.layout import Place, place_of
from catalog_imagegen.domain.catalog import Severity
from catalog_imagegen.language import Language

Tone = Literal["good", "waiting", "bad", "none"]
TONES: tuple[Tone, ...] = ("good", "waiting", "bad", "none")
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""The gravest first."""
AUTHOR = "catalog-imagegen"
"""Signs comments, names pictures: by it our own are told from the merchandiser's."""
MAX_LINKS = 6
"""Of a row; each takes a column, for a cell has only one."""
_ROW = re.compile(r"[1-9][0-9]{0,6}")


@dataclass(frozen=True, slots=True)
class Link:
    """A text that leads somewhere: a path relative to the answer's folder, or a URL."""

    text: str
    target: str


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """What is said of one row of the catalog."""

    where: str
    """Its sheet and number, such as ``商品!17``."""
    status: str
    tone: Tone
    reasons: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    thumbnail: bytes = b""
    """A small picture; JPEG and PNG are kept as they are."""


@dataclass(frozen=True, slots=True)
class CellAnswer:
    """What is said of one cell."""

    where: str
    """Such as ``商品!C17``."""
    text: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Titles:
    """The headers of the columns that are added."""

    status: str
    reasons: str
    picture: str
    link: str

    def links(self, count: int) -> tuple[str, ...]:
        """The headers of so many columns of links."""
        return tuple(self.link if number == 1 else f"{self.link} {number}" for number in range(1, count + 1))


def titles(words: Language) -> Titles:
    """The headers in this language."""
    return Titles(
        status=words.pick("Picture status", "出图状态"),
        reasons=words.pick("What to do", "说明与处理"),
        picture=words.pick("Picture", "图片预览"),
        link=words.pick("Open", "查看图片"),
    )


@dataclass(slots=True)
class SheetAnswers:
    """All that is said of one sheet."""

    rows: dict[int, RowAnswer] = field(default_factory=dict)
    cells: dict[Place, CellAnswer] = field(default_factory=dict)


def by_sheet(rows: Iterable[RowAnswer], cells: Iterable[CellAnswer]) -> Mapping[str, SheetAnswers]:
    """Title of a sheet → what is said of it. Answers about no row or cell, such as a whole file, are left out.

    A row has the last answer that is given for it, a cell all of them in one.
    """
    sheets: dict[str, SheetAnswers] = {}
    for row in rows:
        title, mark, label = row.where.rpartition("!")
        if mark and _ROW.fullmatch(label):
            sheets.setdefault(title, SheetAnswers()).rows[int(label)] = row
    for cell in cells:
        title, mark, label = cell.where.rpartition("!")
        place = place_of(label) if mark else None
        if place is not None:
            there = sheets.setdefault(title, SheetAnswers()).cells
            there[place] = _together(there[place], cell) if place in there else cell
    return sheets


def _together(first: CellAnswer, second: CellAnswer) -> CellAnswer:
    gravest = min(first.severity, second.severity, key=SEVERITIES.index)
    texts = dict.fromkeys((*first.text.split("\n"), *second.text.split("\n")))
    return CellAnswer(first.where, "\n".join(texts), gravest)
