"""Mutations of binary workbooks: their records, and the container of old ones."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from io import BytesIO
from random import Random

import olefile

from tests.fuzz import raw
from tests.hostile.ole2 import compound_file

_HEAD = struct.Struct("<HH")
_SECTOR = 512
_STREAMS = ("Workbook", "Book", "EncryptionInfo", "EncryptedPackage")
_HEADER_FIELDS = (24, 26, 28, 30, 32, 40, 44, 48, 56, 60, 64, 68, 72, 76, 80)
_SECTORS = (0, 1, 2, 0x7FFFFFFF, 0xFFFFFFFA, 0xFFFFFFFC, 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF)
_RECORDS: tuple[tuple[int, bytes], ...] = (
    (0x0208, struct.pack("<HHHHHHI", 65535, 0, 256, 0x8000, 0, 0, 0x20)),  # a hidden row
    (0x0200, struct.pack("<IIHHH", 0, 0xFFFFFFFF, 0, 0xFFFF, 0)),  # dimensions
    (0x0200, struct.pack("<IIHHH", 0, 65536, 0, 256, 0)),
    (0x00E5, struct.pack("<HHHHH", 1, 0, 65535, 0, 255)),  # merged cells: the whole sheet
    (0x00E5, struct.pack("<H", 65535) + struct.pack("<HHHH", 0, 65535, 0, 255) * 900),
    (0x0203, struct.pack("<HHHd", 65535, 255, 0, 1e308)),  # a number in the last cell
    (0x0203, struct.pack("<HHHd", 1, 7, 21, 1e300)),
    (0x0203, struct.pack("<HHHd", 1, 0, 0xFFFF, float("nan"))),
    (0x00FD, struct.pack("<HHHI", 1, 0, 0, 0xFFFFFFFF)),  # a text that there is not
    (0x0006, struct.pack("<HHHdHIH", 1, 1, 0, 1.0, 0, 0, 65535)),  # a formula
    (0x0205, struct.pack("<HHHBB", 1, 1, 0, 99, 1)),  # an error that there is not
    (0x00BD, struct.pack("<HHHIH", 1, 0, 0, 0, 0xFFFF)),  # several numbers, to a column that there is not
    (0x003C, b"\1" * 99),  # it goes on
    (0x0085, struct.pack("<IBBBB", 0, 0, 0, 1, 0) + b"x"),  # a sheet that begins at the beginning
    (0x0085, struct.pack("<IBBBB", 0xFFFFFFFF, 0, 0, 255, 1)),
    (0x0809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 6)),
    (0x000A, b""),
    (0x002F, b"\0" * 6),  # it is encrypted
    (0x00EC, struct.pack("<HHI", 0xF, 0xF004, 0xFFFFFFFF)),
    (0x00EC, struct.pack("<HHI", 0xF, 0xF003, 0x7FFFFFFF) * 900),
)  # fmt: skip


def mutated_ole2(data: bytes, chance: Random) -> bytes:
    """The records within, the container around them, or any bytes."""
    way = chance.random()
    if way < 0.5:
        return _with_changed_stream(data, chance)
    return _with_damaged_container(data, chance) if way < 0.75 else raw.damaged(data, chance)


def mutated_xlsb(data: bytes, chance: Random) -> bytes:
    """Their heads are short and everywhere, so bytes and numbers will do."""
    for _ in range(chance.choice((1, 2, 5))):
        data = chance.choice((raw.with_number, raw.flipped, raw.damaged))(data, chance)
    return data


def _with_changed_stream(data: bytes, chance: Random) -> bytes:
    streams = _streams(data)
    if not streams:
        return raw.damaged(data, chance)
    name = chance.choice(list(streams))
    if name in {"Workbook", "Book"}:
        streams[name] = _with_changed_records(streams[name], chance)
    else:
        streams[name] = raw.damaged(streams[name], chance)
    return compound_file(streams)


def _streams(data: bytes) -> dict[str, bytes]:
    with olefile.OleFileIO(BytesIO(data)) as file:
        return {name: file.openstream(name).read() for name in _STREAMS if file.exists(name)}


def _with_changed_records(stream: bytes, chance: Random) -> bytes:
    listed = _records(stream)
    for _ in range(chance.choice((1, 1, 2, 4))):
        at, other = (chance.randrange(len(listed)) for _ in range(2))
        kind, body = listed[at]
        way = chance.randrange(8)
        if way == 0 and len(listed) > 1:
            del listed[at]
        elif way == 1:
            listed[at:at] = [(kind, body)] * chance.choice((1, 2, 400))
        elif way == 2:
            listed.insert(other, chance.choice(_RECORDS))
        elif way == 3:
            listed[at] = listed[other][0], body
        elif way == 4:
            listed[at] = kind, body[: chance.randrange(len(body) + 1)]
        elif way == 5:
            listed[at] = kind, raw.damaged(body, chance)[:8224]
        else:
            listed[at] = kind, raw.with_number(body, chance)
    return _joined(listed, chance)


def _records(stream: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at + _HEAD.size <= len(stream):
        kind, length = _HEAD.unpack_from(stream, at)
        at += _HEAD.size
        found.append((kind, stream[at : at + length]))
        at += length
    return found


def _joined(listed: Sequence[tuple[int, bytes]], chance: Random) -> bytes:
    """The records in a row; now and then one lies about its length."""
    liar = chance.randrange(len(listed)) if chance.random() < 0.2 else -1
    lengths = (
        chance.choice((0, len(body) - 1, len(body) + 1, 0xFFFF)) & 0xFFFF if place == liar else len(body)
        for place, (_, body) in enumerate(listed)
    )
    return b"".join(
        _HEAD.pack(kind, length) + body for (kind, body), length in zip(listed, lengths, strict=True)
    )


def _with_damaged_container(data: bytes, chance: Random) -> bytes:
    """A field of the header, or a number in a table of sectors or the directory: loops, sectors that are not there."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 2, 6))):
        anywhere = chance.randrange(_SECTOR, len(changed) - 4) // 4 * 4
        at = chance.choice(_HEADER_FIELDS) if chance.random() < 0.3 else anywhere
        struct.pack_into("<I", changed, at, chance.choice(_SECTORS))
    return bytes(changed)
