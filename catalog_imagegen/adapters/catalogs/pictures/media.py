"""The picture parts of a package, each read once however many cells show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from catalog_imagegen.adapters.catalogs.opc import Package, Relation, attribute, local
from catalog_imagegen.adapters.catalogs.pictures.found import (
    UNREADABLE,
    Item,
    SheetPicture,
    holding,
    unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from catalog_imagegen.adapters.catalogs.layout import Place
    from catalog_imagegen.domain.catalog import PictureKind


class Media:
    """Follows the references to pictures."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self._contents: dict[str, bytes] = {}
        self._relations: dict[str, Mapping[str, Relation]] = {}

    def relations(self, part: str) -> Mapping[str, Relation]:
        """What *part* refers to; nothing where that is damaged."""
        if part not in self._relations:
            try:
                self._relations[part] = self.package.relations(part)
            except UNREADABLE:
                self._relations[part] = {}
        return self._relations[part]

    def of_blip(self, part: str, blip: Element | None, kind: PictureKind, place: Place | None) -> Item:
        """The picture that a ``blip`` element of *part* names: in the file if it is there, else where it is linked."""
        if blip is not None:
            for way in ("embed", "link"):
                relation = self.relations(part).get(attribute(blip, way))
                if relation is not None:
                    return self.of_relation(relation, kind, place)
        return unreadable(place)

    def of_relation(self, relation: Relation, kind: PictureKind, place: Place | None) -> Item:
        """The picture that a relation points to."""
        if not relation.is_external:
            return holding(self._content(relation.target), kind, place)
        return SheetPicture(place, kind, address=relation.target) if relation.target else unreadable(place)

    def _content(self, part: str) -> bytes:
        if part not in self._contents:
            try:
                self._contents[part] = self.package.read(part)
            except UNREADABLE:
                self._contents[part] = b""
        return self._contents[part]


def parts_of(element: Element) -> Iterator[Element]:
    """The children of an element; of alternatives for old and new programs, those for the new."""
    pending = [*element][::-1]
    while pending:
        child = pending.pop()
        if local(child.tag) != "AlternateContent":
            yield child
            continue
        choice = next((each for each in child if local(each.tag) == "Choice"), None)
        if choice is not None:
            pending.extend([*choice][::-1])


def part_called(element: Element | None, *names: str) -> Element | None:
    """The first descendant down this path of local names, if all of them are there."""
    for name in names:
        if element is None:
            return None
        element = next((child for child in element if local(child.tag) == name), None)
    return element
