"""Names all that the ledger says, without reading it into objects."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from sqlalchemy import Executable, Text, cast, func, select

from catalog_imagegen.adapters.ledger.pictures import RENDER_LEASE
from catalog_imagegen.adapters.ledger.sql import Sql
from catalog_imagegen.adapters.ledger.tables import ATTEMPT, LEASE, PICTURE, PRODUCT, RENDER, TAKE

_UNSAID = frozenset({"planned_at", "made_of", "agreed_key"})
"""Columns of a picture that change at each plan, or say nothing of it that others do not."""


class StampRows(Sql):
    """How to see that nothing changed."""

    def sku_count(self) -> int:
        """How many products are recorded."""
        with self._reading() as db:
            return db.execute(
                select(func.count()).select_from(PRODUCT).where(PRODUCT.c.retired_at.is_(None))
            ).scalar_one()

    def stamp(self) -> str:
        """Names all that the ledger says of products and pictures; see the port.

        What a run writes down whether or not anything changed is left out: when rows were read and planned.
        """
        named = hashlib.sha256()
        with self._reading() as db:
            for query in _facts():
                named.update(b"\n--")
                for row in db.execute(query):
                    named.update(repr(tuple(row)).encode())
            leases = select(LEASE).where(LEASE.c.name.startswith(RENDER_LEASE, autoescape=True))
            held = db.execute(leases).all()
            alive = self._alive(row.holder for row in held)
            named.update(repr(sorted(row.name for row in held if row.holder in alive)).encode())
        return named.hexdigest()


def _facts() -> Iterator[Executable]:
    yield (
        select(PRODUCT.c.sku, PRODUCT.c.position, cast(PRODUCT.c.row, Text))
        .where(PRODUCT.c.retired_at.is_(None))
        .order_by(PRODUCT.c.sku)
    )
    columns = [column for column in PICTURE.columns if column.name not in _UNSAID]
    yield select(*columns).where(PICTURE.c.is_wanted).order_by(PICTURE.c.key)
    yield select(TAKE.c.key, TAKE.c.number, TAKE.c.seed, TAKE.c.note).order_by(TAKE.c.key, TAKE.c.number)
    yield select(func.count(), func.max(RENDER.c.made_at))
    latest = (func.max(ATTEMPT.c.submitted_at), func.max(ATTEMPT.c.finished_at))
    yield select(ATTEMPT.c.outcome, func.count(), *latest).group_by(ATTEMPT.c.outcome).order_by("outcome")
