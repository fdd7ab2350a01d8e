"""What a layout says of each text on a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.fingerprint import Digest

Weight = Literal["regular", "medium", "bold", "black"]
Align = Literal["left", "centre", "right"]
VerticalAlign = Literal["top", "middle", "bottom"]
SHIPPED_FONT = "Noto Sans CJK SC"
"""The Simplified Chinese face; the collection it is in starts with the Japanese one, whose 骨 and 直 differ."""


@dataclass(frozen=True, slots=True)
class OwnFont:
    """A font file of the workspace."""

    name: str
    path: str
    digest: Digest
    """Of its bytes: where it lies names nothing."""


class Rect(NamedTuple):
    """Pixels of a picture: left and top are in it, right and bottom just outside."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Area:
    """A part of a frame; all in shares of its width and height from the top left corner."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            sides = f"{self.left}, {self.top}, {self.right}, {self.bottom}"
            raise ConfigError(
                f"the area {sides} is not in the frame; give left, top, right, bottom as growing shares from 0 to 1",
                zh=f"区域 {sides} 超出画面；请依次给出左、上、右、下的比例（0 到 1，右大于左，下大于上）",
                code="area_outside",
            )

    def within(self, size: tuple[int, int], safe_zone: float = 0.0) -> tuple[float, float, float, float]:
        """Its sides in pixels of a frame, kept out of the safe zone at the frame's edges; empty sides are crossed."""
        width, height = size
        across, down = width * safe_zone, height * safe_zone
        return (
            max(self.left * width, across),
            max(self.top * height, down),
            min(self.right * width, width - across),
            min(self.bottom * height, height - down),
        )


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line around each character."""

    colour: str = "#ffffff"
    width: float = 0.06
    """Ems of the size that is drawn."""


@dataclass(frozen=True, slots=True)
class Plate:
    """A rectangle behind a text."""

    colour: str = "#000000"
    opacity: float = 0.6
    radius: float = 0.2
    """Of its corners, as a share of its shorter side: 0.5 makes the ends round."""
    padding: float = 0.4
    """Ems around the text."""
    is_close: bool = True
    """Whether it is as large as the text needs, or as the whole area."""


@dataclass(frozen=True, slots=True)
class TextBox:
    """A text and where and how it stands in the frame."""

    name: str
    area: Area
    text: str
    font: str = ""
    """Empty: the shipped one."""
    weight: Weight = "regular"
    max_size: float = 0.06
    """The size that is tried first, as a share of the frame's height."""
    min_size: float = 0.025
    """The smallest size that may be drawn."""
    colour: str = "#222222"
    stroke: Stroke | None = None
    align: Align = "left"
    valign: VerticalAlign = "top"
    line_spacing: float = 1.3
    """From baseline to baseline, in ems."""
    max_lines: int = 0
    """0: as many as fit."""
    plate: Plate | None = None

    def __post_init__(self) -> None:
        if not 0 < self.min_size <= self.max_size <= 1:
            raise ConfigError(
                f"{self.name}: sizes {self.min_size} to {self.max_size}; give shares of the height, the smaller first",
                zh=f"{self.name}：字号 {self.min_size} 到 {self.max_size} 有误；请给出占画面高度的比例，并使最小值不大于最大值",
                code="size_wrong",
            )


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes that belong on one picture; their texts may be templates."""

    name: str
    boxes: tuple[TextBox, ...]

    def filled(self, texts: Mapping[str, str]) -> tuple[TextBox, ...]:
        """The boxes with the texts given by box name; the others keep their own."""
        return tuple(replace(box, text=texts.get(box.name, box.text)) for box in self.boxes)
