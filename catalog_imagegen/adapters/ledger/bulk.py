"""Carries out one statement for thousands of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Insert

MANY = 100
"""From so many rows on it is worth the preparation."""


def execute_many(db: Connection, statement: Insert, rows: Sequence[dict[str, Any]]) -> None:
    """Carry it out for each row, all of the same columns.

    SQLAlchemy looks at each value of each row by itself; column by column it takes half the time.
    """
    if len(rows) < MANY:
        db.execute(statement, list(rows))
        return
    compiled: Any = statement.compile(dialect=db.dialect, column_keys=list(rows[0]))
    names = compiled.positiontup if compiled.positional else list(rows[0])
    columns = []
    for name in names:
        values = [row[name] for row in rows]
        written = compiled.binds[name].type.dialect_impl(db.dialect).bind_processor(db.dialect)
        columns.append(values if written is None else _written(values, written))
    prepared = zip(*columns, strict=True)
    if compiled.positional:
        db.exec_driver_sql(str(compiled), list(prepared))
    else:
        db.exec_driver_sql(str(compiled), [dict(zip(names, row, strict=True)) for row in prepared])


def _written(values: Sequence[Any], written: Callable[[Any], Any]) -> Sequence[Any]:
    """As the driver takes them; the time of a plan, say, is the same in all rows."""
    first = values[0]
    if all(value is first for value in values):
        return [written(first)] * len(values)
    return list(map(written, values))
