"""The nodes that change a picture's pixels or size."""

import math
from collections.abc import Callable
from typing import Any

from PIL import ImageOps

from catalog_imagegen.simulator.values import Pictures

Inputs = dict[str, Any]
# The sizes Flux Kontext was trained on, as FluxKontextImageScale chooses among them by aspect.
KONTEXT_SIZES = [
    (672, 1568),
    (688, 1504),
    (720, 1456),
    (752, 1392),
    (800, 1328),
    (832, 1248),
    (880, 1184),
    (944, 1104),
    (1024, 1024),
    (1104, 944),
    (1184, 880),
    (1248, 832),
    (1328, 800),
    (1392, 752),
    (1456, 720),
    (1504, 688),
    (1568, 672),
]


def _resized(pictures: Pictures, width: int, height: int, *, is_cropped: bool = False) -> tuple[Pictures]:
    size = max(width, 1), max(height, 1)
    if is_cropped:
        return (tuple(ImageOps.fit(picture, size) for picture in pictures),)
    return (tuple(picture.resize(size) for picture in pictures),)


def _scale(inputs: Inputs) -> tuple[Pictures]:
    across, down = inputs["image"][0].size
    width, height = inputs["width"], inputs["height"]
    if not width and not height:
        return (inputs["image"],)
    width = width or round(across * height / down)
    height = height or round(down * width / across)
    return _resized(inputs["image"], width, height, is_cropped=inputs["crop"] == "center")


def _scale_by(inputs: Inputs) -> tuple[Pictures]:
    width, height = (round(side * inputs["scale_by"]) for side in inputs["image"][0].size)
    return _resized(inputs["image"], width, height)


def _scale_to_pixels(inputs: Inputs) -> tuple[Pictures]:
    width, height = inputs["image"][0].size
    by = math.sqrt(inputs["megapixels"] * 1024 * 1024 / (width * height))
    step = inputs.get("resolution_steps", 1)
    return _resized(inputs["image"], *(round(side * by / step) * step for side in (width, height)))


def _scale_to_side(inputs: Inputs) -> tuple[Pictures]:
    width, height = inputs["image"][0].size
    by = inputs["largest_size"] / max(width, height)
    return _resized(inputs["image"], round(width * by), round(height * by))


def _scale_for_kontext(inputs: Inputs) -> tuple[Pictures]:
    width, height = inputs["image"][0].size
    best = min(KONTEXT_SIZES, key=lambda size: abs(width / height - size[0] / size[1]))
    return _resized(inputs["image"], *best, is_cropped=True)


def _inverted(inputs: Inputs) -> tuple[Pictures]:
    return (tuple(ImageOps.invert(picture) for picture in inputs["image"]),)


SCALINGS: dict[str, Callable[[Inputs], tuple[Any, ...]]] = {
    "ImageScale": _scale,
    "ImageScaleBy": _scale_by,
    "ImageScaleToTotalPixels": _scale_to_pixels,
    "ImageScaleToMaxDimension": _scale_to_side,
    "FluxKontextImageScale": _scale_for_kontext,
    "ImageInvert": _inverted,
}
