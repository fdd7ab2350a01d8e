"""The parts of an Office Open XML workbook and how they refer to each other, whoever wrote it."""

from __future__ import annotations

import posixpath
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from catalog_imagegen.adapters.catalogs.xml_encoding import is_utf_8, utf_8

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_WORKBOOK = "xl/workbook.xml"
_XML = (".xml", ".rels", ".vml")
_BEGINNING = 4096
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Relation:
    """What one part says of another."""

    kind: str
    """The last piece of its type, such as ``drawing``; the rest of a type differs between programs and standards."""
    target: str
    """The name of a part as ``Package`` knows it; of something external, the address as it is written."""
    is_external: bool = False
    written: str = ""
    """The target as it is written."""


@dataclass(frozen=True, slots=True)
class SheetPart:
    """One worksheet: what it is called and where its cells are."""

    title: str
    part: str
    is_hidden: bool


class Package:
    """The zip. Part names are compared without case, with ``/`` whichever way the strokes lean, and without escapes.

    XML is given in UTF-8, whatever it was written in. ``look_into`` has refused it before if it would unpack to too much or declares entities.
    """

    def __init__(self, data: bytes) -> None:
        self._zip = zipfile.ZipFile(BytesIO(data))
        self._members = {_name(member.filename): member for member in self._zip.infolist()}
        self._relations: dict[str, Mapping[str, Relation]] = {}

    def __contains__(self, part: str) -> bool:
        return _name(part) in self._members

    def read(self, part: str) -> bytes:
        """The bytes of a part. Raises KeyError where there is none of this name."""
        whole = BytesIO()
        with self._zip.open(self._members[_name(part)]) as file:
            shutil.copyfileobj(file, whole, _CHUNK_BYTES)  # zipfile's own read() holds a large sheet twice
        data = whole.getvalue()
        return utf_8(data) if _name(part).endswith(_XML) else data

    def beginning(self, part: str, most_bytes: int = _BEGINNING) -> bytes:
        """The first bytes of a part. Raises KeyError where there is none of this name."""
        with self._zip.open(self._members[_name(part)]) as file:
            data = file.read(most_bytes)
        return utf_8(data, errors="ignore") if _name(part).endswith(_XML) else data

    def has(self, name: str) -> bool:
        """Whether a part is there under exactly this *name*, in UTF-8."""
        if self._written_name(name) != name:
            return False
        with self._zip.open(self._members[_name(name)]) as file:
            return is_utf_8(file.read(_BEGINNING))

    def _written_name(self, part: str) -> str:
        member = self._members.get(_name(part))
        return member.filename if member is not None else ""

    def xml(self, part: str) -> Element:
        """The root of a part. Raises KeyError, ParseError."""
        return ET.fromstring(self.read(part))  # noqa: S314 - entities were refused before

    def relations(self, part: str) -> Mapping[str, Relation]:
        """Id → what *part* refers to; nothing where it refers to nothing."""
        listed = relations_part(_name(part))
        if listed not in self:
            return {}
        if listed not in self._relations:  # each sheet asks for those of the workbook
            found = _relations(self.xml(listed), posixpath.dirname(_name(part)))
            self._relations[listed] = dict(found)
        return self._relations[listed]

    def related(self, part: str, kind: str) -> str | None:
        """The first part to which *part* has a relation of this *kind*, if it is there."""
        found = (r.target for r in self.relations(part).values() if r.kind.casefold() == kind.casefold())
        return next((target for target in found if target in self), None)

    @cached_property
    def workbook(self) -> str:
        """The name of the part that lists the sheets."""
        named = (r.target for r in self.relations("").values() if r.kind == "officeDocument")
        return next((target for target in named if target in self), _WORKBOOK)

    def shared_strings(self) -> bytes:
        """The part with the texts of all cells; empty where there is none."""
        part = self.related(self.workbook, "sharedStrings")
        return self.read(part) if part is not None else b""

    @cached_property
    def sheets(self) -> tuple[SheetPart, ...]:
        """The worksheets in the order of their tabs; charts and macro sheets are none.

        Each part is one of them: a damaged workbook may name the same part ten thousand times.
        """
        targets = self.relations(self.workbook)
        found: dict[str, SheetPart] = {}
        for element in self.xml(self.workbook).iter():
            if local(element.tag) != "sheet":
                continue
            relation = targets.get(attribute(element, "id"))
            if relation is not None and relation.kind == "worksheet" and relation.target in self:
                is_hidden = element.get("state", "visible") != "visible"
                sheet = SheetPart(element.get("name", ""), relation.target, is_hidden)
                found.setdefault(relation.target, sheet)
        return tuple(found.values())


def local(tag: str) -> str:
    """The name of an element or attribute without its namespace: strict workbooks and WPS use others than Excel."""
    return tag.rpartition("}")[2]


def attribute(element: Element, name: str) -> str:
    """The attribute of this local name that has a namespace, such as ``r:id``; else the plain one; else empty."""
    qualified = (value for key, value in element.items() if key.startswith("{") and local(key) == name)
    return next(qualified, element.get(name, ""))


def _relations(root: Element, folder: str) -> Iterator[tuple[str, Relation]]:
    for element in root:
        target = element.get("Target", "")
        kind = element.get("Type", "").rstrip("/").rpartition("/")[2]
        if element.get("TargetMode", "").casefold() == "external":
            yield element.get("Id", ""), Relation(kind, target, is_external=True)
            continue
        path = target.replace("\\", "/")
        whole = path if path.startswith("/") else posixpath.join(folder, path)
        yield element.get("Id", ""), Relation(kind, _name(posixpath.normpath(whole)), written=target)


def relations_part(part: str) -> str:
    """The name of the part that says what *part* refers to."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _name(part: str) -> str:
    return unquote(part).replace("\\", "/").lstrip("/").casefold()
