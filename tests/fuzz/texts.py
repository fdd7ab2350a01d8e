"""Mutations of text tables: quotes, separators, lines, encodings and the bytes around them."""

from __future__ import annotations

import codecs
from random import Random

from tests.fuzz import markup, raw
from tests.fuzz.extremes import TEXTS

_MARKS = (
    codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE,
    codecs.BOM_UTF8 * 2, codecs.BOM_UTF16_LE + codecs.BOM_UTF8,
)  # fmt: skip
_ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "gb18030",
    "big5",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "latin-1",
    "utf-7",
)
_SEPARATORS = (b",", b";", b"\t", b"|")
_ENDS = (b"\n", b"\r\n", b"\r", b"\n\n", b"\x0b", b"\x0c", b"\x85", b"\xe2\x80\xa8", b"")
_PIECES = (
    b'"', b'""', b'"""', b"'", b"\0", b"\0" * 99, b"\x1a", b"\x1b", b"\xff", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
    b"\xed\xb0\x80", b"\xc0\x80", b"\\", b'="', b'="1"', b"\\ud800", b"sep=,\r\n", b"\xef\xbf\xbf", b"\xef\xbb\xbf",
    "̧̀".encode() * 900, b" " * 3000, b"\r", b"\n", b"\r\n" * 900, b",", b"," * 900, b'",' * 900, b",\n" * 2000,
)  # fmt: skip
_HEADS = (
    b"sep=,\n", b"sep=;\r\n", b"sep=\t\n", b'sep="\n', b"sep='\n", b"sep= \n", b"sep=\r\n", b"sep=a\n", b"sep=\0\n",
    b'"sep=|"\n', "sep=，\n".encode(), "sep=𠮷\n".encode(), b"sep=\x85\n", b"<meta charset=unicode_escape>\\ud800\xff\n",
    b"<meta charset=utf-7>\xff\n", b"<meta charset=rot13>\xff", b"<meta charset=latin-1>\xff", b"<?xml encoding='zlib'\xff",
    b"<table>", b"<html>", b"{\\rtf", b"%PDF", b"ID,", b"\n" * 40,
)  # fmt: skip
_MOST_BYTES = 1_500_000


def mutated(data: bytes, chance: Random) -> bytes:
    """One or some of all of these; pages and XML mostly as such."""
    ways = (markup.mutated,) if data.lstrip()[:1] == b"<" and chance.random() < 0.8 else _ALL
    for _ in range(chance.choice((1, 1, 2, 3))):
        changed = chance.choice(ways)(data, chance)
        data = changed if len(changed) <= _MOST_BYTES else data
    return data


def with_piece(data: bytes, chance: Random) -> bytes:
    """Something that ends, begins or spoils a cell."""
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(_PIECES) + data[at:]


def with_head(data: bytes, chance: Random) -> bytes:
    """Something stands before all."""
    return chance.choice((*_HEADS, *_MARKS)) + data


def with_other_separators(data: bytes, chance: Random) -> bytes:
    """Some or all lines are separated otherwise."""
    old, new = chance.sample(_SEPARATORS, 2)
    return data.replace(old, new, chance.choice((1, 5, -1)))


def with_other_ends(data: bytes, chance: Random) -> bytes:
    """Lines end otherwise, all or only some, or not at all."""
    return data.replace(chance.choice((b"\r\n", b"\n")), chance.choice(_ENDS), chance.choice((1, 3, -1)))


def with_other_line(data: bytes, chance: Random) -> bytes:
    """A line is there many times, or has far more cells than the others."""
    lines = data.splitlines(keepends=True) or [b"\n"]
    at = chance.randrange(len(lines))
    times = chance.choice((1, 10, 1000))
    wide = b"x," * chance.choice((1, 300, 100_000)) + lines[at]
    lines[at : at + 1] = chance.choice(
        ([], [lines[at]] * times, [wide], [wide], [lines[at], b",,\n" * times])
    )
    return b"".join(lines)


def with_long_cell(data: bytes, chance: Random) -> bytes:
    """A cell is far longer than a person would write, or at the limits of what it may be."""
    at = chance.randrange(len(data) + 1)
    end = data.find(b",", at)
    long = chance.choice((b"x" * 70_000, b"1" * 70_000, b'"' + b'""' * 40_000 + b'"', b"a;" * 30_000))
    return data[:at] + chance.choice((long, chance.choice(TEXTS))) + data[end if end >= 0 else at :]


def in_other_encoding(data: bytes, chance: Random) -> bytes:
    """All of it, or half of it, in another encoding."""
    text = data.decode(chance.choice(("utf-8", "gb18030", "utf-16-le", "latin-1")), "replace")
    changed = text.encode(chance.choice(_ENCODINGS), "replace")
    half = chance.randrange(len(data) + 1)
    return chance.choice((changed, changed, data[:half] + changed[half:]))


_ALL: tuple[raw.Mutation, ...] = (
    *(with_piece,) * 4,
    *(with_head,) * 2,
    *(with_other_line,) * 3,
    with_other_separators,
    with_other_ends,
    with_long_cell,
    in_other_encoding,
    raw.damaged,
    raw.damaged,
)
