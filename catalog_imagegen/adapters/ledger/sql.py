"""What the parts of the ledger share: transactions, upserts, long lists of values."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Engine,
    Insert,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from catalog_imagegen.adapters.ledger.bulk import Columns, columns_of, execute_many
from catalog_imagegen.adapters.ledger.database import READ_ONLY
from catalog_imagegen.adapters.ledger.tables import LEASE, json_text

# Statements of the tight loop are built once: building one takes longer than carrying it out.
_NAMED = LEASE.c.name.in_(bindparam("names", expanding=True))
_HELD = select(LEASE.c.name, LEASE.c.holder).where(_NAMED)
_RELEASED = delete(LEASE).where(_NAMED, LEASE.c.holder == bindparam("by"))
_SNAPSHOT: Mapping[str, Mapping[str, Any]] = {"postgresql": {"isolation_level": "REPEATABLE READ"}}
"""What makes all statements of a reader see the same moment, where that is not so anyway."""


class Sql:
    """A database, who we are in it, and who of the others is alive."""

    def __init__(self, engine: Engine, *, holder: str, is_alive: Callable[[str], bool]) -> None:
        self._engine = engine
        self._holder = holder
        self._is_alive = is_alive
        self._gate = threading.Lock()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One durable transaction. Threads queue up here: the database would have them sleep, each with a connection."""
        with self._gate, self._engine.begin() as db:
            yield db

    def _reading(self) -> Connection:
        """One moment of the ledger, beside any writer."""
        snapshot = _SNAPSHOT.get(self._engine.dialect.name, {})
        return self._engine.connect().execution_options(**READ_ONLY, **snapshot)

    def _alive(self, holders: Iterable[str]) -> set[str]:
        """Those of these processes that still run; each is asked about once."""
        return {holder for holder in set(holders) if self._is_alive(holder)}

    def _lease_first(self, db: Connection, names: Sequence[str]) -> str | None:
        """Take the first of these leases that no living process holds."""
        held = self._held(db, names)
        name = next((name for name in names if name not in held), None)
        if name is not None:
            self._upsert(db, LEASE, [{"name": name, "holder": self._holder}])
        return name

    def _held(self, db: Connection, names: Sequence[str]) -> set[str]:
        """Those of these leases that a living process holds, be it ours."""
        held = db.execute(_HELD, {"names": names}).all()
        alive = self._alive(holder for _, holder in held)
        return {name for name, holder in held if holder in alive}

    def _release(self, db: Connection, names: Sequence[str]) -> None:
        """Give leases back, as far as they are ours."""
        db.execute(_RELEASED, {"names": names, "by": self._holder})

    def _upsert(
        self, db: Connection, table: Table, rows: Sequence[dict[str, Any]], keep: Collection[str] = ()
    ) -> None:
        """Insert rows of the same columns or replace what stands under their keys, except the columns to *keep*."""
        if rows:
            self._upsert_columns(db, table, columns_of(rows), keep)

    def _upsert_columns(
        self,
        db: Connection,
        table: Table,
        columns: Columns,
        keep: Collection[str] = (),
        beside: Collection[str] = (),
    ) -> None:
        """The same with rows given by their columns, at least one.

        With columns *beside* the point, a row that differs in nothing else stays as it is: a page that is not written
        need not be synced.
        """
        statement = _replacing(db.dialect.name, table, tuple(columns), frozenset(keep), frozenset(beside))
        execute_many(db, statement, columns)


@cache
def _replacing(
    dialect: str, table: Table, columns: tuple[str, ...], keep: frozenset[str], beside: frozenset[str]
) -> Insert:
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    keys = [column.name for column in table.primary_key]
    replaced = {name: statement.excluded[name] for name in columns if name not in keys and name not in keep}
    changed = [
        cast(table.c[name], Text).is_distinct_from(cast(new, Text))  # JSON cannot be compared everywhere
        if isinstance(table.c[name].type, JSON)
        else table.c[name].is_distinct_from(new)
        for name, new in replaced.items()
        if beside and name not in beside
    ]
    where = or_(*changed) if changed else None
    return statement.on_conflict_do_update(index_elements=keys, set_=replaced, where=where)


def among(column: ColumnElement[Any], values: Collection[str]) -> ColumnElement[bool]:
    """Whether a column's text is one of any number of *values*, which are looked up one by one where it has an index.

    They go as one value: a statement takes so many, and SQLAlchemy would write them into it one by one.
    """
    listed = sorted(values)
    if any("\0" in value for value in listed):  # JSON's would be another one
        return column.in_(listed)
    return column.bool_op("IN")(_Each(literal(json_text(listed), Text)))


class _Each(FunctionElement[str]):
    """The texts of a list in JSON, as rows."""

    inherit_cache = True


@compiles(_Each, "sqlite")
def _each_sqlite(element: _Each, compiler: Any, **options: Any) -> str:
    listed = compiler.process(element.clauses, **options)
    return f"(SELECT value FROM json_each({listed}))"  # noqa: S608 - made of a bound value


@compiles(_Each, "postgresql")
def _each_postgresql(element: _Each, compiler: Any, **options: Any) -> str:
    listed = compiler.process(element.clauses, **options)
    return f"(SELECT json_array_elements_text(CAST({listed} AS JSON)))"
