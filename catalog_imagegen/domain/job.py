"""What is planned and done: states, plans, attempts and failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from catalog_imagegen.domain.fingerprint import Digest, Fingerprint
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
SkuStatus = Literal["ready", "review", "working", "blocked", "failed"]
Action = Literal["render", "reuse", "failed", "blocked"]
Decision = Literal["approved", "rejected"]
Refusal = Literal["not_wanted", "replaced", "outdated", "asked_again", "rejected_already"]
"""Why a reviewer's word does not count: the picture it was about does not stand any more."""
Rejection = Literal["used_up", "withdrawn"]
"""What a rejection leads to if not to a new take: a person must act, or another picture is under way anyway."""

FailureCode = Literal[
    "rejected",  # the server's validation refused the graph
    "out_of_memory",
    "execution_error",
    "interrupted",
    "no_picture",  # "success" without a file, or the file cannot be fetched
    "bad_picture",  # unreadable, of the wrong size or black
    "lost",  # the server forgot the prompt, e.g. by a restart
    "timeout",
    "abandoned",  # its server is not among those of the run that found it; does not count
]


MEANINGS: Mapping[FailureCode, tuple[str, str]] = {
    "rejected": ("the render server refused the workflow", "服务器不接受该工作流"),
    "out_of_memory": ("the graphics card ran out of memory", "显存不足"),
    "execution_error": ("the render server reported an error", "服务器报错"),
    "interrupted": ("somebody stopped the render server", "有人在服务器上中止了任务"),
    "no_picture": ("the render server delivered no picture", "服务器没有给出图片"),
    "bad_picture": ("the picture was damaged, black or of the wrong size", "图片损坏、全黑或尺寸不对"),
    "lost": ("the render server forgot the job", "服务器丢失了任务"),
    "timeout": ("the render server took too long", "服务器生成超时"),
    "abandoned": ("its render server was not used any more", "原来的服务器不再使用"),
}
"""What each failure means for people who do not run servers, in English and Chinese."""

REMEDIES: Mapping[FailureCode, tuple[str, str]] = {
    "rejected": (
        "check the graph with: catalog-imagegen workflow check FILE",
        "请运行 catalog-imagegen workflow check FILE 检查工作流",
    ),
    "out_of_memory": (
        (
            "close other programs on that GPU or lower the role's size in config/roles.toml, then: "
            "catalog-imagegen retry"
        ),
        "请关闭占用显卡的程序，或在 config/roles.toml 中减小该图片角色的 size，然后运行 catalog-imagegen retry",
    ),
    "execution_error": (
        "look into the server's log, then: catalog-imagegen retry",
        "请查看 ComfyUI 日志，然后运行 catalog-imagegen retry",
    ),
    "interrupted": (
        "when nobody needs the server: catalog-imagegen retry",
        "请在服务器空闲后运行 catalog-imagegen retry",
    ),
    "no_picture": (
        "check that the workflow saves a picture, then: catalog-imagegen retry",
        "请确认工作流会保存图片，然后运行 catalog-imagegen retry",
    ),
    "bad_picture": (
        (
            "if it is black, check the server's options (fp16 overflow does that); then try another seed: "
            "catalog-imagegen regenerate SKU"
        ),
        "如果图片全黑，请检查服务器启动参数（常见原因是 fp16 溢出）；然后运行 catalog-imagegen regenerate SKU 换一个种子",
    ),
    "lost": (
        "see whether this picture kills the server, then: catalog-imagegen retry",
        "请检查服务器是否因该图片崩溃，然后运行 catalog-imagegen retry",
    ),
    "abandoned": (
        "name that server again: catalog-imagegen run CATALOG --comfyui URL",
        "请重新指定该服务器：catalog-imagegen run CATALOG --comfyui URL",
    ),
    "timeout": (
        "raise job_timeout_s in config/app.toml if the server is just slow, then: catalog-imagegen retry",
        "如果只是服务器较慢，请调大 config/app.toml 的 job_timeout_s，然后运行 catalog-imagegen retry",
    ),
}
"""What to do about each failure, in English and Chinese."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt gave no picture."""

    code: FailureCode
    message: str
    """The server's own words, or ours, in whichever language."""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @property
    def reason_en(self) -> str:
        """What the code means and what the server said, in English."""
        return f"{MEANINGS[self.code][0]}: {self.message}" if self.message else MEANINGS[self.code][0]

    @property
    def reason_zh(self) -> str:
        """What the code means in Chinese, and what the server said."""
        return f"{MEANINGS[self.code][1]}：{self.message}" if self.message else MEANINGS[self.code][1]

    @property
    def remedy_en(self) -> str:
        """What to do, in English."""
        return REMEDIES[self.code][0]

    @property
    def remedy_zh(self) -> str:
        """What to do, in Chinese."""
        return REMEDIES[self.code][1]


def used_up(reason: str, *, sku: str, role: str, slot: int) -> tuple[str, str]:
    """Why a picture that was rejected too often waits for a person, in English and Chinese."""
    again = f'catalog-imagegen regenerate {sku} --role {role} --slot {slot} --note "…"'
    said = reason or "no reason given"
    return (
        f"rejected, and its new takes are used up ({said}); change the row or the template, or: {again}",
        f"多次退回，自动重拍次数已用完（{reason or '未写原因'}）；请修改商品行或模板，或运行 {again}",
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


@dataclass(frozen=True, slots=True)
class PlannedPicture:
    """One wanted picture, what to do about it and why."""

    wanted: Wanted
    action: Action
    reason: str
    reason_zh: str = ""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do, in catalog order."""

    pictures: tuple[PlannedPicture, ...]
    blocked: tuple[Blocked, ...] = ()

    def to_render(self) -> tuple[Wanted, ...]:
        """The pictures that need a server, grouped by workflow so that models change rarely."""
        wanted = [p.wanted for p in self.pictures if p.action == "render"]
        first: dict[str, int] = {}
        for picture in wanted:
            first.setdefault(picture.workflow, len(first))
        return tuple(sorted(wanted, key=lambda w: first[w.workflow]))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One submission of a render to one server, written down before it is sent."""

    prompt_id: str
    render_key: Fingerprint
    key: ImageKey
    server: str


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

    @property
    def seconds(self) -> float | None:
        """How long the server worked on a picture that it made; None if it did not say."""
        if self.outcome != "done" or self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody said of one render."""

    key: ImageKey
    digest: Digest
    decision: Decision
    reason: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Finished:
    """A picture file that a server made, and when it ran (ms since the epoch; 0 if it did not say)."""

    file: Mapping[str, str]
    started_ms: int = 0
    finished_ms: int = 0


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
    """Whether *render* was rejected."""
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
