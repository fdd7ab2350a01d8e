"""Attempts and what they produced."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, Text, bindparam, exists, func, or_, select, update

from catalog_imagegen.adapters.ledger import statuses
from catalog_imagegen.adapters.ledger.gates import stop
from catalog_imagegen.adapters.ledger.sql import Sql, among
from catalog_imagegen.adapters.ledger.tables import (
    ATTEMPT,
    LEASE,
    MATERIAL,
    PICTURE,
    PRODUCT,
    RENDER,
    RUN,
    now,
    wants,
)
from catalog_imagegen.domain.failure import UNCOUNTED, Failure
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint
from catalog_imagegen.domain.gates import Objection
from catalog_imagegen.domain.imaging import ImageKey, Render
from catalog_imagegen.domain.job import Attempt, AttemptRecord, Claim, Finished, Kept

NOT_FAILED = frozenset({"open", "done", "forgiven", *UNCOUNTED})
"""Outcomes that use up nothing."""
NEWEST = 500
"""Attempts that speeds are read off."""
_OF_RENDER = (
    select(ATTEMPT).where(ATTEMPT.c.render_key == bindparam("render")).order_by(ATTEMPT.c.submitted_at)
)
_STANDING = select(ATTEMPT).where(ATTEMPT.c.outcome == "open").order_by(ATTEMPT.c.submitted_at)
_MADE = select(RENDER).where(RENDER.c.render_key == bindparam("render"))
_GIVEN_UP = select(PICTURE.c.failed_code, PICTURE.c.failure).where(
    wants(bindparam("render", type_=Text)),  # for its index: failures have none
    PICTURE.c.failed_key == PICTURE.c.render_key,
)
_IS_KNOWN = select(or_(*map(exists, (_MADE, _GIVEN_UP, _OF_RENDER))))
_BEGUN = ATTEMPT.insert()
_DONE = (
    update(ATTEMPT)
    .where(ATTEMPT.c.prompt_id == bindparam("prompt"))
    .values(outcome="done", started_at=bindparam("began"), finished_at=bindparam("ended"))
)
_SHOWN = (
    update(PICTURE)
    .where(wants(bindparam("render", type_=Text)))
    .values(shown_key=bindparam("render"), failed_key=None, failed_code="", failure="")
)


class JobRows(Sql):
    """The JobLedger port."""

    def open_attempt(self, render: Fingerprint) -> Attempt | None:
        """An attempt whose end is not known."""
        return self.open_attempts([render]).get(render)

    def open_attempts(self, renders: Collection[Fingerprint]) -> Mapping[Fingerprint, Attempt]:
        """Attempts whose end is not known, by render."""
        with self._reading() as db:
            return {
                row.render_key: _attempt(row)
                for row in db.execute(_STANDING.where(among(ATTEMPT.c.render_key, renders)))
            }

    def standing(self) -> list[AttemptRecord]:
        """The attempts whose end is not known, in the order in which they were sent."""
        with self._reading() as db:
            return [_record(row) for row in db.execute(_STANDING)]

    def claim(
        self, lease: str, attempt: Attempt, *, places: Sequence[str], leaving: Sequence[str] = ()
    ) -> Claim:
        """Take a picture's lease with the first free place, or neither; see the port."""
        render = attempt.render_key
        with self._writing() as db:
            if leaving:
                self._release(db, leaving)
            held = self._held(db, [lease, *places])
            if lease in held:
                return Claim(is_busy=True)
            place = next((name for name in places if name not in held), None)
            if place is None:
                return Claim()
            self._upsert(db, LEASE, [{"name": name, "holder": self._holder} for name in (place, lease)])
            known = db.execute(_IS_KNOWN, {"render": render}).scalar_one()  # of new ones, most are not
            claim = self._past(db, render, place) if known else Claim(place=place, is_begun=True)
            if claim.is_begun:
                self._begin(db, attempt)
        return claim

    def _past(self, db: Connection, render: Fingerprint, place: str) -> Claim:
        """What happened to a picture so far; it may still be nothing that counts."""
        made = db.execute(_MADE, {"render": render}).first()
        given_up = db.execute(_GIVEN_UP, {"render": render}).first()
        rows = db.execute(_OF_RENDER, {"render": render}).all()
        standing = [row for row in rows if row.outcome == "open"]
        failed = tuple(_record(row) for row in rows if row.outcome not in NOT_FAILED)
        return Claim(
            place=place,
            is_begun=not (made or given_up or standing or failed),
            render=None if made is None else statuses.render(made),
            given_up=None if given_up is None else Failure(given_up.failed_code, given_up.failure),
            open=_attempt(standing[-1]) if standing else None,
            failed=failed,
        )

    def begin_attempt(self, attempt: Attempt) -> None:
        """Write down an attempt before it is sent."""
        with self._writing() as db:
            self._begin(db, attempt)

    def _begin(self, db: Connection, attempt: Attempt) -> None:
        db.execute(
            _BEGUN,
            {
                "prompt_id": attempt.prompt_id,
                "render_key": attempt.render_key,
                "picture_key": str(attempt.key),
                "run": attempt.run,
                "server": attempt.server,
                "outcome": "open",
                "error": "",
                "recipe": dict(attempt.recipe),
                "shrink": attempt.shrink,
                "submitted_at": now(),
            },
        )

    def rename_attempt(self, prompt_id: str, accepted: str) -> None:
        """Adopt the id under which a server accepted an attempt."""
        with self._writing() as db:
            db.execute(update(ATTEMPT).where(ATTEMPT.c.prompt_id == prompt_id).values(prompt_id=accepted))

    def fail_attempt(self, prompt_id: str, failure: Failure) -> None:
        """End an attempt without a picture."""
        with self._writing() as db:
            db.execute(
                update(ATTEMPT)
                .where(ATTEMPT.c.prompt_id == prompt_id)
                .values(outcome=failure.code, error=failure.message, finished_at=now())
            )

    def cancel_attempt(self, prompt_id: str, reason: str) -> bool:
        """End an attempt that somebody takes back, unless it has ended meanwhile."""
        with self._writing() as db:
            done = db.execute(
                update(ATTEMPT)
                .where(ATTEMPT.c.prompt_id == prompt_id, ATTEMPT.c.outcome == "open")
                .values(outcome="cancelled", error=reason, finished_at=now())
            )
            return bool(done.rowcount)

    def reopen_attempt(self, prompt_id: str) -> None:
        """An attempt that was cancelled has given a picture all the same."""
        with self._writing() as db:
            db.execute(
                update(ATTEMPT)
                .where(ATTEMPT.c.prompt_id == prompt_id, ATTEMPT.c.outcome == "cancelled")
                .values(outcome="open", error="", finished_at=None)
            )

    def failed_attempts(self, render: Fingerprint) -> tuple[AttemptRecord, ...]:
        """The attempts at a render that failed and count, the last one last."""
        with self._reading() as db:
            rows = db.execute(_OF_RENDER, {"render": render})
            return tuple(_record(row) for row in rows if row.outcome not in NOT_FAILED)

    def speeds(self) -> Mapping[tuple[str, str], float]:
        """(server, workflow) → seconds per megapixel: the median of the newest pictures."""
        query = (
            select(
                ATTEMPT.c.server,
                PICTURE.c.workflow,
                ATTEMPT.c.started_at,
                ATTEMPT.c.finished_at,
                (RENDER.c.width * RENDER.c.height).label("pixels"),
            )
            .join(RENDER, RENDER.c.render_key == ATTEMPT.c.render_key)
            .join(PICTURE, PICTURE.c.key == ATTEMPT.c.picture_key)
            .where(
                ATTEMPT.c.outcome == "done",
                ATTEMPT.c.started_at.is_not(None),
                RENDER.c.prompt_id == ATTEMPT.c.prompt_id,
            )
            .order_by(ATTEMPT.c.submitted_at.desc())
            .limit(NEWEST)
        )
        rates: dict[tuple[str, str], list[float]] = {}
        with self._reading() as db:
            for row in db.execute(query):
                seconds = (row.finished_at - row.started_at).total_seconds()
                if seconds > 0:
                    rates.setdefault((row.server, row.workflow), []).append(seconds / row.pixels * 1e6)
        return {pair: median(found) for pair, found in rates.items()}

    def recipe_of(self, render: Fingerprint) -> tuple[Attempt, Render] | None:
        """The attempt that made a render, or the scene in it, with what the server gave."""
        shown = RENDER.alias("shown")
        query = (
            select(ATTEMPT, *statuses.prefixed(RENDER, "given_"))
            .join(RENDER, RENDER.c.prompt_id == ATTEMPT.c.prompt_id)
            .join(shown, shown.c.prompt_id == RENDER.c.prompt_id)
            .where(shown.c.render_key == render, RENDER.c.origin.in_(("generated", "scene")))
        )
        with self._reading() as db:
            row = db.execute(query).first()
            return None if row is None else (_attempt(row), statuses.render(row, "given_"))

    def attempts(self, run: str = "") -> list[AttemptRecord]:
        """The attempts of a run, or all, in the order in which they were sent."""
        query = select(ATTEMPT).order_by(ATTEMPT.c.submitted_at)
        with self._reading() as db:
            return [_record(row) for row in db.execute(query.where(ATTEMPT.c.run == run) if run else query)]

    def attempts_at(self, subjects: Collection[str] | None) -> list[AttemptRecord]:
        """The attempts at wanted pictures of these subjects, or of all; see the port."""
        query = (
            select(ATTEMPT)
            .join(PICTURE, PICTURE.c.key == ATTEMPT.c.picture_key)
            .where(PICTURE.c.is_wanted)
            .order_by(ATTEMPT.c.submitted_at)
        )
        if subjects is not None:
            query = query.where(among(PICTURE.c.subject, subjects))
        with self._reading() as db:
            return [_record(row) for row in db.execute(query)]

    def keep_render(
        self,
        attempt: Attempt,
        render: Render,
        finished: Finished,
        *,
        scene: Render | None = None,
        lease: str = "",
        objection: Objection | None = None,
    ) -> Kept:
        """Name a render whose bytes are stored, end its attempt, show or stop it, give the lease back; all or nothing."""
        with self._writing() as db:
            made = [render, *([scene] if scene else ())]
            self._upsert(db, RENDER, [_render_row(each, attempt.prompt_id) for each in made])
            began, ended = _moment(finished.started_ms), _moment(finished.finished_ms) or now()
            db.execute(_DONE, {"prompt": attempt.prompt_id, "began": began, "ended": ended})
            db.execute(_SHOWN, {"render": render.render_key})
            if lease:
                self._release(db, [lease])
            return stop(db, attempt.key, render, objection) if objection else "shown"

    def keep_made(
        self,
        key: ImageKey,
        render: Render,
        *,
        of: Fingerprint | None = None,
        objection: Objection | None = None,
    ) -> Kept:
        """Name a render that was made here and whose bytes are stored, show or stop it; see the port."""
        with self._writing() as db:
            made_in = select(RENDER.c.prompt_id).where(RENDER.c.render_key == of)
            prompt_id = db.execute(made_in).scalar() if of else None
            self._upsert(db, RENDER, [_render_row(render, prompt_id or "")])
            db.execute(_SHOWN, {"render": render.render_key})
            return stop(db, key, render, objection) if objection else "shown"

    def looks(self, role: str) -> list[tuple[str, str, str]]:
        """(look, family, SKU) of the pictures of a role that stand; see the port."""
        query = (
            select(RENDER.c.look, func.coalesce(PRODUCT.c.spu, PICTURE.c.sku), PICTURE.c.sku)
            .join(PICTURE, PICTURE.c.shown_key == RENDER.c.render_key)
            .outerjoin(PRODUCT, PRODUCT.c.sku == PICTURE.c.sku)
            .where(
                PICTURE.c.role == role,
                PICTURE.c.is_wanted,
                RENDER.c.look != "",
                PICTURE.c.rejected_key.is_distinct_from(PICTURE.c.shown_key),
            )
        )
        with self._reading() as db:
            return [(look, family, sku) for look, family, sku in db.execute(query)]

    def give_up(self, key: ImageKey, render: Fingerprint, failure: Failure) -> None:
        """Record that the attempts at a render are used up."""
        with self._writing() as db:
            db.execute(
                update(PICTURE)
                .where(PICTURE.c.key == str(key))
                .values(failed_key=render, failed_code=failure.code, failure=failure.message)
            )

    def begin_run(self, command: str, materials: Mapping[str, Digest] | None = None) -> str:
        """Record that a command starts and what it works with; returns the run's id."""
        run = uuid.uuid4().hex[:12]
        with self._writing() as db:
            db.execute(RUN.insert(), {"id": run, "command": command, "started_at": now()})
            rows = [
                {"run": run, "name": name, "digest": digest} for name, digest in (materials or {}).items()
            ]
            if rows:
                db.execute(MATERIAL.insert(), rows)
        return run

    def end_run(self, run: str, outcome: Mapping[str, Any]) -> None:
        """Record how a run ended."""
        with self._writing() as db:
            db.execute(update(RUN).where(RUN.c.id == run).values(ended_at=now(), outcome=dict(outcome)))


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        prompt_id=row.prompt_id,
        render_key=Fingerprint(row.render_key),
        key=ImageKey.parse(row.picture_key),
        server=row.server,
        recipe=row.recipe,
        shrink=row.shrink,
        run=row.run,
    )


