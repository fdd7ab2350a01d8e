from __future__ import annotations

import pytest
from PIL import Image

from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.stages.lettering import Compared, ComparisonStyle, LetteringError, check_label, compare

LABELS = ("使用前", "使用后")


def compared(shape: tuple[int, int], size: tuple[int, int]) -> Compared:
    """A red and a blue picture of this shape in a frame of this size."""
    return compare(Image.new("RGB", shape, "#ff0000"), Image.new("RGB", shape, "#0000ff"), size, LABELS)


@pytest.mark.parametrize(
    ("shape", "size", "is_beside"),
    [
        ((600, 600), (1200, 600), True),
        ((600, 800), (800, 800), True),
        ((600, 600), (750, 1500), False),
        ((1200, 600), (800, 800), False),
        ((601, 799), (801, 801), True),
    ],
)
def test_two_pictures_fill_the_frame(shape: tuple[int, int], size: tuple[int, int], is_beside: bool) -> None:
    """They lie beside or over each other, whichever shows more of them, with a divider between and a label each."""
    made = compared(shape, size)
    first, second = made.parts
    assert made.image.size == size
    assert first[:2] == (0, 0)
    assert second[2:] == size
    assert first.right - first.left == second.right - second.left
    assert first.bottom - first.top == second.bottom - second.top
    assert (first.bottom == size[1]) is is_beside
    assert made.image.getpixel((first.right - 2, first.bottom - 2)) == (255, 0, 0)
    assert made.image.getpixel((second.right - 2, second.bottom - 2)) == (0, 0, 255)
    between = (first.right, size[1] // 2) if is_beside else (size[0] // 2, first.bottom)
    assert made.image.getpixel(between) == (255, 255, 255)
    for part, drawn, label in zip(made.parts, made.drawn, LABELS, strict=True):
        assert drawn.lines == (label,)
        assert drawn.plate is not None
        assert drawn.plate.left >= part.left
        assert drawn.plate.bottom <= part.bottom
        assert drawn.contrast >= 4.5


@pytest.mark.parametrize("label", ["使用前", "不带收纳盒", "本款 2026", "XYZ标准版"])
def test_labels_about_ourselves(label: str) -> None:
    """States of the product and one's own name are fine."""
    check_label(label, own=["XYZ"], forbidden=["Rival", "XY"])


@pytest.mark.parametrize(
    "label", ["某品牌", "友商款", "ＲＩＶＡＬ 保温杯", "普通rival杯", "Competitor", "别家", "大红鹰"]
)
def test_labels_that_name_others(label: str) -> None:
    """Another maker's name, however it is written, and words for rivals are refused in both languages."""
    with pytest.raises(LetteringError) as caught:
        check_label(label, own=["大红"], forbidden=["Rival", "红鹰", "大红鹰", "鹰"])
    assert caught.value.code == "rival_named"
    assert "请只与自家商品比较" in caught.value.message_zh


def test_latin_names_count_as_whole_words() -> None:
    """A rival whose name is in another word is not named by it."""
    check_label("algae free", forbidden=["LG"])
    with pytest.raises(LetteringError):
        check_label("LG款", forbidden=["LG"])
    with pytest.raises(LetteringError):
        compare(
            Image.new("RGB", (9, 9)), Image.new("RGB", (9, 9)), (90, 90), ("LG", "本款"), forbidden=["LG"]
        )


def test_a_colour_that_is_none() -> None:
    """A style's wrong colour stops the run."""
    pictures = (Image.new("RGB", (9, 9)), Image.new("RGB", (9, 9)))
    with pytest.raises(ConfigError):
        compare(*pictures, (200, 100), LABELS, style=ComparisonStyle(divider_colour="白"))
