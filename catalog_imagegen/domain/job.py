"""What is planned and done: states, plans and attempts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint
from catalog_imagegen.domain.gates import Stopped
from catalog_imagegen.domain.imaging import (
    FIRST_TAKE,
    NO_PROMPT,
    Blocked,
    ImageKey,
    Prompt,
    Render,
    Take,
    Wanted,
)

PictureState = Literal["planned", "rendering", "draft", "approved", "stale", "rejected", "failed", "blocked"]
SkuStatus = Literal["ready", "review", "working", "blocked", "failed", "retired"]
Action = Literal["render", "make", "reuse", "failed", "blocked"]
"""What is done about a picture: a server renders it; it is made here of a photo; or nothing."""
Decision = Literal["approved", "rejected"]
Word = Literal["approved", "rejected", "stopped"]
"""What was said of a render; the last one by a gate that it did not pass."""
Refusal = Literal["not_wanted", "replaced", "outdated", "asked_again", "rejected_already"]
"""Why a reviewer's word does not count: the picture it was about does not stand any more."""
Rejection = Literal["used_up", "withdrawn"]
"""What a rejection leads to if not to a new take: a person must act, or another picture is under way anyway."""
Kept = Literal["shown", "retaken", "blocked"]
"""What a render that is kept leads to: it shows its picture; a gate asks for another take; or none is left."""


def used_up(reason: str, *, sku: str, role: str, slot: int) -> tuple[str, str]:
    """Why a picture that was rejected too often waits for a person, in English and Chinese."""
    again = f'catalog-imagegen regenerate {sku} --role {role} --slot {slot} --note "…"'
    said = reason or "no reason given"
    return (
        f"rejected, and its new takes are used up ({said}); change the row or the template, or: {again}",
        f"多次退回，自动重拍次数已用完（{reason or '未写原因'}）；请修改商品行或模板，或运行 {again}",
    )


NOT_REAL = (
    "not the real product: a model invented it; compare it with the goods",
    "不是实物图：由模型生成，请与实物核对",
)
"""Why a picture of an invented product is looked at whatever its role says, in English and Chinese."""


OF_PHOTO = (
    "rejected, and the same photo gives the same picture; use another photo, or set product in config/roles.toml",
    "已退回，而同一张照片只会得到同样的图片；请更换照片，或在 config/roles.toml 中设置 product",
)
"""Why no other take follows of a picture that is a photo, in English and Chinese."""


def unlike(fidelity: float | None) -> tuple[str, str]:
    """Why a picture that was made with a photo is looked at, in English and Chinese."""
    if fidelity is None:
        return (
            "whether it shows the product of the photo could not be measured; compare them",
            "无法测量是否与商品照片一致；请与照片核对",
        )
    return (
        f"it may not show the product of the photo (likeness {fidelity:.2f} of 1); compare them",
        f"可能与商品照片不符（相似度 {fidelity:.2f}，满分 1）；请与照片核对",
    )


@dataclass(frozen=True, slots=True)
class Record:
    """What the ledger knows of one ImageKey."""

    key: ImageKey
    take: Take = FIRST_TAKE
    render_key: Fingerprint | None = None
    """The render wanted when it was last planned."""
    made_of: Mapping[str, str] = field(default_factory=dict)
    failed_key: Fingerprint | None = None
    """The render whose attempts are used up, if any."""
    failure: Failure | None = None
    rejected_key: Fingerprint | None = None
    """The render that a reviewer rejected last, if any."""
    rejection: str = ""
    """The reviewer's reason."""
    stopped: Stopped | None = None
    """If it was not a reviewer but a gate: which, and what was measured."""
    agreed_key: Fingerprint | None = None
    """The render that a command set out to make last."""


