"""Judges an encoded file by what its placement asks and by what its platform says."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageChops, ImageDraw

from catalog_imagegen.domain.imaging import Figure, Placement, Severity, Verdict

RATIO_TOLERANCE = 0.02
"""Whole pixels keep a small file's shape no better than this."""
BAND = 0.02
"""The border that must have the background's colour, as a share of the shorter side."""
COLOUR_TOLERANCE = 6
"""Of 255: what JPEG makes of an even colour."""
STAINED = 0.01
"""The share of the border that may differ."""
_SUFFIXES = {"JPEG": {"jpg", "jpeg"}, "PNG": {"png"}, "WEBP": {"webp"}, "AVIF": {"avif"}}


@dataclass(frozen=True, slots=True)
class _Measured:
    """An encoded file as it is."""

    image: Image.Image
    bytes: int

    @property
    def width(self) -> int:
        return self.image.width

    @property
    def height(self) -> int:
        return self.image.height

    @property
    def longest(self) -> int:
        return max(self.image.size)

    def is_shaped(self, ratio: str) -> bool:
        """Whether width to height is as *ratio* (``3:4``) says."""
        across, _, down = ratio.partition(":")
        wanted = int(across) / int(down)
        return abs(self.width / self.height / wanted - 1) <= RATIO_TOLERANCE

    def stained(self, colour: tuple[int, int, int]) -> float:
        """The share of the border band that is not of this colour."""
        image = self.image.convert("RGB")
        red, green, blue = ImageChops.difference(image, Image.new("RGB", image.size, colour)).split()
        worst = ImageChops.lighter(ImageChops.lighter(red, green), blue)
        band = max(2, round(min(image.size) * BAND))
        border = Image.new("L", image.size, 255)
        inside = (band, band, image.width - band - 1, image.height - band - 1)
        if inside[0] <= inside[2] and inside[1] <= inside[3]:
            ImageDraw.Draw(border).rectangle(inside, fill=0)
        counts = worst.histogram(border)
        return sum(counts[COLOUR_TOLERANCE + 1 :]) / sum(counts)


def judge_file(content: bytes, placement: Placement) -> tuple[Verdict, ...]:
    """Everything wrong with an encoded file, measured on its bytes; empty when all is well.

    Missing our own choice always fails. Missing a platform's figure fails where the figure is official;
    hearsay only warns, for such figures differ by category and grow old.
    """
    with Image.open(io.BytesIO(content)) as image:
        file = _Measured(image, len(content))
        own = _own(file, placement)
        platform = (_platform(file, figure) for figure in placement.figures if figure.is_judged)
        return (*own, *(verdict for verdict in platform if verdict is not None))


