"""Finds the texts in picture files that labels may stand in, every one of them, without decoding pixels."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Literal

from PIL import Image

Kind = Literal["xmp", "aigc", "exif"]
MAX_TEXT = 4 * 1024 * 1024
"""Bytes of one text, unpacked: more is no label but an attack."""
UNREADABLE = (OSError, SyntaxError, ValueError, RuntimeError, Image.DecompressionBombError, struct.error)
"""What Pillow raises for bytes that are no picture, or no whole one."""
_XMP_JPEG = b"http://ns.adobe.com/xap/1.0/\x00"
_XMP_PNG = b"XML:com.adobe.xmp"
_BARE = b"AIGC{"
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_TEXTS = frozenset({b"iTXt", b"tEXt", b"zTXt"})
_PNG_EXIF = (b"eXIf", b"exif\x00")
"""A PNG with EXIF holds a chunk of this name, or a text whose key ends so. Pillow looks for them behind the pixels too, and
decodes all of these for it: a quarter of the time that ten files take."""
_MARK, _APP0, _APP1, _APP15, _SCAN, _END = 0xFF, 0xE0, 0xE1, 0xEF, 0xDA, 0xD9
"""JPEG's markers; metadata comes before the scan."""
_USER_COMMENT, _DESCRIPTION, _EXIF_FOLDER, _XMP_TIFF = 0x9286, 0x010E, 0x8769, 0x02BC


def texts(content: bytes) -> Iterator[tuple[Kind, str, bytes]]:
    """(kind, place, bytes) of each text: XMP packets, texts called AIGC, and what EXIF says in words."""
    if content[:2] == b"\xff\xd8":
        yield from _of_jpeg(content)
    elif content[:8] == _PNG:
        yield from _of_png(content)
    elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        yield from _of_webp(content)
    else:
        yield from _of_others(content)
    yield from _of_exif(content)


def _of_jpeg(content: bytes) -> Iterator[tuple[Kind, str, bytes]]:
    at = 2
    while at + 4 <= len(content) and content[at] == _MARK and content[at + 1] not in (_SCAN, _END):
        marker, (length,) = content[at + 1], struct.unpack_from(">H", content, at + 2)
        segment = content[at + 4 : at + 2 + length]
        if marker == _APP1 and segment.startswith(_XMP_JPEG):
            yield "xmp", "JPEG APP1 XMP", segment[len(_XMP_JPEG) :]
        elif _APP0 <= marker <= _APP15 and segment.startswith(_BARE):
            yield "aigc", f"JPEG APP{marker - _APP0}", segment[len(b"AIGC") :]
        at += 2 + length


def _of_png(content: bytes) -> Iterator[tuple[Kind, str, bytes]]:
    at = 8
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        name = content[at + 4 : at + 8]
        body = content[at + 8 : at + 8 + length] if name in _PNG_TEXTS else b""
        key, _, rest = body.partition(b"\x00")
        if name == b"iTXt" and key in (_XMP_PNG, b"AIGC"):
            is_packed, text = rest[:1] == b"\x01", rest[2:].split(b"\x00", 2)[-1]
            yield "xmp" if key == _XMP_PNG else "aigc", "PNG iTXt", _unpacked(text) if is_packed else text
        elif name == b"tEXt" and key == b"AIGC":
            yield "aigc", "PNG tEXt AIGC", rest
        elif name == b"zTXt" and key == b"AIGC":
            yield "aigc", "PNG zTXt AIGC", _unpacked(rest[1:])
        at += 12 + length


def _unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, MAX_TEXT)
    except zlib.error:
        return b""


def _of_webp(content: bytes) -> Iterator[tuple[Kind, str, bytes]]:
    at = 12
    while at + 8 <= len(content):
        name, (length,) = content[at : at + 4], struct.unpack_from("<I", content, at + 4)
        if name == b"XMP ":
            yield "xmp", "WebP XMP", content[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _of_others(content: bytes) -> Iterator[tuple[Kind, str, bytes]]:
    """AVIF and TIFF by Pillow, which keeps one packet."""
    with suppress(*UNREADABLE), Image.open(io.BytesIO(content)) as image:
        found = image.info.get("xmp") or getattr(image, "tag_v2", {}).get(_XMP_TIFF)
        if isinstance(found, str):
            found = found.encode()
        if isinstance(found, bytes):
            yield "xmp", f"{image.format} XMP", found


def _of_exif(content: bytes) -> Iterator[tuple[Kind, str, bytes]]:
    if content[:8] == _PNG and not any(each in content for each in _PNG_EXIF):
        return
    try:
        with Image.open(io.BytesIO(content)) as image:
            exif = image.getexif()
        comment = exif.get_ifd(_EXIF_FOLDER).get(_USER_COMMENT, b"")
    except UNREADABLE:
        return
    comment = comment.encode() if isinstance(comment, str) else comment
    if comment and isinstance(comment, bytes):
        yield "exif", "EXIF UserComment", _without_charset(comment)
    if description := exif.get(_DESCRIPTION):
        yield "exif", "EXIF ImageDescription", str(description).encode()


def _without_charset(comment: bytes) -> bytes:
    """A user comment begins with eight bytes that name its encoding."""
    if comment.startswith(b"UNICODE\x00"):
        return comment[8:].decode("utf-16", errors="replace").encode()
    if comment[:8] in (b"ASCII\x00\x00\x00", bytes(8)):
        return comment[8:]
    return comment
