"""Pictures as they should not be: the right result, or a clear error."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, ImageDraw

from catalog_imagegen.domain.fingerprint import Fingerprint, digest
from catalog_imagegen.domain.imaging import Render
from catalog_imagegen.pipeline.compliance import Folder, check_listing
from catalog_imagegen.pipeline.develop import Order, develop
from catalog_imagegen.stages.rendition import open_render
from tests.unit.builders import placement, platform

RED = (220, 20, 30)
WHITE = (255, 255, 255)


def drawn(size: tuple[int, int] = (120, 80)) -> Image.Image:
    """Red, with a white corner at the top left."""
    image = Image.new("RGB", size, RED)
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 4, size[1] // 4), fill=WHITE)
    return image


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def sixteen_bits(*, is_grey: bool) -> bytes:
    """A PNG of 16 bits a channel, which Pillow cannot write in colour: three quarters bright."""
    value = struct.pack(">H", 0xC000) * (1 if is_grey else 3)
    rows = b"".join(b"\x00" + value * 20 for _ in range(20))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 20, 20, 16, 0 if is_grey else 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    body = b"".join(
        len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def bomb() -> bytes:
    """A file of a few bytes that says to be 3.6 gigapixels."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    data = b"IDAT" + zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n"
        + len(head).to_bytes(4, "big")
        + chunk
        + zlib.crc32(chunk).to_bytes(4, "big")
        + (len(data) - 4).to_bytes(4, "big")
        + data
        + zlib.crc32(data).to_bytes(4, "big")
    )


def turned() -> bytes:
    """A JPEG that lies on its side, as phones write them."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(drawn(), "JPEG", quality=95, exif=exif)


def see_through() -> bytes:
    """A palette whose first colour is transparent: red, hidden under transparency."""
    return saved(Image.new("P", (20, 20), 0), transparency=0)


def moving(kind: str) -> bytes:
    """Three frames, of which the first is red."""
    frames = [Image.new("RGB", (30, 30), colour) for colour in (RED, WHITE, (0, 0, 255))]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def middle(image: Image.Image) -> tuple[int, ...]:
    """The colour in the middle."""
    found = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(found, tuple)
    return found


@pytest.mark.parametrize(
    ("content", "size", "colour"),
    [
        pytest.param(saved(drawn().convert("CMYK"), "JPEG", quality=95), (120, 80), RED, id="CMYK"),
        pytest.param(sixteen_bits(is_grey=True), (20, 20), (191, 191, 191), id="16-bit grey"),
        pytest.param(sixteen_bits(is_grey=False), (20, 20), (192, 192, 192), id="16-bit colour"),
        pytest.param(see_through(), (20, 20), WHITE, id="palette with transparency"),
        pytest.param(turned(), (80, 120), RED, id="rotated by EXIF"),
        pytest.param(saved(Image.new("RGB", (1, 1), RED)), (1, 1), RED, id="1 × 1"),
        pytest.param(saved(Image.new("RGB", (30_000, 10), RED)), (30_000, 10), RED, id="30000 × 10"),
        pytest.param(moving("GIF"), (30, 30), RED, id="animated GIF"),
        pytest.param(moving("WEBP"), (30, 30), RED, id="animated WebP"),
        pytest.param(moving("PNG"), (30, 30), RED, id="animated PNG"),
    ],
)
def test_odd_pictures_are_seen_right(content: bytes, size: tuple[int, int], colour: tuple[int, ...]) -> None:
    """Upright, in 8 bits of sRGB, flattened on white; of moving ones the first frame. Each makes its files."""
    opened = open_render(content)
    assert (opened.mode, opened.size) == ("RGB", size)
    assert max(abs(a - b) for a, b in zip(middle(opened), colour, strict=True)) <= 14
    render = Render(Fingerprint("a" * 64), digest(content), *size)
    places = tuple(placement(width=60, height=60, fit=fit) for fit in ("cover", "contain", "pad", "width"))
    for file in develop(content, Order(render, places)):
        assert {verdict.code for verdict in file.verdicts} <= {"too_small"}
        assert max(file.width, file.height) <= 60


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(saved(drawn())[:60], "broken_file", id="truncated"),
        pytest.param(saved(drawn())[:-20], "broken_file", id="last 20 bytes missing"),
        pytest.param(saved(drawn(), "JPEG")[:-200], "broken_file", id="truncated JPEG"),
        pytest.param(bomb(), "broken_file", id="bomb"),
        pytest.param(b"", "broken_file", id="empty"),
        pytest.param(
            b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_format", id="SVG"
        ),
        pytest.param(
            b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(90), "unsupported_format", id="HEIC"
        ),
    ],
)
def test_what_is_no_picture_is_told(content: bytes, code: str) -> None:
    """As what it is, whatever it is called; the files beside it are judged."""
    good = saved(Image.new("RGB", (60, 60), RED), "JPEG")
    folder = Folder("KT-01", {"1.jpg": content, "2.jpg": good})
    broken, other = check_listing(folder, platform(placement(width=60, height=60))).files
    assert [(verdict.code, verdict.severity) for verdict in broken.verdicts] == [(code, "fail")]
    assert (other.width, other.height) == (60, 60)
