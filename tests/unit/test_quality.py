from __future__ import annotations

import functools
import io
import random
import struct
import zlib
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from catalog_imagegen.stages.quality import BLACK_LUMA, MAX_PIXELS, Defect, Judgement, judge

WIDTH, HEIGHT = 96, 64


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    """The bytes of a picture file."""
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def noise(size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    """Grey noise, the same each time."""
    return Image.frombytes("L", size, random.Random(0).randbytes(size[0] * size[1]))


def grain() -> Image.Image:
    """A grey thing on a backdrop, with some grain, the same each time."""
    thing = Image.linear_gradient("L").resize((WIDTH, HEIGHT))
    thing.paste(30, (WIDTH // 4, HEIGHT // 4, WIDTH // 2, HEIGHT // 2))
    return Image.blend(thing, noise(), 0.1)


@functools.cache
def picture(kind: str = "PNG") -> bytes:
    """A grey picture with grain, as a file."""
    return encoded(grain().convert("RGB"), kind)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size)
        + chunk(b"IDAT", zlib.compress(bytes(99)))
        + chunk(b"IEND", b"")
    )


def seen(content: bytes) -> Judgement:
    """Judge a file that should be WIDTH × HEIGHT."""
    return judge(content, width=WIDTH, height=HEIGHT)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_good_picture_passes(kind: str) -> None:
    """Whatever file a save node writes, a picture of the right size is one."""
    assert seen(picture(kind)) == Judgement(WIDTH, HEIGHT)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "I;16"])
def test_every_mode_can_be_looked_at(mode: str) -> None:
    """Alpha, palettes and 16 bits are no defects."""
    deep = Image.frombytes(
        "I;16", (WIDTH, HEIGHT), b"".join(bytes([0, value]) for value in grain().tobytes())
    )
    image = deep if mode == "I;16" else grain().convert(mode)
    assert seen(encoded(image)).defect is None


