"""A workbook some of whose parts are written anew, while the others keep their bytes in the zip."""

from __future__ import annotations

import posixpath
import struct
import zipfile
from collections.abc import Collection, Iterator, Sequence
from io import BytesIO

from catalog_imagegen.adapters.answers.markup import (
    Buffer,
    Element,
    appended,
    attribute,
    children,
    joined,
    quoted,
    root_of,
    spliced,
    utf8,
)
from catalog_imagegen.adapters.catalogs.opc import Package

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_RELATIONS = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>'
_TYPES = "[Content_Types].xml"
_XML = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_LOCAL_HEAD = 30
_NAME_LENGTHS = struct.Struct("<HH")
_SIZES_FOLLOW = 0x08
_LEVEL = 4
"""Of packing: a sheet of 100 MB takes a second less than with the usual one, and a tenth more room."""
_PIECE_BYTES = 1 << 20

_State = tuple[dict[str, Sequence[Buffer]], dict[str, str], set[str]]


class Parts(Package):
    """The parts of a workbook. Names are those of ``Package``: without case."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._changed: dict[str, Sequence[Buffer]] = {}
        self._names: dict[str, str] = {}
        """Of new parts, as they are written."""
        self._dropped: set[str] = set()
        root = self.beginning(self.workbook)
        self.is_strict = b"http://purl.oclc.org/ooxml/" in root

    def __contains__(self, part: str) -> bool:
        name = _name(part)
        return name in self._changed or (name not in self._dropped and super().__contains__(name))

    def read(self, part: str) -> bytes:
        """The bytes of a part, as they are now. Raises KeyError where there is none of this name."""
        name = _name(part)
        if name in self._changed:
            return joined(self._changed[name])
        if name in self._dropped:
            raise KeyError(part)
        return super().read(name)

    def text(self, part: str) -> bytes:
        """The XML of a part, in which elements can be searched. Raises KeyError."""
        return utf8(self.read(part))

    def put(self, part: str, content: bytes | Sequence[Buffer]) -> None:
        """Write a part anew, or a new one."""
        name = _name(part)
        self._dropped.discard(name)
        if not super().__contains__(name):
            self._names.setdefault(name, part.lstrip("/"))
        self._changed[name] = [content] if isinstance(content, bytes) else content

    def drop(self, part: str) -> None:
        """Leave a part out, with the relations that it has."""
        for name in (_name(part), _name(_listed(part))):
            self._changed.pop(name, None)
            self._names.pop(name, None)
            self._dropped.add(name)

    def state(self) -> _State:
        """What was changed until now, to go back to."""
        return dict(self._changed), dict(self._names), set(self._dropped)

    def restore(self, state: _State) -> None:
        """Forget what was changed since then."""
        self._changed, self._names, self._dropped = (dict(state[0]), dict(state[1]), set(state[2]))

    def unused(self, pattern: str) -> str:
        """A name that no part has; *pattern* has ``{}`` for a number."""
        return next(name for name in map(pattern.format, range(1, 1 << 20)) if name not in self)

    @property
    def names(self) -> set[str]:
        """Of all parts."""
        return {*self._members, *map(_name, self._names)} - self._dropped

    def kind(self, name: str) -> str:
        """The type of a relation, in the words of the standard that the workbook follows."""
        return f"{_STRICT if self.is_strict else _OFFICE}/{name}"

    @property
    def main(self) -> str:
        """The namespace of sheets, styles and comments."""
        return _MAIN[self.is_strict]

    @property
    def office(self) -> str:
        """The namespace of ``r:id``."""
        return _STRICT if self.is_strict else _OFFICE

    def relate(
        self, part: str, relations: Sequence[tuple[str, str]], *, is_external: bool = False
    ) -> list[str]:
        """Add relations, each a kind and a target: the name of a part, or an address. Gives their ids."""
        listed = _listed(part)
        xml = self.text(listed) if listed in self else _XML + _RELATIONS
        root = root_of(xml)
        taken = {attribute(xml[each.start : each.inner], b"Id") for each in self._related(xml)}
        free = (key for key in (f"rId{number}" for number in range(1, 1 << 24)) if key not in taken)
        keys, added = [], []
        for kind, target in relations:
            key = next(free)
            keys.append(key)
            where = quoted(target if is_external else "/" + target)
            added.append(
                b"<%sRelationship Id=%s Type=%s Target=%s%s/>"
                % (
                    root.prefix,
                    quoted(key),
                    quoted(self.kind(kind)),
                    where,
                    b' TargetMode="External"' if is_external else b"",
                )
            )
        if added:
            self.put(listed, appended(xml, b"".join(added)))
        return keys

    def unrelate(self, part: str, keys: Collection[str]) -> None:
        """Take relations away, and the media and drawings that nothing refers to then."""
        listed = _listed(part)
        if not keys or listed not in self:
            return
        targets = {r.target for key, r in self.relations(part).items() if key in keys and not r.is_external}
        xml = self.text(listed)
        gone = [
            (each.start, each.end, b"")
            for each in self._related(xml)
            if attribute(xml[each.start : each.inner], b"Id") in keys
        ]
        self.put(listed, joined(spliced(xml, gone)))
        for target in targets - self._referred(targets):
            self.drop(target)

    def declare(self, part: str, content_type: str) -> None:
        """Say of what type a part is. A package that says nothing of its parts is left alone."""
        if _TYPES not in self:
            return
        xml = self.text(_TYPES)
        prefix = root_of(xml).prefix
        written = "/" + part
        if written.casefold() not in {attribute(tag, b"PartName").casefold() for tag in _tags(xml)}:
            added = b"<%sOverride PartName=%s ContentType=%s/>"
            self.put(_TYPES, appended(xml, added % (prefix, quoted(written), quoted(content_type))))

    def declare_all(self, extension: str, content_type: str) -> bool:
        """Say of what type all parts with this extension are; False where they are something else already."""
        if _TYPES not in self:
            return True
        xml = self.text(_TYPES)
        for tag in _tags(xml):
            if attribute(tag, b"Extension").casefold() == extension:
                return attribute(tag, b"ContentType").casefold() == content_type.casefold()
        root = root_of(xml)
        added = b"<%sDefault Extension=%s ContentType=%s/>"
        default = added % (root.prefix, quoted(extension), quoted(content_type))
        self.put(
            _TYPES,
            xml[: root.inner] + default + xml[root.inner :] if not root.is_empty else appended(xml, default),
        )
        return True

    def finish(self) -> bytes:
        """The workbook."""
        saved = BytesIO()
        with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
            for member in self._zip.infolist():
                name = _name(member.filename)
                if name in self._changed:
                    _write(archive, member.filename, self._changed[name])
                elif name not in self._dropped:
                    _copy(self._zip, member, archive)
            for name, written in self._names.items():
                _write(archive, written, self._changed[name])
        return saved.getvalue()

    def _related(self, xml: bytes) -> Iterator[Element]:
        root = root_of(xml)
        return children(xml, root.inner, root.outer)

    def _referred(self, targets: Collection[str]) -> set[str]:
        """Which of these parts some relation still has for its target."""
        folders = (name for name in self.names if name.endswith(".rels"))
        found: set[str] = set()
        for listed in folders:
            folder, name = posixpath.split(listed)
            owner = posixpath.join(posixpath.dirname(folder), name.removesuffix(".rels"))
            found.update(
                r.target for r in self.relations(owner).values() if not r.is_external and r.target in targets
            )
        return found


def _tags(xml: bytes) -> Iterator[bytes]:
    root = root_of(xml)
    return (xml[each.start : each.inner] for each in children(xml, root.inner, root.outer))


def _name(part: str) -> str:
    return part.replace("\\", "/").lstrip("/").casefold()


def _listed(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _write(archive: zipfile.ZipFile, name: str, content: Sequence[Buffer]) -> None:
    """Pack a part, without a time; what comes in many small pieces is packed by the megabyte."""
    waiting: list[Buffer] = []
    length = 0
    with archive.open(name, "w") as file:
        for piece in content:
            waiting.append(piece)
            length += len(piece)
            if length >= _PIECE_BYTES:
                file.write(joined(waiting))
                waiting, length = [], 0
        file.write(joined(waiting))


def _copy(source: zipfile.ZipFile, member: zipfile.ZipInfo, archive: zipfile.ZipFile) -> None:
    """Copy a part as it is packed, which ``zipfile`` has no way for: photos are many and would be packed again."""
    came, goes = source.fp, archive.fp
    if came is None or goes is None:
        raise ValueError("the zip is closed")
    came.seek(member.header_offset)
    head = came.read(_LOCAL_HEAD)
    name_length, extra_length = _NAME_LENGTHS.unpack(head[-_NAME_LENGTHS.size :])
    came.seek(name_length + extra_length, 1)
    packed = came.read(member.compress_size)
    copied = zipfile.ZipInfo(member.filename, member.date_time)
    for field in (
        "compress_type",
        "create_system",
        "external_attr",
        "CRC",
        "compress_size",
        "file_size",
        "comment",
    ):
        setattr(copied, field, getattr(member, field))
    copied.flag_bits = member.flag_bits & ~_SIZES_FOLLOW
    goes.seek(archive.start_dir)
    copied.header_offset = goes.tell()
    goes.write(copied.FileHeader(zip64=False))
    goes.write(packed)
    archive.start_dir = goes.tell()
    archive.filelist.append(copied)
    archive.NameToInfo[copied.filename] = copied
    archive._didModify = True  # type: ignore[attr-defined]  # noqa: SLF001 - else the list of parts is not written
