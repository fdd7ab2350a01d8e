"""PURE: whether the roles of a workspace have the shapes that placements want."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.imaging import ImageRole, Placement, Platform

Size = tuple[int, int]
MOST_CROPPED = 0.2
"""Share of a render that filling a place may cut away; a square in a portrait place of 3:4 would lose a quarter."""


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


def _cropped(size: Size, box: Size) -> float:
    """The share that is cut off a picture that fills a box."""
    shapes = size[0] / size[1], box[0] / box[1]
    return 1 - min(shapes) / max(shapes)
