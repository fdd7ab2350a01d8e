"""Brings the photos that pictures are made from into the blob store, where servers get them from."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.domain.imaging import Wanted
from catalog_imagegen.pipeline.prepare import Services

log = logging.getLogger(__name__)


def keep_photos(pictures: Iterable[Wanted], services: Services) -> Mapping[str, Digest]:
    """Store the photos of pictures that are about to be rendered; returns file name → blob of those that are there.

    A photo that is another since it was planned, or gone, is missing from it; see ``with_photos``.
    """
    wanted = {name: content for picture in pictures for name, content in picture.photos.items()}
    return {name: content for name, content in wanted.items() if _store(content, services)}


def with_photos(pictures: Iterable[Wanted], kept: Mapping[str, Digest]) -> tuple[Wanted, ...]:
    """The pictures whose photos are all *kept*. The others stay planned: the next plan sees what their photos are now."""
    sorted_out = [(picture, picture.photos.keys() <= kept.keys()) for picture in pictures]
    waiting = sum(not is_there for _, is_there in sorted_out)
    if waiting:
        log.warning("%d pictures wait, because their photos were changed just now; run again", waiting)
    return tuple(picture for picture, is_there in sorted_out if is_there)


def _store(name: Digest, services: Services) -> bool:
    """Whether the bytes of this name are in the store now."""
    if services.blobs.has(name):
        return True
    content = services.photos.read(name) if services.photos is not None else None
    return content is not None and services.blobs.put(content) == name
