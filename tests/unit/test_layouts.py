"""Mistakes in config/layouts.toml and in what roles say of layouts: each names its place and its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog_imagegen.config import Workspace, load_setup
from catalog_imagegen.config.layouts import load_layouts
from tests.unit.test_config import edit, refusal, shop, write

__all__ = ["shop"]

BOX = '[layouts.mine.title]\narea = [0, 0, 1, 0.2]\ntext = "{{ product.name }}"\n'


def test_a_workspace_changes_a_box_key_by_key(shop: Workspace) -> None:
    """The rest of the packaged layout stays; a layout of one's own comes with it."""
    packaged = load_layouts(shop).by_name["poster"]
    write(
        shop,
        "config/layouts.toml",
        f'{BOX}stroke = {{ width = 0.1 }}\n[layouts.poster.slogan]\ncolour = "#004488"\n',
    )
    found = load_layouts(shop).by_name
    assert [box.name for box in found["poster"].boxes] == [box.name for box in packaged.boxes]
    assert found["poster"].boxes[0].colour == "#004488"
    assert found["poster"].boxes[1:] == packaged.boxes[1:]
    (box,) = found["mine"].boxes
    assert (box.area.bottom, box.stroke and box.stroke.width, box.plate) == (0.2, 0.1, None)


@pytest.mark.parametrize(
    ("text", "code", "english", "chinese"),
    [
        (BOX + "colr = 1\n", "unknown_key", "unknown key layouts.mine.title.colr; did you mean colour?", "未知的键"),
        (BOX.replace("0.2]", "1.2]"), "wrong_value", "layouts.mine.title.area.3", "不能大于 1"),
        (BOX.replace("[0, 0", "[1, 0"), "area_outside", "layouts.mine.title: the area 1.0", "超出画面"),
        (BOX + "min_size = 0.2\n", "size_wrong", "layouts.mine.title: title: sizes 0.2", "字号"),
        (BOX + 'colour = "red"\n', "wrong_value", "layouts.mine.title.colour", "格式应为"),
        (BOX + 'font = "招牌"\n', "unknown_name", "layouts.mine.title: there is no font '招牌'", "没有名为 招牌 的字体"),
        (BOX.replace("name }}", "name }"), "template_syntax", "layouts.mine.title line 1", "请修改模板"),
        ('[fonts]\n"招牌" = "fonts/x.otf"\n', "font_missing", "fonts.招牌: fonts/x.otf cannot be read", "请把字体文件放到"),
    ],
)  # fmt: skip
def test_mistakes_in_layouts(shop: Workspace, text: str, code: str, english: str, chinese: str) -> None:
    """File, box and key."""
    write(shop, "config/layouts.toml", text)
    error = refusal(shop)
    assert error.code == code
    assert "config/layouts.toml" in error.message_en
    assert english in error.message_en
    assert chinese in error.message_zh


@pytest.mark.parametrize(
    ("before", "after", "code", "english"),
    [
        ('layout = "poster"', 'layout = "postr"', "unknown_name", "there is no layout 'postr'; did you mean poster"),
        ('layout = "poster"\n', "", "role_text", 'text = "overlay" sets the texts of a layout'),
        ('text = "overlay"\n', "", "role_text", 'there is a layout, but text is "none"'),
        ('["comparison_without", "comparison_with"]', '["comparison_without"]', "role_stitch", "two different roles"),
        ('"comparison_with"]', '"comparison_wth"]', "unknown_name", "did you mean comparison_with"),
        ('labels = ["没有它", "有了它"]\n', "", "role_stitch", "two different roles, labels"),
        ('labels = ["没有它", "有了它"]', 'labels = ["{{ x", "y"]', "template_syntax", "roles.side_by_side.labels 1"),
        ('stitch = ["comparison_without", "comparison_with"]\n', "", "wrong_value", "roles.side_by_side.workflow"),
        ('labels = ["没', 'items = ["a"]\nlabels = ["没', "role_stitch", "remove items"),
        ("size = [1536, 1024]\nenabled = false", "size = [1536, 1024]", "role_stitch", "is switched off"),
    ],
)  # fmt: skip
def test_mistakes_in_roles(shop: Workspace, before: str, after: str, code: str, english: str) -> None:
    """File and role."""
    edit(shop, "config/roles.toml", before, after)
    error = refusal(shop)
    assert (error.code, "config/" in error.message_en) == (code, True)
    assert english in error.message_en


def test_halves_that_differ_make_no_pairs(shop: Workspace) -> None:
    """Which key it is, is told."""
    path = shop.root / "config" / "roles.toml"
    head, name, rest = path.read_text(encoding="utf-8").partition("[roles.comparison_with]")
    path.write_text(head + name + rest.replace("enabled", "max = 2\nenabled", 1), encoding="utf-8")
    error = refusal(shop)
    assert "make pairs only if both have the same max" in error.message_en


def test_labels_are_for_pairs(shop: Workspace) -> None:
    """A role that is rendered has none."""
    edit(shop, "config/roles.toml", 'items = ["促销"]', 'items = ["促销"]\nlabels = ["a", "b"]')
    assert refusal(shop).code == "role_labels"


def test_a_font_of_ones_own(shop: Workspace) -> None:
    """Is named in a box, and by its bytes."""
    (shop.root / "fonts").mkdir()
    (shop.root / "fonts" / "sign.otf").write_bytes(b"x")
    write(shop, "config/layouts.toml", f'[fonts]\n"招牌" = "fonts/sign.otf"\n{BOX}font = "招牌"\n')
    font = load_setup(shop).fonts["招牌"]
    assert len(font.digest) == 64
    assert Path(font.path).read_bytes() == b"x"
