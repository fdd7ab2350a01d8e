"""Judges a raw render: a picture counts only if it decodes, has the right size and shows something."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageStat

MAX_PIXELS = 40_000_000
BLACK_LUMA = 4
"""Brightest luma (of 255) a picture may have and still be called black: fp16 overflow gives exact zeros."""

Defect = Literal["unreadable", "wrong_size", "black"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was seen: a defect, or none and the size in pixels."""

    width: int = 0
    height: int = 0
    defect: Defect | None = None
    message: str = ""


def judge(content: bytes, *, width: int, height: int) -> Judgement:
    """Verify, decode and look at a raw render that should be *width* × *height* pixels.

    ``verify`` comes before ``load``: a PNG that lacks its last bytes loads without an error.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                if image.width * image.height > MAX_PIXELS:
                    return Judgement(
                        defect="unreadable", message=f"{image.width}x{image.height} is too large"
                    )
                image.verify()
            with Image.open(io.BytesIO(content)) as image:
                image.load()
                luma = image.convert("L")
    except (OSError, SyntaxError, ValueError, RuntimeError, Image.DecompressionBombError, Warning) as error:
        return Judgement(defect="unreadable", message=f"{type(error).__name__}: {error}")
    if luma.size != (width, height):
        return Judgement(*luma.size, "wrong_size", f"is {luma.width}x{luma.height}, wanted {width}x{height}")
    (_, brightest), *_ = ImageStat.Stat(luma).extrema
    if brightest <= BLACK_LUMA:
        return Judgement(*luma.size, "black", f"all black (brightest luma {brightest:.0f} of 255)")
    return Judgement(*luma.size)
