"""Why a photo is left as it is: a reason, never an exception, for the photo itself may be as good as any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reason = Literal["small", "dark", "coloured", "uneven", "faint", "empty", "crowded", "unclear"]

_SHOOT_EN = (
    "photograph the product on plain white or light grey, or add a photo with a transparent background"
)
_SHOOT_ZH = "请将商品放在纯白或浅灰色背景前拍摄，或提供透明背景的图片"
_WORDS: dict[Reason, tuple[str, str]] = {
    "small": (
        "the photo has too few pixels to tell product and background apart; use a larger one",
        "图片像素太少，无法区分商品与背景；请换用更大的图片",
    ),
    "dark": (f"the background of the photo is not light; {_SHOOT_EN}", f"图片背景不够亮；{_SHOOT_ZH}"),
    "coloured": (f"the background of the photo is coloured; {_SHOOT_EN}", f"图片背景带有颜色；{_SHOOT_ZH}"),
    "uneven": (f"the background of the photo is not plain; {_SHOOT_EN}", f"图片背景不是纯色；{_SHOOT_ZH}"),
    "faint": (
        "the product is too like its background to be told from it; photograph it on another one, or add a cut-out",
        "商品与背景过于接近，无法区分；请换一种背景拍摄，或提供透明背景的图片",
    ),
    "empty": (
        "nothing stands out from the background of the photo; use a photo that shows the product",
        "图片背景上没有可辨认的商品；请换用能看清商品的图片",
    ),
    "crowded": (
        "the product leaves no background around it; use a photo that shows all of it with a margin",
        "商品占满画面，四周没有背景；请换用商品完整且四周留白的图片",
    ),
    "unclear": (
        f"no product could be told from its surroundings; {_SHOOT_EN}",
        f"无法从画面中分出商品；{_SHOOT_ZH}",
    ),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What stands against working on a photo."""

    reason: Reason

    @property
    def message_en(self) -> str:
        """What is wrong and what to do, for people."""
        return _WORDS[self.reason][0]

    @property
    def message_zh(self) -> str:
        """The same in Chinese."""
        return _WORDS[self.reason][1]
