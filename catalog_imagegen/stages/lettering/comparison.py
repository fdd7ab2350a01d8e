"""Puts two of our own pictures beside each other."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image, ImageOps

from catalog_imagegen.domain.lettering import Area, Plate, Rect, TextBox
from catalog_imagegen.stages.lettering.errors import LetteringError
from catalog_imagegen.stages.lettering.fonts import Fonts
from catalog_imagegen.stages.lettering.overlay import SHIPPED_FONTS, Drawn, draw
from catalog_imagegen.stages.lettering.painting import rgb

RIVALS = (
    "竞品",
    "友商",
    "竞争对手",
    "他牌",
    "别家",
    "其他品牌",
    "其它品牌",
    "某品牌",
    "杂牌",
    "同行",
    "competitor",
)
"""Words for others' goods. 广告法 (2021) art. 13: advertising must not belittle the goods of other makers."""


@dataclass(frozen=True, slots=True)
class ComparisonStyle:
    """How two pictures are put together; lengths in shares of the frame's shorter side."""

    divider: float = 0.008
    divider_colour: str = "#ffffff"
    label_size: float = 0.052
    min_label_size: float = 0.03
    margin: float = 0.035
    label_colour: str = "#ffffff"
    plate: Plate = Plate(colour="#1d1d1f", opacity=0.72, radius=0.5, padding=0.45)  # noqa: RUF009 - it is frozen


DEFAULT_STYLE = ComparisonStyle()


@dataclass(frozen=True, slots=True)
class Compared:
    """Two pictures in one."""

    image: Image.Image
    parts: tuple[Rect, Rect]
    """Where the first and the second are."""
    drawn: tuple[Drawn, ...]
    """The labels."""


def compare(
    first: Image.Image,
    second: Image.Image,
    size: tuple[int, int],
    labels: tuple[str, str],
    *,
    own: Iterable[str] = (),
    forbidden: Iterable[str] = (),
    style: ComparisonStyle = DEFAULT_STYLE,
    fonts: Fonts = SHIPPED_FONTS,
) -> Compared:
    """Show two of our own RGB pictures side by side, or one over the other where that shows more of them.

    Raises ``LetteringError`` if a label has a name in *forbidden* or a word for rivals outside of the *own* names.
    """
    for label in labels:
        check_label(label, own=own, forbidden=forbidden)
    parts = _parts((first.size, second.size), size, max(2, round(min(size) * style.divider)))
    canvas = Image.new("RGB", size, rgb(style.divider_colour))
    for picture, part in zip((first, second), parts, strict=True):
        room = (part.right - part.left, part.bottom - part.top)
        canvas.paste(ImageOps.fit(picture, room, Image.Resampling.LANCZOS), part[:2])
    boxes = [
        _label(name, label, part, size, style)
        for name, label, part in zip(("first", "second"), labels, parts, strict=True)
    ]
    lettered = draw(canvas, boxes, fonts=fonts)
    return Compared(lettered.image, parts, lettered.drawn)


def check_label(label: str, *, own: Iterable[str] = (), forbidden: Iterable[str] = ()) -> None:
    """Raise ``LetteringError`` if a label names another maker's goods."""
    said = _plain(label)
    for name in sorted(map(_plain, own), key=len, reverse=True):
        said = said.replace(name, " ") if name else said
    for name in (*forbidden, *RIVALS):
        if _plain(name) and re.search(_pattern(_plain(name)), said):
            raise LetteringError(
                f"the label {label!r} of a comparison names others' goods ({name}); compare the product with itself, "
                "before and after or without and with",
                zh=f"对比图标签“{label}”提到了他人商品（{name}）；请只与自家商品比较，例如“使用前／使用后”",
                code="rival_named",
            )


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _pattern(name: str) -> str:
    """Latin names count as whole words: LG is not in "algae"."""
    return rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])" if name.isascii() else re.escape(name)


def _parts(
    pictures: tuple[tuple[int, int], tuple[int, int]], size: tuple[int, int], divider: int
) -> tuple[Rect, Rect]:
    """The two halves, beside or over each other: whichever crops less away."""
    width, height = size
    across, down = (width - divider) // 2, (height - divider) // 2
    beside = (Rect(0, 0, across, height), Rect(width - across, 0, width, height))
    over = (Rect(0, 0, width, down), Rect(0, height - down, width, height))

    def shown(parts: tuple[Rect, Rect]) -> float:
        return sum(_share(picture, part) for picture, part in zip(pictures, parts, strict=True))

    return beside if shown(beside) >= shown(over) else over


def _share(picture: tuple[int, int], part: Rect) -> float:
    """How much of a picture is seen in a part that it covers."""
    shape = picture[0] / picture[1] / ((part.right - part.left) / (part.bottom - part.top))
    return min(shape, 1 / shape)


def _label(name: str, text: str, part: Rect, size: tuple[int, int], style: ComparisonStyle) -> TextBox:
    """A label in the top left corner of its part."""
    width, height = size
    shorter = min(size)
    margin = shorter * style.margin
    return TextBox(
        name,
        Area(
            (part.left + margin) / width,
            (part.top + margin) / height,
            (part.right - margin) / width,
            (part.bottom - margin) / height,
        ),
        text,
        weight="bold",
        max_size=style.label_size * shorter / height,
        min_size=style.min_label_size * shorter / height,
        colour=style.label_colour,
        max_lines=1,
        plate=style.plate,
    )
