"""Resizes by Lanczos; small outputs are made of a smaller copy instead of all pixels."""

from __future__ import annotations

import math
import threading

from PIL import Image

from catalog_imagegen.stages.rendition.geometry import Frame

try:
    from cykooz_resizer import CropBox, FilterType, ResizeAlg, ResizeOptions, Resizer
except ImportError:  # there is none for this platform
    RESIZER = "Pillow"
else:
    RESIZER = "cykooz-resizer"
    _LANCZOS = ResizeAlg.convolution(FilterType.lanczos3)

ENOUGH = 1.5
"""Times as many pixels across as the output has: of a copy so large it looks as if it were made of the source."""

Box = tuple[float, float, float, float]


class Levels:
    """A picture and copies of half its size, a quarter and so on, made when they are needed.

    The same output is always made of the same copy, whatever else is made: a file can be made again byte for byte.
    Modes ``RGB`` and ``RGBA``.
    """

    def __init__(self, image: Image.Image) -> None:
        self.image = image
        self._copies = {1: image}

    def resized(self, frame: Frame) -> Image.Image:
        """The part of the picture that *frame* shows, in its size."""
        left, top, right, bottom = frame.box
        spare = min((right - left) / frame.size[0], (bottom - top) / frame.size[1]) / ENOUGH
        copy = self._copy(1 << int(math.log2(spare)) if spare >= 2 else 1)  # noqa: PLR2004 - half
        across, down = copy.width / self.image.width, copy.height / self.image.height
        box = left * across, top * down, min(right * across, copy.width), min(bottom * down, copy.height)
        return _resized(copy, box, frame.size)

    def _copy(self, factor: int) -> Image.Image:
        if factor not in self._copies:
            size = max(1, self.image.width // factor), max(1, self.image.height // factor)
            self._copies[factor] = _resized(self.image, (0, 0, *self.image.size), size)
        return self._copies[factor]


def _resized(image: Image.Image, box: Box, size: tuple[int, int]) -> Image.Image:
    """By Lanczos; what the two engines make differs by a level or two, and cykooz-resizer takes an eighth of the time."""
    if RESIZER == "Pillow":
        return image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    left, top, right, bottom = box
    crop = CropBox(left, top, min(right, image.width) - left, min(bottom, image.height) - top)
    made = Image.new(image.mode, size, None)  # every pixel is written
    _resizer().resize_pil(image, made, ResizeOptions(resize_alg=_LANCZOS, crop_box=crop))
    return made


_of_thread = threading.local()


def _resizer() -> Resizer:
    """Threads that share one wait for each other."""
    if not hasattr(_of_thread, "resizer"):
        _of_thread.resizer = Resizer()
    its: Resizer = _of_thread.resizer
    return its
