"""Marketplaces: what we make for each, and what each is known to ask for."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from catalog_imagegen.config.files import Strict, overlaid, unknown, validated
from catalog_imagegen.config.workspace import Workspace
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.imaging import (
    DEFAULT_FILE_NAME,
    Citation,
    Figure,
    FileFormat,
    Fit,
    ImageRole,
    Placement,
    Platform,
)

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")]
"""Of a role, platform or source: also a folder's or a file's name."""
WEBP_SIDE = 16_383
"""Pixels: what the format can hold."""
FileSide = Annotated[int, Field(ge=1, le=20_000)]
CONFIDENCES = ("official", "secondary", "memory")
OFFICIAL_KINDS = ("official", "official_copy")
"""Of sources: those that a figure called official, which fails files, may come from."""

_Count = Annotated[int, Field(strict=True, ge=1)]
_Pair = tuple[_Count, _Count]
_Share = Annotated[float, Field(strict=True, gt=0, le=1)]
_Ratio = Annotated[str, Field(pattern=r"^[1-9]\d*:[1-9]\d*$")]
_Channel = Annotated[int, Field(strict=True, ge=0, le=255)]
_Words = Annotated[str, Field(min_length=1)]
_Format = Literal["jpg", "jpeg", "png", "gif", "webp", "bmp", "tif", "heic", "avif"]
_SIDES, _NUMBER, _WORDS = (_Pair, "[width, height]"), (_Count, "a whole number"), (_Words, "a text")
_CLAIM = (Annotated[bool, Field(strict=True)], "true or false")
ABOUTS: Mapping[str, tuple[Any, str]] = {
    "size": _SIDES,
    "min_size": _SIDES,
    "max_size": _SIDES,
    "zoom_min_size": _SIDES,
    "min_long": _NUMBER,
    "max_long": _NUMBER,
    "zoom_min_long": _NUMBER,
    "recommended_min_long": _NUMBER,
    "width": _NUMBER,
    "min_width": _NUMBER,
    "zoom_min_width": _NUMBER,
    "width_range": (_Pair, "[least, most]"),
    "max_height": _NUMBER,
    "max_megapixels": _NUMBER,
    "min_dpi": _NUMBER,
    "max_bytes": _NUMBER,
    "min_bytes": _NUMBER,
    "min_jpeg_quality": _NUMBER,
    "ratio": (_Ratio | Annotated[tuple[_Ratio, ...], Field(min_length=1)], '"3:4" or ["1:1", "3:4"]'),
    "formats": (Annotated[tuple[_Format, ...], Field(min_length=1)], 'a list like ["jpg", "png"]'),
    "count": (tuple[Annotated[int, Field(strict=True, ge=0)], _Count], "[least, most]"),
    "min_count": _NUMBER,
    "count_in_all": _NUMBER,
    "background": (tuple[_Channel, _Channel, _Channel] | _Words, "[red, green, blue] or a text"),
    "fill": (tuple[_Share, _Share], "[least, most] between 0 and 1"),
    "fill_min": (_Share, "a share between 0 and 1"),
    "safe_zone": (_Share, "a share between 0 and 1"),
    "text_area_max": (_Share, "a share between 0 and 1"),
    "shadow": _CLAIM,
    "border": _CLAIM,
    "forbidden": (Annotated[tuple[_Words, ...], Field(min_length=1)], "a list of texts"),
    "naming": _WORDS,
    "color": _WORDS,
    "text": _WORDS,
    "display": _WORDS,
    "attribute": _WORDS,
    "authenticity": _WORDS,
    "ai": _WORDS,
}
"""What a figure can be about → the type of its value, and how that is written."""


_ALWAYS = r"(sku|role|order|n|kind)(:0?\d)?"
_NAMING_RULE = re.compile(rf"([^{{}}/\\]|\{{([^{{}}|:/\\]+(:0?\d\d?)?\|)*{_ALWAYS}\}})+")


def _naming_rule(text: str) -> str:
    """A rule whose words have a value in every case, so that no file is left without a name."""
    if _NAMING_RULE.fullmatch(text):
        return text
    raise PydanticCustomError(
        "naming_rule",
        "a word in braces is sku, role, order, n or kind, or a column and one of them: {asin|sku}",
    )


class _SourceTable(Strict):
    title: str = Field(min_length=1)
    kind: Literal["official", "official_copy", "integrator", "article", "code", "memory"]
    age: str = ""
    url: str = Field(default="", pattern=r"^(https?://\S+)?$")


class _FigureTable(Strict):
    about: str
    value: Any
    confidence: str
    source: str
    note: str = ""


class _PlacementTable(Strict):
    name: str
    title: str = ""
    roles: tuple[str, ...] = Field(min_length=1)
    size: tuple[FileSide, FileSide]
    min_size: tuple[int, int] = (0, 0)
    fit: Fit = "cover"
    crop: Literal["subject", "centre"] = "subject"
    background: str = Field(default="keep", pattern=r"^(keep|white|blur|transparent|#[0-9A-Fa-f]{6})$")
    fill: float = Field(default=0.0, ge=0, le=1)
    shadow: Literal["keep", "remove"] = "keep"
    safe_zone: float = Field(default=0.0, ge=0, lt=0.5)
    sharpen: int = Field(default=0, ge=0, le=200)
    visible_label: Literal["never", "always"] = "never"
    format: FileFormat = "JPEG"
    quality: int = Field(default=92, ge=40, le=95)
    max_bytes: int = Field(default=3 * 1024 * 1024, ge=10_000)
    count: int = Field(default=1, ge=1)
    file_name: Annotated[str, AfterValidator(_naming_rule)] = DEFAULT_FILE_NAME
    figures: tuple[_FigureTable, ...] = ()


class _PlatformTable(Strict):
    title: str
    listing_per: Literal["sku", "spu"]
    checked: date | None = None
    placements: tuple[_PlacementTable, ...] = Field(min_length=1)


class _PlatformsFile(Strict):
    platforms: dict[Name, _PlatformTable]
    sources: dict[Name, _SourceTable] = Field(default={})
    columns: dict[Name, tuple[_Words, ...]] = Field(default={})
    checked: date | None = None


KEYS = [
    name
    for model in (_PlatformsFile, _SourceTable, _PlatformTable, _PlacementTable, _FigureTable)
    for name in model.model_fields
]


def load_platforms(
    workspace: Workspace, roles: Mapping[str, ImageRole], *, packaged_roles: Collection[str]
) -> Mapping[str, Platform]:
    """The packaged platforms, overlaid by the workspace's, checked against the roles.

    A packaged role that the workspace does not have is left out: the packaged platforms may be newer
    than the workspace's roles.
    """
    path = workspace.root / "config" / "platforms.toml"
    file = validated(_PlatformsFile, overlaid(workspace, "config/platforms.toml"), path, KEYS)
    sources = {
        name: Citation(id=name, title=s.title, kind=s.kind, age=s.age, url=s.url)
        for name, s in file.sources.items()
    }
    platforms = {}
    for name, table in file.platforms.items():
        platform = replace(_platform(name, table, file.checked, sources), columns=file.columns)
        for role in dict.fromkeys(role for placement in platform.placements for role in placement.roles):
            if role not in roles and role not in packaged_roles:
                raise unknown("role", "图片角色", f"config/platforms.toml: {name}", role, roles)
        platforms[name] = replace(platform, placements=_fillable(platform, roles))
    return platforms


def _fillable(platform: Platform, roles: Mapping[str, ImageRole]) -> tuple[Placement, ...]:
    """The placements that the workspace's roles can fill."""
    found = []
    for placement in platform.placements:
        known = tuple(role for role in placement.roles if role in roles)
        if known:
            found.append(replace(placement, roles=known))
    return tuple(found)


