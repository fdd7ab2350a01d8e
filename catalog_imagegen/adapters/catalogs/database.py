"""Read one table, view or query of a database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from catalog_imagegen.adapters.catalogs.database_access import (
    ROWS_PER_CHUNK,
    Source,
    open_file,
    open_server,
    parsed,
    reading,
)
from catalog_imagegen.adapters.catalogs.database_values import value_text
from catalog_imagegen.adapters.catalogs.grid import Block, Grid, Grids
from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from catalog_imagegen.adapters.catalogs.columns import Columns
    from catalog_imagegen.adapters.catalogs.grid import Label, Nature, Value

_TABLE = re.compile(r"[^@/:?#]+")


def read_database(url: str, *, table: str, query: str, columns: Columns) -> Grids:
    """Read a table's rows as text, in the order of its SKU column.

    pandas.read_sql is avoided on purpose: it infers one type per column, which turns integer SKUs beside a NULL
    into floats (1001.0), rounds 18-digit ones, and coerces decimals.  Here the driver's own values become text
    one by one, and columns are selected untyped so that SQLAlchemy converts nothing either.

    Without *table* and *query* the only table or view with a SKU and a name column is read.
    Raises CatalogError: ``database_unreachable``, ``database_url_invalid``, ``database_query_failed``,
    ``database_too_slow``, ``table_not_found``, ``ambiguous_table``, ``query_not_select``.
    """
    head, mark, tail = url.rpartition("#")
    if mark and _TABLE.fullmatch(tail):
        url, table = head, table or tail
    return _read(_open(url), table=table, query=query, columns=columns)


def read_sqlite_file(path: Path, *, table: str, query: str, columns: Columns) -> Grids:
    """Read a SQLite file, opened read-only and never created."""
    return _read(open_file(path), table=table, query=query, columns=columns)


def _open(address: str) -> Source:
    url = parsed(address)
    if url.get_backend_name() == "sqlite":
        return open_file(Path(url.database or ""), url.set(query={}).render_as_string())
    return open_server(url)


def _read(source: Source, *, table: str, query: str, columns: Columns) -> Grids:
    with reading(source) as connection:
        if query:
            return Grids((_read_query(connection, query, columns),))
        chosen = _Table.choose(connection, table, columns, source.shown)
        return Grids((_read_table(connection, chosen, columns),))


@dataclass(frozen=True)
class _Table:
    name: str
    schema: str | None
    headers: tuple[str, ...]

    @classmethod
    def choose(cls, connection: sa.Connection, wanted: str, columns: Columns, shown: str) -> _Table:
        """Give the table called *wanted*, else the only one that looks like a catalog."""
        inspector = sa.inspect(connection)
        if wanted:
            return cls._named(inspector, wanted, shown)
        tables = [cls(name, None, _headers(inspector, name)) for name in _names(inspector)]
        likely = [table for table in tables if _is_catalog(table.headers, columns)]
        if len(likely) == 1:
            return likely[0]
        names = ", ".join(table.name for table in likely or tables) or "-"
        if likely:
            raise CatalogError(
                f"{shown} has several tables with a SKU and a name column: {names}; add '#table' to the address",
                zh=f"{shown} 中有多张表含有货号和商品名称：{names}；请在地址后加上“#表名”",
                code="ambiguous_table",
            )
        raise CatalogError(
            f"{shown} has no table with a SKU and a name column (tables: {names}); add '#table' to the address "
            "or the columns' names to config/columns.toml",
            zh=f"{shown} 中没有同时含货号和商品名称的表（现有：{names}）；请在地址后加上“#表名”，或把列名加到 config/columns.toml",
            code="table_not_found",
        )

    @classmethod
    def _named(cls, inspector: sa.Inspector, wanted: str, shown: str) -> _Table:
        names = _names(inspector)
        if wanted in names:
            return cls(wanted, None, _headers(inspector, wanted))
        schema, _, name = wanted.partition(".")
        if name and schema in inspector.get_schema_names() and name in _names(inspector, schema):
            return cls(name, schema, _headers(inspector, name, schema))
        raise CatalogError(
            f"{shown} has no table {wanted!r}; use one of {', '.join(names) or '-'}",
            zh=f"{shown} 中没有表“{wanted}”；可用的表：{'、'.join(names) or '-'}",
            code="table_not_found",
        )


def _names(inspector: sa.Inspector, schema: str | None = None) -> list[str]:
    names = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
    if inspector.dialect.name == "postgresql":
        names += inspector.get_materialized_view_names(schema)
    return sorted(names)


def _headers(inspector: sa.Inspector, name: str, schema: str | None = None) -> tuple[str, ...]:
    return tuple(column["name"] for column in inspector.get_columns(name, schema))


def _is_catalog(headers: Iterable[str], columns: Columns) -> bool:
    return {"sku", "name"} <= {match.field for header in headers if (match := columns.match(header))}


def _read_table(connection: sa.Connection, table: _Table, columns: Columns) -> Grid:
    selected: list[sa.ColumnClause[Any]] = [sa.column(header) for header in table.headers]
    statement = sa.select(*selected).select_from(sa.table(table.name, schema=table.schema))
    sku = _sku_column(table.headers, columns)
    if sku is not None:
        statement = statement.order_by(selected[sku])
    return _grid(table.name, table.headers, connection.execute(statement), sku)


def _read_query(connection: sa.Connection, query: str, columns: Columns) -> Grid:
    from catalog_imagegen.adapters.catalogs.select_only import only_select  # noqa: PLC0415  # slow to import

    statement = only_select(query, database=connection.dialect.name)
    # Sent as it is: neither SQLAlchemy (:name) nor the driver (%) may take a part of it for a parameter.
    result = connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    headers = tuple(result.keys())
    return _grid("query", headers, result, _sku_column(headers, columns))


def _sku_column(headers: Sequence[str], columns: Columns) -> int | None:
    matches = [columns.match(header) for header in headers]
    return next((index for index, match in enumerate(matches) if match and match.field == "sku"), None)


def _grid(name: str, headers: Sequence[str], result: sa.CursorResult[Any], sku: int | None) -> Grid:
    naming = _TableNaming(name, tuple(headers))
    return Grid(naming, name, list(_blocks(headers, result, sku)), header_index=0)


@dataclass(frozen=True, slots=True)
class _TableNaming:
    """As people find a row: ``products[sku=EB-001].name``."""

    table: str
    headers: tuple[str, ...]

    def row(self, label: Label) -> str:
        """The name of a row; the header's label is empty."""
        return f"{self.table}[{label}]" if label else self.table

    def cell(self, label: Label, column: int) -> str:
        """The name of a value."""
        return f"{self.row(label)}.{self.headers[column]}"


def _blocks(headers: Sequence[str], result: sa.CursorResult[Any], sku: int | None) -> Iterator[Block]:
    """The header and the rows below it, while the connection is open."""
    yield Block([""], {column: [header] for column, header in enumerate(headers)})
    number = 1
    for chunk in result.partitions(ROWS_PER_CHUNK):
        yield _block(headers, chunk, number, sku)
        number += len(chunk)


def _block(headers: Sequence[str], rows: Sequence[Sequence[Any]], number: int, sku: int | None) -> Block:
    columns: dict[int, list[Value]] = {}
    special: dict[tuple[int, int], tuple[str, Nature]] = {}
    for column, values in enumerate(zip(*rows, strict=True)):
        contents = [value_text(value) for value in values]
        columns[column] = [text for text, _ in contents]
        special |= {
            (place, column): content for place, content in enumerate(contents) if content[1] != "text"
        }
    return Block(
        [_label(headers, columns, place, number + place, sku) for place in range(len(rows))], columns, special
    )


def _label(
    headers: Sequence[str], columns: Mapping[int, Sequence[Value]], place: int, number: int, sku: int | None
) -> str:
    told = columns[sku][place] if sku is not None else ""
    return f"{headers[sku]}={told}" if sku is not None and told else f"#{number}"
