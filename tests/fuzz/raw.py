"""Mutations that know nothing of a format: bytes are changed, cut, repeated, moved and mixed."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

Mutation = Callable[[bytes, Random], bytes]

BYTES = (0, 1, 0x0A, 0x22, 0x3C, 0x7F, 0x80, 0xFE, 0xFF)
NUMBERS = (0, 1, 2, 0x7F, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
"""Where lengths, counts and places go wrong."""
_LONGEST = 2000


def damaged(data: bytes, chance: Random) -> bytes:
    """One or some of all of these."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        data = chance.choice(_ALL)(data, chance)
    return data


def flipped(data: bytes, chance: Random) -> bytes:
    """Single bits and bytes are wrong."""
    changed = bytearray(data or b"\0")
    for _ in range(chance.choice((1, 2, 8))):
        at = chance.randrange(len(changed))
        changed[at] = chance.choice((changed[at] ^ 1 << chance.randrange(8), chance.choice(BYTES)))
    return bytes(changed)


def cut_off(data: bytes, chance: Random) -> bytes:
    """The end or the beginning is missing."""
    at = chance.randrange(len(data) + 1)
    return chance.choice((data[:at], data[:at], data[at:]))


def without_piece(data: bytes, chance: Random) -> bytes:
    """Something in the middle is missing."""
    start, end = _piece(data, chance)
    return data[:start] + data[end:]


def with_repeated_piece(data: bytes, chance: Random) -> bytes:
    """Something is there twice, or hundreds of times."""
    start, end = _piece(data, chance)
    times = chance.choice((1, 2, 300)) if end - start < 200 else 1
    return data[:end] + data[start:end] * times + data[end:]


def with_moved_piece(data: bytes, chance: Random) -> bytes:
    """Something stands elsewhere."""
    start, end = _piece(data, chance)
    rest, at = data[:start] + data[end:], chance.randrange(len(data) - (end - start) + 1)
    return rest[:at] + data[start:end] + rest[at:]


def with_number(data: bytes, chance: Random) -> bytes:
    """A number of two or four bytes is another one, also where numbers usually stand."""
    size, form = chance.choice(((2, "<H"), (4, "<I"), (2, ">H"), (4, ">I")))
    if len(data) < size:
        return data
    at = chance.randrange(len(data) - size + 1) // 2 * 2
    number = chance.choice(NUMBERS) & (1 << 8 * size) - 1
    return data[:at] + struct.pack(form, number) + data[at + size :]


def with_zeros(data: bytes, chance: Random) -> bytes:
    """A piece of a disk was never written."""
    start, end = _piece(data, chance)
    return data[:start] + bytes(end - start) + data[end:]


def spliced(data: bytes, other: bytes, chance: Random) -> bytes:
    """The beginning of one and the end of another."""
    at = chance.randrange(len(data) + 1)
    return data[:at] + other[chance.choice((at, chance.randrange(len(other) + 1))) :]


def _piece(data: bytes, chance: Random) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.choice((1, 4, 60, 512, _LONGEST)))


_ALL: tuple[Mutation, ...] = (
    flipped,
    flipped,
    cut_off,
    without_piece,
    with_repeated_piece,
    with_moved_piece,
    with_number,
    with_number,
    with_zeros,
)
