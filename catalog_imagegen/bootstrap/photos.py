"""The photos of a shop wherever they are: in files and at web addresses."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from catalog_imagegen.adapters.catalogs.values import is_url
from catalog_imagegen.adapters.photos import FolderPhotos
from catalog_imagegen.adapters.remote_photos import Reach, RemotePhotos
from catalog_imagegen.config import Settings, Workspace
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.domain.imaging import Photo

PICTURES = "data/pictures"
"""Of the workspace: what was fetched. Placeholders are made of the same photos as pictures, so it is not kept apart."""


class ShopPhotos:
    """Each location is looked at where it leads."""

    def __init__(self, files: FolderPhotos, web: RemotePhotos) -> None:
        self._files = files
        self._web = web

    def by_sku(self, sku: str, others: Collection[str]) -> Sequence[str]:
        """Only files are called after SKUs."""
        return self._files.by_sku(sku, others)

    def prefetch(self, locations: Collection[str]) -> None:
        """Fetch those at web addresses, several at a time. Raises StorageFull and ConfigError."""
        self._web.fetch(location for location in locations if is_url(location))

    def look(self, location: str) -> Photo:
        """The photo that a catalog names. Raises PhotoError, which says what to do."""
        return self._web.look(location) if is_url(location) else self._files.look(location)

    def read(self, name: Digest) -> bytes | None:
        """The bytes of a photo that was looked at; None when they are others since, or gone."""
        content = self._files.read(name)
        return content if content is not None else self._web.read(name)

    def close(self) -> None:
        """Remember what was found out."""
        self._files.close()


def open_photos(workspace: Workspace, settings: Settings) -> ShopPhotos:
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
    return ShopPhotos(files, RemotePhotos(workspace.root / PICTURES, reach))