@pytest.mark.parametrize("cut", [5, 12, 20, 21, "half"])
def test_a_truncated_file_is_no_picture(cut: int | str) -> None:
    """A download that broke off is not accepted, even when only the end mark lacks."""
    whole = picture()
    content = whole[: len(whole) // 2] if cut == "half" else whole[: -int(cut)]
    judged = seen(content)
    assert judged.defect == "bad_picture"
    assert judged.message


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_half_of_any_other_file_is_no_picture(kind: str) -> None:
    """Formats without check sums are decoded to the end."""
    whole = picture(kind)
    assert seen(whole[: len(whole) // 2]).defect == "bad_picture"


def test_a_flipped_bit_is_noticed() -> None:
    """A PNG carries check sums: damage on the way is not shown to customers."""
    damaged = bytearray(picture())
    damaged[len(damaged) // 2] ^= 1
    assert seen(bytes(damaged)).defect == "bad_picture"


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (WIDTH - 1, HEIGHT), (WIDTH, HEIGHT + 16), (1, 1)])
def test_another_size_is_a_defect_that_names_both(size: tuple[int, int]) -> None:
    """The size was bound into the graph: another one means the graph ignored it."""
    judged = seen(encoded(Image.new("RGB", size, "white")))
    assert (judged.defect, judged.width, judged.height) == ("wrong_size", *size)
    assert f"{size[0]}x{size[1]}" in judged.message
    assert f"{WIDTH}x{HEIGHT}" in judged.message


@pytest.mark.parametrize("colour", [(0, 0, 0), (1, 1, 1), (BLACK_LUMA,) * 3, (0, 0, 30)])
def test_black_and_almost_black_are_defects(colour: tuple[int, int, int]) -> None:
    """fp16 overflow paints zeros, and lossy codecs turn those into nearly zeros."""
    judged = seen(encoded(Image.new("RGB", (WIDTH, HEIGHT), colour)))
    assert (judged.defect, judged.width, judged.height) == ("black", WIDTH, HEIGHT)


def test_a_black_jpeg_is_black() -> None:
    """The codec's rounding does not hide it."""
    assert seen(encoded(Image.new("RGB", (WIDTH, HEIGHT)), "JPEG")).defect == "black"


def test_a_dark_but_real_picture_passes() -> None:
    """A black product by night is dark nearly everywhere and still a picture."""
    night = Image.new("RGB", (WIDTH, HEIGHT), (2, 2, 3))
    night.paste((12, 12, 14), (40, 30, 56, 46))
    assert seen(encoded(night)).defect is None


@pytest.mark.parametrize("colour", [(255, 255, 255), (128, 90, 60), (BLACK_LUMA + 6,) * 3])
@pytest.mark.parametrize("share", [0.0, 0.01])
def test_one_colour_all_over_is_a_defect(colour: tuple[int, int, int], share: float) -> None:
    """A failed sampler leaves it, sometimes with a trace of noise; the server calls it a success."""
    flat = Image.blend(Image.new("RGB", (WIDTH, HEIGHT), colour), noise().convert("RGB"), share)
    assert seen(encoded(flat)).defect == "uniform"


def test_the_faintest_product_on_white_is_a_picture() -> None:
    """White porcelain on white: next to nothing to see, and all of it meant."""
    white = Image.new("RGB", (WIDTH, HEIGHT), (255, 255, 255))
    white.paste((243, 243, 241), (WIDTH // 3, HEIGHT // 3, WIDTH // 2, HEIGHT // 2))
    assert seen(encoded(white)).defect is None


@pytest.mark.parametrize("coloured", [False, True])
def test_noise_is_a_defect(*, coloured: bool) -> None:
    """A broken decoder gives pixels that do not depend on each other."""
    size = (WIDTH, HEIGHT)
    bands = [Image.frombytes("L", size, random.Random(n).randbytes(WIDTH * HEIGHT)) for n in range(3)]
    picture = Image.merge("RGB", bands) if coloured else noise().convert("RGB")
    assert seen(encoded(picture)).defect == "noise"


def test_a_fine_weave_is_no_noise() -> None:
    """Cloth in close-up: neighbours differ all over, but by a pattern that is larger than a pixel."""
    weave = Image.new("L", (WIDTH, HEIGHT))
    weave.putdata([90 + 60 * ((x // 3 + y // 3) % 2) + x % 7 for y in range(HEIGHT) for x in range(WIDTH)])
    assert seen(encoded(weave.convert("RGB"))).defect is None


@pytest.mark.parametrize("side", [7_000, 12_000, 60_000])
def test_a_decompression_bomb_is_refused_by_its_header(side: int) -> None:
    """A few bytes that claim billions of pixels take no memory to refuse."""
    assert side * side > MAX_PIXELS
    judged = seen(png_header(side, side))
    assert judged.defect == "bad_picture"
    assert judged.message


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"<!doctype html><title>502 Bad Gateway</title>",
        b'{"error": "not found"}',
        b"\x00" * 5000,
        png_header(WIDTH, HEIGHT),
        png_header(0, 0),
        b"DDS " + struct.pack("<I", 124) + bytes(120),
    ],
)
def test_what_is_no_picture_is_unreadable(content: bytes) -> None:
    """A proxy's error page, an empty answer or an odd format fails one picture, not the run."""
    assert seen(content).defect == "bad_picture"


@given(
    st.sampled_from(["PNG", "JPEG", "WEBP", "AVIF", "GIF", "TIFF"]),
    st.floats(0, 1),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=6),
)
@example("AVIF", 0.5, [])
@settings(max_examples=80, deadline=None)
def test_damage_of_any_kind_is_judged_never_raised(
    kind: str, kept: float, damage: list[tuple[float, int]]
) -> None:
    """Whatever bytes a server sends, the judge gives a verdict."""
    content = bytearray(picture(kind))
    for where, value in damage:
        content[int(where * len(content))] = value
    judged = seen(bytes(content[: int(kept * len(content))]))
    assert judged.defect in (None, *get_args(Defect))