def _platform(
    name: str, table: _PlatformTable, checked: date | None, sources: Mapping[str, Citation]
) -> Platform:
    placements = tuple(_placement(name, p, sources) for p in table.placements)
    has_figures = any(placement.figures for placement in placements)
    return Platform(
        name=name,
        title=table.title,
        listing_per=table.listing_per,
        placements=placements,
        checked=table.checked or (checked if has_figures else None),
    )


def _placement(platform: str, table: _PlacementTable, sources: Mapping[str, Citation]) -> Placement:
    place = Path("config/platforms.toml")
    if table.format == "WEBP" and max(table.size) > WEBP_SIDE:
        raise ConfigError(
            f"{place}: platforms.{platform}: {table.name}: a WebP has {WEBP_SIDE} pixels a side at most; make size smaller",
            zh=f"{place}：platforms.{platform}：{table.name}：WebP 每边最多 {WEBP_SIDE} 像素；请减小 size",
            code="wrong_value",
        )
    if (table.fill or table.safe_zone) and table.fit in ("contain", "width"):
        raise ConfigError(
            f'{place}: platforms.{platform}: {table.name}: fill and safe_zone frame the product in the whole box; set fit = "pad"',
            zh=f'{place}：platforms.{platform}：{table.name}：fill 和 safe_zone 针对整个画框；请设 fit = "pad"',
            code="wrong_value",
        )
    if table.background == "transparent" and table.format == "JPEG":
        raise ConfigError(
            f'{place}: platforms.{platform}: {table.name}: a JPEG cannot be transparent; set format = "PNG"',
            zh=f'{place}：platforms.{platform}：{table.name}：JPEG 不支持透明背景；请设 format = "PNG"',
            code="wrong_value",
        )
    return Placement(
        width=table.size[0],
        height=table.size[1],
        min_width=table.min_size[0],
        min_height=table.min_size[1],
        figures=tuple(
            _figure(figure, f"{place}: platforms.{platform}: {table.name}", sources)
            for figure in table.figures
        ),
        **table.model_dump(exclude={"size", "min_size", "figures"}),
    )


