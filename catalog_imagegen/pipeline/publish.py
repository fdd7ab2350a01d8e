"""Turns renders into listing folders; does nothing where a listing already stands as it should."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from PIL import Image

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint
from catalog_imagegen.domain.imaging import Placement, Platform, Verdict
from catalog_imagegen.domain.job import PictureStatus
from catalog_imagegen.pipeline.ports import BlobStore, Ledger, Listings, Previews
from catalog_imagegen.pipeline.want import spu_subject
from catalog_imagegen.stages.listing import Entry, Shown, arrange, listing_key, path_safe
from catalog_imagegen.stages.rendition import Rendition, adapt, file_shape, open_render, rendition_key
from catalog_imagegen.stages.verdict import judge_file

PAUSE_S = 0.05
"""Between looks at a listing that another process is writing."""
KEPT_OPEN = 6
"""Decoded renders kept for the next platform; a render of 1280 × 1280 takes 5 MB."""
KEPT_MADE = 64
"""Files kept for other places that want the same; one of 800 × 800 takes 0.15 MB."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One listing: a platform's pictures of one subject."""

    platform: Platform
    subject: str
    skus: tuple[str, ...]
    pictures: tuple[Shown, ...]

    @property
    def folder(self) -> str:
        """The subject's folder below the platform's."""
        return path_safe(self.subject.partition(":")[2])


