"""What platforms ask of a file, measured: one rule for each thing a figure can be about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog_imagegen.domain.imaging import Figure, Severity, Verdict
from catalog_imagegen.stages.verdict.measured import Measured

STAINED = 0.01
"""The share of the border that may differ."""
FILL_TOLERANCE = 0.01
"""Shares of the frame: the product's soft edge is measured no better."""
SUFFIXES = {"JPEG": {"jpg", "jpeg"}, "PNG": {"png"}, "WEBP": {"webp"}, "AVIF": {"avif"}}
"""Format → what its files may be called."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How a figure is measured and told."""

    is_kept: Callable[[Measured, Any], bool]
    en: Callable[[Any], str]
    zh: Callable[[Any], str]
    has: Callable[[Measured], str] = lambda file: f"{file.width} × {file.height}"


def _listed(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _fill(file: Measured) -> str:
    return f"{file.fill:.0%}" if file.fill is not None else "?"


RULES: Mapping[str, Rule] = {
    "min_size": Rule(
        lambda f, v: f.width >= v[0] and f.height >= v[1],
        lambda v: f"at least {v[0]} × {v[1]} pixels",
        lambda v: f"至少 {v[0]} × {v[1]} 像素",
    ),
    "max_size": Rule(
        lambda f, v: f.width <= v[0] and f.height <= v[1],
        lambda v: f"at most {v[0]} × {v[1]} pixels",
        lambda v: f"不超过 {v[0]} × {v[1]} 像素",
    ),
    "min_long": Rule(
        lambda f, v: f.longest >= v,
        lambda v: f"a longer side of at least {v} pixels",
        lambda v: f"长边至少 {v} 像素",
    ),
    "max_long": Rule(
        lambda f, v: f.longest <= v,
        lambda v: f"a longer side of at most {v} pixels",
        lambda v: f"长边不超过 {v} 像素",
    ),
    "width_range": Rule(
        lambda f, v: v[0] <= f.width <= v[1],
        lambda v: f"a width of {v[0]} to {v[1]} pixels",
        lambda v: f"宽度 {v[0]}–{v[1]} 像素",
    ),
    "min_width": Rule(
        lambda f, v: f.width >= v,
        lambda v: f"a width of at least {v} pixels",
        lambda v: f"宽度至少 {v} 像素",
    ),
    "max_height": Rule(
        lambda f, v: f.height <= v,
        lambda v: f"a height of at most {v} pixels",
        lambda v: f"高度不超过 {v} 像素",
    ),
    "max_megapixels": Rule(
        lambda f, v: f.width * f.height <= v * 1_000_000,
        lambda v: f"at most {v} megapixels",
        lambda v: f"不超过 {v} 百万像素",
    ),
    "ratio": Rule(
        lambda f, v: any(f.is_shaped(ratio) for ratio in _listed(v)),
        lambda v: f"the shape {' or '.join(_listed(v))}",
        lambda v: f"宽高比 {' 或 '.join(_listed(v))}",
    ),
    "max_bytes": Rule(
        lambda f, v: f.bytes <= v,
        lambda v: f"at most {v} bytes",
        lambda v: f"不超过 {v} 字节",
        lambda f: f"{f.bytes}",
    ),
    "fill_min": Rule(
        lambda f, v: f.fill is None or f.fill >= v - FILL_TOLERANCE,
        lambda v: f"a product that fills at least {v:.0%} of the frame",
        lambda v: f"商品至少占画面 {v:.0%}",
        _fill,
    ),
    "fill": Rule(
        lambda f, v: f.fill is None or v[0] - FILL_TOLERANCE <= f.fill <= v[1] + FILL_TOLERANCE,
        lambda v: f"a product that fills {v[0]:.0%} to {v[1]:.0%} of the frame",
        lambda v: f"商品占画面 {v[0]:.0%}–{v[1]:.0%}",
        _fill,
    ),
    "formats": Rule(
        lambda f, v: not SUFFIXES.get(f.image.format or "", set()).isdisjoint(v),
        lambda v: f"one of the formats {', '.join(v)}",
        lambda v: f"格式 {'、'.join(v)}",
        lambda f: f"{f.image.format}",
    ),
    "background": Rule(
        lambda f, v: f.stained(v) <= STAINED,
        lambda v: f"the background {v[0]}, {v[1]}, {v[2]}",
        lambda v: f"背景色 {v[0]}、{v[1]}、{v[2]}",
    ),
}
"""By what a figure is about; as many as ``JUDGED`` names."""


def judge_figure(file: Measured, figure: Figure) -> Verdict | None:
    """What misses one figure of the platform: certain where it is official, else a warning."""
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
