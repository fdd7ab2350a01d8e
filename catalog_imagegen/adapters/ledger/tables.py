"""The tables of the ledger. A change here needs a migration beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import JSON, Column, ColumnElement, DateTime, Index, Text, func, literal_column, text
from sqlmodel import Field, SQLModel

REVISION = "0007"
"""The newest of the migrations, so that an up-to-date ledger opens without Alembic."""
RENDER_PREFIX = 8
"""Digits of a render key by which pictures are found."""


def json_text(value: Any) -> str:
    """JSON as the ledger keeps it: Chinese as it is, in a tenth of the time that Python takes."""
    try:
        return to_json(value).decode()
    except ValueError:  # half a character, which no encoding has: as an escape
        return json.dumps(value)


def now() -> datetime:
    """Times in the ledger are UTC; they never enter a key."""
    return datetime.now(UTC)


class ProductRow(SQLModel, table=True):
    """A catalog row as last read; its SKU belongs to one source."""

    __tablename__ = "product"
    # Holds all that a sync asks of every row, so that it need not read the rows themselves.
    __table_args__ = (
        Index("ix_product_standing", "sku", "source", "digest", "settled", "position", "spu", "retired_at"),
    )

    sku: str = Field(primary_key=True)
    source: str = Field(index=True)
    spu: str = Field(index=True)
    """The family: the SPU, or the SKU of a product without one."""
    position: int
    row: dict[str, object] = Field(sa_column=Column(JSON, nullable=False))
    read_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    digest: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Of the row, so that a sync sees whether it is another."""
    settled: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The setup under which all its pictures were made and listed; empty while anything is to be done."""
    retired_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    """When it left its source; nothing is deleted, coming back costs no job."""


class PictureRow(SQLModel, table=True):
    """What was wanted last of one ImageKey, and which render shows it."""

    __tablename__ = "picture"
    # By the beginning of the render key: whole keys make an index whose every page a large plan writes in each batch.
    __table_args__ = (Index("ix_picture_render", text(f"substr(render_key, 1, {RENDER_PREFIX})")),)

    key: str = Field(primary_key=True)
    subject: str = Field(index=True)
    role: str
    item: str
    item_text: str
    slot: int
    position: int
    sku: str = Field(index=True)
    is_wanted: bool
    approval: str
    render_key: str | None = None
    shown_key: str | None = Field(default=None, index=True)
    failed_key: str | None = None
    failed_code: str = ""
    failure: str = Field(default="", sa_column=Column(Text, nullable=False))
    blocked_en: str = Field(default="", sa_column=Column(Text, nullable=False))
    blocked_zh: str = Field(default="", sa_column=Column(Text, nullable=False))
    take: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    agreed_key: str | None = None
    """The render that a command set out to make; a sync need not ask for it again."""
    approved_key: str | None = None
    approved_digest: str | None = None
    """An approval is of these bytes; the same render made again must be looked at again."""
    rejected_key: str | None = None
    rejection: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    gate: str | None = None
    """The gate that rejected it; none if a person did."""
    doubt: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Why somebody has to look at what is wanted."""
    seed: str = ""
    workflow: str = ""
    positive: str = Field(default="", sa_column=Column(Text, nullable=False))
    negative: str = Field(default="", sa_column=Column(Text, nullable=False))
    made_of: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    planned_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class TakeRow(SQLModel, table=True):
    """A creative retry; the highest number is current, and the first needs no row."""

    __tablename__ = "take"

    key: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    seed: str | None = None
    note: str = Field(default="", sa_column=Column(Text, nullable=False))
    gate: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The gate that asked for it; empty if a person did."""
    made_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class ReviewRow(SQLModel, table=True):
    """What somebody, or a gate, said of a render; the last word is also in the picture's row."""

    __tablename__ = "review"

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(index=True)
    render_key: str
    digest: str
    decision: str
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    brief: str = ""
    """What was asked for, whichever the take: rejections of one brief are counted together."""
    gate: str = Field(default="", sa_column_kwargs={"server_default": ""})
    take: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """The take that the render is of."""
    planned: dict[str, object] | None = Field(default=None, sa_column=Column(JSON))
    """Where a gate stopped it: what the picture's row said of this take, so that a person can return to it."""
    made_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class RenderRow(SQLModel, table=True):
    """A raw picture whose bytes are in the blob store."""

    __tablename__ = "render"

    render_key: str = Field(primary_key=True)
    digest: str = Field(index=True)
    width: int
    height: int
    is_placeholder: bool
    look: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """What it looks like, see ``stages.quality.likeness``; empty where nobody looked."""
    origin: str = Field(default="generated", sa_column_kwargs={"server_default": "generated"})
    """What it shows: generated, photo, composite, or scene (what a composite was made in)."""
    has_text: bool | None = None
    """Whether its prompt asked for words in it."""
    fidelity: float | None = None
    """How like its product is to that of the photo, 0 to 1, where they were compared."""
    doubt: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Why somebody has to look at it."""
    prompt_id: str
    """The attempt that made it, or the scene in it; empty where no server had a part."""
    made_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class AttemptRow(SQLModel, table=True):
    """One submission to one server, written before it is sent."""

    __tablename__ = "attempt"

    prompt_id: str = Field(primary_key=True)
    render_key: str = Field(index=True)
    picture_key: str = Field(index=True)
    run: str = Field(index=True)
    server: str
    outcome: str = Field(index=True)
    """open, done, forgiven or a failure code."""
    error: str = Field(default="", sa_column=Column(Text, nullable=False))
    recipe: dict[str, object] = Field(sa_column=Column(JSON, nullable=False, server_default="{}"))
    """What was sent, see ``stages.recipe``."""
    shrink: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Which of the picture's smaller sizes was asked for; 0 is the wanted one."""
    submitted_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False, index=True))
    started_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    finished_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))


