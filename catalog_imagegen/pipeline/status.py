"""PURE: how each SKU stands, derived from its pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.job import PictureStatus, SkuStatus
from catalog_imagegen.pipeline.want import spu_subject


@dataclass(frozen=True, slots=True)
class SkuOverview:
    """A SKU, how it stands, and its pictures: its own and those it shares with its variants."""

    product: Product
    status: SkuStatus
    pictures: tuple[PictureStatus, ...]


def overview(products: Iterable[Product], pictures: Sequence[PictureStatus]) -> list[SkuOverview]:
    """Every product with its pictures and its status."""
    by_subject: dict[str, list[PictureStatus]] = {}
    for picture in pictures:
        by_subject.setdefault(picture.key.subject, []).append(picture)
    found = []
    for product in products:
        subjects = dict.fromkeys((f"sku:{product.sku}", spu_subject(product)))
        own = tuple(p for subject in subjects for p in by_subject.get(subject, ()))
        found.append(SkuOverview(product, sku_status(own), own))
    return found


def sku_status(pictures: Iterable[PictureStatus]) -> SkuStatus:
    """The worst of its pictures decides; a SKU without pictures is still to be worked on."""
    found = list(pictures)
    states = {picture.state for picture in found}
    if "blocked" in states:
        return "blocked"
    if "failed" in states:
        return "failed"
    is_under_way = any(p.state == "stale" and not p.is_waiting for p in found)
    if not states or is_under_way or states & {"planned", "rendering", "rejected"}:
        return "working"
    return "ready" if states == {"approved"} else "review"
