"""Read one table, view or query of a database."""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3
import warnings
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SAWarning, SQLAlchemyError
from sqlalchemy.pool import NullPool

from catalog_imagegen.adapters.catalogs.files import existing_file
from catalog_imagegen.adapters.catalogs.grid import Cell, Grid, Grids, Row
from catalog_imagegen.domain.errors import CatalogError, SourceUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from catalog_imagegen.adapters.catalogs.columns import Columns
    from catalog_imagegen.adapters.catalogs.grid import Nature

_ROWS_PER_CHUNK = 1000
_CONNECT_TIMEOUT_S = 10
_POSTGRES = re.compile(r"^postgres(?:ql)?://")
_TABLE = re.compile(r"[^@/:?#]+")
_SELECT = re.compile(r"\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*(?:select|with)\b", re.IGNORECASE | re.DOTALL)


def read_database(url: str, *, table: str, query: str, columns: Columns) -> Grids:
    """Read a table's rows as text, in the order of its SKU column.

    pandas.read_sql is avoided on purpose: it infers one type per column, which turns integer SKUs beside a NULL
    into floats (1001.0), rounds 18-digit ones, and coerces decimals.  Here the driver's own values become text
    one by one, and columns are selected untyped so that SQLAlchemy converts nothing either.

    Without *table* and *query* the only table or view with a SKU and a name column is read.
    Raises CatalogError: ``database_unreachable``, ``database_url_invalid``, ``database_query_failed``,
    ``table_not_found``, ``ambiguous_table``, ``query_not_select``.
    """
    head, mark, tail = url.rpartition("#")
    if mark and _TABLE.fullmatch(tail):
        url, table = head, table or tail
    return _read(_open(url), table=table, query=query, columns=columns)


def _read(source: _Source, *, table: str, query: str, columns: Columns) -> Grids:
    try:
        with _connected(source) as connection, _explained(source):
            if query:
                return Grids((_read_query(connection, query, columns),))
            return Grids(
                (_read_table(connection, _Table.choose(connection, table, columns, source.shown), columns),)
            )
    finally:
        source.engine.dispose()


def read_sqlite_file(path: Path, *, table: str, query: str, columns: Columns) -> Grids:
    """Read a SQLite file, opened read-only and never created."""
    return _read(_Source(_sqlite(path), str(path), ""), table=table, query=query, columns=columns)


@dataclass(frozen=True)
class _Source:
    engine: sa.Engine
    shown: str
    """The address without its password."""
    secret: str


def _open(address: str) -> _Source:
    try:
        url = sa.make_url(_POSTGRES.sub("postgresql+psycopg://", address))
        shown = url.set(query={}).render_as_string(hide_password=True)
        if url.get_backend_name() == "sqlite":
            return _Source(_sqlite(Path(url.database or "")), shown, "")
        timeout = {"connect_timeout": _CONNECT_TIMEOUT_S} if url.get_backend_name() == "postgresql" else {}
        engine = sa.create_engine(url, poolclass=NullPool, connect_args=timeout)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        scheme = address.split("://", maxsplit=1)[0]
        raise CatalogError(
            f"no database can be opened with the URL {scheme}://… ({type(error).__name__}); write it as "
            "sqlite:///file.db or postgresql+psycopg://user:password@host/database, and install the driver it names",
            zh=f"无法使用数据库地址 {scheme}://…（{type(error).__name__}）；请写成 sqlite:///文件.db 或 "
            "postgresql+psycopg://用户:密码@主机/库名，并安装对应的驱动",
            code="database_url_invalid",
        ) from error
    return _Source(engine, shown, url.password or "")


def _sqlite(path: Path) -> sa.Engine:
    address = f"file:{quote(str(existing_file(path.expanduser()).resolve()))}?mode=ro"
    return sa.create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(address, uri=True), poolclass=NullPool
    )