def _render_row(render: Render, prompt_id: str) -> dict[str, Any]:
    return {
        "render_key": render.render_key,
        "digest": render.digest,
        "width": render.width,
        "height": render.height,
        "is_placeholder": render.placeholder,
        "look": render.look,
        "origin": render.origin,
        "has_text": render.has_text,
        "fidelity": render.fidelity,
        "doubt": render.doubt,
        "prompt_id": prompt_id,
        "made_at": now(),
    }


def _record(row: Row[Any]) -> AttemptRecord:
    return AttemptRecord(
        prompt_id=row.prompt_id,
        key=ImageKey.parse(row.picture_key),
        render_key=Fingerprint(row.render_key),
        server=row.server,
        outcome=row.outcome,
        error=row.error,
        submitted_at=_utc(row.submitted_at) or row.submitted_at,
        started_at=_utc(row.started_at),
        finished_at=_utc(row.finished_at),
        shrink=row.shrink,
        run=row.run,
    )


def _utc(moment: datetime | None) -> datetime | None:
    """A time as the ledger has it; SQLite forgets that it is UTC."""
    return None if moment is None else moment.replace(tzinfo=moment.tzinfo or UTC)


def _moment(ms: int) -> datetime | None:
    return datetime.fromtimestamp(ms / 1000, UTC) if ms else None
