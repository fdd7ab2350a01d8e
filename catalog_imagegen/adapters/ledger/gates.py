"""What follows when a render does not pass a gate: another take, so often, then a person; and the way back to it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, Text, delete, func, literal, select, update

from catalog_imagegen.adapters.ledger.catalog import unsettle
from catalog_imagegen.adapters.ledger.sql import among
from catalog_imagegen.adapters.ledger.tables import PICTURE, RENDER, REVIEW, TAKE, now, wants
from catalog_imagegen.adapters.ledger.takes import asked_after, asked_by_a_person, next_number
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint, fingerprint
from catalog_imagegen.domain.gates import Objection, Stopped
from catalog_imagegen.domain.imaging import ImageKey, Render
from catalog_imagegen.domain.job import Kept

_OF_A_TAKE = {"take", "seed"}
"""Ingredients that change from take to take; the others are the brief."""
_OF_A_PLAN = ("render_key", "take", "seed", "workflow", "positive", "negative", "made_of")
"""Columns of a picture by which a render of an earlier take can be the wanted one again."""


def brief(row: Row[Any]) -> str:
    """Names what was asked for, whichever the take."""
    return fingerprint("brief", 1, {k: v for k, v in row.made_of.items() if k not in _OF_A_TAKE})


def stop(db: Connection, key: ImageKey, render: Render, objection: Objection) -> Kept:
    """Note that a render does not pass a gate, for each picture that wants it; what follows for that of *key*.

    A person who approved this very render before knows better.
    """
    kept: Kept = "shown"
    wanted = select(PICTURE).where(wants(literal(render.render_key, Text)), PICTURE.c.is_wanted)
    rows = db.execute(wanted).all()
    if all(row.key != str(key) for row in rows):
        _note(db, str(key), render, objection.stopped)  # its row changed meanwhile, and may change back
    for row in rows:
        if _is_approved(db, row.key, render.render_key):
            continue
        follows = _stop(db, row, render, objection)
        if row.key == str(key):
            kept = follows
    return kept


def remember_refusals(db: Connection, keys: Collection[str]) -> None:
    """Where pictures show a render again that a gate stopped or a person rejected, have them say so again.

    A picture's row has the last refusal only, and there were other renders since.
    """
    again = (
        select(func.max(REVIEW.c.id))
        .join(PICTURE, (PICTURE.c.key == REVIEW.c.key) & (PICTURE.c.shown_key == REVIEW.c.render_key))
        .where(among(PICTURE.c.key, keys), PICTURE.c.rejected_key.is_distinct_from(PICTURE.c.shown_key))
        .group_by(REVIEW.c.key)
    )
    said = select(REVIEW).where(REVIEW.c.id.in_(again), REVIEW.c.decision.in_(("stopped", "rejected")))
    for row in db.execute(said).all():
        means = {"rejected_key": row.render_key, "rejection": row.reason, "gate": row.gate or None}
        db.execute(update(PICTURE).where(PICTURE.c.key == row.key).values(**means))


def _note(db: Connection, key: str, render: Render, stopped: Stopped, **more: Any) -> None:
    said = {
        "key": key,
        "render_key": render.render_key,
        "digest": render.digest,
        "decision": "stopped",
        "reason": stopped.message,
        "gate": stopped.gate,
        "made_at": now(),
    }
    db.execute(REVIEW.insert(), said | {"brief": "", "take": 0, "planned": None} | more)


def _stop(db: Connection, row: Row[Any], render: Render, objection: Objection) -> Kept:
    key, stopped, wordings = ImageKey.parse(row.key), objection.stopped, objection.wordings
    planned = {name: getattr(row, name) for name in _OF_A_PLAN}
    _note(db, row.key, render, stopped, brief=brief(row), take=row.take, planned=planned)
    means = {"rejected_key": render.render_key, "rejection": stopped.message, "gate": stopped.gate}
    db.execute(update(PICTURE).where(PICTURE.c.key == row.key).values(**means))
    unsettle(db, key)
    if asked_after(db, row.key, row.take):
        return "retaken"  # somebody has asked for one meanwhile
    asked = asked_by_a_person(db, row.key)
    count = _stopped_since(db, row, asked.number)
    if count > objection.at_most:
        return "blocked"
    wording = wordings[min(count, len(wordings)) - 1] if wordings else ""
    take = {
        "key": row.key,
        "number": next_number(db, key),
        "seed": None,
        "gate": stopped.gate,
        "made_at": now(),
    }
    db.execute(TAKE.insert(), {**take, "note": "，".join(filter(None, (asked.note, wording)))})
    return "retaken"


def _stopped_since(db: Connection, row: Row[Any], number: int) -> int:
    """How many renders of this brief were stopped since a take that somebody asked for."""
    query = select(func.count(REVIEW.c.render_key.distinct())).where(
        REVIEW.c.key == row.key,
        REVIEW.c.brief == brief(row),
        REVIEW.c.decision == "stopped",
        REVIEW.c.take >= number,
    )
    return db.execute(query).scalar_one()


def _is_approved(db: Connection, key: str, render: Fingerprint) -> bool:
    """Whether the last word on a render was an approval."""
    said = select(REVIEW.c.decision).where(REVIEW.c.key == key, REVIEW.c.render_key == render)
    return db.execute(said.order_by(REVIEW.c.id.desc())).scalar() == "approved"


def return_to(db: Connection, row: Row[Any], digest: Digest) -> bool:
    """Have a render that a gate stopped show its picture again, though others of its brief came after it.

    Not when a person has asked for a take since then. Takes that gates asked for after it are taken back.
    """
    query = (
        select(REVIEW.c.take, REVIEW.c.planned, REVIEW.c.gate, REVIEW.c.reason)
        .join(RENDER, (RENDER.c.render_key == REVIEW.c.render_key) & (RENDER.c.digest == REVIEW.c.digest))
        .where(
            REVIEW.c.key == row.key,
            REVIEW.c.digest == digest,
            REVIEW.c.decision == "stopped",
            REVIEW.c.brief == brief(row),
            REVIEW.c.take >= asked_by_a_person(db, row.key).number,
        )
    )
    found = db.execute(query.order_by(REVIEW.c.id.desc())).first()
    if found is None:
        return False
    shown = found.planned["render_key"]
    means = {"shown_key": shown, "rejected_key": shown, "rejection": found.reason, "gate": found.gate}
    db.execute(update(PICTURE).where(PICTURE.c.key == row.key).values(**found.planned, **means))
    db.execute(delete(TAKE).where(TAKE.c.key == row.key, TAKE.c.number > found.take))
    return True
