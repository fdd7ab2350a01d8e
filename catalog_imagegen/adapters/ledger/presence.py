"""Says which processes that share a ledger are alive: each holds a lock in the database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from catalog_imagegen.adapters.ledger.postgresql import CROWD, HOLDER, number_of
from catalog_imagegen.adapters.ledger.postgresql_errors import Place, session_lost
from catalog_imagegen.adapters.presence import Presence
from catalog_imagegen.domain.errors import LedgerUnreachable

_NOT_FOR_EVER = "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'"
"""The session is idle for hours; PostgreSQL before 14 has no such setting."""


class SharedPresence:
    """This process, as the others see it, on whichever machines they are.

    The server drops a session's locks whenever its process ends, however it ends. A session that ends earlier, because the
    server or the network failed, makes its process one of the dead for good: see ``_on_begin`` of the engine.
    """

    def __init__(self, engine: sa.Engine, place: Place, folder: Presence) -> None:
        """*folder* knows the processes that work in the same folder, and lends this one its name."""
        self.holder = folder.holder
        self._folder = folder
        self._place = place
        self._crowd = CROWD, number_of(place.schema)
        self._gate = threading.Lock()
        self._is_lost = False
        self._session = engine.connect().execution_options(isolation_level="AUTOCOMMIT", is_read_only=True)
        self._session.detach()  # its locks end with it
        try:
            self._ask(_NOT_FOR_EVER)
            self._ask("SELECT pg_advisory_lock_shared(%s, %s)", *self._crowd)
            self._ask("SELECT pg_advisory_lock(%s::bigint)", _key(self.holder))
        except BaseException:
            self._session.close()
            raise
        engine.update_execution_options(**{HOLDER: _key(self.holder)})

    def is_alive(self, holder: str) -> bool:
        """Whether the process called *holder* still runs. Raises LedgerUnreachable."""
        if holder == self.holder:
            return True
        return not self._ask("SELECT pg_try_advisory_xact_lock_shared(%s::bigint)", _key(holder))

    @contextmanager
    def bury_the_dead(self) -> Iterator[tuple[set[str], bool]]:
        """The holders that ended without closing, and whether this process is alone with its ledger and its folder.

        While the block runs no process can appear where this one is alone, so it may sweep up.
        """
        with self._folder.bury_the_dead() as (dead, is_alone_here):
            holders = self._ask("SELECT array_agg(DISTINCT holder) FROM lease") or []
            gone = {holder for holder in holders if not self.is_alive(holder)}
            is_alone = is_alone_here and bool(self._ask("SELECT pg_try_advisory_lock(%s, %s)", *self._crowd))
            try:
                yield dead | gone, is_alone
            finally:
                if is_alone:
                    self._ask("SELECT pg_advisory_unlock(%s, %s)", *self._crowd)

    def close(self) -> None:
        """Leave in good order; the folder is left to whoever made it."""
        self._session.close()

    def _ask(self, query: str, *numbers: int) -> Any:
        with self._gate:
            if self._is_lost:
                raise session_lost(self._place)
            try:
                return self._session.exec_driver_sql(query, numbers).scalar()
            except LedgerUnreachable:
                self._is_lost = True
                raise


def _key(holder: str) -> int:
    """A process's own lock."""
    return int(holder[:16], 16) - 2**63
