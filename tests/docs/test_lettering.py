"""The page of docs/lettering.jpg is set as it claims."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest
from PIL import Image

from catalog_imagegen.stages.lettering import Fonts, forbidden_starts
from catalog_imagegen.stages.lettering.breaking import NEVER_LAST
from catalog_imagegen.stages.lettering.spacing import prepared
from tests.docs.pages import ROOT

SCRIPT = ROOT / "docs" / "make_layout_sheet.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script that draws the page."""
    spec = importlib.util.spec_from_file_location("make_layout_sheet", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_page_of_layouts(script: ModuleType) -> None:
    """No glyph is missing, no line starts or ends with a mark that may not, nothing is lost or outside of its box."""
    sheet = script.make_sheet()
    assert len(sheet.set) > 40
    for size, box, drawn in sheet.set:
        text = prepared(box.text)
        Fonts().check(text, box.font)
        assert not forbidden_starts(drawn.lines)
        assert all(line[-1] not in NEVER_LAST for line in drawn.lines[:-1] if line)
        assert "".join(drawn.lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")
        left, top, right, bottom = box.area.within(size)
        assert drawn.ink.left >= left - 0.5
        assert drawn.ink.top >= top - 0.5
        assert drawn.ink.right <= right + 0.5
        assert drawn.ink.bottom <= bottom + 0.5
    for size, labelled in sheet.labels:
        assert labelled.letter_height >= 0.05 * min(size)
        assert labelled.contrast >= 4.5


def test_the_page_in_the_folder_is_that_page(script: ModuleType) -> None:
    """The picture in docs is the page as it is drawn now, small enough to look at."""
    path = script.HERE / "lettering.jpg"
    assert path.stat().st_size < script.MOST_BYTES
    with Image.open(path) as page:
        assert page.width == script.WIDTH
