"""Carries out one upsert for thousands of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ARRAY, JSON, Connection, Insert, Text, bindparam, cast, func, select

from catalog_imagegen.adapters.ledger.tables import json_text

MANY = 100
"""From so many rows on it is worth the preparation."""
_PART = 1_000
"""Rows in one statement for PostgreSQL: what is more than its ``work_mem`` it would write to disk first."""
_BETWEEN = "\x1f"
"""Stands between texts; those that have it are escaped one by one."""


def execute_many(db: Connection, statement: Insert, rows: Sequence[dict[str, Any]]) -> None:
    """Carry it out for each row, all of the same columns.

    SQLAlchemy looks at each value of each row by itself; column by column it takes half the time.
    """
    if len(rows) < MANY:
        db.execute(statement, list(rows))
    elif db.dialect.name == "postgresql" and _are_distinct(statement, rows):
        for start in range(0, len(rows), _PART):
            _as_arrays(db, statement, rows[start : start + _PART])
    else:
        _by_columns(db, statement, rows)


def _by_columns(db: Connection, statement: Insert, rows: Sequence[dict[str, Any]]) -> None:
    compiled: Any = statement.compile(dialect=db.dialect, column_keys=list(rows[0]))
    names = compiled.positiontup if compiled.positional else list(rows[0])
    columns: list[Sequence[Any]] = []
    for name, values in zip(names, _columns(rows, names), strict=True):
        written = compiled.binds[name].type.dialect_impl(db.dialect).bind_processor(db.dialect)
        columns.append(values if written is None else _written(values, written))
    prepared = zip(*columns, strict=True)
    if compiled.positional:
        db.exec_driver_sql(str(compiled), list(prepared))
    else:
        db.exec_driver_sql(str(compiled), [dict(zip(names, row, strict=True)) for row in prepared])


def _are_distinct(statement: Insert, rows: Sequence[dict[str, Any]]) -> bool:
    """Whether no key comes twice, which one statement could not write."""
    keys = [each.name for each in statement.table.primary_key]
    return len({tuple(row[name] for name in keys) for row in rows}) == len(rows)


def _as_arrays(db: Connection, statement: Insert, rows: Sequence[dict[str, Any]]) -> None:
    """One statement that gets each column as an array: a row takes a third of the time.

    COPY is no faster into a table that may have the rows already, wants the right to make temporary tables, and what goes
    wrong in it passes SQLAlchemy by.
    """
    names, table = list(rows[0]), statement.table
    arrays = []
    for name, values in zip(names, _columns(rows, names), strict=True):
        kind = table.c[name].type
        written = _written(values, json_text) if isinstance(kind, JSON) else values
        arrays.append(cast(bindparam(name, _array(written), type_=Text), ARRAY(kind)))
    incoming = func.unnest(*arrays).table_valued(*names, name="incoming").render_derived()
    db.execute(statement.from_select(names, select(*(incoming.c[name] for name in names))))


def _columns(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    return zip(*map(itemgetter(*names), rows), strict=True)


def _written(values: Sequence[Any], written: Callable[[Any], Any]) -> Sequence[Any]:
    """As the driver takes them; the time of a plan, say, is the same in all rows."""
    first = values[0]
    if all(value is first for value in values):
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
