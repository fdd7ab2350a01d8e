"""Small pictures that are the same every time."""

from __future__ import annotations

import hashlib
import random
from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw

SIZE = (120, 90)


@cache
def png(color: str, size: tuple[int, int] = SIZE) -> bytes:
    """A framed field of one color."""
    return _saved(_field(color, size), "PNG")


@cache
def jpeg(color: str) -> bytes:
    """The same as a photograph."""
    return _saved(_field(color, SIZE), "JPEG")


@cache
def noisy_png(size: tuple[int, int] = SIZE) -> bytes:
    """One that nothing makes smaller: about three bytes a pixel."""
    chance = random.Random(7)
    return _saved(Image.frombytes("RGB", size, chance.randbytes(3 * size[0] * size[1])), "PNG")


def sha1(picture: bytes) -> str:
    """The name of a picture by its bytes."""
    return hashlib.sha1(picture, usedforsecurity=False).hexdigest()


def _field(color: str, size: tuple[int, int]) -> Image.Image:
    field = Image.new("RGB", size, color)
    ImageDraw.Draw(field).rectangle((size[0] // 3, size[1] // 3, size[0] // 2, size[1] // 2), fill="white")
    return field


def _saved(image: Image.Image, kind: str) -> bytes:
    saved = BytesIO()
    image.save(saved, kind)
    return saved.getvalue()
