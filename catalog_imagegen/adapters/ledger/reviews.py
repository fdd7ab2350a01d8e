"""What reviewers said, and the new takes that follow from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from catalog_imagegen.adapters.ledger import statuses
from catalog_imagegen.adapters.ledger.sql import Sql, chunks
from catalog_imagegen.adapters.ledger.tables import ATTEMPT, PICTURE, RENDER, REVIEW, TAKE, now
from catalog_imagegen.domain.fingerprint import Digest, fingerprint
from catalog_imagegen.domain.imaging import FIRST_TAKE, ImageKey, Render, Take
from catalog_imagegen.domain.job import Decision, Refusal, Review

_OF_A_TAKE = {"take", "seed"}
"""Ingredients that change from take to take; the others are the brief."""


class ReviewRows(Sql):
    """The ReviewLedger port."""

    def approve(self, key: ImageKey, digest: Digest) -> Refusal | None:
        """Approve the bytes that show a picture, unless they do so no longer."""
        with self._engine.begin() as db:
            row = _standing(db, key, digest)
            if isinstance(row, str):
                return row
            is_undoing = row.rejected_key == row.shown_key
            if _last_take(db, key) > row.take:
                if not is_undoing:
                    return "asked_again"
                db.execute(delete(TAKE).where(TAKE.c.key == str(key), TAKE.c.number > row.take))
            _note(db, row, "approved", "")
            words: dict[str, Any] = {"approved_key": row.shown_key, "approved_digest": digest}
            if is_undoing:
                words |= {"rejected_key": None, "rejection": ""}
            db.execute(update(PICTURE).where(PICTURE.c.key == str(key)).values(**words))
        return None

    def reject(
        self, key: ImageKey, digest: Digest, *, reason: str, note: str, at_most: int
    ) -> Take | Refusal | None:
        """Reject them and ask for a new take, unless *at_most* were made for this brief already (None)."""
        with self._engine.begin() as db:
            row = _standing(db, key, digest)
            if isinstance(row, str):
                return row
            if row.rejected_key == row.shown_key:
                return "rejected_already"
            if _last_take(db, key) > row.take:
                return "asked_again"
            _note(db, row, "rejected", reason)
            words: dict[str, Any] = {"rejected_key": row.shown_key, "rejection": reason}
            if row.approved_key == row.shown_key:
                words |= {"approved_key": None, "approved_digest": None}
            db.execute(update(PICTURE).where(PICTURE.c.key == str(key)).values(**words))
            rejections = (
                select(func.count())
                .select_from(REVIEW)
                .where(
                    REVIEW.c.key == str(key), REVIEW.c.brief == _brief(row), REVIEW.c.decision == "rejected"
                )
            )
            if (db.execute(rejections).scalar() or 0) > at_most:
                return None
            return _add_take(db, key, row.take, note)

    def renders_of(self, key: ImageKey) -> list[Render]:
        """The renders that attempts at a picture ever made, the newest first."""
        query = (
            select(RENDER)
            .join(ATTEMPT, ATTEMPT.c.render_key == RENDER.c.render_key)
            .where(ATTEMPT.c.picture_key == str(key), ATTEMPT.c.outcome == "done")
            .order_by(RENDER.c.made_at.desc())
        )
        with self._reading() as db:
            return [statuses.render(row) for row in db.execute(query)]

    def reviews(self, keys: Collection[ImageKey]) -> Mapping[ImageKey, Sequence[Review]]:
        """Everything said of these pictures, the last word last."""
        found: dict[ImageKey, list[Review]] = {}
        with self._reading() as db:
            for chunk in chunks(sorted(map(str, keys))):
                query = select(REVIEW).where(REVIEW.c.key.in_(chunk)).order_by(REVIEW.c.id)
                for row in db.execute(query):
                    review = Review(
                        ImageKey.parse(row.key),
                        Digest(row.digest),
                        row.decision,
                        row.reason,
                        row.made_at.replace(tzinfo=row.made_at.tzinfo or UTC),
                    )
                    found.setdefault(review.key, []).append(review)
        return found


def _standing(db: Connection, key: ImageKey, digest: Digest) -> Row[Any] | Refusal:
    """The picture that these bytes show, or why nothing can be said of them any more."""
    query = select(PICTURE, RENDER.c.digest).outerjoin(RENDER, RENDER.c.render_key == PICTURE.c.shown_key)
    row = db.execute(query.where(PICTURE.c.key == str(key), PICTURE.c.is_wanted)).one_or_none()
    if row is None:
        return "not_wanted"
    if row.digest != digest:
        return "replaced"
    if row.shown_key != row.render_key or row.blocked_en:
        return "outdated"
    return row


def _last_take(db: Connection, key: ImageKey) -> int:
    last = db.execute(select(func.max(TAKE.c.number)).where(TAKE.c.key == str(key))).scalar()
    return last or FIRST_TAKE.number


def _add_take(db: Connection, key: ImageKey, number: int, note: str) -> Take:
    """The take after *number*, with its note if none is given."""
    standing = db.execute(select(TAKE.c.note).where(TAKE.c.key == str(key), TAKE.c.number == number)).scalar()
    take = Take(number + 1, None, note or standing or "")
    row = {"key": str(key), "number": take.number, "seed": None, "note": take.note, "made_at": now()}
    db.execute(TAKE.insert(), row)
    return take


def _note(db: Connection, row: Row[Any], decision: Decision, reason: str) -> None:
    db.execute(
        REVIEW.insert(),
        {
            "key": row.key,
            "render_key": row.shown_key,
            "digest": row.digest,
            "decision": decision,
            "reason": reason,
            "brief": _brief(row),
            "made_at": now(),
        },
    )


def _brief(row: Row[Any]) -> str:
    return fingerprint("brief", 1, {k: v for k, v in row.made_of.items() if k not in _OF_A_TAKE})
