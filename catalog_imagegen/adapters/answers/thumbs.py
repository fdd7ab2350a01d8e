"""Small pictures that float in the cells of one column, appended to whatever a sheet draws already."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from catalog_imagegen.adapters.answers.content import AUTHOR
from catalog_imagegen.adapters.answers.drawings import EMU_PER_PIXEL, EMU_PER_POINT, NAME
from catalog_imagegen.adapters.answers.markup import (
    appended,
    quoted,
    root_of,
)
from catalog_imagegen.adapters.answers.parts import Parts
from catalog_imagegen.adapters.catalogs.layout import Place
from catalog_imagegen.adapters.reports.excel import as_jpeg

DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.drawing+xml"
_MARGIN = 3 * EMU_PER_PIXEL
_TALLEST = 84 * EMU_PER_PIXEL
_SPARE = 10 * EMU_PER_PIXEL
"""That a column is wider than said, with most fonts; the middle is between."""
_MAX_PIXELS = 4_000_000
_DRAWING = ("http://schemas.openxmlformats.org/drawingml/2006", "http://purl.oclc.org/ooxml/drawingml")
_EXTENSIONS = {"JPEG": ("jpeg", "image/jpeg"), "PNG": ("png", "image/png")}
_ANCHOR = (
    b'<%(p)stwoCellAnchor editAs="oneCell">'
    b"<%(p)sfrom><%(p)scol>%(column)d</%(p)scol><%(p)scolOff>%(left)d</%(p)scolOff>"
    b"<%(p)srow>%(row)d</%(p)srow><%(p)srowOff>%(top)d</%(p)srowOff></%(p)sfrom>"
    b"<%(p)sto><%(p)scol>%(column)d</%(p)scol><%(p)scolOff>%(right)d</%(p)scolOff>"
    b"<%(p)srow>%(row)d</%(p)srow><%(p)srowOff>%(bottom)d</%(p)srowOff></%(p)sto>"
    b'<%(p)spic><%(p)snvPicPr><%(p)scNvPr id="%(id)d" name=%(name)s descr=%(label)s>%(link)s</%(p)scNvPr>'
    b'<%(p)scNvPicPr><a:picLocks %(a)s noChangeAspect="1"/></%(p)scNvPicPr></%(p)snvPicPr>'
    b"<%(p)sblipFill><a:blip %(a)s %(r)s r:embed=%(key)s/><a:stretch %(a)s><a:fillRect/></a:stretch></%(p)sblipFill>"
    b'<%(p)sspPr><a:xfrm %(a)s><a:off x="0" y="0"/><a:ext cx="%(width)d" cy="%(height)d"/></a:xfrm>'
    b'<a:prstGeom %(a)s prst="rect"><a:avLst/></a:prstGeom></%(p)sspPr></%(p)spic><%(p)sclientData/></%(p)stwoCellAnchor>'
)
_LINKED = b"<a:hlinkClick %(a)s %(r)s r:id=%(key)s/>"


@dataclass(frozen=True, slots=True)
class Thumb:
    """One picture and the cell that it is to lie in."""

    place: Place
    content: bytes
    size: tuple[int, int]
    extension: str
    room: tuple[int, float]
    """The width of the cell in pixels, its height in points."""
    label: str
    target: str = ""
    """Where a click on it leads."""


def usable(content: bytes) -> tuple[bytes, tuple[int, int], str] | None:
    """A picture that every program shows, its size and its extension; None for what is none."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height > _MAX_PIXELS:
                return None
            if image.format in _EXTENSIONS:
                return content, image.size, _EXTENSIONS[image.format][0]
        made, size = as_jpeg(content)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    return made, size, "jpeg"


def empty_drawing(*, is_strict: bool) -> bytes:
    """A drawing of nothing."""
    names = (f"{_DRAWING[is_strict]}/spreadsheetDrawing", f"{_DRAWING[is_strict]}/main")
    head = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    return head + b"<xdr:wsDr xmlns:xdr=%s xmlns:a=%s/>" % tuple(map(quoted, names))


def add_thumbs(parts: Parts, drawing: str, thumbs: Sequence[Thumb]) -> None:
    """Append pictures to a drawing. Raises KeyError or ValueError."""
    xml = parts.text(drawing)
    root = root_of(xml)
    if root.name != b"wsDr":
        raise ValueError("no drawing")
    media = _media(parts, thumbs)
    keys = dict(
        zip(media.values(), parts.relate(drawing, [("image", part) for part in media.values()]), strict=True)
    )
    targets = list(dict.fromkeys(thumb.target for thumb in thumbs if thumb.target))
    links = dict(
        zip(
            targets, parts.relate(drawing, [("hyperlink", t) for t in targets], is_external=True), strict=True
        )
    )
    numbers = [int(number) for number in re.findall(rb'<(?:[\w.-]+:)?cNvPr\s[^>]*?\bid="([0-9]{1,9})"', xml)]
    first = max(numbers, default=1) + 1
    anchors = [
        _anchor(
            parts,
            thumb,
            first + order,
            key=keys[media[_digest(thumb.content)]],
            link=links.get(thumb.target, ""),
            prefix=root.prefix,
        )
        for order, thumb in enumerate(thumbs)
    ]
    parts.put(drawing, appended(xml, b"".join(anchors)))


def _media(parts: Parts, thumbs: Sequence[Thumb]) -> Mapping[str, str]:
    """Digest → the part that holds the picture; the same picture is kept once."""
    found: dict[str, str] = {}
    for thumb in thumbs:
        digest = _digest(thumb.content)
        if digest in found:
            continue
        part = f"xl/media/{AUTHOR}-{digest[:20]}.{thumb.extension}"
        content_type = dict(_EXTENSIONS.values())[thumb.extension]
        parts.put(part, thumb.content)
        if not parts.declare_all(thumb.extension, content_type):
            parts.declare(part, content_type)
        found[digest] = part
    return found


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _anchor(parts: Parts, thumb: Thumb, number: int, *, key: str, link: str, prefix: bytes) -> bytes:
    """A picture in the middle of its cell, as large as there is room."""
    wide, high = thumb.room[0] * EMU_PER_PIXEL, round(thumb.room[1] * EMU_PER_POINT)
    shown = min(high - 2 * _MARGIN, _TALLEST)
    scale = min(max(shown, EMU_PER_PIXEL) / thumb.size[1], (wide - 3 * _MARGIN) / thumb.size[0])
    width, height = (max(1, round(side * scale)) for side in thumb.size)
    left, top = (wide + _SPARE - width) // 2, (high - height) // 2
    values: dict[bytes, bytes | int] = {
        b"p": prefix,
        b"a": b"xmlns:a=" + quoted(f"{_DRAWING[parts.is_strict]}/main"),
        b"r": b"xmlns:r=" + quoted(parts.office),
        b"column": thumb.place[1],
        b"row": thumb.place[0] - 1,
        b"left": left,
        b"top": top,
        b"right": left + width,
        b"bottom": top + height,
        b"width": width,
        b"height": height,
        b"id": number,
        b"name": quoted(f"{NAME}{number}"),
        b"label": quoted(thumb.label),
        b"key": quoted(key),
    }
    values[b"link"] = _LINKED % {**values, b"key": quoted(link)} if link else b""
    return _ANCHOR % values
