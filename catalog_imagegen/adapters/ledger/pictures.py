"""The pictures: what was wanted last, what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import func, select, update

from catalog_imagegen.adapters.ledger import statuses
from catalog_imagegen.adapters.ledger.gates import remember_refusals
from catalog_imagegen.adapters.ledger.sql import Sql, among
from catalog_imagegen.adapters.ledger.tables import ATTEMPT, LEASE, PICTURE, PRODUCT, RENDER, TAKE, now
from catalog_imagegen.domain.fingerprint import Fingerprint
from catalog_imagegen.domain.imaging import FIRST_TAKE, Blocked, ImageKey, Render, Wanted
from catalog_imagegen.domain.job import PictureStatus, Plan, Record

_OF_WANTED = {
    "key": "key",
    "subject": "key.subject",
    "role": "key.role",
    "item": "key.item",
    "item_text": "item_text",
    "slot": "slot",
    "position": "order",
    "sku": "sku",
    "approval": "approval",
    "render_key": "render_key",
    "take": "take.number",
    "seed": "seed",
    "workflow": "workflow",
    "positive": "prompt.positive",
    "negative": "prompt.negative",
    "made_of": "made_of",
    "doubt": "doubt",
}
"""Column → where in a picture its value is."""
_values_of = attrgetter(*_OF_WANTED.values())
_TOLD_LATER = ("failed_code", "failure", "rejection", "blocked_en", "blocked_zh")
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
                for row in db.execute(select(PICTURE).where(among(PICTURE.c.subject, subjects)))
            }

    def renders(self, keys: Collection[Fingerprint]) -> Mapping[Fingerprint, Render]:
        """Those of these renders that were made."""
        with self._reading() as db:
            return {
                row.render_key: statuses.render(row)
                for row in db.execute(select(RENDER).where(among(RENDER.c.render_key, keys)))
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
        with self._writing() as db:
            query = select(TAKE.c.key, func.max(TAKE.c.number)).group_by(TAKE.c.key)
            current = {ImageKey.parse(key): number for key, number in db.execute(query)}
            overtaken: set[ImageKey] = set()
            alike: dict[tuple[bool, bool], list[Wanted]] = {}
            for p in plan.pictures:
                key = p.wanted.key
                if p.wanted.take.number != current.get(key, FIRST_TAKE.number):
                    overtaken.add(key)
                else:
                    is_agreed = chosen is None or key in chosen
                    alike.setdefault((p.action == "reuse", is_agreed), []).append(p.wanted)
            for (is_shown, is_agreed), pictures in alike.items():
                columns = _wanted_columns(pictures, planned_at)
                if is_shown:
                    columns["shown_key"] = columns["render_key"]
                if is_agreed:
                    columns["agreed_key"] = columns["render_key"]
                keep = _WHAT_HAPPENED - {"shown_key"} if is_shown else _WHAT_HAPPENED
                self._upsert_columns(db, PICTURE, columns, keep, beside={"planned_at"})
                if is_shown:
                    remember_refusals(db, {str(picture.key) for picture in pictures})
            self._upsert(
                db,
                PICTURE,
                [_blocked_row(b, planned_at) for b in plan.blocked],
                keep=_WHAT_HAPPENED | {"render_key", "made_of", "seed", "workflow", "take", "approval"},
            )
            if leaving:
                left = among(PICTURE.c.key, set(map(str, leaving)))
                db.execute(update(PICTURE).where(left).values(is_wanted=False))
        return overtaken

    def wanted_keys(self, subjects: Collection[str]) -> set[ImageKey]:
        """The keys recorded as wanted of these subjects."""
        query = select(PICTURE.c.key).where(among(PICTURE.c.subject, subjects), PICTURE.c.is_wanted)
        with self._reading() as db:
            return set(map(ImageKey.parse, db.execute(query).scalars()))

    def wanted_count(self, source: str) -> int:
        """How many pictures are wanted of a source's products."""
        query = select(func.count()).select_from(PICTURE).join(PRODUCT, PRODUCT.c.sku == PICTURE.c.sku)
        with self._reading() as db:
            return db.execute(query.where(PICTURE.c.is_wanted, PRODUCT.c.source == source)).scalar_one()

    def forgive(self, keys: Collection[ImageKey]) -> int:
        """Give failed pictures their attempts back; says how many."""
        failed = among(PICTURE.c.key, set(map(str, keys))) & PICTURE.c.failed_key.is_not(None)
        with self._writing() as db:
            rows = db.execute(select(PICTURE.c.failed_key).where(failed)).scalars().all()
            db.execute(
                update(ATTEMPT)
                .where(among(ATTEMPT.c.render_key, rows), ATTEMPT.c.outcome.not_in(("open", "done")))
                .values(outcome="forgiven")
            )
            db.execute(update(PICTURE).where(failed).values(failed_key=None, failed_code="", failure=""))
        return len(rows)

    def pictures(self, subjects: Collection[str] | None = None) -> list[PictureStatus]:
        """The state of every wanted picture of these subjects, or of all, in catalog order."""
        with self._reading() as db:
            leases = select(LEASE).where(LEASE.c.name.startswith(RENDER_LEASE, autoescape=True))
            held = db.execute(leases).all()
            alive = self._alive(row.holder for row in held)
            in_hand = {row.name.removeprefix(RENDER_LEASE) for row in held if row.holder in alive}
            return statuses.pictures(db, subjects, in_hand)


def _wanted_columns(pictures: Sequence[Wanted], planned_at: datetime) -> dict[str, Sequence[Any]]:
    """The columns of these pictures' rows: a plan has hundreds of thousands."""
    values = dict(zip(_OF_WANTED, zip(*map(_values_of, pictures), strict=True), strict=True))
    same = {"is_wanted": True, "planned_at": planned_at, **dict.fromkeys(_TOLD_LATER, "")}
    return {
        **values,
        "key": list(map(str, values["key"])),
        "seed": list(map(str, values["seed"])),
        **{name: [value] * len(pictures) for name, value in same.items()},
    }


def _blocked_row(blocked: Blocked, planned_at: datetime) -> dict[str, Any]:
    return {
        "key": str(blocked.key),
        "subject": blocked.key.subject,
        "role": blocked.key.role,
        "item": blocked.key.item,
        "item_text": blocked.item_text,
        "slot": blocked.slot,
        "position": blocked.order,
        "sku": blocked.sku,
        "is_wanted": True,
        "planned_at": planned_at,
        "approval": "human",
        "take": 1,
        **dict.fromkeys(_TOLD_LATER, ""),
        "blocked_en": blocked.reason_en,
        "blocked_zh": blocked.reason_zh,
        "seed": "",
        "workflow": "",
        "positive": "",
        "negative": "",
        "made_of": {},
        "doubt": "",
    }