@contextmanager
def _connected(source: _Source) -> Iterator[sa.Connection]:
    try:
        connection = source.engine.connect()
    except DBAPIError as error:
        reason = _reason(error, source.secret)
        raise SourceUnreachable(
            f"{source.shown} cannot be reached ({reason}); check host, port, user and password, "
            "and that the database is running",
            zh=f"无法连接 {source.shown}（{reason}）；请检查主机、端口、用户名和密码，并确认数据库已启动",
            code="database_unreachable",
        ) from None  # the driver's own text may repeat the password
    with connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(postgresql_readonly=True)
        yield connection.execution_options(stream_results=True, max_row_buffer=_ROWS_PER_CHUNK)


@contextmanager
def _explained(source: _Source) -> Iterator[None]:
    """Turn a refusal by the database into a CatalogError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", SAWarning
            )  # column types it does not know; we read values, not types
            yield
    except (
        SQLAlchemyError,
        UnicodeDecodeError,
    ) as error:  # sqlite3 fails to decode its own message about damage
        reason = _reason(error, source.secret)
        raise CatalogError(
            f"{source.shown} refused to be read ({reason}); check the table or query and the account's rights",
            zh=f"读取 {source.shown} 失败（{reason}）；请检查表名或查询语句，以及账号权限",
            code="database_query_failed",
        ) from None  # the driver's own text may repeat the password


def _reason(error: Exception, secret: str) -> str:
    text = str(error.orig if isinstance(error, DBAPIError) and error.orig else error).strip()
    first = text.splitlines()[0] if text else type(error).__name__
    return first.replace(secret, "***") if secret else first


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
    if not _SELECT.match(query):
        raise CatalogError(
            "the catalog's query does not start with SELECT or WITH; only reading is possible, so write a SELECT",
            zh="商品表的查询语句不是以 SELECT 或 WITH 开头；只允许读取，请改为 SELECT 语句",
            code="query_not_select",
        )
    # Sent as it is: neither SQLAlchemy (:name) nor the driver (%) may take a part of it for a parameter.
    result = connection.exec_driver_sql(query, execution_options={"no_parameters": True})
    headers = tuple(result.keys())
    return _grid("query", headers, result, _sku_column(headers, columns))


def _sku_column(headers: Sequence[str], columns: Columns) -> int | None:
    matches = [columns.match(header) for header in headers]
    return next((index for index, match in enumerate(matches) if match and match.field == "sku"), None)


def _grid(name: str, headers: Sequence[str], result: sa.CursorResult[Any], sku: int | None) -> Grid:
    locate: Callable[[int], str] = lambda column: f"{name}.{headers[column]}"  # noqa: E731  # one line, used once
    header_cells = {column: Cell(header, locate(column)) for column, header in enumerate(headers)}
    rows = [Row(name, header_cells, locate)]
    for chunk in result.partitions(_ROWS_PER_CHUNK):
        rows += [_row(name, headers, values, len(rows) + place, sku) for place, values in enumerate(chunk)]
    return Grid(name, rows, header_index=0)


def _row(name: str, headers: Sequence[str], values: Sequence[Any], number: int, sku: int | None) -> Row:
    texts = [value_text(value) for value in values]
    identity = f"{headers[sku]}={texts[sku][0]}" if sku is not None and texts[sku][0] else f"#{number}"
    where = f"{name}[{identity}]"

    def locate(column: int) -> str:
        return f"{where}.{headers[column]}"

    return Row(where, {n: Cell(text, locate(n), nature) for n, (text, nature) in enumerate(texts)}, locate)


def value_text(value: Any) -> tuple[str, Nature]:  # noqa: PLR0911  # one line per type a driver returns
    """Write a driver's value as exact text; NULL is empty."""
    if value is None:
        return "", "text"
    if isinstance(value, bool):
        return str(value).upper(), "text"
    if isinstance(value, float):
        return (format(Decimal(repr(value)), "f").removesuffix(".0"), "number")
    if isinstance(value, Decimal):
        return format(value, "f"), "text"
    if isinstance(value, dt.datetime):
        is_day = value.time() == dt.time() and value.tzinfo is None
        return value.date().isoformat() if is_day else value.isoformat(sep=" "), "text"
    if isinstance(value, bytes | bytearray | memoryview):
        return "", "binary"
    if isinstance(value, list | tuple):
        return "\n".join(value_text(item)[0] for item in value), "text"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False), "text"
    return str(value), "text"
