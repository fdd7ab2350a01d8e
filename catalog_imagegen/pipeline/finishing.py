"""Draws on files what their design says; what cannot be drawn is left out, and told."""

from __future__ import annotations

import math
from collections.abc import Callable

from PIL import Image

from catalog_imagegen.domain.design import Design, Pair
from catalog_imagegen.domain.errors import ItemError
from catalog_imagegen.domain.imaging import Placement, Verdict
from catalog_imagegen.pipeline.ground import Grounded
from catalog_imagegen.pipeline.shapes import together
from catalog_imagegen.stages.rendition import Frame, Negative, frame_for


class Finish:
    """Draws texts and the visible label on a file in its final size; *verdicts* say what is missing."""

    def __init__(self, design: Design, placement: Placement) -> None:
        self.verdicts = list(design.faults)
        self._design, self._placement = design, placement

    @property
    def is_needed(self) -> bool:
        """Whether anything is drawn at all."""
        return bool(self._design.boxes) or self._placement.visible_label != "never"

    def draw(self, image: Image.Image) -> Image.Image:
        """The texts of the layout first, so that none lies on the label."""
        if self._design.boxes:
            image = self._tried(self._lettered, image)
        if self._placement.visible_label != "never":
            image = self._tried(_labelled, image, code="no_visible_label")
        return image

    def _tried(
        self, step: Callable[[Image.Image], Image.Image], image: Image.Image, *, code: str = ""
    ) -> Image.Image:
        try:
            return step(image)
        except ItemError as error:
            self.verdicts.append(Verdict(code or error.code, "fail", error.message_en, error.message_zh))
            return image

    def _lettered(self, image: Image.Image) -> Image.Image:
        from catalog_imagegen.stages.lettering import Fonts, draw  # noqa: PLC0415 - fonts are for those who write

        fonts = Fonts({font.name: font.path for font in self._design.fonts})
        return draw(image, self._design.boxes, fonts=fonts, safe_zone=self._placement.safe_zone).image


def _labelled(image: Image.Image) -> Image.Image:
    """With the label that everybody sees."""
    from catalog_imagegen.stages.lettering import add_label  # noqa: PLC0415

    return add_label(image).image


class SideBySide:
    """Two renders as a ground: each file is stitched in its final size, so that no label is cropped or blurred."""

    def __init__(self, first: Image.Image, second: Image.Image, pair: Pair) -> None:
        self._pictures = first.convert("RGB"), second.convert("RGB")
        self._pair = pair

    def prepared(self, placement: Placement) -> Grounded:
        """The comparison for a place; one whose labels do not fit has none."""
        from catalog_imagegen.stages.lettering import compare  # noqa: PLC0415

        frame = self._frame(placement)
        size = frame.size
        try:
            made = compare(*self._pictures, size, self._pair.labels, own=self._pair.own)
        except ItemError as error:
            bare = compare(*self._pictures, size, ("", ""))
            verdict = Verdict(error.code, "fail", error.message_en, error.message_zh)
            return Grounded(Negative(bare.image), frame, (verdict,))
        return Grounded(Negative(made.image), frame)

    def _frame(self, placement: Placement) -> Frame:
        """How a file is filled: a place that is covered decides itself whether one stands beside or below the other."""
        wholes = [(self._pair.width, self._pair.height)]
        if placement.fit == "cover":
            wholes = together(*(picture.size for picture in self._pictures))
        frame = max((frame_for(whole, placement) for whole in wholes), key=lambda f: math.prod(f.canvas))
        return Frame((0, 0, *frame.size), frame.size, frame.canvas)
