"""PURE: whether the roles of a workspace have the shapes and the sizes that placements want."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.imaging import ImageRole, Placement, Platform
from catalog_imagegen.stages.rendition import MAX_ENLARGEMENT, enlargement

Size = tuple[int, int]
MOST_CROPPED = 0.2
"""Share of a render that filling a place may cut away; a square in a portrait place of 3:4 would lose a quarter."""

TRAINED = 1280 * 1280
"""Pixels that Z-Image makes at once without repeating itself."""
GRID = 16
UPSCALER = "z_image_turbo_2k"
"""The shipped workflow that enlarges its pictures and refines them."""
UPSCALER_STEP = 128
"""What sides of its pictures are multiples of."""
UPSCALED = 2048 * 2560
"""Pixels that it makes of TRAINED ones."""


def check_shapes(platforms: Iterable[Platform], roles: Mapping[str, ImageRole]) -> None:
    """Raises ConfigError for a place that would crop into the product: it wants a render of its own shape."""
    for platform in platforms:
        for placement in platform.placements:
            for role in (roles[name] for name in placement.roles if name in roles):
                if role.enabled and placement.fit == "cover":
                    _check(platform.name, placement, role, roles)


def together(one: Size, other: Size) -> list[Size]:
    """The sizes of two pictures beside each other, and one below the other."""
    beside = one[0] + other[0], max(one[1], other[1])
    return [beside, (max(one[0], other[0]), one[1] + other[1])]


def _check(platform: str, placement: Placement, role: ImageRole, roles: Mapping[str, ImageRole]) -> None:
    parts = [(part.width, part.height) for name in role.stitch if (part := roles.get(name)) is not None]
    sizes = together(*parts) if len(parts) == 2 else [(role.width, role.height)]  # noqa: PLR2004 - side by side
    cropped = min(_cropped(size, (placement.width, placement.height)) for size in sizes)
    if cropped > MOST_CROPPED:
        place = f"platforms.{platform}: {placement.name}"
        box, render = f"{placement.width} × {placement.height}", f"{role.width} × {role.height}"
        raise ConfigError(
            f'config/platforms.toml: {place} ({box}, fit = "cover") would cut {cropped:.0%} off the role '
            f"{role.name} ({render}); fill it from a role of that shape, give the role that shape in "
            'config/roles.toml, or set fit = "pad" or "contain"',
            zh=f'config/platforms.toml：{place}（{box}，fit = "cover"）会裁掉图片角色 {role.name}（{render}）的 '
            f"{cropped:.0%}；请改用相同比例的角色，或在 config/roles.toml 中把该角色改为此比例，"
            '或设 fit = "pad" 或 "contain"',
            code="crop_too_deep",
        )


def too_large(platforms: Iterable[Platform], roles: Mapping[str, ImageRole]) -> Iterator[ConfigError]:
    """Each place whose files will fail as ``too_small``, because its role's pictures would have to be enlarged too much."""
    for platform in platforms:
        for placement in platform.placements:
            for role in (roles[name] for name in placement.roles if name in roles):
                times = enlargement((role.width, role.height), placement)
                if role.enabled and times > MAX_ENLARGEMENT:
                    yield _too_large(platform.name, placement, role, times)


def _too_large(platform: str, placement: Placement, role: ImageRole, times: float) -> ConfigError:
    place = f"platforms.{platform}: {placement.name}"
    box, render = f"{placement.width} × {placement.height}", f"{role.width} × {role.height}"
    remedy_en, remedy_zh = _larger(role, times)
    return ConfigError(
        f"config/platforms.toml: {place} ({box}) needs pictures of the role {role.name} ({render}) enlarged {times:.2f} "
        f"times, and none is enlarged more than {MAX_ENLARGEMENT} times, so all its files fail as too_small; {remedy_en}",
        zh=f"config/platforms.toml：{place}（{box}）需要把图片角色 {role.name}（{render}）放大 {times:.2f} 倍，"
        f"而最多只放大 {MAX_ENLARGEMENT} 倍，文件都会因 too_small 不合格；{remedy_zh}",
        code="place_too_large",
    )


def _larger(role: ImageRole, times: float) -> tuple[str, str]:
    """What to write, in English and Chinese: a larger size, if need be of the workflow that enlarges."""
    key = f"config/roles.toml: roles.{role.name}"
    enough = _grown(role, times / MAX_ENLARGEMENT, GRID)
    if math.prod(enough) <= TRAINED:
        written = f"size = [{enough[0]}, {enough[1]}]"
        return f"set {written} in {key}", f"请在 {key} 中设 {written}"
    for by in () if role.reference else (times, times / MAX_ENLARGEMENT):
        width, height = _grown(role, by, UPSCALER_STEP)
        if width * height <= UPSCALED:
            written = f'workflow = "{UPSCALER}", size = [{width}, {height}]'
            return f"set {written} in {key}", f"请在 {key} 中设 {written}"
    return (
        "lower the placement's size, or give the role a workflow that enlarges its pictures (docs/workflows.md)",
        "请减小该位置的 size，或为该角色使用会放大图片的工作流（docs/workflows.md）",
    )


def _grown(role: ImageRole, by: float, step: int) -> tuple[int, int]:
    """The role's size, so many times larger at least, in multiples of *step* pixels."""
    width, height = (math.ceil(side * by / step - 1e-9) * step for side in (role.width, role.height))
    return width, height


def _cropped(size: Size, box: Size) -> float:
    """The share that is cut off a picture that fills a box."""
    shapes = size[0] / size[1], box[0] / box[1]
    return 1 - min(shapes) / max(shapes)
