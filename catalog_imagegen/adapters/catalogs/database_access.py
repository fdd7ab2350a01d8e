"""Opens a database for nothing but reading."""

from __future__ import annotations

import sqlite3
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, SAWarning, SQLAlchemyError
from sqlalchemy.pool import NullPool

from catalog_imagegen.adapters.catalogs.database_values import mysql_conversions, postgresql_loaders
from catalog_imagegen.adapters.catalogs.files import existing_file
from catalog_imagegen.domain.errors import CatalogError, SourceUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIMEOUT_S = 300.0
"""How long a database may work on one statement."""
ROWS_PER_CHUNK = 5000
"""As many rows a driver holds at once."""
_CONNECT_TIMEOUT_S = 10
_SILENCE_S = 30
"""How much longer a server may take to say that it took too long."""
_STEPS_PER_CHECK = 10_000
"""Of SQLite's machine; well below a millisecond."""
_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "sqlite": "sqlite",
}
_STOPPED = frozenset({1969, 3024})
"""MariaDB's and MySQL's numbers of the error that a statement took too long."""
_CANCELED = "57014"
"""PostgreSQL's."""


@dataclass(frozen=True, slots=True)
class Source:
    """A database that can be read."""

    engine: sa.Engine
    shown: str
    """The address without its password."""
    secrets: tuple[str, ...] = ()
    """What no message may repeat."""


def open_file(path: Path, shown: str = "") -> Source:
    """A SQLite file, opened read-only and never created."""
    address = f"file:{quote(str(existing_file(path.expanduser()).resolve()))}?mode=ro"
    engine = sa.create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(address, uri=True), poolclass=NullPool
    )
    return Source(engine, shown or str(path))


def open_server(url: sa.URL) -> Source:
    """A PostgreSQL, MySQL or MariaDB; nothing is connected yet."""
    secrets = [url.password or "", *(str(url.query.get(name, "")) for name in ("password", "passwd"))]
    arguments = _mysql(url) if url.get_backend_name() == "mysql" else _postgresql()
    engine = sa.create_engine(url, poolclass=NullPool, connect_args=arguments)
    return Source(engine, _shown(url), tuple(secret for secret in secrets if secret))


def parsed(address: str) -> sa.URL:
    """The URL with the driver that is installed, whichever one it names.

    Raises CatalogError, ``database_url_invalid``.
    """
    try:
        url = sa.make_url(address)
        return url.set(drivername=_DRIVERS[url.get_backend_name()])
    except (ArgumentError, KeyError, ValueError) as error:
        raise _invalid(
            address, type(error).__name__
        ) from None  # the error's own text may repeat the password


def _shown(url: sa.URL) -> str:
    return url.set(query={}).render_as_string(hide_password=True)


def _invalid(address: str, reason: str) -> CatalogError:
    scheme = address.split("://", maxsplit=1)[0]
    return CatalogError(
        f"no database can be opened with the URL {scheme}://… ({reason}); write it as sqlite:///file.db, "
        "postgresql://user:password@host/database or mysql://user:password@host/database, with special characters "
        "of the password as %40 and so on, and without another program's options behind a question mark",
        zh=f"无法使用数据库地址 {scheme}://…（{reason}）；请写成 sqlite:///文件.db、postgresql://用户:密码@主机/库名 或 "
        "mysql://用户:密码@主机/库名，密码中的特殊字符写成 %40 这样的编码，问号后不要带其他程序的选项",
        code="database_url_invalid",
    )


def _postgresql() -> dict[str, Any]:
    """Options of libpq. It has no timeout for reading: keepalives tell of a server that is gone."""
    alive = {"keepalives_idle": _SILENCE_S, "keepalives_interval": 10, "keepalives_count": 3}
    return {"connect_timeout": _CONNECT_TIMEOUT_S, "client_encoding": "utf8", **alive}


def _mysql(url: sa.URL) -> dict[str, Any]:
    """Arguments of PyMySQL; the empty sql_mode makes quotes and backslashes mean what select_only takes them for."""
    wait_s = int(TIMEOUT_S) + _SILENCE_S
    arguments = {
        "charset": "utf8mb4",
        "sql_mode": "",
        "conv": mysql_conversions(),
        "connect_timeout": _CONNECT_TIMEOUT_S,
        "read_timeout": wait_s,
        "write_timeout": wait_s,
        "local_infile": False,
    }
    # PyMySQL would encode a text in Latin-1, and fail.
    return arguments | ({"password": url.password.encode()} if url.password else {})


@contextmanager
def reading(source: Source) -> Iterator[sa.Connection]:
    """A connection that cannot write, reads in chunks, and gives up after TIMEOUT_S.

    What the database refuses while it is open becomes a CatalogError: ``database_query_failed``, ``database_too_slow``,
    ``database_unreachable``.
    """
    try:
        with _connected(source) as connection, _explained(source, connection.connection.driver_connection):
            _bind(connection)
            yield connection.execution_options(stream_results=True, max_row_buffer=ROWS_PER_CHUNK)
    finally:
        source.engine.dispose()


