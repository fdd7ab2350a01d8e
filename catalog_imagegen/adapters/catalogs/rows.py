"""Read one row of a table closely: its product, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from catalog_imagegen.adapters.catalogs import values
from catalog_imagegen.adapters.catalogs.defaults import fill_row
from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.adapters.catalogs.lists import split_list, split_references
from catalog_imagegen.adapters.catalogs.record import CatalogRow
from catalog_imagegen.domain.catalog import (
    APPEARANCE_FIELDS,
    LIST_FIELDS,
    CatalogPicture,
    Issue,
    Product,
)

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.columns import Columns
    from catalog_imagegen.adapters.catalogs.grid import Cell, Row
    from catalog_imagegen.adapters.catalogs.header import Header
    from catalog_imagegen.domain.catalog import Severity


_WRITTEN_OVER = frozenset({"url", "image_function", "dispimg", "place_in_cell"})
"""Kinds of pictures beside which a cell's text is only what they are called, or what old programs show for them."""


@dataclass
class _Draft:
    """What one row has given so far."""

    row: Row
    fields: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    pictures: list[CatalogPicture] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    """Fields whose cell already has an error of its own."""
    defaulted: tuple[str, ...] = ()
    """Fields whose cell was empty."""


@dataclass(frozen=True, slots=True)
class RowReading:
    """What came of a row."""

    product: Product | None
    issues: tuple[Issue, ...] = ()
    pictures: tuple[CatalogPicture, ...] = ()
    is_skipped: bool = False
    """It never was to describe a product."""
    defaulted: tuple[str, ...] = ()
    """Fields of the product that are no more than a default."""


def read_row(row: Row, header: Header, columns: Columns) -> RowReading:
    """The product of a row that is not blank, and all that is wrong with it."""
    skipped = _why_skipped(row, header, columns)
    if skipped:
        return RowReading(None, (skipped,), is_skipped=True)
    draft = _draft(row, header, columns)
    product = _product(draft, columns)
    issues = (replace(said, sku=said.sku or draft.fields["sku"]) for said in draft.issues)
    defaulted = draft.defaulted if product else ()
    return RowReading(product, tuple(issues), tuple(draft.pictures), defaulted=defaulted)


def _why_skipped(row: Row, header: Header, columns: Columns) -> Issue | None:
    sku, name = (row.cell(header.fields[field][0]) for field in ("sku", "name"))
    if row.is_blank:
        return issue("picture_outside_table", row.where)
    first = next(iter(row.cells.values()))
    is_footer = columns.is_footer(first.text) and (sku.is_blank or name.is_blank)
    if is_footer or columns.is_footer_word(first.text):
        return issue("footer_row_skipped", first.where, text=first.text.strip()[:40])
    known = columns.match(sku.text), columns.match(name.text)
    if [match.field if match else "" for match in known] == ["sku", "name"]:
        return issue("header_row_repeated", row.where)
    beyond = [cell for place, cell in row.cells.items() if header.width is not None and place >= header.width]
    if beyond:
        return issue("too_many_cells", beyond[0].where)
    if row.cells.keys().isdisjoint(header.mapped):
        return issue("row_without_fields", row.where)
    return None


def _draft(row: Row, header: Header, columns: Columns) -> _Draft:
    draft = _Draft(row)
    if row.is_hidden:
        draft.issues.append(issue("hidden_row", row.where))
    for name, places in header.fields.items():
        cells = [row.cell(column) for column in places]
        draft.cells[name] = next((cell for cell in cells if not cell.is_blank), cells[0]).where
        if name == "images":
            continue
        if name in LIST_FIELDS:
            draft.fields[name] = _list(draft, name, cells, columns)
        else:
            draft.fields[name] = _text(draft, name, cells[0])
    draft.fields["images"] = _images(draft, header)
    draft.defaulted = fill_row(draft.fields, columns.defaults)
    for column, title in header.extras.items():
        cell = row.cells.get(column)
        draft.cells[title] = cell.where if cell else row.naming.cell(row.label, column)
        draft.extra[title] = _clean(draft, cell, is_extra=True) if cell else ""
    return draft


def _text(draft: _Draft, name: str, cell: Cell) -> str:
    text = _clean(draft, cell, name)
    if not text:
        return text
    if name == "sku":
        return _sku(draft, cell, text)
    if name in values.PRICE_FIELDS:
        price = values.price(text)
        if price is None:
            draft.issues.append(issue("price_not_number", cell.where, text=text))
        return price or ""
    return values.date(text) if name in values.DATE_FIELDS else text


def _list(draft: _Draft, name: str, cells: list[Cell], columns: Columns) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for cell in cells:
        text = _clean(draft, cell, name)
        found |= dict.fromkeys(split_list(text, splitters=columns.splitters.get(name, ())))
    return tuple(found)


def _images(draft: _Draft, header: Header) -> tuple[str, ...]:
    """The references of all pictures of the row.

    Those of the picture columns come first, and in each what lies there before what is written.
    """
    row = draft.row
    named = header.fields.get("images", ())
    for column in named:
        lying = row.pictures.get(column, ())
        draft.pictures += lying
        if not any(picture.kind in _WRITTEN_OVER for picture in lying):
            cell = row.cell(column)
            references = split_references(_clean(draft, cell, "images"))
            draft.pictures += [CatalogPicture(cell.where, values.kind_of(r), reference=r) for r in references]
    for column, lying in sorted(row.pictures.items()):
        if column not in named:
            draft.pictures += [p for p in lying if p.kind != "url" or values.names_picture(p.reference)]
    return tuple(dict.fromkeys(picture.reference for picture in draft.pictures))


def _sku(draft: _Draft, cell: Cell, text: str) -> str:
    trouble = values.sku_trouble(text, cell.nature)
    if trouble:
        draft.broken.add("sku")
        draft.issues.append(issue(trouble, cell.where, sku=text, text=text, length=len(text.lstrip("-"))))
    sku = values.tidy_sku(text)
    if sku != text:
        draft.issues.append(issue("sku_cleaned", cell.where, sku=sku))
    return sku


def _clean(draft: _Draft, cell: Cell, name: str = "", *, is_extra: bool = False) -> str:
    """Give the cell's text, or none with an issue that says why."""
    text = values.trimmed(cell.text)
    code = values.trouble(text, cell.nature, is_picture=name == "images")
    if code is None:
        return text
    spoils = code in {"error_cell", "formula_not_calculated"}
    severity: Severity | None = "warning" if is_extra and spoils else None
    draft.issues.append(issue(code, cell.where, severity=severity, text=text))
    if spoils and not is_extra:
        draft.broken.add(name)
    return ""


def _product(draft: _Draft, columns: Columns) -> Product | None:
    """Validate the row; None, with the errors among its issues, when it must be refused."""
    sku = draft.fields["sku"]
    model: CatalogRow | None = None
    try:
        model = CatalogRow.model_validate(draft.fields)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            name = str(problem["loc"][0])
            if name not in draft.broken:
                draft.issues.append(
                    issue(problem["type"], draft.cells[name], sku=sku, **problem.get("ctx", {}))
                )
    for name in sorted(columns.required - {"sku", "name"} - draft.broken):
        if not draft.fields[name]:
            draft.issues.append(issue("missing_field", draft.cells[name], sku=sku, field=name))
    if model is None or any(problem.severity == "error" for problem in draft.issues):
        return None
    if not any(draft.fields.get(name) for name in APPEARANCE_FIELDS):
        draft.issues.append(issue("appearance_missing", draft.row.where, sku=sku))
    return Product(**model.model_dump(), extra=draft.extra, where=draft.row.where, cells=draft.cells)
