"""Makes the answer: an .xlsx or .xlsm is changed part by part, anything else becomes a workbook of its texts."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog_imagegen.adapters.answers.content import CellAnswer, RowAnswer, SheetAnswers, Titles, by_sheet
from catalog_imagegen.adapters.answers.marker import is_marked, mark
from catalog_imagegen.adapters.answers.parts import Parts
from catalog_imagegen.adapters.answers.removal import BROKEN, DAMAGED, remove_answer
from catalog_imagegen.adapters.answers.stylesheet import Stylesheet, plain_stylesheet
from catalog_imagegen.adapters.answers.table_copy import copied
from catalog_imagegen.adapters.answers.worksheet import SheetEditor
from catalog_imagegen.adapters.catalogs import Columns, Way
from catalog_imagegen.adapters.catalogs.archive import look_into
from catalog_imagegen.adapters.catalogs.files import recognise, refuse_corrupt
from catalog_imagegen.adapters.catalogs.layout import Area

STYLES_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
_USUAL_WAY = Way()

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """The workbook, and what could not be added to it."""

    content: bytes
    troubles: tuple[str, ...] = ()
    """Each begins with the title of a sheet. That sheet is as it was, or lacks only what is named."""


def annotate(
    data: bytes,
    *,
    name: str,
    rows: Sequence[RowAnswer],
    cells: Sequence[CellAnswer],
    words: Titles,
    header_rows: Mapping[str, int] | None = None,
    columns: Columns | None = None,
    way: Way = _USUAL_WAY,
) -> bytes:
    """``answer`` without what could not be added, which is logged. Always an .xlsx, or an .xlsm of an .xlsm."""
    made = answer(
        data,
        name=name,
        rows=rows,
        cells=cells,
        words=words,
        header_rows=header_rows,
        columns=columns,
        way=way,
    )
    for trouble in made.troubles:
        log.warning("%s: %s", name, trouble)
    return made.content


def answer(
    data: bytes,
    *,
    name: str,
    rows: Sequence[RowAnswer],
    cells: Sequence[CellAnswer],
    words: Titles,
    header_rows: Mapping[str, int] | None = None,
    columns: Columns | None = None,
    way: Way = _USUAL_WAY,
) -> Answer:
    """Write what is said of rows and cells into the table *data*, which *name* is the name of.

    *header_rows* tells in which row of a sheet our headers stand; without it that is the row above the first one of which
    anything is said. An answer of an answer replaces it. *columns* and *way* are those by which a table was read that is no
    .xlsx. Raises CatalogError for what cannot be read.
    """
    said = by_sheet(rows, cells)
    headers = dict(header_rows or {})
    if recognise(data, name) != "xlsx" or look_into(data, name) != "xlsx":
        data, renamed = copied(
            data, name=name, columns=columns or Columns.from_toml({}), way=way, header_rows=headers
        )
        said = {renamed[title]: about for title, about in said.items() if title in renamed}
        headers = {renamed[title]: row for title, row in headers.items() if title in renamed}
    try:
        return _answered(data, said, headers, words)
    except DAMAGED as error:
        raise refuse_corrupt(name, type(error).__name__, "工作簿内容有误") from error


def _answered(
    data: bytes, said: Mapping[str, SheetAnswers], headers: Mapping[str, int], words: Titles
) -> Answer:
    parts = Parts(data)
    if is_marked(parts):
        remove_answer(parts)
    styles = parts.related(parts.workbook, "styles") or _new_styles(parts)
    sheet = Stylesheet(parts.text(styles))
    areas: dict[str, Area] = {}
    troubles: list[str] = []
    for each in parts.sheets:
        about = said.get(each.title)
        if about is None:
            continue
        editor = SheetEditor(parts, each.part, about, sheet, words, headers.get(each.title, 0))
        was = parts.state()
        try:
            area = editor.edit()
        except BROKEN as error:
            parts.restore(was)
            troubles.append(f"{each.title}: {type(error).__name__}: {error}")
            continue
        troubles += [f"{each.title}: {trouble}" for trouble in editor.troubles]
        if area is not None:
            areas[each.title] = area
    titles = {each.title for each in parts.sheets}
    troubles += [f"{title}: no such sheet" for title in said if title not in titles]
    parts.put(styles, sheet.finish())
    mark(parts, areas)
    return Answer(parts.finish(), tuple(troubles))


def _new_styles(parts: Parts) -> str:
    """A workbook without styles gets some."""
    usual = "xl/styles.xml"  # some programs look nowhere else
    part = usual if usual not in parts else parts.unused("xl/styles{}.xml")
    parts.put(part, plain_stylesheet(parts.main))
    parts.declare(part, STYLES_TYPE)
    parts.relate(parts.workbook, [("styles", part)])
    return part
