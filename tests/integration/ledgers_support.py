"""Ledgers of both kinds, for tests that must hold on either.

``home`` is a fixture: a workspace's place for a ledger, once in SQLite and once in PostgreSQL. It can be handed to another
process.

    with home.opened() as (ledger, presence):    as a command has it, until the block ends
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy import Engine, make_url

from catalog_imagegen.adapters.ledger.database import open_sqlite
from catalog_imagegen.adapters.ledger.postgresql import open_postgresql, placed
from catalog_imagegen.adapters.ledger.store import SqlLedger
from catalog_imagegen.adapters.presence import Presence
from catalog_imagegen.bootstrap.ledgers import LEDGER, AnyPresence, open_ledger
from catalog_imagegen.config import Settings, Workspace
from catalog_imagegen.config.settings import LedgerSettings
from catalog_imagegen.domain.errors import CatalogImagegenError, ConfigError

SECRET = "s3cret"


@dataclass(frozen=True, slots=True)
class Home:
    """A folder, and the PostgreSQL in which its ledger is, if it is in one."""

    root: Path
    url: str = ""
    schema: str = ""

    def elsewhere(self, root: Path) -> Home:
        """The same ledger, seen from another folder: another machine, for instance."""
        return Home(root, self.url, self.schema)

    def engine(self) -> Engine:
        """The ledger's database, opened as a command opens it."""
        if self.url:
            return open_postgresql(placed(self.url, self.schema))
        self.data.mkdir(parents=True, exist_ok=True)
        return open_sqlite(self.data / LEDGER)

    @property
    def data(self) -> Path:
        """Where the rest of the state is."""
        return self.root / "data"

    @contextmanager
    def opened(self) -> Iterator[tuple[SqlLedger, AnyPresence]]:
        """The ledger and its process, until the block ends."""
        with ExitStack() as stack:
            presence = Presence(self.data / "processes")
            stack.callback(presence.close)
            table = LedgerSettings(url=self.url, **({"schema_name": self.schema} if self.schema else {}))
            settings = Settings(ledger=table)
            yield open_ledger(Workspace(self.root), settings, presence, stack)


def new_home(root: Path, url: str = "") -> Home:
    """A home without a ledger yet."""
    return Home(root, url, f"test_{uuid4().hex[:12]}" if url else "")


def execute(url: str, *statements: str) -> Any:
    """As its administrator; what the last one gives."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            done = connection.execute(sql.SQL(statement))
        return done.fetchall() if done.description else None


def with_password(url: str, user: str = "postgres") -> str:
    """The same with a password, which a server that trusts everybody does not ask for."""
    return make_url(url).set(username=user, password=SECRET).render_as_string(hide_password=False)


def told(error: CatalogImagegenError, *words: str) -> None:
    """Both languages, the remedy, no password; the exit code is that of its kind."""
    assert error.message_zh != error.message_en
    assert SECRET not in f"{error.message_en}{error.message_zh}"
    assert error.exit_code == (2 if isinstance(error, ConfigError) else 75)
    for word in words:
        assert word in error.message_en
