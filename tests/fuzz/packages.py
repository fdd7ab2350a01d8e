"""Mutations of workbooks in a zip: what a part says, which parts there are, and the zip around them."""

from __future__ import annotations

import re
from random import Random

from tests.fuzz import markup, raw, records
from tests.fuzz.corpus import members
from tests.hostile.opc import Member, honest, zip_of

_HEADERS = re.compile(rb"PK\x01\x02|PK\x03\x04|PK\x05\x06")
_SIZES = (0, 1, 0xFFFF, 10 << 20, 600 << 20, 0x7FFFFFFF, 0xFFFFFFFF)
_NAMES = (
    "../../etc/passwd", "/xl/workbook.xml", "xl\\workbook.xml", "XL/Workbook.XML", "xl/vbaProject.bin", "", ".", "/",
    "x" * 60_000, "content.xml", "mimetype", "xl/workbook.bin", "[trash]/0000.dat", "xl/worksheets/", "商品.xml", "a\0b",
)  # fmt: skip
_WITH_CELLS = re.compile(
    r"sheet\d*\.(?:xml|bin)$|content\.xml$|sharedStrings|styles|drawing|rich|cellimages", re.IGNORECASE
)
_MARKUP = (".xml", ".rels", ".vml")


def mutated(data: bytes, chance: Random) -> bytes:
    """Mostly one part with valid sums around it, else the list of parts, the zip's own fields, or any bytes."""
    way = chance.random()
    if way < 0.66:
        return _zipped(_with_changed_part(members(data), chance))
    if way < 0.8:
        return _zipped(_with_other_parts(members(data), chance))
    if way < 0.9:
        return _with_lies(members(data), chance)
    return _with_damaged_headers(data, chance) if way < 0.95 else raw.damaged(data, chance)


def _zipped(parts: list[tuple[str, bytes]]) -> bytes:
    return zip_of([honest(name, part) for name, part in parts])


def _with_changed_part(parts: dict[str, bytes], chance: Random) -> list[tuple[str, bytes]]:
    telling = [name for name in parts if _WITH_CELLS.search(name)]
    for _ in range(chance.choice((1, 1, 2))):
        name = chance.choice(telling if telling and chance.random() < 0.7 else list(parts))
        parts[name] = _changed(name, parts[name], chance)
    return list(parts.items())


def _changed(name: str, part: bytes, chance: Random) -> bytes:
    if name.lower().endswith(_MARKUP):
        return markup.mutated(part, chance)
    if name.lower().endswith(".bin"):
        return records.mutated_xlsb(part, chance)
    return raw.damaged(part, chance)


def _with_other_parts(parts: dict[str, bytes], chance: Random) -> list[tuple[str, bytes]]:
    """Parts are missing, there twice, called otherwise or in each other's place."""
    listed = list(parts.items())
    for _ in range(chance.choice((1, 1, 2))):
        place, other = (chance.randrange(len(listed)) for _ in range(2))
        name, part = listed[place]
        way = chance.randrange(7)
        if way == 0 and len(listed) > 1:
            del listed[place]
        elif way == 1:
            listed.append((name, _changed(name, part, chance)))
        elif way == 2:
            listed[place] = chance.choice(_NAMES), part
        elif way == 3:
            listed[place] = name, listed[other][1]
        elif way == 4:
            listed[place] = name, b""
        elif way == 5:
            listed[place] = name.swapcase(), part
        else:
            listed += [
                (f"xl/worksheets/sheet{number}.xml", part) for number in range(chance.choice((3, 400)))
            ]
    return listed


def _with_lies(parts: dict[str, bytes], chance: Random) -> bytes:
    """The zip's directory says of a part what is not so."""
    told = [honest(name, part) for name, part in parts.items()]
    place = chance.randrange(len(told))
    each = told[place]
    told[place] = chance.choice(
        (
            Member(each.name, each.packed, each.crc ^ 1, each.size),
            Member(each.name, each.packed, each.crc, chance.choice(_SIZES)),
            Member(each.name, each.packed[: len(each.packed) // 2], each.crc, each.size),
            Member(each.name, raw.damaged(each.packed, chance), each.crc, each.size),
            Member(each.name, b"", each.crc, each.size),
            Member(chance.choice(_NAMES), each.packed, each.crc, each.size),
        )
    )
    return zip_of(told)


def _with_damaged_headers(data: bytes, chance: Random) -> bytes:
    """Numbers in the headers of the zip itself are others: versions, flags, methods, sizes, offsets."""
    for _ in range(chance.choice((1, 2))):
        found = [match.start() for match in _HEADERS.finditer(data)]
        if not found:
            break
        start = chance.choice(found)
        at = start + chance.randrange(4, 46)
        data = data[:at] + raw.with_number(data[at : at + 4], chance) + data[at + 4 :]
    return data
