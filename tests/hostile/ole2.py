"""Writes the container of old Office files: a little file system in sectors of 512 bytes."""

from __future__ import annotations

import struct
from collections.abc import Mapping

_SECTOR, _SMALL, _CUTOFF = 512, 64, 4096
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_ENTRIES_IN_HEADER = 109


def compound_file(streams: Mapping[str, bytes]) -> bytes:
    """Streams by name, all in the root. What is shorter than 4 KB goes into the small sectors, as Office does."""
    small, small_fat, starts = bytearray(), list[int](), {}
    for name, data in streams.items():
        if len(data) < _CUTOFF:
            starts[name] = len(small_fat)
            small_fat += _chain(len(small_fat), len(data), _SMALL)
            small += _padded(data, _SMALL)
    body, fat = bytearray(), list[int]()

    def store(data: bytes) -> int:
        """Append a chain of sectors; where it starts."""
        if not data:
            return _END
        start = len(fat)
        fat.extend(_chain(start, len(data), _SECTOR))
        body.extend(_padded(data, _SECTOR))
        return start

    for name, data in streams.items():
        if len(data) >= _CUTOFF:
            starts[name] = store(data)
    small_start = store(bytes(small))
    listed = _padded(b"".join(struct.pack("<I", sector) for sector in small_fat), _SECTOR, b"\xff")
    small_fat_start = store(listed)
    directory = store(_directory(streams, starts, small_start, len(small)))
    fat_start, fat_sectors = len(fat), 1
    while len(fat) + fat_sectors > fat_sectors * _SECTOR // 4:
        fat_sectors += 1
    fat += [_FAT] * fat_sectors
    body += _padded(b"".join(struct.pack("<I", sector) for sector in fat), _SECTOR, b"\xff")
    head = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII",
        bytes.fromhex("d0cf11e0a1b11ae1"), 0x3E, 3, 0xFFFE, 9, 6, 0, fat_sectors, directory, 0, _CUTOFF,
        small_fat_start, len(listed) // _SECTOR, _END, 0,
    )  # fmt: skip
    places = [*range(fat_start, fat_start + fat_sectors)]
    places += [_FREE] * (_ENTRIES_IN_HEADER - fat_sectors)
    return head + struct.pack(f"<{_ENTRIES_IN_HEADER}I", *places) + bytes(body)


def _chain(start: int, length: int, size: int) -> list[int]:
    count = -(-length // size)
    return [*range(start + 1, start + count), _END] if count else []


def _padded(data: bytes, size: int, fill: bytes = b"\0") -> bytes:
    return data + fill * (-len(data) % size)


def _directory(
    streams: Mapping[str, bytes], starts: Mapping[str, int], small_start: int, small_size: int
) -> bytes:
    """The root and its streams; their tree leans to the right, in the order the format wants: by length, then letters."""
    names = sorted(streams, key=lambda name: (len(name), name.upper()))
    entries = [_entry("Root Entry", 5, child=1 if names else _FREE, start=small_start, size=small_size)]
    for number, name in enumerate(names, 1):
        after = number + 1 if number < len(names) else _FREE
        entries.append(_entry(name, 2, after=after, start=starts[name], size=len(streams[name])))
    unused = struct.pack("<64xHBBIII36xIII", 0, 0, 0, _FREE, _FREE, _FREE, 0, 0, 0)
    entries += [unused] * (-len(entries) % 4)
    return b"".join(entries)


def _entry(name: str, kind: int, *, start: int, size: int, after: int = _FREE, child: int = _FREE) -> bytes:
    encoded = name.encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII36xIII", encoded, len(encoded) + 2, kind, 1, _FREE, after, child, start, size, 0
    )
