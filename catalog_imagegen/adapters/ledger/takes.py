"""The takes of a picture: which was asked for last, and the number of a new one."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from catalog_imagegen.adapters.ledger.tables import REVIEW, TAKE
from catalog_imagegen.domain.imaging import FIRST_TAKE, ImageKey, Take


def next_number(db: Connection, key: ImageKey) -> int:
    """The number of a new take: one that no take of the picture ever had, or its render could be an old one."""
    asked = db.execute(select(func.max(TAKE.c.number)).where(TAKE.c.key == str(key))).scalar()
    made = db.execute(select(func.max(REVIEW.c.take)).where(REVIEW.c.key == str(key))).scalar()
    return max(asked or 0, made or 0, FIRST_TAKE.number) + 1


def asked_after(db: Connection, key: str, number: int) -> int:
    """How many takes were asked for after one, by a person or a gate."""
    later = select(func.count()).where(TAKE.c.key == key, TAKE.c.number > number)
    return db.execute(later).scalar_one()


def asked_by_a_person(db: Connection, key: str) -> Take:
    """The take that a person asked for last, be it the first one."""
    query = select(TAKE.c.number, TAKE.c.note).where(TAKE.c.key == key, TAKE.c.gate == "")
    found = db.execute(query.order_by(TAKE.c.number.desc())).first()
    return FIRST_TAKE if found is None else Take(found.number, note=found.note)
