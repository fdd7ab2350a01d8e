"""The ledger in a SQL database: every method is one transaction."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from catalog_imagegen.adapters.ledger import statuses
from catalog_imagegen.adapters.ledger.database import READ_ONLY
from catalog_imagegen.adapters.ledger.tables import ATTEMPT, LEASE, PICTURE, PRODUCT, RENDER, RUN, TAKE, now
from catalog_imagegen.domain.catalog import Issue, Product
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint
from catalog_imagegen.domain.imaging import FIRST_TAKE, Blocked, ImageKey, Render, Take, Wanted
from catalog_imagegen.domain.job import Attempt, Failure, Finished, PictureStatus, Plan, Record

CHUNK = 5_000
"""Values per IN list or INSERT; SQLite takes 32,766 variables in a statement."""
ROWS = 500
RENDER_LEASE = "render:"
"""What producing calls its leases; the rest of the name is the render."""
UNOWNED = "run"
"""The source of rows that a plain ``run`` read; any configured source may claim them."""


class SqlLedger:
    """The database of record, shared by any number of processes.

    *is_alive* tells whether the process that holds a lease still runs.
    """

    def __init__(self, engine: Engine, *, holder: str, is_alive: Callable[[str], bool]) -> None:
        self._engine = engine
        self._holder = holder
        self._is_alive = is_alive

    def close(self) -> None:
        """Close the database and leave its leases to others."""
        with self._engine.begin() as db:
            db.execute(delete(LEASE).where(LEASE.c.holder == self._holder))
        self._engine.dispose()

    # Rows and takes

    def foreign(self, source: str, products: Sequence[Product]) -> list[Issue]:
        """An issue for each row whose SKU belongs to another source."""
        with self._reading() as db:
            owners = {
                sku: owner
                for chunk in _chunks([p.sku for p in products])
                for sku, owner in db.execute(
                    select(PRODUCT.c.sku, PRODUCT.c.source).where(
                        PRODUCT.c.sku.in_(chunk), PRODUCT.c.source.not_in((source, UNOWNED))
                    )
                )
            }
        return [_owned_by(p, owners[p.sku]) for p in products if p.sku in owners]

    def keep_products(self, source: str, products: Sequence[tuple[int, Product]]) -> None:
        """Record rows with their positions in the catalog."""
        with self._engine.begin() as db:
            self._upsert(
                db,
                PRODUCT,
                [
                    {
                        "sku": product.sku,
                        "source": source,
                        "spu": product.spu,
                        "position": position,
                        "row": json.loads(json.dumps(asdict(product), ensure_ascii=False)),
                        "read_at": now(),
                    }
                    for position, product in products
                ],
            )

    def products(
        self, *, skus: Collection[str] | None = None, spus: Collection[str] | None = None
    ) -> list[Product]:
        """Recorded products in catalog order; see the port."""
        query = select(PRODUCT.c.row).order_by(PRODUCT.c.position, PRODUCT.c.sku)
        with self._reading() as db:
            if skus is None and spus is None:
                return [_product(row) for (row,) in db.execute(query)]
            found: dict[str, Product] = {}
            for column, values in ((PRODUCT.c.sku, skus), (PRODUCT.c.spu, spus)):
                for chunk in _chunks(sorted(values or ())):
                    for (row,) in db.execute(query.where(column.in_(chunk))):
                        found[row["sku"]] = _product(row)
        return list(found.values())

    def takes(self) -> Mapping[ImageKey, Take]:
        """The current take of every key that has more than its first."""
        with self._reading() as db:
            rows = db.execute(
                select(TAKE.c.key, TAKE.c.number, TAKE.c.seed, TAKE.c.note).order_by(TAKE.c.number)
            )
            return {
                ImageKey.parse(key): Take(number, int(seed) if seed is not None else None, note)
                for key, number, seed, note in rows
            }

    def add_take(self, key: ImageKey, *, seed: int | None, note: str) -> Take:
        """Ask for another picture of a key; it is made by the next plan that wants the key."""
        with self._engine.begin() as db:
            last = db.execute(select(func.max(TAKE.c.number)).where(TAKE.c.key == str(key))).scalar()
            take = Take((last or FIRST_TAKE.number) + 1, seed, note)
            row = {"key": str(key), "number": take.number, "note": note, "made_at": now()}
            db.execute(TAKE.insert(), {**row, "seed": None if seed is None else str(seed)})
        return take

    # Pictures

    def records(self, keys: Collection[ImageKey]) -> Mapping[ImageKey, Record]:
        """What is recorded of these keys."""
        with self._reading() as db:
            return {
                (record := statuses.record(row)).key: record
                for chunk in _chunks(sorted(map(str, keys)))
                for row in db.execute(select(PICTURE).where(PICTURE.c.key.in_(chunk)))
            }

    def renders(self, keys: Collection[Fingerprint]) -> Mapping[Fingerprint, Render]:
        """Those of these renders that were made."""
        with self._reading() as db:
            return {
                row.render_key: statuses.render(row)
                for chunk in _chunks(sorted(keys))
                for row in db.execute(select(RENDER).where(RENDER.c.render_key.in_(chunk)))
            }

    def keep_plan(self, plan: Plan, *, leaving: Collection[ImageKey] = ()) -> None:
        """Record what is wanted now; see the port."""
        rows = [
            _wanted_row(p.wanted) | ({"shown_key": p.wanted.render_key} if p.action == "reuse" else {})
            for p in plan.pictures
        ]
        with self._engine.begin() as db:
            self._upsert(
                db,
                PICTURE,
                [row for row in rows if "shown_key" in row],
                keep={"failed_key", "failed_code", "failure"},
            )
            self._upsert(
                db,
                PICTURE,
                [row for row in rows if "shown_key" not in row],
                keep={"shown_key", "failed_key", "failed_code", "failure"},
            )
            self._upsert(
                db,
                PICTURE,
                [_blocked_row(b) for b in plan.blocked],
                keep={
                    "shown_key",
                    "failed_key",
                    "failed_code",
                    "failure",
                    "render_key",
                    "made_of",
                    "seed",
                    "workflow",
                },
            )
            for chunk in _chunks(sorted(map(str, leaving))):
                db.execute(update(PICTURE).where(PICTURE.c.key.in_(chunk)).values(is_wanted=False))

    def wanted_keys(self, subjects: Collection[str]) -> set[ImageKey]:
        """The keys recorded as wanted of these subjects."""
        with self._reading() as db:
            return {
                ImageKey.parse(key)
                for chunk in _chunks(sorted(subjects))
                for (key,) in db.execute(
                    select(PICTURE.c.key).where(PICTURE.c.subject.in_(chunk), PICTURE.c.is_wanted)
                )
            }

    def forgive(self, keys: Collection[ImageKey]) -> int:
        """Give failed pictures their attempts back; says how many."""
        forgiven = 0
        with self._engine.begin() as db:
            for chunk in _chunks(sorted(map(str, keys))):
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
        chunks = None if subjects is None else list(_chunks(sorted(subjects)))
        with self._reading() as db:
            held = db.execute(select(LEASE).where(LEASE.c.name.startswith(RENDER_LEASE, autoescape=True)))
            in_hand = {r.name.removeprefix(RENDER_LEASE) for r in held if self._is_alive(r.holder)}
            return statuses.pictures(db, chunks, in_hand)

    # Attempts and renders

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
                for chunk in _chunks(sorted(renders))
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

    def failures(self, render: Fingerprint) -> Sequence[str]:
        """The failure codes of attempts at a render that were not forgiven."""
        with self._reading() as db:
            return list(
                db.execute(
                    select(ATTEMPT.c.outcome).where(
                        ATTEMPT.c.render_key == render,
                        ATTEMPT.c.outcome.not_in(("open", "done", "forgiven")),
                    )
                ).scalars()
            )

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

    # Runs

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

    # Leases

    def lease(self, name: str) -> bool:
        """Take a lease unless a living process holds it."""
        with self._engine.begin() as db:
            holder = db.execute(select(LEASE.c.holder).where(LEASE.c.name == name)).scalar()
            if holder is not None and self._is_alive(holder):
                return False
            self._upsert(db, LEASE, [{"name": name, "holder": self._holder}])
        return True

    def release(self, name: str) -> None:
        """Give a lease back, if it is ours."""
        with self._engine.begin() as db:
            db.execute(delete(LEASE).where(LEASE.c.name == name, LEASE.c.holder == self._holder))

    # After a crash

    def digests(self) -> set[Digest]:
        """The bytes that rows name."""
        with self._reading() as db:
            return {Digest(name) for name in db.execute(select(RENDER.c.digest)).scalars()}

    def drop_leases(self, holders: Collection[str]) -> None:
        """Free what dead processes held."""
        with self._engine.begin() as db:
            for chunk in _chunks(sorted(holders)):
                db.execute(delete(LEASE).where(LEASE.c.holder.in_(chunk)))

    def _reading(self) -> Connection:
        return self._engine.connect().execution_options(**READ_ONLY)

    def _upsert(
        self, db: Connection, table: Table, rows: Sequence[dict[str, Any]], keep: Collection[str] = ()
    ) -> None:
        """Insert rows or replace what stands under their keys, except the columns to *keep*."""
        if not rows:
            return
        insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
        keys = [column.name for column in table.primary_key]
        for start in range(0, len(rows), ROWS):
            statement = insert(table).values(rows[start : start + ROWS])
            db.execute(
                statement.on_conflict_do_update(
                    index_elements=keys,
                    set_={
                        name: statement.excluded[name]
                        for name in rows[0]
                        if name not in keys and name not in keep
                    },
                )
            )


def _wanted_row(wanted: Wanted) -> dict[str, Any]:
    return {
        **_key_columns(wanted),
        "approval": wanted.approval,
        "render_key": wanted.render_key,
        "failed_code": "",
        "failure": "",
        "blocked_en": "",
        "blocked_zh": "",
        "seed": str(wanted.seed),
        "workflow": wanted.workflow,
        "positive": wanted.prompt.positive,
        "negative": wanted.prompt.negative,
        "made_of": dict(wanted.made_of),
    }


def _blocked_row(blocked: Blocked) -> dict[str, Any]:
    return {
        **_key_columns(blocked),
        "approval": "human",
        "failed_code": "",
        "failure": "",
        "blocked_en": blocked.reason_en,
        "blocked_zh": blocked.reason_zh,
        "seed": "",
        "workflow": "",
        "positive": "",
        "negative": "",
        "made_of": {},
    }


def _key_columns(picture: Wanted | Blocked) -> dict[str, Any]:
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
        "planned_at": now(),
    }


def _product(row: Mapping[str, Any]) -> Product:
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return Product(**fields)


def _owned_by(product: Product, owner: str) -> Issue:
    return Issue(
        where=product.where,
        code="owned_by",
        severity="error",
        message_zh=f"货号 {product.sku} 属于数据源 {owner}；请在那里修改，或从其中一处删除",
        message_en=f"SKU {product.sku} belongs to the source {owner!r}; change it there, or remove it from one of them",
        sku=product.sku,
    )


def _moment(ms: int) -> datetime | None:
    return datetime.fromtimestamp(ms / 1000, UTC) if ms else None


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
