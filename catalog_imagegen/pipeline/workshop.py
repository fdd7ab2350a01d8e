"""What producing works with, and what it has done so far."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from PIL import Image

from catalog_imagegen.domain.errors import BackendUnavailable
from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.gates import Objection, Stopped
from catalog_imagegen.domain.imaging import Doubt, Wanted
from catalog_imagegen.domain.incident import Incident
from catalog_imagegen.domain.job import Kept, Step
from catalog_imagegen.pipeline.ports import BlobStore, Ledger, RenderBackend
from catalog_imagegen.pipeline.studio import Studio
from catalog_imagegen.stages.recipe import Base

Outcome = Literal["rendered", "reused", "failed", "blocked"]


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one picture."""

    wanted: Wanted
    outcome: Outcome
    failure: Failure | None = None
    stopped: Stopped | None = None
    """The gate that none of its takes passed."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was seen of a picture whose file is good."""

    look: str = ""
    """What it looks like, to be compared with others."""
    objection: Objection | None = None
    """The gate that it does not pass, and how to go on."""
    fidelity: float | None = None
    """How like its product is to that of the photo, 0 to 1, where a model was given one."""
    doubt: Doubt = ""
    """Why somebody has to look at it."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What became of a picture whose file is good."""

    kept: Kept
    stopped: Stopped | None = None
    """The gate that it did not pass."""


def passing(_picture: Wanted, _image: Image.Image) -> Inspection:
    """Every picture passes."""
    return Inspection()


def _nothing_more(_picture: Wanted) -> Wanted | None:
    """Further takes are left to the next run."""
    return None


def _deaf(_: object, *__: object) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What producing needs: the ledger, the blobs, the servers and the rules."""

    ledger: Ledger
    blobs: BlobStore
    backends: Sequence[RenderBackend]
    run: str
    is_placeholder: bool
    attempts: int = 2
    patience_s: float = 60.0
    """Seconds to wait for servers when none is there, and before others make what one that is away was sent."""
    group_wait_s: float = 600.0
    """Seconds that pictures may wait because others need no change of models."""
    is_urgent: bool = False
    """Somebody waits: these pictures are the next to be executed."""
    speeds: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """(server, workflow) → seconds per megapixel, as far as earlier runs measured it."""
    inspect: Callable[[Wanted, Image.Image], Inspection] = passing
    """The gates that a picture must pass, given its pixels in colour."""
    studio: Studio | None = None
    """Places products in the scenes that servers render."""
    next_take: Callable[[Wanted], Wanted | None] = _nothing_more
    """Plans the take that now follows a picture; None where there is none to be made."""
    bases: Mapping[str, Base] = field(default_factory=dict)
    """Workflow → its graph, which recipes refer to."""
    has_room: Callable[[], bool] = lambda: True
    """Whether what comes after the rendering keeps up; while it does not, servers are sent nothing new."""
    on_made: Callable[[Made], None] = _deaf
    on_step: Callable[[Wanted, Step], None] = _deaf
    on_alert: Callable[[Incident], None] = _deaf


@dataclass(slots=True)
class Production:
    """What a run has done so far; threads add to it under its lock."""

    made: list[Made] = field(default_factory=list)
    jobs_submitted: int = 0
    unavailable: list[BackendUnavailable] = field(default_factory=list)
    incidents: tuple[Incident, ...] = ()
    crash: BaseException | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
