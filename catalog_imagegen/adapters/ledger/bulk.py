"""Carries out one upsert for thousands of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from operator import is_, itemgetter
from typing import Any

from sqlalchemy import ARRAY, JSON, Connection, Insert, Text, bindparam, cast, func, select, text

from catalog_imagegen.adapters.ledger.tables import json_text

Columns = Mapping[str, Sequence[Any]]
"""Name → the values of all rows."""
MANY = 100
"""From so many rows on it is worth the preparation."""
_PART = 1_000
"""Rows in one statement for PostgreSQL: what is more than its ``work_mem`` it would write to disk first."""
_IS_UNKNOWN = text(
    "SELECT NOT EXISTS (SELECT FROM pg_stats WHERE schemaname = current_schema() AND tablename = :table)"
)
_BETWEEN = "\x1f"
"""Stands between texts; those that have it are escaped one by one."""


def execute_many(db: Connection, statement: Insert, columns: Columns) -> None:
    """Carry it out for each row of these columns.

    SQLAlchemy looks at each value of each row by itself; column by column it takes half the time.
    """
    count = len(next(iter(columns.values())))
    if count < MANY:
        db.execute(statement, [dict(zip(columns, row, strict=True)) for row in _rows(columns)])
    elif db.dialect.name == "postgresql" and _are_distinct(statement, columns):
        for start in range(0, count, _PART):
            part = slice(start, start + _PART)
            _as_arrays(db, statement, {name: values[part] for name, values in columns.items()})
        _have_looked_at(db, statement.table.name)
    else:
        _by_columns(db, statement, columns)


def columns_of(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """Rows of the same names, turned."""
    names = list(rows[0])
    return dict(zip(names, zip(*map(itemgetter(*names), rows), strict=True), strict=True))


def _rows(columns: Columns) -> Iterator[tuple[Any, ...]]:
    return zip(*columns.values(), strict=True)


def _by_columns(db: Connection, statement: Insert, columns: Columns) -> None:
    compiled: Any = statement.compile(dialect=db.dialect, column_keys=list(columns))
    prepared = {}
    for name in compiled.positiontup if compiled.positional else columns:
        written = compiled.binds[name].type.dialect_impl(db.dialect).bind_processor(db.dialect)
        prepared[name] = columns[name] if written is None else _written(columns[name], written)
    if compiled.positional:
        db.exec_driver_sql(str(compiled), list(_rows(prepared)))
    else:
        db.exec_driver_sql(str(compiled), [dict(zip(prepared, row, strict=True)) for row in _rows(prepared)])


def _are_distinct(statement: Insert, columns: Columns) -> bool:
    """Whether no key comes twice, which one statement could not write."""
    keys = [columns[each.name] for each in statement.table.primary_key]
    return len(set(zip(*keys, strict=True))) == len(keys[0])


def _as_arrays(db: Connection, statement: Insert, columns: Columns) -> None:
    """One statement that gets each column as an array: a row takes a third of the time.

    COPY is no faster into a table that may have the rows already, wants the right to make temporary tables, and what goes
    wrong in it passes SQLAlchemy by.
    """
    names, table = list(columns), statement.table
    arrays = []
    for name, values in columns.items():
        kind = table.c[name].type
        written = _written(values, json_text) if isinstance(kind, JSON) else values
        arrays.append(cast(bindparam(name, _array(written), type_=Text), ARRAY(kind)))
    incoming = func.unnest(*arrays).table_valued(*names, name="incoming").render_derived()
    db.execute(statement.from_select(names, select(*(incoming.c[name] for name in names))))


def _have_looked_at(db: Connection, table: str) -> None:
    """Tell PostgreSQL to look at a table that it knows nothing of.

    It would by itself a minute later, and until then read the whole table where an index does.
    """
    if db.execute(_IS_UNKNOWN, {"table": table}).scalar_one():
        db.exec_driver_sql(f"ANALYZE {table}")


def _written(values: Sequence[Any], written: Callable[[Any], Any]) -> Sequence[Any]:
    """As the driver takes them; the time of a plan, say, is the same in all rows."""
    first = values[0]
    if all(map(is_, values, repeat(first))):
        return [written(first)] * len(values)
    return list(map(written, values))


def _array(values: Sequence[Any]) -> str:
    """As PostgreSQL writes an array, its texts escaped all at once; the driver takes the NUL out, which it does not have."""
    if set(map(type, values)) == {str} and _BETWEEN not in (together := _BETWEEN.join(values)).replace(
        _BETWEEN, "", len(values) - 1
    ):
        return '{"' + _escaped(together).replace(_BETWEEN, '","') + '"}'
    return "{" + ",".join("NULL" if value is None else f'"{_escaped(str(value))}"' for value in values) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
