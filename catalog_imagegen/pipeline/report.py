"""PURE: builds what a report shows of the ledger and of the listings that stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from catalog_imagegen.domain.imaging import ImageKey, ImageRole, Placement
from catalog_imagegen.domain.job import AttemptRecord
from catalog_imagegen.pipeline.concerns import concerns
from catalog_imagegen.pipeline.publication import Publication
from catalog_imagegen.pipeline.status import SkuOverview, sku_status
from catalog_imagegen.pipeline.views import (
    FileView,
    ListingView,
    PictureView,
    ReportView,
    SkuView,
    Standing,
    StandingFile,
    Totals,
)
from catalog_imagegen.pipeline.want import spu_subject
from catalog_imagegen.stages.listing import Entry, arrange, path_safe

NO_ROLES: Mapping[str, ImageRole] = MappingProxyType({})
StandingListings = Mapping[tuple[str, str], Sequence[StandingFile]]
"""(platform, folder) → the files that stand there, in the platform's order."""


def build(
    overviews: Sequence[SkuOverview],
    publications: Iterable[Publication],
    attempts: Iterable[AttemptRecord],
    standing: StandingListings,
    *,
    roles: Mapping[str, ImageRole] = NO_ROLES,
    only_standing: bool = False,
) -> ReportView:
    """The report of these SKUs, their pictures in the order of these roles; a file of two pictures is a file of each.

    A listing is shown as it stands. One that does not stand is shown as it will be, its files marked as
    not written. With *only_standing*, for what is handed on, nothing is shown but what is in listings
    that stand. *publications* may be of further SKUs.
    """
    listings: dict[str, list[_Listing]] = {}
    for publication in publications:
        if listing := _listing(publication, standing, only_standing=only_standing):
            for sku in publication.skus:
                listings.setdefault(sku, []).append(listing)
    tries: dict[ImageKey, list[AttemptRecord]] = {}
    for attempt in attempts:
        tries.setdefault(attempt.key, []).append(attempt)
    rank = {role: index for index, role in enumerate(roles)}
    skus = tuple(
        _sku(_in_order(entry, rank), listings.get(entry.product.sku, ()), tries, roles) for entry in overviews
    )
    if only_standing:
        skus = tuple(_handed_on(sku) for sku in skus if sku.listings)
    return ReportView(
        skus=skus,
        concerns=concerns(skus),
        totals=_totals(skus),
        has_placeholders=any(
            p.status.render and p.status.render.placeholder for sku in skus for p in sku.pictures
        ),
    )


_UNDECIDED = ("open", "abandoned")
"""Outcomes of attempts that say nothing of servers or prompts."""
_STANDING: Mapping[tuple[bool, bool], Standing] = {
    (True, True): "approved",
    (True, False): "stale",
    (False, True): "draft",
    (False, False): "outdated",
}


def anchor(sku: str) -> str:
    """The id of a SKU's part of the page; the same in every report."""
    return f"sku-{path_safe(sku)}"


@dataclass(frozen=True, slots=True)
class _Listing:
    """A whole listing, before each SKU takes what shows it."""

    publication: Publication
    files: tuple[FileView, ...]


def _listing(publication: Publication, standing: StandingListings, *, only_standing: bool) -> _Listing | None:
    platform = publication.platform
    there = standing.get((platform.name, publication.folder))
    if there is None:
        if only_standing:
            return None
        entries = arrange(platform, publication.pictures, products=publication.products)
        there = [_unwritten(entry) for entry in entries]
    places = {placement.name: placement for placement in platform.placements}
    folder = f"{platform.name}/{publication.folder}"
    files = tuple(
        _file(order, file, places.get(file.placement), folder) for order, file in enumerate(there, start=1)
    )
    return _Listing(publication, files) if files else None


def _unwritten(entry: Entry) -> StandingFile:
    """A file that a listing should have."""
    picture = entry.picture
    return StandingFile(
        name=entry.file_name,
        placement=entry.placement.name,
        picture=str(picture.key),
        role=picture.key.role,
        slot=picture.slot,
        item=picture.item_text,
        width=0,
        height=0,
        bytes=0,
        is_approved=picture.is_approved,
        is_current=picture.is_current,
        is_placeholder=picture.render.placeholder,
        render=picture.render.digest,
        is_there=False,
    )


