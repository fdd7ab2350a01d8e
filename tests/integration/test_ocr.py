"""Text in pictures, read by a stand-in of RapidOCR, whose answers have the shape of its own."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from catalog_imagegen.adapters.ocr import SIDE, RapidReader
from catalog_imagegen.bootstrap import house
from catalog_imagegen.domain.imaging import TextFound


@dataclass
class Answer:
    """As RapidOCR 3.10 answers: all None where there is no text."""

    txts: tuple[str, ...] | None = None
    boxes: Any = None
    scores: tuple[float, ...] | None = None


@dataclass
class Engine:
    """Remembers what it was shown."""

    answer: Answer = field(default_factory=Answer)
    shown: list[Any] = field(default_factory=list)
    made: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, picture: Any) -> Answer:
        """As the engine is called."""
        self.shown.append(picture)
        return self.answer


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """What the module makes."""
    engine, module = Engine(), ModuleType("rapidocr")

    def make(*, params: dict[str, Any]) -> Engine:
        engine.made.append(params)
        return engine

    module.RapidOCR = make  # type: ignore[attr-defined]  # a stand-in
    monkeypatch.setitem(sys.modules, "rapidocr", module)
    return engine


def test_boxes_are_in_pixels_of_the_picture(engine: Engine) -> None:
    """It is read smaller, in the order of colours that the engine has."""
    corners = np.array([[[73.6, 92], [368, 80], [368, 184], [73.6, 190]]])
    engine.answer = Answer(("限时特价 SALE",), corners, (0.99,))
    image = Image.new("RGB", (2 * SIDE, SIDE), (250, 10, 20))
    reader = RapidReader()
    assert reader.read(image) == [TextFound("限时特价 SALE", (147, 160, 736, 380), 0.99)]
    (shown,) = engine.shown
    assert shown.shape == (SIDE // 2, SIDE, 3)
    assert shown[0, 0].tolist() == [20, 10, 250]
    reader.read(image)
    assert len(engine.made) == 1


def test_a_picture_without_text(engine: Engine) -> None:
    """And one that is smaller than it need be is not made larger."""
    assert RapidReader().read(Image.new("L", (40, 30))) == []
    assert engine.shown[0].shape == (30, 40, 3)


def test_models_are_loaded_when_something_is_read(engine: Engine) -> None:
    """Most commands read nothing."""
    RapidReader()
    assert engine.made == []


@pytest.mark.parametrize("is_there", [False, True])
def test_without_the_extra_nothing_is_read(is_there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody need install it."""
    monkeypatch.setattr(house, "find_spec", {"rapidocr": object()}.get if is_there else {}.get)
    assert (house.open_reader() is not None) is is_there
