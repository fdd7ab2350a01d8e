"""What a report shows, as frozen values: SKUs, their listings and pictures, and what needs a person."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint
from catalog_imagegen.domain.imaging import Fit, Verdict
from catalog_imagegen.domain.job import AttemptRecord, PictureState, PictureStatus, SkuStatus

VERSION = 2
Standing = Literal["approved", "stale", "draft", "outdated"]
"""Of a listed file: stale is approved, outdated is not, and both show an earlier prompt or take."""
Kind = Literal["failed", "blocked", "refused", "unwritten", "review", "doubtful"]
"""What needs a person, most urgent first: refused and doubtful files have verdicts fail and warn."""


@dataclass(frozen=True, slots=True)
class StandingFile:
    """One file as the ``listing.json`` beside it describes it."""

    name: str
    placement: str
    picture: str
    """Its ImageKey as text."""
    role: str
    slot: int
    item: str
    width: int
    height: int
    bytes: int
    is_approved: bool
    is_current: bool
    is_placeholder: bool
    render: Digest
    verdicts: tuple[Verdict, ...] = ()
    is_there: bool = True
    """Whether the file itself stands there whole."""


@dataclass(frozen=True, slots=True)
class FileView:
    """One file of a listing; sizes in pixels and bytes, 0 where the file is not written."""

    order: int
    """Its number in the listing, from 1."""
    path: str
    """Relative to where the listings lie."""
    name: str
    title: str
    """What the placement is called."""
    fit: Fit
    box: tuple[int, int]
    """The placement's box; for ``fit = "width"`` the file's own shape."""
    size: tuple[int, int]
    bytes: int
    key: str
    role: str
    slot: int
    item: str
    render: Digest
    standing: Standing
    is_placeholder: bool
    is_there: bool
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class ListingView:
    """What one platform's listing shows of one SKU."""

    platform: str
    title: str
    folder: str
    """Relative to where the listings lie."""
    variants: tuple[str, ...]
    """All SKUs that share this listing."""
    total: int
    """Files of the whole listing."""
    files: tuple[FileView, ...]


@dataclass(frozen=True, slots=True)
class PictureView:
    """One picture, how it was made and where it is listed."""

    status: PictureStatus
    attempts: tuple[AttemptRecord, ...]
    """Every submission of it, the last one last."""
    files: tuple[str, ...]
    """The files that show it, relative to where the listings lie."""

    @property
    def latest(self) -> AttemptRecord | None:
        """The attempt that made the newest picture, else the last one."""
        render = self.status.render
        made = [a for a in self.attempts if render and a.render_key == render.render_key]
        return next(reversed([a for a in made if a.outcome == "done"] or self.attempts), None)


@dataclass(frozen=True, slots=True)
class SkuView:
    """One SKU with all that is shown of it."""

    product: Product
    status: SkuStatus
    anchor: str
    pictures: tuple[PictureView, ...]
    listings: tuple[ListingView, ...]

    @property
    def replacing(self) -> tuple[PictureView, ...]:
        """New pictures that wait for review while the listings show approved ones."""
        return tuple(
            p for p in self.pictures if p.status.is_waiting and p.files and p.status.listed != p.status.render
        )

    @property
    def apart(self) -> tuple[PictureView, ...]:
        """The pictures that are shown apart from the listings."""
        return (*self.replacing, *self.unlisted)

    @property
    def unlisted(self) -> tuple[PictureView, ...]:
        """Pictures that no listing shows: not made, rejected, or of a place that has no room."""
        return tuple(p for p in self.pictures if not p.files)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the report something is: a SKU, one of its pictures, perhaps in one listing."""

    sku: str
    anchor: str
    role: str
    slot: int
    item: str
    listing: str = ""
    """The title of the platform."""


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing for a person to decide, wherever it occurs; each text in English and Chinese."""

    kind: Kind
    code: str
    places: tuple[Place, ...]
    reason_en: str = ""
    reason_zh: str = ""
    remedy_en: str = ""
    remedy_zh: str = ""

    @property
    def skus(self) -> tuple[Place, ...]:
        """The first place of each SKU."""
        first: dict[str, Place] = {}
        for place in self.places:
            first.setdefault(place.sku, place)
        return tuple(first.values())


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures at the top."""

    skus: Mapping[SkuStatus, int]
    pictures: Mapping[PictureState, int]
    files: int
    made: int
    """Pictures that there is a render of."""
    attempts: int
    """Attempts that ended."""
    good_attempts: int
    mean_seconds: float | None
    """Per picture that was made, as its server says."""


@dataclass(frozen=True)  # without slots, so that the state is computed once
class ReportView:
    """All that a report shows."""

    skus: tuple[SkuView, ...]
    concerns: tuple[Concern, ...]
    totals: Totals
    has_placeholders: bool

    @cached_property
    def state(self) -> Fingerprint:
        """Names all that is shown, so that a report of the same is not written again."""
        named = hashlib.sha256(f"report {VERSION}".encode())
        for sku in self.skus:
            for part in _shown(sku):
                named.update(repr(part).encode())
        return Fingerprint(named.hexdigest())

    def renders(self) -> tuple[Digest, ...]:
        """The renders that are shown, each once, in the order of the page."""
        found: dict[Digest, None] = {}
        for sku in self.skus:
            found |= dict.fromkeys(file.render for listing in sku.listings for file in listing.files)
            found |= dict.fromkeys(p.status.render.digest for p in sku.apart if p.status.render)
        return tuple(found)


def _shown(sku: SkuView) -> Iterator[tuple[object, ...]]:
    """What reports show of a SKU, in small parts."""
    p = sku.product
    yield "sku", p.sku, p.name, p.brand, p.category, p.color, p.material, p.size, p.spec, sku.status
    for picture in sku.pictures:
        yield ("picture", picture.status, picture.files)
        yield from (
            ("attempt", a.render_key, a.server, a.outcome, a.error, a.submitted_at.timestamp(), *_clock(a))
            for a in picture.attempts
        )
    for listing in sku.listings:
        yield "listing", listing.platform, listing.title, listing.folder, listing.variants, listing.total
        yield listing.files


def _clock(attempt: AttemptRecord) -> tuple[float | None, ...]:
    return tuple(None if t is None else t.timestamp() for t in (attempt.started_at, attempt.finished_at))
