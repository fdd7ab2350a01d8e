"""The products' own photos in files: of the shop's folder, of zips in it, made upright and plain."""

from catalog_imagegen.adapters.photos.content import prepared
from catalog_imagegen.adapters.photos.errors import FOLDER
from catalog_imagegen.adapters.photos.folder import FolderPhotos

__all__ = ["FOLDER", "FolderPhotos", "prepared"]
