"""The ledger in a SQL database: every method is one transaction."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select

from catalog_imagegen.adapters.ledger.catalog import CatalogRows
from catalog_imagegen.adapters.ledger.jobs import JobRows
from catalog_imagegen.adapters.ledger.pictures import PictureRows
from catalog_imagegen.adapters.ledger.reviews import ReviewRows
from catalog_imagegen.adapters.ledger.sql import chunks
from catalog_imagegen.adapters.ledger.stamp import StampRows
from catalog_imagegen.adapters.ledger.tables import LEASE, RENDER
from catalog_imagegen.domain.fingerprint import Digest


class SqlLedger(CatalogRows, PictureRows, ReviewRows, JobRows, StampRows):
    """The database of record, shared by any number of processes.

    A lease counts only while the process that holds it is alive.
    """

    def close(self) -> None:
        """Close the database and leave its leases to others."""
        with self._engine.begin() as db:
            db.execute(delete(LEASE).where(LEASE.c.holder == self._holder))
        self._engine.dispose()

    def lease(self, name: str) -> bool:
        """Take a lease unless a living process holds it."""
        with self._engine.begin() as db:
            holder = db.execute(select(LEASE.c.holder).where(LEASE.c.name == name)).scalar()
            if holder is not None and self._is_alive(holder):
                return False
            self._upsert(db, LEASE, [{"name": name, "holder": self._holder}])
        return True

    def release(self, name: str) -> None:
        """Give a lease back, if it is ours."""
        with self._engine.begin() as db:
            db.execute(delete(LEASE).where(LEASE.c.name == name, LEASE.c.holder == self._holder))

    def digests(self) -> set[Digest]:
        """The bytes that rows name."""
        with self._reading() as db:
            return {Digest(name) for name in db.execute(select(RENDER.c.digest)).scalars()}

    def drop_leases(self, holders: Collection[str]) -> None:
        """Free what dead processes held."""
        with self._engine.begin() as db:
            for chunk in chunks(sorted(holders)):
                db.execute(delete(LEASE).where(LEASE.c.holder.in_(chunk)))
