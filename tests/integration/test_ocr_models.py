"""Text that the shipped fonts draw is read by the real models, which come with the wheel: nothing is fetched."""

from __future__ import annotations

import socket
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Any, Never

import pytest
from PIL import Image

from catalog_imagegen.bootstrap.house import open_reader
from catalog_imagegen.config import Workspace, load_gates, load_setup
from catalog_imagegen.domain.gates import Objection
from catalog_imagegen.pipeline.inspection import Inspector
from catalog_imagegen.pipeline.ports import TextReader
from catalog_imagegen.stages.lettering import Area, Stroke, TextBox, draw
from tests.e2e.cli import Ran, called
from tests.unit.studio import Studio, shoot
from tests.unit.test_inspection import Looks, wanted

pytestmark = pytest.mark.ocr

SIDE = 1200
CHINESE, ENGLISH = "限时特价 全场包邮", "Free Shipping Today Only"
TEXTS = (CHINESE, ENGLISH, "防水蓝牙耳机", "续航 36 小时", "NEW ARRIVAL 2026", "买一送一 SALE 50%")
ALIKE = 0.9
"""The share of what was drawn that has to come back."""


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever would fetch a model fails."""

    def refuse(*_arguments: Any) -> Never:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@cache
def reader() -> TextReader:
    """What runs read with."""
    found = open_reader()
    assert found is not None, "the extra is not installed"
    return found


@cache
def plain(shape: str = "mug") -> Image.Image:
    """A product on white, without a letter."""
    return shoot(Studio(shape=shape, paper=(255, 255, 255), size=(SIDE, SIDE))).photo


@cache
def lettered(*texts: str) -> Image.Image:
    """The same with texts over one another, 6 % of the frame high, the last across the product."""
    boxes = [
        TextBox(
            f"line {number}",
            Area(0.03, 0.03 + 0.3 * number, 0.97, 0.2 + 0.3 * number),
            text,
            weight="bold",
            max_size=0.06,
            colour="#c01818",
            stroke=Stroke("#ffffff", 0.08),
        )
        for number, text in enumerate(texts)
    ]
    return draw(plain(), boxes).image


def checked(image: Image.Image, platform: str, folder: Path) -> Ran:
    """What ``listing check`` says of a picture."""
    file = folder / "LS-1.jpg"
    image.save(file, quality=92)
    return called("listing", "check", file, "--platform", platform, "--json")


def said_of_text(ran: Ran) -> list[tuple[str, str]]:
    """Severity and message of what was found on the picture, which was looked at."""
    (listing,) = ran.json["listings"]
    (file,) = listing["files"]
    assert file["not_checked"] == []
    return [
        (verdict["severity"], verdict["message_en"])
        for verdict in file["verdicts"]
        if verdict["code"] == "text_on_picture"
    ]


@pytest.mark.parametrize(("platform", "severity"), [("amazon", "warn"), ("ebay", "fail")])
def test_a_listing_with_text_is_told(platform: str, severity: str, tmp_path: Path) -> None:
    """As sternly as is known: eBay says so itself, of Amazon others say it."""
    ran = checked(lettered(CHINESE, ENGLISH), platform, tmp_path)
    ((told, message),) = said_of_text(ran)
    assert told == severity
    assert "限时特价" in message
    assert ran.code == 1 or severity == "warn"


@pytest.mark.parametrize("shape", ["ball", "mug", "ring", "wires"])
def test_a_listing_without_text_passes(shape: str, tmp_path: Path) -> None:
    """A handle is no D, a ring no O, though the models are sure that they are."""
    assert said_of_text(checked(plain(shape), "ebay", tmp_path)) == []


def objection(image: Image.Image, role: str) -> Objection | None:
    """What the packaged gates say of a picture."""
    workspace = Workspace(Path(__file__).parents[2])
    gates = load_gates(workspace, load_setup(workspace).roles)
    ledger: Any = Looks()  # all that is asked of it
    return Inspector({"main": gates[role]}, ledger, reader=reader()).inspect(wanted(1), image).objection


def test_the_gate_stops_a_picture_with_text() -> None:
    """Before anything with so much text is listed, another take is made; a brand name on the product is none."""
    found = objection(lettered(CHINESE, ENGLISH), "main")
    assert found is not None
    assert found.stopped.gate == "text"
    assert "限时特价" in found.stopped.message
    assert objection(plain(), "main") is None
    assert objection(lettered("LUMO"), "main") is None


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_drawn_is_what_is_read(text: str) -> None:
    """On paper and across the product, where it says to stand."""
    found = sorted(reader().read(lettered(text, text)), key=lambda each: each.box[1])
    read = "".join(each.text for each in found).replace(" ", "")
    drawn = 2 * text.replace(" ", "")
    same = sum(block.size for block in SequenceMatcher(None, drawn, read).get_matching_blocks())
    assert same >= ALIKE * len(drawn), read
    assert len(read) <= len(drawn) / ALIKE, read
    left, top, right, bottom = found[0].box
    assert 0 <= left < SIDE // 10
    assert right > left
    assert 0 < top < bottom < SIDE // 5
