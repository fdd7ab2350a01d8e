"""Puts the product of a render on the background that a place asks for, and frames it as large as it asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from PIL import Image

from catalog_imagegen.domain.imaging import Placement, Verdict
from catalog_imagegen.stages.rendition import Frame, Negative

if TYPE_CHECKING:
    from catalog_imagegen.stages.product import Refusal

Behind = tuple[str, Literal["keep", "remove"]]
_OPEN = (255, 255, 255, 0)


@dataclass(frozen=True, slots=True)
class _Base:
    """A render with what is behind its product, and where the product is if that is known."""

    image: Image.Image
    box: tuple[int, int, int, int] | None = None
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Grounded:
    """What a file is made of."""

    negative: Negative
    frame: Frame | None = None
    """Around the product; None as the placement's fit says."""
    verdicts: tuple[Verdict, ...] = ()


class Ground:
    """The backgrounds and framings of one render, each made once."""

    def __init__(self, image: Image.Image) -> None:
        self._image = image
        self._bases: dict[Behind, _Base] = {}
        self._negatives: dict[tuple[Behind, tuple[int, int, int, int]], Negative] = {}

    def prepared(self, placement: Placement) -> Grounded:
        """The picture for a place; a background that cannot be changed stays, and its file will fail by measure."""
        behind = _behind(placement)
        is_framed = bool(placement.fill or placement.safe_zone)
        if behind[0] == "keep" and not is_framed:
            return Grounded(self._negative(behind, (0, 0, *self._image.size)))
        base = self._base(behind)
        if not is_framed or base.box is None:
            return Grounded(self._negative(behind, (0, 0, *base.image.size)), verdicts=base.verdicts)
        source = _source(base, placement, is_kept=behind[0] == "keep")
        outer = (math.floor(source[0]), math.floor(source[1]), math.ceil(source[2]), math.ceil(source[3]))
        left, top = outer[:2]
        size = placement.width, placement.height
        box = source[0] - left, source[1] - top, source[2] - left, source[3] - top
        return Grounded(self._negative(behind, outer), Frame(box, size, size), base.verdicts)

    def _base(self, behind: Behind) -> _Base:
        if behind not in self._bases:
            self._bases[behind] = _based(self._image, behind)
        return self._bases[behind]

    def _negative(self, behind: Behind, outer: tuple[int, int, int, int]) -> Negative:
        """The part of a base inside *outer*, which may reach beyond it."""
        if (behind, outer) not in self._negatives:
            image = self._image if behind[0] == "keep" else self._base(behind).image
            if outer != (0, 0, *image.size):
                image = _part(image, outer, behind[0])
            self._negatives[behind, outer] = Negative(image)
        return self._negatives[behind, outer]


def _behind(placement: Placement) -> Behind:
    """What bases are told apart by; what pad leaves free is another matter."""
    is_kept = placement.background in ("keep", "blur")
    return ("keep", "keep") if is_kept else (placement.background, placement.shadow)


def _based(image: Image.Image, behind: Behind) -> _Base:
    from catalog_imagegen.stages.product import Refusal, cut_out, product_box, whiten  # noqa: PLC0415 - slow to load

    background, shadow = behind
    if background in ("keep", "white"):
        white = whiten(image, shadow=shadow)
        if isinstance(white, Refusal):
            return _Base(image, verdicts=_kept(white) if background == "white" else ())
        # A shadow that stays is framed with its product: at the border it would be a stain.
        box = (product_box(white.image) or white.box) if shadow == "keep" else white.box
        return _Base(white.image if background == "white" else image, box)
    cut = cut_out(image)
    if isinstance(cut, Refusal):
        opaque = image.convert("RGBA") if background == "transparent" else image
        return _Base(opaque, verdicts=_kept(cut))
    if background == "transparent":
        return _Base(cut.image, cut.box)
    coloured = Image.new("RGB", image.size, background)
    coloured.paste(cut.image, mask=cut.image.getchannel("A"))
    return _Base(coloured, cut.box)


def _kept(refusal: Refusal) -> tuple[Verdict, ...]:
    """The background stays as it is, and why."""
    return (Verdict("background_kept", "warn", refusal.message_en, refusal.message_zh),)


def _source(base: _Base, placement: Placement, *, is_kept: bool) -> tuple[float, float, float, float]:
    """The part of a base that becomes the whole file, around its product; with a background that is kept, no more."""
    from catalog_imagegen.stages.product import Box, SafeZone, fill_ratio, plan_reframing  # noqa: PLC0415

    assert base.box is not None  # noqa: S101 - the caller looked
    box, size = Box(*base.box), (placement.width, placement.height)
    fill = placement.fill or min(1.0, fill_ratio(box, base.image.size))
    safe = SafeZone(*[placement.safe_zone] * 4)
    source = plan_reframing(box, size, fill=fill, safe=safe).source
    return _inside(source, base.image.size) if is_kept else source


def _inside(
    source: tuple[float, float, float, float], size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """As much of a part as lies in the picture, in its shape: beside a background that stays white would be seen."""
    width, height = source[2] - source[0], source[3] - source[1]
    scale = min(1.0, size[0] / width, size[1] / height)
    across, down = width * scale, height * scale
    left = min(max(0.0, (source[0] + source[2] - across) / 2), size[0] - across)
    top = min(max(0.0, (source[1] + source[3] - down) / 2), size[1] - down)
    return left, top, left + across, top + down


def _part(image: Image.Image, outer: tuple[int, int, int, int], background: str) -> Image.Image:
    left, top, right, bottom = outer
    colour: str | tuple[int, ...] = (
        background if background.startswith("#") else _OPEN[: len(image.getbands())]
    )
    made = Image.new(image.mode, (right - left, bottom - top), colour)
    made.paste(image, (-left, -top))
    return made
