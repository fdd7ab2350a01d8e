"""Scales pictures and masks by Lanczos; one way for all, so that what is compared was scaled alike."""

from __future__ import annotations

import threading

from PIL import Image

try:
    from cykooz_resizer import CropBox, FilterType, ResizeAlg, ResizeOptions, Resizer
except ImportError:  # there is none for this platform
    HAS_RESIZER = False
else:
    HAS_RESIZER = True
    _LANCZOS = ResizeAlg.convolution(FilterType.lanczos3)

Region = tuple[float, float, float, float]


def scaled(image: Image.Image, size: tuple[int, int], region: Region | None = None) -> Image.Image:
    """An RGB or L picture, or the *region* of it, in *size* pixels; itself where it has them already."""
    left, top, right, bottom = region or (0, 0, *image.size)
    if (left, top, right, bottom) == (0, 0, *size) == (0, 0, *image.size):
        return image
    if not HAS_RESIZER:
        return image.resize(size, Image.Resampling.LANCZOS, box=(left, top, right, bottom))
    made = Image.new(image.mode, size)
    crop = CropBox(left, top, min(right, image.width) - left, min(bottom, image.height) - top)
    _resizer().resize_pil(image, made, ResizeOptions(resize_alg=_LANCZOS, crop_box=crop))
    return made


_of_thread = threading.local()


def _resizer() -> Resizer:
    """Threads that share one wait for each other."""
    if not hasattr(_of_thread, "resizer"):
        _of_thread.resizer = Resizer()
    its: Resizer = _of_thread.resizer
    return its
