"""The ledger in a SQL database: every method is one transaction."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from sqlalchemy import delete, select

from catalog_imagegen.adapters.ledger.catalog import CatalogRows
from catalog_imagegen.adapters.ledger.jobs import JobRows
from catalog_imagegen.adapters.ledger.pictures import PictureRows
from catalog_imagegen.adapters.ledger.reviews import ReviewRows
from catalog_imagegen.adapters.ledger.sql import among
from catalog_imagegen.adapters.ledger.stamp import StampRows
from catalog_imagegen.adapters.ledger.tables import LEASE, MATERIAL, RENDER
from catalog_imagegen.domain.errors import LedgerUnreachable
from catalog_imagegen.domain.fingerprint import Digest


class SqlLedger(CatalogRows, PictureRows, ReviewRows, JobRows, StampRows):
    """The database of record, shared by any number of processes.

    A lease counts only while the process that holds it is alive.
    """

    def close(self) -> None:
        """Close the database and leave its leases to others, who take them anyway where it does not answer."""
        with suppress(LedgerUnreachable), self._writing() as db:
            db.execute(delete(LEASE).where(LEASE.c.holder == self._holder))
        self._engine.dispose()

    def lease(self, name: str) -> bool:
        """Take a lease unless a living process holds it."""
        return self.lease_free([name]) == [name]

    def lease_free(self, names: Collection[str]) -> list[str]:
        """Take those of these leases that no living process holds."""
        with self._writing() as db:
            held = self._held(db, list(names))
            free = [name for name in names if name not in held]
            self._upsert(db, LEASE, [{"name": name, "holder": self._holder} for name in free])
        return free

    def release(self, *names: str) -> None:
        """Give leases back, as far as they are ours."""
        with self._writing() as db:
            self._release(db, names)

    def digests(self) -> set[Digest]:
        """The bytes that rows name."""
        columns = (RENDER.c.digest, MATERIAL.c.digest)
        with self._reading() as db:
            return {Digest(n) for c in columns for n in db.execute(select(c).distinct()).scalars()}

    def drop_leases(self, holders: Collection[str]) -> None:
        """Free what dead processes held."""
        with self._writing() as db:
            db.execute(delete(LEASE).where(among(LEASE.c.holder, holders)))
