"""Attempts and what they produced."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, select, update

from catalog_imagegen.adapters.ledger.sql import Sql, chunks
from catalog_imagegen.adapters.ledger.tables import ATTEMPT, PICTURE, RENDER, RUN, now
from catalog_imagegen.domain.fingerprint import Fingerprint
from catalog_imagegen.domain.imaging import ImageKey, Render
from catalog_imagegen.domain.job import Attempt, AttemptRecord, Failure, Finished


class JobRows(Sql):
    """The JobLedger port."""

    def open_attempt(self, render: Fingerprint) -> Attempt | None:
        """An attempt whose end is not known."""
        return self.open_attempts([render]).get(render)

    def open_attempts(self, renders: Collection[Fingerprint]) -> Mapping[Fingerprint, Attempt]:
        """Attempts whose end is not known, by render."""
        with self._reading() as db:
            return {
                row.render_key: Attempt(
                    row.prompt_id, row.render_key, ImageKey.parse(row.picture_key), row.server
                )
                for chunk in chunks(sorted(renders))
                for row in db.execute(
                    select(ATTEMPT)
                    .where(ATTEMPT.c.render_key.in_(chunk), ATTEMPT.c.outcome == "open")
                    .order_by(ATTEMPT.c.submitted_at)
                )
            }

    def begin_attempt(self, attempt: Attempt, run: str) -> None:
        """Write down an attempt before it is sent."""
        with self._engine.begin() as db:
            db.execute(
                ATTEMPT.insert(),
                {
                    "prompt_id": attempt.prompt_id,
                    "render_key": attempt.render_key,
                    "picture_key": str(attempt.key),
                    "run": run,
                    "server": attempt.server,
                    "outcome": "open",
                    "error": "",
                    "submitted_at": now(),
                },
            )

    def rename_attempt(self, prompt_id: str, accepted: str) -> None:
        """Adopt the id under which a server accepted an attempt."""
        with self._engine.begin() as db:
            db.execute(update(ATTEMPT).where(ATTEMPT.c.prompt_id == prompt_id).values(prompt_id=accepted))

    def fail_attempt(self, prompt_id: str, failure: Failure) -> None:
        """End an attempt without a picture."""
        with self._engine.begin() as db:
            db.execute(
                update(ATTEMPT)
                .where(ATTEMPT.c.prompt_id == prompt_id)
                .values(outcome=failure.code, error=failure.message, finished_at=now())
            )

    def failures(self, render: Fingerprint) -> Sequence[Failure]:
        """How attempts at a render failed that were not forgiven, the last one last."""
        query = select(ATTEMPT.c.outcome, ATTEMPT.c.error).where(
            ATTEMPT.c.render_key == render,
            ATTEMPT.c.outcome.not_in(("open", "done", "forgiven", "abandoned")),
        )
        with self._reading() as db:
            return [
                Failure(code, error) for code, error in db.execute(query.order_by(ATTEMPT.c.submitted_at))
            ]

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
        with self._reading() as db:
            if subjects is None:
                return [_record(row) for row in db.execute(query)]
            return [
                _record(row)
                for chunk in chunks(sorted(subjects))
                for row in db.execute(query.where(PICTURE.c.subject.in_(chunk)))
            ]

    def keep_render(self, attempt: Attempt, render: Render, finished: Finished) -> None:
        """Name a render whose bytes are stored, end its attempt and show it; all or nothing."""
        with self._engine.begin() as db:
            self._upsert(
                db,
                RENDER,
                [
                    {
                        "render_key": render.render_key,
                        "digest": render.digest,
                        "width": render.width,
                        "height": render.height,
                        "is_placeholder": render.placeholder,
                        "prompt_id": attempt.prompt_id,
                        "made_at": now(),
                    }
                ],
            )
            db.execute(
                update(ATTEMPT)
                .where(ATTEMPT.c.prompt_id == attempt.prompt_id)
                .values(
                    outcome="done",
                    started_at=_moment(finished.started_ms),
                    finished_at=_moment(finished.finished_ms) or now(),
                )
            )
            db.execute(
                update(PICTURE)
                .where(PICTURE.c.render_key == render.render_key)
                .values(shown_key=render.render_key, failed_key=None, failed_code="", failure="")
            )

    def give_up(self, key: ImageKey, render: Fingerprint, failure: Failure) -> None:
        """Record that the attempts at a render are used up."""
        with self._engine.begin() as db:
            db.execute(
                update(PICTURE)
                .where(PICTURE.c.key == str(key))
                .values(failed_key=render, failed_code=failure.code, failure=failure.message)
            )

    def begin_run(self, command: str) -> str:
        """Record that a command starts; returns the run's id."""
        run = uuid.uuid4().hex[:12]
        with self._engine.begin() as db:
            db.execute(RUN.insert(), {"id": run, "command": command, "started_at": now()})
        return run

    def end_run(self, run: str, outcome: Mapping[str, Any]) -> None:
        """Record how a run ended."""
        with self._engine.begin() as db:
            db.execute(update(RUN).where(RUN.c.id == run).values(ended_at=now(), outcome=dict(outcome)))


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
    )


def _utc(moment: datetime | None) -> datetime | None:
    """A time as the ledger has it; SQLite forgets that it is UTC."""
    return None if moment is None else moment.replace(tzinfo=moment.tzinfo or UTC)


def _moment(ms: int) -> datetime | None:
    return datetime.fromtimestamp(ms / 1000, UTC) if ms else None
