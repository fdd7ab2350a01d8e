"""Arranges the pictures of a listing and names its files."""

from catalog_imagegen.stages.listing.arranging import VERSION, Entry, Shown, arrange, listing_key
from catalog_imagegen.stages.listing.naming import SUFFIXES, is_in_names, name_pattern
from catalog_imagegen.stages.listing.safe import MAX_NAME_BYTES, from_path_safe, path_safe

__all__ = [
    "MAX_NAME_BYTES",
    "SUFFIXES",
    "VERSION",
    "Entry",
    "Shown",
    "arrange",
    "from_path_safe",
    "is_in_names",
    "listing_key",
    "name_pattern",
    "path_safe",
]
