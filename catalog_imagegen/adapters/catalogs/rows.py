"""Turn grids into products, and everything wrong with them into issues."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from catalog_imagegen.adapters.catalogs import values
from catalog_imagegen.adapters.catalogs.duplicates import without_duplicates
from catalog_imagegen.adapters.catalogs.header import ColumnMissing, Header, find_header
from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.adapters.catalogs.lists import split_list, split_references
from catalog_imagegen.adapters.catalogs.record import CatalogRow
from catalog_imagegen.domain.catalog import (
    APPEARANCE_FIELDS,
    LIST_FIELDS,
    CatalogPicture,
    Issue,
    Product,
    Reading,
)
from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.columns import Columns
    from catalog_imagegen.adapters.catalogs.grid import Cell, Grid, Grids, Row
    from catalog_imagegen.domain.catalog import Severity


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


def read_grids(source: Grids, columns: Columns) -> Reading:
    """Read the products of every grid with a header.

    Raises CatalogError when no grid can be read at all, or when headers stand over nothing.
    """
    headers, issues = _headers(source, columns)
    drafts: list[_Draft] = []
    products: list[Product] = []
    for grid, header in headers:
        issues += header.issues
        found = [_draft(row, header, columns) for row in _rows(grid, header, columns, issues)]
        if not found:
            issues.append(issue("sheet_without_rows", header.row.where))
        drafts += found
    if not drafts:
        raise CatalogError(
            f"{headers[0][1].row.where}: there is a header but no product below it; add rows and import again",
            zh=f"{headers[0][1].row.where}：只有表头，没有商品；请填写商品后重新导入",
            code="empty_catalog",
        )
    for draft in drafts:
        product = _product(draft, columns)
        issues += [replace(said, sku=said.sku or draft.fields["sku"]) for said in draft.issues]
        if product:
            products.append(product)
    kept, more = without_duplicates(products, is_row_number=columns.is_row_number)
    pictures = tuple(picture for draft in drafts for picture in draft.pictures)
    return Reading(products=kept, issues=(*issues, *more), pictures=pictures)


def _headers(source: Grids, columns: Columns) -> tuple[list[tuple[Grid, Header]], list[Issue]]:
    """Find each grid's header; a sheet that is no catalog matters only when no other one is."""
    headers: list[tuple[Grid, Header]] = []
    refused: list[ColumnMissing] = []
    issues = list(source.issues)
    for grid in source.grids:
        if all(row.is_blank for row in grid.rows):
            continue
        try:
            header = find_header(grid, columns)
        except ColumnMissing as error:
            refused.append(error)
            continue
        if header is None:
            issues.append(issue("no_header_found", grid.name))
        else:
            headers.append((grid, header))
    if not headers:
        raise refused[0] if refused else _no_header(source)
    issues += [
        Issue(missing.where, missing.code, "error", missing.message_zh, missing.message_en)
        for missing in refused
    ]
    return headers, issues


def _no_header(source: Grids) -> CatalogError:
    names = ", ".join(grid.name for grid in source.grids) or "-"
    if all(row.is_blank for grid in source.grids for row in grid.rows):
        return CatalogError(
            f"nothing is written in {names}; fill in the catalog (or unhide its sheet) and import again",
            zh=f"{names} 中没有内容；请填写商品资料（或取消隐藏工作表）后重新导入",
            code="empty_catalog",
        )
    return CatalogError(
        f"no header row was found in {names}; give the table a header with at least a SKU and a name column, "
        "or add your headers to config/columns.toml",
        zh=f"在 {names} 中没有找到表头；请加一行表头（至少有货号和商品名称），或把您的表头加到 config/columns.toml",
        code="no_header_found",
    )


def _rows(grid: Grid, header: Header, columns: Columns, issues: list[Issue]) -> list[Row]:
    """Give the rows that describe a product; say of every other one that is not blank why it was skipped."""
    rows = []
    mapped = [column for places in header.fields.values() for column in places]
    headless: set[int] = set()
    for row in grid.rows[header.index + 1 :]:
        if row.is_blank:
            continue
        skipped = _why_skipped(row, header, mapped, columns)
        if skipped:
            issues.append(skipped)
            continue
        rows.append(row)
        for column, cell in row.cells.items():
            known = column in headless or column in mapped or column in header.extras
            if not known and not cell.is_blank:
                headless.add(column)
                issues.append(issue("column_without_header", cell.where))
    return rows


def _why_skipped(row: Row, header: Header, mapped: list[int], columns: Columns) -> Issue | None:
    sku, name = (row.cell(header.fields[field][0]) for field in ("sku", "name"))
    first = next(cell for _, cell in sorted(row.cells.items()) if not cell.is_blank)
    if columns.is_footer(first.text) and (sku.is_blank or name.is_blank):
        return issue("footer_row_skipped", first.where, text=first.text.strip()[:40])
    known = columns.match(sku.text), columns.match(name.text)
    if [match.field if match else "" for match in known] == ["sku", "name"]:
        return issue("header_row_repeated", row.where)
    if header.row.width and row.width and row.width > header.row.width:
        beyond = [c for place, c in sorted(row.cells.items()) if place >= header.row.width and not c.is_blank]
        if beyond:
            return issue("too_many_cells", beyond[0].where)
    if all(row.cell(column).is_blank for column in mapped):
        return issue("row_without_fields", row.where)
    return None


def _draft(row: Row, header: Header, columns: Columns) -> _Draft:
    draft = _Draft(row)
    if row.is_hidden:
        draft.issues.append(issue("hidden_row", row.where))
    for name, places in header.fields.items():
        cells = [row.cell(column) for column in places]
        draft.cells[name] = next((cell for cell in cells if not cell.is_blank), cells[0]).where
        if name in LIST_FIELDS:
            draft.fields[name] = _list(draft, name, cells, columns)
        else:
            draft.fields[name] = _text(draft, name, cells[0])
    for column, title in header.extras.items():
        cell = row.cell(column)
        draft.cells[title] = cell.where
        draft.extra[title] = _clean(draft, cell, is_extra=True)
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
        if name != "images":
            found |= dict.fromkeys(split_list(text, splitters=columns.splitters.get(name, ())))
            continue
        for reference in split_references(text):
            found[reference] = None
            draft.pictures.append(CatalogPicture(cell.where, "url" if values.is_url(reference) else "path"))
    return tuple(found)


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
