"""Where texts stand on pictures: the packaged layouts, overlaid by the workspace's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from catalog_imagegen.config.files import Strict, overlaid, unknown, validated
from catalog_imagegen.config.platforms import Name
from catalog_imagegen.config.workspace import Workspace
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.fingerprint import digest
from catalog_imagegen.domain.lettering import (
    SHIPPED_FONT,
    Align,
    Area,
    Layout,
    OwnFont,
    Plate,
    Stroke,
    TextBox,
    VerticalAlign,
    Weight,
)

NAME = "config/layouts.toml"
Colour = Annotated[str, Field(pattern="^#[0-9A-Fa-f]{6}$")]
Share = Annotated[float, Field(ge=0, le=1)]
_Size = Annotated[float, Field(gt=0, le=1)]


class StrokeTable(Strict):
    """A line around each character."""

    colour: Colour = Field(default="#ffffff", description="Of the line around each character")
    width: float = Field(default=0.06, ge=0, le=0.5, description="Its width in ems")


class PlateTable(Strict):
    """A rectangle behind a text."""

    colour: Colour = Field(default="#000000", description="Of the rectangle behind the text")
    opacity: Share = Field(default=0.6, description="0 shows nothing of it, 1 nothing of the picture")
    radius: float = Field(
        default=0.2,
        ge=0,
        le=0.5,
        description="Of its corners, as a share of its shorter side; 0.5 makes round ends",
    )
    padding: float = Field(default=0.4, ge=0, le=5, description="Around the text, in ems")
    is_close: bool = Field(
        default=True, description="`true`: as large as the text needs; `false`: as large as the area"
    )


class BoxTable(Strict):
    """``[layouts.NAME.BOX]``."""

    area: tuple[Share, Share, Share, Share] = Field(
        description="Left, top, right, bottom as shares of the file's width and height"
    )
    text: str = Field(
        description="A template over `product`, `item` and what else prompt templates know; nothing is drawn where it is empty"
    )
    font: str = Field(default="", description="A name of `[fonts]`; empty is the shipped one")
    weight: Weight = Field(default="regular", description="How heavy it is")
    max_size: _Size = Field(
        default=0.06, description="The size that is tried first, as a share of the file's height"
    )
    min_size: _Size = Field(
        default=0.025, description="The smallest size; a text that needs a smaller one fails"
    )
    colour: Colour = Field(default="#222222", description="Of the letters")
    stroke: StrokeTable | None = Field(default=None, description="A line around each character")
    align: Align = Field(default="left", description="Across")
    valign: VerticalAlign = Field(default="top", description="Down")
    line_spacing: float = Field(default=1.3, ge=0.8, le=4, description="From baseline to baseline, in ems")
    max_lines: int = Field(default=0, ge=0, description="0: as many as fit")
    plate: PlateTable | None = Field(default=None, description="A rectangle behind the text")


class LayoutsFile(Strict):
    """``layouts.toml``: layouts by their names, boxes by theirs in the order in which they are drawn."""

    fonts: dict[str, str] = Field(
        default={}, description='Name = file below the workspace: `"招牌体" = "fonts/sign.otf"`'
    )
    layouts: dict[Name, dict[Name, BoxTable]] = Field(default={}, description="The layouts")


KEYS = [name for model in (LayoutsFile, BoxTable, StrokeTable, PlateTable) for name in model.model_fields]


@dataclass(frozen=True, slots=True)
class Layouts:
    """The layouts and the fonts they may name."""

    by_name: Mapping[str, Layout]
    fonts: Mapping[str, OwnFont]


def load_layouts(workspace: Workspace) -> Layouts:
    """All layouts. Raises ConfigError with the box that is wrong."""
    path = workspace.root / NAME
    file = validated(LayoutsFile, overlaid(workspace, NAME), path, KEYS)
    fonts = {name: _font(workspace, name, place, path) for name, place in file.fonts.items()}
    layouts = {
        name: Layout(
            name, tuple(_box(f"{path}: layouts.{name}", box, table, fonts) for box, table in boxes.items())
        )
        for name, boxes in file.layouts.items()
    }
    return Layouts(layouts, fonts)


def _font(workspace: Workspace, name: str, place: str, path: Path) -> OwnFont:
    file = workspace.root / place
    try:
        return OwnFont(name, str(file.resolve()), digest(file.read_bytes()))
    except (OSError, ValueError) as error:  # a name that no file can have
        raise ConfigError(
            f"{path}: fonts.{name}: {place} cannot be read ({error}); put the font file there",
            zh=f"{path}：fonts.{name}：无法读取 {place}（{error}）；请把字体文件放到该位置",
            code="font_missing",
        ) from error


def _box(place: str, name: str, table: BoxTable, fonts: Mapping[str, OwnFont]) -> TextBox:
    known = {SHIPPED_FONT, *fonts}
    if table.font and table.font not in known:
        raise unknown("font", "字体", f"{place}.{name}", table.font, sorted(known))
    own = table.model_dump(exclude={"area", "stroke", "plate"})
    try:
        return TextBox(
            name,
            Area(*table.area),
            stroke=Stroke(**table.stroke.model_dump()) if table.stroke else None,
            plate=Plate(**table.plate.model_dump()) if table.plate else None,
            **own,
        )
    except ConfigError as error:
        raise ConfigError(
            f"{place}.{name}: {error.message_en}", zh=f"{place}.{name}：{error.message_zh}", code=error.code
        ) from error
