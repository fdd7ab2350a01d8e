"""Changes XML where it stands: what is not changed keeps its bytes, and no tree is built of it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import unescape

Buffer = bytes | memoryview
Splice = tuple[int, int, bytes]
"""From, to, and what stands there instead."""

_ATTRIBUTES = rb"(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*"
_TOKEN = re.compile(
    rb"<!--.*?-->|<\?.*?\?>|<(/?)((?:[\w.-]+:)?)([\w.-]+)" + _ATTRIBUTES + rb"(/?)>", re.DOTALL
)
_ROOT = re.compile(rb"<((?:[\w.-]+:)?)([\w.-]+)" + _ATTRIBUTES + rb"(/?)>")
_CDATA = re.compile(rb"<!\[CDATA\[(.*?)\]\]>|<!--.*?-->", re.DOTALL)
_ENCODING = re.compile(rb"""^<\?xml[^>]*?\sencoding\s*=\s*["']([\w.-]+)["']""")
_TAG = re.compile(rb"<(/?)(?=[A-Za-z])")
_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""What workbooks read as a character by its number."""
_SPACES = b" \t\r\n/>"
_SPECIAL = re.compile(rb"[&<>\"\t\r\n]")


def utf8(xml: bytes) -> bytes:
    """A part in UTF-8, without comments and marked sections, in which something like an element could stand."""
    if xml.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        xml = xml.decode("utf-16").encode()
    elif (told := _ENCODING.match(xml)) and told[1].lower() not in (b"utf-8", b"us-ascii", b"ascii"):
        xml = xml.decode(told[1].decode()).encode()
    told = _ENCODING.match(xml[:200])
    if told and told[1].lower() != b"utf-8":
        xml = xml[: told.start(1)] + b"UTF-8" + xml[told.end(1) :]
    xml = xml.removeprefix(codecs.BOM_UTF8)
    if b"<!" in xml:
        xml = _CDATA.sub(lambda found: _escaped(found[1]) if found[1] else b"", xml)
    return xml


def _escaped(data: bytes) -> bytes:
    return data.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")


def text(value: str) -> bytes:
    """A text of a cell, as it is written; ``_x0041_`` stays what it looks like."""
    return _escaped(_ESCAPED.sub("_x005F_", value).encode())


def quoted(value: str) -> bytes:
    """A value of an attribute, with its quotation marks."""
    plain = value.encode()
    if _SPECIAL.search(plain):
        plain = _escaped(plain).replace(b'"', b"&quot;")
        plain = plain.replace(b"\n", b"&#10;").replace(b"\t", b"&#9;").replace(b"\r", b"&#13;")
    return b'"' + plain + b'"'


def attribute(tag: bytes, name: bytes) -> str:
    """The value of an attribute in the opening *tag*; empty where it has none."""
    found = _named(name).search(tag) if name in tag else None
    if found is None:
        return ""
    value = found[1] if found[1] is not None else found[2]
    return unescape(value.decode(errors="replace")) if b"&" in value else value.decode(errors="replace")


@lru_cache
def _named(name: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"""\s%s\s*=\s*(?:"([^"]*)"|'([^']*)')""" % re.escape(name))


def reference(tag: bytes) -> str:
    """The id of a relation that *tag* names, whatever the prefix is called."""
    found = re.search(rb"""\s[\w.-]+:id\s*=\s*(?:"([^"]*)"|'([^']*)')""", tag)
    return unescape((found[1] or found[2] or b"").decode(errors="replace")) if found else ""


def with_attribute(tag: bytes, name: bytes, value: str) -> bytes:
    """The opening *tag* with this value of an attribute, or without the attribute where it is empty."""
    found = _named(name).search(tag) if name in tag else None
    written = b" " + name + b"=" + quoted(value) if value else b""
    if found is not None:
        return tag[: found.start()] + written + tag[found.end() :]
    end = len(tag) - (2 if tag.endswith(b"/>") else 1)
    return tag[:end].rstrip() + written + tag[end:]


def prefixed(xml: bytes, prefix: bytes) -> bytes:
    """Elements that are written without a prefix, with this one; it ends with a colon, or is none."""
    return _TAG.sub(rb"<\1" + prefix, xml) if prefix else xml


@dataclass(frozen=True, slots=True)
class Element:
    """Where an element stands."""

    name: bytes
    """Without its prefix."""
    start: int
    inner: int
    """Where its opening tag ends."""
    end: int


@dataclass(frozen=True, slots=True)
class Root:
    """The outermost element of a part."""

    prefix: bytes
    """With its colon."""
    name: bytes
    start: int
    inner: int
    outer: int
    """Where its closing tag begins; where its opening tag ends if it is empty."""
    is_empty: bool


def root_of(xml: bytes) -> Root:
    """Find the outermost element. Raises ValueError where there is none, or where it does not end."""
    start = 0
    while (start := xml.find(b"<", start)) >= 0 and xml[start + 1 : start + 2] in (b"?", b"!"):
        start += 1
    found = _ROOT.match(xml, max(start, 0))
    if found is None:
        raise ValueError("no element")
    if found[3]:
        return Root(found[1], found[2], found.start(), found.end(), found.end(), is_empty=True)
    outer = xml.rfind(b"</" + found[1] + found[2])
    if outer < 0:
        raise ValueError("an element that does not end")
    return Root(found[1], found[2], found.start(), found.end(), outer, is_empty=False)


def children(xml: bytes, start: int, end: int) -> Iterator[Element]:
    """The elements side by side between two places. Raises ValueError where they are not nested as they should."""
    depth, begun, inner, name = 0, 0, 0, b""
    for found in _TOKEN.finditer(xml, start, end):
        if found[3] is None:
            continue
        is_closing, is_empty = bool(found[1]), bool(found[4])
        if depth == 0 and not is_closing:
            begun, inner, name = found.start(), found.end(), found[3]
        if not is_empty:
            depth += -1 if is_closing else 1
        if depth < 0:
            raise ValueError("an end without a beginning")
        if depth == 0:
            yield Element(name, begun, inner, found.end())
    if depth:
        raise ValueError("an element that does not end")


def is_name(xml: bytes, end: int) -> bool:
    """Whether a name ends here and does not go on."""
    return xml[end : end + 1] in _SPACES and end < len(xml)


def appended(xml: bytes, child: bytes) -> bytes:
    """A small part with one or more children at the end of its outermost element. Raises ValueError."""
    root = root_of(xml)
    if not root.is_empty:
        return xml[: root.outer] + child + xml[root.outer :]
    opened = xml[root.start : root.inner - 2].rstrip() + b">"
    return xml[: root.start] + opened + child + b"</" + root.prefix + root.name + b">" + xml[root.inner :]


def spliced(xml: bytes, splices: Iterable[Splice]) -> Sequence[Buffer]:
    """The pieces of a part in which some are others; they are views, so that a large part is not copied."""
    view = memoryview(xml)
    pieces: list[Buffer] = []
    at = 0
    for start, end, instead in sorted(splices, key=lambda each: each[:2]):
        if start > at:
            pieces.append(view[at:start])
        pieces.append(instead)
        at = max(at, end)
    pieces.append(view[at:])
    return pieces


def joined(pieces: Iterable[Buffer]) -> bytes:
    """The pieces as one."""
    return b"".join(pieces)
