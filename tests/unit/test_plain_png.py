"""Renders that kornia-rs decodes show the same pixels as with Pillow, to which all other pictures are left."""

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

from catalog_imagegen.simulator import sampling
from catalog_imagegen.stages.rendition import open_render, plain_png
from catalog_imagegen.stages.rendition.plain_png import decoded

PNG = b"\x89PNG\r\n\x1a\n"
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


def head(width: int, height: int, *kind: int) -> bytes:
    """The chunk that says so; 8 bits of RGB."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, *(kind or (8, 2, 0, 0, 0))))


def file_of(*chunks: bytes) -> bytes:
    """A PNG of these between its size and its end."""
    return b"".join([PNG, head(*NOISE.size), *chunks, chunk(b"IEND", b"")])


def rows(*filters: int) -> bytes:
    """The pixels with these filters of rows in turns, each undone nowhere: what they show is of no interest."""
    line = NOISE.tobytes()[: 3 * NOISE.width]
    return b"".join(bytes([filters[place % len(filters)]]) + line for place in range(NOISE.height))


PACKED = zlib.compress(rows(0, 1, 2, 3, 4))
PIECES = [chunk(b"IDAT", PACKED[place : place + 90]) for place in range(0, len(PACKED), 90)]
PROMPT, WORKFLOW, JOB, MARK = (
    chunk(b"tEXt", name + b"\0{}")
    for name in (b"prompt", b"workflow", b"job", *map(str.encode, sampling.MARK))
)


def opened(content: bytes) -> Image.Image:
    """As Pillow decodes it."""
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        return image.copy()


@pytest.mark.parametrize(
    "content",
    [
        png(),
        png(compress_level=0),
        png(Image.new("RGB", (1, 1), "red")),
        file_of(PROMPT, WORKFLOW, *PIECES),
        file_of(PROMPT, JOB, MARK, *PIECES),
        file_of(*PIECES, chunk(b"iTXt", "prompt\0\0\0\0\0白瓷".encode())),
    ],
    ids=["plain", "stored", "pixel", "ComfyUI", "ours", "text behind"],
)
def test_plain_pictures_show_the_same_pixels(content: bytes) -> None:
    """All five filters, pixels in many chunks, texts before and behind them."""
    made = decoded(content)
    assert made is not None
    assert (made.mode, made.size) == ("RGB", opened(content).size)
    assert made.tobytes() == opened(content).tobytes()


def with_text(name: str) -> bytes:
    """A render with a text of that name."""
    info = PngInfo()
    info.add_text(name, "<x/>")
    return png(pnginfo=info)


def turned() -> bytes:
    """A render that is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return png(exif=exif)


def huge() -> bytes:
    """A PNG that says it has more pixels than anybody opens."""
    return PNG + head(60_000, 60_000) + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "content",
    [
        png(NOISE.convert("L")),
        png(NOISE.convert("P")),
        png(NOISE.convert("RGBA")),
        png(transparency=(1, 2, 3)),
        png(icc_profile=b"some profile"),
        turned(),
        with_text("XML:com.adobe.xmp"),
        with_text("Raw profile type exif"),
        with_text("exif"),
        huge(),
        PNG + head(*NOISE.size, 16, 2, 0, 0, 0) + png()[33:],
        PNG + head(*NOISE.size, 8, 2, 0, 0, 1) + png()[33:],
        PNG + head(0, 5) + png()[33:],
        PNG + head(*NOISE.size)[:20],
        png()[:-200],
        PNG,
        b"\xff\xd8 no PNG",
        b"",
    ],
    ids=[
        "grey",
        "palette",
        "alpha",
        "one colour transparent",
        "profile",
        "turned",
        "XMP",
        "profile of EXIF",
        "text of EXIF",
        "huge",
        "16 bits",
        "interlaced",
        "no width",
        "short",
        "cut",
        "name",
        "JPEG",
        "empty",
    ],
)
def test_other_pictures_are_left_to_pillow(content: bytes) -> None:
    """Those that ComfyUI does not write: it knows what else must be done to them, or what is wrong."""
    assert decoded(content) is None


def test_without_it_pillow_opens_renders(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there in tests; there is none for some platforms."""
    content = file_of(PROMPT, *PIECES)
    assert decoded(content) is not None
    both = [open_render(content)]
    monkeypatch.setattr(plain_png, "decode_image_png_u8", None)
    assert decoded(content) is None
    both.append(open_render(content))
    assert both[0].tobytes() == both[1].tobytes() == opened(content).tobytes()


class PanicException(BaseException):
    """As Rust's, which belongs to no module that could be imported."""

    __module__ = "pyo3_runtime"


def test_a_panic_for_want_of_memory_is_left_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no Exception; whoever presses Ctrl+C meanwhile is heard."""
    raised: list[BaseException] = [PanicException("no memory"), KeyboardInterrupt()]

    def decode(*_: object) -> None:
        raise raised.pop(0)

    monkeypatch.setattr(plain_png, "decode_image_png_u8", decode)
    assert decoded(png()) is None
    with pytest.raises(KeyboardInterrupt):
        decoded(png())


@given(place=st.integers(0, 10**9), byte=st.integers(0, 255), is_cut=st.booleans())
@settings(max_examples=600, deadline=None)
def test_what_is_damaged_is_left_to_pillow_or_shows_the_same_pixels(
    place: int, byte: int, *, is_cut: bool
) -> None:
    """Damage elsewhere than in pixels may go unnoticed; nothing else is ever shown."""
    whole = file_of(PROMPT, *PIECES)
    place %= len(whole)
    made = decoded(whole[:place] if is_cut else whole[:place] + bytes([byte]) + whole[place + 1 :])
    if made is not None:
        assert made.tobytes() == opened(whole).tobytes()
