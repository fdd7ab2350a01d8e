"""Reads text in pictures with RapidOCR, an optional extra whose models come with it: nothing is sent anywhere."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from PIL import Image

from catalog_imagegen.domain.imaging import TextFound

SIDE = 736
"""Pixels: about the longer side at which pictures are read. Letters 3 % of it high were read with a confidence of 0.99, in
half a second on one core."""


class RapidReader:
    """A TextReader; its models are loaded when the first picture is read, and read one picture at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engine: Any = None

    def read(self, image: Image.Image) -> list[TextFound]:
        """See the port."""
        factor = max(1.0, max(image.size) / SIDE)
        size = (max(1, round(image.width / factor)), max(1, round(image.height / factor)))
        small = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BOX, reducing_gap=2.0))
        with self._lock:
            found = self._loaded()(np.ascontiguousarray(small[:, :, ::-1]))  # blue first, as OpenCV has it
        if found.txts is None:
            return []
        return [
            TextFound(text, _box(corners, factor, image.size), float(score))
            for text, corners, score in zip(found.txts, found.boxes, found.scores, strict=True)
        ]

    def _loaded(self) -> Any:
        if self._engine is None:
            from rapidocr import RapidOCR  # noqa: PLC0415 - optional, and half a second to import

            # Without the classifier of lines that stand on their head: such are no advertising.
            self._engine = RapidOCR(params={"Global.log_level": "error", "Global.use_cls": False})
        return self._engine


def _box(corners: Any, factor: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The upright box around four corners, in pixels of the whole picture."""
    across, down = ([float(corner[axis]) * factor for corner in corners] for axis in (0, 1))
    width, height = size
    return (
        max(0, int(min(across))),
        max(0, int(min(down))),
        min(width, round(max(across))),
        min(height, round(max(down))),
    )