def _own(file: _Measured, placement: Placement) -> Iterator[Verdict]:
    """What misses the placement's own choice."""
    width, height = placement.width, placement.height
    short = {
        "contain": file.width < width and file.height < height,
        "width": file.width < width,
    }.get(placement.fit, file.width < width or file.height < height)
    if short or file.width < placement.min_width or file.height < placement.min_height:
        least = (placement.min_width, placement.min_height) if not short else (width, height)
        yield Verdict(
            "too_small",
            "fail",
            f"{file.width} × {file.height} pixels, and this place takes {least[0]} × {least[1]}; "
            "raise the role's size in config/roles.toml, or lower the placement's in config/platforms.toml",
            f"图片为 {file.width} × {file.height} 像素，此位置需要 {least[0]} × {least[1]}；"
            "请在 config/roles.toml 中加大该角色的 size，或在 config/platforms.toml 中减小该位置的 size",
        )
    if file.bytes > placement.max_bytes:
        yield Verdict(
            "too_heavy",
            "fail",
            f"{file.bytes} bytes, and this place takes {placement.max_bytes} at most; "
            "lower the placement's size or raise its max_bytes in config/platforms.toml",
            f"文件为 {file.bytes} 字节，此位置最多 {placement.max_bytes} 字节；"
            "请在 config/platforms.toml 中减小该位置的 size 或提高 max_bytes",
        )
    for code, found, wanted in (
        ("wrong_format", file.image.format, placement.format),
        ("wrong_mode", file.image.mode, "RGB"),
    ):
        if found != wanted:
            yield Verdict(
                code,
                "fail",
                f"the file is {found}, and this place takes {wanted}; delete it and run again",
                f"文件为 {found}，此位置需要 {wanted}；请删除该文件后重新运行",
            )


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a figure is measured and told."""

    is_kept: Callable[[_Measured, Any], bool]
    en: Callable[[Any], str]
    zh: Callable[[Any], str]
    has: Callable[[_Measured], str] = lambda file: f"{file.width} × {file.height}"


def _listed(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


RULES: Mapping[str, _Rule] = {
    "min_size": _Rule(
        lambda f, v: f.width >= v[0] and f.height >= v[1],
        lambda v: f"at least {v[0]} × {v[1]} pixels",
        lambda v: f"至少 {v[0]} × {v[1]} 像素",
    ),
    "max_size": _Rule(
        lambda f, v: f.width <= v[0] and f.height <= v[1],
        lambda v: f"at most {v[0]} × {v[1]} pixels",
        lambda v: f"不超过 {v[0]} × {v[1]} 像素",
    ),
    "min_long": _Rule(
        lambda f, v: f.longest >= v,
        lambda v: f"a longer side of at least {v} pixels",
        lambda v: f"长边至少 {v} 像素",
    ),
    "max_long": _Rule(
        lambda f, v: f.longest <= v,
        lambda v: f"a longer side of at most {v} pixels",
        lambda v: f"长边不超过 {v} 像素",
    ),
    "width_range": _Rule(
        lambda f, v: v[0] <= f.width <= v[1],
        lambda v: f"a width of {v[0]} to {v[1]} pixels",
        lambda v: f"宽度 {v[0]}–{v[1]} 像素",
    ),
    "max_height": _Rule(
        lambda f, v: f.height <= v,
        lambda v: f"a height of at most {v} pixels",
        lambda v: f"高度不超过 {v} 像素",
    ),
    "max_megapixels": _Rule(
        lambda f, v: f.width * f.height <= v * 1_000_000,
        lambda v: f"at most {v} megapixels",
        lambda v: f"不超过 {v} 百万像素",
    ),
    "ratio": _Rule(
        lambda f, v: any(f.is_shaped(ratio) for ratio in _listed(v)),
        lambda v: f"the shape {' or '.join(_listed(v))}",
        lambda v: f"宽高比 {' 或 '.join(_listed(v))}",
    ),
    "max_bytes": _Rule(
        lambda f, v: f.bytes <= v,
        lambda v: f"at most {v} bytes",
        lambda v: f"不超过 {v} 字节",
        lambda f: f"{f.bytes}",
    ),
    "formats": _Rule(
        lambda f, v: not _SUFFIXES.get(f.image.format or "", set()).isdisjoint(v),
        lambda v: f"one of the formats {', '.join(v)}",
        lambda v: f"格式 {'、'.join(v)}",
        lambda f: f"{f.image.format}",
    ),
    "background": _Rule(
        lambda f, v: f.stained(v) <= STAINED,
        lambda v: f"the background {v[0]}, {v[1]}, {v[2]}",
        lambda v: f"背景色 {v[0]}、{v[1]}、{v[2]}",
    ),
}
"""By what a figure is about; as many as ``JUDGED`` names."""


def _platform(file: _Measured, figure: Figure) -> Verdict | None:
    """What misses one figure of the platform."""
    rule = RULES[figure.about]
    if rule.is_kept(file, figure.value):
        return None
    is_official = figure.confidence == "official"
    severity: Severity = "fail" if is_official else "warn"
    asks_en = "the platform asks for" if is_official else "the platform is said to ask for"
    asks_zh = "平台要求" if is_official else "据称平台要求"
    if figure.about == "background":
        has_en, has_zh = "the border of this file has other colours", "此图边缘有其他颜色"
        remedy_en, remedy_zh = "make the picture again or clean its background", "请重新生成，或清理背景"
    else:
        has_en, has_zh = f"this file has {rule.has(file)}", f"此图为 {rule.has(file)}"
        remedy_en = "check with the platform, and change the placement in config/platforms.toml"
        remedy_zh = "请向平台核实，并在 config/platforms.toml 中调整该位置"
    return Verdict(
        f"platform_{figure.about}",
        severity,
        f"{asks_en} {rule.en(figure.value)}, and {has_en}; {remedy_en}",
        f"{asks_zh}{rule.zh(figure.value)}，{has_zh}；{remedy_zh}",
    )
