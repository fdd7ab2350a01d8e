"""Judges a raw render: a picture counts only if it decodes, has the right size and shows something."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Literal

from PIL import Image, ImageChops, ImageStat

MAX_PIXELS = 40_000_000
"""A file of more is not decoded: it is no picture of a shop but an attack, or a mistake."""
BLACK_LUMA = 4
"""Brightest luma (of 255) a picture may have and still be called black: fp16 overflow gives exact zeros."""

UNIFORM_SPREAD = 6
"""Levels (of 255) between the darkest and the brightest spot of a picture that shows nothing. Spots are means of
8×8 pixels, so that fine noise over one colour does not hide it; the faintest product on white has ten times that."""
UNIFORM_DEVIATION = 4.0
"""Standard deviation of luma above which there is something to see, if only a fine weave."""
SPOT = 8
NOISE_DEVIATION = 10.0
"""Standard deviation of luma below which fine noise over a picture is just grain."""
NOISE_STEPS = ((1, 0), (0, 1), (2, 0), (3, 1))
"""Pixels apart, across and down. Pixels that do not depend on each other differ by 1.13 standard deviations on average,
however far apart; in photos neighbours differ by less than half that, and a pattern shows at some distance."""
NOISE_DIFFERENCE = (0.95, 1.3)
NOISE_SPOTS = 0.3
"""Standard deviation of spots in that of pixels: 0.125 for noise, 0.6 and more in photos."""
SAMPLE = 384
"""Pixels: the side of the middle that is looked at for noise."""

Defect = Literal["bad_picture", "wrong_size", "black", "uniform", "noise"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was seen: a defect, or none and the size in pixels."""

    width: int = 0
    height: int = 0
    defect: Defect | None = None
    message: str = ""
    image: Image.Image | None = field(default=None, compare=False, repr=False)
    """The pixels, in colour, of what has no defect."""


def judge(content: bytes, *, width: int, height: int) -> Judgement:
    """Verify, decode and look at a raw render that should be *width* × *height* pixels.

    ``verify`` comes before ``load``: a PNG that lacks its last bytes loads without an error.
    """
    try:
        picture = _decoded(content)
    except (OSError, SyntaxError, ValueError, RuntimeError, Image.DecompressionBombError, Warning) as error:
        return Judgement(defect="bad_picture", message=f"{type(error).__name__}: {error}")
    defect, message = _defect(picture, (width, height))
    return Judgement(*picture.size, defect, message, picture if defect is None else None)


def _decoded(content: bytes) -> Image.Image:
    """The pixels, in colour. Raises whatever Pillow raises for what is no picture, or no whole one."""
    with Image.open(io.BytesIO(content)) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"{image.width}x{image.height} is too large")
        image.verify()
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        return _in_colour(image)


def _defect(picture: Image.Image, size: tuple[int, int]) -> tuple[Defect | None, str]:
    """What is wrong with a picture, and what was seen of it."""
    if picture.size != size:
        width, height = size
        return "wrong_size", f"is {picture.width}x{picture.height}, wanted {width}x{height}"
    middle = _middle(picture).convert("L")
    seen = ImageStat.Stat(middle)
    if not _shows_something(seen, picture):
        whole = ImageStat.Stat(picture.convert("L"))
        (_, brightest), *_ = whole.extrema
        if brightest <= BLACK_LUMA:
            return "black", f"brightest luma {brightest:.0f} of 255"
        if whole.stddev[0] < UNIFORM_DEVIATION and (spread := _spread(picture)) <= UNIFORM_SPREAD:
            return "uniform", f"its spots differ by {spread:.0f} levels of 255"
    if _is_noise(middle, deviation=seen.stddev[0]):
        return "noise", "its pixels do not depend on each other"
    return None, ""


def _middle(picture: Image.Image) -> Image.Image:
    """What lies around the centre, which most verdicts can be read off: the whole has many times as many pixels."""
    left, top = (max(0, (side - SAMPLE) // 2) for side in picture.size)
    return picture.crop((left, top, min(picture.width, left + SAMPLE), min(picture.height, top + SAMPLE)))


def _shows_something(middle: ImageStat.Stat, picture: Image.Image) -> bool:
    """Whether the middle alone rules out that all is black or of one colour.

    The variance of the whole is at least that of a part times its share.
    """
    (_, brightest), *_ = middle.extrema
    share = middle.count[0] / (picture.width * picture.height)
    return brightest > BLACK_LUMA and middle.var[0] * share > UNIFORM_DEVIATION**2


def _in_colour(image: Image.Image) -> Image.Image:
    """The picture in 8 bits of RGB; 16 bits are scaled, where converting would cut them off."""
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I;16"):
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    return image.convert("RGB")


def _spread(picture: Image.Image) -> float:
    """Levels between the darkest and the brightest spot, in the channel where that is most."""
    return max(high - low for low, high in ImageStat.Stat(picture.reduce(SPOT)).extrema)


def _is_noise(middle: Image.Image, *, deviation: float) -> bool:
    """Whether the pixels in the middle of a picture do not depend on each other."""
    if deviation < NOISE_DEVIATION:
        return False
    (of_spots,) = ImageStat.Stat(middle.reduce(SPOT)).stddev
    low, high = NOISE_DIFFERENCE
    return of_spots < NOISE_SPOTS * deviation and all(
        low < _difference(middle, *step) / deviation < high for step in NOISE_STEPS
    )


def _difference(luma: Image.Image, across: int, down: int) -> float:
    """Mean difference of pixels that are so far apart."""
    width, height = luma.width - across, luma.height - down
    one = luma.crop((0, 0, width, height))
    other = luma.crop((across, down, across + width, down + height))
    (mean,) = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return mean
