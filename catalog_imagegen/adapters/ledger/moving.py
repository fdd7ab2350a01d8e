"""Copies a ledger from one database into another, which has none yet."""

from __future__ import annotations

from sqlalchemy import Engine, func, select
from sqlmodel import SQLModel

from catalog_imagegen.adapters.ledger.database import READ_ONLY
from catalog_imagegen.adapters.ledger.tables import LEASE, PRODUCT, REVIEW, RUN

_ROWS = 5_000
"""In memory at once."""


def copy(source: Engine, target: Engine) -> bool:
    """Everything but the leases, all or nothing; False where the *target*, a PostgreSQL, has been used before."""
    with source.connect().execution_options(**READ_ONLY) as old, target.begin() as new:
        if any(new.execute(select(table).limit(1)).first() is not None for table in (RUN, PRODUCT)):
            return False
        for table in SQLModel.metadata.sorted_tables:
            if table is LEASE:
                continue
            rows = old.execution_options(yield_per=_ROWS).execute(select(table)).mappings()
            for part in rows.partitions():
                new.execute(table.insert(), [dict(row) for row in part])
        last = select(func.max(REVIEW.c.id)).scalar_subquery()
        new.execute(select(func.setval(func.pg_get_serial_sequence(REVIEW.name, REVIEW.c.id.name), last)))
    return True
