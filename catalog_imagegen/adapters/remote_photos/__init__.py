"""The products' own photos at web addresses: fetched politely, kept, and asked for again only where they may be others."""

from catalog_imagegen.adapters.remote_photos.photos import Reach, RemotePhotos

__all__ = ["Reach", "RemotePhotos"]
