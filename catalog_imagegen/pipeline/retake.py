"""Plans the next take of a picture in the middle of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from catalog_imagegen.domain.imaging import Platform, Wanted
from catalog_imagegen.domain.job import Plan
from catalog_imagegen.pipeline.photos import keep_photos, with_photos
from catalog_imagegen.pipeline.prepare import Selection, Services, prepare


def retaking(platforms: Iterable[Platform], services: Services) -> Callable[[Wanted], Wanted | None]:
    """What gives the take that now follows a picture, for threads, one at a time: they share templates and photos."""
    selected = tuple(platform.name for platform in platforms)
    lock = threading.Lock()

    def next_take(picture: Wanted) -> Wanted | None:
        with lock:
            return _next_take(picture, selected, services)

    return next_take


def _next_take(picture: Wanted, platforms: tuple[str, ...], services: Services) -> Wanted | None:
    """From the recorded row, and recorded itself; None where there is nothing to be made, now or any more."""
    ledger = services.ledger
    products = ledger.products(skus={picture.sku})
    family = ledger.rows(skus=(), spus={product.family for product in products})
    selection = Selection(platforms=platforms, keys=frozenset({picture.key}))
    plan = prepare(family, products, selection, services).plan
    planned = next((p for p in plan.pictures if p.wanted.key == picture.key), None)
    if planned is None or planned.action != "render":
        return None
    if ledger.keep_plan(Plan((planned,))):
        return None  # somebody has asked for yet another one
    pictures = [planned.wanted]
    return next(iter(with_photos(pictures, keep_photos(pictures, services))), None)
