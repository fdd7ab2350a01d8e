"""PURE: which listings there are, what each consists of, and which are written together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.design import PLAIN
from catalog_imagegen.domain.fingerprint import Fingerprint
from catalog_imagegen.domain.imaging import ImageKey, Platform, Verdict
from catalog_imagegen.domain.job import PictureStatus
from catalog_imagegen.pipeline.designing import NOTHING_DRAWN, Designer, refusals
from catalog_imagegen.pipeline.develop import VERSIONS
from catalog_imagegen.pipeline.want import spu_subject
from catalog_imagegen.stages.listing import Entry, Shown, arrange, listing_key, path_safe
from catalog_imagegen.stages.rendition import Rendition, rendition_key

MOST_AT_ONCE = 400
"""Files in memory; 400 of 150 KB take 60 MB. A listing is written as a whole, however many it has."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One listing: a platform's pictures of one subject."""

    platform: Platform
    subject: str
    family: str
    """The subject of all its variants."""
    products: tuple[Product, ...]
    pictures: tuple[Shown, ...]

    @property
    def skus(self) -> tuple[str, ...]:
        """Those of its products."""
        return tuple(product.sku for product in self.products)

    @property
    def folder(self) -> str:
        """The subject's folder below the platform's."""
        return path_safe(self.subject.partition(":")[2])


def publications(
    platforms: Iterable[Platform],
    products: Sequence[Product],
    statuses: Sequence[PictureStatus],
    designer: Designer = NOTHING_DRAWN,
) -> list[Publication]:
    """The listings of these products: per SPU or per SKU, each with the pictures of its subjects.

    *products* are whole families. A listing that lost its last picture to a reviewer is there, and empty.
    """
    by_subject = _by_subject(products, statuses, designer)
    found = []
    for platform in platforms:
        members: dict[str, list[Product]] = {}
        for product in products:
            subject = spu_subject(product) if platform.listing_per == "spu" else f"sku:{product.sku}"
            members.setdefault(subject, []).append(product)
        for subject, variants in members.items():
            parts = dict.fromkeys(part for p in variants for part in (f"sku:{p.sku}", spu_subject(p)))
            pictures = tuple(picture for part in parts for picture in by_subject.get(part, ()))
            if any(part in by_subject for part in parts):
                family = spu_subject(variants[0])
                found.append(Publication(platform, subject, family, tuple(variants), pictures))
    return found


def _by_subject(
    products: Iterable[Product], statuses: Iterable[PictureStatus], designer: Designer
) -> Mapping[str, Sequence[Shown]]:
    """What listings can show of each subject, designed over the product that speaks for it."""
    speakers: dict[str, Product] = {}
    for product in sorted(products, key=lambda p: p.sku):
        speakers[f"sku:{product.sku}"] = product
        speakers.setdefault(spu_subject(product), product)
    found: dict[str, list[Shown]] = {}
    refused: dict[ImageKey, tuple[Verdict, ...]] = {}
    for status in statuses:
        refused[status.key] = refusals(status)
        subject = status.key.subject
        if (shown := _shown(status)) is not None:
            if subject in speakers:
                design = designer.design(shown, speakers[subject], status)
                shown = shown if design is PLAIN else replace(shown, design=design)
            found.setdefault(subject, []).append(shown)
        elif status.is_rejected:
            found.setdefault(subject, [])
    for subject, pictures in found.items():
        if subject in speakers:
            pictures += list(designer.pairs(pictures, speakers[subject], refused))
    return found


def _shown(status: PictureStatus) -> Shown | None:
    """What a listing shows of a picture, if anything."""
    render = status.listed
    if render is None:
        return None
    return Shown(
        key=status.key,
        slot=status.slot,
        order=status.order,
        item_text=status.item_text,
        render=render,
        is_approved=status.approved is not None,
        is_current=status.is_current and render == status.render,
    )


@dataclass(frozen=True, slots=True)
class Composed:
    """The entries of a listing, the keys of their renditions, and the key of it all."""

    entries: tuple[Entry, ...]
    keys: Sequence[Fingerprint]
    key: Fingerprint


def parts(fallen: Sequence[tuple[Publication, Composed]]) -> Iterator[Sequence[tuple[Publication, Composed]]]:
    """Listings that are written together: of one family, but no more than the memory takes."""
    part: list[tuple[Publication, Composed]] = []
    files = 0
    for publication, composed in fallen:
        if part and files + len(composed.entries) > MOST_AT_ONCE:
            yield part
            part, files = [], 0
        part.append((publication, composed))
        files += len(composed.entries)
    if part:
        yield part


def by_family(found: Iterable[Publication]) -> Iterable[Sequence[Publication]]:
    """Listings that may show the same pictures, together."""
    families: dict[str, list[Publication]] = {}
    for publication in found:
        families.setdefault(publication.family, []).append(publication)
    return families.values()


def compose(publication: Publication, maker: Sequence[str]) -> Composed:
    """What a listing consists of; *maker* is who is named in its files and who signs them."""
    entries = arrange(publication.platform, publication.pictures, products=publication.products)
    keys = [
        rendition_key(e.picture.render, e.placement, design=e.picture.design, maker=maker, also=VERSIONS)
        for e in entries
    ]
    return Composed(entries, keys, listing_key(publication.platform, publication.subject, entries, keys))


def described(entry: Entry, key: str, rendition: Rendition) -> Mapping[str, Any]:
    """One file as ``listing.json`` describes it; sizes in pixels and bytes."""
    picture = entry.picture
    return {
        "name": entry.file_name,
        "placement": entry.placement.name,
        "role": picture.key.role,
        "slot": picture.slot,
        "item": picture.item_text,
        "picture": str(picture.key),
        "width": rendition.width,
        "height": rendition.height,
        "bytes": len(rendition.content),
        "sha256": rendition.sha256,
        "state": "approved" if picture.is_approved else "draft",
        "is_current": picture.is_current,
        "placeholder": picture.render.placeholder,
        "origin": picture.design.origin(picture.render),
        "verdicts": [asdict(verdict) for verdict in rendition.verdicts],
        "render": picture.render.digest,
        "rendition_key": key,
    }
