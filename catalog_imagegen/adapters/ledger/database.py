"""Opens a ledger in a SQLite file: settings, migrations, refusal of what cannot be trusted."""

from __future__ import annotations

import errno
import fcntl
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, inspect, text

from catalog_imagegen.adapters.files import explain
from catalog_imagegen.adapters.ledger.tables import REVISION, json_text
from catalog_imagegen.domain.errors import ConfigError, LedgerBusy

BUSY_TIMEOUT_MS = 60_000
CACHE_KB = 64 * 1024
PAGE = 8_192
"""Bytes: a picture's row has 2,000, and of four in a page less is left over than of two."""
CHECKPOINT_PAGES = 8_000
"""64 MB of a file that was begun with such pages. A plan of a large catalog writes the same pages of its indices again and again."""
_NETWORK_DRIVES = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "fuse.sshfs", "vboxsf"}
NEARLY_FULL = 100_000
"""Bytes; with less, SQLite's "disk I/O error" means that the disk is full."""
READ_ONLY = {"is_read_only": True, "postgresql_readonly": True}
"""Execution options of a connection that will only read, and so need not wait for writers."""


def open_sqlite(path: Path) -> Engine:
    """Open (or make) a ledger file and bring it to this version's tables.

    Raises ConfigError for a network drive and for a ledger that a newer version wrote.
    """
    if (drive := _drive_type(path.parent)) in _NETWORK_DRIVES:
        raise ConfigError(
            f"{path}: SQLite cannot be trusted on a network drive ({drive}); put the workspace on a local disk",
            zh=f"{path}：网络盘（{drive}）上的 SQLite 不可靠；请把工作区放在本地磁盘",
            code="network_drive",
        )
    engine = create_engine(f"sqlite:///{path}", json_serializer=json_text)
    try:
        return _prepared(engine, path)
    except sqlite3.DatabaseError as error:  # while connecting SQLAlchemy passes on the driver's own
        engine.dispose()
        raise _explained(error, path) or error from error


def _prepared(engine: Engine, path: Path) -> Engine:
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    event.listen(engine, "handle_error", partial(_on_error, path))
    with _only_one(path.with_suffix(".migrating")):
        if revision(engine) != REVISION:
            from catalog_imagegen.adapters.ledger.migration import migrate  # noqa: PLC0415 - slow to import

            migrate(engine, str(path))
    return engine


def revision(engine: Engine) -> str | None:
    """The migration a database stands at; None for a new one."""
    with engine.connect().execution_options(**READ_ONLY) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Two processes that open a new ledger at once must not both make its tables."""
    with lock.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute(f"PRAGMA page_size={PAGE}")  # of a new file
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a commit survives a power cut
    cursor.execute(f"PRAGMA cache_size=-{CACHE_KB}")
    cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    """Writers queue up at their beginning, instead of failing half-way as SQLite would have them."""
    reading = connection.get_execution_options().get("is_read_only", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _on_error(path: Path, failed: ExceptionContext) -> None:
    if (explained := _explained(failed.original_exception, path)) is not None:
        raise explained from failed.original_exception


def _explained(error: BaseException | None, path: Path) -> Exception | None:
    """What the user can mend, by SQLite's number: a full disk, a read-only file, a damaged one."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_IOERR and shutil.disk_usage(path.parent).free < NEARLY_FULL:
        code = sqlite3.SQLITE_FULL  # SQLite could not grow its shared memory file
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return ConfigError(
            f"{path} is damaged or no ledger; move it away and restore a backup",
            zh=f"{path} 已损坏或不是本程序的数据库；请移走该文件并恢复备份",
            code="ledger_damaged",
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return ledger_busy(str(path))
    numbers = {
        sqlite3.SQLITE_FULL: errno.ENOSPC,
        sqlite3.SQLITE_READONLY: errno.EROFS,
        sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    }
    return explain(OSError(numbers[code], "SQLite"), path.parent) if code in numbers else None


def ledger_busy(where: str) -> LedgerBusy:
    """Somebody else writes, and does not come to an end."""
    return LedgerBusy(
        f"{where}: other processes kept the ledger busy for {BUSY_TIMEOUT_MS // 1000} s; run again later",
        zh=f"{where}：其他进程占用数据库超过 {BUSY_TIMEOUT_MS // 1000} 秒；请稍后重新运行",
        code="ledger_busy",
    )


def _drive_type(folder: Path) -> str:
    """The file system of a folder, by the longest mount point above it; ``""`` where unknown."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    resolved, best, kind = folder.resolve(), "", ""
    for line in mounts:
        _, point, fstype, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        if len(point) > len(best) and resolved.is_relative_to(point):
            best, kind = point, fstype
    return kind
