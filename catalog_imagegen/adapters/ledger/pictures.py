"""The pictures: what was wanted last, what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from catalog_imagegen.adapters.ledger import statuses
from catalog_imagegen.adapters.ledger.sql import Sql, chunks
from catalog_imagegen.adapters.ledger.tables import ATTEMPT, LEASE, PICTURE, PRODUCT, RENDER, TAKE, now
from catalog_imagegen.domain.fingerprint import Fingerprint
from catalog_imagegen.domain.imaging import FIRST_TAKE, Blocked, ImageKey, Render, Wanted
from catalog_imagegen.domain.job import PictureStatus, Plan, Record

_SOMETIMES = frozenset({"shown_key", "agreed_key"})
"""Columns that a plan says of some pictures only."""
RENDER_LEASE = "render:"
"""What producing calls its leases; the rest of the name is the render."""
_WHAT_HAPPENED = frozenset({"shown_key", "failed_key", "failed_code", "failure", "rejection"})
"""Columns that a plan does not touch once a row is there (those it never names stay anyway)."""


class PictureRows(Sql):
    """The PictureLedger port."""

    def records(self, subjects: Collection[str]) -> Mapping[ImageKey, Record]:
        """What is recorded of the pictures of these subjects, wanted or not."""
        with self._reading() as db:
            return {
                (record := statuses.record(row)).key: record
                for chunk in chunks(sorted(subjects))
                for row in db.execute(select(PICTURE).where(PICTURE.c.subject.in_(chunk)))
            }

    def renders(self, keys: Collection[Fingerprint]) -> Mapping[Fingerprint, Render]:
        """Those of these renders that were made."""
        with self._reading() as db:
            return {
                row.render_key: statuses.render(row)
                for chunk in chunks(sorted(keys))
                for row in db.execute(select(RENDER).where(RENDER.c.render_key.in_(chunk)))
            }

    def keep_plan(
        self,
        plan: Plan,
        *,
        leaving: Collection[ImageKey] = (),
        chosen: Collection[ImageKey] | None = None,
    ) -> set[ImageKey]:
        """Record what is wanted now; see the port."""
        planned_at = now()
        rows: dict[ImageKey, dict[str, Any]] = {}
        for p in plan.pictures:
            key = p.wanted.key
            row = rows[key] = _wanted_row(p.wanted, planned_at)
            if p.action == "reuse":
                row["shown_key"] = p.wanted.render_key
            if chosen is None or key in chosen:
                row["agreed_key"] = p.wanted.render_key
        with self._writing() as db:
            query = select(TAKE.c.key, func.max(TAKE.c.number)).group_by(TAKE.c.key)
            current = {ImageKey.parse(key): number for key, number in db.execute(query)}
            overtaken = {
                p.wanted.key
                for p in plan.pictures
                if p.wanted.take.number != current.get(p.wanted.key, FIRST_TAKE.number)
            }
            by_columns: dict[tuple[bool, ...], list[dict[str, Any]]] = {}
            for key, row in rows.items():
                if key not in overtaken:
                    by_columns.setdefault(tuple(name in row for name in _SOMETIMES), []).append(row)
            for alike in by_columns.values():
                said = _SOMETIMES.intersection(alike[0])
                self._upsert(db, PICTURE, alike, keep=_WHAT_HAPPENED - said, beside={"planned_at"})
            self._upsert(
                db,
                PICTURE,
                [_blocked_row(b, planned_at) for b in plan.blocked],
                keep=_WHAT_HAPPENED | {"render_key", "made_of", "seed", "workflow", "take", "approval"},
            )
            for chunk in chunks(sorted(map(str, leaving))):
                db.execute(update(PICTURE).where(PICTURE.c.key.in_(chunk)).values(is_wanted=False))
        return overtaken

    def wanted_keys(self, subjects: Collection[str]) -> set[ImageKey]:
        """The keys recorded as wanted of these subjects."""
        with self._reading() as db:
            return {
                ImageKey.parse(key)
                for chunk in chunks(sorted(subjects))
                for (key,) in db.execute(
                    select(PICTURE.c.key).where(PICTURE.c.subject.in_(chunk), PICTURE.c.is_wanted)
                )
            }

    def wanted_count(self, source: str) -> int:
        """How many pictures are wanted of a source's products."""
        query = select(func.count()).select_from(PICTURE).join(PRODUCT, PRODUCT.c.sku == PICTURE.c.sku)
        with self._reading() as db:
            return db.execute(query.where(PICTURE.c.is_wanted, PRODUCT.c.source == source)).scalar_one()

    def forgive(self, keys: Collection[ImageKey]) -> int:
        """Give failed pictures their attempts back; says how many."""
        forgiven = 0
        with self._writing() as db:
            for chunk in chunks(sorted(map(str, keys))):
                failed = PICTURE.c.key.in_(chunk) & PICTURE.c.failed_key.is_not(None)
                rows = db.execute(select(PICTURE.c.failed_key).where(failed)).scalars().all()
                db.execute(
                    update(ATTEMPT)
                    .where(ATTEMPT.c.render_key.in_(rows), ATTEMPT.c.outcome.not_in(("open", "done")))
                    .values(outcome="forgiven")
                )
                db.execute(update(PICTURE).where(failed).values(failed_key=None, failed_code="", failure=""))
                forgiven += len(rows)
        return forgiven

    def pictures(self, subjects: Collection[str] | None = None) -> list[PictureStatus]:
        """The state of every wanted picture of these subjects, or of all, in catalog order."""
        pieces = None if subjects is None else list(chunks(sorted(subjects)))
        with self._reading() as db:
            leases = select(LEASE).where(LEASE.c.name.startswith(RENDER_LEASE, autoescape=True))
            held = db.execute(leases).all()
            alive = self._alive(row.holder for row in held)
            in_hand = {row.name.removeprefix(RENDER_LEASE) for row in held if row.holder in alive}
            return statuses.pictures(db, pieces, in_hand)


def _wanted_row(wanted: Wanted, planned_at: datetime) -> dict[str, Any]:
    return {
        **_key_columns(wanted, planned_at),
        "approval": wanted.approval,
        "render_key": wanted.render_key,
        "take": wanted.take.number,
        "failed_code": "",
        "failure": "",
        "rejection": "",
        "blocked_en": "",
        "blocked_zh": "",
        "seed": str(wanted.seed),
        "workflow": wanted.workflow,
        "positive": wanted.prompt.positive,
        "negative": wanted.prompt.negative,
        "made_of": dict(wanted.made_of),
    }


def _blocked_row(blocked: Blocked, planned_at: datetime) -> dict[str, Any]:
    return {
        **_key_columns(blocked, planned_at),
        "approval": "human",
        "take": 1,
        "failed_code": "",
        "failure": "",
        "rejection": "",
        "blocked_en": blocked.reason_en,
        "blocked_zh": blocked.reason_zh,
        "seed": "",
        "workflow": "",
        "positive": "",
        "negative": "",
        "made_of": {},
    }


def _key_columns(picture: Wanted | Blocked, planned_at: datetime) -> dict[str, Any]:
    return {
        "key": str(picture.key),
        "subject": picture.key.subject,
        "role": picture.key.role,
        "item": picture.key.item,
        "item_text": picture.item_text,
        "slot": picture.slot,
        "position": picture.order,
        "sku": picture.sku,
        "is_wanted": True,
        "planned_at": planned_at,
    }
