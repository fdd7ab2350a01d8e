"""Placeholders painted and encoded once per size, for servers that must cost next to nothing per picture."""

import asyncio
import io
import random
import struct
import zlib
from collections.abc import Callable, Mapping

from PIL import Image, ImageChops, ImageFilter

from catalog_imagegen.simulator.paint import paint

HEAD = 33  # bytes of a PNG's signature and header; text chunks may follow
GRAIN = 5  # how far a pixel's grain reaches, so that 1024 by 1024 take about 1.4 MB as a photograph does

Maker = Callable[[int, int], Image.Image]


def photo(width: int, height: int) -> Image.Image:
    """Paint a placeholder with a photograph's grain, which compresses as badly as one."""
    picture = paint("样张", width=width, height=height, seed=1, name="样张", role="lifestyle")
    return ImageChops.add(picture, _grain(width, height, GRAIN), offset=-GRAIN)


def noise(width: int, height: int) -> Image.Image:
    """Give random pixels, the same ones for every picture of a size."""
    rng = random.Random(f"{width}x{height}")
    return Image.frombytes("RGB", (width, height), rng.randbytes(width * height * 3))


def uniform(width: int, height: int) -> Image.Image:
    """Give one brownish grey, each channel of a pixel off by one at most."""
    flat = Image.new("RGB", (width, height), (122, 116, 108))
    return ImageChops.add(flat, _grain(width, height, 1), offset=-1)


def black(width: int, height: int) -> Image.Image:
    """Give black alone."""
    return Image.new("RGB", (width, height))


def blurred(width: int, height: int) -> Image.Image:
    """Give a placeholder in which nothing is in focus."""
    picture = paint("样张", width=width, height=height, seed=1, name="样张", role="lifestyle")
    return picture.filter(ImageFilter.GaussianBlur(max(width, height) / 32))


def overexposed(width: int, height: int) -> Image.Image:
    """Give white, with a sharp corner of a placeholder."""
    picture = Image.new("RGB", (width, height), (255, 255, 255))
    corner = (width // 4, height // 4)
    picture.paste(photo(width, height).resize(corner))
    return picture


def _grain(width: int, height: int, reach: int) -> Image.Image:
    """Give even noise of 0 to twice *reach*."""
    levels = bytes(value % (2 * reach + 1) for value in range(256))
    return Image.frombytes("RGB", (width, height), noise(width, height).tobytes().translate(levels))


class Stock:
    """The pictures made so far, and their files; shared by all servers of a process."""

    def __init__(self) -> None:
        self._pictures: dict[tuple[Maker, int, int], asyncio.Future[Image.Image]] = {}
        self._files: dict[int, tuple[bytes, bytes]] = {}

    async def picture(self, make: Maker, width: int, height: int) -> Image.Image:
        """Give what *make* makes of that size, making it only the first time."""
        key = (make, width, height)
        if key not in self._pictures:
            made = self._pictures[key] = asyncio.get_running_loop().create_future()
            picture, file = await asyncio.to_thread(_made, make, width, height)
            self._files[id(picture)] = file  # the picture is kept, so its id stays its own
            made.set_result(picture)
        return await self._pictures[key]

    async def file(self, picture: Image.Image) -> tuple[bytes, bytes]:
        """Give head and tail of *picture*'s PNG, encoding it only if it is none of the stock."""
        known = self._files.get(id(picture))
        return await asyncio.to_thread(_encoded, picture) if known is None else known


def _made(make: Maker, width: int, height: int) -> tuple[Image.Image, tuple[bytes, bytes]]:
    picture = make(width, height)
    return picture, _encoded(picture)


def _encoded(picture: Image.Image) -> tuple[bytes, bytes]:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    png = out.getvalue()
    return png[:HEAD], png[HEAD:]


def chunks(texts: Mapping[str, str]) -> bytes:
    """Write texts as they stand between a PNG's head and tail."""
    return b"".join(_chunk(key, text) for key, text in texts.items())


def _chunk(key: str, text: str) -> bytes:
    body = b"tEXt" + key.encode("latin-1") + b"\0" + text.encode("latin-1")
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
