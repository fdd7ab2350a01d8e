"""The pictures that Excel keeps as rich values: placed in a cell, or fetched by IMAGE()."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from catalog_imagegen.adapters.catalogs.opc import Relation, attribute, local
from catalog_imagegen.adapters.catalogs.pictures.found import UNREADABLE, Item, SheetPicture, unreadable
from catalog_imagegen.adapters.catalogs.pictures.media import Media, part_called

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from catalog_imagegen.adapters.catalogs.layout import Place

T = TypeVar("T")

_TYPE = "XLRICHVALUE"
_LOCAL, _WEB = "_localImage", "_webimage"
_LOCAL_SLOT, _WEB_SLOT = "_rvRel:LocalImageIdentifier", "WebImageIdentifier"
_USUAL_PARTS = {
    "sheetMetadata": "metadata.xml",
    "rdRichValue": "richData/rdrichvalue.xml",
    "rdRichValueStructure": "richData/rdrichvaluestructure.xml",
    "richValueRel": "richData/richValueRel.xml",
    "rdRichValueWebImage": "richData/rdRichValueWebImage.xml",
}
"""Kind of relation → where Excel puts the part."""


@dataclass(frozen=True, slots=True)
class _Tables:
    """What leads from a cell to its rich value, whatever that is."""

    types: Sequence[str]
    blocks: Sequence[Sequence[tuple[int, int]]]
    """What a cell's number means: a type, counted from 1, and an index."""
    values: Sequence[int] | None
    """Index → rich value; None: they are the same."""
    rich: Sequence[tuple[int, Sequence[str]]]
    """A structure and the texts in its slots."""
    structures: Sequence[tuple[str, Sequence[str]]]
    """A type and the names of its slots."""

    def value(self, number: int) -> tuple[str, Mapping[str, str]]:
        """The type of a cell's rich value and its slots by name. Raises LookupError where the trail breaks."""
        meanings = _at(self.blocks, number - 1)
        index = next((index for kind, index in meanings if _at(self.types, kind - 1) == _TYPE), None)
        if index is None:
            return "", {}
        structure, texts = _at(self.rich, index if self.values is None else _at(self.values, index))
        kind, names = _at(self.structures, structure)
        return kind, dict(zip(names, texts, strict=False))


class RichValues:
    """The rich values of a workbook that are pictures."""

    def __init__(self, media: Media) -> None:
        self._media = media

    def shown_by(self, number: int, place: Place) -> Item | None:
        """The picture that a cell with this rich value shows; None where it shows a stock, a country or an error."""
        if self._tables is None:
            return unreadable(place)
        try:
            kind, slots = self._tables.value(number)
            if kind == _LOCAL:
                relation = _at(self._local, int(slots[_LOCAL_SLOT]))
                return self._media.of_relation(relation, "place_in_cell", place)
            if kind == _WEB:
                return self._of_web(_at(self._web, int(slots[_WEB_SLOT])), place)
        except UNREADABLE:
            return unreadable(place)
        return None

    def _of_web(self, ways: Mapping[str, Relation], place: Place) -> Item:
        """What was fetched when the workbook was last calculated, else from where."""
        items = [
            self._media.of_relation(ways[way], "image_function", place)
            for way in ("blip", "address")
            if way in ways
        ]
        return next((item for item in items if isinstance(item, SheetPicture)), unreadable(place))

    @cached_property
    def _tables(self) -> _Tables | None:
        """None where one of the parts is damaged or missing."""
        try:
            metadata = self._xml("sheetMetadata")
            return _Tables(
                [each.get("name", "") for each in _each(metadata, "metadataTypes", "metadataType")],
                [
                    [(int(rc.get("t", "")), int(rc.get("v", ""))) for rc in _all(block, "rc")]
                    for block in _each(metadata, "valueMetadata", "bk")
                ],
                _future_values(metadata),
                [
                    (int(value.get("s", "")), [slot.text or "" for slot in _all(value, "v")])
                    for value in _all(self._xml("rdRichValue"), "rv")
                ],
                [
                    (each.get("t", ""), [slot.get("n", "") for slot in _all(each, "k")])
                    for each in _all(self._xml("rdRichValueStructure"), "s")
                ],
            )
        except UNREADABLE:
            return None

    @cached_property
    def _local(self) -> Sequence[Relation]:
        """The relations that placed pictures number; one that leads nowhere stands for those that are damaged."""
        try:
            listed = list(_all(self._xml("richValueRel"), "rel"))
        except UNREADABLE:
            return ()
        relations = self._media.relations(self._part("richValueRel"))
        return [relations.get(attribute(each, "id"), Relation("image", "")) for each in listed]

    @cached_property
    def _web(self) -> Sequence[Mapping[str, Relation]]:
        """The pictures from the web, each with its address and what was fetched."""
        try:
            listed = list(_all(self._xml("rdRichValueWebImage"), "webImageSrd"))
        except UNREADABLE:
            return ()
        relations = self._media.relations(self._part("rdRichValueWebImage"))
        return [
            {
                local(way.tag): relations[attribute(way, "id")]
                for way in image
                if attribute(way, "id") in relations
            }
            for image in listed
        ]

    def _part(self, kind: str) -> str:
        package = self._media.package
        folder = posixpath.dirname(package.workbook)
        return package.related(package.workbook, kind) or posixpath.join(folder, _USUAL_PARTS[kind])

    def _xml(self, kind: str) -> Element:
        return self._media.package.xml(self._part(kind))


def _at(entries: Sequence[T], index: int) -> T:
    """An entry; what is counted from the end in Python is damage here."""
    if index < 0:
        raise IndexError(index)
    return entries[index]


def _future_values(metadata: Element) -> Sequence[int] | None:
    """The rich values that the index of a cell's number stands for, where they are listed apart."""
    for future in _all(metadata, "futureMetadata"):
        if future.get("name") == _TYPE:
            return [_future_value(block) for block in _all(future, "bk")]
    return None


def _future_value(block: Element) -> int:
    found = (each.get("i", "") for each in block.iter() if local(each.tag) == "rvb")
    return int(next(found, ""))


def _all(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element if local(child.tag) == name)


def _each(root: Element, group: str, name: str) -> Iterator[Element]:
    element = part_called(root, group)
    return iter(()) if element is None else _all(element, name)
