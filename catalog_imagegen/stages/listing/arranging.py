"""Decides which pictures a listing shows, in which order and under which names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.design import PLAIN, Design
from catalog_imagegen.domain.fingerprint import Fingerprint, fingerprint
from catalog_imagegen.domain.imaging import ImageKey, Placement, Platform, Render
from catalog_imagegen.stages.listing.naming import SUFFIXES, Stem, named
from catalog_imagegen.stages.listing.safe import path_safe

VERSION = 1


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture that a listing may show, with its newest render."""

    key: ImageKey
    slot: int
    order: int
    item_text: str
    render: Render
    is_approved: bool
    is_current: bool
    """False while the render of an earlier prompt stands in for one not made yet."""
    design: Design = PLAIN


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a listing."""

    file_name: str
    placement: Placement
    picture: Shown
    lacks: tuple[str, ...] = ()
    """Columns that should be in its name and that the product does not have, so that another word stands in."""


def arrange(
    platform: Platform, pictures: Iterable[Shown], *, products: Sequence[Product] = ()
) -> tuple[Entry, ...]:
    """Fill a platform's placements: by role in the placement's order, then catalog order, then slot.

    *products* are those that the listing is of. No two files get one name: a rule that does not number them
    has the order added.
    """
    available = sorted(pictures, key=lambda p: (p.order, p.slot, p.key))
    entries: list[Entry] = []
    taken: set[str] = set()
    for placement in platform.placements:
        fitting = [p for role in placement.roles for p in available if p.key.role == role]
        for position, picture in enumerate(fitting[: placement.count], start=1):
            order = len(entries) + 1
            stem = _stem(platform, placement, picture, products, {"order": str(order), "n": str(position)})
            name = stem.text
            while name.casefold() in taken:
                name += f"_{order:02}"
            taken.add(name.casefold())
            entries.append(Entry(name + SUFFIXES[placement.format], placement, picture, stem.lacks))
    return tuple(entries)


def _stem(
    platform: Platform,
    placement: Placement,
    picture: Shown,
    products: Sequence[Product],
    numbers: Mapping[str, str],
) -> Stem:
    """Name a picture after the product, if the listing is of one, else after the subject it is of.

    Its columns are its own product's, or the first one's where variants share the picture.
    """
    kind, _, owner = picture.key.subject.partition(":")
    first = products[0] if products else None
    speaker = next((p for p in products if picture.key.subject == f"sku:{p.sku}"), first)
    sku = first.sku if first and platform.listing_per == "sku" else owner
    always = {"sku": path_safe(sku), "role": picture.key.role, "kind": kind, **numbers}
    return named(placement.file_name, always, speaker, platform.columns)


def listing_key(
    platform: Platform, subject: str, entries: Sequence[Entry], renditions: Sequence[str]
) -> Fingerprint:
    """Name a listing by its renditions and the names and standing they are listed under."""
    return fingerprint(
        "listing",
        VERSION,
        {
            "platform": platform.name,
            "subject": subject,
            "files": [
                [
                    entry.file_name,
                    entry.placement.name,
                    rendition,
                    str(entry.picture.key),
                    entry.picture.slot,
                    entry.picture.is_approved,
                    entry.picture.is_current,
                ]
                for entry, rendition in zip(entries, renditions, strict=True)
            ],
        },
    )
