"""What a good file must show to be a good picture, and why one is held back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

GateCode = Literal[
    "blurred",
    "overexposed",  # large parts are pure white
    "underexposed",  # large parts are pure black
    "no_product",  # nothing stands out from an even background
    "small_product",
    "cut_product",  # it reaches the edge of the picture
    "duplicate",  # it looks like the picture of another product
    "text",  # there are letters where none should be
    "wrong_text",  # a text that the prompt asks for is not there
]


@dataclass(frozen=True, slots=True)
class Gates:
    """What is asked of the pictures of one role; the defaults ask for nothing."""

    min_sharpness: float = 0.0
    """Variance of the Laplacian in the sharpest spot."""
    max_highlights: float = 1.0
    """Share of the pixels that may be pure white."""
    max_shadows: float = 1.0
    """Share of the pixels that may be pure black."""
    min_product: float = 0.0
    """The longer side of the product as a share of the frame's; 0 looks for no product."""
    max_touching: float = 1.0
    """Share of the picture's edge that the product may cover."""
    max_likeness: int = -1
    """Bits of 128 by which the picture of another product differs at most to be called the same; -1 compares none."""
    max_letters: int = -1
    """Letters that may be read; -1 reads none."""
    min_fidelity: float = 0.0
    """How like the product must be to that of the photo that a model was given, of 1; below, somebody has to look."""
    check_text: bool = False
    """Whether the texts that the prompt asks for must be read."""
    wordings: Mapping[GateCode, tuple[str, ...]] = field(default_factory=dict)
    """What the prompt says in addition when a gate asks for another picture, one wording after the other."""


NO_GATES = Gates()


MEANINGS: Mapping[GateCode, tuple[str, str]] = {
    "blurred": ("the picture is blurred", "图片模糊"),
    "overexposed": ("large parts are pure white", "大面积过曝发白"),
    "underexposed": ("large parts are pure black", "大面积死黑"),
    "no_product": ("no product stands out from an even background", "看不出均匀背景上的商品"),
    "small_product": ("the product is too small", "商品太小"),
    "cut_product": ("the product reaches the edge of the picture", "商品碰到画面边缘"),
    "duplicate": ("the picture looks like that of another product", "与其他商品的图片雷同"),
    "text": ("there is text in the picture", "画面中有文字"),
    "wrong_text": ("a text that the prompt asks for is not in the picture", "画面中没有提示词要求的文字"),
}
"""What each gate found, in English and Chinese."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why a picture is held back although its file is good."""

    gate: GateCode
    message: str
    """What was measured, in figures or names: no language."""

    @property
    def reason_en(self) -> str:
        """What was found, in English."""
        return f"{MEANINGS[self.gate][0]} ({self.message})"

    @property
    def reason_zh(self) -> str:
        """What was found, in Chinese."""
        return f"{MEANINGS[self.gate][1]}（{self.message}）"


@dataclass(frozen=True, slots=True)
class Objection:
    """A gate that a render did not pass, and how to go on."""

    stopped: Stopped
    wordings: tuple[str, ...] = ()
    """What the notes of further takes say in addition, one after the other; the last one stays."""
    at_most: int = 0
    """Further takes to be asked for, counted from the take that a person asked for."""


def another_follows(stopped: Stopped) -> tuple[str, str]:
    """Why a picture is made again, in English and Chinese."""
    return f"{stopped.reason_en}; a new take follows", f"{stopped.reason_zh}；将自动重拍"


def held_back(stopped: Stopped, *, sku: str, role: str, slot: int) -> tuple[str, str]:
    """Why a picture whose new takes did not help waits for a person, in English and Chinese."""
    which = f"{sku} --role {role} --slot {slot}"
    approve, again = (
        f"catalog-imagegen {command}"
        for command in (f"review approve {which}", f'regenerate {which} --note "…"')
    )
    return (
        f"{stopped.reason_en}, and its new takes did not help; if it is good all the same: {approve}; else: {again}",
        f"{stopped.reason_zh}，自动重拍后仍未通过；如果可以使用，请运行 {approve}；否则运行 {again}",
    )
