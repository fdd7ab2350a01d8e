"""Says what to do about what PostgreSQL refuses: by its codes and by a second look, never by its words."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

from catalog_imagegen.adapters.ledger.database import ledger_busy
from catalog_imagegen.domain.errors import (
    CatalogImagegenError,
    ConfigError,
    LedgerUnreachable,
    StorageFull,
)

_LOCK_TIMEOUT = "55P03"
_DISK_FULL = "53100"
_MAY_NOT = frozenset({"42501", "25006"})
"""No privilege; a standby, which can only be read."""
_DAMAGED = frozenset({"XX001", "XX002"})
_AWAY = ("08", "53", "57P")
"""Beginnings of the codes of a lost connection, of a server short of something, of one that is being stopped."""

_SECRETS = ("password", "sslpassword")
_GUESSED = 3
"""Characters of a password that stands in any text by chance; libpq itself repeats none."""


@dataclass(frozen=True, slots=True)
class Place:
    """A ledger's schema in a database, and how to get there."""

    url: URL
    schema: str

    def __str__(self) -> str:
        shown = self.url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)
        return f"{shown} ({self.schema})"

    def reason(self, error: BaseException) -> str:
        """The first line of what the driver says, without secrets."""
        first = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        for secret in (self.url.password, *(self.url.query.get(name) for name in _SECRETS)):
            if secret and len(secret) > _GUESSED:
                first = first.replace(str(secret), "***")
        return first


def url_invalid(reason: str) -> ConfigError:
    """An address that opens nothing. It is not repeated: a password may be in it."""
    return ConfigError(
        f"config/app.toml: [ledger] url opens no PostgreSQL ({reason}); write postgresql://user:${{PASSWORD}}@host/database, "
        "with special characters of the password as %40 and so on",
        zh=f"config/app.toml：[ledger] url 不是可用的 PostgreSQL 地址（{reason}）；请写成 "
        "postgresql://用户:${PASSWORD}@主机/库名，密码中的特殊字符写成 %40 这样的编码",
        code="ledger_url_invalid",
    )


def not_utf8(place: Place, encoding: str) -> ConfigError:
    """A database that has no Chinese."""
    return ConfigError(
        f"{place}: this database is {encoding}, which not every text fits into; make one with ENCODING 'UTF8'",
        zh=f"{place}：该数据库的编码是 {encoding}，无法保存所有文字；请用 ENCODING 'UTF8' 新建数据库",
        code="ledger_encoding",
    )


def too_old(place: Place, version: str, oldest: int) -> ConfigError:
    """A server from before what we say to it."""
    return ConfigError(
        f"{place} is PostgreSQL {version}; use {oldest} or newer",
        zh=f"{place} 是 PostgreSQL {version}；请使用 {oldest} 或更新的版本",
        code="ledger_server_old",
    )


def session_lost(place: Place) -> LedgerUnreachable:
    """The server ended the session by which others know that this process is alive."""
    return LedgerUnreachable(
        f"{place}: the connection to the ledger was interrupted, so others may go on with this work; run again",
        zh=f"{place}：与数据库的连接曾中断，其他进程可能已接手这些工作；请重新运行",
        code="ledger_session_lost",
    )


def while_connecting(error: BaseException, place: Place, arguments: dict[str, Any]) -> CatalogImagegenError:
    """Why nobody is let in. The driver has no code for that, so the server is looked at once more."""
    if not isinstance(error, psycopg.OperationalError):
        return url_invalid(place.reason(error))
    reason = place.reason(error)
    address = make_conninfo(**arguments)
    if pq.PGconn.ping(address.encode()) != pq.Ping.OK:
        return LedgerUnreachable(
            f"{place} cannot be reached ({reason}); start that server, or correct host and port in [ledger] url, "
            "and run again",
            zh=f"无法连接 {place}（{reason}）；请启动数据库，或修改 [ledger] url 中的主机和端口，然后重新运行",
            code="ledger_unreachable",
        )
    if _is_missing(address, place.url.database or ""):
        return ConfigError(
            f"{place}: there is no database {place.url.database}; create it, or correct [ledger] url",
            zh=f"{place}：没有名为 {place.url.database} 的数据库；请先创建，或修改 [ledger] url",
            code="ledger_database_missing",
        )
    if error.pgconn is not None and (error.pgconn.used_password or error.pgconn.needs_password):
        return ConfigError(
            f"{place} refuses this user or password ({reason}); correct them in [ledger] url, "
            "or in the environment variable that it names",
            zh=f"{place} 拒绝该用户名或密码（{reason}）；请修改 [ledger] url，或其中引用的环境变量",
            code="ledger_login_refused",
        )
    return LedgerUnreachable(
        f"{place} refuses the connection ({reason}); allow this account and machine, or free connections, "
        "and run again",
        zh=f"{place} 拒绝连接（{reason}）；请允许该账号和主机访问，或释放多余连接，然后重新运行",
        code="ledger_refused",
    )


def _is_missing(address: str, database: str) -> bool:
    """Whether the same account is let into the server's own database, and sees that the other one is not there."""
    with (
        suppress(psycopg.Error),
        psycopg.connect(make_conninfo(address, dbname="postgres", options="")) as connection,
    ):
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        return found is None
    return False


def while_working(error: BaseException, place: Place, *, is_lost: bool) -> CatalogImagegenError | None:
    """What the user can mend, by PostgreSQL's code; None for what would be a mistake of ours."""
    code = getattr(error, "sqlstate", None) or ""
    reason = place.reason(error)
    if code == _LOCK_TIMEOUT:
        return ledger_busy(str(place))
    if code == _DISK_FULL:
        return StorageFull(
            f"{place}: the disk of the database is full; free some space there and run again",
            zh=f"{place}：数据库所在磁盘已满；请清理空间后重新运行",
            code="disk_full",
        )
    if is_lost or code.startswith(_AWAY):
        return LedgerUnreachable(
            f"{place} does not answer any more ({reason}); nothing is lost, run again later",
            zh=f"{place} 已停止响应（{reason}）；数据没有丢失，请稍后重新运行",
            code="ledger_unreachable",
        )
    if code in _MAY_NOT:
        return ConfigError(
            f"{place}: this account may not write there ({reason}); give it the schema: "
            f"CREATE SCHEMA {place.schema} AUTHORIZATION its_name",
            zh=f"{place}：该账号没有写入权限（{reason}）；请授权："
            f"CREATE SCHEMA {place.schema} AUTHORIZATION 账号",
            code="ledger_permission",
        )
    if code in _DAMAGED:
        return ConfigError(
            f"{place} is damaged ({reason}); restore a backup",
            zh=f"{place} 已损坏（{reason}）；请恢复备份",
            code="ledger_damaged",
        )
    return None
