"""What is planned and done: states, plans, attempts and failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from catalog_imagegen.domain.fingerprint import Fingerprint
from catalog_imagegen.domain.imaging import FIRST_TAKE, Blocked, ImageKey, Render, Take, Wanted

PictureState = Literal["planned", "rendering", "draft", "approved", "failed", "blocked"]
SkuStatus = Literal["ready", "review", "working", "blocked", "failed"]
Action = Literal["render", "reuse", "failed"]

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


REMEDIES: Mapping[FailureCode, tuple[str, str]] = {
    "rejected": (
        "check the graph with: catalog-imagegen workflow check FILE",
        "用 catalog-imagegen workflow check 检查工作流",
    ),
    "out_of_memory": (
        "close other programs on that GPU or lower the role's size in config/roles.toml, then: retry",
        "关闭占用显卡的程序，或在 config/roles.toml 减小尺寸，然后 retry",
    ),
    "execution_error": ("look into the server's log, then: retry", "查看 ComfyUI 日志，然后 retry"),
    "interrupted": ("when nobody needs the server: retry", "服务器空闲后 retry"),
    "no_picture": (
        "check that the workflow saves a picture, then: retry",
        "确认工作流会保存图片，然后 retry",
    ),
    "bad_picture": (
        "try another seed with: regenerate; black pictures come from fp16 overflow, see the server's options",
        "用 regenerate 换一个种子；全黑图片通常是 fp16 溢出，请检查服务器启动参数",
    ),
    "lost": (
        "see whether this picture kills the server, then: retry",
        "检查服务器是否因该图片崩溃，然后 retry",
    ),
    "abandoned": ("name that server again with --comfyui", "用 --comfyui 重新指定该服务器"),
    "timeout": (
        "raise job_timeout_s in config/app.toml if the server is just slow, then: retry",
        "若只是服务器较慢，请调大 config/app.toml 的 job_timeout_s，然后 retry",
    ),
}
"""What to do about each failure, in English and Chinese."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt gave no picture."""

    code: FailureCode
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @property
    def remedy_en(self) -> str:
        """What to do, in English."""
        return REMEDIES[self.code][0]

    @property
    def remedy_zh(self) -> str:
        """What to do, in Chinese."""
        return REMEDIES[self.code][1]


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


@dataclass(frozen=True, slots=True)
class PlannedPicture:
    """One wanted picture, what to do about it and why."""

    wanted: Wanted
    action: Action
    reason: str
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
    seed: int | None = None
