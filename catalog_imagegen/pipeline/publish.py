"""Turns renders into listing folders; does nothing where a listing already stands as it should."""

from __future__ import annotations

import functools
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from catalog_imagegen.domain.design import Design
from catalog_imagegen.domain.fingerprint import Fingerprint
from catalog_imagegen.domain.imaging import Placement, Platform, Render, Verdict
from catalog_imagegen.pipeline.designing import NOTHING_DRAWN, Designer
from catalog_imagegen.pipeline.develop import Darkroom, Order
from catalog_imagegen.pipeline.ports import Ledger, Listings
from catalog_imagegen.pipeline.prepare import Services
from catalog_imagegen.pipeline.publication import (
    MOST_AT_ONCE,
    Composed,
    Publication,
    by_family,
    compose,
    described,
    parts,
    publications,
)
from catalog_imagegen.pipeline.want import spu_subject
from catalog_imagegen.stages.listing import Entry
from catalog_imagegen.stages.rendition import Rendition

FIRST_FAMILIES, MOST_FAMILIES = 20, 1000
"""Looked at together: at first few, for which the processes that make files wait; then what fits into memory easily."""
PAUSE_S = 0.05
"""Between looks at a listing that another process is writing."""


def open_publisher(
    services: Services, listings: Listings | None = None, *, approved_only: bool = False
) -> Publisher:
    """A publisher for a workspace, of its usual listings unless others are named."""
    return Publisher(
        services.ledger,
        listings or services.listings,
        services.developing,
        designer=services.setup.designer(),
        producer=services.producer,
        signer=services.signer,
        approved_only=approved_only,
    )


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that an approved listing does without, because it misses what its placement asks."""

    platform: str
    folder: str
    file_name: str
    verdicts: tuple[Verdict, ...]


LOST = Verdict(
    "lost",
    "fail",
    "the bytes of this picture are lost; restore the backup of data/, or run again to make it again",
    "这张图片的原图已丢失；请恢复 data/ 的备份，或重新运行以重新生成",
)

NO_FIRST = Verdict(
    "no_main_picture",
    "fail",
    "the listing goes out without its first picture; approve that picture and export again",
    "该套图缺少首图；请先通过首图，再重新导出",
)


class Publisher:
    """Writes listings, each render decoded once for all the files that platforms want of it.

    With *approved_only* they hold approved pictures whose files passed; ``left_out`` names the others. *producer* is
    who the labels of generated pictures name, *signer* who signs them.
    """

    def __init__(
        self,
        ledger: Ledger,
        listings: Listings,
        darkroom: Darkroom,
        *,
        designer: Designer = NOTHING_DRAWN,
        producer: str = "",
        signer: str = "",
        approved_only: bool = False,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.left_out: list[LeftOut] = []
        self._approved_only = approved_only
        self._designer = designer
        self._producer = producer
        self._maker = (producer, signer) if signer else (producer,)
        self._wait = wait
        self._ledger = ledger
        self._listings = listings
        self._darkroom = darkroom
        self._begun: dict[Fingerprint, Callable[[], Rendition | None]] = {}

    def publish(
        self, platforms: Collection[Platform], skus: Collection[str], *, siblings: bool = True
    ) -> int:
        """Bring the listings that show these SKUs up to date; returns the renditions they hold.

        With *siblings* also those of their variants, which may share pictures with them. Works from the
        ledger alone, so any process may do it at any time.
        """
        own = frozenset(skus)
        return self._publish_all(
            [p for p in page if siblings or not own.isdisjoint(p.skus)]
            for page in self._look(platforms, skus)
        )

    def refresh(
        self, platforms: Iterable[Platform], skus: Collection[str], *, enabled: Collection[str]
    ) -> None:
        """Bring the listings that show these SKUs up to date: all of enabled platforms, of others those there are."""
        self._publish_all(
            [
                publication
                for publication in page
                if publication.platform.name in enabled
                or self._listings.exists(publication.platform.name, publication.folder)
            ]
            for page in self._look(list(platforms), skus)
        )

    def _publish_all(self, pages: Iterable[Sequence[Publication]]) -> int:
        """Leave the listings that stand and write the others; the files of the next ones are begun meanwhile."""
        count = 0
        waiting: deque[_Batch] = deque()
        for family in chain.from_iterable(map(by_family, pages)):
            fallen = []
            for publication in family:
                composed = compose(publication, self._maker)
                if self._stands(publication, composed.key):
                    count += len(composed.entries)
                else:
                    fallen.append((publication, composed))
            waiting.extend(self._begin(part) for part in parts(fallen))
            while sum(batch.weight for batch in waiting) > self._darkroom.ahead:
                count += self._finish(_oldest(waiting, but=self._darkroom.ahead // 2))
        while waiting:
            count += self._finish(_oldest(waiting, but=0))
        return count

    def _begin(self, fallen: Sequence[tuple[Publication, Composed]]) -> _Batch:
        """Order the files that listings lack, in one order for each render and what is drawn on it."""
        wanted: dict[tuple[Render, Design], dict[Fingerprint, Placement]] = {}
        for publication, composed in fallen:
            standing = self._listings.renditions(publication.platform.name, publication.folder)
            for entry, key in zip(composed.entries, composed.keys, strict=True):
                if key not in standing:
                    of = entry.picture.render, entry.picture.design
                    wanted.setdefault(of, {})[key] = entry.placement
        for (render, design), places in wanted.items():
            self._order(render, design, places)
        keys = [key for places in wanted.values() for key in places]
        return _Batch(fallen, len(wanted) or 1, keys)

    def _order(self, render: Render, design: Design, places: Mapping[Fingerprint, Placement]) -> None:
        developing = self._darkroom.begin(Order(render, tuple(places.values()), self._producer, design))
        files = functools.cache(developing)
        for position, key in enumerate(places):
            self._begun[key] = lambda i=position: made[i] if (made := files()) is not None else None  # type: ignore[misc]  # bound now

    def _finish(self, batches: Sequence[_Batch]) -> int:
        """Write listings, those that another process writes just now when it has done so."""
        left = {_lease(each[0]): each for batch in batches for each in batch.publications}
        count = 0
        try:
            while left:
                ours = self._ledger.lease_free(left)
                try:
                    count += self._publish({name: left.pop(name) for name in ours})
                finally:
                    self._ledger.release(*ours)
                if left:
                    self._wait(PAUSE_S)
        finally:
            for key in (key for batch in batches for key in batch.keys):
                self._begun.pop(key, None)
        return count

    def _look(self, platforms: Collection[Platform], skus: Collection[str]) -> Iterator[list[Publication]]:
        """The listings that show these SKUs, as the ledger has them now: some families, and when they are needed more."""
        families = list(dict.fromkeys(p.family for p in self._ledger.products(skus=skus)))
        seen, some = 0, FIRST_FAMILIES
        while page := families[seen : seen + some]:
            seen, some = seen + some, min(2 * some, MOST_FAMILIES)
            products = self._ledger.products(skus=(), spus=page)
            subjects = {f"sku:{p.sku}" for p in products} | {spu_subject(p) for p in products}
            pictures = self._ledger.pictures(subjects)
            if self._approved_only:
                pictures = [p for p in pictures if p.approved is not None]
            yield publications(platforms, products, pictures, self._designer)

    def _publish(self, ours: Mapping[str, tuple[Publication, Composed]]) -> int:
        """Look again as the only one who writes these listings, and write what is missing."""
        platforms = {publication.platform.name: publication.platform for publication, _ in ours.values()}
        skus = {sku for publication, _ in ours.values() for sku in publication.skus}
        count = 0
        for fresh in chain.from_iterable(self._look(platforms.values(), skus)):
            if found := ours.get(_lease(fresh)):
                publication, composed = found
                count += self._write(fresh, composed if fresh == publication else compose(fresh, self._maker))
        return count

    def _stands(self, publication: Publication, key: str) -> bool:
        """Whether a listing is as it should be: whole under this key, or absent if it has no pictures."""
        place = (publication.platform.name, publication.folder)
        if not publication.pictures:
            return not self._listings.exists(*place)
        return self._listings.listing_key(*place) == key

    def _write(self, publication: Publication, composed: Composed) -> int:
        """Write a listing, except pictures whose bytes are lost and do not stand there either."""
        platform, folder = publication.platform.name, publication.folder
        if not publication.pictures:
            self._listings.remove(platform, folder)
            return 0
        standing = self._listings.renditions(platform, folder)
        while publication.pictures:
            entries = composed.entries
            if self._stands(publication, composed.key):
                return len(entries)
            made = [standing.get(k) or self._made(e, k) for e, k in zip(entries, composed.keys, strict=True)]
            files = [
                (entry, key, rendition)
                for entry, key, rendition in zip(entries, composed.keys, made, strict=True)
                if rendition is not None and self._is_fit(publication, entry, rendition)
            ]
            lost = [entry for entry, rendition in zip(entries, made, strict=True) if rendition is None]
            if not lost:
                if files:
                    self._place(publication, composed.key, files)
                    self._miss_the_first(publication, [entry for entry, _, _ in files])
                return len(files)
            publication = self._without(publication, lost)
            composed = compose(publication, self._maker)
        return 0

    def _miss_the_first(self, publication: Publication, entries: Sequence[Entry]) -> None:
        """Tell of a listing that goes out without the picture it should open with."""
        first = publication.platform.placements[0]
        if self._approved_only and all(entry.placement.name != first.name for entry in entries):
            self.left_out.append(
                LeftOut(publication.platform.name, publication.folder, first.title or first.name, (NO_FIRST,))
            )

    def _without(self, publication: Publication, lost: Sequence[Entry]) -> Publication:
        """A listing without the pictures that cannot be shown any more."""
        self.left_out.extend(
            LeftOut(publication.platform.name, publication.folder, entry.file_name, (LOST,)) for entry in lost
        )
        keys = {entry.picture.key for entry in lost}
        return replace(publication, pictures=tuple(p for p in publication.pictures if p.key not in keys))

    def _place(
        self,
        publication: Publication,
        listing: Fingerprint,
        files: Sequence[tuple[Entry, Fingerprint, Rendition]],
    ) -> None:
        self._listings.write(
            publication.platform.name,
            publication.folder,
            [(entry.file_name, rendition.content) for entry, _, rendition in files],
            {
                "listing_key": listing,
                "platform": publication.platform.name,
                "subject": publication.subject,
                "placeholder": any(entry.picture.render.placeholder for entry, _, _ in files),
                "files": [described(*file) for file in files],
            },
        )

    def _is_fit(self, publication: Publication, entry: Entry, rendition: Rendition) -> bool:
        """Whether a file may be in this listing; drafts may have faults, what goes out may not."""
        faults = tuple(v for v in rendition.verdicts if v.severity == "fail")
        if not self._approved_only or not faults:
            return True
        self.left_out.append(LeftOut(publication.platform.name, publication.folder, entry.file_name, faults))
        return False

    def _made(self, entry: Entry, key: Fingerprint) -> Rendition | None:
        """The file of an entry, None if its picture's bytes are lost."""
        if key in self._begun:
            return self._begun[key]()
        # The listing changed while we waited for it.
        picture = entry.picture
        order = Order(picture.render, (entry.placement,), self._producer, picture.design)
        made = self._darkroom.begin(order)()
        return made[0] if made is not None else None


@dataclass(frozen=True, slots=True)
class _Batch:
    """Listings of a family that are to be written, and what was ordered for them."""

    publications: Sequence[tuple[Publication, Composed]]
    weight: int
    """Orders, or one where nothing needs to be made."""
    keys: Sequence[Fingerprint]

    @property
    def files(self) -> int:
        """How many the listings have."""
        return sum(len(composed.entries) for _, composed in self.publications)


def _oldest(waiting: deque[_Batch], *, but: int) -> Sequence[_Batch]:
    """Take out what is written together: one look and one lease serve all of it.

    What weighs *but* goes on waiting, so that the darkroom has enough to do.
    """
    taken = [waiting.popleft()]
    while (
        sum(batch.weight for batch in waiting) > but
        and sum(batch.files for batch in (*taken, waiting[0])) <= MOST_AT_ONCE
    ):
        taken.append(waiting.popleft())
    return taken


def _lease(publication: Publication) -> str:
    return f"listing:{publication.platform.name}:{publication.subject}"