def _connected(source: Source) -> sa.Connection:
    try:
        return source.engine.connect()
    except DBAPIError as error:
        raise _unreachable(source, error) from None  # the driver's own text may repeat the password
    except TypeError as error:  # PyMySQL is called with what stands behind the question mark
        raise _invalid(source.shown, type(error).__name__) from None


def _bind(connection: sa.Connection) -> None:
    """Make the session one that only reads, and not for ever."""
    raw: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        end = time.monotonic() + TIMEOUT_S
        raw.set_progress_handler(lambda: time.monotonic() > end, _STEPS_PER_CHECK)
    elif connection.dialect.name == "postgresql":
        for name, loader in postgresql_loaders().items():
            raw.adapters.register_loader(name, loader)
        connection.execution_options(postgresql_readonly=True)
        # LOCAL: a pooler between us and the server may give the session to somebody else afterwards
        _set(connection, f"LOCAL statement_timeout = {int(TIMEOUT_S * 1000)}")
        _set(connection, "LOCAL standard_conforming_strings = on")
        _set(connection, "LOCAL DateStyle = 'ISO'")
    else:
        is_mariadb = getattr(connection.dialect, "is_mariadb", False)
        limit = f"statement_time = {TIMEOUT_S}" if is_mariadb else f"execution_time = {int(TIMEOUT_S * 1000)}"
        _set(connection, f"SESSION max_{limit}")
        _set(connection, f"SESSION net_write_timeout = {max(1, int(TIMEOUT_S))}")  # while rows are being used
        _set(connection, "SESSION TRANSACTION READ ONLY")
        connection.rollback()  # from the next transaction on


def _set(connection: sa.Connection, what: str) -> None:
    connection.exec_driver_sql(f"SET {what}")


@contextmanager
def _explained(source: Source, driver: Any) -> Iterator[None]:
    """Turn a refusal by the database into a CatalogError."""
    try:
        with warnings.catch_warnings():
            # Column types it does not know: we read values, not types.
            warnings.simplefilter("ignore", SAWarning)
            yield
    except (SQLAlchemyError, UnicodeDecodeError) as error:
        # sqlite3 fails to decode its own message about damage. The driver's own text may repeat the password.
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            _forget_rows(driver)
        raise _explanation(source, error) from None


def _forget_rows(driver: Any) -> None:
    """PyMySQL would go on to read them from a connection that is gone, in a destructor that can only print its error."""
    unread = getattr(driver, "_result", None)
    if unread is not None:
        unread.unbuffered_active = False


def _explanation(source: Source, error: Exception) -> CatalogError:
    if isinstance(error, DBAPIError):
        if _took_too_long(error.orig):
            return _too_slow(source)
        if error.connection_invalidated:
            return _unreachable(source, error)
    reason = _reason(error, source)
    return CatalogError(
        f"{source.shown} refused to be read ({reason}); check the table or query and the account's rights",
        zh=f"读取 {source.shown} 失败（{reason}）；请检查表名或查询语句，以及账号权限",
        code="database_query_failed",
    )


def _took_too_long(error: BaseException | None) -> bool:
    return (
        getattr(error, "sqlstate", None) == _CANCELED
        or getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
        or getattr(error, "args", ())[:1] in {(number,) for number in _STOPPED}
    )


def _too_slow(source: Source) -> CatalogError:
    return CatalogError(
        f"{source.shown} did not give its rows within {TIMEOUT_S:g} s; add an index, read fewer rows, "
        "or name a table that holds what the view or query works out",
        zh=f"{source.shown} 在 {TIMEOUT_S:g} 秒内没有返回数据；请添加索引、减少读取的行数，或先把视图、查询的结果存成一张表再读取",
        code="database_too_slow",
    )


def _unreachable(source: Source, error: DBAPIError) -> SourceUnreachable:
    reason = _reason(error, source)
    return SourceUnreachable(
        f"{source.shown} cannot be reached ({reason}); check host, port, user and password, "
        "and that the database is running",
        zh=f"无法连接 {source.shown}（{reason}）；请检查主机、端口、用户名和密码，并确认数据库已启动",
        code="database_unreachable",
    )


def _reason(error: Exception, source: Source) -> str:
    """The first line of what the driver says; PyMySQL puts a number before it."""
    told = error.orig if isinstance(error, DBAPIError) and error.orig else error
    text = str(told.args[-1] if told.args and not isinstance(told, UnicodeError) else told).strip()
    first = text.splitlines()[0] if text else type(error).__name__
    for secret in source.secrets:
        first = first.replace(secret, "***")
    return first
