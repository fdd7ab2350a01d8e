"""Opens a ledger in PostgreSQL: a schema of its own, one writer after the other."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import sqlalchemy as sa
from psycopg.types.string import StrDumper
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError

from catalog_imagegen.adapters.ledger.database import BUSY_TIMEOUT_MS, revision
from catalog_imagegen.adapters.ledger.postgresql_errors import (
    Place,
    not_utf8,
    session_lost,
    too_old,
    url_invalid,
    while_connecting,
    while_working,
)
from catalog_imagegen.adapters.ledger.tables import REVISION, json_text

HOLDER = "holder_key"
"""Execution option of an engine: the lock by which the others know that this process is alive."""
_OLDEST = (12,)
"""PostgreSQL's first version that knows MATERIALIZED."""
_CONNECT_TIMEOUT_S = 10
_SILENCE_S = 30
"""After as much silence a connection is tried, by us and by the server; see _options."""
# Advisory locks have two numbers: what it is for, and which ledger of the database.
WRITER, CROWD, OPENER = 0x6C656401, 0x6C656402, 0x6C656403
_WAIT = "SELECT pg_advisory_xact_lock(%s, %s)"
_WAIT_ALIVE = (
    "WITH queue AS MATERIALIZED (SELECT pg_advisory_xact_lock(%s, %s)) "
    "SELECT pg_try_advisory_xact_lock_shared(%s::bigint) FROM queue"
)


def open_postgresql(place: Place) -> sa.Engine:
    """Open (or make) the ledger in this schema and bring it to this version's tables.

    Raises ConfigError for an account or database that is wrong and for a ledger that a newer version wrote,
    LedgerUnreachable while the server does not answer.
    """
    engine = connectable(place)
    try:
        if revision(engine) != REVISION:
            _bring_up_to_date(engine, place)
    except BaseException:
        engine.dispose()
        raise
    return engine


def placed(address: str, schema: str) -> Place:
    """The ledger at an address. Raises ConfigError, ``ledger_url_invalid``."""
    if address.count("@") > 1:  # what is behind the first one would be taken for the host, and be told
        raise url_invalid("an @ too many")
    try:
        url = sa.make_url(address)
    except (ArgumentError, ValueError) as error:
        raise url_invalid(type(error).__name__) from None  # its own text may repeat the password
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise url_invalid(f"{url.get_backend_name()}://…")
    if not url.database:
        raise url_invalid("no database")
    return Place(url.set(drivername="postgresql+psycopg"), schema)


def connectable(place: Place) -> sa.Engine:
    """A way to the ledger as it stands; nothing is connected yet."""
    arguments: dict[str, Any] = {
        "connect_timeout": _CONNECT_TIMEOUT_S,
        "client_encoding": "utf8",
        "application_name": "catalog-imagegen",
        "keepalives_idle": _SILENCE_S,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "options": _options(place),
    }
    engine = sa.create_engine(
        place.url, connect_args=arguments, json_serializer=json_text, isolation_level="READ COMMITTED"
    )
    _, named = engine.dialect.create_connect_args(place.url)
    named.pop("context", None)  # is SQLAlchemy's; the others are libpq's
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", partial(_on_begin, place))
    event.listen(engine, "handle_error", partial(_on_error, place, {**named, **arguments}))
    return engine


def _options(place: Place) -> str:
    """Settings of a session, whatever those of the server, the database and the account are."""
    ours = {
        "search_path": place.schema,
        "timezone": "UTC",
        "lock_timeout": BUSY_TIMEOUT_MS,
        "statement_timeout": 0,
        "idle_in_transaction_session_timeout": 0,
        "default_transaction_read_only": "off",
        "synchronous_commit": "on",  # a commit survives a power cut
        "tcp_keepalives_idle": _SILENCE_S,
        "tcp_keepalives_interval": 10,
        "tcp_keepalives_count": 3,
    }
    theirs = place.url.query.get("options", "")
    return " ".join([str(theirs), *(f"-c {name}={value}" for name, value in ours.items())]).strip()


def number_of(schema: str) -> int:
    """A ledger's own number among the advisory locks of its database."""
    return zlib.crc32(schema.encode()) - 2**31


class _WithoutNul(StrDumper):
    """PostgreSQL has no NUL in texts; a catalog may."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}"))


def _on_connect(connection: Any, _record: Any) -> None:
    connection.adapters.register_dumper(str, _WithoutNul)


def _on_begin(place: Place, connection: sa.Connection) -> None:
    """Writers queue up at their beginning, as in SQLite: what one reads no other changes before its commit.

    A process whose own lock can be taken is no longer seen by the others, and writes nothing more.
    """
    options = connection.get_execution_options()
    if options.get("is_read_only", False):
        return
    queue = (WRITER, number_of(place.schema))
    if (holder := options.get(HOLDER)) is None:
        connection.exec_driver_sql(_WAIT, queue)
    elif connection.exec_driver_sql(_WAIT_ALIVE, (*queue, holder)).scalar_one():
        raise session_lost(place)


def _on_error(place: Place, arguments: dict[str, Any], failed: sa.ExceptionContext) -> None:
    error = failed.original_exception
    explained = (
        while_connecting(error, place, arguments)
        if failed.connection is None
        else while_working(error, place, is_lost=failed.is_disconnect)
    )
    if explained is not None:
        raise explained from error


def _bring_up_to_date(engine: sa.Engine, place: Place) -> None:
    from catalog_imagegen.adapters.ledger.migration import migrate  # noqa: PLC0415 - slow to import

    with _only_one(engine, place) as alone:
        _check_server(alone, place)
        # Whoever may not make schemas can be given one that is there already.
        if alone.exec_driver_sql("SELECT to_regnamespace(%s) IS NULL", (place.schema,)).scalar_one():
            alone.execute(sa.schema.CreateSchema(place.schema))
        if revision(engine) != REVISION:
            migrate(engine, str(place))


def _check_server(connection: sa.Connection, place: Place) -> None:
    version = connection.dialect.server_version_info or _OLDEST
    if version < _OLDEST:
        raise too_old(place, ".".join(map(str, version)), _OLDEST[0])
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        raise not_utf8(place, encoding)


@contextmanager
def _only_one(engine: sa.Engine, place: Place) -> Iterator[sa.Connection]:
    """Two processes that open a new ledger at once must not both make its tables."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT", is_read_only=True) as connection:
        connection.detach()  # its lock ends with it
        connection.exec_driver_sql("SELECT pg_advisory_lock(%s, %s)", (OPENER, number_of(place.schema)))
        yield connection
