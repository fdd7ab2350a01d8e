"""Encodes a picture under the cap of its placement, with what its metadata must say."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageChops, ImageFile
from PIL.PngImagePlugin import PngInfo

from catalog_imagegen.domain.imaging import Placement

MIN_QUALITY = 40
"""Below this pictures are ugly."""
USED = 0.97
"""Share of a cap that is used well enough."""
PACKED = 0.95
"""What a JPEG takes with code tables of its own, in 2.4 times the time (1280 × 1280: 10.3 instead of 4.3 ms): they are
for files that must become smaller."""
PLACEHOLDER_COMMENT = b"catalog-imagegen placeholder: not a generated picture"
AVIF_SPEED, WEBP_METHOD, PNG_LEVEL = 9, 4, 6
_SLOPE = 0.52
"""How the size falls with the quantiser, as a power: 0.48 to 0.6 for photographs, grainy and soft."""
_LOOKED_AT = 768
"""Pixels of the middle that are looked at for fine colour."""
_FINE = 24
"""Levels by which a pixel's colour differs from that of its neighbours where halving the colour resolution is seen."""
_FINE_SHARE = 0.002
"""Of all pixels: lettering and drawn edges have ten times as many, photographs a tenth."""
# Pillow's optimize needs the whole JPEG in one buffer and gives it a byte per pixel; grain takes up to three.
ImageFile.MAXBLOCK = 2**24


@dataclass(frozen=True, slots=True)
class Marks:
    """What a file's metadata say: nothing of the source's, only this."""

    xmp: bytes = b""
    """A whole packet: labels of pictures that were made by a machine."""
    is_placeholder: bool = False


def encode(image: Image.Image, placement: Placement, marks: Marks, *, has_fine_colour: bool = True) -> bytes:
    """Encode at the wanted quality, or at one whose bytes, metadata included, use the cap to at least USED.

    Where no quality does, at the highest that fits, and at MIN_QUALITY where none fits.
    """

    def save(quality: int, *, is_packed: bool = True) -> bytes:
        return _save(
            image, placement, marks, quality=quality, has_fine_colour=has_fine_colour, is_packed=is_packed
        )

    first = save(placement.quality, is_packed=False)
    if placement.format == "PNG" or len(first) <= placement.max_bytes:
        return first
    return _under_cap(save, placement.max_bytes, placement.quality, len(first))


def _under_cap(save: Callable[[int], bytes], cap: int, quality: int, size: int) -> bytes:
    """The size falls with the quantiser as a power, so two encodings tell what a third will take."""
    best: bytes | None = None
    low, high = MIN_QUALITY - 1, quality + 1  # low fits (or nothing does), high does not
    slope, known = _SLOPE, (quality, round(PACKED * size))
    while high - low > 1:
        aim = _quality_at(_quantiser(known[0]) * (known[1] / (cap * (1 + USED) / 2)) ** (1 / slope))
        tried = min(max(aim, low + 1), high - 1)
        made = save(tried)
        slope = _slope(known, (tried, len(made))) or slope
        known = tried, len(made)
        if len(made) > cap:
            high = tried
        else:
            best, low = made, tried
            if len(made) >= USED * cap:
                break
    return best if best is not None else save(MIN_QUALITY)


def _quantiser(quality: int) -> float:
    """By how much JPEG's tables are scaled at a quality, as libjpeg does it; other encoders are like it."""
    return 5000 / quality if quality < 50 else 200 - 2 * quality  # noqa: PLR2004


def _quality_at(quantiser: float) -> int:
    """The quality that is nearest to this quantiser."""
    return round(5000 / quantiser if quantiser > 100 else (200 - quantiser) / 2)  # noqa: PLR2004


def _slope(one: tuple[int, int], other: tuple[int, int]) -> float:
    """The power that joins two encodings; 0 where they tell nothing."""
    across = math.log(max(1, _quantiser(other[0])) / max(1, _quantiser(one[0])))
    down = math.log(one[1] / other[1])
    return min(max(down / across, 0.2), 1.2) if across and down / across > 0 else 0.0


def has_fine_colour(image: Image.Image) -> bool:
    """Whether halving the colour resolution would be seen: coloured lettering, sharp coloured edges."""
    left, top = (max(0, (side - _LOOKED_AT) // 2) for side in image.size)
    middle = image.crop((left, top, min(image.width, left + _LOOKED_AT), min(image.height, top + _LOOKED_AT)))
    seen = middle.convert("RGB").convert("YCbCr")
    halved = seen.reduce(2).resize(seen.size, Image.Resampling.NEAREST)
    counts = ImageChops.difference(seen, halved).histogram()
    few = _FINE_SHARE * seen.width * seen.height
    return any(sum(counts[start + _FINE : start + 256]) > few for start in (256, 512))


def _save(
    image: Image.Image,
    placement: Placement,
    marks: Marks,
    *,
    quality: int,
    has_fine_colour: bool,
    is_packed: bool,
) -> bytes:
    image.info = {}  # nothing of the source's metadata leaks into the file
    buffer = io.BytesIO()
    options: dict[str, Any] = {"xmp": marks.xmp} if marks.xmp else {}
    if placement.format == "JPEG":
        if marks.is_placeholder:
            options["comment"] = PLACEHOLDER_COMMENT
        chroma = "4:4:4" if has_fine_colour else "4:2:0"
        image.save(buffer, "JPEG", quality=quality, subsampling=chroma, optimize=is_packed, **options)
    elif placement.format == "WEBP":
        image.save(buffer, "WEBP", quality=quality, method=WEBP_METHOD, **options)
    elif placement.format == "AVIF":
        image.save(buffer, "AVIF", quality=quality, speed=AVIF_SPEED, max_threads=1, **options)
    else:
        image.save(buffer, "PNG", compress_level=PNG_LEVEL, pnginfo=_text_of(marks))
    return buffer.getvalue()


def _text_of(marks: Marks) -> PngInfo:
    """Pillow drops ``xmp`` of a PNG without a word."""
    info = PngInfo()
    if marks.is_placeholder:
        info.add_text("Comment", PLACEHOLDER_COMMENT.decode())
    if marks.xmp:
        info.add_itxt("XML:com.adobe.xmp", marks.xmp.decode())
    return info