class LeaseRow(SQLModel, table=True):
    """A name held by a process."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True)
    holder: str = Field(index=True)


class RunRow(SQLModel, table=True):
    """One command that planned or made pictures, and how it ended."""

    __tablename__ = "run"

    id: str = Field(primary_key=True)
    command: str
    started_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    outcome: dict[str, object] | None = Field(default=None, sa_column=Column(JSON))


class MaterialRow(SQLModel, table=True):
    """A file that a run worked with, kept as a blob: a workflow, a template, a photo."""

    __tablename__ = "material"

    run: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    digest: str = Field(index=True)


class DropRow(SQLModel, table=True):
    """A catalog that was dropped into a watched folder, by its content."""

    __tablename__ = "drop"

    digest: str = Field(primary_key=True)
    name: str
    """What it was called first."""
    outcome: str
    """taken, done or failed."""
    taken_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


PRODUCT, PICTURE, TAKE, REVIEW, RENDER, ATTEMPT, LEASE, RUN, MATERIAL, DROP = (
    SQLModel.metadata.tables[name]
    for name in (
        "product",
        "picture",
        "take",
        "review",
        "render",
        "attempt",
        "lease",
        "run",
        "material",
        "drop",
    )
)


def wants(render: ColumnElement[str]) -> ColumnElement[bool]:
    """Of the pictures that want this render, asked in a way that their index answers.

    Were whole keys compared, SQLite would put *render* into the index's expression as well and look at every picture.
    """
    its, (one, size, next_one) = PICTURE.c.render_key, _NUMBERS
    is_prefix_same = func.substr(its, one, size) == func.substr(render, one, size)
    return is_prefix_same & (func.substr(its, next_one) == func.substr(render, next_one))


_NUMBERS: Sequence[ColumnElement[int]] = [
    literal_column(f"{number}") for number in (1, RENDER_PREFIX, RENDER_PREFIX + 1)
]
"""As they stand in the index, where no values can be given to it."""