def _file(
    order: int,
    file: StandingFile,
    placement: Placement | None,
    folder: str,
) -> FileView:
    size = (file.width, file.height)
    box = (placement.width, placement.height) if placement else size
    if placement is None or placement.fit == "width":
        box = size if all(size) else box
    return FileView(
        order=order,
        path=f"{folder}/{file.name}",
        name=file.name,
        title=(placement.title if placement else "") or file.placement,
        fit=placement.fit if placement else "contain",
        box=box if all(box) else (1, 1),
        size=size,
        bytes=file.bytes,
        key=file.picture,
        role=file.role,
        slot=file.slot,
        item=file.item,
        render=file.render,
        standing=_STANDING[file.is_approved, file.is_current],
        is_placeholder=file.is_placeholder,
        is_there=file.is_there,
        verdicts=file.verdicts,
    )


def _in_order(entry: SkuOverview, rank: Mapping[str, int]) -> SkuOverview:
    pictures = sorted(entry.pictures, key=lambda p: (rank.get(p.key.role, len(rank)), p.key.role, p.slot))
    return replace(entry, pictures=tuple(pictures))


def _sku(
    entry: SkuOverview,
    listings: Iterable[_Listing],
    tries: Mapping[ImageKey, Sequence[AttemptRecord]],
    roles: Mapping[str, ImageRole],
) -> SkuView:
    subjects = {f"sku:{entry.product.sku}", spu_subject(entry.product)}
    shown = [view for listing in listings if (view := _shown(listing, subjects)).files]
    paths: dict[ImageKey, list[str]] = {}
    for listing in shown:
        for file in listing.files:
            for key in _shown_by(ImageKey.parse(file.key), roles):
                paths.setdefault(key, []).append(file.path)
    pictures = tuple(
        PictureView(p, tuple(tries.get(p.key, ())), tuple(paths.get(p.key, ()))) for p in entry.pictures
    )
    return SkuView(entry.product, entry.status, anchor(entry.product.sku), pictures, tuple(shown))


def _shown_by(key: ImageKey, roles: Mapping[str, ImageRole]) -> list[ImageKey]:
    """The pictures that a file shows: itself, or the two that stand side by side in it."""
    role = roles.get(key.role)
    return [key._replace(role=part) for part in role.stitch] if role and role.stitch else [key]


def _handed_on(sku: SkuView) -> SkuView:
    """A SKU with nothing but the pictures that are in its listings."""
    pictures = tuple(p for p in sku.pictures if p.files)
    return replace(sku, status=sku_status(p.status for p in pictures), pictures=pictures)


def _shown(listing: _Listing, subjects: Collection[str]) -> ListingView:
    """The part of a listing that shows these subjects; its numbers stay."""
    publication = listing.publication
    return ListingView(
        platform=publication.platform.name,
        title=publication.platform.title,
        folder=f"{publication.platform.name}/{publication.folder}",
        variants=publication.skus,
        total=len(listing.files),
        files=tuple(f for f in listing.files if ImageKey.parse(f.key).subject in subjects),
    )


def _totals(skus: Sequence[SkuView]) -> Totals:
    """The figures; what several SKUs share counts once."""
    pictures = {p.status.key: p for sku in skus for p in sku.pictures}.values()
    attempts = [a for p in pictures for a in p.attempts if a.outcome not in _UNDECIDED]
    seconds = [a.seconds for a in attempts if a.seconds is not None]
    return Totals(
        skus=Counter(sku.status for sku in skus),
        pictures=Counter(p.status.state for p in pictures),
        files=len({file.path for sku in skus for listing in sku.listings for file in listing.files}),
        made=sum(p.status.render is not None for p in pictures),
        attempts=len(attempts),
        good_attempts=sum(a.outcome == "done" for a in attempts),
        mean_seconds=sum(seconds) / len(seconds) if seconds else None,
    )
