"""Pictures that ISA-L inflates show the same pixels; what it cannot inflate is left to those who decode it."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from catalog_imagegen.stages.rendition import inflating, open_render, opening
from catalog_imagegen.stages.rendition.inflating import PNG, inflated

NOISE = Image.effect_noise((70, 53), 80).convert("RGB")
NOISE.putpixel((3, 4), (200, 10, 60))


def png(image: Image.Image = NOISE, **options: Any) -> bytes:
    """As a file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """With its length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def parts(content: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and body of each chunk, whose checksums are right."""
    found, place = [], len(PNG)
    while place < len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        body = content[place + 8 : place + 8 + size]
        assert content[place : place + 12 + size] == chunk(kind, body)
        found.append((kind, body))
        place += 12 + size
    return found


def cut_up(content: bytes) -> bytes:
    """The same PNG as ComfyUI's newer ones: its pixels in many chunks, texts before and after."""
    (head, pixels, end) = (body for _, body in parts(content))
    pieces = [chunk(b"IDAT", pixels[place : place + 900]) for place in range(0, len(pixels), 900)]
    text = chunk(b"tEXt", b"prompt\0{}")
    return b"".join([PNG, chunk(b"IHDR", head), text, *pieces, text, chunk(b"IEND", end)])


def pixels(content: bytes) -> bytes:
    """As Pillow decodes them."""
    with Image.open(io.BytesIO(content)) as image:
        return image.tobytes()


@pytest.mark.parametrize("content", [png(), cut_up(png()), png(compress_level=0)], ids=["one", "many", "raw"])
def test_the_pixels_stay_the_same(content: bytes) -> None:
    """They are stored as they are, in one chunk; all other chunks are kept in their order."""
    made = inflated(content)
    assert pixels(made) == NOISE.tobytes()
    (packed,) = [body for kind, body in parts(made) if kind == b"IDAT"]
    assert len(packed) > NOISE.width * NOISE.height * 3
    assert [p for p in parts(made) if p[0] != b"IDAT"] == [p for p in parts(content) if p[0] != b"IDAT"]


@pytest.mark.parametrize("is_fast", [True, False])
def test_renders_open_the_same_with_and_without(monkeypatch: pytest.MonkeyPatch, *, is_fast: bool) -> None:
    """Both extras are there in tests; without them Pillow does it alone."""
    assert vars(inflating)["isal_zlib"] is not None
    assert vars(opening)["pyvips"] is not None
    if not is_fast:
        monkeypatch.setattr(inflating, "isal_zlib", None)
        monkeypatch.setattr(opening, "pyvips", None)
    assert open_render(cut_up(png())).tobytes() == NOISE.tobytes()


def longer(content: bytes) -> bytes:
    """A PNG with more pixels than its size says: a megabyte of nothing."""
    (head, _, end) = (body for _, body in parts(content))
    return PNG + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", end)


def in_disorder(*order: str) -> bytes:
    """A PNG whose parts do not stand as they should; its pixels are in two."""
    (head, packed, _) = (body for _, body in parts(png()))
    named = {
        "head": chunk(b"IHDR", head),
        "one": chunk(b"IDAT", packed[:1000]),
        "two": chunk(b"IDAT", packed[1000:]),
        "text": chunk(b"tEXt", b"a\0b"),
        "end": chunk(b"IEND", b""),
        "cut": chunk(b"IEND", b"")[:-1],
    }
    return PNG + b"".join(named[name] for name in order)


def huge() -> bytes:
    """A PNG that says it has more pixels than anybody opens."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return PNG + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "content",
    [
        png(NOISE.convert("L")),
        png(NOISE.convert("P")),
        png(NOISE.convert("RGBA")),
        longer(png()),
        huge(),
        png(Image.new("RGB", (70, 53), "white")),
        in_disorder("head", "one", "text", "two", "end"),
        in_disorder("head", "one", "end", "two"),
        in_disorder("text", "head", "one", "two", "end"),
        in_disorder("head", "one", "two", "cut"),
        PNG + chunk(b"IHDR", b"short"),
        PNG + chunk(b"IEND", b""),
        PNG,
        b"\xff\xd8 no PNG",
        b"",
    ],
    ids=[
        "grey",
        "palette",
        "alpha",
        "longer",
        "huge",
        "white",
        "parted",
        "late",
        "headless",
        "cut",
        "short",
        "no pixels",
        "name",
        "JPEG",
        "empty",
    ],
)
def test_other_pictures_are_left_as_they_are(content: bytes) -> None:
    """Those that ComfyUI does not write, that would take more memory than they say, and that are no trouble to inflate."""
    assert inflated(content) is content


@given(place=st.integers(0, 10**9), byte=st.integers(0, 255), is_cut=st.booleans())
@settings(max_examples=400, deadline=None)
def test_what_can_be_opened_shows_the_same_pixels(place: int, byte: int, *, is_cut: bool) -> None:
    """Damaged or not: a chunk's wrong checksum is mended on the way, and that of the pixels is looked at."""
    whole = cut_up(png(pnginfo=PngInfo()))
    place %= len(whole)
    damaged = whole[:place] if is_cut else whole[:place] + bytes([byte]) + whole[place + 1 :]
    try:
        expected = pixels(damaged)
    except (OSError, SyntaxError, ValueError):
        return
    assert pixels(inflated(damaged)) == expected
