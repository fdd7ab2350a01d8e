"""Reads the state of pictures, derived from what happened and so never out of date."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, and_, func, select

from catalog_imagegen.adapters.ledger.sql import among
from catalog_imagegen.adapters.ledger.tables import PICTURE, RENDER, TAKE
from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint
from catalog_imagegen.domain.gates import Stopped, another_follows, held_back
from catalog_imagegen.domain.imaging import FIRST_TAKE, ImageKey, Prompt, Render, Take
from catalog_imagegen.domain.job import (
    NOT_REAL,
    OF_PHOTO,
    PictureState,
    PictureStatus,
    Record,
    unlike,
    used_up,
)

_APPROVED = RENDER.alias("approved_render")


def pictures(
    db: Connection, subjects: Collection[str] | None, in_hand: Collection[str]
) -> list[PictureStatus]:
    """The wanted pictures of the subjects, or all, in catalog order.

    *in_hand* are the renders that a living process works on.
    """
    query = _wanted()
    if subjects is not None:
        query = query.where(among(PICTURE.c.subject, subjects))
    found = (_status(row, in_hand) for row in db.execute(query))
    return sorted(found, key=lambda s: (s.order, s.key.subject, s.key.role, s.slot))


@cache
def _wanted() -> Select[Any]:
    """All wanted pictures; to put the query together takes as long as to ask it for a few of them."""
    current = select(TAKE.c.key, func.max(TAKE.c.number).label("number")).group_by(TAKE.c.key).subquery()
    return (
        select(
            PICTURE,
            *prefixed(RENDER, "newest_"),
            TAKE.c.number.label("take_number"),
            TAKE.c.seed.label("take_seed"),
            TAKE.c.note.label("take_note"),
            *prefixed(_APPROVED, "standing_"),
        )
        .outerjoin(RENDER, RENDER.c.render_key == PICTURE.c.shown_key)
        .outerjoin(_APPROVED, _APPROVED.c.render_key == PICTURE.c.approved_key)
        .outerjoin(current, current.c.key == PICTURE.c.key)
        .outerjoin(TAKE, and_(TAKE.c.key == PICTURE.c.key, TAKE.c.number == current.c.number))
        .where(PICTURE.c.is_wanted)
    )


def prefixed(renders: FromClause, prefix: str) -> list[ColumnElement[Any]]:
    """The columns of a render beside those of other tables."""
    return [renders.c[name].label(f"{prefix}{name}") for name in _OF_RENDER]


_OF_RENDER = (
    "render_key",
    "digest",
    "width",
    "height",
    "is_placeholder",
    "origin",
    "has_text",
    "fidelity",
    "doubt",
)


def render(row: Row[Any], prefix: str = "") -> Render:
    """A render from a row that has its columns."""
    key, digest, width, height, is_placeholder, origin, has_text, fidelity, doubt = (
        getattr(row, f"{prefix}{name}") for name in _OF_RENDER
    )
    return Render(
        render_key=Fingerprint(key),
        digest=Digest(digest),
        width=width,
        height=height,
        placeholder=is_placeholder,
        origin=origin,
        has_text=has_text,
        fidelity=fidelity,
        doubt=doubt,
    )


def record(row: Row[Any]) -> Record:
    """What is recorded of a key, from its picture row."""
    return Record(
        key=ImageKey.parse(row.key),
        render_key=row.render_key,
        made_of=row.made_of,
        failed_key=row.failed_key,
        failure=_failure(row),
        rejected_key=row.rejected_key,
        rejection=row.rejection,
        stopped=_stopped(row),
        agreed_key=row.agreed_key,
    )


def _failure(row: Row[Any]) -> Failure | None:
    return Failure(row.failed_code, row.failure) if row.failed_code else None


def _stopped(row: Row[Any]) -> Stopped | None:
    return Stopped(row.gate, row.rejection) if row.gate else None


def _status(row: Row[Any], in_hand: Collection[str]) -> PictureStatus:
    newest = render(row, "newest_") if row.newest_digest is not None else None
    approved = _approved(row, newest)
    is_current = newest is not None and row.shown_key == row.render_key and not row.blocked_en
    state = _state(
        row,
        is_current=is_current,
        is_approved=approved is not None and approved.render_key == row.render_key,
        is_outdated=approved is not None and row.approval == "human",
        is_in_hand=row.render_key in in_hand,
    )
    failure = _failure(row) if state == "failed" else None
    en, zh = _reasons(row, state, failure, is_current=is_current)
    return PictureStatus(
        key=ImageKey.parse(row.key),
        item_text=row.item_text,
        slot=row.slot,
        order=row.position,
        state=state,
        take=FIRST_TAKE
        if row.take_number is None
        else Take(row.take_number, None if row.take_seed is None else int(row.take_seed), row.take_note),
        reason_en=en,
        reason_zh=zh,
        failure=failure,
        render=newest,
        is_current=is_current,
        seed=int(row.seed) if row.seed else None,
        approved=approved,
        is_rejected=newest is not None and row.rejected_key == row.shown_key,
        stopped=_stopped(row) if row.rejected_key == row.render_key else None,
        prompt=Prompt(row.positive, row.negative),
        workflow=row.workflow,
    )


def _approved(row: Row[Any], newest: Render | None) -> Render | None:
    """The picture somebody approved, bytes and all; for roles that need nobody the newest, unless it is in doubt."""
    if row.approval == "auto":
        if newest is None or row.rejected_key == row.shown_key:
            return None
        if not _is_doubtful(row, newest):
            return newest
    if row.standing_digest is None or row.standing_digest != row.approved_digest:
        return None
    return render(row, "standing_")


def _is_doubtful(row: Row[Any], newest: Render) -> bool:
    """Whether nobody but a person may say that it is good: what was invented is, unless its role asks for inventions now."""
    if newest.doubt == "not_real":
        return bool(row.doubt) or row.shown_key != row.render_key
    return bool(newest.doubt)


def _state(
    row: Row[Any], *, is_current: bool, is_approved: bool, is_outdated: bool, is_in_hand: bool
) -> PictureState:
    """How a picture stands; *is_outdated* if another than the wanted one was approved by somebody."""
    is_rejected = row.rejected_key is not None
    has_new_take = (row.take_number or 1) > row.take
    by_weight: Sequence[tuple[bool, PictureState]] = (
        (bool(row.blocked_en), "blocked"),
        (is_rejected and row.rejected_key == row.render_key, "rejected" if has_new_take else "blocked"),
        (is_current and is_approved, "approved"),
        (row.failed_key is not None and row.failed_key == row.render_key, "failed"),
        (is_outdated, "stale"),
        (is_current, "draft"),
        (is_in_hand, "rendering"),
        (is_rejected and row.rejected_key == row.shown_key, "rejected"),
        (True, "planned"),
    )
    return next(state for holds, state in by_weight if holds)


_STALE_WAITING = (
    "a new picture waits; the approved one stays listed until it is approved",
    "新图待审核；通过之前，套图中仍是原来已通过的图",
)
_STALE_OUTDATED = ("changed since approval; the next run makes a new one", "通过后有改动；下次运行会生成新图")


def _reasons(
    row: Row[Any], state: PictureState, failure: Failure | None, *, is_current: bool
) -> tuple[str, str]:
    """Why a picture stands so, in English and Chinese."""
    if failure is not None:
        return failure.reason_en, failure.reason_zh
    if state == "rejected":
        return _rejected(row)
    if state == "blocked" and not row.blocked_en:
        return _waits_for_a_person(row)
    if state == "stale":
        return _STALE_WAITING if is_current else _STALE_OUTDATED
    if state == "draft":
        return _doubtful(row)
    return row.blocked_en, row.blocked_zh


def _doubtful(row: Row[Any]) -> tuple[str, str]:
    """Why somebody has to look at a draft with particular care, if so."""
    if row.newest_doubt == "unlike":
        return unlike(row.newest_fidelity)
    return NOT_REAL if row.doubt == "not_real" else ("", "")


def _rejected(row: Row[Any]) -> tuple[str, str]:
    """Why another take follows."""
    if (stopped := _stopped(row)) is not None:
        return another_follows(stopped)
    said = row.rejection
    return (f"rejected: {said}", f"已退回：{said}") if said else ("rejected", "已退回")


def _waits_for_a_person(row: Row[Any]) -> tuple[str, str]:
    """Why no other take follows."""
    if row.made_of.get("product") == "cutout":
        return OF_PHOTO
    if (stopped := _stopped(row)) is not None:
        return held_back(stopped, sku=row.sku, role=row.role, slot=row.slot)
    return used_up(row.rejection, sku=row.sku, role=row.role, slot=row.slot)
