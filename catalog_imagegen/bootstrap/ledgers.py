"""Opens the ledger of a workspace, in its folder or in PostgreSQL."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import Engine

from catalog_imagegen.adapters.ledger.database import open_sqlite
from catalog_imagegen.adapters.ledger.moving import copy
from catalog_imagegen.adapters.ledger.store import SqlLedger
from catalog_imagegen.adapters.presence import Presence
from catalog_imagegen.config import Settings, Workspace, expand
from catalog_imagegen.domain.errors import ConfigError, LedgerBusy

if TYPE_CHECKING:  # with its driver it takes a twentieth of a second, which most commands need not wait for
    from catalog_imagegen.adapters.ledger.postgresql_errors import Place
    from catalog_imagegen.adapters.ledger.presence import SharedPresence

log = logging.getLogger(__name__)

AnyPresence: TypeAlias = "Presence | SharedPresence"
LEDGER = "ledger.sqlite"
"""The file in the folder of data, where no PostgreSQL is named."""
MOVED = ".moved.sqlite"
"""How its name ends once it was copied into PostgreSQL."""


def shared_ledger(settings: Settings, *, is_simulated: bool) -> Place:
    """Where in PostgreSQL the ledger is that the settings name. Raises ConfigError.

    Placeholders have a schema of their own, so nothing crosses over.
    """
    from catalog_imagegen.adapters.ledger.postgresql import placed  # noqa: PLC0415 - see above

    address = expand(settings.ledger.url, place="config/app.toml: ledger")
    return placed(address, settings.ledger.schema_name + ("_simulated" if is_simulated else ""))


def open_ledger(
    workspace: Workspace, settings: Settings, presence: Presence, stack: ExitStack
) -> tuple[SqlLedger, AnyPresence]:
    """The ledger, and who of those that share it is alive; *stack* closes both."""
    path = workspace.data / LEDGER
    seen: AnyPresence = presence
    if settings.ledger.url:
        place = shared_ledger(settings, is_simulated=workspace.is_simulated)
        engine, seen = _enter(place, path, presence, stack)
    else:
        engine = open_sqlite(path)
    ledger = SqlLedger(engine, holder=seen.holder, is_alive=seen.is_alive)
    stack.callback(ledger.close)
    return ledger, seen


def _enter(place: Place, path: Path, presence: Presence, stack: ExitStack) -> tuple[Engine, SharedPresence]:
    from catalog_imagegen.adapters.ledger.postgresql import open_postgresql  # noqa: PLC0415 - see above
    from catalog_imagegen.adapters.ledger.presence import SharedPresence  # noqa: PLC0415 - the same

    engine = open_postgresql(place)
    stack.callback(engine.dispose)
    if path.exists():
        _move_in(path, engine, place, presence)
    seen = SharedPresence(engine, place, presence)
    stack.callback(seen.close)
    return engine, seen


def _move_in(path: Path, engine: Engine, place: Place, presence: Presence) -> None:
    """The ledger that the workspace has so far goes into the new one; its file stays, under another name.

    Raises LedgerBusy while others work with the file, ConfigError where both have something to say.
    """
    with presence.roll_call() as (_, is_alone):
        if not is_alone:
            raise LedgerBusy(
                f"other processes work with {path}, which is to be copied into {place}; let them end and run again",
                zh=f"其他进程正在使用 {path}，暂时无法复制到 {place}；请等它们结束后重新运行",
                code="ledger_busy",
            )
        old = open_sqlite(path)
        try:
            is_copied = copy(old, engine)
        finally:
            old.dispose()
        if not is_copied:
            raise ConfigError(
                f"both {path} and {place} have a ledger; move away the file if the other one is right, "
                "or name another schema_name",
                zh=f"{path} 与 {place} 都已有数据；如以后者为准请移走该文件，否则请另设 schema_name",
                code="ledger_twice",
            )
        path.rename(path.with_suffix(MOVED))
        log.info("%s was copied into %s", path, place)