def publications(
    platforms: Iterable[Platform], products: Sequence[Product], statuses: Sequence[PictureStatus]
) -> list[Publication]:
    """The listings of these products: per SPU or per SKU, each with the pictures of its subjects.

    A listing that lost its last picture to a reviewer is there, and empty.
    """
    by_subject: dict[str, list[Shown]] = {}
    for status in statuses:
        if (shown := _shown(status)) is not None:
            by_subject.setdefault(status.key.subject, []).append(shown)
        elif status.is_rejected:
            by_subject.setdefault(status.key.subject, [])
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
                found.append(Publication(platform, subject, tuple(p.sku for p in variants), pictures))
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
    """Writes listings, decoding each render once for all that need it in a row.

    With *approved_only* they hold approved pictures whose files passed; ``left_out`` names the others.
    """

    def __init__(
        self,
        ledger: Ledger,
        blobs: BlobStore,
        listings: Listings,
        *,
        previews: Previews | None = None,
        approved_only: bool = False,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.left_out: list[LeftOut] = []
        self._approved_only = approved_only
        self._previews = previews
        self._wait = wait
        self._ledger = ledger
        self._blobs = blobs
        self._listings = listings
        self._open: OrderedDict[Digest, Image.Image] = OrderedDict()
        self._made: OrderedDict[tuple[Digest, bool, Placement], Rendition] = OrderedDict()

    def publish(
        self, platforms: Collection[Platform], skus: Collection[str], *, siblings: bool = True
    ) -> int:
        """Bring the listings that show these SKUs up to date; returns the renditions they hold.

        With *siblings* also those of their variants, which may share pictures with them. Works from the
        ledger alone, so any process may do it at any time.
        """
        found = self._find(platforms, skus)
        return sum(self._publish(p) for p in found if siblings or not set(p.skus).isdisjoint(skus))

    def refresh(
        self, platforms: Iterable[Platform], skus: Collection[str], *, enabled: Collection[str]
    ) -> None:
        """Bring the listings that show these SKUs up to date: all of enabled platforms, of others those there are."""
        for publication in self._find(list(platforms), skus):
            name = publication.platform.name
            if name in enabled or self._listings.exists(name, publication.folder):
                self._publish(publication)

    def _find(self, platforms: Collection[Platform], skus: Collection[str]) -> list[Publication]:
        families = {p.family for p in self._ledger.products(skus=skus)}
        products = self._ledger.products(skus=(), spus=families)
        subjects = {f"sku:{p.sku}" for p in products} | {spu_subject(p) for p in products}
        pictures = self._ledger.pictures(subjects)
        if self._approved_only:
            pictures = [p for p in pictures if p.approved is not None]
        return publications(platforms, products, pictures)

    def _publish(self, publication: Publication) -> int:
        """Leave a listing that stands; else look again as the only one who writes it."""
        entries, _, key = _composed(publication)
        if self._stands(publication, key):
            return len(entries)
        name = f"listing:{publication.platform.name}:{publication.subject}"
        while not self._ledger.lease(name):
            self._wait(PAUSE_S)
        try:
            fresh = self._find([publication.platform], publication.skus)
            return sum(self._write(p) for p in fresh if p.subject == publication.subject)
        finally:
            self._ledger.release(name)

    def _stands(self, publication: Publication, key: str) -> bool:
        """Whether a listing is as it should be: whole under this key, or absent if it has no pictures."""
        place = (publication.platform.name, publication.folder)
        if not publication.pictures:
            return not self._listings.exists(*place)
        return self._listings.listing_key(*place) == key

    def _write(self, publication: Publication) -> int:
        """Write a listing, except pictures whose bytes are lost and do not stand there either."""
        platform, folder = publication.platform.name, publication.folder
        if not publication.pictures:
            self._listings.remove(platform, folder)
            return 0
        standing = self._listings.renditions(platform, folder)
        while publication.pictures:
            entries, keys, listing = _composed(publication)
            if self._stands(publication, listing):
                return len(entries)
            made = [standing.get(k) or self._adapt(e) for e, k in zip(entries, keys, strict=True)]
            files = [
                (entry, key, rendition)
                for entry, key, rendition in zip(entries, keys, made, strict=True)
                if rendition is not None and self._is_fit(publication, entry, rendition)
            ]
            lost = [entry for entry, rendition in zip(entries, made, strict=True) if rendition is None]
            if not lost:
                if files:
                    self._place(publication, listing, files)
                    self._miss_the_first(publication, [entry for entry, _, _ in files])
                return len(files)
            publication = self._without(publication, lost)
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
                "files": [_file(*file) for file in files],
            },
        )

    def _is_fit(self, publication: Publication, entry: Entry, rendition: Rendition) -> bool:
        """Whether a file may be in this listing; drafts may have faults, what goes out may not."""
        faults = tuple(v for v in rendition.verdicts if v.severity == "fail")
        if not self._approved_only or not faults:
            return True
        self.left_out.append(LeftOut(publication.platform.name, publication.folder, entry.file_name, faults))
        return False

    def _adapt(self, entry: Entry) -> Rendition | None:
        """The file of an entry, None if its picture's bytes are lost.

        Places that ask for the same file share it, each with its own verdicts.
        """
        render = entry.picture.render
        key = render.digest, render.placeholder, file_shape(entry.placement)
        if key not in self._made:
            try:
                self._made[key] = self._encoded(entry)
            except FileNotFoundError:
                return None
        self._made.move_to_end(key)
        while len(self._made) > KEPT_MADE:
            self._made.popitem(last=False)
        made = self._made[key]
        return replace(made, verdicts=judge_file(made.content, entry.placement))

    def _encoded(self, entry: Entry) -> Rendition:
        digest = entry.picture.render.digest
        if digest not in self._open:
            self._open[digest] = open_render(self._blobs.get(digest))
            if self._previews is not None:
                self._previews.keep(digest, self._open[digest])
        self._open.move_to_end(digest)
        while len(self._open) > KEPT_OPEN:
            self._open.popitem(last=False)
        return adapt(self._open[digest], entry.placement, placeholder=entry.picture.render.placeholder)


def _composed(publication: Publication) -> tuple[tuple[Entry, ...], list[Fingerprint], Fingerprint]:
    """The entries of a listing, the keys of their renditions, and the key of it all."""
    owner = publication.skus[0] if publication.platform.listing_per == "sku" else ""
    entries = arrange(publication.platform, publication.pictures, sku=owner)
    keys = [
        rendition_key(e.picture.render.digest, e.placement, placeholder=e.picture.render.placeholder)
        for e in entries
    ]
    return entries, keys, listing_key(publication.platform, publication.subject, entries, keys)


def _file(entry: Entry, key: str, rendition: Rendition) -> Mapping[str, Any]:
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
        "sha256": hashlib.sha256(rendition.content).hexdigest(),
        "state": "approved" if picture.is_approved else "draft",
        "is_current": picture.is_current,
        "placeholder": picture.render.placeholder,
        "verdicts": [asdict(verdict) for verdict in rendition.verdicts],
        "render": picture.render.digest,
        "rendition_key": key,
    }
