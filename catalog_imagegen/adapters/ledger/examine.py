"""Looks at a ledger without making, migrating or locking anything."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Text, cast, select

from catalog_imagegen.adapters.ledger.database import (
    _NETWORK_DRIVES,
    READ_ONLY,
    _drive_type,
    revision,
)
from catalog_imagegen.adapters.ledger.tables import PICTURE, PRODUCT, RENDER, REVISION
from catalog_imagegen.domain.fingerprint import Digest

if TYPE_CHECKING:
    from catalog_imagegen.adapters.ledger.postgresql_errors import Place

Standing = Literal["none", "current", "older", "newer", "damaged", "unreadable"]


@dataclass(frozen=True, slots=True)
class Examined:
    """How a ledger stands to this version of the program."""

    standing: Standing
    revision: str = ""
    trouble: str = ""
    """Of a damaged or unreadable one: what SQLite or the system says."""
    headers: frozenset[str] = frozenset()
    """The extra columns of the rows recorded there."""
    digests: frozenset[Digest] = frozenset()
    """The bytes that wanted pictures stand on: the newest render of each, and the approved one."""


def network_drive(folder: Path) -> str:
    """The kind of network drive a folder is on, which SQLite cannot be trusted on; empty for a local disk."""
    drive = _drive_type(folder)
    return drive if drive in _NETWORK_DRIVES else ""


def examine(path: Path) -> Examined:
    """Check a ledger file page by page and compare its tables' version with ours."""
    try:
        if not path.exists():
            return Examined("none")
        with path.open("rb"):
            pass
    except OSError as error:
        return Examined("unreadable", trouble=error.strerror or str(error))
    return _opened(path)


def _opened(path: Path) -> Examined:
    # A file without a log is opened as immutable: SQLite would else make its helper files beside it.
    log = path.with_name(f"{path.name}-wal")
    mode = "mode=ro" if log.exists() else "immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?{mode}", uri=True)) as database:
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                return Examined("damaged", trouble=str(verdict))
            return _standing(database)
    except sqlite3.Error as error:
        return Examined("damaged", trouble=str(error))


def _standing(database: sqlite3.Connection) -> Examined:
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return Examined("none")
    if "alembic_version" not in tables:
        return Examined("damaged", trouble="no alembic_version")
    found = database.execute("SELECT version_num FROM alembic_version").fetchone()
    revision = str(found[0]) if found else ""
    if revision == REVISION:
        return Examined("current", revision, headers=_headers(database), digests=_digests(database))
    return Examined("older" if revision in _known() else "newer", revision)


def _headers(database: sqlite3.Connection) -> frozenset[str]:
    rows = database.execute("SELECT DISTINCT e.key FROM product, json_each(product.row, '$.extra') AS e")
    return frozenset(str(key) for (key,) in rows)


def _digests(database: sqlite3.Connection) -> frozenset[Digest]:
    rows = database.execute(
        "SELECT DISTINCT render.digest FROM picture JOIN render "
        "ON render.render_key IN (picture.shown_key, picture.approved_key) WHERE picture.is_wanted"
    )
    return frozenset(Digest(digest) for (digest,) in rows)


def examine_postgresql(place: Place) -> Examined:
    """Look at a ledger in PostgreSQL. Raises ConfigError or LedgerUnreachable."""
    from catalog_imagegen.adapters.ledger.postgresql import connectable  # noqa: PLC0415 - slow to import

    engine = connectable(place)
    try:
        found = revision(engine)
        if found is None:
            return Examined("none")
        if found != REVISION:
            return Examined("older" if found in _known() else "newer", found)
        return _current(engine)
    finally:
        engine.dispose()


def _current(engine: Engine) -> Examined:
    with engine.connect().execution_options(**READ_ONLY) as connection:
        named = select(RENDER.c.digest).join(
            PICTURE, RENDER.c.render_key.in_((PICTURE.c.shown_key, PICTURE.c.approved_key))
        )
        digests = connection.execute(named.where(PICTURE.c.is_wanted).distinct()).scalars()
        return Examined(
            "current",
            REVISION,
            headers=frozenset(_headers_of(connection)),
            digests=frozenset(map(Digest, digests)),
        )


def _headers_of(connection: Connection) -> set[str]:
    # PostgreSQL itself could not take apart a row with a NUL or half a character in it.
    rows = connection.execution_options(yield_per=1000).execute(select(cast(PRODUCT.c.row, Text))).scalars()
    return {header for row in rows for header in json.loads(row)["extra"]}


def _known() -> set[str]:
    """Every version there was up to ours."""
    from alembic.config import Config  # noqa: PLC0415 - slow to import
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - the same

    config = Config()
    config.set_main_option("script_location", str(resources.files(__package__) / "migrations"))
    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