class PlannedPicture(NamedTuple):
    """One wanted picture, what to do about it and why."""

    wanted: Wanted
    action: Action
    reason: str
    reason_zh: str = ""
    failure: Failure | None = None
    is_expected: bool = False
    """An earlier command set out to make it, and it was not made yet."""
    stopped: Stopped | None = None
    """The gate for which it is blocked."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do, in catalog order."""

    pictures: tuple[PlannedPicture, ...]
    blocked: tuple[Blocked, ...] = ()

    def to_render(self) -> tuple[Wanted, ...]:
        """The pictures that need a server."""
        return tuple(p.wanted for p in self.pictures if p.action == "render")

    def to_make(self) -> tuple[Wanted, ...]:
        """The pictures that are made here, of photos and scenes that are there."""
        return tuple(p.wanted for p in self.pictures if p.action == "make")


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a server may be given."""

    in_flight: int = 3
    """Prompts queued there at a time; the last place is kept for what must not wait."""
    max_megapixels: float | None = None
    """The largest picture, by the memory that the server reports."""
    vram_gb: float = 0.0
    """Of its largest graphics card; 0 where it does not say."""
    tags: frozenset[str] = frozenset()
    only_for: frozenset[str] = frozenset()
    """The workflows it is meant for; empty means all."""
    unfit: frozenset[str] = frozenset()
    """Workflows that it cannot run."""


Whereabouts = Literal["running", "waiting", "ended", "unknown"]
"""How a prompt stands on its server; ``ended`` is in the history, whatever came of it."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far the sampler of a prompt is."""

    value: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One submission of a render to one server, written down before it is sent."""

    prompt_id: str
    render_key: Fingerprint
    key: ImageKey
    server: str
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """What was sent, see ``stages.recipe``; empty for attempts older than recipes."""
    shrink: int = 0
    """Which of the picture's smaller sizes was asked for; 0 is the wanted one."""
    run: str = ""
    """The run that sent it: part of the file name on the server."""


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One submission as the ledger remembers it; times in UTC."""

    prompt_id: str
    key: ImageKey
    render_key: Fingerprint
    server: str
    outcome: str
    """``open``, ``done``, ``forgiven`` or a failure code."""
    error: str
    submitted_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    shrink: int = 0
    run: str = ""

    @property
    def seconds(self) -> float | None:
        """How long the server worked on a picture that it made; None if it did not say."""
        if self.outcome != "done" or self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody, or a gate, said of one render."""

    key: ImageKey
    digest: Digest
    decision: Word
    reason: str
    made_at: datetime
    gate: str = ""
    """The gate that stopped it."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A picture file that a server made, and when it ran (ms since the epoch; 0 if it did not say)."""

    file: Mapping[str, str]
    started_ms: int = 0
    finished_ms: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """What the ledger says when a picture is to be made: whether it is ours now, and what happened to it so far."""

    place: str = ""
    """The lease of a place on the server; empty when none is free."""
    is_busy: bool = False
    """Another process is at this picture."""
    is_begun: bool = False
    """Nothing is known of it, so the attempt that was handed in is written down."""
    render: Render | None = None
    """Made meanwhile."""
    given_up: Failure | None = None
    """Given up meanwhile."""
    open: Attempt | None = None
    """Sent before, its end unknown."""
    failed: tuple[AttemptRecord, ...] = ()
    """The attempts that count and failed, the oldest first."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A prompt that a server is done with."""

    prompt_id: str
    result: Finished | Failure


@dataclass(frozen=True, slots=True)
class PictureStatus:
    """One picture as ``status`` shows it."""

    key: ImageKey
    item_text: str
    slot: int
    order: int
    state: PictureState
    take: Take
    reason_en: str = ""
    reason_zh: str = ""
    failure: Failure | None = None
    render: Render | None = None
    """The newest picture there is, be it of an earlier prompt."""
    is_current: bool = False
    """Whether *render* is what is wanted now."""
    seed: int | None = None
    approved: Render | None = None
    """The picture that counts as approved, be it of an earlier prompt."""
    is_rejected: bool = False
    """Whether *render* was rejected, by a reviewer or a gate."""
    stopped: Stopped | None = None
    """The gate that the current picture did not pass."""
    prompt: Prompt = NO_PROMPT
    workflow: str = ""

    @property
    def listed(self) -> Render | None:
        """The picture a listing shows: the approved one, else the newest unless it was rejected."""
        return self.approved or (None if self.is_rejected else self.render)

    @property
    def is_waiting(self) -> bool:
        """Whether somebody should look at *render* and approve or reject it."""
        return self.is_current and self.state in ("draft", "stale")
