"""What we write about how a picture was made is read by the program that everybody else uses."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from catalog_imagegen.domain.fingerprint import Fingerprint, digest
from catalog_imagegen.domain.imaging import Render
from catalog_imagegen.pipeline.develop import Order, develop
from catalog_imagegen.stages.label import COMPOSITE, TRAINED, aigc_text, packet
from tests.unit.builders import placement

pytestmark = pytest.mark.exiftool

KEY = Fingerprint("5e" * 32)
SUFFIXES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "AVIF": "avif"}


def read(file: Path) -> dict[str, Any]:
    """Every tag of a file, also those that stand twice, by group and name."""
    told = subprocess.run(
        ["exiftool", "-a", "-G1", "-j", str(file)], capture_output=True, check=True, text=True
    )
    (tags,) = json.loads(told.stdout)
    return {name.casefold(): value for name, value in tags.items()}


def made(content: bytes, kind: str, folder: Path) -> Path:
    """One file of a render."""
    order = Order(
        Render(KEY, digest(content), 200, 200), (placement(width=90, height=90, format=kind),), "0011"
    )
    file = folder / f"1.{SUFFIXES[kind]}"
    file.write_bytes(develop(content, order)[0].content)
    return file


def picture(**options: Any) -> bytes:
    """A render."""
    buffer = io.BytesIO()
    image = Image.radial_gradient("L").convert("RGB").resize((200, 200))
    image.save(buffer, "WEBP", lossless=True, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", SUFFIXES)
def test_both_labels_are_in_every_format(kind: str, tmp_path: Path) -> None:
    """AIGC with its fields, IPTC with its address, each once."""
    tags = read(made(picture(), kind, tmp_path))
    assert json.loads(tags["xmp-tc260:aigc"])["ProduceID"] == KEY
    assert tags["xmp-iptcext:digitalsourcetype"] == TRAINED
    assert sum("aigc" in name for name in tags) == 1


@pytest.mark.parametrize("kind", SUFFIXES)
def test_an_incoming_label_is_still_there_and_alone(kind: str, tmp_path: Path) -> None:
    """After a resize, in whichever format."""
    theirs = aigc_text(producer="SOMEBODY-ELSE", produce_id="77")
    tags = read(made(picture(xmp=packet(theirs, COMPOSITE)), kind, tmp_path))
    assert tags["xmp-tc260:aigc"] == theirs
    assert tags["xmp-iptcext:digitalsourcetype"] == COMPOSITE
    assert sum("aigc" in name for name in tags) == 1
