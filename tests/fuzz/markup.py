"""Mutations of XML and HTML: attributes and texts at their extremes, elements lost, repeated and nested, strange pieces."""

from __future__ import annotations

import codecs
import re
from random import Random

from tests.fuzz import raw
from tests.fuzz.extremes import ATTRIBUTES, FRAGMENTS, TEXTS, WORDS

_TAG = re.compile(rb"<[^<>]*>")
_ATTRIBUTE = re.compile(
    rb"""(?<![\w.:-])(?:[\w.-]{1,40}:)?([\w.-]{1,40})[ ]?=[ ]?(?:"([^"<]*)"|'([^'<]*)')"""
)
_TEXT = re.compile(rb">([^<>]+)<")
_NAME = re.compile(rb"<([\w:.-]+)")
_TIMES = (2, 3, 40, 900)
_MOST_BYTES = 400_000


def mutated(data: bytes, chance: Random) -> bytes:
    """One or some of all of these; a document in UTF-16 stays in it."""
    mark = codecs.BOM_UTF16_LE
    if data.startswith(mark):
        text = data[2:].decode("utf-16-le", "replace").encode("utf-8", "replace")
        return mark + mutated(text, chance).decode("utf-8", "replace").encode("utf-16-le")
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        changed = chance.choice(_ALL)(data, chance)
        data = changed if len(changed) <= _MOST_BYTES else data
    return data


def with_attribute(data: bytes, chance: Random) -> bytes:
    """An attribute has another value: one at the limits of what its name allows, or any."""
    found = list(_ATTRIBUTE.finditer(data))
    if not found:
        return data
    chosen = chance.choice(found)
    group = 2 if chosen[2] is not None else 3
    values = ATTRIBUTES.get(chosen[1], WORDS) if chance.random() < 0.85 else WORDS
    return _replaced(data, chosen.span(group), chance.choice(values))


def without_attribute(data: bytes, chance: Random) -> bytes:
    """An attribute is missing, or there twice."""
    found = list(_ATTRIBUTE.finditer(data))
    if not found:
        return data
    chosen = chance.choice(found)
    return _replaced(data, chosen.span(), chance.choice((b"", chosen[0] + b" " + chosen[0])))


def with_text(data: bytes, chance: Random) -> bytes:
    """Something else stands between two tags."""
    found = list(_TEXT.finditer(data))
    if not found:
        return data
    return _replaced(data, chance.choice(found).span(1), chance.choice(TEXTS))


def with_elements(data: bytes, chance: Random) -> bytes:
    """An element is missing, repeated, or within itself many times over."""
    tags = [tag for tag in _TAG.finditer(data) if _NAME.match(tag[0])]
    if not tags:
        return data
    tag = chance.choice(tags)
    name = tag[0][1:].split(None, 1)[0].rstrip(b"/>")
    opening, closing = b"<" + name + b">", b"</" + name + b">"
    end = tag.end() if tag[0].endswith(b"/>") else data.find(closing, tag.end()) + len(closing)
    if end < tag.end():  # it is never closed
        return data
    element = data[tag.start() : end]
    times = chance.choice(_TIMES) if len(element) < 400 else 2
    nested = opening * times + element + closing * chance.choice((times, times, 0))
    return _replaced(data, (tag.start(), end), chance.choice((b"", element * times, nested)))


def with_tag(data: bytes, chance: Random) -> bytes:
    """A tag is missing, moved, cut, renamed or of another namespace."""
    found = list(_TAG.finditer(data))
    if not found:
        return data
    chosen, other = chance.choice(found), chance.choice(found)
    choices = (
        b"",
        other[0],
        chosen[0][:-1],
        chosen[0].replace(b":", b"", 1),
        chosen[0].replace(b"<", b"<x:", 1),
        chosen[0].replace(b"main", b"other"),
        chosen[0].removesuffix(b"/>") + b">",
        chosen[0][:-1] + b"/>",
        chosen[0].replace(b'"', b"'"),
        chosen[0].swapcase(),
    )
    return _replaced(data, chosen.span(), chance.choice(choices))


def with_fragment(data: bytes, chance: Random) -> bytes:
    """A strange piece stands before or after a tag, mostly where one of its kind may."""
    found = list(_TAG.finditer(data))
    if not found:
        return data + chance.choice(FRAGMENTS)
    places = [each.start() for each in found if each[0].startswith((b"</", b"<row", b"<sheetData"))]
    at = chance.choice(places) if places and chance.random() < 0.8 else chance.choice(found).end()
    return data[:at] + chance.choice(FRAGMENTS) + data[at:]


def in_other_encoding(data: bytes, chance: Random) -> bytes:
    """The whole document in an encoding that it may not name."""
    text = data.decode("utf-8", "replace")
    encoding = chance.choice(("utf-16", "utf-16-be", "utf-8-sig", "utf-32", "gb18030", "utf-7"))
    return text.encode(encoding, "replace")


def _replaced(data: bytes, span: tuple[int, int], by: bytes) -> bytes:
    return data[: span[0]] + by + data[span[1] :]


_ALL: tuple[raw.Mutation, ...] = (
    *(with_attribute,) * 7,
    *(with_text,) * 3,
    *(with_elements,) * 3,
    *(with_fragment,) * 4,
    *(with_tag,) * 3,
    without_attribute,
    raw.damaged,
    in_other_encoding,
)
