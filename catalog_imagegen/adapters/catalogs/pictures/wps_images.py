"""The pictures that WPS keeps beside the sheets and cells name with DISPIMG."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.opc import local
from catalog_imagegen.adapters.catalogs.pictures.formulas import dispimg_ids
from catalog_imagegen.adapters.catalogs.pictures.found import UNREADABLE, Item, unreadable
from catalog_imagegen.adapters.catalogs.pictures.media import Media, part_called, parts_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from catalog_imagegen.adapters.catalogs.layout import Mark, Place


class WpsImages:
    """The cell images of a workbook by their id."""

    def __init__(self, media: Media) -> None:
        self._media = media

    def shown_by(self, mark: Mark, place: Place) -> Item:
        """The picture of a DISPIMG cell.

        What the cell shows goes before its formula, which may name several; Excel leaves only the formula.
        """
        if self._pictures is None:
            return unreadable(place)
        for key in (*dispimg_ids(mark.value), *dispimg_ids(mark.formula)):
            picture = self._pictures.get(key.casefold())
            if picture is not None:
                return self._media.of_blip(
                    self._part, part_called(picture, "blipFill", "blip"), "dispimg", place
                )
        return "image_id_dangling", place

    @cached_property
    def _part(self) -> str:
        """The part that lists them, which need not exist."""
        package = self._media.package
        usual = posixpath.join(posixpath.dirname(package.workbook), "cellimages.xml")
        return package.related(package.workbook, "cellImage") or usual

    @cached_property
    def _pictures(self) -> Mapping[str, Element] | None:
        """Id → picture; None where the list is damaged."""
        try:
            if self._part not in self._media.package:
                return {}
            named: dict[str, Element] = {}
            for key, picture in _named(self._media.package.xml(self._part)):
                named.setdefault(key.casefold(), picture)
            return named
        except UNREADABLE:
            return None


def _named(root: Element) -> Iterator[tuple[str, Element]]:
    for image in parts_of(root):
        for picture in parts_of(image):
            about = part_called(picture, "nvPicPr", "cNvPr")
            if local(picture.tag) == "pic" and about is not None:
                yield about.get("name", ""), picture  # the attribute id repeats
