"""Publishes listings beside the rendering, family by family."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Self

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.imaging import Platform, Wanted
from catalog_imagegen.pipeline.publish import Publisher
from catalog_imagegen.pipeline.want import spu_subject

MOST_WAITING = 64
"""Pictures whose files are not made yet, above which no more are rendered: 64 of 1280 × 1280 take 100 MB on disk."""


class Publishing:
    """Publishes beside the rendering: each family of variants as soon as its last picture is made.

    Leaving the block publishes what is left, also where nothing was rendered: a deleted listing is
    rebuilt. ``renditions`` then says how many files the listings hold.
    """

    def __init__(
        self,
        publisher: Publisher,
        platforms: Collection[Platform],
        products: Sequence[Product],
        to_render: Sequence[Wanted],
    ) -> None:
        self.renditions = 0
        self._publisher = publisher
        self._platforms = platforms
        self._families: dict[str, list[str]] = {}
        for product in products:
            self._families.setdefault(spu_subject(product), []).append(product.sku)
        self._family_of = {f"sku:{sku}": f for f, skus in self._families.items() for sku in skus}
        self._outstanding = Counter(self._family(w) for w in to_render)
        self._sizes = Counter(self._outstanding)
        self._waiting = 0
        self._complete: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._is_stopped = False
        self._crash: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="publish", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exc: object) -> None:
        self._is_stopped = kind is not None
        self._complete.put(None)
        self._thread.join()
        if kind is not None:
            return
        if self._crash is not None:
            raise self._crash
        every = [sku for skus in self._families.values() for sku in skus]
        self.renditions = self._publisher.publish(self._platforms, every)

    def has_room(self) -> bool:
        """Whether more pictures should be rendered: not while their files fall behind."""
        return self._waiting < MOST_WAITING or self._crash is not None

    def one_less(self, wanted: Wanted) -> None:
        """One picture is made (or failed): its family may now be complete."""
        family = self._family(wanted)
        with self._lock:
            self._outstanding[family] -= 1
            is_complete = self._outstanding[family] == 0
            self._waiting += self._sizes[family] if is_complete else 0
        if is_complete:
            self._complete.put(family)

    def _family(self, wanted: Wanted) -> str:
        return self._family_of.get(wanted.key.subject, wanted.key.subject)

    def _work(self) -> None:
        try:
            while families := self._next():
                self._publisher.publish(
                    self._platforms, [sku for family in families for sku in self._families.get(family, ())]
                )
                with self._lock:
                    self._waiting -= sum(self._sizes[family] for family in families)
        except BaseException as crash:  # noqa: BLE001 - a thread has no caller; __exit__ raises it
            self._crash = crash

    def _next(self) -> list[str]:
        """The families that are complete by now, once there is one; none when all is over."""
        families: list[str] = []
        while not families or not self._complete.empty():
            family = self._complete.get()
            if family is None or self._is_stopped:
                self._complete.put(None)
                break
            families.append(family)
        return [] if self._is_stopped else families
