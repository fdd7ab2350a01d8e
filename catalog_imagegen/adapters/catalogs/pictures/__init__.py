"""The pictures that lie inside workbooks, whichever program put them there."""

from catalog_imagegen.adapters.catalogs.pictures.biff8 import pictures_in_xls
from catalog_imagegen.adapters.catalogs.pictures.found import SheetPicture, SheetPictures
from catalog_imagegen.adapters.catalogs.pictures.ooxml import CellPictures
from catalog_imagegen.adapters.catalogs.pictures.opendocument import pictures_in_ods

__all__ = ["CellPictures", "SheetPicture", "SheetPictures", "pictures_in_ods", "pictures_in_xls"]
