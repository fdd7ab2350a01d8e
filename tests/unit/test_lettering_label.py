from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image

from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.stages.lettering import LabelStyle, LetteringError, add_label
from catalog_imagegen.stages.lettering.visible_label import LEAST_HEIGHT, READABLE

SIZES = [(480, 480), (640, 960), (750, 2000), (800, 800), (1242, 1660), (1500, 1500), (2000, 2000)]


def letters(ink: np.ndarray) -> list[int]:
    """How many rows of ink each letter has, letters being parted by columns without any."""
    columns = np.flatnonzero(ink.any(axis=0))
    parted = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    rows = [np.flatnonzero(ink[:, part].any(axis=1)) for part in parted]
    return [int(each[-1] - each[0] + 1) for each in rows]


@pytest.mark.parametrize("size", SIZES)
def test_each_letter_is_a_twentieth_of_the_shortest_side(size: tuple[int, int]) -> None:
    """Measured on the pixels of the picture: the lowest letter's ink reaches 5 %, and is not much higher."""
    labelled = add_label(Image.new("RGB", size, "#ffffff"))
    heights = letters(np.asarray(labelled.image.convert("L")) < 128)
    least = min(size) * LEAST_HEIGHT
    assert len(heights) == 4
    assert least <= min(heights) <= least + 2
    assert labelled.letter_height == pytest.approx(min(heights), abs=1)


@pytest.mark.parametrize("text", ["AI生成", "人工智能合成", "图片由AI生成", "AI-generated", "AI 生成，一键"])
def test_texts_with_both_elements(text: str) -> None:
    """The lowest letter counts, be it a small Latin one; marks and the flat 一 do not."""
    labelled = add_label(Image.new("RGB", (900, 900), "#ffffff"), LabelStyle(text))
    assert labelled.letter_height >= 45
    assert labelled.ink.bottom - labelled.ink.top < 130


@pytest.mark.parametrize("text", ["", "AI", "生成", "PAINT生成", "AI\n生成", "样图"])
def test_texts_that_do_not_say_it(text: str) -> None:
    """A label must hold an element of AI and one of generation, in one line."""
    with pytest.raises(ConfigError) as caught:
        add_label(Image.new("RGB", (500, 500)), LabelStyle(text))
    assert caught.value.code == "label_text"
    assert "AI生成" in caught.value.message_zh


def checks(size: tuple[int, int]) -> Image.Image:
    """A chessboard."""
    cells = np.indices((40, 40)).sum(axis=0) % 2 * 255
    return Image.fromarray(cells.astype(np.uint8)).resize(size, Image.Resampling.NEAREST).convert("RGB")


BACKGROUNDS = {
    "white": Image.new("RGB", (600, 600), "#ffffff"),
    "black": Image.new("RGB", (600, 600), "#000000"),
    "grey": Image.new("RGB", (600, 600), "#777777"),
    "red": Image.new("RGB", (600, 600), "#e02020"),
    "blue": Image.new("RGB", (600, 600), "#0000ff"),
    "noise": Image.frombytes("RGB", (600, 600), random.Random(1).randbytes(3 * 600 * 600)),
    "chessboard": checks((600, 600)),
    "gradient": Image.linear_gradient("L").resize((600, 600)).convert("RGB"),
}


@pytest.mark.parametrize("name", BACKGROUNDS)
@pytest.mark.parametrize("corner", ["top_left", "top_right", "bottom_left", "bottom_right"])
def test_it_is_read_on_any_background_in_any_corner(name: str, corner: str) -> None:
    """The letters stand out from what is behind them, in their corner, and the rest of the picture is untouched."""
    before = BACKGROUNDS[name]
    labelled = add_label(before, LabelStyle(corner=corner))  # type: ignore[arg-type]
    assert labelled.contrast >= READABLE
    box = labelled.box
    assert (box.left < 300, box.top < 300) == (corner.endswith("left"), corner.startswith("top"))
    assert box.left >= 12
    assert box.top >= 12
    assert box.right <= 588
    assert box.bottom <= 588
    outside = np.asarray(labelled.image).copy()
    outside[box.top : box.bottom, box.left : box.right] = np.asarray(before.crop(box))
    assert np.array_equal(outside, np.asarray(before))
    assert labelled.image is not before


def test_a_plain_background_has_no_plate() -> None:
    """Letters in the other colour are enough on an even background; a busy one needs a plate."""
    plain, busy = add_label(BACKGROUNDS["white"]), add_label(BACKGROUNDS["chessboard"])
    corner = (plain.box.left + 8, plain.box.top + 8)
    assert plain.image.getpixel(corner) == (255, 255, 255)
    assert busy.image.getpixel(corner) not in {(0, 0, 0), (255, 255, 255)}


def test_a_picture_that_is_too_narrow() -> None:
    """A label wider than the picture is an error with its remedy."""
    with pytest.raises(LetteringError) as caught:
        add_label(
            Image.new("RGB", (300, 300)), LabelStyle("本图片及其背景均由人工智能模型自动合成生成，仅供参考")
        )
    assert caught.value.code == "label_too_wide"
    assert "请改用更短的文字" in caught.value.message_zh


def test_a_transparent_picture_is_labelled_for_white() -> None:
    """Where nothing is seen, the letters are those for white, and they are opaque."""
    labelled = add_label(Image.new("RGBA", (600, 600), (0, 0, 0, 0)))
    assert labelled.image.mode == "RGBA"
    drawn = np.asarray(labelled.image.crop(labelled.ink))
    dark = drawn[drawn[..., 0] < 60]
    assert (dark[..., 3] > 200).any()
    assert labelled.image.getpixel((0, 0)) == (0, 0, 0, 0)
    assert labelled.contrast >= READABLE
