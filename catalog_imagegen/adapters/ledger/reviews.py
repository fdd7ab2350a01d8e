"""What reviewers said, and the new takes that follow from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC
from typing import Any

from sqlalchemy import Connection, Row, delete, or_, select, update

from catalog_imagegen.adapters.ledger import statuses
from catalog_imagegen.adapters.ledger.catalog import unsettle
from catalog_imagegen.adapters.ledger.gates import brief, return_to
from catalog_imagegen.adapters.ledger.sql import Sql, among
from catalog_imagegen.adapters.ledger.tables import ATTEMPT, PICTURE, RENDER, REVIEW, TAKE, now
from catalog_imagegen.adapters.ledger.takes import asked_after, next_number
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.domain.imaging import ImageKey, Render, Take
from catalog_imagegen.domain.job import Decision, Refusal, Rejection, Review


class ReviewRows(Sql):
    """The ReviewLedger port."""

    def approve(self, key: ImageKey, digest: Digest) -> Refusal | None:
        """Approve the bytes that show a picture, unless they do so no longer."""
        with self._writing() as db:
            row = _row(db, key)
            if _refusal(row, digest) in ("replaced", "outdated") and return_to(db, row, digest):
                row = _row(db, key)
            if refusal := _refusal(row, digest):
                return refusal
            is_undoing = row.rejected_key == row.shown_key
            asked = asked_after(db, row.key, row.take)
            if asked and not (is_undoing and asked == 1):
                return "asked_again"
            db.execute(delete(TAKE).where(TAKE.c.key == str(key), TAKE.c.number > row.take))
            means: dict[str, Any] = {"approved_key": row.shown_key, "approved_digest": digest}
            if is_undoing:
                means |= {"rejected_key": None, "rejection": "", "gate": None}
            _say(db, row, digest, decision="approved", means=means)
        return None

    def reject(
        self, key: ImageKey, digest: Digest, *, reason: str, note: str, at_most: int
    ) -> Take | Rejection | Refusal:
        """Reject them and ask for a new take, unless *at_most* were made for this brief already."""
        with self._writing() as db:
            row = _row(db, key)
            refusal = _refusal(row, digest)
            if refusal in ("outdated", "replaced") and digest in (row.digest, row.approved_digest):
                return _withdraw(db, row, digest, reason)
            if refusal:
                return refusal
            if row.rejected_key == row.shown_key and not row.gate:
                return "rejected_already"
            if asked_after(db, row.key, row.take):
                return "asked_again"
            means: dict[str, Any] = {"rejected_key": row.shown_key, "rejection": reason, "gate": None}
            if row.approved_key == row.shown_key:
                means |= {"approved_key": None, "approved_digest": None}
            _say(db, row, digest, decision="rejected", reason=reason, means=means)
            is_photo = row.made_of.get("product") == "cutout"  # of which another take would be the same
            if is_photo or _rejected(db, row) > at_most:
                return "used_up"
            return _add_take(db, key, row.take, note)

    def renders_of(self, key: ImageKey) -> list[Render]:
        """The renders that ever were a picture's, the newest first: those of attempts, and what was made of photos."""
        tried = select(ATTEMPT.c.render_key).where(
            ATTEMPT.c.picture_key == str(key), ATTEMPT.c.outcome == "done"
        )
        said = select(REVIEW.c.render_key).where(REVIEW.c.key == str(key))
        its = PICTURE.c.key == str(key)
        now = (select(PICTURE.c[name]).where(its) for name in ("render_key", "shown_key", "approved_key"))
        query = (
            select(RENDER)
            .where(or_(*(RENDER.c.render_key.in_(keys) for keys in (tried, said, *now))))
            .order_by(RENDER.c.made_at.desc())
        )
        with self._reading() as db:
            return [statuses.render(row) for row in db.execute(query)]

    def reviews(self, keys: Collection[ImageKey]) -> Mapping[ImageKey, Sequence[Review]]:
        """Everything said of these pictures, the last word last."""
        found: dict[ImageKey, list[Review]] = {}
        query = select(REVIEW).where(among(REVIEW.c.key, set(map(str, keys)))).order_by(REVIEW.c.id)
        with self._reading() as db:
            for row in db.execute(query):
                review = Review(
                    ImageKey.parse(row.key),
                    Digest(row.digest),
                    row.decision,
                    row.reason,
                    row.made_at.replace(tzinfo=row.made_at.tzinfo or UTC),
                    row.gate,
                )
                found.setdefault(review.key, []).append(review)
        return found


def _row(db: Connection, key: ImageKey) -> Any:
    """A wanted picture with the digest of what shows it, or None."""
    query = select(PICTURE, RENDER.c.digest).outerjoin(RENDER, RENDER.c.render_key == PICTURE.c.shown_key)
    return db.execute(query.where(PICTURE.c.key == str(key), PICTURE.c.is_wanted)).one_or_none()


def _refusal(row: Row[Any] | None, digest: Digest) -> Refusal | None:
    """Why nothing can be said of these bytes any more."""
    if row is None:
        return "not_wanted"
    if row.digest != digest:
        return "replaced"
    if row.shown_key != row.render_key or row.blocked_en:
        return "outdated"
    return None


def _withdraw(db: Connection, row: Row[Any], digest: Digest, reason: str) -> Rejection | Refusal:
    """Take a picture out of the listings that stands there while another is wanted; no take follows from that."""
    means: dict[str, Any] = {}
    if row.approved_digest == digest:
        means |= {"approved_key": None, "approved_digest": None}
    if row.digest == digest and row.rejected_key != row.shown_key:
        means |= {"rejected_key": row.shown_key, "rejection": reason, "gate": None}
    if not means:
        return "rejected_already"
    _say(db, row, digest, decision="rejected", reason=reason, means=means)
    return "withdrawn"


def _rejected(db: Connection, row: Row[Any]) -> int:
    """How many pictures of this brief stand rejected; what was taken back does not count."""
    said = select(REVIEW.c.render_key, REVIEW.c.decision).where(
        REVIEW.c.key == row.key, REVIEW.c.brief == brief(row)
    )
    last = {render: decision for render, decision in db.execute(said.order_by(REVIEW.c.id))}  # noqa: C416 - rows are no pairs
    return sum(decision == "rejected" for decision in last.values())


def _add_take(db: Connection, key: ImageKey, number: int, note: str) -> Take:
    """A new take after that with this *number*, with its note if none is given."""
    standing = db.execute(select(TAKE.c.note).where(TAKE.c.key == str(key), TAKE.c.number == number)).scalar()
    take = Take(next_number(db, key), None, note or standing or "")
    row = {"key": str(key), "number": take.number, "seed": None, "note": take.note, "made_at": now()}
    db.execute(TAKE.insert(), row)
    return take


def _say(
    db: Connection,
    row: Row[Any],
    digest: Digest,
    *,
    decision: Decision,
    reason: str = "",
    means: dict[str, Any],
) -> None:
    """Keep what was said, and what it means for the columns of the picture."""
    db.execute(
        REVIEW.insert(),
        {
            "key": row.key,
            "render_key": row.shown_key,
            "digest": digest,
            "decision": decision,
            "reason": reason,
            "brief": brief(row),
            "take": row.take,
            "made_at": now(),
        },
    )
    db.execute(update(PICTURE).where(PICTURE.c.key == row.key).values(**means))
    unsettle(db, ImageKey.parse(row.key))