@functools.cache
def _adapter(about: str) -> TypeAdapter[Any]:
    """What checks the values of figures about this."""
    return TypeAdapter(ABOUTS[about][0])


def _check_confidence(table: _FigureTable, place: str, source: Citation) -> None:
    """An official figure fails files, so nobody but the platform may be its source."""
    if table.confidence != "official" or source.kind in OFFICIAL_KINDS:
        return
    fitting = "memory" if source.kind == "memory" else "secondary"
    raise ConfigError(
        f"{place}: the figure {table.about} is called official, but its source {source.id} is of kind "
        f'{source.kind}; write confidence = "{fitting}", or name a source of kind {" or ".join(OFFICIAL_KINDS)}',
        zh=f"{place}：指标 {table.about} 标为 official，但来源 {source.id} 的 kind 是 {source.kind}；"
        f'请写 confidence = "{fitting}"，或改用 kind 为 {"、".join(OFFICIAL_KINDS)} 的来源',
        code="not_official",
    )


def _figure(table: _FigureTable, place: str, sources: Mapping[str, Citation]) -> Figure:
    """A figure whose words are known and whose value has the type that its subject asks for."""
    if table.about not in ABOUTS:
        raise unknown("subject of figures", "指标", place, table.about, ABOUTS)
    if table.confidence not in CONFIDENCES:
        raise unknown("confidence", "可信度", place, table.confidence, CONFIDENCES)
    if table.source not in sources:
        raise unknown("source", "来源", place, table.source, sources)
    _check_confidence(table, place, sources[table.source])
    try:
        value = _adapter(table.about).validate_python(table.value)
    except ValidationError as error:
        raise ConfigError(
            f"{place}: the figure {table.about} is {table.value!r:.60}; write its value as {ABOUTS[table.about][1]}",
            zh=f"{place}：指标 {table.about} 的值 {table.value!r:.60} 不正确；请写成 {ABOUTS[table.about][1]}",
            code="wrong_value",
        ) from error
    return Figure(
        about=table.about,
        value=value,
        confidence=table.confidence,  # type: ignore[arg-type]  # it is one of CONFIDENCES
        source=sources[table.source],
        note=table.note,
    )
