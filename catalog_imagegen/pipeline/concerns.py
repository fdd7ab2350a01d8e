"""PURE: gathers what needs a person, one entry for each thing to decide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import get_args

from catalog_imagegen.pipeline.views import Concern, FileView, Kind, ListingView, PictureView, Place, SkuView

KINDS: tuple[Kind, ...] = get_args(Kind)


def concerns(skus: Iterable[SkuView]) -> tuple[Concern, ...]:
    """Everything that needs a person, the most urgent first; what has one cause is told once."""
    found: dict[tuple[str, ...], list[Concern]] = {}
    for sku in skus:
        for concern in of_sku(sku):
            found.setdefault(_cause(concern), []).append(concern)
    merged = [
        replace(same[0], places=tuple(dict.fromkeys(place for one in same for place in one.places)))
        for same in found.values()
    ]
    return tuple(sorted(merged, key=lambda c: KINDS.index(c.kind)))


def of_sku(sku: SkuView) -> Iterator[Concern]:
    """What needs a person about one SKU, place by place."""
    for picture in sku.pictures:
        yield from _of_picture(picture, sku)
    for listing in sku.listings:
        for file in listing.files:
            yield from _of_file(file, listing, sku)


def _cause(concern: Concern) -> tuple[str, ...]:
    """What concerns of one cause share: failures their code, anything else its words."""
    words = "" if concern.kind == "failed" else concern.reason_en
    return (concern.kind, concern.code, words)


def _of_picture(picture: PictureView, sku: SkuView) -> Iterator[Concern]:
    status = picture.status
    place = Place(sku.product.sku, sku.anchor, status.key.role, status.slot, status.item_text)
    if status.failure is not None:
        yield Concern(
            "failed",
            status.failure.code,
            (place,),
            reason_en=status.failure.message,
            reason_zh=status.failure.message,
            remedy_en=status.failure.remedy_en,
            remedy_zh=status.failure.remedy_zh,
        )
    elif status.state == "blocked":
        # The SKU stands beside every concern; without it, what blocks many in one way is told once.
        en = status.reason_en.replace(f"SKU {place.sku}: ", "")
        zh = status.reason_zh.replace(f"SKU {place.sku}：", "")
        yield Concern("blocked", "blocked", (place,), reason_en=en, reason_zh=zh)
    elif status.is_waiting:
        yield Concern("review", "review", (place,))


def _of_file(file: FileView, listing: ListingView, sku: SkuView) -> Iterator[Concern]:
    place = Place(sku.product.sku, sku.anchor, file.role, file.slot, file.item, listing.title)
    if not file.is_there:
        yield Concern("unwritten", "unwritten", (place,))
    for verdict in file.verdicts:
        kind: Kind = "refused" if verdict.severity == "fail" else "doubtful"
        yield Concern(
            kind, verdict.code, (place,), reason_en=verdict.message_en, reason_zh=verdict.message_zh
        )
