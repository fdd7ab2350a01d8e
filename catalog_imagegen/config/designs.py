"""Checks what roles say of texts, and of pictures side by side."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from catalog_imagegen.config.files import unknown
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.imaging import ImageRole
from catalog_imagegen.domain.lettering import Layout
from catalog_imagegen.stages.rendition import MAX_ENLARGEMENT

OF_PARTS = ("items", "items_from", "items_need", "default_items", "max", "scope")
"""What a role that shows two others side by side has from them, who must agree about it."""
_OF_WHOLES = frozenset({"size", "enabled", "stitch", "labels", "text", "layout"})


def check_designs(roles: Mapping[str, ImageRole], layouts: Mapping[str, Layout], path: Path) -> None:
    """Raises ConfigError for a role that nothing is rendered for, or whose layout or parts are not there."""
    for role in roles.values():
        place = f"{path}: roles.{role.name}"
        _check_text(role, layouts, place)
        if role.stitch:
            _check_parts(role, roles, place)
        elif not role.workflow:
            raise ConfigError(
                f"{place}.workflow is missing; name one of config/workflows, or two roles in stitch",
                zh=f"{place}.workflow 缺少该键；请填写 config/workflows 中的工作流，或在 stitch 中写两个图片角色",
                code="wrong_value",
            )
        elif role.labels:
            raise ConfigError(
                f"{place}: labels are for pictures side by side; add stitch, or remove them",
                zh=f"{place}：labels 只用于左右对比图；请填写 stitch，或删除 labels",
                code="role_labels",
            )


def check_unused(name: str, keys: Collection[str], path: Path) -> None:
    """Raises ConfigError for a role that shows two others and says how to render."""
    if unused := sorted({*keys} - _OF_WHOLES):
        raise ConfigError(
            f"{path}: roles.{name} shows two other roles side by side and renders nothing; remove {', '.join(unused)}",
            zh=f"{path}：roles.{name} 只把另外两个角色的图片左右拼接，自己不生成图片；请删除 {'、'.join(unused)}",
            code="role_stitch",
        )


def _check_text(role: ImageRole, layouts: Mapping[str, Layout], place: str) -> None:
    if role.layout and role.layout not in layouts:
        raise unknown("layout", "版式", f"{place}.layout", role.layout, layouts)
    if role.text == "overlay" and not role.layout:
        raise ConfigError(
            f'{place}: text = "overlay" sets the texts of a layout; name one of config/layouts.toml in layout',
            zh=f'{place}：text = "overlay" 需要版式；请在 layout 中填写 config/layouts.toml 里的版式名称',
            code="role_text",
        )
    if role.layout and role.text == "none":
        raise ConfigError(
            f'{place}: there is a layout, but text is "none"; set text = "overlay" or "model", or remove the layout',
            zh=f'{place}：设置了 layout，但 text 为 "none"；请设 text = "overlay" 或 "model"，或删除 layout',
            code="role_text",
        )


def _check_parts(role: ImageRole, roles: Mapping[str, ImageRole], place: str) -> None:
    parts = {name: _part(name, role, roles, place) for name in role.stitch}
    if not len(parts) == len(role.stitch) == len(role.labels) == 2 or role.text == "model":  # noqa: PLR2004 - a pair
        raise ConfigError(
            f'{place}: stitch takes two different roles, labels = ["…", "…"], and no text = "model"; mend them',
            zh=f'{place}：stitch 需要两个不同的角色和 labels = ["…", "…"]，且不能设 text = "model"；请修改',
            code="role_stitch",
        )
    first, second = parts.values()
    for part in (first, second):
        times = max(role.width / 2 / part.width, role.height / part.height)
        if times > MAX_ENLARGEMENT:
            raise ConfigError(
                f"{place}.size: {role.width} × {role.height} would enlarge the pictures of {part.name} {times:.2f} times, and "
                f"none is enlarged more than {MAX_ENLARGEMENT} times; write a smaller size",
                zh=f"{place}.size：{role.width} × {role.height} 需要把 {part.name} 的图片放大 {times:.2f} 倍，最多只放大 "
                f"{MAX_ENLARGEMENT} 倍；请减小尺寸",
                code="role_stitch",
            )
    differing = [key for key in OF_PARTS if getattr(first, key) != getattr(second, key)]
    if differing:
        keys = ", ".join(differing)
        raise ConfigError(
            f"{place}: {first.name} and {second.name} make pairs only if both have the same {keys}; make them alike",
            zh=f"{place}：{first.name} 与 {second.name} 的 {keys} 必须相同才能成对；请改为一致",
            code="role_stitch",
        )


def _part(name: str, role: ImageRole, roles: Mapping[str, ImageRole], place: str) -> ImageRole:
    part = roles.get(name)
    if part is None or part.stitch:
        rendered = [each.name for each in roles.values() if not each.stitch]
        raise unknown("rendered role", "可生成的图片角色", f"{place}.stitch", name, rendered)
    if role.enabled and not part.enabled:
        raise ConfigError(
            f"{place}: {name} is switched off, so no pair is ever complete; set roles.{name}.enabled = true",
            zh=f"{place}：{name} 已停用，无法成对；请设 roles.{name}.enabled = true",
            code="role_stitch",
        )
    return part
