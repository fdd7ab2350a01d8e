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
]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt gave no picture."""

    code: FailureCode
    message: str


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
    failure: str = ""


@dataclass(frozen=True, slots=True)
class PlannedPicture:
    """One wanted picture, what to do about it and why."""

    wanted: Wanted
    action: Action
    reason: str


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
    render: Render | None = None
    """The newest picture there is, be it of an earlier prompt."""
    is_current: bool = False
    seed: int | None = None
